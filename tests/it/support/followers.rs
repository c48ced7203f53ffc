//! The demo's caches outside of the program: they show their metrics over HTTP, and take over what
//! an exporter tells them, as a cache in production does.
//!
//! Their time runs fast and does not depend on the exporter: a tick every [`PACE`], as in the demo.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::sim::demo::DemoFleet;
use cache_tuner_exporter::tuning_parameters::TuningParameters;
use serde_json::Value;

use crate::support::fault;
use crate::support::http;
use crate::support::server::HttpServer;

/// Time between two ticks, and between two scrapes of whoever watches them: a second of their own.
pub(crate) const PACE: Duration = Duration::from_millis(250);

/// Names of the caches.
pub(crate) const CACHES: [&str; 4] = ["catalog", "checkout", "search", "sessions"];

/// Caches that follow an exporter.
pub(crate) struct Followers {
    server: HttpServer,
    world: Arc<World>,
    clock: Option<JoinHandle<()>>,
}

struct World {
    page: Mutex<String>,
    /// Whom they follow; nobody at first.
    exporter: Mutex<Option<SocketAddr>>,
    is_over: Mutex<bool>,
    over: Condvar,
}

// === impl Followers ===

impl Followers {
    /// Starts the caches. The same seed gives the same requests.
    pub(crate) fn start(seed: u64) -> Self {
        let fleet = DemoFleet::new(seed);
        let world = Arc::new(World {
            page: Mutex::new(fleet.page()),
            exporter: Mutex::new(None),
            is_over: Mutex::new(false),
            over: Condvar::new(),
        });
        let shown = Arc::clone(&world);
        let server = HttpServer::start(move |_, stream, _| {
            let page = shown.page.lock().expect("no holder panics").clone();
            fault::write_whole(stream, 200, "text/plain; version=0.0.4", page.as_bytes())
        });
        let clock = thread::spawn({
            let (world, own) = (Arc::clone(&world), server.address());
            move || world.live(fleet, own)
        });
        Self { server, world, clock: Some(clock) }
    }

    /// Where they show their metrics.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// From now on they take over what that exporter tells them; with `None`, nothing.
    pub(crate) fn follow(&self, exporter: Option<SocketAddr>) {
        *self.world.exporter.lock().expect("no holder panics") = exporter;
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        *self.world.is_over.lock().expect("no holder panics") = true;
        self.world.over.notify_all();
        if let Some(clock) = self.clock.take() {
            clock.join().ok();
        }
    }
}

// === impl World ===

impl World {
    fn live(&self, mut fleet: DemoFleet, own: SocketAddr) {
        for tick in 0.. {
            let is_over = self.is_over.lock().expect("no holder panics");
            let waited = self.over.wait_timeout_while(is_over, PACE, |is_over| !*is_over);
            if *waited.expect("no holder panics").0 {
                return;
            }
            fleet.tick(tick);
            *self.page.lock().expect("no holder panics") = fleet.page();
            let exporter = *self.exporter.lock().expect("no holder panics");
            for cache in exporter.iter().flat_map(|_| CACHES) {
                // While the exporter is gone, or has not seen the caches, they stay as they are.
                if let Some(parameters) = exporter.and_then(|it| in_force(it, own, cache)) {
                    assert!(fleet.set_parameters(cache, parameters), "{cache}");
                }
            }
        }
    }
}

/// The parameters that the exporter has in force for a cache.
fn in_force(exporter: SocketAddr, own: SocketAddr, cache: &str) -> Option<TuningParameters> {
    let url = format!("http://{exporter}/api/v1/parameters?target={own}&cache={cache}");
    let answer = http::get(&url).ok().filter(|answer| answer.status == 200)?;
    // A program that is killed may leave half an answer.
    let told: Value = serde_json::from_slice(&answer.body).ok()?;
    let mut parameters = TuningParameters::default();
    for parameter in Parameter::ALL {
        parameters.set(parameter, told["data"][parameter.name()].as_f64()?);
    }
    Some(parameters)
}
