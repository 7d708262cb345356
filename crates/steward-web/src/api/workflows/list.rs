//! `GET /api/v1/workflows`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::ClientId;
use utoipa::IntoParams;

use super::WorkflowJson;
use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Which workflows are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only this client's.
    #[param(value_type = Option<String>, pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<ClientId>,
    /// Those that were put away, too.
    #[serde(default)]
    archived: bool,
}

/// Lists workflows by name.
#[utoipa::path(
    get, path = "/workflows", tag = "workflows", operation_id = "list_workflows", params(ListQuery),
    responses(
        (status = 200, body = List<WorkflowJson>, description = "The workflows that you may see"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.workflows.list", skip_all)]
pub(crate) async fn list_workflows(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<WorkflowJson>>, Problem> {
    let client = match query.client {
        Some(id) => Some(state.app.get_client(&actor, id).await?.id),
        None => None,
    };
    let mut workflows = state.app.visible_workflows(&actor, query.archived).await?;
    workflows.retain(|workflow| client.is_none() || workflow.client_id == client);
    Ok(List::of(workflows.into_iter().map(|workflow| WorkflowJson::of(workflow, &actor))))
}
