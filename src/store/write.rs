//! Writing a batch: one transaction, and what is known of the database follows only when it is
//! committed.

use rusqlite::CachedStatement;
use rusqlite::Connection;
use rusqlite::MAIN_DB;
use rusqlite::TransactionBehavior;
use rusqlite::config::DbConfig;
use rusqlite::wal::CheckpointMode;

use crate::judge::Sample;
use crate::memory::CacheKey;
use crate::memory::JOURNAL_KEPT;

use super::Batch;
use super::Row;
use super::Store;
use super::batch::CacheChange;
use super::open::PAGE_BYTES;
use super::ring;
use super::ring::SLOTS;
use super::ring::Tail;

/// Pages of the log that are worth moving to the database: 4 MiB.
const LOG_PAGES_MAX: u32 = (4 << 20) / PAGE_BYTES;

/// Why something could not be stored: no room, a disk that fails, someone else who holds the
/// database. Nothing of the batch is stored then.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WriteError(#[from] rusqlite::Error);

// === impl Store ===

impl Store {
    /// Writes all of `batch`, or nothing.
    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut rows = Vec::with_capacity(batch.caches.len());
        {
            let mut statements = Statements::prepare(&transaction)?;
            for (key, change) in &batch.caches {
                rows.push(statements.write_cache(key, change, self.caches.get(key))?);
            }
        }
        write_journal(&transaction, batch)?;
        for (name, document) in &batch.shared {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO shared (name, document) VALUES (?1, ?2)")?
                .execute((name, document))?;
        }
        transaction.commit()?;
        for (key, row) in batch.caches.keys().zip(rows) {
            match row {
                Some(row) => self.caches.insert(key.clone(), row),
                None => self.caches.remove(key),
            };
        }
        Ok(())
    }

    /// Whether something of that cache is stored.
    pub(super) fn knows(&self, key: &CacheKey) -> bool {
        self.caches.contains_key(key)
    }

    /// Moves the log into the database if it is long. It takes as long as the disk needs.
    pub fn tidy(&mut self) -> Result<(), WriteError> {
        // Looks only.
        let (pages, moved) =
            self.connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::NOOP)?;
        if pages - moved >= LOG_PAGES_MAX.cast_signed() {
            self.connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE)?;
        }
        Ok(())
    }

    /// Moves the log into the database, and closes it; one file remains. Without it nothing is
    /// lost: the log is read at the next start.
    pub fn close(self) -> Result<(), WriteError> {
        let Self { connection, caches: _, _directory } = self;
        connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}

fn write_journal(connection: &Connection, batch: &Batch) -> rusqlite::Result<()> {
    if batch.journal.is_empty() {
        return Ok(());
    }
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO journal (number, document) VALUES (?1, ?2)")?;
    for (number, document) in &batch.journal {
        insert.execute((number.cast_signed(), document))?;
    }
    connection
        .prepare_cached(
            "DELETE FROM journal WHERE number <= (SELECT max(number) FROM journal) - ?1",
        )?
        .execute([JOURNAL_KEPT.cast_signed()])?;
    Ok(())
}

/// The statements that are run for each cache.
struct Statements<'a> {
    delete: CachedStatement<'a>,
    delete_samples: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    insert_samples: CachedStatement<'a>,
    update: CachedStatement<'a>,
    connection: &'a Connection,
}

// === impl Statements ===

impl<'a> Statements<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        let prepare = |sql| connection.prepare_cached(sql);
        Ok(Self {
            delete: prepare("DELETE FROM cache WHERE id = ?1")?,
            delete_samples: prepare("DELETE FROM sample WHERE place = ?1")?,
            insert: prepare(
                "INSERT INTO cache (scrape_job, target, cache, document) VALUES (?1, ?2, ?3, ?4)",
            )?,
            insert_samples: prepare(
                "INSERT OR REPLACE INTO sample (place, number, samples) VALUES (?1, ?2, ?3)",
            )?,
            update: prepare("UPDATE cache SET document = ?2 WHERE id = ?1")?,
            connection,
        })
    }

    /// Writes what changed of a cache that lies at `row`; returns where it lies now.
    fn write_cache(
        &mut self,
        key: &CacheKey,
        change: &CacheChange,
        row: Option<&Row>,
    ) -> rusqlite::Result<Option<Row>> {
        let mut row = row.cloned();
        if let Some(stored) = row.take_if(|_| change.forget) {
            self.delete.execute([stored.id])?;
            for slot in 0..i64::from(SLOTS) {
                self.delete_samples.execute([ring::place(slot, stored.id)])?;
            }
        }
        if change.document.is_none() && change.samples.is_empty() {
            return Ok(row);
        }
        let mut row = match row {
            Some(row) => {
                if let Some(document) = &change.document {
                    self.update.execute((row.id, document))?;
                }
                row
            }
            None => Row { id: self.insert_cache(key, change)?, tail: Tail::default() },
        };
        self.write_samples(&mut row, &change.samples)?;
        Ok(Some(row))
    }

    fn insert_cache(&mut self, key: &CacheKey, change: &CacheChange) -> rusqlite::Result<i64> {
        let CacheKey { id, cache } = key;
        self.insert.execute((&id.scrape_job, &id.target, cache, &change.document))?;
        Ok(self.connection.last_insert_rowid())
    }

    fn write_samples(&mut self, row: &mut Row, samples: &[Sample]) -> rusqlite::Result<()> {
        if samples.is_empty() {
            return Ok(());
        }
        for sample in samples {
            if row.tail.is_full() {
                self.write_tail(row)?;
                row.tail.advance();
            }
            row.tail.push(sample);
        }
        self.write_tail(row)
    }

    fn write_tail(&mut self, row: &Row) -> rusqlite::Result<()> {
        let Row { id, tail } = row;
        self.insert_samples.execute((tail.place(*id), tail.number, &tail.bytes))?;
        Ok(())
    }
}
