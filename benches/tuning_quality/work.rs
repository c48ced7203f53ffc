//! Spreads the measurements over threads and shows how far they are.
//!
//! Each measurement is a function of its workload and seed, and goes to its own place in the
//! result, so the figures do not depend on the number of threads.

use std::io::Write;
use std::sync::Mutex;
use std::sync::PoisonError;

use super::measure;
use super::measure::Measurement;
use super::options::Options;
use super::options::Plan;
use super::subject::Subject;

/// What the threads share.
struct Shared<'a, W> {
    next: usize,
    done: Vec<Option<Measurement>>,
    fault: Option<anyhow::Error>,
    messages: &'a mut W,
}

/// Measures every subject under every seed; by subject, then by seed.
pub(crate) fn measure_all(
    subjects: &[Subject],
    options: &Options,
    plan: &Plan,
    messages: &mut (impl Write + Send),
    is_terminal: bool,
) -> anyhow::Result<Vec<Vec<Measurement>>> {
    let seeds: Vec<u64> = options.seeds().collect();
    let jobs: Vec<(&Subject, u64)> = subjects
        .iter()
        .flat_map(|subject| seeds.iter().map(move |seed| (subject, *seed)))
        .collect();
    let done = jobs.iter().map(|_| None).collect();
    let shared = Mutex::new(Shared { next: 0, done, fault: None, messages });
    std::thread::scope(|scope| {
        for _ in 0..options.threads().min(jobs.len()) {
            scope.spawn(|| work(&jobs, &shared, (options, plan), is_terminal));
        }
    });
    let Shared { done, fault, messages, .. } =
        shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    if is_terminal {
        write!(messages, "\r\x1b[K")?;
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    let done: Option<Vec<Measurement>> = done.into_iter().collect();
    let done = done.ok_or_else(|| anyhow::anyhow!("a thread ended before its work"))?;
    Ok(done.chunks(seeds.len().max(1)).map(<[Measurement]>::to_vec).collect())
}

fn work<W: Write>(
    jobs: &[(&Subject, u64)],
    shared: &Mutex<Shared<'_, W>>,
    (options, plan): (&Options, &Plan),
    is_terminal: bool,
) {
    loop {
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let at = state.next;
        let Some((subject, seed)) = jobs.get(at).filter(|_| state.fault.is_none()) else { return };
        state.next += 1;
        if is_terminal {
            let (number, all, name) = (at + 1, jobs.len(), subject.name());
            // Progress that cannot be shown is no reason to stop.
            _ = write!(state.messages, "\r\x1b[K{number} of {all}: {name}, seed {seed}");
            _ = state.messages.flush();
        }
        drop(state);
        let measured = measure::measure(subject, *seed, options, plan);
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match measured {
            Ok(measured) => state.done[at] = Some(measured),
            Err(fault) => state.fault = Some(fault),
        }
    }
}
