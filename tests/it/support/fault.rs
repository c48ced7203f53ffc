//! A target that does whatever a test tells it: good pages, and everything that goes wrong.
//!
//! What it does can be changed while it runs, so one test can watch a target break and recover.

use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::server::HttpServer;
use crate::support::server::Request;
use crate::support::server::Stop;

/// The content type of the text format.
pub(crate) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Size of one write of an endless body.
const CHUNK_BYTES: usize = 64 << 10;

/// Requests kept for a test to look at; a test that needs more has lost its way.
const REQUESTS_MAX: usize = 10_000;

/// What the target does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Closes the connection without a word.
    CloseAtOnce,
    /// Promises the page and closes half-way.
    CloseEarly(String),
    /// The page for the number of the request, of which the first is 1: counters that grow.
    Counting(fn(u64) -> String),
    /// The page, compressed, with `Content-Encoding: gzip`.
    Gzip(String),
    /// Takes the request and says nothing.
    Hang,
    /// A comment line without end, `bytes` long, compressed or not.
    Huge { bytes: u64, gzip: bool },
    /// The page if the request has this header (name in lower case) with this value; otherwise 401.
    IfHeader { name: &'static str, value: String, page: String },
    /// The page in the text format.
    Page(String),
    /// To another path of its own, for ever.
    RedirectForEver,
    /// To another address.
    RedirectTo(String),
    /// A status and body of any type.
    Typed { status: u16, content_type: &'static str, body: String },
}

/// A scriptable target.
#[derive(Debug)]
pub(crate) struct FaultTarget {
    server: HttpServer,
    script: Arc<Script>,
}

#[derive(Debug)]
struct Script {
    reply: Mutex<Reply>,
    requests: Mutex<Vec<Request>>,
    sent_bytes: Mutex<u64>,
}

// === impl FaultTarget ===

impl FaultTarget {
    pub(crate) fn start(reply: Reply) -> Self {
        let script = Arc::new(Script {
            reply: Mutex::new(reply),
            requests: Mutex::default(),
            sent_bytes: Mutex::default(),
        });
        let server = HttpServer::start({
            let script = Arc::clone(&script);
            move |request, stream, stop| script.answer(request, stream, stop)
        });
        Self { server, script }
    }

    /// Changes what the next requests get.
    pub(crate) fn set(&self, reply: Reply) {
        *lock(&self.script.reply) = reply;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// Every request so far, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.script.requests).clone()
    }

    /// Body bytes of [`Reply::Huge`] that the client's side took, before compression.
    pub(crate) fn sent_bytes(&self) -> u64 {
        *lock(&self.script.sent_bytes)
    }
}

// === impl Reply ===

impl Reply {
    /// HTML with status 200, as a login page or a wrong port gives.
    pub(crate) fn html() -> Self {
        let body = "<!DOCTYPE html><html><body>Sign in</body></html>".to_owned();
        Self::Typed { status: 200, content_type: "text/html", body }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Typed { status, content_type: "text/plain", body: String::new() }
    }
}

// === impl Script ===

impl Script {
    fn answer(&self, request: &Request, stream: &mut TcpStream, stop: &Stop) -> io::Result<()> {
        let reply = lock(&self.reply).clone();
        let number = {
            let mut requests = lock(&self.requests);
            if requests.len() < REQUESTS_MAX {
                requests.push(request.clone());
            }
            requests.len()
        };
        match reply {
            Reply::CloseAtOnce => Ok(()),
            Reply::CloseEarly(page) => {
                write_head(stream, 200, &length_headers(TEXT_FORMAT, page.len()))?;
                stream.write_all(&page.as_bytes()[..page.len() / 2])
            }
            Reply::Counting(page) => {
                write_whole(stream, 200, TEXT_FORMAT, page(number as u64).as_bytes())
            }
            Reply::Gzip(page) => {
                let body = gzip(page.as_bytes())?;
                let headers = length_headers(TEXT_FORMAT, body.len());
                write_head(stream, 200, &(headers + "Content-Encoding: gzip\r\n"))?;
                stream.write_all(&body)
            }
            Reply::Hang => {
                stop.wait();
                Ok(())
            }
            Reply::Huge { bytes, gzip } => self.write_huge(stream, bytes, gzip),
            Reply::IfHeader { name, value, page } => {
                if request.headers.first(name) == Some(value.as_str()) {
                    write_whole(stream, 200, TEXT_FORMAT, page.as_bytes())
                } else {
                    write_whole(stream, 401, "text/plain", b"Unauthorized\n")
                }
            }
            Reply::Page(page) => write_whole(stream, 200, TEXT_FORMAT, page.as_bytes()),
            Reply::RedirectForEver => redirect(stream, &format!("/again/{number}")),
            Reply::RedirectTo(url) => redirect(stream, &url),
            Reply::Typed { status, content_type, body } => {
                write_whole(stream, status, content_type, body.as_bytes())
            }
        }
    }

    fn write_huge(&self, stream: &mut TcpStream, bytes: u64, gzip: bool) -> io::Result<()> {
        let encoding = if gzip { "Content-Encoding: gzip\r\n" } else { "" };
        write_head(stream, 200, &format!("Content-Type: {TEXT_FORMAT}\r\n{encoding}"))?;
        if gzip {
            self.write_comment(&mut GzEncoder::new(stream, Compression::fast()), bytes)
        } else {
            self.write_comment(stream, bytes)
        }
    }

    fn write_comment(&self, stream: &mut impl Write, bytes: u64) -> io::Result<()> {
        let chunk = vec![b'#'; CHUNK_BYTES];
        for _ in 0..bytes / CHUNK_BYTES as u64 {
            stream.write_all(&chunk)?;
            *lock(&self.sent_bytes) += CHUNK_BYTES as u64;
        }
        stream.flush()
    }
}

/// The value of an `Authorization` header for basic authentication.
pub(crate) fn basic_auth(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// A whole answer of known length.
pub(crate) fn write_whole(
    stream: &mut TcpStream,
    status: u16,
    content_type: &str,
    body: &[u8],
) -> io::Result<()> {
    write_head(stream, status, &length_headers(content_type, body.len()))?;
    stream.write_all(body)
}

/// The status line and headers, each ended by a line break.
pub(crate) fn write_head(stream: &mut TcpStream, status: u16, headers: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status} Scripted\r\n{headers}Connection: close\r\n\r\n")
}

fn redirect(stream: &mut TcpStream, location: &str) -> io::Result<()> {
    write_head(stream, 302, &format!("Location: {location}\r\nContent-Length: 0\r\n"))
}

fn length_headers(content_type: &str, length: usize) -> String {
    format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n")
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let is_padding = place > group.len();
            let digit = ALPHABET[bits >> (18 - 6 * place) & 63];
            text.push(if is_padding { '=' } else { char::from(digit) });
        }
    }
    text
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}
