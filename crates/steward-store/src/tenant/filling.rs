//! Filling the queue: exceptions that have a pattern become items, and items follow what their runs and patterns do.
//!
//! Invariant: an exception is looked at once under each pattern that it has. Whoever marks it writes its item in the
//! same transaction, so of two processes at once one finds nothing left to do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{DatabaseTransaction, Value};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{AgencyId, ExceptionId, PatternId, RunId, WorkflowId};
use steward_core::queue::{ClosedBy, QueueItem};
use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use super::handoff::Arrived;
use super::queue::{Flow, Flows, flow};
use super::runs::{KEYS_AT_ONCE, RunKey};
use crate::sql::{Row, insert_many};
use crate::{Store, StoreError};

/// An exception that the queue has not looked at under the pattern that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToQueue {
    /// Its id.
    pub id: ExceptionId,
    /// Its pattern.
    pub pattern_id: PatternId,
    /// The run.
    pub run_id: RunId,
    /// The run's key.
    pub run_key: RunKey,
    /// The run's release; empty when not said.
    pub release: String,
    /// The sort.
    pub kind: ExceptionKind,
    /// The class of the error.
    pub class: String,
    /// The code.
    pub code: String,
    /// The tool.
    pub tool: String,
    /// What it says.
    pub message: String,
    /// When its run ended.
    pub ended_at: Timestamp,
}

/// An item that an exception becomes.
#[derive(Debug, Clone)]
pub struct FilledItem {
    /// The item; one that is there already keeps its times, its claim and whose it is.
    pub item: QueueItem,
    /// Whether it happened too long ago to enter; one that is there already stays.
    pub is_history: bool,
}

/// What one transaction of filling writes.
#[derive(Debug, Clone)]
pub struct QueueFill {
    /// Exceptions that were looked at, under the patterns that they had.
    pub seen: Vec<(ExceptionId, PatternId)>,
    /// The items that some of them become.
    pub items: Vec<FilledItem>,
    /// The time.
    pub now: Timestamp,
}

impl Store {
    /// Workflows with exceptions that the queue has not looked at, of all agencies, at most `limit`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_to_queue(&self, limit: u32) -> Result<Vec<(AgencyId, WorkflowId)>, StoreError> {
        let rows = self
            .read(format!(
                "SELECT DISTINCT agency_id, workflow_id FROM exceptions WHERE {UNSEEN} ORDER BY 1, 2 LIMIT $1"
            ))
            .bind(i64::from(limit))
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| Ok((AgencyId::from_uuid(row.take()?), WorkflowId::from_uuid(row.take()?))))
            .collect()
    }

    /// Agencies whose queue has to follow something: a pattern that was muted or no longer is, a run that was revised,
    /// an outcome that is to be corrected.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_queue_changes(&self) -> Result<Vec<AgencyId>, StoreError> {
        let rows = self
            .read(format!(
                "SELECT agency_id FROM patterns WHERE {MUTING}
                 UNION SELECT agency_id FROM queue_rechecks UNION SELECT agency_id FROM reviews WHERE reread ORDER BY 1"
            ))
            .all()
            .await?;
        rows.into_iter().map(|mut row| Ok(AgencyId::from_uuid(row.take()?))).collect()
    }
}

/// Exceptions that were not looked at under the pattern that they have; in the words of their index. Mining takes the
/// mark away with each pattern that it gives.
const UNSEEN: &str = "NOT is_queued AND pattern_id IS NOT NULL";
/// Patterns that were muted, or no longer are, since the queue looked; in the words of their index.
const MUTING: &str = "(state = 'muted') <> queue_muted";

