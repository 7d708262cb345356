//! Making and dropping whole PostgreSQL databases: each test has one of its own.

use crate::{Store, StoreError};

/// The same PostgreSQL server, another database: the address with its path replaced.
#[must_use]
pub fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(a, q)| (a, Some(q)));
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let server = address[host_at..].find('/').map_or(address, |at| &address[..host_at + at]);
    match query {
        Some(query) => format!("{server}/{name}?{query}"),
        None => format!("{server}/{name}"),
    }
}

impl Store {
    /// Opens a PostgreSQL server without touching any schema: only for making and dropping databases.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot be reached.
    pub async fn open_admin(url: &str) -> Result<Self, StoreError> {
        Self::open_postgres(url).await
    }

    /// Creates an empty database. The name must be lower-case letters, digits and underscores.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the server refuses.
    pub async fn create_database(&self, name: &str) -> Result<(), StoreError> {
        self.run_on_server(&format!("CREATE DATABASE {}", identifier(name))).await
    }

    /// Drops a database, and throws out whoever still uses it.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the server refuses.
    pub async fn drop_database(&self, name: &str) -> Result<(), StoreError> {
        self.run_on_server(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(name))).await
    }

    async fn run_on_server(&self, text: &str) -> Result<(), StoreError> {
        use sea_orm::ConnectionTrait as _;
        self.writer.execute_unprepared(text).await.map(|_| ()).map_err(StoreError::from)
    }
}

/// A name that needs no quoting: what is not a lower-case letter, digit or underscore becomes an underscore.
fn identifier(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:5/a", "b"), "postgres://u:p@h:5/b");
        assert_eq!(with_database("postgres://u:p@h:5", "b"), "postgres://u:p@h:5/b");
        assert_eq!(with_database("postgres://u@h/a?host=/tmp/x", "b"), "postgres://u@h/b?host=/tmp/x");
    }
}
