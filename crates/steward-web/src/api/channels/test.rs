//! `POST /api/v1/channels/{id}/test`

use axum::extract::State;
use axum::http::StatusCode;
use steward_core::ids::ChannelId;

use crate::api::caller::Writer;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Has a test sent by a channel, which says of itself that it is one. Whether it arrived, the channel says.
#[utoipa::path(
    post, path = "/channels/{id}/test", tag = "exceptions", operation_id = "test_channel",
    params(("id" = String, Path, description = "The channel's id", example = "chn_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 202, description = "It is on its way"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.test", skip_all)]
pub(crate) async fn test_channel(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ChannelId>,
) -> Result<StatusCode, Problem> {
    state.app.test_channel(&actor, id).await?;
    Ok(StatusCode::ACCEPTED)
}
