//! What scrapes of real pages say, one after the other: the counters of a page, growing.

use std::sync::Arc;

use anyhow::Context;
use cache_tuner_exporter::cache_stats::CacheStats;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::reading;
use cache_tuner_exporter::reading::ProfileChoice;
use cache_tuner_exporter::reading::RawPage;
use cache_tuner_exporter::reading::Reading;

use crate::samples;

/// Part of its value at first by which a counter grows from one scrape to the next.
const GROWTH: f64 = 0.01;
/// Scrapes after which traffic repeats; it is a quarter more at its highest than at its lowest.
const PERIOD: usize = 40;

/// The page of one Redis: one cache.
pub(crate) const REDIS: (&str, &str) = ("redis", include_str!("../../tests/pages/redis_1.txt"));

/// The page of a program with 200 caches.
pub(crate) const MICROMETER: (&str, &str) =
    ("micrometer", include_str!("../pages/micrometer_200.txt"));

/// A target that is scraped.
#[derive(Debug, Clone)]
pub(crate) struct Scrapes {
    first: Reading,
}

impl Scrapes {
    pub(crate) fn new((name, text): (&str, &str)) -> anyhow::Result<Self> {
        let profiles = profile::built_in().map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
        let profile = profiles.into_iter().find(|profile| profile.name == name);
        let choice = ProfileChoice::Fixed(Arc::new(profile.context("a built-in profile")?));
        let page = RawPage { text, content_type: None };
        let first = reading::read(page, &choice, None, None, samples::at(0));
        Ok(Self { first: first.map_err(|failure| anyhow::anyhow!("{failure:?}"))? })
    }

    /// What the page says the `step`th time.
    pub(crate) fn reading(&self, step: usize) -> Reading {
        let mut reading = self.first.clone();
        reading.caches.iter_mut().for_each(|(_, stats)| advance(stats, step));
        reading
    }

    /// What it says of the first cache.
    pub(crate) fn stats(&self, step: usize) -> anyhow::Result<CacheStats> {
        let cache = self.reading(step).caches.into_iter().next();
        Ok(cache.context("a page with a cache")?.1)
    }
}

fn advance(stats: &mut CacheStats, step: usize) {
    let phase = (step % PERIOD) as f64 / PERIOD as f64 * std::f64::consts::TAU;
    let grown = step as f64 + 0.5 * phase.sin();
    for (at, (_, terms)) in stats.cumulative.iter_mut().enumerate() {
        for term in terms {
            // Not all at one pace, so that their ratios move too.
            let wave = 0.05 * (phase * (at + 1) as f64).cos();
            term.value *= 1.0 + GROWTH * (grown + wave);
        }
    }
    if let Some(uptime) = &mut stats.uptime {
        *uptime += (step as f64) * samples::STEP_MS as f64 / 1000.0;
    }
}
