//! What goes wrong in a scrape, each with its [`Reason`].
//!
//! Causes are kept as text, taken from the innermost error: the HTTP library's own messages repeat
//! the URL, which may carry credentials, and say the same thing three times over.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::reason::Reason;
use crate::units::format_bytes;
use crate::units::format_duration;

/// Why a scrape gave no body. No message shows a secret or a URL's user information.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScrapeError {
    /// The decoded body, or what was sent of it, reached the limit in bytes.
    #[error("body reaches the limit of {}", format_bytes(*.limit))]
    BodyTooLarge {
        /// In bytes.
        limit: u64,
    },
    /// The connection ended inside the answer.
    #[error("connection closed before the answer was complete: {cause}")]
    ClosedEarly {
        /// The innermost error.
        cause: String,
    },
    /// There is no connection.
    #[error("no connection to `{host}`: {cause}")]
    Connect {
        /// Host and port.
        host: String,
        /// The innermost error.
        cause: String,
    },
    /// Something of ours that the request needs cannot be read or used.
    #[error("{what}: {cause}")]
    Credentials {
        /// What it is, with the file's name.
        what: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The answer's encoding is not the one that was asked for.
    #[error("content encoding `{0}` was not asked for")]
    Encoding(String),
    /// The gzip stream is damaged or cut off.
    #[error("gzip does not decode: {0}")]
    Gzip(String),
    /// The answer is not 200.
    #[error("target answered {status}, not 200")]
    HttpStatus {
        /// Its status.
        status: u16,
    },
    /// The peer's answer is not HTTP.
    #[error("the answer is not HTTP: {cause}")]
    NotHttp {
        /// The innermost error.
        cause: String,
    },
    /// The body is not UTF-8.
    #[error("body is not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Offset of the first wrong byte in the decoded body.
        at: usize,
    },
    /// None of the others.
    #[error("{cause}")]
    Other {
        /// The innermost error.
        cause: String,
    },
    /// A redirect that leads nowhere; the location, which the target chose, is not repeated.
    #[error("redirect to something that is not an http or https address")]
    RedirectTarget,
    /// The deadline passed.
    #[error("no complete answer within {}", format_duration(*.after))]
    Timeout {
        /// The deadline that held.
        after: Duration,
    },
    /// The TLS handshake failed.
    #[error("TLS: {cause}")]
    Tls {
        /// The innermost error.
        cause: String,
    },
    /// More redirects than are followed.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
    },
}

impl ScrapeError {
    /// The closed set's name for it.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::BodyTooLarge { .. } => Reason::BodyTooLarge,
            Self::ClosedEarly { .. } => Reason::ClosedEarly,
            Self::Connect { .. } => Reason::Connect,
            Self::Credentials { .. } => Reason::Credentials,
            Self::Encoding(_) | Self::Gzip(_) | Self::NotUtf8 { .. } => Reason::Undecodable,
            Self::HttpStatus { .. } => Reason::HttpStatus,
            Self::NotHttp { .. } => Reason::NotHttp,
            Self::Other { .. } => Reason::Other,
            Self::RedirectTarget | Self::TooManyRedirects { .. } => Reason::Redirects,
            Self::Timeout { .. } => Reason::Timeout,
            Self::Tls { .. } => Reason::Tls,
        }
    }

    /// Sorts an error of the HTTP library that came while speaking with `host`.
    pub(super) fn from_library(error: &reqwest::Error, host: &str) -> Self {
        let is_tls = causes(error).any(<dyn Error>::is::<rustls::Error>);
        if error.is_connect() && !is_tls {
            return Self::no_connection(error, host);
        }
        Self::from_transport(error)
    }

    /// There is no connection to `host`.
    pub(super) fn no_connection(error: &(dyn Error + 'static), host: &str) -> Self {
        Self::Connect { host: host.to_owned(), cause: innermost(error) }
    }

    /// Sorts an error that came before the body.
    pub(super) fn from_transport(error: &(dyn Error + 'static)) -> Self {
        let cause = innermost(error);
        if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            Self::Tls { cause: tls.to_string() }
        } else if causes(error).any(is_protocol_fault) {
            Self::NotHttp { cause }
        } else if causes(error).any(is_early_end) {
            Self::ClosedEarly { cause }
        } else {
            Self::Other { cause }
        }
    }

    /// Sorts an error that came inside the body: an end that came too soon, once other faults are
    /// set aside.
    pub(super) fn from_body(error: &(dyn Error + 'static)) -> Self {
        match Self::from_transport(error) {
            Self::Other { cause } => Self::ClosedEarly { cause },
            fault => fault,
        }
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

fn is_protocol_fault(cause: &(dyn Error + 'static)) -> bool {
    let parse = cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
    parse || io_kind(cause).is_some_and(|kind| kind == io::ErrorKind::InvalidInput)
}

fn is_early_end(cause: &(dyn Error + 'static)) -> bool {
    // One that ended while it was idle refuses the next request.
    let incomplete = cause
        .downcast_ref::<hyper::Error>()
        .is_some_and(|e| e.is_incomplete_message() || e.is_canceled() || e.is_closed());
    incomplete
        || io_kind(cause).is_some_and(|kind| {
            matches!(
                kind,
                io::ErrorKind::BrokenPipe
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::UnexpectedEof
            )
        })
}

fn io_kind(cause: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    cause.downcast_ref::<io::Error>().map(io::Error::kind)
}

/// An error and everything behind it, outermost first. An `io::Error` passes over the error it
/// wraps when asked for its source, so it is asked for that first.
fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + 'a {
    std::iter::successors(Some(error), |&cause| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source())
    })
}
