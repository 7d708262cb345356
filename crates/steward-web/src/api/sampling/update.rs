//! `PUT /api/v1/workflows/{id}/sampling`

use axum::extract::State;
use steward_core::ids::WorkflowId;

use super::{SamplingJson, SamplingRuleJson};
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Says which completed runs of a workflow go to review. It holds for runs that end from the first rule on, and for
/// days (UTC) that are not over yet; a day's runs are taken when it is over.
#[utoipa::path(
    put, path = "/workflows/{id}/sampling", tag = "workflows", operation_id = "update_sampling",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    request_body = SamplingRuleJson,
    security(("session" = [])),
    responses(
        (status = 200, body = SamplingJson, description = "How it is sampled then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.sampling.update", skip_all)]
pub(crate) async fn update_sampling(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<WorkflowId>,
    Json(rule): Json<SamplingRuleJson>,
) -> Result<Json<SamplingJson>, Problem> {
    let sampling = state.app.update_sampling(&actor, id, rule.into()).await?;
    Ok(Json(Some(sampling).into()))
}
