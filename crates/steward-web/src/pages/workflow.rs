//! A workflow: does it still work, and is it worth running?

use axum::extract::State;
use steward_app::figures::{Calls, Day, Figures, Scope, quantiles, results_of};
use steward_app::pictures;
use steward_app::run_query::{RunQuery, write_pairs};
use steward_app::runs::COUNT_UP_TO;
use steward_app::tenant::RunFilter;
use steward_app::trends::{Release, interval};
use steward_core::ids::WorkflowId;
use steward_core::metrics::{Good, Unit, definition};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::report::{Chart, ChartKind, Series, SeriesRole};
use steward_core::tallies::{Metric, Slice};
use steward_core::time::Period;
use steward_core::workflow::Workflow;

use crate::extract::Path;
use crate::problem::PageError;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::chart::ChartBlock;
use crate::view::components::empty::Empty;
use crate::view::components::figure::{Figure, Value};
use crate::view::components::filters::{Chip, FilterBar};
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{self, Shown, Time};
use crate::view::html::{Html, Link};
use crate::view::page::Page;
use crate::view::pages::workflow::{FigureGroup, WorkflowPage, workflow_tabs};
use crate::view::shell::{Crumb, Shell};
use crate::{Routes, WebState};

use super::around::{Visit, card, compare, money};
use super::runs::count;
use super::today;

/// What the days of the charts need to know.
const DAY_METRICS: [Metric; 5] =
    [Metric::Runs, Metric::Outcome, Metric::Cost, Metric::CostUnknown, Metric::CycleBucket];
/// The figures at the head.
const HEAD: [&str; 8] = [
    "runs",
    "completion_rate",
    "escalation_rate",
    "cycle_time_p50",
    "cost_per_completed_run",
    "run_cost",
    "value_delivered",
    "return",
];
/// The figures behind headings.
const MORE: [(&str, &str, &[&str]); 4] = [
    (
        "Outcomes in detail",
        "",
        &[
            "claimed_completion_rate",
            "audited_completion_rate",
            "failure_rate",
            "abandonment_rate",
            "exception_rate",
            "results",
            "tool_error_rate",
            "model_error_rate",
        ],
    ),
    (
        "Time",
        "From start to end, waiting included",
        &[
            "throughput",
            "throughput_day",
            "cycle_time_mean",
            "cycle_time_p90",
            "cycle_time_p95",
            "cycle_time_p99",
            "agent_time",
            "waiting_time",
        ],
    ),
    (
        "Cost and worth",
        "",
        &[
            "run_cost",
            "input_tokens",
            "cached_tokens",
            "output_tokens",
            "reasoning_tokens",
            "human_cost_per_completed_run",
            "net_time_saved",
            "net_value",
            "margin",
            "value_at_risk",
        ],
    ),
    (
        "People",
        "From the reviews of the queue, in the hour in which they were closed",
        &[
            "preventable_escalation_rate",
            "review_time",
            "review_time_p50",
            "review_time_p90",
            "cleanup_burden",
            "queue_age",
            "approval_wait",
        ],
    ),
];

/// A workflow's figures.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/workflows/{id}", show)
}

/// The shell of a workflow's page, with the other workflows of its client beside it.
pub(super) async fn workflow_shell(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    title: &str,
    question: &str,
    tab: &str,
) -> Result<Shell, PageError> {
    let actor = &visit.who.actor;
    let mut shell = visit.shell(if title.is_empty() { workflow.name.as_str() } else { title }, question, "/clients");
    let siblings = state
        .app
        .visible_workflows(actor, false)
        .await?
        .into_iter()
        .filter(|other| other.client_id == workflow.client_id);
    let siblings: Vec<Link> =
        siblings.map(|other| Link::new(other.name, format!("/workflows/{}{tab}", other.id))).collect();
    shell.path = vec![Crumb::new("Clients", "/clients")];
    shell.path.push(match workflow.client_id {
        Some(id) => {
            let clients = state.app.visible_clients(actor, true).await?;
            let name = clients
                .iter()
                .find(|client| client.id == id)
                .map_or_else(|| "Client".to_owned(), |client| client.name.clone());
            Crumb::switchable(name, today::client_path(id), today::client_links(&clients))
        }
        None => Crumb::new("Unassigned", "/workflows"),
    });
    let href = if title.is_empty() { String::new() } else { format!("/workflows/{}", workflow.id) };
    shell.path.push(Crumb::switchable(workflow.name.clone(), href, siblings));
    if !title.is_empty() {
        shell.path.push(Crumb::new(title, ""));
    }
    Ok(shell)
}

