//! `GET /api/v1/reviews`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::run_query::RunQuery;
use steward_app::tenant::ReviewFilter;
use steward_core::ids::{BulkId, ItemId, PatternId, PersonId};
use utoipa::{IntoParams, ToSchema};

use super::ReviewJson;
use crate::api::caller::Reader;
use crate::api::cursor;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

const USUAL_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Which reviews are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewsQuery {
    /// Only this client's workflows.
    #[param(pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<String>,
    /// Only this workflow.
    #[param(pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<String>,
    /// Only those of this pattern.
    #[param(value_type = Option<String>, pattern = "^pat_[0-9a-f]{32}$")]
    pattern: Option<PatternId>,
    /// Only those of this item.
    #[param(value_type = Option<String>, pattern = "^item_[0-9a-f]{32}$")]
    item: Option<ItemId>,
    /// Only those of this person.
    #[param(value_type = Option<String>, pattern = "^pe_[0-9a-f]{32}$")]
    reviewer: Option<PersonId>,
    /// Only those of this bulk review.
    #[param(value_type = Option<String>, pattern = "^bulk_[0-9a-f]{32}$")]
    bulk: Option<BulkId>,
    /// Only those that were closed on or after this day, or at or after this instant.
    #[param(example = "2026-10-01")]
    from: Option<String>,
    /// Only those that were closed on or before this day, or before this instant.
    #[param(example = "2026-10-31")]
    to: Option<String>,
    /// Those too that were taken back.
    undone: Option<bool>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many.
    #[param(default = 50, minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of a list of reviews.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReviewsPage)]
pub(crate) struct ReviewsPageJson {
    /// The reviews, the latest first.
    items: Vec<ReviewJson>,
    /// Send it as `cursor` for the next page; null on the last.
    next_cursor: Option<String>,
}

/// Lists reviews.
#[utoipa::path(
    get, path = "/reviews", tag = "queue", operation_id = "list_reviews", params(ReviewsQuery),
    responses(
        (status = 200, body = ReviewsPageJson, description = "A page of reviews"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.reviews.list", skip_all)]
pub(crate) async fn list_reviews(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ReviewsQuery>,
) -> Result<Json<ReviewsPageJson>, Problem> {
    let limit = query.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::invalid(format!("“limit” is from 1 to {MAX_LIMIT}")));
    }
    let zone = state.app.get_agency(&actor).await?.zone();
    let said = [("client", &query.client), ("workflow", &query.workflow), ("from", &query.from), ("to", &query.to)];
    let said = said.into_iter().filter_map(|(key, value)| value.as_deref().map(|value| (key, value)));
    let RunQuery { client, filter } = RunQuery::read(said, state.app.clock().now(), &zone)?;
    let filter = ReviewFilter {
        workflows: filter.workflows,
        pattern: query.pattern,
        item: query.item,
        reviewer: query.reviewer,
        bulk: query.bulk,
        period: filter.period,
        with_undone: query.undone.unwrap_or_default(),
        with_resolution: false,
    };
    let cursor = query.cursor.as_deref().filter(|text| !text.is_empty());
    let behind = cursor.map(cursor::read_review).transpose()?;
    let page = state.app.list_reviews(&actor, &filter, client, behind, limit).await?;
    Ok(Json(ReviewsPageJson {
        items: page.reviews.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(cursor::write_review),
    }))
}
