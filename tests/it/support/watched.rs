//! One cache as the running exporter shows it: on its metrics page and through its API.

use serde_json::Value;

use crate::support::exporter::Exporter;
use crate::support::page::Page;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// A cache on an exporter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watched<'a> {
    exporter: &'a Exporter,
    cache: &'a str,
}

/// What the exporter showed of the cache at one moment.
#[derive(Debug)]
pub(crate) struct Shown {
    page: Page,
    cache: String,
}

// === impl Watched ===

impl<'a> Watched<'a> {
    /// The cache of that name, which only one target may have.
    pub(crate) fn new(exporter: &'a Exporter, cache: &'a str) -> Self {
        Self { exporter, cache }
    }

    #[track_caller]
    pub(crate) fn shown(self) -> Shown {
        let page = Page::parse(self.exporter.get("/metrics").text());
        Shown { page, cache: self.cache.to_owned() }
    }

    /// What `/api/v1/caches` says; `None` while it does not know the cache.
    #[track_caller]
    pub(crate) fn api(self) -> Option<Value> {
        let answer = self.exporter.get("/api/v1/caches").json();
        let caches = answer["data"].as_array().expect("the caches are a list");
        caches.iter().find(|cache| cache["cache"] == self.cache).cloned()
    }

    /// Waits until something holds of what is shown.
    #[track_caller]
    pub(crate) fn wait(self, what: &str, mut holds: impl FnMut(&Shown) -> bool) -> Shown {
        eventually(PATIENCE, what, || Some(self.shown()).filter(|shown| holds(shown)))
    }

    /// Waits for a snapshot that ends later than what is shown now.
    #[track_caller]
    pub(crate) fn next_snapshot(self) -> Shown {
        let before = self.shown().snapshot_seconds();
        self.snapshot_after(before)
    }

    /// Waits for the newest snapshot to be another one than that of `seconds`.
    #[track_caller]
    pub(crate) fn snapshot_after(self, seconds: Option<f64>) -> Shown {
        self.wait("another snapshot", |shown| {
            shown.snapshot_seconds().is_some_and(|end| seconds.is_none_or(|before| end > before))
        })
    }
}

// === impl Shown ===

impl Shown {
    /// The cache's one series of a metric.
    #[track_caller]
    pub(crate) fn value(&self, metric: &str) -> Option<f64> {
        self.labelled(metric, &[])
    }

    /// The cache's series of a metric with these labels.
    #[track_caller]
    pub(crate) fn labelled(&self, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = [&[("cache", self.cache.as_str())], labels].concat();
        self.page.value(&format!("cache_tuner_{metric}"), &labels)
    }

    #[track_caller]
    pub(crate) fn hit_ratio(&self) -> Option<f64> {
        self.labelled("hit_ratio", &[("level", "all")])
    }

    #[track_caller]
    pub(crate) fn parameter(&self, name: &str) -> Option<f64> {
        self.labelled("parameter", &[("parameter", name)])
    }

    /// Snapshots in the window.
    #[track_caller]
    pub(crate) fn snapshots(&self) -> Option<f64> {
        self.value("snapshots")
    }

    /// When the newest snapshot ended.
    #[track_caller]
    pub(crate) fn snapshot_seconds(&self) -> Option<f64> {
        self.value("snapshot_timestamp_seconds")
    }

    /// Tunings put in force so far, by all rules.
    pub(crate) fn tunings(&self) -> f64 {
        let labels = [("cache", self.cache.as_str())];
        let samples = self.page.samples("cache_tuner_tunings_total", &labels);
        samples.iter().map(|sample| sample.value).sum()
    }

    /// Recommendations of the latest analysis.
    pub(crate) fn recommendations(&self) -> usize {
        self.page.samples("cache_tuner_recommended_value", &[("cache", &self.cache)]).len()
    }

    /// Whether the one target answers.
    #[track_caller]
    pub(crate) fn target_up(&self) -> Option<f64> {
        self.page.value("cache_tuner_target_up", &[])
    }

    /// Series of the exporter, of whatever metric, that speak of the cache.
    pub(crate) fn series(&self) -> usize {
        self.page.all().filter(|sample| sample.label("cache") == Some(&self.cache)).count()
    }

    /// Values that no page may show of a cache: those that are no numbers, and those below zero.
    pub(crate) fn absurd(&self) -> Vec<String> {
        let samples = self.page.all().filter(|sample| sample.name.starts_with("cache_tuner_"));
        samples
            .filter(|sample| !sample.value.is_finite() || sample.value < 0.0)
            .map(|sample| format!("{} {:?} {}", sample.name, sample.labels, sample.value))
            .collect()
    }
}
