//! Sequences of scrapes through the engine, and what it shows after each.

use smallvec::smallvec;

use super::*;
use crate::cache_stats::CacheStats;
use crate::cache_stats::Role;
use crate::cache_stats::Term;
use crate::diag::SourceFile;
use crate::parameter::Parameter;
use crate::profile;
use crate::profile::Profile;
use crate::reason::Reason;
use crate::rule;
use crate::tuning_config::Feedback;

const RULES: &str = "
groups:
- name: g
  rules:
  - rule: grow
    when: hit_rate < 0.5
    tune: {parameter: l1_size_multiplier, multiply: 2, max: 4}
    confidence: 0.8
    reason: low
";

fn plan(target: &str) -> TargetPlan {
    let (rules, _) = rule::load(&[SourceFile::new("r", RULES)]).unwrap();
    let tuning = TuningConfig {
        min_samples_for_tuning: 1,
        tuning_interval: Duration::from_secs(10),
        feedback: Feedback::default().off(),
        ..TuningConfig::default()
    };
    TargetPlan {
        id: TargetId { scrape_job: "job".into(), target: target.into() },
        url: format!("http://{target}/metrics").into(),
        labels: Arc::default(),
        scrape_interval: Duration::from_secs(10),
        scrape_timeout: Duration::from_secs(10),
        job: Arc::new(JobPlan { tuning, rules: Arc::new(rules), freeze: Arc::default() }),
    }
}

fn profile() -> Arc<Profile> {
    let text = "profile: p\nroles: {hits: h, misses: m}\nparameters:\n  l1_size_multiplier: \
                {observed: max, apply: 'set {bytes} ({value})'}\n";
    Arc::new(profile::load(&SourceFile::new("p", text)).unwrap())
}

/// A reading that shows caches as `name=hits/misses`.
fn reading(text: &str) -> Reading {
    let term = |series: &str, value: &str| {
        let value = value.parse().unwrap();
        smallvec![Term { series: series.into(), coefficient: 1.0, value, counts_from: None }]
    };
    let caches = text.split_whitespace().map(|cache| {
        let (name, counts) = cache.split_once('=').unwrap();
        let (hits, misses) = counts.split_once('/').unwrap();
        let mut stats = CacheStats::default();
        stats.cumulative.insert(Role::Hits, term("h", hits));
        stats.cumulative.insert(Role::Misses, term("m", misses));
        stats.observed.insert(Parameter::L1SizeMultiplier, 1000.0);
        (name.into(), stats)
    });
    let caches = caches.collect();
    Reading { profile: profile(), caches, samples: 2, bad_lines: 0, bad_line: None }
}

fn observe(engine: &mut Engine, second: i64, result: Result<Reading, Failure>) -> Option<Step> {
    let id = plan("a:1").id;
    let at = Timestamp::from_millis(second * 1000);
    engine.observe(Observation { id, at, duration: Duration::from_millis(5), result })
}

/// Steps through pages 10 s apart (`down` is a failed scrape) and holds what is shown at the end to
/// `want`: `name window multiplier`.
#[track_caller]
fn check(pages: &[&str], want: &[&str]) {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1")]);
    let mut shown = Vec::new();
    for (index, page) in pages.iter().enumerate() {
        let result = match *page {
            "down" => Err(Failure::new(Reason::Connect, "connection refused")),
            page => Ok(reading(page)),
        };
        let second = i64::try_from(index).unwrap() * 10;
        let view = observe(&mut engine, second, result).unwrap().view;
        shown = view.caches.iter().map(|cache| show(cache)).collect();
    }
    assert_eq!(shown, want);
}

fn show(cache: &crate::published::CacheView) -> String {
    format!("{} {} {}", cache.cache, cache.snapshots, cache.parameters.l1_size_multiplier)
}

#[test]
fn two_good_scrapes_make_a_snapshot_and_rules_tune() {
    check(&["c=0/0"], &["c 0 1"]);
    check(&["c=0/0", "c=90/10"], &["c 1 1"]);
    check(&["c=0/0", "c=10/90"], &["c 1 2"]);
    check(&["c=0/0", "c=10/90", "c=20/180", "c=30/280"], &["c 3 4"]);
}

#[test]
fn a_target_that_was_down_keeps_what_was_learnt() {
    check(&["c=0/0", "c=10/90", "down", "down"], &["c 1 2"]);
    check(&["c=0/0", "c=10/90", "down", "c=100/180"], &["c 2 2"]);
}

