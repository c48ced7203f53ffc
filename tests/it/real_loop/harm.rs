//! A rule that does harm is found out: its tunings are judged degraded and undone, it loses trust,
//! the breaker opens, and people are told.

use std::time::Duration;

use serde_json::Value;

use crate::support::exporter::Exporter;
use crate::support::followers::CACHES;
use crate::support::followers::Followers;
use crate::support::http;
use crate::support::page::Page;
use crate::support::prometheus;
use crate::support::prometheus::Alertmanager;
use crate::support::prometheus::Prometheus;
use crate::support::prometheus::webhook_config;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::webhook::Webhook;

const RULE: &str = "shrink_on_dip";

/// Takes a third of level 2 away whenever hits are rarer than anybody would like: always.
const RULES: &str = "
groups:
  - name: harmful
    rules:
      - rule: shrink_on_dip
        when: mean(hit_rate) < target_hit_rate
        tune: {parameter: l2_size_multiplier, multiply: 0.7, min: 0.1}
        confidence: 0.9
        expected_improvement: 0.1
        objective: {signal: hit_rate, goal: increase}
        reason: Fewer hits, so a smaller cache
";

/// Failures after which the breaker opens, by default.
const FAILURES: usize = 3;

/// Samples that the judge needs before it lets all methods vote, some more, and the judgements.
const FOUND_OUT_WITHIN: Duration = Duration::from_secs(120);

/// Quick, and bent on acting: however low its confidence falls, the rule would go on.
fn config(caches: &Followers) -> String {
    format!(
        "global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}\n\
         rule_files: [rules.yaml]\n\
         tuning:\n  tuning_interval: 500ms\n  performance_window_size: 150\n  \
         min_samples_for_tuning: 140\n  min_confidence_for_auto_tuning: 0.05\n  \
         feedback: {{hold_samples_shrink: 5, shadow_share: 0}}\n\
         scrape_configs:\n  - {{job_name: harmed, static_configs: [{{targets: ['{}']}}]}}\n",
        caches.address()
    )
}

/// What each cache says of level 2's size, to the last bit.
#[track_caller]
fn own_sizes(caches: &Followers) -> [u64; 4] {
    let page = Page::parse(&http::text(&format!("http://{}/metrics", caches.address())));
    CACHES.map(|cache| {
        let labels = [("cache", cache), ("level", "l2")];
        let size = page.value("demo_cache_max_usage_bytes", &labels);
        size.expect("the cache shows its size").to_bits()
    })
}

/// The sum of a counter over all caches.
fn total(page: &Page, metric: &str, labels: &[(&str, &str)]) -> usize {
    page.samples(metric, labels).iter().map(|sample| whole(sample.value)).sum()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
fn whole(count: f64) -> usize {
    count.round() as usize
}

#[test]
fn a_harmful_rule_is_found_out_undone_and_told_to_the_webhook() {
    let caches = Followers::start(2);
    let sizes = own_sizes(&caches);
    let files = [("tuner.yaml", &*config(&caches)), ("rules.yaml", RULES)];
    let exporter = Exporter::start(&["--config.file", "tuner.yaml"], &files);
    caches.follow(Some(exporter.address()));
    let webhook = Webhook::start();
    let alertmanager = Alertmanager::start(&webhook_config(&webhook.url()));
    let alerting = prometheus::alerting(&alertmanager);
    let config = prometheus::scraping(exporter.address(), &alerting);
    let _prometheus = Prometheus::start(&config, &[("alerts.yaml", &prometheus::hurried_alerts())]);
    let confidence = |page: &Page| page.value("cache_tuner_rule_confidence", &[("rule", RULE)]);
    assert_eq!(confidence(&toy::metrics(&exporter)), Some(0.9));

    let page = eventually(FOUND_OUT_WITHIN, "the breaker is open", || {
        let page = toy::metrics(&exporter);
        (page.value("cache_tuner_breaker_open", &[]) == Some(1.0)).then_some(page)
    });
    let journal = exporter.get("/api/v1/tunings").json();
    let journal = journal["data"].as_array().expect("the journal is a list").iter();
    let degraded: Vec<&Value> = journal
        .filter(|entry| entry["origin"] == "auto" && entry["outcome"] == "degraded")
        .collect();
    assert_eq!(degraded.len(), FAILURES, "{degraded:?}");
    for entry in degraded {
        assert_eq!(entry["rolled_back"], true, "{entry}");
        assert_eq!(entry["evidence"], "fetched", "{entry}");
        assert!(entry["effect"].as_f64() < Some(-0.01), "{entry}");
        let votes = entry["votes"].as_object().expect("the journal has votes").values();
        let votes: Vec<&str> = votes.filter_map(|vote| vote["vote"].as_str()).collect();
        assert!(votes.iter().filter(|vote| **vote == "worse").count() >= 2, "{entry}");
        assert!(!votes.contains(&"better"), "{entry}");
    }
    let of_rule = [("rule", RULE)];
    assert_eq!(total(&page, "cache_tuner_rollbacks_total", &of_rule), FAILURES);
    let outcome = |name| total(&page, "cache_tuner_tuning_outcomes_total", &[("outcome", name)]);
    assert_eq!((outcome("degraded"), outcome("improved")), (FAILURES, 0));
    assert!(confidence(&page) < Some(0.6), "{:?}", confidence(&page));
    assert_eq!(page.value("cache_tuner_recent_success_ratio", &[]), Some(0.0));
    // Undone to the very value, in force and in the caches.
    eventually(PATIENCE, "every cache has its size back", || {
        (own_sizes(&caches) == sizes).then_some(())
    });
    for sample in page.samples("cache_tuner_parameter", &[("parameter", "l2_size_multiplier")]) {
        assert_eq!(sample.value.to_bits(), 1_f64.to_bits(), "{sample:?}");
    }

    for name in ["CacheTunerTuningsFailing", "CacheTunerTuningsFailingFast"] {
        let alert = eventually(PATIENCE, name, || webhook.alert(name));
        assert_eq!(alert["status"], "firing");
        let description = alert["annotations"]["description"].as_str().expect("a text");
        assert!(description.contains(&format!("rule {RULE} on cache ")), "{description}");
    }
    eventually(PATIENCE, "the breaker is told", || webhook.alert("CacheTunerBreakerOpen"));
    // From now on nothing is put in force, only judged as if it had been.
    let withheld = [("rule", RULE), ("reason", "breaker")];
    eventually(PATIENCE, "the breaker withholds", || {
        let page = toy::metrics(&exporter);
        let metric = "cache_tuner_recommendations_withheld_total";
        assert_eq!(total(&page, "cache_tuner_tunings_total", &of_rule), FAILURES);
        (total(&page, metric, &withheld) >= 1).then_some(())
    });
}
