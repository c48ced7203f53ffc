//! The one integration binary: every test that needs more than a module of the library.
//!
//! One binary links once and shares `support`. The crate-level `cfg(test)` tells clippy that
//! helpers outside `#[test]` functions are test code too, so `expect` and `panic!` are allowed.
#![cfg(test)]

mod alert_statistics;
mod alerting;
mod boards;
mod check;
mod cmd;
mod config;
mod e2e_binary;
mod e2e_targets;
mod export;
mod exposition_differential;
mod exposition_golden;
mod exposition_invariants;
mod exposition_print;
mod expr;
mod fuzz_corpus;
mod grafana;
mod profile;
mod prop_exposition;
mod prop_reading;
mod prop_scan;
mod reading_equivalence;
mod readme;
mod real_browser;
mod real_demo;
mod real_loop;
mod real_prometheus;
mod real_redis;
mod real_varnish;
mod scan_equivalence;
mod scrape;
mod store_crash;
mod support;
mod support_selftest;
mod tuning_quality;
mod vectors;
mod web;
