//! Configurations that do not load: exit status 2, and every fault with its place.

use crate::support::exporter::Exporter;
use crate::support::toy;

/// A job that is all right; faults are put beside it.
const GOOD_JOB: &str = "  - job_name: good\n    static_configs: [{targets: ['127.0.0.1:1']}]\n";

/// Runs with a configuration and files beside it; `faults` are the places and messages that
/// standard error must show, all of them, and their number is that of the faults.
#[track_caller]
fn check_with(config: &str, files: &[(&str, &str)], faults: &[(&str, &str)]) {
    let files = [&[("bad.yaml", config)], files].concat();
    let args = ["--web.listen-address", "127.0.0.1:0", "--config.file", "bad.yaml"];
    let ended = Exporter::run(&args, &files);
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    for (place, message) in faults {
        assert!(ended.stderr.contains(&format!("--> {place}\n")), "{place}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{message}: {}", ended.stderr);
    }
    let errors = ended.stderr.matches("error[").count();
    assert_eq!(errors, faults.len(), "{}", ended.stderr);
    assert!(!ended.stderr.contains("listening"), "{}", ended.stderr);
}

#[track_caller]
fn check(config: &str, faults: &[(&str, &str)]) {
    check_with(config, &[], faults);
}

#[test]
fn text_that_is_no_yaml() {
    check("scrape_configs: [\n", &[("bad.yaml:1:19", "invalid-yaml")]);
}

#[test]
fn a_key_that_nobody_knows() {
    let config = format!("globall: {{scrape_interval: 1s}}\nscrape_configs:\n{GOOD_JOB}");
    check(&config, &[("bad.yaml:1:1", "did you mean `global`?")]);
}

#[test]
fn a_timeout_above_its_interval() {
    let config = format!(
        "global: {{scrape_interval: 5s, scrape_timeout: 10s}}\nscrape_configs:\n{GOOD_JOB}"
    );
    check(&config, &[("bad.yaml:1:47", "is above the interval of `5s`")]);
}

#[test]
fn a_duration_without_a_unit() {
    let config = format!("global: {{scrape_interval: 15}}\nscrape_configs:\n{GOOD_JOB}");
    check(&config, &[("bad.yaml:1:27", "duration")]);
}

#[test]
fn two_jobs_of_one_name() {
    let config = format!("scrape_configs:\n{GOOD_JOB}{GOOD_JOB}");
    check(&config, &[("bad.yaml:4:15", "there is a job `good` already")]);
}

#[test]
fn an_unknown_profile() {
    let config = format!("scrape_configs:\n{GOOD_JOB}    profile: reddis\n");
    check(&config, &[("bad.yaml:4:14", "did you mean `redis`?")]);
}

#[test]
fn a_number_that_is_none() {
    let config = format!("tuning: {{target_hit_rate: .nan}}\nscrape_configs:\n{GOOD_JOB}");
    check(&config, &[("bad.yaml:1:27", "`NaN` is not a finite number")]);
}

#[test]
fn a_file_of_rules_that_does_not_exist() {
    let config = format!("rule_files: [rules.yaml]\nscrape_configs:\n{GOOD_JOB}");
    check(&config, &[("bad.yaml:1:14", "rules.yaml")]);
}

#[test]
fn a_fault_inside_a_file_of_rules() {
    let rules = "groups:\n  - name: own\n    rules:\n      - rule: low\n        \
                 when: hit_rat < 0.5\n        \
                 tune: {parameter: l1_size_multiplier, multiply: 2, max: 4}\n        \
                 confidence: 0.9\n        expected_improvement: 0.1\n        reason: too low\n";
    let config = format!("rule_files: [rules.yaml]\nscrape_configs:\n{GOOD_JOB}");
    let faults = [("rules.yaml:5:15", "did you mean `hit_rate`?")];
    check_with(&config, &[("rules.yaml", rules)], &faults);
}

#[test]
fn a_fault_inside_a_file_of_profiles() {
    let profile = toy::PROFILE.replace("  misses:", "  mises:");
    let config = format!("profile_files: [{}]\nscrape_configs:\n{GOOD_JOB}", toy::PROFILE_FILE);
    let faults = [("toy.yaml:7:3", "did you mean `misses`?")];
    check_with(&config, &[(toy::PROFILE_FILE, &profile)], &faults);
}

#[test]
fn a_target_that_is_a_url() {
    let config =
        "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['http://a:1/']}]\n";
    check(config, &[("bad.yaml:3:33", "http://a:1/")]);
}

#[test]
fn all_faults_of_all_files_are_told_at_once() {
    let config = format!(
        "global: {{scrape_interval: soon}}\ntuning: {{mode: manual}}\n\
         profile_files: [{}]\nscrape_configs:\n{GOOD_JOB}    scheme: gopher\n",
        toy::PROFILE_FILE
    );
    let profile = toy::PROFILE.replace("  misses:", "  mises:");
    let faults = [
        ("bad.yaml:1:27", "`soon`"),
        ("bad.yaml:2:16", "`manual`"),
        ("toy.yaml:7:3", "`mises`"),
        ("bad.yaml:7:13", "`gopher`"),
    ];
    check_with(&config, &[(toy::PROFILE_FILE, &profile)], &faults);
}

#[test]
fn a_configuration_that_is_not_there() {
    let ended = Exporter::run(&["--config.file", "none.yaml"], &[]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.contains("cannot read `none.yaml`"), "{}", ended.stderr);
}

#[test]
fn no_secret_is_shown_with_a_fault_beside_it() {
    let config = format!(
        "scrape_configs:\n{GOOD_JOB}    \
         basic_auth:\n      username: a\n      password: hunter2\n    \
         authorization:\n      credentials: hunter2\n"
    );
    let ended = Exporter::run(&["--config.file", "bad.yaml"], &[("bad.yaml", &config)]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.contains("--> bad.yaml:7:5"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}
