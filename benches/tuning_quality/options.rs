//! The arguments, and how much is measured.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use cache_tuner_exporter::sim::catalogue;
use clap::Parser;
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;

use super::measure;

/// Most seeds of one run; more would only be waited for.
const SEEDS_MAX: u64 = 1_000;

/// Most threads.
const THREADS_MAX: usize = 64;

/// Seeds where none are named: those that results are reported on.
const SEEDS_REPORTED: RangeInclusive<u64> = 100..=129;

/// Seeds of the short form.
const SEEDS_SHORT: RangeInclusive<u64> = 0..=1;

/// Workloads of the short form.
const WORKLOADS_SHORT: [&str; 3] = ["zipf-0.8", "growth", "common-step"];

/// How good the caches get that are tuned, by policy and workload, in simulation.
#[derive(Debug, Parser)]
#[command(name = "tuning_quality")]
pub(crate) struct Options {
    /// Seeds, first to last [default: 100-129, with --short 0-1]
    #[arg(long, value_name = "A-B", value_parser = parse_seeds)]
    seeds: Option<RangeInclusive<u64>>,
    /// This workload alone; repeatable [default: all of them, with --short three]
    #[arg(long, value_name = "NAME")]
    workload: Vec<String>,
    /// A trace, xz-compressed big-endian 32-bit keys; repeatable, beside the workloads
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Vec<PathBuf>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// This section alone; repeatable [default: all of them]
    #[arg(long, value_enum, value_name = "SECTION")]
    only: Vec<Section>,
    /// This policy alone; repeatable [default: all of them]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(measure::names()))]
    policy: Vec<String>,
    /// A first look, within a minute
    #[arg(long)]
    short: bool,
    /// Threads [default: as many as there are cores]; the figures do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// What policies make of the caches
    Policies,
    /// How often the judge is right
    Judge,
    /// How far predictions are off
    Predictor,
    /// What comes of tunings that rules trigger, and what their confidences are worth
    Rules,
}

/// How much of each workload is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Ticks before the policies begin.
    pub(crate) warm_up_ticks: u64,
    /// Ticks from there on.
    pub(crate) measured_ticks: u64,
    /// Caches of a job.
    pub(crate) caches: u64,
    /// Size multipliers that are tried in hindsight, of level 1 and of level 2.
    pub(crate) grid: (&'static [f64], &'static [f64]),
    /// Samples of a cache before it is tuned for the judge.
    pub(crate) judged_history: usize,
    /// Measured ticks at which changes of size are predicted.
    pub(crate) predicted_at: &'static [u64],
}

// === impl Plan ===

impl Plan {
    /// Everything that the catalogue says.
    pub(crate) const WHOLE: Self = Self {
        warm_up_ticks: catalogue::WARM_UP_TICKS,
        measured_ticks: catalogue::MEASURED_TICKS,
        caches: catalogue::CACHES,
        grid: (&[0.4, 1.0], &[0.5, 1.0, 1.5, 2.0, 2.5, 3.0]),
        judged_history: 120,
        predicted_at: &[60, 220],
    };
}

// === impl Options ===

impl Options {
    /// The seeds to run.
    pub(crate) fn seeds(&self) -> RangeInclusive<u64> {
        let default = if self.short { SEEDS_SHORT } else { SEEDS_REPORTED };
        self.seeds.clone().unwrap_or(default)
    }

    /// Names of the workloads to run.
    pub(crate) fn workloads(&self) -> Vec<&str> {
        if !self.workload.is_empty() {
            self.workload.iter().map(String::as_str).collect()
        } else if self.short {
            WORKLOADS_SHORT.to_vec()
        } else {
            catalogue::SCENARIOS.iter().map(|scenario| scenario.name).collect()
        }
    }

    /// Whether a section is measured.
    pub(crate) fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }

    /// Whether a policy is measured.
    pub(crate) fn wants_policy(&self, name: &str) -> bool {
        self.policy.is_empty() || self.policy.iter().any(|wanted| wanted == name)
    }

    /// Threads to run on.
    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).clamp(1, THREADS_MAX)
    }
}

fn parse_seeds(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let parse = |part: &str| part.parse::<u64>().map_err(|_| format!("`{part}` is no seed"));
    let (first, last) = (parse(first)?, parse(last)?);
    if last < first {
        return Err(format!("`{text}` ends before it begins"));
    }
    if last - first >= SEEDS_MAX {
        return Err(format!("more than {SEEDS_MAX} seeds"));
    }
    Ok(first..=last)
}
