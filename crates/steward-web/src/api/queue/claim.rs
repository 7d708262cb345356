//! `POST /api/v1/queue/{id}/claim`

use axum::extract::State;
use steward_core::ids::ItemId;

use super::QueueItemJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Claims an item: nobody else gets it while the lease of 15 minutes holds. Whoever holds it already holds it longer.
#[utoipa::path(
    post, path = "/queue/{id}/claim", tag = "queue", operation_id = "claim_item",
    params(("id" = String, Path, description = "The item's id", example = "item_01930000000080008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 200, body = QueueItemJson, description = "The item"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.claim", skip_all)]
pub(crate) async fn claim_item(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ItemId>,
) -> Result<Json<QueueItemJson>, Problem> {
    Ok(Json(state.app.claim_item(&actor, id).await?.into()))
}
