//! `POST /api/v1/exceptions/{id}/links`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::handoff::LINK_DAYS;
use steward_core::ids::ExceptionId;
use utoipa::ToSchema;

use super::LinkJson;
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewHandoffLink)]
pub(crate) struct NewLink {
    /// For whom, in words, to tell links apart.
    #[serde(default)]
    #[schema(max_length = 120)]
    made_for: String,
    /// Days after which it ends.
    #[schema(minimum = 1, maximum = 90, default = 7)]
    days: Option<u32>,
}

/// A link with its address, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeHandoffLink)]
pub(crate) struct MadeLinkJson {
    /// The link.
    link: LinkJson,
    /// Its address: whoever has it reads the packet, and nothing else. It is shown only now.
    #[schema(example = "https://steward.example.com/h/stp_…")]
    url: String,
}

/// Makes a link by which somebody without a sign-in reads the handoff packet of an exception.
#[utoipa::path(
    post, path = "/exceptions/{id}/links", tag = "exceptions", operation_id = "create_handoff_link",
    params(("id" = String, Path, description = "The exception's id", example = "exc_01930000000080008000000000000001")),
    request_body = NewLink,
    security(("session" = [])),
    responses(
        (status = 200, body = MadeLinkJson, description = "The link with its address"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.handoff.create_link", skip_all)]
pub(crate) async fn create_handoff_link(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ExceptionId>,
    Json(new): Json<NewLink>,
) -> Result<Json<MadeLinkJson>, Problem> {
    let days = new.days.unwrap_or(LINK_DAYS);
    let made = state.app.create_handoff_link(&actor, id, &new.made_for, days).await?;
    Ok(Json(MadeLinkJson { url: made.url.reveal().to_owned(), link: made.link.into() }))
}
