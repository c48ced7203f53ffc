//! `replay`: the program's own tuner over recorded snapshots, so that rules can be tried on the
//! past and an incident can be looked at again. The same snapshots give the same decisions as they
//! did live.

mod line;
mod output;

use std::collections::HashMap;
use std::io;
use std::io::BufRead;
use std::io::Read as _;
use std::io::Write;
use std::sync::Arc;

use serde_json::Number;

use crate::parameter::Parameter;
use crate::rule::RuleSet;
use crate::snapshot::PerformanceSnapshot;
use crate::tuner::AdaptiveTuner;
use crate::tuner::TuningConfig;

use line::Line;
pub use output::OutputFormat;

/// Longest line of the input.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Caches told apart in one input.
const CACHES_MAX: usize = 100_000;

/// What to run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The settings.
    pub tuning: TuningConfig,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// How to show what happens.
    pub format: OutputFormat,
}

/// A cache of the input, in the order of first appearance.
#[derive(Debug)]
struct Cache {
    name: Option<String>,
    tuner: AdaptiveTuner,
    /// When the last tuning was put in force, as the input writes it.
    last_tuning: Option<Number>,
}

/// Runs the snapshots of `input`; data goes to `out`, bad lines to `err`. Returns whether every
/// line was good.
///
/// # Errors
/// Only when reading or writing fails.
pub fn run(
    mut input: impl BufRead,
    setup: &Setup,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<bool> {
    let mut replay =
        Replay { setup, caches: Vec::new(), by_name: HashMap::new(), unknown_keys: Vec::new() };
    let mut output = output::Output::new(setup.format);
    let mut bad_lines = 0_u64;
    let mut number = 0_u64;
    let mut buffer = Vec::new();
    while read_line(&mut input, &mut buffer)? {
        number += 1;
        if buffer.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match replay.step(&buffer, &mut output, out)? {
            Ok(()) => {}
            Err(fault) => {
                bad_lines += 1;
                writeln!(err, "error: line {number}: {fault}")?;
            }
        }
        for key in replay.unknown_keys.drain(..) {
            writeln!(err, "warning: line {number}: unknown key `{key}` is ignored")?;
        }
    }
    output.finish(&replay.caches, out)?;
    if bad_lines > 0 {
        let lines = if bad_lines == 1 { "line" } else { "lines" };
        writeln!(err, "{bad_lines} bad {lines} of {number} left out")?;
    }
    Ok(bad_lines == 0)
}

/// Reads a line without its end; of one that is too long, the first part. `false` at the end of the
/// input.
fn read_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let limit = LINE_BYTES_MAX as u64 + 1;
    let read = input.by_ref().take(limit).read_until(b'\n', buffer)?;
    if buffer.len() > LINE_BYTES_MAX && buffer.last() != Some(&b'\n') {
        skip_line(input)?;
    }
    Ok(read > 0)
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let available = input.fill_buf()?;
        let Some(end) = available.iter().position(|&byte| byte == b'\n') else {
            let all = available.len();
            if all == 0 {
                return Ok(());
            }
            input.consume(all);
            continue;
        };
        input.consume(end + 1);
        return Ok(());
    }
}

struct Replay<'a> {
    setup: &'a Setup,
    caches: Vec<Cache>,
    by_name: HashMap<Option<String>, usize>,
    /// Keys met for the first time in the line at hand.
    unknown_keys: Vec<String>,
}

impl Replay<'_> {
    fn step(
        &mut self,
        text: &[u8],
        output: &mut output::Output,
        out: &mut dyn Write,
    ) -> io::Result<Result<(), String>> {
        if text.len() > LINE_BYTES_MAX {
            return Ok(Err(format!("longer than {LINE_BYTES_MAX} bytes")));
        }
        let Line { cache, snapshot, timestamp, unknown } = match line::parse(text) {
            Ok(line) => line,
            Err(fault) => return Ok(Err(fault)),
        };
        for key in unknown {
            if output.is_new_key(&key) {
                self.unknown_keys.push(key);
            }
        }
        let cache = match self.cache(cache, &snapshot) {
            Ok(cache) => cache,
            Err(fault) => return Ok(Err(fault)),
        };
        cache.tuner.record_performance(snapshot);
        if cache.tuner.is_due(snapshot.timestamp) {
            for recommendation in cache.tuner.analyze_and_tune(snapshot.timestamp) {
                if recommendation.applied {
                    cache.last_tuning = Some(timestamp.clone());
                }
                output.recommendation(cache.name.as_deref(), &timestamp, &recommendation, out)?;
            }
        }
        Ok(Ok(()))
    }

    /// The cache of that name; time must not run backwards in it.
    fn cache(
        &mut self,
        name: Option<String>,
        snapshot: &PerformanceSnapshot,
    ) -> Result<&mut Cache, String> {
        let index = match self.by_name.get(&name) {
            Some(index) => *index,
            None if self.caches.len() >= CACHES_MAX => {
                return Err(format!("more than {CACHES_MAX} caches"));
            }
            None => {
                let Setup { tuning, rules, .. } = self.setup;
                let tuner = AdaptiveTuner::new(*tuning, Arc::clone(rules), Parameter::ALL.to_vec());
                self.by_name.insert(name.clone(), self.caches.len());
                self.caches.push(Cache { name, tuner, last_tuning: None });
                self.caches.len() - 1
            }
        };
        let cache = &mut self.caches[index];
        match cache.tuner.history().latest() {
            Some(latest) if latest.timestamp > snapshot.timestamp => Err(format!(
                "timestamp {} is before the cache's last one, {}",
                output::seconds(snapshot.timestamp),
                output::seconds(latest.timestamp)
            )),
            _ => Ok(cache),
        }
    }
}

#[cfg(test)]
mod tests;
