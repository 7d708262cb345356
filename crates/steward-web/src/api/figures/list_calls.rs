//! `GET /api/v1/calls`

use axum::extract::State;
use serde::{Deserialize, Serialize};
use steward_app::figures::Calls;
use steward_core::tallies::Slice;
use utoipa::{IntoParams, ToSchema};

use crate::api::List;
use crate::api::caller::Reader;
use crate::api::period::ScopeQuery;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Of what calls are listed.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallsQuery {
    /// Calls of tools, or of models.
    #[param(inline)]
    of: Of,
    /// Only this client's workflows.
    #[param(pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<String>,
    /// Only this workflow.
    #[param(pattern = "^wf_[0-9a-f]{32}$")]
    workflow: Option<String>,
    /// Only runs of this release.
    #[param(max_length = 200)]
    release: Option<String>,
    /// The first day, or the first instant; 30 days ago when nothing is said.
    #[param(example = "2026-10-01")]
    from: Option<String>,
    /// The last day, which is in it, or the first instant behind it; today when nothing is said.
    #[param(example = "2026-10-31")]
    to: Option<String>,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Of {
    /// Tools.
    Tools,
    /// Models.
    Models,
}

/// Calls of one tool or model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Calls)]
pub(crate) struct CallsJson {
    /// Its name.
    name: String,
    /// Calls.
    calls: i64,
    /// Failed calls.
    errors: i64,
    /// Failed calls by class, most first.
    classes: Vec<ClassJson>,
    /// The median of their duration, in milliseconds.
    p50_ms: Option<f64>,
    /// The 95th percentile.
    p95_ms: Option<f64>,
    /// Tokens; null for tools.
    tokens: Option<i64>,
    /// The known part of the cost, in billionths of a US dollar; null for tools, and for who sees no money.
    known_cost_nanos: Option<i64>,
}

/// Failed calls of one class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassCount)]
pub(crate) struct ClassJson {
    /// The class.
    class: String,
    /// How many.
    count: i64,
}

impl CallsJson {
    fn of(calls: Calls, of: Of, sees_money: bool) -> Self {
        let of_models = of == Of::Models;
        Self {
            name: calls.name,
            calls: calls.calls,
            errors: calls.errors,
            classes: calls.classes.into_iter().map(|(class, count)| ClassJson { class, count }).collect(),
            p50_ms: calls.p50_ms,
            p95_ms: calls.p95_ms,
            tokens: of_models.then_some(calls.tokens),
            known_cost_nanos: (of_models && sees_money).then_some(calls.cost.0),
        }
    }
}

/// Lists calls by tool or by model, most calls first.
#[utoipa::path(
    get, path = "/calls", tag = "figures", operation_id = "list_calls", params(CallsQuery),
    responses(
        (status = 200, body = List<CallsJson>, description = "The calls"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.figures.list_calls", skip_all)]
pub(crate) async fn list_calls(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<CallsQuery>,
) -> Result<Json<List<CallsJson>>, Problem> {
    let CallsQuery { of, client, workflow, release, from, to } = query;
    let asked =
        ScopeQuery { client, workflow, release, from, to, model: None, tool: None }.read(&state.app, &actor).await?;
    debug_assert_eq!(asked.scope.slice, Slice::All, "calls are counted over all runs");
    let calls = state.app.calls(&actor, &asked.scope, asked.period, of == Of::Tools).await?;
    Ok(List::of(calls.into_iter().map(|calls| CallsJson::of(calls, of, actor.role.sees_money()))))
}
