//! From arguments to what is to be done, and from what came of it to the exit status: 0 fine; 1
//! problems found, or failed while running; 2 wrong usage, or configuration that does not load; 70
//! a bug of ours.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::IsTerminal as _;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::app;
use crate::app::Ended;
use crate::app::Settings;
use crate::app::clock;
use crate::check;
use crate::cli::CheckArgs;
use crate::cli::Cli;
use crate::cli::Command;
use crate::cli::DiagnosticFormat;
use crate::cli::ProbeArgs;
use crate::cli::ProbeFormat;
use crate::cli::ReplayArgs;
use crate::cli::ReplayFormat;
use crate::cli::RunArgs;
use crate::config;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::diag::render;
use crate::logging;
use crate::probe;
use crate::profile;
use crate::reading::ProfileChoice;
use crate::replay;
use crate::rule;
use crate::scrape::Url;
use crate::suggest;
use crate::tuner::TuningConfig;
use crate::web;

/// Everything is fine.
const FINE: u8 = 0;
/// Problems were found, or something failed while running.
const PROBLEMS: u8 = 1;
/// Wrong usage, or configuration that does not load.
const USAGE: u8 = 2;
/// A bug of ours (`EX_SOFTWARE`).
const BUG: u8 = 70;

/// Where a run with a configuration keeps what it learns, where no directory is named.
const DEFAULT_STORAGE: &str = "data/";

/// Threads for what cannot be awaited: names to be resolved, pages to be read or rendered. A name
/// that nobody answers for holds one for up to a minute, longer than its scrape; with tokio's 512
/// the names of some hundred lost targets would keep everybody else waiting.
const BLOCKING_THREADS_MAX: usize = 4096;

/// Cores of the machine for each thread that scrapes.
const CORES_PER_WORKER: usize = 4;

/// Does what the arguments say.
pub fn main(cli: Cli) -> ExitCode {
    let result = match cli.command {
        None => run(cli.run),
        Some(Command::Check(args)) => Ok(check_files(&args)),
        Some(Command::Probe(args)) => probe_target(&args),
        Some(Command::Replay(args)) => replay_input(&args),
    };
    match result {
        Ok(status) => status.into(),
        // A reader that has seen enough (`replay … | head`) is no failure.
        Err(fault) if is_broken_pipe(&fault) => FINE.into(),
        Err(fault) => {
            tell(&format!("error: {fault:#}"));
            PROBLEMS.into()
        }
    }
}

fn is_broken_pipe(fault: &anyhow::Error) -> bool {
    fault.downcast_ref::<io::Error>().is_some_and(|fault| fault.kind() == io::ErrorKind::BrokenPipe)
}

/// Writes to standard error; where that is closed there is nobody to tell.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Colour where a person looks at it and has not said `NO_COLOR`.
fn has_color(stream_is_terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream_is_terminal && !refused
}

/// Shows why files are refused, and returns the exit status for it.
fn refuse(diagnostics: &Diagnostics) -> u8 {
    let color = has_color(io::stderr().is_terminal());
    let text = render::render(diagnostics, render::Format::Full, color);
    tell(&format!("{text}{}", render::summary(diagnostics)));
    USAGE
}

fn run(args: RunArgs) -> anyhow::Result<u8> {
    logging::start(args.log_level, args.log_format);
    let default = args.config_file.is_some().then(|| DEFAULT_STORAGE.to_owned());
    let storage = args.storage_path.or(default).filter(|path| !path.is_empty());
    let settings = Settings {
        storage_directory: storage.map(PathBuf::from),
        config_file: args.config_file,
        listen_addresses: args.listen_addresses,
        options: web::Options {
            telemetry_path: args.telemetry_path,
            enable_lifecycle: args.enable_lifecycle,
            enable_admin_api: args.enable_admin_api,
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads())
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()?;
    // As a task: what waits in `block_on` itself is woken through the system, at each scrape.
    let ended = runtime.block_on(runtime.spawn(app::run(settings)));
    let ended = ended.unwrap_or_else(|fault| std::panic::resume_unwind(fault.into_panic()));
    // A name that is being resolved cannot be called back, and may take the better part of a
    // minute: nobody waits for it.
    runtime.shutdown_background();
    match ended? {
        Ended::Cleanly => Ok(FINE),
        Ended::Refused(diagnostics) => Ok(refuse(&diagnostics)),
        Ended::Panicked(what) => {
            tracing::error!(what, "a task panicked: this is a bug, please report it");
            Ok(BUG)
        }
    }
}

/// Threads that scrape, read and decide; pages and the like are written on others. Each takes some
/// five thousand scrapes a second, and idle ones that wake each other up cost a twelfth of the
/// processor time of a thousand targets: so one for every four cores.
fn worker_threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(CORES_PER_WORKER))
}

fn check_files(args: &CheckArgs) -> u8 {
    let output_format = match args.output_format {
        DiagnosticFormat::Concise => render::Format::Concise,
        DiagnosticFormat::Full => render::Format::Full,
        DiagnosticFormat::Json => render::Format::Json,
    };
    let check = check::CheckArgs { files: args.files.clone(), output_format };
    let color = has_color(io::stderr().is_terminal());
    check::run(&check, &mut io::stdout().lock(), &mut io::stderr().lock(), color)
}

