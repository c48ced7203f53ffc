//! The pieces of work, each ready to be done and done a few times already.

use std::sync::Arc;

use cache_tuner_exporter::cache_stats::CacheStats;
use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::history::History;
use cache_tuner_exporter::judge;
use cache_tuner_exporter::judge::CONTROLS_MAX;
use cache_tuner_exporter::judge::Look;
use cache_tuner_exporter::judge::Sample;
use cache_tuner_exporter::judge::TRACK_SAMPLES_MAX;
use cache_tuner_exporter::judge::Track;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::reading;
use cache_tuner_exporter::reading::JobReader;
use cache_tuner_exporter::reading::ProfileChoice;
use cache_tuner_exporter::reading::RawPage;
use cache_tuner_exporter::reading::TargetReader;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::rule::Situation;
use cache_tuner_exporter::rule::Verdict;
use cache_tuner_exporter::snapshot;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::tuner::TuningParameters;

use crate::cases::case;
use crate::fleet::Fleet;
use crate::samples;
use crate::samples::SAMPLES;
use crate::windows;

/// Something to be done; what it returns depends on all of it.
pub(crate) type Work = Box<dyn FnMut() -> usize>;

/// How often each was done before.
const WARM: usize = 4;

/// Caches on the page that is written.
const CACHES: usize = 1_000;

const PAGES: [&str; 2] =
    [include_str!("../../tests/pages/redis_1.txt"), include_str!("../../tests/pages/redis_2.txt")];

fn warm(mut work: impl FnMut() -> usize + 'static) -> Work {
    (0..WARM).for_each(|_| {
        std::hint::black_box(work());
    });
    Box::new(work)
}

/// Fails, so that nothing is counted that is not the work.
#[expect(clippy::panic, reason = "a work that cannot be prepared has no count")]
fn need<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|fault| panic!("{fault:?}"))
}

fn redis() -> ProfileChoice {
    let profiles = need(profile::built_in());
    let redis = profiles.into_iter().find(|profile| profile.name == "redis");
    ProfileChoice::Fixed(Arc::new(need(redis.ok_or("no profile"))))
}

/// The Redis page, the other of two each time.
pub(crate) fn read_warm() -> Work {
    let mut reader = TargetReader::new(Arc::new(JobReader::new(redis(), None)), None);
    let mut pages = PAGES.iter().cycle();
    warm(move || {
        let page = RawPage { text: pages.next().copied().unwrap_or_default(), content_type: None };
        need(reader.read(page, samples::at(0))).samples
    })
}

/// The same without memory.
pub(crate) fn read_plainly() -> Work {
    let (choice, mut pages) = (redis(), PAGES.iter().cycle());
    warm(move || {
        let page = RawPage { text: pages.next().copied().unwrap_or_default(), content_type: None };
        need(reading::read(page, &choice, None, None, samples::at(0))).samples
    })
}

/// The interval between two Redis pages.
pub(crate) fn snapshot() -> Work {
    let [earlier, later] = PAGES.map(|text| -> CacheStats {
        let page = RawPage { text, content_type: None };
        let reading = need(reading::read(page, &redis(), None, None, samples::at(0)));
        reading.caches.into_iter().next().map(|(_, stats)| stats).unwrap_or_default()
    });
    warm(move || {
        let interval = snapshot::between(&earlier, samples::at(0), &later, samples::at(1));
        usize::from(matches!(interval, snapshot::Interval::Measured(_)))
    })
}

fn rules() -> RuleSet {
    let (name, text) = rule::BUILT_IN;
    need(rule::load(&[SourceFile::new(name, text)])).0
}

/// The first of the built-in rules, over 240 snapshots.
pub(crate) fn rule() -> Work {
    let (rules, window) = (rules(), windows::window(0));
    let (parameters, config) = (TuningParameters::default(), TuningConfig::default());
    warm(move || {
        let history = History::newest_of(&window, SAMPLES);
        let situation =
            Situation { history, parameters: &parameters, config: &config, sizes: None };
        let verdict = rules.iter().next().map(|rule| rule.verdict(&situation));
        usize::from(matches!(verdict, Some(Verdict::Recommends(_))))
    })
}

/// A snapshot taken in, with full windows.
pub(crate) fn step() -> Work {
    tuner(false)
}

/// The same, and an analysis.
pub(crate) fn step_analysed() -> Work {
    tuner(true)
}

fn tuner(is_analysed: bool) -> Work {
    let config = TuningConfig { performance_window_size: SAMPLES, ..TuningConfig::default() };
    let mut tuner = AdaptiveTuner::new(config, Arc::new(rules()), Parameter::ALL.to_vec());
    let snapshots = samples::snapshots(0, SAMPLES + WARM + 1);
    let mut next = snapshots.into_iter();
    next.by_ref().take(SAMPLES).for_each(|snapshot| tuner.record_performance(snapshot));
    warm(move || {
        let Some(snapshot) = next.next() else { return 0 };
        tuner.record_performance(snapshot);
        if is_analysed { tuner.analyze_and_tune(snapshot.timestamp).len() } else { 0 }
    })
}

/// The last look at a tuning, with five controls.
pub(crate) fn judgement() -> Work {
    let track = |seed| {
        let mut track = Track::new();
        for snapshot in samples::snapshots(seed, TRACK_SAMPLES_MAX) {
            track.push(Sample::new(&snapshot, true));
        }
        track
    };
    let tracks: Vec<Track> = (0..=CONTROLS_MAX as u64).map(track).collect();
    warm(move || {
        let controls: Vec<&Track> = tracks[1..].iter().collect();
        usize::from(judge::judge(&case(&tracks[0], &controls), Look::Last).outcome.is_some())
    })
}

/// The metrics page after something changed.
pub(crate) fn write() -> Work {
    let fleet = need(Fleet::new(CACHES));
    warm(move || {
        fleet.change();
        need(fleet.exporter.page()).iter().map(bytes::Bytes::len).sum()
    })
}
