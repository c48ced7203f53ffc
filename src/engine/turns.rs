//! Whose turn it is: of a job's caches one at a time is tuned, since the others are its controls.
//! The one that has waited longest comes first, or the busiest two would take turns for ever.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::published::TargetId;
use crate::units::Timestamp;

/// A cache of a target.
pub(super) type CacheName = (TargetId, Arc<str>);

/// Intervals between analyses after which a cache that no longer asks has given up its place.
const PATIENCE_INTERVALS: u32 = 2;

/// The turns of one job.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Caches whose tunings are pending; shadows take no turn.
    pending: BTreeSet<CacheName>,
    /// Caches that wait, since when, and when they last asked.
    waiting: BTreeMap<CacheName, (Timestamp, Timestamp)>,
    /// Who waits since when, so that the longest is found without looking at all.
    queue: BTreeSet<(Timestamp, CacheName)>,
}

impl Turns {
    /// Whether `cache` may be tuned now; `interval` is the time between two analyses.
    pub(super) fn is_free(&self, cache: &CacheName, interval: Duration, now: Timestamp) -> bool {
        if self.pending.iter().any(|other| other != cache) {
            return false;
        }
        let patience = interval * PATIENCE_INTERVALS;
        let own = self.waiting.get(cache).map_or(now, |(since, _)| *since);
        let before = self.queue.iter().take_while(|(since, _)| *since < own);
        let mut others = before.filter(|(_, other)| other != cache);
        !others.any(|(_, other)| {
            let asked = self.waiting.get(other).map(|(_, asked)| *asked);
            asked.is_some_and(|asked| now.saturating_since(asked) <= patience)
        })
    }

    /// Whether nobody waits and nothing is pending.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.pending.is_empty()
    }

    /// Notes how it stands with a cache: whether its tuning is pending, and whether it waits.
    pub(super) fn note(
        &mut self,
        cache: CacheName,
        is_pending: bool,
        is_waiting: bool,
        now: Timestamp,
    ) {
        if is_waiting {
            let since = self.waiting.get(&cache).map_or(now, |(since, _)| *since);
            self.waiting.insert(cache.clone(), (since, now));
            self.queue.insert((since, cache.clone()));
        } else {
            self.stop_waiting(&cache);
        }
        if is_pending {
            self.pending.insert(cache);
        } else {
            self.pending.remove(&cache);
        }
    }

    /// A cache is gone.
    pub(super) fn forget(&mut self, cache: &CacheName) {
        self.pending.remove(cache);
        self.stop_waiting(cache);
    }

    fn stop_waiting(&mut self, cache: &CacheName) {
        if let Some((since, _)) = self.waiting.remove(cache) {
            self.queue.remove(&(since, cache.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(name: &str) -> CacheName {
        (TargetId { scrape_job: "j".into(), target: "t".into() }, name.into())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    #[track_caller]
    fn check(turns: &Turns, name: &str, second: i64, want: bool) {
        let interval = Duration::from_secs(10);
        assert_eq!(turns.is_free(&cache(name), interval, at(second)), want, "{name} {second}");
    }

    #[test]
    fn who_waited_longest_comes_first() {
        let mut turns = Turns::default();
        check(&turns, "a", 0, true);
        turns.note(cache("a"), true, false, at(0));
        check(&turns, "a", 1, true);
        check(&turns, "b", 1, false);
        turns.note(cache("c"), false, true, at(1));
        turns.note(cache("b"), false, true, at(2));
        turns.note(cache("a"), false, false, at(9));
        for (name, free) in [("a", false), ("b", false), ("c", true)] {
            check(&turns, name, 10, free);
        }
        // Who does not ask any more loses the place.
        turns.note(cache("b"), false, true, at(22));
        check(&turns, "b", 22, true);
        turns.forget(&cache("b"));
        check(&turns, "a", 22, true);
    }
}
