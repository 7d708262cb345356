//! Patterns: listed, found, and what people say of them.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, Value};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{DraftId, PatternId, WorkflowId};
use steward_core::patterns::{Head, PatternState};
use steward_core::time::{DAY_MICROS, Period, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::exceptions::{push_workflows, read_head};
use crate::StoreError;
use crate::sql::{Row, Sql};

/// Exceptions of a pattern that its breakdowns look at: the latest.
const LATEST: i64 = 5_000;
/// Lines of a breakdown.
const FACETS: usize = 12;

/// A pattern as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternRow {
    /// Its id.
    pub id: PatternId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The key of its head and of its group.
    pub key: String,
    /// What is the same beside the words.
    pub head: Head,
    /// The words, and `<*>` where messages differ.
    pub template: String,
    /// Why its messages are together, in words.
    pub because: String,
    /// The name that a person gave it; empty when nobody did.
    pub name: String,
    /// What people make of it.
    pub state: PatternState,
    /// Exceptions, those included that retention has dropped.
    pub n: i64,
    /// Runs with one.
    pub n_runs: i64,
    /// What those of the runs cost that did not do their job, in nano-US-dollars.
    pub wasted_nanos: i64,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// When it was last called resolved.
    pub resolved_at: Option<Timestamp>,
    /// In which release; empty when not said.
    pub resolved_in: String,
    /// When it came back.
    pub regressed_at: Option<Timestamp>,
    /// When a person last changed it.
    pub changed_at: Option<Timestamp>,
    /// Who did, by name.
    pub changed_by: String,
    /// The pattern that it became part of.
    pub merged_into: Option<PatternId>,
    /// Who said so, by name; empty when the mining found that the two are one.
    pub merged_by: String,
    /// The pattern that it was set apart from.
    pub split_from: Option<PatternId>,
}

impl PatternRow {
    /// The name that a person gave it, else its template.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { &self.template } else { &self.name }
    }
}

pub(super) const COLUMNS: &[&str] = &[
    "id",
    "workflow_id",
    "key",
    "kind",
    "stage",
    "agent",
    "tool",
    "class",
    "code",
    "template",
    "because",
    "name",
    "state",
    "n",
    "n_runs",
    "wasted_nanos",
    "first_seen",
    "last_seen",
    "resolved_at",
    "resolved_in",
    "regressed_at",
    "changed_at",
    "changed_by",
    "merged_into",
    "merged_by",
    "split_from",
];

pub(super) fn columns(of: &str) -> String {
    COLUMNS.iter().map(|column| format!("{of}.{column}")).collect::<Vec<_>>().join(", ")
}

pub(super) fn read_pattern(row: &mut Row) -> Result<PatternRow, StoreError> {
    let time = |at: Option<i64>| at.map(Timestamp);
    let pattern = |id: Option<Uuid>| id.map(PatternId::from_uuid);
    Ok(PatternRow {
        id: PatternId::from_uuid(row.take()?),
        workflow_id: WorkflowId::from_uuid(row.take()?),
        key: row.take()?,
        head: read_head(row, "patterns")?,
        template: row.take()?,
        because: row.take()?,
        name: row.take()?,
        state: PatternState::parse(&row.take::<String>()?)
            .ok_or(StoreError::Corrupt { table: "patterns", column: "state" })?,
        n: row.take()?,
        n_runs: row.take()?,
        wasted_nanos: row.take()?,
        first_seen: Timestamp(row.take()?),
        last_seen: Timestamp(row.take()?),
        resolved_at: time(row.take()?),
        resolved_in: row.take()?,
        regressed_at: time(row.take()?),
        changed_at: time(row.take()?),
        changed_by: row.take()?,
        merged_into: pattern(row.take()?),
        merged_by: row.take()?,
        split_from: pattern(row.take()?),
    })
}

