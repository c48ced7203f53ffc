//! The configuration file: text → checked values, every fault of every file at once and at its
//! place.
//!
//! Two stages, so that the checks need no disk. [`parse`] is a function of the text; [`load`] reads
//! the file and the rule and profile files that it names, and checks the names that one file uses
//! of another. What comes out cannot be wrong any more: nothing behind it checks again.

mod client;
mod feedback;
mod job;
mod kind;
mod load;
mod parse;
mod redact;
mod static_config;
mod tuning;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::rule::Overrides;
use crate::scrape::config::ClientConfig;
use crate::tuning_config::Freeze;
use crate::tuning_config::TuningConfig;

pub use kind::Kind;
pub use kind::kind_of;
pub use load::Loaded;
pub use load::LoadedJob;
pub use load::built_in_profiles;
pub use load::load;
pub use load::load_document;
pub use load::read_file;
pub use parse::parse;

/// Jobs of a configuration.
pub const JOBS_MAX: usize = 1000;

/// Targets of a configuration, all jobs together: each is a task, and each cache behind it a
/// window.
pub const TARGETS_MAX: usize = 10_000;

/// Labels of a static configuration.
pub const LABELS_MAX: usize = 32;

/// Rule files of a configuration, and profile files: a pattern that matches more was a slip.
pub const FILES_MAX: usize = 1000;

/// A configuration file, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What jobs have that say nothing else.
    pub global: Global,
    /// What jobs have that do not override it.
    pub tuning: Tuning,
    /// Patterns as written, relative to the file's folder; empty: the built-in rules.
    pub rule_files: Vec<String>,
    /// Patterns as written, relative to the file's folder.
    pub profile_files: Vec<String>,
    /// In the order of the file; names are unique.
    pub jobs: Vec<Job>,
}

/// `global`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Global {
    /// Time between two scrapes; above 0.
    pub scrape_interval: Duration,
    /// Time that a scrape may take; above 0, at most the interval.
    pub scrape_timeout: Duration,
}

impl Default for Global {
    fn default() -> Self {
        Self { scrape_interval: Duration::from_secs(15), scrape_timeout: Duration::from_secs(10) }
    }
}

/// `tuning`, of the file or of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tuning {
    /// The tuner's settings.
    pub config: TuningConfig,
    /// `feedback.freeze`: when nothing is put in force.
    pub freeze: Arc<Freeze>,
    /// Whether `feedback.enabled` is written, and not its default.
    pub is_feedback_written: bool,
}

/// How a job's pages are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProfileChoice {
    /// By the first profile that knows the page.
    #[default]
    Auto,
    /// By the profile of that name.
    Named(String),
}

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Plain.
    #[default]
    Http,
    /// With TLS.
    Https,
}

impl Scheme {
    /// As written in the configuration and in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// One of `scrape_configs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// `job_name`; unique.
    pub name: String,
    /// How its pages are read.
    pub profile: ProfileChoice,
    /// Begins with `/`.
    pub metrics_path: String,
    /// How its targets are spoken to.
    pub scheme: Scheme,
    /// Of the URL's query, in the order of the file.
    pub params: Vec<(String, Vec<String>)>,
    /// Time between two scrapes; above 0.
    pub scrape_interval: Duration,
    /// Time that a scrape may take; above 0, at most the interval.
    pub scrape_timeout: Duration,
    /// Of all `static_configs`, in the order of the file; addresses are unique.
    pub targets: Vec<Target>,
    /// Authentication, TLS, headers and limits.
    pub client: ClientConfig,
    /// The tuner's settings: defaults, then the file's, then the job's own.
    pub tuning: TuningConfig,
    /// When nothing is put in force.
    pub freeze: Arc<Freeze>,
    /// Whether `feedback.enabled` is written, and not its default.
    pub is_feedback_written: bool,
    /// Thresholds of rules that this job changes.
    pub thresholds: Overrides,
}

/// What is scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `host` or `host:port`, an IPv6 host in brackets. Without a port it is the scheme's own.
    pub address: Arc<str>,
    /// The labels of its static configuration.
    pub labels: Arc<BTreeMap<String, String>>,
}

