//! What caches and people bring to the loop over the API: that a cache has read its parameters, and
//! what somebody decides by hand.

use crate::engine::HandError;
use crate::engine::Report;
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
        let answer = match order.deed {
            Deed::Force => self.force(&order),
            Deed::Report { outcome, improvement } => {
                let report = Report { rule: &order.rule, outcome, improvement };
                self.report(&order, &report)
            }
        };
        // Whoever asked may have gone.
        let _ = order.answer.send(answer);
    }

    fn force(&mut self, order: &Order) -> Result<Done, HandError> {
        let Order { id, cache, rule, .. } = order;
        let (tuning, step) = self.engine.force(id, cache, rule, clock::now())?;
        self.publish(step);
        let (id, cache) = (id.clone(), cache.clone());
        Ok(Done::Forced(Box::new(TuningEntry { id, cache, tuning, verdict: None })))
    }

    fn report(&mut self, order: &Order, report: &Report<'_>) -> Result<Done, HandError> {
        let Order { id, cache, rule, .. } = order;
        let step = self.engine.report_outcome(id, cache, report, clock::now())?;
        let outcome = report.outcome.name();
        let (scrape_job, target) = (&id.scrape_job, &id.target);
        tracing::info!(%scrape_job, %target, %cache, %rule, outcome, "outcome reported");
        self.publish(step);
        Ok(Done::Reported)
    }
}
