//! `probe`: scrapes a target once, twice for rates, and shows what a profile makes of it: each role
//! with its expression and the series found, each signal with its value, or why it is absent. It
//! reads pages with the exporter's own code, so that what it shows is what the exporter would see.

mod explain;
mod report;

use std::io;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::cache_stats::CacheStats;
use crate::profile;
use crate::profile::Profile;
use crate::reading;
use crate::reading::Failure;
use crate::reading::ProfileChoice;
use crate::reading::RawPage;
use crate::reading::Reading;
use crate::scrape::Url;
use crate::scrape::client::Body;
use crate::scrape::client::Client;
use crate::scrape::client::ScrapeRequest;
use crate::scrape::config::ClientConfig;
use crate::scrape::plain::Kept;
use crate::units::Timestamp;

pub use report::OutputFormat;
use report::Report;
use report::RoleReport;

/// Series of a role that are shown; the rest is counted.
const SERIES_SHOWN_MAX: usize = 5;

/// What to probe.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What to scrape.
    pub url: Url,
    /// How to read it.
    pub choice: ProfileChoice,
    /// Time between the two scrapes; zero scrapes once.
    pub interval: Duration,
    /// Longest time a scrape may take.
    pub timeout: Duration,
    /// How to show what was found.
    pub format: OutputFormat,
    /// The wall clock.
    pub now: fn() -> Timestamp,
}

/// A page that was scraped and read.
struct Probed {
    body: Body,
    at: Timestamp,
    reading: Reading,
}

/// Probes and shows; `Ok(false)` when there is nothing to show but why.
///
/// # Errors
/// Only when writing fails.
pub async fn run(setup: &Setup, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    match probe(setup).await {
        Ok(report) => {
            out.write_all(report.render(setup.format).as_bytes())?;
            Ok(!report.caches.is_empty())
        }
        Err(failure) => {
            writeln!(err, "error[{}]: {}: {}", failure.reason.name(), setup.url, failure.message)?;
            Ok(false)
        }
    }
}

async fn probe(setup: &Setup) -> Result<Report, Failure> {
    let client = Client::new(&ClientConfig::default())
        .map_err(|fault| Failure::new(crate::reason::Reason::Other, fault.to_string()))?;
    let first = scrape(setup, &client, None).await?;
    if setup.interval.is_zero() {
        return Ok(report(setup, None, &first));
    }
    tokio::time::sleep(setup.interval).await;
    let second = scrape(setup, &client, Some(&first.reading.profile)).await?;
    Ok(report(setup, Some(&first), &second))
}

async fn scrape(
    setup: &Setup,
    client: &Client,
    known: Option<&Arc<Profile>>,
) -> Result<Probed, Failure> {
    let at = (setup.now)();
    let request = ScrapeRequest { url: setup.url.clone(), timeout: setup.timeout };
    let body = client
        .scrape(&request, &mut Kept::default())
        .await
        .map_err(|fault| Failure::new(fault.reason(), fault.to_string()))?;
    let page = RawPage { text: &body.text, content_type: body.content_type.as_deref() };
    let reading = reading::read(page, &setup.choice, known, None, at)?;
    Ok(Probed { body, at, reading })
}

fn report(setup: &Setup, earlier: Option<&Probed>, later: &Probed) -> Report {
    let profile = &*later.reading.profile;
    let caches = later.reading.caches.iter().map(|(name, stats)| {
        let before = earlier.and_then(|probed| find(&probed.reading.caches, name));
        let before = before.zip(earlier.map(|probed| probed.at));
        explain::cache(name, profile, before, stats, later.at)
    });
    Report {
        url: setup.url.to_string(),
        page_bytes: later.body.text.len(),
        samples: later.reading.samples,
        bad_lines: later.reading.bad_lines,
        bad_line: later.reading.bad_line.clone(),
        profile: profile.name.clone(),
        detected: matches!(setup.choice, ProfileChoice::Auto(_)),
        detect: profile.detect.as_ref().map(ToString::to_string),
        roles: roles(profile, later),
        caches: caches.collect(),
    }
}

fn find<'a>(caches: &'a [(Arc<str>, CacheStats)], name: &str) -> Option<&'a CacheStats> {
    caches.iter().find(|(other, _)| **other == *name).map(|(_, stats)| stats)
}

/// The profile's roles over the whole page, its caches together.
fn roles(profile: &Profile, probed: &Probed) -> Vec<RoleReport> {
    let content_type = probed.body.content_type.as_deref();
    let page = RawPage { text: &probed.body.text, content_type };
    // The page was read a moment ago, so it can be read.
    let samples = reading::samples(page, None).map(|found| found.samples).unwrap_or_default();
    let role = |(role, selection): (&crate::cache_stats::Role, &crate::expr::Selection)| {
        let mut found = profile::series_found(selection, &samples, probed.at);
        let series = found.len();
        found.truncate(SERIES_SHOWN_MAX);
        let found = found.into_iter().map(|(id, value)| (id.to_string(), value)).collect();
        RoleReport { role: role.name(), expression: selection.to_string(), series, found }
    };
    profile.roles.iter().map(role).collect()
}
