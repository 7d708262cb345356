//! `GET /api/v1/runs`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::run_query::{KEYS, RunQuery};
use steward_app::tenant::{RunFilter, RunSort};
use steward_app::{Actor, App};
use utoipa::{IntoParams, ToSchema};

use super::RunJson;
use crate::api::caller::Reader;
use crate::api::cursor;
use crate::extract::{Json, Query};
use crate::problem::{Kind, ProblemJson};
use crate::{Problem, WebState};

const USUAL_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Which runs are meant. The same words stand in the addresses of pages, so a list can be copied from there.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read as pairs because keys repeat")]
pub(crate) struct RunFilterParams {
    /// Only this client's workflows.
    #[param(pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<String>,
    /// Only this workflow; may be repeated.
    workflow: Option<Vec<String>>,
    /// Ended on or after this day, or at or after this instant.
    #[param(example = "2026-10-01")]
    from: Option<String>,
    /// Ended on or before this day, or before this instant.
    #[param(example = "2026-10-31")]
    to: Option<String>,
    /// `open`, `ended`, `provisional` or `final`.
    #[param(pattern = "^(open|ended|provisional|final)$")]
    state: Option<String>,
    /// `completed`, `escalated`, `failed`, `abandoned` or `unverified`.
    #[param(pattern = "^(completed|escalated|failed|abandoned|unverified)$")]
    outcome: Option<String>,
    /// With a verified outcome: `yes` or `no`.
    #[param(pattern = "^(yes|no)$")]
    verified: Option<String>,
    /// What the outcome rests on: `verdict`, `explicit`, `score`, `rule`, `status` or `nothing`.
    #[param(pattern = "^(verdict|explicit|score|rule|status|nothing)$")]
    evidence: Option<String>,
    /// Called this model.
    #[param(max_length = 200)]
    model: Option<String>,
    /// Called this tool.
    #[param(max_length = 200)]
    tool: Option<String>,
    /// A call failed: of any `tool` or `model`, of `tool:NAME` or `model:NAME`, these with `:CLASS` behind them or not; or a
    /// class alone.
    #[param(max_length = 200)]
    error: Option<String>,
    /// Of this release.
    #[param(max_length = 200)]
    release: Option<String>,
    /// Brought about this result.
    #[param(max_length = 200)]
    result: Option<String>,
    /// Of this end user.
    #[param(max_length = 200)]
    user: Option<String>,
    /// Whose title, first error, user or key contains this text.
    #[param(max_length = 200)]
    q: Option<String>,
    /// With an exception: `yes` or `no`.
    #[param(pattern = "^(yes|no)$")]
    exceptions: Option<String>,
    /// With a known cost: `yes` or `no`.
    #[param(pattern = "^(yes|no)$")]
    priced: Option<String>,
    /// With late steps: `yes`.
    #[param(pattern = "^(yes|no)$")]
    late: Option<String>,
    /// With attributes that no rule used: `yes`.
    #[param(pattern = "^(yes|no)$")]
    unmapped: Option<String>,
    /// With this attribute, which no rule used.
    #[param(max_length = 200)]
    unmapped_key: Option<String>,
    /// Inside (`in`) or outside (`out`) of business hours.
    #[param(pattern = "^(in|out)$")]
    hours: Option<String>,
    /// At least so many seconds long.
    #[param(pattern = r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    min_s: Option<String>,
    /// At most so many seconds long.
    #[param(pattern = r"^[0-9]{1,9}(\.[0-9]{1,3})?$")]
    max_s: Option<String>,
    /// At least so many US dollars dear.
    #[param(pattern = r"^[0-9]{1,9}(\.[0-9]{1,9})?$")]
    min_usd: Option<String>,
    /// Test runs too: `yes`.
    #[param(pattern = "^(yes|no)$")]
    tests: Option<String>,
}

/// In which order, and how far.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the query, which is read as pairs because keys repeat")]
pub(crate) struct PageParams {
    /// The highest first: `ended` (the usual), `cycle`, `cost` or `exceptions`.
    #[param(pattern = "^(ended|cycle|cost|exceptions)$")]
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of a list of runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunsPage)]
pub(crate) struct RunsPageJson {
    /// The runs.
    items: Vec<RunJson>,
    /// Send it as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Lists runs that a filter finds.
#[utoipa::path(
    get, path = "/runs", tag = "runs", operation_id = "list_runs", params(RunFilterParams, PageParams),
    responses(
        (status = 200, body = RunsPageJson, description = "A page of runs"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.runs.list", skip_all)]
pub(crate) async fn list_runs(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<RunsPageJson>, Problem> {
    let (mut sort, mut cursor_text, mut limit) = (RunSort::default(), None, USUAL_LIMIT);
    for (key, value) in &pairs {
        match key.as_str() {
            "sort" => sort = sort_of(value)?,
            "cursor" => cursor_text = Some(value.as_str()).filter(|text| !text.is_empty()),
            "limit" => limit = limit_of(value)?,
            _ => {}
        }
    }
    if sort == RunSort::Cost && !actor.role.sees_money() {
        return Err(Problem::new(Kind::Forbidden).because("costs are for owners and operators"));
    }
    let filter = filter_of(&state.app, &actor, &pairs, &["sort", "cursor", "limit"]).await?;
    let behind = cursor_text.map(|text| cursor::read(text, sort)).transpose()?;
    let page = state.app.list_runs(&actor, &filter, sort, behind, limit).await?;
    let now = state.app.clock().now();
    Ok(Json(RunsPageJson {
        items: page.runs.into_iter().map(|row| RunJson::of(row, now)).collect(),
        next_cursor: page.next.map(|next| cursor::write(next, sort)),
    }))
}

/// The filter that a query means. A key that is no filter and not among `others` is refused: it would silently not limit.
pub(crate) async fn filter_of(
    app: &App,
    actor: &Actor,
    pairs: &[(String, String)],
    others: &[&str],
) -> Result<RunFilter, Problem> {
    if let Some((key, _)) =
        pairs.iter().find(|(key, _)| !KEYS.contains(&key.as_str()) && !others.contains(&key.as_str()))
    {
        return Err(Problem::new(Kind::BadRequest).because(format!("there is no filter “{key}”")));
    }
    let zone = app.get_agency(actor).await?.zone();
    let query = RunQuery::read(pairs.iter().map(|(key, value)| (key, value)), app.clock().now(), &zone)?;
    Ok(app.filter_of(actor, &query).await?)
}

fn sort_of(word: &str) -> Result<RunSort, Problem> {
    Ok(match word {
        "ended" => RunSort::Ended,
        "cycle" => RunSort::Cycle,
        "cost" => RunSort::Cost,
        "exceptions" => RunSort::Exceptions,
        _ => return Err(Problem::invalid("“sort” takes ended, cycle, cost or exceptions")),
    })
}

fn limit_of(text: &str) -> Result<u32, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Problem::invalid(format!("“limit” is from 1 to {MAX_LIMIT}")))
}
