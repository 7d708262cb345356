//! `DELETE /api/v1/channels/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use steward_core::ids::ChannelId;

use crate::api::caller::Writer;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Deletes a channel with what waits to be sent by it.
#[utoipa::path(
    delete, path = "/channels/{id}", tag = "exceptions", operation_id = "delete_channel",
    params(("id" = String, Path, description = "The channel's id", example = "chn_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.delete", skip_all)]
pub(crate) async fn delete_channel(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ChannelId>,
) -> Result<StatusCode, Problem> {
    state.app.delete_channel(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
