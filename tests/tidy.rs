//! The house rules, as tests: layers, files, names and words.
//!
//! A rule on a wiki page is a wish; a rule here holds. Each test reports all offences at once, as
//! `file:line: rule`. Only the standard library, so that nothing has to be built to run it first.
//! The scanner reads tokens, not syntax trees: exact enough for paths, and short.
#![cfg(test)]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/metrics.rs"]
mod metrics;
#[path = "tidy/rust.rs"]
mod rust;
#[path = "tidy/tree.rs"]
mod tree;

use std::fmt::Write;

use crate::rust::Source;
use crate::tree::Text;

/// Longest source file in lines, without its unit tests. Past this a file holds two concepts.
const FILE_LINES_MAX: usize = 400;

/// (file, its limit, reason).
const FILE_LINES_EXEMPT: &[(&str, usize, &str)] = &[];

/// Widest line of Rust in characters; rustfmt leaves comments and strings alone.
const LINE_COLUMNS_MAX: usize = 100;

#[test]
fn every_source_file_says_why_it_exists() {
    report(tree::rust_files().iter().filter_map(|file| {
        let is_said = file.text.starts_with("//!");
        (!is_said).then(|| file.offence(1, "opens without a `//!` paragraph"))
    }));
}

#[test]
fn files_are_short() {
    report(tree::rust_files().iter().filter(|file| file.path.starts_with("src/")).filter_map(
        |file| {
            let lines = Source::of(file).product_lines();
            let exempt = FILE_LINES_EXEMPT.iter().find(|(path, ..)| *path == file.path);
            let limit = exempt.map_or(FILE_LINES_MAX, |(_, limit, _)| *limit);
            let rule = format!("{lines} lines without tests, more than {limit}: two concepts?");
            (lines > limit).then(|| file.offence(limit, &rule))
        },
    ));
}

#[test]
fn lines_are_narrow() {
    let wide = |line: &str| line.chars().count() > LINE_COLUMNS_MAX && !line.contains("://");
    report(tree::rust_files().iter().flat_map(|file| {
        let lines = file.lines().filter(|(_, line)| wide(line));
        lines.map(|(number, _)| file.offence(number, "wider than 100 columns"))
    }));
}

#[test]
fn modules_keep_to_their_layer() {
    let files = tree::rust_files();
    report(files.iter().filter(|file| file.path.starts_with("src/")).flat_map(layers::offences));
}

#[test]
fn the_layer_table_is_sound() {
    report(layers::table_faults().into_iter());
}

#[test]
fn no_folder_has_a_mod_file() {
    report(tree::rust_files().iter().filter_map(|file| {
        let is_mod = file.path.ends_with("/mod.rs");
        is_mod.then(|| file.offence(1, "name it `foo.rs` beside the folder `foo`"))
    }));
}

#[test]
fn no_test_is_ignored() {
    // In two parts, so that this line is none.
    let attribute = concat!("#[", "ignore");
    report(tree::rust_files().iter().flat_map(|file| {
        let lines = file.lines().filter(|(_, line)| line.trim_start().starts_with(attribute));
        lines.map(|(number, _)| file.offence(number, "a test that is not run is no test"))
    }));
}

#[test]
fn every_module_is_in_the_architecture() {
    let Some(text) = tree::read("ARCHITECTURE.md") else { return };
    let named = |module: &str| rust::words(&text).any(|word| word == module);
    report(
        tree::modules()
            .into_iter()
            .filter(|module| !named(module))
            .map(|module| format!("ARCHITECTURE.md:1: does not name the module `{module}`")),
    );
}

#[test]
fn metric_names_agree_everywhere() {
    report(metrics::offences().into_iter());
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Paths of the machines it was made on and words about how it was made. Each in parts, so that
    // this list is no offence.
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/tmp", "/wt"),
        concat!("../sha", "red"),
        concat!("sub", "agent"),
        concat!("sub", "-agent"),
        concat!("language ", "model"),
        concat!("clau", "de"),
        concat!("this ", "session"),
        concat!("developer ", "session"),
        concat!("developer's ", "session"),
        concat!("developers ", "session"),
        concat!("developers' ", "session"),
    ];
    let files = tree::text_files();
    report(files.iter().filter(|file| file.path != "Cargo.lock").flat_map(|file| {
        file.lines().filter_map(|(number, line)| {
            let line = line.to_lowercase();
            let word = banned.iter().find(|word| line.contains(**word))?;
            Some(file.offence(number, &format!("`{word}` does not belong in the project")))
        })
    }));
}

#[test]
fn no_snapshot_waits_for_review() {
    report(tree::text_files().iter().filter_map(|file| {
        let is_pending = file.path.ends_with(".snap.new") || file.path.ends_with(".pending-snap");
        is_pending.then(|| file.offence(1, "accept it with INSTA_UPDATE=always, then read it"))
    }));
}

/// Fails with every offence, one a line.
#[track_caller]
fn report(offences: impl Iterator<Item = String>) {
    let mut list = String::new();
    let mut count = 0;
    for offence in offences {
        count += 1;
        writeln!(list, "{offence}").expect("a string takes all");
    }
    assert!(count == 0, "{count} offences against the house rules:\n{list}");
}

impl Text {
    fn offence(&self, line: usize, rule: &str) -> String {
        format!("{}:{line}: {rule}", self.path)
    }
}
