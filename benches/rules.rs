//! How fast a rule is evaluated: beside the same rule written by hand, and beside evaluators of
//! expressions that are given the same windows.
//!
//! Ratios count, not times: one run measures all subjects in turn, round by round, and prints them
//! beside each other; then criterion measures ours for comparisons with an earlier run.

#[path = "rules/by_hand.rs"]
mod by_hand;
#[path = "support/cpu_time.rs"]
mod cpu_time;
#[path = "rules/peers.rs"]
mod peers;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/samples.rs"]
mod samples;
#[path = "rules/subjects.rs"]
mod subjects;
#[path = "support/windows.rs"]
mod windows;

use criterion::Criterion;

use crate::subjects::Setting;

fn main() -> anyhow::Result<()> {
    let setting = Setting::new()?;
    // With a filter or an option of criterion's there are only criterion's figures.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().all(|argument| ["--bench", "--list", "--test"].contains(&&**argument)) {
        let quick = arguments.iter().any(|argument| argument == "--test");
        for (title, mut subjects) in setting.tables()? {
            let parts = subjects.parts;
            rounds::print(&title, &mut subjects.all, parts, quick);
        }
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("rules");
    for mut subject in setting.ours() {
        let name = subject.name.clone();
        group.bench_function(name, |bencher| bencher.iter_custom(|times| (subject.work)(times)));
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
