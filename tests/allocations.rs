//! What must not allocate when it is warm. A program of its own, since it counts allocations in
//! place of the usual allocator.

#[path = "../benches/support/samples.rs"]
mod samples;
#[path = "../benches/support/windows.rs"]
mod windows;

use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::history::History;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::Situation;
use cache_tuner_exporter::rule::Verdict;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::tuner::TuningParameters;

#[test]
fn evaluating_a_rule_allocates_nothing() {
    let sizing = include_str!("../rules/tuning/sizing.yaml");
    let (name, default) = rule::BUILT_IN;
    let files = [SourceFile::new(name, default), SourceFile::new("sizing.yaml", sizing)];
    let (rules, _) = rule::load(&files).unwrap();
    let window = windows::window(0);
    let history = History::newest_of(&window, samples::SAMPLES);
    let (parameters, config) = (TuningParameters::default(), TuningConfig::default());
    let situation = Situation { history, parameters: &parameters, config: &config, sizes: None };
    assert_eq!(history.len(), samples::SAMPLES);
    let mut fired = 0;
    for rule in rules.iter() {
        let mut verdict = Verdict::Quiet;
        let counted = allocation_counter::measure(|| verdict = rule.verdict(&situation));
        assert_eq!(counted.count_total, 0, "{}: {verdict:?}", rule.name);
        fired += usize::from(matches!(verdict, Verdict::Recommends(_)));
    }
    // All default rules but the one for little memory: their conditions are evaluated to the end.
    assert_eq!((rules.len(), fired), (9, 4));
}
