//! A child process that cannot outlive its test.
//!
//! Each child runs in its own temporary directory and its own process group, which is killed when
//! the value is dropped; `setpriv --pdeathsig` covers the case that the test binary itself is
//! killed. That signal follows the *thread* that started the child, so a process belongs to the
//! test that started it: never keep one in a static.

use std::fs;
use std::fs::File;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::tool;
use crate::support::wait::Deadline;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// How much of a log is printed when a test fails: its end holds the reason.
const LOG_TAIL_BYTES_MAX: usize = 16 << 10;

/// Another process may take a free port between our look and the server's bind.
const PORT_ATTEMPTS_MAX: u32 = 5;

/// A running program and what it wrote.
#[derive(Debug)]
pub(crate) struct Process {
    program: PathBuf,
    args: Vec<String>,
    child: Child,
    dir: TempDir,
}

// === impl Process ===

impl Process {
    /// Starts `program` in `dir`. Its output goes to files there.
    #[track_caller]
    pub(crate) fn start(program: &Path, args: &[String], dir: TempDir) -> Self {
        let child = spawn(program, args, dir.path());
        Self { program: program.to_owned(), args: args.to_vec(), child, dir }
    }

    /// The directory the program runs in; removed with this value.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What was written to standard output so far, over all restarts.
    pub(crate) fn stdout(&self) -> String {
        read_lossy(&self.dir.path().join("stdout.log"))
    }

    /// What was written to standard error so far, over all restarts.
    pub(crate) fn stderr(&self) -> String {
        read_lossy(&self.dir.path().join("stderr.log"))
    }

    /// The status of a program that has ended.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child can be waited for")
    }

    /// Waits for the program to end by itself.
    #[track_caller]
    pub(crate) fn wait_for_exit(&mut self, timeout: Duration) -> ExitStatus {
        let what = format!("`{}` ends", self.name());
        eventually(timeout, &what, || self.exit_status())
    }

    /// Sends a signal by name, such as `TERM` or `HUP`.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        assert!(kill(signal, &self.child.id().to_string()), "`{}` takes SIG{signal}", self.name());
    }

    /// Kills the program at once and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        // The group first: servers such as varnishd and browsers have children of their own.
        kill("KILL", &format!("-{}", self.child.id()));
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Starts the program again with the same arguments in the same directory.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.kill();
        self.child = spawn(&self.program, &self.args, self.dir.path());
    }

    fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn print_logs(&self) {
        for (stream, text) in [("stdout", self.stdout()), ("stderr", self.stderr())] {
            eprintln!("--- `{}` {stream}\n{}", self.name(), tail(&text));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            self.print_logs();
        }
    }
}

/// A server that answers on a loopback port.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    address: SocketAddr,
}

/// How to start a server and tell that it answers.
pub(crate) struct Launch<'a> {
    pub(crate) program: &'a str,
    /// The arguments for an address and a directory; may write files into the directory.
    pub(crate) args: &'a dyn Fn(SocketAddr, &Path) -> Vec<String>,
    pub(crate) answers: &'a dyn Fn(SocketAddr) -> bool,
}

// === impl Server ===

impl Server {
    /// Starts a server on a free port and waits until it answers.
    ///
    /// # Panics
    ///
    /// When the program is not installed, ends early, or does not answer in time.
    #[track_caller]
    pub(crate) fn launch(launch: &Launch<'_>) -> Self {
        let program = tool::path(launch.program);
        for _ in 0..PORT_ATTEMPTS_MAX {
            let dir = temp_dir(launch.program);
            let address = free_address();
            let args = (launch.args)(address, dir.path());
            let mut process = Process::start(&program, &args, dir);
            if wait_until_answering(&mut process, address, launch.answers) {
                return Self { process, address };
            }
        }
        panic!("`{}` found its port taken {PORT_ATTEMPTS_MAX} times", launch.program);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Stops the server; its port refuses connections from now on.
    pub(crate) fn stop(&mut self) {
        self.process.kill();
    }

    /// Stops the server and starts it again, empty-handed, on the same port.
    #[track_caller]
    pub(crate) fn restart(&mut self, answers: &dyn Fn(SocketAddr) -> bool) {
        // A killed server's own children, such as Varnish's, may hold the port a moment longer.
        eventually(PATIENCE, &format!("{} is free again", self.address), || {
            self.process.start_again();
            wait_until_answering(&mut self.process, self.address, answers).then_some(())
        });
    }
}

/// True when the server answers, false when its port was taken; panics on every other failure.
#[track_caller]
fn wait_until_answering(
    process: &mut Process,
    address: SocketAddr,
    answers: &dyn Fn(SocketAddr) -> bool,
) -> bool {
    let name = process.name();
    let ready = eventually(PATIENCE, &format!("`{name}` answers on {address}"), || {
        match process.exit_status() {
            None => answers(address).then_some(Ok(())),
            Some(status) => Some(Err(status)),
        }
    });
    let Err(status) = ready else { return true };
    let log = process.stdout() + &process.stderr();
    assert!(log.to_lowercase().contains("address already in use"), "`{name}` ended with {status}");
    false
}

/// A new directory for one program, removed with the value.
pub(crate) fn temp_dir(name: &str) -> TempDir {
    tempfile::Builder::new()
        .prefix(&format!("{name}-"))
        .tempdir()
        .expect("a temporary directory can be made")
}

/// A loopback address on which nothing listens now.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address")
}

/// Runs a program to its end in a directory of its own and kills it if it takes too long.
#[track_caller]
pub(crate) fn run_to_end(program: &Path, args: &[String], timeout: Duration) -> Process {
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut process = Process::start(program, args, temp_dir(&name));
    let deadline = Deadline::after(timeout);
    process.wait_for_exit(timeout);
    assert!(!deadline.has_passed(), "`{name}` took longer than {timeout:?}");
    process
}

#[track_caller]
fn spawn(program: &Path, args: &[String], dir: &Path) -> Child {
    let log = |name: &str| {
        let path = dir.join(name);
        File::options().create(true).append(true).open(path).expect("a log file can be opened")
    };
    Command::new(tool::path("setpriv"))
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .args(args)
        .current_dir(dir)
        .env("HOME", dir)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(log("stdout.log"))
        .stderr(log("stderr.log"))
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("`{}` can be started: {error}", program.display()))
}

/// The standard library has no signals but KILL, and `unsafe` is forbidden: the shell's own `kill`.
fn kill(signal: &str, pid: &str) -> bool {
    Command::new("sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\"", "sh", signal, pid])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(LOG_TAIL_BYTES_MAX);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
