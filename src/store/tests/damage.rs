//! Files that cannot be used: what is damaged is set aside, what is not ours to judge is refused.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::*;
use crate::store::directory::DATABASE;
use crate::store::schema::MIGRATIONS;

/// A store with something in it, in the database and in its log.
fn filled() -> TempDir {
    let directory = directory();
    let (mut store, _) = open(&directory);
    let many: Vec<_> = (0..200).map(|n| cache(&n.to_string(), &"x".repeat(500))).collect();
    store.write(&batch(&many)).unwrap();
    store.close().unwrap();
    let (mut store, _) = open(&directory);
    store.write(&batch(&[cache("newest", "y")])).unwrap();
    directory
}

fn database(directory: &TempDir) -> PathBuf {
    directory.path().join(DATABASE)
}

fn log(directory: &TempDir) -> PathBuf {
    directory.path().join(format!("{DATABASE}-wal"))
}

/// What a file holds; nothing where there is none.
fn content(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_default()
}

/// Damages a store; it is set aside as it is, says why, and an empty one takes its place.
#[track_caller]
fn check(damage: impl Fn(&TempDir), why: &str) {
    let directory = filled();
    damage(&directory);
    let damaged = [content(&database(&directory)), content(&log(&directory))];
    let Opened { mut store, saved, notices } = Store::open(directory.path(), NOW).unwrap();
    assert!(saved == Saved::default(), "an empty one takes its place");
    let [Notice::SetAside { database: from, aside, fault }] = notices.as_slice() else {
        panic!("{notices:?}");
    };
    assert!(fault.contains(why), "{fault}");
    assert_eq!(*from, database(&directory).canonicalize().unwrap());
    assert!(aside.ends_with("cache-tuner.db.damaged-1700000000000"), "{}", aside.display());
    let mut aside_log = aside.clone().into_os_string();
    aside_log.push("-wal");
    let found = [content(aside), content(Path::new(&aside_log))];
    assert!(found == damaged, "what was damaged is kept to the byte");
    store.write(&batch(&[cache("a", "1")])).unwrap();
    drop(store);
    assert_eq!(open(&directory).1.caches.len(), 1);
}

fn scribble(directory: &TempDir, at: usize) {
    let mut bytes = fs::read(database(directory)).unwrap();
    bytes[at..at + 64].fill(0xa5);
    fs::write(database(directory), bytes).unwrap();
}

