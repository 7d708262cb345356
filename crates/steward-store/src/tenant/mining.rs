//! Mining: exceptions get their patterns, and patterns their counts, in one transaction.
//!
//! Invariant: whoever changes the patterns of a workflow counts its version up in the same transaction, from the one
//! that was read. Of two that work on one workflow at once the second is undone and begins again.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DatabaseTransaction, Value};
use steward_core::ids::{AgencyId, ExceptionId, PatternId, WorkflowId};
use steward_core::patterns::Head;
use steward_core::time::{DAY_MICROS, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::exceptions::read_head;
use super::patterns::{self, PatternRow, read_pattern};
use super::runs::KEYS_AT_ONCE;
use crate::blob::{pack, unpack};
use crate::sql::{Row, insert_many};
use crate::{Store, StoreError};

/// An exception without a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToMine {
    /// Its id.
    pub id: ExceptionId,
    /// What must be the same in all of its pattern.
    pub head: Head,
    /// The key of head and message.
    pub text_key: String,
    /// What it says.
    pub message: String,
    /// When it happened.
    pub at: Timestamp,
    /// When its run began.
    pub started_at: Timestamp,
}

/// The pattern that a shape of message belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedShape {
    /// The key of its head.
    pub head: String,
    /// The head's key, a point, and the shape's own.
    pub shape: String,
    /// The pattern.
    pub pattern_id: PatternId,
    /// Whether a person said so.
    pub by_hand: bool,
}

/// What mining a workflow begins with.
#[derive(Debug, Clone, Default)]
pub struct Mining {
    /// The version of the workflow's patterns.
    pub version: i64,
    /// Exceptions without a pattern, the oldest runs first.
    pub to_mine: Vec<ToMine>,
    /// All patterns of the workflow.
    pub patterns: Vec<PatternRow>,
}

/// Exceptions that get a pattern.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The shape of their messages.
    pub shape: String,
    /// The pattern that shows them.
    pub pattern_id: PatternId,
    /// They, and the keys of what they said when they were read.
    pub exceptions: Vec<(ExceptionId, String)>,
}

/// Exceptions that go from one pattern to another.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Where they are.
    pub from: PatternId,
    /// Where they go.
    pub to: PatternId,
    /// Only those of these shapes; `None` is all.
    pub shapes: Option<Vec<String>>,
}

/// What a change of a workflow's patterns writes.
#[derive(Debug, Clone)]
pub struct MiningCommit {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The version that was read.
    pub version: i64,
    /// Patterns that are new or changed. Their counts are not looked at: they are counted.
    pub patterns: Vec<PatternRow>,
    /// Shapes that are new or belong to another pattern than before.
    pub shapes: Vec<OwnedShape>,
    /// What miners remember, by head.
    pub miners: Vec<(String, Vec<u8>)>,
    /// Exceptions that get a pattern.
    pub assigned: Vec<Assigned>,
    /// Exceptions that change theirs.
    pub moved: Vec<Moved>,
}

fn read_shape(mut row: Row) -> Result<OwnedShape, StoreError> {
    Ok(OwnedShape {
        head: row.take()?,
        shape: row.take()?,
        pattern_id: PatternId::from_uuid(row.take()?),
        by_hand: row.take()?,
    })
}

impl Store {
    /// Workflows that have something to mine or to count, of all agencies, at most `limit`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_to_mine(&self, limit: u32) -> Result<Vec<(AgencyId, WorkflowId)>, StoreError> {
        let rows = self
            .read(
                "SELECT agency_id, workflow_id FROM exceptions WHERE pattern_id IS NULL
                 UNION SELECT agency_id, workflow_id FROM pattern_recounts ORDER BY 1, 2 LIMIT $1",
            )
            .bind(i64::from(limit))
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| Ok((AgencyId::from_uuid(row.take()?), WorkflowId::from_uuid(row.take()?))))
            .collect()
    }
}

