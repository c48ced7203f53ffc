//! Who may import whom, and who may touch the outside world.

use crate::rust::NamedPath;
use crate::rust::Source;
use crate::tree::Text;

/// Where a module stands. Data flows from the top of this list down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Knows words and numbers, nothing of the crate but other words.
    Vocabulary,
    /// Decides. A function of its arguments, time included.
    Core,
    /// Each its own outside world; edges do not know each other.
    Edge,
    /// Wires everything.
    Shell,
}

use Layer::Core;
use Layer::Edge;
use Layer::Shell;
use Layer::Vocabulary;

/// (module, its layer, which modules of its own layer it may import). Lower layers are open to all:
/// core and edges may import vocabulary, edges and shell may import core. A new module gets a row.
const LAYERS: &[(&str, Layer, &[&str])] = &[
    ("build_info", Vocabulary, &[]),
    ("cache_stats", Vocabulary, &["parameter"]),
    ("diag", Vocabulary, &[]),
    ("parameter", Vocabulary, &["units"]),
    ("reason", Vocabulary, &[]),
    ("secret", Vocabulary, &[]),
    ("signal", Vocabulary, &["units"]),
    ("stats", Vocabulary, &[]),
    ("suggest", Vocabulary, &[]),
    ("target_id", Vocabulary, &[]),
    ("units", Vocabulary, &[]),
    ("yaml", Vocabulary, &["diag", "suggest", "units"]),
    //
    ("exposition", Core, &[]),
    ("expr", Core, &[]),
    ("profile", Core, &["exposition", "expr"]),
    ("snapshot", Core, &[]),
    ("history", Core, &["snapshot"]),
    ("outcome", Core, &[]),
    ("tuning_config", Core, &[]),
    ("tuning_parameters", Core, &[]),
    ("rule", Core, &["expr", "history", "snapshot", "tuning_config", "tuning_parameters"]),
    ("judge", Core, &["outcome", "rule", "snapshot"]),
    ("confidence", Core, &[]),
    ("memory", Core, &["judge"]),
    ("predict", Core, &[]),
    (
        "tuner",
        Core,
        &[
            "confidence",
            "history",
            "judge",
            "outcome",
            "predict",
            "rule",
            "snapshot",
            "tuning_config",
            "tuning_parameters",
        ],
    ),
    ("published", Core, &["profile", "rule", "snapshot", "tuner", "tuning_parameters"]),
    ("reading", Core, &["exposition", "expr", "profile"]),
    (
        "engine",
        Core,
        &[
            "confidence",
            "history",
            "judge",
            "memory",
            "outcome",
            "predict",
            "profile",
            "published",
            "reading",
            "rule",
            "snapshot",
            "tuner",
            "tuning_config",
            "tuning_parameters",
        ],
    ),
    ("sim", Core, &["snapshot", "tuning_parameters"]),
    //
    ("export", Edge, &[]),
    ("scrape", Edge, &[]),
    ("store", Edge, &[]),
    ("web", Edge, &[]),
    //
    ("app", Shell, ALL),
    ("check", Shell, ALL),
    ("cli", Shell, ALL),
    ("command", Shell, ALL),
    ("config", Shell, ALL),
    ("demo", Shell, ALL),
    ("lib", Shell, ALL),
    ("logging", Shell, ALL),
    ("main", Shell, ALL),
    ("probe", Shell, ALL),
    ("replay", Shell, ALL),
];

/// The shell wires: its modules may import each other.
const ALL: &[&str] = &["app", "check", "cli", "config", "demo", "probe", "replay"];

/// What vocabulary and core may not name: I/O, async, clocks, logs. A path is forbidden when it
/// starts with one of these.
const IMPURE: &[&str] = &[
    "hyper",
    "prometheus",
    "reqwest",
    "rusqlite",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "tokio",
    "tracing",
];

/// Types that read the clock, whatever the path to them: time is an argument.
const CLOCKS: &[&str] = &["Instant", "SystemTime"];

/// (crate, the only module that may name it, why).
const KEPT_TO_ONE: &[(&str, &str, &str)] = &[
    ("prometheus", "export", "the library can be exchanged in one place"),
    ("rusqlite", "store", "what is kept can be kept otherwise"),
    ("serde_yaml", "yaml", "every fault of a file gets its position there"),
];

/// Every offence of a file of `src/` against the layers.
pub(crate) fn offences(file: &Text) -> Vec<String> {
    let module = module_of(&file.path);
    let Some((_, layer, peers)) = LAYERS.iter().find(|(name, ..)| *name == module) else {
        return vec![format!("{}:1: `{module}` has no row in the table of layers", file.path)];
    };
    let depth = file.path.matches('/').count();
    let mut offences = Vec::new();
    for path in Source::of(file).paths() {
        let rules = [
            import_rule(&path, module, *layer, peers),
            (path.is_use && is_climbing(&path, depth))
                .then(|| "reach the crate's modules by `crate::`, not by `super::`".to_owned()),
            purity_rule(&path, *layer),
            kept_rule(&path, module),
        ];
        let rules = rules.into_iter().flatten();
        offences.extend(rules.map(|rule| format!("{}:{}: {rule}", file.path, path.line)));
    }
    offences
}

