//! The reader that remembers against the one that does not: they must never tell two things of one
//! page. Shared by the property tests, the replay of the fuzzing corpus, and the fuzz target.

use std::sync::Arc;
use std::sync::LazyLock;

use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::profile::Profile;
use cache_tuner_exporter::reading;
use cache_tuner_exporter::reading::Failure;
use cache_tuner_exporter::reading::JobReader;
use cache_tuner_exporter::reading::ProfileChoice;
use cache_tuner_exporter::reading::RawPage;
use cache_tuner_exporter::reading::Reading;
use cache_tuner_exporter::reading::TargetReader;
use cache_tuner_exporter::units::Timestamp;

/// A profile with everything that a profile can ask for, over short names.
const PROFILE: &str = r#"
profile: small
description: of the tests
detect: up{kind="x"}
cache_label: c
start_time: start
uptime: age
roles:
  hits: hits_total
  misses: misses_total{why!="late"} default 0
  l1_entries: entries or keys
  l1_usage_bytes: bytes - free * 2
  l1_max_usage_bytes: bytes{of=~"a|b"}
  l1_evictions: gone{by="x"} + gone{by="y"}
parameters:
  l1_size_multiplier:
    observed: bytes{of="a"}
"#;

/// A page that shows it. Everything that is asked for stands among things that are not.
pub(crate) const PAGE: &str = "\
# HELP up Whether.
# TYPE up gauge
up{kind=\"x\"} 1
up{kind=\"y\"} 0
# HELP hits_total Hits.
hits_total{c=\"one\"} 10
hits_total{c=\"two\",z=\"\\\"é\"} 20.5
other{c=\"one\"} 3
misses_total{c=\"one\",why=\"late\"} 3
misses_total{c=\"one\",why=\"cold\"} 4

entries{c=\"one\"} 1e+06
keys{c=\"two\"} NaN
# remark
bytes{c=\"one\",of=\"a\"} 1.5e9
bytes{c=\"two\",of=\"b\"} 0
free{c=\"one\"} 12
free{c=\"two\"} 13
gone{by=\"x\",c=\"one\"} 7
gone{by=\"y\",c=\"one\"} -7
gone{by=\"y\",c=\"one\"} 8
unrelated_seconds_bucket{le=\"+Inf\"} 33
unrelated_seconds_sum 0.125
unrelated_seconds_count 33
start 1795350000
age 5100.5
";

/// The small profile and the built-in ones.
static PROFILES: LazyLock<Vec<Arc<Profile>>> = LazyLock::new(|| {
    let small = profile::load(&SourceFile::new("small.yaml", PROFILE));
    let small = small.unwrap_or_else(|faults| panic!("{faults:?}"));
    let built_in = profile::built_in().unwrap_or_else(|faults| panic!("{faults:?}"));
    std::iter::once(small).chain(built_in).map(Arc::new).collect()
});

/// Both readers of a sequence of pages.
pub(crate) struct Readers {
    choice: ProfileChoice,
    sample_limit: Option<usize>,
    /// Two targets of a job, which share what they learn, each with the profile of its last page.
    targets: [(TargetReader, Option<Arc<Profile>>); 2],
}

impl Readers {
    /// Of the profile of [`PAGE`].
    pub(crate) fn small() -> Self {
        Self::new(ProfileChoice::Auto(PROFILES.clone()), Some(40))
    }

    /// Of the built-in profiles.
    pub(crate) fn built_in() -> Self {
        Self::new(ProfileChoice::Auto(PROFILES[1..].to_vec()), None)
    }

    fn new(choice: ProfileChoice, sample_limit: Option<usize>) -> Self {
        let job = Arc::new(JobReader::new(choice.clone(), sample_limit));
        let target = || (TargetReader::new(Arc::clone(&job), None), None);
        Self { choice, sample_limit, targets: [target(), target()] }
    }

    /// Reads the next page of a target both ways; panics, naming the page, if they differ.
    pub(crate) fn check(&mut self, target: usize, text: &str, content_type: Option<&str>) {
        let now = Timestamp::from_millis(1_795_355_100_000);
        let page = RawPage { text, content_type };
        let (reader, known) = &mut self.targets[target % 2];
        let plain = reading::read(page, &self.choice, known.as_ref(), self.sample_limit, now);
        let ours = reader.read(page, now);
        assert_eq!(shown(&ours), shown(&plain), "{text:?}");
        if let Ok(plain) = plain {
            *known = Some(plain.profile);
        }
    }
}

/// All that a reading says. Numbers are shown so that two that differ in a bit are shown
/// differently.
fn shown(result: &Result<Reading, Failure>) -> String {
    match result {
        Err(failure) => format!("{failure:?}"),
        Ok(Reading { profile, caches, samples, bad_lines, bad_line }) => {
            format!("{} {caches:#?} {samples} {bad_lines} {bad_line:?}", profile.name)
        }
    }
}

/// Reads a text as pages, parted by lines of `%%`: those of one target, then of the other.
pub(crate) fn check_pages(text: &str) {
    for content_type in [None, Some("application/openmetrics-text")] {
        let mut readers = Readers::small();
        for target in 0..2 {
            readers.check(target, PAGE, content_type);
            for page in text.split("%%\n") {
                readers.check(target, page, content_type);
            }
            readers.check(target, PAGE, content_type);
        }
    }
}
