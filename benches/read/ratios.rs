//! All subjects on one page, in turn, round by round: what disturbs the machine disturbs all.

use std::time::Duration;
use std::time::Instant;

use crate::pages::Scenario;
use crate::subjects;
use crate::subjects::FLOOR;
use crate::subjects::Subject;

/// Rounds, of which the median counts.
const ROUNDS: usize = 31;

/// How long a subject reads in one round, at least once.
const ROUND_TIME_MIN: Duration = Duration::from_millis(4);

/// Prints a table; a quick one has one short round.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
pub(crate) fn print(scenario: &Scenario, quick: bool) {
    let mut subjects = subjects::of(scenario);
    let bytes = scenario.pages.iter().map(String::len).sum::<usize>() as f64 / 2.0;
    let mut times = vec![Vec::new(); subjects.len()];
    for subject in &mut subjects {
        // Warm: the first page teaches, the second shows that it was learnt.
        for page in &scenario.pages {
            std::hint::black_box((subject.read)(page));
        }
    }
    for _ in 0..if quick { 1 } else { ROUNDS } {
        for (subject, times) in subjects.iter_mut().zip(&mut times) {
            times.push(nanoseconds(subject, scenario, quick));
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    let floor = subjects.iter().position(|subject| subject.name == FLOOR).map_or(0, |at| at);
    println!("\n{}: {bytes:.0} bytes", scenario.name);
    println!("{:38} {:>11} {:>9} {:>10}", "", "µs", "MB/s", "× floor");
    for (subject, median) in subjects.iter().zip(&medians) {
        let speed = bytes / median * 1e3;
        let ratio = median / medians[floor];
        println!("{:38} {:>11.2} {speed:>9.0} {ratio:>10.2}", subject.name, median / 1e3);
    }
    for (subject, median) in subjects.iter().zip(&medians).filter(|(s, _)| s.is_ours) {
        let peers = subjects.iter().zip(&medians).filter(|(s, _)| is_peer(s));
        let ratios: Vec<String> =
            peers.map(|(peer, time)| format!("{:.1} × {}", time / median, peer.name)).collect();
        println!("{} is {}", subject.name, ratios.join(", "));
    }
}

fn is_peer(subject: &Subject) -> bool {
    subject.name.starts_with("prom")
}

/// Time for one page.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn nanoseconds(subject: &mut Subject, scenario: &Scenario, quick: bool) -> f64 {
    let time_min = if quick { Duration::ZERO } else { ROUND_TIME_MIN };
    let mut pages = 0_u32;
    let start = Instant::now();
    loop {
        for page in &scenario.pages {
            std::hint::black_box((subject.read)(std::hint::black_box(page)));
            pages += 1;
        }
        let elapsed = start.elapsed();
        if elapsed >= time_min {
            return elapsed.as_nanos() as f64 / f64::from(pages);
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
