//! The queue: what waits for a person, one row each.
//!
//! A row is never deleted while its run is kept: what no longer waits is closed, and opened again where it comes back.
//! So claims, assignments and reviews outlive a rebuild.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{ItemId, PatternId, PersonId, ReviewId, RunId, WorkflowId};
use steward_core::money::Nanos;
use steward_core::queue::{Claim, ClosedBy, ItemKind, QueueItem, QueueRule};
use steward_core::time::{HOUR_MICROS, Period, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::exceptions::push_workflows;
use super::runs::KEYS_AT_ONCE;
use crate::StoreError;
use crate::sql::{Row, Sql, insert_many};

/// Whose items a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those that are assigned to nobody.
    Nobody,
    /// Those of one person.
    Of(PersonId),
    /// Those of one person, and those of nobody.
    OfOrNobody(PersonId),
}

/// Which open items a list shows. Everything that is `None` does not limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueFilter {
    /// Only those of these workflows; an empty list shows none, `None` shows all.
    pub workflows: Option<Vec<WorkflowId>>,
    /// Only those of this pattern.
    pub pattern: Option<PatternId>,
    /// Only exceptions, or only samples.
    pub kind: Option<ItemKind>,
    /// Only exceptions of this sort.
    pub exception_kind: Option<ExceptionKind>,
    /// Only errors of this class.
    pub class: Option<String>,
    /// Only those of this tool.
    pub tool: Option<String>,
    /// Only those that have waited since before this instant.
    pub arrived_before: Option<Timestamp>,
    /// Only those that are due before this instant.
    pub due_before: Option<Timestamp>,
    /// Only those with at least so much at stake, in nano-units of the client's currency.
    pub least_value_nanos: Option<Nanos>,
    /// Only those of somebody, or of nobody.
    pub assignee: Option<Whose>,
    /// Only those that this person holds, as of an instant.
    pub held_by: Option<(PersonId, Timestamp)>,
}

/// In which order a list shows items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QueueSort {
    /// What waiting costs most, first.
    #[default]
    Rank,
    /// What is due first, first.
    Due,
    /// What has waited longest, first.
    Arrived,
}

impl QueueSort {
    /// Its column, its direction, and what lies behind a value.
    const fn order(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Rank => ("rank", "DESC", "<"),
            Self::Due => ("due_at", "ASC", ">"),
            Self::Arrived => ("arrived_at", "ASC", ">"),
        }
    }

    /// The value that an item is sorted by.
    #[must_use]
    pub fn value(self, item: &QueueItem) -> i64 {
        match self {
            Self::Rank => item.rank,
            Self::Due => item.due_at.0,
            Self::Arrived => item.arrived_at.0,
        }
    }
}

/// Where a list goes on: behind an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCursor {
    /// The value that the list is sorted by.
    pub value: i64,
    /// The item's id.
    pub id: ItemId,
}

impl QueueCursor {
    /// The cursor behind an item.
    #[must_use]
    pub fn behind(item: &QueueItem, sort: QueueSort) -> Self {
        Self { value: sort.value(item), id: item.id }
    }
}

const COLUMNS: &[&str] = &[
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
    "due_at",
    "value_nanos",
    "rank",
    "assignee_id",
    "claimed_by",
    "claimed_name",
    "claimed_at",
    "claim_until",
    "active_ms",
    "closed_at",
    "closed_by",
    "review_id",
];

fn columns(of: &str) -> String {
    COLUMNS.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ")
}