fn replay_input(args: &ReplayArgs) -> anyhow::Result<u8> {
    let Some((input, rules)) = args.input_and_rules() else {
        tell("error: no INPUT: give a file, or `-` for standard input");
        return Ok(USAGE);
    };
    let format = match args.output_format {
        ReplayFormat::Jsonl => replay::OutputFormat::Jsonl,
        ReplayFormat::Table => replay::OutputFormat::Table,
    };
    let (tuning, rules) = match replay_rules(args.config_file.as_deref(), rules) {
        Ok(found) => found,
        Err(diagnostics) => return Ok(refuse(&diagnostics)),
    };
    let setup = replay::Setup { tuning, rules: Arc::new(rules), format };
    let input: Box<dyn BufRead> = if input == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(open_input(input)?))
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let good = replay::run(input, &setup, &mut out, &mut io::stderr())?;
    out.flush()?;
    Ok(if good { FINE } else { PROBLEMS })
}

/// A file to be replayed; a directory can be opened too, but that is a slip.
fn open_input(name: &str) -> anyhow::Result<File> {
    let open = || {
        let file = File::open(name)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    };
    open().map_err(|fault: io::Error| {
        // People have no use for `(os error 2)`.
        let reason = fault.to_string();
        let reason = reason.split(" (os error").next().unwrap_or(&reason);
        anyhow::anyhow!("cannot read `{name}`: {reason}")
    })
}

/// The settings and rules of a replay: those of `--rules`, else of the configuration, else the
/// built-in ones.
fn replay_rules(
    config_file: Option<&Path>,
    rule_files: &[String],
) -> Result<(TuningConfig, rule::RuleSet), Diagnostics> {
    let mut tuning = config::Tuning::default();
    let mut rules = None;
    if let Some(path) = config_file {
        let (loaded, _) = config::load(path)?;
        tuning = loaded.config.tuning;
        rules = Some((*loaded.rules).clone());
    }
    if !rule_files.is_empty() || rules.is_none() {
        let mut sources = Vec::new();
        for file in rule_files {
            sources.push(config::read_file(Path::new(file))?);
        }
        if sources.is_empty() {
            let (name, text) = rule::BUILT_IN;
            sources.push(crate::diag::SourceFile::new(name, text));
        }
        rules = Some(rule::load(&sources)?.0);
    }
    // A recording cannot answer what a tuning would have changed: what is judged and guarded in
    // life is not in a replay, unless somebody asks for it.
    let mut settings = tuning.config;
    if !tuning.is_feedback_written {
        settings.feedback = settings.feedback.off();
    }
    Ok((settings, rules.unwrap_or_default()))
}

fn probe_target(args: &ProbeArgs) -> anyhow::Result<u8> {
    let url = match Url::parse(&args.url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        _ => {
            tell(&format!(
                "error: `{}` is not a URL such as http://127.0.0.1:9121/metrics",
                args.url
            ));
            return Ok(USAGE);
        }
    };
    let choice = match probe_choice(&args.profile, &args.profile_files) {
        Ok(choice) => choice,
        Err(diagnostics) => return Ok(refuse(&diagnostics)),
    };
    let setup = probe::Setup {
        url,
        choice,
        interval: args.interval,
        timeout: args.timeout,
        format: match args.output_format {
            ProbeFormat::Json => probe::OutputFormat::Json,
            ProbeFormat::Text => probe::OutputFormat::Text,
        },
        now: clock::now,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let good = runtime.block_on(probe::run(&setup, &mut io::stdout(), &mut io::stderr()));
    // As in `run`: a name that is being resolved outlives the probe's timeout.
    runtime.shutdown_background();
    Ok(if good? { FINE } else { PROBLEMS })
}

/// The profile of that name, or all to be tried; given files come before the built-in ones.
fn probe_choice(name: &str, files: &[PathBuf]) -> Result<ProfileChoice, Diagnostics> {
    let mut profiles = Vec::new();
    for file in files {
        profiles.push(Arc::new(profile::load(&config::read_file(file)?)?));
    }
    profiles.extend(config::built_in_profiles()?);
    if name == "auto" {
        return Ok(ProfileChoice::Auto(profiles));
    }
    if let Some(profile) = profiles.iter().find(|profile| profile.name == name) {
        return Ok(ProfileChoice::Fixed(Arc::clone(profile)));
    }
    let names = profiles.iter().map(|profile| profile.name.as_str());
    let help = match suggest::closest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", names.collect::<Vec<_>>().join(", ")),
    };
    let fault = Diagnostic::error("unknown-name", format!("unknown profile `{name}`"));
    Err(fault.help(help).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_feedback_of_replay(config: Option<&str>, want: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("exporter.yaml");
        if let Some(text) = config {
            std::fs::write(&path, text).unwrap();
        }
        let path = config.map(|_| path.as_path());
        let (tuning, _) = replay_rules(path, &[]).unwrap();
        assert_eq!(tuning.feedback.enabled, want, "{config:?}");
    }

    #[test]
    fn a_replay_has_no_feedback_unless_it_is_asked_for() {
        check_feedback_of_replay(None, false);
        check_feedback_of_replay(Some("tuning: {mode: auto}\n"), false);
        check_feedback_of_replay(Some("tuning: {feedback: {hold_samples: 7}}\n"), false);
        check_feedback_of_replay(Some("tuning: {feedback: {enabled: true}}\n"), true);
        check_feedback_of_replay(Some("tuning: {feedback: {enabled: false}}\n"), false);
    }
}
