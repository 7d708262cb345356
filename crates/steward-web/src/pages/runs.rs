//! The list of runs: which runs are these? The address says so, and the files take the same.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use steward_app::run_query::{RunQuery, write_pairs};
use steward_app::runs::COUNT_UP_TO;
use steward_app::tenant::{RunCursor, RunFilter, RunRow, RunSort};
use steward_core::clients::Client;
use steward_core::ids::{RunId, WorkflowId};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::Outcome;
use steward_core::workflow::Workflow;

use crate::problem::PageError;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::filters::{Chip, FilterBar};
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, ColumnPicker, Pager, Row, Sorted, Table};
use crate::view::format::{self, Time};
use crate::view::page::Page;
use crate::view::pages::runs::Runs;
use crate::{Problem, Routes, WebState};

use super::around::Visit;

/// Runs on a page of the list.
const PAGE: u32 = 50;

/// The list of runs.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/runs", show)
}

/// What the address of a list asks for.
pub(super) struct Asked {
    /// The query as it stands in the address.
    pub query: RunQuery,
    /// The query without the client.
    pub filter: RunFilter,
}

/// Reads the address of a list of runs. A period of a page (`period=30d`) is understood as well as `from` and `to`.
pub(super) async fn asked(state: &WebState, visit: &Visit) -> Result<Asked, PageError> {
    let mut query = RunQuery::read(visit.query.iter().map(|(key, value)| (key, value)), visit.now, &visit.zone)?;
    if query.filter.period.is_none() && (!visit.get("period").is_empty() || !visit.get("days").is_empty()) {
        query.filter.period = Some(visit.period().period);
    }
    if !visit.sees_money() {
        query.filter.min_cost_nanos = None;
    }
    let filter = state.app.filter_of(&visit.who.actor, &query).await?;
    Ok(Asked { query, filter })
}

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Col {
    Outcome,
    Evidence,
    Model,
    Tools,
    Steps,
    Exceptions,
    Tokens,
    Took,
    Cost,
    Release,
    User,
    Results,
    Ended,
}

impl Col {
    const ALL: [Self; 13] = [
        Self::Outcome,
        Self::Evidence,
        Self::Model,
        Self::Tools,
        Self::Steps,
        Self::Exceptions,
        Self::Tokens,
        Self::Took,
        Self::Cost,
        Self::Release,
        Self::User,
        Self::Results,
        Self::Ended,
    ];
    const USUAL: [Self; 6] = [Self::Outcome, Self::Model, Self::Steps, Self::Took, Self::Cost, Self::Ended];

    const fn word(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Evidence => "evidence",
            Self::Model => "model",
            Self::Tools => "tools",
            Self::Steps => "steps",
            Self::Exceptions => "exceptions",
            Self::Tokens => "tokens",
            Self::Took => "took",
            Self::Cost => "cost",
            Self::Release => "release",
            Self::User => "user",
            Self::Results => "results",
            Self::Ended => "ended",
        }
    }

    const fn head(self) -> &'static str {
        match self {
            Self::Outcome => "Outcome",
            Self::Evidence => "Evidence",
            Self::Model => "Model",
            Self::Tools => "Tools",
            Self::Steps => "Steps",
            Self::Exceptions => "Exceptions",
            Self::Tokens => "Tokens",
            Self::Took => "Took",
            Self::Cost => "Cost",
            Self::Release => "Release",
            Self::User => "User",
            Self::Results => "Results",
            Self::Ended => "Ended",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Steps | Self::Exceptions | Self::Tokens | Self::Took | Self::Cost)
    }

    const fn sort(self) -> Option<RunSort> {
        match self {
            Self::Ended => Some(RunSort::Ended),
            Self::Took => Some(RunSort::Cycle),
            Self::Cost => Some(RunSort::Cost),
            Self::Exceptions => Some(RunSort::Exceptions),
            _ => None,
        }
    }

    fn chosen(visit: &Visit) -> Vec<Self> {
        let asked: Vec<&str> =
            visit.query.iter().filter(|(key, _)| key == "col").map(|(_, value)| value.as_str()).collect();
        let shown = |col: &Self| if asked.is_empty() { Self::USUAL.contains(col) } else { asked.contains(&col.word()) };
        Self::ALL.into_iter().filter(shown).filter(|col| visit.sees_money() || *col != Self::Cost).collect()
    }

    fn cell(self, run: &RunRow, visit: &Visit) -> Cell {
        match self {
            Self::Outcome => {
                let state = match run.final_at {
                    _ if !run.finished => Some("open"),
                    Some(at) if visit.now < at => Some("provisional"),
                    _ => None,
                };
                let outcome = run.finished.then(|| Badge::outcome(run.outcome));
                let test = run.test.then(|| Badge::new(Icon::Flag, "test", Tone::Neutral));
                Cell::Badges([outcome, state.map(Badge::run_state), test].into_iter().flatten().collect())
            }
            Self::Evidence => Cell::text(run.evidence.as_str()),
            Self::Model => Cell::Text(run.models.join(", ")),
            Self::Tools => Cell::Text(run.tools.join(", ")),
            Self::Steps => {
                let full = format!("{} steps: {} model, {} tool", run.n_steps, run.n_model_calls, run.n_tool_calls);
                Cell::Number(count(run.n_steps.into()), full)
            }
            Self::Exceptions => Cell::Number(count(run.n_exceptions.into()), run.first_error.clone()),
            Self::Tokens => {
                let full = format!("{} in, {} out", count(run.tokens_in), count(run.tokens_out));
                Cell::Number(count(run.tokens_in.saturating_add(run.tokens_out)), full)
            }
            Self::Took => Cell::number(if run.finished { format::duration_ms(run.cycle_ms) } else { "–".to_owned() }),
            Self::Cost => match run.cost_nanos {
                Some(nanos) => Cell::Number(format::money(Nanos(nanos), Currency::USD), run.cost_source.clone()),
                None => Cell::Unknown("at least one call has neither a reported cost nor a price".to_owned()),
            },
            Self::Release => Cell::text(run.release.clone()),
            Self::User => Cell::text(run.user_id.clone()),
            Self::Results => Cell::Text(run.results.join(", ")),
            Self::Ended => Cell::Time(Time::new(run.ended_at, visit.now, &visit.zone)),
        }
    }
}

