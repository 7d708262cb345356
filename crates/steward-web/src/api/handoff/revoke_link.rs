//! `DELETE /api/v1/links/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use steward_core::ids::LinkId;

use crate::api::caller::Writer;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Revokes a link to a handoff packet: whoever opens it reads that it was revoked.
#[utoipa::path(
    delete, path = "/links/{id}", tag = "exceptions", operation_id = "revoke_handoff_link",
    params(("id" = String, Path, description = "The link's id", example = "lnk_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 204, description = "It is revoked"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.handoff.revoke_link", skip_all)]
pub(crate) async fn revoke_handoff_link(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<LinkId>,
) -> Result<StatusCode, Problem> {
    state.app.revoke_handoff_link(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
