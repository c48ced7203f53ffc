//! Tells the program what it was built from and with: the git revision and the compiler's version.
//!
//! Neither is needed to build: without git, or outside a checkout of this very project (a release
//! archive, a copy inside somebody else's repository), the revision is `unknown`.

use std::env;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    // `rustc 1.90.0 (1159e78c4 2025-09-14)`: the number alone is what dashboards compare.
    let version = output(&rustc, &["--version"]);
    let version = version.as_deref().and_then(|line| line.split(' ').nth(1)).unwrap_or("unknown");
    println!("cargo::rustc-env=CACHE_TUNER_RUST_VERSION={version}");
    println!(
        "cargo::rustc-env=CACHE_TUNER_REVISION={}",
        revision().as_deref().unwrap_or("unknown")
    );
}

/// The commit that is checked out here.
fn revision() -> Option<String> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?).canonicalize().ok()?;
    let top = PathBuf::from(output("git", &["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != root {
        return None;
    }
    // Grows with every commit, checkout and reset, whichever branch is out.
    let log = output("git", &["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    output("git", &["rev-parse", "HEAD"])
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
