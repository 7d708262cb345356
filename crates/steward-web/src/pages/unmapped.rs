//! Attributes that no rule used: what do agents send that nothing is made of? Each key opens the runs that have it.

use axum::extract::State;
use steward_app::run_query::RunQuery;
use steward_app::tenant::RunFilter;
use steward_app::unmapped::Unmapped;
use steward_core::ids::WorkflowId;
use steward_core::time::Period;

use crate::problem::PageError;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::empty::Empty;
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format;
use crate::view::page::Page;
use crate::view::pages::unmapped::UnmappedPage;
use crate::view::shell::Crumb;
use crate::{Problem, Routes, WebState};

use super::around::Visit;
use super::runs::{Names, count};
use super::workflow::workflow_shell;

const QUESTION: &str = "What do agents send that nothing is made of?";

/// The keys of all workflows, or of one.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/unmapped", show)
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<UnmappedPage>, PageError> {
    let workflow: Option<WorkflowId> = match visit.get("workflow") {
        "" => None,
        id => Some(id.parse().map_err(|_| Problem::no_such("workflow"))?),
    };
    let chosen = visit.period();
    let mut shell = match workflow {
        Some(id) => {
            let workflow = state.app.get_workflow(&visit.who.actor, id).await?;
            workflow_shell(&state, &visit, &workflow, "Unmapped attributes", QUESTION, "").await?
        }
        None => {
            let mut shell = visit.shell("Unmapped attributes", QUESTION, "/");
            shell.path.insert(0, Crumb::new("Today", "/"));
            shell
        }
    };
    let unmapped = state.app.list_unmapped(&visit.who.actor, workflow, chosen.period).await?;
    let names = Names::load(&state, &visit).await?;
    shell.period = Some(chosen.picker.clone());
    let left_out = unmapped.n_keys - unmapped.keys.len();
    let page = UnmappedPage {
        left_out: if left_out == 0 { String::new() } else { format::count(left_out as u64) },
        keys: keys_table(&visit, &names, &unmapped, workflow, chosen.period),
        workflows: workflow.is_none().then(|| workflows_table(&names, &unmapped, &chosen.query)),
        all: workflow.map_or_else(String::new, |_| format!("/unmapped{}", chosen.query)),
    };
    Ok(Page::new(visit.wanted, shell, page))
}

/// The runs of a period that have an attribute, as an address.
fn runs_with(visit: &Visit, key: &str, workflow: Option<WorkflowId>, period: Period) -> String {
    let filter = RunFilter {
        workflows: workflow.map(|id| vec![id]),
        period: Some(period),
        finished: Some(true),
        unmapped_key: Some(key.to_owned()),
        ..RunFilter::default()
    };
    format!("/runs?{}", RunQuery::from(filter).write(&visit.zone))
}

fn keys_table(
    visit: &Visit,
    names: &Names,
    unmapped: &Unmapped,
    workflow: Option<WorkflowId>,
    period: Period,
) -> Table {
    let rows = unmapped.keys.iter().map(|key| {
        let new = Badge::new(Icon::Info, "in this period", Tone::Info);
        let mut cells = vec![Cell::name(key.key.clone()), Cell::number(count(key.runs))];
        if workflow.is_none() {
            let first = key.workflows.first().and_then(|(id, _)| names.place_of(*id)).unwrap_or_default();
            cells.push(match key.workflows.len().saturating_sub(1) {
                0 => Cell::text(first),
                n => Cell::text(format!("{first} and {n} more")),
            });
        }
        cells.push(if key.is_new { Cell::Badge(new) } else { Cell::Blank });
        Row::opens(runs_with(visit, &key.key, workflow, period), cells)
    });
    let mut columns = vec![Column::new("Attribute"), Column::number("Runs").titled("Ended in the period")];
    if workflow.is_none() {
        columns.push(Column::new("Workflow").titled("The one with the most of these runs"));
    }
    columns.push(Column::new("First seen").titled("Whether no run of the period before had it"));
    let empty = Empty::new(
        Icon::Completed,
        "Every attribute was used",
        "Nothing that came with the runs of this period was left over. What is left over stands here by its key.",
    );
    Table::new("Attributes that no rule used", columns, rows.collect()).or_empty(empty)
}

fn workflows_table(names: &Names, unmapped: &Unmapped, query: &str) -> Table {
    let rows = unmapped.workflows.iter().map(|row| {
        let share = row.unmapped as f64 / row.attributes.max(1) as f64;
        let whole = |n: i64| u64::try_from(n).unwrap_or(0);
        let client = names.client(&row.workflow).map_or_else(|| "Unassigned".to_owned(), |client| client.name.clone());
        let more = query.trim_start_matches('?');
        Row::opens(
            format!("/unmapped?workflow={}&{more}", row.workflow.id),
            vec![
                Cell::Name(row.workflow.name.clone(), client),
                Cell::number(format::count(row.keys as u64)),
                Cell::Number(format::percent(share), format::of(whole(row.unmapped), whole(row.attributes))),
            ],
        )
    });
    let columns = vec![
        Column::new("Workflow"),
        Column::number("Attributes"),
        Column::number("Share").titled("Of all attributes of its spans, how many no rule used"),
    ];
    Table::new("Workflows with attributes that no rule used", columns, rows.collect())
}
