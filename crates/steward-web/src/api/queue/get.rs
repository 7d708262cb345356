//! `GET /api/v1/queue/{id}`

use axum::extract::State;
use serde::Serialize;
use steward_core::ids::ItemId;
use utoipa::ToSchema;

use super::QueueItemJson;
use crate::api::caller::Reader;
use crate::api::exceptions::ExceptionJson;
use crate::api::patterns::PatternJson;
use crate::api::reviews::ReviewJson;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// An item with what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueItemDetail)]
pub(crate) struct QueueItemDetailJson {
    /// The item.
    item: QueueItemJson,
    /// The exception; null for a sample, and for one that the run no longer has.
    exception: Option<ExceptionJson>,
    /// The pattern; null for a sample.
    pattern: Option<PatternJson>,
    /// Reviews of it, the latest first, those included that were taken back.
    reviews: Vec<ReviewJson>,
    /// The latest reviews of other items of the pattern that say what was done about it.
    resolutions: Vec<ReviewJson>,
}

/// Gets an item of the queue, open or closed.
#[utoipa::path(
    get, path = "/queue/{id}", tag = "queue", operation_id = "get_queue_item",
    params(("id" = String, Path, description = "The item's id", example = "item_01930000000080008000000000000001")),
    responses(
        (status = 200, body = QueueItemDetailJson, description = "The item with what belongs to it"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.get", skip_all)]
pub(crate) async fn get_queue_item(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ItemId>,
) -> Result<Json<QueueItemDetailJson>, Problem> {
    let detail = state.app.get_queue_item(&actor, id).await?;
    Ok(Json(QueueItemDetailJson {
        item: detail.item.into(),
        exception: detail.exception.map(Into::into),
        pattern: detail.pattern.map(Into::into),
        reviews: detail.reviews.into_iter().map(Into::into).collect(),
        resolutions: detail.resolutions.into_iter().map(Into::into).collect(),
    }))
}
