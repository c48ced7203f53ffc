//! How fast the metrics page is written: beside the crates that write such pages, and beside what
//! any writer must do at least, put the bytes into memory.
//!
//! Ratios count, not times: a machine is faster on one day than on the next, and so is everything
//! on it. So one run first measures all subjects in turn, round by round, and prints them
//! beside each other; then criterion measures ours for comparisons with an earlier run.

#[path = "support/cpu_time.rs"]
mod cpu_time;
#[path = "write/fleet.rs"]
mod fleet;
#[path = "write/memory.rs"]
mod memory;
#[path = "write/ratios.rs"]
mod ratios;
#[path = "../tests/it/export/reference.rs"]
mod reference;
#[path = "write/subjects.rs"]
mod subjects;

use std::hint::black_box;

use criterion::Criterion;
use criterion::Throughput;

use crate::fleet::Fleet;

/// How many caches, and whether the peers are measured as well: at the last size they would need
/// gigabytes.
const SIZES: [(usize, bool); 3] = [(1_000, true), (10_000, true), (100_000, false)];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // With a filter or an option of criterion's there are only criterion's figures.
    let has_tables =
        arguments.iter().all(|argument| ["--bench", "--list", "--test"].contains(&&**argument));
    let quick = arguments.iter().any(|argument| argument == "--test");
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    for (caches, has_peers) in SIZES {
        if quick && !has_peers {
            continue;
        }
        let fleet = Fleet::new(caches)?;
        if has_tables {
            ratios::print(&fleet, has_peers, quick)?;
        }
        measure(&mut criterion, &fleet);
    }
    criterion.final_summary();
    Ok(())
}

fn measure(criterion: &mut Criterion, fleet: &Fleet) {
    let mut group = criterion.benchmark_group(fleet.name());
    group.throughput(Throughput::Bytes(fleet.page.len() as u64));
    for mut subject in subjects::ours(fleet) {
        group.bench_function(subject.name, |bencher| {
            bencher.iter(|| (subject.write)(black_box(fleet)));
        });
    }
    group.finish();
}
