//! For tests: a PostgreSQL schema of their own, so that they share a server and nothing else; faults put into a
//! database; and a lock that keeps everybody else from writing.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::StoreError;
use crate::blob::unpack;

/// Makes a schema on a server, and gives the address by which [`Store::open`](crate::Store::open) stays inside of it.
///
/// # Errors
///
/// A [`StoreError`] when the server does not answer or has the schema already.
pub async fn create_schema(url: &str, name: &str) -> Result<String, StoreError> {
    run(url, &format!("CREATE SCHEMA \"{}\"", name.replace('"', ""))).await?;
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}options[search_path]={name}"))
}

/// Removes a schema with everything in it.
///
/// # Errors
///
/// A [`StoreError`] when the server does not answer.
pub async fn drop_schema(url: &str, name: &str) -> Result<(), StoreError> {
    run(url, &format!("DROP SCHEMA IF EXISTS \"{}\" CASCADE", name.replace('"', ""))).await
}

/// Runs statements on a database behind the program's back.
///
/// # Errors
///
/// A [`StoreError`] when the database does not answer or refuses them.
pub async fn run(url: &str, text: &str) -> Result<(), StoreError> {
    let connection = Database::connect(url).await.map_err(StoreError::opening)?;
    connection.execute_unprepared(text).await?;
    connection.close().await.map_err(StoreError::from)
}

/// A lock on the database, held by somebody else than the program, as a backup or a person at a prompt holds one.
#[derive(Debug)]
pub struct HeldLock {
    connection: DatabaseConnection,
}

impl HeldLock {
    /// Takes it: on SQLite the one lock of those who write, on PostgreSQL the inbox, for readers too.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer, or somebody else holds it.
    pub async fn take(url: &str) -> Result<Self, StoreError> {
        let mut options = ConnectOptions::new(url.to_owned());
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await.map_err(StoreError::opening)?;
        let text = if url.starts_with("sqlite:") { "BEGIN EXCLUSIVE" } else { "BEGIN; LOCK TABLE inbox" };
        connection.execute_unprepared(text).await?;
        Ok(Self { connection })
    }

    /// Lets it go.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn release(self) -> Result<(), StoreError> {
        self.connection.execute_unprepared("ROLLBACK").await?;
        self.connection.close().await.map_err(StoreError::from)
    }
}

/// Every text and every blob that is stored, decompressed, each with its table and column: to look for what should not be.
///
/// # Errors
///
/// A [`StoreError`] when the database does not answer.
pub async fn everything_stored(url: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let connection = Database::connect(url).await.map_err(StoreError::opening)?;
    let backend = connection.get_database_backend();
    let tables = match backend {
        DbBackend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        _ => "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
    };
    let mut found = Vec::new();
    let all = |text: &str| connection.query_all_raw(Statement::from_string(backend, text.to_owned()));
    for table in all(tables).await? {
        let table: String = table.try_get_by_index(0)?;
        for row in all(&format!("SELECT * FROM \"{table}\"")).await? {
            for column in row.column_names() {
                let place = format!("{table}.{column}");
                if let Ok(Some(text)) = row.try_get::<Option<String>>("", &column) {
                    found.push((place, text.into_bytes()));
                } else if let Ok(Some(bytes)) = row.try_get::<Option<Vec<u8>>>("", &column) {
                    found.push((place, unpack(&bytes).unwrap_or(bytes)));
                }
            }
        }
    }
    connection.close().await?;
    Ok(found)
}
