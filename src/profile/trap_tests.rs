//! The traps that real exporters set, one test for each: what is cumulative is decided by the role,
//! what is missing is not zero, and nothing is counted twice.

use smallvec::SmallVec;

use super::tests::built_in_named;
use super::tests::caches;
use super::tests::now;
use super::tests::profile;
use super::*;
use crate::cache_stats::CacheStats;
use crate::exposition;
use crate::exposition::Format;
use crate::expr;

/// The one cache of a page through a profile with one role, and whatever else the profile says.
fn read(role: Role, expression: &str, rest: &str, page: &str) -> CacheStats {
    let text = format!("profile: p\nroles: {{{}: '{expression}'}}\n{rest}", role.name());
    caches(&profile(&text), page).into_iter().next().map(|(_, stats)| stats).unwrap_or_default()
}

/// The sum of a cumulative role.
fn total(stats: &CacheStats, role: Role) -> Option<f64> {
    let terms = stats.cumulative.get(&role)?;
    Some(terms.iter().map(|term| term.coefficient * term.value).sum())
}

/// The terms of a cumulative role: `series coefficient*value`, with what the series counts from.
#[track_caller]
fn check_terms(expression: &str, rest: &str, page: &str, want: &[&str]) {
    let stats = read(Role::Hits, expression, rest, page);
    let terms = stats.cumulative.get(&Role::Hits).map_or(&[][..], |terms| terms);
    let shown: Vec<String> = terms
        .iter()
        .map(|term| {
            let from = term.counts_from.map(|from| format!(" from {from}")).unwrap_or_default();
            format!("{} {}*{}{from}", term.series, term.coefficient, term.value)
        })
        .collect();
    assert_eq!(shown, want, "{expression}");
}

#[track_caller]
fn check_level(role: Role, expression: &str, page: &str, want: Option<f64>) {
    let stats = read(role, expression, "", page);
    assert_eq!(stats.levels.get(&role).copied(), want, "{expression} over {page}");
}

#[test]
fn trap_1_the_role_decides_what_a_value_is_not_the_type() {
    // Up to Varnish 6.0 the nuked objects were a gauge; memcached's flash in use is a counter.
    for its_type in ["gauge", "counter", "untyped", "unknown"] {
        let page = format!("# TYPE x {its_type}\nx 5\n");
        check_terms("x", "", &page, &["x 1*5"]);
        check_level(Role::L2UsageBytes, "x", &page, Some(5.0));
    }
}

#[test]
fn trap_2_names_are_those_of_the_samples_in_every_format() {
    let text = "# TYPE redis_keyspace_hits_total counter\nredis_keyspace_hits_total 5\n";
    let open = "# TYPE redis_keyspace_hits counter\nredis_keyspace_hits_total 5\n# EOF\n";
    let profile = built_in_named("redis");
    for (page, format) in [(text, Format::PrometheusText), (open, Format::OpenMetrics)] {
        let samples = exposition::parse(page, format).samples;
        let found = extract(&profile, &samples, now());
        assert_eq!(total(&found[0].1, Role::Hits), Some(5.0));
    }
}

#[test]
fn trap_3_names_with_and_without_total_are_alternatives() {
    let expression = "hits_total or hits";
    check_terms(expression, "", "hits_total 5\n", &["hits_total 1*5"]);
    check_terms(expression, "", "hits 5\n", &["hits 1*5"]);
    check_terms(expression, "", "hits 5\nhits_total 6\n", &["hits_total 1*6"]);
}

#[test]
fn trap_4_nothing_is_counted_twice() {
    // Dragonfly shows the total beside the databases.
    let page = "hits_total 5\nhits_total{db=\"db0\"} 2\nhits_total{db=\"db1\"} 3\n";
    check_terms("hits_total{db=\"\"}", "", page, &["hits_total 1*5"]);
    let databases = ["hits_total{db=\"db0\"} 1*2", "hits_total{db=\"db1\"} 1*3"];
    check_terms("hits_total{db!=\"\"}", "", page, &databases);
    // A Dragonfly of 2023 showed one family twice.
    check_terms(
        "x",
        "",
        "x{a=\"1\",b=\"2\"} 5\nx{b=\"2\",a=\"1\"} 6\n",
        &["x{a=\"1\",b=\"2\"} 1*5"],
    );
    // rez-next counts a look-up that both levels miss twice in its total.
    let rez_next = include_str!("../../tests/pages/unified-cache-stats.json");
    let stats = &caches(&built_in_named("rez-next"), rez_next)[0].1;
    let total = |role| total(stats, role).unwrap();
    assert_eq!(Some(total(Role::L1Misses)), Some(total(Role::L2Hits) + total(Role::L2Misses)));
    assert!(!stats.cumulative.contains_key(&Role::Misses));
}

