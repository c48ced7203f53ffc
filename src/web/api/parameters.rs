//! `/api/v1/parameters?target=&cache=&scrape_job=`: the values in force, for a cache to read.
//!
//! A cache knows its own address and little else, so what is not needed to tell it apart may be
//! left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::published::CacheView;
use crate::published::TargetView;
use crate::web::answer::ApiError;
use crate::web::api::values::Parameters;

/// Names that a message lists at most.
const NAMES_LISTED_MAX: usize = 10;

/// The parameters of the one cache that the arguments name.
pub(super) fn data<'a>(
    targets: &'a [Arc<TargetView>],
    arguments: &BTreeMap<String, String>,
) -> Result<Parameters<'a>, ApiError> {
    let argument =
        |name: &str| arguments.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let Some(target) = argument("target") else {
        return Err(ApiError::BadData("parameter `target` is missing".to_owned()));
    };
    let job = argument("scrape_job");
    let view = one_target(targets, target, job)?;
    one_cache(view, argument("cache")).map(Parameters)
}

fn one_target<'a>(
    targets: &'a [Arc<TargetView>],
    target: &str,
    job: Option<&str>,
) -> Result<&'a TargetView, ApiError> {
    let mut found = targets.iter().filter(|view| {
        *view.id.target == *target && job.is_none_or(|job| *view.id.scrape_job == *job)
    });
    match (found.next(), found.next()) {
        (Some(view), None) => Ok(view),
        (None, _) => Err(ApiError::NotFound(match job {
            Some(job) => format!("no target `{target}` in job `{job}`"),
            None => format!("no target `{target}`"),
        })),
        (Some(first), Some(second)) => {
            let jobs = [first, second].into_iter().chain(found).map(|view| &*view.id.scrape_job);
            Err(ApiError::BadData(format!(
                "target `{target}` is in several jobs: say which with `scrape_job`: {}",
                listed(jobs)
            )))
        }
    }
}

fn one_cache<'a>(view: &'a TargetView, cache: Option<&str>) -> Result<&'a CacheView, ApiError> {
    let target = &view.id.target;
    let named = |name: &str| view.caches.iter().find(|view| *view.cache == *name);
    match (cache, view.caches.as_slice()) {
        (Some(name), _) => named(name)
            .map(Arc::as_ref)
            .ok_or_else(|| ApiError::NotFound(format!("target `{target}` has no cache `{name}`"))),
        (None, [only]) => Ok(only),
        (None, []) => Err(ApiError::NotFound(format!("target `{target}` shows no cache"))),
        (None, several) => Err(ApiError::BadData(format!(
            "target `{target}` has several caches: say which with `cache`: {}",
            listed(several.iter().map(|view| &*view.cache))
        ))),
    }
}

fn listed<'a>(mut names: impl Iterator<Item = &'a str>) -> String {
    let mut shown: Vec<_> =
        names.by_ref().take(NAMES_LISTED_MAX).map(|name| format!("`{name}`")).collect();
    if names.next().is_some() {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}
