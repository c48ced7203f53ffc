//! Which cache a call is about. A cache knows its own address and little else, so what is not
//! needed to tell it apart may be left out.

use std::sync::Arc;

use crate::published::CacheView;
use crate::published::TargetView;
use crate::web::answer::ApiError;

/// Names that a message lists at most.
const NAMES_LISTED_MAX: usize = 10;

/// What a call says of the cache that it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) struct Place<'a> {
    pub(super) scrape_job: Option<&'a str>,
    pub(super) target: &'a str,
    pub(super) cache: Option<&'a str>,
}

/// The one cache that is meant, and the target that shows it.
pub(in crate::web) fn find<'a>(
    targets: &'a [Arc<TargetView>],
    place: Place<'_>,
) -> Result<(&'a TargetView, &'a CacheView), ApiError> {
    let target = one_target(targets, place.target, place.scrape_job)?;
    Ok((target, one_cache(target, place.cache)?))
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
