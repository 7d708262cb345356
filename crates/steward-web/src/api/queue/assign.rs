//! `POST /api/v1/queue/assign`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_core::ids::{ItemId, PersonId};
use utoipa::ToSchema;

use crate::api::caller::Writer;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Which items become whose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assignment {
    /// The items.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 500)]
    items: Vec<ItemId>,
    /// The person; null makes them nobody's.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<String>, example = "pe_01930000000070008000000000000001")]
    to: Option<PersonId>,
}

/// What was assigned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Assigned {
    /// How many items changed hands.
    n: u64,
}

/// Makes open items somebody's, or nobody's.
#[utoipa::path(
    post, path = "/queue/assign", tag = "queue", operation_id = "assign_items",
    request_body = Assignment,
    security(("session" = [])),
    responses(
        (status = 200, body = Assigned, description = "How many changed hands"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.assign", skip_all)]
pub(crate) async fn assign_items(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Json(assignment): Json<Assignment>,
) -> Result<Json<Assigned>, Problem> {
    let n = state.app.assign_items(&actor, &assignment.items, assignment.to).await?;
    Ok(Json(Assigned { n }))
}
