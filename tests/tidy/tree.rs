//! The files of the project, found by walking, so that a copy without git is checked as well.

use std::fs;
use std::path::Path;

/// Folders that are built or kept by tools; `data` is where the program stores by default.
const SKIPPED: &[&str] = &[".git", "data", "target"];

/// Larger files are data.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// A file of the project that is text.
#[derive(Debug)]
pub(crate) struct Text {
    /// From the project's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Text {
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Line numbers from 1, and lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

/// Every text file, by path.
pub(crate) fn text_files() -> Vec<Text> {
    let mut files = Vec::new();
    walk(root(), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 3, "the project's files are found");
    files
}

/// Every Rust file.
pub(crate) fn rust_files() -> Vec<Text> {
    let mut files = text_files();
    files.retain(|file| file.has_extension("rs"));
    files
}

/// The modules that lie at the root of the crate, by their files.
pub(crate) fn modules() -> Vec<String> {
    let files = rust_files().into_iter();
    let names = files.filter_map(|file| {
        let name = file.path.strip_prefix("src/")?.strip_suffix(".rs")?.to_owned();
        (!name.contains('/') && name != "lib").then_some(name)
    });
    names.collect()
}

/// One file of the project, if there is one.
pub(crate) fn read(path: &str) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, files: &mut Vec<Text>) {
    for entry in fs::read_dir(folder).expect("a folder of the project can be read") {
        let entry = entry.expect("a folder of the project can be read");
        if SKIPPED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type().expect("a file has a type");
        if kind.is_dir() {
            walk(&entry.path(), files);
        } else if kind.is_file() && entry.metadata().is_ok_and(|data| data.len() <= TEXT_BYTES_MAX)
        {
            // What is not UTF-8 is a picture or a fixture, and no text.
            let Ok(text) = fs::read_to_string(entry.path()) else { continue };
            let path = entry.path();
            let path = path.strip_prefix(root()).expect("the walk stays in the project");
            files.push(Text { path: path.to_string_lossy().replace('\\', "/"), text });
        }
    }
}
