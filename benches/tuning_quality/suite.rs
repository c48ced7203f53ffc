//! The parts of the benchmark, and its run from arguments to report.
//!
//! It stands apart from `main` so that a test can run a small form of it, which keeps it from
//! rotting. What is measured of each workload and seed is a `Measurement`: the policies, the
//! judge and the predictor, each a section of the report.

mod closed_loop;
mod hindsight;
mod judging;
mod measure;
mod options;
mod oracle;
mod policy;
mod predicting;
mod report;
mod rules;
mod subject;
mod tally;
mod triggered;
mod verdicts;
mod work;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser as _;

use options::Format;
use options::Options;
use report::Report;

pub(crate) use options::Plan;

/// Wrong usage.
const EXIT_USAGE: u8 = 2;

/// Runs the benchmark as far as `plan` says; `messages` takes progress and faults.
pub(crate) fn main(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    plan: &Plan,
    output: &mut impl Write,
    mut messages: impl Write + Send,
    is_terminal: bool,
) -> ExitCode {
    let options = match Options::try_parse_from(arguments) {
        Ok(options) => options,
        Err(fault) => {
            let is_help = !fault.use_stderr();
            let text = fault.render();
            let shown = if is_help { write!(output, "{text}") } else { write!(messages, "{text}") };
            return if is_help && shown.is_ok() { ExitCode::SUCCESS } else { EXIT_USAGE.into() };
        }
    };
    match run(&options, plan, output, &mut messages, is_terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Nobody is left to tell when this fails.
            _ = writeln!(messages, "error: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what the options name and prints the report.
fn run(
    options: &Options,
    plan: &Plan,
    output: &mut impl Write,
    messages: &mut (impl Write + Send),
    is_terminal: bool,
) -> anyhow::Result<()> {
    let subjects = subject::chosen(options)?;
    if options.trace.is_empty() {
        writeln!(messages, "no --trace FILE given: running without real traces")?;
    }
    let measured = work::measure_all(&subjects, options, plan, messages, is_terminal)?;
    let report = Report::new(&subjects, &measured, options, plan);
    match options.format {
        Format::Text => report.write_text(output)?,
        Format::Json => report.write_json(output)?,
    }
    output.flush()?;
    Ok(())
}
