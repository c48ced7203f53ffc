//! The status page: the board for people, as one file that needs nothing else.
//!
//! Everything is turned into text here, so that the template only places it; the template engine
//! escapes it. There are no scripts, and the page's own policy forbids any.

mod tunings;

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use askama::Template;
use hyper::StatusCode;
use hyper::header::CACHE_CONTROL;
use hyper::header::CONTENT_SECURITY_POLICY;
use hyper::header::REFERRER_POLICY;

use crate::parameter::Parameter;
use crate::published::CacheView;
use crate::published::TargetView;
use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::tuner::TuningRecommendation;
use crate::tuning_parameters::TuningParameters;
use crate::units::Short;
use crate::units::Timestamp;
use crate::web::Site;
use crate::web::answer;
use crate::web::answer::Answer;
use crate::web::api::health_name;
use crate::web::format;
use crate::web::format::ABSENT;

use tunings::Progress;
use tunings::TuningRow;

/// Targets, and caches, that the page shows; the API shows all.
const ROWS_MAX: usize = 200;

/// Tunings that the page shows; the API shows all that are kept.
const TUNINGS_MAX: usize = 20;

/// Styles are in the page itself; nothing else may be loaded, run, sent or framed.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "status.html")]
struct Page<'a> {
    version: &'a str,
    telemetry_path: &'a str,
    time: String,
    ready: bool,
    /// Whether so many tunings failed that nothing is put in force.
    is_breaker_open: bool,
    targets_up: usize,
    targets_count: usize,
    caches_count: usize,
    recommendations_count: usize,
    /// Those of them that nobody put in force.
    waiting_count: usize,
    targets: Vec<TargetRow<'a>>,
    caches: Vec<CacheCard<'a>>,
    tunings: Vec<TuningRow<'a>>,
    tunings_count: usize,
}

struct TargetRow<'a> {
    job: &'a str,
    target: &'a str,
    url: &'a str,
    health: &'static str,
    last_scrape: String,
    duration: String,
    profile: &'a str,
    failures: u64,
    error: Option<&'a str>,
    bad_lines: Option<String>,
}

impl TargetRow<'_> {
    const fn has_trouble(&self) -> bool {
        self.error.is_some() || self.bad_lines.is_some()
    }
}

struct CacheCard<'a> {
    job: &'a str,
    target: &'a str,
    cache: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    /// Whether there is a snapshot, and how old it is.
    snapshot: Option<String>,
    snapshots: usize,
    gauges: Vec<Gauge>,
    figures: Vec<(&'static str, String)>,
    parameters: Vec<ParameterRow>,
    recommendations: Vec<Recommendation<'a>>,
    /// The tuning that is not judged yet.
    progress: Option<Progress<'a>>,
    /// Recommendations that are not in force.
    waiting: usize,
    tunings: String,
    /// Its row in the table of all caches, from the hit ratio on.
    overview: [String; 6],
}

struct ParameterRow {
    name: &'static str,
    value: String,
    /// The default, where the value is another.
    tuned_from: Option<String>,
}

/// A share, as a bar and in words.
struct Gauge {
    name: &'static str,
    /// 0 to 1; `None` where there is nothing to draw.
    share: Option<f64>,
    text: String,
}

struct Recommendation<'a> {
    rule: &'a str,
    parameter: &'static str,
    from: String,
    to: String,
    confidence: String,
    expected: String,
    reason: &'a str,
    applied: bool,
    apply: Option<String>,
}

/// Renders the page.
pub(super) fn page(site: &Site) -> Answer {
    let now = (site.now)();
    let targets = site.board.targets();
    let journal = site.board.journal();
    let views =
        || targets.iter().flat_map(|target| target.caches.iter().map(move |view| (target, view)));
    // Numbers of the tunings that are not judged yet.
    let pending = views().filter_map(|(_, view)| view.pending.as_ref());
    let pending: BTreeSet<u64> = pending.map(|tuning| tuning.number).collect();
    let page = Page {
        version: site.build.version,
        telemetry_path: &site.options.telemetry_path,
        time: format::utc(now),
        ready: site.ready.load(Ordering::Acquire),
        is_breaker_open: site.board.trust().is_breaker_open,
        targets_up: targets.iter().filter(|view| view.health.up == Some(true)).count(),
        targets_count: targets.len(),
        caches_count: views().count(),
        recommendations_count: views().map(|(_, view)| view.recommendations.len()).sum(),
        waiting_count: views().map(|(_, view)| waiting(view)).sum(),
        targets: targets.iter().take(ROWS_MAX).map(|view| target(view, now)).collect(),
        caches: views().take(ROWS_MAX).map(|(target, view)| cache(target, view, now)).collect(),
        tunings: journal
            .iter()
            .take(TUNINGS_MAX)
            .map(|entry| tunings::row(entry, &pending, now))
            .collect(),
        tunings_count: journal.len(),
    };
    match page.render() {
        Ok(html) => {
            let page = answer::body(StatusCode::OK, "text/html; charset=utf-8", html);
            let page = answer::with(page, CONTENT_SECURITY_POLICY, POLICY);
            let page = answer::with(page, REFERRER_POLICY, "no-referrer");
            answer::with(page, CACHE_CONTROL, "no-store")
        }
        Err(fault) => answer::text(StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()),
    }
}

