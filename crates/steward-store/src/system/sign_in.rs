//! Who is asking: sessions, one-time links, API keys, and failures of sign-in.

use steward_core::ids::{AgencyId, KeyId, PersonId, WorkflowId};
use steward_core::time::Timestamp;
use uuid::Uuid;

use crate::tenant::Person;
use crate::tenant::people::{COLUMNS, read_person};
use crate::{Store, StoreError};

/// What an API key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyScope {
    /// The key.
    pub key_id: KeyId,
    /// The agency.
    pub agency_id: AgencyId,
    /// The one workflow that it sends for; `None` for a key of the whole agency.
    pub workflow_id: Option<WorkflowId>,
}

/// A session and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The agency.
    pub agency_id: AgencyId,
    /// The person.
    pub person: Person,
    /// The token that forms carry.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Store {
    /// Finds what a key is for, by the hash of its secret. `None` when it is unknown or revoked.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_key(&self, hash: &[u8]) -> Result<Option<KeyScope>, StoreError> {
        let row = self
            .read("SELECT id, agency_id, workflow_id FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL")
            .bind(hash.to_vec())
            .first()
            .await?;
        row.map(|mut row| {
            Ok(KeyScope {
                key_id: KeyId::from_uuid(row.take()?),
                agency_id: AgencyId::from_uuid(row.take()?),
                workflow_id: row.take::<Option<Uuid>>()?.map(WorkflowId::from_uuid),
            })
        })
        .transpose()
    }

    /// Finds a person by address, with their agency and password hash. `None` when nobody has it.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_person_by_email(
        &self,
        email: &str,
    ) -> Result<Option<(AgencyId, Person, Option<String>)>, StoreError> {
        let row = self
            .read(format!("SELECT {COLUMNS}, agency_id, password_hash FROM people WHERE email = $1"))
            .bind(email)
            .first()
            .await?;
        row.map(|mut row| {
            let person = read_person(&mut row)?;
            Ok((AgencyId::from_uuid(row.take()?), person, row.take()?))
        })
        .transpose()
    }

    /// Creates a session.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_session(
        &self,
        token_hash: &[u8],
        agency_id: AgencyId,
        person_id: PersonId,
        csrf: &str,
        [now, expires_at]: [Timestamp; 2],
    ) -> Result<(), StoreError> {
        self.write("INSERT INTO sessions (token_hash, agency_id, person_id, csrf, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(token_hash.to_vec())
            .bind(agency_id.as_uuid())
            .bind(person_id.as_uuid())
            .bind(csrf)
            .bind(now.0)
            .bind(expires_at.0)
            .run()
            .await
            .map(|_| ())
    }

    /// Finds a session that has not ended, of a person who is not shut out. `None` when there is none.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_session(&self, token_hash: &[u8], now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        let row = self
            .read(
                "SELECT p.id, p.email, p.name, p.role, p.password_hash IS NOT NULL, p.created_at, p.disabled_at, s.agency_id, s.csrf, s.expires_at
                 FROM sessions s JOIN people p ON p.agency_id = s.agency_id AND p.id = s.person_id
                 WHERE s.token_hash = $1 AND s.expires_at > $2 AND p.disabled_at IS NULL",
            )
            .bind(token_hash.to_vec())
            .bind(now.0)
            .first()
            .await?;
        row.map(|mut row| {
            let person = read_person(&mut row)?;
            Ok(SessionRow {
                person,
                agency_id: AgencyId::from_uuid(row.take()?),
                csrf: row.take()?,
                expires_at: Timestamp(row.take()?),
            })
        })
        .transpose()
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_session(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        self.write("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash.to_vec()).run().await.map(|_| ())
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_sessions_of(&self, agency_id: AgencyId, person_id: PersonId) -> Result<u64, StoreError> {
        self.write("DELETE FROM sessions WHERE agency_id = $1 AND person_id = $2")
            .bind(agency_id.as_uuid())
            .bind(person_id.as_uuid())
            .run()
            .await
    }

    /// Creates a one-time link.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_sign_in_link(
        &self,
        token_hash: &[u8],
        agency_id: AgencyId,
        person_id: PersonId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("INSERT INTO sign_in_links (token_hash, agency_id, person_id, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(token_hash.to_vec())
            .bind(agency_id.as_uuid())
            .bind(person_id.as_uuid())
            .bind(expires_at.0)
            .run()
            .await
            .map(|_| ())
    }

    /// Finds whom a one-time link is for without using it. `None` when it is unknown, used or over.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_sign_in_link(
        &self,
        token_hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<(AgencyId, PersonId)>, StoreError> {
        let row = self
            .read("SELECT agency_id, person_id FROM sign_in_links WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2")
            .bind(token_hash.to_vec())
            .bind(now.0)
            .first()
            .await?;
        row.map(|mut row| Ok((AgencyId::from_uuid(row.take()?), PersonId::from_uuid(row.take()?)))).transpose()
    }

    /// Uses a one-time link. Gives whether it could be used: of two at once only one can.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn use_sign_in_link(&self, token_hash: &[u8], now: Timestamp) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "UPDATE sign_in_links SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
            )
            .bind(token_hash.to_vec())
            .bind(now.0)
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Records a failure of sign-in under a bucket: an address, or where it came from.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_sign_in_failure(&self, bucket: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("INSERT INTO sign_in_failures (bucket, at) VALUES ($1, $2)")
            .bind(bucket)
            .bind(now.0)
            .run()
            .await
            .map(|_| ())
    }

    /// Counts failures of sign-in under a bucket since an instant.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_sign_in_failures(&self, bucket: &str, since: Timestamp) -> Result<i64, StoreError> {
        let row = self
            .read("SELECT COUNT(*) FROM sign_in_failures WHERE bucket = $1 AND at > $2")
            .bind(bucket)
            .bind(since.0)
            .first()
            .await?;
        row.map_or(Ok(0), |mut row| row.take())
    }

    /// Forgets sessions, links and failures that are over.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn tidy_sign_in(&self, now: Timestamp) -> Result<(), StoreError> {
        let day_ago = now.plus_ms(-86_400_000);
        self.write("DELETE FROM sessions WHERE expires_at < $1").bind(now.0).run().await?;
        self.write("DELETE FROM sign_in_links WHERE expires_at < $1").bind(day_ago.0).run().await?;
        self.write("DELETE FROM sign_in_failures WHERE at < $1").bind(day_ago.0).run().await?;
        Ok(())
    }
}
