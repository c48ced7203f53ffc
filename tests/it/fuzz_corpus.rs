//! Replays the fuzzing corpus, so that what a fuzzer once found stays fixed under `cargo test`.

use std::path::Path;

use crate::exposition_invariants::check_text;
use crate::reading_equivalence::check_pages;
use crate::scan_equivalence::check_scan;

/// Checks every file of a corpus.
#[track_caller]
fn check(corpus: &str, files_min: usize, holds: impl Fn(&str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        holds(&String::from_utf8_lossy(&bytes));
        count += 1;
    }
    assert!(count >= files_min, "the corpus has shrunk to {count} files");
}

#[test]
fn the_exposition_corpus_holds() {
    check("exposition", 20, check_text);
}

#[test]
fn the_reading_corpus_holds() {
    check("reading", 5, check_pages);
    check("exposition", 20, check_pages);
}

#[test]
fn the_scanning_corpus_holds() {
    check("exposition", 20, check_scan);
}
