//! A workflow's rules: edited as rows, tried over past runs, and only then saved.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::figures::{Scope, last_days};
use steward_app::workflows::Preview;
use steward_core::ids::WorkflowId;
use steward_core::outcome::Outcome;
use steward_core::workflow::Workflow;

use crate::extract::Path;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::empty::Empty;
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format;
use crate::view::page::Page;
use crate::view::pages::rules::{RulesDo, RulesForm, RulesPage, RulesPreview};
use crate::view::pages::workflow::workflow_tabs;
use crate::{Routes, WebState};

use super::around::Visit;
use super::runs::title_of;
use super::trial::{Tried, try_settings};
use super::workflow::workflow_shell;

/// A workflow's rules.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/workflows/{id}/rules", show).post("/workflows/{id}/rules", edit)
}

async fn page(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    rules: RulesForm,
    error: String,
    preview: Option<RulesPreview>,
) -> Result<Page<RulesPage>, PageError> {
    let actor = &visit.who.actor;
    let scope = Scope { workflow: Some(workflow.id), ..Scope::default() };
    let tools = state.app.calls(actor, &scope, last_days(visit.now, 90, &visit.zone), true).await?;
    let currency = match workflow.client_id {
        Some(client) => state.app.get_client(actor, client).await?.settings.currency,
        None => visit.agency.currency,
    };
    let part = RulesPage {
        tabs: workflow_tabs(&workflow.id.to_string(), "rules"),
        action: format!("/workflows/{}/rules", workflow.id),
        csrf: visit.csrf(),
        rules,
        error,
        version: workflow.settings_version,
        currency: currency.code().to_owned(),
        known_tools: tools.into_iter().map(|tool| tool.name).take(100).collect(),
        preview,
    };
    let shell = workflow_shell(
        state,
        visit,
        workflow,
        "Rules",
        "When did a run do its job, and what did it bring about?",
        "/rules",
    )
    .await?;
    Ok(Page::new(visit.wanted, shell, part))
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<RulesPage>, PageError> {
    let workflow = state.app.get_workflow(&visit.who.actor, id).await?;
    visit.who.actor.must_operate()?;
    let rules = RulesForm::of(&workflow.settings.outcome_rules, &workflow.settings.result_rules);
    page(&state, &visit, &workflow, rules, String::new(), None).await
}

async fn edit(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let workflow = state.app.get_workflow(&who.actor, id).await?;
    who.actor.must_operate()?;
    let (mut rules, pressed) = RulesForm::posted(&form.0);
    if pressed == RulesDo::Edit {
        return Ok(page(&state, &visit, &workflow, rules, String::new(), None).await?.into_response());
    }
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Some((outcome_rules, result_rules)) = rules.read() else {
        let error = "Nothing was saved: a row needs a change.".to_owned();
        return Ok(page(&state, &visit, &workflow, rules, error, None).await?.with_status(refused).into_response());
    };
    let mut settings = workflow.settings.clone();
    settings.outcome_rules = outcome_rules;
    settings.result_rules = result_rules;
    let (status, error, preview) = match try_settings(&state, &who.actor, &workflow, &settings, &form, "rules").await? {
        Tried::Saved(back) => return Ok(back.into_response()),
        Tried::Preview(preview) => (StatusCode::OK, String::new(), Some(told(&preview))),
        Tried::Refused(status, words) => (status, words, None),
    };
    Ok(page(&state, &visit, &workflow, rules, error, preview).await?.with_status(status).into_response())
}

fn badge(outcome: Option<Outcome>) -> Badge {
    outcome.map_or_else(|| Badge::new(Icon::Open, "not ended", Tone::Neutral), Badge::outcome)
}

/// A preview in words and tables.
fn told(preview: &Preview) -> RulesPreview {
    let n = preview.runs.len();
    let mut words = match (n, preview.n_changed) {
        (0, _) => "No run has ended yet, so there is nothing to try them on.".to_owned(),
        (n, 0) => format!("Of the last {n} finished runs none would change."),
        (n, changed) => {
            format!("Of the last {n} finished runs, {changed} would have another outcome or other results.")
        }
    };
    if preview.n_without_steps > 0 {
        words.push_str(&format!(" {} of them have no steps any more and keep their reading.", preview.n_without_steps));
    }
    let share = |n: u32| format::percent(f64::from(n) / (preview.runs.len().max(1) as f64));
    let totals = Outcome::ALL.into_iter().map(|outcome| {
        let (before, after) = (preview.before.of_outcome(outcome), preview.after.of_outcome(outcome));
        Row::plain(vec![
            Cell::Badge(Badge::outcome(outcome)),
            Cell::Number(before.to_string(), share(before)),
            Cell::Number(after.to_string(), share(after)),
            Cell::number(format::signed_count(i64::from(after) - i64::from(before))),
        ])
    });
    let columns =
        || vec![Column::new("Outcome"), Column::number("Before"), Column::number("After"), Column::number("Change")];
    let sum = preview.runs.len().to_string();
    let moves = Table {
        sums: vec![Cell::name("Runs"), Cell::number(sum.clone()), Cell::number(sum), Cell::Blank],
        ..Table::new("Outcomes before and after", columns(), totals.collect())
    };
    let names: BTreeSet<&String> = preview.before.results.keys().chain(preview.after.results.keys()).collect();
    let of = |totals: &BTreeMap<String, u32>, name: &String| totals.get(name).copied().unwrap_or(0);
    let results = names.into_iter().map(|name| {
        let (before, after) = (of(&preview.before.results, name), of(&preview.after.results, name));
        Row::plain(vec![
            Cell::name(name.clone()),
            Cell::number(before.to_string()),
            Cell::number(after.to_string()),
            Cell::number(format::signed_count(i64::from(after) - i64::from(before))),
        ])
    });
    let result_columns =
        vec![Column::new("Result"), Column::number("Before"), Column::number("After"), Column::number("Change")];
    let examples = preview.runs.iter().filter(|run| run.is_changed()).take(12).map(|run| {
        Row::opens(
            format!("/runs/{}", run.row.id),
            vec![
                Cell::name(title_of(&run.row)),
                Cell::Badge(badge(run.before.outcome)),
                Cell::Badge(badge(run.after.outcome)),
                Cell::text(run.after.words.clone()),
            ],
        )
    });
    let example_columns = vec![Column::new("Run"), Column::new("Before"), Column::new("After"), Column::new("Because")];
    RulesPreview {
        words,
        moves: moves.or_empty(Empty::new(Icon::Runs, "No run yet", "Rules can be tried as soon as runs have ended.")),
        results: Table::new("Results before and after", result_columns, results.collect()),
        examples: Table::new("Some runs that change", example_columns, examples.collect()),
    }
}
