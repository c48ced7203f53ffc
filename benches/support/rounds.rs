//! Subjects measured in turn, round by round: what disturbs the machine disturbs all of them.
//!
//! Of many short rounds the fastest counts, in the processor's time of the thread, since others use
//! the machine too. The first subject of a table is what ratios are against.

use std::hint::black_box;
use std::time::Duration;

use crate::cpu_time::cpu_time;

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 400;

/// How long all rounds of a table may take.
const ROUNDS_TIME_MAX: Duration = Duration::from_secs(10);

/// How long a subject works in one round, at least once.
const ROUND_TIME_MIN: Duration = Duration::from_micros(500);

/// Something to be measured.
pub(crate) struct Subject<'a> {
    pub(crate) name: String,
    /// Works so many times; says how long that took.
    pub(crate) work: Box<dyn FnMut(u64) -> Duration + 'a>,
}

impl<'a> Subject<'a> {
    /// One that only has to be done.
    pub(crate) fn new<T>(name: impl Into<String>, mut once: impl FnMut() -> T + 'a) -> Self {
        let work = move |times| {
            let start = cpu_time();
            for _ in 0..times {
                black_box(once());
            }
            cpu_time().saturating_sub(start)
        };
        Self { name: name.into(), work: Box::new(work) }
    }
}

/// Nanoseconds that each subject takes for one piece of work. A quick measurement has one round.
pub(crate) fn measure(subjects: &mut [Subject<'_>], quick: bool) -> Vec<f64> {
    let times: Vec<u64> = subjects.iter_mut().map(|s| enough(s, quick)).collect();
    let mut fastest = vec![f64::INFINITY; subjects.len()];
    let mut spent = Duration::ZERO;
    for _ in 0..if quick { 1 } else { ROUNDS } {
        let rounds = subjects.iter_mut().zip(&times).zip(&mut fastest);
        for ((subject, times), fastest) in rounds {
            let time = (subject.work)(*times);
            spent += time;
            *fastest = fastest.min(time.as_nanos() as f64 / *times as f64);
        }
        if spent > ROUNDS_TIME_MAX {
            break;
        }
    }
    fastest
}

/// Measures, and prints the times beside each other, divided by `parts`: what one piece of work
/// consists of.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
pub(crate) fn print(title: &str, subjects: &mut [Subject<'_>], parts: f64, quick: bool) {
    let fastest = measure(subjects, quick);
    let Some(floor) = fastest.first() else { return };
    println!("\n{title}");
    println!("{:52} {:>11} {:>9}", "", "ns", "× first");
    for (subject, time) in subjects.iter().zip(&fastest) {
        println!("{:52} {:>11.1} {:>9.2}", subject.name, time / parts, time / floor);
    }
}

/// How often a subject has to work for a round to be long enough.
fn enough(subject: &mut Subject<'_>, quick: bool) -> u64 {
    let mut times = 1;
    while (subject.work)(times) < ROUND_TIME_MIN && !quick {
        times *= 2;
    }
    times
}
