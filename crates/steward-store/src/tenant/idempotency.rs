//! Writes that are to be done once, by the key that their sender gave them.

use steward_core::ids::PersonId;
use steward_core::time::Timestamp;

use super::AgencyStore;
use crate::StoreError;

/// A key as one person sent it, both as hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose.
    pub person_id: PersonId,
    /// The hash of the key.
    pub key_hash: String,
    /// The hash of the request that it came with.
    pub fingerprint: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownWrite {
    /// The request that it came with first.
    pub fingerprint: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when the first may be under way.
    pub lease_until: Timestamp,
    /// The status of its answer; `None` while there is none.
    pub status: Option<u16>,
    /// The answer; `None` when it was not kept.
    pub answer: Option<Vec<u8>>,
}

impl AgencyStore {
    /// Takes a key for a request that is about to be done. `false` when it was taken before.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn take_idempotency_key(
        &self,
        key: &IdempotencyKey,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let taken = self
            .write(
                "INSERT INTO idempotency_keys (agency_id, person_id, key_hash, fingerprint, created_at, lease_until)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agency_id, person_id, key_hash) DO NOTHING",
            )
            .bind(key.person_id.as_uuid())
            .bind(key.key_hash.clone())
            .bind(key.fingerprint.clone())
            .bind(now.0)
            .bind(lease_until.0)
            .run()
            .await?;
        Ok(taken > 0)
    }

    /// What is known of a key. `None` when nobody has taken it.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_idempotency_key(&self, key: &IdempotencyKey) -> Result<Option<KnownWrite>, StoreError> {
        let found = self
            .read(
                "SELECT fingerprint, created_at, lease_until, status, answer FROM idempotency_keys
                 WHERE agency_id = $1 AND person_id = $2 AND key_hash = $3",
            )
            .bind(key.person_id.as_uuid())
            .bind(key.key_hash.clone())
            .first()
            .await?;
        let Some(mut row) = found else { return Ok(None) };
        let corrupt = StoreError::Corrupt { table: "idempotency_keys", column: "status" };
        Ok(Some(KnownWrite {
            fingerprint: row.take()?,
            created_at: Timestamp(row.take()?),
            lease_until: Timestamp(row.take()?),
            status: row.take::<Option<i32>>()?.map(u16::try_from).transpose().map_err(|_| corrupt)?,
            answer: row.take()?,
        }))
    }

    /// Keeps what a request was answered.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn keep_answer(
        &self,
        key: &IdempotencyKey,
        status: u16,
        answer: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        self.write(
            "UPDATE idempotency_keys SET status = $2, answer = $3
             WHERE agency_id = $1 AND person_id = $4 AND key_hash = $5",
        )
        .bind(i32::from(status))
        .bind(answer)
        .bind(key.person_id.as_uuid())
        .bind(key.key_hash.clone())
        .run()
        .await
        .map(|_| ())
    }

    /// Gives a key back: as it was found, when that is said, so that of two who give it back one does.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn drop_idempotency_key(
        &self,
        key: &IdempotencyKey,
        found: Option<&KnownWrite>,
    ) -> Result<(), StoreError> {
        let mut sql = self
            .write("DELETE FROM idempotency_keys WHERE agency_id = $1 AND person_id = $2 AND key_hash = $3")
            .bind(key.person_id.as_uuid())
            .bind(key.key_hash.clone());
        if let Some(found) = found {
            let at = sql.placeholder(found.created_at.0);
            sql.push(&format!(" AND created_at = {at}"));
        }
        sql.run().await.map(|_| ())
    }

    /// Forgets every answer, and keeps that what was asked was done.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn forget_answers(&self) -> Result<(), StoreError> {
        let sql = "UPDATE idempotency_keys SET answer = NULL WHERE agency_id = $1 AND answer IS NOT NULL";
        self.write(sql).run().await.map(|_| ())
    }

    /// Drops keys that were taken before an instant.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn drop_idempotency_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write("DELETE FROM idempotency_keys WHERE agency_id = $1 AND created_at < $2").bind(before.0).run().await
    }
}