fn read_item(row: &mut Row) -> Result<QueueItem, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "queue_items", column };
    Ok(QueueItem {
        id: ItemId::from_uuid(row.take()?),
        kind: ItemKind::parse(&row.take::<String>()?).ok_or(corrupt("kind"))?,
        workflow_id: WorkflowId::from_uuid(row.take()?),
        run_id: RunId::from_uuid(row.take()?),
        run_key: row.take()?,
        release: row.take()?,
        pattern_id: row.take::<Option<Uuid>>()?.map(PatternId::from_uuid),
        exception_kind: read_word(row, ExceptionKind::parse, corrupt("exception_kind"))?,
        class: row.take()?,
        tool: row.take()?,
        message: row.take()?,
        arrived_at: Timestamp(row.take()?),
        due_at: Timestamp(row.take()?),
        value_nanos: row.take::<Option<i64>>()?.map(Nanos),
        rank: row.take()?,
        assignee: row.take::<Option<Uuid>>()?.map(PersonId::from_uuid),
        claim: read_claim(row)?,
        closed_at: row.take::<Option<i64>>()?.map(Timestamp),
        closed_by: read_word(row, ClosedBy::parse, corrupt("closed_by"))?,
        review_id: row.take::<Option<Uuid>>()?.map(ReviewId::from_uuid),
    })
}

fn read_claim(row: &mut Row) -> Result<Option<Claim>, StoreError> {
    let (person, name): (Option<Uuid>, Option<String>) = (row.take()?, row.take()?);
    let (at, until): (Option<i64>, Option<i64>) = (row.take()?, row.take()?);
    let active_ms = row.take()?;
    Ok(person.zip(at).zip(until).map(|((person, at), until)| Claim {
        person_id: PersonId::from_uuid(person),
        person: name.unwrap_or_default(),
        at: Timestamp(at),
        until: Timestamp(until),
        active_ms,
    }))
}

/// Reads a word that may be missing.
pub(super) fn read_word<T>(
    row: &mut Row,
    parse: impl Fn(&str) -> Option<T>,
    corrupt: StoreError,
) -> Result<Option<T>, StoreError> {
    match row.take::<Option<String>>()? {
        None => Ok(None),
        Some(word) => parse(&word).map(Some).ok_or(corrupt),
    }
}

fn push_filter<C: ConnectionTrait>(sql: &mut Sql<'_, C>, filter: &QueueFilter) {
    let and = |sql: &mut Sql<'_, C>, text: &str, value: Value| {
        let placeholder = sql.placeholder(value);
        sql.push(" AND ");
        sql.push(&text.replace('?', &placeholder));
    };
    push_workflows(sql, "workflow_id", filter.workflows.as_deref());
    if let Some(id) = filter.pattern {
        and(sql, "pattern_id = ?", id.as_uuid().into());
    }
    if let Some(kind) = filter.kind {
        and(sql, "kind = ?", kind.as_str().into());
    }
    if let Some(kind) = filter.exception_kind {
        and(sql, "exception_kind = ?", kind.as_str().into());
    }
    for (column, word) in [("class", &filter.class), ("tool", &filter.tool)] {
        if let Some(word) = word {
            and(sql, &format!("{column} = ?"), word.clone().into());
        }
    }
    if let Some(at) = filter.arrived_before {
        and(sql, "arrived_at < ?", at.0.into());
    }
    if let Some(at) = filter.due_before {
        and(sql, "due_at < ?", at.0.into());
    }
    if let Some(least) = filter.least_value_nanos {
        and(sql, "value_nanos >= ?", least.0.into());
    }
    match filter.assignee {
        None => {}
        Some(Whose::Nobody) => sql.push(" AND assignee_id IS NULL"),
        Some(Whose::Of(person)) => and(sql, "assignee_id = ?", person.as_uuid().into()),
        Some(Whose::OfOrNobody(person)) => {
            and(sql, "(assignee_id IS NULL OR assignee_id = ?)", person.as_uuid().into());
        }
    }
    if let Some((person, now)) = filter.held_by {
        and(sql, "claimed_by = ?", person.as_uuid().into());
        and(sql, "claim_until > ?", now.0.into());
    }
}

/// Every item is due some time. Said where whole queues are counted, so that it is done in the index of what is open:
/// without it, SQLite reads the table.
const COUNTED_BY_DUE: &str = " AND due_at >= 0";

impl QueueFilter {
    /// What the items are put in order by. Of one pattern or person there are few: they are better looked up and sorted
    /// than come upon in an order of all, which a sum keeps the planner from using.
    fn order_by(&self, sort: QueueSort, column: &str) -> String {
        let are_few = self.pattern.is_some() || matches!(self.assignee, Some(Whose::Of(_)));
        if are_few && sort != QueueSort::Rank { format!("{column} + 0") } else { column.to_owned() }
    }
}

