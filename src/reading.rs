//! One page, read: which profile it fits, and what it says of each cache. All that can be wrong
//! with a page that arrived whole is found here, as a reason of the same closed set as the failures
//! of the network.

mod follow;
mod layout;
#[cfg(test)]
mod tests;
mod warm;

use std::sync::Arc;

use crate::cache_stats::CacheStats;
use crate::exposition;
use crate::exposition::Entry;
use crate::exposition::Sample;
use crate::expr::Selection;
use crate::expr::Selector;
use crate::profile;
use crate::profile::Names;
use crate::profile::PageFormat;
use crate::profile::Profile;
use crate::reason::Reason;
use crate::units::Timestamp;

pub use crate::reading::layout::LAYOUT_BYTES_MAX;
pub use crate::reading::warm::JobReader;
pub use crate::reading::warm::TargetReader;

/// Caches read from one page. Micrometer applications show some hundreds.
pub const CACHES_PER_PAGE_MAX: usize = 100_000;

/// Lines read of one page; those of the largest body that is taken have seldom fewer than 60 bytes.
/// A page of shorter ones would take fifty times its size in memory.
pub const LINES_PER_PAGE_MAX: usize = 1_000_000;

/// How a job's pages are read.
#[derive(Debug, Clone)]
pub enum ProfileChoice {
    /// By the first of these whose `detect` finds something.
    Auto(Vec<Arc<Profile>>),
    /// By this one.
    Fixed(Arc<Profile>),
}

impl ProfileChoice {
    /// The one of them that has the name of `known`, which a reload may have read anew.
    pub fn same(&self, known: &Profile) -> Option<Arc<Profile>> {
        self.profiles().iter().find(|profile| profile.name == known.name).map(Arc::clone)
    }

    /// The metrics that decide which of the profiles a page is read by.
    fn deciding_names(&self) -> impl Iterator<Item = &str> {
        let profiles = match self {
            Self::Auto(profiles) => profiles.as_slice(),
            Self::Fixed(_) => &[],
        };
        let detects = profiles.iter().filter_map(|profile| profile.detect.as_ref());
        detects.flat_map(Selection::selectors).map(Selector::name)
    }

    /// The metrics that any page may be asked for, `known` being the profile of an earlier one.
    fn names(&self, known: Option<&Arc<Profile>>) -> Names {
        let profiles = self.profiles().iter().chain(known);
        profiles.flat_map(|profile| profile::names(profile)).collect()
    }

    fn profiles(&self) -> &[Arc<Profile>] {
        match self {
            Self::Auto(profiles) => profiles,
            Self::Fixed(profile) => std::slice::from_ref(profile),
        }
    }
}

/// A page as it came.
#[derive(Debug, Clone, Copy)]
pub struct RawPage<'a> {
    /// The decoded body.
    pub text: &'a str,
    /// The header of that name.
    pub content_type: Option<&'a str>,
}

/// What a page says.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The profile that it was read with.
    pub profile: Arc<Profile>,
    /// Its caches, by name.
    pub caches: Vec<(Arc<str>, CacheStats)>,
    /// Samples on the page.
    pub samples: usize,
    /// Lines that could not be read; they cost nothing but themselves.
    pub bad_lines: usize,
    /// The first of them, in words.
    pub bad_line: Option<String>,
}

/// Why a scrape gave no reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For metrics.
    pub reason: Reason,
    /// For people.
    pub message: String,
}

impl Failure {
    /// A failure with words for people.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

/// The samples of a page with what was wrong on it.
#[derive(Debug)]
pub struct Samples<'a> {
    /// In the page's order: all, or those that were asked for.
    pub samples: Vec<Sample<'a>>,
    /// Samples on the page, whether asked for or not.
    pub total: usize,
    /// Lines that could not be read.
    pub bad_lines: usize,
    /// The first of them, in words.
    pub bad_line: Option<String>,
}