/// A count that is never negative.
pub(super) fn count(n: i64) -> String {
    format::count(u64::try_from(n).unwrap_or(0))
}

/// Workflows and clients by name, for lists.
pub(super) struct Names {
    workflows: Vec<Workflow>,
    clients: Vec<Client>,
}

impl Names {
    /// Loads the names that a person may see.
    pub(super) async fn load(state: &WebState, visit: &Visit) -> Result<Self, PageError> {
        let actor = &visit.who.actor;
        let workflows = state.app.visible_workflows(actor, true).await?;
        Ok(Self { workflows, clients: state.app.visible_clients(actor, true).await? })
    }

    /// "Northwind Dental › Receptionist".
    pub(super) fn place(&self, workflow: &Workflow) -> String {
        match self.client(workflow) {
            Some(client) => format!("{} › {}", client.name, workflow.name),
            None => workflow.name.clone(),
        }
    }

    /// The same for a workflow by its id. `None` when the person may not see it.
    pub(super) fn place_of(&self, id: WorkflowId) -> Option<String> {
        self.workflows.iter().find(|workflow| workflow.id == id).map(|workflow| self.place(workflow))
    }

    /// The client of a workflow. `None` while it is unassigned.
    pub(super) fn client(&self, workflow: &Workflow) -> Option<&Client> {
        self.clients.iter().find(|client| Some(client.id) == workflow.client_id)
    }

    /// The client of a workflow by its id. `None` while it is unassigned, or when it may not be seen.
    pub(super) fn client_of(&self, id: WorkflowId) -> Option<&Client> {
        self.workflows.iter().find(|workflow| workflow.id == id).and_then(|workflow| self.client(workflow))
    }

    /// The place of a workflow by its id; empty when it may not be seen.
    pub(super) fn of(&self, id: WorkflowId) -> String {
        self.workflows.iter().find(|workflow| workflow.id == id).map(|w| self.place(w)).unwrap_or_default()
    }

    /// Clients to choose from: id and name.
    pub(super) fn client_choices(&self) -> Vec<(String, String)> {
        self.clients.iter().map(|client| (client.id.to_string(), client.name.clone())).collect()
    }

    /// Workflows to choose from: id and place.
    pub(super) fn workflow_choices(&self) -> Vec<(String, String)> {
        self.workflows.iter().map(|workflow| (workflow.id.to_string(), self.place(workflow))).collect()
    }

    fn places(&self) -> HashMap<WorkflowId, String> {
        self.workflows.iter().map(|workflow| (workflow.id, self.place(workflow))).collect()
    }
}

