//! `GET /api/v1/workflows/{id}/channels` and `GET /api/v1/clients/{id}/channels`

use axum::extract::State;
use steward_app::handoff::ChannelScope;
use steward_core::ids::{ClientId, WorkflowId};

use super::ChannelJson;
use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Lists where packets of a workflow's exceptions are sent.
#[utoipa::path(
    get, path = "/workflows/{id}/channels", tag = "exceptions", operation_id = "list_workflow_channels",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    responses(
        (status = 200, body = List<ChannelJson>, description = "The channels, the oldest first"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.list_of_workflow", skip_all)]
pub(crate) async fn list_workflow_channels(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<WorkflowId>,
) -> Result<Json<List<ChannelJson>>, Problem> {
    let channels = state.app.list_channels(&actor, ChannelScope::Workflow(id)).await?;
    Ok(List::of(channels.into_iter().map(ChannelJson::from)))
}

/// Lists where packets of a client's exceptions are sent.
#[utoipa::path(
    get, path = "/clients/{id}/channels", tag = "exceptions", operation_id = "list_client_channels",
    params(("id" = String, Path, description = "The client's id", example = "cl_01930000000070008000000000000001")),
    responses(
        (status = 200, body = List<ChannelJson>, description = "The channels, the oldest first"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.channels.list_of_client", skip_all)]
pub(crate) async fn list_client_channels(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ClientId>,
) -> Result<Json<List<ChannelJson>>, Problem> {
    let channels = state.app.list_channels(&actor, ChannelScope::Client(id)).await?;
    Ok(List::of(channels.into_iter().map(ChannelJson::from)))
}
