//! Today: what needs somebody now, and how each client is.

use axum::extract::State;
use std::collections::HashMap;
use steward_app::figures::Scope;
use steward_app::today::{Attention, AttentionKind, Urgency};
use steward_core::clients::Client;
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::workflow::Workflow;

use crate::problem::PageError;
use crate::view::components::attention::Attention as Line;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Time};
use crate::view::html::Link;
use crate::view::page::Page;
use crate::view::pages::today::Today;
use crate::{Routes, WebState};

use super::around::{DAY_METRICS, Visit, card, sentence};
use super::exceptions::pattern_path;
use super::{clients, queue};

/// The first page.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/", show)
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<Today>, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let chosen = visit.period();
    let figures = app.figures(actor, &Scope::default(), chosen.period).await?;
    let list = app.visible_clients(actor, false).await?;
    let mut shell = visit.shell("Today", "What needs me now?", "/");
    shell.period = Some(chosen.picker.clone());
    if figures.workflows.is_empty() {
        return Ok(Page::new(visit.wanted, shell, first_steps(&visit, list.is_empty())));
    }
    let days = app.days(actor, &Scope::default(), chosen.period, &DAY_METRICS).await?;
    let needs = app.today(actor).await?;
    let of_queue = queue::today::needs(&state, &visit).await?;
    let mut filter = app.visible_filter(actor, &Default::default()).await?;
    filter.finished = Some(true);
    let latest = app.list_runs(actor, &filter, Default::default(), None, 8).await?;
    let names: HashMap<WorkflowId, &Workflow> = figures.workflows.iter().map(|(w, _)| (w.id, w)).collect();
    let rows = latest.runs.iter().map(|run| {
        let workflow = names.get(&run.workflow_id);
        let client = workflow.and_then(|w| w.client_id).and_then(|id| list.iter().find(|c| c.id == id));
        let place = [client.map(|c| c.name.as_str()), workflow.map(|w| w.name.as_str())]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" › ");
        let title = if run.title.is_empty() { "A run without a title".to_owned() } else { run.title.clone() };
        Row::opens(
            format!("/runs/{}", run.id),
            vec![
                Cell::Name(title, place),
                Cell::Badge(Badge::outcome(run.outcome)),
                Cell::number(format::duration_ms(run.cycle_ms)),
                Cell::Time(Time::new(run.ended_at, visit.now, &visit.zone)),
            ],
        )
    });
    let columns = vec![Column::new("Run"), Column::new("Outcome"), Column::number("Took"), Column::new("Ended")];
    let ids = ["runs", "completion_rate", "run_cost", "value_delivered"];
    let ids = if visit.sees_money() { ids } else { ["runs", "completion_rate", "escalation_rate", "cycle_time_p50"] };
    let page = Today {
        live: "/live".to_owned(),
        attention: of_queue.into_iter().chain(needs.iter().map(|need| line(need, &list))).collect(),
        all_well: all_well(
            &figures.workflows.len(),
            latest.runs.first().map(|run| Time::new(run.ended_at, visit.now, &visit.zone)),
        ),
        figures: ids.iter().filter_map(|id| card(&figures, id, &days, receipts(id, &chosen.query))).collect(),
        clients: clients::table(&visit, &list, &figures, &needs, &chosen.query),
        latest: Table::new("The last runs", columns, rows.collect()),
        first_steps: None,
        progress: progress(&state, &visit).await?,
        assign: if visit.operates() { assign(&visit, &needs, &list) } else { Vec::new() },
        quality: quality(&figures),
        unmapped: unmapped(&figures, &chosen.query),
    };
    Ok(Page::new(visit.wanted, shell, page))
}

/// Where the runs behind a figure of the whole agency are.
pub(super) fn receipts(id: &str, query: &str) -> String {
    if matches!(id, "runs" | "completion_rate" | "escalation_rate" | "run_cost" | "cycle_time_p50") {
        format!("/runs{query}")
    } else {
        String::new()
    }
}

