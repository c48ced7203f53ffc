//! What outlives the process, as it passes between the core and whoever keeps it.
//!
//! The core says what changed ([`Change`]) and is given everything back at the next start
//! ([`Saved`]). States travel as documents, texts that the core writes and reads by itself: so who
//! keeps them knows keys and nothing else, and a new field of the core is no matter of the store.
//! Samples are the exception, since they are many and small, and are appended rather than replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::judge::Sample;
use crate::target_id::TargetId;

/// Entries of the journal that are kept: those whose number is so far below the newest's go.
pub const JOURNAL_KEPT: u64 = 10_000;

/// Entries of the journal that are given back at most, the newest: as many as are shown.
pub const JOURNAL_RESTORED_MAX: u32 = 1000;

/// Names a cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey {
    /// The target that shows it.
    pub id: TargetId,
    /// Its name there.
    pub cache: Arc<str>,
}

/// One thing to be remembered, or forgotten.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A cache's state; replaces the one before.
    Cache {
        /// Of which cache.
        key: CacheKey,
        /// The state.
        document: String,
    },
    /// A cache is gone, and with it its state and samples; entries of the journal stay.
    Forget {
        /// Which cache.
        key: CacheKey,
    },
    /// An entry of the journal, new or changed.
    Journal {
        /// Its number, below 2⁶³. Numbers rise by one.
        number: u64,
        /// The entry.
        document: String,
    },
    /// A cache's newest sample. The newest [`TRACK_SAMPLES_MAX`](crate::judge::TRACK_SAMPLES_MAX)
    /// are kept.
    Sample {
        /// Of which cache.
        key: CacheKey,
        /// The sample.
        sample: Sample,
    },
    /// A state that caches share; replaces the one of that name before.
    Shared {
        /// Which one.
        name: String,
        /// The state.
        document: String,
    },
}

/// All that is remembered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Saved {
    /// The caches, by key.
    pub caches: Vec<SavedCache>,
    /// The newest entries of the journal with their numbers, newest first; at most
    /// [`JOURNAL_RESTORED_MAX`].
    pub journal: Vec<(u64, String)>,
    /// The states that caches share, by name.
    pub shared: BTreeMap<String, String>,
}

/// What is remembered of a cache.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedCache {
    /// Which cache.
    pub key: CacheKey,
    /// Its state; `None` where only samples were given.
    pub document: Option<String>,
    /// Its newest samples, oldest first.
    pub samples: Vec<Sample>,
}
