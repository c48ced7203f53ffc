//! The installed programs that tests call, and the packages they come from.

use std::env;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::thread;

/// (program, Debian package). `tests/run` installs the packages; the two lists are held together by
/// a test.
pub(crate) const PACKAGES: &[(&str, &str)] = &[
    ("amtool", "prometheus-alertmanager"),
    ("chromium", "chromium"),
    ("prometheus", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("prometheus-redis-exporter", "prometheus-redis-exporter"),
    ("prometheus-varnish-exporter", "prometheus-varnish-exporter"),
    ("promtool", "prometheus"),
    ("redis-server", "redis-server"),
    ("setpriv", "util-linux"),
    ("varnishd", "varnish"),
    ("varnishstat", "varnish"),
];

/// Servers live in `sbin`, which the `PATH` of an ordinary user lacks on Debian.
const SBIN: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Where an installed program is.
///
/// # Panics
///
/// When it is missing; the message names the package that has it. Tests never skip.
#[track_caller]
pub(crate) fn path(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain(SBIN.iter().map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file());
    found.unwrap_or_else(|| {
        let package =
            PACKAGES.iter().find(|(name, _)| *name == program).map(|(_, package)| package);
        let package = package.unwrap_or(&"(not in the table)");
        panic!("`{program}` is missing: apt-get install {package}, or run the tests by tests/run")
    })
}

/// What a program that ran to its end left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs an installed program with `stdin` in `dir`.
#[track_caller]
pub(crate) fn run(program: &str, args: &[&str], dir: &Path, stdin: &str) -> Output {
    let mut child = Command::new(path(program))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("an installed program starts");
    let mut pipe = child.stdin.take().expect("standard input is piped");
    let input = stdin.to_owned();
    // A thread of its own, so that a program that writes before it has read all cannot block us.
    // A program may rightly end without reading: a broken pipe is no failure.
    let writer = thread::spawn(move || pipe.write_all(input.as_bytes()).ok());
    let output = child.wait_with_output().expect("a child can be waited for");
    writer.join().expect("the writer does not panic");
    Output {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