fn first_steps(visit: &Visit, no_client: bool) -> Today {
    let text = "What needs you appears here as soon as an agent sends its runs: failing tools, silent workflows, costs nobody knows.";
    let empty = if visit.operates() {
        Empty::new(Icon::Runs, "No run has come in yet", text)
            .with_action(Action::open("Connect an agent", "/connect").primary())
    } else if no_client {
        Empty::new(
            Icon::Clients,
            "No client is yours yet",
            "An owner of the agency assigns clients to you; their workflows then appear here.",
        )
    } else {
        Empty::new(Icon::Runs, "No run has come in yet", text)
    };
    Today {
        live: "/live".to_owned(),
        attention: Vec::new(),
        all_well: String::new(),
        figures: Vec::new(),
        clients: Table::default(),
        latest: Table::default(),
        first_steps: Some(empty),
        progress: Vec::new(),
        assign: Vec::new(),
        quality: String::new(),
        unmapped: String::new(),
    }
}

fn all_well(n_workflows: &usize, last: Option<Time>) -> String {
    let last = last.map(|time| format!(" The last run ended {}.", time.text())).unwrap_or_default();
    match n_workflows {
        1 => format!("The workflow runs as it did.{last}"),
        n => format!("All {n} workflows run as they did.{last}"),
    }
}

/// What the program is at for the agency, and what it gave up.
async fn progress(state: &WebState, visit: &Visit) -> Result<Vec<Notice>, PageError> {
    if !visit.operates() {
        return Ok(Vec::new());
    }
    let jobs = state.app.list_jobs(&visit.who.actor).await?;
    let words = |kind: &str| match kind {
        "reread" => "Runs are being read again",
        "rebuild" => "Everything is being rebuilt from the inbox",
        _ => "Something is being done",
    };
    let running = jobs.iter().filter(|job| job.ended_at.is_none()).take(3).map(|job| {
        let count = |n: i64| format::count(u64::try_from(n).unwrap_or(0));
        let far = if job.total > 0 {
            format!("{} of {}.", count(job.done), count(job.total))
        } else {
            "It has not begun yet.".to_owned()
        };
        let error = job.error.as_ref().map(|error| format!(" The last try failed: {error}.")).unwrap_or_default();
        Notice::new(Tone::Info, words(&job.kind), format!("{far}{error} Figures change as it goes on."))
    });
    Ok(running.collect())
}

/// A form for each of the first workflows that belong to no client.
fn assign(visit: &Visit, needs: &[Attention], clients: &[Client]) -> Vec<(String, Form)> {
    let unassigned = needs.iter().filter(|need| need.kind == AttentionKind::Unassigned);
    let pairs: Vec<(String, String)> = clients.iter().map(|c| (c.id.to_string(), c.name.clone())).collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let form = |need: &Attention| {
        let id = need.workflow_id;
        let choices = Choice::list(&pairs, "");
        let mut form = Form::new(
            format!("/workflows/{id}/assign"),
            visit.csrf(),
            "Assign",
            vec![Field::select("client", "It works for", choices)],
        );
        form.hidden = vec![
            ("name".to_owned(), need.workflow.clone()),
            ("new_client".to_owned(), String::new()),
            ("back".to_owned(), "/".to_owned()),
        ];
        (need.workflow.clone(), form.with_ids(&id.to_string()))
    };
    unassigned.take(3).map(form).collect()
}

/// What is not known about the period's figures, in a line.
fn quality(figures: &steward_app::figures::Figures) -> String {
    let share = |id: &str| figures.get(id).and_then(|figure| figure.value);
    let mut parts = Vec::new();
    if let Some(coverage) = share("coverage").filter(|share| *share < 1.0) {
        parts.push(format!("the outcome of {} of runs is known", format::percent(coverage)));
    }
    if let Some(unpriced) = share("unpriced_runs").filter(|share| *share > 0.0) {
        parts.push(format!("{} have no known cost", format::percent(unpriced)));
    }
    if let Some(unmapped) = share("unmapped_share").filter(|share| *share > 0.0) {
        parts.push(format!("{} of attributes were not used", format::percent(unmapped)));
    }
    if let Some(late) = share("late_runs").filter(|share| *share > 0.0) {
        parts.push(format!("{} received steps late", format::percent(late)));
    }
    if figures.mixed_currencies {
        parts.push("values in different currencies are not summed".to_owned());
    }
    if parts.is_empty() { String::new() } else { sentence(&format!("data quality: {}", parts.join("; "))) }
}

