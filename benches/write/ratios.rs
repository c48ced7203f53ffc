//! All subjects on one board, in turn, round by round: what disturbs the machine disturbs all. Of
//! many rounds the fastest counts, by the processor's time, since others use the machine too.

use std::time::Duration;

use crate::cpu_time::cpu_time;
use crate::fleet::Fleet;
use crate::memory;
use crate::subjects;
use crate::subjects::FLOOR;
use crate::subjects::Subject;

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 100;

/// How long all rounds of a board may take.
const ROUNDS_TIME_MAX: Duration = Duration::from_secs(20);

const MIB: f64 = 1024.0 * 1024.0;

/// Prints a table; a quick one has one round.
#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
pub(crate) fn print(fleet: &Fleet, has_peers: bool, quick: bool) -> anyhow::Result<()> {
    let mut subjects = vec![subjects::floor()];
    subjects.extend(subjects::ours(fleet));
    if has_peers {
        subjects.extend(subjects::peers(fleet));
    }
    let mut sizes = Vec::new();
    for subject in &mut subjects {
        memory::forget_peak();
        let before = memory::resident();
        let bytes = (subject.write)(fleet);
        anyhow::ensure!(bytes > 0, "`{}` writes nothing", subject.name);
        sizes.push((bytes, memory::peak().saturating_sub(before)));
    }
    let mut fastest = vec![f64::INFINITY; subjects.len()];
    let mut spent = Duration::ZERO;
    for _ in 0..if quick { 1 } else { ROUNDS } {
        for (subject, fastest) in subjects.iter_mut().zip(&mut fastest) {
            let time = round(subject, fleet);
            spent += time;
            *fastest = fastest.min(time.as_secs_f64() * 1e3);
        }
        if spent > ROUNDS_TIME_MAX {
            break;
        }
    }
    let floor = subjects.iter().position(|subject| subject.name == FLOOR).map_or(0, |at| at);
    let page = fleet.page.len() as f64 / 1e6;
    println!("\n{}: {} series, {page:.1} MB", fleet.name(), fleet.series);
    let (taken, page) = (fleet.first_peak as f64 / MIB, fleet.page.len() as f64 / MIB);
    println!("the first page of the program, {page:.1} MiB, took {taken:.1} MiB from the system");
    println!("{:38} {:>9} {:>9} {:>8} {:>9}", "", "CPU ms", "× floor", "MB", "peak MiB");
    for ((subject, time), (bytes, peak)) in subjects.iter().zip(&fastest).zip(&sizes) {
        let (ratio, bytes, peak) = (time / fastest[floor], *bytes as f64 / 1e6, *peak as f64 / MIB);
        println!("{:38} {time:>9.3} {ratio:>9.2} {bytes:>8.1} {peak:>9.1}", subject.name);
    }
    Ok(())
}

/// Writes once.
fn round(subject: &mut Subject, fleet: &Fleet) -> Duration {
    let start = cpu_time();
    std::hint::black_box((subject.write)(std::hint::black_box(fleet)));
    cpu_time().saturating_sub(start)
}
