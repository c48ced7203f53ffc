//! The built-in demo: four real caches inside the process, under a workload that outgrows them.
//!
//! They are tuned like anybody's caches: their metrics stand on a loopback port and are scraped
//! over HTTP, and they read the parameters in force back through the API. A judgement takes some
//! two hundred samples, so the demo's time runs fast: its caches tick four times a second, and are
//! scraped as often. Nothing is written to disk.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::parameter::Parameter;
use crate::scrape::Url;
use crate::scrape::client::Client;
use crate::scrape::client::ClientError;
use crate::scrape::client::ScrapeRequest;
use crate::scrape::config::ClientConfig;
use crate::scrape::plain::Kept;
use crate::sim::demo::DemoFleet;
use crate::tuning_parameters::TuningParameters;
use crate::units;

/// The same caches and requests at every start.
const SEED: u64 = 1;

/// Time between two ticks, each of them a second of the caches' own time; also between two scrapes.
const PACE: Duration = Duration::from_millis(250);

/// Longest time that the parameters of a cache may take to arrive.
const READ_BACK_TIMEOUT: Duration = Duration::from_millis(500);

/// Largest request body that is read before it is ignored.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// Time for the header of a request to arrive.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// The demo, listening but not yet running.
#[derive(Debug)]
pub struct Demo {
    listener: TcpListener,
    address: SocketAddr,
}

impl Demo {
    /// Takes a free loopback port.
    pub async fn bind() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where the caches show their metrics.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The configuration that tunes the demo; it is loaded like a file. Everything happens fast, so
    /// that something is to be seen within two minutes.
    pub fn config(&self) -> String {
        format!(
            "# The built-in demo: four caches inside the process.\n\
             global:\n  scrape_interval: {pace}\n  scrape_timeout: {pace}\n\
             tuning:\n  tuning_interval: 2s\n\
             scrape_configs:\n  - job_name: demo\n    profile: demo\n    static_configs:\n      \
             - targets: ['{}']\n    \
             thresholds:\n      # A full cache is what a cache is for.\n      \
             memory_usage_high: {{usage: 100}}\n",
            self.address,
            pace = units::format_duration(PACE),
        )
    }

    /// Runs the caches until `cancel`; `exporter` is where the parameters in force are read.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub async fn run(
        self,
        exporter: SocketAddr,
        cancel: CancellationToken,
    ) -> Result<(), ClientError> {
        let client = Client::new(&ClientConfig::default())?;
        let fleet = DemoFleet::new(SEED);
        let (page, pages) = watch::channel(Bytes::from(fleet.page()));
        let caches = Caches { fleet, page, client, exporter, target: self.address };
        cancel
            .run_until_cancelled(async {
                tokio::join!(serve(self.listener, pages), caches.live());
            })
            .await;
        Ok(())
    }
}

/// The caches and the way to their parameters.
struct Caches {
    fleet: DemoFleet,
    page: watch::Sender<Bytes>,
    client: Client,
    exporter: SocketAddr,
    target: SocketAddr,
}

impl Caches {
    async fn live(mut self) {
        let mut ticks = tokio::time::interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in 0_u64.. {
            ticks.tick().await;
            self.fleet.tick(tick);
            self.page.send_replace(Bytes::from(self.fleet.page()));
            self.read_parameters_back().await;
        }
    }

    async fn read_parameters_back(&mut self) {
        let names: Vec<&'static str> = self.fleet.stats().map(|(name, _)| name).collect();
        for name in names {
            match self.parameters_in_force(name).await {
                Ok(parameters) => {
                    self.fleet.set_parameters(name, parameters);
                }
                // Right after the start the exporter has not seen the caches yet.
                Err(fault) => tracing::debug!(cache = name, %fault, "no parameters to take over"),
            }
        }
    }

    async fn parameters_in_force(&self, cache: &str) -> Result<TuningParameters, String> {
        let Self { exporter, target, .. } = self;
        let url = format!("http://{exporter}/api/v1/parameters?target={target}&cache={cache}");
        let url = Url::parse(&url).map_err(|fault| fault.to_string())?;
        let request = ScrapeRequest { url, timeout: READ_BACK_TIMEOUT };
        let body = self.client.scrape(&request, &mut Kept::default()).await;
        let body = body.map_err(|fault| fault.to_string())?;
        let answer: serde_json::Value =
            serde_json::from_str(&body.text).map_err(|fault| fault.to_string())?;
        let mut parameters = TuningParameters::default();
        for parameter in Parameter::ALL {
            if let Some(value) = answer["data"][parameter.name()].as_f64() {
                parameters.set(parameter, value);
            }
        }
        Ok(parameters)
    }
}

/// Answers every request with the newest page.
async fn serve(listener: TcpListener, pages: watch::Receiver<Bytes>) {
    let pages = Arc::new(pages);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say; the next moment may be better.
            tokio::time::sleep(HEADER_TIMEOUT).await;
            continue;
        };
        let pages = Arc::clone(&pages);
        let service = service_fn(move |request| answer(request, Arc::clone(&pages)));
        tokio::spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn answer(
    request: Request<Incoming>,
    pages: Arc<watch::Receiver<Bytes>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // A body means nothing here, but an unread one would end the connection.
    let _ = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await;
    let page = pages.borrow().clone();
    let mut response = Response::new(Full::new(page));
    let content_type = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    Ok(response)
}
