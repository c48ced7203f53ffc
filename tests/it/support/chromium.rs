//! Pages as a browser shows them, by headless Chromium with nothing but loopback to talk to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::process;
use crate::support::process::Process;
use crate::support::tool;

/// Longest run for one page; a warm start takes about a second.
const RUN_TIMEOUT: Duration = Duration::from_secs(60);

/// No sandbox, since tests may run as root in a container; and nothing that calls home.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The document after its scripts have run, as HTML. `flags` such as `--virtual-time-budget=2000`
/// let a page's timers run first.
#[track_caller]
pub(crate) fn dump_dom(url: &str, flags: &[&str]) -> String {
    run(flags, &["--dump-dom", url]).stdout()
}

/// A picture of the page as PNG bytes; also kept as `target/tmp/screens/<name>.png`, where a person
/// can look at it.
#[track_caller]
pub(crate) fn screenshot(name: &str, url: &str, width: u32, height: u32) -> Vec<u8> {
    let size = format!("--window-size={width},{height}");
    let process = run(&[&size], &["--screenshot=page.png", url]);
    let picture = fs::read(process.dir().join("page.png"))
        .unwrap_or_else(|error| panic!("a picture of {url}: {error}"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screens");
    fs::create_dir_all(&folder).expect("the target directory can be written");
    fs::write(folder.join(format!("{name}.png")), &picture).expect("a picture can be kept");
    picture
}

#[track_caller]
fn run(flags: &[&str], args: &[&str]) -> Process {
    // A relative path: the program runs in a directory of its own.
    let args: Vec<_> = FLAGS
        .iter()
        .chain(["--user-data-dir=profile"].iter())
        .chain(flags)
        .chain(args)
        .map(|arg| (*arg).to_owned())
        .collect();
    let mut process = process::run_to_end(&tool::path("chromium"), &args, RUN_TIMEOUT);
    assert!(process.exit_status().is_some_and(|status| status.success()), "Chromium runs");
    process
}
