//! Opening: a database that is whole is read, one that is not is set aside, and where there is none
//! an empty one is made.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OpenFlags;
use rusqlite::Row as SqlRow;
use rusqlite::config::DbConfig;
use rusqlite::types::Type;

use crate::memory::CacheKey;
use crate::memory::JOURNAL_RESTORED_MAX;
use crate::memory::Saved;
use crate::memory::SavedCache;
use crate::target_id::TargetId;
use crate::units::Timestamp;

use super::Directory;
use super::Notice;
use super::OpenError;
use super::Opened;
use super::Row;
use super::Store;
use super::ring;
use super::ring::Unrolled;
use super::schema;
use super::schema::MIGRATIONS;

/// How long a write waits for someone else, such as a person with a shell on the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// One page of a new database. A state of a few KiB wastes half of a smaller one, and a step of one
/// cache writes four or five pages, whatever their size.
pub(super) const PAGE_BYTES: u32 = 8 << 10;

/// Memory for pages of the database; KiB.
const PAGE_CACHE_KIB: i64 = 16 << 10;

/// What the log is cut to once its content has moved to the database; bytes.
const LOG_BYTES_KEPT: i64 = 64 << 20;

/// Why a database is not used.
enum Fault {
    /// It is not what was written.
    Damaged(String),
    /// Anything else.
    Other(OpenError),
}

/// Who may read the database while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// This program alone. What is stored can then be read even on a disk that is full.
    Exclusive,
    /// Everyone.
    Shared,
}

// === impl Store ===

impl Store {
    /// Opens the store in `directory`, which is made where there is none. What is damaged is set
    /// aside under a name with `now` in it, and told in a notice.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Opened, OpenError> {
        Self::open_with(directory, now, MIGRATIONS)
    }

    pub(super) fn open_with(
        directory: &Path,
        now: Timestamp,
        migrations: &[&str],
    ) -> Result<Opened, OpenError> {
        let directory = Directory::take(directory)?;
        let path = directory.database();
        let (opened, notices) = match existing(&directory, migrations) {
            Ok(Some(opened)) => (opened, Vec::new()),
            Ok(None) => (made(&directory, migrations)?, Vec::new()),
            Err(Fault::Other(error)) => return Err(error),
            Err(Fault::Damaged(fault)) => {
                let aside = match directory.set_aside(now) {
                    Ok(aside) => aside,
                    Err(source) => return Err(OpenError::SetAside { path, fault, source }),
                };
                let notice = Notice::SetAside { database: path, aside, fault };
                (made(&directory, migrations)?, vec![notice])
            }
        };
        let (connection, saved, caches) = opened;
        Ok(Opened { store: Self { connection, caches, _directory: directory }, saved, notices })
    }
}

type Content = (Connection, Saved, BTreeMap<CacheKey, Row>);

/// The database that is there, read; `None` where there is none.
fn existing(directory: &Directory, migrations: &[&str]) -> Result<Option<Content>, Fault> {
    let path = directory.database();
    match fs::metadata(&path) {
        Err(_) if !path.exists() => {
            // A log without its database would be taken for the log of the next one.
            return match directory.side_files().first() {
                Some(file) => {
                    Err(Fault::Damaged(format!("`{}` lies there without it", file.display())))
                }
                None => Ok(None),
            };
        }
        Ok(data) if data.len() == 0 => return Err(Fault::Damaged("it is empty".to_owned())),
        _ => {}
    }
    // The index of the log is a file that others may read too; it can be done without.
    let content = match read_whole(&path, migrations, Sharing::Shared) {
        Err(Fault::Other(OpenError::Sqlite { source, .. })) if lacks_room(&source) => {
            read_whole(&path, migrations, Sharing::Exclusive)?
        }
        content => content?,
    };
    Ok(Some(content))
}

/// Opens and reads a database that is there.
fn read_whole(path: &Path, migrations: &[&str], sharing: Sharing) -> Result<Content, Fault> {
    let failed = |source| sort(path, source);
    let mut connection = connect(path, sharing).map_err(failed)?;
    let known = schema::newest(migrations);
    let found = schema::version(&connection).map_err(failed)?;
    if found > known {
        return Err(Fault::Other(OpenError::Newer { path: path.to_owned(), found, known }));
    }
    if found == 0 {
        // Ours get their tables before their name.
        return Err(Fault::Damaged("it has no schema of this program".to_owned()));
    }
    if found < known || sharing == Sharing::Exclusive {
        check(&connection).map_err(failed)?.map_err(Fault::Damaged)?;
        schema::migrate(&mut connection, found, migrations).map_err(failed)?;
        let (saved, caches) = read(&connection).map_err(failed)?;
        return Ok((connection, saved, caches));
    }
    // Each takes as long as the other, and a start waits for both.
    let (checked, content) = thread::scope(|scope| {
        let checking = scope.spawn(|| check(&connect(path, sharing)?));
        let content = read(&connection);
        (checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), content)
    });
    // What is read of a damaged database means nothing.
    checked.map_err(failed)?.map_err(Fault::Damaged)?;
    let (saved, caches) = content.map_err(failed)?;
    Ok((connection, saved, caches))
}

