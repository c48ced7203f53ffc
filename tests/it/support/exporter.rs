//! The program under test, run as a user runs it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use crate::support::http;
use crate::support::http::Response;
use crate::support::process;
use crate::support::process::Process;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// The binary that cargo built for this test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_cache-tuner-exporter");

/// A running exporter.
#[derive(Debug)]
pub(crate) struct Exporter {
    process: Process,
    address: SocketAddr,
}

/// An exporter that ran to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

// === impl Exporter ===

impl Exporter {
    /// Starts the exporter on a free port with more arguments and files (name, text) beside it:
    /// it runs in the directory that holds them.
    ///
    /// # Panics
    ///
    /// When it ends before it listens, or does not say where it listens.
    #[track_caller]
    pub(crate) fn start(args: &[&str], files: &[(&str, &str)]) -> Self {
        let args = [&["--web.listen-address", "127.0.0.1:0"], args].concat();
        Self::start_program(Path::new(BINARY), &args, files)
    }

    /// [`Exporter::start`] for any program that logs as the exporter does.
    #[track_caller]
    pub(crate) fn start_program(program: &Path, args: &[&str], files: &[(&str, &str)]) -> Self {
        let mut process = start(program, args, files);
        let address = eventually(PATIENCE, "the exporter listens", || {
            let status = process.exit_status();
            let log = process.stderr();
            match (listening_address(&log), status) {
                (_, Some(status)) => panic!("the exporter ended before it listened: {status}"),
                (address, None) => address,
            }
        });
        Self { process, address }
    }

    /// Runs the exporter to its end: wrong usage, bad configuration, and the commands.
    #[track_caller]
    pub(crate) fn run(args: &[&str], files: &[(&str, &str)]) -> Ended {
        let mut process = start(Path::new(BINARY), args, files);
        let status = process.wait_for_exit(PATIENCE);
        Ended { status, stdout: process.stdout(), stderr: process.stderr() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        let url = self.url(path);
        http::get(&url).unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str) -> Response {
        let url = self.url(path);
        http::post(&url, "text/plain", b"").unwrap_or_else(|error| panic!("POST {url}: {error}"))
    }

    /// The first target that it watches; it listens before it has any.
    #[track_caller]
    pub(crate) fn first_target(&self) -> String {
        eventually(PATIENCE, "a target is shown", || {
            let targets = self.get("/api/v1/targets").json();
            let target = &targets["data"]["activeTargets"][0]["labels"]["target"];
            target.as_str().map(str::to_owned)
        })
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.stderr()
    }

    /// Writes a file beside the exporter, as an operator who changes the configuration does.
    #[track_caller]
    pub(crate) fn write_file(&self, name: &str, text: &str) {
        fs::write(self.process.dir().join(name), text)
            .expect("the test's directory can be written");
    }

    /// Sends `HUP`, `TERM` or `INT`.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Kills the exporter at once; nothing of it goes on.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts a killed exporter again in its directory, without waiting for anything.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.process.start_again();
    }

    /// Starts a killed exporter again in its directory, and waits until it listens: elsewhere, if
    /// it was told to take a free port.
    #[track_caller]
    pub(crate) fn start_again_and_listen(&mut self) {
        let before = self.log().len();
        self.start_again();
        self.address = eventually(PATIENCE, "the exporter listens again", || {
            let log = self.log();
            assert_eq!(self.process.exit_status(), None, "the exporter ended");
            listening_address(log.get(before..)?)
        });
    }

    #[track_caller]
    pub(crate) fn wait_for_exit(&mut self, timeout: Duration) -> ExitStatus {
        self.process.wait_for_exit(timeout)
    }

    /// The directory it runs in: what it left there is its own doing.
    pub(crate) fn dir(&self) -> &Path {
        self.process.dir()
    }
}

#[track_caller]
fn start(program: &Path, args: &[&str], files: &[(&str, &str)]) -> Process {
    let dir = process::temp_dir("exporter");
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("the test's directory can be written");
    }
    let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
    Process::start(program, &args, dir)
}

/// The address in the first log line that says where the exporter listens, in logfmt:
/// `… listening … address=127.0.0.1:10049 …`, quoted or not.
pub(crate) fn listening_address(log: &str) -> Option<SocketAddr> {
    // A line without its end may be half an address.
    let whole = &log[..log.rfind('\n')?];
    whole.lines().filter(|line| line.contains("listening")).find_map(|line| {
        let address = line.split_whitespace().find_map(|field| field.strip_prefix("address="))?;
        address.trim_matches('"').parse().ok()
    })
}
