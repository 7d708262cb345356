//! Runs: one slim row each, which lists read, and two blobs apart, which only a run's own page and a revision read.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde::{Deserialize, Serialize};
use steward_core::ids::{InboxId, RunId, WorkflowId};
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::run::RunFacts;
use steward_core::step::Step;
use steward_core::tallies::Tallies;
use steward_core::time::{Period, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::exceptions::ExceptionRows;
use super::handoff::HANDED;
use super::tallies;
use crate::blob::{pack_json, unpack_json};
use crate::sql::{Row, Sql, insert_many};
use crate::{Store, StoreError};

/// Keys that one statement looks up.
pub(super) const KEYS_AT_ONCE: usize = 500;
/// The most inbox entries that a run remembers as its raw payloads.
pub const MAX_INBOX_IDS: usize = 200;

/// A run's key: the trace or conversation, inside the workflow or the agency that the key of its sender is for.
pub type RunKey = String;

/// A run with its steps, as a revision needs it.
#[derive(Debug, Clone)]
pub struct StoredRun {
    /// Its id.
    pub id: RunId,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// Its key.
    pub key: RunKey,
    /// How often it was written.
    pub revision: i32,
    /// What it came to.
    pub facts: RunFacts,
    /// Its steps; empty when retention has dropped them.
    pub steps: Vec<Step>,
    /// Whether retention has dropped its steps.
    pub steps_dropped: bool,
    /// The inbox entries that it was read from.
    pub inbox_ids: Vec<InboxId>,
    /// When its first data was received.
    pub first_received_at: Timestamp,
}

/// A run to write: new, or the next revision of one.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// Its key.
    pub key: RunKey,
    /// 1 for a run that is new.
    pub revision: i32,
    /// What it came to.
    pub facts: RunFacts,
    /// Its steps, by [`NewRun::pack`]; `None` leaves those that are stored.
    pub steps: Option<Vec<u8>>,
    /// The inbox entries that it was read from.
    pub inbox_ids: Vec<InboxId>,
    /// The version of the settings that it was read with.
    pub settings_version: i32,
    /// When its first data was received.
    pub first_received_at: Timestamp,
    /// When its last data was received.
    pub last_received_at: Timestamp,
    /// Whether what is stored of it may have exceptions, which this revision replaces.
    pub had_exceptions: bool,
    /// Whether what is stored of it has ended, so that it may have been sampled.
    pub had_ended: bool,
}

impl NewRun {
    /// Compresses steps for storing.
    #[must_use]
    pub fn pack(steps: &[Step]) -> Vec<u8> {
        pack_json(steps)
    }
}

#[derive(Serialize, Deserialize)]
struct FactsBlob<F> {
    facts: F,
    inbox_ids: Vec<InboxId>,
}

fn unpack<T: serde::de::DeserializeOwned>(bytes: &[u8], column: &'static str) -> Result<T, StoreError> {
    unpack_json(bytes).ok_or(StoreError::Corrupt { table: "run_blobs", column })
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// Its key.
    pub key: RunKey,
    /// How often it was written.
    pub revision: i32,
    /// When its first step started.
    pub started_at: Timestamp,
    /// When its last step ended.
    pub ended_at: Timestamp,
    /// Whether it has ended.
    pub finished: bool,
    /// When nothing more is expected.
    pub final_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the outcome rests on.
    pub evidence: EvidenceKind,
    /// From start to end, in milliseconds.
    pub cycle_ms: i64,
    /// What it cost in nano-US-dollars; `None` is unknown.
    pub cost_nanos: Option<i64>,
    /// How the cost is known.
    pub cost_source: String,
    /// All input tokens.
    pub tokens_in: i64,
    /// All output tokens.
    pub tokens_out: i64,
    /// Steps.
    pub n_steps: i32,
    /// Calls of models.
    pub n_model_calls: i32,
    /// Calls of tools.
    pub n_tool_calls: i32,
    /// Exceptions.
    pub n_exceptions: i32,
    /// The release; empty when not said.
    pub release: String,
    /// What it was about; empty when nothing says.
    pub title: String,
    /// The end user; empty when not said.
    pub user_id: String,
    /// The first error; empty when there is none.
    pub first_error: String,
    /// The models that it called.
    pub models: Vec<String>,
    /// The tools that it called.
    pub tools: Vec<String>,
    /// The results that it brought about, by name.
    pub results: Vec<String>,
    /// A test run.
    pub test: bool,
}

