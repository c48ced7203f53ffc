//! The workloads that tuning is measured on, by name.
//!
//! Thirteen courses of demand that caches of real sites show, one at a time, and three of them
//! again under what makes judging hard. Sizes are chosen so that the base capacity is too small by
//! as much as on real traces: a hit rate about 0.7 that the largest sizes lift by a sixth.

use crate::sim::disturbance::Disturbance;
use crate::sim::shape::Course;
use crate::sim::shape::Shape;
use crate::sim::workload::Demand;
use crate::sim::workload::Workload;

/// Length of a tick: a scrape interval. The built-in tuning interval is 20 of them.
pub const TICK_SECONDS: u64 = 15;

/// Ticks before anything is measured or tuned. The caches have long been full by then.
pub const WARM_UP_TICKS: u64 = 60;

/// Ticks that are measured, after the warm-up.
pub const MEASURED_TICKS: u64 = 400;

/// Requests a tick on each cache, where the workload says nothing else.
pub const REQUESTS_PER_TICK: u64 = 4_000;

/// Caches of a job; they are each other's controls.
pub const CACHES: u64 = 4;

/// A workload with all that goes with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    /// As given to `--workload`.
    pub name: &'static str,
    /// What the caches are asked for.
    pub workload: Workload,
    /// Base time to live of entries; `None`: they never expire.
    pub ttl_seconds: Option<f64>,
    /// What else befalls them.
    pub disturbance: Disturbance,
}

/// Every scenario: the thirteen plain workloads, then the disturbed ones.
pub const SCENARIOS: [Scenario; 16] = [
    plain("zipf-0.7", Shape::steady(demand(0.7, 9_000))),
    plain("zipf-0.8", ZIPF),
    plain("zipf-1.2", Shape::steady(demand(1.2, 60_000))),
    plain("growth", GROWTH),
    plain("step", shaped(demand(0.8, 8_000), Course::Step { factor: 1.8, common: false })),
    plain("common-step", COMMON_STEP),
    plain("shift", shaped(demand(0.8, 10_000), Course::Shift)),
    plain(
        "scan",
        shaped(
            demand(0.8, 9_000),
            Course::Scan { share: 0.3, keys: 40_000, period: 60, length: 8 },
        ),
    ),
    plain("diurnal", shaped(demand(0.8, 10_000), Course::Diurnal { period: 120, depth: 0.4 })),
    plain(
        "flash-crowd",
        shaped(demand(0.8, 11_000), Course::FlashCrowd { factor: 1.0, keys: 400, length: 30 }),
    ),
    plain("drift", shaped(demand(0.8, 10_000), Course::Drift { keys_per_tick: 60 })),
    Scenario {
        ttl_seconds: Some(300.0),
        ..plain("ttl-bound", shaped(demand(0.8, 9_000), Course::Steady))
    },
    plain("low-volume", shaped(Demand { requests: 250, ..demand(0.9, 11_000) }, Course::Steady)),
    Scenario { disturbance: Disturbance::Overlap, ..plain("overlap", ZIPF) },
    Scenario { disturbance: Disturbance::Restarts, ..plain("restarts", COMMON_STEP) },
    Scenario { disturbance: Disturbance::MissingScrapes, ..plain("missing-scrapes", GROWTH) },
];

const ZIPF: Shape = Shape::steady(demand(0.8, 9_500));
const GROWTH: Shape = shaped(demand(0.8, 6_500), Course::Growth { keys_per_tick: 22 });
const COMMON_STEP: Shape = shaped(demand(0.8, 8_000), Course::Step { factor: 1.8, common: true });

/// The scenario of that name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

const fn demand(exponent: f64, keys: usize) -> Demand {
    Demand { exponent, keys, requests: REQUESTS_PER_TICK, passing: 0.09 }
}

/// A course under ups and downs.
const fn shaped(demand: Demand, course: Course) -> Shape {
    Shape { demand, course, common: 0.5, own: 0.15 }
}

const fn plain(name: &'static str, shape: Shape) -> Scenario {
    Scenario {
        name,
        workload: Workload::Shaped(shape),
        ttl_seconds: None,
        disturbance: Disturbance::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for scenario in &SCENARIOS {
            assert_eq!(find(scenario.name), Some(scenario));
        }
        assert_eq!(find("nothing"), None);
    }
}
