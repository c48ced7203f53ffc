//! The keys of a job that say how its targets are spoken to: authentication, TLS, headers and
//! limits, as in Prometheus.

use std::path::Path;

use crate::diag::Diagnostics;
use crate::scrape::client::Client;
use crate::scrape::config::Auth;
use crate::scrape::config::Authorization;
use crate::scrape::config::BODY_BYTES_MAX;
use crate::scrape::config::BasicAuth;
use crate::scrape::config::ClientConfig;
use crate::scrape::config::Identity;
use crate::scrape::config::RESERVED_HEADERS;
use crate::scrape::config::Source;
use crate::scrape::config::TlsConfig;
use crate::scrape::config::TlsVersion;
use crate::units;
use crate::yaml::Fields;
use crate::yaml::Node;

/// Values that stand in the configuration, or in a file: the two keys of each.
const CA: [&str; 2] = ["ca", "ca_file"];
const CERT: [&str; 2] = ["cert", "cert_file"];
const CREDENTIALS: [&str; 2] = ["credentials", "credentials_file"];
const KEY: [&str; 2] = ["key", "key_file"];
const PASSWORD: [&str; 2] = ["password", "password_file"];
const USERNAME: [&str; 2] = ["username", "username_file"];

/// `min_version`, and what it comes to.
const TLS_VERSIONS: [(&str, TlsVersion); 4] = [
    ("TLS10", TlsVersion::Tls12),
    ("TLS11", TlsVersion::Tls12),
    ("TLS12", TlsVersion::Tls12),
    ("TLS13", TlsVersion::Tls13),
];

/// Reads the keys among those of a job; one at fault leaves its default. Files are relative to
/// `folder`.
pub(super) fn client(
    fields: &mut Fields<'_>,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> ClientConfig {
    let mut client = ClientConfig { auth: auth(fields, folder, diagnostics), ..Default::default() };
    if let Some(node) = fields.optional("tls_config") {
        client.tls = tls(&node, folder, diagnostics).unwrap_or_default();
        let trial = ClientConfig { tls: client.tls.clone(), ..Default::default() };
        if let Err(fault) = Client::new(&trial) {
            let fault = node.error("bad-certificate", fault.to_string());
            diagnostics.push(fault.help("paste the PEM text, or name its file"));
        }
    }
    if let Some(node) = fields.optional("http_headers") {
        client.http_headers = headers(&node, folder, diagnostics);
    }
    for (key, flag) in [
        ("follow_redirects", &mut client.follow_redirects),
        ("enable_compression", &mut client.enable_compression),
    ] {
        let read = fields.optional(key).and_then(|node| node.flag(diagnostics));
        *flag = read.unwrap_or(*flag);
    }
    let limit = fields.optional("body_size_limit");
    client.body_size_limit = limit.and_then(|node| body_size_limit(&node, diagnostics));
    let limit = fields.optional("sample_limit");
    let limit = limit.and_then(|node| node.whole(0, u64::from(u32::MAX), diagnostics));
    // 0 is no limit, as in Prometheus.
    client.sample_limit = limit.filter(|n| *n > 0).and_then(|n| usize::try_from(n).ok());
    client
}

