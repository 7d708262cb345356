//! `POST /api/v1/reviews/{id}/undo`

use axum::extract::State;
use steward_core::ids::ReviewId;

use super::ReviewJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Takes a review back: its item waits again, the outcome is what it was, and the review counts nowhere.
#[utoipa::path(
    post, path = "/reviews/{id}/undo", tag = "queue", operation_id = "undo_review",
    params(("id" = String, Path, description = "The review's id", example = "rev_01930000000070008000000000000001")),
    security(("session" = [])),
    responses(
        (status = 200, body = ReviewJson, description = "The review as it is then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.reviews.undo", skip_all)]
pub(crate) async fn undo_review(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ReviewId>,
) -> Result<Json<ReviewJson>, Problem> {
    Ok(Json(state.app.undo_review(&actor, id).await?.into()))
}
