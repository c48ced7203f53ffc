//! Arguments: what each flag and command is, and nothing of what it does.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;

use crate::units;

/// Watches caches through their metrics, recommends how to size them, tunes them, and exports all
/// of it for Prometheus.
///
/// Without a command the exporter runs; without --config.file it tunes a built-in demo cache.
#[derive(Debug, Parser)]
#[command(
    name = "cache-tuner-exporter",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of the exporter itself.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do instead of running the exporter.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check configuration, rule and profile files.
    Check(CheckArgs),
    /// Run the tuner over recorded snapshots.
    Replay(ReplayArgs),
    /// Scrape a target once, twice for rates, and show what its profile makes of it.
    Probe(ProbeArgs),
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// `key=value`.
    Logfmt,
}

/// Which log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What should be looked at.
    Warn,
    /// Failures only.
    Error,
}

/// Flags of the exporter.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Configuration file; without one the built-in demo cache is tuned.
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Address to listen on; may be given several times. Port 0 picks a free one.
    #[arg(
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:10049",
        value_parser = listen_address
    )]
    pub listen_addresses: Vec<SocketAddr>,
    /// Path of the metrics.
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = "/metrics",
        value_parser = telemetry_path
    )]
    pub telemetry_path: String,
    /// Allow POST /-/reload.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// Allow the API calls that change something.
    #[arg(long = "web.enable-admin-api")]
    pub enable_admin_api: bool,
    /// Directory of the embedded database; empty keeps nothing [default: data/ with a
    /// configuration, none for the demo]
    #[arg(long = "storage.path", value_name = "DIRECTORY")]
    pub storage_path: Option<String>,
    /// Lowest level that is logged.
    #[arg(long = "log.level", value_name = "LEVEL", value_enum, default_value = "info")]
    pub log_level: LogLevel,
    /// Format of the log, which goes to standard error.
    #[arg(long = "log.format", value_name = "FORMAT", value_enum, default_value = "logfmt")]
    pub log_format: LogFormat,
}

/// How faults in files are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiagnosticFormat {
    /// One line each.
    Concise,
    /// With a frame of the source.
    Full,
    /// One JSON object a line, on standard output.
    Json,
}

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Files; the kind of each is told from its content.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How faults are shown.
    #[arg(long = "output-format", value_name = "FORMAT", value_enum, default_value = "full")]
    pub output_format: DiagnosticFormat,
}

/// How a replay is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReplayFormat {
    /// One JSON object a line.
    Jsonl,
    /// Columns for people.
    Table,
}

/// Flags of `replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// Recorded snapshots, one JSON object a line; `-` reads standard input.
    #[arg(value_name = "INPUT")]
    pub input: Option<String>,
    /// Rule files; without them those of the configuration, or the built-in rules.
    #[arg(long = "rules", value_name = "FILE", num_args = 1..)]
    pub rules: Vec<String>,
    /// Configuration whose `tuning` and rules are used.
    #[arg(long = "config.file", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// How to show what happens.
    #[arg(long = "output-format", value_name = "FORMAT", value_enum, default_value = "table")]
    pub output_format: ReplayFormat,
}

impl ReplayArgs {
    /// The input, and the rule files without it: `--rules a.yaml b.yaml INPUT` reads like a list of
    /// three rule files, of which the last is meant to be the input.
    pub fn input_and_rules(&self) -> Option<(&str, &[String])> {
        match (&self.input, self.rules.as_slice()) {
            (Some(input), rules) => Some((input, rules)),
            (None, [rules @ .., input]) if !rules.is_empty() => Some((input, rules)),
            (None, _) => None,
        }
    }
}

/// How a probe is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProbeFormat {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

/// Flags of `probe`.
#[derive(Debug, Clone, Args)]
pub struct ProbeArgs {
    /// What to scrape, such as `http://127.0.0.1:9121/metrics`.
    #[arg(value_name = "URL")]
    pub url: String,
    /// Profile to read the page with; `auto` detects it.
    #[arg(long = "profile", value_name = "NAME", default_value = "auto")]
    pub profile: String,
    /// Further profile files; may be given several times.
    #[arg(long = "profile.file", value_name = "FILE")]
    pub profile_files: Vec<PathBuf>,
    /// Time between the two scrapes; 0 scrapes once and shows no rates.
    #[arg(
        long = "interval",
        value_name = "DURATION",
        default_value = "1s",
        value_parser = duration
    )]
    pub interval: Duration,
    /// Longest time a scrape may take.
    #[arg(
        long = "timeout",
        value_name = "DURATION",
        default_value = "10s",
        value_parser = duration
    )]
    pub timeout: Duration,
    /// How to show what was found.
    #[arg(long = "output-format", value_name = "FORMAT", value_enum, default_value = "text")]
    pub output_format: ProbeFormat,
}

fn duration(text: &str) -> Result<Duration, String> {
    units::parse_duration(text)
        .map_err(|_| "wanted is a number with its unit, such as 500ms, 5s or 1m".to_owned())
}

/// `host:port` with an address, as the exporters take it: `:9100` is every interface.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let full = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text.replacen("localhost:", "127.0.0.1:", 1),
    };
    full.parse()
        .map_err(|_| "wanted is ADDRESS:PORT, such as 127.0.0.1:10049 or [::1]:0".to_owned())
}

/// Paths that are served already.
const TAKEN_PATHS: [&str; 2] = ["/-/", "/api/"];

fn telemetry_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || text.len() < 2 || text.contains(['?', '#', ' ']) {
        return Err("wanted is a path such as /metrics".to_owned());
    }
    match TAKEN_PATHS.iter().find(|taken| text.starts_with(**taken)) {
        Some(taken) => Err(format!("{taken} is served already")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn check_replay(args: &str, want: Option<(&str, &[&str])>) {
        let words = ["cache-tuner-exporter", "replay"].into_iter().chain(args.split_whitespace());
        let Some(Command::Replay(replay)) = Cli::try_parse_from(words).unwrap().command else {
            panic!("not replay");
        };
        let got = replay.input_and_rules().map(|(input, rules)| (input.to_owned(), rules.to_vec()));
        let want = want.map(|(input, rules)| {
            (input.to_owned(), rules.iter().map(|rule| (*rule).to_owned()).collect())
        });
        assert_eq!(got, want, "{args}");
    }

    #[test]
    fn the_input_of_a_replay_may_follow_its_rules() {
        check_replay("in.jsonl", Some(("in.jsonl", &[])));
        check_replay("- --rules a", Some(("-", &["a"])));
        check_replay("--rules a b in.jsonl", Some(("in.jsonl", &["a", "b"])));
        check_replay("--rules a --output-format jsonl in.jsonl", Some(("in.jsonl", &["a"])));
        check_replay("--rules a", None);
        check_replay("", None);
    }

    #[test]
    fn addresses_are_read_as_the_exporters_do() {
        for (text, want) in [
            ("127.0.0.1:0", Some("127.0.0.1:0")),
            (":9100", Some("0.0.0.0:9100")),
            ("[::1]:9100", Some("[::1]:9100")),
            ("localhost:9100", Some("127.0.0.1:9100")),
            ("9100", None),
            ("example:9100", None),
        ] {
            assert_eq!(listen_address(text).ok().map(|a| a.to_string()).as_deref(), want, "{text}");
        }
    }
}
