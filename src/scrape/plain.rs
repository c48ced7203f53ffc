//! Plain HTTP to one target, on a connection that is kept from scrape to scrape.
//!
//! Nearly all targets are asked in plain HTTP, and there the library that does everything else is
//! not used: its connections keep read buffers that grow with the page, 100 KiB for each of
//! thousands of targets, and what it may do for a request costs as much as the request. hyper
//! alone, with a buffer of our size, takes a quarter of that memory.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::Response;
use hyper::Uri;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper::header;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpStream;

use crate::scrape::failure::ScrapeError;

/// What is read at once, and so the longest head of an answer, in bytes. A page takes a few reads;
/// an idle connection keeps no more than this.
pub const READ_BYTES: usize = 16 << 10;

/// The connection that is kept of a target.
#[derive(Debug, Default)]
pub struct Kept(Option<Connection>);

#[derive(Debug)]
struct Connection {
    /// Host and port.
    host: String,
    sender: SendRequest<Empty<Bytes>>,
}

impl Kept {
    /// Sends a request to `url`, on the connection that is kept if it leads there and lives, and
    /// keeps the one that it went by.
    pub(super) async fn send(
        &mut self,
        url: &Url,
        host: String,
        request: reqwest::Request,
    ) -> Result<Response<Incoming>, ScrapeError> {
        let request = to_hyper(url, request)?;
        let mut kept = self.0.take().filter(|kept| kept.host == host);
        if let Some(connection) = &mut kept
            && connection.sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut connection = match kept {
            Some(kept) => kept,
            None => Connection::open(url, host).await?,
        };
        let response = connection.sender.send_request(request).await;
        let response = response.map_err(|error| ScrapeError::from_transport(&error))?;
        self.0 = Some(connection);
        Ok(response)
    }
}

impl Connection {
    async fn open(url: &Url, host: String) -> Result<Self, ScrapeError> {
        let port = url.port_or_known_default().unwrap_or(80);
        // An IPv6 address stands in brackets.
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let opened = TcpStream::connect((name, port)).await;
        let opened = opened.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
        let stream = opened.map_err(|cause| ScrapeError::no_connection(&cause, &host))?;
        let (sender, connection) = http1::Builder::new()
            .read_buf_exact_size(Some(READ_BYTES))
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| ScrapeError::from_transport(&error))?;
        // It ends when the sender or the target has gone; whoever waits for an answer is told why.
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { host, sender })
    }
}

/// The request as it is written: with the path alone, and with the host as a header.
fn to_hyper(
    url: &Url,
    mut request: reqwest::Request,
) -> Result<Request<Empty<Bytes>>, ScrapeError> {
    let fault = |cause: String| ScrapeError::Other { cause };
    let path = url.query().map_or_else(
        || Uri::try_from(url.path()),
        |query| Uri::try_from(format!("{}?{query}", url.path())),
    );
    let name = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(
        || HeaderValue::try_from(name),
        |port| HeaderValue::try_from(format!("{name}:{port}")),
    );
    let mut plain = Request::new(Empty::new());
    *plain.uri_mut() = path.map_err(|error| fault(error.to_string()))?;
    std::mem::swap(plain.headers_mut(), request.headers_mut());
    let authority = authority.map_err(|error| fault(error.to_string()))?;
    plain.headers_mut().insert(header::HOST, authority);
    Ok(plain)
}
