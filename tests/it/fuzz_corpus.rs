//! Replays the fuzzing corpus, so that what a fuzzer once found stays fixed under `cargo test`.

use std::path::Path;

use crate::exposition_invariants::check_text;

#[test]
fn the_exposition_corpus_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/exposition");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        check_text(&String::from_utf8_lossy(&bytes));
        count += 1;
    }
    assert!(count >= 20, "the corpus has shrunk to {count} files");
}
