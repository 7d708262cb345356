//! `POST /api/v1/workflows/{id}/preview`

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use steward_app::workflows::{MAX_PREVIEW, PreviewedRun, Reading, Totals};
use steward_core::ids::WorkflowId;
use steward_core::outcome::Outcome;
use utoipa::ToSchema;

use super::patched;
use crate::api::caller::Reader;
use crate::api::words::{EvidenceWord, OutcomeWord};
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Settings to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsToTry {
    /// Settings to change. One that is not named stays; null takes its usual value.
    #[schema(value_type = Object)]
    settings: Value,
    /// How many of the latest runs to read with them; 500 at most.
    #[serde(default = "usual_limit")]
    #[schema(default = 100, minimum = 1, maximum = 500)]
    limit: u32,
}

const fn usual_limit() -> u32 {
    100
}

/// What settings would say of past runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preview)]
pub(crate) struct PreviewJson {
    /// What the stored readings come to.
    before: TotalsJson,
    /// What the settings would make of them.
    after: TotalsJson,
    /// Runs whose outcome or results would change.
    n_changed: usize,
    /// Runs that would have broken an expectation.
    n_broken: usize,
    /// Runs whose steps retention has dropped: they keep their reading.
    n_without_steps: usize,
    /// Whether the settings change what one run is. Past runs keep their boundaries, so this preview does not show it.
    changes_run_unit: bool,
    /// The runs, the latest first.
    runs: Vec<PreviewedRunJson>,
}

/// Sums over runs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Totals)]
pub(crate) struct TotalsJson {
    /// Runs by outcome.
    outcomes: BTreeMap<String, u32>,
    /// Results by name.
    results: BTreeMap<String, u32>,
    /// Runs by the kind of expectation that they broke: `calls_tool`, `never_says`.
    broken: BTreeMap<String, u32>,
}

/// One run, read in two ways.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewedRun)]
pub(crate) struct PreviewedRunJson {
    /// The run.
    run_id: String,
    /// What it was about.
    title: String,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: String,
    /// Whether its outcome or its results would change.
    changed: bool,
    /// As it is stored.
    before: ReadingJson,
    /// As the settings would read it.
    after: ReadingJson,
}

/// What a run counts as.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reading)]
pub(crate) struct ReadingJson {
    /// What came of it; null when it would not count as ended.
    outcome: Option<OutcomeWord>,
    /// What the outcome rests on.
    evidence: EvidenceWord,
    /// The evidence in words.
    words: String,
    /// Results by name, and how many of each.
    results: BTreeMap<String, u32>,
    /// What was broken of what is expected, in words.
    broken: Vec<String>,
}

impl From<Totals> for TotalsJson {
    fn from(totals: Totals) -> Self {
        let outcomes =
            Outcome::ALL.into_iter().map(|outcome| (outcome.as_str().to_owned(), totals.of_outcome(outcome)));
        Self { outcomes: outcomes.collect(), results: totals.results, broken: totals.broken }
    }
}

impl From<Reading> for ReadingJson {
    fn from(reading: Reading) -> Self {
        Self {
            outcome: reading.outcome.map(OutcomeWord::from),
            evidence: reading.evidence.into(),
            words: reading.words,
            results: reading.results,
            broken: reading.broken.into_iter().map(|(_, words)| words).collect(),
        }
    }
}

impl From<PreviewedRun> for PreviewedRunJson {
    fn from(run: PreviewedRun) -> Self {
        Self {
            changed: run.is_changed(),
            run_id: run.row.id.to_string(),
            title: run.row.title,
            ended_at: run.row.ended_at.rfc3339(),
            before: run.before.into(),
            after: run.after.into(),
        }
    }
}

/// Says what settings would make of a workflow's latest runs. Nothing is changed.
#[utoipa::path(
    post, path = "/workflows/{id}/preview", tag = "workflows", operation_id = "preview_workflow",
    params(("id" = String, Path, description = "The workflow's id", example = "wf_01930000000070008000000000000001")),
    request_body = SettingsToTry,
    responses(
        (status = 200, body = PreviewJson, description = "What the settings would say"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.workflows.preview", skip_all)]
pub(crate) async fn preview_workflow(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<WorkflowId>,
    Json(body): Json<SettingsToTry>,
) -> Result<Json<PreviewJson>, Problem> {
    if !(1..=MAX_PREVIEW).contains(&body.limit) {
        return Err(Problem::invalid(format!("“limit” is from 1 to {MAX_PREVIEW}")));
    }
    let workflow = state.app.get_workflow(&actor, id).await?;
    let settings = patched(&workflow.settings, &body.settings)?;
    let preview = state.app.preview_settings(&actor, id, &settings, body.limit).await?;
    Ok(Json(PreviewJson {
        before: preview.before.into(),
        after: preview.after.into(),
        n_changed: preview.n_changed,
        n_broken: preview.n_broken,
        n_without_steps: preview.n_without_steps,
        changes_run_unit: preview.changes_run_unit,
        runs: preview.runs.into_iter().map(PreviewedRunJson::from).collect(),
    }))
}
