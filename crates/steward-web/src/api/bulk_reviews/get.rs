//! `GET /api/v1/bulk-reviews/{id}`

use axum::extract::State;
use steward_core::ids::BulkId;

use super::BulkReviewJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets a bulk review with its progress.
#[utoipa::path(
    get, path = "/bulk-reviews/{id}", tag = "queue", operation_id = "get_bulk_review",
    params(("id" = String, Path, description = "The bulk review's id", example = "bulk_01930000000070008000000000000001")),
    responses(
        (status = 200, body = BulkReviewJson, description = "The bulk review"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.bulk_reviews.get", skip_all)]
pub(crate) async fn get_bulk_review(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<BulkId>,
) -> Result<Json<BulkReviewJson>, Problem> {
    Ok(Json(state.app.find_bulk_review(&actor, id).await?.into()))
}
