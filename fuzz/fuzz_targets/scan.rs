//! Any bytes as a page, in both formats: the fast pass over it tells what the plain parser tells.

#![no_main]

#[path = "../../tests/it/scan_equivalence.rs"]
mod scan_equivalence;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    scan_equivalence::check_scan(&String::from_utf8_lossy(bytes));
});
