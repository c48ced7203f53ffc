//! Why a scrape failed, as a closed set: the same names label the failure counter, the targets page
//! and the log, so that their number is bounded by construction, whatever a target answers.

/// Why a scrape failed. The first look is at the network, the last at what the body says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The body reached `body_size_limit`, or the limit that always holds.
    BodyTooLarge,
    /// The connection broke before the whole answer was read.
    ClosedEarly,
    /// No connection: the name does not resolve, nobody listens, no route.
    Connect,
    /// A password, token, key or certificate of ours could not be read or used.
    Credentials,
    /// The answer is not 200.
    HttpStatus,
    /// No profile recognises what the target shows.
    NoProfile,
    /// The body is not metrics in any format known here.
    NotExposition,
    /// The peer does not speak HTTP.
    NotHttp,
    /// None of the others.
    Other,
    /// Too many redirects, or one that leads nowhere.
    Redirects,
    /// More samples than `sample_limit`, or more lines or caches than are ever read.
    SampleLimit,
    /// `scrape_timeout` passed first.
    Timeout,
    /// The TLS handshake failed: certificate, name or version.
    Tls,
    /// Damaged gzip, an encoding nobody asked for, or text that is not UTF-8.
    Undecodable,
}

impl Reason {
    /// Every reason, in the order of their names.
    pub const ALL: [Self; 14] = [
        Self::BodyTooLarge,
        Self::ClosedEarly,
        Self::Connect,
        Self::Credentials,
        Self::HttpStatus,
        Self::NoProfile,
        Self::NotExposition,
        Self::NotHttp,
        Self::Other,
        Self::Redirects,
        Self::SampleLimit,
        Self::Timeout,
        Self::Tls,
        Self::Undecodable,
    ];

    /// The name in metrics, answers and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::ClosedEarly => "closed_early",
            Self::Connect => "connect",
            Self::Credentials => "credentials",
            Self::HttpStatus => "http_status",
            Self::NoProfile => "no_profile",
            Self::NotExposition => "not_exposition",
            Self::NotHttp => "not_http",
            Self::Other => "other",
            Self::Redirects => "redirects",
            Self::SampleLimit => "sample_limit",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Undecodable => "undecodable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_differ() {
        let names = Reason::ALL.map(Reason::name);
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(Reason::ALL.is_sorted_by(|a, b| a < b));
    }
}
