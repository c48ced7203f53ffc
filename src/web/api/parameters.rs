//! `/api/v1/parameters?target=&cache=&scrape_job=`: the values in force, for a cache to read. One
//! that has read them has taken them over, as far as can be known, so the loop is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::published::CacheView;
use crate::published::TargetView;
use crate::web::Site;
use crate::web::answer;
use crate::web::answer::Answer;
use crate::web::answer::ApiError;
use crate::web::api::place;
use crate::web::api::place::Place;
use crate::web::api::values::Parameters;
use crate::web::orders::Fetch;

/// Answers with the parameters of the one cache that the arguments name.
pub(super) fn answer(
    site: &Site,
    arguments: &BTreeMap<String, String>,
    has_body: bool,
) -> Result<Answer, ApiError> {
    let argument =
        |name: &str| arguments.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let Some(target) = argument("target") else {
        return Err(ApiError::BadData("parameter `target` is missing".to_owned()));
    };
    let place = Place { scrape_job: argument("scrape_job"), target, cache: argument("cache") };
    let targets = site.board.targets();
    let (target, view) = place::find(&targets, place)?;
    if has_body {
        tell(site, target, view);
    }
    Ok(answer::success(Parameters(view)))
}

/// A note that finds the queue full is lost, and so is one that comes while the program stops: the
/// cache then counts as told the next time that it asks.
fn tell(site: &Site, target: &TargetView, view: &CacheView) {
    let (id, cache) = (target.id.clone(), Arc::clone(&view.cache));
    if site.fetched.try_send(Fetch { id, cache, parameters: view.parameters }).is_err() {
        tracing::debug!(cache = %view.cache, "a read of parameters goes unnoticed");
    }
}
