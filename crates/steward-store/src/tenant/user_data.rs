//! One end user's data: the runs, what waits of them, what people said of them, and the raw payloads that they were read from.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, Value};
use steward_core::ids::{InboxId, RunId, WorkflowId};
use steward_core::tallies::Tallies;
use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use super::handoff::HANDED;
use super::runs::{KEYS_AT_ONCE, RunKey};
use super::tallies;
use crate::StoreError;
use crate::system::InboxKind;

/// A raw payload without the spans of runs that are deleted.
#[derive(Debug, Clone)]
pub struct RewrittenPayload {
    /// Its id.
    pub id: InboxId,
    /// How many bytes it had when it was read, by which it is known that nobody rewrote it meanwhile.
    pub n_bytes_before: i64,
    /// In what form it is.
    pub kind: InboxKind,
    /// The bytes, by [`pack`](crate::pack); `None` drops the payload.
    pub body: Option<Vec<u8>>,
    /// How many bytes it is before packing.
    pub n_bytes: i64,
}

/// Runs to delete with everything that belongs to them.
#[derive(Debug)]
pub struct Deletion {
    /// The runs, at the revision at which they were read.
    pub runs: Vec<(RunId, i32, RunKey)>,
    /// Their payloads.
    pub payloads: Vec<RewrittenPayload>,
    /// What to add to the tallies.
    pub tallies: Tallies,
}

/// What was deleted with runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gone {
    /// Verdicts of people.
    pub n_verdicts: u64,
    /// Reviews of people.
    pub n_reviews: u64,
    /// Shapes of the messages of exceptions, by workflow.
    pub shapes: BTreeMap<WorkflowId, BTreeSet<String>>,
}

