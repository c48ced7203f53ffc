//! The benchmark of tuning quality in a form small enough for every run of the tests, so that it
//! cannot rot: the same code, few ticks.

#[path = "../../benches/tuning_quality/suite.rs"]
mod suite;

use serde_json::Value;

use suite::Plan;

/// Enough for every part to act: two decisions of each policy that decides, one judged tuning.
const TINY: Plan = Plan {
    warm_up_ticks: 12,
    measured_ticks: 48,
    grid: (&[1.0], &[1.0, 2.0]),
    judged_history: 10,
    predicted_at: &[4],
    ..Plan::WHOLE
};

/// What it prints on standard output and on standard error.
fn run(arguments: &[&str]) -> (String, String) {
    let arguments = ["tuning_quality"].iter().chain(arguments);
    let (mut output, mut messages) = (Vec::new(), Vec::new());
    suite::main(arguments, &TINY, &mut output, &mut messages, false);
    (String::from_utf8(output).unwrap(), String::from_utf8(messages).unwrap())
}

#[test]
fn figures_are_the_same_on_any_number_of_threads() {
    let common = ["--seeds", "4-5", "--workload", "low-volume", "--format", "json"];
    let on = |threads| run(&[&common[..], &["--threads", threads]].concat()).0;
    assert_eq!(on("1"), on("2"));
}

#[test]
fn every_policy_is_measured() {
    let (output, messages) =
        run(&["--bench", "--seeds", "4", "--workload", "growth", "--format", "json"]);
    assert_eq!(messages, "no --trace FILE given: running without real traces\n");
    let report: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(report["seeds"], serde_json::json!([4, 4]));
    let policies = report["workloads"][0]["policies"].as_array().unwrap();
    let figure = |at: usize, name: &str| policies[at][name].as_f64().unwrap();
    let names: Vec<&str> = policies.iter().map(|row| row["policy"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "no tuning",
            "rez-next's rules",
            "sizing.yaml",
            "always the maximum",
            "greedy oracle",
            "best static sizes"
        ]
    );
    let capacities: Vec<f64> = (0..names.len()).map(|at| figure(at, "capacity_ratio")).collect();
    assert!((capacities[0] - 1.0).abs() < 1e-9, "{capacities:?}");
    assert!((capacities[3] - 2.75).abs() < 1e-9, "{capacities:?}");
    assert!(figure(3, "hit_rate") > figure(0, "hit_rate"));
    assert!(figure(1, "changes") >= 1.0, "the built-in rules act: {output}");
    assert!(figure(4, "changes") >= 1.0, "the oracle acts: {output}");
    // No tuning is one of the sizes that are tried in hindsight.
    assert!(figure(5, "utility") >= figure(0, "utility"));
}

#[test]
fn judge_and_predictor_are_measured() {
    let arguments = ["--seeds", "4", "--workload", "low-volume"];
    let only = ["--only", "judge", "--only", "predictor"];
    let (output, _) = run(&[&arguments[..], &only, &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&output).unwrap();
    let section = &report["workloads"][0];
    assert_eq!(section["policies"], serde_json::json!([]));
    for variant in [0, 1, 2] {
        assert_eq!(section["judge"][variant]["verdicts"]["cases"], 1, "{output}");
    }
    // Four sizes on each of four caches.
    assert_eq!(section["predictor"]["changes"], 16);
    assert!(section["predictor"]["median_error_one_point"].as_f64().unwrap() < 0.1, "{output}");
    let (output, _) = run(&[&arguments[..], &only].concat());
    let sections = [
        "judge with controls, 1 tunings",
        "judge without controls",
        "judge priced, with controls",
        "from one point",
    ];
    for words in sections {
        assert!(output.contains(words), "`{words}` in {output}");
    }
    assert!(!output.contains("greedy oracle"), "{output}");
}

#[test]
fn the_text_names_workloads_and_policies() {
    let (output, _) = run(&["--seeds", "4", "--workload", "low-volume"]);
    for word in ["low-volume", "all plain workloads", "greedy oracle", "capacity", "reversals"] {
        assert!(output.contains(word), "`{word}` in {output}");
    }
}

#[test]
fn wrong_usage_is_told() {
    #[track_caller]
    fn check(arguments: &[&str], want: &str) {
        let (output, messages) = run(arguments);
        assert!(messages.contains(want) && output.is_empty(), "{messages}");
    }
    check(&["--workload", "nothing"], "no workload `nothing`; there are zipf-0.7, ");
    check(&["--seeds", "9-1"], "`9-1` ends before it begins");
    check(&["--seeds", "0-1000"], "more than 1000 seeds");
    check(&["--short", "--trace", "no/such.xz"], "error: trace `no/such.xz`: ");
}