#[test]
fn trap_5_hits_only_and_requests_only_are_formulas() {
    let page = "requests_total 10\nmisses_total 4\n";
    let terms = ["requests_total 1*10", "misses_total -1*4"];
    check_terms("requests_total - misses_total", "", page, &terms);
    let page = "cache_gets_total{cache=\"c\",result=\"hit\"} 5\n\
        cache_partition_gets_total{cache=\"c\"} 8\n";
    let stats = &caches(&built_in_named("micrometer"), page)[0].1;
    assert_eq!(total(stats, Role::Misses), Some(3.0));
}

#[test]
fn trap_6_no_limit_is_absent() {
    for role in [Role::L1MaxUsageBytes, Role::L2MaxUsageBytes, Role::L1Capacity, Role::L2Capacity] {
        for value in ["0", "-1", "9223372036854775807", "1.8446744073709552e+19", "+Inf", "NaN"] {
            check_level(role, "x", &format!("x {value}\n"), None);
        }
        check_level(role, "x", "x 1024\n", Some(1024.0));
    }
    // An unlimited part makes the sum unlimited.
    check_level(Role::L1MaxUsageBytes, "x", "x{z=\"a\"} 5\nx{z=\"b\"} 9223372036854775807\n", None);
    let redis =
        "redis_keyspace_hits_total 1\nredis_memory_max_bytes 0\nredis_memory_used_bytes 5\n";
    let stats = &caches(&built_in_named("redis"), redis)[0].1;
    assert_eq!(stats.levels.keys().copied().collect::<Vec<_>>(), [Role::L1UsageBytes]);
    assert!(stats.observed.is_empty());
    // A usage of zero is a usage.
    check_level(Role::L1UsageBytes, "x", "x 0\n", Some(0.0));
}

#[test]
fn trap_7_units_are_factors() {
    check_terms("x_ms / 1000", "", "x_ms 2500\n", &["x_ms 0.001*2500"]);
    check_level(Role::L1UsageBytes, "x_kb * 1024", "x_kb 2\n", Some(2048.0));
    check_level(Role::L1UsageBytes, "x_percent / 100 * 1e6", "x_percent 50\n", Some(500_000.0));
}

#[test]
fn trap_8_missing_until_the_first_event_is_zero_only_beside_the_anchor() {
    let rest = "detect: up\n";
    let role =
        |page: &str| read(Role::Hits, "x default 0", rest, page).cumulative.remove(&Role::Hits);
    // Without an anchor nothing is known, and without any series there is no cache.
    assert_eq!(role("y 1\n"), None);
    let both = "profile: p\ndetect: up\nroles: {hits: x default 0, misses: m}\n";
    let hits = |page: &str| caches(&profile(both), page)[0].1.cumulative.get(&Role::Hits).cloned();
    assert_eq!(hits("up 1\nm 3\n"), Some(SmallVec::new()));
    assert_eq!(hits("m 3\n"), None);
    check_terms("x default 0", rest, "up 1\nx 5\n", &["x 1*5 from 0"]);
    check_terms("x default 0", rest, "x 5\n", &["x 1*5"]);
    check_terms("x", rest, "up 1\nx 5\n", &["x 1*5"]);
    // One command after the other appears in Redis.
    let page = "redis_keyspace_hits_total 1\nredis_commands_total{cmd=\"get\"} 7\n";
    let stats = &caches(&built_in_named("redis"), page)[0].1;
    assert_eq!(stats.cumulative[&Role::GetCount][0].counts_from, Some(0.0));
    assert!(stats.cumulative[&Role::PutCount].is_empty());
    assert!(!stats.cumulative.contains_key(&Role::Misses));
}

#[test]
fn trap_9_series_stay_apart_and_the_start_is_told_for_resets() {
    // Increases are taken per series, so each keeps its own value, and its name whatever the order
    // of its labels.
    let page = "x{a=\"1\",b=\"1\"} 5\nx{b=\"2\",a=\"1\"} 7\n";
    let terms = ["x{a=\"1\",b=\"1\"} 1*5", "x{a=\"1\",b=\"2\"} 1*7"];
    check_terms("x", "", page, &terms);
    let started = |rest: &str, page: &str| read(Role::Hits, "x", rest, page).started_at;
    let uptime = |rest: &str, page: &str| read(Role::Hits, "x", rest, page).uptime;
    assert_eq!(started("start_time: s\n", "x 1\ns 1700000000.5\n"), Some(1_700_000_000.5));
    assert_eq!(uptime("uptime: u\n", "x 1\nu 100\n"), Some(100.0));
    assert_eq!(uptime("uptime: u\n", "x 1\nu -1\n"), None);
    assert_eq!(started("start_time: s\nuptime: u\n", "x 1\nu 100\n"), None);
    assert_eq!(started("start_time: s\nuptime: u\n", "x 1\ns 7\nu 100\n"), Some(7.0));
    assert_eq!(started("start_time: s\n", "x 1\ns 0\n"), None);
    assert_eq!(started("start_time: s\n", "x 1\n"), None);
    // It is the page's, whatever tells the caches apart.
    let labelled = "cache_label: c\nstart_time: s\n";
    assert_eq!(started(labelled, "x{c=\"a\"} 1\ns 1700000000\n"), Some(1_700_000_000.0));
}

