//! `GET /api/v1/reviews/{id}`

use axum::extract::State;
use steward_core::ids::ReviewId;

use super::ReviewJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets a review.
#[utoipa::path(
    get, path = "/reviews/{id}", tag = "queue", operation_id = "get_review",
    params(("id" = String, Path, description = "The review's id", example = "rev_01930000000070008000000000000001")),
    responses(
        (status = 200, body = ReviewJson, description = "The review"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.reviews.get", skip_all)]
pub(crate) async fn get_review(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ReviewId>,
) -> Result<Json<ReviewJson>, Problem> {
    Ok(Json(state.app.get_review(&actor, id).await?.into()))
}
