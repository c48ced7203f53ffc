//! A page as selectors see it: the samples that count, once each, found by name.
//!
//! What does not count is as if it were not there: values that are no numbers, samples with an old
//! timestamp, and the second and later samples of one series (Prometheus keeps the first, too).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::Profile;
use super::SeriesId;
use super::selections;
use crate::exposition::Sample;
use crate::expr::Selection;
use crate::expr::Selector;
use crate::units::Timestamp;

/// Age past which a sample with a timestamp of its own is not there any more: Prometheus'
/// look-back. Some products go on showing the last value they measured, with its time.
pub const SAMPLE_AGE_MAX: Duration = Duration::from_secs(300);

/// The first profile whose `detect` finds something among the samples.
pub fn detect<'p>(
    profiles: impl IntoIterator<Item = &'p Profile>,
    samples: &[Sample<'_>],
    now: Timestamp,
) -> Option<&'p Profile> {
    profiles.into_iter().find(|profile| {
        profile.detect.as_ref().is_some_and(|detect| {
            let page = Page::new([detect], samples, now);
            page.shows(detect)
        })
    })
}

/// The series that an expression's selectors find on a page, for people to look at: in the order of
/// the text, a selector's in the page's.
pub fn series_found(
    selection: &Selection,
    samples: &[Sample<'_>],
    now: Timestamp,
) -> Vec<(Arc<str>, f64)> {
    let page = Page::new([selection], samples, now);
    let found = selection.selectors().iter().flat_map(|selector| page.series(selector));
    found.map(|series| (Arc::clone(&series.id), series.value)).collect()
}

/// The samples that a set of expressions asks for.
pub(super) struct Page<'a> {
    by_name: HashMap<&'a str, Vec<Series<'a>>>,
    /// Samples that stand on the page and say nothing: no number, or an old one.
    silent: HashMap<&'a str, Vec<&'a Sample<'a>>>,
}

/// A series of the page with its value.
#[derive(Debug)]
pub(super) struct Series<'a> {
    pub(super) id: SeriesId,
    pub(super) value: f64,
    pub(super) sample: &'a Sample<'a>,
}

/// What each selector of an expression finds, by cache.
pub(super) struct Found<'a, 'p> {
    by_selector: Vec<BTreeMap<&'a str, Vec<&'p Series<'a>>>>,
    /// Caches of which a selector finds a sample that says nothing.
    silent: BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    /// Only what the expressions name is looked at: most of a page is about something else.
    pub(super) fn new<'s>(
        selections: impl IntoIterator<Item = &'s Selection>,
        samples: &'a [Sample<'a>],
        now: Timestamp,
    ) -> Self {
        let wanted: HashSet<&str> =
            selections.into_iter().flat_map(Selection::selectors).map(Selector::name).collect();
        let mut seen: HashSet<SeriesId> = HashSet::new();
        let mut by_name: HashMap<&str, Vec<Series<'_>>> = HashMap::new();
        let mut silent: HashMap<&str, Vec<&Sample<'_>>> = HashMap::new();
        for sample in samples {
            if !wanted.contains(sample.name.as_ref()) {
                continue;
            }
            if !counts(sample, now) {
                silent.entry(sample.name.as_ref()).or_default().push(sample);
                continue;
            }
            let id = series_id(sample);
            if seen.insert(Arc::clone(&id)) {
                let series = Series { id, value: sample.value, sample };
                by_name.entry(sample.name.as_ref()).or_default().push(series);
            }
        }
        Self { by_name, silent }
    }

    /// The series that a selector means, in the page's order.
    fn series<'p>(&'p self, selector: &'p Selector) -> impl Iterator<Item = &'p Series<'a>> {
        let named = self.by_name.get(selector.name()).map_or(&[][..], Vec::as_slice);
        named.iter().filter(|series| selector.matches_labels(|label| series.sample.label(label)))
    }

    /// What an expression's selectors find: for each value of `cache_label`, or all together under
    /// the empty name. A series without the label belongs to no cache.
    pub(super) fn find<'p>(
        &'p self,
        selection: &'p Selection,
        cache_label: Option<&str>,
    ) -> Found<'a, 'p> {
        let cache_of = |sample: &'a Sample<'a>| match cache_label {
            None => Some(""),
            Some(label) => sample.label(label).filter(|cache| !cache.is_empty()),
        };
        let silent = selection.selectors().iter().flat_map(|selector| {
            let named = self.silent.get(selector.name()).map_or(&[][..], Vec::as_slice);
            named.iter().filter(|sample| selector.matches_labels(|label| sample.label(label)))
        });
        let silent = silent.filter_map(|sample| cache_of(sample)).collect();
        let by_selector = selection.selectors().iter().map(|selector| {
            let mut by_cache: BTreeMap<&str, Vec<&Series<'a>>> = BTreeMap::new();
            for series in self.series(selector) {
                if let Some(cache) = cache_of(series.sample) {
                    by_cache.entry(cache).or_default().push(series);
                }
            }
            by_cache
        });
        Found { by_selector: by_selector.collect(), silent }
    }

    /// The lines of the series, ascending.
    pub(super) fn lines(&self) -> Vec<usize> {
        let named = self.by_name.values();
        let lines: BTreeSet<usize> = named.flatten().map(|series| series.sample.line).collect();
        lines.into_iter().collect()
    }

    /// Whether the page shows an expression, without any `default`.
    pub(super) fn shows(&self, selection: &Selection) -> bool {
        let found = self.find(selection, None);
        selection.flatten(&|selector| found.series(selector, ""), false).is_some()
    }
}

