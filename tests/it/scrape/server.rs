//! Targets for the tests: each answers every request with the bytes a function gives, or
//! misbehaves.

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cache_tuner_exporter::scrape::Url;
use cache_tuner_exporter::scrape::client::Body;
use cache_tuner_exporter::scrape::client::Client;
use cache_tuner_exporter::scrape::client::ScrapeRequest;
use cache_tuner_exporter::scrape::config::ClientConfig;
use cache_tuner_exporter::scrape::failure::ScrapeError;
use cache_tuner_exporter::scrape::plain::Kept;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Long enough for a busy machine; no test waits for it.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What a target sends after it has read a request's head.
#[derive(Clone)]
pub(super) enum Answer {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// These bytes, and then the next request on the same connection.
    Kept(Vec<u8>),
    /// These bytes again and again, as long as they are taken, after a head.
    Endless(&'static str, Vec<u8>),
    /// Nothing more, but the connection stays open.
    Hang(Vec<u8>),
}

impl Answer {
    pub(super) fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    /// 200 with this body, on a connection that stays open.
    pub(super) fn kept(body: &[u8]) -> Self {
        match Self::ok("", body) {
            Self::Bytes(bytes) => Self::Kept(bytes),
            other => other,
        }
    }

    /// 200 with these header lines and body.
    pub(super) fn ok(headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        Self::Bytes([head.as_bytes(), body].concat())
    }

    pub(super) fn redirect(location: &str) -> Self {
        Self::text(&format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ))
    }
}

/// A running target and the heads of the requests it got.
pub(super) struct Server {
    pub(super) url: Url,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_inner(answer, None).await
    }

    pub(super) async fn start_tls(acceptor: TlsAcceptor) -> Self {
        Self::start_inner(|_| Answer::ok("", b"up 1\n"), Some(acceptor)).await
    }

    pub(super) async fn always(answer: Answer) -> Self {
        Self::start(move |_| answer.clone()).await
    }

    async fn start_inner(
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/metrics", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (seen, accepted) = (Arc::clone(&requests), Arc::clone(&connections));
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let (answer, seen, tls) = (Arc::clone(&answer), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &*answer, &seen).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &*answer, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { url: url.parse().unwrap(), requests, connections }
    }

    /// The heads of the requests so far, in lower case.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Connections so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Scrapes it once, with time to spare.
    pub(super) async fn scrape(&self, config: &ClientConfig) -> Result<Body, ScrapeError> {
        scrape(&Client::new(config).unwrap(), &self.url).await
    }
}

pub(super) async fn scrape(client: &Client, url: &Url) -> Result<Body, ScrapeError> {
    let request = ScrapeRequest { url: url.clone(), timeout: PATIENCE };
    client.scrape(&request, &mut Kept::default()).await
}

async fn serve<S>(
    mut stream: S,
    answer: &(impl Fn(&str) -> Answer + Sync),
    seen: &Mutex<Vec<String>>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(head) = head(&mut stream).await {
        let answer = answer(&head);
        seen.lock().unwrap().push(head.to_lowercase());
        match answer {
            Answer::Kept(bytes) => {
                let _ = stream.write_all(&bytes).await;
            }
            Answer::Bytes(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Endless(head, part) => {
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&part).await.is_ok() {}
                return;
            }
            Answer::Hang(bytes) => {
                let _ = stream.write_all(&bytes).await;
                // Ends when the client has gone.
                let _ = stream.read_u8().await;
                return;
            }
        }
    }
}

/// The next request's head; `None` where none comes.
async fn head(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // A TLS handshake on a plain target: Go's answer.
            Ok(0x16) if head.is_empty() => {
                let _ = stream.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n").await;
                return None;
            }
            Ok(byte) => head.push(byte),
            Err(_) => return None,
        }
    }
    Some(String::from_utf8(head).unwrap())
}

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}
