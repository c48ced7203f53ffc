//! The directory of the store: which files it has, who may use it, and where what is damaged goes.

use std::ffi::OsString;
use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::units::Timestamp;

use super::OpenError;

/// The database. SQLite keeps further files beside it, named after it.
pub(super) const DATABASE: &str = "cache-tuner.db";

/// Locked while a program uses the directory. A file of its own, so that others may read the
/// database meanwhile.
const LOCK: &str = "cache-tuner.lock";

/// What SQLite appends for the files beside the database: the log, its index, the rollback journal.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A directory that this program alone uses, until this is dropped or the process ends in whatever
/// way.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

// === impl Directory ===

impl Directory {
    /// Makes the directory where there is none, and takes it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        // SQLite would take a path that begins with `file:` for a URI.
        let path = path.canonicalize().map_err(unusable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(OpenError::Directory { path, source }),
        }
    }

    /// Where the database lies, or will.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where a new database is made; it gets its name when it is whole.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.path.join(format!("{DATABASE}.new"))
    }

    /// Removes what an attempt to make a database left, which nothing was ever stored in.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        for file in with_side_files(&self.unfinished()) {
            match fs::remove_file(file) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
                _ => {}
            }
        }
        Ok(())
    }

    /// Files of SQLite's beside the database, of those that exist and hold something.
    pub(super) fn side_files(&self) -> Vec<PathBuf> {
        let holds_something = |file: &PathBuf| fs::metadata(file).is_ok_and(|data| data.len() > 0);
        with_side_files(&self.database()).skip(1).filter(holds_something).collect()
    }

    /// Renames the database and what lies beside it, so that SQLite's tools still take them for one
    /// database. Returns its new name.
    pub(super) fn set_aside(&self, now: Timestamp) -> io::Result<PathBuf> {
        let mut aside = self.path.join(format!("{DATABASE}.damaged-{}", now.as_millis()));
        for again in 1.. {
            if !with_side_files(&aside).any(|file| file.exists()) {
                break;
            }
            aside = self.path.join(format!("{DATABASE}.damaged-{}-{again}", now.as_millis()));
        }
        for (from, to) in with_side_files(&self.database()).zip(with_side_files(&aside)) {
            match fs::rename(from, to) {
                Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
                _ => {}
            }
        }
        Ok(aside)
    }
}

/// A database's file, and those that SQLite may keep beside it.
fn with_side_files(database: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once("").chain(SIDE_FILES).map(move |suffix| {
        let mut name = OsString::from(database);
        name.push(suffix);
        PathBuf::from(name)
    })
}
