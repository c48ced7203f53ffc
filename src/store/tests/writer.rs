//! The thread: order, failures, and the end.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::store::directory::DATABASE;

/// More than any of these tests has to wait.
const PATIENCE: Duration = Duration::from_secs(20);

fn connection(directory: &TempDir) -> Connection {
    Connection::open(directory.path().join(DATABASE)).unwrap()
}

fn stored(connection: &Connection) -> i64 {
    let count = "SELECT coalesce(max(number), 0) FROM journal";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

fn nothing() -> Completion {
    Box::new(|| {})
}

#[test]
fn each_step_is_stored_before_it_is_reported_and_in_order() {
    let directory = directory();
    let (writer, _ended) = Writer::start(open(&directory).0).unwrap();
    let reader = Arc::new(Mutex::new(connection(&directory)));
    let (report, reported) = mpsc::channel();
    for step in 1..=100 {
        let report = report.clone();
        let reader = Arc::clone(&reader);
        let completion = Box::new(move || {
            report.send((step, stored(&reader.lock().unwrap()))).unwrap();
        });
        writer.submit([journal(step, "{}")], completion);
    }
    writer.stop();
    let reported: Vec<_> = reported.try_iter().collect();
    assert!(reported.iter().map(|(step, _)| *step).eq(1..=100));
    assert!(reported.iter().all(|(step, stored)| stored.cast_unsigned() >= *step));
    assert_eq!(open(&directory).1.journal.len(), 100);
}

#[test]
fn a_step_without_changes_keeps_its_turn() {
    let directory = directory();
    let (writer, _ended) = Writer::start(open(&directory).0).unwrap();
    let (report, reported) = mpsc::channel();
    for step in 1..=20 {
        let report = report.clone();
        let changes = (step % 2 == 0).then(|| journal(step, "{}"));
        writer.submit(changes, Box::new(move || report.send(step).unwrap()));
    }
    writer.stop();
    assert!(reported.try_iter().eq(1..=20));
}

#[test]
fn what_cannot_be_stored_is_reported_counted_and_stored_later() {
    let directory = directory();
    let (store, _) = open(&directory);
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let (writer, _ended) = Writer::start_with(store, Duration::from_millis(5)).unwrap();
    let failures = writer.failures();
    let other = connection(&directory);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (report, reported) = mpsc::channel();
    for step in 1..=3 {
        let report = report.clone();
        let changes = [journal(step, "{}"), cache("a", &step.to_string()), forget("never stored")];
        writer.submit(changes, Box::new(move || report.send(step).unwrap()));
        assert_eq!(reported.recv_timeout(PATIENCE).unwrap(), step);
    }
    assert!(failures.load(Ordering::Relaxed) >= 1);
    assert_eq!(stored(&other), 0);
    other.execute_batch("COMMIT").unwrap();
    // Without another step: it tries again by itself.
    eventually(|| stored(&other) == 3);
    let counted = failures.load(Ordering::Relaxed);
    writer.submit([cache("b", "1")], nothing());
    writer.stop();
    assert_eq!(failures.load(Ordering::Relaxed), counted);
    let names: Vec<_> = open(&directory).1.caches.into_iter().map(|c| c.document).collect();
    assert_eq!(names, [Some("3".to_owned()), Some("1".to_owned())]);
}

#[test]
fn the_end_makes_a_last_attempt() {
    let directory = directory();
    let (store, _) = open(&directory);
    store.connection.busy_timeout(Duration::ZERO).unwrap();
    let (writer, _ended) = Writer::start_with(store, Duration::from_secs(3600)).unwrap();
    let other = connection(&directory);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (report, reported) = mpsc::channel();
    writer.submit([journal(1, "{}")], Box::new(move || report.send(()).unwrap()));
    reported.recv_timeout(PATIENCE).unwrap();
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    writer.stop();
    assert_eq!(open(&directory).1.journal.len(), 1);
}

#[test]
fn a_full_disk_stops_nothing_but_storing() {
    let directory = directory();
    let (store, _) = open(&directory);
    fill_disk(&store);
    let (writer, _ended) = Writer::start_with(store, Duration::ZERO).unwrap();
    let failures = writer.failures();
    let (report, reported) = mpsc::channel();
    for step in 1..=5 {
        let report = report.clone();
        let changes = [journal(step, &"x".repeat(100_000))];
        writer.submit(changes, Box::new(move || report.send(step).unwrap()));
    }
    writer.stop();
    assert!(reported.try_iter().eq(1..=5));
    assert!(failures.load(Ordering::Relaxed) >= 1);
    assert_eq!(open(&directory).1, Saved::default());
}

#[tokio::test]
async fn a_completion_that_panics_is_told() {
    let directory = directory();
    let (writer, ended) = Writer::start(open(&directory).0).unwrap();
    writer.submit([], Box::new(|| panic!("on purpose")));
    tokio::time::timeout(PATIENCE, ended.panicked()).await.unwrap();
    drop(writer);
}

#[tokio::test(start_paused = true)]
async fn the_end_that_was_asked_for_is_no_panic() {
    let directory = directory();
    let (writer, ended) = Writer::start(open(&directory).0).unwrap();
    writer.stop();
    assert!(tokio::time::timeout(PATIENCE, ended.panicked()).await.is_err());
}

#[track_caller]
fn eventually(is_true: impl Fn() -> bool) {
    for _ in 0..2000 {
        if is_true() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain");
}