pub(super) fn values(agency: Uuid, pattern: &PatternRow) -> Vec<Value> {
    vec![
        agency.into(),
        pattern.head.key().into(),
        pattern.id.as_uuid().into(),
        pattern.workflow_id.as_uuid().into(),
        pattern.key.clone().into(),
        pattern.head.kind.as_str().into(),
        pattern.head.stage.clone().into(),
        pattern.head.agent.clone().into(),
        pattern.head.tool.clone().into(),
        pattern.head.class.clone().into(),
        pattern.head.code.clone().into(),
        pattern.template.clone().into(),
        pattern.because.clone().into(),
        pattern.name.clone().into(),
        pattern.state.as_str().into(),
        pattern.n.into(),
        pattern.n_runs.into(),
        pattern.wasted_nanos.into(),
        pattern.first_seen.0.into(),
        pattern.last_seen.0.into(),
        pattern.resolved_at.map(|at| at.0).into(),
        pattern.resolved_in.clone().into(),
        pattern.regressed_at.map(|at| at.0).into(),
        pattern.changed_at.map(|at| at.0).into(),
        pattern.changed_by.clone().into(),
        pattern.merged_into.map(PatternId::as_uuid).into(),
        pattern.merged_by.clone().into(),
        pattern.split_from.map(PatternId::as_uuid).into(),
    ]
}

/// Which patterns a list shows. Everything that is `None` does not limit; those that became part of another are never
/// shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PatternFilter {
    /// Only those of these workflows; an empty list shows none, `None` shows all.
    pub workflows: Option<Vec<WorkflowId>>,
    /// Only those in one of these states; an empty list is all.
    pub states: Vec<PatternState>,
    /// Only those seen in this period. What is counted is counted in it, and the period before for the trend.
    pub period: Option<Period>,
    /// Only those of this sort.
    pub kind: Option<ExceptionKind>,
    /// Only those of this tool.
    pub tool: Option<String>,
    /// Only those of this class.
    pub class: Option<String>,
    /// Only those seen in this release.
    pub release: Option<String>,
    /// Only those whose name or template contains this text.
    pub text: Option<String>,
}

/// In which order a list shows patterns; always the highest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PatternSort {
    /// How often they were seen.
    #[default]
    Count,
    /// How much more often than in the period before.
    Trend,
    /// What they cost: what was wasted on runs, and people's time.
    Cost,
    /// When they were last seen.
    LastSeen,
}

impl PatternSort {
    fn value(self, listed: &PatternListed) -> i64 {
        match self {
            Self::Count => listed.n,
            Self::Trend => listed.n - listed.n_before,
            Self::Cost => listed.cost_nanos,
            Self::LastSeen => listed.pattern.last_seen.0,
        }
    }
}

/// Where a list goes on: behind this value and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatternCursor {
    /// The value that the list is sorted by.
    pub value: i64,
    /// The pattern's id.
    pub id: PatternId,
}

impl PatternCursor {
    /// The cursor behind a pattern.
    #[must_use]
    pub fn behind(listed: &PatternListed, sort: PatternSort) -> Self {
        Self { value: sort.value(listed), id: listed.pattern.id }
    }
}

/// A pattern with what was counted in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternListed {
    /// The pattern.
    pub pattern: PatternRow,
    /// Exceptions in the period.
    pub n: i64,
    /// Runs with one.
    pub n_runs: i64,
    /// What was wasted on them, in nano-US-dollars.
    pub wasted_nanos: i64,
    /// Exceptions in the period before, which is as long.
    pub n_before: i64,
    /// What people spent on reviews and on cleaning up, in milliseconds.
    pub human_ms: i64,
    /// What was wasted, and what people's time costs, in nano-US-dollars.
    pub cost_nanos: i64,
}

/// One line of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The release, model or tool; empty when not said.
    pub name: String,
    /// Exceptions.
    pub n: i64,
}

/// One way in which a pattern's messages are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its shape.
    pub shape: String,
    /// Exceptions.
    pub n: i64,
    /// One of its messages.
    pub message: String,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// What a draft is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftKind {
    /// A request to change something.
    Request,
    /// A case to try releases on.
    Scenario,
    /// A rule of the agent's controls.
    Rule,
}

impl DraftKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Request, Self::Scenario, Self::Rule];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Scenario => "scenario",
            Self::Rule => "rule",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is prepared to cure a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternDraft {
    /// Its id.
    pub id: DraftId,
    /// The pattern.
    pub pattern_id: PatternId,
    /// What it is to become.
    pub kind: DraftKind,
    /// What it says.
    pub text: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, by name.
    pub created_by: String,
}

