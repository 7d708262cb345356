//! Failures of the storage layer, named by what the caller can do about them.

use sea_orm::{DbErr, RuntimeErr};

/// A failure of the storage layer, named by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique key already holds another row. Tell the user; do not retry.
    #[error("a row with the same key already exists")]
    Conflict(#[source] DbErr),
    /// Another writer was there first. Read again and retry.
    #[error("another writer changed the same rows")]
    Outrun,
    /// A stored value no longer parses. Someone has to look at the row.
    #[error("stored value in {table}.{column} is corrupt")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database did not answer, is locked, or its disk is full. Retrying later may succeed.
    #[error("database is unavailable")]
    Unavailable(#[source] DbErr),
    /// The database was written by a newer version of the program.
    #[error("database has schema {found}, and this program knows up to {known}")]
    TooNew {
        /// The version that was found.
        found: i32,
        /// The newest that this program knows.
        known: i32,
    },
    /// Everything else is a bug of ours.
    #[error("database query failed")]
    Query(#[source] DbErr),
}

impl StoreError {
    /// Whether retrying later may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Outrun)
    }

    /// A failure to connect: never a bug of a query.
    pub(crate) fn opening(error: DbErr) -> Self {
        Self::Unavailable(error)
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match kind_of(&error) {
            Kind::Conflict => Self::Conflict(error),
            Kind::Outrun => Self::Outrun,
            Kind::Unavailable => Self::Unavailable(error),
            Kind::Other => Self::Query(error),
        }
    }
}

enum Kind {
    Conflict,
    Outrun,
    Unavailable,
    Other,
}

fn kind_of(error: &DbErr) -> Kind {
    let inner = match error {
        DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner) => inner,
        DbErr::ConnectionAcquire(_) => return Kind::Unavailable,
        _ => return Kind::Other,
    };
    let RuntimeErr::SqlxError(inner) = inner else { return Kind::Other };
    let sea_orm::sqlx::Error::Database(database) = inner.as_ref() else {
        return match inner.as_ref() {
            sea_orm::sqlx::Error::Io(_)
            | sea_orm::sqlx::Error::PoolTimedOut
            | sea_orm::sqlx::Error::PoolClosed
            | sea_orm::sqlx::Error::WorkerCrashed
            | sea_orm::sqlx::Error::Tls(_)
            | sea_orm::sqlx::Error::Protocol(_) => Kind::Unavailable,
            _ => Kind::Other,
        };
    };
    if database.is_unique_violation() {
        return Kind::Conflict;
    }
    let code = database.code().unwrap_or_default();
    // PostgreSQL: five characters. SQLite: an extended result code, whose low byte is the primary one.
    if code.len() == 5 && code.parse::<i32>().is_err()
        || database.try_downcast_ref::<sea_orm::sqlx::postgres::PgDatabaseError>().is_some()
    {
        return match code.as_ref() {
            "40001" | "40P01" => Kind::Outrun,
            // A lock that somebody else held for too long.
            "55P03" => Kind::Unavailable,
            c if c.starts_with("08") || c.starts_with("53") || c.starts_with("57P") || c.starts_with("58") => {
                Kind::Unavailable
            }
            _ => Kind::Other,
        };
    }
    match code.parse::<i32>().map(|c| c & 0xff) {
        // BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL.
        Ok(5 | 6 | 7 | 8 | 10 | 13 | 14 | 15) => Kind::Unavailable,
        _ => Kind::Other,
    }
}
