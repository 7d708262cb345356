//! Connections: by what a workflow's runs come, when something came last, and how far its platform was asked.

use sea_orm::Value;
use steward_core::connections::ConnectionSettings;
use steward_core::ids::{ConnectionId, KeyId, WorkflowId};
use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// The workflow whose runs it brings.
    pub workflow_id: WorkflowId,
    /// The word for what sends: `vapi`, `python`, `beat`.
    pub source: String,
    /// What people call it.
    pub name: String,
    /// The key that was made for it; `None` for what has an address of its own.
    pub key_id: Option<KeyId>,
    /// The key before, which is good until the next change.
    pub old_key_id: Option<KeyId>,
    /// Its address's token and its secrets, encrypted.
    pub sealed: Option<Vec<u8>>,
    /// What of it can be set.
    pub settings: ConnectionSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its secret was last changed.
    pub rotated_at: Option<Timestamp>,
    /// When something that was verified came in last, to some seconds.
    pub last_event_at: Option<Timestamp>,
    /// How far its platform was asked.
    pub poll: PollState,
}

/// How far a platform was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PollState {
    /// When it is asked next; `None` when it is not.
    pub next_at: Option<Timestamp>,
    /// From when on runs are asked for; `None` before the first time.
    pub since: Option<Timestamp>,
    /// Where a look that is not at its end goes on.
    pub cursor: Option<String>,
    /// When the look that is not at its end began.
    pub begun_at: Option<Timestamp>,
    /// When a look last came to its end.
    pub polled_at: Option<Timestamp>,
    /// When a look last went back further than usual.
    pub looked_back_at: Option<Timestamp>,
    /// Why the last request failed; `None` when it did not.
    pub error: Option<String>,
    /// How many requests in a row failed.
    pub n_failures: i32,
    /// Runs that the platform listed in the last look, or in the one under way.
    pub n_listed: i64,
    /// Of these, runs that Steward had before.
    pub n_known: i64,
    /// Runs in all that webhooks lost and asking found.
    pub n_found: i64,
}

pub(crate) const COLUMNS: &str = "id, workflow_id, source, name, key_id, old_key_id, sealed, settings, created_at, rotated_at, last_event_at, \
     next_poll_at, poll_since, poll_cursor, poll_begun_at, polled_at, looked_back_at, poll_error, poll_failures, n_listed, n_known, n_found";

pub(crate) fn read_connection(row: &mut Row) -> Result<Connection, StoreError> {
    fn instant(row: &mut Row) -> Result<Option<Timestamp>, StoreError> {
        Ok(row.take::<Option<i64>>()?.map(Timestamp))
    }
    Ok(Connection {
        id: ConnectionId::from_uuid(row.take()?),
        workflow_id: WorkflowId::from_uuid(row.take()?),
        source: row.take()?,
        name: row.take()?,
        key_id: row.take::<Option<Uuid>>()?.map(KeyId::from_uuid),
        old_key_id: row.take::<Option<Uuid>>()?.map(KeyId::from_uuid),
        sealed: row.take()?,
        settings: row.take_json("connections", "settings")?,
        created_at: Timestamp(row.take()?),
        rotated_at: instant(row)?,
        last_event_at: instant(row)?,
        poll: PollState {
            next_at: instant(row)?,
            since: instant(row)?,
            cursor: row.take()?,
            begun_at: instant(row)?,
            polled_at: instant(row)?,
            looked_back_at: instant(row)?,
            error: row.take()?,
            n_failures: row.take()?,
            n_listed: row.take()?,
            n_known: row.take()?,
            n_found: row.take()?,
        },
    })
}

