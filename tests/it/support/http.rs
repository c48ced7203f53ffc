//! A blocking HTTP/1.1 client, small enough to be plainly right.
//!
//! Tests look at the exporter with other eyes than its own libraries: nothing is decoded, nothing
//! followed, headers are kept as they came.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// Longest wait for a connection's next byte.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Header names and values in the order they came; names in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl Headers {
    /// The first header of a name, given in lower case.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut headers = Self::default();
        loop {
            let line = read_line(stream)?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed(&line))?;
            headers.0.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

/// An answer; the body as it came over the wire, with chunks joined.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The body of an answer that must be text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body of an answer that must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&self.body)))
    }
}

pub(crate) fn get(url: &str) -> io::Result<Response> {
    request("GET", url, &[], b"")
}

/// The text of a page that must be there.
#[track_caller]
pub(crate) fn text(url: &str) -> String {
    let response = get(url).unwrap_or_else(|error| panic!("GET {url}: {error}"));
    assert_eq!(response.status, 200, "GET {url}: {}", String::from_utf8_lossy(&response.body));
    response.text().to_owned()
}

/// Whether a page answers 200, for waiting.
pub(crate) fn is_ok(url: &str) -> bool {
    get(url).is_ok_and(|response| response.status == 200)
}

pub(crate) fn post(url: &str, content_type: &str, body: &[u8]) -> io::Result<Response> {
    request("POST", url, &[("Content-Type", content_type)], body)
}

/// One request on a connection of its own.
pub(crate) fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Response> {
    let (authority, path) = split_url(url)?;
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let mut bytes = Vec::new();
    write!(bytes, "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n")?;
    for (name, value) in headers {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    write!(bytes, "Content-Length: {}\r\n\r\n", body.len())?;
    bytes.extend_from_slice(body);
    stream.write_all(&bytes)?;
    read_response(&mut BufReader::new(stream))
}

fn read_response(stream: &mut impl BufRead) -> io::Result<Response> {
    let line = read_line(stream)?;
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| malformed(&line))?;
    let headers = Headers::read(stream)?;
    let body = if status == 204 || status == 304 {
        Vec::new()
    } else {
        match read_body(stream, &headers)? {
            Some(body) => body,
            None => read_to_end(stream)?,
        }
    };
    Ok(Response { status, headers, body })
}

/// The body whose length the headers tell; `None` when they do not.
pub(crate) fn read_body(
    stream: &mut impl BufRead,
    headers: &Headers,
) -> io::Result<Option<Vec<u8>>> {
    if headers.first("transfer-encoding").is_some_and(|value| value == "chunked") {
        return read_chunks(stream).map(Some);
    }
    let Some(length) = headers.first("content-length") else { return Ok(None) };
    let mut body = vec![0; length.parse().map_err(|_| malformed(length))?];
    stream.read_exact(&mut body)?;
    Ok(Some(body))
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(|_| malformed(&line))?;
        let start = body.len();
        body.resize(start + length, 0);
        stream.read_exact(&mut body[start..])?;
        read_line(stream)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn read_to_end(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    stream.read_to_end(&mut body)?;
    Ok(body)
}

/// A line without its end; an empty one at the end of the stream is an error.
pub(crate) fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn split_url(url: &str) -> io::Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").ok_or_else(|| malformed(url))?;
    Ok(match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    })
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed: {what}"))
}
