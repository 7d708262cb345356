//! `PATCH /api/v1/patterns/{id}`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::PatternId;
use utoipa::ToSchema;

use super::PatternJson;
use crate::api::caller::Writer;
use crate::api::words::PatternStateWord;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatternChanges {
    /// Its name; empty takes it away.
    #[schema(max_length = 200)]
    name: Option<String>,
    /// What to make of it.
    state: Option<PatternStateWord>,
    /// The release in which it was resolved.
    #[schema(max_length = 200)]
    resolved_in: Option<String>,
}

/// Names a pattern, or says what state it is in. A pattern that is resolved and seen in a later run regresses by itself.
#[utoipa::path(
    patch, path = "/patterns/{id}", tag = "exceptions", operation_id = "update_pattern",
    params(("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001")),
    request_body = PatternChanges,
    security(("session" = [])),
    responses(
        (status = 200, body = PatternJson, description = "The pattern as it is then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.update", skip_all)]
pub(crate) async fn update_pattern(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<PatternId>,
    Json(changes): Json<PatternChanges>,
) -> Result<Json<PatternJson>, Problem> {
    let (name, resolved_in) = (changes.name.as_deref(), changes.resolved_in.as_deref());
    let pattern = state.app.update_pattern(&actor, id, name, changes.state.map(Into::into), resolved_in).await?;
    Ok(Json(pattern.into()))
}
