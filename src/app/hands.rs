//! What caches and people bring to the loop over the API: that a cache has read its parameters, and
//! what somebody decides by hand.

use crate::engine::HandError;
use crate::engine::Report;
use crate::engine::Step;
use crate::published::TuningEntry;
use crate::web::Deed;
use crate::web::Done;
use crate::web::Fetch;
use crate::web::Order;

use super::clock;
use super::station::Station;

impl Station {
    /// Takes in that a cache has read its parameters. One that read others than those in force now
    /// was too early: the change that came meanwhile is still unknown to it.
    pub(super) fn note(&mut self, fetch: &Fetch) {
        let Fetch { id, cache, parameters } = fetch;
        let target = self.board.target(id);
        let view = target.as_ref().and_then(|view| view.caches.iter().find(|c| c.cache == *cache));
        if view.is_none_or(|view| view.parameters != *parameters) {
            return;
        }
        if let Some(step) = self.engine.fetched(id, cache, clock::now()) {
            self.publish(step);
        }
    }

    /// Does what somebody decided, and answers.
    pub(super) fn carry_out(&mut self, order: Order) {
        let done = match order.deed {
            Deed::Force => self.force(&order),
            Deed::Report { outcome, improvement } => {
                let report = Report { rule: &order.rule, outcome, improvement };
                self.report(&order, &report)
            }
        };
        // Whoever asked may have gone. What was done is answered when it is stored and up.
        let answer = order.answer;
        match done {
            Ok((done, step)) => self.publish_then(step, move || _ = answer.send(Ok(done))),
            Err(refusal) => _ = answer.send(Err(refusal)),
        }
    }

    fn force(&mut self, order: &Order) -> Result<(Done, Step), HandError> {
        let Order { id, cache, rule, .. } = order;
        let (tuning, step) = self.engine.force(id, cache, rule, clock::now())?;
        let (id, cache) = (id.clone(), cache.clone());
        let entry = TuningEntry { id, cache, tuning, verdict: None };
        Ok((Done::Forced(Box::new(entry)), step))
    }

    fn report(&mut self, order: &Order, report: &Report<'_>) -> Result<(Done, Step), HandError> {
        let Order { id, cache, rule, .. } = order;
        let step = self.engine.report_outcome(id, cache, report, clock::now())?;
        let outcome = report.outcome.name();
        let (scrape_job, target) = (&id.scrape_job, &id.target);
        tracing::info!(%scrape_job, %target, %cache, %rule, outcome, "outcome reported");
        Ok((Done::Reported, step))
    }
}
