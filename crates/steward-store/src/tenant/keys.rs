//! API keys. The key itself is shown once; here stand its hash and its beginning.

use steward_core::ids::{KeyId, WorkflowId};
use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

/// An API key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// The one workflow that it sends for; `None` for a key of the whole agency.
    pub workflow_id: Option<WorkflowId>,
    /// What people call it.
    pub name: String,
    /// Its first characters, by which people know it again.
    pub beginning: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

fn read_key(mut row: Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: KeyId::from_uuid(row.take()?),
        workflow_id: row.take::<Option<Uuid>>()?.map(WorkflowId::from_uuid),
        name: row.take()?,
        beginning: row.take()?,
        created_at: Timestamp(row.take()?),
        last_used_at: row.take::<Option<i64>>()?.map(Timestamp),
        revoked_at: row.take::<Option<i64>>()?.map(Timestamp),
    })
}

impl AgencyStore {
    /// Lists all keys, newest first, revoked ones included.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let text = "SELECT id, workflow_id, name, beginning, created_at, last_used_at, revoked_at
                    FROM api_keys WHERE agency_id = $1 ORDER BY created_at DESC, id";
        self.read(text).all().await?.into_iter().map(read_key).collect()
    }

    /// Creates a key, by the hash of its secret.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_key(&self, key: &ApiKey, hash: &[u8]) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO api_keys (agency_id, id, workflow_id, name, beginning, key_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(key.id.as_uuid())
        .bind(key.workflow_id.map(WorkflowId::as_uuid))
        .bind(key.name.clone())
        .bind(key.beginning.clone())
        .bind(hash.to_vec())
        .bind(key.created_at.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Revokes a key. Gives whether there was one to revoke.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn revoke_key(&self, id: KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let changed = self
            .write("UPDATE api_keys SET revoked_at = $3 WHERE agency_id = $1 AND id = $2 AND revoked_at IS NULL")
            .bind(id.as_uuid())
            .bind(now.0)
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Records that a key was used.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_key_use(&self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.write("UPDATE api_keys SET last_used_at = $3 WHERE agency_id = $1 AND id = $2")
            .bind(id.as_uuid())
            .bind(now.0)
            .run()
            .await
            .map(|_| ())
    }
}
