//! The only crate that knows SQL: one set of queries and of migrations for SQLite and PostgreSQL.
//!
//! Rows of an agency are reached through [`AgencyStore`] only, which puts the agency into every query; what
//! belongs to no agency, or to all (the inbox's queue, sign-in, jobs), stands in [`Store`] itself.
//! Nothing outside sees an SQL type: domain types go in and come out, and errors are [`StoreError`].

mod blob;
mod databases;
mod error;
mod schema;
mod sql;
pub mod system;
pub mod tenant;
pub mod testing;

use std::time::Duration;

use sea_orm::sqlx::{self, Connection as _, Executor as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use steward_core::ids::AgencyId;

pub use blob::pack;
pub use databases::with_database;
pub use error::StoreError;
use sql::Sql;
pub use tenant::AgencyStore;

/// Connections for reading on SQLite. Reads of a page are few and short.
const SQLITE_READERS: u32 = 4;
/// Connections on PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a statement waits for a lock that somebody else holds.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    reader: DatabaseConnection,
    /// On SQLite one connection of its own, so that writers queue here and not in the database; else the same pool.
    writer: DatabaseConnection,
    backend: DbBackend,
}

impl Store {
    /// Opens a database by its address, `sqlite:PATH` or `postgres://…`, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot be reached or is of a newer version of the program.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let store =
            if url.starts_with("sqlite:") { Self::open_sqlite(url).await? } else { Self::open_postgres(url).await? };
        schema::migrate(&store).await?;
        Ok(store)
    }

    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let connect = |readers: u32, read_only: bool| {
            let mut options = ConnectOptions::new(url.to_owned());
            options
                .max_connections(readers)
                .min_connections(1)
                .sqlx_logging(false)
                .acquire_timeout(Duration::from_secs(10));
            options.map_sqlx_sqlite_before_acquire(|connection, _| {
                // On a full disk SQLite undoes a transaction by itself, and the rollback that follows fails: the
                // connection then takes itself to be inside of it, and would commit nothing of what comes next.
                Box::pin(std::future::ready(Ok(!connection.is_in_transaction())))
            });
            // Per connection on SQLite, so set here and not with one PRAGMA.
            options.map_sqlx_sqlite_opts(move |options| {
                options
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(LOCK_PATIENCE)
                    .statement_cache_capacity(256)
                    .pragma("cache_size", if read_only { "-16000" } else { "-48000" })
                    .pragma("wal_autocheckpoint", "4000")
                    .pragma("journal_size_limit", "67108864")
                    .pragma("temp_store", "memory")
                    .pragma("mmap_size", "268435456")
                    .pragma("query_only", if read_only { "1" } else { "0" })
            });
            options
        };
        let writer = Database::connect(connect(1, false)).await.map_err(StoreError::opening)?;
        let reader = Database::connect(connect(SQLITE_READERS, true)).await.map_err(StoreError::opening)?;
        Ok(Self { reader, writer, backend: DbBackend::Sqlite })
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(POSTGRES_CONNECTIONS).sqlx_logging(false).acquire_timeout(Duration::from_secs(10));
        options.map_sqlx_postgres_pool_opts(|options| {
            // A statement and no startup parameter, which poolers between us and the server refuse. The server's own
            // price of a random page is that of a turning disk: with it, whole tables are read where an index would do.
            options.after_connect(|connection, _| {
                let text = format!("SET lock_timeout = {}; SET random_page_cost = 1.1", LOCK_PATIENCE.as_millis());
                Box::pin(async move { connection.execute(sqlx::AssertSqlSafe(text)).await.map(|_| ()) })
            })
        });
        let pool = Database::connect(options).await.map_err(StoreError::opening)?;
        Ok(Self { reader: pool.clone(), writer: pool, backend: DbBackend::Postgres })
    }

    /// The rows of one agency.
    #[must_use]
    pub fn agency(&self, agency_id: AgencyId) -> AgencyStore {
        AgencyStore::new(self.clone(), agency_id)
    }

    /// Whether the database is SQLite, which one machine owns.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        self.backend == DbBackend::Sqlite
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read("SELECT 1").all().await.map(|_| ())
    }

    /// Begins a transaction that writes. On SQLite it takes the write lock at once: one that reads first and
    /// takes it later fails when another has written in between.
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            isolation_level: None,
            access_mode: None,
            sqlite_transaction_mode: self.is_sqlite().then_some(SqliteTransactionMode::Immediate),
        };
        self.writer.begin_with_options(options).await.map_err(StoreError::from)
    }

    /// A statement that reads.
    pub(crate) fn read<'a>(&'a self, text: impl Into<String>) -> Sql<'a, DatabaseConnection> {
        Sql::new(&self.reader, self.backend, text.into())
    }

    /// A statement that writes by itself.
    pub(crate) fn write<'a>(&'a self, text: impl Into<String>) -> Sql<'a, DatabaseConnection> {
        Sql::new(&self.writer, self.backend, text.into())
    }

    /// A statement inside a transaction.
    pub(crate) fn within<'a>(
        &self,
        tx: &'a DatabaseTransaction,
        text: impl Into<String>,
    ) -> Sql<'a, DatabaseTransaction> {
        Sql::new(tx, self.backend, text.into())
    }

    /// Runs text that is not prepared: migrations and maintenance.
    pub(crate) async fn run_script(&self, tx: &DatabaseTransaction, text: &str) -> Result<(), StoreError> {
        tx.execute_unprepared(text).await.map(|_| ()).map_err(StoreError::from)
    }

    /// Writes what the write-ahead log holds into the database file and keeps the planner's statistics fresh.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let text = if self.is_sqlite() { "PRAGMA optimize" } else { "ANALYZE" };
        self.writer.execute_unprepared(text).await.map(|_| ()).map_err(StoreError::from)
    }

    /// Closes all connections.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn close(self) -> Result<(), StoreError> {
        if self.is_sqlite() {
            self.reader.close().await.map_err(StoreError::from)?;
        }
        self.writer.close().await.map_err(StoreError::from)
    }
}

impl Store {
    /// Copies a SQLite database to a file that does not exist yet, while it is in use.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the file cannot be written, or the database is not SQLite.
    pub async fn copy_to(&self, path: &str) -> Result<(), StoreError> {
        self.write("VACUUM INTO $1").bind(path).run().await.map(|_| ())
    }
}
