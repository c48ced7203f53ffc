//! The targets: one listener, which is reached at as many loopback addresses as there are targets.
//! They answer on threads of their own, outside the program that is measured.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::options::Options;
use crate::pages::Template;

/// Largest request head.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Targets that answer.
pub(crate) struct Targets {
    port: u16,
    shared: Arc<Shared>,
    // The targets end with it.
    _runtime: Runtime,
}

struct Shared {
    template: Template,
    start: Instant,
    asked: AtomicU64,
}

/// The address of a target.
pub(crate) fn address(target: usize, port: u16) -> String {
    format!("127.{}.{}.{}:{port}", 1 + target / 62_500, target / 250 % 250, 1 + target % 250)
}

impl Targets {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    pub(crate) fn start(options: &Options) -> anyhow::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("0.0.0.0:0"))?;
        let port = listener.local_addr()?.port();
        let template = Template::new(options.caches_per_target);
        let shared = Shared { template, start: Instant::now(), asked: AtomicU64::new(0) };
        let shared = Arc::new(shared);
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, shared, _runtime: runtime })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// How many pages were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    pub(crate) fn page_bytes(&self) -> usize {
        self.shared.template.page(0.0).len()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client that goes away is no fault.
            let _ = answer(stream, &shared).await;
        });
    }
}

/// Answers request after request. What is written to (`POST`) is read and forgotten.
async fn answer(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if buffer.len() > HEAD_BYTES_MAX || stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let text = String::from_utf8_lossy(&buffer[..head]).into_owned();
        buffer.drain(..head);
        if text.starts_with("POST") {
            let length = content_length(&text);
            while buffer.len() < length {
                if stream.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            }
            buffer.drain(..length);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
            continue;
        }
        let page = shared.template.page(shared.start.elapsed().as_secs_f64());
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\
             Content-Length: {}\r\n\r\n",
            page.len()
        );
        stream.write_all(&[head.as_bytes(), page.as_bytes()].concat()).await?;
        shared.asked.fetch_add(1, Ordering::Relaxed);
    }
}

fn content_length(head: &str) -> usize {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    line.unwrap_or(0)
}
