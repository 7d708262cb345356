//! `GET /api/v1/figures`

use axum::extract::State;
use serde::Serialize;
use steward_app::figures::{Figures, ResultCount, results_of};
use steward_core::metrics::{Figure, definition};
use utoipa::ToSchema;

use crate::api::caller::Reader;
use crate::api::period::{PeriodJson, ScopeQuery};
use crate::api::words::{GoodWord, UnitWord};
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Every metric of a scope in a period, beside the same of the period before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figures)]
pub(crate) struct FiguresJson {
    /// The period.
    period: PeriodJson,
    /// The period before, of the same length.
    period_before: PeriodJson,
    /// The currency of amounts of money.
    #[schema(example = "EUR")]
    currency: String,
    /// Whether amounts in different currencies were left out of the sums of value.
    mixed_currencies: bool,
    /// The metrics, in the order in which they are shown. Money is left out for who sees none.
    figures: Vec<FigureJson>,
    /// What the business counts, most first.
    results: Vec<ResultJson>,
}

/// A metric with its definition, now and before.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figure)]
pub(crate) struct FigureJson {
    /// The metric.
    #[schema(example = "completion_rate")]
    id: String,
    /// Its name as people read it.
    name: &'static str,
    /// What it is.
    definition: &'static str,
    /// In what it is measured.
    unit: UnitWord,
    /// Which direction is good.
    good: GoodWord,
    /// In the period.
    now: ValueJson,
    /// In the period before.
    before: Option<ValueJson>,
}

/// A value with what it rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Value)]
pub(crate) struct ValueJson {
    /// The value in its unit; a share is of one. Null is no data.
    value: Option<f64>,
    /// What was counted or summed.
    numerator: Option<f64>,
    /// What it was divided by.
    denominator: Option<f64>,
    /// The 95 % interval of a rate.
    interval: Option<RangeJson>,
    /// For the completion rate: what it would be had every unverified run failed, and completed.
    bounds: Option<RangeJson>,
    /// Why there is no data, or what the value leaves out.
    note: String,
}

/// From a low end to a high one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Range)]
pub(crate) struct RangeJson {
    /// The low end.
    low: f64,
    /// The high end.
    high: f64,
}

/// A result, counted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResultCount)]
pub(crate) struct ResultJson {
    /// What the business calls it.
    name: String,
    /// All of them.
    count: i64,
    /// Inside business hours.
    in_hours: i64,
    /// Outside.
    out_of_hours: i64,
    /// The sum of their values, in billionths of a unit of the client's currency. Null when none is agreed, and for who sees no money.
    value_nanos: Option<i64>,
}

impl From<&Figure> for ValueJson {
    fn from(figure: &Figure) -> Self {
        let range = |(low, high)| RangeJson { low, high };
        Self {
            value: figure.value,
            numerator: figure.numerator,
            denominator: figure.denominator,
            interval: figure.low.zip(figure.high).map(range),
            bounds: figure.bounds.map(range),
            note: figure.note.clone(),
        }
    }
}

impl FiguresJson {
    fn of(figures: &Figures, sees_money: bool) -> Self {
        let figure = |now: &Figure| {
            let definition = definition(&now.id)?;
            Some(FigureJson {
                id: now.id.clone(),
                name: definition.name,
                definition: definition.definition,
                unit: definition.unit.into(),
                good: definition.good.into(),
                now: now.into(),
                before: figures.get_before(&now.id).map(ValueJson::from),
            })
        };
        let result = |result: ResultCount| ResultJson {
            count: result.count(),
            in_hours: result.in_hours,
            out_of_hours: result.out_of_hours,
            value_nanos: result.value.filter(|_| sees_money).map(|nanos| nanos.0),
            name: result.name,
        };
        Self {
            period: figures.period.into(),
            period_before: figures.period.before().into(),
            currency: figures.currency.code().to_owned(),
            mixed_currencies: figures.mixed_currencies,
            figures: figures.now.iter().filter_map(figure).collect(),
            results: results_of(&figures.sums).into_iter().map(result).collect(),
        }
    }
}

/// Computes every metric of a scope for a period and for the one before.
#[utoipa::path(
    get, path = "/figures", tag = "figures", operation_id = "get_figures", params(ScopeQuery),
    responses(
        (status = 200, body = FiguresJson, description = "The figures"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.figures.get", skip_all)]
pub(crate) async fn get_figures(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ScopeQuery>,
) -> Result<Json<FiguresJson>, Problem> {
    let asked = query.read(&state.app, &actor).await?;
    let figures = state.app.figures(&actor, &asked.scope, asked.period).await?;
    Ok(Json(FiguresJson::of(&figures, actor.role.sees_money())))
}
