//! The store against a plain model of it.

mod damage;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::judge::Sample;
use crate::judge::TRACK_SAMPLES_MAX;
use crate::memory::Change;
use crate::memory::JOURNAL_KEPT;
use crate::memory::JOURNAL_RESTORED_MAX;
use crate::memory::SavedCache;
use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::target_id::TargetId;
use crate::units::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[track_caller]
fn open(directory: &TempDir) -> (Store, Saved) {
    let Opened { store, saved, notices } = Store::open(directory.path(), NOW).unwrap();
    assert_eq!(notices, []);
    (store, saved)
}

fn key(cache: &str) -> CacheKey {
    let id = TargetId { scrape_job: Arc::from("job"), target: Arc::from("host:1") };
    CacheKey { id, cache: Arc::from(cache) }
}

fn cache(name: &str, document: &str) -> Change {
    Change::Cache { key: key(name), document: document.to_owned() }
}

fn forget(name: &str) -> Change {
    Change::Forget { key: key(name) }
}

fn sample(name: &str, ms: i64) -> Change {
    let mut snapshot = PerformanceSnapshot::empty(Timestamp::from_millis(ms));
    if ms % 3 != 0 {
        snapshot.set(Signal::HitRate, Some(1.0 / ms as f64));
    }
    Change::Sample { key: key(name), sample: Sample::new(&snapshot, ms % 2 == 0) }
}

fn journal(number: u64, document: &str) -> Change {
    Change::Journal { number, document: document.to_owned() }
}

fn shared(name: &str, document: &str) -> Change {
    Change::Shared { name: name.to_owned(), document: document.to_owned() }
}

fn batch(changes: &[Change]) -> Batch {
    changes.iter().cloned().collect()
}

/// What a store has to do, in the plainest way.
#[derive(Debug, Default)]
struct Model {
    caches: BTreeMap<CacheKey, (Option<String>, Vec<Sample>)>,
    journal: BTreeMap<u64, String>,
    shared: BTreeMap<String, String>,
}

impl Model {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Cache { key, document } => {
                self.caches.entry(key).or_default().0 = Some(document);
            }
            Change::Forget { key } => {
                self.caches.remove(&key);
            }
            Change::Journal { number, document } => {
                self.journal.insert(number, document);
                let newest = *self.journal.last_key_value().unwrap().0;
                self.journal.retain(|number, _| newest - number < JOURNAL_KEPT);
            }
            Change::Sample { key, sample } => {
                let samples = &mut self.caches.entry(key).or_default().1;
                samples.push(sample);
                if samples.len() > TRACK_SAMPLES_MAX {
                    samples.remove(0);
                }
            }
            Change::Shared { name, document } => {
                self.shared.insert(name, document);
            }
        }
    }

    fn apply_all(&mut self, changes: impl IntoIterator<Item = Change>) {
        for change in changes {
            self.apply(change);
        }
    }

    fn saved(&self) -> Saved {
        let caches = self.caches.iter().map(|(key, (document, samples))| SavedCache {
            key: key.clone(),
            document: document.clone(),
            samples: samples.clone(),
        });
        let journal = self.journal.iter().rev().take(JOURNAL_RESTORED_MAX as usize);
        Saved {
            caches: caches.collect(),
            journal: journal.map(|(number, document)| (*number, document.clone())).collect(),
            shared: self.shared.clone(),
        }
    }
}

/// Writes each step as a batch; both the open store and its files then hold what the model says.
#[track_caller]
fn check(steps: &[&[Change]]) {
    let directory = directory();
    let (mut store, saved) = open(&directory);
    assert_eq!(saved, Saved::default());
    let mut model = Model::default();
    for step in steps {
        store.write(&batch(step)).unwrap();
        model.apply_all(step.to_vec());
        drop(store);
        let (again, saved) = open(&directory);
        assert_eq!(saved, model.saved());
        store = again;
    }
    store.close().unwrap();
    let (_store, saved) = open(&directory);
    assert_eq!(saved, model.saved());
}

#[test]
fn what_is_written_comes_back() {
    check(&[]);
    check(&[&[]]);
    check(&[&[cache("a", "1"), sample("a", 1), journal(1, "{}"), shared("breaker", "{}")]]);
    check(&[&[cache("a", "é\0\"")]]);
    check(&[&[cache("a", "1"), cache("b", "2")], &[cache("a", "3")], &[sample("b", 1)]]);
    check(&[&[journal(1, "a"), journal(2, "b")], &[journal(1, "c")], &[journal(2, "d")]]);
    check(&[&[shared("a", "1"), shared("b", "2")], &[shared("a", "3")]]);
}

#[test]
fn a_sample_without_a_state_has_none() {
    check(&[&[sample("a", 1)], &[cache("a", "1")]]);
}

#[test]
fn what_is_forgotten_is_gone() {
    check(&[&[cache("a", "1"), sample("a", 1)], &[forget("a")]]);
    check(&[&[forget("a")], &[cache("a", "1"), forget("a")]]);
    check(&[&[cache("a", "1"), sample("a", 1)], &[forget("a"), sample("a", 2)], &[sample("a", 3)]]);
    check(&[&[cache("a", "1")], &[forget("a"), cache("a", "2")], &[cache("a", "3")]]);
    let both = [cache("a", "1"), sample("a", 1), cache("b", "2"), sample("b", 2)];
    check(&[&both, &[forget("a")], &[cache("c", "3"), sample("c", 3)]]);
}

