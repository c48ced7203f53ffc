//! The loop at the heart of the running program: what scrapes found goes in, the engine steps, what
//! is shown goes up; a reload changes what is watched.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::diag::Diagnostics;
use crate::diag::render;
use crate::engine::Engine;
use crate::engine::Happening;
use crate::engine::Observation;
use crate::engine::Step;
use crate::export::Exporter;
use crate::published::Board;
use crate::published::TargetId;
use crate::published::TuningEntry;
use crate::tuner::EventKind;
use crate::units::Short;
use crate::web::Fetch;
use crate::web::Order;
use crate::web::Shown;

use super::Source;
use super::clock;
use super::fleet::Fleet;
use super::keeping::Keeper;
use super::plan::Watch;

/// Where the answer to a reload goes.
type ReloadAnswer = oneshot::Sender<Result<(), String>>;

/// What the loop owns.
pub(super) struct Station {
    pub(super) source: Source,
    pub(super) engine: Engine,
    pub(super) keeper: Keeper,
    pub(super) fleet: Fleet,
    pub(super) board: Arc<Board>,
    pub(super) exporter: Arc<Exporter>,
    pub(super) show: watch::Sender<Arc<Shown>>,
    pub(super) ready: Arc<AtomicBool>,
    pub(super) found: mpsc::Receiver<Observation>,
    pub(super) reloads: mpsc::Receiver<ReloadAnswer>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) fetches: mpsc::Receiver<Fetch>,
    /// Targets whose first scrape has not been tried yet.
    pub(super) awaited: BTreeSet<TargetId>,
    /// What was last logged of each target, so that only changes are.
    pub(super) logged: BTreeMap<TargetId, Logged>,
}

/// What was last logged of a target.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Logged {
    /// Why it fails; `None` while it does not.
    failure: Option<&'static str>,
    has_bad_lines: bool,
    /// Whether its newest good page showed any; `None` before the first.
    shows_caches: Option<bool>,
}

impl Station {
    /// Watches exactly these targets from now on.
    pub(super) fn put_to_work(&mut self, watches: &[Watch]) {
        let plans = watches.iter().map(|watch| watch.plan.clone()).collect();
        let views = self.engine.reconfigure(plans);
        let ids: BTreeSet<TargetId> = views.iter().map(|view| view.id.clone()).collect();
        let untried = views.iter().filter(|view| view.health.up.is_none());
        self.awaited = untried.map(|view| view.id.clone()).collect();
        self.logged.retain(|id, _| ids.contains(id));
        let (board, trust) = (Arc::clone(&self.board), self.engine.trust(clock::now()));
        let show = move || {
            for view in views {
                board.publish(view);
            }
            board.retain(|id| ids.contains(id));
            board.publish_trust(trust);
        };
        self.keeper.put_up(self.engine.take_changes(), Box::new(show));
        let engine = &self.engine;
        self.fleet.apply(watches, |id| engine.profile(id).map(Arc::clone));
        self.exporter.set_reload(true, clock::now());
        if self.awaited.is_empty() {
            tell_ready(&self.ready);
        }
    }

    /// Runs until a task panics, and returns what it said.
    pub(super) async fn run(&mut self, hangup: &mut Signal) -> String {
        loop {
            tokio::select! {
                Some(observation) = self.found.recv() => self.take_in(observation),
                Some(fetch) = self.fetches.recv() => self.note(&fetch),
                Some(order) = self.orders.recv() => self.carry_out(order),
                Some(answer) = self.reloads.recv() => {
                    let result = self.reload().await;
                    // Once what follows from it is up. Whoever asked may have gone.
                    let tell = || drop(answer.send(result));
                    self.keeper.put_up(Vec::new(), Box::new(tell));
                }
                Some(()) = hangup.recv() => {
                    // The log has told what came of it.
                    let _ = self.reload().await;
                }
                panicked = self.fleet.panicked() => return panicked.to_string(),
            }
        }
    }

    fn take_in(&mut self, observation: Observation) {
        let id = observation.id.clone();
        let failure = observation.result.as_ref().err().map(|failure| failure.reason.name());
        let Some(step) = self.engine.observe(observation) else { return };
        let view = &step.view;
        let before = self.logged.entry(id.clone()).or_default();
        let now = Logged {
            failure,
            has_bad_lines: view.health.bad_lines > 0,
            shows_caches: match failure {
                Some(_) => before.shows_caches,
                None => Some(!view.caches.is_empty()),
            },
        };
        log_changes(&id, before, &now, &view.health);
        *before = now;
        if self.awaited.remove(&id) && self.awaited.is_empty() {
            let ready = Arc::clone(&self.ready);
            self.publish_then(step, move || tell_ready(&ready));
        } else {
            self.publish(step);
        }
    }

