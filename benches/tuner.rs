//! What a scrape costs once its page is read: the snapshot, the step of the cache's tuner, the
//! whole engine, and the judgement of a tuning; beside adding up the same windows.
//!
//! Ratios count, not times: one run measures all subjects in turn, round by round, and prints them
//! beside each other; then criterion measures them for comparisons with an earlier run.

#[path = "support/cases.rs"]
mod cases;
#[path = "support/cpu_time.rs"]
mod cpu_time;
#[path = "tuner/engines.rs"]
mod engines;
#[path = "tuner/judging.rs"]
mod judging;
#[path = "tuner/prepared.rs"]
mod prepared;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/samples.rs"]
mod samples;
#[path = "tuner/scrapes.rs"]
mod scrapes;
#[path = "tuner/steps.rs"]
mod steps;

use criterion::Criterion;

use crate::rounds::Subject;

/// Subjects of one piece of work, and into how many parts that divides.
struct Table<'a> {
    title: &'static str,
    parts: f64,
    all: Vec<Subject<'a>>,
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // With a filter or an option of criterion's there are only criterion's figures.
    let has_tables =
        arguments.iter().all(|argument| ["--bench", "--list", "--test"].contains(&&**argument));
    let quick = arguments.iter().any(|argument| argument == "--test");
    let jobs = judging::Jobs::new();
    let mut tables = vec![steps::table()?];
    tables.extend(engines::tables()?);
    tables.push(judging::table(&jobs));
    let mut criterion = Criterion::default().configure_from_args();
    for Table { title, parts, all } in &mut tables {
        if has_tables {
            rounds::print(title, all, *parts, quick);
        }
        let mut group = criterion.benchmark_group(*title);
        for subject in all {
            let name = subject.name.clone();
            group.bench_function(name, |bencher| {
                bencher.iter_custom(|times| (subject.work)(times));
            });
        }
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}
