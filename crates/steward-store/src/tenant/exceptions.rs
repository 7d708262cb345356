//! Exceptions: one row each, written in the transaction that writes the run.
//!
//! A revision replaces the rows of its run. One that says the same as before keeps its row and its pattern.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use steward_core::exceptions::{Exception, ExceptionKind};
use steward_core::ids::{AgencyId, ExceptionId, PatternId, RunId, WorkflowId};
use steward_core::outcome::Outcome;
use steward_core::patterns::Head;
use steward_core::run::RunFacts;
use steward_core::time::{Period, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::runs::{KEYS_AT_ONCE, NewRun, RunKey};
use crate::StoreError;
use crate::sql::{Row, Sql, insert_many};

/// An exception as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// Its id, which follows from its run and its key and so outlives a rebuild.
    pub id: ExceptionId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The run.
    pub run_id: RunId,
    /// The run's key.
    pub run_key: RunKey,
    /// Its key inside the run.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// When the run ended, by which it is counted.
    pub ended_at: Timestamp,
    /// What is the same in all of its pattern.
    pub head: Head,
    /// The step; empty when there is none.
    pub span_id: String,
    /// The model; empty when there was none.
    pub model: String,
    /// The release; empty when not said.
    pub release: String,
    /// What it says.
    pub message: String,
    /// What the run cost in nano-US-dollars, where the run did not do its job.
    pub wasted_nanos: i64,
    /// Its pattern; `None` until it is mined.
    pub pattern_id: Option<PatternId>,
}

const ROW_COLUMNS: &str = "id, workflow_id, run_id, run_key, key, at, ended_at, kind, stage, agent, tool, class, code, span_id, \
     model, release, message, wasted_nanos, pattern_id";

fn read_row(mut row: Row) -> Result<ExceptionRow, StoreError> {
    Ok(ExceptionRow {
        id: ExceptionId::from_uuid(row.take()?),
        workflow_id: WorkflowId::from_uuid(row.take()?),
        run_id: RunId::from_uuid(row.take()?),
        run_key: row.take()?,
        key: row.take()?,
        at: Timestamp(row.take()?),
        ended_at: Timestamp(row.take()?),
        head: read_head(&mut row, "exceptions")?,
        span_id: row.take()?,
        model: row.take()?,
        release: row.take()?,
        message: row.take()?,
        wasted_nanos: row.take()?,
        pattern_id: row.take::<Option<Uuid>>()?.map(PatternId::from_uuid),
    })
}

/// Reads kind, stage, agent, tool, class and code.
pub(super) fn read_head(row: &mut Row, table: &'static str) -> Result<Head, StoreError> {
    Ok(Head {
        kind: ExceptionKind::parse(&row.take::<String>()?).ok_or(StoreError::Corrupt { table, column: "kind" })?,
        stage: row.take()?,
        agent: row.take()?,
        tool: row.take()?,
        class: row.take()?,
        code: row.take()?,
    })
}

/// Which exceptions a list shows. Everything that is `None` does not limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExceptionFilter {
    /// Only those of these workflows; an empty list shows none, `None` shows all.
    pub workflows: Option<Vec<WorkflowId>>,
    /// Only those of runs that ended in this period.
    pub period: Option<Period>,
    /// Only those of this pattern.
    pub pattern: Option<PatternId>,
    /// Only those of this run.
    pub run: Option<RunId>,
    /// Only those of this sort.
    pub kind: Option<ExceptionKind>,
    /// Only those of this tool.
    pub tool: Option<String>,
    /// Only those of this class.
    pub class: Option<String>,
    /// Only those of runs of this release.
    pub release: Option<String>,
}

/// Where a list goes on: behind an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExceptionCursor {
    /// When its run ended.
    pub ended_at: Timestamp,
    /// Its id.
    pub id: ExceptionId,
}

