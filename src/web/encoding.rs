//! Which encoding a client wants its answer in, from `Accept-Encoding` (RFC 9110 §12.5.3).

use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

/// How an answer may be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// As one gzip member.
    Gzip,
}

/// The encoding that the answer should have: gzip, if the client takes it and likes plain text no
/// better.
pub(super) fn wanted(headers: &HeaderMap) -> Coding {
    if accepts_gzip(headers) { Coding::Gzip } else { Coding::Identity }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut gzip = None;
    let mut identity = None;
    let mut any = None;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let (coding, weight) = weighted(item);
            match coding.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(weight),
                "identity" => identity = Some(weight),
                "*" => any = Some(weight),
                _ => {}
            }
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.unwrap_or(0.0)
}

/// `gzip;q=0.5` → (`gzip`, 0.5). A weight that cannot be read is none at all: plain text is always
/// safe.
fn weighted(item: &str) -> (&str, f32) {
    let mut parts = item.split(';').map(str::trim);
    let coding = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse().unwrap_or(0.0))
    });
    (coding, weight.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&'static str], want: bool) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        assert_eq!(accepts_gzip(&headers), want, "{values:?}");
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        check(&[], false);
        check(&[""], false);
        check(&["gzip"], true);
        check(&["GZip;Q=0.1"], true);
        check(&["deflate, gzip, br"], true);
        check(&["deflate", "gzip"], true);
        check(&["*"], true);
        check(&["gzip;q=0"], false);
        check(&["gzip; q=0.000, *"], false);
        check(&["*;q=0"], false);
        check(&["gzip;q=0.5, identity"], false);
        check(&["identity;q=0.5, gzip;q=1.0"], true);
        check(&["gzip;q=high"], false);
        check(&["gzipped"], false);
    }
}
