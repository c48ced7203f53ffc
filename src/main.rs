//! The program: arguments in, exit status out.

use std::process::ExitCode;

use clap::Parser as _;

use cache_tuner_exporter::cli::Cli;
use cache_tuner_exporter::command;

fn main() -> ExitCode {
    command::main(Cli::parse())
}