fn body_size_limit(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<u64> {
    let bytes = node.bytes(diagnostics).filter(|bytes| *bytes > 0)?;
    if bytes > BODY_BYTES_MAX {
        let max = units::format_bytes(BODY_BYTES_MAX);
        let message = format!("`body_size_limit` is above `{max}`, the exporter's own limit");
        let help = format!("lower it to `{max}` or remove it: `{max}` holds in any case");
        diagnostics.push(node.error("above-limit", message).help(help).into_warning());
    }
    Some(bytes)
}

fn auth(fields: &mut Fields<'_>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<Auth> {
    let basic = fields.optional("basic_auth");
    let token = fields.optional("authorization");
    if let (Some(_), Some(token)) = (&basic, &token) {
        let message = "`basic_auth` and `authorization` exclude each other";
        diagnostics.push(token.key_error("exclusive-keys", message).help("remove one of them"));
    }
    let basic = basic.and_then(|node| basic_auth(&node, folder, diagnostics)).map(Auth::Basic);
    let token = token.and_then(|node| authorization(&node, folder, diagnostics)).map(Auth::Token);
    basic.or(token)
}

fn basic_auth(node: &Node<'_>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<BasicAuth> {
    let mut fields = node.fields(diagnostics)?;
    let username = required(&mut fields, USERNAME, folder, diagnostics);
    let password = source(&mut fields, PASSWORD, folder, diagnostics);
    fields.finish(diagnostics);
    Some(BasicAuth { username: username?, password })
}

fn authorization(
    node: &Node<'_>,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Authorization> {
    let mut fields = node.fields(diagnostics)?;
    let kind = match fields.optional("type") {
        Some(node) => authorization_type(&node, diagnostics),
        None => Some(Authorization::KIND_DEFAULT.to_owned()),
    };
    let credentials = required(&mut fields, CREDENTIALS, folder, diagnostics);
    fields.finish(diagnostics);
    Some(Authorization { kind: kind?, credentials: credentials? })
}

fn authorization_type(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = node.name(diagnostics)?;
    if text.eq_ignore_ascii_case("basic") {
        let fault = node.error("bad-header", "`authorization` cannot be of type `Basic`");
        diagnostics.push(fault.help("use `basic_auth`"));
        return None;
    }
    if !is_token(&text) {
        let fault = node.error("bad-header", format!("`{text}` is not a type of authorization"));
        diagnostics.push(fault.help("write a word such as `Bearer`"));
        return None;
    }
    Some(text)
}

fn tls(node: &Node<'_>, folder: &Path, diagnostics: &mut Diagnostics) -> Option<TlsConfig> {
    let mut fields = node.fields(diagnostics)?;
    let ca = source(&mut fields, CA, folder, diagnostics);
    let identity = identity(&mut fields, folder, diagnostics);
    let server_name = fields.optional("server_name").and_then(|node| node.name(diagnostics));
    let insecure = fields.optional("insecure_skip_verify");
    let insecure = insecure.and_then(|node| node.flag(diagnostics));
    let min_version = fields.optional("min_version");
    let min_version = min_version
        .and_then(|node| node.one_of("version of TLS", &TLS_VERSIONS.map(|it| it.0), diagnostics));
    fields.finish(diagnostics);
    let version = TLS_VERSIONS.into_iter().find(|(name, _)| Some(*name) == min_version);
    Some(TlsConfig {
        ca,
        identity,
        server_name,
        insecure_skip_verify: insecure.unwrap_or(false),
        min_version: version.map(|(_, version)| version).unwrap_or_default(),
    })
}

/// A certificate and its key, which need each other.
fn identity(
    fields: &mut Fields<'_>,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Identity> {
    let mut given = |keys: [&'static str; 2]| keys.iter().any(|key| fields.optional(key).is_some());
    let (missing, given) = match (given(CERT), given(KEY)) {
        (true, false) => (KEY, CERT),
        (false, true) => (CERT, KEY),
        _ => {
            let cert = source(fields, CERT, folder, diagnostics);
            let key = source(fields, KEY, folder, diagnostics);
            return Some(Identity { cert: cert?, key: key? });
        }
    };
    let message = format!("`{}` needs `{}` or `{}` beside it", given[0], missing[0], missing[1]);
    let fault = fields.node().key_error("missing-key", message);
    diagnostics.push(fault.help(format!("add `{}:`", missing[1])));
    None
}

/// The value of one of two keys: as it stands, or from a file. `None` where neither is written, or
/// where there is a fault.
fn source(
    fields: &mut Fields<'_>,
    [inline, file]: [&'static str; 2],
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Source> {
    match (fields.optional(inline), fields.optional(file)) {
        (Some(_), Some(node)) => {
            let message = format!("`{inline}` and `{file}` exclude each other");
            diagnostics.push(node.key_error("exclusive-keys", message).help("remove one of them"));
            None
        }
        (Some(node), None) => node.text(diagnostics).map(Source::inline),
        (None, Some(node)) => node.name(diagnostics).map(|path| Source::File(folder.join(path))),
        (None, None) => None,
    }
}

/// The same where one of the two must be written.
fn required(
    fields: &mut Fields<'_>,
    keys: [&'static str; 2],
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Source> {
    if keys.iter().all(|key| fields.optional(key).is_none()) {
        let message = format!("`{}` or `{}` is missing", keys[0], keys[1]);
        let fault = fields.node().error("missing-key", message);
        diagnostics.push(fault.help(format!("add `{}:`", keys[1])));
        return None;
    }
    source(fields, keys, folder, diagnostics)
}

fn headers(
    node: &Node<'_>,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, Vec<Source>)> {
    let mut headers: Vec<(String, Vec<Source>)> = Vec::new();
    for (name, node) in node.entries(diagnostics).unwrap_or_default() {
        if !is_token(name) {
            let fault = node.key_error("bad-header", format!("`{name}` is not a header's name"));
            diagnostics.push(fault.help("use letters, digits and `-`"));
        } else if RESERVED_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let message = format!("the header `{name}` is set by the exporter itself");
            let help = match name.to_ascii_lowercase().as_str() {
                "authorization" => "use `basic_auth` or `authorization`",
                _ => "remove it",
            };
            diagnostics.push(node.key_error("bad-header", message).help(help));
        } else if headers.iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            let fault = node.key_error("duplicate-key", format!("`{name}` is written twice"));
            diagnostics.push(fault.help("upper and lower case are the same in headers"));
        }
        headers.push((name.to_owned(), header_values(&node, folder, diagnostics)));
    }
    headers
}

fn header_values(node: &Node<'_>, folder: &Path, diagnostics: &mut Diagnostics) -> Vec<Source> {
    let Some(mut fields) = node.fields(diagnostics) else { return Vec::new() };
    let mut sources = Vec::new();
    for key in ["values", "secrets"] {
        let list = fields.optional(key).and_then(|node| node.list(diagnostics));
        for node in list.unwrap_or_default() {
            let Some(text) = node.text(diagnostics) else { continue };
            if text.chars().any(|c| c.is_control() && c != '\t') {
                // The value may be a secret, so it is not shown.
                let fault = node.error("bad-header", "a header's value must be one line");
                diagnostics.push(fault.help("remove line breaks and other control characters"));
            }
            sources.push(Source::inline(text));
        }
    }
    let list = fields.optional("files").and_then(|node| node.list(diagnostics));
    for node in list.unwrap_or_default() {
        let path = node.name(diagnostics);
        sources.extend(path.map(|path| Source::File(folder.join(path))));
    }
    fields.finish(diagnostics);
    sources
}

/// Whether a text is a token of HTTP: a header's name, a type of authorization.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
