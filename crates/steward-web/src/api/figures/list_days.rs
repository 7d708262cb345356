//! `GET /api/v1/days`

use axum::extract::State;
use serde::Serialize;
use steward_app::figures::{Day, results_of};
use steward_core::outcome::Outcome;
use steward_core::tallies::Metric;
use utoipa::ToSchema;

use crate::api::List;
use crate::api::caller::Reader;
use crate::api::period::ScopeQuery;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

const METRICS: &[Metric] = &[
    Metric::Runs,
    Metric::Outcome,
    Metric::Exceptions,
    Metric::CycleMs,
    Metric::Cost,
    Metric::CostUnknown,
    Metric::Results,
    Metric::ValuedResults,
];

/// What happened on a day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Day)]
pub(crate) struct DayJson {
    /// The day, in the agency's zone.
    #[schema(format = Date)]
    date: String,
    /// Finished runs.
    runs: i64,
    /// Of those, completed.
    completed: i64,
    /// Of those, handed to a person.
    escalated: i64,
    /// Of those, failed.
    failed: i64,
    /// Of those, left by the other side.
    abandoned: i64,
    /// Of those, with an outcome that nothing tells.
    unverified: i64,
    /// Runs with at least one exception.
    runs_with_exceptions: i64,
    /// The sum of their cycle times, in milliseconds.
    cycle_ms: i64,
    /// The known part of the cost, in billionths of a US dollar. Null for who sees no money.
    known_cost_nanos: Option<i64>,
    /// Runs whose cost is unknown.
    unpriced_runs: i64,
    /// Results, all together.
    results: i64,
}

impl DayJson {
    fn of(day: &Day, sees_money: bool) -> Self {
        let sums = &day.sums;
        Self {
            date: day.date.to_string(),
            runs: sums.runs(),
            completed: sums.outcome(Outcome::Completed),
            escalated: sums.outcome(Outcome::Escalated),
            failed: sums.outcome(Outcome::Failed),
            abandoned: sums.outcome(Outcome::Abandoned),
            unverified: sums.outcome(Outcome::Unverified),
            runs_with_exceptions: sums.total(Metric::Exceptions).0,
            cycle_ms: sums.total(Metric::CycleMs).1,
            known_cost_nanos: sees_money.then_some(sums.known_cost().0),
            unpriced_runs: sums.total(Metric::CostUnknown).0,
            results: results_of(sums).iter().map(steward_app::figures::ResultCount::count).sum(),
        }
    }
}

/// Lists what happened on each day of a period, days with nothing included.
#[utoipa::path(
    get, path = "/days", tag = "figures", operation_id = "list_days", params(ScopeQuery),
    responses(
        (status = 200, body = List<DayJson>, description = "The days, the first first"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.figures.list_days", skip_all)]
pub(crate) async fn list_days(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ScopeQuery>,
) -> Result<Json<List<DayJson>>, Problem> {
    let asked = query.read(&state.app, &actor).await?;
    let days = state.app.days(&actor, &asked.scope, asked.period, METRICS).await?;
    Ok(List::of(days.iter().map(|day| DayJson::of(day, actor.role.sees_money()))))
}
