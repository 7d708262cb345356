//! The schema, as steps that are applied once each, in order, on both databases.
//!
//! Migrations expand, move, contract: a step that has landed is never changed. `{blob}`, `{uuid}`, `{double}`
//! and `{clustered}` stand for what the two databases name differently.

use crate::{Store, StoreError};

/// Every step; its position, counted from one, is the schema's version.
const STEPS: &[&str] = &[
    include_str!("../migrations/0001_house.sql"),
    include_str!("../migrations/0002_rare_runs.sql"),
    include_str!("../migrations/0003_privacy.sql"),
    include_str!("../migrations/0004_connections.sql"),
    include_str!("../migrations/0005_unmapped_keys.sql"),
    include_str!("../migrations/0006_exceptions.sql"),
    include_str!("../migrations/0007_queue.sql"),
    include_str!("../migrations/0008_handoff.sql"),
    include_str!("../migrations/0009_idempotency.sql"),
    include_str!("../migrations/0010_provisional_runs.sql"),
    include_str!("../migrations/0011_sampling.sql"),
    include_str!("../migrations/0012_words_of_runs.sql"),
];

/// Brings the schema up to date.
pub(crate) async fn migrate(store: &Store) -> Result<(), StoreError> {
    let tx = store.begin_write().await?;
    if !store.is_sqlite() {
        // Two processes that start together must not both migrate, however long one takes.
        store.run_script(&tx, "SET LOCAL lock_timeout = 0").await?;
        store.run_script(&tx, "SELECT pg_advisory_xact_lock(7283001)").await?;
    }
    store.run_script(&tx, "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)").await?;
    let found = store.within(&tx, "SELECT COALESCE(MAX(version), 0) FROM schema_version").first().await?;
    let found: i32 = match found {
        Some(mut row) => row.take()?,
        None => 0,
    };
    let known = i32::try_from(STEPS.len()).unwrap_or(i32::MAX);
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (version, step) in (1..).zip(STEPS).filter(|(version, _)| *version > found) {
        store.run_script(&tx, &in_dialect(step, store.is_sqlite())).await?;
        store.within(&tx, "INSERT INTO schema_version (version) VALUES ($1)").bind(version).run().await?;
    }
    tx.commit().await?;
    Ok(())
}

fn in_dialect(step: &str, sqlite: bool) -> String {
    let words = if sqlite {
        [("{blob}", "BLOB"), ("{uuid}", "BLOB"), ("{double}", "REAL"), ("{clustered}", "WITHOUT ROWID")]
    } else {
        [("{blob}", "BYTEA"), ("{uuid}", "UUID"), ("{double}", "DOUBLE PRECISION"), ("{clustered}", "")]
    };
    words.into_iter().fold(step.to_owned(), |text, (from, to)| text.replace(from, to))
}
