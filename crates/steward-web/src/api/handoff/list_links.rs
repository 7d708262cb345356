//! `GET /api/v1/exceptions/{id}/links`

use axum::extract::State;
use serde::Serialize;
use steward_core::ids::ExceptionId;
use utoipa::ToSchema;

use super::{AnswerJson, LinkJson};
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// The links to a packet, and what was done by those who came by them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandoffLinks)]
pub(crate) struct LinksJson {
    /// The links, the newest first, at most 100.
    items: Vec<LinkJson>,
    /// What was done, the newest first, at most 100.
    answers: Vec<AnswerJson>,
}

/// Lists the links to the handoff packet of an exception.
#[utoipa::path(
    get, path = "/exceptions/{id}/links", tag = "exceptions", operation_id = "list_handoff_links",
    params(("id" = String, Path, description = "The exception's id", example = "exc_01930000000080008000000000000001")),
    responses(
        (status = 200, body = LinksJson, description = "The links"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.handoff.list_links", skip_all)]
pub(crate) async fn list_handoff_links(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ExceptionId>,
) -> Result<Json<LinksJson>, Problem> {
    let (links, answers) = state.app.list_handoff_links(&actor, id).await?;
    Ok(Json(LinksJson {
        items: links.into_iter().map(LinkJson::from).collect(),
        answers: answers.into_iter().map(AnswerJson::from).collect(),
    }))
}