fn run(directory: &TempDir, sql: &str) {
    Connection::open(database(directory)).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_is_damaged_is_set_aside() {
    check(|d| fs::write(database(d), "no database at all, but text").unwrap(), "not a database");
    check(|d| fs::write(database(d), "").unwrap(), "it is empty");
    check(|d| scribble(d, 0), "not a database");
    check(|d| scribble(d, 8 * 8192), "");
    check(|d| scribble(d, 5 * 8192), "");
    let cut = |directory: &TempDir| {
        let file = fs::File::options().write(true).open(database(directory)).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    };
    check(cut, "");
    check(|d| fs::remove_file(database(d)).unwrap(), "lies there without it");
    check(|d| run(d, "PRAGMA user_version = 0"), "no schema");
    check(|d| run(d, "DROP TABLE journal"), "no such table");
    check(|d| run(d, "INSERT INTO sample VALUES (1, 0, x'010203')"), "no samples");
}

#[test]
fn a_second_damaged_file_does_not_replace_the_first() {
    let directory = filled();
    for count in 1..=3 {
        fs::write(database(&directory), count.to_string()).unwrap();
        let opened = Store::open(directory.path(), NOW).unwrap();
        assert_eq!(opened.notices.len(), 1);
        let names = fs::read_dir(directory.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let aside = names.filter(|name| {
            name.contains("damaged") && !name.ends_with("-wal") && !name.ends_with("-shm")
        });
        assert_eq!(aside.count(), count);
    }
}

#[test]
fn a_notice_says_what_was_done_and_where_the_old_one_lies() {
    let notice = Notice::SetAside {
        database: PathBuf::from("data/cache-tuner.db"),
        aside: PathBuf::from("data/cache-tuner.db.damaged-5"),
        fault: "it is empty".to_owned(),
    };
    assert_eq!(
        notice.to_string(),
        "`data/cache-tuner.db` is damaged (it is empty): it was renamed to \
         `data/cache-tuner.db.damaged-5`, and what it kept is not used. \
         `sqlite3 data/cache-tuner.db.damaged-5 .recover` shows what can be read of it"
    );
}

#[test]
fn a_newer_schema_is_refused_and_stays_as_it_is() {
    let directory = filled();
    let newer: Vec<_> = MIGRATIONS.iter().copied().chain(["CREATE TABLE later (x)"]).collect();
    drop(Store::open_with(directory.path(), NOW, &newer).unwrap());
    let before = fs::read(database(&directory)).unwrap();
    let error = Store::open(directory.path(), NOW).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("run the version that wrote it"), "{error}");
    assert_eq!(fs::read(database(&directory)).unwrap(), before);
    assert_eq!(Store::open_with(directory.path(), NOW, &newer).unwrap().saved.caches.len(), 201);
}

#[test]
fn an_older_schema_is_brought_up_with_what_it_holds() {
    let directory = filled();
    let newer = [MIGRATIONS[0], "UPDATE cache SET document = upper(document)"];
    let opened = Store::open_with(directory.path(), NOW, &newer).unwrap();
    let newest = opened.saved.caches.iter().find(|cache| &*cache.key.cache == "newest").unwrap();
    assert_eq!(newest.document.as_deref(), Some("Y"));
    assert_eq!(opened.notices, []);
}

#[test]
fn a_database_of_each_released_schema_is_read() {
    let directory = directory();
    run(&directory, include_str!("../../../tests/golden/store-schema-1.sql"));
    let (_store, saved) = open(&directory);
    let mut model = Model::default();
    for ms in 1..=9 {
        model.apply(sample("sessions", ms));
    }
    model.apply(cache("sessions", r#"{"tunings":2}"#));
    model.apply(journal(7, r#"{"rule":"grow"}"#));
    model.apply(shared("breaker", r#"{"open":false}"#));
    assert_eq!(saved, model.saved());
}

#[test]
fn two_programs_cannot_use_one_directory() {
    let directory = directory();
    let (store, _) = open(&directory);
    let error = Store::open(directory.path(), NOW).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(store);
    open(&directory);
}

#[test]
fn what_is_not_damaged_but_unusable_is_refused() {
    let directory = directory();
    fs::create_dir(database(&directory)).unwrap();
    let error = Store::open(directory.path(), NOW).unwrap_err();
    assert!(matches!(error, OpenError::Sqlite { .. }), "{error}");
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Store::open(&file, NOW).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error}");
}

#[test]
fn what_is_stored_is_read_where_no_other_file_can_be_made() {
    let directory = directory();
    let (mut store, _) = open(&directory);
    store.write(&batch(&[cache("a", "1")])).unwrap();
    store.close().unwrap();
    // As on a full disk: the index of the log cannot be made.
    let index = directory.path().join(format!("{DATABASE}-shm"));
    std::os::unix::fs::symlink("nowhere", index).unwrap();
    let (mut store, saved) = open(&directory);
    assert_eq!(saved.caches.len(), 1);
    store.write(&batch(&[cache("b", "2")])).unwrap();
    drop(store);
    assert_eq!(open(&directory).1.caches.len(), 2);
}

#[test]
fn what_a_crash_left_of_a_new_database_is_made_again() {
    let directory = directory();
    let unfinished = directory.path().join(format!("{DATABASE}.new"));
    fs::write(&unfinished, "half of one").unwrap();
    let (mut store, _) = open(&directory);
    store.write(&batch(&[cache("a", "1")])).unwrap();
    assert!(!unfinished.exists());
}

#[test]
fn others_may_read_while_it_is_open_and_one_file_remains() {
    let directory = directory();
    let (mut store, _) = open(&directory);
    store.write(&batch(&[journal(1, "entry")])).unwrap();
    let reader = Connection::open(database(&directory)).unwrap();
    let document = "SELECT document FROM journal";
    let document: String = reader.query_row(document, [], |row| row.get(0)).unwrap();
    assert_eq!(document, "entry");
    drop(reader);
    store.close().unwrap();
    let names = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["cache-tuner.db", "cache-tuner.lock"]);
}
