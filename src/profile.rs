//! Profiles: how one product's metrics become the statistics of its caches.
//!
//! A profile is data, not code: a new product is a new file in `rules/profiles`. What its metrics
//! are is said by the role that they are put in, never by the page's TYPE, which lies in both
//! directions; a role is linear, so that increases can be taken per series.
//!
//! [`load`] checks a file, [`detect`] finds the profile of a page, [`extract`] reads the page
//! through it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cache_stats::Role;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::expr::Selection;
use crate::expr::Selector;
use crate::parameter::Parameter;

mod extract;
pub mod json;
mod load;
mod names;
mod page;
mod plan;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trap_tests;

pub use extract::UNLIMITED_MIN;
pub use extract::extract;
pub use load::load;
pub use names::Names;
pub use page::SAMPLE_AGE_MAX;
pub use page::detect;
pub use page::series_found;
pub use plan::Plan;

/// A checked profile.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The name that jobs use; also the cache's where a target shows one.
    pub name: String,
    /// For people.
    pub description: String,
    /// What a page of this product always shows. It detects the product, and it makes `default`
    /// hold.
    pub detect: Option<Selection>,
    /// What the target's pages are.
    pub format: PageFormat,
    /// The label whose values tell the caches of one target apart.
    pub cache_label: Option<String>,
    /// When the product's process started, in seconds since the epoch.
    pub start_time: Option<Selection>,
    /// How long it has been running, in seconds; for products that do not show `start_time`.
    pub uptime: Option<Selection>,
    /// The roles that the product has.
    pub roles: BTreeMap<Role, Selection>,
    /// What the product can be told.
    pub parameters: BTreeMap<Parameter, ProductParameter>,
}

impl Profile {
    /// The parameters that can be tuned: those that the file gives, or all where it gives none.
    pub fn tunable(&self) -> Vec<Parameter> {
        if self.parameters.is_empty() {
            return Parameter::ALL.to_vec();
        }
        self.parameters.keys().copied().collect()
    }
}

/// What a target's pages are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageFormat {
    /// A JSON document, its numbers named by their keys: see [`json`].
    Json,
    /// A text exposition.
    #[default]
    Prometheus,
}

impl PageFormat {
    /// As it is written in profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Prometheus => "prometheus",
        }
    }
}

/// How a parameter shows in a product, and how it is told to it.
#[derive(Clone, Debug, Default)]
pub struct ProductParameter {
    /// What the product shows of it, in the product's own unit.
    pub observed: Option<Selection>,
    /// What to do to put it in force, with `{value}` or `{bytes}` to be filled in.
    pub apply: Option<String>,
}

/// The built-in profiles with the names of their files, in the order in which they are tried.
pub const BUILT_IN: [(&str, &str); 6] = [
    ("rules/profiles/redis.yaml", include_str!("../rules/profiles/redis.yaml")),
    ("rules/profiles/memcached.yaml", include_str!("../rules/profiles/memcached.yaml")),
    ("rules/profiles/varnish.yaml", include_str!("../rules/profiles/varnish.yaml")),
    ("rules/profiles/micrometer.yaml", include_str!("../rules/profiles/micrometer.yaml")),
    ("rules/profiles/rez-next.yaml", include_str!("../rules/profiles/rez-next.yaml")),
    ("rules/profiles/demo.yaml", include_str!("../rules/profiles/demo.yaml")),
];

/// The built-in profiles, in the order in which they are tried.
///
/// # Errors
/// None in a released program: the tests load every file.
pub fn built_in() -> Result<Vec<Profile>, Diagnostics> {
    BUILT_IN.into_iter().map(|(name, text)| load(&SourceFile::new(name, text))).collect()
}

/// Everything a profile asks of a page, in no order.
fn selections(profile: &Profile) -> impl Iterator<Item = &Selection> {
    let observed = profile.parameters.values().filter_map(|parameter| parameter.observed.as_ref());
    profile
        .roles
        .values()
        .chain(observed)
        .chain(&profile.detect)
        .chain(&profile.start_time)
        .chain(&profile.uptime)
}

/// The names of the metrics that a profile asks for, in no order, some of them twice.
pub fn names(profile: &Profile) -> impl Iterator<Item = &str> {
    selections(profile).flat_map(Selection::selectors).map(Selector::name)
}

/// Name and labels of a series, in a form that is the same at every scrape.
type SeriesId = Arc<str>;