impl<'a, 'p> Found<'a, 'p> {
    /// The caches that any selector finds.
    pub(super) fn caches(&self) -> impl Iterator<Item = &'a str> {
        self.by_selector.iter().flat_map(|by_cache| by_cache.keys().copied())
    }

    /// Whether the page has a series of this cache that says nothing. It has had its first event,
    /// so no `default` may stand for it.
    pub(super) fn is_silent(&self, cache: &str) -> bool {
        self.silent.contains(cache)
    }

    /// The series of one cache that the selector at this index finds.
    pub(super) fn series(&self, selector: usize, cache: &str) -> Vec<&'p Series<'a>> {
        self.by_selector
            .get(selector)
            .and_then(|by_cache| by_cache.get(cache))
            .cloned()
            .unwrap_or_default()
    }
}

impl<'a> Page<'a> {
    /// A page of everything that a profile asks for.
    pub(super) fn of_profile(profile: &Profile, samples: &'a [Sample<'a>], now: Timestamp) -> Self {
        Self::new(selections(profile), samples, now)
    }
}

fn counts(sample: &Sample<'_>, now: Timestamp) -> bool {
    let fresh = sample
        .timestamp_ms
        .is_none_or(|ms| now.saturating_since(Timestamp::from_millis(ms)) <= SAMPLE_AGE_MAX);
    fresh && sample.value.is_finite()
}

/// `name{a="1",b="2"}`, labels by name; an empty label is as none.
fn series_id(sample: &Sample<'_>) -> SeriesId {
    let mut labels: Vec<(&str, &str)> =
        sample.labels.iter().map(|label| (label.name.as_ref(), label.value.as_ref())).collect();
    labels.retain(|(_, value)| !value.is_empty());
    labels.sort_unstable();
    let mut id = sample.name.to_string();
    for (index, (name, value)) in labels.iter().enumerate() {
        id.push(if index == 0 { '{' } else { ',' });
        id.push_str(name);
        id.push('=');
        push_quoted(&mut id, value);
    }
    if !labels.is_empty() {
        id.push('}');
    }
    id.into()
}

/// Appends the value as `{value:?}` would, which goes character by character.
fn push_quoted(id: &mut String, value: &str) {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if value.bytes().all(is_plain) {
        id.push('"');
        id.push_str(value);
        id.push('"');
    } else {
        // Writing to a string cannot fail.
        let _ = write!(id, "{value:?}");
    }
}
