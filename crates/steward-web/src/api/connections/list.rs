//! `GET /api/v1/workflows/{id}/connections`

use axum::extract::State;
use steward_core::ids::WorkflowId;

use super::ConnectionJson;
use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Lists the connections of a workflow, the oldest first.
#[utoipa::path(
    get, path = "/workflows/{id}/connections", tag = "workflows", operation_id = "list_connections",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    responses(
        (status = 200, body = List<ConnectionJson>, description = "The connections"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.connections.list", skip_all)]
pub(crate) async fn list_connections(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<WorkflowId>,
) -> Result<Json<List<ConnectionJson>>, Problem> {
    let connections = state.app.list_connections(&actor, id).await?;
    Ok(List::of(connections.into_iter().map(ConnectionJson::from)))
}