fn target(view: &TargetView, now: Timestamp) -> TargetRow<'_> {
    let health = &view.health;
    TargetRow {
        job: &view.id.scrape_job,
        target: &view.id.target,
        url: &view.url,
        health: health_name(health.up),
        last_scrape: health.last_scrape.map_or(ABSENT.to_owned(), |at| format::ago(now, at)),
        duration: health.last_duration.map_or(ABSENT.to_owned(), format::duration),
        profile: view.profile.as_deref().unwrap_or(ABSENT),
        failures: health.failures.values().sum(),
        error: health.last_error.as_deref(),
        bad_lines: (health.bad_lines > 0).then(|| {
            let first = health.bad_line.as_deref().unwrap_or_default();
            format!("lines that could not be read: {} ({first})", health.bad_lines)
        }),
    }
}

fn cache<'a>(target: &'a TargetView, view: &'a CacheView, now: Timestamp) -> CacheCard<'a> {
    let labels = target.labels.iter();
    let parameters = view.tunable.iter();
    let recommendations = view.recommendations.iter();
    CacheCard {
        job: &target.id.scrape_job,
        target: &target.id.target,
        cache: &view.cache,
        labels: labels.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        snapshot: view.snapshot.map(|snapshot| format::ago(now, snapshot.timestamp)),
        snapshots: view.snapshots,
        gauges: view.snapshot.as_ref().map(gauges).unwrap_or_default(),
        figures: view.snapshot.as_ref().map(figures).unwrap_or_default(),
        parameters: parameters.map(|&parameter| parameter_row(view, parameter)).collect(),
        recommendations: recommendations.map(|wanted| recommendation(view, wanted)).collect(),
        progress: view.pending.as_ref().map(|tuning| tunings::progress(tuning, now)),
        waiting: waiting(view),
        tunings: tunings_in_words(view),
        overview: overview(view),
    }
}

fn parameter_row(view: &CacheView, parameter: Parameter) -> ParameterRow {
    let value = number(view.parameters.value(parameter));
    let default = number(TuningParameters::default().value(parameter));
    let tuned_from = (value != default).then_some(default);
    ParameterRow { name: parameter.name(), value, tuned_from }
}

fn waiting(view: &CacheView) -> usize {
    view.recommendations.iter().filter(|wanted| !wanted.applied).count()
}

fn overview(view: &CacheView) -> [String; 6] {
    let signals = [
        Signal::HitRate,
        Signal::MemoryUsagePercent,
        Signal::AvgGetLatencyUs,
        Signal::OpsPerSecond,
        Signal::EvictionRate,
    ];
    let [hit_ratio, memory, get, operations, evictions] = signals.map(|signal| {
        let value = view.snapshot.as_ref().and_then(|snapshot| snapshot.value(signal));
        value.map_or(ABSENT.to_owned(), |value| signal_text(signal, value))
    });
    let tunings = view.stats.tuning_operations.to_string();
    [hit_ratio, memory, get, operations, evictions, tunings]
}

fn tunings_in_words(view: &CacheView) -> String {
    let stats = &view.stats;
    let count = match stats.tuning_operations {
        0 => return "none yet".to_owned(),
        count => count,
    };
    match stats.success_rate() {
        Some(rate) => format!("{count}, {} of those judged helped", format::share(rate)),
        None => count.to_string(),
    }
}

fn gauges(snapshot: &PerformanceSnapshot) -> Vec<Gauge> {
    let percent = |value: Option<f64>| value.map(|percent| percent / 100.0);
    [
        ("Hit ratio", snapshot.hit_rate),
        ("Hit ratio, level 1", snapshot.l1_hit_rate),
        ("Hit ratio, level 2", snapshot.l2_hit_rate),
        ("Memory used", percent(snapshot.memory_usage_percent)),
        ("Disk used", percent(snapshot.disk_usage_percent)),
    ]
    .into_iter()
    // The overall hit ratio is what everybody looks for: it is missed where it is absent, the
    // others are not.
    .filter(|&(name, share)| share.is_some() || name == "Hit ratio")
    .map(|(name, share)| Gauge {
        name,
        share: share.map(|share| share.clamp(0.0, 1.0)),
        text: share.map_or(ABSENT.to_owned(), format::ratio),
    })
    .collect()
}

fn figures(snapshot: &PerformanceSnapshot) -> Vec<(&'static str, String)> {
    [
        ("Get", Signal::AvgGetLatencyUs),
        ("Put", Signal::AvgPutLatencyUs),
        ("Operations", Signal::OpsPerSecond),
        ("Evictions", Signal::EvictionRate),
        ("Promotions", Signal::PromotionRate),
    ]
    .into_iter()
    .filter_map(|(name, signal)| Some((name, signal_text(signal, snapshot.value(signal)?))))
    .collect()
}

/// A value in the unit in which people think of it.
fn signal_text(signal: Signal, value: f64) -> String {
    match signal {
        Signal::HitRate | Signal::L1HitRate | Signal::L2HitRate => format::ratio(value),
        Signal::MemoryUsagePercent | Signal::DiskUsagePercent => format::ratio(value / 100.0),
        Signal::AvgGetLatencyUs | Signal::AvgPutLatencyUs => format::microseconds(value),
        Signal::OpsPerSecond => format!("{} /s", format::three_digits(value)),
        Signal::EvictionRate | Signal::PromotionRate => {
            format!("{} /min", format::three_digits(value))
        }
    }
}

fn recommendation<'a>(view: &CacheView, wanted: &'a TuningRecommendation) -> Recommendation<'a> {
    Recommendation {
        rule: &wanted.rule,
        parameter: wanted.parameter.name(),
        from: number(wanted.current_value),
        to: number(wanted.recommended_value),
        confidence: format::share(wanted.confidence),
        expected: format::gain(wanted.expected_improvement),
        reason: &wanted.reason,
        applied: wanted.applied,
        apply: view.apply.get(&wanted.rule).cloned(),
    }
}

/// A number as people read it.
fn number(value: f64) -> String {
    Short(value).to_string()
}
