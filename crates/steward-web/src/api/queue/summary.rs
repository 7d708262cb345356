//! `GET /api/v1/queue/summary`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::queue::{Forecast, forecast_in_words};
use steward_core::ids::{ClientId, WorkflowId};
use utoipa::{IntoParams, ToSchema};

use crate::api::caller::Reader;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

const USUAL_DAYS: u32 = 28;
const MAX_DAYS: u32 = 366;

/// Of what, and how far back.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SummaryQuery {
    /// Only this client's workflows.
    #[param(value_type = Option<String>, pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<ClientId>,
    /// Only this workflow.
    #[param(value_type = Option<String>, pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<WorkflowId>,
    /// How many days of the agency's zone, today included.
    #[param(default = 28, minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// What waits, and how it goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueSummary)]
pub(crate) struct SummaryJson {
    /// Items that wait.
    open: u64,
    /// Of those, past their due time.
    overdue: u64,
    /// Since when the oldest waits; null when nothing does.
    #[schema(format = DateTime)]
    oldest: Option<String>,
    /// Since when half of them wait at least.
    #[schema(format = DateTime)]
    median: Option<String>,
    /// What came and went by day, the oldest first.
    days: Vec<QueueDayJson>,
    /// Where it is going, as the last four weeks tell.
    forecast: ForecastJson,
    /// The patterns with the most that waits, the most first; 20 at most.
    patterns: Vec<QueuePatternJson>,
}

/// Where the queue is going.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueForecast)]
pub(crate) struct ForecastJson {
    /// Too little is known, nothing waits, it grows, growth cannot be told from chance, or it clears.
    #[schema(pattern = "^(no_data|clear|grows|holds|clears)$")]
    state: &'static str,
    /// The same in words.
    words: String,
    /// By how many items a day it grows; negative where it shrinks. Null where days are given, or nothing is known.
    per_day: Option<f64>,
    /// In how many days it is cleared.
    days: Option<f64>,
    /// The lower bound of the 95 % interval of what is given.
    low: Option<f64>,
    /// The upper bound; null also where it lies too far ahead to be told.
    high: Option<f64>,
}

impl ForecastJson {
    fn of(forecast: &Forecast) -> Self {
        let (state, per_day, days, low, high) = match *forecast {
            Forecast::NoData => ("no_data", None, None, None, None),
            Forecast::Clear => ("clear", None, None, None, None),
            Forecast::Grows { per_day, interval: (low, high) } => ("grows", Some(per_day), None, Some(low), Some(high)),
            Forecast::Holds { per_day, interval: (low, high) } => ("holds", Some(per_day), None, Some(low), Some(high)),
            Forecast::Clears { days, interval: (low, high) } => ("clears", None, Some(days), Some(low), high),
        };
        Self { state, words: forecast_in_words(forecast), per_day, days, low, high }
    }
}

/// One day of the queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueDay)]
pub(crate) struct QueueDayJson {
    /// The day in the agency's zone.
    #[schema(format = Date)]
    date: String,
    /// Items that arrived, those included that came back.
    arrived: i64,
    /// Items that were closed.
    closed: i64,
    /// Of those, by a review.
    reviewed: i64,
}

/// What waits of one pattern.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueuePattern)]
pub(crate) struct QueuePatternJson {
    /// The pattern.
    pattern_id: String,
    /// The name that a person gave it, else its template.
    title: String,
    /// Items that wait.
    open: u64,
    /// Since when the oldest waits.
    #[schema(format = DateTime)]
    oldest: String,
}

/// Says how much waits, how old it is, and what came and went.
#[utoipa::path(
    get, path = "/queue/summary", tag = "queue", operation_id = "get_queue_summary", params(SummaryQuery),
    responses(
        (status = 200, body = SummaryJson, description = "What waits, and how it goes"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.queue.summary", skip_all)]
pub(crate) async fn get_queue_summary(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<SummaryQuery>,
) -> Result<Json<SummaryJson>, Problem> {
    let days = query.days.unwrap_or(USUAL_DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Problem::invalid(format!("“days” is from 1 to {MAX_DAYS}")));
    }
    let period = state.app.last_days(&actor, i32::try_from(days).unwrap_or(1)).await?;
    let workflows = query.workflow.map(|id| vec![id]);
    let summary = state.app.queue_summary(&actor, workflows.clone(), query.client, period).await?;
    let patterns = state.app.list_queue_patterns(&actor, workflows, query.client).await?;
    let day = |day: &steward_app::queue::QueueDay| QueueDayJson {
        date: day.date.to_string(),
        arrived: day.arrived,
        closed: day.closed,
        reviewed: day.reviewed,
    };
    let pattern = |waiting: &steward_app::queue::QueuePattern| QueuePatternJson {
        pattern_id: waiting.pattern.id.to_string(),
        title: waiting.pattern.title().to_owned(),
        open: waiting.open,
        oldest: waiting.oldest.rfc3339(),
    };
    Ok(Json(SummaryJson {
        open: summary.open,
        overdue: summary.overdue,
        oldest: summary.oldest.map(|at| at.rfc3339()),
        median: summary.median.map(|at| at.rfc3339()),
        days: summary.days.iter().map(day).collect(),
        forecast: ForecastJson::of(&summary.forecast),
        patterns: patterns.iter().map(pattern).collect(),
    }))
}