fn push_filter<C: ConnectionTrait>(sql: &mut Sql<'_, C>, filter: &ExceptionFilter) {
    let and = |sql: &mut Sql<'_, C>, text: &str, value: Value| {
        let placeholder = sql.placeholder(value);
        sql.push(" AND ");
        sql.push(&text.replace('?', &placeholder));
    };
    push_workflows(sql, "workflow_id", filter.workflows.as_deref());
    if let Some(period) = filter.period {
        and(sql, "ended_at >= ?", period.start.0.into());
        and(sql, "ended_at < ?", period.end.0.into());
    }
    if let Some(id) = filter.pattern {
        and(sql, "pattern_id = ?", id.as_uuid().into());
    }
    if let Some(id) = filter.run {
        and(sql, "run_id = ?", id.as_uuid().into());
    }
    if let Some(kind) = filter.kind {
        and(sql, "kind = ?", kind.as_str().into());
    }
    for (column, word) in [("tool", &filter.tool), ("class", &filter.class), ("release", &filter.release)] {
        if let Some(word) = word {
            and(sql, &format!("{column} = ?"), word.clone().into());
        }
    }
}

/// Limits a column to workflows; an empty list finds nothing.
pub(super) fn push_workflows<C: ConnectionTrait>(sql: &mut Sql<'_, C>, column: &str, workflows: Option<&[WorkflowId]>) {
    match workflows {
        None => {}
        Some([]) => sql.push(" AND 1 = 0"),
        Some(many) => {
            sql.push(&format!(" AND {column} IN ("));
            sql.push_list(many.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
        }
    }
}

impl AgencyStore {
    /// Lists exceptions, the latest run first, at most `limit`, from behind a cursor.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_exceptions(
        &self,
        filter: &ExceptionFilter,
        behind: Option<ExceptionCursor>,
        limit: u32,
    ) -> Result<Vec<ExceptionRow>, StoreError> {
        let mut sql = self.read(format!("SELECT {ROW_COLUMNS} FROM exceptions WHERE agency_id = $1"));
        push_filter(&mut sql, filter);
        if let Some(cursor) = behind {
            let at = sql.placeholder(cursor.ended_at.0);
            let id = sql.placeholder(cursor.id.as_uuid());
            sql.push(&format!(" AND ended_at <= {at} AND (ended_at < {at} OR id < {id})"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY ended_at DESC, id DESC LIMIT {limit}"));
        sql.all().await?.into_iter().map(read_row).collect()
    }

    /// Finds an exception. `None` when the agency has no such exception.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_exception(&self, id: ExceptionId) -> Result<Option<ExceptionRow>, StoreError> {
        let text = format!("SELECT {ROW_COLUMNS} FROM exceptions WHERE agency_id = $1 AND id = $2");
        self.read(text).bind(id.as_uuid()).first().await?.map(read_row).transpose()
    }

    /// Counts runs with an exception that a filter finds, up to `most`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_exception_runs(&self, filter: &ExceptionFilter) -> Result<u64, StoreError> {
        let mut sql = self.read("SELECT COUNT(DISTINCT run_id) FROM exceptions WHERE agency_id = $1");
        push_filter(&mut sql, filter);
        let n: i64 = match sql.first().await? {
            Some(mut row) => row.take()?,
            None => 0,
        };
        Ok(n.unsigned_abs())
    }

    /// Writes the exceptions of runs that are written in the same transaction.
    pub(super) async fn write_exceptions(
        &self,
        tx: &DatabaseTransaction,
        rows: ExceptionRows,
    ) -> Result<(), StoreError> {
        for ids in rows.replaced.chunks(KEYS_AT_ONCE) {
            self.mark_recounts(tx, ids).await?;
            self.mark_rechecks(tx, ids).await?;
        }
        insert_many(tx, self.store.backend, "exceptions", COLUMNS, rows.rows, &upsert_tail()).await?;
        for ids in rows.replaced.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(tx, "DELETE FROM exceptions WHERE agency_id = $1 AND run_id IN (")
                .bind(self.agency_id().as_uuid());
            sql.push_list(ids.iter().map(|id| Value::from(*id)));
            sql.push(
                ") AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.agency_id = exceptions.agency_id
                   AND r.id = exceptions.run_id AND r.revision = exceptions.revision)",
            );
            sql.run().await?;
        }
        Ok(())
    }

    /// Marks the days of the patterns that some runs are counted in, to be counted again.
    async fn mark_recounts(&self, tx: &DatabaseTransaction, run_ids: &[Uuid]) -> Result<(), StoreError> {
        // Compared with a word, so that they are found by run: SQLite would go through all that have a pattern.
        let mut sql = self
            .store
            .within(
                tx,
                "INSERT INTO pattern_recounts (agency_id, workflow_id, pattern_id, day, run_id)
                 SELECT DISTINCT agency_id, workflow_id, pattern_id, CAST(ended_at / 86400000000 AS INTEGER), run_id
                 FROM exceptions WHERE agency_id = $1 AND (pattern_id IS NOT NULL) = TRUE AND run_id IN (",
            )
            .bind(self.agency_id().as_uuid());
        sql.push_list(run_ids.iter().map(|id| Value::from(*id)));
        sql.push(") ON CONFLICT DO NOTHING");
        sql.run().await.map(|_| ())
    }
}

