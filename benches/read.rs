//! How fast a page is read: beside the crates that read such pages, and beside what any reader
//! must do at least, find the ends of the lines.
//!
//! Ratios count, not times: a machine is faster on one day than on the next, and so is everything
//! on it. So one run first measures all subjects in turn, round by round, and prints them
//! beside each other; then criterion measures ours for comparisons with an earlier run.

#[path = "read/pages.rs"]
mod pages;
#[path = "read/ratios.rs"]
mod ratios;
#[path = "read/subjects.rs"]
mod subjects;

use std::hint::black_box;

use criterion::Criterion;
use criterion::Throughput;

use crate::pages::Scenario;

fn main() {
    let scenarios = pages::scenarios();
    // With a filter or an option of criterion's there are only criterion's figures.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().all(|argument| ["--bench", "--list", "--test"].contains(&&**argument)) {
        let quick = arguments.iter().any(|argument| argument == "--test");
        for scenario in &scenarios {
            ratios::print(scenario, quick);
        }
    }
    let mut criterion = Criterion::default().configure_from_args();
    for scenario in &scenarios {
        measure(&mut criterion, scenario);
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, scenario: &Scenario) {
    let mut group = criterion.benchmark_group(scenario.name);
    group.throughput(Throughput::Bytes(scenario.pages[0].len() as u64));
    for mut subject in subjects::of(scenario).into_iter().filter(|subject| subject.is_ours) {
        group.bench_function(subject.name, |bencher| {
            let mut pages = scenario.pages.iter().cycle();
            bencher.iter(|| (subject.read)(black_box(pages.next().map_or("", String::as_str))));
        });
    }
    group.finish();
}
