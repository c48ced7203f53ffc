//! Configuration, rule and profile files over fixtures: what good ones mean, and what is said of
//! bad ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use cache_tuner_exporter::check;
use cache_tuner_exporter::config;
use cache_tuner_exporter::config::Loaded;
use cache_tuner_exporter::diag::Diagnostics;
use cache_tuner_exporter::diag::codes::CODES;
use cache_tuner_exporter::diag::render;
use cache_tuner_exporter::diag::render::Format;
use cache_tuner_exporter::units::format_duration;
use cache_tuner_exporter::yaml::FILE_BYTES_MAX;

/// As a user in the project's folder would name it, so that snapshots are the same everywhere.
fn relative(path: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
    path.canonicalize().unwrap().strip_prefix(root).unwrap().to_owned()
}

#[test]
fn bad_configurations_tell_all_their_faults() {
    insta::glob!("..", "config/bad/*.yaml", |path| insta::assert_snapshot!(faults(path)));
}

#[test]
fn bad_rules_tell_all_their_faults() {
    insta::glob!("..", "rules/bad/*.yaml", |path| insta::assert_snapshot!(faults(path)));
}

#[test]
fn bad_profiles_tell_all_their_faults() {
    insta::glob!("..", "profiles/bad/*.yaml", |path| insta::assert_snapshot!(faults(path)));
}

fn faults(path: &Path) -> String {
    let diagnostics = check::check(&relative(path));
    assert!(!diagnostics.is_empty(), "{} has no faults", path.display());
    let text = render::render(&diagnostics, Format::Full, false);
    // An expression that is too long is shown whole.
    let shorten = |line: &str| match line.char_indices().nth(160) {
        Some((end, _)) => format!("{}…\n", &line[..end]),
        None => format!("{line}\n"),
    };
    text.lines().map(shorten).collect()
}

#[test]
fn good_configurations_resolve_to_this() {
    insta::glob!("..", "config/good/*.yaml", |path| {
        let (loaded, warnings) = load(&relative(path));
        let warnings = render::render(&warnings, Format::Concise, false);
        insta::assert_snapshot!(format!("{}\n{warnings}\n{}", loaded.config_yaml, shown(&loaded)));
    });
}

#[track_caller]
fn load(path: &Path) -> (Loaded, Diagnostics) {
    config::load(path)
        .map_err(|faults| render::render(&faults, Format::Full, false))
        .unwrap_or_else(|faults| panic!("{faults}"))
}

fn shown(loaded: &Loaded) -> String {
    let mut text = String::new();
    for (job, scraped) in loaded.config.jobs.iter().zip(&loaded.jobs) {
        let thresholds: Vec<String> = scraped
            .rules
            .iter()
            .flat_map(|rule| rule.thresholds.iter().map(|it| format!("{}={}", it.name, it.value)))
            .collect();
        let profiles: Vec<&str> = scraped.profiles.iter().map(|it| it.name.as_str()).collect();
        let urls: Vec<String> = job.targets.iter().map(|target| target.url(job)).collect();
        let lines = [
            format!("{job:#?}"),
            format!("every {}", format_duration(job.scrape_interval)),
            format!("within {}", format_duration(job.scrape_timeout)),
            format!("profiles: {}", profiles.join(" ")),
            format!("thresholds: {}", thresholds.join(" ")),
            format!("urls: {}\n", urls.join(" ")),
        ];
        text += &lines.join("\n");
    }
    text
}

/// Faults that only large files have; too large to be kept as files.
fn large_files() -> Vec<(&'static str, String)> {
    let many = |head: &str, count: usize, item: &dyn Fn(usize) -> String| {
        (0..count).fold(head.to_owned(), |text, index| text + &item(index))
    };
    let rule = |index| {
        format!(
            "- {{rule: r{index}, when: hit_rate < 1, tune: {{parameter: ttl_multiplier, set: 1}}, \
             confidence: 1, reason: x}}\n"
        )
    };
    let job = |index| format!("- {{job_name: j{index}, static_configs: [{{targets: [a]}}]}}\n");
    let target = |index| format!("t{index},\n");
    let freeze = |_| "{from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z},\n".to_owned();
    let label = |index| format!("l{index}: x, ");
    let targets =
        many("scrape_configs: [{job_name: j, static_configs: [{targets: [", 10_001, &target);
    let labels = many("scrape_configs: [{job_name: j, static_configs: [{labels: {", 33, &label);
    vec![
        ("file-too-large", " ".repeat(FILE_BYTES_MAX + 1)),
        ("too-many-files", "rule_files: [rules/*.yaml]\n".to_owned()),
        ("too-many-freezes", many("tuning: {feedback: {freeze: [", 367, &freeze) + "]}}\n"),
        ("too-many-jobs", many("scrape_configs:\n", 1001, &job)),
        ("too-many-labels", labels + "}, targets: [a]}]}]\n"),
        (
            "too-many-rules",
            many("groups:\n- name: g\n  rules:\n", 1001, &|i| format!("  {}", rule(i))),
        ),
        ("too-many-targets", targets + "]}]}]\n"),
    ]
}

#[test]
fn what_is_too_much_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    for index in 0..=config::FILES_MAX {
        fs::write(folder.path().join(format!("rules/{index}.yaml")), "groups: []\n").unwrap();
    }
    for (code, text) in large_files() {
        let path = folder.path().join(format!("{code}.yaml"));
        fs::write(&path, text).unwrap();
        let diagnostics = check::check(&path);
        let codes: Vec<&str> = diagnostics.iter().map(|it| it.code).collect();
        assert!(codes.contains(&code), "{code}: {codes:?}");
        assert!(diagnostics.has_errors(), "{code}");
    }
}

#[test]
fn every_documented_code_has_a_fixture() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut seen: BTreeSet<&str> = large_files().into_iter().map(|(code, _)| code).collect();
    for folder in ["config/bad", "config/good", "rules/bad", "profiles/bad"] {
        for entry in fs::read_dir(tests.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                seen.extend(check::check(&path).iter().map(|diagnostic| diagnostic.code));
            }
        }
    }
    let documented: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(documented, seen);
}

/// Codes are the first text in the call that makes a diagnostic or a fault.
#[test]
fn every_code_in_use_is_documented() {
    let names = "error|error_inside|fault|give_up|key_error|new|unknown|wrong";
    let code = r#"\(\s*(?:[^"();]*,\s*)?"([a-z]+(?:-[a-z]+)*)"\s*,"#;
    let call = regex::Regex::new(&format!(r"\b(?:{names}){code}")).unwrap();
    let mut used = BTreeSet::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        used.extend(call.captures_iter(code).map(|found| found[1].to_owned()));
    }
    let documented: BTreeSet<String> = CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(documented, used);
    assert!(CODES.is_sorted(), "the codes are not in the order of the alphabet");
}

/// The files of a folder that are the program's own.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().unwrap().to_str().unwrap().ends_with("tests");
        if path.is_dir() && !is_test {
            found.extend(sources(&path));
        } else if !is_test && path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