/// A claim to make or to keep.
#[derive(Debug, Clone)]
pub struct NewClaim {
    /// Who.
    pub person_id: PersonId,
    /// Their name.
    pub person: String,
    /// The time.
    pub now: Timestamp,
    /// Until when nobody else can take it.
    pub until: Timestamp,
}

impl AgencyStore {
    /// Lists open items, at most `limit`, from behind a cursor.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_queue(
        &self,
        filter: &QueueFilter,
        sort: QueueSort,
        behind: Option<QueueCursor>,
        limit: u32,
    ) -> Result<Vec<QueueItem>, StoreError> {
        let (column, direction, past) = sort.order();
        // What is shown is chosen from narrow rows; only of these are the wide ones read.
        let mut sql = self.read(format!(
            "SELECT {} FROM (SELECT id, {column} AS place FROM queue_items WHERE agency_id = $1 AND closed_at IS NULL",
            columns("q")
        ));
        push_filter(&mut sql, filter);
        if let Some(cursor) = behind {
            let at = sql.placeholder(cursor.value);
            let id = sql.placeholder(cursor.id.as_uuid());
            sql.push(&format!(" AND {column} {past}= {at} AND ({column} {past} {at} OR id {past} {id})"));
        }
        let limit = sql.placeholder(i64::from(limit));
        let by = filter.order_by(sort, column);
        sql.push(&format!(
            " ORDER BY {by} {direction}, id {direction} LIMIT {limit}) AS t
             JOIN queue_items q ON q.agency_id = $1 AND q.id = t.id ORDER BY t.place {direction}, t.id {direction}"
        ));
        sql.all().await?.into_iter().map(|mut row| read_item(&mut row)).collect()
    }

    /// Counts open items, up to `most`: at `most` there may be more.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_queue(&self, filter: &QueueFilter, most: u32) -> Result<u64, StoreError> {
        let mut sql =
            self.read("SELECT COUNT(*) FROM (SELECT 1 FROM queue_items WHERE agency_id = $1 AND closed_at IS NULL");
        if filter.workflows.is_none() && filter.pattern.is_none() && filter.assignee.is_none() {
            sql.push(COUNTED_BY_DUE);
        }
        push_filter(&mut sql, filter);
        let most = sql.placeholder(i64::from(most));
        sql.push(&format!(" LIMIT {most}) AS found"));
        let n: i64 = match sql.first().await? {
            Some(mut row) => row.take()?,
            None => 0,
        };
        Ok(n.unsigned_abs())
    }

    /// Finds items by id, open or closed. Those that are not there are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_queue_items(&self, ids: &[ItemId]) -> Result<Vec<QueueItem>, StoreError> {
        let mut found = Vec::new();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let mut sql =
                self.read(format!("SELECT {} FROM queue_items q WHERE q.agency_id = $1 AND q.id IN (", columns("q")));
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            for mut row in sql.all().await? {
                found.push(read_item(&mut row)?);
            }
        }
        Ok(found)
    }

    /// Finds an item. `None` when the agency has no such item.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_queue_item(&self, id: ItemId) -> Result<Option<QueueItem>, StoreError> {
        Ok(self.find_queue_items(&[id]).await?.pop())
    }

    /// Claims an open item, unless somebody else holds it; whoever holds it already holds it longer. Gives whether the
    /// item is theirs now.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn claim_queue_item(&self, id: ItemId, claim: &NewClaim) -> Result<bool, StoreError> {
        let mut sql = self.write(format!("UPDATE queue_items SET {CLAIM}")).bind_all(claim_values(claim));
        let id = sql.placeholder(id.as_uuid());
        sql.push(&format!(
            " WHERE agency_id = $1 AND id = {id} AND closed_at IS NULL
              AND (claimed_by IS NULL OR claim_until <= $4 OR claimed_by = $2)"
        ));
        Ok(sql.run().await? == 1)
    }

    /// Claims the first open item of an order that nobody holds. `None` when there is none.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn claim_next_queue_item(
        &self,
        filter: &QueueFilter,
        sort: QueueSort,
        claim: &NewClaim,
    ) -> Result<Option<QueueItem>, StoreError> {
        let (column, direction, _) = sort.order();
        let mut sql = self
            .write(format!(
                "UPDATE queue_items SET {CLAIM} WHERE agency_id = $1 AND id = (
                     SELECT id FROM queue_items WHERE agency_id = $1 AND closed_at IS NULL
                     AND (claimed_by IS NULL OR claim_until <= $4)"
            ))
            .bind_all(claim_values(claim));
        push_filter(&mut sql, filter);
        let lock = if self.store.is_sqlite() { "" } else { "FOR UPDATE SKIP LOCKED" };
        let by = filter.order_by(sort, column);
        sql.push(&format!(
            " ORDER BY {by} {direction}, id {direction} LIMIT 1 {lock}) RETURNING {}",
            COLUMNS.join(", ")
        ));
        sql.first().await?.map(|mut row| read_item(&mut row)).transpose()
    }

    /// Holds a claim longer and adds active time to it, no more than has passed since the last sign of life. Gives
    /// whether the person still has it.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn keep_claim(&self, id: ItemId, claim: &NewClaim, active_ms: i64) -> Result<bool, StoreError> {
        let passed = "($4 - COALESCE(kept_at, claimed_at, $4)) / 1000";
        let changed = self
            .write(format!(
                "UPDATE queue_items SET claim_until = $5, kept_at = $4, active_ms = CASE
                         WHEN $6 = 0 THEN active_ms
                         WHEN $6 < {passed} THEN COALESCE(active_ms, 0) + $6
                         ELSE COALESCE(active_ms, 0) + {passed} END
                 WHERE agency_id = $1 AND id = $2 AND claimed_by = $3 AND closed_at IS NULL"
            ))
            .bind(id.as_uuid())
            .bind(claim.person_id.as_uuid())
            .bind(claim.now.0)
            .bind(claim.until.0)
            .bind(active_ms)
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Gives an item back. Gives whether the person had it.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn release_queue_item(&self, id: ItemId, person: PersonId) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "UPDATE queue_items SET claimed_by = NULL, claimed_name = NULL, claimed_at = NULL, claim_until = NULL,
                     kept_at = NULL, active_ms = NULL
                 WHERE agency_id = $1 AND id = $2 AND claimed_by = $3 AND closed_at IS NULL",
            )
            .bind(id.as_uuid())
            .bind(person.as_uuid())
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Makes open items of one person nobody's, those left out that lie in some workflows. Gives how many.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn unassign_queue_items(&self, of: PersonId, but: &[WorkflowId]) -> Result<u64, StoreError> {
        let text = "UPDATE queue_items SET assignee_id = NULL
                    WHERE agency_id = $1 AND assignee_id = $2 AND closed_at IS NULL";
        let mut sql = self.write(text).bind(of.as_uuid());
        if !but.is_empty() {
            sql.push(" AND workflow_id NOT IN (");
            sql.push_list(but.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
        }
        sql.run().await
    }

    /// Makes open items somebody's, or nobody's. Gives how many changed hands.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn assign_queue_items(&self, ids: &[ItemId], to: Option<PersonId>) -> Result<u64, StoreError> {
        let mut changed = 0;
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .write(
                    "UPDATE queue_items SET assignee_id = $2
                     WHERE agency_id = $1 AND closed_at IS NULL AND assignee_id IS DISTINCT FROM $2 AND id IN (",
                )
                .bind(to.map(PersonId::as_uuid));
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            changed += sql.run().await?;
        }
        Ok(changed)
    }

    /// The value at stake and the weight of what waits of some workflows changed: their items get a place anew.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn revalue_queue(&self, values: &[(WorkflowId, Option<Nanos>, i64)]) -> Result<u64, StoreError> {
        let mut changed = 0;
        for (workflow, value, weight) in values {
            changed += self
                .write(
                    "UPDATE queue_items SET value_nanos = $3, rank = $4 - due_at / 86400
                     WHERE agency_id = $1 AND workflow_id = $2 AND closed_at IS NULL
                     AND (value_nanos IS DISTINCT FROM $3 OR rank <> $4 - due_at / 86400)",
                )
                .bind(workflow.as_uuid())
                .bind(value.map(|nanos| nanos.0))
                .bind(*weight)
                .run()
                .await?;
        }
        Ok(changed)
    }

    /// The agency's rules of the queue; empty when it has none.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn list_queue_rules(&self) -> Result<Vec<QueueRule>, StoreError> {
        match self.read("SELECT rules FROM queue_rules WHERE agency_id = $1").first().await? {
            Some(mut row) => row.take_json("queue_rules", "rules"),
            None => Ok(Vec::new()),
        }
    }

    /// Replaces the agency's rules of the queue.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_queue_rules(&self, rules: &[QueueRule], now: Timestamp) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO queue_rules (agency_id, rules, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (agency_id) DO UPDATE SET rules = excluded.rules, changed_at = excluded.changed_at",
        )
        .bind(serde_json::to_string(rules).unwrap_or_default())
        .bind(now.0)
        .run()
        .await
        .map(|_| ())
    }

    /// How many items wait, how many of them past an instant, and since when the oldest and half of them.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_queue_ages(
        &self,
        workflows: Option<&[WorkflowId]>,
        now: Timestamp,
    ) -> Result<QueueAges, StoreError> {
        // Two ranges of one index, which is half the work of one count with a condition on each row.
        let count = async |range: &str| {
            let mut sql = self.read(format!(
                "SELECT COUNT(*) FROM queue_items WHERE agency_id = $1 AND closed_at IS NULL AND due_at {range} $2"
            ));
            sql = sql.bind(now.0);
            push_workflows(&mut sql, "workflow_id", workflows);
            let n: i64 = sql.first().await?.map_or(Ok(0), |mut row| row.take())?;
            Ok::<_, StoreError>(n.unsigned_abs())
        };
        let arrived = async |place: u64| {
            let mut sql = self.read("SELECT arrived_at FROM queue_items WHERE agency_id = $1 AND closed_at IS NULL");
            push_workflows(&mut sql, "workflow_id", workflows);
            let place = sql.placeholder(i64::try_from(place).unwrap_or(i64::MAX));
            sql.push(&format!(" ORDER BY arrived_at, id LIMIT 1 OFFSET {place}"));
            sql.first().await?.map(|mut row| row.take().map(Timestamp)).transpose()
        };
        let (overdue, later, oldest) = futures::try_join!(count("<"), count(">="), arrived(0))?;
        let open = overdue + later;
        // At the middle of an even number the older of the two, so that at least half wait so long.
        let median = arrived(open.saturating_sub(1) / 2).await?;
        Ok(QueueAges { open, overdue, oldest, median })
    }

    /// Since when the oldest exception waits. `None` when none does.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_oldest_waiting(&self, workflows: Option<&[WorkflowId]>) -> Result<Option<Timestamp>, StoreError> {
        let mut sql = self.read(
            "SELECT arrived_at FROM queue_items WHERE agency_id = $1 AND closed_at IS NULL AND kind = 'exception'",
        );
        push_workflows(&mut sql, "workflow_id", workflows);
        sql.push(" ORDER BY arrived_at, id LIMIT 1");
        sql.first().await?.map(|mut row| row.take().map(Timestamp)).transpose()
    }

    /// The patterns with the most that waits: how much, and since when the oldest does.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_queue_patterns(
        &self,
        workflows: Option<&[WorkflowId]>,
        limit: u32,
    ) -> Result<Vec<(PatternId, u64, Timestamp)>, StoreError> {
        let mut sql = self.read(
            "SELECT pattern_id, COUNT(*), MIN(arrived_at) FROM queue_items
             WHERE agency_id = $1 AND closed_at IS NULL AND pattern_id IS NOT NULL",
        );
        push_workflows(&mut sql, "workflow_id", workflows);
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" GROUP BY pattern_id ORDER BY 2 DESC, 1 LIMIT {limit}"));
        let rows = sql.all().await?;
        rows.into_iter()
            .map(|mut row| {
                let id = PatternId::from_uuid(row.take()?);
                Ok((id, row.take::<i64>()?.unsigned_abs(), Timestamp(row.take()?)))
            })
            .collect()
    }

    /// What came into the queue and left it by hour, in order of hour; hours with nothing in them are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_queue_flow(
        &self,
        workflows: Option<&[WorkflowId]>,
        period: Period,
    ) -> Result<Vec<(i32, Flow, i64)>, StoreError> {
        let mut sql = self
            .read(
                "SELECT hour, what, CAST(SUM(n) AS BIGINT) FROM queue_flow
                 WHERE agency_id = $1 AND hour >= $2 AND hour < $3",
            )
            .bind(period.start.hour())
            .bind(period.end.plus_micros(HOUR_MICROS - 1).hour());
        push_workflows(&mut sql, "workflow_id", workflows);
        sql.push(" GROUP BY hour, what ORDER BY hour, what");
        let rows = sql.all().await?;
        rows.into_iter()
            .map(|mut row| {
                let hour = row.take()?;
                let what = Flow::parse(&row.take::<String>()?)
                    .ok_or(StoreError::Corrupt { table: "queue_flow", column: "what" })?;
                Ok((hour, what, row.take()?))
            })
            .collect()
    }
}

