//! The engine's state as documents: what goes to the store after each step, and what comes back at
//! the next start. A restored cache waits under its key until its target shows it again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::engine::trust::Trust;
use crate::judge::Sample;
use crate::memory::CacheKey;
use crate::memory::Change;
use crate::memory::Saved;
use crate::parameter::Parameter;
use crate::published::TuningEntry;
use crate::tuner::SavedTuner;
use crate::units::Timestamp;

/// How long a cache is remembered that no target shows: a week of holidays.
const FORGET_SAVED_AFTER: Duration = Duration::from_secs(7 * 86_400);

/// The name of the document that all caches share.
const TRUST: &str = "trust";

/// A cache's document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedCache {
    /// The profile that it was read by: another product's cache is another cache.
    pub(super) profile: String,
    /// When it was last shown.
    pub(super) last_seen: Timestamp,
    /// When its process started, in seconds since the epoch, where that is shown.
    pub(super) started_at: Option<f64>,
    /// What the target showed of each parameter at first.
    pub(super) first_observed: BTreeMap<Parameter, f64>,
    /// What was learnt.
    pub(super) tuner: SavedTuner,
}

/// What is remembered of earlier runs and not shown again yet.
pub(super) type Remembered = BTreeMap<CacheKey, (SavedCache, Vec<Sample>)>;

/// What a store gave back, read.
#[derive(Debug, Default)]
pub struct Restored {
    /// The newest entries of the journal, oldest first.
    pub journal: Vec<TuningEntry>,
    /// What could not be read, in words; each is left out.
    pub faults: Vec<String>,
    /// What the store may forget.
    pub changes: Vec<Change>,
    pub(super) remembered: Remembered,
    pub(super) trust: Trust,
    pub(super) newest_number: u64,
}

/// Reads what a store gave back. A document that cannot be read harms no other.
pub fn restore(saved: Saved, now: Timestamp) -> Restored {
    let mut restored = Restored::default();
    for cache in saved.caches {
        let Some(document) = cache.document else { continue };
        match serde_json::from_str::<SavedCache>(&document) {
            Ok(state) if now.saturating_since(state.last_seen) > FORGET_SAVED_AFTER => {
                restored.changes.push(Change::Forget { key: cache.key });
            }
            Ok(state) => {
                restored.remembered.insert(cache.key, (state, cache.samples));
            }
            Err(fault) => restored.fault(&format!("cache `{}`", cache.key.cache), &fault),
        }
    }
    for (number, document) in saved.journal.into_iter().rev() {
        restored.newest_number = restored.newest_number.max(number);
        match serde_json::from_str(&document) {
            Ok(entry) => restored.journal.push(entry),
            Err(fault) => restored.fault(&format!("tuning {number}"), &fault),
        }
    }
    if let Some(document) = saved.shared.get(TRUST) {
        match serde_json::from_str(document) {
            Ok(trust) => restored.trust = trust,
            Err(fault) => restored.fault("the trust in rules", &fault),
        }
    }
    restored
}

impl Restored {
    fn fault(&mut self, what: &str, fault: &serde_json::Error) {
        self.faults.push(format!("the stored state of {what} cannot be read: {fault}"));
    }
}

/// The document of `state`; `None` where it cannot be written, which its types exclude.
fn document(state: &impl Serialize) -> Option<String> {
    serde_json::to_string(state).ok()
}

/// A cache's state, to be stored.
pub(super) fn cache(key: CacheKey, state: &SavedCache) -> Option<Change> {
    Some(Change::Cache { key, document: document(state)? })
}

/// An entry of the journal, to be stored.
pub(super) fn entry(entry: &TuningEntry) -> Option<Change> {
    Some(Change::Journal { number: entry.tuning.number, document: document(entry)? })
}

/// What all caches share, to be stored.
pub(super) fn trust(trust: &Trust) -> Option<Change> {
    Some(Change::Shared { name: TRUST.to_owned(), document: document(trust)? })
}

/// The key of a cache.
pub(super) fn key(id: &crate::published::TargetId, cache: &Arc<str>) -> CacheKey {
    CacheKey { id: id.clone(), cache: Arc::clone(cache) }
}