impl AgencyStore {
    /// The agency's salt; made of these bytes where there is none yet.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_or_record_salt(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let text = "SELECT salt FROM salts WHERE agency_id = $1";
        let mut found = self.read(text).first().await?;
        if found.is_none() {
            self.write("INSERT INTO salts (agency_id, salt) VALUES ($1, $2) ON CONFLICT (agency_id) DO NOTHING")
                .bind(fresh.to_vec())
                .run()
                .await?;
            found = self.read(text).first().await?;
        }
        let corrupt = StoreError::Corrupt { table: "salts", column: "salt" };
        let Some(mut row) = found else { return Err(corrupt) };
        row.take::<Vec<u8>>()?.try_into().map_err(|_| corrupt)
    }

    /// The workflow that each run belongs to, by the run's key or by that of a trace in it; unknown keys are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_run_workflows(&self, keys: &[String]) -> Result<Vec<(String, WorkflowId)>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            for text in [
                "SELECT run_key, workflow_id FROM runs WHERE agency_id = $1 AND run_key IN (",
                "SELECT t.trace_key, r.workflow_id FROM run_traces t JOIN runs r ON r.agency_id = t.agency_id AND r.run_key = t.run_key
                 WHERE t.agency_id = $1 AND t.trace_key IN (",
            ] {
                let mut sql = self.read(text);
                sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
                sql.push(")");
                for mut row in sql.all().await? {
                    found.push((row.take()?, WorkflowId::from_uuid(row.take()?)));
                }
            }
        }
        Ok(found)
    }

    /// Keys of the traces that became part of some runs.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_trace_keys(&self, run_keys: &[RunKey]) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        for keys in run_keys.chunks(KEYS_AT_ONCE) {
            let mut sql = self.read("SELECT trace_key FROM run_traces WHERE agency_id = $1 AND run_key IN (");
            sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
            sql.push(")");
            for mut row in sql.all().await? {
                found.push(row.take()?);
            }
        }
        Ok(found)
    }

    /// Ids of raw payloads received since an instant, from behind an id, in order of id.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_inbox_ids(
        &self,
        since: Timestamp,
        behind: Option<InboxId>,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        let mut sql = self.read("SELECT id FROM inbox WHERE agency_id = $1 AND received_at >= $2").bind(since.0);
        if let Some(id) = behind {
            let id = sql.placeholder(id.as_uuid());
            sql.push(&format!(" AND id > {id}"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY id LIMIT {limit}"));
        sql.all().await?.into_iter().map(|mut row| Ok(InboxId::from_uuid(row.take()?))).collect()
    }

    /// Deletes what was handed over of some exceptions, and what its readers wrote.
    async fn delete_handed(&self, tx: &DatabaseTransaction, exceptions: BTreeSet<Uuid>) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = exceptions.into_iter().collect();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            for table in HANDED {
                let text = format!("DELETE FROM {table} WHERE agency_id = $1 AND exception_id IN (");
                let mut sql = self.store.within(tx, text).bind(self.agency_id().as_uuid());
                sql.push_list(ids.iter().map(|id| Value::from(*id)));
                sql.push(")");
                sql.run().await?;
            }
        }
        Ok(())
    }

    /// Deletes those of some bulk reviews of which no review is left: they hold the same words once more.
    async fn delete_emptied_bulks(&self, tx: &DatabaseTransaction, bulks: BTreeSet<Uuid>) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = bulks.into_iter().collect();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let text = "DELETE FROM bulk_reviews WHERE agency_id = $1 AND state IN ('done', 'undone')
                        AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.agency_id = $1 AND r.bulk_id = bulk_reviews.id)
                        AND id IN (";
            let mut sql = self.store.within(tx, text).bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(")");
            sql.run().await?;
        }
        Ok(())
    }

    /// Deletes runs, their steps, exceptions and items of the queue, what people said of them, and their part of raw
    /// payloads: all or nothing. What was learned of the messages of their workflows is forgotten, since they had a part in it. Gives
    /// how many words of people were deleted, and the shapes of the messages.
    ///
    /// # Errors
    ///
    /// [`StoreError::Outrun`] when another writer revised one of the runs or rewrote one of the payloads meanwhile;
    /// nothing is deleted then.
    pub async fn delete_runs(&self, deletion: Deletion) -> Result<Gone, StoreError> {
        let agency = self.agency_id().as_uuid();
        let tallies = tallies::rows(agency, &deletion.tallies);
        let tx = self.store.begin_write().await?;
        let mut gone_with_them = Gone::default();
        let (mut handed, mut bulks): (BTreeSet<Uuid>, BTreeSet<Uuid>) = Default::default();
        for (id, revision, key) in &deletion.runs {
            let delete = |text: &str| self.store.within(&tx, text).bind(agency);
            let gone = delete("DELETE FROM runs WHERE agency_id = $1 AND id = $2 AND revision = $3")
                .bind(id.as_uuid())
                .bind(*revision)
                .run()
                .await?;
            if gone != 1 {
                return Err(StoreError::Outrun);
            }
            delete("DELETE FROM run_blobs WHERE agency_id = $1 AND run_id = $2").bind(id.as_uuid()).run().await?;
            delete("DELETE FROM queue_rechecks WHERE agency_id = $1 AND run_id = $2").bind(id.as_uuid()).run().await?;
            self.forget_sampled(&tx, &[id.as_uuid()]).await?;
            // A trace that became part of it was a run of its own, and keeps its items, reviews and verdicts by its key.
            let traces = delete("DELETE FROM run_traces WHERE agency_id = $1 AND run_key = $2 RETURNING trace_key");
            let mut keys = vec![key.clone()];
            for mut row in traces.bind(key.clone()).all().await? {
                keys.push(row.take()?);
            }
            for keys in keys.chunks(KEYS_AT_ONCE) {
                let of_keys = |text: &str, tail: &str| {
                    let mut sql = delete(text);
                    sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
                    sql.push(tail);
                    sql
                };
                let verdicts = of_keys("DELETE FROM verdicts WHERE agency_id = $1 AND run_key IN (", ")");
                gone_with_them.n_verdicts += verdicts.run().await?;
                // The items too: an exception that a correction or a revision took out of its run has no row any more.
                let items = of_keys("DELETE FROM queue_items WHERE agency_id = $1 AND run_key IN (", ") RETURNING id");
                for mut row in items.all().await? {
                    handed.insert(row.take()?);
                }
                let reviews =
                    of_keys("DELETE FROM reviews WHERE agency_id = $1 AND run_key IN (", ") RETURNING bulk_id");
                for mut row in reviews.all().await? {
                    gone_with_them.n_reviews += 1;
                    bulks.extend(row.take::<Option<Uuid>>()?);
                }
            }
            let exceptions =
                delete("DELETE FROM exceptions WHERE agency_id = $1 AND run_id = $2 RETURNING id, workflow_id, shape");
            for mut row in exceptions.bind(id.as_uuid()).all().await? {
                handed.insert(row.take()?);
                let shapes = gone_with_them.shapes.entry(WorkflowId::from_uuid(row.take()?)).or_default();
                shapes.extend(row.take::<Option<String>>()?);
            }
        }
        self.delete_handed(&tx, handed).await?;
        self.delete_emptied_bulks(&tx, bulks).await?;
        for workflow in gone_with_them.shapes.keys() {
            for text in [
                "UPDATE pattern_versions SET version = version + 1 WHERE agency_id = $1 AND workflow_id = $2",
                "DELETE FROM pattern_miners WHERE agency_id = $1 AND workflow_id = $2",
            ] {
                self.store.within(&tx, text).bind(agency).bind(workflow.as_uuid()).run().await?;
            }
        }
        for payload in deletion.payloads {
            let changed = match payload.body {
                Some(body) => {
                    self.store
                        .within(
                            &tx,
                            "UPDATE inbox SET kind = $4, body = $5, n_bytes = $6
                             WHERE agency_id = $1 AND id = $2 AND n_bytes = $3",
                        )
                        .bind(agency)
                        .bind(payload.id.as_uuid())
                        .bind(payload.n_bytes_before)
                        .bind(payload.kind.as_str())
                        .bind(body)
                        .bind(payload.n_bytes)
                        .run()
                        .await?
                }
                None => {
                    self.store
                        .within(&tx, "DELETE FROM inbox WHERE agency_id = $1 AND id = $2 AND n_bytes = $3")
                        .bind(agency)
                        .bind(payload.id.as_uuid())
                        .bind(payload.n_bytes_before)
                        .run()
                        .await?
                }
            };
            if changed != 1 {
                return Err(StoreError::Outrun);
            }
        }
        tallies::add_rows(&self.store, &tx, tallies).await?;
        tx.commit().await?;
        Ok(gone_with_them)
    }

    /// Deletes patterns of a workflow to which nothing belongs but shapes of messages that are gone.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn forget_shapes(&self, workflow: WorkflowId, shapes: &BTreeSet<String>) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        let rows = self
            .read(
                "SELECT DISTINCT shape FROM exceptions WHERE agency_id = $1 AND workflow_id = $2 AND shape IS NOT NULL",
            )
            .bind(workflow.as_uuid())
            .all()
            .await?;
        let left: BTreeSet<String> = rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?;
        let gone: Vec<&String> = shapes.difference(&left).collect();
        let tx = self.store.begin_write().await?;
        let mut owners: BTreeSet<Uuid> = BTreeSet::new();
        for shapes in gone.chunks(KEYS_AT_ONCE) {
            let text = "DELETE FROM pattern_shapes WHERE agency_id = $1 AND workflow_id = $2 AND shape IN (";
            let mut sql = self.store.within(&tx, text).bind(agency).bind(workflow.as_uuid());
            sql.push_list(shapes.iter().map(|shape| Value::from((*shape).clone())));
            sql.push(") RETURNING pattern_id");
            for mut row in sql.all().await? {
                owners.insert(row.take()?);
            }
        }
        for id in owners {
            let deleted = self
                .store
                .within(
                    &tx,
                    "DELETE FROM patterns WHERE agency_id = $1 AND id = $2 AND NOT EXISTS (
                         SELECT 1 FROM pattern_shapes s WHERE s.agency_id = $1 AND s.pattern_id = $2)",
                )
                .bind(agency)
                .bind(id)
                .run()
                .await?;
            if deleted == 1 {
                for text in [
                    "DELETE FROM pattern_days WHERE agency_id = $1 AND pattern_id = $2",
                    "DELETE FROM pattern_drafts WHERE agency_id = $1 AND pattern_id = $2",
                    "DELETE FROM pattern_recounts WHERE agency_id = $1 AND pattern_id = $2",
                    "UPDATE patterns SET merged_into = NULL, merged_by = '' WHERE agency_id = $1 AND merged_into = $2",
                ] {
                    self.store.within(&tx, text).bind(agency).bind(id).run().await?;
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
