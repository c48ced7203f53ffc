//! Instructions of the hot paths, counted under valgrind: unlike times, they are the same on a busy
//! machine and on a quiet one, so that small changes show.
//!
//! One piece of work each, after it was done a few times. It needs `valgrind` and `gungraun-runner`
//! in the library's version; see `README.md`.

#![expect(
    missing_docs,
    unused_qualifications,
    clippy::exit,
    reason = "what gungraun's macros write"
)]

#[path = "support/cases.rs"]
mod cases;
#[path = "write/fleet.rs"]
#[expect(dead_code, reason = "the peers, which are not counted, need the rest")]
mod fleet;
#[path = "write/memory.rs"]
mod memory;
#[path = "../tests/it/export/reference.rs"]
#[expect(dead_code, reason = "only its description of the process is wanted")]
mod reference;
#[path = "support/samples.rs"]
mod samples;
#[path = "support/windows.rs"]
mod windows;
#[path = "instructions/works.rs"]
mod works;

use std::hint::black_box;

use gungraun::library_benchmark;
use gungraun::library_benchmark_group;

use crate::works::Work;

// Works once. The work goes back, so that throwing it away is not counted.
#[library_benchmark]
#[bench::read_warm(works::read_warm())]
#[bench::read_plainly(works::read_plainly())]
#[bench::snapshot(works::snapshot())]
#[bench::rule(works::rule())]
#[bench::step(works::step())]
#[bench::step_analysed(works::step_analysed())]
#[bench::judgement(works::judgement())]
#[bench::write_1000_caches(works::write())]
fn once(mut work: Work) -> (usize, Work) {
    let result = black_box(work());
    (result, work)
}

library_benchmark_group!(name = hot, benchmarks = once);

gungraun::main!(library_benchmark_groups = hot);
