//! `POST /api/v1/queue/{id}/review`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::ItemId;
use utoipa::ToSchema;

use crate::api::caller::Writer;
use crate::api::reviews::{CorrectionJson, JudgementJson, ReviewJson};
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A judgement with what handling the item took.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReview {
    /// What one makes of it.
    #[serde(default)]
    judgement: JudgementJson,
    /// Active time since the last sign of life, in milliseconds.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 28800000)]
    active_ms: i64,
    /// How long it took where the measured time is not right; counts instead of all that was measured.
    correction: Option<CorrectionJson>,
}

/// Closes an item that one holds, with a judgement. A corrected outcome is a verdict on the run, and every figure follows; the review counts in the hour in which it was closed.
#[utoipa::path(
    post, path = "/queue/{id}/review", tag = "queue", operation_id = "review_item",
    params(("id" = String, Path, description = "The item's id", example = "item_01930000000080008000000000000001")),
    request_body = NewReview,
    security(("session" = [])),
    responses(
        (status = 200, body = ReviewJson, description = "The review"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.review", skip_all)]
pub(crate) async fn review_item(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ItemId>,
    Json(body): Json<NewReview>,
) -> Result<Json<ReviewJson>, Problem> {
    let correction = body.correction.map(Into::into);
    let review = state.app.review_item(&actor, id, body.judgement.into(), body.active_ms, correction).await?;
    Ok(Json(review.into()))
}
