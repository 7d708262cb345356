//! `GET /api/v1/workflows/{id}`

use axum::extract::State;
use steward_core::ids::WorkflowId;

use super::WorkflowJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets a workflow with its settings.
#[utoipa::path(
    get, path = "/workflows/{id}", tag = "workflows", operation_id = "get_workflow",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    responses(
        (status = 200, body = WorkflowJson, description = "The workflow"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.workflows.get", skip_all)]
pub(crate) async fn get_workflow(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<WorkflowId>,
) -> Result<Json<WorkflowJson>, Problem> {
    let workflow = state.app.get_workflow(&actor, id).await?;
    Ok(Json(WorkflowJson::of(workflow, &actor)))
}