/// Where the attributes are that no rule used; empty when all were.
fn unmapped(figures: &steward_app::figures::Figures, query: &str) -> String {
    let share = figures.get("unmapped_share").and_then(|figure| figure.value);
    share.filter(|share| *share > 0.0).map_or_else(String::new, |_| format!("/unmapped{query}"))
}

/// One thing that needs somebody, as a line.
pub(super) fn line(need: &Attention, clients: &[Client]) -> Line {
    let workflow = format!("/workflows/{}", need.workflow_id);
    let (icon, title, action) = match &need.kind {
        AttentionKind::Unassigned => {
            (Icon::Unplugged, "Belongs to no client".to_owned(), Action::open("Assign", format!("{workflow}/assign")))
        }
        AttentionKind::Silent => (Icon::Silent, "Gone silent".to_owned(), Action::open("Look", workflow.clone())),
        AttentionKind::ToolFailing { tool, .. } => {
            (Icon::Tool, format!("{tool} fails"), Action::open("Look", workflow.clone()))
        }
        AttentionKind::CompletionFell => {
            (Icon::Fall, "Fewer runs complete".to_owned(), Action::open("Look", workflow.clone()))
        }
        AttentionKind::EscalationsRose => {
            (Icon::Escalated, "More is handed to people".to_owned(), Action::open("Look", workflow.clone()))
        }
        AttentionKind::LowCoverage => {
            (Icon::Unverified, "Outcomes unknown".to_owned(), Action::open("Add a rule", format!("{workflow}/rules")))
        }
        AttentionKind::UnknownCost => {
            (Icon::Cost, "Costs unknown".to_owned(), Action::open("Add a price", "/settings/prices"))
        }
        AttentionKind::NoValue => {
            (Icon::Value, "No value agreed".to_owned(), Action::open("Agree on one", format!("{workflow}/settings")))
        }
        AttentionKind::Regressed { pattern } => {
            (Icon::Warning, "Came back".to_owned(), Action::open("Look", pattern_path(*pattern)))
        }
        AttentionKind::NewPatterns { n } => {
            let title = if *n == 1 { "A new problem".to_owned() } else { format!("{n} new problems") };
            let list = format!("/exceptions?workflow={}&state=new&period=7d", need.workflow_id);
            (Icon::Exceptions, title, Action::open("Look", list))
        }
    };
    let client = need.client_id.and_then(|id| clients.iter().find(|client| client.id == id));
    Line {
        tone: match need.urgency {
            Urgency::High => Tone::Bad,
            Urgency::Medium => Tone::Warn,
            Urgency::Low => Tone::Info,
        },
        icon,
        title,
        place: client.map_or_else(|| need.workflow.clone(), |client| format!("{} › {}", client.name, need.workflow)),
        href: workflow,
        why: sentence(&need.words),
        action: Some(action),
    }
}

/// What needs somebody at a client, as a badge.
pub(super) fn needs_badge(needs: &[Attention], of: impl Fn(&Attention) -> bool) -> Cell {
    let found: Vec<&Attention> = needs.iter().filter(|need| of(need)).collect();
    let words = match found.len() {
        0 => return Cell::Blank,
        1 => "1 thing".to_owned(),
        n => format!("{n} things"),
    };
    let tone = match found.iter().map(|need| need.urgency).max() {
        Some(Urgency::High) => Tone::Bad,
        Some(Urgency::Medium) => Tone::Warn,
        _ => Tone::Info,
    };
    Cell::Badge(Badge::new(Icon::Warning, words, tone))
}

/// Links to the clients of an agency, to switch between them.
pub(super) fn client_links(clients: &[Client]) -> Vec<Link> {
    clients.iter().map(|client| Link::new(client.name.clone(), client_path(client.id))).collect()
}

/// A client's page.
pub(super) fn client_path(id: ClientId) -> String {
    format!("/clients/{id}")
}