#[test]
fn a_restart_empties_the_window_and_keeps_the_parameters() {
    check(&["c=0/0", "c=10/90", "c=5/5"], &["c 0 2"]);
    check(&["c=0/0", "c=10/90", "c=5/5", "c=95/15"], &["c 1 2"]);
}

#[test]
fn a_cache_that_is_gone_is_not_shown_and_remembered_for_a_while() {
    check(&["c=0/0 d=0/0", "c=10/90 d=90/10"], &["c 1 2", "d 1 1"]);
    check(&["c=0/0 d=0/0", "c=10/90 d=90/10", "d=91/11"], &["d 2 1"]);
    check(&["c=0/0 d=0/0", "c=10/90 d=90/10", "d=91/11", "c=110/190 d=95/12"], &["c 2 2", "d 3 1"]);
}

#[test]
fn failures_are_counted_by_reason_and_the_last_error_goes_with_the_next_success() {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1")]);
    let failed = Err(Failure::new(Reason::Timeout, "no answer within 10s"));
    let health = observe(&mut engine, 0, failed).unwrap().view.health;
    assert_eq!(health.up, Some(false));
    assert_eq!(health.last_error.as_deref(), Some("no answer within 10s"));
    let health = observe(&mut engine, 10, Ok(reading("c=0/0"))).unwrap().view.health;
    assert_eq!((health.up, health.last_error), (Some(true), None));
    assert_eq!(health.failures.into_iter().collect::<Vec<_>>(), [(Reason::Timeout, 1)]);
}

#[test]
fn a_recommendation_says_what_to_do_in_the_product_s_words() {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1")]);
    observe(&mut engine, 0, Ok(reading("c=0/0")));
    let step = observe(&mut engine, 10, Ok(reading("c=10/90"))).unwrap();
    let apply = &step.view.caches[0].apply["grow"];
    assert_eq!(apply, "set 2000 (2)");
    assert_eq!(step.tunings.len(), 1);
}

#[test]
fn reconfiguring_keeps_targets_that_stay_and_forgets_the_others() {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1"), plan("b:1")]);
    observe(&mut engine, 0, Ok(reading("c=0/0")));
    observe(&mut engine, 10, Ok(reading("c=10/90")));
    let views = engine.reconfigure(vec![plan("a:1")]);
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].caches.iter().map(|cache| show(cache)).collect::<Vec<_>>(), ["c 1 2"]);
    engine.reconfigure(vec![plan("b:1")]);
    assert!(observe(&mut engine, 20, Ok(reading("c=20/180"))).is_none());
}

#[test]
fn a_scrape_that_comes_a_little_early_does_not_delay_the_analysis() {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1")]);
    let id = plan("a:1").id;
    let duration = Duration::from_millis(5);
    let mut tunings = 0;
    for (ms, page) in [(0, "c=0/0"), (10_000, "c=10/90"), (19_995, "c=20/180")] {
        let at = Timestamp::from_millis(ms);
        let observation = Observation { id: id.clone(), at, duration, result: Ok(reading(page)) };
        tunings += engine.observe(observation).unwrap().tunings.len();
    }
    assert_eq!(tunings, 2);
}

#[test]
fn a_profile_that_a_reload_changed_reaches_the_caches_with_the_next_page() {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1")]);
    observe(&mut engine, 0, Ok(reading("c=0/0")));
    let text = "profile: p\nroles: {hits: h, misses: m}\nparameters: {ttl_multiplier: {}}\n";
    let changed = Arc::new(profile::load(&SourceFile::new("p", text)).unwrap());
    let later = Reading { profile: changed, ..reading("c=10/90") };
    let view = observe(&mut engine, 10, Ok(later)).unwrap().view;
    assert_eq!(view.caches[0].tunable, [Parameter::TtlMultiplier]);
    assert_eq!(view.caches[0].snapshots, 1);
    assert_eq!(view.caches[0].ledger.iter().count(), 0);
}

#[test]
fn names_that_change_with_every_scrape_do_not_pile_up() {
    let mut engine = Engine::new();
    engine.reconfigure(vec![plan("a:1")]);
    for second in 0..5 {
        let page: Vec<String> = (0..600).map(|n| format!("s{second}c{n}=0/0")).collect();
        observe(&mut engine, second, Ok(reading(&page.join(" "))));
    }
    // The thousand caches unseen for the shortest time come back with their windows; older ones are
    // new.
    let view = observe(&mut engine, 5, Ok(reading("s4c0=9/1 s0c0=9/1"))).unwrap().view;
    let shown: Vec<String> = view.caches.iter().map(|cache| show(cache)).collect();
    assert_eq!(shown, ["s0c0 0 1", "s4c0 1 1"]);
}