/// The runs of a workflow's page as an address, and narrower ones.
struct Receipts {
    base: Vec<(&'static str, String)>,
}

impl Receipts {
    fn of(visit: &Visit, workflow: WorkflowId, period: Period, scope: &Scope) -> Self {
        let mut filter = RunFilter {
            workflows: Some(vec![workflow]),
            period: Some(period),
            finished: Some(true),
            ..RunFilter::default()
        };
        match &scope.slice {
            Slice::All => {}
            Slice::Model(name) => filter.model = Some(name.clone()),
            Slice::Tool(name) => filter.tool = Some(name.clone()),
        }
        filter.release.clone_from(&scope.release);
        Self { base: RunQuery::from(filter).pairs(&visit.zone) }
    }

    fn with(&self, key: &str, value: &str) -> String {
        let own = self.base.iter().filter(|(name, _)| *name != key).map(|(name, value)| (*name, value.as_str()));
        let more = (!key.is_empty()).then_some((key, value));
        format!("/runs?{}", write_pairs(own.chain(more)))
    }

    /// The runs behind a figure.
    fn of_figure(&self, id: &str) -> String {
        let (key, value) = match id {
            "completion_rate" | "throughput" | "throughput_day" | "cost_per_completed_run" => ("outcome", "completed"),
            "escalation_rate" => ("outcome", "escalated"),
            "abandonment_rate" => ("outcome", "abandoned"),
            "failure_rate" => ("outcome", "failed"),
            "coverage" => ("verified", "yes"),
            "exception_rate" => ("exceptions", "yes"),
            "tool_error_rate" => ("error", "tool"),
            "model_error_rate" => ("error", "model"),
            "unpriced_runs" => ("priced", "no"),
            "unmapped_share" => ("unmapped", "yes"),
            "late_runs" => ("late", "yes"),
            "preventable_escalation_rate"
            | "human_cost_per_completed_run"
            | "review_time"
            | "review_time_p50"
            | "review_time_p90"
            | "cleanup_burden"
            | "queue_age"
            | "approval_wait"
            // A verdict may have changed what was claimed.
            | "claimed_completion_rate"
            | "audited_completion_rate"
            | "margin"
            | "value_at_risk"
            // No list of runs tells these apart.
            | "masked"
            | "runs_without_content"
            | "deleted_runs" => return String::new(),
            _ => ("", ""),
        };
        self.with(key, value)
    }
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<WorkflowPage>, PageError> {
    let app = &state.app;
    let actor = &visit.who.actor;
    let workflow = app.get_workflow(actor, id).await?;
    let chosen = visit.period();
    let text = |name: &str| Some(visit.get(name).trim().to_owned()).filter(|text| !text.is_empty());
    let slice = match (text("model"), text("tool")) {
        (Some(model), _) => Slice::Model(model),
        (None, Some(tool)) => Slice::Tool(tool),
        (None, None) => Slice::All,
    };
    let scope = Scope { client: None, workflow: Some(id), slice, release: text("release") };
    let mut shell =
        workflow_shell(&state, &visit, &workflow, "", "Does it still work, and is it worth running?", "").await?;
    let tabs = workflow_tabs(&id.to_string(), "figures");
    let live = format!("/live?workflow={id}");
    // None needs another's answer, so the database works on all at once.
    let (figures, days, tools, models, releases, clients, needs) = tokio::try_join!(
        app.figures(actor, &scope, chosen.period),
        app.days(actor, &scope, chosen.period, &DAY_METRICS),
        app.calls(actor, &scope, chosen.period, true),
        app.calls(actor, &scope, chosen.period, false),
        app.list_releases(actor, id, chosen.period),
        app.visible_clients(actor, true),
        app.today(actor),
    )?;
    let is_whole = scope.slice == Slice::All && scope.release.is_none();
    if is_whole && figures.sums.runs() == 0 && figures.sums_before.runs() == 0 {
        let any = RunFilter { workflows: Some(vec![id]), with_tests: true, ..RunFilter::default() };
        if app.list_runs(actor, &any, Default::default(), None, 1).await?.runs.is_empty() {
            return Ok(Page::new(visit.wanted, shell, first_steps(&visit, tabs, live)));
        }
    }
    shell.period = Some(chosen.picker.clone());
    let receipts = Receipts::of(&visit, id, chosen.period, &scope);
    let cards = |ids: &[&str]| -> Vec<Figure> {
        ids.iter().filter_map(|id| card(&figures, id, &days, receipts.of_figure(id))).collect()
    };
    let mut head = HEAD.to_vec();
    // What people found stands beside what is claimed, where anything was sampled.
    if figures.get("audited_completion_rate").is_some_and(|figure| figure.denominator > Some(0.0)) {
        head.retain(|id| *id != "run_cost");
        head.insert(2, "audited_completion_rate");
    }
    let mut notices = Vec::new();
    if workflow.archived_at.is_some() {
        let text = "What still arrives for it is taken in, and nothing of it is sent out.";
        notices.push(Notice::new(Tone::Info, "This workflow is archived", text));
    }
    if visit.operates() {
        notices.extend(reread_notice(&state, &visit, id).await?);
    }
    let page = WorkflowPage {
        live,
        tabs,
        notices,
        filters: filters(&visit, &tools, &models, &releases),
        attention: needs.iter().filter(|need| need.workflow_id == id).map(|need| today::line(need, &clients)).collect(),
        figures: cards(&head),
        charts: charts(&visit, &days, &releases),
        outcomes: outcomes(&figures, &receipts),
        results: results(&visit, &workflow, &figures, &receipts),
        tools: tools_table(&tools, &receipts),
        models: models_table(&visit, &models, &receipts),
        errors: errors_table(&tools, &models, &receipts),
        releases: releases_table(&visit, &releases, &receipts),
        more: MORE
            .iter()
            .map(|(title, note, ids)| FigureGroup {
                title: (*title).to_owned(),
                note: (*note).to_owned(),
                figures: cards(&ids.iter().copied().filter(|id| !head.contains(id)).collect::<Vec<_>>()),
            })
            .collect(),
        quality: quality(
            &state,
            &visit,
            &workflow,
            &figures,
            cards(&[
                "coverage",
                "unpriced_runs",
                "unmapped_share",
                "late_runs",
                "masked",
                "runs_without_content",
                "deleted_runs",
            ]),
        )
        .await?,
        unmapped: format!("/unmapped?workflow={id}&{}", chosen.query.trim_start_matches('?')),
        first_steps: None,
    };
    Ok(Page::new(visit.wanted, shell, page))
}

fn first_steps(visit: &Visit, tabs: crate::view::components::tabs::Tabs, live: String) -> WorkflowPage {
    let empty = Empty::new(
        Icon::Workflow,
        "No run has come in yet",
        "Figures appear with the first run that ends. They need no set-up; rules make them say more.",
    );
    let empty = if visit.operates() {
        empty.with_action(Action::open("Connect an agent", "/connect").primary())
    } else {
        empty
    };
    WorkflowPage {
        live,
        tabs,
        notices: Vec::new(),
        filters: FilterBar::default(),
        attention: Vec::new(),
        figures: Vec::new(),
        charts: Vec::new(),
        outcomes: Table::default(),
        results: Table::default(),
        tools: Table::default(),
        models: Table::default(),
        errors: Table::default(),
        releases: Table::default(),
        more: Vec::new(),
        quality: Vec::new(),
        unmapped: String::new(),
        first_steps: Some(empty),
    }
}

/// How far the re-reading of a workflow's past runs is. `None` when none is under way.
pub(super) async fn reread_notice(
    state: &WebState,
    visit: &Visit,
    id: WorkflowId,
) -> Result<Option<Notice>, PageError> {
    let jobs = state.app.list_jobs(&visit.who.actor).await?;
    let id = id.to_string();
    let job = jobs.iter().find(|job| job.kind == "reread" && job.ended_at.is_none() && job.payload.contains(&id));
    Ok(job.map(|job| {
        let far = if job.total > 0 {
            format!("{} of {} runs.", count(job.done), count(job.total))
        } else {
            "It begins in a moment.".to_owned()
        };
        Notice::new(
            Tone::Info,
            "Past runs are being read again",
            format!("{far} Figures change as it goes on; published reports stay as they are."),
        )
    }))
}

fn filters(visit: &Visit, tools: &[Calls], models: &[Calls], releases: &[Release]) -> FilterBar {
    let keep: Vec<(String, String)> = visit
        .query
        .iter()
        .filter(|(key, _)| matches!(key.as_str(), "period" | "from" | "to" | "days"))
        .cloned()
        .collect();
    let names = ["model", "tool", "release"];
    let set: Vec<(String, String)> = names
        .iter()
        .map(|name| ((*name).to_owned(), visit.get(name).to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let address = |without: &str| {
        let rest = keep.iter().chain(set.iter().filter(|(key, _)| key != without && !without.is_empty()));
        let text = write_pairs(rest.map(|(key, value)| (key.as_str(), value.as_str())));
        if text.is_empty() { visit.path.clone() } else { format!("{}?{text}", visit.path) }
    };
    let choices = |name: &str, all: Vec<String>| {
        let chosen = visit.get(name);
        let mut pairs = vec![(String::new(), "any".to_owned())];
        pairs.extend(all.into_iter().filter(|name| !name.is_empty()).take(200).map(|name| (name.clone(), name)));
        if !chosen.is_empty() && !pairs.iter().any(|(value, _)| value == chosen) {
            pairs.push((chosen.to_owned(), chosen.to_owned()));
        }
        Choice::list(&pairs, chosen)
    };
    let of = |calls: &[Calls]| calls.iter().map(|call| call.name.clone()).collect();
    FilterBar {
        path: visit.path.clone(),
        fields: vec![
            Field::select("model", "Runs that called the model", choices("model", of(models))),
            Field::select("tool", "Runs that called the tool", choices("tool", of(tools))),
            Field::select(
                "release",
                "Runs of the release",
                choices("release", releases.iter().map(|r| r.name.clone()).collect()),
            ),
        ],
        chips: set
            .iter()
            .map(|(name, value)| Chip { name: name.clone(), value: value.clone(), remove: address(name) })
            .collect(),
        clear: address(""),
        keep: keep.clone(),
        set: set.clone(),
        ..FilterBar::default()
    }
}

fn charts(visit: &Visit, days: &[Day], releases: &[Release]) -> Vec<ChartBlock> {
    if days.iter().all(|day| day.sums.runs() == 0) {
        return Vec::new();
    }
    let labels: Vec<String> = days.iter().map(|day| day.date.strftime("%-d %b").to_string()).collect();
    let marks: Vec<(usize, String)> = releases
        .iter()
        .filter(|release| !release.name.is_empty())
        .filter_map(|release| {
            let date = release.first_at.to_jiff().to_zoned(visit.zone.clone()).date();
            // A release of the first day was there before.
            days.iter().position(|day| day.date == date).filter(|at| *at > 0).map(|at| (at, release.name.clone()))
        })
        .collect();
    let series = |name: &str, role, values: Vec<Option<f64>>| Series { name: name.to_owned(), role, values };
    let chart = |title: &str, kind, unit: &str, series| Chart {
        title: title.to_owned(),
        kind,
        unit: unit.to_owned(),
        labels: labels.clone(),
        series,
        marks: marks.clone(),
    };
    let roles = [
        (Outcome::Completed, SeriesRole::Good),
        (Outcome::Escalated, SeriesRole::Info),
        (Outcome::Failed, SeriesRole::Bad),
        (Outcome::Abandoned, SeriesRole::Warn),
        (Outcome::Unverified, SeriesRole::Muted),
    ];
    let outcomes = roles.map(|(outcome, role)| {
        series(outcome.as_str(), role, days.iter().map(|day| Some(day.sums.outcome(outcome).max(0) as f64)).collect())
    });
    let outcomes = chart("Runs by outcome, a day", ChartKind::StackedBars, "runs", outcomes.into());
    let rate = |day: &Day| {
        let (part, whole) = (day.sums.outcome(Outcome::Completed), day.sums.verified());
        (whole > 0).then(|| (100.0 * part as f64 / whole as f64, interval(part, whole)))
    };
    let completion = chart(
        "Completion rate, a day",
        ChartKind::Line,
        "%",
        vec![
            series(
                "completion rate",
                SeriesRole::Accent,
                days.iter().map(|day| rate(day).map(|rate| rate.0)).collect(),
            ),
            series("low", SeriesRole::Low, days.iter().map(|day| rate(day)?.1.map(|band| 100.0 * band.0)).collect()),
            series("high", SeriesRole::High, days.iter().map(|day| rate(day)?.1.map(|band| 100.0 * band.1)).collect()),
        ],
    );
    let quantile = |i: usize| days.iter().map(|day| quantiles(&day.sums)[i].map(|ms| ms / 1_000.0)).collect();
    let cycle = chart(
        "Cycle time, a day",
        ChartKind::Line,
        "s",
        vec![series("p50", SeriesRole::Accent, quantile(0)), series("p95", SeriesRole::Muted, quantile(2))],
    );
    let block = |chart: &Chart, note: &str, number: &dyn Fn(f64) -> String| {
        let svg = pictures::chart(chart, ChartBlock::WIDTH, ChartBlock::HEIGHT).map(Html::trusted).unwrap_or_default();
        ChartBlock { legend: Vec::new(), note: note.to_owned(), ..ChartBlock::of(chart, "Day", svg, None, number) }
    };
    let mut blocks = vec![
        block(&outcomes, "", &|value| format::decimals(value, 0)),
        block(&completion, "95 % interval shaded", &|value| format::decimals(value, 1)),
        block(&cycle, "Half of the runs, and 95 of 100, took no longer", &|value| {
            format::duration_ms((value * 1_000.0) as i64)
        }),
    ];
    if visit.sees_money() {
        let cost = |day: &Day| (day.sums.total(Metric::Cost).0 > 0).then(|| day.sums.known_cost().units());
        let costs = chart(
            "Cost, a day",
            ChartKind::Bars,
            "$",
            vec![series("known cost", SeriesRole::Accent, days.iter().map(cost).collect())],
        );
        blocks.push(block(&costs, "What is known of it, in US dollars", &|value| {
            Nanos::from_units(value).map_or_else(|| "no data".to_owned(), |nanos| format::money(nanos, Currency::USD))
        }));
    }
    blocks
}

fn outcomes(figures: &Figures, receipts: &Receipts) -> Table {
    let runs = figures.sums.runs();
    let share = |n: i64| if runs > 0 { n as f64 / runs as f64 } else { 0.0 };
    let bar = |n: i64, class| {
        if runs > 0 { Cell::Bar(share(n), format::percent(share(n)), class) } else { Cell::number("no data") }
    };
    let before = figures.sums_before.runs();
    let mut rows: Vec<Row> = Outcome::ALL
        .into_iter()
        .map(|outcome| {
            let n = figures.sums.outcome(outcome);
            let (class, good) = match outcome {
                Outcome::Completed => ("c-good", Good::Up),
                Outcome::Escalated => ("c-info", Good::Down),
                Outcome::Failed => ("c-bad", Good::Down),
                Outcome::Abandoned => ("c-warn", Good::Down),
                Outcome::Unverified => ("c-muted", Good::Down),
            };
            let was = (before > 0).then(|| figures.sums_before.outcome(outcome) as f64 / before as f64);
            let change =
                was.filter(|_| runs > 0).and_then(|was| compare(share(n), was, Unit::Share, good, Currency::USD));
            Row::plain(vec![
                Cell::Badge(Badge::outcome(outcome)),
                Cell::NumberLink(count(n), receipts.with("outcome", outcome.as_str())),
                bar(n, class),
                change.map_or(Cell::Blank, |change| Cell::Change(String::new(), change)),
            ])
        })
        .collect();
    let kinds = [
        EvidenceKind::Verdict,
        EvidenceKind::Explicit,
        EvidenceKind::Score,
        EvidenceKind::Rule,
        EvidenceKind::Status,
        EvidenceKind::Nothing,
    ];
    for kind in kinds {
        let (n, _) = figures.sums.of_key(Metric::Evidence, kind.as_str());
        if n > 0 {
            let words = match kind {
                EvidenceKind::Verdict => "said by a person",
                EvidenceKind::Explicit => "said by the sender",
                EvidenceKind::Score => "by a score",
                EvidenceKind::Rule => "by a rule",
                EvidenceKind::Status => "by its status",
                EvidenceKind::Nothing => "nothing says so",
            };
            let cells = vec![
                Cell::text(words),
                Cell::NumberLink(count(n), receipts.with("evidence", kind.as_str())),
                bar(n, "c-muted"),
                Cell::Blank,
            ];
            rows.push(Row::plain(cells));
        }
    }
    let columns = vec![Column::new("Outcome"), Column::number("Runs"), Column::new("Share"), Column::number("Change")];
    Table::new("Outcomes and their evidence", columns, rows)
}

fn results(visit: &Visit, workflow: &Workflow, figures: &Figures, receipts: &Receipts) -> Table {
    let before = results_of(&figures.sums_before);
    let rows = results_of(&figures.sums).into_iter().map(|result| {
        let was = before.iter().find(|other| other.name == result.name).map(|other| other.count() as f64);
        let change = was.and_then(|was| compare(result.count() as f64, was, Unit::Count, Good::Up, figures.currency));
        let mut cells = vec![
            Cell::name(result.name.clone()),
            Cell::NumberLink(count(result.count()), receipts.with("result", &result.name)),
            Cell::text(format!("{} in hours, {} outside", count(result.in_hours), count(result.out_of_hours))),
        ];
        if visit.sees_money() {
            cells.push(result.value.map_or_else(
                || Cell::Unknown("no value is agreed".to_owned()),
                |value| Cell::number(format::money(value, figures.currency)),
            ));
        }
        cells.push(change.map_or(Cell::Blank, |change| Cell::Change(String::new(), change)));
        Row::plain(cells)
    });
    let mut columns = vec![Column::new("Result"), Column::number("Count"), Column::new("When")];
    if visit.sees_money() {
        columns.push(Column::number("Value"));
    }
    columns.push(Column::number("Change"));
    let empty = Empty::new(
        Icon::Target,
        "No results yet",
        "Results are what the business counts: bookings made, leads captured, tickets resolved.",
    );
    let empty = if visit.operates() {
        empty.with_action(Action::open("Write a result rule", format!("/workflows/{}/rules#results", workflow.id)))
    } else {
        empty
    };
    Table::new("Results", columns, rows.collect()).or_empty(empty)
}

fn ms(value: Option<f64>) -> Cell {
    value.map_or_else(|| Cell::number("no data"), |ms| Cell::number(format::duration_ms(ms.round() as i64)))
}

/// What a filter of errors says of a call: `tool:NAME:CLASS`.
fn error_word(of: &str, name: &str, class: &str) -> String {
    let name = name.replace(':', ".");
    if class.is_empty() { format!("{of}:{name}") } else { format!("{of}:{name}:{class}") }
}

fn failed_cells(of: &str, calls: &Calls, receipts: &Receipts) -> [Cell; 2] {
    let failed = if calls.errors > 0 {
        Cell::NumberLink(count(calls.errors), receipts.with("error", &error_word(of, &calls.name, "")))
    } else {
        Cell::number("0")
    };
    let rate = calls.errors as f64 / calls.calls.max(1) as f64;
    [failed, Cell::Bar(rate, format::percent(rate), if rate > 0.1 { "c-bad" } else { "c-muted" })]
}

fn tools_table(tools: &[Calls], receipts: &Receipts) -> Table {
    let rows = tools.iter().take(100).map(|tool| {
        let [failed, rate] = failed_cells("tool", tool, receipts);
        let band = interval(tool.errors, tool.calls).map(|(low, high)| format::interval(low, high)).unwrap_or_default();
        let most = tool.classes.first().map_or_else(
            || Cell::text("–"),
            |(class, n)| {
                Cell::Link(
                    format!("{class}, {}", count(*n)),
                    receipts.with("error", &error_word("tool", &tool.name, class)),
                )
            },
        );
        Row::opens(
            receipts.with("tool", &tool.name),
            vec![
                Cell::name(tool.name.clone()),
                Cell::number(count(tool.calls)),
                failed,
                rate,
                Cell::number(band),
                ms(tool.p50_ms),
                ms(tool.p95_ms),
                most,
            ],
        )
    });
    let columns = vec![
        Column::new("Tool"),
        Column::number("Calls"),
        Column::number("Failed"),
        Column::new("Error rate"),
        Column::number("95 % interval"),
        Column::number("p50"),
        Column::number("p95"),
        Column::new("Most often"),
    ];
    Table::new("Tools", columns, rows.collect()).or_empty(Empty::new(
        Icon::Tool,
        "No tool was called",
        "Tools appear here with their errors and times.",
    ))
}

fn models_table(visit: &Visit, models: &[Calls], receipts: &Receipts) -> Table {
    let rows = models.iter().take(100).map(|model| {
        let [failed, rate] = failed_cells("model", model, receipts);
        let mut cells = vec![Cell::name(model.name.clone()), Cell::number(count(model.calls))];
        let tokens = format::count_short(u64::try_from(model.tokens).unwrap_or(0));
        cells.push(Cell::Number(format!("{} {}", tokens.text, tokens.unit).trim().to_owned(), tokens.full));
        if visit.sees_money() {
            cells.push(if model.cost.0 == 0 && model.tokens > 0 {
                Cell::Unknown("no cost was reported, and no price is known".to_owned())
            } else {
                Cell::number(format::money(model.cost, Currency::USD))
            });
        }
        cells.extend([failed, rate, ms(model.p50_ms), ms(model.p95_ms)]);
        Row::opens(receipts.with("model", &model.name), cells)
    });
    let mut columns = vec![Column::new("Model"), Column::number("Calls"), Column::number("Tokens")];
    if visit.sees_money() {
        columns.push(Column::number("Cost").titled("What is known of it, in US dollars"));
    }
    columns.extend([Column::number("Failed"), Column::new("Error rate"), Column::number("p50"), Column::number("p95")]);
    Table::new("Models", columns, rows.collect()).or_empty(Empty::new(
        Icon::Model,
        "No model was called",
        "Models appear here with their tokens, costs and times.",
    ))
}

fn errors_table(tools: &[Calls], models: &[Calls], receipts: &Receipts) -> Table {
    let of = |calls: &[Calls], kind: &'static str| -> Vec<(&'static str, String, String, i64)> {
        calls
            .iter()
            .flat_map(|call| call.classes.iter().map(move |(class, n)| (kind, call.name.clone(), class.clone(), *n)))
            .collect()
    };
    let mut all = of(tools, "tool");
    all.extend(of(models, "model"));
    all.sort_by(|a, b| b.3.cmp(&a.3).then_with(|| a.1.cmp(&b.1)));
    let rows = all.iter().take(20).map(|(kind, name, class, n)| {
        let badge = Badge::new(Icon::Failed, class.as_str(), Tone::Bad);
        Row::opens(
            receipts.with("error", &error_word(kind, name, class)),
            vec![Cell::Name(name.clone(), (*kind).to_owned()), Cell::Badge(badge), Cell::number(count(*n))],
        )
    });
    let columns = vec![Column::new("Where"), Column::new("Class"), Column::number("Times")];
    Table::new("Errors", columns, rows.collect()).or_empty(Empty::new(
        Icon::Completed,
        "No call went wrong",
        "Errors of tools and models appear here by class.",
    ))
}

fn releases_table(visit: &Visit, releases: &[Release], receipts: &Receipts) -> Table {
    if releases.iter().all(|release| release.name.is_empty()) {
        return Table::default();
    }
    let mut before: Option<f64> = None;
    let mut rows = Vec::new();
    for release in releases {
        let sums = &release.sums;
        let rate = (sums.verified() > 0).then(|| sums.outcome(Outcome::Completed) as f64 / sums.verified() as f64);
        let completed = match (rate, before) {
            (None, _) => Cell::Unknown("no run has a verified outcome".to_owned()),
            (Some(now), Some(before)) => compare(now, before, Unit::Share, Good::Up, Currency::USD).map_or_else(
                || Cell::number(format::percent(now)),
                |change| Cell::Change(format::percent(now), change),
            ),
            (Some(now), None) => Cell::number(format::percent(now)),
        };
        before = rate.or(before);
        let name = if release.name.is_empty() { "not said".to_owned() } else { release.name.clone() };
        let mut cells = vec![
            Cell::name(name),
            Cell::Time(Time::new(release.first_at, visit.now, &visit.zone)),
            Cell::number(count(sums.runs())),
            completed,
        ];
        if visit.sees_money() {
            let n = sums.outcome(Outcome::Completed);
            let known = sums.total(Metric::Cost).0 > 0 && n > 0;
            cells.push(if known {
                Cell::number(money(sums.known_cost().units() / n as f64, Currency::USD).text)
            } else {
                Cell::Unknown("no cost is known, or none completed".to_owned())
            });
        }
        cells.push(ms(quantiles(sums)[0]));
        let href = if release.name.is_empty() { String::new() } else { receipts.with("release", &release.name) };
        rows.push(Row { href, ..Row::plain(cells) });
    }
    rows.reverse();
    let mut columns = vec![
        Column::new("Release"),
        Column::new("First seen"),
        Column::number("Runs"),
        Column::number("Completed").titled("Beside the release before"),
    ];
    if visit.sees_money() {
        columns.push(Column::number("A completed run"));
    }
    columns.push(Column::number("p50"));
    Table::new("Releases", columns, rows)
}

/// What the figures do not know.
async fn quality(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    figures: &Figures,
    mut cards: Vec<Figure>,
) -> Result<Vec<Figure>, PageError> {
    let keys = state.app.list_unmapped(&visit.who.actor, Some(workflow.id), figures.period).await?.keys;
    let keys: Vec<&str> = keys.iter().map(|key| key.key.as_str()).take(8).collect();
    let unmapped = definition("unmapped_share").map_or("", |known| known.name);
    if let Some(card) = cards.iter_mut().find(|card| card.name == unmapped && !keys.is_empty()) {
        card.coverage = format!("keys: {}", keys.join(", "));
    }
    let filter = RunFilter {
        workflows: Some(vec![workflow.id]),
        provisional_at: Some((true, visit.now)),
        ..RunFilter::default()
    };
    let provisional = state.app.count_runs(&visit.who.actor, &filter).await?;
    cards.push(Figure {
        name: "Provisional runs".to_owned(),
        value: Value::Known(Shown::plain(format::count_up_to(provisional, COUNT_UP_TO))),
        basis: "late data may still change them".to_owned(),
        receipts: format!("/runs?workflow={}&state=provisional", workflow.id),
        ..Figure::default()
    });
    Ok(cards)
}
