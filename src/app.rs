//! The composition root: builds everything, owns the tasks, reloads, and shuts down.
//!
//! One loop takes in what the scrape tasks found, one after the other, steps the engine, and puts
//! up what is shown. Nothing here decides anything about a cache.

pub mod clock;
mod fleet;
mod hands;
mod keeping;
mod plan;
mod station;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::mpsc;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::build_info::BuildInfo;
use crate::config;
use crate::config::Loaded;
use crate::demo::Demo;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::engine::Engine;
use crate::export::Exporter;
use crate::published::Board;
use crate::store::Ended as StoreEnded;
use crate::web;
use crate::yaml::Document;

use fleet::Fleet;
use keeping::Keeper;
use keeping::Kept;
use plan::Watch;
use station::Station;

/// Observations that wait for the engine. Scrape tasks wait while it is full, and skip beats.
const OBSERVATIONS_WAITING_MAX: usize = 256;

/// Reloads that wait their turn.
const RELOADS_WAITING_MAX: usize = 4;

/// Orders by hand that wait their turn; each takes microseconds.
const ORDERS_WAITING_MAX: usize = 64;

/// Notes of caches that read their parameters that wait their turn. One more is lost, and the cache
/// counts as told the next time that it asks: a tuning that nobody notes in time is void.
const FETCHES_WAITING_MAX: usize = 1024;

/// What to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The configuration; `None` runs the built-in demo.
    pub config_file: Option<PathBuf>,
    /// Where to listen.
    pub listen_addresses: Vec<SocketAddr>,
    /// What is served, and where.
    pub options: web::Options,
    /// Directory of the embedded database; `None` keeps nothing.
    pub storage_directory: Option<PathBuf>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// As asked for by a signal.
    Cleanly,
    /// The configuration does not load.
    Refused(Diagnostics),
    /// A task panicked: a bug of ours, in words.
    Panicked(String),
}

/// The configuration in use: where it comes from, and how to load it again.
#[derive(Debug, Clone)]
enum Source {
    /// A file.
    File(PathBuf),
    /// The demo's, which never changes.
    Demo(Arc<SourceFile>),
}

impl Source {
    /// Loads the configuration; the warnings come back beside it.
    async fn load(&self) -> Result<(Loaded, Diagnostics), Diagnostics> {
        let source = self.clone();
        let load = move || match source {
            Self::File(path) => config::load(&path),
            Self::Demo(text) => config::load_document(&Document::parse(text)?),
        };
        match tokio::task::spawn_blocking(load).await {
            Ok(loaded) => loaded,
            Err(fault) => std::panic::resume_unwind(fault.into_panic()),
        }
    }
}

/// Runs the exporter until a signal ends it.
///
/// # Errors
/// If an address cannot be listened on, or a signal cannot be waited for.
pub async fn run(settings: Settings) -> anyhow::Result<Ended> {
    // First of all, since a signal that nobody waits for would end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let (source, demo) = if let Some(path) = settings.config_file {
        (Source::File(path), None)
    } else {
        let demo = Demo::bind().await.context("the demo found no loopback port")?;
        (Source::Demo(SourceFile::new("built-in demo", demo.config())), Some(demo))
    };
    let (loaded, watches) = match load(&source).await {
        Ok(loaded) => loaded,
        Err(diagnostics) => return Ok(Ended::Refused(diagnostics)),
    };
    let board = Arc::new(Board::new());
    let Kept { keeper, engine, ended } = Kept::open(settings.storage_directory, &board).await?;
    let (mut station, site) = assemble(source, &loaded, settings.options, (board, keeper, engine));
    let stop = CancellationToken::new();
    let (listeners, address) = listen(&settings.listen_addresses).await?;
    let serving = tokio::spawn(web::serve(listeners, site, stop.clone()));
    let demo = demo.map(|demo| start_demo(demo, address, stop.clone()));
    station.put_to_work(&watches);
    let ended = tokio::select! {
        panicked = station.run(&mut hangup) => Ended::Panicked(panicked),
        panicked = panic_of(demo) => Ended::Panicked(panicked),
        panicked = panic_of_store(ended) => Ended::Panicked(panicked),
        _ = terminate.recv() => Ended::Cleanly,
        _ = interrupt.recv() => Ended::Cleanly,
    };
    tracing::info!("stopping");
    stop.cancel();
    // It drains within its own limit.
    serving.await.context("the web server")?;
    tokio::task::block_in_place(|| station.keeper.close());
    Ok(ended)
}

