//! What a profile makes of a page whose series are known: sums over places in a list of values.
//!
//! Which series a selector finds, which caches there are, which `or` and which `default` holds, all
//! this follows from the series that stand on a page and not from their values. So it is worked out
//! once for all pages that show the same series, and a page more costs a few additions for each
//! role. The values' order and the order of additions are those of [`extract`](super::extract()):
//! the sums are equal to the last bit.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Profile;
use super::extract::has_meaning;
use super::extract::is_base;
use super::page::Found;
use super::page::Page;
use super::page::Series;
use crate::cache_stats::CacheStats;
use crate::cache_stats::Kind;
use crate::cache_stats::Role;
use crate::cache_stats::Term;
use crate::exposition::Sample;
use crate::expr::Selection;
use crate::expr::linear::Flat;
use crate::parameter::Parameter;
use crate::units::Timestamp;

/// A profile, worked out for the series of one page.
#[derive(Debug)]
pub struct Plan {
    lines: Vec<usize>,
    caches: Vec<PlannedCache>,
    started_at: Option<Sum>,
    uptime: Option<Sum>,
}

#[derive(Debug)]
struct PlannedCache {
    name: Arc<str>,
    cumulative: Vec<(Role, Vec<PlannedTerm>)>,
    levels: Vec<(Role, Sum)>,
    observed: Vec<(Parameter, Sum)>,
}

#[derive(Debug)]
struct PlannedTerm {
    series: Arc<str>,
    place: usize,
    coefficient: f64,
    counts_from: Option<f64>,
}

/// Σ coefficient · value + constant.
#[derive(Debug)]
struct Sum {
    /// Place of the value, coefficient.
    terms: Vec<(usize, f64)>,
    constant: f64,
}

