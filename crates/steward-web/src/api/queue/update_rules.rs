//! `PUT /api/v1/queue/rules`

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::QueueRuleJson;
use crate::api::List;
use crate::api::caller::Writer;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// All rules of the queue, in the order in which they are tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueRules {
    /// The rules.
    #[schema(max_items = 100)]
    items: Vec<QueueRuleJson>,
}

/// Replaces the rules of the queue. They hold for what arrives from then on.
#[utoipa::path(
    put, path = "/queue/rules", tag = "queue", operation_id = "update_queue_rules",
    request_body = QueueRules,
    security(("session" = [])),
    responses(
        (status = 200, body = List<QueueRuleJson>, description = "The rules as they are then"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.update_rules", skip_all)]
pub(crate) async fn update_queue_rules(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Json(rules): Json<QueueRules>,
) -> Result<Json<List<QueueRuleJson>>, Problem> {
    let rules = rules.items.into_iter().map(Into::into).collect();
    Ok(List::of(state.app.update_queue_rules(&actor, rules).await?.into_iter().map(QueueRuleJson::from)))
}
