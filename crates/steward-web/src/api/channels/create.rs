//! `POST /api/v1/workflows/{id}/channels` and `POST /api/v1/clients/{id}/channels`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::handoff::{ChannelScope, NewChannel};
use steward_app::secrets::Secret;
use steward_app::tenant::DeliveryCounts;
use steward_core::ids::{ClientId, WorkflowId};
use utoipa::ToSchema;

use super::{ChannelJson, ChoiceJson};
use crate::api::caller::Writer;
use crate::api::words::ChannelKindWord;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A channel to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChannel)]
pub(crate) struct NewChannelJson {
    /// By what.
    kind: ChannelKindWord,
    /// What people call it; empty takes a name of its kind.
    #[serde(default)]
    #[schema(max_length = 120)]
    name: String,
    /// E-mail addresses with commas between, or the address of the webhook. It is kept sealed.
    #[schema(min_length = 1, max_length = 2000)]
    to: String,
    /// Which exceptions, and how.
    #[serde(default)]
    choice: ChoiceJson,
}

/// A channel with what a program verifies with, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MadeChannel)]
pub(crate) struct MadeChannelJson {
    /// The channel.
    channel: ChannelJson,
    /// The secret that is signed with, as Standard Webhooks writes it; null where nothing is signed.
    secret: Option<String>,
}

async fn create(
    state: &WebState,
    actor: &steward_app::Actor,
    scope: ChannelScope,
    new: NewChannelJson,
) -> Result<Json<MadeChannelJson>, Problem> {
    let new =
        NewChannel { kind: new.kind.into(), name: new.name, to: Secret::sent(&new.to), choice: new.choice.into() };
    let made = state.app.create_channel(actor, scope, new).await?;
    Ok(Json(MadeChannelJson {
        secret: made.secret.map(|secret| secret.reveal().to_owned()),
        channel: (made.channel, DeliveryCounts::default()).into(),
    }))
}

/// Makes a channel for one workflow's exceptions.
#[utoipa::path(
    post, path = "/workflows/{id}/channels", tag = "exceptions", operation_id = "create_workflow_channel",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    request_body = NewChannelJson,
    security(("session" = [])),
    responses(
        (status = 200, body = MadeChannelJson, description = "The channel, and what a program verifies with"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.create_for_workflow", skip_all)]
pub(crate) async fn create_workflow_channel(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<WorkflowId>,
    Json(new): Json<NewChannelJson>,
) -> Result<Json<MadeChannelJson>, Problem> {
    create(&state, &actor, ChannelScope::Workflow(id), new).await
}

/// Makes a channel for the exceptions of all of a client's workflows.
#[utoipa::path(
    post, path = "/clients/{id}/channels", tag = "exceptions", operation_id = "create_client_channel",
    params(("id" = String, Path, description = "The client's id", example = "cl_01930000000070008000000000000001")),
    request_body = NewChannelJson,
    security(("session" = [])),
    responses(
        (status = 200, body = MadeChannelJson, description = "The channel, and what a program verifies with"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.create_for_client", skip_all)]
pub(crate) async fn create_client_channel(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ClientId>,
    Json(new): Json<NewChannelJson>,
) -> Result<Json<MadeChannelJson>, Problem> {
    create(&state, &actor, ChannelScope::Client(id), new).await
}