fn import_rule(path: &NamedPath, module: &str, layer: Layer, peers: &[&str]) -> Option<String> {
    let [root, imported, ..] = path.segments.as_slice() else { return None };
    // `crate::main!` and the like do not exist here; `pub(crate)` has no second segment.
    if root != "crate" || imported == module {
        return None;
    }
    let Some((_, other, _)) = LAYERS.iter().find(|(name, ..)| name == imported) else {
        return (!matches!(layer, Shell))
            .then(|| format!("`crate::{imported}` has no row in the table of layers"));
    };
    let is_lower = match layer {
        Vocabulary => false,
        Core => *other == Vocabulary,
        Edge => matches!(other, Vocabulary | Core),
        Shell => true,
    };
    (!is_lower && !peers.contains(&imported.as_str()))
        .then(|| format!("`{module}` ({layer:?}) may not import `{imported}` ({other:?})"))
}

/// True for a `use` that leaves the top module by `super`, out of sight of the table.
fn is_climbing(path: &NamedPath, depth: usize) -> bool {
    path.segments.iter().take_while(|segment| *segment == "super").count() >= depth
}

fn purity_rule(path: &NamedPath, layer: Layer) -> Option<String> {
    if matches!(layer, Edge | Shell) {
        return None;
    }
    let is_path = path.is_use || path.segments.len() > 1;
    let is_impure = |prefix: &&&str| {
        let mut parts = prefix.split("::");
        let mut segments = path.segments.iter();
        parts.all(|part| segments.next().is_some_and(|segment| segment == part))
    };
    if let Some(prefix) = IMPURE.iter().find(is_impure).filter(|_| is_path) {
        return Some(format!("`{prefix}` in {layer:?}, which has no I/O, no async and no log"));
    }
    let clock = path.segments.iter().find(|segment| CLOCKS.contains(&segment.as_str()))?;
    Some(format!("`{clock}` in {layer:?}: take the time as an argument"))
}

fn kept_rule(path: &NamedPath, module: &str) -> Option<String> {
    if !path.is_use && path.segments.len() < 2 {
        return None;
    }
    let (name, home, reason) = KEPT_TO_ONE.iter().find(|(name, ..)| *name == path.segments[0])?;
    (module != *home).then(|| format!("`{name}` outside `{home}`: {reason}"))
}

/// `src/foo.rs` and `src/foo/bar.rs` are of the module `foo`.
fn module_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split(['/', '.']).next().unwrap_or(inside)
}

/// Rows that name no module of their own layer, and rows in a circle.
pub(crate) fn table_faults() -> Vec<String> {
    let layer_of = |name: &str| LAYERS.iter().find(|(row, ..)| *row == name).map(|row| row.1);
    let mut faults = Vec::new();
    for (module, layer, peers) in LAYERS {
        for peer in *peers {
            if layer_of(peer) != Some(*layer) {
                faults.push(format!("the row of `{module}` names `{peer}`, no {layer:?}"));
            }
            if *layer != Shell && reaches(peer, module) {
                faults.push(format!("`{module}` and `{peer}` import each other"));
            }
        }
    }
    faults
}

fn reaches(from: &str, to: &str) -> bool {
    let row = LAYERS.iter().find(|(name, ..)| *name == from);
    row.is_some_and(|(_, _, peers)| peers.iter().any(|peer| *peer == to || reaches(peer, to)))
}

#[test]
fn each_offence_is_seen() {
    #[track_caller]
    fn check(path: &str, code: &str, want: &str) {
        let text = format!("//! why\n{code}\n");
        let found = offences(&Text { path: path.to_owned(), text });
        if want.is_empty() {
            assert!(found.is_empty(), "{found:?}");
        } else {
            assert_eq!(found.len(), 1, "{code}: {found:?}");
            assert!(
                found[0].starts_with(&format!("{path}:")) && found[0].contains(want),
                "{found:?}"
            );
        }
    }
    check("src/rule.rs", "use crate::history::History;", "");
    check("src/rule/load.rs", "use crate::rule::Rule;\nuse super::Other;", "");
    check("src/history.rs", "use crate::rule::Rule;", "`history` (Core) may not import `rule`");
    check("src/history.rs", "fn f() { crate::web::g() }", "may not import `web` (Edge)");
    check("src/diag.rs", "use crate::rule::Rule;", "`diag` (Vocabulary) may not import");
    check("src/web.rs", "use crate::scrape::Body;", "may not import `scrape` (Edge)");
    check("src/web/page.rs", "use crate::tuner::Tuner;\nuse tokio::net::TcpListener;", "");
    check("src/app.rs", "use crate::web;\nuse crate::scrape;\nuse crate::cli;", "");
    check("src/app.rs", "pub(crate) fn f() {}", "");
    check("src/new.rs", "", "`new` has no row");
    check("src/tuner.rs", "use super::web::Page;", "not by `super::`");
    check("src/tuner/judge.rs", "use super::super::web::Page;", "not by `super::`");
    check("src/tuner.rs", "use std::time::Duration;\nuse std::time::Instant;", "`Instant` in Core");
    check("src/tuner.rs", "use std::{fmt, fs};", "`std::fs` in Core");
    check("src/tuner.rs", "fn f() { std::env::var(x); }", "`std::env` in Core");
    check("src/tuner.rs", "fn f() { tracing::info!(); }", "`tracing` in Core");
    check("src/tuner.rs", "// tokio::spawn\nfn f() -> &str { \"std::fs\" }", "");
    check("src/tuner.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}", "");
    check("src/web.rs", "use prometheus::Registry;", "`prometheus` outside `export`");
    check("src/export/collect.rs", "use prometheus::Registry;", "");
    check("src/config.rs", "use serde_yaml::Error;", "`serde_yaml` outside `yaml`");
    check("src/config.rs", "let prometheus = 1;", "");
}
