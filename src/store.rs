//! The store: what has to survive the process, in an embedded SQLite database.
//!
//! Everything that changes together is written in one transaction, so that a crash leaves a step
//! whole or absent. The write-ahead log keeps what was committed through the end of the process in
//! whatever way; it is not forced to the disk at each step, so that a power cut may lose the last
//! seconds, never the consistency of the rest. A file that is damaged is set aside under another
//! name, never deleted and never silently replaced.
//!
//! A [`Store`] is opened once, gives back what it kept, and then belongs to a [`Writer`], which
//! writes in a thread of its own and reports each step only when it is stored.

mod batch;
mod directory;
mod open;
mod ring;
mod schema;
#[cfg(test)]
mod tests;
mod write;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::memory::CacheKey;
use crate::memory::Saved;

pub use batch::Batch;
pub use batch::SAMPLES_WAITING_MAX;
pub use write::WriteError;
pub use writer::Completion;
pub use writer::Ended;
pub use writer::REPORT_DELAY_MAX;
pub use writer::RETRY_DELAY;
pub use writer::Writer;

use directory::Directory;
use ring::Tail;

/// A database that is open, and what of it has to be known to write.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    caches: BTreeMap<CacheKey, Row>,
    // The last field: dropped, and so unlocked, after the connection is closed.
    _directory: Directory,
}

/// Where a cache lies in the database.
#[derive(Debug, Clone)]
struct Row {
    id: i64,
    tail: Tail,
}

/// A store that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What it kept.
    pub saved: Saved,
    /// What people should know of the opening.
    pub notices: Vec<Notice>,
}

/// What people should know of an opening that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A database could not be used; it was renamed, and an empty one took its place.
    SetAside {
        /// Where the database was.
        database: PathBuf,
        /// Where it lies now; the files beside it are named after it.
        aside: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::SetAside { database, aside, fault } = self;
        write!(
            f,
            "`{}` is damaged ({fault}): it was renamed to `{}`, and what it kept is not used. \
             `sqlite3 {} .recover` shows what can be read of it",
            database.display(),
            aside.display(),
            aside.display()
        )
    }
}

/// Why a store cannot be opened. What it keeps is untouched.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or used.
    #[error("the storage directory `{}` cannot be used", path.display())]
    Directory {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another program uses the directory.
    #[error(
        "the storage directory `{}` is in use by another process: stop that one, or choose another \
         directory with `--storage.path`",
        path.display()
    )]
    InUse {
        /// Which directory.
        path: PathBuf,
    },
    /// A newer version of this program wrote the database.
    #[error(
        "`{}` has schema {found} and this version knows up to {known}: run the version that wrote \
         it, or choose another directory with `--storage.path`",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that is known.
        known: u32,
    },
    /// A damaged database cannot be renamed.
    #[error("`{}` is damaged ({fault}) and cannot be renamed", path.display())]
    SetAside {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
        /// Why it keeps its name.
        source: io::Error,
    },
    /// The database cannot be read or made, and not because it is damaged: no permission, no room,
    /// a disk that fails.
    #[error("`{}` cannot be opened", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}
