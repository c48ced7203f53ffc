//! Connections: how many there may be, how long each may take, and how they end.
//!
//! A client that is slow or silent costs one of [`CONNECTIONS_MAX`] places for a bounded time, and
//! never delays another.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::web::Site;
use crate::web::router;

/// Connections served at once, all listeners together; more wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 512;

/// Longest time to send the head of a request, and to say nothing between two of them. Prometheus
/// keeps its connection over the usual scrape intervals with it.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Largest head of a request.
pub const HEAD_BYTES_MAX: usize = 16 << 10;

/// Age at which a connection is asked to end after the answer that is under way, so that a client
/// that does not read its answer cannot stay for ever. Others open a new one and do not notice.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(600);

/// Longest time that answers under way may take once the end has come.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Pause after a failed `accept`, which means that file descriptors or memory ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves the site on every listener until `shutdown`, then lets answers under way finish within
/// [`DRAIN_LIMIT`].
pub async fn serve(listeners: Vec<TcpListener>, site: Arc<Site>, shutdown: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(serve_listener(
            listener,
            Arc::clone(&site),
            Arc::clone(&places),
            shutdown.clone(),
        ));
    }
    while let Some(ended) = tasks.join_next().await {
        report_panic(ended);
    }
}

async fn serve_listener(
    listener: TcpListener,
    site: Arc<Site>,
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    while let Some(accepted) = shutdown.run_until_cancelled(accept(&listener, &places)).await {
        match accepted {
            Ok((stream, place)) => {
                let site = Arc::clone(&site);
                let shutdown = shutdown.clone();
                connections.spawn(async move {
                    serve_connection(stream, site, shutdown).await;
                    drop(place);
                });
            }
            Err(fault) => {
                tracing::warn!(error = %fault, "connection not accepted");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while let Some(ended) = connections.try_join_next() {
            report_panic(ended);
        }
    }
    // Nobody new: the port answers with a refusal while the others finish.
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        report_panic(ended);
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn serve_connection(stream: TcpStream, site: Arc<Site>, shutdown: CancellationToken) {
    // Answers are written whole: waiting for more to send only delays them.
    if let Err(fault) = stream.set_nodelay(true) {
        tracing::debug!(error = %fault, "delay not switched off");
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let site = Arc::clone(&site);
        async move { Ok::<_, std::convert::Infallible>(router::answer(site, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let aged_or_stopped = time::timeout(CONNECTION_AGE_MAX, shutdown.cancelled());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = aged_or_stopped => {
            connection.as_mut().graceful_shutdown();
            match time::timeout(DRAIN_LIMIT, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::debug!("connection cut off"),
            }
        }
    };
    if let Err(fault) = ended {
        tracing::debug!(error = %fault, "connection failed");
    }
}

fn report_panic(ended: Result<(), JoinError>) {
    if let Err(fault) = ended {
        tracing::error!(error = %fault, "connection task failed");
    }
}
