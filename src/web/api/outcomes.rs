//! `POST /api/v1/outcomes`: an outcome that is known from elsewhere.

use serde::Serialize;

use crate::published::TargetId;
use crate::web::api::body::Wanted;
use crate::web::orders::Deed;

/// What was counted, for which cache: the call may have left its names out.
#[derive(Serialize)]
pub(in crate::web) struct Counted<'a> {
    scrape_job: &'a str,
    target: &'a str,
    cache: &'a str,
    rule: &'a str,
    outcome: Option<&'static str>,
    improvement: Option<f64>,
}

/// What is said of a call that was carried out.
pub(in crate::web) fn counted<'a>(
    id: &'a TargetId,
    cache: &'a str,
    wanted: &'a Wanted,
) -> Counted<'a> {
    let (outcome, improvement) = match wanted.deed {
        Deed::Report { outcome, improvement } => (Some(outcome.name()), improvement),
        Deed::Force => (None, None),
    };
    let (scrape_job, target) = (&*id.scrape_job, &*id.target);
    Counted { scrape_job, target, cache, rule: &wanted.rule, outcome, improvement }
}