const ROW_COLUMNS: &str = "id, workflow_id, run_key, revision, started_at, ended_at, finished, final_at, outcome, evidence, cycle_ms, \
     cost_nanos, cost_source, tokens_in, tokens_out, n_steps, n_model_calls, n_tool_calls, n_exceptions, release, title, user_id, \
     first_error, models, tools, results, test";

fn read_row(mut row: Row) -> Result<RunRow, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "runs", column };
    Ok(RunRow {
        id: RunId::from_uuid(row.take()?),
        workflow_id: WorkflowId::from_uuid(row.take()?),
        key: row.take()?,
        revision: row.take()?,
        started_at: Timestamp(row.take()?),
        ended_at: Timestamp(row.take()?),
        finished: row.take()?,
        final_at: row.take::<Option<i64>>()?.map(Timestamp),
        outcome: Outcome::parse(&row.take::<String>()?).ok_or(corrupt("outcome"))?,
        evidence: evidence_of(&row.take::<String>()?).ok_or(corrupt("evidence"))?,
        cycle_ms: row.take()?,
        cost_nanos: row.take()?,
        cost_source: row.take()?,
        tokens_in: row.take()?,
        tokens_out: row.take()?,
        n_steps: row.take()?,
        n_model_calls: row.take()?,
        n_tool_calls: row.take()?,
        n_exceptions: row.take()?,
        release: row.take()?,
        title: row.take()?,
        user_id: row.take()?,
        first_error: row.take()?,
        models: split(&row.take::<String>()?),
        tools: split(&row.take::<String>()?),
        results: split(&row.take::<String>()?),
        test: row.take()?,
    })
}

fn evidence_of(word: &str) -> Option<EvidenceKind> {
    use EvidenceKind::{Explicit, Nothing, Rule, Score, Status, Verdict};
    [Verdict, Explicit, Score, Rule, Status, Nothing].into_iter().find(|kind| kind.as_str() == word)
}

/// Names in one column, each between two lines, so that a name is found as `%|name|%`.
fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for name in names {
        text.push('|');
        text.push_str(&plain(name));
    }
    if !text.is_empty() {
        text.push('|');
    }
    text
}

/// A name without what separates names.
fn plain(name: &str) -> String {
    name.replace('|', "/")
}

fn split(text: &str) -> Vec<String> {
    text.split('|').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Which runs a list shows. Everything that is `None` or empty does not limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// Only these workflows; an empty list shows none, `None` shows all.
    pub workflows: Option<Vec<WorkflowId>>,
    /// Only runs that ended in this period.
    pub period: Option<Period>,
    /// Only runs that have ended, or only those that have not.
    pub finished: Option<bool>,
    /// Only provisional (`true`) or final (`false`) runs, as of an instant.
    pub provisional_at: Option<(bool, Timestamp)>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only runs with a verified outcome, or only those without.
    pub verified: Option<bool>,
    /// Only outcomes that rest on this.
    pub evidence: Option<EvidenceKind>,
    /// Only runs that called this model.
    pub model: Option<String>,
    /// Only runs that called this tool.
    pub tool: Option<String>,
    /// Only runs in which a call failed: `tool`, `model`, `tool:NAME`, `model:NAME`, these with `:CLASS` behind them or
    /// not; or a class alone.
    pub error: Option<String>,
    /// Only runs of this release.
    pub release: Option<String>,
    /// Only runs that brought about this result.
    pub result: Option<String>,
    /// Only runs of this end user.
    pub user_id: Option<String>,
    /// Only runs whose title, first error, user or key contains this text.
    pub text: Option<String>,
    /// Only runs with, or without, an exception.
    pub exceptions: Option<bool>,
    /// Only runs whose cost is known, or unknown.
    pub priced: Option<bool>,
    /// Only runs with late steps.
    pub late: bool,
    /// Only runs with attributes that no rule used.
    pub unmapped: bool,
    /// Only runs with this attribute, which no rule used.
    pub unmapped_key: Option<String>,
    /// Only runs inside, or outside, business hours.
    pub in_hours: Option<bool>,
    /// At least so long, in milliseconds.
    pub min_cycle_ms: Option<i64>,
    /// At most so long, in milliseconds.
    pub max_cycle_ms: Option<i64>,
    /// At least so dear, in nano-US-dollars.
    pub min_cost_nanos: Option<i64>,
    /// Test runs too.
    pub with_tests: bool,
}

