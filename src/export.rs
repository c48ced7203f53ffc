//! The metrics page: what the [`Board`] shows, as Prometheus text.
//!
//! Families are built from the board when somebody asks, and from nothing else. There is no
//! instrument that outlives what it measured, so a target, cache or rule that is gone leaves no
//! series, and two scrapes at once see whole views. This is the only place that names the
//! `prometheus` crate.

mod collector;
mod labels;
mod metric;
pub mod names;

use std::fmt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;

use prometheus::Registry;
use prometheus::TextEncoder;

use crate::build_info::BuildInfo;
use crate::published::Board;
use crate::units::Timestamp;

use collector::BoardCollector;

/// `Content-Type` of what [`Exporter::render`] gives.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the reloads of the configuration went.
#[derive(Debug, Clone, Copy, Default)]
struct Reloads {
    /// Whether the last one succeeded; `None` before the first.
    successful: Option<bool>,
    /// When the last successful one was.
    success_at: Option<Timestamp>,
}

/// Renders the metrics page.
pub struct Exporter {
    registry: Registry,
    reloads: Arc<RwLock<Reloads>>,
}

impl Exporter {
    /// An exporter of that board, with the metrics of the process beside it. Whoever stores counts
    /// its failures in `store_failures`.
    pub fn new(board: Arc<Board>, build: BuildInfo, store_failures: Arc<AtomicU64>) -> Self {
        let registry = Registry::new();
        let reloads = Arc::new(RwLock::new(Reloads::default()));
        let collector = BoardCollector::new(board, build, Arc::clone(&reloads), store_failures);
        register(&registry, Box::new(collector));
        #[cfg(target_os = "linux")]
        register(&registry, Box::new(prometheus::process_collector::ProcessCollector::for_self()));
        Self { registry, reloads }
    }

    /// Notes how loading the configuration went, the first time included.
    pub fn set_reload(&self, successful: bool, at: Timestamp) {
        let mut reloads = self.reloads.write().unwrap_or_else(PoisonError::into_inner);
        reloads.successful = Some(successful);
        if successful {
            reloads.success_at = Some(at);
        }
    }

    /// The whole page, in text format 0.0.4; families by name.
    pub fn render(&self) -> String {
        let mut page = String::new();
        if let Err(fault) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut page) {
            // Only a family without name or series is refused, and the registry drops those.
            tracing::error!(error = %fault, "metrics page cut short");
        }
        page
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("reloads", &self.reloads).finish_non_exhaustive()
    }
}

/// Two collectors clash only if they share a name, which the tests of the table of names rule out.
fn register(registry: &Registry, collector: Box<dyn prometheus::core::Collector>) {
    if let Err(fault) = registry.register(collector) {
        tracing::error!(error = %fault, "metrics left out");
    }
}
