//! The state of everything that is watched, and its one step: a target was scraped.
//!
//! The engine owns each cache's tuner. It has no clock and no I/O: the shell brings it what the
//! scrapes found, one after the other, and shows what comes back, so a recorded sequence replays to
//! the same views.

mod target;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::profile::Profile;
use crate::published::TargetId;
use crate::published::TargetView;
use crate::published::TuningEntry;
use crate::reading::Failure;
use crate::reading::Reading;
use crate::rule::RuleSet;
use crate::tuning_config::Freeze;
use crate::tuning_config::TuningConfig;
use crate::units::Timestamp;

use target::TargetState;

/// How the caches of a job are tuned.
#[derive(Debug, Clone)]
pub struct JobPlan {
    /// The settings.
    pub tuning: TuningConfig,
    /// The rules, with the job's thresholds.
    pub rules: Arc<RuleSet>,
    /// When nothing is put in force.
    pub freeze: Arc<Freeze>,
}

/// A target that is to be watched.
#[derive(Debug, Clone)]
pub struct TargetPlan {
    /// Which.
    pub id: TargetId,
    /// What is scraped; without credentials.
    pub url: Arc<str>,
    /// The labels of its `static_configs`.
    pub labels: Arc<BTreeMap<String, String>>,
    /// Time between two scrapes.
    pub scrape_interval: Duration,
    /// Longest time a scrape may take.
    pub scrape_timeout: Duration,
    /// How its caches are tuned.
    pub job: Arc<JobPlan>,
}

/// What a scrape found.
#[derive(Debug)]
pub struct Observation {
    /// Which target.
    pub id: TargetId,
    /// When the scrape began.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// The page, read, or why there is none.
    pub result: Result<Reading, Failure>,
}

/// What follows from a scrape.
#[derive(Debug)]
pub struct Step {
    /// What is shown of the target from now on.
    pub view: TargetView,
    /// What was put in force.
    pub tunings: Vec<TuningEntry>,
}

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Engine {
    targets: BTreeMap<TargetId, TargetState>,
}

impl Engine {
    /// Watches nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over the targets that are to be watched from now on. What was learnt about those that
    /// stay is kept; the others are forgotten. Returns the views as they are now.
    pub fn reconfigure(&mut self, plans: Vec<TargetPlan>) -> Vec<TargetView> {
        let mut before = std::mem::take(&mut self.targets);
        for plan in plans {
            let state = match before.remove(&plan.id) {
                Some(mut state) => {
                    state.reconfigure(plan);
                    state
                }
                None => TargetState::new(plan),
            };
            self.targets.insert(state.id().clone(), state);
        }
        self.targets.values().map(TargetState::view).collect()
    }

    /// The profile that a target's pages are read with, once one fitted.
    pub fn profile(&self, id: &TargetId) -> Option<&Arc<Profile>> {
        self.targets.get(id)?.profile()
    }

    /// Takes in a scrape; `None` for a target that is not watched any more.
    pub fn observe(&mut self, observation: Observation) -> Option<Step> {
        let target = self.targets.get_mut(&observation.id)?;
        let tunings = target.observe(observation);
        Some(Step { view: target.view(), tunings })
    }
}

#[cfg(test)]
mod tests;
