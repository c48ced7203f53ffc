//! The statistics that a cache keeps of itself: counts since it was made, and its present sizes.

/// Statistics of one level. Counts are since the cache was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LevelTotals {
    /// Look-ups answered by this level.
    pub hits: u64,
    /// Look-ups of this level that it could not answer.
    pub misses: u64,
    /// Entries held.
    pub entries: u64,
    /// Most entries held at the parameters in force.
    pub capacity: u64,
    /// Bytes held.
    pub usage_bytes: u64,
    /// Bytes set aside: what the level would use if eviction kept nothing free.
    pub max_usage_bytes: u64,
    /// Entries that had to leave for others, or for a smaller size; without expirations.
    pub evictions: u64,
}

/// Statistics of a cache. Counts are since the cache was made.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CacheTotals {
    /// Level 1.
    pub l1: LevelTotals,
    /// Level 2, which is asked only for what level 1 does not have.
    pub l2: LevelTotals,
    /// Gets answered by either level.
    pub hits: u64,
    /// Gets answered by neither.
    pub misses: u64,
    /// Entries taken from level 2 into level 1.
    pub promotions: u64,
    /// Entries that were found too old.
    pub expirations: u64,
    /// Gets and puts.
    pub operations: u64,
    /// Time taken by gets, in seconds.
    pub get_seconds: f64,
    /// Gets.
    pub get_count: u64,
    /// Time taken by puts, in seconds.
    pub put_seconds: f64,
    /// Puts, those that fill a miss included.
    pub put_count: u64,
}
