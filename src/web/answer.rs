//! Answers: plain text, JSON in Prometheus' envelope, and refusals.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::vec;

use bytes::Bytes;
use hyper::Response;
use hyper::StatusCode;
use hyper::body::Body;
use hyper::body::Frame;
use hyper::body::SizeHint;
use hyper::header::ALLOW;
use hyper::header::CACHE_CONTROL;
use hyper::header::CONTENT_TYPE;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use hyper::header::X_CONTENT_TYPE_OPTIONS;
use serde::Serialize;

/// An answer with its whole body.
pub(super) type Answer = Response<Pieces>;

/// A body that is there already, in one piece or several: nobody has to join them.
#[derive(Debug)]
pub(super) struct Pieces(vec::IntoIter<Bytes>);

impl Pieces {
    pub(super) fn new(mut pieces: Vec<Bytes>) -> Self {
        pieces.retain(|piece| !piece.is_empty());
        Self(pieces.into_iter())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_slice().iter().map(|piece| piece.len() as u64).sum())
    }
}

/// Why an API call failed: a code, Prometheus' word for it, and ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ApiError {
    /// The call makes no sense as it is.
    #[error("{0}")]
    BadData(String),
    /// It makes sense, and cannot be done as things are.
    #[error("{0}")]
    Conflict(String),
    /// It is switched off.
    #[error("{0}")]
    Forbidden(String),
    /// We have a fault.
    #[error("{0}")]
    Internal(String),
    /// The body is of another type.
    #[error("{0}")]
    MediaType(String),
    /// The path takes other methods.
    #[error("method not allowed: use {0}")]
    Method(&'static str),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The body is over its limit.
    #[error("{0}")]
    TooLarge(String),
    /// It cannot be done now.
    #[error("{0}")]
    Unavailable(String),
}

impl ApiError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::BadData(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn error_type(&self) -> &'static str {
        match self {
            Self::BadData(_) | Self::MediaType(_) | Self::Method(_) | Self::TooLarge(_) => {
                "bad_data"
            }
            Self::Conflict(_) => "conflict",
            Self::Forbidden(_) => "forbidden",
            Self::Internal(_) => "internal",
            Self::NotFound(_) => "not_found",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    data: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    status: &'static str,
    error_type: &'static str,
    error: String,
}

/// A body of that type.
pub(super) fn body(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    pieces(status, content_type, vec![body.into()])
}

/// A body of that type, in pieces.
pub(super) fn pieces(status: StatusCode, content_type: &'static str, pieces: Vec<Bytes>) -> Answer {
    let mut answer = Response::new(Pieces::new(pieces));
    *answer.status_mut() = status;
    set(&mut answer, CONTENT_TYPE, content_type);
    // What is served is never what its bytes might look like.
    set(&mut answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    answer
}

/// A line for people.
pub(super) fn text(status: StatusCode, line: impl Into<String>) -> Answer {
    let mut line = line.into();
    line.push('\n');
    body(status, "text/plain; charset=utf-8", line)
}

/// 405, with what would do.
pub(super) fn method_not_allowed(allow: &'static str) -> Answer {
    let line = format!("method not allowed: use {allow}");
    with(text(StatusCode::METHOD_NOT_ALLOWED, line), ALLOW, allow)
}

/// What an API call gives, in the envelope.
pub(super) fn success(data: impl Serialize) -> Answer {
    match serde_json::to_vec(&Success { status: "success", data }) {
        Ok(json) => json_body(StatusCode::OK, json),
        Err(fault) => failure(&ApiError::Internal(fault.to_string())),
    }
}

/// Why an API call failed, in the envelope.
pub(super) fn failure(fault: &ApiError) -> Answer {
    let error = fault.to_string();
    let failure = Failure { status: "error", error_type: fault.error_type(), error };
    // Three strings always are JSON.
    let json = serde_json::to_vec(&failure).unwrap_or_default();
    let answer = json_body(fault.status(), json);
    match fault {
        ApiError::Method(allow) => with(answer, ALLOW, allow),
        _ => answer,
    }
}

fn json_body(status: StatusCode, json: Vec<u8>) -> Answer {
    // A cache on the way must not hold on to parameters that have changed.
    with(body(status, "application/json", json), CACHE_CONTROL, "no-store")
}

/// The same answer with one more header.
pub(super) fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
    set(&mut answer, name, value);
    answer
}

fn set(answer: &mut Answer, name: HeaderName, value: &'static str) {
    answer.headers_mut().insert(name, HeaderValue::from_static(value));
}
