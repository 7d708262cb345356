//! Sampling: which completed runs of a workflow go to review, which were taken, and what was found.
//!
//! Invariant: a day is drawn once. Whoever draws it moves the rule's mark in the transaction that writes what was
//! taken, so of two processes at once one is outrun.

use std::collections::HashMap;

use sea_orm::{DatabaseTransaction, Value};
use steward_core::ids::{AgencyId, ItemId, RunId, WorkflowId};
use steward_core::queue::QueueItem;
use steward_core::sampling::{Audit, SamplingRule, Strata, Stratum};
use steward_core::time::{Period, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::runs::{KEYS_AT_ONCE, RunKey};
use crate::sql::{Row, insert_many};
use crate::{Store, StoreError};

/// The rule of a workflow, and how far it was followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// The rule.
    pub rule: SamplingRule,
    /// Runs that ended before are left out.
    pub since: Timestamp,
    /// When the rule was last changed.
    pub changed_at: Timestamp,
    /// Who changed it, by name.
    pub changed_by: String,
    /// The day, in whole days since the epoch, before which all are drawn.
    pub decided_until: i32,
    /// When runs that came late were last looked for.
    pub looked_at: Timestamp,
}

/// A run that may be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingCandidate {
    /// Its id.
    pub run_id: RunId,
    /// Its key.
    pub run_key: RunKey,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its release; empty when not said.
    pub release: String,
    /// Its part by the rule's division; empty when it has none.
    pub stratum: String,
}

/// A run that is taken.
#[derive(Debug, Clone)]
pub struct NewSample {
    /// The item that waits for whoever reviews it.
    pub item: QueueItem,
    /// When its run ended.
    pub ended_at: Timestamp,
    /// Its part.
    pub stratum: String,
    /// The probability with which it was chosen.
    pub probability: f64,
}

/// What one draw of a day writes.
#[derive(Debug, Clone)]
pub struct DayDraw {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The day, in whole days since the epoch.
    pub day: i32,
    /// The mark of the rule as it was read.
    pub decided_until: i32,
    /// When the rule was last changed, as it was read.
    pub changed_at: Timestamp,
    /// The strata.
    pub strata: Vec<Stratum>,
    /// What is taken.
    pub samples: Vec<NewSample>,
    /// The time.
    pub now: Timestamp,
}

/// What a look for runs that came late writes.
#[derive(Debug, Clone)]
pub struct LateDraw {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// When runs were last looked for, as it was read.
    pub looked_at: Timestamp,
    /// How many more are taken of a day and its stratum.
    pub taken: Vec<(i32, String, u32)>,
    /// What is taken.
    pub samples: Vec<NewSample>,
    /// The time.
    pub now: Timestamp,
}

/// Runs that are claimed completed, as the queue samples them.
const CLAIMED: &str =
    "finished AND NOT test AND (claimed = 'completed' OR (claimed IS NULL AND outcome = 'completed'))";

/// The column that tells a run's part.
const fn column_of(strata: Strata) -> &'static str {
    match strata {
        Strata::None => "''",
        Strata::Release => "release",
        Strata::Evidence => "evidence",
        Strata::Model => "models",
    }
}

/// A part's name as people read it.
fn stratum_of(strata: Strata, text: &str) -> String {
    match strata {
        Strata::Model => text.trim_matches('|').replace('|', ", "),
        Strata::None | Strata::Release | Strata::Evidence => text.to_owned(),
    }
}

fn read_candidate(strata: Strata, row: &mut Row) -> Result<SamplingCandidate, StoreError> {
    Ok(SamplingCandidate {
        run_id: RunId::from_uuid(row.take()?),
        run_key: row.take()?,
        ended_at: Timestamp(row.take()?),
        release: row.take()?,
        stratum: stratum_of(strata, &row.take::<String>()?),
    })
}

