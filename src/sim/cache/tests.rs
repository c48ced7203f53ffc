//! The cache's promises: inclusion, bounds, sums that add up, exact forks.

use proptest::prelude::*;

use super::*;
use crate::parameter::Parameter;

const SMALL: CacheConfig = CacheConfig {
    l1_entries: 4,
    l2_entries: 10,
    entry_bytes: 100,
    ttl_seconds: Some(20.0),
    inclusion: Inclusion::Strict,
};

#[derive(Debug, Clone)]
enum Step {
    Request(u64),
    Get(u64),
    Put(u64),
    Wait(u64),
    Set(TuningParameters),
}

fn parameters() -> impl Strategy<Value = TuningParameters> {
    (0.1..3.0, 0.1..3.0, 0..5_u64, 0.0..1.0, 0.1..2.0).prop_map(|(l1, l2, hits, evict, ttl)| {
        TuningParameters {
            l1_size_multiplier: l1,
            l2_size_multiplier: l2,
            promotion_threshold: hits,
            eviction_aggressiveness: evict,
            ttl_multiplier: ttl,
            preheating_aggressiveness: 0.3,
        }
    })
}

fn inclusions() -> impl Strategy<Value = Inclusion> {
    prop_oneof![Just(Inclusion::Strict), Just(Inclusion::Filling)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..30_u64).prop_map(Step::Request),
        2 => (0..30_u64).prop_map(Step::Get),
        2 => (0..30_u64).prop_map(Step::Put),
        2 => (0..9_u64).prop_map(Step::Wait),
        1 => parameters().prop_map(Step::Set),
    ];
    prop::collection::vec(step, 0..300)
}

fn apply(cache: &mut TwoLevelCache, now: &mut u64, step: &Step) {
    match *step {
        Step::Request(key) => _ = cache.request(key, *now),
        Step::Get(key) => _ = cache.get(key, *now),
        Step::Put(key) => cache.put(key, *now),
        Step::Wait(seconds) => *now += seconds,
        Step::Set(parameters) => cache.set_parameters(parameters),
    }
}

fn contents(cache: &TwoLevelCache) -> (Vec<u64>, Vec<u64>) {
    (cache.l1.keys().collect(), cache.l2.keys().collect())
}

proptest! {
    #[test]
    fn levels_are_inclusive_and_bounded_and_sums_add_up(
        steps in steps(),
        inclusion in inclusions(),
    ) {
        let (mut cache, mut now) = (TwoLevelCache::new(CacheConfig { inclusion, ..SMALL }), 0);
        for step in &steps {
            apply(&mut cache, &mut now, step);
            if inclusion == Inclusion::Strict {
                prop_assert!(cache.l1.keys().all(|key| cache.l2.contains(key)));
            }
            let stats = cache.stats();
            for level in [stats.l1, stats.l2] {
                prop_assert!(level.entries <= level.capacity);
                prop_assert!(level.usage_bytes <= level.max_usage_bytes);
                prop_assert_eq!(level.usage_bytes, level.entries * 100);
            }
            prop_assert_eq!(stats.l1.hits + stats.l1.misses, stats.get_count);
            prop_assert_eq!(stats.l2.hits + stats.l2.misses, stats.l1.misses);
            prop_assert_eq!(stats.hits, stats.l1.hits + stats.l2.hits);
            prop_assert_eq!(stats.misses, stats.l2.misses);
            prop_assert_eq!(stats.operations, stats.get_count + stats.put_count);
            // What came into level 2 is there, or was counted when it left. What has left a filling
            // level 2 may expire in level 1 later.
            let filling = inclusion == Inclusion::Filling;
            let expired = if filling { 0 } else { stats.expirations };
            prop_assert!(stats.l2.entries + stats.l2.evictions + expired <= stats.put_count);
        }
    }

    #[test]
    fn fork_given_the_same_requests_stays_identical(
        before in steps(),
        after in steps(),
        inclusion in inclusions(),
    ) {
        let (mut cache, mut now) = (TwoLevelCache::new(CacheConfig { inclusion, ..SMALL }), 0);
        for step in &before {
            apply(&mut cache, &mut now, step);
        }
        let (mut fork, mut fork_now) = (cache.clone(), now);
        for step in &after {
            apply(&mut cache, &mut now, step);
            apply(&mut fork, &mut fork_now, step);
            prop_assert_eq!(cache.stats(), fork.stats());
            prop_assert_eq!(contents(&cache), contents(&fork));
        }
    }
}