/// How old what waits is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueAges {
    /// Items that wait.
    pub open: u64,
    /// Of those, past their due time.
    pub overdue: u64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
    /// Since when half of them wait at least.
    pub median: Option<Timestamp>,
}

/// How an item came into the queue or left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flow {
    /// It arrived; in the hour in which its run ended.
    Arrived,
    /// It waits again.
    Back,
    /// It was closed.
    Closed(ClosedBy),
}

impl Flow {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::Back => "back",
            Self::Closed(by) => by.as_str(),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "arrived" => Some(Self::Arrived),
            "back" => Some(Self::Back),
            _ => ClosedBy::parse(word).map(Self::Closed),
        }
    }
}

/// What came into the queue and left it: by workflow and hour, in the order in which writers lock them.
pub(super) type Flows = BTreeMap<(Uuid, i32, &'static str), i64>;

/// Adds to what came and went.
pub(super) fn flow(flows: &mut Flows, workflow: WorkflowId, at: Timestamp, what: Flow, n: i64) {
    *flows.entry((workflow.as_uuid(), at.hour(), what.as_str())).or_default() += n;
}

impl AgencyStore {
    /// Counts what came into the queue and left it, in the transaction in which it did.
    pub(super) async fn count_flows(&self, tx: &DatabaseTransaction, flows: &Flows) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        let rows = flows.iter().filter(|(_, n)| **n != 0).map(|((workflow, hour, what), n)| {
            vec![agency.into(), (*workflow).into(), (*hour).into(), (*what).into(), (*n).into()]
        });
        let columns = ["agency_id", "workflow_id", "hour", "what", "n"];
        let tail = "ON CONFLICT (agency_id, workflow_id, hour, what) DO UPDATE SET n = queue_flow.n + excluded.n";
        insert_many(tx, self.store.backend, "queue_flow", &columns, rows.collect(), tail).await.map(|_| ())
    }
}

/// What a claim sets; whoever has it already goes on with the time that was measured.
const CLAIM: &str = "claimed_at = CASE WHEN claimed_by = $2 THEN claimed_at ELSE $4 END,
    active_ms = CASE WHEN claimed_by = $2 THEN active_ms END,
    claimed_by = $2, claimed_name = $3, kept_at = $4, claim_until = $5";

fn claim_values(claim: &NewClaim) -> [Value; 4] {
    [claim.person_id.as_uuid().into(), claim.person.clone().into(), claim.now.0.into(), claim.until.0.into()]
}
