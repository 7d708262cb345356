//! `GET /api/v1/workflows/{id}/sampling`

use axum::extract::State;
use steward_core::ids::WorkflowId;

use super::SamplingJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets which completed runs of a workflow go to review.
#[utoipa::path(
    get, path = "/workflows/{id}/sampling", tag = "workflows", operation_id = "get_sampling",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    responses(
        (status = 200, body = SamplingJson, description = "How it is sampled"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.sampling.get", skip_all)]
pub(crate) async fn get_sampling(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<WorkflowId>,
) -> Result<Json<SamplingJson>, Problem> {
    Ok(Json(state.app.find_sampling(&actor, id).await?.into()))
}
