//! `POST /api/v1/workflows/{id}/connections`

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use steward_app::connections::NewConnection;
use steward_core::ids::WorkflowId;
use utoipa::ToSchema;

use super::{MadeConnectionJson, PollJson, secret, settings};
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What a connection is to be.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewConnection)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnectionJson {
    /// What sends: `vapi`, `otel_python`, `beat` and others.
    source: String,
    /// What people call it; empty takes the source's name.
    #[serde(default)]
    name: String,
    /// What its platform signs with, where it brings its own; null makes one where it takes one.
    secret: Option<String>,
    /// What its platform is asked with.
    api_token: Option<String>,
    /// How its platform is asked for what webhooks lost.
    poll: Option<PollJson>,
    /// How often a sign of life is expected, in minutes.
    beat_every_minutes: Option<u32>,
}

/// Makes a connection of a workflow. What is secret is in the answer, and is not shown again.
#[utoipa::path(
    post, path = "/workflows/{id}/connections", tag = "workflows", operation_id = "create_connection",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    request_body = NewConnectionJson,
    security(("session" = [])),
    responses(
        (status = 201, body = MadeConnectionJson, description = "The connection, with what is shown once"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.connections.create", skip_all)]
pub(crate) async fn create_connection(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<WorkflowId>,
    Json(new): Json<NewConnectionJson>,
) -> Result<(StatusCode, Json<MadeConnectionJson>), Problem> {
    let new = NewConnection {
        source: new.source,
        name: new.name,
        secret: secret(new.secret),
        api_token: secret(new.api_token),
        settings: settings(new.poll, new.beat_every_minutes),
    };
    let made = state.app.create_connection(&actor, id, new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