impl Plan {
    /// The plan for all pages that show the same series as this one, each with a finite value and
    /// without a timestamp where this one has it so.
    pub fn new(profile: &Profile, samples: &[Sample<'_>], now: Timestamp) -> Self {
        let page = Page::of_profile(profile, samples, now);
        let lines = page.lines();
        let label = profile.cache_label.as_deref();
        let find = |selection| page.find(selection, label);
        let defaults = profile.detect.as_ref().is_none_or(|detect| page.shows(detect));
        let planner = Planner {
            lines: &lines,
            defaults,
            roles: profile.roles.iter().map(|(role, s)| (*role, s, find(s))).collect(),
            observed: profile
                .parameters
                .iter()
                .filter_map(|(parameter, product)| Some((*parameter, product.observed.as_ref()?)))
                .map(|(parameter, s)| (parameter, s, find(s)))
                .collect(),
        };
        let of_page = |selection: &Option<Selection>| {
            let selection = selection.as_ref()?;
            planner.sum(selection, &page.find(selection, None), "", false)
        };
        let started_at = of_page(&profile.start_time);
        let uptime = of_page(&profile.uptime);
        let caches: BTreeSet<&str> =
            planner.roles.iter().flat_map(|(_, _, found)| found.caches()).collect();
        let name = |cache| if label.is_some() { cache } else { &*profile.name };
        let caches = caches.into_iter().map(|cache| planner.cache(cache, name(cache)));
        let caches = caches.collect();
        Self { lines, caches, started_at, uptime }
    }

    /// The lines of the page whose samples count, ascending. Their values in this order are what
    /// [`caches`](Self::caches) wants.
    pub fn lines(&self) -> &[usize] {
        &self.lines
    }

    /// The caches with their statistics, by name, as [`extract`](super::extract()) gives them.
    /// `values` has a finite value for each of [`lines`](Self::lines).
    pub fn caches(&self, values: &[f64]) -> Vec<(Arc<str>, CacheStats)> {
        let of_page = |sum: &Option<Sum>| sum.as_ref().and_then(|sum| sum.value(values));
        let started_at = of_page(&self.started_at).filter(|start| *start > 0.0);
        let uptime = of_page(&self.uptime).filter(|uptime| *uptime >= 0.0);
        let stats = |cache: &PlannedCache| CacheStats { started_at, uptime, ..cache.stats(values) };
        self.caches.iter().map(|cache| (Arc::clone(&cache.name), stats(cache))).collect()
    }
}

impl PlannedCache {
    fn stats(&self, values: &[f64]) -> CacheStats {
        let cumulative = self.cumulative.iter().map(|(role, terms)| {
            (*role, terms.iter().map(|term| term.with_value(values)).collect())
        });
        let levels = self.levels.iter().filter_map(|(role, sum)| {
            let value = sum.value(values).filter(|value| has_meaning(*role, *value));
            Some((*role, value?))
        });
        let observed = self.observed.iter().filter_map(|(parameter, sum)| {
            let value = sum.value(values).filter(|value| is_base(*parameter, *value));
            Some((*parameter, value?))
        });
        CacheStats {
            cumulative: cumulative.collect(),
            levels: levels.collect(),
            observed: observed.collect(),
            started_at: None,
            uptime: None,
        }
    }
}

impl PlannedTerm {
    fn with_value(&self, values: &[f64]) -> Term {
        Term {
            series: Arc::clone(&self.series),
            coefficient: self.coefficient,
            value: values[self.place],
            counts_from: self.counts_from,
        }
    }
}

impl Sum {
    /// None if it is too large for a number.
    fn value(&self, values: &[f64]) -> Option<f64> {
        let terms = self.terms.iter().map(|(place, coefficient)| coefficient * values[*place]);
        Some(terms.sum::<f64>() + self.constant).filter(|sum| sum.is_finite())
    }
}

/// What the profile's expressions find on the page.
struct Planner<'a, 'p> {
    lines: &'p [usize],
    defaults: bool,
    roles: Vec<(Role, &'p Selection, Found<'a, 'p>)>,
    observed: Vec<(Parameter, &'p Selection, Found<'a, 'p>)>,
}

impl Planner<'_, '_> {
    fn cache(&self, cache: &str, name: &str) -> PlannedCache {
        let mut cumulative = Vec::new();
        let mut levels = Vec::new();
        for (role, selection, found) in &self.roles {
            let defaults = self.defaults && !found.is_silent(cache);
            match role.kind() {
                Kind::Cumulative => {
                    let flat = flat(selection, found, cache, defaults);
                    cumulative.extend(flat.map(|flat| (*role, self.terms(flat))));
                }
                Kind::Level => {
                    let sum = self.sum(selection, found, cache, defaults);
                    levels.extend(sum.map(|sum| (*role, sum)));
                }
            }
        }
        let observed = self.observed.iter().filter_map(|(parameter, selection, found)| {
            Some((*parameter, self.sum(selection, found, cache, self.defaults)?))
        });
        let observed = observed.collect();
        PlannedCache { name: name.into(), cumulative, levels, observed }
    }

    fn terms(&self, flat: Flat<&Series<'_>>) -> Vec<PlannedTerm> {
        let terms = flat.terms.into_iter().map(|term| PlannedTerm {
            series: Arc::clone(&term.series.id),
            place: self.place(term.series),
            coefficient: term.coefficient,
            counts_from: term.counts_from,
        });
        terms.collect()
    }

    fn sum(
        &self,
        selection: &Selection,
        found: &Found<'_, '_>,
        cache: &str,
        defaults: bool,
    ) -> Option<Sum> {
        let flat = flat(selection, found, cache, defaults)?;
        let terms = flat.terms.iter().map(|term| (self.place(term.series), term.coefficient));
        Some(Sum { terms: terms.collect(), constant: flat.constant })
    }

    /// Where a series' value is in the list of values.
    fn place(&self, series: &Series<'_>) -> usize {
        // Every series of the page is in the list.
        self.lines.partition_point(|line| *line < series.sample.line)
    }
}

fn flat<'a, 'p>(
    selection: &Selection,
    found: &Found<'a, 'p>,
    cache: &str,
    defaults: bool,
) -> Option<Flat<&'p Series<'a>>> {
    selection.flatten(&|selector| found.series(selector, cache), defaults)
}