#[test]
fn trap_10_old_timestamps_are_not_fresh() {
    let at = |age_ms: i64| format!("x 5 {}\n", now().as_millis() - age_ms);
    check_terms("x", "", &at(0), &["x 1*5"]);
    check_terms("x", "", &at(300_000), &["x 1*5"]);
    check_terms("x", "", &at(300_001), &[]);
    check_terms("x", "", &at(-60_000), &["x 1*5"]);
    check_terms("x", "", &format!("{}x 6\n", at(300_001)), &["x 1*6"]);
}

#[test]
fn trap_11_names_that_hold_labels_are_alternatives_to_be_listed() {
    // Infinispan's older names hold the cache's; a profile for one cache names it.
    let expression =
        "infinispan_statistics_hits or vendor_cache_manager_default_cache_orders_statistics_hits";
    let page = "vendor_cache_manager_default_cache_orders_statistics_hits 5\n";
    check_terms(
        expression,
        "",
        page,
        &["vendor_cache_manager_default_cache_orders_statistics_hits 1*5"],
    );
    // Names that are no plain words are quoted, as in PromQL.
    let page = "{\"cache.hits\",pool=\"a\"} 5\n";
    check_terms("{\"cache.hits\", pool=\"a\"}", "", page, &["cache.hits{pool=\"a\"} 1*5"]);
}

#[test]
fn trap_12_ratios_cannot_be_taken_of_lifetime_values() {
    let codes = |text: &str| {
        let faults = expr::selection(text).unwrap_err();
        faults.iter().map(|fault| fault.code).collect::<Vec<_>>()
    };
    assert_eq!(codes("hits / (hits + misses)"), ["not-linear"]);
    assert_eq!(codes("hits * misses"), ["not-linear"]);
}

#[test]
fn trap_13_each_vendor_has_its_own_denominator() {
    // Varnish: hits and misses, not requests; passes are neither.
    let varnish = "varnish_main_cache_hit 5\nvarnish_main_cache_hit_grace 2\n\
        varnish_main_cache_miss 3\n\
        varnish_main_cache_hitpass 9\nvarnish_main_client_req 100\n";
    let stats = &caches(&built_in_named("varnish"), varnish)[0].1;
    assert_eq!(total(stats, Role::L1Hits), Some(5.0));
    assert_eq!(total(stats, Role::L1Misses), Some(3.0));
    // Spring's Redis cache: pending gets are neither hits nor misses.
    let page = "cache_gets_total{cache=\"c\",result=\"hit\"} 5\n\
        cache_gets_total{cache=\"c\",result=\"miss\"} 3\n\
        cache_gets_total{cache=\"c\",result=\"pending\"} 7\n";
    let stats = &caches(&built_in_named("micrometer"), page)[0].1;
    assert_eq!(total(stats, Role::Hits), Some(5.0));
    assert_eq!(total(stats, Role::Misses), Some(3.0));
    assert_eq!(stats.cumulative[&Role::Operations].len(), 2);
}

#[test]
fn caches_are_told_apart_by_their_label() {
    let text =
        "profile: p\ncache_label: c\nroles: {hits: x, misses: y default 0, l1_capacity: z}\n";
    let page = "x{c=\"a\"} 1\nx{c=\"b\",d=\"1\"} 2\nx{c=\"b\",d=\"2\"} 3\ny{c=\"b\"} 4\n\
        x 9\nx{c=\"\"} 9\nz 7\n";
    let found = caches(&profile(text), page);
    let names: Vec<_> = found.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["a", "b"]);
    let count = |cache: usize, role| found[cache].1.cumulative[&role].len();
    assert_eq!((count(0, Role::Hits), count(0, Role::Misses)), (1, 0));
    assert_eq!((count(1, Role::Hits), count(1, Role::Misses)), (2, 1));
    // What is said of the whole page is said of none of them.
    assert!(found[0].1.levels.is_empty());
}

#[test]
fn values_that_are_no_numbers_are_as_if_not_there() {
    check_terms("x or y", "", "x NaN\ny 5\n", &["y 1*5"]);
    check_terms("x", "", "x{a=\"1\"} +Inf\nx{a=\"2\"} 5\n", &["x{a=\"2\"} 1*5"]);
    check_level(Role::L1UsageBytes, "x * 10", "x 1.7e308\n", None);
}
