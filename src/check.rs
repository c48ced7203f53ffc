//! The `check` command: load files as the exporter would, and say all that is wrong with them.

use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use crate::config;
use crate::config::Kind;
use crate::diag::Diagnostics;
use crate::diag::render;
use crate::diag::render::Format;
use crate::profile;
use crate::rule;
use crate::yaml::Document;

/// What the command is given.
#[derive(Debug, Clone)]
pub struct CheckArgs {
    /// Configurations, rule files and profile files, in any mix.
    pub files: Vec<PathBuf>,
    /// How diagnostics are shown.
    pub output_format: Format,
}

/// Checks the files and gives the exit status: 0, or 1 where there is an error. Diagnostics go to
/// `err`, as [`Format::Json`] to `out` since they are data then; a summary always goes to `err`.
pub fn run(args: &CheckArgs, out: &mut dyn Write, err: &mut dyn Write, color: bool) -> u8 {
    let mut diagnostics = Diagnostics::new();
    for path in &args.files {
        diagnostics.extend(check(path));
    }
    diagnostics.sort();
    let shown = show(&diagnostics, args, out, err, color);
    u8::from(diagnostics.has_errors() || shown.is_err())
}

/// All that is wrong with one file, and where it is a configuration, with the files that it names.
pub fn check(path: &Path) -> Diagnostics {
    let document = match config::read_file(path).and_then(Document::parse) {
        Ok(document) => document,
        Err(fault) => return fault.into(),
    };
    let source = Arc::clone(document.root().source());
    match config::kind_of(&document) {
        Kind::Configuration => problems(config::load_document(&document)),
        Kind::ProfileFile => profile::load(&source).err().unwrap_or_default(),
        Kind::RuleFile => problems(rule::load(&[source])),
    }
}

fn problems<T>(loaded: Result<(T, Diagnostics), Diagnostics>) -> Diagnostics {
    match loaded {
        Ok((_, warnings)) => warnings,
        Err(diagnostics) => diagnostics,
    }
}

fn show(
    diagnostics: &Diagnostics,
    args: &CheckArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
    color: bool,
) -> io::Result<()> {
    let text = render::render(diagnostics, args.output_format, color);
    match args.output_format {
        Format::Json => out.write_all(text.as_bytes())?,
        Format::Concise | Format::Full => err.write_all(text.as_bytes())?,
    }
    let count = args.files.len();
    let files = if count == 1 { "file" } else { "files" };
    writeln!(err, "{count} {files} checked: {}", render::summary(diagnostics))?;
    out.flush()?;
    err.flush()
}
