//! For tests: a PostgreSQL schema of their own, so that they share a server and nothing else; faults put into a
//! database; and a lock that keeps everybody else from writing.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use crate::StoreError;

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
