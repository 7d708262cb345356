//! What senders did wrong, counted by hour: few kinds, so few rows.

use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use crate::StoreError;

/// A mistake of a sender in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MistakeRow {
    /// The key or connection with which it was made; nil where neither is known.
    pub sender: Uuid,
    /// The word for it.
    pub kind: String,
    /// How often.
    pub n: i64,
    /// When last.
    pub last_at: Timestamp,
    /// What the sender was told last.
    pub words: String,
}

impl AgencyStore {
    /// Adds to a mistake's count of its hour.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_mistake(&self, mistake: &MistakeRow) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO mistakes (agency_id, sender, kind, hour, n, last_at, words) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (agency_id, sender, kind, hour)
             DO UPDATE SET n = mistakes.n + excluded.n, last_at = excluded.last_at, words = excluded.words",
        )
        .bind(mistake.sender)
        .bind(mistake.kind.clone())
        .bind(mistake.last_at.hour())
        .bind(mistake.n)
        .bind(mistake.last_at.0)
        .bind(mistake.words.clone())
        .run()
        .await
        .map(|_| ())
    }

    /// Lists mistakes that were made since an instant, by sender and kind, the latest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_mistakes(&self, since: Timestamp) -> Result<Vec<MistakeRow>, StoreError> {
        let text = "SELECT sender, kind, n, last_at, words FROM mistakes
                    WHERE agency_id = $1 AND last_at >= $2 ORDER BY last_at DESC, kind LIMIT 10000";
        let rows = self.read(text).bind(since.0).all().await?;
        let mut all: Vec<MistakeRow> = Vec::new();
        for mut row in rows {
            let (sender, kind): (Uuid, String) = (row.take()?, row.take()?);
            let (n, last_at, words) = (row.take()?, Timestamp(row.take()?), row.take()?);
            match all.iter_mut().find(|known| known.sender == sender && known.kind == kind) {
                Some(known) => known.n += n,
                None => all.push(MistakeRow { sender, kind, n, last_at, words }),
            }
        }
        Ok(all)
    }

    /// Drops mistakes that were last made before an instant.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn drop_mistakes(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write("DELETE FROM mistakes WHERE agency_id = $1 AND last_at < $2").bind(before.0).run().await
    }
}
