//! Work that uses something up.

use std::hint::black_box;
use std::time::Duration;

use crate::cpu_time::cpu_time;
use crate::rounds::Subject;

/// Pieces of work that are prepared together: few enough to stay in the processor's caches.
const TOGETHER: u64 = 16;

/// A subject that uses up what is made for it outside of what is measured. What it returns is
/// thrown away there too.
pub(crate) fn prepared<'a, P, T>(
    name: impl Into<String>,
    mut prepare: impl FnMut() -> P + 'a,
    mut once: impl FnMut(P) -> T + 'a,
) -> Subject<'a> {
    let work = move |times: u64| {
        let (mut left, mut time) = (times, Duration::ZERO);
        while left > 0 {
            let part = left.min(TOGETHER);
            let prepared: Vec<P> = (0..part).map(|_| prepare()).collect();
            let mut done = Vec::with_capacity(prepared.len());
            let start = cpu_time();
            done.extend(prepared.into_iter().map(&mut once));
            time += cpu_time().saturating_sub(start);
            black_box(done);
            left -= part;
        }
        time
    };
    Subject { name: name.into(), work: Box::new(work) }
}
