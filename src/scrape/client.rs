//! One job's HTTP client: asks as Prometheus asks, and trusts nothing that comes back.
//!
//! Connections are kept from one scrape to the next, as Prometheus keeps them: opening one for each
//! took a third of what a scrape costs. Those in plain HTTP are our own ([`super::plain`]). A
//! target may end a kept connection at the very moment that it is used again; so a request on one
//! that ends before the answer begins is sent once more. Redirects are followed here and not
//! in the library, which would send `http_headers`, often secrets too, along to another host.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt as _;
use http_body_util::Either;
use hyper::Response;
use hyper::body::Body as _;
use percent_encoding::percent_decode_str;
use reqwest::StatusCode;
use reqwest::Url;
use reqwest::header;
use reqwest::header::HeaderMap;
use reqwest::header::HeaderName;
use reqwest::header::HeaderValue;
use reqwest::header::ToStrError;

use crate::scrape::body::Collector;
use crate::scrape::config::Auth;
use crate::scrape::config::BODY_BYTES_MAX;
use crate::scrape::config::ClientConfig;
use crate::scrape::config::RESERVED_HEADERS;
use crate::scrape::config::Source;
use crate::scrape::failure::ScrapeError;
use crate::scrape::plain;
use crate::scrape::plain::Kept;
use crate::scrape::source::inline_bytes;
use crate::scrape::source::read_bytes;
use crate::scrape::source::read_text;
use crate::scrape::spare::Spare;
use crate::scrape::tls;
use crate::scrape::tls::Material;
use crate::secret::Secret;

/// Redirects followed in one scrape, as in Go's client and so in Prometheus.
pub const REDIRECTS_MAX: usize = 10;

/// TLS connections kept for each host and port while no request is under way. One serves every
/// target there, unless scrapes of several of them overlap.
pub const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 4;

/// How long a TLS connection is kept for the next scrape; as in Prometheus. Scrape intervals are
/// shorter.
pub const IDLE_CONNECTION_TIME_MAX: Duration = Duration::from_secs(5 * 60);

/// Prometheus' own; targets that show only JSON are met by `*/*`.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
application/openmetrics-text;version=0.0.1;q=0.5,\
text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

const USER_AGENT: &str = concat!("cache-tuner-exporter/", env!("CARGO_PKG_VERSION"));

const SCRAPE_TIMEOUT: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// One scrape to make.
#[derive(Debug, Clone)]
pub struct ScrapeRequest {
    /// `http` or `https`, with path and parameters.
    pub url: Url,
    /// For everything together: connecting, redirects, headers, body. Above zero.
    pub timeout: Duration,
}

/// What a target answered with status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The decoded body.
    pub text: String,
    /// As sent; it is often wrong, so it is a hint and no more.
    pub content_type: Option<String>,
    /// Size as sent, before decoding.
    pub wire_bytes: u64,
}

/// The body of an answer in plain HTTP, or over TLS.
type Answer<'a> = Either<plain::Answer<'a>, reqwest::Body>;

/// Why no client can be built. Files are not looked at here: they may come later, and a scrape says
/// so until then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// A header's name is not one.
    #[error("`{0}` is not a header name")]
    HeaderName(String),
    /// A header's value cannot be sent.
    #[error("the value of header `{0}` holds characters that cannot be sent")]
    HeaderValue(String),
    /// A header is the client's own.
    #[error("header `{0}` cannot be set here")]
    ReservedHeader(String),
    /// Certificates, key, or `server_name`.
    #[error("`{key}`: {cause}")]
    Tls {
        /// The key of `tls_config`.
        key: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

/// The client of one job, for all its targets.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    headers: Vec<(HeaderName, Vec<Source>)>,
    /// The newest HTTP client, and the TLS material it was built from.
    built: Mutex<Option<(Material, reqwest::Client)>>,
    spare: Spare,
}

