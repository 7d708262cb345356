//! `GET /api/v1/queue/rules`

use axum::extract::State;

use super::QueueRuleJson;
use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Lists the rules of the queue, in the order in which they are tried; the first that fits decides.
#[utoipa::path(
    get, path = "/queue/rules", tag = "queue", operation_id = "list_queue_rules",
    responses(
        (status = 200, body = List<QueueRuleJson>, description = "The rules"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.list_rules", skip_all)]
pub(crate) async fn list_queue_rules(
    State(state): State<WebState>,
    Reader(actor): Reader,
) -> Result<Json<List<QueueRuleJson>>, Problem> {
    Ok(List::of(state.app.list_queue_rules(&actor).await?.into_iter().map(QueueRuleJson::from)))
}
