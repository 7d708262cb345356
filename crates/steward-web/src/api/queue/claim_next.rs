//! `POST /api/v1/queue/next`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::tenant::QueueFilter;
use steward_core::ids::{ClientId, PatternId, WorkflowId};
use utoipa::ToSchema;

use super::QueueItemJson;
use super::list::whose;
use crate::api::caller::Writer;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Among which items to choose; what is not named does not limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextItem {
    /// Only this client's workflows.
    #[schema(value_type = Option<String>, pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<ClientId>,
    /// Only this workflow.
    #[schema(value_type = Option<String>, pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<WorkflowId>,
    /// Only those of this pattern.
    #[schema(value_type = Option<String>, pattern = "^pat_[0-9a-f]{32}$")]
    pattern: Option<PatternId>,
    /// Only those of a person by their id, or of `nobody`, or `mine`.
    #[schema(pattern = "^(nobody|mine|pe_[0-9a-f]{32})$")]
    assignee: Option<String>,
}

/// What was claimed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimedItem {
    /// The item; null when nothing is free.
    item: Option<QueueItemJson>,
}

/// Claims what should be done first and nobody holds. What is assigned to somebody else is left to them, unless one asks
/// for it.
#[utoipa::path(
    post, path = "/queue/next", tag = "queue", operation_id = "claim_next",
    request_body = NextItem,
    security(("session" = [])),
    responses(
        (status = 200, body = ClaimedItem, description = "The item that was claimed"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.claim_next", skip_all)]
pub(crate) async fn claim_next(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Json(next): Json<NextItem>,
) -> Result<Json<ClaimedItem>, Problem> {
    let assignee = next.assignee.as_deref().map(|word| whose(word, &actor)).transpose()?;
    let workflows = next.workflow.map(|id| vec![id]);
    let filter = QueueFilter { workflows, pattern: next.pattern, assignee, ..QueueFilter::default() };
    let item = state.app.claim_next(&actor, &filter, next.client).await?;
    Ok(Json(ClaimedItem { item: item.map(Into::into) }))
}
