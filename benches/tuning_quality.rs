//! The benchmark of tuning quality: how good the caches get that this program tunes, beside what
//! others would make of them.
//!
//! `cargo bench --bench tuning_quality -- [--seeds A-B] [--workload NAME] [--trace FILE]
//! [--format text|json] [--short]`. Method and results are in `benches/README.md`. It measures no
//! time: it runs in simulation and gives the same figures on every machine.

#[path = "tuning_quality/suite.rs"]
mod suite;

use std::io::IsTerminal as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let stderr = std::io::stderr();
    let is_terminal = stderr.is_terminal();
    let mut stdout = std::io::stdout().lock();
    suite::main(std::env::args_os(), &suite::Plan::WHOLE, &mut stdout, stderr, is_terminal)
}
