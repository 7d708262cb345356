//! `GET /api/v1/patterns/{id}`

use axum::extract::State;
use serde::Serialize;
use steward_app::figures::last_days;
use steward_app::patterns::PatternDetail;
use steward_app::tenant::Facet;
use steward_core::ids::PatternId;
use utoipa::ToSchema;

use super::{DraftJson, PatternJson, ResolutionJson};
use crate::api::caller::Reader;
use crate::api::exceptions::ExceptionJson;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Days of which a pattern's course is told.
const DAYS: i32 = 30;

/// A pattern with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternDetail)]
pub(crate) struct PatternDetailJson {
    /// The pattern.
    pattern: PatternJson,
    /// The last 30 days on which it was seen, by the day in UTC on which the runs ended.
    days: Vec<PatternDayJson>,
    /// Finished runs of the workflow in those 30 days.
    runs: u64,
    /// The releases of its latest exceptions.
    releases: Vec<FacetJson>,
    /// Their models.
    models: Vec<FacetJson>,
    /// Their tools.
    tools: Vec<FacetJson>,
    /// In how many ways its messages are written. Any but all of them can be set apart.
    variants: Vec<VariantJson>,
    /// Its latest exceptions.
    examples: Vec<ExceptionJson>,
    /// Patterns that are part of it.
    merged: Vec<PatternJson>,
    /// What came of calling it resolved; null while nobody did.
    resolution: Option<ResolutionJson>,
    /// What is prepared to cure it.
    drafts: Vec<DraftJson>,
    /// What it costs.
    cost: PatternCostJson,
}

/// What a pattern costs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternCost)]
pub(crate) struct PatternCostJson {
    /// What the runs cost that did not do their job, in billionths of a US dollar; 0 for who sees no money.
    wasted_nanos: i64,
    /// Active time of reviews, in milliseconds, as far as it is known.
    review_ms: i64,
    /// Minutes that putting things right took beside the reviews.
    cleanup_minutes: i64,
    /// What these minutes cost at the reviewer's rate, in billionths of a unit of `currency`; null when no rate is set,
    /// and for who sees no money.
    human_nanos: Option<i64>,
    /// The client's currency.
    #[schema(example = "EUR")]
    currency: String,
}

/// A day of a pattern.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternDay)]
pub(crate) struct PatternDayJson {
    /// The day.
    #[schema(format = Date)]
    day: String,
    /// Exceptions.
    n: i64,
    /// Runs with one.
    n_runs: i64,
}

/// One line of a breakdown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Facet)]
pub(crate) struct FacetJson {
    /// The name; empty when not said.
    name: String,
    /// Exceptions, of the latest 5,000.
    n: i64,
}

/// One way in which a pattern's messages are written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternVariant)]
pub(crate) struct VariantJson {
    /// Its shape, by which it can be set apart.
    shape: String,
    /// Exceptions, of the latest 5,000.
    n: i64,
    /// One of the messages.
    message: String,
    /// When it was last seen.
    #[schema(format = DateTime)]
    last_seen: String,
}

fn facets(facets: Vec<Facet>) -> Vec<FacetJson> {
    facets.into_iter().map(|facet| FacetJson { name: facet.name, n: facet.n }).collect()
}

impl From<PatternDetail> for PatternDetailJson {
    fn from(detail: PatternDetail) -> Self {
        let day = |day: i32| {
            let at = steward_core::time::Timestamp(i64::from(day) * steward_core::time::DAY_MICROS);
            at.rfc3339().chars().take(10).collect()
        };
        Self {
            days: detail.days.into_iter().map(|(at, n, n_runs)| PatternDayJson { day: day(at), n, n_runs }).collect(),
            runs: detail.runs,
            releases: facets(detail.releases),
            models: facets(detail.models),
            tools: facets(detail.tools),
            variants: detail
                .variants
                .into_iter()
                .map(|variant| VariantJson {
                    shape: variant.shape,
                    n: variant.n,
                    message: variant.message,
                    last_seen: variant.last_seen.rfc3339(),
                })
                .collect(),
            examples: detail.examples.into_iter().map(ExceptionJson::from).collect(),
            merged: detail.merged.into_iter().map(PatternJson::from).collect(),
            resolution: detail.resolution.map(ResolutionJson::from),
            drafts: detail.drafts.into_iter().map(DraftJson::from).collect(),
            cost: PatternCostJson {
                wasted_nanos: detail.cost.wasted_nanos,
                review_ms: detail.cost.review_ms,
                cleanup_minutes: detail.cost.cleanup_minutes,
                human_nanos: detail.cost.human.map(|nanos| nanos.0),
                currency: detail.cost.currency.code().to_owned(),
            },
            pattern: detail.pattern.into(),
        }
    }
}

/// Gets a pattern: its course, what it was seen in, how it is written, and what came of resolving it.
#[utoipa::path(
    get, path = "/patterns/{id}", tag = "exceptions", operation_id = "get_pattern",
    params(("id" = String, Path, description = "The pattern's id", example = "pat_01930000000070008000000000000001")),
    responses(
        (status = 200, body = PatternDetailJson, description = "The pattern"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.patterns.get", skip_all)]
pub(crate) async fn get_pattern(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<PatternId>,
) -> Result<Json<PatternDetailJson>, Problem> {
    let zone = state.app.get_agency(&actor).await?.zone();
    let period = last_days(state.app.clock().now(), DAYS, &zone);
    Ok(Json(state.app.get_pattern_detail(&actor, id, period).await?.into()))
}
