//! `POST /api/v1/bulk-reviews/{id}/undo`

use axum::extract::State;
use steward_core::ids::BulkId;

use super::BulkReviewJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Takes a bulk review back, as a whole, also while it runs.
#[utoipa::path(
    post, path = "/bulk-reviews/{id}/undo", tag = "queue", operation_id = "undo_bulk_review",
    params(("id" = String, Path, description = "The bulk review's id", example = "bulk_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 200, body = BulkReviewJson, description = "The bulk review as it is then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.bulk_reviews.undo", skip_all)]
pub(crate) async fn undo_bulk_review(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<BulkId>,
) -> Result<Json<BulkReviewJson>, Problem> {
    Ok(Json(state.app.undo_bulk_review(&actor, id).await?.into()))
}
