//! `POST /api/v1/patterns/{id}/drafts`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::PatternId;
use utoipa::ToSchema;

use super::DraftJson;
use crate::api::caller::Writer;
use crate::api::words::DraftKindWord;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A cure to prepare.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDraft {
    /// What it is to become.
    kind: DraftKindWord,
    /// What it says.
    #[schema(min_length = 1, max_length = 10000)]
    text: String,
}

/// Keeps a draft of a cure on a pattern: a request, a scenario or a rule that is not made yet.
#[utoipa::path(
    post, path = "/patterns/{id}/drafts", tag = "exceptions", operation_id = "create_pattern_draft",
    params(("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001")),
    request_body = NewDraft,
    security(("session" = [])),
    responses(
        (status = 200, body = DraftJson, description = "The draft"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.create_draft", skip_all)]
pub(crate) async fn create_pattern_draft(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<PatternId>,
    Json(new): Json<NewDraft>,
) -> Result<Json<DraftJson>, Problem> {
    Ok(Json(state.app.create_pattern_draft(&actor, id, new.kind.into(), &new.text).await?.into()))
}
