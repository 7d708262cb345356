//! `GET /api/v1/queue`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::Actor;
use steward_app::queue::queue_sort_for;
use steward_app::tenant::{QueueFilter, QueueSort, Whose};
use steward_core::ids::{ClientId, PatternId, WorkflowId};
use steward_core::money::Nanos;
use steward_core::step::ErrorClass;
use utoipa::{IntoParams, ToSchema};

use super::QueueItemJson;
use crate::api::caller::Reader;
use crate::api::cursor;
use crate::api::words::{ErrorClassWord, ExceptionKindWord, ItemKindWord};
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

const USUAL_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Which open items are meant, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueueQuery {
    /// Only this client's workflows.
    #[param(value_type = Option<String>, pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<ClientId>,
    /// Only this workflow.
    #[param(value_type = Option<String>, pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<WorkflowId>,
    /// Only those of this pattern.
    #[param(value_type = Option<String>, pattern = "^pat_[0-9a-f]{32}$")]
    pattern: Option<PatternId>,
    /// Only exceptions, or only samples.
    #[param(inline)]
    kind: Option<ItemKindWord>,
    /// Only exceptions of this sort.
    #[param(inline)]
    exception_kind: Option<ExceptionKindWord>,
    /// Only errors of this class.
    #[param(inline)]
    class: Option<ErrorClassWord>,
    /// Only those of this tool.
    #[param(max_length = 200)]
    tool: Option<String>,
    /// Only those that have waited so many minutes at least.
    #[param(minimum = 0, maximum = 5270400)]
    waiting_minutes: Option<u32>,
    /// Only those past their due time.
    overdue: Option<bool>,
    /// Only those with at least so much at stake, in billionths of a unit of the client's currency; ignored for who
    /// sees no money.
    #[param(minimum = 0)]
    least_value_nanos: Option<i64>,
    /// Only those of a person by their id, or of `nobody`, or `mine`.
    #[param(pattern = "^(nobody|mine|pe_[0-9a-f]{32})$")]
    assignee: Option<String>,
    /// What waiting costs most, first (`rank`, the usual; for who sees no money it is `due`); or what is due first
    /// (`due`), or what has waited longest (`arrived`).
    #[param(pattern = "^(rank|due|arrived)$")]
    sort: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of the queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueuePage)]
pub(crate) struct QueuePageJson {
    /// The items.
    items: Vec<QueueItemJson>,
    /// Send it as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Lists what waits for a person.
#[utoipa::path(
    get, path = "/queue", tag = "queue", operation_id = "list_queue", params(QueueQuery),
    responses(
        (status = 200, body = QueuePageJson, description = "A page of the queue"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.list", skip_all)]
pub(crate) async fn list_queue(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<QueueQuery>,
) -> Result<Json<QueuePageJson>, Problem> {
    let sort = queue_sort_for(&actor, query.sort.as_deref().map_or(Ok(QueueSort::Rank), sort_of)?);
    let limit = query.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("“limit” is from 1 to {MAX_LIMIT}")));
    }
    let cursor = query.cursor.as_deref().filter(|text| !text.is_empty());
    let behind = cursor.map(|text| cursor::read_queue(text, sort)).transpose()?;
    let now = state.app.clock().now();
    let assignee = query.assignee.as_deref().map(|word| whose(word, &actor)).transpose()?;
    let filter = QueueFilter {
        workflows: query.workflow.map(|id| vec![id]),
        pattern: query.pattern,
        kind: query.kind.map(Into::into),
        exception_kind: query.exception_kind.map(Into::into),
        class: query.class.map(|class| ErrorClass::from(class).as_str().to_owned()),
        tool: query.tool,
        arrived_before: query.waiting_minutes.map(|minutes| now.plus_ms(1 - i64::from(minutes) * 60_000)),
        due_before: query.overdue.unwrap_or_default().then_some(now),
        least_value_nanos: query.least_value_nanos.map(Nanos),
        assignee,
        held_by: None,
    };
    let page = state.app.list_queue(&actor, &filter, query.client, sort, behind, limit).await?;
    Ok(Json(QueuePageJson {
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|next| cursor::write_queue(next, sort)),
    }))
}

fn sort_of(word: &str) -> Result<QueueSort, Problem> {
    Ok(match word {
        "rank" => QueueSort::Rank,
        "due" => QueueSort::Due,
        "arrived" => QueueSort::Arrived,
        _ => return Err(Problem::invalid("“sort” takes rank, due or arrived")),
    })
}

/// Whose items a word means.
pub(super) fn whose(word: &str, actor: &Actor) -> Result<Whose, Problem> {
    Ok(match word {
        "nobody" => Whose::Nobody,
        "mine" => Whose::Of(actor.person_id),
        id => {
            Whose::Of(id.parse().map_err(|_| Problem::invalid("“assignee” takes nobody, mine or the id of a person"))?)
        }
    })
}
