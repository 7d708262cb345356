//! `POST /api/v1/runs/{id}/verdict`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::RunId;
use steward_core::outcome::Outcome;
use utoipa::ToSchema;

use super::RunDetailJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A person's word on the outcome of a run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVerdict {
    /// The outcome; null takes the last verdict back.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    outcome: Option<VerdictWord>,
    /// Why, in at most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
}

/// What a person may say came of a run.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VerdictWord {
    Completed,
    Escalated,
    Failed,
    Abandoned,
}

impl From<VerdictWord> for Outcome {
    fn from(word: VerdictWord) -> Self {
        match word {
            VerdictWord::Completed => Self::Completed,
            VerdictWord::Escalated => Self::Escalated,
            VerdictWord::Failed => Self::Failed,
            VerdictWord::Abandoned => Self::Abandoned,
        }
    }
}

/// Says what came of a run. A verdict outweighs all other evidence.
#[utoipa::path(
    post, path = "/runs/{id}/verdict", tag = "runs", operation_id = "give_verdict",
    params(("id" = String, Path, description = "The run's id", example = "run_01930000000070008000000000000001")),
    request_body = NewVerdict,
    security(("session" = [])),
    responses(
        (status = 200, body = RunDetailJson, description = "The run as it is then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.runs.give_verdict", skip_all)]
pub(crate) async fn give_verdict(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<RunId>,
    Json(verdict): Json<NewVerdict>,
) -> Result<Json<RunDetailJson>, Problem> {
    if verdict.comment.contains('\0') {
        return Err(Problem::invalid("a comment is text"));
    }
    state.app.give_verdict(&actor, id, verdict.outcome.map(Outcome::from), &verdict.comment).await?;
    let detail = state.app.get_run(&actor, id).await?;
    Ok(Json(RunDetailJson::of(detail, actor.role.sees_money())))
}
