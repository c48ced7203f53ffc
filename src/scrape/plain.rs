//! Plain HTTP to one target, on a connection that is kept from scrape to scrape.
//!
//! Nearly all targets are asked in plain HTTP, and there the library that does everything else is
//! not used: its connections keep read buffers that grow with the page, 100 KiB for each of
//! thousands of targets, and what it may do for a request costs as much as the request. hyper
//! alone, with a buffer of our size, takes a quarter of that memory. The task that waits for an
//! answer also moves the bytes, so that a scrape is one task's work.

use std::future::poll_fn;
use std::pin::Pin;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper::Response;
use hyper::Uri;
use hyper::body::Body;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::body::SizeHint;
use hyper::client::conn::http1;
use hyper::client::conn::http1::SendRequest;
use hyper::header;
use hyper::header::HeaderMap;
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
    driver: Driver,
}

/// What moves the bytes of a connection, whenever it is polled.
///
/// `None` once it has ended: whoever waits for an answer is told so by its end.
#[derive(Debug)]
struct Driver(Option<http1::Connection<TokioIo<TcpStream>, Empty<Bytes>>>);

/// The body of an answer, which comes as long as it is polled. A connection whose answer is not
/// read to its end is not used again.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    body: Incoming,
    has_ended: bool,
    driver: &'a mut Driver,
}

impl Kept {
    /// Asks for `url`, on the connection that is kept if it leads there and lives, and
    /// keeps the one that it went by.
    pub(super) async fn send(
        &mut self,
        url: &Url,
        host: String,
        headers: HeaderMap,
    ) -> Result<Response<Answer<'_>>, ScrapeError> {
        let request = request(url, headers)?;
        if let Some(mut kept) = self.0.take().filter(|kept| kept.host == host) {
            match kept.ask(request.clone()).await {
                // It ended meanwhile, or when it was used again: a new one is tried.
                Err(ScrapeError::ClosedEarly { .. }) => {}
                response => return Ok(self.keep(kept, response?)),
            }
        }
        let mut opened = Connection::open(url, host).await?;
        let response = opened.ask(request).await?;
        Ok(self.keep(opened, response))
    }

    fn keep(&mut self, connection: Connection, answer: Response<Incoming>) -> Response<Answer<'_>> {
        let Connection { driver, .. } = self.0.insert(connection);
        answer.map(|body| Answer { has_ended: body.is_end_stream(), body, driver })
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
        Ok(Self { host, sender, driver: Driver(Some(connection)) })
    }

    async fn ask(
        &mut self,
        request: Request<Empty<Bytes>>,
    ) -> Result<Response<Incoming>, ScrapeError> {
        let Self { sender, driver, .. } = self;
        let asking = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        driver.drive(asking).await.map_err(|error| ScrapeError::from_transport(&error))
    }
}

impl Driver {
    /// Moves bytes until `work` is done.
    async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.0.as_mut().is_some_and(|connection| Pin::new(connection).poll(cx).is_ready()) {
            self.0 = None;
        }
    }
}

impl Body for Answer<'_> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.driver.poll(cx);
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.has_ended = matches!(frame, Poll::Ready(None));
        frame
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.driver.0 = None;
        }
    }
}

/// The request as it is written: with the path alone, and with the host as a header.
fn request(url: &Url, headers: HeaderMap) -> Result<Request<Empty<Bytes>>, ScrapeError> {
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
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = path.map_err(|error| fault(error.to_string()))?;
    *request.headers_mut() = headers;
    let authority = authority.map_err(|error| fault(error.to_string()))?;
    request.headers_mut().insert(header::HOST, authority);
    Ok(request)
}