impl Target {
    /// The URL to ask; without credentials.
    pub fn url(&self, job: &Job) -> String {
        let mut url = format!("{}://{}{}", job.scheme.name(), self.address, job.metrics_path);
        let pairs = job
            .params
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        for (index, (name, value)) in pairs.enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&encoded(name));
            url.push('=');
            url.push_str(&encoded(value));
        }
        url
    }
}

/// `text` as part of a query, in the way of HTML forms as Go and Prometheus do it.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;
    use crate::tuning_config::Feedback;

    #[track_caller]
    fn check(text: &str, read: impl Fn(&Job) -> String, want: &str) {
        let text =
            format!("{text}\n    job_name: x\n    static_configs: [{{targets: ['[::1]:1']}}]\n");
        let (config, _) = parse(&SourceFile::new("conf/main.yaml", text)).unwrap();
        assert_eq!(read(&config.jobs[0]), want);
    }

    #[test]
    fn urls_are_made_of_the_jobs_keys() {
        let url = |job: &Job| job.targets[0].url(job);
        check("scrape_configs:\n  - scheme: https", url, "https://[::1]:1/metrics");
        check(
            "scrape_configs:\n  - params: {target: ['redis://a:1', 'ä b'], empty: []}",
            url,
            "http://[::1]:1/metrics?target=redis%3A%2F%2Fa%3A1&target=%C3%A4+b",
        );
    }

    #[test]
    fn an_inherited_timeout_is_lowered_to_the_interval() {
        let pace = |job: &Job| format!("{:?} {:?}", job.scrape_interval, job.scrape_timeout);
        check("scrape_configs:\n  -", pace, "15s 10s");
        check("scrape_configs:\n  - scrape_interval: 5s", pace, "5s 5s");
        check("global: {scrape_interval: 4s}\nscrape_configs:\n  -", pace, "4s 4s");
        check("scrape_configs:\n  - scrape_timeout: 15s", pace, "15s 15s");
    }

    #[test]
    fn files_of_secrets_are_relative_to_the_configuration() {
        let auth = |job: &Job| format!("{:?}", job.client.auth);
        check(
            "scrape_configs:\n  - authorization: {credentials_file: token}",
            auth,
            "Some(Token(Authorization { kind: \"Bearer\", credentials: File(\"conf/token\") }))",
        );
    }

    #[test]
    fn a_jobs_tuning_overrides_the_files_key_by_key() {
        let tuning = |job: &Job| {
            let TuningConfig { target_hit_rate, performance_window_size, .. } = job.tuning;
            format!("{target_hit_rate} {performance_window_size} {}", job.tuning.feedback.enabled)
        };
        check(
            "tuning: {target_hit_rate: 0.5, performance_window_size: 40}\n\
             scrape_configs:\n  - tuning: {performance_window_size: 20, \
             feedback: {enabled: false}}",
            tuning,
            "0.5 20 false",
        );
    }

    #[test]
    fn a_jobs_feedback_overrides_the_files_key_by_key() {
        let feedback = |job: &Job| {
            let Feedback { enabled, hold_samples, cooldown_samples, .. } = job.tuning.feedback;
            let spans = job.freeze.spans.len();
            let written = job.is_feedback_written;
            format!("{enabled} {written} {hold_samples} {cooldown_samples} {spans}")
        };
        let check = |file: &str, own: &str, want: &str| {
            let text =
                format!("tuning: {{{file}}}\nscrape_configs:\n  - tuning: {{feedback: {{{own}}}}}");
            check(&text, feedback, want);
        };
        let frozen = "freeze: [{from: 2026-12-24T00:00:00Z, to: 2026-12-25T00:00:00Z}]";
        check("", "", "true false 5 10 0");
        check("", "enabled: true", "true true 5 10 0");
        check("feedback: {enabled: true}", "", "true true 5 10 0");
        check("feedback: {enabled: false}", "enabled: true", "true true 5 10 0");
        check("feedback: {enabled: false, hold_samples: 7}", "", "false true 7 10 0");
        check("feedback: {hold_samples: 7}", "cooldown_samples: 0", "true false 7 0 0");
        check(&format!("feedback: {{{frozen}}}"), "hold_samples: 60", "true false 60 10 1");
        check(&format!("feedback: {{{frozen}}}"), "freeze: []", "true false 5 10 0");
    }
}
