//! `POST /api/v1/patterns/{id}/review`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::PatternId;
use utoipa::ToSchema;

use super::BulkReviewJson;
use crate::api::caller::Writer;
use crate::api::reviews::JudgementJson;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What one makes of all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBulkReview {
    /// The judgement.
    judgement: JudgementJson,
    /// Active time for all of them together, in milliseconds.
    #[schema(minimum = 0, maximum = 28800000)]
    active_ms: Option<i64>,
}

/// Closes all items of a pattern that wait and that nobody else holds, with one judgement. Many are closed behind the answer; ask for the progress. It is taken back as one.
#[utoipa::path(
    post, path = "/patterns/{id}/review", tag = "queue", operation_id = "review_pattern",
    params(("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001")),
    request_body = NewBulkReview,
    security(("session" = [])),
    responses(
        (status = 200, body = BulkReviewJson, description = "The bulk review"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.bulk_reviews.start", skip_all)]
pub(crate) async fn review_pattern(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<PatternId>,
    Json(body): Json<NewBulkReview>,
) -> Result<Json<BulkReviewJson>, Problem> {
    Ok(Json(state.app.start_bulk_review(&actor, id, body.judgement.into(), body.active_ms).await?.into()))
}
