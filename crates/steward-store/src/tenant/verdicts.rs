//! What people said of runs.

use sea_orm::Value;
use steward_core::ids::PersonId;
use steward_core::outcome::{Outcome, Verdict};
use steward_core::time::Timestamp;

use super::AgencyStore;
use crate::StoreError;

/// One verdict, or its withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictRow {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub person_id: PersonId,
    /// Their name at that time.
    pub person_name: String,
    /// The outcome; `None` takes the verdict back.
    pub outcome: Option<Outcome>,
    /// Why.
    pub comment: String,
}

impl VerdictRow {
    /// The verdict that it gives; `None` when it takes one back.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let outcome = self.outcome?;
        Some(Verdict { outcome, by: self.person_name.clone(), at: self.at, comment: self.comment.clone() })
    }
}

impl AgencyStore {
    /// Records a verdict on a run, by the run's key.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when there is one of the same microsecond.
    pub async fn record_verdict(&self, run_key: &str, verdict: &VerdictRow) -> Result<(), StoreError> {
        self.write("INSERT INTO verdicts (agency_id, run_key, at, person_id, person_name, outcome, comment) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(run_key)
            .bind(verdict.at.0)
            .bind(verdict.person_id.as_uuid())
            .bind(verdict.person_name.clone())
            .bind(verdict.outcome.map(|o| o.as_str().to_owned()))
            .bind(verdict.comment.clone())
            .run()
            .await
            .map(|_| ())
    }

    /// All verdicts on some runs, by run key, oldest first; the last of a run is the one that holds.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_verdicts(&self, run_keys: &[String]) -> Result<Vec<(String, VerdictRow)>, StoreError> {
        let mut verdicts = Vec::new();
        for keys in run_keys.chunks(super::runs::KEYS_AT_ONCE) {
            let mut sql = self.read(
                "SELECT run_key, at, person_id, person_name, outcome, comment FROM verdicts WHERE agency_id = $1 AND run_key IN (",
            );
            let values = keys.iter().map(|key| Value::from(key.clone()));
            sql.push_list(values);
            sql.push(") ORDER BY run_key, at");
            for mut row in sql.all().await? {
                let key = row.take()?;
                let verdict = VerdictRow {
                    at: Timestamp(row.take()?),
                    person_id: PersonId::from_uuid(row.take()?),
                    person_name: row.take()?,
                    outcome: match row.take::<Option<String>>()? {
                        None => None,
                        Some(word) => Some(
                            Outcome::parse(&word)
                                .ok_or(StoreError::Corrupt { table: "verdicts", column: "outcome" })?,
                        ),
                    },
                    comment: row.take()?,
                };
                verdicts.push((key, verdict));
            }
        }
        Ok(verdicts)
    }
}
