//! `PATCH /api/v1/channels/{id}`

use axum::extract::State;
use serde::Deserialize;
use steward_app::handoff::ChannelChanges;
use steward_app::secrets::Secret;
use steward_core::ids::ChannelId;
use utoipa::ToSchema;

use super::{ChannelJson, ChoiceJson};
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What to change of a channel; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelChanges)]
pub(crate) struct ChangesJson {
    /// What people call it.
    #[schema(max_length = 120)]
    name: Option<String>,
    /// Where to.
    #[schema(max_length = 2000)]
    to: Option<String>,
    /// Which exceptions, and how; all of it anew.
    choice: Option<ChoiceJson>,
    /// Whether it is paused; what arrives meanwhile is not sent later either.
    paused: Option<bool>,
}

/// Changes a channel.
#[utoipa::path(
    patch, path = "/channels/{id}", tag = "exceptions", operation_id = "update_channel",
    params(("id" = String, Path, description = "The channel's id", example = "chn_01930000000070008000000000000001")),
    request_body = ChangesJson,
    security(("session" = [])),
    responses(
        (status = 200, body = ChannelJson, description = "The channel"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.update", skip_all)]
pub(crate) async fn update_channel(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ChannelId>,
    Json(changes): Json<ChangesJson>,
) -> Result<Json<ChannelJson>, Problem> {
    let changes = ChannelChanges {
        name: changes.name,
        to: changes.to.as_deref().map(Secret::sent),
        choice: changes.choice.map(Into::into),
        paused: changes.paused,
    };
    state.app.update_channel(&actor, id, changes).await?;
    Ok(Json(state.app.get_channel(&actor, id).await?.into()))
}
