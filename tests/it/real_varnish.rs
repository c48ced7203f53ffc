//! A real Varnish behind its real exporter, watched by the real program.
//!
//! The measure is what the requests themselves saw, and the counters on the exporter's page before
//! and after them. Varnish's workers add up their counts when they come to rest, which may be after
//! the next scrape: a burst that is told in two snapshots is tried again.

use crate::support::exporter::Exporter;
use crate::support::http;
use crate::support::page::Page;
use crate::support::traffic::Spread;
use crate::support::traffic::Traffic;
use crate::support::varnish::Varnish;
use crate::support::varnish::VarnishExporter;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::watched::Watched;

const STORAGE_BYTES: u64 = 1 << 20;
const PAGE_BYTES: usize = 16 << 10;

/// Pages that need several times the storage.
const PAGES_TOO_MANY: u32 = 300;

/// Bursts until one is told in one snapshot.
const BURSTS_MAX: usize = 20;

fn start(varnish: &Varnish) -> (VarnishExporter, Exporter) {
    let varnish_exporter = VarnishExporter::start(varnish);
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         tuning: {{enable_adaptive_tuning: false}}\n\
         scrape_configs:\n  - job_name: pages\n    static_configs: [{{targets: ['{}']}}]\n",
        varnish_exporter.address()
    );
    let exporter = Exporter::start(&["--config.file", "tuner.yaml"], &[("tuner.yaml", &config)]);
    (varnish_exporter, exporter)
}

/// Counters of Varnish's exporter.
fn counters(exporter: &VarnishExporter) -> [f64; 3] {
    let page = Page::parse(&http::text(&exporter.url()));
    let names = ["varnish_main_cache_hit", "varnish_main_cache_miss", "varnish_main_n_lru_nuked"];
    names.map(|name| page.value(name, &[]).unwrap_or_else(|| panic!("no {name}")))
}

#[track_caller]
fn assert_close(what: &str, got: Option<f64>, want: f64) {
    let close = got.is_some_and(|got| (got - want).abs() <= 1e-6 * want.abs());
    assert!(close, "{what}: {got:?}, not {want}");
}

#[test]
fn signals_are_what_the_counters_say_of_the_interval() {
    let varnish = Varnish::start(STORAGE_BYTES, PAGE_BYTES);
    let (varnish_exporter, exporter) = start(&varnish);
    let watched = Watched::new(&exporter, "varnish");
    let mut traffic = Traffic::new(PAGES_TOO_MANY, Spread::Zipf, 1);
    varnish.serve(&mut traffic, 300);
    let is_exact = |_| interval_is_exact(&varnish, &varnish_exporter, watched, &mut traffic);
    assert!((0..BURSTS_MAX).any(is_exact), "no interval told a whole burst");

    let shown = watched.shown();
    // Varnish tells the look-ups of its only level.
    assert_eq!(shown.labelled("hit_ratio", &[("level", "l1")]), shown.hit_ratio());
    let page = Page::parse(&http::text(&varnish_exporter.url()));
    let of_s0 = |name: &str| page.value(name, &[("type", "s0")]).expect("the storage is shown");
    let (used, free) = (of_s0("varnish_sma_g_bytes"), of_s0("varnish_sma_g_space"));
    assert_close("limit", Some(used + free), STORAGE_BYTES as f64);
    // The storage without a limit is there too and counts nothing.
    let transient = page.samples("varnish_sma_g_bytes", &[]);
    assert!(transient.len() >= 2, "{transient:?}");
    let usage = shown.value("memory_usage_ratio");
    assert_close("memory usage", usage, used / (used + free));
    assert!(usage.is_some_and(|usage| (0.7..=1.0).contains(&usage)), "{usage:?}");
}

/// Whether one interval tells the whole burst; then everything else has to agree.
#[track_caller]
fn interval_is_exact(
    varnish: &Varnish,
    varnish_exporter: &VarnishExporter,
    watched: Watched<'_>,
    traffic: &mut Traffic,
) -> bool {
    watched.next_snapshot();
    let start = watched.next_snapshot();
    let before = counters(varnish_exporter);
    let served = varnish.serve(traffic, 100);
    let end = watched.snapshot_after(start.snapshot_seconds());
    let want = [before[0] + served.hits as f64, before[1] + served.misses as f64];
    let after = eventually(PATIENCE, "Varnish counts every request", || {
        let [hits, misses, nuked] = counters(varnish_exporter);
        (hits >= want[0] && misses >= want[1]).then_some([hits, misses, nuked])
    });
    if end.hit_ratio() != served.hit_ratio() {
        return false;
    }
    let seconds =
        end.snapshot_seconds().zip(start.snapshot_seconds()).map(|(end, start)| end - start);
    let nuked =
        end.value("evictions_per_second").zip(seconds).map(|(rate, seconds)| rate * seconds);
    assert!(after[2] > before[2], "{served:?} has to nuke");
    assert_close("evictions", nuked, after[2] - before[2]);
    true
}

#[test]
fn a_restarted_varnish_has_a_window_of_its_own() {
    let mut varnish = Varnish::start(STORAGE_BYTES, PAGE_BYTES);
    let (_varnish_exporter, exporter) = start(&varnish);
    let watched = Watched::new(&exporter, "varnish");
    let mut traffic = Traffic::new(20, Spread::Zipf, 2);
    varnish.serve(&mut traffic, 100);
    watched.wait("a window", |shown| shown.snapshots() >= Some(5.0));
    varnish.restart();
    let shown = watched.wait("an emptied window", |shown| {
        shown.snapshots().is_some_and(|snapshots| snapshots <= 2.0)
    });
    assert_eq!(shown.absurd(), Vec::<String>::new());
    let shown = watched.wait("a growing window", |shown| shown.snapshots() >= Some(3.0));
    assert_eq!(shown.absurd(), Vec::<String>::new());
}
