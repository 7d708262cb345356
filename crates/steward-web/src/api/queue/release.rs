//! `POST /api/v1/queue/{id}/release`

use axum::extract::State;
use steward_core::ids::ItemId;

use super::QueueItemJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gives an item back that one holds; what was measured of it is forgotten.
#[utoipa::path(
    post, path = "/queue/{id}/release", tag = "queue", operation_id = "release_item",
    params(("id" = String, Path, description = "The item's id", example = "item_01930000000080008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 200, body = QueueItemJson, description = "The item"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.release", skip_all)]
pub(crate) async fn release_item(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ItemId>,
) -> Result<Json<QueueItemJson>, Problem> {
    Ok(Json(state.app.release_item(&actor, id).await?.into()))
}
