//! For tests: a PostgreSQL schema of their own, so that they share a server and nothing else, and faults put into a database.

use sea_orm::{ConnectionTrait, Database};

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
