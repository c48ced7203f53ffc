//! The way from a step to what is shown, by way of the store: nothing is shown before it is stored,
//! so that the end of the process takes nothing back that was reported.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context as _;

use crate::engine;
use crate::engine::Engine;
use crate::engine::Restored;
use crate::memory::Change;
use crate::published::Board;
use crate::store::Completion;
use crate::store::Ended;
use crate::store::Opened;
use crate::store::Store;
use crate::store::Writer;

use super::clock;

/// Where steps go before they are shown.
#[derive(Debug)]
pub(super) struct Keeper {
    /// `None` where nothing is kept.
    writer: Option<Writer>,
    failures: Arc<AtomicU64>,
}

/// What a start begins with.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) keeper: Keeper,
    /// Knows what was kept.
    pub(super) engine: Engine,
    /// The end of the thread that writes; `None` where nothing is kept.
    pub(super) ended: Option<Ended>,
}

impl Kept {
    /// Opens the store in `directory` and puts its journal up on `board`; without a directory
    /// nothing is kept.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub(super) async fn open(directory: Option<PathBuf>, board: &Board) -> anyhow::Result<Self> {
        let Some(directory) = directory else {
            let keeper = Keeper { writer: None, failures: Arc::default() };
            return Ok(Self { keeper, engine: Engine::new(), ended: None });
        };
        let opening = tokio::task::spawn_blocking(move || open(&directory));
        let (store, mut restored) = opening.await.context("the store was not opened")??;
        let engine = Engine::restored(&mut restored);
        board.record(restored.journal);
        let (writer, ended) = Writer::start(store).context("the store's thread")?;
        writer.submit(restored.changes, Box::new(|| {}));
        let keeper = Keeper { failures: writer.failures(), writer: Some(writer) };
        Ok(Self { keeper, engine, ended: Some(ended) })
    }
}

/// Opens the store and reads what it kept.
fn open(directory: &Path) -> anyhow::Result<(Store, Restored)> {
    let now = clock::now();
    let Opened { store, saved, notices } = Store::open(directory, now)?;
    for notice in notices {
        tracing::error!("{notice}");
    }
    let (caches, tunings) = (saved.caches.len(), saved.journal.len());
    tracing::info!(directory = %directory.display(), caches, tunings, "storage opened");
    let restored = engine::restore(saved, now);
    for fault in &restored.faults {
        tracing::error!("{fault}");
    }
    Ok((store, restored))
}

impl Keeper {
    /// Has `changes` stored, and then runs `show`; steps are shown in order.
    pub(super) fn put_up(&self, changes: Vec<Change>, show: Completion) {
        match &self.writer {
            Some(writer) => writer.submit(changes, show),
            None => show(),
        }
    }

    /// Attempts to store that failed so far.
    pub(super) fn failures(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.failures)
    }

    /// Writes what waits, shows it, and closes the store. Blocks.
    pub(super) fn close(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.stop();
        }
    }
}