impl AgencyStore {
    /// Exceptions of a workflow that the queue has not looked at, at most `limit`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_to_queue(&self, workflow: WorkflowId, limit: u32) -> Result<Vec<ToQueue>, StoreError> {
        let rows = self
            .read(format!(
                "SELECT id, pattern_id, run_id, run_key, release, kind, class, code, tool, message, ended_at
                 FROM exceptions WHERE agency_id = $1 AND workflow_id = $2 AND {UNSEEN} LIMIT $3"
            ))
            .bind(workflow.as_uuid())
            .bind(i64::from(limit))
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(ToQueue {
                    id: ExceptionId::from_uuid(row.take()?),
                    pattern_id: PatternId::from_uuid(row.take()?),
                    run_id: RunId::from_uuid(row.take()?),
                    run_key: row.take()?,
                    release: row.take()?,
                    kind: ExceptionKind::parse(&row.take::<String>()?)
                        .ok_or(StoreError::Corrupt { table: "exceptions", column: "kind" })?,
                    class: row.take()?,
                    code: row.take()?,
                    tool: row.take()?,
                    message: row.take()?,
                    ended_at: Timestamp(row.take()?),
                })
            })
            .collect()
    }

    /// Marks exceptions as looked at and writes the items that they become: all or nothing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn commit_fill(&self, fill: QueueFill) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        // The patterns first, in the order in which mining locks them: one that is muted meanwhile waits for this.
        let patterns: BTreeSet<Uuid> = fill.seen.iter().map(|(_, pattern)| pattern.as_uuid()).collect();
        let muted = self.find_muted(&tx, &patterns).await?;
        let marked = self.mark_seen(&tx, &fill.seen).await?;
        let items: Vec<FilledItem> =
            fill.items.into_iter().filter(|filled| marked.contains(&filled.item.id.as_uuid())).collect();
        let ids: Vec<Uuid> = items.iter().map(|filled| filled.item.id.as_uuid()).collect();
        let known = self.find_known(&tx, &ids).await?;
        let mut flows = Flows::new();
        let mut rows = Vec::new();
        let mut moved = Vec::new();
        let mut arrived = Vec::new();
        for FilledItem { mut item, is_history } in items {
            let is_muted = item.pattern_id.is_some_and(|id| muted.contains(&id.as_uuid()));
            let before = known.get(&item.id.as_uuid());
            match (before.map(|known| known.closed), is_muted) {
                (None, is_muted) if is_muted || is_history => continue,
                (None, _) => {
                    flow(&mut flows, item.workflow_id, item.arrived_at, Flow::Arrived, 1);
                    arrived.extend(Arrived::of(&item));
                }
                (Some(None), true) => {
                    (item.closed_at, item.closed_by) = (Some(fill.now), Some(ClosedBy::Muted));
                    flow(&mut flows, item.workflow_id, fill.now, Flow::Closed(ClosedBy::Muted), 1);
                }
                (Some(Some((at, ClosedBy::Gone | ClosedBy::Muted))), true) => {
                    (item.closed_at, item.closed_by) = (Some(at), Some(ClosedBy::Muted));
                }
                (Some(Some((_, ClosedBy::Gone | ClosedBy::Muted))), false) => {
                    flow(&mut flows, item.workflow_id, fill.now, Flow::Back, 1);
                }
                (Some(Some((at, ClosedBy::Review))), _) => {
                    (item.closed_at, item.closed_by) = (Some(at), Some(ClosedBy::Review));
                }
                (Some(None), false) => {}
            }
            if before.is_some_and(|known| known.pattern != item.pattern_id) {
                moved.push(item.id.as_uuid());
            }
            rows.push(self.item_values(&item, fill.now));
        }
        insert_many(&tx, self.store.backend, "queue_items", COLUMNS, rows, &upsert_tail()).await?;
        self.move_reviews(&tx, &moved).await?;
        self.count_flows(&tx, &flows).await?;
        self.record_deliveries(&tx, &arrived, fill.now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts items of another origin into the queue, in the transaction that makes them. Those that are there already
    /// stay as they are. Gives how many there were not.
    pub(super) async fn write_new_items(
        &self,
        tx: &DatabaseTransaction,
        items: &[QueueItem],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let ids: Vec<Uuid> = items.iter().map(|item| item.id.as_uuid()).collect();
        let known = self.find_known(tx, &ids).await?;
        let mut flows = Flows::new();
        let new = items.iter().filter(|item| !known.contains_key(&item.id.as_uuid()));
        let rows: Vec<_> = new
            .inspect(|item| flow(&mut flows, item.workflow_id, item.arrived_at, Flow::Arrived, 1))
            .map(|item| self.item_values(item, now))
            .collect();
        let n = rows.len() as u64;
        let tail = "ON CONFLICT (agency_id, id) DO NOTHING";
        if insert_many(tx, self.store.backend, "queue_items", COLUMNS, rows, tail).await? != n {
            return Err(StoreError::Outrun);
        }
        self.count_flows(tx, &flows).await?;
        Ok(n)
    }

    /// Closes what waits of patterns that were muted, and opens again what muting closed of those that no longer are.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn follow_muting(&self, now: Timestamp) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let tx = self.store.begin_write().await?;
        let text = format!(
            "UPDATE patterns SET queue_muted = (state = 'muted') WHERE agency_id = $1 AND {MUTING}
             RETURNING id, queue_muted"
        );
        let mut flows = Flows::new();
        let mut n = 0;
        for mut row in self.store.within(&tx, text).bind(agency).all().await? {
            let (pattern, muted): (Uuid, bool) = (row.take()?, row.take()?);
            let mut sql = self.store.within(&tx, "UPDATE queue_items SET ").bind(agency).bind(pattern);
            let what = if muted {
                let now = sql.placeholder(now.0);
                sql.push(&format!("closed_at = {now}, closed_by = 'muted'"));
                Flow::Closed(ClosedBy::Muted)
            } else {
                sql.push("closed_at = NULL, closed_by = NULL");
                Flow::Back
            };
            sql.push(" WHERE agency_id = $1 AND pattern_id = $2 AND ");
            sql.push(if muted { "closed_at IS NULL" } else { "closed_by = 'muted'" });
            sql.push(" RETURNING workflow_id");
            for mut row in sql.all().await? {
                flow(&mut flows, WorkflowId::from_uuid(row.take()?), now, what, 1);
                n += 1;
            }
        }
        self.count_flows(&tx, &flows).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// Closes items whose exceptions some revised runs no longer have, and those of samples whose runs are no longer
    /// claimed completed; these wait again when they are. Runs that have not ended again, or whose outcome a review is
    /// still to correct, are left for later. Gives how many runs were looked at.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn follow_revisions(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let tx = self.store.begin_write().await?;
        let rows = self
            .store
            .within(
                &tx,
                "DELETE FROM queue_rechecks WHERE agency_id = $1 AND run_id IN (
                     SELECT c.run_id FROM queue_rechecks c
                     LEFT JOIN runs r ON r.agency_id = c.agency_id AND r.id = c.run_id
                     WHERE c.agency_id = $1 AND (r.id IS NULL OR r.finished)
                         AND NOT EXISTS (SELECT 1 FROM reviews v
                             WHERE v.agency_id = c.agency_id AND v.run_id = c.run_id AND v.reread)
                     LIMIT $2) RETURNING run_id",
            )
            .bind(agency)
            .bind(i64::from(limit))
            .all()
            .await?;
        let runs: Vec<Uuid> = rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?;
        let mut flows = Flows::new();
        for ids in runs.chunks(KEYS_AT_ONCE) {
            self.follow_samples(&tx, ids).await?;
            self.follow_gone_samples(&tx, ids, now, &mut flows).await?;
            for was_open in [false, true] {
                let mut sql = self.store.within(&tx, "UPDATE queue_items SET closed_by = 'gone'").bind(agency);
                if was_open {
                    let now = sql.placeholder(now.0);
                    sql.push(&format!(", closed_at = {now}"));
                }
                sql.push(" WHERE agency_id = $1 AND ");
                sql.push(if was_open { "closed_at IS NULL" } else { "closed_by = 'muted'" });
                sql.push(
                    " AND kind = 'exception' AND NOT EXISTS (SELECT 1 FROM exceptions e
                          WHERE e.agency_id = queue_items.agency_id AND e.id = queue_items.id) AND run_id IN (",
                );
                sql.push_list(ids.iter().map(|id| Value::from(*id)));
                sql.push(") RETURNING workflow_id");
                for mut row in sql.all().await? {
                    let workflow = WorkflowId::from_uuid(row.take()?);
                    flow(&mut flows, workflow, now, Flow::Closed(ClosedBy::Gone), i64::from(was_open));
                }
            }
        }
        self.count_flows(&tx, &flows).await?;
        tx.commit().await?;
        Ok(runs.len() as u64)
    }

    /// Closes the items of samples that are gone, and opens those of samples that are back.
    async fn follow_gone_samples(
        &self,
        tx: &DatabaseTransaction,
        runs: &[Uuid],
        now: Timestamp,
        flows: &mut Flows,
    ) -> Result<(), StoreError> {
        let gone = ("closed_at = $2, closed_by = 'gone'", "closed_at IS NULL", true, Flow::Closed(ClosedBy::Gone));
        let back = ("closed_at = NULL, closed_by = NULL", "closed_by = 'gone' AND closed_at <= $2", false, Flow::Back);
        for (set, which, is_gone, what) in [gone, back] {
            let mut sql = self
                .store
                .within(
                    tx,
                    format!(
                        "UPDATE queue_items SET {set} WHERE agency_id = $1 AND kind = 'sample' AND {which}
                         AND EXISTS (SELECT 1 FROM samples s WHERE s.agency_id = queue_items.agency_id
                             AND s.id = queue_items.id AND s.is_gone = $3) AND run_id IN ("
                    ),
                )
                .bind(self.agency_id().as_uuid())
                .bind(now.0)
                .bind(is_gone);
            sql.push_list(runs.iter().map(|id| Value::from(*id)));
            sql.push(") RETURNING workflow_id");
            for mut row in sql.all().await? {
                flow(flows, WorkflowId::from_uuid(row.take()?), now, what, 1);
            }
        }
        Ok(())
    }

    /// Marks runs that are revised: their items are compared with what they have then.
    pub(super) async fn mark_rechecks(&self, tx: &DatabaseTransaction, run_ids: &[Uuid]) -> Result<(), StoreError> {
        let mut sql = self
            .store
            .within(
                tx,
                "INSERT INTO queue_rechecks (agency_id, run_id)
                 SELECT DISTINCT agency_id, run_id FROM exceptions
                 WHERE agency_id = $1 AND run_id IN (",
            )
            .bind(self.agency_id().as_uuid());
        sql.push_list(run_ids.iter().map(|id| Value::from(*id)));
        // Written anew where it is there: whoever follows revisions then waits for this one.
        sql.push(") ON CONFLICT (agency_id, run_id) DO UPDATE SET run_id = excluded.run_id");
        sql.run().await.map(|_| ())
    }

    /// Which of some patterns are muted. They stay so until the transaction ends.
    async fn find_muted(&self, tx: &DatabaseTransaction, ids: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().copied().collect();
        let mut muted = BTreeSet::new();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(tx, "SELECT id, state FROM patterns WHERE agency_id = $1 AND id IN (")
                .bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(if self.store.is_sqlite() { ")" } else { ") ORDER BY id FOR SHARE" });
            for mut row in sql.all().await? {
                let (id, state): (Uuid, String) = (row.take()?, row.take()?);
                if state == "muted" {
                    muted.insert(id);
                }
            }
        }
        Ok(muted)
    }

    /// Marks exceptions as looked at. Gives those that nobody else had marked and that have the pattern still.
    async fn mark_seen(
        &self,
        tx: &DatabaseTransaction,
        seen: &[(ExceptionId, PatternId)],
    ) -> Result<BTreeSet<Uuid>, StoreError> {
        let mut marked = BTreeSet::new();
        let mut others = Vec::new();
        for chunk in seen.chunks(KEYS_AT_ONCE) {
            let read: HashMap<Uuid, Uuid> = chunk.iter().map(|(id, p)| (id.as_uuid(), p.as_uuid())).collect();
            let text = format!("UPDATE exceptions SET is_queued = TRUE WHERE agency_id = $1 AND {UNSEEN} AND id IN (");
            let mut sql = self.store.within(tx, text).bind(self.agency_id().as_uuid());
            sql.push_list(chunk.iter().map(|(id, _)| Value::from(id.as_uuid())));
            sql.push(") RETURNING id, pattern_id");
            for mut row in sql.all().await? {
                let (id, pattern): (Uuid, Uuid) = (row.take()?, row.take()?);
                if read.get(&id) == Some(&pattern) {
                    marked.insert(id);
                } else {
                    others.push(id);
                }
            }
        }
        // One that changed its pattern since it was read is left for the next time.
        for ids in others.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(tx, "UPDATE exceptions SET is_queued = FALSE WHERE agency_id = $1 AND id IN (")
                .bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(")");
            sql.run().await?;
        }
        Ok(marked)
    }

    /// What is there already of some items.
    async fn find_known(
        &self,
        tx: &DatabaseTransaction,
        ids: &[Uuid],
    ) -> Result<BTreeMap<Uuid, KnownItem>, StoreError> {
        let mut known = BTreeMap::new();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(
                    tx,
                    "SELECT id, pattern_id, closed_at, closed_by FROM queue_items WHERE agency_id = $1 AND id IN (",
                )
                .bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(if self.store.is_sqlite() { ")" } else { ") ORDER BY id FOR UPDATE" });
            for row in sql.all().await? {
                let (id, item) = read_known(row)?;
                known.insert(id, item);
            }
        }
        Ok(known)
    }

    /// Reviews go with their items to another pattern.
    async fn move_reviews(&self, tx: &DatabaseTransaction, items: &[Uuid]) -> Result<(), StoreError> {
        for ids in items.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(
                    tx,
                    "UPDATE reviews SET pattern_id = (SELECT q.pattern_id FROM queue_items q
                         WHERE q.agency_id = reviews.agency_id AND q.id = reviews.item_id)
                     WHERE agency_id = $1 AND item_id IN (",
                )
                .bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(")");
            sql.run().await?;
        }
        Ok(())
    }

    fn item_values(&self, item: &QueueItem, now: Timestamp) -> Vec<Value> {
        vec![
            self.agency_id().as_uuid().into(),
            item.id.as_uuid().into(),
            item.kind.as_str().into(),
            item.workflow_id.as_uuid().into(),
            item.run_id.as_uuid().into(),
            item.run_key.clone().into(),
            item.release.clone().into(),
            item.pattern_id.map(PatternId::as_uuid).into(),
            item.exception_kind.map(|kind| kind.as_str().to_owned()).into(),
            item.class.clone().into(),
            item.tool.clone().into(),
            item.message.clone().into(),
            item.arrived_at.0.into(),
            now.0.into(),
            item.due_at.0.into(),
            item.value_nanos.map(|nanos| nanos.0).into(),
            item.rank.into(),
            item.assignee.map(steward_core::ids::PersonId::as_uuid).into(),
            item.closed_at.map(|at| at.0).into(),
            item.closed_by.map(|by| by.as_str().to_owned()).into(),
        ]
    }
}