/// What a run is called in lists.
pub(super) fn title_of(run: &RunRow) -> String {
    if run.title.is_empty() { run.key.chars().take(60).collect() } else { run.title.clone() }
}

/// Some runs in a plain table: title and place, outcome, how long, when.
pub(super) fn short_table(caption: &str, runs: &[RunRow], visit: &Visit) -> Table {
    let columns = [Col::Outcome, Col::Took, Col::Ended];
    let rows = runs.iter().map(|run| {
        let mut cells = vec![Cell::Name(title_of(run), String::new())];
        cells.extend(columns.iter().map(|col| col.cell(run, visit)));
        Row::opens(format!("/runs/{}", run.id), cells)
    });
    let columns = vec![Column::new("Run"), Column::new("Outcome"), Column::number("Took"), Column::new("Ended")];
    Table::new(caption, columns, rows.collect())
}

const fn sort_word(sort: RunSort) -> &'static str {
    match sort {
        RunSort::Ended => "ended",
        RunSort::Cycle => "took",
        RunSort::Cost => "cost",
        RunSort::Exceptions => "exceptions",
    }
}

/// The place in the list that a key of the address names: `value.run_id`.
fn place_of(visit: &Visit, key: &str) -> Result<Option<RunCursor>, Problem> {
    let text = visit.get(key);
    if text.is_empty() {
        return Ok(None);
    }
    let place = text
        .split_once('.')
        .and_then(|(value, id)| Some(RunCursor { value: value.parse().ok()?, id: id.parse::<RunId>().ok()? }));
    place.map(Some).ok_or_else(|| Problem::invalid(format!("{key}= is not a place in a list of runs")))
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let asked = asked(&state, &visit).await?;
    let names = Names::load(&state, &visit).await?;
    let is_sort = |sort: &RunSort| sort_word(*sort) == visit.get("sort");
    let sorts = [RunSort::Ended, RunSort::Cycle, RunSort::Cost, RunSort::Exceptions];
    let sort =
        sorts.into_iter().find(is_sort).filter(|sort| visit.sees_money() || *sort != RunSort::Cost).unwrap_or_default();
    let (after, before) = (place_of(&visit, "after")?, place_of(&visit, "before")?);
    let first: u64 = visit.get("n").parse().unwrap_or(0);
    let page = match before {
        Some(before) => app.list_runs_before(actor, &asked.filter, sort, before, PAGE).await?,
        None => app.list_runs(actor, &asked.filter, sort, after, PAGE).await?,
    };
    let pairs = asked.query.pairs(&visit.zone);
    // Counting costs as much as what is looked through; a page that names nothing, or looks into texts, does without.
    let looks_into = ["q", "model", "tool", "error", "result", "user"];
    let is_dear = pairs.is_empty() || pairs.iter().any(|(key, _)| looks_into.contains(key));
    let counted = if is_dear || page.next.is_none() { None } else { Some(app.count_runs(actor, &asked.filter).await?) };
    let keep: Vec<(String, String)> = visit
        .query
        .iter()
        .filter(|(key, value)| !value.is_empty() && (key == "sort" || key == "col"))
        .cloned()
        .collect();
    let address = |without: &str, more: &[(&str, String)]| {
        let own = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let kept = own.chain(keep.iter().cloned()).filter(|(key, _)| key != without);
        let all = kept.chain(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let text = write_pairs(all);
        if text.is_empty() { "/runs".to_owned() } else { format!("/runs?{text}") }
    };
    let places = names.places();
    let columns = Col::chosen(&visit);
    let rows = page.runs.iter().map(|run| {
        let mut cells = vec![Cell::Name(title_of(run), places.get(&run.workflow_id).cloned().unwrap_or_default())];
        cells.extend(columns.iter().map(|col| col.cell(run, &visit)));
        Row::opens(format!("/runs/{}", run.id), cells)
    });
    let mut heads = vec![Column::new("Run")];
    heads.extend(columns.iter().map(|col| {
        let head = if col.is_number() { Column::number(col.head()) } else { Column::new(col.head()) };
        match col.sort() {
            None => head,
            Some(by) => {
                let now = if by == sort { Sorted::Descending } else { Sorted::Not };
                head.sorted(address("sort", &[("sort", sort_word(by).to_owned())]), now)
            }
        }
    }));
    let n_here = page.runs.len() as u64;
    let range = format!("{}–{}", format::count(first + 1), format::count(first + n_here));
    let words = match (page.next.is_some(), counted) {
        _ if n_here == 0 => String::new(),
        (false, _) => format!("{range} of {}", format::count(first + n_here)),
        (true, Some(n)) => format!("{range} of {}", format::count_up_to(n.max(first + n_here), COUNT_UP_TO)),
        (true, None) if pairs.is_empty() => format!("{range} of all runs"),
        (true, None) => format!("{range} of more"),
    };
    let turn = |key: &str, place: RunCursor, n: u64| {
        address("", &[(key, format!("{}.{}", place.value, place.id)), ("n", n.to_string())])
    };
    let next = page.next.map(|next| turn("after", next, first + n_here));
    let previous = match page.runs.first() {
        _ if after.is_none() && before.is_none() => String::new(),
        // Nothing stands before a page that begins the list; the list's own address shows what came since.
        Some(row) if first > u64::from(PAGE) => turn("before", RunCursor::at(row, sort), first - u64::from(PAGE)),
        _ => address("", &[]),
    };
    let picker = Col::ALL.into_iter().filter(|col| visit.sees_money() || *col != Col::Cost);
    let empty = if pairs.is_empty() {
        Empty::new(Icon::Runs, "No run has come in yet", "Each run appears here a moment after its first step came in.")
    } else {
        Empty::new(Icon::Runs, "No run fits", "Take a filter off, or look at a longer period.")
            .with_action(Action::open("Show all runs", "/runs"))
    };
    let empty = if pairs.is_empty() && visit.operates() {
        empty.with_action(Action::open("Connect an agent", "/connect").primary())
    } else {
        empty
    };
    let mut picker_keep: Vec<(String, String)> =
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    picker_keep.extend(keep.iter().filter(|(key, _)| key == "sort").cloned());
    let table = Table {
        id: "runs".to_owned(),
        pager: Some(Pager { words, previous, next: next.unwrap_or_default() }),
        picker: Some(ColumnPicker {
            path: "/runs".to_owned(),
            keep: picker_keep,
            columns: picker.map(|col| (col.word().to_owned(), col.head().to_owned(), columns.contains(&col))).collect(),
        }),
        ..Table::new("Runs", heads, rows.collect()).or_empty(empty)
    };
    let query = write_pairs(pairs.iter().map(|(key, value)| (*key, value.as_str())));
    let exports = ["csv", "jsonl", "parquet"].into_iter().zip(["CSV", "JSONL", "Parquet"]).map(|(word, name)| {
        Action::download(name, if query.is_empty() { format!("/runs.{word}") } else { format!("/runs.{word}?{query}") })
    });
    let mut shell = visit.shell("Runs", "Which runs are these?", "/runs");
    shell.wide = true;
    visit.get("q").clone_into(&mut shell.search);
    let filters = filter_bar(&visit, &asked.query, &names, &keep);
    let live = match asked.query.filter.workflows.as_deref() {
        _ if after.is_some() || before.is_some() => String::new(),
        Some([one]) => format!("/live?workflow={one}"),
        _ => asked.query.client.map_or_else(|| "/live".to_owned(), |client| format!("/live?client={client}")),
    };
    let sums = counted.map(|n| ("runs".to_owned(), format::count_up_to(n, COUNT_UP_TO)));
    let part =
        Runs { live, receipt: None, filters, sums: sums.into_iter().collect(), table, exports: exports.collect() };
    Ok(Page::new(visit.wanted, shell, part).into_response())
}

fn any(pairs: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    let mut all = vec![("", "any")];
    all.extend_from_slice(pairs);
    Choice::list(&all, chosen)
}

fn filter_bar(visit: &Visit, query: &RunQuery, names: &Names, keep: &[(String, String)]) -> FilterBar {
    let pairs = query.pairs(&visit.zone);
    let value =
        |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let text = value("q");
    let clear = {
        let kept = write_pairs(keep.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        if kept.is_empty() { "/runs".to_owned() } else { format!("/runs?{kept}") }
    };
    let without = |at: usize| {
        let rest = pairs.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, (key, value))| (*key, value.as_str()));
        let text = write_pairs(rest.chain(keep.iter().map(|(key, value)| (key.as_str(), value.as_str()))));
        if text.is_empty() { "/runs".to_owned() } else { format!("/runs?{text}") }
    };
    let name_of = |key: &str, value: &str| match key {
        "client" => names.clients.iter().find(|c| c.id.to_string() == value).map(|c| c.name.clone()),
        "workflow" => names.workflows.iter().find(|w| w.id.to_string() == value).map(|w| names.place(w)),
        "from" | "to" => query.filter.period.map(|period| {
            let at = if key == "from" { period.start } else { period.end };
            format::instant(at, &visit.zone)
        }),
        _ => None,
    };
    let head_of = |key: &'static str| match key {
        "q" => "text",
        "to" => "before",
        "min_s" => "took at least (s)",
        "max_s" => "took at most (s)",
        "min_usd" => "cost at least ($)",
        "hours" => "business hours",
        "priced" => "cost known",
        "late" => "late steps",
        "unmapped" => "unmapped attributes",
        "unmapped_key" => "unmapped attribute",
        other => other,
    };
    let chips = pairs.iter().enumerate().map(|(at, (key, value))| Chip {
        name: head_of(key).to_owned(),
        value: name_of(key, value).unwrap_or_else(|| value.clone()),
        remove: without(at),
    });
    let clients: Vec<(String, String)> = std::iter::once((String::new(), "any".to_owned()))
        .chain(names.clients.iter().map(|c| (c.id.to_string(), c.name.clone())))
        .collect();
    let workflows: Vec<(String, String)> = std::iter::once((String::new(), "any".to_owned()))
        .chain(names.workflows.iter().map(|w| (w.id.to_string(), names.place(w))))
        .collect();
    let yes = [("yes", "yes"), ("no", "no")];
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), outcome.as_str()));
    let same = |words: &[&'static str]| words.iter().map(|word| (*word, *word)).collect::<Vec<_>>();
    let line = |name: &str, label: &str| Field::text(name, label, value(name)).optional();
    let mut fields = vec![
        Field::select("client", "Client", Choice::list(&clients, &value("client"))),
        Field::select("workflow", "Workflow", Choice::list(&workflows, &value("workflow"))),
        line("from", "Ended from").with_hint("A day, or a time such as 2026-10-01T08:00:00Z."),
        line("to", "Ended before or on"),
        Field::select("outcome", "Outcome", any(&outcomes, &value("outcome"))),
        Field::select("verified", "Outcome known", any(&yes, &value("verified"))),
        Field::select("evidence", "Evidence", any(&same(&["verdict", "explicit", "score", "rule", "status", "nothing"]), &value("evidence"))),
        Field::select("state", "State", any(&same(&["open", "finished", "provisional", "final"]), &value("state"))),
        line("model", "Model"),
        line("tool", "Tool"),
        line("error", "Error").with_hint("A class (auth, rate_limit, timeout, server, bad_request, validation, money, other), or tool, tool:NAME, tool:NAME:CLASS, and the same with model."),
        line("release", "Release"),
        line("result", "Result"),
        line("user", "User"),
        line("unmapped_key", "Unmapped attribute"),
        Field::select("exceptions", "Exceptions", any(&[("yes", "with"), ("no", "without")], &value("exceptions"))),
        Field::select("hours", "Business hours", any(&[("in", "inside"), ("out", "outside")], &value("hours"))),
        Field::number("min_s", "Took at least", value("min_s")).optional().with_unit("s"),
        Field::number("max_s", "Took at most", value("max_s")).optional().with_unit("s"),
    ];
    if visit.sees_money() {
        fields.push(Field::select("priced", "Cost known", any(&yes, &value("priced"))));
        fields.push(Field::number("min_usd", "Cost at least", value("min_usd")).optional().with_unit("USD"));
    }
    for (name, label) in
        [("late", "Late steps only"), ("unmapped", "Unmapped attributes only"), ("tests", "Test runs too")]
    {
        fields.push(Field { value: "yes".to_owned(), ..Field::check(name, label, !value(name).is_empty()) });
    }
    for field in &mut fields {
        field.id = format!("filter-{}", field.name);
    }
    // Several workflows do not fit the field that names one; they stay as long as nobody takes them off.
    let many = pairs.iter().filter(|(key, _)| *key == "workflow").count() > 1;
    let mut keep = keep.to_vec();
    if many {
        fields.retain(|field| field.name != "workflow");
        keep.extend(
            pairs.iter().filter(|(key, _)| *key == "workflow").map(|(key, value)| ((*key).to_owned(), value.clone())),
        );
    }
    FilterBar {
        path: "/runs".to_owned(),
        text_name: "q".to_owned(),
        text,
        text_placeholder: "Title, error, user or id".to_owned(),
        set: pairs
            .iter()
            .filter(|(key, _)| *key != "q" && !(many && *key == "workflow"))
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
        chips: chips.collect(),
        fields,
        keep,
        clear,
    }
}