/// In which order a list shows runs; always the highest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunSort {
    /// The end.
    #[default]
    Ended,
    /// Cycle time.
    Cycle,
    /// Cost; unknown last.
    Cost,
    /// Exceptions.
    Exceptions,
}

impl RunSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Ended => "ended_at",
            Self::Cycle => "cycle_ms",
            Self::Cost => "COALESCE(cost_nanos, -1)",
            Self::Exceptions => "n_exceptions",
        }
    }

    fn value(self, row: &RunRow) -> i64 {
        match self {
            Self::Ended => row.ended_at.0,
            Self::Cycle => row.cycle_ms,
            Self::Cost => row.cost_nanos.unwrap_or(-1),
            Self::Exceptions => row.n_exceptions.into(),
        }
    }
}

/// A place in a list: a row's value and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunCursor {
    /// The value of the column that the list is sorted by.
    pub value: i64,
    /// The run's id.
    pub id: RunId,
}

impl RunCursor {
    /// The cursor at a row: a list goes on behind it, or back to before it.
    #[must_use]
    pub fn at(row: &RunRow, sort: RunSort) -> Self {
        Self { value: sort.value(row), id: row.id }
    }
}

fn push_filter<C: ConnectionTrait>(sql: &mut Sql<'_, C>, filter: &RunFilter) {
    let and = |sql: &mut Sql<'_, C>, text: &str, value: Value| {
        let placeholder = sql.placeholder(value);
        sql.push(" AND ");
        sql.push(&text.replace('?', &placeholder));
    };
    let like = |name: &str| Value::from(format!("%|{}|%", escape_like(&plain(name))));
    match filter.workflows.as_deref() {
        None => {}
        Some([]) => sql.push(" AND 1 = 0"),
        Some([one]) => and(sql, "workflow_id = ?", one.as_uuid().into()),
        Some(many) => {
            sql.push(" AND workflow_id IN (");
            sql.push_list(many.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
        }
    }
    if let Some(period) = filter.period {
        and(sql, "ended_at >= ?", period.start.0.into());
        and(sql, "ended_at < ?", period.end.0.into());
    }
    if let Some(finished) = filter.finished {
        and(sql, "finished = ?", finished.into());
    }
    if let Some((provisional, now)) = filter.provisional_at {
        and(sql, "finished = ?", true.into());
        and(sql, if provisional { "final_at > ?" } else { "final_at <= ?" }, now.0.into());
    }
    if let Some(outcome) = filter.outcome {
        and(sql, "finished = ?", true.into());
        and(sql, "outcome = ?", outcome.as_str().into());
    }
    if let Some(verified) = filter.verified {
        and(sql, if verified { "outcome <> ?" } else { "outcome = ?" }, Outcome::Unverified.as_str().into());
    }
    if let Some(evidence) = filter.evidence {
        and(sql, "evidence = ?", evidence.as_str().into());
    }
    for (column, name) in [("models", &filter.model), ("tools", &filter.tool), ("results", &filter.result)] {
        if let Some(name) = name {
            and(sql, &format!("{column} LIKE ? ESCAPE '\\'"), like(name));
        }
    }
    if let Some(error) = &filter.error {
        let error = escape_like(&plain(error));
        let pattern = match error.matches(':').count() {
            0 if matches!(error.as_str(), "tool" | "model") => format!("%|{error}:%"),
            0 => format!("%:{error}|%"),
            1 => format!("%|{error}:%"),
            _ => format!("%|{error}|%"),
        };
        and(sql, "errors LIKE ? ESCAPE '\\'", pattern.into());
    }
    if let Some(release) = &filter.release {
        and(sql, "release = ?", release.clone().into());
    }
    if let Some(user) = &filter.user_id {
        and(sql, "user_id = ?", user.clone().into());
    }
    if let Some(text) = &filter.text {
        let pattern = format!("%{}%", escape_like(&text.to_lowercase()));
        and(
            sql,
            "LOWER(title || ' ' || first_error || ' ' || user_id || ' ' || run_key) LIKE ? ESCAPE '\\'",
            pattern.into(),
        );
    }
    // A failed call is an exception, so the index of runs with one serves here too.
    match filter.exceptions.or(filter.error.as_ref().map(|_| true)) {
        Some(true) => sql.push(" AND n_exceptions > 0"),
        Some(false) => sql.push(" AND n_exceptions = 0"),
        None => {}
    }
    match filter.priced {
        Some(true) => sql.push(" AND cost_nanos IS NOT NULL"),
        Some(false) => sql.push(" AND cost_nanos IS NULL"),
        None => {}
    }
    if filter.late {
        sql.push(" AND n_late_steps > 0");
    }
    if filter.unmapped || filter.unmapped_key.is_some() {
        sql.push(" AND n_unmapped > 0");
    }
    if let Some(key) = &filter.unmapped_key {
        and(sql, "unmapped LIKE ? ESCAPE '\\'", like(key));
    }
    if let Some(in_hours) = filter.in_hours {
        and(sql, "in_hours = ?", in_hours.into());
    }
    if let Some(ms) = filter.min_cycle_ms {
        and(sql, "cycle_ms >= ?", ms.into());
    }
    if let Some(ms) = filter.max_cycle_ms {
        and(sql, "cycle_ms <= ?", ms.into());
    }
    if let Some(nanos) = filter.min_cost_nanos {
        and(sql, "cost_nanos >= ?", nanos.into());
    }
    if !filter.with_tests {
        and(sql, "test = ?", false.into());
    }
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

const STORED_COLUMNS: &str = "r.id, r.workflow_id, r.run_key, r.revision, r.first_received_at, b.facts, b.steps";

fn read_stored(mut row: Row) -> Result<StoredRun, StoreError> {
    let id = RunId::from_uuid(row.take()?);
    let workflow_id = WorkflowId::from_uuid(row.take()?);
    let key = row.take()?;
    let revision = row.take()?;
    let first_received_at = Timestamp(row.take()?);
    let facts: FactsBlob<RunFacts> = unpack(&row.take::<Vec<u8>>()?, "facts")?;
    let steps = row.take::<Option<Vec<u8>>>()?;
    let steps_dropped = steps.is_none();
    let steps = steps.map(|bytes| unpack(&bytes, "steps")).transpose()?.unwrap_or_default();
    Ok(StoredRun {
        id,
        workflow_id,
        key,
        revision,
        facts: facts.facts,
        steps,
        steps_dropped,
        inbox_ids: facts.inbox_ids,
        first_received_at,
    })
}

impl AgencyStore {
    /// Finds runs with their steps, by key. Those that are not there are missing from the answer.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_stored_runs(&self, keys: &[RunKey]) -> Result<Vec<StoredRun>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let mut sql = self.read(format!(
                "SELECT {STORED_COLUMNS} FROM runs r JOIN run_blobs b ON b.agency_id = r.agency_id AND b.run_id = r.id
                 WHERE r.agency_id = $1 AND r.run_key IN ("
            ));
            sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
            sql.push(")");
            for row in sql.all().await? {
                found.push(read_stored(row)?);
            }
        }
        Ok(found)
    }

    /// Finds a run with its steps. `None` when the agency has no such run.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_run(&self, id: RunId) -> Result<Option<StoredRun>, StoreError> {
        let text = format!(
            "SELECT {STORED_COLUMNS} FROM runs r JOIN run_blobs b ON b.agency_id = r.agency_id AND b.run_id = r.id
             WHERE r.agency_id = $1 AND r.id = $2"
        );
        self.read(text).bind(id.as_uuid()).first().await?.map(read_stored).transpose()
    }

    /// Lists runs, at most `limit`, from behind a cursor.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_runs(
        &self,
        filter: &RunFilter,
        sort: RunSort,
        behind: Option<RunCursor>,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        self.list_rows(filter, sort, behind.map(|cursor| (cursor, "<", "<=")), "DESC", limit).await
    }

    /// Lists the last runs before a cursor, in the same order as [`Self::list_runs`]: the page before that of which the
    /// cursor is the first row.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_runs_before(
        &self,
        filter: &RunFilter,
        sort: RunSort,
        before: RunCursor,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        let mut rows = self.list_rows(filter, sort, Some((before, ">", ">=")), "ASC", limit).await?;
        rows.reverse();
        Ok(rows)
    }

    /// Rows from a cursor on, in one direction or the other.
    async fn list_rows(
        &self,
        filter: &RunFilter,
        sort: RunSort,
        from: Option<(RunCursor, &str, &str)>,
        direction: &str,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        let mut sql = self.read(format!("SELECT {ROW_COLUMNS} FROM runs WHERE agency_id = $1"));
        push_filter(&mut sql, filter);
        let column = sort.column();
        if let Some((cursor, past, past_or_at)) = from {
            let value = sql.placeholder(cursor.value);
            let id = sql.placeholder(cursor.id.as_uuid());
            sql.push(&format!(" AND ({column} {past} {value} OR ({column} = {value} AND id {past} {id}))"));
            if sort == RunSort::Ended {
                // The same again in a form that both planners use to start in the index.
                sql.push(&format!(" AND ended_at {past_or_at} {value}"));
            }
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY {column} {direction}, id {direction} LIMIT {limit}"));
        sql.all().await?.into_iter().map(read_row).collect()
    }

    /// Counts runs, up to `most`: at `most` there may be more.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_runs(&self, filter: &RunFilter, most: u32) -> Result<u64, StoreError> {
        let mut sql = self.read("SELECT COUNT(*) FROM (SELECT 1 FROM runs WHERE agency_id = $1");
        push_filter(&mut sql, filter);
        let most = sql.placeholder(i64::from(most));
        sql.push(&format!(" LIMIT {most}) AS found"));
        let count: i64 = match sql.first().await? {
            Some(mut row) => row.take()?,
            None => 0,
        };
        Ok(count.unsigned_abs())
    }

    /// Keys of runs that a filter finds, oldest first by id, from behind an id; for walking through all of them.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_run_keys(
        &self,
        filter: &RunFilter,
        behind: Option<RunId>,
        limit: u32,
    ) -> Result<Vec<(RunId, RunKey)>, StoreError> {
        let mut sql = self.read("SELECT id, run_key FROM runs WHERE agency_id = $1");
        push_filter(&mut sql, filter);
        if let Some(id) = behind {
            let id = sql.placeholder(id.as_uuid());
            sql.push(&format!(" AND id > {id}"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY id LIMIT {limit}"));
        sql.all().await?.into_iter().map(|mut row| Ok((RunId::from_uuid(row.take()?), row.take()?))).collect()
    }

    /// Finds which of these keys are of runs, by the trace of a conversation too. Gives those that are known.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_known_keys(&self, keys: &[RunKey]) -> Result<Vec<RunKey>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            for (table, column) in [("runs", "run_key"), ("run_traces", "trace_key")] {
                let mut sql = self.read(format!("SELECT {column} FROM {table} WHERE agency_id = $1 AND {column} IN ("));
                sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
                sql.push(")");
                for mut row in sql.all().await? {
                    found.push(row.take()?);
                }
            }
        }
        Ok(found)
    }

    /// The run key of a conversation that each trace belongs to; traces of none are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_trace_runs(&self, trace_keys: &[String]) -> Result<Vec<(String, RunKey)>, StoreError> {
        let mut found = Vec::new();
        for keys in trace_keys.chunks(KEYS_AT_ONCE) {
            let mut sql =
                self.read("SELECT trace_key, run_key FROM run_traces WHERE agency_id = $1 AND trace_key IN (");
            sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
            sql.push(")");
            for mut row in sql.all().await? {
                found.push((row.take()?, row.take()?));
            }
        }
        Ok(found)
    }

    /// Writes runs, removes those that became part of another, adds to the tallies, and settles inbox entries: all or nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Outrun`] when another writer revised one of the runs or took over one of the entries meanwhile;
    /// nothing is written then.
    pub async fn commit_runs(&self, commit: RunCommit) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        let (mut runs, tallies) = (commit.runs, tallies::rows(agency, &commit.tallies));
        // One order for all writers, so that two of them never wait for each other.
        runs.sort_by(|a, b| a.key.cmp(&b.key));
        let exceptions = ExceptionRows::of(agency, &runs, &commit.removed);
        let ended = runs.iter().filter(|run| run.had_ended).map(|run| run.id);
        let sampled: Vec<Uuid> = ended.chain(commit.removed.iter().map(|(id, _)| *id)).map(RunId::as_uuid).collect();
        let rows = RunRows::of(agency, runs);
        // Everything is put together before the database is locked.
        let tx = self.store.begin_write().await?;
        self.settle_entries(&tx, commit.node, &commit.inbox_ids).await?;
        self.remove_runs(&tx, &commit.removed).await?;
        self.write_runs(&tx, rows, commit.traces).await?;
        self.write_exceptions(&tx, exceptions).await?;
        self.recheck_samples(&tx, &sampled).await?;
        tallies::add_rows(&self.store, &tx, tallies).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn settle_entries(&self, tx: &DatabaseTransaction, node: Uuid, ids: &[InboxId]) -> Result<(), StoreError> {
        for ids in ids.chunks(KEYS_AT_ONCE) {
            // Holder and lease stay as they are: a row that keeps its size is changed in place, beside its large body.
            let mut sql = self
                .store
                .within(tx, "UPDATE inbox SET state = 1 WHERE agency_id = $1 AND state = 0 AND node = $2 AND id IN (")
                .bind(self.agency_id().as_uuid())
                .bind(node);
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            if sql.run().await? != ids.len() as u64 {
                return Err(StoreError::Outrun);
            }
        }
        Ok(())
    }

    async fn remove_runs(&self, tx: &DatabaseTransaction, removed: &[(RunId, i32)]) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        for (id, revision) in removed {
            let gone = self
                .store
                .within(tx, "DELETE FROM runs WHERE agency_id = $1 AND id = $2 AND revision = $3")
                .bind(agency)
                .bind(id.as_uuid())
                .bind(*revision)
                .run()
                .await?;
            if gone != 1 {
                return Err(StoreError::Outrun);
            }
            self.store
                .within(tx, "DELETE FROM run_blobs WHERE agency_id = $1 AND run_id = $2")
                .bind(agency)
                .bind(id.as_uuid())
                .run()
                .await?;
        }
        Ok(())
    }

    async fn write_runs(
        &self,
        tx: &DatabaseTransaction,
        rows: RunRows,
        traces: Vec<(String, RunKey)>,
    ) -> Result<(), StoreError> {
        let backend = self.store.backend;
        let n = rows.runs.len() as u64;
        if insert_many(tx, backend, "runs", RUN_COLUMNS, rows.runs, &upsert_tail()).await? != n {
            return Err(StoreError::Outrun);
        }
        let columns = ["agency_id", "run_id", "facts", "steps"];
        let tail = "ON CONFLICT (agency_id, run_id) DO UPDATE SET facts = excluded.facts, steps = excluded.steps";
        insert_many(tx, backend, "run_blobs", &columns, rows.blobs, tail).await?;
        let tail = "ON CONFLICT (agency_id, run_id) DO UPDATE SET facts = excluded.facts";
        insert_many(tx, backend, "run_blobs", &columns, rows.facts_only, tail).await?;
        let agency = self.agency_id().as_uuid();
        let traces = traces.into_iter().map(|(trace, run)| vec![agency.into(), trace.into(), run.into()]).collect();
        let tail = "ON CONFLICT (agency_id, trace_key) DO UPDATE SET run_key = excluded.run_key";
        insert_many(tx, backend, "run_traces", &["agency_id", "trace_key", "run_key"], traces, tail).await?;
        Ok(())
    }

    /// Lets a run that has gone quiet stay open until an instant.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn postpone_run(&self, key: &str, until: Timestamp) -> Result<(), StoreError> {
        let text = "UPDATE runs SET due_at = $3 WHERE agency_id = $1 AND run_key = $2 AND due_at IS NOT NULL";
        self.write(text).bind(key).bind(until.0).run().await.map(|_| ())
    }

    /// Drops the steps of runs that ended before an instant, at most `limit`; the runs and their figures stay.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn drop_steps(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(
            "UPDATE run_blobs SET steps = NULL WHERE agency_id = $1 AND steps IS NOT NULL AND run_id IN (
                 SELECT r.id FROM runs r JOIN run_blobs b ON b.agency_id = r.agency_id AND b.run_id = r.id
                 WHERE r.agency_id = $1 AND r.ended_at < $2 AND r.finished = $3 AND b.steps IS NOT NULL LIMIT $4)",
        )
        .bind(before.0)
        .bind(true)
        .bind(i64::from(limit))
        .run()
        .await
    }

    /// Drops runs that ended before an instant, at most `limit`, with what waits of them and what people made of it;
    /// their tallies stay.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn drop_runs(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let rows = self
            .read("SELECT id FROM runs WHERE agency_id = $1 AND ended_at < $2 AND finished = $3 LIMIT $4")
            .bind(before.0)
            .bind(true)
            .bind(i64::from(limit))
            .all()
            .await?;
        let ids: Vec<Uuid> = rows.into_iter().map(|mut row| row.take()).collect::<Result<_, _>>()?;
        let tx = self.store.begin_write().await?;
        for ids in ids.chunks(KEYS_AT_ONCE) {
            // The run is what an end user's data is found by: what is left of it would be left for ever.
            let of_items = |table: &str, of: &str| {
                format!(
                    "DELETE FROM {table} WHERE agency_id = $1
                     AND exception_id IN (SELECT id FROM {of} WHERE agency_id = $1 AND run_id IN ("
                )
            };
            let handed = HANDED.iter().flat_map(|table| ["exceptions", "queue_items"].map(|of| of_items(table, of)));
            let verdicts = "DELETE FROM verdicts WHERE agency_id = $1
                            AND run_key IN (SELECT run_key FROM runs WHERE agency_id = $1 AND id IN (";
            for text in handed.chain([verdicts.to_owned()]) {
                let mut sql = self.store.within(&tx, text).bind(agency);
                sql.push_list(ids.iter().map(|id| Value::from(*id)));
                sql.push("))");
                sql.run().await?;
            }
            for text in [
                "DELETE FROM run_blobs WHERE agency_id = $1 AND run_id IN (",
                "DELETE FROM exceptions WHERE agency_id = $1 AND run_id IN (",
                "DELETE FROM queue_items WHERE agency_id = $1 AND run_id IN (",
                "DELETE FROM queue_rechecks WHERE agency_id = $1 AND run_id IN (",
                "DELETE FROM reviews WHERE agency_id = $1 AND run_id IN (",
                "DELETE FROM runs WHERE agency_id = $1 AND id IN (",
            ] {
                let mut sql = self.store.within(&tx, text).bind(agency);
                sql.push_list(ids.iter().map(|id| Value::from(*id)));
                sql.push(")");
                sql.run().await?;
            }
            self.forget_sampled(&tx, ids).await?;
        }
        self.store
            .within(&tx, "DELETE FROM sampling_days WHERE agency_id = $1 AND day < $2")
            .bind(agency)
            .bind(before.day())
            .run()
            .await?;
        // What was said of many at once is as old as the last of them.
        self.store
            .within(&tx, "DELETE FROM bulk_reviews WHERE agency_id = $1 AND created_at < $2")
            .bind(agency)
            .bind(before.0)
            .run()
            .await?;
        tx.commit().await?;
        Ok(ids.len() as u64)
    }
}

/// What one step of assembly writes.
#[derive(Debug)]
pub struct RunCommit {
    /// The node that holds the entries.
    pub node: Uuid,
    /// The inbox entries that it settles.
    pub inbox_ids: Vec<InboxId>,
    /// Runs to write.
    pub runs: Vec<NewRun>,
    /// Runs to remove, with the revision at which they were read.
    pub removed: Vec<(RunId, i32)>,
    /// Traces that became part of a conversation: trace key and run key.
    pub traces: Vec<(String, RunKey)>,
    /// What to add to the tallies.
    pub tallies: Tallies,
}

const RUN_COLUMNS: &[&str] = &[
    "agency_id",
    "id",
    "workflow_id",
    "run_key",
    "revision",
    "started_at",
    "ended_at",
    "finished",
    "due_at",
    "final_at",
    "outcome",
    "claimed",
    "evidence",
    "cycle_ms",
    "waiting_ms",
    "cost_nanos",
    "known_cost_nanos",
    "cost_source",
    "tokens_in",
    "tokens_out",
    "n_steps",
    "n_model_calls",
    "n_tool_calls",
    "n_exceptions",
    "n_late_steps",
    "n_unmapped",
    "in_hours",
    "test",
    "release",
    "title",
    "user_id",
    "first_error",
    "models",
    "tools",
    "results",
    "errors",
    "unmapped",
    "settings_version",
    "first_received_at",
    "last_received_at",
];

/// The rows that runs become.
struct RunRows {
    runs: Vec<Vec<Value>>,
    blobs: Vec<Vec<Value>>,
    /// Blobs whose steps stay as they are stored.
    facts_only: Vec<Vec<Value>>,
}

impl RunRows {
    fn of(agency: Uuid, runs: Vec<NewRun>) -> Self {
        let mut rows = Self { runs: Vec::with_capacity(runs.len()), blobs: Vec::new(), facts_only: Vec::new() };
        for run in runs {
            rows.runs.push(run_values(agency, &run));
            let first = run.inbox_ids.len().saturating_sub(MAX_INBOX_IDS);
            let facts = pack_json(&FactsBlob { facts: &run.facts, inbox_ids: run.inbox_ids[first..].to_vec() });
            let into = if run.steps.is_some() { &mut rows.blobs } else { &mut rows.facts_only };
            into.push(vec![agency.into(), run.id.as_uuid().into(), facts.into(), run.steps.into()]);
        }
        rows
    }
}

fn run_values(agency: Uuid, run: &NewRun) -> Vec<Value> {
    let facts = &run.facts;
    let int = |n: u32| Value::from(i32::try_from(n).unwrap_or(i32::MAX));
    let tokens = |n: u64| Value::from(i64::try_from(n).unwrap_or(i64::MAX));
    let tool_errors = facts.tools.iter().flat_map(|t| {
        t.errors.iter().map(move |(class, _)| format!("tool:{}:{}", t.name.replace(':', "."), class.as_str()))
    });
    let model_errors = facts.models.iter().flat_map(|m| {
        m.errors.iter().map(move |(class, _)| format!("model:{}:{}", m.name.replace(':', "."), class.as_str()))
    });
    let errors: Vec<String> = tool_errors.chain(model_errors).collect();
    let mut results: Vec<&str> = facts.results.iter().map(|r| r.name.as_str()).collect();
    results.sort_unstable();
    results.dedup();
    vec![
        agency.into(),
        run.id.as_uuid().into(),
        run.workflow_id.as_uuid().into(),
        run.key.clone().into(),
        run.revision.into(),
        facts.started_at.0.into(),
        facts.ended_at.0.into(),
        facts.finished.into(),
        facts.due_at.map(|at| at.0).into(),
        facts.final_at.map(|at| at.0).into(),
        facts.outcome().as_str().into(),
        facts.claimed.map(|outcome| outcome.as_str().to_owned()).into(),
        facts.evidence_kind().as_str().into(),
        facts.cycle_ms.into(),
        facts.waiting_ms.into(),
        facts.cost_nanos.map(|n| n.0).into(),
        facts.known_cost_nanos.0.into(),
        facts.cost_source.as_str().into(),
        tokens(facts.usage.total_input()),
        tokens(facts.usage.total_output()),
        int(facts.n_steps),
        int(facts.n_model_calls),
        int(facts.n_tool_calls),
        int(facts.n_exceptions),
        int(facts.n_late_steps),
        int(facts.n_unmapped),
        facts.in_hours.into(),
        facts.test.into(),
        facts.release.clone().into(),
        facts.title.clone().into(),
        facts.user_id.clone().into(),
        facts.first_error.clone().into(),
        joined(facts.models.iter().map(|m| m.name.as_str())).into(),
        joined(facts.tools.iter().map(|t| t.name.as_str())).into(),
        joined(results.into_iter()).into(),
        joined(errors.iter().map(String::as_str)).into(),
        joined(facts.counted_unmapped()).into(),
        run.settings_version.into(),
        run.first_received_at.0.into(),
        run.last_received_at.0.into(),
    ]
}

/// On a key that is there already the row is revised, but only by the next revision of what was read.
fn upsert_tail() -> String {
    let set: Vec<String> = RUN_COLUMNS
        .iter()
        .filter(|c| !["agency_id", "id", "run_key"].contains(c))
        .map(|c| format!("{c} = excluded.{c}"))
        .collect();
    format!(
        "ON CONFLICT (agency_id, run_key) DO UPDATE SET {} WHERE runs.id = excluded.id AND runs.revision = excluded.revision - 1",
        set.join(", ")
    )
}

impl Store {
    /// Runs of all agencies that count as ended since before `now` though nothing more arrived: agency and run key.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_due_runs(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(steward_core::ids::AgencyId, RunKey)>, StoreError> {
        let rows = self
            .read("SELECT agency_id, run_key FROM runs WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2")
            .bind(now.0)
            .bind(i64::from(limit))
            .all()
            .await?;
        rows.into_iter().map(|mut row| Ok((steward_core::ids::AgencyId::from_uuid(row.take()?), row.take()?))).collect()
    }
}