impl Client {
    /// A client for `config`; all that does not depend on files is checked.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let headers = config
            .http_headers
            .iter()
            .map(|(name, values)| Ok((header_name(name, values)?, values.clone())))
            .collect::<Result<_, _>>()?;
        let tls = &config.tls;
        let material = Material {
            ca: tls.ca.as_ref().and_then(inline_bytes),
            identity: tls
                .identity
                .as_ref()
                .and_then(|own| inline_bytes(&own.cert).zip(inline_bytes(&own.key))),
        };
        tls::client_config(tls, &material)
            .map_err(|(key, cause)| ClientError::Tls { key, cause })?;
        Ok(Self {
            config: config.clone(),
            headers,
            built: Mutex::new(None),
            spare: Spare::default(),
        })
    }

    /// Fetches what the target shows, within one deadline and below the body's limit.
    /// Plain connections are kept in `kept`, one for each target.
    pub async fn scrape(
        &self,
        request: &ScrapeRequest,
        kept: &mut Kept,
    ) -> Result<Body, ScrapeError> {
        let after = request.timeout;
        tokio::time::timeout(after, self.fetch(request, kept))
            .await
            .unwrap_or(Err(ScrapeError::Timeout { after }))
    }

    /// Takes a body's memory back for the next one, once it has been read.
    pub fn reuse(&self, body: Body) {
        self.spare.put(body.text);
    }

    async fn fetch(&self, request: &ScrapeRequest, kept: &mut Kept) -> Result<Body, ScrapeError> {
        let client = self.client().await?;
        let mut credentials = self.credentials().await?;
        let mut url = request.url.clone();
        if self.config.auth.is_some() {
            // Only one `Authorization` may be sent.
            take_user(&mut url);
        }
        for _ in 0..=REDIRECTS_MAX {
            let mut headers = self.plain_headers(request.timeout);
            if let Some(user) = take_user(&mut url) {
                headers.insert(header::AUTHORIZATION, user?);
            }
            headers.extend(credentials.clone());
            let response = ask(&client, &url, headers, kept).await?;
            if !self.config.follow_redirects {
                return self.read(response).await;
            }
            let Some(location) = location(&response) else {
                return self.read(response).await;
            };
            let next = location.ok().and_then(|to| url.join(to).ok()).filter(is_web);
            let next = next.ok_or(ScrapeError::RedirectTarget)?;
            if next.origin() != url.origin() {
                // They stay away for good: a stranger may redirect back to where it likes.
                credentials.clear();
            }
            url = next;
        }
        Err(ScrapeError::TooManyRedirects { limit: REDIRECTS_MAX })
    }

    async fn read(&self, response: Response<Answer<'_>>) -> Result<Body, ScrapeError> {
        let (head, mut answer) = response.into_parts();
        if head.status != StatusCode::OK {
            return Err(ScrapeError::HttpStatus { status: head.status.as_u16() });
        }
        let limit = self.config.body_size_limit.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX);
        let announced = answer.size_hint().exact();
        if announced.is_some_and(|bytes| bytes >= limit) {
            return Err(ScrapeError::BodyTooLarge { limit });
        }
        let text = |name| {
            let value: &HeaderValue = head.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let content_type = text(header::CONTENT_TYPE);
        let encoding = text(header::CONTENT_ENCODING);
        let spare = self.spare.take();
        let mut collector = Collector::new(encoding.as_deref(), limit, announced, spare)?;
        while let Some(frame) = answer.frame().await {
            let frame = frame.map_err(|error| ScrapeError::from_body(&*error))?;
            // What is no data are trailers, which say nothing of the page.
            if let Ok(chunk) = frame.into_data() {
                collector.push(&chunk)?;
            }
        }
        let (text, wire_bytes) = collector.finish()?;
        Ok(Body { text, content_type, wire_bytes })
    }

    /// Headers that say nothing secret.
    fn plain_headers(&self, timeout: Duration) -> HeaderMap {
        let encoding = if self.config.enable_compression { "gzip" } else { "identity" };
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers.insert(header::ACCEPT, HeaderValue::from_static(ACCEPT));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        // A number's digits are always a header's value.
        if let Ok(seconds) = HeaderValue::try_from(timeout.as_secs_f64().to_string()) {
            headers.insert(SCRAPE_TIMEOUT, seconds);
        }
        headers
    }

    /// Headers that are for the target's own eyes.
    async fn credentials(&self) -> Result<HeaderMap, ScrapeError> {
        let mut credentials = HeaderMap::new();
        match &self.config.auth {
            None => {}
            Some(Auth::Basic(basic)) => {
                let username = read_text(&basic.username, "username").await?;
                let password = match &basic.password {
                    Some(source) => read_text(source, "password").await?,
                    None => Secret::new(String::new()),
                };
                let value = basic_auth(username.expose(), password.expose())?;
                credentials.insert(header::AUTHORIZATION, value);
            }
            Some(Auth::Token(token)) => {
                let secret = read_text(&token.credentials, "credentials").await?;
                let value = format!("{} {}", token.kind, secret.expose());
                let value = secret_value(&value, "authorization")?;
                credentials.insert(header::AUTHORIZATION, value);
            }
        }
        for (name, values) in &self.headers {
            for source in values {
                let value = read_text(source, name.as_str()).await?;
                let value = secret_value(value.expose(), name.as_str())?;
                credentials.append(name.clone(), value);
            }
        }
        Ok(credentials)
    }

    /// The HTTP client for what the TLS files hold now.
    async fn client(&self) -> Result<reqwest::Client, ScrapeError> {
        let tls = &self.config.tls;
        let mut material = Material::default();
        if let Some(ca) = &tls.ca {
            material.ca = Some(read_bytes(ca, "ca").await?);
        }
        if let Some(own) = &tls.identity {
            let cert = read_bytes(&own.cert, "cert").await?;
            material.identity = Some((cert, read_bytes(&own.key, "key").await?));
        }
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = built.as_ref().filter(|(from, _)| *from == material) {
            return Ok(client.clone());
        }
        let tls = tls::client_config(tls, &material)
            .map_err(|(key, cause)| ScrapeError::Credentials { what: format!("`{key}`"), cause })?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
            .pool_idle_timeout(IDLE_CONNECTION_TIME_MAX)
            // As in Prometheus, the proxies of the environment are for other programs.
            .no_proxy()
            .build()
            .map_err(|error| ScrapeError::from_library(&error, ""))?;
        *built = Some((material, client.clone()));
        Ok(client)
    }
}

