//! A board of many caches, each with some forty series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cache_tuner_exporter::build_info::BuildInfo;
use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::export::Exporter;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::published::Board;
use cache_tuner_exporter::published::CacheView;
use cache_tuner_exporter::published::ScrapeHealth;
use cache_tuner_exporter::published::TargetId;
use cache_tuner_exporter::published::TargetView;
use cache_tuner_exporter::published::TrustView;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::units::Timestamp;

use crate::memory;
use crate::reference::Beside;

/// Caches of a target.
const CACHES_PER_TARGET: usize = 10;

/// What the page says besides the board.
pub(crate) const BESIDE: Beside = Beside {
    build: BuildInfo { version: "1.2.3", revision: "0123abc", rust_version: "1.90.0" },
    reload_successful: Some(true),
    reload_success_at: Some(Timestamp::from_millis(1_700_000_100_000)),
    store_failures: 0,
};

/// Two rules, so that a cache has some forty series.
const RULES: &str = "
groups:
  - name: bench
    rules:
      - rule: hit_rate_declining
        when: newest(hit_rate, 3) < 0.8
        tune: {parameter: l1_size_multiplier, multiply: 1.2, max: 2.0}
        confidence: 0.8
        expected_improvement: 0.1
        reason: Hit rate declining
      - rule: memory_usage_high
        when: mean(memory_usage_percent) > 90
        tune: {parameter: eviction_aggressiveness, add: 0.1, max: 1.0}
        confidence: 0.9
        expected_improvement: 0.05
        reason: High memory usage
";

/// A board, and the page that it makes.
pub(crate) struct Fleet {
    pub(crate) caches: usize,
    pub(crate) board: Arc<Board>,
    pub(crate) exporter: Exporter,
    /// Without what the process uses.
    pub(crate) page: Vec<u8>,
    pub(crate) series: usize,
    /// Most memory that writing the first page took, in bytes; those after it use the same again.
    pub(crate) first_peak: u64,
}

impl Fleet {
    pub(crate) fn new(caches: usize) -> anyhow::Result<Self> {
        let (rules, _) = rule::load(&[SourceFile::new("bench", RULES)])
            .map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
        let tunable = vec![Parameter::L1SizeMultiplier, Parameter::EvictionAggressiveness];
        let tuner = AdaptiveTuner::new(TuningConfig::default(), Arc::new(rules), tunable);
        let board = Arc::new(Board::new());
        let labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
        let labels = Arc::new(labels);
        for target in 0..caches.div_ceil(CACHES_PER_TARGET) {
            let numbers = target * CACHES_PER_TARGET..caches.min((target + 1) * CACHES_PER_TARGET);
            let caches = numbers.map(|number| Arc::new(cache(number, &tuner)));
            board.publish(TargetView {
                id: TargetId {
                    scrape_job: "sessions".into(),
                    target: format!("cache-{target:05}.example:9121").into(),
                },
                url: "http://cache.example:9121/metrics".into(),
                labels: Arc::clone(&labels),
                profile: Some("redis".into()),
                scrape_interval: Duration::from_secs(15),
                scrape_timeout: Duration::from_secs(10),
                health: ScrapeHealth {
                    up: Some(true),
                    last_duration: Some(Duration::from_nanos(4_312_345 + target as u64 * 977)),
                    last_scrape: Some(Timestamp::from_millis(1_700_000_085_117)),
                    ..ScrapeHealth::default()
                },
                caches: caches.collect(),
            });
        }
        let exporter = Exporter::new(Arc::clone(&board), BESIDE.build, Arc::new(AtomicU64::new(0)));
        if let (Some(successful), Some(at)) = (BESIDE.reload_successful, BESIDE.reload_success_at) {
            exporter.set_reload(successful, at);
        }
        memory::forget_peak();
        let before = memory::resident();
        let mut pieces = exporter.page()?;
        let first_peak = memory::peak().saturating_sub(before);
        pieces.pop();
        let page = pieces.concat();
        let series = page.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
        let series = series.count() - 1;
        Ok(Self { caches, board, exporter, page, series, first_peak })
    }

    pub(crate) fn name(&self) -> String {
        format!("{} caches", self.caches)
    }

    /// Something changes, so that the page has to be written anew.
    pub(crate) fn change(&self) {
        self.board.publish_trust(TrustView::default());
    }
}

fn cache(number: usize, tuner: &AdaptiveTuner) -> CacheView {
    let mut snapshot = PerformanceSnapshot::empty(Timestamp::from_millis(1_700_000_085_117));
    let part = (number as f64 * 0.618_034).fract();
    for (signal, value) in [
        (Signal::HitRate, 0.5 + part / 2.0),
        (Signal::MemoryUsagePercent, 60.0 + 40.0 * part),
        (Signal::AvgGetLatencyUs, 90.0 + 800.0 * part),
        (Signal::OpsPerSecond, 20_000.0 * part),
        (Signal::EvictionRate, (1000.0 * part).floor()),
        (Signal::PromotionRate, 0.0),
    ] {
        snapshot.set(signal, Some(value));
    }
    let view = CacheView::new(format!("cache-{number:06}").into(), tuner, BTreeMap::new());
    CacheView { snapshot: Some(snapshot), snapshots: 100, ..view }
}
