//! The configuration's own text → [`Config`].

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::config::Global;
use crate::config::JOBS_MAX;
use crate::config::Job;
use crate::config::Tuning;
use crate::config::job;
use crate::config::tuning;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::rule::RuleSet;
use crate::units;
use crate::yaml::Document;
use crate::yaml::Fields;
use crate::yaml::Node;

/// What other files define and this one may name; `None` where that is not known, so that nothing
/// is said about the names.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    /// Names of all profiles.
    pub(super) profiles: Option<Vec<&'a str>>,
    /// All rules.
    pub(super) rules: Option<&'a RuleSet>,
}

/// What reading a configuration carries along.
pub(super) struct Context<'a> {
    pub(super) known: &'a Known<'a>,
    /// Relative paths begin here: the folder of the configuration.
    pub(super) folder: &'a Path,
    pub(super) global: Global,
    pub(super) tuning: Tuning,
}

/// Reads a configuration by itself: names of profiles and rules, which other files define, are left
/// unchecked. Paths in it are relative to the folder that `source`'s name tells. Warnings come
/// beside it.
///
/// # Errors
/// All faults of the file.
pub fn parse(source: &Arc<SourceFile>) -> Result<(Config, Diagnostics), Diagnostics> {
    let document = Document::parse(Arc::clone(source))?;
    let mut diagnostics = Diagnostics::new();
    let patterns = patterns(&document, &mut diagnostics);
    let config = config(&document, &patterns, &Known::default(), &mut diagnostics);
    diagnostics.finish(config)
}

/// The folder that relative paths of a file begin at.
pub(super) fn folder_of(name: &str) -> &Path {
    Path::new(name).parent().unwrap_or_else(|| Path::new(""))
}

/// `rule_files` and `profile_files`: read before everything else, since the names checked are in
/// them.
#[derive(Debug, Default)]
pub(super) struct Patterns<'d> {
    pub(super) rule_files: Vec<(String, Node<'d>)>,
    pub(super) profile_files: Vec<(String, Node<'d>)>,
}

/// Reads the patterns alone.
pub(super) fn patterns<'d>(document: &'d Document, diagnostics: &mut Diagnostics) -> Patterns<'d> {
    // What is no mapping is reported when the rest is read.
    let Some(mut fields) = document.root().fields(&mut Diagnostics::new()) else {
        return Patterns::default();
    };
    let mut read = |key: &'static str| {
        let list = fields.optional(key).and_then(|node| node.list(diagnostics));
        let nodes = list.unwrap_or_default().into_iter();
        nodes.filter_map(|node| node.name(diagnostics).map(|pattern| (pattern, node))).collect()
    };
    Patterns { rule_files: read("rule_files"), profile_files: read("profile_files") }
}

/// Reads everything but the patterns.
pub(super) fn config(
    document: &Document,
    patterns: &Patterns<'_>,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Config> {
    let root = document.root();
    let mut fields = root.fields(diagnostics)?;
    let _ = (fields.present("rule_files"), fields.present("profile_files"));
    let global = match fields.optional("global") {
        Some(node) => global(&node, diagnostics),
        None => Global::default(),
    };
    let tuning = match fields.optional("tuning") {
        Some(node) => tuning::tuning(&node, Tuning::default(), diagnostics),
        None => Tuning::default(),
    };
    let context =
        Context { known, folder: folder_of(&root.source().name), global, tuning: tuning.clone() };
    let list = fields.optional("scrape_configs").and_then(|node| node.list(diagnostics));
    let list = list.unwrap_or_default();
    if list.is_empty() {
        let warning = root.error("no-jobs", "no job is configured, so nothing is scraped");
        diagnostics.push(warning.help("add jobs under `scrape_configs`").into_warning());
    }
    fields.finish(diagnostics);
    let texts = |files: &[(String, Node<'_>)]| files.iter().map(|(text, _)| text.clone()).collect();
    Some(Config {
        global,
        tuning,
        rule_files: texts(&patterns.rule_files),
        profile_files: texts(&patterns.profile_files),
        jobs: jobs(&list, &context, diagnostics),
    })
}

fn jobs(list: &[Node<'_>], context: &Context<'_>, diagnostics: &mut Diagnostics) -> Vec<Job> {
    let mut names = BTreeSet::new();
    let mut jobs = Vec::new();
    let mut targets = 0;
    for node in list {
        if jobs.len() == JOBS_MAX {
            diagnostics.push(node.error("too-many-jobs", format!("more than {JOBS_MAX} jobs")));
            break;
        }
        if let Some(job) = job::job(node, &mut names, &mut targets, context, diagnostics) {
            jobs.push(job);
        }
    }
    jobs
}

fn global(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Global {
    let Some(mut fields) = node.fields(diagnostics) else { return Global::default() };
    let global = pace(&mut fields, Global::default(), diagnostics);
    fields.finish(diagnostics);
    global
}

/// `scrape_interval` and `scrape_timeout`. A timeout that is written may not exceed its interval;
/// one that is inherited is lowered to it, as Prometheus does.
pub(super) fn pace(
    fields: &mut Fields<'_>,
    inherited: Global,
    diagnostics: &mut Diagnostics,
) -> Global {
    let interval = fields.optional("scrape_interval");
    let interval = interval.and_then(|node| positive(&node, "15s", diagnostics));
    let scrape_interval = interval.unwrap_or(inherited.scrape_interval);
    let lowered = inherited.scrape_timeout.min(scrape_interval);
    let Some(node) = fields.optional("scrape_timeout") else {
        return Global { scrape_interval, scrape_timeout: lowered };
    };
    let Some(scrape_timeout) = positive(&node, "15s", diagnostics) else {
        return Global { scrape_interval, scrape_timeout: lowered };
    };
    if scrape_timeout > scrape_interval {
        let written = |duration| format!("`{}`", units::format_duration(duration));
        let (timeout, interval) = (written(scrape_timeout), written(scrape_interval));
        let message = format!("`scrape_timeout` {timeout} is above the interval of {interval}");
        let help = format!("set `scrape_timeout` to at most {interval}");
        diagnostics.push(node.error("timeout-above-interval", message).help(help));
    }
    Global { scrape_interval, scrape_timeout }
}

/// A duration above 0, such as `example`.
pub(super) fn positive(
    node: &Node<'_>,
    example: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Duration> {
    let duration = node.duration(diagnostics)?;
    if duration.is_zero() {
        let fault = node.error("out-of-range", "the duration must be above 0");
        diagnostics.push(fault.help(format!("write a duration such as `{example}`")));
        return None;
    }
    Some(duration)
}