/// An empty database. It gets its name when it is whole, so that a crash leaves no half of one.
fn made(directory: &Directory, migrations: &[&str]) -> Result<Content, OpenError> {
    let path = directory.database();
    let unusable = |source| OpenError::Directory { path: path.clone(), source };
    let failed = |source| OpenError::Sqlite { path: path.clone(), source };
    directory.remove_unfinished().map_err(unusable)?;
    let unfinished = directory.unfinished();
    let mut connection = Connection::open(&unfinished).map_err(failed)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES).map_err(failed)?;
    schema::migrate(&mut connection, 0, migrations).map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))?;
    fs::rename(&unfinished, &path).map_err(unusable)?;
    let connection = connect(&path, Sharing::Shared).map_err(failed)?;
    Ok((connection, Saved::default(), BTreeMap::new()))
}

fn connect(path: &Path, sharing: Sharing) -> rusqlite::Result<Connection> {
    // Without a mutex: the connection is only ever in one thread at a time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // What is damaged must stay as it is when the connection is closed.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if sharing == Sharing::Exclusive {
        connection.pragma_update(None, "locking_mode", "exclusive")?;
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    // The writer moves the log into the database when nobody waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
    Ok(connection)
}

/// Looks through all pages; the inner error is the first fault in words.
fn check(connection: &Connection) -> rusqlite::Result<Result<(), String>> {
    let first: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(if first == "ok" { Ok(()) } else { Err(first.replace('\n', " ")) })
}

/// Reads everything, and where it lies.
fn read(connection: &Connection) -> rusqlite::Result<(Saved, BTreeMap<CacheKey, Row>)> {
    let mut unrolled = read_samples(connection)?;
    let mut saved = Saved::default();
    let mut caches = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT id, scrape_job, target, cache, document FROM cache
         ORDER BY scrape_job, target, cache",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let id_of_target = TargetId { scrape_job: text(row, 1)?, target: text(row, 2)? };
        let key = CacheKey { id: id_of_target, cache: text(row, 3)? };
        let (samples, tail) = unrolled.remove(&id).unwrap_or_default().finish();
        caches.insert(key.clone(), Row { id, tail });
        saved.caches.push(SavedCache { key, document: row.get(4)?, samples });
    }
    let mut statement =
        connection.prepare("SELECT number, document FROM journal ORDER BY number DESC LIMIT ?1")?;
    let journal = statement.query_map([JOURNAL_RESTORED_MAX], |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?))
    })?;
    saved.journal = journal.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare("SELECT name, document FROM shared")?;
    let shared = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    saved.shared = shared.collect::<Result<_, _>>()?;
    Ok((saved, caches))
}

fn read_samples(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, Unrolled>> {
    let mut caches: BTreeMap<i64, Unrolled> = BTreeMap::new();
    let mut statement =
        connection.prepare("SELECT place, number, samples FROM sample ORDER BY place")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let samples = row.get_ref(2)?.as_blob()?;
        let cache = caches.entry(ring::id(row.get(0)?)).or_default();
        cache.push(row.get(1)?, samples).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(2, Type::Blob, "no samples".into())
        })?;
    }
    Ok(caches)
}

fn text(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Arc<str>> {
    row.get(column)
}

/// Whether a file could not be made or grow.
fn lacks_room(fault: &rusqlite::Error) -> bool {
    let code = fault.sqlite_error_code();
    matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::DiskFull | ErrorCode::SystemIoFailure))
}

/// Tells damage from other failures.
fn sort(path: &Path, source: rusqlite::Error) -> Fault {
    let is_damage = source.sqlite_error_code().is_none_or(|code| {
        // `Unknown` is what SQLite says of a table that is not there. Without any code, it is a
        // value that is not what was written.
        matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
    });
    if is_damage {
        Fault::Damaged(source.to_string())
    } else {
        Fault::Other(OpenError::Sqlite { path: path.to_owned(), source })
    }
}