/// What is there already of an item.
struct KnownItem {
    pattern: Option<PatternId>,
    closed: Option<(Timestamp, ClosedBy)>,
}

fn read_known(mut row: Row) -> Result<(Uuid, KnownItem), StoreError> {
    let id = row.take()?;
    let pattern = row.take::<Option<Uuid>>()?.map(PatternId::from_uuid);
    let at = row.take::<Option<i64>>()?.map(Timestamp);
    let by = super::queue::read_word(
        &mut row,
        ClosedBy::parse,
        StoreError::Corrupt { table: "queue_items", column: "closed_by" },
    )?;
    Ok((id, KnownItem { pattern, closed: at.zip(by) }))
}

const COLUMNS: &[&str] = &[
    "agency_id",
    "id",
    "kind",
    "workflow_id",
    "run_id",
    "run_key",
    "release",
    "pattern_id",
    "exception_kind",
    "class",
    "tool",
    "message",
    "arrived_at",
    "queued_at",
    "due_at",
    "value_nanos",
    "rank",
    "assignee_id",
    "closed_at",
    "closed_by",
];

/// On an item that is there already, what its run says is written anew, and whether it waits. Its times, its value,
/// its claim and whose it is stay.
fn upsert_tail() -> String {
    let set = [
        "workflow_id",
        "run_id",
        "run_key",
        "release",
        "pattern_id",
        "exception_kind",
        "class",
        "tool",
        "message",
        "closed_at",
        "closed_by",
    ]
    .map(|column| format!("{column} = excluded.{column}"));
    format!("ON CONFLICT (agency_id, id) DO UPDATE SET {}", set.join(", "))
}
