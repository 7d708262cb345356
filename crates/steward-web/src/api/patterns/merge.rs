//! `POST /api/v1/patterns/{id}/merge`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::PatternId;
use utoipa::ToSchema;

use super::PatternJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Which pattern to put it into.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    /// The pattern, of the same workflow; null takes the merge back.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<String>, example = "pat_01930000000070008000000000000002")]
    into: Option<PatternId>,
}

/// Puts a pattern into another, which from then on shows what belongs to it; or takes that back.
#[utoipa::path(
    post, path = "/patterns/{id}/merge", tag = "exceptions", operation_id = "merge_pattern",
    params(("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001")),
    request_body = Merge,
    security(("session" = [])),
    responses(
        (status = 200, body = PatternJson, description = "The pattern that shows it then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.merge", skip_all)]
pub(crate) async fn merge_pattern(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<PatternId>,
    Json(merge): Json<Merge>,
) -> Result<Json<PatternJson>, Problem> {
    let pattern = match merge.into {
        Some(into) => state.app.merge_patterns(&actor, id, into).await?,
        None => state.app.unmerge_pattern(&actor, id).await?,
    };
    Ok(Json(pattern.into()))
}