#[test]
fn capacity_follows_multiplier_and_aggressiveness() {
    #[track_caller]
    fn check(l1: f64, l2: f64, aggressiveness: f64, want: (u64, u64)) {
        let mut cache = TwoLevelCache::new(CacheConfig::default());
        cache.set_parameters(TuningParameters {
            l1_size_multiplier: l1,
            l2_size_multiplier: l2,
            eviction_aggressiveness: aggressiveness,
            ..TuningParameters::default()
        });
        let stats = cache.stats();
        assert_eq!((stats.l1.capacity, stats.l2.capacity), want);
    }
    check(1.0, 1.0, 0.5, (2_000, 6_000));
    check(1.2, 1.3, 0.5, (2_400, 7_800));
    check(2.0, 3.0, 1.0, (3_600, 16_200));
    check(1.0, 1.0, 0.0, (2_200, 6_600));
    check(0.0, 0.0, 0.5, (1, 1));
}

#[test]
fn set_aside_memory_follows_the_multiplier_alone() {
    let mut cache = TwoLevelCache::new(CacheConfig::default());
    let before = cache.stats();
    assert_eq!(before.l1.max_usage_bytes, 2_200 * 1_024);
    cache.set_parameters(TuningParameters {
        l2_size_multiplier: 1.5,
        eviction_aggressiveness: 0.9,
        ..TuningParameters::default()
    });
    let after = cache.stats();
    assert_eq!(after.l1.max_usage_bytes, before.l1.max_usage_bytes);
    assert_eq!(after.l2.max_usage_bytes * 2, before.l2.max_usage_bytes * 3);
}

#[test]
fn entry_is_promoted_at_the_threshold() {
    let mut cache = TwoLevelCache::new(SMALL);
    for key in 0..6 {
        assert_eq!(cache.request(key, 0), Answer::Miss);
    }
    // Keys 0 and 1 have left level 1, which holds four.
    for want in [Answer::L2, Answer::L2, Answer::L2, Answer::L1] {
        assert_eq!(cache.request(0, 0), want);
    }
    assert_eq!(cache.stats().promotions, 1);
    assert_eq!(cache.request(1, 0), Answer::L2);
}

#[test]
fn entry_expires_at_its_time_to_live() {
    let mut cache = TwoLevelCache::new(SMALL);
    cache.request(1, 100);
    assert_eq!(cache.request(1, 119), Answer::L1);
    assert_eq!(cache.request(1, 120), Answer::Miss);
    assert_eq!(cache.stats().expirations, 1);
    cache.set_parameters(TuningParameters { ttl_multiplier: 0.5, ..TuningParameters::default() });
    assert_eq!(cache.request(1, 130), Answer::Miss);
}

#[test]
fn costs_are_added_per_answer() {
    let mut cache = TwoLevelCache::new(SMALL);
    cache.request(1, 0);
    cache.request(1, 0);
    let stats = cache.stats();
    assert_eq!(format!("{} {}", stats.get_seconds, stats.put_seconds), "0.00408 0.00012");
}

#[test]
fn shrinking_the_outer_level_shrinks_the_inner_one() {
    let mut cache = TwoLevelCache::new(SMALL);
    for key in 0..10 {
        cache.request(key, 0);
    }
    cache.set_parameters(TuningParameters {
        l2_size_multiplier: 0.2,
        ..TuningParameters::default()
    });
    assert_eq!(contents(&cache), (vec![9, 8], vec![9, 8]));
    assert_eq!(cache.stats().l2.evictions, 8);
}

#[test]
fn what_leaves_a_filling_level_2_lives_on_in_level_1() {
    let config = CacheConfig { inclusion: Inclusion::Filling, ..SMALL };
    let mut cache = TwoLevelCache::new(config);
    // Key 0 is always answered by level 1, so level 2 takes it for unused.
    for key in 1..15 {
        cache.request(0, 0);
        cache.request(key, 0);
    }
    assert!(!cache.l2.contains(0));
    assert_eq!(cache.request(0, 19), Answer::L1);
    assert_eq!(cache.request(0, 20), Answer::Miss);
}

#[test]
fn parameters_are_set_by_name() {
    let mut parameters = TuningParameters::default();
    for (parameter, value) in Parameter::ALL.into_iter().zip([1.5, 2.5, 4.0, 0.6, 0.8, 0.2]) {
        parameters.set(parameter, value);
        assert!((parameters.value(parameter) - value).abs() < 1e-12, "{parameter}");
    }
    let want = TuningParameters {
        l1_size_multiplier: 1.5,
        l2_size_multiplier: 2.5,
        promotion_threshold: 4,
        eviction_aggressiveness: 0.6,
        ttl_multiplier: 0.8,
        preheating_aggressiveness: 0.2,
    };
    assert_eq!(parameters, want);
}
