//! The store under load: what a step of many caches costs, and what a start has to wait for.
//!
//! `cargo bench --bench store -- [--caches N] [--document-bytes N]`; see README.md beside it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use cache_tuner_exporter::judge::Sample;
use cache_tuner_exporter::judge::TRACK_SAMPLES_MAX;
use cache_tuner_exporter::memory::CacheKey;
use cache_tuner_exporter::memory::Change;
use cache_tuner_exporter::published::TargetId;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::store::Batch;
use cache_tuner_exporter::store::Store;
use cache_tuner_exporter::units::Timestamp;

/// Caches that one target shows.
const CACHES_PER_TARGET: usize = 10;

struct Options {
    caches: usize,
    document_bytes: usize,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: cargo bench --bench store -- [--caches N] [--document-bytes N]");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Option<Options> {
    let mut options = Options { caches: 10_000, document_bytes: 2048 };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--caches" => options.caches = args.next()?.parse().ok()?,
            "--document-bytes" => options.document_bytes = args.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let keys: Vec<CacheKey> = (0..options.caches).map(key).collect();
    let ((mut store, _), _) = open(directory.path())?;
    let mut writes = Vec::new();
    let mut moves = Vec::new();
    // More than is kept, so that the rings are full and the last steps replace.
    for step in 0..TRACK_SAMPLES_MAX + 60 {
        let changes = keys.iter().flat_map(|key| step_of(key, step, options.document_bytes));
        let batch: Batch = changes.collect();
        let (written, took) = timed(|| store.write(&batch));
        written?;
        writes.push(took);
        let (tidied, took) = timed(|| store.tidy());
        tidied?;
        moves.push(took);
    }
    let (closed, close) = timed(|| store.close());
    closed?;
    let bytes = std::fs::metadata(directory.path().join("cache-tuner.db"))?.len();
    let ((store, samples), start) = open(directory.path())?;
    drop(store);
    println!(
        "{} caches, a document of {} bytes and a sample each",
        options.caches, options.document_bytes
    );
    println!("first step            {:>9.1?}", writes[0]);
    println!("a step                {}", summary(&mut writes[TRACK_SAMPLES_MAX..]));
    println!("moving the log        {}", summary(&mut moves[TRACK_SAMPLES_MAX..]));
    println!("closing               {close:>9.1?}");
    println!("opening, {samples} samples  {start:>9.1?}");
    println!("size on disk          {:>9.1} MiB", bytes as f64 / f64::from(1 << 20));
    Ok(())
}

fn open(directory: &Path) -> Result<((Store, usize), Duration), Box<dyn std::error::Error>> {
    let (opened, took) = timed(|| Store::open(directory, Timestamp::from_millis(0)));
    let opened = opened?;
    let samples = opened.saved.caches.iter().map(|cache| cache.samples.len()).sum();
    black_box(&opened.saved);
    Ok(((opened.store, samples), took))
}

fn key(number: usize) -> CacheKey {
    let id = TargetId {
        scrape_job: Arc::from("bench"),
        target: Arc::from(format!("cache-{}.example:9121", number / CACHES_PER_TARGET)),
    };
    CacheKey { id, cache: Arc::from(format!("db{}", number % CACHES_PER_TARGET)) }
}

/// A sample with five signals, which is what most products show, and a new state.
fn step_of(key: &CacheKey, step: usize, document_bytes: usize) -> [Change; 2] {
    let ms = i64::try_from(step * 15_000).unwrap_or(i64::MAX);
    let mut snapshot = PerformanceSnapshot::empty(Timestamp::from_millis(ms));
    for signal in Signal::ALL.into_iter().step_by(2) {
        snapshot.set(signal, Some(step as f64));
    }
    let sample = Sample::new(&snapshot, true);
    let document =
        format!("{{\"step\":{step:0>width$}}}", width = document_bytes.saturating_sub(9));
    [Change::Sample { key: key.clone(), sample }, Change::Cache { key: key.clone(), document }]
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let now = Instant::now;
    let start = now();
    (work(), now() - start)
}

fn summary(times: &mut [Duration]) -> String {
    times.sort();
    let median = times[times.len() / 2];
    let most = times[times.len() - 1];
    format!("{median:>9.1?} median, {most:.1?} at most")
}