#[test]
fn the_newest_samples_are_kept() {
    let many: Vec<Change> = (0..777).map(|ms| sample("a", ms)).collect();
    check(&[&many]);
    check(&[&many[..239], &many[239..240], &many[240..241], &many[241..]]);
    check(&many[..20].chunks(1).collect::<Vec<_>>());
}

#[test]
fn the_newest_entries_of_the_journal_are_kept() {
    let numbers = |numbers: std::ops::Range<u64>| -> Vec<_> {
        numbers.map(|number| journal(number, &number.to_string())).collect()
    };
    check(&[&numbers(0..5), &numbers(JOURNAL_KEPT - 1..JOURNAL_KEPT + 3), &numbers(2..4)]);
    check(&[&numbers(0..1500)]);
    let directory = directory();
    let (mut store, _) = open(&directory);
    store.write(&batch(&numbers(0..JOURNAL_KEPT + 7))).unwrap();
    let count = "SELECT count(*) FROM journal";
    let count: u64 =
        store.connection.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned();
    assert_eq!(count, JOURNAL_KEPT);
}

#[test]
fn a_write_that_fails_leaves_everything_as_it_was() {
    let directory = directory();
    let (mut store, _) = open(&directory);
    let mut model = Model::default();
    let small = [cache("a", "1"), sample("a", 1), journal(1, "a")];
    store.write(&batch(&small)).unwrap();
    model.apply_all(small);
    fill_disk(&store);
    let large = [forget("a"), sample("b", 2), cache("b", &"x".repeat(1 << 20)), journal(2, "b")];
    let error = store.write(&batch(&large)).unwrap_err().to_string();
    assert!(error.contains("full"), "{error}");
    empty_disk(&store);
    let more = [sample("a", 3), sample("b", 4)];
    store.write(&batch(&more)).unwrap();
    model.apply_all(more);
    drop(store);
    assert_eq!(open(&directory).1, model.saved());
}

/// From now on the database cannot grow.
fn fill_disk(store: &Store) {
    let pages: i64 =
        store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    limit_pages(store, pages);
}

fn empty_disk(store: &Store) {
    limit_pages(store, 1 << 30);
}

fn limit_pages(store: &Store, pages: i64) {
    store.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
}

#[derive(Debug, Clone)]
enum Action {
    Write(Vec<Change>),
    /// On a disk that is full.
    WriteFull(Vec<Change>),
    Merge(Vec<Vec<Change>>),
    Reopen,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let name = || proptest::sample::select(vec!["a", "b", "c"]);
    let text = "[a-z]{0,3}";
    let number = prop_oneof![
        0..8_u64,
        JOURNAL_KEPT - 2..JOURNAL_KEPT + 2,
        2 * JOURNAL_KEPT..2 * JOURNAL_KEPT + 2
    ];
    let long =
        (0..3_usize, text).prop_map(|(kib, text)| format!("{text}{}", " ".repeat(kib << 10)));
    let change = prop_oneof![
        (name(), long).prop_map(|(name, text)| vec![cache(name, &text)]),
        name().prop_map(|name| vec![forget(name)]),
        (number, text).prop_map(|(number, text)| vec![journal(number, &text)]),
        (name(), text).prop_map(|(name, text)| vec![shared(name, &text)]),
        (name(), 0..1_000_000_i64, prop_oneof![1..10_i64, 1..600_i64]).prop_map(
            |(name, from, count)| (from..from + count).map(|ms| sample(name, ms)).collect()
        ),
    ];
    proptest::collection::vec(change, 0..8).prop_map(|changes| changes.concat())
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        4 => changes().prop_map(Action::Write),
        1 => changes().prop_map(Action::WriteFull),
        1 => proptest::collection::vec(changes(), 0..4).prop_map(Action::Merge),
        1 => Just(Action::Reopen),
    ];
    proptest::collection::vec(action, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_written_comes_back_as_the_model_says(actions in actions()) {
        let directory = directory();
        let (mut store, _) = open(&directory);
        let mut model = Model::default();
        for action in actions {
            match action {
                Action::Write(changes) => {
                    store.write(&batch(&changes)).unwrap();
                    model.apply_all(changes);
                }
                Action::WriteFull(changes) => {
                    fill_disk(&store);
                    if store.write(&batch(&changes)).is_ok() {
                        model.apply_all(changes);
                    }
                    empty_disk(&store);
                }
                Action::Merge(steps) => {
                    let mut merged = Batch::default();
                    for step in &steps {
                        merged.append(batch(step));
                    }
                    merged.retain_forgotten(|key| store.knows(key));
                    store.write(&merged).unwrap();
                    model.apply_all(steps.concat());
                }
                Action::Reopen => {
                    drop(store);
                    store = open(&directory).0;
                }
            }
        }
        drop(store);
        prop_assert_eq!(open(&directory).1, model.saved());
    }
}

#[test]
fn what_waits_is_bounded() {
    let mut waiting = Batch::default();
    let caches = 2000;
    for ms in 0..400 {
        waiting.append((0..caches).map(|cache| sample(&cache.to_string(), ms)).collect());
    }
    let lengths: Vec<_> = waiting.caches.values().map(|change| change.samples.len()).collect();
    assert!(lengths.iter().sum::<usize>() <= SAMPLES_WAITING_MAX);
    assert!(lengths.iter().all(|length| *length >= SAMPLES_WAITING_MAX / caches / 2));
    let newest = waiting.caches.values().map(|change| change.samples.last().unwrap().timestamp);
    assert!(newest.into_iter().all(|newest| newest.as_millis() == 399));
}
