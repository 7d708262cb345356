//! `DELETE /api/v1/connections/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use steward_core::ids::ConnectionId;

use crate::api::caller::Writer;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Deletes a connection: its address answers no more, and its key is revoked. What came by it stays.
#[utoipa::path(
    delete, path = "/connections/{id}", tag = "workflows", operation_id = "delete_connection",
    params(("id" = String, Path, description = "The connection's id", example = "con_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 204, description = "It is deleted"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.connections.delete", skip_all)]
pub(crate) async fn delete_connection(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ConnectionId>,
) -> Result<StatusCode, Problem> {
    state.app.delete_connection(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
