//! The tables, and how those of older versions become today's.
//!
//! Migrations are only ever added: each version that was released lies on somebody's disk. A
//! migration and its number are one transaction, so that a crash leaves the old version or the new.

use rusqlite::Connection;
use rusqlite::TransactionBehavior;

/// From version i to version i + 1, at place i.
pub(super) const MIGRATIONS: &[&str] = &[
    // `sample.place` is made by `ring::place`, and says what a row holds; it is one number, since
    // then a row is found by it without an index beside the table.
    "CREATE TABLE cache (
         id INTEGER PRIMARY KEY,
         scrape_job TEXT NOT NULL,
         target TEXT NOT NULL,
         cache TEXT NOT NULL,
         document TEXT,
         UNIQUE (scrape_job, target, cache)
     ) STRICT;
     CREATE TABLE sample (
         place INTEGER PRIMARY KEY,
         number INTEGER NOT NULL,
         samples BLOB NOT NULL
     ) STRICT;
     CREATE TABLE journal (number INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT;
     CREATE TABLE shared (name TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;",
];

/// The version of a database; 0 for one without tables.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The version that those migrations lead to.
pub(super) fn newest(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

/// Brings a database from `version` to the newest, step by step.
pub(super) fn migrate(
    connection: &mut Connection,
    version: u32,
    migrations: &[&str],
) -> rusqlite::Result<()> {
    for (number, migration) in (1..).zip(migrations).skip_while(|(number, _)| *number <= version) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(migration)?;
        step.pragma_update(None, "user_version", number)?;
        step.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &[&str] = &["CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1), (2);"];
    const NEW: &[&str] = &[
        OLD[0],
        "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x * 10;",
        "CREATE TABLE b AS SELECT sum(y) AS total FROM a;",
    ];
    const FAULTY: &[&str] = &[OLD[0], "INSERT INTO a VALUES (3); INSERT INTO nowhere VALUES (1);"];

    fn old() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, 0, OLD).unwrap();
        connection
    }

    fn number(connection: &Connection, query: &str) -> i64 {
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_old_version_is_brought_up_step_by_step() {
        let mut connection = old();
        assert_eq!(version(&connection).unwrap(), 1);
        migrate(&mut connection, 1, NEW).unwrap();
        assert_eq!(version(&connection).unwrap(), 3);
        assert_eq!(number(&connection, "SELECT total FROM b"), 30);
        migrate(&mut connection, 3, NEW).unwrap();
        assert_eq!(number(&connection, "SELECT count(*) FROM a"), 2);
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let mut connection = old();
        assert!(migrate(&mut connection, 1, FAULTY).is_err());
        assert_eq!(version(&connection).unwrap(), 1);
        assert_eq!(number(&connection, "SELECT count(*) FROM a"), 2);
    }
}
