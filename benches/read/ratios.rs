//! All subjects on one page, in turn, round by round: what disturbs the machine disturbs all.
//!
//! Of many short rounds the fastest counts. On a machine that builds something else meanwhile, the
//! median of longer ones tells how often the scheduler took the core away.

use std::time::Duration;
use std::time::Instant;

use crate::pages::Scenario;
use crate::subjects;
use crate::subjects::FLOOR;
use crate::subjects::Subject;

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 400;

/// How long all rounds of a page may take; large pages get fewer.
const ROUNDS_TIME_MAX: Duration = Duration::from_secs(12);

/// How long a subject reads in one round, at least once.
const ROUND_TIME_MIN: Duration = Duration::from_micros(300);

/// Prints a table; a quick one has one short round.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
pub(crate) fn print(scenario: &Scenario, quick: bool) {
    let mut subjects = subjects::of(scenario);
    let bytes = scenario.pages.iter().map(String::len).sum::<usize>() as f64 / 2.0;
    for subject in &mut subjects {
        // Warm: the first page teaches, the second shows that it was learnt.
        for page in &scenario.pages {
            std::hint::black_box((subject.read)(page));
        }
    }
    let mut fastest = vec![f64::INFINITY; subjects.len()];
    let mut spent = Duration::ZERO;
    for _ in 0..if quick { 1 } else { ROUNDS } {
        for (subject, fastest) in subjects.iter_mut().zip(&mut fastest) {
            let (time, pages) = round(subject, scenario, quick);
            spent += time;
            *fastest = fastest.min(time.as_nanos() as f64 / f64::from(pages));
        }
        if spent > ROUNDS_TIME_MAX {
            break;
        }
    }
    let floor = subjects.iter().position(|subject| subject.name == FLOOR).map_or(0, |at| at);
    println!("\n{}: {bytes:.0} bytes", scenario.name);
    println!("{:38} {:>11} {:>9} {:>10}", "", "µs", "MB/s", "× floor");
    for (subject, time) in subjects.iter().zip(&fastest) {
        let speed = bytes / time * 1e3;
        let ratio = time / fastest[floor];
        println!("{:38} {:>11.2} {speed:>9.0} {ratio:>10.2}", subject.name, time / 1e3);
    }
    for (subject, time) in subjects.iter().zip(&fastest).filter(|(s, _)| s.is_ours) {
        let peers = subjects.iter().zip(&fastest).filter(|(s, _)| is_peer(s));
        let ratios: Vec<String> =
            peers.map(|(peer, theirs)| format!("{:.1} × {}", theirs / time, peer.name)).collect();
        println!("{} is {}", subject.name, ratios.join(", "));
    }
}

fn is_peer(subject: &Subject) -> bool {
    subject.name.starts_with("prom")
}

/// Reads for one round: the time taken, and for how many pages.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn round(subject: &mut Subject, scenario: &Scenario, quick: bool) -> (Duration, u32) {
    let time_min = if quick { Duration::ZERO } else { ROUND_TIME_MIN };
    let mut pages = 0;
    let start = Instant::now();
    loop {
        for page in &scenario.pages {
            std::hint::black_box((subject.read)(std::hint::black_box(page)));
            pages += 1;
        }
        let elapsed = start.elapsed();
        if elapsed >= time_min {
            return (elapsed, pages);
        }
    }
}