impl AgencyStore {
    /// Reads what mining a workflow begins with, and at most `limit` exceptions without a pattern.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_mining(&self, workflow: WorkflowId, limit: u32) -> Result<Mining, StoreError> {
        let id = workflow.as_uuid();
        // The version is read first: what is read behind it may be newer, and is then undone.
        let version = self
            .read("SELECT version FROM pattern_versions WHERE agency_id = $1 AND workflow_id = $2")
            .bind(id)
            .first()
            .await?;
        let mut mining = Mining {
            version: match version {
                Some(mut row) => row.take()?,
                None => 0,
            },
            ..Mining::default()
        };
        // A sum, so that the few without a pattern are looked up and sorted: in the order of an index, SQLite would go
        // through all exceptions of the workflow.
        let rows = self
            .read(
                "SELECT id, kind, stage, agent, tool, class, code, text_key, message, at, started_at FROM exceptions
                 WHERE agency_id = $1 AND workflow_id = $2 AND pattern_id IS NULL ORDER BY ended_at + 0, id LIMIT $3",
            )
            .bind(id)
            .bind(i64::from(limit))
            .all()
            .await?;
        for mut row in rows {
            mining.to_mine.push(ToMine {
                id: ExceptionId::from_uuid(row.take()?),
                head: read_head(&mut row, "exceptions")?,
                text_key: row.take()?,
                message: row.take()?,
                at: Timestamp(row.take()?),
                started_at: Timestamp(row.take()?),
            });
        }
        let text =
            format!("SELECT {} FROM patterns p WHERE p.agency_id = $1 AND p.workflow_id = $2", patterns::columns("p"));
        for mut row in self.read(text).bind(id).all().await? {
            mining.patterns.push(read_pattern(&mut row)?);
        }
        Ok(mining)
    }

    /// The shapes under some heads, with the patterns that they belong to.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_shapes(&self, workflow: WorkflowId, heads: &[String]) -> Result<Vec<OwnedShape>, StoreError> {
        let mut shapes = Vec::new();
        for heads in heads.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .read(
                    "SELECT head, shape, pattern_id, by_hand FROM pattern_shapes
                     WHERE agency_id = $1 AND workflow_id = $2 AND head IN (",
                )
                .bind(workflow.as_uuid());
            sql.push_list(heads.iter().map(|head| Value::from(head.clone())));
            sql.push(")");
            for row in sql.all().await? {
                shapes.push(read_shape(row)?);
            }
        }
        Ok(shapes)
    }

    /// The shapes that belong to some patterns.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_shapes_of(&self, patterns: &[PatternId]) -> Result<Vec<OwnedShape>, StoreError> {
        let mut shapes = Vec::new();
        for ids in patterns.chunks(KEYS_AT_ONCE) {
            let mut sql = self.read(
                "SELECT head, shape, pattern_id, by_hand FROM pattern_shapes WHERE agency_id = $1 AND pattern_id IN (",
            );
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            for row in sql.all().await? {
                shapes.push(read_shape(row)?);
            }
        }
        Ok(shapes)
    }

    /// All patterns of a workflow, and the version of them.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_versioned(&self, workflow: WorkflowId) -> Result<Mining, StoreError> {
        self.find_mining(workflow, 0).await
    }

    /// What miners remember of some heads; those of which nothing is remembered are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_miners(
        &self,
        workflow: WorkflowId,
        heads: &[String],
    ) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
        let mut found = BTreeMap::new();
        for heads in heads.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .read("SELECT head, state FROM pattern_miners WHERE agency_id = $1 AND workflow_id = $2 AND head IN (")
                .bind(workflow.as_uuid());
            sql.push_list(heads.iter().map(|head| Value::from(head.clone())));
            sql.push(")");
            for mut row in sql.all().await? {
                let head = row.take()?;
                let state = unpack(&row.take::<Vec<u8>>()?)
                    .ok_or(StoreError::Corrupt { table: "pattern_miners", column: "state" })?;
                found.insert(head, state);
            }
        }
        Ok(found)
    }

    /// Writes a change of a workflow's patterns, and counts anew what it touches: all or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Outrun`] when somebody else changed the patterns since they were read; nothing is written then.
    pub async fn commit_mining(&self, commit: MiningCommit) -> Result<(), StoreError> {
        let (agency, workflow) = (self.agency_id().as_uuid(), commit.workflow_id.as_uuid());
        let backend = self.store.backend;
        let pattern_rows = commit.patterns.iter().map(|pattern| patterns::values(agency, pattern)).collect();
        let shape_rows = commit.shapes.iter().map(|owned| {
            vec![
                agency.into(),
                workflow.into(),
                owned.head.clone().into(),
                owned.shape.clone().into(),
                owned.pattern_id.as_uuid().into(),
                owned.by_hand.into(),
            ]
        });
        let shape_rows = shape_rows.collect();
        let miners = commit.miners.into_iter();
        let miner_rows = miners
            .map(|(head, state)| vec![agency.into(), workflow.into(), head.into(), pack(&state).into()])
            .collect();

        let tx = self.store.begin_write().await?;
        self.next_version(&tx, commit.workflow_id, commit.version).await?;
        let columns = [&["agency_id", "head"], patterns::COLUMNS].concat();
        insert_many(&tx, backend, "patterns", &columns, pattern_rows, &pattern_tail()).await?;
        let columns = ["agency_id", "workflow_id", "head", "shape", "pattern_id", "by_hand"];
        let tail = "ON CONFLICT (agency_id, workflow_id, head, shape) DO UPDATE SET pattern_id = excluded.pattern_id, by_hand = excluded.by_hand";
        insert_many(&tx, backend, "pattern_shapes", &columns, shape_rows, tail).await?;
        let columns = ["agency_id", "workflow_id", "head", "state"];
        let tail = "ON CONFLICT (agency_id, workflow_id, head) DO UPDATE SET state = excluded.state";
        insert_many(&tx, backend, "pattern_miners", &columns, miner_rows, tail).await?;

        let mut days = self.take_recounts(&tx, commit.workflow_id).await?;
        for moved in &commit.moved {
            self.move_exceptions(&tx, moved, &mut days).await?;
        }
        for assigned in &commit.assigned {
            self.assign_exceptions(&tx, assigned, &mut days).await?;
        }
        self.count_days(&tx, &days).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets what was mined of a workflow, or of all, so that all of it is mined again. What people said stays, and
    /// so do patterns with their shapes, by which they are found again.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn reset_mining(&self, workflow: Option<WorkflowId>) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        for text in [
            "UPDATE pattern_versions SET version = version + 1 WHERE agency_id = $1",
            "DELETE FROM pattern_miners WHERE agency_id = $1",
            "UPDATE exceptions SET shape = NULL, pattern_id = NULL WHERE agency_id = $1 AND pattern_id IS NOT NULL",
        ] {
            let mut sql = self.store.within(&tx, text).bind(self.agency_id().as_uuid());
            if let Some(workflow) = workflow {
                let workflow = sql.placeholder(workflow.as_uuid());
                sql.push(&format!(" AND workflow_id = {workflow}"));
            }
            sql.run().await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Counts the version of a workflow's patterns up, from the one that was read.
    async fn next_version(&self, tx: &DatabaseTransaction, workflow: WorkflowId, read: i64) -> Result<(), StoreError> {
        let changed = self
            .store
            .within(
                tx,
                "INSERT INTO pattern_versions (agency_id, workflow_id, version) VALUES ($1, $2, $3)
                 ON CONFLICT (agency_id, workflow_id) DO UPDATE SET version = excluded.version
                 WHERE pattern_versions.version = excluded.version - 1",
            )
            .bind(self.agency_id().as_uuid())
            .bind(workflow.as_uuid())
            .bind(read + 1)
            .run()
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Outrun) }
    }

    /// Takes the days that are to be counted again.
    async fn take_recounts(&self, tx: &DatabaseTransaction, workflow: WorkflowId) -> Result<Days, StoreError> {
        let (agency, workflow) = (self.agency_id().as_uuid(), workflow.as_uuid());
        let rows = self
            .store
            .within(
                tx,
                "DELETE FROM pattern_recounts WHERE agency_id = $1 AND workflow_id = $2 RETURNING pattern_id, day",
            )
            .bind(agency)
            .bind(workflow)
            .all()
            .await?;
        rows.into_iter().map(|mut row| Ok((row.take()?, row.take::<i32>()?))).collect()
    }

    async fn move_exceptions(
        &self,
        tx: &DatabaseTransaction,
        moved: &Moved,
        days: &mut Days,
    ) -> Result<(), StoreError> {
        let chunks: Vec<Option<&[String]>> = match &moved.shapes {
            None => vec![None],
            Some(shapes) => shapes.chunks(KEYS_AT_ONCE).map(Some).collect(),
        };
        for shapes in chunks {
            let mut sql = self
                .store
                .within(
                    tx,
                    "UPDATE exceptions SET pattern_id = $3, is_queued = FALSE WHERE agency_id = $1 AND pattern_id = $2",
                )
                .bind(self.agency_id().as_uuid())
                .bind(moved.from.as_uuid())
                .bind(moved.to.as_uuid());
            if let Some(shapes) = shapes {
                sql.push(" AND shape IN (");
                sql.push_list(shapes.iter().map(|shape| Value::from(shape.clone())));
                sql.push(")");
            }
            sql.push(" RETURNING ended_at");
            for mut row in sql.all().await? {
                let day = day_of(row.take()?);
                days.insert((moved.from.as_uuid(), day));
                days.insert((moved.to.as_uuid(), day));
            }
        }
        Ok(())
    }

    async fn assign_exceptions(
        &self,
        tx: &DatabaseTransaction,
        assigned: &Assigned,
        days: &mut Days,
    ) -> Result<(), StoreError> {
        for exceptions in assigned.exceptions.chunks(KEYS_AT_ONCE) {
            // One that was revised meanwhile says something else: it is left for the next time. Compared with a word, so
            // that they are found by id: SQLite would go through all that have no pattern, for each pattern anew.
            let mut sql = self
                .store
                .within(
                    tx,
                    "UPDATE exceptions SET shape = $2, pattern_id = $3, is_queued = FALSE
                     WHERE agency_id = $1 AND (pattern_id IS NULL) = TRUE AND text_key IN (",
                )
                .bind(self.agency_id().as_uuid())
                .bind(assigned.shape.clone())
                .bind(assigned.pattern_id.as_uuid());
            let keys: BTreeSet<&String> = exceptions.iter().map(|(_, key)| key).collect();
            sql.push_list(keys.into_iter().map(|key| Value::from(key.clone())));
            sql.push(") AND id IN (");
            sql.push_list(exceptions.iter().map(|(id, _)| id.as_uuid().into()));
            sql.push(") RETURNING ended_at");
            for mut row in sql.all().await? {
                days.insert((assigned.pattern_id.as_uuid(), day_of(row.take()?)));
            }
        }
        Ok(())
    }

    /// Counts days of patterns anew from the exceptions, and adds the patterns' days up.
    async fn count_days(&self, tx: &DatabaseTransaction, days: &Days) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        let mut of_pattern: BTreeMap<Uuid, BTreeSet<i32>> = BTreeMap::new();
        for (pattern, day) in days {
            of_pattern.entry(*pattern).or_default().insert(*day);
        }
        let mut rows = Vec::new();
        for (pattern, days) in &of_pattern {
            let (Some(first), Some(last)) = (days.first(), days.last()) else { continue };
            let found = self
                .store
                .within(
                    tx,
                    "SELECT day, CAST(SUM(n) AS BIGINT), COUNT(*), CAST(SUM(wasted) AS BIGINT) FROM (
                         SELECT CAST(ended_at / 86400000000 AS INTEGER) AS day, run_id, COUNT(*) AS n, MAX(wasted_nanos) AS wasted
                         FROM exceptions WHERE agency_id = $1 AND pattern_id = $2 AND ended_at >= $3 AND ended_at < $4
                         GROUP BY 1, 2) AS runs
                     GROUP BY day",
                )
                .bind(agency)
                .bind(*pattern)
                .bind(i64::from(*first) * DAY_MICROS)
                .bind((i64::from(*last) + 1) * DAY_MICROS)
                .all()
                .await?;
            let mut counted: BTreeMap<i32, [i64; 3]> = BTreeMap::new();
            for mut row in found {
                let day: i32 = row.take()?;
                counted.insert(day, [row.take()?, row.take()?, row.take()?]);
            }
            for day in days {
                let [n, n_runs, wasted] = counted.get(day).copied().unwrap_or_default();
                rows.push(vec![
                    agency.into(),
                    (*pattern).into(),
                    (*day).into(),
                    n.into(),
                    n_runs.into(),
                    wasted.into(),
                ]);
            }
        }
        let columns = ["agency_id", "pattern_id", "day", "n", "n_runs", "wasted_nanos"];
        let tail = "ON CONFLICT (agency_id, pattern_id, day) DO UPDATE SET n = excluded.n, n_runs = excluded.n_runs, wasted_nanos = excluded.wasted_nanos";
        insert_many(tx, self.store.backend, "pattern_days", &columns, rows, tail).await?;
        let ids: Vec<Uuid> = of_pattern.into_keys().collect();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let sum = |column: &str| {
                format!(
                    "{column} = COALESCE((SELECT CAST(SUM(d.{column}) AS BIGINT) FROM pattern_days d
                     WHERE d.agency_id = patterns.agency_id AND d.pattern_id = patterns.id), 0)"
                )
            };
            let text = format!(
                "UPDATE patterns SET {}, {}, {} WHERE agency_id = $1 AND id IN (",
                sum("n"),
                sum("n_runs"),
                sum("wasted_nanos")
            );
            let mut sql = self.store.within(tx, text).bind(agency);
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(")");
            sql.run().await?;
        }
        Ok(())
    }
}

/// Patterns and days.
type Days = BTreeSet<(Uuid, i32)>;

fn day_of(ended_at: i64) -> i32 {
    i32::try_from(ended_at / DAY_MICROS).unwrap_or(i32::MAX)
}

/// On a pattern that is there already, what mining decides is written anew, and what people decide where it follows
/// from what was seen. Names and counts stay.
fn pattern_tail() -> String {
    let set = [
        "key",
        "template",
        "because",
        "first_seen",
        "last_seen",
        "regressed_at",
        "merged_into",
        "merged_by",
        "split_from",
    ]
    .map(|column| format!("{column} = excluded.{column}"));
    format!(
        "ON CONFLICT (agency_id, id) DO UPDATE SET {}, state = CASE
             WHEN excluded.state = 'regressed' AND patterns.state = 'resolved' THEN 'regressed' ELSE patterns.state END",
        set.join(", ")
    )
}