impl Store {
    /// Workflows of all agencies of which days before `until` are not drawn, at most `limit`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_to_sample(&self, until: i32, limit: u32) -> Result<Vec<(AgencyId, WorkflowId)>, StoreError> {
        let text = "SELECT agency_id, workflow_id FROM sampling_rules WHERE decided_until < $1
                    ORDER BY decided_until, agency_id, workflow_id LIMIT $2";
        let rows = self.read(text).bind(until).bind(i64::from(limit)).all().await?;
        rows.into_iter()
            .map(|mut row| Ok((AgencyId::from_uuid(row.take()?), WorkflowId::from_uuid(row.take()?))))
            .collect()
    }
}

impl AgencyStore {
    /// The rule of a workflow. `None` when nothing of it is sampled.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_sampling(&self, workflow: WorkflowId) -> Result<Option<Sampling>, StoreError> {
        let text = "SELECT share, strata, at_least, at_most, since, changed_at, changed_by, decided_until, looked_at
                    FROM sampling_rules WHERE agency_id = $1 AND workflow_id = $2";
        let Some(mut row) = self.read(text).bind(workflow.as_uuid()).first().await? else { return Ok(None) };
        Ok(Some(Sampling {
            rule: SamplingRule {
                share: row.take()?,
                strata: Strata::parse(&row.take::<String>()?)
                    .ok_or(StoreError::Corrupt { table: "sampling_rules", column: "strata" })?,
                at_least: row.take::<i32>()?.unsigned_abs(),
                at_most: row.take::<i32>()?.unsigned_abs(),
            },
            since: Timestamp(row.take()?),
            changed_at: Timestamp(row.take()?),
            changed_by: row.take()?,
            decided_until: row.take()?,
            looked_at: Timestamp(row.take()?),
        }))
    }

    /// Gives a workflow its rule, or changes the one it has. `since` and what was drawn stay where it has one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_sampling(
        &self,
        workflow: WorkflowId,
        rule: &SamplingRule,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let int = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        self.write(
            "INSERT INTO sampling_rules (agency_id, workflow_id, share, strata, at_least, at_most, since, changed_at,
                 changed_by, decided_until, looked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $7)
             ON CONFLICT (agency_id, workflow_id) DO UPDATE SET share = excluded.share, strata = excluded.strata,
                 at_least = excluded.at_least, at_most = excluded.at_most, changed_at = excluded.changed_at,
                 changed_by = excluded.changed_by",
        )
        .bind(workflow.as_uuid())
        .bind(rule.share)
        .bind(rule.strata.as_str())
        .bind(int(rule.at_least))
        .bind(int(rule.at_most))
        .bind(now.0)
        .bind(by)
        .bind(now.day())
        .run()
        .await
        .map(|_| ())
    }

    /// Takes a workflow's rule away; what was taken stays. Gives whether it had one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_sampling(&self, workflow: WorkflowId) -> Result<bool, StoreError> {
        let text = "DELETE FROM sampling_rules WHERE agency_id = $1 AND workflow_id = $2";
        Ok(self.write(text).bind(workflow.as_uuid()).run().await? == 1)
    }

    /// Runs of a workflow that ended in a period, are claimed completed, and are final as of `now`: at most `limit`,
    /// by end, from behind a run.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_sampling_candidates(
        &self,
        workflow: WorkflowId,
        strata: Strata,
        period: Period,
        now: Timestamp,
        behind: Option<(Timestamp, RunId)>,
        limit: u32,
    ) -> Result<Vec<SamplingCandidate>, StoreError> {
        let mut sql = self
            .read(format!(
                "SELECT id, run_key, ended_at, release, {} FROM runs
                 WHERE agency_id = $1 AND workflow_id = $2 AND ended_at >= $3 AND ended_at < $4 AND final_at <= $5
                 AND {CLAIMED}",
                column_of(strata)
            ))
            .bind(workflow.as_uuid())
            .bind(behind.map_or(period.start, |(at, _)| at.max(period.start)).0)
            .bind(period.end.0)
            .bind(now.0);
        if let Some((at, id)) = behind {
            let (at, id) = (sql.placeholder(at.0), sql.placeholder(id.as_uuid()));
            sql.push(&format!(" AND (ended_at > {at} OR id > {id})"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY ended_at, id LIMIT {limit}"));
        sql.all().await?.into_iter().map(|mut row| read_candidate(strata, &mut row)).collect()
    }

    /// Runs of a workflow that became final in a stretch of time, ended in a period, and are claimed completed: at most
    /// `limit`, by when they became final, from behind a run. Gives each with when it became final.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_late_candidates(
        &self,
        workflow: WorkflowId,
        strata: Strata,
        period: Period,
        became_final: Period,
        behind: Option<(Timestamp, RunId)>,
        limit: u32,
    ) -> Result<Vec<(Timestamp, SamplingCandidate)>, StoreError> {
        let mut sql = self
            .read(format!(
                "SELECT final_at, id, run_key, ended_at, release, {} FROM runs
                 WHERE agency_id = $1 AND workflow_id = $2 AND final_at >= $3 AND final_at < $4
                 AND ended_at >= $5 AND ended_at < $6 AND {CLAIMED}",
                column_of(strata)
            ))
            .bind(workflow.as_uuid())
            .bind(behind.map_or(became_final.start, |(at, _)| at.max(became_final.start)).0)
            .bind(became_final.end.0)
            .bind(period.start.0)
            .bind(period.end.0);
        if let Some((at, id)) = behind {
            let (at, id) = (sql.placeholder(at.0), sql.placeholder(id.as_uuid()));
            sql.push(&format!(" AND (final_at > {at} OR id > {id})"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY final_at, id LIMIT {limit}"));
        sql.all()
            .await?
            .into_iter()
            .map(|mut row| Ok((Timestamp(row.take()?), read_candidate(strata, &mut row)?)))
            .collect()
    }

    /// Runs of a workflow that ended in a period and are claimed completed, the last `limit` of them, counted by day
    /// since the epoch and by part.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_sampling_candidates(
        &self,
        workflow: WorkflowId,
        strata: Strata,
        period: Period,
        limit: u32,
    ) -> Result<Vec<(i32, String, u64)>, StoreError> {
        let text = format!(
            "SELECT CAST(day AS INTEGER), part, COUNT(*) FROM (
                 SELECT ended_at / 86400000000 AS day, {} AS part FROM runs
                 WHERE agency_id = $1 AND workflow_id = $2 AND ended_at >= $3 AND ended_at < $4 AND {CLAIMED}
                 ORDER BY ended_at DESC LIMIT $5) AS found
             GROUP BY day, part ORDER BY day, part",
            column_of(strata)
        );
        let sql = self.read(text).bind(workflow.as_uuid()).bind(period.start.0).bind(period.end.0);
        let rows = sql.bind(i64::from(limit)).all().await?;
        rows.into_iter()
            .map(|mut row| {
                let day = row.take()?;
                let part = stratum_of(strata, &row.take::<String>()?);
                Ok((day, part, row.take::<i64>()?.unsigned_abs()))
            })
            .collect()
    }

    /// The strata of days that were drawn, from one day on, by day.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_sampling_days(
        &self,
        workflow: WorkflowId,
        from_day: i32,
    ) -> Result<Vec<(i32, Stratum)>, StoreError> {
        let text = "SELECT day, stratum, n_runs, n_taken, probability, threshold FROM sampling_days
                    WHERE agency_id = $1 AND workflow_id = $2 AND day >= $3 ORDER BY day, stratum";
        let rows = self.read(text).bind(workflow.as_uuid()).bind(from_day).all().await?;
        rows.into_iter()
            .map(|mut row| {
                let day = row.take()?;
                let stratum = Stratum {
                    name: row.take()?,
                    n_runs: row.take::<i64>()?.unsigned_abs(),
                    n_taken: row.take::<i32>()?.unsigned_abs(),
                    probability: row.take()?,
                    threshold: row.take()?,
                };
                Ok((day, stratum))
            })
            .collect()
    }

    /// Writes what was drawn of a day: all or nothing. Gives how many samples entered the queue.
    ///
    /// # Errors
    ///
    /// [`StoreError::Outrun`] when another writer drew the day or changed the rule meanwhile; nothing is written then.
    pub async fn commit_day_draw(&self, draw: DayDraw) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let workflow = draw.workflow_id.as_uuid();
        let tx = self.store.begin_write().await?;
        let moved = self
            .store
            .within(
                &tx,
                "UPDATE sampling_rules SET decided_until = $3 + 1
                 WHERE agency_id = $1 AND workflow_id = $2 AND decided_until = $4 AND changed_at = $5",
            )
            .bind(agency)
            .bind(workflow)
            .bind(draw.day)
            .bind(draw.decided_until)
            .bind(draw.changed_at.0)
            .run()
            .await?;
        if moved != 1 {
            return Err(StoreError::Outrun);
        }
        let rows = draw.strata.into_iter().map(|stratum| {
            vec![
                agency.into(),
                workflow.into(),
                draw.day.into(),
                stratum.name.into(),
                i64::try_from(stratum.n_runs).unwrap_or(i64::MAX).into(),
                i32::try_from(stratum.n_taken).unwrap_or(i32::MAX).into(),
                stratum.probability.into(),
                stratum.threshold.into(),
            ]
        });
        let columns = ["agency_id", "workflow_id", "day", "stratum", "n_runs", "n_taken", "probability", "threshold"];
        // A clock that was set back while the rule was given anew draws a day twice.
        let tail = "ON CONFLICT (agency_id, workflow_id, day, stratum) DO UPDATE SET n_runs = excluded.n_runs,
                    n_taken = excluded.n_taken, probability = excluded.probability, threshold = excluded.threshold";
        insert_many(&tx, self.store.backend, "sampling_days", &columns, rows.collect(), tail).await?;
        let n = self.write_samples(&tx, draw.samples, draw.now).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Writes what was taken of runs that came late: all or nothing. Gives how many samples entered the queue.
    ///
    /// # Errors
    ///
    /// [`StoreError::Outrun`] when another writer looked meanwhile; nothing is written then.
    pub async fn commit_late_draw(&self, draw: LateDraw) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let workflow = draw.workflow_id.as_uuid();
        let tx = self.store.begin_write().await?;
        let text =
            "UPDATE sampling_rules SET looked_at = $3 WHERE agency_id = $1 AND workflow_id = $2 AND looked_at = $4";
        let sql = self.store.within(&tx, text).bind(agency).bind(workflow).bind(draw.now.0).bind(draw.looked_at.0);
        if sql.run().await? != 1 {
            return Err(StoreError::Outrun);
        }
        for (day, stratum, n) in draw.taken {
            self.store
                .within(
                    &tx,
                    "UPDATE sampling_days SET n_taken = n_taken + $5
                     WHERE agency_id = $1 AND workflow_id = $2 AND day = $3 AND stratum = $4",
                )
                .bind(agency)
                .bind(workflow)
                .bind(day)
                .bind(stratum)
                .bind(i32::try_from(n).unwrap_or(i32::MAX))
                .run()
                .await?;
        }
        let n = self.write_samples(&tx, draw.samples, draw.now).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Which of some items are there already.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_known_samples(&self, ids: &[ItemId]) -> Result<Vec<ItemId>, StoreError> {
        let mut known = Vec::new();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let mut sql = self.read("SELECT id FROM samples WHERE agency_id = $1 AND id IN (");
            sql.push_list(ids.iter().map(|id| Value::from(id.as_uuid())));
            sql.push(")");
            for mut row in sql.all().await? {
                known.push(ItemId::from_uuid(row.take()?));
            }
        }
        Ok(known)
    }

    /// What samples of runs that ended in a period say, by workflow; workflows without any are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn sum_samples(
        &self,
        workflows: &[WorkflowId],
        period: Period,
    ) -> Result<HashMap<WorkflowId, Audit>, StoreError> {
        let mut audits: HashMap<WorkflowId, Audit> = HashMap::new();
        for ids in workflows.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .read(
                    "SELECT workflow_id, probability, completed, COUNT(*) FROM samples
                     WHERE agency_id = $1 AND ended_at >= $2 AND ended_at < $3 AND NOT is_gone AND workflow_id IN (",
                )
                .bind(period.start.0)
                .bind(period.end.0);
            sql.push_list(ids.iter().map(|id| Value::from(id.as_uuid())));
            // In one order, so that sums of floats are the same each time.
            sql.push(") GROUP BY workflow_id, probability, completed ORDER BY workflow_id, probability, completed");
            for mut row in sql.all().await? {
                let workflow = WorkflowId::from_uuid(row.take()?);
                let (probability, completed): (f64, Option<bool>) = (row.take()?, row.take()?);
                let n = row.take::<i64>()?.unsigned_abs();
                audits.entry(workflow).or_default().add(probability, completed, n);
            }
        }
        Ok(audits)
    }

    /// Writes samples with their items. One that is there already stays as it is.
    async fn write_samples(
        &self,
        tx: &DatabaseTransaction,
        samples: Vec<NewSample>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let rows = samples.iter().map(|sample| {
            vec![
                agency.into(),
                sample.item.id.as_uuid().into(),
                sample.item.workflow_id.as_uuid().into(),
                sample.item.run_id.as_uuid().into(),
                sample.ended_at.0.into(),
                sample.stratum.clone().into(),
                sample.probability.into(),
                now.0.into(),
                false.into(),
            ]
        });
        let columns =
            ["agency_id", "id", "workflow_id", "run_id", "ended_at", "stratum", "probability", "taken_at", "is_gone"];
        let tail = "ON CONFLICT (agency_id, id) DO NOTHING";
        insert_many(tx, self.store.backend, "samples", &columns, rows.collect(), tail).await?;
        let items: Vec<QueueItem> = samples.into_iter().map(|sample| sample.item).collect();
        self.write_new_items(tx, &items, now).await
    }

    /// Keeps what a review says of a sample, in the transaction of the review; `None` where it is taken back.
    pub(super) async fn write_sample_verdict(
        &self,
        tx: &DatabaseTransaction,
        item: ItemId,
        completed: Option<bool>,
    ) -> Result<(), StoreError> {
        self.store
            .within(tx, "UPDATE samples SET completed = $3 WHERE agency_id = $1 AND id = $2")
            .bind(self.agency_id().as_uuid())
            .bind(item.as_uuid())
            .bind(completed)
            .run()
            .await
            .map(|_| ())
    }

    /// Marks runs that are revised and were sampled: their samples are compared with what is claimed of them then.
    pub(super) async fn recheck_samples(&self, tx: &DatabaseTransaction, run_ids: &[Uuid]) -> Result<(), StoreError> {
        for ids in run_ids.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(
                    tx,
                    "INSERT INTO queue_rechecks (agency_id, run_id)
                     SELECT DISTINCT agency_id, run_id FROM samples WHERE agency_id = $1 AND run_id IN (",
                )
                .bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(") ON CONFLICT DO NOTHING");
            sql.run().await?;
        }
        Ok(())
    }

    /// Says of samples of some runs that were read again whether these are still claimed completed.
    pub(super) async fn follow_samples(&self, tx: &DatabaseTransaction, runs: &[Uuid]) -> Result<(), StoreError> {
        let mut sql = self
            .store
            .within(
                tx,
                format!(
                    "UPDATE samples SET is_gone = NOT EXISTS (SELECT 1 FROM runs WHERE runs.agency_id = samples.agency_id
                         AND runs.id = samples.run_id AND runs.workflow_id = samples.workflow_id AND {CLAIMED})
                     WHERE agency_id = $1 AND run_id IN ("
                ),
            )
            .bind(self.agency_id().as_uuid());
        sql.push_list(runs.iter().map(|id| Value::from(*id)));
        sql.push(")");
        sql.run().await.map(|_| ())
    }

    /// Lets go of runs whose data is gone: what reviews said of them stays as a figure, and what nobody can review any
    /// more is no sample.
    pub(super) async fn forget_sampled(&self, tx: &DatabaseTransaction, runs: &[Uuid]) -> Result<(), StoreError> {
        for text in [
            "DELETE FROM samples WHERE agency_id = $1 AND completed IS NULL AND run_id IN (",
            "UPDATE samples SET run_id = NULL WHERE agency_id = $1 AND run_id IN (",
        ] {
            let mut sql = self.store.within(tx, text).bind(self.agency_id().as_uuid());
            sql.push_list(runs.iter().map(|id| Value::from(*id)));
            sql.push(")");
            sql.run().await?;
        }
        Ok(())
    }
}