    /// Logs what happened, has it stored, and puts it up.
    pub(super) fn publish(&self, step: Step) {
        self.publish_then(step, || {});
    }

    /// The same, and does `then` when it is up.
    pub(super) fn publish_then(&self, step: Step, then: impl FnOnce() + Send + 'static) {
        let Step { view, tunings, trust, changes } = step;
        log_tunings(&tunings);
        let board = Arc::clone(&self.board);
        let show = move || {
            board.publish(view);
            board.record(tunings.into_iter().map(|happening| happening.entry).collect());
            if let Some(trust) = trust {
                board.publish_trust(trust);
            }
            then();
        };
        self.keeper.put_up(changes, Box::new(show));
    }

    /// Loads the configuration again and puts it to work; a faulty one changes nothing.
    async fn reload(&mut self) -> Result<(), String> {
        match super::load(&self.source).await {
            Ok((loaded, watches)) => {
                self.show.send_replace(Arc::new(super::shown(&loaded)));
                self.put_to_work(&watches);
                tracing::info!(targets = watches.len(), "configuration reloaded");
                Ok(())
            }
            Err(diagnostics) => {
                self.exporter.set_reload(false, clock::now());
                Err(log_refusal(&diagnostics))
            }
        }
    }
}

/// Says, once, that every target has been tried.
fn tell_ready(ready: &AtomicBool) {
    if !ready.swap(true, Ordering::Release) {
        tracing::info!("ready: every target has been tried");
    }
}

/// Logs each fault of a refused configuration, and returns all as text.
fn log_refusal(diagnostics: &Diagnostics) -> String {
    for diagnostic in diagnostics.iter() {
        tracing::error!("{}", render::concise(diagnostic));
    }
    let summary = render::summary(diagnostics);
    tracing::error!(%summary, "the configuration is refused, the one in use stays");
    format!(
        "the configuration is refused, the one in use stays: {summary}\n{}",
        render::render(diagnostics, render::Format::Concise, false)
    )
}

fn log_changes(
    id: &TargetId,
    before: &Logged,
    now: &Logged,
    health: &crate::published::ScrapeHealth,
) {
    let TargetId { scrape_job, target } = id;
    match now.failure {
        Some(reason) if before.failure != now.failure => {
            let error = health.last_error.as_deref().unwrap_or_default();
            tracing::warn!(%scrape_job, %target, reason, error, "scrape failed");
        }
        None if before.failure.is_some() => {
            tracing::info!(%scrape_job, %target, "scrapes succeed again");
        }
        _ => {}
    }
    match (before.shows_caches, now.shows_caches) {
        (Some(false), Some(true)) => {
            tracing::info!(%scrape_job, %target, "the page shows caches again");
        }
        (None | Some(true), Some(false)) => {
            tracing::warn!(%scrape_job, %target, "the page shows no cache: is the product up?");
        }
        _ => {}
    }
    if now.has_bad_lines && !before.has_bad_lines {
        let first = health.bad_line.as_deref().unwrap_or_default();
        let bad_lines = health.bad_lines;
        tracing::warn!(%scrape_job, %target, bad_lines, first, "lines of the page are left out");
    }
}

fn log_tunings(happenings: &[Happening]) {
    for Happening { kind, entry } in happenings {
        let TuningEntry { id, cache, tuning, verdict } = entry;
        let outcome = verdict.as_ref().map(|verdict| verdict.outcome.name());
        let because = verdict.as_ref().and_then(|verdict| verdict.judgement.as_ref());
        let because = because.map(|judgement| judgement.reason.to_string());
        tracing::info!(
            scrape_job = %id.scrape_job,
            target = %id.target,
            %cache,
            number = tuning.number,
            origin = tuning.origin.name(),
            rule = %tuning.rule,
            parameter = %tuning.parameter,
            from = %Short(tuning.from),
            to = %Short(tuning.to),
            outcome,
            because,
            "{}",
            match kind {
                EventKind::Started if tuning.origin.is_real() => "tuned",
                EventKind::Started => "tuning held back, to be judged all the same",
                EventKind::Adopted => "tuning taken over",
                EventKind::Judged => "tuning judged",
            }
        );
    }
}