/// Builds the loop and the site that it feeds, and connects the two.
fn assemble(
    source: Source,
    loaded: &Loaded,
    options: web::Options,
    (board, keeper, engine): (Arc<Board>, Keeper, Engine),
) -> (Station, Arc<web::Site>) {
    let exporter = Exporter::new(Arc::clone(&board), BuildInfo::CURRENT, keeper.failures());
    let exporter = Arc::new(exporter);
    let (observations, found) = mpsc::channel(OBSERVATIONS_WAITING_MAX);
    let (reload, reloads) = mpsc::channel(RELOADS_WAITING_MAX);
    let (order, orders) = mpsc::channel(ORDERS_WAITING_MAX);
    let (fetch, fetches) = mpsc::channel(FETCHES_WAITING_MAX);
    let (show, shown) = watch::channel(Arc::new(shown(loaded)));
    let ready = Arc::new(AtomicBool::new(false));
    let rendered = Arc::clone(&exporter);
    let site = web::Site {
        board: Arc::clone(&board),
        metrics: Box::new(move |coding| {
            let page = match coding {
                web::Coding::Identity => rendered.page(),
                web::Coding::Gzip => rendered.page_gzipped(),
            };
            page.map_err(|fault| fault.to_string())
        }),
        reload,
        orders: order,
        fetched: fetch,
        ready: Arc::clone(&ready),
        shown,
        options,
        now: clock::now,
        build: BuildInfo::CURRENT,
    };
    let station = Station {
        source,
        engine,
        keeper,
        fleet: Fleet::new(observations),
        board,
        exporter,
        show,
        ready,
        found,
        reloads,
        orders,
        fetches,
        awaited: BTreeSet::new(),
        logged: BTreeMap::new(),
    };
    (station, Arc::new(site))
}

fn start_demo(demo: Demo, exporter: SocketAddr, stop: CancellationToken) -> JoinHandle<()> {
    tracing::info!(address = %demo.address(), "no --config.file: tuning the built-in demo cache");
    tokio::spawn(async move {
        if let Err(fault) = demo.run(exporter, stop).await {
            tracing::error!(%fault, "the demo does not run");
        }
    })
}

/// What a task says that panics; never ends for one that does not.
async fn panic_of(task: Option<JoinHandle<()>>) -> String {
    match task {
        Some(task) => match task.await {
            Err(fault) if fault.is_panic() => fault.to_string(),
            _ => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// What the store's thread says if it panics; never ends otherwise.
async fn panic_of_store(ended: Option<StoreEnded>) -> String {
    match ended {
        Some(ended) => {
            ended.panicked().await;
            "the store's thread".to_owned()
        }
        None => std::future::pending().await,
    }
}

/// Loads the configuration and what is to be watched by it, and logs its warnings.
async fn load(source: &Source) -> Result<(Loaded, Vec<Watch>), Diagnostics> {
    let (loaded, warnings) = source.load().await?;
    for warning in warnings.iter() {
        tracing::warn!("{}", crate::diag::render::concise(warning));
    }
    let watches = plan::watches(&loaded)
        .map_err(|fault| Diagnostics::from(Diagnostic::error(fault.code(), fault.to_string())))?;
    Ok((loaded, watches))
}

fn shown(loaded: &Loaded) -> web::Shown {
    let overrides = loaded.jobs.iter().map(|loaded| &loaded.job);
    web::Shown {
        config_yaml: loaded.config_yaml.clone(),
        rules: (*loaded.rules).clone(),
        overrides: overrides.map(|job| (job.name.clone(), job.thresholds.clone())).collect(),
    }
}

/// Listens on every address; the second value is where this machine itself reaches the first.
async fn listen(addresses: &[SocketAddr]) -> anyhow::Result<(Vec<TcpListener>, SocketAddr)> {
    let mut listeners = Vec::new();
    let mut first = None;
    for address in addresses {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        let bound = reachable(listener.local_addr()?);
        tracing::info!(address = %listener.local_addr()?, url = %format!("http://{bound}/"), "listening");
        first.get_or_insert(bound);
        listeners.push(listener);
    }
    let first = first.ok_or_else(|| io::Error::other("no address to listen on"))?;
    Ok((listeners, first))
}

/// An address that can be connected to: "every interface" is none.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            address.set_ip(std::net::Ipv6Addr::LOCALHOST.into());
        }
        _ => {}
    }
    address
}
