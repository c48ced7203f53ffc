//! The requests of a job, drawn once and then read by every fork of its caches.
//!
//! A measurement runs the same requests dozens of times: one job for each policy, and forks of it.
//! Drawing them costs more than answering them. Keys are numbered in the order of their first
//! appearance, which changes nothing for a cache and keeps its tables small.

use std::collections::HashMap;

use crate::sim::rng;
use crate::sim::workload::Stream;
use crate::sim::workload::Workload;

/// Most ticks of a recording; longer ones are cut. A week of scrapes every minute.
pub const TICKS_MAX: u64 = 10_080;

/// Requests that a cache gets from a trace in a tick, on average: as many as from a workload. With
/// a tenth of that, chance alone would move a sample of the hit rate by 0.025, and the effects that
/// are to be found are smaller. Short traces start again every few ticks.
pub const TRACE_REQUESTS_PER_TICK: usize = 4_000;

/// The requests of all caches of a job.
#[derive(Debug)]
pub struct Traffic {
    lanes: Vec<Lane>,
    ticks: u64,
}

/// The requests of one cache.
#[derive(Debug, Default)]
struct Lane {
    keys: Vec<u32>,
    /// Where each tick ends in `keys`.
    ends: Vec<usize>,
    numbers: HashMap<u64, u32>,
}

// === impl Traffic ===

impl Traffic {
    /// The first `ticks` ticks of a workload, for that many siblings.
    pub fn of_workload(workload: Workload, seed: u64, caches: u64, ticks: u64) -> Self {
        let ticks = ticks.min(TICKS_MAX);
        let lanes = (0..caches).map(|number| {
            let mut stream = Stream::new(workload, seed, number);
            let mut lane = Lane::default();
            for tick in 0..ticks {
                lane.push_all(stream.requests(tick));
                lane.end_tick();
            }
            lane
        });
        Self { lanes: lanes.collect(), ticks }
    }

    /// A recorded trace, its keys spread over that many shards. The seed says where it starts; at
    /// its end it starts again.
    pub fn of_trace(trace: &[u32], seed: u64, caches: u64, ticks: u64) -> Self {
        let ticks = ticks.min(TICKS_MAX);
        let caches = caches.max(1);
        let mut lanes: Vec<Lane> = (0..caches).map(|_| Lane::default()).collect();
        let start = if trace.is_empty() { 0 } else { rng::mix(seed) % trace.len() as u64 };
        let mut keys = trace.iter().cycle().skip(usize::try_from(start).unwrap_or(0));
        for _ in 0..ticks {
            for key in keys.by_ref().take(TRACE_REQUESTS_PER_TICK * lanes.len()) {
                let shard = rng::mix(u64::from(*key)) % caches;
                if let Some(lane) = usize::try_from(shard).ok().and_then(|at| lanes.get_mut(at)) {
                    lane.push_all(std::iter::once(u64::from(*key)));
                }
            }
            lanes.iter_mut().for_each(Lane::end_tick);
        }
        Self { lanes, ticks }
    }

    /// How many caches it is for.
    pub fn caches(&self) -> usize {
        self.lanes.len()
    }

    /// How many ticks it has.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Different keys that a cache is asked for.
    pub fn distinct_keys(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.numbers.len())
    }

    /// What a cache is asked for at `tick`, in order; nothing after the last tick.
    pub fn requests(&self, lane: usize, tick: u64) -> &[u32] {
        let found = self.lanes.get(lane).and_then(|lane| {
            let tick = usize::try_from(tick).ok()?;
            let end = *lane.ends.get(tick)?;
            let start = tick.checked_sub(1).map_or(0, |before| lane.ends[before]);
            lane.keys.get(start..end)
        });
        found.unwrap_or_default()
    }
}

// === impl Lane ===

impl Lane {
    fn push_all(&mut self, keys: impl Iterator<Item = u64>) {
        for key in keys {
            let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
            self.keys.push(*self.numbers.entry(key).or_insert(next));
        }
    }

    fn end_tick(&mut self) {
        self.ends.push(self.keys.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::catalogue;

    #[test]
    fn a_recording_is_the_stream_under_other_names() {
        for scenario in &catalogue::SCENARIOS {
            let traffic = Traffic::of_workload(scenario.workload, 7, 2, 3);
            let mut stream = Stream::new(scenario.workload, 7, 1);
            let mut names = HashMap::new();
            for tick in 0..3 {
                let recorded = traffic.requests(1, tick);
                let drawn: Vec<u64> = stream.requests(tick).collect();
                assert_eq!(recorded.len(), drawn.len());
                for (number, key) in recorded.iter().zip(drawn) {
                    assert_eq!(*names.entry(*number).or_insert(key), key);
                }
            }
            assert!(traffic.requests(1, 3).is_empty());
        }
    }

    #[test]
    fn a_trace_is_sharded_by_key_and_starts_again() {
        let trace: Vec<u32> = (0..1_000).collect();
        let traffic = Traffic::of_trace(&trace, 1, 4, 6);
        let distinct: usize = (0..4).map(|lane| traffic.distinct_keys(lane)).sum();
        assert_eq!(distinct, 1_000);
        let per_tick: usize = (0..4).map(|lane| traffic.requests(lane, 5).len()).sum();
        assert_eq!(per_tick, 4 * TRACE_REQUESTS_PER_TICK);
        assert!(Traffic::of_trace(&[], 1, 4, 2).requests(0, 0).is_empty());
    }
}
