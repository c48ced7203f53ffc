//! The store under load: what a step of many caches costs, and what a start has to wait for.
//!
//! `cargo bench --bench store -- [--caches N] [--document-bytes N]`; see README.md beside it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "support/cpu_time.rs"]
mod cpu_time;

use std::error::Error;
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
use cache_tuner_exporter::store::Opened;
use cache_tuner_exporter::store::Store;
use cache_tuner_exporter::units::Timestamp;

use crate::cpu_time::cpu_time;

/// Caches that one target shows.
const CACHES_PER_TARGET: usize = 10;

/// Samples of a cache that are written at once to fill the store.
const FILL_SAMPLES: usize = 16;

/// Steps that are measured.
const STEPS: usize = 20;

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

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let keys: Vec<CacheKey> = (0..options.caches).map(key).collect();
    let mut store = open(directory.path())?.store;
    // The rings are full, so that the steps that are measured replace.
    for from in (0..TRACK_SAMPLES_MAX).step_by(FILL_SAMPLES) {
        let samples = from..(from + FILL_SAMPLES).min(TRACK_SAMPLES_MAX);
        let batch: Batch = samples.flat_map(|at| keys.iter().map(move |k| sample(k, at))).collect();
        store.write(&batch)?;
        store.tidy()?;
    }
    let mut builds = Vec::new();
    let mut writes = Vec::new();
    let mut moves = Vec::new();
    for step in TRACK_SAMPLES_MAX..TRACK_SAMPLES_MAX + STEPS {
        let change = |key| [sample(key, step), document(key, step, options.document_bytes)];
        let batch: Batch = builds.time(|| keys.iter().flat_map(change).collect());
        writes.time(|| store.write(&batch))?;
        moves.time(|| store.tidy())?;
    }
    let mut closings = Vec::new();
    closings.time(|| store.close())?;
    let bytes = std::fs::metadata(directory.path().join("cache-tuner.db"))?.len();
    let mut openings = Vec::new();
    for _ in 0..3 {
        let saved = openings.time(|| open(directory.path()))?.saved;
        assert_eq!(saved.caches.len(), options.caches);
    }
    println!(
        "{} caches, each with {TRACK_SAMPLES_MAX} samples and a state of {} bytes: {:.0} MiB; \
         a step brings a sample and a state of each",
        options.caches,
        options.document_bytes,
        bytes as f64 / f64::from(1 << 20)
    );
    println!("{:24}{:>12}{:>12}{:>12}", "", "median", "most", "median CPU");
    print("hand in a step", &mut builds);
    print("write a step", &mut writes);
    print("move the log", &mut moves);
    print("close", &mut closings);
    print("open and read all", &mut openings);
    Ok(())
}

fn open(directory: &Path) -> Result<Opened, Box<dyn Error>> {
    let opened = Store::open(directory, Timestamp::from_millis(0))?;
    match opened.notices.first() {
        Some(notice) => Err(notice.to_string().into()),
        None => Ok(opened),
    }
}

fn key(number: usize) -> CacheKey {
    let id = TargetId {
        scrape_job: Arc::from("bench"),
        target: Arc::from(format!("cache-{}.example:9121", number / CACHES_PER_TARGET)),
    };
    CacheKey { id, cache: Arc::from(format!("db{}", number % CACHES_PER_TARGET)) }
}

/// A sample with five signals, which is what most products show.
fn sample(key: &CacheKey, step: usize) -> Change {
    let ms = i64::try_from(step * 15_000).unwrap_or(i64::MAX);
    let mut snapshot = PerformanceSnapshot::empty(Timestamp::from_millis(ms));
    for signal in Signal::ALL.into_iter().step_by(2) {
        snapshot.set(signal, Some(step as f64));
    }
    Change::Sample { key: key.clone(), sample: Sample::new(&snapshot, true) }
}

fn document(key: &CacheKey, step: usize, bytes: usize) -> Change {
    let document = format!("{{\"step\":{step:0>width$}}}", width = bytes.saturating_sub(9));
    Change::Cache { key: key.clone(), document }
}

/// How long a thing took, and how much of that this thread was at work: on a busy machine, the rest
/// was others' time, or the disk's.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

trait Measure {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T;
}

impl Measure for Vec<Took> {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (wall, cpu) = (now(), cpu_time());
        let result = work();
        self.push(Took { wall: now() - wall, cpu: cpu_time().saturating_sub(cpu) });
        result
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

fn print(name: &str, times: &mut [Took]) {
    let mut median = |value: fn(&Took) -> Duration| {
        times.sort_by_key(value);
        (value(&times[times.len() / 2]), value(&times[times.len() - 1]))
    };
    let (wall, most) = median(|took| took.wall);
    let (cpu, _) = median(|took| took.cpu);
    println!("{name:24}{wall:>12.1?}{most:>12.1?}{cpu:>12.1?}");
}
