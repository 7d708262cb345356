//! `GET /api/v1/runs/{id}`

use axum::extract::State;
use steward_core::ids::RunId;

use super::RunDetailJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets a run with its steps.
#[utoipa::path(
    get, path = "/runs/{id}", tag = "runs", operation_id = "get_run",
    params(("id" = String, Path, description = "The run's id", example = "run_01930000000070008000000000000001")),
    responses(
        (status = 200, body = RunDetailJson, description = "The run"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.runs.get", skip_all)]
pub(crate) async fn get_run(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<RunId>,
) -> Result<Json<RunDetailJson>, Problem> {
    let detail = state.app.get_run(&actor, id).await?;
    Ok(Json(RunDetailJson::of(detail, actor.role.sees_money())))
}
