//! The program is killed at random moments, again and again: nothing that was reported is gone, and
//! nothing is counted twice.
//!
//! The victim is this test binary once more, running [`victim`] alone. It takes steps, each of
//! which touches several things at once, and prints a step's number when it is reported. Every
//! value in the store follows from the number of steps, so that half of a step, a step that is gone
//! and one that was taken twice are all seen.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use cache_tuner_exporter::judge::Sample;
use cache_tuner_exporter::judge::TRACK_SAMPLES_MAX;
use cache_tuner_exporter::memory::CacheKey;
use cache_tuner_exporter::memory::Change;
use cache_tuner_exporter::memory::JOURNAL_RESTORED_MAX;
use cache_tuner_exporter::memory::Saved;
use cache_tuner_exporter::published::TargetId;
use cache_tuner_exporter::sim::rng::SplitMix64;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::store::Store;
use cache_tuner_exporter::store::Writer;
use cache_tuner_exporter::units::Timestamp;

/// Where the victim stores; without it, there is no victim to play.
const DIRECTORY: &str = "STORE_CRASH_DIRECTORY";

/// How often the victim is killed.
const KILLS: u64 = 200;

/// Caches of the victim; a step touches every second one.
const CACHES: u64 = 12;

/// Steps that the victim has handed in and not seen reported: enough for several in one
/// transaction.
const UNREPORTED_MAX: usize = 32;

const NOW: Timestamp = Timestamp::from_millis(0);

#[test]
fn nothing_reported_is_lost_when_the_process_is_killed_at_any_moment() {
    let directory = tempfile::tempdir().unwrap();
    let mut stored = 0;
    let mut moments = SplitMix64::new(1);
    let mut lives = 0;
    for _ in 0..KILLS {
        let life = Duration::from_micros(2000 + moments.draw_below(58_000));
        // Every fourth is killed at any moment of its start, the others at work.
        let at_work = moments.draw_below(4) != 0;
        let reported = kill_after(directory.path(), life, at_work);
        let opened = Store::open(directory.path(), NOW).unwrap();
        assert_eq!(opened.notices, [], "nothing is damaged");
        let steps = check(&opened.saved);
        let reported = reported.unwrap_or(stored);
        assert!(steps >= reported, "{reported} was reported, {steps} is stored");
        assert!(steps >= stored, "what was there stays");
        lives += u64::from(steps > stored);
        stored = steps;
    }
    assert!(lives > KILLS / 2, "most victims were killed at work: {lives}");
    assert!(stored > 20 * KILLS, "and they worked: {stored}");
}

/// Lets a victim work for about `life`, kills it, and returns the last step that it reported.
fn kill_after(directory: &Path, life: Duration, at_work: bool) -> Option<u64> {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store_crash::victim", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let output = BufReader::new(victim.stdout.take().unwrap());
    let (first, started) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut last = None;
        for line in output.lines().map_while(Result::ok) {
            // The harness may have begun the line.
            if let Some((_, step)) = line.split_once("reported ") {
                last = step.parse().ok();
                // The other side may not wait for it.
                let _ = first.send(());
            }
        }
        last
    });
    if at_work {
        started.recv_timeout(Duration::from_secs(30)).expect("the victim takes its first step");
    }
    thread::sleep(life);
    victim.kill().unwrap();
    victim.wait().unwrap();
    reader.join().unwrap()
}

/// How many steps the store holds; all that it holds is what they leave.
#[track_caller]
fn check(saved: &Saved) -> u64 {
    let number = |document: &String| -> u64 { document.parse().unwrap() };
    let steps = saved.shared.get("steps").map_or(0, number);
    let kept = JOURNAL_RESTORED_MAX as usize;
    let entries = saved.journal.iter().map(|(step, entry)| (*step, number(entry)));
    assert!(entries.eq((1..=steps).rev().take(kept).map(|step| (step, step))));
    let caches: BTreeMap<_, _> = saved.caches.iter().map(|cache| (&cache.key, cache)).collect();
    for cache in 0..CACHES {
        let count = u64::midpoint(steps, cache % 2);
        let Some(saved) = caches.get(&key(cache)) else {
            assert_eq!(count, 0);
            continue;
        };
        assert_eq!(saved.document.as_deref().map(counted), Some(count));
        let times = saved.samples.iter().map(|sample| sample.timestamp.as_millis().cast_unsigned());
        let touching = (1..=steps).rev().filter(|step| touches(*step, cache));
        assert!(times.rev().eq(touching.take(TRACK_SAMPLES_MAX)), "the samples are those steps'");
    }
    steps
}

fn touches(step: u64, cache: u64) -> bool {
    (step + cache).is_multiple_of(2)
}

fn key(cache: u64) -> CacheKey {
    let id = TargetId { scrape_job: Arc::from("crash"), target: Arc::from("host:1") };
    CacheKey { id, cache: Arc::from(cache.to_string()) }
}

/// What a cache's document counts; the rest of it only makes it long.
fn counted(document: &str) -> u64 {
    document.trim_end().parse().unwrap()
}

/// Works until it is killed. Not a test by itself: without the variable there is nothing to do.
#[test]
fn victim() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let opened = Store::open(Path::new(&directory), NOW).unwrap();
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for cache in 0..CACHES {
        let saved = opened.saved.caches.iter().find(|saved| saved.key == key(cache));
        let document = saved.and_then(|saved| saved.document.as_deref());
        counts.insert(cache, document.map_or(0, counted));
    }
    let first = opened.saved.journal.first().map_or(0, |(step, _)| *step) + 1;
    let (writer, _ended) = Writer::start(opened.store).unwrap();
    // Has an element for each step that is not reported.
    let (begin, end) = mpsc::sync_channel(UNREPORTED_MAX);
    let end = Arc::new(Mutex::new(end));
    for step in first.. {
        begin.send(()).unwrap();
        let end = Arc::clone(&end);
        let completion = Box::new(move || {
            if writeln!(std::io::stdout(), "reported {step}").is_err() {
                // The test itself was ended.
                std::process::abort();
            }
            end.lock().unwrap().recv().unwrap();
        });
        writer.submit(step_of(step, &mut counts), completion);
    }
}

/// What a step changes; `counts` has the steps that touched each cache.
fn step_of(step: u64, counts: &mut BTreeMap<u64, u64>) -> Vec<Change> {
    let mut changes = vec![
        Change::Journal { number: step, document: step.to_string() },
        Change::Shared { name: "steps".to_owned(), document: step.to_string() },
    ];
    for (cache, count) in counts.iter_mut().filter(|(cache, _)| touches(step, **cache)) {
        *count += 1;
        let time = Timestamp::from_millis(step.cast_signed());
        let sample = Sample::new(&PerformanceSnapshot::empty(time), true);
        changes.push(Change::Cache { key: key(*cache), document: format!("{count:<600}") });
        changes.push(Change::Sample { key: key(*cache), sample });
    }
    changes
}
