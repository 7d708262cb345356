//! `POST /api/v1/queue/{id}/keep`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::ItemId;
use utoipa::ToSchema;

use super::QueueItemJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A sign of life.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptClaim {
    /// Active time since the last sign of life, in milliseconds.
    #[schema(minimum = 0, maximum = 28800000)]
    active_ms: i64,
}

/// Holds a claim longer, and adds active time: no more than has passed since the claim was made or last kept.
#[utoipa::path(
    post, path = "/queue/{id}/keep", tag = "queue", operation_id = "keep_claim",
    params(("id" = String, Path, description = "The item's id", example = "item_01930000000080008000000000000001")),
    request_body = KeptClaim,
    security(("session" = [])),
    responses(
        (status = 200, body = QueueItemJson, description = "The item"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.keep", skip_all)]
pub(crate) async fn keep_claim(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ItemId>,
    Json(body): Json<KeptClaim>,
) -> Result<Json<QueueItemJson>, Problem> {
    Ok(Json(state.app.keep_claim(&actor, id, body.active_ms).await?.into()))
}
