//! What is measured: the scenarios of the catalogue and real traces, as jobs for a seed.
//!
//! Traces belong to others and are never part of this project. They are read through the `xz`
//! program, because they are read once a run and by people who measure: no decoder in the build.

use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context as _;
use cache_tuner_exporter::sim::catalogue;
use cache_tuner_exporter::sim::catalogue::Scenario;
use cache_tuner_exporter::sim::disturbance::Disturbance;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::sim::traffic::Traffic;

use super::options::Options;
use super::options::Plan;

/// Largest trace, decompressed: 64 Mi keys.
const TRACE_BYTES_MAX: usize = 256 << 20;

/// Bytes of a key.
const KEY_BYTES: usize = 4;

/// A workload that jobs can be made of.
#[derive(Debug)]
pub(crate) enum Subject {
    /// One of the catalogue.
    Scenario(&'static Scenario),
    /// A recorded trace.
    Trace {
        /// Its file's name.
        name: String,
        /// Its keys in order.
        keys: Vec<u32>,
    },
}

/// Which subjects make one line of the summary together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A workload of the catalogue without disturbance.
    Plain,
    /// One with.
    Disturbed,
    /// A trace.
    Trace,
}

// === impl Subject ===

impl Subject {
    /// As it is called in the report.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Scenario(scenario) => scenario.name,
            Self::Trace { name, .. } => name,
        }
    }

    /// What it is summed up with.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Scenario(scenario) if scenario.disturbance == Disturbance::None => Kind::Plain,
            Self::Scenario(_) => Kind::Disturbed,
            Self::Trace { .. } => Kind::Trace,
        }
    }

    /// Its caches for a seed, cold.
    pub(crate) fn job(&self, seed: u64, plan: &Plan) -> Job {
        let ticks = plan.warm_up_ticks + plan.measured_ticks;
        match self {
            Self::Scenario(scenario) => {
                let workload = scenario.workload;
                let traffic = Traffic::of_workload(workload, seed, plan.caches, ticks);
                Job::new(scenario, &Arc::new(traffic), seed)
            }
            Self::Trace { keys, .. } => {
                let traffic = Traffic::of_trace(keys, seed, plan.caches, ticks);
                Job::of_trace(&Arc::new(traffic), seed)
            }
        }
    }
}

/// The subjects that the options name.
pub(crate) fn chosen(options: &Options) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    for name in options.workloads() {
        let scenario = catalogue::find(name).with_context(|| {
            let names: Vec<&str> = catalogue::SCENARIOS.iter().map(|known| known.name).collect();
            format!("no workload `{name}`; there are {}", names.join(", "))
        })?;
        subjects.push(Subject::Scenario(scenario));
    }
    for path in &options.trace {
        let keys = read_trace(path).with_context(|| format!("trace `{}`", path.display()))?;
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let name = file.split('.').next().unwrap_or(&file).to_owned();
        subjects.push(Subject::Trace { name, keys });
    }
    Ok(subjects)
}

/// The keys of an xz-compressed file of big-endian 32-bit numbers.
fn read_trace(path: &Path) -> anyhow::Result<Vec<u32>> {
    use std::io::Read as _;
    let mut xz = Command::new("xz")
        .args(["--decompress", "--stdout", "--"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("needs the `xz` program, which could not be started")?;
    let mut bytes = Vec::new();
    if let Some(output) = xz.stdout.take() {
        output.take(TRACE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    }
    anyhow::ensure!(bytes.len() <= TRACE_BYTES_MAX, "exceeds {} MiB", TRACE_BYTES_MAX >> 20);
    anyhow::ensure!(xz.wait()?.success(), "`xz` could not decompress it");
    let (keys, rest) = bytes.as_chunks::<KEY_BYTES>();
    anyhow::ensure!(rest.is_empty() && !keys.is_empty(), "is no list of 32-bit keys");
    Ok(keys.iter().map(|key| u32::from_be_bytes(*key)).collect())
}
