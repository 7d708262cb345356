//! `PATCH /api/v1/workflows/{id}`

use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use steward_core::ids::WorkflowId;
use utoipa::ToSchema;

use super::{WorkflowJson, patched};
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkflowChanges {
    /// Its name.
    name: Option<String>,
    /// The name that telemetry gives it.
    source_name: Option<String>,
    /// Settings to change. One that is not named stays; null takes its usual value.
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
}

/// Changes a workflow. With other settings, its past runs are read again in the background.
#[utoipa::path(
    patch, path = "/workflows/{id}", tag = "workflows", operation_id = "update_workflow",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    request_body = WorkflowChanges,
    security(("session" = [])),
    responses(
        (status = 200, body = WorkflowJson, description = "The workflow as it is then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.workflows.update", skip_all)]
pub(crate) async fn update_workflow(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<WorkflowId>,
    Json(changes): Json<WorkflowChanges>,
) -> Result<Json<WorkflowJson>, Problem> {
    let mut workflow = state.app.get_workflow(&actor, id).await?;
    // Everything is looked at before anything is changed.
    let settings = changes.settings.map(|patch| patched(&workflow.settings, &patch)).transpose()?;
    if changes.name.is_some() || changes.source_name.is_some() {
        let name = changes.name.unwrap_or(workflow.name);
        workflow = state.app.rename_workflow(&actor, id, &name, changes.source_name.as_deref()).await?;
    }
    if let Some(settings) = settings {
        workflow = state.app.update_settings(&actor, id, settings).await?;
    }
    Ok(Json(WorkflowJson::of(workflow, &actor)))
}
