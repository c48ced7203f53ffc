//! A page read through a profile: the statistics of each of its caches.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Profile;
use super::page::Found;
use super::page::Page;
use super::page::Series;
use crate::cache_stats::CacheStats;
use crate::cache_stats::Kind;
use crate::cache_stats::Role;
use crate::cache_stats::Term;
use crate::cache_stats::Terms;
use crate::exposition::Sample;
use crate::expr::Selection;
use crate::expr::linear::Flat;
use crate::parameter::Parameter;
use crate::units::Timestamp;

/// A limit from here on is none. Products without one show 0, the largest 64-bit number, or the
/// largest file offset (2^63 − 1); 2^62 bytes are more than any memory or disk.
pub const UNLIMITED_MIN: f64 = 4_611_686_018_427_387_904.0;

/// The caches of a page with their statistics, by name.
///
/// With a `cache_label` there is one for each of its values that a role finds, otherwise one with
/// the profile's name, if a role finds anything at all: an exporter that cannot reach its product
/// shows no cache. `now` is the time of the scrape.
pub fn extract(
    profile: &Profile,
    samples: &[Sample<'_>],
    now: Timestamp,
) -> Vec<(Arc<str>, CacheStats)> {
    let page = Page::of_profile(profile, samples, now);
    let label = profile.cache_label.as_deref();
    let reader = Reader {
        profile,
        roles: profile
            .roles
            .iter()
            .map(|(role, selection)| (*role, selection, page.find(selection, label)))
            .collect(),
        observed: profile
            .parameters
            .iter()
            .filter_map(|(parameter, product)| Some((*parameter, product.observed.as_ref()?)))
            .map(|(parameter, selection)| (parameter, selection, page.find(selection, label)))
            .collect(),
        // Without an anchor of its own, whatever a role finds is proof enough that the product is
        // there.
        defaults: profile.detect.as_ref().is_none_or(|detect| page.shows(detect)),
        started_at: of_page(profile.start_time.as_ref(), &page).filter(|start| *start > 0.0),
        uptime: of_page(profile.uptime.as_ref(), &page).filter(|uptime| *uptime >= 0.0),
    };
    let caches: BTreeSet<&str> =
        reader.roles.iter().flat_map(|(_, _, found)| found.caches()).collect();
    caches.into_iter().map(|cache| (reader.name(cache), reader.cache(cache))).collect()
}

/// What the profile's expressions find on one page.
struct Reader<'a, 'p> {
    profile: &'p Profile,
    roles: Vec<(Role, &'p Selection, Found<'a, 'p>)>,
    observed: Vec<(Parameter, &'p Selection, Found<'a, 'p>)>,
    defaults: bool,
    started_at: Option<f64>,
    uptime: Option<f64>,
}

impl Reader<'_, '_> {
    fn name(&self, cache: &str) -> Arc<str> {
        if self.profile.cache_label.is_some() { cache } else { &self.profile.name }.into()
    }

    fn cache(&self, cache: &str) -> CacheStats {
        let Self { started_at, uptime, .. } = *self;
        let mut stats = CacheStats { started_at, uptime, ..CacheStats::default() };
        for (role, selection, found) in &self.roles {
            let defaults = self.defaults && !found.is_silent(cache);
            let flat = selection.flatten(&|selector| found.series(selector, cache), defaults);
            match (flat, role.kind()) {
                (None, _) => {}
                (Some(flat), Kind::Cumulative) => {
                    stats.cumulative.insert(*role, terms(flat));
                }
                (Some(flat), Kind::Level) => {
                    if let Some(value) = sum(&flat).filter(|value| has_meaning(*role, *value)) {
                        stats.levels.insert(*role, value);
                    }
                }
            }
        }
        for (parameter, selection, found) in &self.observed {
            let flat = selection.flatten(&|selector| found.series(selector, cache), self.defaults);
            let value = flat.as_ref().and_then(sum);
            if let Some(value) = value.filter(|value| is_base(*parameter, *value)) {
                stats.observed.insert(*parameter, value);
            }
        }
        stats
    }
}

fn terms(flat: Flat<&Series<'_>>) -> Terms {
    let term = |term: crate::expr::linear::FlatTerm<&Series<'_>>| Term {
        series: term.series.id.clone(),
        coefficient: term.coefficient,
        value: term.series.value,
        counts_from: term.counts_from,
    };
    flat.terms.into_iter().map(term).collect()
}

/// The value of a level; none if it is too large for a number.
fn sum(flat: &Flat<&Series<'_>>) -> Option<f64> {
    let series: f64 = flat.terms.iter().map(|term| term.coefficient * term.series.value).sum();
    Some(series + flat.constant).filter(|sum| sum.is_finite())
}

/// Whether a level says something: a limit that is none does not, nor does a mean of nothing.
pub(super) fn has_meaning(role: Role, value: f64) -> bool {
    match role {
        Role::L1Capacity | Role::L1MaxUsageBytes | Role::L2Capacity | Role::L2MaxUsageBytes => {
            is_limit(value)
        }
        Role::AvgGetLatencyUs | Role::AvgPutLatencyUs => value > 0.0,
        _ => true,
    }
}

/// Whether an observed value says something: sizes are limits, and no limit cannot be multiplied.
pub(super) fn is_base(parameter: Parameter, value: f64) -> bool {
    match parameter {
        Parameter::L1SizeMultiplier | Parameter::L2SizeMultiplier => is_limit(value),
        _ => true,
    }
}

fn is_limit(value: f64) -> bool {
    value > 0.0 && value < UNLIMITED_MIN
}

/// The value of an expression for the whole page, whatever tells its caches apart.
fn of_page(selection: Option<&Selection>, page: &Page<'_>) -> Option<f64> {
    let selection = selection?;
    let found = page.find(selection, None);
    let flat = selection.flatten(&|selector| found.series(selector, ""), false);
    flat.as_ref().and_then(sum)
}
