//! The scrape tasks: one for each target, which fetches, reads and hands the result on.
//!
//! A page is read in its target's own task: a huge one costs its target time and nobody else. While
//! it is read, or waits for the engine, the target is not scraped again. A reload leaves the tasks
//! alone whose target did not change, so that their pace stays steady.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::engine::Observation;
use crate::profile::Profile;
use crate::published::TargetId;
use crate::reading::Failure;
use crate::reading::RawPage;
use crate::reading::Reading;
use crate::reading::TargetReader;
use crate::scrape::client::Body;
use crate::scrape::schedule::Scraped;
use crate::scrape::schedule::Scrapes;
use crate::scrape::schedule::TargetSpec;
use crate::units::Timestamp;

use super::plan::Scraping;
use super::plan::Watch;

/// Largest page that is read between two awaits; larger ones are read on a thread of their own.
const INLINE_PAGE_BYTES_MAX: usize = 1 << 20;

/// The running scrape tasks.
#[derive(Debug)]
pub(super) struct Fleet {
    running: BTreeMap<TargetId, (Scraping, CancellationToken)>,
    tasks: JoinSet<()>,
    observations: mpsc::Sender<Observation>,
}

impl Fleet {
    /// No task yet; what they find goes to `observations`.
    pub(super) fn new(observations: mpsc::Sender<Observation>) -> Self {
        Self { running: BTreeMap::new(), tasks: JoinSet::new(), observations }
    }

    /// Starts, keeps and stops tasks so that exactly `watches` are scraped. `known` tells the
    /// profile that a target's pages were read with before.
    pub(super) fn apply(
        &mut self,
        watches: &[Watch],
        known: impl Fn(&TargetId) -> Option<Arc<Profile>>,
    ) {
        let mut before = std::mem::take(&mut self.running);
        for Watch { plan, scraping } in watches {
            let entry = match before.remove(&plan.id) {
                Some(same) if same.0 == *scraping => same,
                replaced => {
                    // A target that was scraped a moment ago waits for its beat: over a shorter
                    // interval rates say little.
                    let first_at_once = replaced.is_none();
                    if let Some((_, cancel)) = replaced {
                        cancel.cancel();
                    }
                    let known =
                        known(&plan.id).and_then(|known| scraping.job.reader.choice.same(&known));
                    let cancel = self.start(&plan.id, scraping, known, first_at_once);
                    (scraping.clone(), cancel)
                }
            };
            self.running.insert(plan.id.clone(), entry);
        }
        for (_, cancel) in before.into_values() {
            cancel.cancel();
        }
    }

    /// The next task that ended by itself, which only a panic makes it do.
    pub(super) async fn panicked(&mut self) -> JoinError {
        loop {
            match self.tasks.join_next().await {
                Some(Err(fault)) if fault.is_panic() => return fault,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    fn start(
        &mut self,
        id: &TargetId,
        scraping: &Scraping,
        known: Option<Arc<Profile>>,
        first_at_once: bool,
    ) -> CancellationToken {
        let cancel = CancellationToken::new();
        let spec = TargetSpec {
            job: scraping.job.name.clone(),
            url: scraping.url.clone(),
            interval: scraping.job.interval,
            timeout: scraping.job.timeout,
            first_at_once,
        };
        let scrapes = Scrapes::new(&spec, Arc::clone(&scraping.job.client));
        let reader = TargetReader::new(Arc::clone(&scraping.job.reader), known);
        let watching = watch(id.clone(), scrapes, reader, self.observations.clone());
        let cancelled = cancel.clone();
        self.tasks.spawn(async move {
            cancelled.run_until_cancelled(watching).await;
        });
        cancel
    }
}

/// Scrapes a target and reads what comes, until nobody takes it any more.
async fn watch(
    id: TargetId,
    mut scrapes: Scrapes,
    mut reader: TargetReader,
    observations: mpsc::Sender<Observation>,
) {
    loop {
        let Scraped { at, duration, result } = scrapes.next().await;
        let result = match result {
            Ok(body) => {
                let (used, body, result) = read(reader, body, at).await;
                reader = used;
                scrapes.reuse(body);
                result
            }
            Err(fault) => Err(Failure::new(fault.reason(), fault.to_string())),
        };
        let observation = Observation { id: id.clone(), at, duration, result };
        if observations.send(observation).await.is_err() {
            return;
        }
    }
}

async fn read(
    mut reader: TargetReader,
    body: Body,
    at: Timestamp,
) -> (TargetReader, Body, Result<Reading, Failure>) {
    let is_small = body.text.len() <= INLINE_PAGE_BYTES_MAX;
    let read = move || {
        let page = RawPage { text: &body.text, content_type: body.content_type.as_deref() };
        let result = reader.read(page, at);
        (reader, body, result)
    };
    if is_small {
        return read();
    }
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        // A panic in there is a bug of ours like any other: it goes on to whoever supervises this
        // task.
        Err(fault) => std::panic::resume_unwind(fault.into_panic()),
    }
}