/// The samples of a page, whatever its format.
///
/// # Errors
/// [`Reason::NotExposition`] for what is no page of metrics at all, [`Reason::SampleLimit`], also
/// for more than [`LINES_PER_PAGE_MAX`] lines.
pub fn samples(page: RawPage<'_>, sample_limit: Option<usize>) -> Result<Samples<'_>, Failure> {
    samples_if(page, sample_limit, |_| true)
}

/// The samples of those metrics whose names are `wanted`; the others are checked and counted. In
/// JSON there may be others among them.
///
/// # Errors
/// Those of [`samples`].
fn samples_if(
    page: RawPage<'_>,
    sample_limit: Option<usize>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Samples<'_>, Failure> {
    let found = match page_format(page) {
        PageFormat::Json => json_samples(page.text)?,
        PageFormat::Prometheus => text_samples(page, wanted)?,
    };
    within_limit(found.total, sample_limit)?;
    Ok(found)
}

fn within_limit(samples: usize, sample_limit: Option<usize>) -> Result<(), Failure> {
    match sample_limit {
        Some(limit) if samples > limit => {
            let message = format!("{samples} samples exceed `sample_limit` {limit}");
            Err(Failure::new(Reason::SampleLimit, message))
        }
        _ => Ok(()),
    }
}

/// A page's format by its content type, or else by its first character: products that show JSON
/// often say `text/plain`.
fn page_format(page: RawPage<'_>) -> PageFormat {
    let says_json = page.content_type.is_some_and(|content_type| content_type.contains("json"));
    // `{"quoted.name"} 1` opens a sample too, but no JSON document is followed by a value on its
    // line.
    let looks_like_json = page.text.trim_start().starts_with(['{', '['])
        && page.text.trim_end().ends_with(['}', ']']);
    if says_json || looks_like_json { PageFormat::Json } else { PageFormat::Prometheus }
}

fn json_samples(text: &str) -> Result<Samples<'static>, Failure> {
    match profile::json::samples(text) {
        Ok(samples) => {
            let total = samples.len();
            Ok(Samples { samples, total, bad_lines: 0, bad_line: None })
        }
        Err(fault) => Err(Failure::new(Reason::NotExposition, fault.to_string())),
    }
}

fn text_samples(page: RawPage<'_>, wanted: impl Fn(&str) -> bool) -> Result<Samples<'_>, Failure> {
    let lines = memchr::memchr_iter(b'\n', page.text.as_bytes()).count();
    if lines > LINES_PER_PAGE_MAX {
        let message = format!("{lines} lines exceed the limit of {LINES_PER_PAGE_MAX}");
        return Err(Failure::new(Reason::SampleLimit, message));
    }
    let format = exposition::Format::from_content_type(page.content_type);
    let mut found = Samples { samples: Vec::new(), total: 0, bad_lines: 0, bad_line: None };
    for entry in exposition::scan(page.text, format) {
        match entry {
            Entry::Bad(bad) => {
                found.bad_lines += 1;
                found.bad_line.get_or_insert_with(|| bad.to_bad_line().to_string());
            }
            Entry::Blank | Entry::Comment(_) => {}
            Entry::Sample(sample) => {
                found.total += 1;
                if wanted(sample.name()) {
                    found.samples.push(sample.into_sample());
                }
            }
        }
    }
    if found.total == 0 && found.bad_lines > 0 {
        let first = found.bad_line.unwrap_or_default();
        let message = format!("no sample in the {}: {first}", kind_of_text(page));
        return Err(Failure::new(Reason::NotExposition, message));
    }
    Ok(found)
}

fn kind_of_text(page: RawPage<'_>) -> &'static str {
    let html = page.content_type.is_some_and(|content_type| content_type.contains("html"));
    if html { "HTML page" } else { "page" }
}

/// Reads a page by itself. `known` is the profile that the target's earlier pages were read with.
///
/// # Errors
/// Those of [`samples`], [`Reason::NoProfile`], and [`Reason::SampleLimit`] for too many caches.
pub fn read(
    page: RawPage<'_>,
    choice: &ProfileChoice,
    known: Option<&Arc<Profile>>,
    sample_limit: Option<usize>,
    now: Timestamp,
) -> Result<Reading, Failure> {
    let names = choice.names(known);
    let found = samples_if(page, sample_limit, |name| names.contains(name))?;
    let profile = profile_of(&found.samples, choice, known, now)?;
    reading_of(&found, &profile, now)
}

fn reading_of(
    found: &Samples<'_>,
    profile: &Arc<Profile>,
    now: Timestamp,
) -> Result<Reading, Failure> {
    let caches = profile::extract(profile, &found.samples, now);
    if caches.len() > CACHES_PER_PAGE_MAX {
        let message = format!("{} caches exceed the limit of {CACHES_PER_PAGE_MAX}", caches.len());
        return Err(Failure::new(Reason::SampleLimit, message));
    }
    Ok(Reading {
        profile: Arc::clone(profile),
        caches,
        samples: found.total,
        bad_lines: found.bad_lines,
        bad_line: found.bad_line.clone(),
    })
}

/// The profile for a page. A target whose product was recognised once keeps its profile while the
/// page shows nothing that could tell: exporters show an almost empty page while their product is
/// down.
fn profile_of(
    samples: &[Sample<'_>],
    choice: &ProfileChoice,
    known: Option<&Arc<Profile>>,
    now: Timestamp,
) -> Result<Arc<Profile>, Failure> {
    let profiles = match choice {
        ProfileChoice::Fixed(profile) => return Ok(Arc::clone(profile)),
        ProfileChoice::Auto(profiles) => profiles,
    };
    let detected = profile::detect(profiles.iter().map(|profile| &**profile), samples, now);
    let detected = detected.and_then(|found| profiles.iter().find(|p| p.name == found.name));
    detected.or(known).map(Arc::clone).ok_or_else(|| {
        let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        let message =
            format!("none of the profiles {} recognises what the target shows", names.join(", "));
        Failure::new(Reason::NoProfile, message)
    })
}
