//! The whole program under load, beside programs that scrape the same targets: what a scrape costs,
//! how much memory it takes, and whether any is missed.
//!
//! `cargo bench --bench scale -- [--targets N] [--caches-per-target M] [--interval SECONDS]
//! [--duration SECONDS] [--only NAME]`; see README.md beside it. `--test` is a short form that
//! measures nothing worth knowing and shows that everything runs.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints its results")]

#[path = "scale/options.rs"]
mod options;
#[path = "scale/pages.rs"]
mod pages;
#[path = "scale/programs.rs"]
mod programs;
#[path = "scale/targets.rs"]
mod targets;
#[path = "scale/usage.rs"]
mod usage;

use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::process::Child;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context as _;

use crate::options::Options;
use crate::programs::Program;
use crate::targets::Targets;
use crate::usage::Usage;

/// What the first program's targets must have been asked before measuring begins.
const WARM_UP_ROUNDS: u32 = 3;

/// Longest time that a program may take to begin.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// How often `/metrics` is asked for, as a Prometheus does.
const PAGE_INTERVAL: Duration = Duration::from_secs(15);

/// How a good answer begins.
const OK: &[u8] = b"HTTP/1.1 200";

/// What was seen of one program.
struct Seen {
    name: &'static str,
    cpu_per_1000: f64,
    cores: f64,
    resident_mib: f64,
    peak_mib: f64,
    missed: f64,
    /// Median and longest time of `/metrics` with gzip, in milliseconds; ours alone.
    page_ms: Option<(f64, f64)>,
    /// Seconds until it was ready again after it was killed; ours alone.
    ready_again: Option<f64>,
}

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{}", options::USAGE);
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    let targets = Targets::start(options)?;
    println!(
        "{} targets × {} caches, every {} s, for {} s; pages of {} bytes",
        options.targets,
        options.caches_per_target,
        options.interval.as_secs_f64(),
        options.duration.as_secs_f64(),
        targets.page_bytes(),
    );
    let mut all: Vec<Seen> = Vec::new();
    for program in programs::installed(options) {
        let seen = measure(&program, &targets, options)
            .with_context(|| format!("measuring `{}`", program.name))?;
        print(&seen, all.first());
        all.push(seen);
    }
    Ok(())
}

fn measure(program: &Program, targets: &Targets, options: &Options) -> anyhow::Result<Seen> {
    let directory = tempfile::tempdir()?;
    let mut running = program.start(directory.path(), targets.port(), options)?;
    let mut seen = watch(&mut running.child, running.page, program, targets, options);
    running.child.kill()?;
    running.child.wait()?;
    if let (Ok(seen), true) = (&mut seen, program.is_ours) {
        running = program.start(directory.path(), targets.port(), options)?;
        seen.ready_again = Some(until_ready(running.page)?);
        running.child.kill()?;
        running.child.wait()?;
    }
    seen.with_context(|| {
        let log = std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
        format!("its log ends: {}", log.lines().next_back().unwrap_or_default())
    })
}

/// Waits until the program is warm, and looks at it for the duration.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn watch(
    child: &mut Child,
    page: SocketAddr,
    program: &Program,
    targets: &Targets,
    options: &Options,
) -> anyhow::Result<Seen> {
    let begun = Instant::now();
    let asked = targets.asked();
    let wanted = options.targets as u64 * u64::from(WARM_UP_ROUNDS);
    while targets.asked() - asked < wanted {
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("it ended: {status}");
        }
        let late = begun.elapsed() > START_TIME_MAX + options.interval * (WARM_UP_ROUNDS + 1);
        anyhow::ensure!(!late, "only {} scrapes by now", targets.asked() - asked);
        std::thread::sleep(Duration::from_millis(100));
    }
    let (start, asked, before) = (Instant::now(), targets.asked(), Usage::of(child.id())?);
    let mut times = Vec::new();
    let mut rounds = 0;
    while start.elapsed() < options.duration {
        rounds += 1;
        if program.is_ours {
            times.push(page_time(page)?);
        }
        let next = (PAGE_INTERVAL * rounds).min(options.duration);
        std::thread::sleep(next.saturating_sub(start.elapsed()));
    }
    let (elapsed, after) = (start.elapsed().as_secs_f64(), Usage::of(child.id())?);
    let scrapes = (targets.asked() - asked) as f64;
    let due = options.targets as f64 * elapsed / options.interval.as_secs_f64();
    let cpu = after.cpu - before.cpu;
    times.sort_unstable();
    let ms = |time: Option<&Duration>| time.map(|time| time.as_secs_f64() * 1e3);
    Ok(Seen {
        name: program.name,
        cpu_per_1000: cpu / scrapes * 1000.0,
        cores: cpu / elapsed,
        resident_mib: after.resident_mib,
        peak_mib: after.peak_mib,
        // A round that straddles an end of the time is no miss.
        missed: (due - scrapes - options.targets as f64).max(0.0),
        page_ms: ms(times.get(times.len() / 2)).zip(ms(times.last())),
        ready_again: None,
    })
}

/// Seconds until a program that was started just now has tried every target.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn until_ready(address: SocketAddr) -> anyhow::Result<f64> {
    let start = Instant::now();
    loop {
        // Nobody listens yet at first.
        if fetch(address, "/-/ready").is_ok_and(|answer| answer.starts_with(OK)) {
            return Ok(start.elapsed().as_secs_f64());
        }
        anyhow::ensure!(start.elapsed() < START_TIME_MAX, "it did not get ready again");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How long one `/metrics` takes, compressed as Prometheus asks for it.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn page_time(address: SocketAddr) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let answer = fetch(address, "/metrics")?;
    anyhow::ensure!(answer.starts_with(OK), "no page");
    Ok(start.elapsed())
}

fn fetch(address: SocketAddr, path: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn print(seen: &Seen, ours: Option<&Seen>) {
    let Seen { name, cpu_per_1000, cores, resident_mib, peak_mib, missed, .. } = seen;
    println!(
        "{name:12} {cpu_per_1000:7.3} CPU s per 1,000 scrapes, {:5.1} % of a core, \
         {resident_mib:7.1} MiB (peak {peak_mib:.1}), {missed:.0} scrapes missed",
        cores * 100.0
    );
    if let Some((median, most)) = seen.page_ms {
        println!("{name:12} /metrics in {median:.1} ms, at most {most:.1} ms");
    }
    if let Some(seconds) = seen.ready_again {
        println!("{name:12} killed and started again, it is ready in {seconds:.2} s");
    }
    if let Some(ours) = ours {
        println!(
            "{name:12} ours takes {:.2} × its CPU and {:.2} × its memory",
            ours.cpu_per_1000 / cpu_per_1000,
            ours.resident_mib / resident_mib
        );
    }
}
