//! Who reads: ours, the peers, and the floor. Each returns something that depends on all it read.

use std::io;
use std::sync::Arc;

use cache_tuner_exporter::exposition;
use cache_tuner_exporter::exposition::Entry;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::reading;
use cache_tuner_exporter::reading::JobReader;
use cache_tuner_exporter::reading::ProfileChoice;
use cache_tuner_exporter::reading::RawPage;
use cache_tuner_exporter::reading::TargetReader;
use cache_tuner_exporter::units::Timestamp;
use memchr::memchr;
use prom_text_format_parser::Scrape as PromTextScrape;

use crate::pages;
use crate::pages::Scenario;

/// One way to read a page. The number returned keeps the work from being left out.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) is_ours: bool,
    pub(crate) read: Box<dyn FnMut(&str) -> usize>,
}

/// The subject that ratios are taken against.
pub(crate) const FLOOR: &str = "memchr over every line";

pub(crate) fn of(scenario: &Scenario) -> Vec<Subject> {
    let mut subjects = vec![
        other("memcpy", copy()),
        other(FLOOR, Box::new(lines)),
        ours("every sample, checked (scan)", Box::new(scan)),
        ours("every sample (exposition::parse)", Box::new(parse)),
    ];
    if let Some(profile) = scenario.profile {
        subjects.extend(by_profile(profile, &pages::later(&scenario.pages[0])));
    }
    subjects.extend([
        other(
            "prom_text_format_parser",
            Box::new(|page| PromTextScrape::parse(page).map_or(0, |scrape| scrape.metrics.len())),
        ),
        other(
            "prometheus-exposition-format-rs",
            Box::new(|page| {
                prometheus_exposition_format_rs::parse_complete(page)
                    .map_or(0, |families| families.len())
            }),
        ),
        other(
            "prometheus-parse",
            Box::new(|page| {
                let lines = page.lines().map(|line| io::Result::Ok(line.to_owned()));
                prometheus_parse::Scrape::parse(lines).map_or(0, |scrape| scrape.samples.len())
            }),
        ),
    ]);
    subjects
}

fn ours(name: &'static str, read: Box<dyn FnMut(&str) -> usize>) -> Subject {
    Subject { name, is_ours: true, read }
}

fn other(name: &'static str, read: Box<dyn FnMut(&str) -> usize>) -> Subject {
    Subject { name, is_ours: false, read }
}

fn copy() -> Box<dyn FnMut(&str) -> usize> {
    let mut buffer = Vec::new();
    Box::new(move |page| {
        buffer.clear();
        buffer.extend_from_slice(page.as_bytes());
        std::hint::black_box(&buffer).len()
    })
}

fn lines(page: &str) -> usize {
    let mut rest = page.as_bytes();
    let mut count = 0;
    while let Some(end) = memchr(b'\n', rest) {
        rest = &rest[end + 1..];
        count += 1;
    }
    count
}

/// The sum of all values, so that none is left out.
fn scan(page: &str) -> usize {
    let mut samples = 0;
    let mut sum = 0.0;
    for entry in exposition::scan(page, Format::PrometheusText) {
        if let Entry::Sample(sample) = entry {
            samples += 1;
            sum += sample.value;
        }
    }
    std::hint::black_box(sum);
    samples
}

fn parse(page: &str) -> usize {
    exposition::parse(page, Format::PrometheusText).samples.len()
}

/// The program's own way: the profile's statistics of each cache. `first` is the page from which
/// the layout is learnt; it is none of those that are measured, so none is equal to it.
#[expect(clippy::expect_used, reason = "a benchmark without its profile has nothing to measure")]
fn by_profile(name: &str, first: &str) -> [Subject; 2] {
    let profiles = profile::built_in().expect("the built-in profiles load");
    let profile = profiles.into_iter().find(|profile| profile.name == name);
    let choice = ProfileChoice::Fixed(Arc::new(profile.expect("a built-in profile")));
    let now = Timestamp::from_millis(1_795_355_100_000);
    let job = Arc::new(JobReader::new(choice.clone(), None));
    let mut reader = TargetReader::new(job, None);
    reader.read(RawPage { text: first, content_type: None }, now).expect("a good page");
    [
        ours(
            "by profile, warm (TargetReader)",
            Box::new(move |text| {
                let page = RawPage { text, content_type: None };
                reader.read(page, now).map_or(0, |reading| reading.caches.len() + reading.samples)
            }),
        ),
        ours(
            "by profile, plainly (reading::read)",
            Box::new(move |text| {
                let page = RawPage { text, content_type: None };
                let reading = reading::read(page, &choice, None, None, now);
                reading.map_or(0, |reading| reading.caches.len() + reading.samples)
            }),
        ),
    ]
}