impl AgencyStore {
    /// Lists the connections of a workflow, or of all, the oldest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_connections(&self, workflow: Option<WorkflowId>) -> Result<Vec<Connection>, StoreError> {
        let which = if workflow.is_some() { "AND workflow_id = $2" } else { "" };
        let text = format!(
            "SELECT {COLUMNS} FROM connections WHERE agency_id = $1 {which} ORDER BY created_at, id LIMIT 10000"
        );
        let ids = workflow.map(|id| Value::from(id.as_uuid()));
        let rows = self.read(text).bind_all(ids).all().await?;
        rows.into_iter().map(|mut row| read_connection(&mut row)).collect()
    }

    /// Finds a connection. `None` when this agency has none of this id.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_connection(&self, id: ConnectionId) -> Result<Option<Connection>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM connections WHERE agency_id = $1 AND id = $2");
        let row = self.read(text).bind(id.as_uuid()).first().await?;
        row.map(|mut row| read_connection(&mut row)).transpose()
    }

    /// Creates a connection, by the hash of its address's token.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_connection(
        &self,
        connection: &Connection,
        token_hash: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO connections (agency_id, id, workflow_id, source, name, key_id, token_hash, sealed, settings, created_at,
                                      next_poll_at, poll_failures, n_listed, n_known, n_found)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 0, 0)",
        )
        .bind(connection.id.as_uuid())
        .bind(connection.workflow_id.as_uuid())
        .bind(connection.source.clone())
        .bind(connection.name.clone())
        .bind(connection.key_id.map(KeyId::as_uuid))
        .bind(token_hash)
        .bind(connection.sealed.clone())
        .bind(serde_json::to_string(&connection.settings).unwrap_or_default())
        .bind(connection.created_at.0)
        .bind(connection.poll.next_at.map(|at| at.0))
        .run()
        .await
        .map(|_| ())
    }

    /// Updates a connection's name, settings, keys and sealed secrets, and when these were changed and it is asked next.
    /// Gives whether there was one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_connection(&self, connection: &Connection) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "UPDATE connections SET name = $3, settings = $4, sealed = $5, rotated_at = $6, next_poll_at = $7, key_id = $8,
                        old_key_id = $9
                 WHERE agency_id = $1 AND id = $2",
            )
            .bind(connection.id.as_uuid())
            .bind(connection.name.clone())
            .bind(serde_json::to_string(&connection.settings).unwrap_or_default())
            .bind(connection.sealed.clone())
            .bind(connection.rotated_at.map(|at| at.0))
            .bind(connection.poll.next_at.map(|at| at.0))
            .bind(connection.key_id.map(KeyId::as_uuid))
            .bind(connection.old_key_id.map(KeyId::as_uuid))
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Deletes a connection. Gives whether there was one. What came by it stays.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_connection(&self, id: ConnectionId) -> Result<bool, StoreError> {
        let text = "DELETE FROM connections WHERE agency_id = $1 AND id = $2";
        Ok(self.write(text).bind(id.as_uuid()).run().await? == 1)
    }

    /// Records that something came by a connection.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_connection_event(&self, id: ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        self.write(
            "UPDATE connections SET last_event_at = $3
             WHERE agency_id = $1 AND id = $2 AND (last_event_at IS NULL OR last_event_at < $3)",
        )
        .bind(id.as_uuid())
        .bind(now.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Records how far a platform was asked.
    ///
    /// Asking that was switched off meanwhile stays off. Gives whether the connection is there.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_poll(&self, id: ConnectionId, poll: &PollState) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "UPDATE connections SET next_poll_at = CASE WHEN next_poll_at IS NULL THEN NULL ELSE $3 END,
                        poll_since = $4, poll_cursor = $5, poll_begun_at = $6, polled_at = $7, looked_back_at = $8,
                        poll_error = $9, poll_failures = $10, n_listed = $11, n_known = $12, n_found = $13
                 WHERE agency_id = $1 AND id = $2",
            )
            .bind(id.as_uuid())
            .bind(poll.next_at.map(|at| at.0))
            .bind(poll.since.map(|at| at.0))
            .bind(poll.cursor.clone())
            .bind(poll.begun_at.map(|at| at.0))
            .bind(poll.polled_at.map(|at| at.0))
            .bind(poll.looked_back_at.map(|at| at.0))
            .bind(poll.error.clone())
            .bind(poll.n_failures)
            .bind(poll.n_listed)
            .bind(poll.n_known)
            .bind(poll.n_found)
            .run()
            .await?;
        Ok(changed == 1)
    }
}
