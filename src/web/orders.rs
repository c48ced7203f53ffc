//! What requests bring to the loop that owns the tuners: that a cache was told its parameters, and
//! what somebody decides by hand. Handlers own no tuner and decide nothing: they name a cache that
//! is shown, hand the order over, and answer with what came of it.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::LengthLimitError;
use http_body_util::Limited;
use hyper::HeaderMap;
use hyper::Request;
use hyper::body::Body;
use hyper::header::CONTENT_TYPE;
use hyper::header::ORIGIN;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::engine::HandError;
use crate::outcome::Outcome;
use crate::published::TargetId;
use crate::published::TuningEntry;
use crate::tuning_parameters::TuningParameters;
use crate::web::Site;
use crate::web::answer;
use crate::web::answer::Answer;
use crate::web::answer::ApiError;
use crate::web::api;
use crate::web::api::Call;

/// Largest body of a call that changes something: six short values.
pub const BODY_BYTES_MAX: usize = 16 << 10;

/// A cache was told its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    /// The target that shows the cache.
    pub id: TargetId,
    /// The cache.
    pub cache: Arc<str>,
    /// What it was told: a newer value is still unknown to it.
    pub parameters: TuningParameters,
}

/// Something that somebody decided by hand.
#[derive(Debug)]
pub struct Order {
    /// The target that shows the cache.
    pub id: TargetId,
    /// The cache.
    pub cache: Arc<str>,
    /// The rule whose recommendation or tuning it is about.
    pub rule: String,
    /// What is to be done.
    pub deed: Deed,
    /// Where it is told what came of it.
    pub answer: oneshot::Sender<Result<Done, HandError>>,
}

/// What is to be done by hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deed {
    /// Put the rule's recommendation in force.
    Force,
    /// Take in an outcome that is known from elsewhere.
    Report {
        /// What came of the rule's tuning.
        outcome: Outcome,
        /// Relative improvement, if known.
        improvement: Option<f64>,
    },
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// The recommendation is in force; the journal's entry.
    Forced(Box<TuningEntry>),
    /// The outcome is counted.
    Reported,
}

/// Answers a call that changes something.
pub(super) async fn answer<B>(site: &Site, call: Call, request: Request<B>) -> Answer
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match carried_out(site, call, request).await {
        Ok(answer) => answer,
        Err(fault) => answer::failure(&fault),
    }
}

async fn carried_out<B>(site: &Site, call: Call, request: Request<B>) -> Result<Answer, ApiError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if !site.options.enable_admin_api {
        let message = "calls that change something are off: start with --web.enable-admin-api";
        return Err(ApiError::Forbidden(message.to_owned()));
    }
    check_type(request.headers())?;
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|fault| unreadable(&*fault))?.to_bytes();
    let wanted = api::body::read(&body, call)?;
    let targets = site.board.targets();
    let (target, view) = api::place::find(&targets, wanted.place())?;
    let (id, cache) = (target.id.clone(), Arc::clone(&view.cache));
    drop(targets);
    let (sender, receiver) = oneshot::channel();
    let order = Order {
        id: id.clone(),
        cache: Arc::clone(&cache),
        rule: wanted.rule.clone(),
        deed: wanted.deed,
        answer: sender,
    };
    site.orders.try_send(order).map_err(|fault| match fault {
        mpsc::error::TrySendError::Full(_) => {
            let message = "other calls are waiting already: try again when they are done";
            ApiError::Unavailable(message.to_owned())
        }
        mpsc::error::TrySendError::Closed(_) => stopping(),
    })?;
    match receiver.await {
        Ok(Ok(Done::Forced(entry))) => Ok(answer::success(api::tunings::entry(&entry))),
        Ok(Ok(Done::Reported)) => Ok(answer::success(api::outcomes::counted(&id, &cache, &wanted))),
        Ok(Err(fault)) => Err(refused(fault, &wanted.rule, &cache)),
        Err(_) => Err(stopping()),
    }
}

/// JSON by any of its names, or no name, or the one that curl gives to all it sends. That last one
/// is not taken from a browser: any page of the web may send it from there without asking.
fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let name = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let is_curl = name == "application/x-www-form-urlencoded" && !headers.contains_key(ORIGIN);
    if name.contains("json") || is_curl {
        return Ok(());
    }
    let message = format!("the body is `{name}`: send JSON with `Content-Type: application/json`");
    Err(ApiError::MediaType(message))
}

fn unreadable(fault: &(dyn Error + Send + Sync + 'static)) -> ApiError {
    if fault.is::<LengthLimitError>() {
        return ApiError::TooLarge(format!("the body has more than {BODY_BYTES_MAX} bytes"));
    }
    ApiError::BadData(format!("the body cannot be read: {fault}"))
}

fn refused(fault: HandError, rule: &str, cache: &str) -> ApiError {
    let message = format!("{fault} (rule `{rule}`, cache `{cache}`)");
    match fault {
        HandError::UnknownCache | HandError::UnknownRule => ApiError::NotFound(message),
        HandError::Refused(_) => ApiError::Conflict(message),
    }
}

fn stopping() -> ApiError {
    ApiError::Unavailable("cache-tuner-exporter is stopping".to_owned())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(content_type: Option<&'static str>, is_browser: bool, want: bool) {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
        }
        if is_browser {
            headers.insert(ORIGIN, HeaderValue::from_static("http://elsewhere"));
        }
        assert_eq!(check_type(&headers).is_ok(), want, "{content_type:?} {is_browser}");
    }

    #[test]
    fn json_is_taken_by_any_of_its_names() {
        check(None, false, true);
        check(Some("application/json"), false, true);
        check(Some("Application/JSON; charset=utf-8"), true, true);
        check(Some("text/json"), false, true);
        check(Some("application/x-www-form-urlencoded"), false, true);
        check(Some("application/x-www-form-urlencoded"), true, false);
        check(Some("text/plain"), false, false);
        check(Some("multipart/form-data; boundary=x"), false, false);
    }
}
