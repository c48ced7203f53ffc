//! What waits to be written, with nothing in it twice.
//!
//! A state that was replaced before it was written need not be written at all. So what waits grows
//! with the number of caches, not with the time that a disk takes or fails: it can be kept until it
//! is written, and nobody ever has to wait for room.

use std::collections::BTreeMap;

use crate::judge::Sample;
use crate::judge::TRACK_SAMPLES_MAX;
use crate::memory::CacheKey;
use crate::memory::Change;
use crate::memory::JOURNAL_KEPT;

/// Samples that wait, of all caches: 21 MiB. Past it every cache loses the older half of its own,
/// and a restart would find a gap there. In a whole hour of a full disk, 800 caches make so many.
pub const SAMPLES_WAITING_MAX: usize = 200_000;

/// Changes to be written together: all of them or none.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) caches: BTreeMap<CacheKey, CacheChange>,
    pub(super) journal: BTreeMap<u64, String>,
    pub(super) shared: BTreeMap<String, String>,
    samples: usize,
}

/// What is to be done with a cache, in this order.
#[derive(Debug, Default)]
pub(super) struct CacheChange {
    /// Whether what was stored of it goes.
    pub(super) forget: bool,
    /// Its new state.
    pub(super) document: Option<String>,
    /// Its new samples, oldest first.
    pub(super) samples: Vec<Sample>,
}

// === impl Batch ===

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.caches.is_empty() && self.journal.is_empty() && self.shared.is_empty()
    }

    /// Adds what comes after all that is here.
    pub fn push(&mut self, change: Change) {
        match change {
            Change::Cache { key, document } => {
                self.caches.entry(key).or_default().document = Some(document);
            }
            Change::Forget { key } => {
                let change = self.caches.entry(key).or_default();
                self.samples -= change.samples.len();
                *change = CacheChange { forget: true, ..CacheChange::default() };
            }
            Change::Journal { number, document } => {
                self.journal.insert(number, document);
                self.trim_journal();
            }
            Change::Sample { key, sample } => {
                let samples = &mut self.caches.entry(key).or_default().samples;
                samples.push(sample);
                self.samples += 1;
                // In halves, so that the rest is moved seldom.
                if samples.len() == 2 * TRACK_SAMPLES_MAX {
                    samples.drain(..TRACK_SAMPLES_MAX);
                    self.samples -= TRACK_SAMPLES_MAX;
                }
                self.thin();
            }
            Change::Shared { name, document } => {
                self.shared.insert(name, document);
            }
        }
    }

    /// Adds what came after all that is here.
    pub(super) fn append(&mut self, mut later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        for (key, mut change) in later.caches {
            let here = self.caches.entry(key).or_default();
            if change.forget {
                self.samples -= here.samples.len();
                self.samples += change.samples.len();
                *here = change;
                continue;
            }
            if change.document.is_some() {
                here.document = change.document;
            }
            self.samples += change.samples.len();
            here.samples.append(&mut change.samples);
            let surplus = here.samples.len().saturating_sub(TRACK_SAMPLES_MAX);
            here.samples.drain(..surplus);
            self.samples -= surplus;
        }
        self.journal.append(&mut later.journal);
        self.shared.append(&mut later.shared);
        self.trim_journal();
        self.thin();
    }

    /// Leaves out caches that need not be forgotten, since nothing of them is stored.
    pub(super) fn retain_forgotten(&mut self, is_stored: impl Fn(&CacheKey) -> bool) {
        self.caches.retain(|key, change| {
            let is_empty = change.document.is_none() && change.samples.is_empty();
            !is_empty || is_stored(key)
        });
    }

    fn trim_journal(&mut self) {
        let Some((&newest, _)) = self.journal.last_key_value() else { return };
        while let Some(oldest) = self.journal.first_entry()
            && newest - oldest.key() >= JOURNAL_KEPT
        {
            oldest.remove();
        }
    }

    fn thin(&mut self) {
        // With fewer than two samples a cache, halves would hardly shorten anything.
        if self.samples <= SAMPLES_WAITING_MAX.max(2 * self.caches.len()) {
            return;
        }
        self.samples = 0;
        for change in self.caches.values_mut() {
            let older = change.samples.len() / 2;
            change.samples.drain(..older);
            self.samples += change.samples.len();
        }
    }
}

impl Extend<Change> for Batch {
    fn extend<T: IntoIterator<Item = Change>>(&mut self, changes: T) {
        for change in changes {
            self.push(change);
        }
    }
}

impl FromIterator<Change> for Batch {
    fn from_iter<T: IntoIterator<Item = Change>>(changes: T) -> Self {
        let mut batch = Self::default();
        batch.extend(changes);
        batch
    }
}
