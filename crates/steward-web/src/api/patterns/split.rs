//! `POST /api/v1/patterns/{id}/split`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::PatternId;
use utoipa::ToSchema;

use super::PatternJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What to set apart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    /// The shapes, as the pattern's `variants` name them; null takes back that the pattern was set apart from another.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, max_items = 200)]
    shapes: Option<Vec<String>>,
}

/// Sets some ways of writing apart as a pattern of their own; or takes that back.
#[utoipa::path(
    post, path = "/patterns/{id}/split", tag = "exceptions", operation_id = "split_pattern",
    params(("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001")),
    request_body = Split,
    security(("session" = [])),
    responses(
        (status = 200, body = PatternJson, description = "The pattern that is new, or the one that shows it again"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.split", skip_all)]
pub(crate) async fn split_pattern(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<PatternId>,
    Json(split): Json<Split>,
) -> Result<Json<PatternJson>, Problem> {
    let pattern = match split.shapes {
        Some(shapes) => state.app.split_pattern(&actor, id, &shapes).await?,
        None => state.app.unsplit_pattern(&actor, id).await?,
    };
    Ok(Json(pattern.into()))
}