/// The rows that the exceptions of runs become.
pub(super) struct ExceptionRows {
    /// Runs whose stored rows are replaced.
    replaced: Vec<Uuid>,
    rows: Vec<Vec<Value>>,
}

impl ExceptionRows {
    pub(super) fn of(agency: Uuid, runs: &[NewRun], removed: &[(RunId, i32)]) -> Self {
        let revised = runs.iter().filter(|run| run.had_exceptions).map(|run| run.id.as_uuid());
        let mut replaced: Vec<Uuid> = revised.chain(removed.iter().map(|(id, _)| id.as_uuid())).collect();
        replaced.sort_unstable();
        let mut rows = Vec::new();
        for run in runs.iter().filter(|run| counts(&run.facts)) {
            rows.extend(run.facts.exceptions.iter().map(|exception| values(agency, run, exception)));
        }
        Self { replaced, rows }
    }
}

/// Whether the exceptions of a run have rows: as with tallies, it has ended and is no test.
fn counts(facts: &RunFacts) -> bool {
    facts.finished && !facts.test
}

/// What a run cost for nothing, in nano-US-dollars: all that is known of it, unless it did its job.
fn wasted_nanos(facts: &RunFacts) -> i64 {
    match facts.outcome() {
        Outcome::Failed | Outcome::Escalated | Outcome::Abandoned => facts.known_cost_nanos.0,
        Outcome::Completed | Outcome::Unverified => 0,
    }
}

const COLUMNS: &[&str] = &[
    "agency_id",
    "id",
    "workflow_id",
    "run_id",
    "run_key",
    "key",
    "revision",
    "at",
    "started_at",
    "ended_at",
    "kind",
    "stage",
    "span_id",
    "agent",
    "tool",
    "model",
    "class",
    "code",
    "release",
    "message",
    "text_key",
    "wasted_nanos",
];

fn values(agency: Uuid, run: &NewRun, exception: &Exception) -> Vec<Value> {
    let (facts, head) = (&run.facts, Head::of(exception));
    let text_key = head.text_key(&exception.message);
    vec![
        agency.into(),
        exception.id(AgencyId::from_uuid(agency), &run.key).as_uuid().into(),
        run.workflow_id.as_uuid().into(),
        run.id.as_uuid().into(),
        run.key.clone().into(),
        exception.key.clone().into(),
        run.revision.into(),
        exception.at.0.into(),
        facts.started_at.0.into(),
        facts.ended_at.0.into(),
        exception.kind.as_str().into(),
        head.stage.into(),
        exception.span_id.clone().unwrap_or_default().into(),
        head.agent.into(),
        head.tool.into(),
        exception.model.clone().into(),
        head.class.into(),
        head.code.into(),
        facts.release.clone().into(),
        exception.message.clone().into(),
        text_key.into(),
        wasted_nanos(facts).into(),
    ]
}

/// On an exception that is there already, what it says is written anew; it keeps its pattern where that is the same.
fn upsert_tail() -> String {
    let same = "exceptions.text_key = excluded.text_key AND exceptions.workflow_id = excluded.workflow_id";
    let set: Vec<String> =
        COLUMNS.iter().filter(|c| !["agency_id", "id"].contains(c)).map(|c| format!("{c} = excluded.{c}")).collect();
    format!(
        "ON CONFLICT (agency_id, id) DO UPDATE SET {}, shape = CASE WHEN {same} THEN exceptions.shape END,
         pattern_id = CASE WHEN {same} THEN exceptions.pattern_id END,
         is_queued = CASE WHEN {same} THEN exceptions.is_queued ELSE FALSE END",
        set.join(", ")
    )
}