/// What a person changes of a pattern; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatternChange {
    /// Its name; empty takes it away.
    pub name: Option<String>,
    /// What they make of it.
    pub state: Option<PatternState>,
    /// When it was resolved; goes with the state.
    pub resolved_at: Option<Timestamp>,
    /// In which release it was resolved.
    pub resolved_in: Option<String>,
    /// When it came back; goes with the state.
    pub regressed_at: Option<Timestamp>,
}

/// Whole days of a period, as pattern days count them: from the day of its start to that of its end.
fn days_of(period: Period) -> (i64, i64) {
    (period.start.0.div_euclid(DAY_MICROS), period.end.0.saturating_add(DAY_MICROS - 1).div_euclid(DAY_MICROS))
}

/// The most that a millisecond of a person is worth, so that sums stay within 64 bits: $3,600 an hour.
const MAX_NANOS_PER_MS: i64 = 1_000_000;
/// What people spent on reviews and on cleaning up, in milliseconds.
const HUMAN_MS: &str = "CAST(SUM(COALESCE(active_ms, 0) + CAST(cleanup_minutes AS BIGINT) * 60000) AS BIGINT)";

/// Limits to the whole days of a period, as patterns are counted.
pub(super) fn push_days<C: ConnectionTrait>(sql: &mut Sql<'_, C>, column: &str, period: Option<Period>) {
    if let Some(period) = period {
        let (start, end) = days_of(period);
        let [start, end] = [start, end].map(|day| sql.placeholder(day.saturating_mul(DAY_MICROS)));
        sql.push(&format!(" AND {column} >= {start} AND {column} < {end}"));
    }
}

fn push_filter<C: ConnectionTrait>(sql: &mut Sql<'_, C>, filter: &PatternFilter) {
    sql.push(" AND p.merged_into IS NULL");
    push_workflows(sql, "p.workflow_id", filter.workflows.as_deref());
    if !filter.states.is_empty() {
        sql.push(" AND p.state IN (");
        sql.push_list(filter.states.iter().map(|state| Value::from(state.as_str())));
        sql.push(")");
    }
    let words = [
        ("kind", filter.kind.map(|kind| kind.as_str().to_owned())),
        ("tool", filter.tool.clone()),
        ("class", filter.class.clone()),
    ];
    for (column, word) in words {
        if let Some(word) = word {
            let word = sql.placeholder(word);
            sql.push(&format!(" AND p.{column} = {word}"));
        }
    }
    if let Some(release) = &filter.release {
        let release = sql.placeholder(release.clone());
        sql.push(&format!(
            " AND p.id IN (SELECT e.pattern_id FROM exceptions e WHERE e.agency_id = $1 AND e.release = {release})"
        ));
    }
    if let Some(text) = &filter.text {
        let text = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let text = sql.placeholder(format!("%{text}%"));
        sql.push(&format!(
            " AND LOWER(p.name || ' ' || p.template || ' ' || p.tool || ' ' || p.code) LIKE {text} ESCAPE '\\'"
        ));
    }
}

