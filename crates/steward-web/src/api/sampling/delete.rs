//! `DELETE /api/v1/workflows/{id}/sampling`

use axum::extract::State;
use axum::http::StatusCode;
use steward_core::ids::WorkflowId;

use crate::api::caller::Writer;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Samples nothing more of a workflow. What waits in the queue still waits, and what was found stays.
#[utoipa::path(
    delete, path = "/workflows/{id}/sampling", tag = "workflows", operation_id = "delete_sampling",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 204, description = "Nothing more is sampled"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.sampling.delete", skip_all)]
pub(crate) async fn delete_sampling(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<WorkflowId>,
) -> Result<StatusCode, Problem> {
    state.app.delete_sampling(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
