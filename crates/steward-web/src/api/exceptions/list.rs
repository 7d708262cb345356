//! `GET /api/v1/exceptions`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::run_query::RunQuery;
use steward_app::tenant::ExceptionFilter;
use steward_core::ids::{PatternId, RunId};
use utoipa::{IntoParams, ToSchema};

use super::ExceptionJson;
use crate::api::caller::Reader;
use crate::api::cursor;
use crate::api::words::{ErrorClassWord, ExceptionKindWord};
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

const USUAL_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Which exceptions are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExceptionsQuery {
    /// Only this client's workflows.
    #[param(pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<String>,
    /// Only this workflow.
    #[param(pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<String>,
    /// Only those of this pattern.
    #[param(value_type = Option<String>, pattern = "^pat_[0-9a-f]{32}$")]
    pattern: Option<PatternId>,
    /// Only those of this run.
    #[param(value_type = Option<String>, pattern = "^run_[0-9a-f]{32}$")]
    run: Option<RunId>,
    /// Only those of this sort.
    #[param(inline)]
    kind: Option<ExceptionKindWord>,
    /// Only those of this tool.
    #[param(max_length = 200)]
    tool: Option<String>,
    /// Only those of this class of error.
    #[param(inline)]
    class: Option<ErrorClassWord>,
    /// Only those of runs of this release.
    #[param(max_length = 200)]
    release: Option<String>,
    /// Only those of runs that ended on or after this day, or at or after this instant.
    #[param(example = "2026-10-01")]
    from: Option<String>,
    /// Only those of runs that ended on or before this day, or before this instant.
    #[param(example = "2026-10-31")]
    to: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of a list of exceptions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExceptionsPage)]
pub(crate) struct ExceptionsPageJson {
    /// The exceptions, those of the latest runs first.
    items: Vec<ExceptionJson>,
    /// Send it as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Lists exceptions of finished runs that are no tests.
#[utoipa::path(
    get, path = "/exceptions", tag = "exceptions", operation_id = "list_exceptions", params(ExceptionsQuery),
    responses(
        (status = 200, body = ExceptionsPageJson, description = "A page of exceptions"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.exceptions.list", skip_all)]
pub(crate) async fn list_exceptions(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ExceptionsQuery>,
) -> Result<Json<ExceptionsPageJson>, Problem> {
    let limit = query.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("“limit” is from 1 to {MAX_LIMIT}")));
    }
    let zone = state.app.get_agency(&actor).await?.zone();
    let said = [
        ("client", &query.client),
        ("workflow", &query.workflow),
        ("tool", &query.tool),
        ("release", &query.release),
        ("from", &query.from),
        ("to", &query.to),
    ];
    let said = said.into_iter().filter_map(|(key, value)| value.as_deref().map(|value| (key, value)));
    let RunQuery { client, filter } = RunQuery::read(said, state.app.clock().now(), &zone)?;
    let filter = ExceptionFilter {
        workflows: filter.workflows,
        period: filter.period,
        pattern: query.pattern,
        run: query.run,
        kind: query.kind.map(Into::into),
        tool: filter.tool,
        class: query.class.map(|class| steward_core::step::ErrorClass::from(class).as_str().to_owned()),
        release: filter.release,
    };
    let cursor = query.cursor.as_deref().filter(|text| !text.is_empty());
    let behind = cursor.map(cursor::read_exception).transpose()?;
    let page = state.app.list_exceptions(&actor, &filter, client, behind, limit).await?;
    Ok(Json(ExceptionsPageJson {
        items: page.exceptions.into_iter().map(ExceptionJson::from).collect(),
        next_cursor: page.next.map(cursor::write_exception),
    }))
}