impl AgencyStore {
    /// Lists patterns with what was counted in the filter's period, at most `limit`, from behind a cursor.
    /// `nanos_per_ms` is what a millisecond of a reviewer costs in nano-US-dollars, 0 when that is not known; `None` leaves
    /// people's time out.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_patterns(
        &self,
        filter: &PatternFilter,
        sort: PatternSort,
        nanos_per_ms: Option<i64>,
        behind: Option<PatternCursor>,
        limit: u32,
    ) -> Result<Vec<PatternListed>, StoreError> {
        let rate = nanos_per_ms.unwrap_or_default().clamp(0, MAX_NANOS_PER_MS);
        let people = format!(" + COALESCE(h.human_ms, 0) * {rate}");
        let value = match (sort, filter.period.is_some()) {
            (PatternSort::Count, true) => "d.n",
            (PatternSort::Count | PatternSort::Trend, false) => "p.n",
            (PatternSort::Trend, true) => "(d.n - d.n_before)",
            (PatternSort::Cost, true) => &format!("(d.wasted_nanos{people})"),
            (PatternSort::Cost, false) => &format!("(p.wasted_nanos{people})"),
            (PatternSort::LastSeen, _) => "p.last_seen",
        };
        // People's time is added up for all patterns only where it decides their order.
        let join_people = |sql: &mut Sql<'_, _>| {
            if sort == PatternSort::Cost {
                sql.push(&format!(" LEFT JOIN (SELECT pattern_id, {HUMAN_MS} AS human_ms FROM reviews WHERE agency_id = $1 AND undone_at IS NULL"));
                push_days(sql, "closed_at", filter.period);
                sql.push(" GROUP BY pattern_id) AS h ON h.pattern_id = p.id");
            }
        };
        // What is shown is chosen from narrow rows; only of these are the wide ones read.
        let mut sql = self.read(format!(
            "SELECT {}, t.n, t.n_runs, t.wasted_nanos, t.n_before FROM (SELECT p.id AS id, {value} AS value, ",
            columns("p")
        ));
        match filter.period {
            None => {
                sql.push(
                    "p.n AS n, p.n_runs AS n_runs, p.wasted_nanos AS wasted_nanos, CAST(0 AS BIGINT) AS n_before
                     FROM patterns p",
                );
                join_people(&mut sql);
                sql.push(" WHERE p.agency_id = $1");
            }
            Some(period) => {
                let (start, end) = days_of(period);
                let int = |day: i64| i32::try_from(day.clamp(i32::MIN.into(), i32::MAX.into())).unwrap_or(i32::MAX);
                let [before, start, end] = [start - (end - start), start, end].map(|day| sql.placeholder(int(day)));
                sql.push(&format!(
                    "d.n AS n, d.n_runs AS n_runs, d.wasted_nanos AS wasted_nanos, d.n_before AS n_before
                     FROM patterns p JOIN (
                         SELECT pattern_id,
                             CAST(SUM(CASE WHEN day >= {start} THEN n ELSE 0 END) AS BIGINT) AS n,
                             CAST(SUM(CASE WHEN day >= {start} THEN n_runs ELSE 0 END) AS BIGINT) AS n_runs,
                             CAST(SUM(CASE WHEN day >= {start} THEN wasted_nanos ELSE 0 END) AS BIGINT) AS wasted_nanos,
                             CAST(SUM(CASE WHEN day < {start} THEN n ELSE 0 END) AS BIGINT) AS n_before
                         FROM pattern_days WHERE agency_id = $1 AND day >= {before} AND day < {end} GROUP BY pattern_id
                     ) AS d ON d.pattern_id = p.id"
                ));
                join_people(&mut sql);
                sql.push(" WHERE p.agency_id = $1 AND d.n > 0");
            }
        }
        push_filter(&mut sql, filter);
        if let Some(cursor) = behind {
            let at = sql.placeholder(cursor.value);
            let id = sql.placeholder(cursor.id.as_uuid());
            sql.push(&format!(" AND {value} <= {at} AND ({value} < {at} OR p.id < {id})"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(
            " ORDER BY value DESC, p.id DESC LIMIT {limit}) AS t JOIN patterns p ON p.agency_id = $1 AND p.id = t.id
             ORDER BY t.value DESC, t.id DESC"
        ));
        let mut listed = Vec::new();
        for mut row in sql.all().await? {
            listed.push(PatternListed {
                pattern: read_pattern(&mut row)?,
                n: row.take()?,
                n_runs: row.take()?,
                wasted_nanos: row.take()?,
                n_before: row.take()?,
                human_ms: 0,
                cost_nanos: 0,
            });
        }
        let ids: Vec<PatternId> = listed.iter().map(|listed| listed.pattern.id).collect();
        let spent = match nanos_per_ms {
            Some(_) => self.sum_pattern_reviews(&ids, filter.period).await?,
            None => HashMap::new(),
        };
        for listed in &mut listed {
            let (review_ms, cleanup_minutes) = spent.get(&listed.pattern.id).copied().unwrap_or_default();
            listed.human_ms = review_ms.saturating_add(cleanup_minutes.saturating_mul(60_000));
            listed.cost_nanos = listed.wasted_nanos.saturating_add(listed.human_ms.saturating_mul(rate));
        }
        Ok(listed)
    }

    /// How many patterns there are in each state, of some workflows or of all.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn count_patterns(
        &self,
        workflows: Option<&[WorkflowId]>,
    ) -> Result<Vec<(PatternState, i64)>, StoreError> {
        let mut sql =
            self.read("SELECT p.state, COUNT(*) FROM patterns p WHERE p.agency_id = $1 AND p.merged_into IS NULL");
        push_workflows(&mut sql, "p.workflow_id", workflows);
        sql.push(" GROUP BY p.state");
        let corrupt = StoreError::Corrupt { table: "patterns", column: "state" };
        let rows = sql.all().await?.into_iter();
        let read = |mut row: Row| Ok((PatternState::parse(&row.take::<String>()?), row.take()?));
        let read: Result<Vec<(Option<PatternState>, i64)>, StoreError> = rows.map(read).collect();
        read?.into_iter().map(|(state, n)| state.map(|state| (state, n))).collect::<Option<_>>().ok_or(corrupt)
    }

    /// Finds patterns by id, those that became part of another included. Those that are not there are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_patterns(&self, ids: &[PatternId]) -> Result<Vec<PatternRow>, StoreError> {
        let mut found = Vec::new();
        for ids in ids.chunks(super::runs::KEYS_AT_ONCE) {
            let mut sql =
                self.read(format!("SELECT {} FROM patterns p WHERE p.agency_id = $1 AND p.id IN (", columns("p")));
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            for mut row in sql.all().await? {
                found.push(read_pattern(&mut row)?);
            }
        }
        Ok(found)
    }

    /// Finds a pattern. `None` when the agency has no such pattern.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_pattern(&self, id: PatternId) -> Result<Option<PatternRow>, StoreError> {
        Ok(self.find_patterns(&[id]).await?.pop())
    }

    /// The patterns that people put into one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_merged(&self, into: PatternId, limit: u32) -> Result<Vec<PatternRow>, StoreError> {
        let text = format!(
            "SELECT {} FROM patterns p WHERE p.agency_id = $1 AND p.merged_into = $2 AND p.merged_by <> ''
             ORDER BY p.merged_by, p.id LIMIT $3",
            columns("p")
        );
        let rows = self.read(text).bind(into.as_uuid()).bind(i64::from(limit)).all().await?;
        rows.into_iter().map(|mut row| read_pattern(&mut row)).collect()
    }

    /// How often a pattern was seen by day: the day since the epoch, exceptions and runs.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_pattern_days(&self, id: PatternId, period: Period) -> Result<Vec<(i32, i64, i64)>, StoreError> {
        let (start, end) = days_of(period);
        let rows = self
            .read(
                "SELECT day, n, n_runs FROM pattern_days
                 WHERE agency_id = $1 AND pattern_id = $2 AND day >= $3 AND day < $4 ORDER BY day",
            )
            .bind(id.as_uuid())
            .bind(i32::try_from(start).unwrap_or(i32::MIN))
            .bind(i32::try_from(end).unwrap_or(i32::MAX))
            .all()
            .await?;
        rows.into_iter().map(|mut row| Ok((row.take()?, row.take()?, row.take()?))).collect()
    }

    /// What the latest exceptions of a pattern were in: by `release`, `model` or `tool`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_facets(&self, id: PatternId) -> Result<[Vec<Facet>; 3], StoreError> {
        let mut facets = [Vec::new(), Vec::new(), Vec::new()];
        let rows = self
            .read(
                "SELECT release, model, tool, COUNT(*) FROM (
                     SELECT release, model, tool FROM exceptions WHERE agency_id = $1 AND pattern_id = $2
                     ORDER BY ended_at DESC, id DESC LIMIT $3) AS latest
                 GROUP BY release, model, tool",
            )
            .bind(id.as_uuid())
            .bind(LATEST)
            .all()
            .await?;
        for mut row in rows {
            let names: [String; 3] = [row.take()?, row.take()?, row.take()?];
            let n: i64 = row.take()?;
            for (facets, name) in facets.iter_mut().zip(names) {
                match facets.iter_mut().find(|facet: &&mut Facet| facet.name == name) {
                    Some(facet) => facet.n += n,
                    None => facets.push(Facet { name, n }),
                }
            }
        }
        for facets in &mut facets {
            facets.sort_by(|a, b| (b.n, &a.name).cmp(&(a.n, &b.name)));
            facets.truncate(FACETS);
        }
        Ok(facets)
    }

    /// In how many ways the latest exceptions of a pattern are written, the commonest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_variants(&self, id: PatternId, limit: u32) -> Result<Vec<Variant>, StoreError> {
        let rows = self
            .read(
                "SELECT shape, COUNT(*), MIN(message), MAX(at) FROM (
                     SELECT COALESCE(shape, '') AS shape, message, at FROM exceptions
                     WHERE agency_id = $1 AND pattern_id = $2 ORDER BY ended_at DESC, id DESC LIMIT $3) AS latest
                 GROUP BY shape ORDER BY 2 DESC, 1 LIMIT $4",
            )
            .bind(id.as_uuid())
            .bind(LATEST)
            .bind(i64::from(limit))
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(Variant {
                    shape: row.take()?,
                    n: row.take()?,
                    message: row.take()?,
                    last_seen: Timestamp(row.take()?),
                })
            })
            .collect()
    }

    /// Changes what a person says of a pattern. Gives whether there is one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_pattern(
        &self,
        id: PatternId,
        change: &PatternChange,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut sql =
            self.write("UPDATE patterns SET changed_at = $3, changed_by = $4").bind(id.as_uuid()).bind(now.0).bind(by);
        let mut set = |column: &str, value: Option<Value>| {
            if let Some(value) = value {
                let value = sql.placeholder(value);
                sql.push(&format!(", {column} = {value}"));
            }
        };
        set("name", change.name.clone().map(Value::from));
        set("state", change.state.map(|state| Value::from(state.as_str())));
        set("resolved_at", change.resolved_at.map(|at| Value::from(at.0)));
        set("resolved_in", change.resolved_in.clone().map(Value::from));
        set("regressed_at", change.regressed_at.map(|at| Value::from(at.0)));
        sql.push(" WHERE agency_id = $1 AND id = $2");
        Ok(sql.run().await? == 1)
    }

    /// Records a draft on a pattern.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_pattern_draft(&self, draft: &PatternDraft) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO pattern_drafts (agency_id, id, pattern_id, kind, text, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(draft.id.as_uuid())
        .bind(draft.pattern_id.as_uuid())
        .bind(draft.kind.as_str())
        .bind(draft.text.clone())
        .bind(draft.created_at.0)
        .bind(draft.created_by.clone())
        .run()
        .await
        .map(|_| ())
    }

    /// Takes a draft away. Gives whether there was one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_pattern_draft(&self, pattern: PatternId, id: DraftId) -> Result<bool, StoreError> {
        let text = "DELETE FROM pattern_drafts WHERE agency_id = $1 AND pattern_id = $2 AND id = $3";
        Ok(self.write(text).bind(pattern.as_uuid()).bind(id.as_uuid()).run().await? == 1)
    }

    /// Lists the drafts on a pattern, the oldest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_pattern_drafts(&self, pattern: PatternId) -> Result<Vec<PatternDraft>, StoreError> {
        let rows = self
            .read(
                "SELECT id, pattern_id, kind, text, created_at, created_by FROM pattern_drafts
                 WHERE agency_id = $1 AND pattern_id = $2 ORDER BY created_at, id",
            )
            .bind(pattern.as_uuid())
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(PatternDraft {
                    id: DraftId::from_uuid(row.take()?),
                    pattern_id: PatternId::from_uuid(row.take()?),
                    kind: DraftKind::parse(&row.take::<String>()?)
                        .ok_or(StoreError::Corrupt { table: "pattern_drafts", column: "kind" })?,
                    text: row.take()?,
                    created_at: Timestamp(row.take()?),
                    created_by: row.take()?,
                })
            })
            .collect()
    }
}
