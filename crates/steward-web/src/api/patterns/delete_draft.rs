//! `DELETE /api/v1/patterns/{id}/drafts/{draft}`

use axum::extract::State;
use axum::http::StatusCode;
use steward_core::ids::{DraftId, PatternId};

use crate::api::caller::Writer;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Takes a draft away.
#[utoipa::path(
    delete, path = "/patterns/{id}/drafts/{draft}", tag = "exceptions", operation_id = "delete_pattern_draft",
    params(
        ("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001"),
        ("draft" = String, Path, description = "The draft's id", example = "dra_01930000000070008000000000000001"),
    ),
    security(("session" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.delete_draft", skip_all)]
pub(crate) async fn delete_pattern_draft(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path((id, draft)): Path<(PatternId, DraftId)>,
) -> Result<StatusCode, Problem> {
    state.app.delete_pattern_draft(&actor, id, draft).await?;
    Ok(StatusCode::NO_CONTENT)
}
