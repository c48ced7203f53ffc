//! How a job's targets are spoken to, checked: these types cannot hold a combination that
//! Prometheus refuses, so the configuration's loader reports faults and nothing behind it has to.

use std::path::PathBuf;

use crate::secret::Secret;

/// A body of at least so many bytes, decoded, is refused whatever `body_size_limit` says: 64 MiB,
/// some half a million samples, far above what any cache shows and small enough to hold for every
/// target.
pub const BODY_BYTES_MAX: u64 = 64 << 20;

/// How the targets of one job are scraped; [`ClientConfig::default`] is Prometheus' own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// `basic_auth` or `authorization`, which exclude each other.
    pub auth: Option<Auth>,
    /// `tls_config`.
    pub tls: TlsConfig,
    /// `follow_redirects`; otherwise a redirect is a failure like any other status that is not 200.
    pub follow_redirects: bool,
    /// `http_headers`: each name with its `values`, `secrets` and `files`.
    pub http_headers: Vec<(String, Vec<Source>)>,
    /// `body_size_limit` in decoded bytes; a body of this size already fails. `None` leaves
    /// [`BODY_BYTES_MAX`].
    pub body_size_limit: Option<u64>,
    /// `sample_limit`; counted by whoever reads the body. `None` leaves them unlimited.
    pub sample_limit: Option<usize>,
    /// `enable_compression`: whether gzip is asked for.
    pub enable_compression: bool,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            auth: None,
            tls: TlsConfig::default(),
            follow_redirects: true,
            http_headers: Vec::new(),
            body_size_limit: None,
            sample_limit: None,
            enable_compression: true,
        }
    }
}

/// What is sent as `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// `basic_auth`.
    Basic(BasicAuth),
    /// `authorization`.
    Token(Authorization),
}

/// `basic_auth`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// `username` or `username_file`.
    pub username: Source,
    /// `password` or `password_file`; none sends an empty one.
    pub password: Option<Source>,
}

/// `authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// `type`; `Bearer` unless the file says otherwise.
    pub kind: String,
    /// `credentials` or `credentials_file`.
    pub credentials: Source,
}

impl Authorization {
    /// `type` where none is given.
    pub const KIND_DEFAULT: &str = "Bearer";
}

/// A value that stands in the configuration, or in a file that is read again at every scrape so
/// that it may be rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Read anew at each scrape; white space around it is dropped, except in PEM.
    File(PathBuf),
    /// As it stands.
    Inline(Secret),
}

impl Source {
    /// A value that stands in the configuration.
    pub fn inline(text: impl Into<String>) -> Self {
        Self::Inline(Secret::new(text.into()))
    }
}

/// `tls_config`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfig {
    /// `ca` or `ca_file`, PEM; none trusts the roots of the system.
    pub ca: Option<Source>,
    /// `cert`/`cert_file` with `key`/`key_file`, which need each other.
    pub identity: Option<Identity>,
    /// `server_name`: the name the certificate is checked against, instead of the URL's host. The
    /// name sent in the handshake (SNI) stays the URL's host: the HTTP library offers no way to
    /// change it.
    pub server_name: Option<String>,
    /// `insecure_skip_verify`: any certificate will do.
    pub insecure_skip_verify: bool,
    /// `min_version`.
    pub min_version: TlsVersion,
}

/// The certificate that a target is shown (mutual TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Certificate chain, PEM, the own one first.
    pub cert: Source,
    /// Private key, PEM.
    pub key: Source,
}

/// The lowest version of TLS that will do. Older ones (`TLS10`, `TLS11`) are never spoken here, so
/// they mean [`TlsVersion::Tls12`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsVersion {
    /// `TLS12`
    #[default]
    Tls12,
    /// `TLS13`
    Tls13,
}

/// Headers that `http_headers` may not name, as in Prometheus; in lower case.
pub const RESERVED_HEADERS: [&str; 18] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "user-agent",
    "www-authenticate",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-prometheus-remote-read-version",
    "x-prometheus-remote-write-version",
    "x-prometheus-scrape-timeout-seconds",
];
