//! Any bytes as pages of two targets: the reader that remembers tells what the plain one tells.

#![no_main]

#[path = "../../tests/it/reading_equivalence.rs"]
mod reading_equivalence;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reading_equivalence::check_pages(&String::from_utf8_lossy(bytes));
});
