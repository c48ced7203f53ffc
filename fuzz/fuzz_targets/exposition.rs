//! Any bytes as a page, in both formats: no panic, and what holds for every page holds.

#![no_main]

#[path = "../../tests/it/exposition_invariants.rs"]
mod exposition_invariants;
#[path = "../../tests/it/exposition_print.rs"]
mod exposition_print;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exposition_invariants::check_text(&String::from_utf8_lossy(bytes));
});
