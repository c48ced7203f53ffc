//! The metrics page: what the [`Board`] shows, as Prometheus text.
//!
//! The page is written from the board when somebody asks, and from nothing else. There is no
//! instrument that outlives what it measured, so a target, cache or rule that is gone leaves no
//! series, and two scrapes at once see whole views. A page is kept until something on it changes,
//! so that several who ask share one, and it is compressed once; only what the process itself uses
//! is asked for each time, and that by the `prometheus` crate, which is named nowhere else. Our own
//! series go without it: its values would be built for each series, sorted, and written once more,
//! at twenty times the cost. A test holds the page to what it would write, byte for byte.

mod buffers;
mod families;
mod gzip;
mod labels;
mod metric;
pub mod names;
mod newest;
mod number;
mod series;
mod words;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use prometheus::Encoder;
use prometheus::Registry;
use prometheus::TextEncoder;

use crate::build_info::BuildInfo;
use crate::published::Board;
use crate::units::Timestamp;

use buffers::Buffers;
use families::Families;
use families::Place;
use gzip::Opened;
use newest::Newest;

/// `Content-Type` of the page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Bytes of plain pages that readers may hold, beyond which no plain page is written: a dozen of
/// the largest fleets. Only clients that stopped reading get there, and they are cut off in time. A
/// compressed page is a thirtieth of a plain one, and shared.
pub const HELD_BYTES_MAX: usize = 512 << 20;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Readers hold [`HELD_BYTES_MAX`].
    #[error("too many pages are being read: slow clients hold all the memory there is for them")]
    Exhausted,
    /// It could not be compressed.
    #[error("cannot compress the page: {0}")]
    Gzip(#[source] io::Error),
}

/// How the reloads of the configuration went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Reloads {
    /// Whether the last one succeeded; `None` before the first.
    successful: Option<bool>,
    /// When the last successful one was.
    success_at: Option<Timestamp>,
}

/// What the page depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Edition {
    board: u64,
    reloads: Reloads,
    store_failures: u64,
}

/// Writes the metrics page.
pub struct Exporter {
    board: Arc<Board>,
    build: BuildInfo,
    store_failures: Arc<AtomicU64>,
    reloads: RwLock<Reloads>,
    process: Registry,
    buffers: Buffers,
    /// Without what the process uses; as is the next.
    plain: Newest<Edition, Vec<Bytes>>,
    gzipped: Newest<Edition, Opened>,
}

impl Exporter {
    /// An exporter of that board, with the metrics of the process beside it. Whoever stores counts
    /// its failures in `store_failures`.
    pub fn new(board: Arc<Board>, build: BuildInfo, store_failures: Arc<AtomicU64>) -> Self {
        let process = Registry::new();
        #[cfg(target_os = "linux")]
        register(&process, Box::new(prometheus::process_collector::ProcessCollector::for_self()));
        Self {
            board,
            build,
            store_failures,
            reloads: RwLock::default(),
            process,
            buffers: Buffers::new(HELD_BYTES_MAX),
            plain: Newest::new(),
            gzipped: Newest::new(),
        }
    }

    /// Notes how loading the configuration went, the first time included.
    pub fn set_reload(&self, successful: bool, at: Timestamp) {
        let mut reloads = self.reloads.write().unwrap_or_else(PoisonError::into_inner);
        reloads.successful = Some(successful);
        if successful {
            reloads.success_at = Some(at);
        }
    }

    /// The whole page in pieces, in text format 0.0.4; families by name.
    ///
    /// # Errors
    /// If readers hold too much already.
    pub fn page(&self) -> Result<Vec<Bytes>, PageError> {
        let body = self.plain.get(
            || self.edition(),
            |edition| {
                if self.buffers.is_exhausted() {
                    return Err(PageError::Exhausted);
                }
                let mut families = Families::new(&self.buffers);
                self.write(*edition, &mut families);
                let texts = families.finish().filter(|(_, text)| !text.is_empty());
                Ok(texts.map(|(place, text)| self.buffers.lend(place, text)).collect())
            },
        )?;
        let mut pieces = Vec::clone(&body);
        pieces.push(self.process_page().into());
        Ok(pieces)
    }

    /// The same, as one gzip member. It is compressed while it is written, so that the plain page
    /// of a large fleet, which nobody asked for, takes no memory.
    ///
    /// # Errors
    /// If it cannot be compressed.
    pub fn page_gzipped(&self) -> Result<Vec<Bytes>, PageError> {
        // Whoever asks meanwhile waits for the one who compresses.
        let opened = self.gzipped.get(
            || self.edition(),
            |edition| {
                let mut families = Families::packing();
                self.write(*edition, &mut families);
                families.finish_packed()
            },
        );
        let opened = opened.map_err(PageError::Gzip)?;
        let end = gzip::close(&opened, &self.process_page()).map_err(PageError::Gzip)?;
        Ok(opened.pieces.iter().cloned().chain([end]).collect())
    }

    /// What the page depends on; taken before the board is looked at, so that it never says more
    /// than is on the page.
    fn edition(&self) -> Edition {
        Edition {
            board: self.board.generation(),
            reloads: *self.reloads.read().unwrap_or_else(PoisonError::into_inner),
            store_failures: self.store_failures.load(Ordering::Relaxed),
        }
    }

    /// Writes everything but what the process uses.
    fn write(&self, edition: Edition, families: &mut Families) {
        let Edition { reloads, store_failures, .. } = edition;
        series::write_targets(&mut self.board.targets(), families);
        series::write_trust(&self.board.trust(), families);
        for (place, value) in [
            (
                const { Place::of(&names::CONFIG_LAST_RELOAD_SUCCESSFUL) },
                series::flag(reloads.successful),
            ),
            (
                const { Place::of(&names::CONFIG_LAST_RELOAD_SUCCESS) },
                reloads.success_at.map(Timestamp::as_unix_seconds),
            ),
            (const { Place::of(&names::STORE_FAILURES) }, Some(store_failures as f64)),
        ] {
            families.add_some(place, b"", value);
        }
        let BuildInfo { version, revision, rust_version } = self.build;
        let mut labels = Vec::new();
        let values = [version, revision, rust_version];
        for (name, value) in names::BUILD_INFO.labels.iter().zip(values) {
            labels.push(if labels.is_empty() { b'{' } else { b',' });
            families::label(&mut labels, name, value);
        }
        families.add_some(const { Place::of(&names::BUILD_INFO) }, &labels, Some(1.0));
    }

    /// What the process uses; the names come after all of ours.
    fn process_page(&self) -> Vec<u8> {
        let mut page = Vec::new();
        if let Err(fault) = TextEncoder::new().encode(&self.process.gather(), &mut page) {
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

/// A lone collector clashes with none.
fn register(registry: &Registry, collector: Box<dyn prometheus::core::Collector>) {
    if let Err(fault) = registry.register(collector) {
        tracing::error!(error = %fault, "metrics left out");
    }
}
