//! `GET /api/v1/patterns`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::run_query::RunQuery;
use steward_app::tenant::{PatternFilter, PatternSort};
use utoipa::{IntoParams, ToSchema};

use super::PatternJson;
use crate::api::caller::Reader;
use crate::api::cursor;
use crate::api::words::{ErrorClassWord, ExceptionKindWord, PatternStateWord};
use crate::extract::{Json, Query};
use crate::problem::{Kind, ProblemJson};
use crate::{Problem, WebState};

const USUAL_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// Which patterns are meant, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PatternsQuery {
    /// Only this client's workflows.
    #[param(pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<String>,
    /// Only this workflow.
    #[param(pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<PatternStateWord>,
    /// Only those of this sort.
    #[param(inline)]
    kind: Option<ExceptionKindWord>,
    /// Only those of this tool.
    #[param(max_length = 200)]
    tool: Option<String>,
    /// Only those of this class of error.
    #[param(inline)]
    class: Option<ErrorClassWord>,
    /// Only those seen in this release.
    #[param(max_length = 200)]
    release: Option<String>,
    /// Whose name, template, tool or code contains this text.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Only those seen on or after this day, or at or after this instant; counts are then of whole days from there on.
    #[param(example = "2026-10-01")]
    from: Option<String>,
    /// Only those seen on or before this day, or before this instant.
    #[param(example = "2026-10-31")]
    to: Option<String>,
    /// The highest first: `count` (the usual), `trend`, `cost` or `last_seen`.
    #[param(pattern = "^(count|trend|cost|last_seen)$")]
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many.
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A pattern with what was counted in the period that was asked for, or ever where none was.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedPattern)]
pub(crate) struct ListedPatternJson {
    /// The pattern.
    pattern: PatternJson,
    /// Exceptions.
    n: i64,
    /// Runs with one.
    n_runs: i64,
    /// What those of the runs cost that did not do their job, in billionths of a US dollar.
    wasted_nanos: i64,
    /// Exceptions in the period before, which is as long; 0 where no period was asked for.
    n_before: i64,
    /// What people spent on reviews and on cleaning up, in milliseconds.
    human_ms: i64,
    /// `wasted_nanos`, and what people's time costs at the agency's rate where that is in US dollars, in billionths of a
    /// US dollar. `cost` sorts by it.
    cost_nanos: i64,
}

/// A page of a list of patterns.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternsPage)]
pub(crate) struct PatternsPageJson {
    /// The patterns.
    items: Vec<ListedPatternJson>,
    /// Send it as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Lists patterns that a filter finds. Those that became part of another are not among them.
#[utoipa::path(
    get, path = "/patterns", tag = "exceptions", operation_id = "list_patterns", params(PatternsQuery),
    responses(
        (status = 200, body = PatternsPageJson, description = "A page of patterns"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.list", skip_all)]
pub(crate) async fn list_patterns(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<PatternsQuery>,
) -> Result<Json<PatternsPageJson>, Problem> {
    let sort = query.sort.as_deref().map_or(Ok(PatternSort::Count), sort_of)?;
    let limit = query.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("“limit” is from 1 to {MAX_LIMIT}")));
    }
    if sort == PatternSort::Cost && !actor.role.sees_money() {
        return Err(Problem::new(Kind::Forbidden).because("costs are for owners and operators"));
    }
    let zone = state.app.get_agency(&actor).await?.zone();
    let said = [
        ("client", &query.client),
        ("workflow", &query.workflow),
        ("tool", &query.tool),
        ("release", &query.release),
        ("q", &query.q),
        ("from", &query.from),
        ("to", &query.to),
    ];
    let said = said.into_iter().filter_map(|(key, value)| value.as_deref().map(|value| (key, value)));
    let RunQuery { client, filter } = RunQuery::read(said, state.app.clock().now(), &zone)?;
    let filter = PatternFilter {
        workflows: filter.workflows,
        states: query.state.map(Into::into).into_iter().collect(),
        period: filter.period,
        kind: query.kind.map(Into::into),
        tool: filter.tool,
        class: query.class.map(|class| steward_core::step::ErrorClass::from(class).as_str().to_owned()),
        release: filter.release,
        text: filter.text,
    };
    let cursor = query.cursor.as_deref().filter(|text| !text.is_empty());
    let behind = cursor.map(|text| cursor::read_pattern(text, sort)).transpose()?;
    let page = state.app.list_patterns(&actor, &filter, client, sort, behind, limit).await?;
    let items = page.patterns.into_iter().map(|listed| ListedPatternJson {
        n: listed.n,
        n_runs: listed.n_runs,
        wasted_nanos: listed.wasted_nanos,
        n_before: listed.n_before,
        human_ms: listed.human_ms,
        cost_nanos: listed.cost_nanos,
        pattern: listed.pattern.into(),
    });
    Ok(Json(PatternsPageJson {
        items: items.collect(),
        next_cursor: page.next.map(|next| cursor::write_pattern(next, sort)),
    }))
}

fn sort_of(word: &str) -> Result<PatternSort, Problem> {
    Ok(match word {
        "count" => PatternSort::Count,
        "trend" => PatternSort::Trend,
        "cost" => PatternSort::Cost,
        "last_seen" => PatternSort::LastSeen,
        _ => return Err(Problem::invalid("“sort” takes count, trend, cost or last_seen")),
    })
}