/// Sends a request, by whichever way its address asks for.
async fn ask<'a>(
    client: &reqwest::Client,
    url: &Url,
    headers: HeaderMap,
    kept: &'a mut Kept,
) -> Result<Response<Answer<'a>>, ScrapeError> {
    let host = host(url);
    if url.scheme() == "http" {
        return Ok(kept.send(url, host, headers).await?.map(Either::Left));
    }
    let get = || async {
        let sent = client.get(url.clone()).headers(headers.clone()).send().await;
        sent.map_err(|error| ScrapeError::from_library(&error, &host))
    };
    let sent = match get().await {
        // Perhaps a kept connection that ended meanwhile.
        Err(ScrapeError::ClosedEarly { .. }) => get().await?,
        sent => sent?,
    };
    Ok(Response::from(sent).map(Either::Right))
}

/// Takes user and password out of an address, as the header to send instead; `None` if there are
/// none. Fails where they cannot be sent.
fn take_user(url: &mut Url) -> Option<Result<HeaderValue, ScrapeError>> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (username, password) = (decoded(url.username()), decoded(url.password().unwrap_or("")));
    if username.is_empty() && url.password().is_none() {
        return None;
    }
    // An http address always takes an empty user.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(basic_auth(&username, &password))
}

fn basic_auth(username: &str, password: &str) -> Result<HeaderValue, ScrapeError> {
    let text = BASE64_STANDARD.encode(format!("{username}:{password}"));
    secret_value(&format!("Basic {text}"), "authorization")
}

/// Where a redirect leads, if the answer is one. As in Go, a redirecting status without `Location`
/// is an answer like any other.
fn location<'a>(response: &'a Response<Answer<'_>>) -> Option<Result<&'a str, ToStrError>> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| redirects)?;
    Some(location.to_str())
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// Host and port for messages; user information is left out.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

fn header_name(name: &str, values: &[Source]) -> Result<HeaderName, ClientError> {
    let header =
        HeaderName::try_from(name).map_err(|_| ClientError::HeaderName(name.to_owned()))?;
    if RESERVED_HEADERS.contains(&header.as_str()) {
        return Err(ClientError::ReservedHeader(name.to_owned()));
    }
    for value in values {
        if let Source::Inline(secret) = value
            && HeaderValue::from_str(secret.expose()).is_err()
        {
            return Err(ClientError::HeaderValue(name.to_owned()));
        }
    }
    Ok(header)
}

fn secret_value(value: &str, what: &str) -> Result<HeaderValue, ScrapeError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| ScrapeError::Credentials {
        what: format!("header `{what}`"),
        cause: "its value holds characters that cannot be sent".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
