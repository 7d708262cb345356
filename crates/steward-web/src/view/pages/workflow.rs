//! A workflow: does it still work, and is it worth running? With its runs' rules and settings as tabs.

use askama::Template;
use steward_core::outcome::Outcome;
use steward_core::report::Change;

use crate::view::components::attention::Attention;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::chart::ChartBlock;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::figure::{Comparison, Figure, Way, sparkline};
use crate::view::components::filters::FilterBar;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::{Tab, Tabs};
use crate::view::gallery;
use crate::view::samples::{self, Samples, Words, ago, csrf};

/// A workflow's figures.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/workflow.html")]
pub struct WorkflowPage {
    /// The stream that says when to look again; empty is not live.
    pub live: String,
    /// Figures, runs, rules, settings.
    pub tabs: Tabs,
    /// What is said of the whole page: figures are being rebuilt, money is not shown.
    pub notices: Vec<Notice>,
    /// Which of its runs: by model, tool, release.
    pub filters: FilterBar,
    /// What needs somebody at this workflow.
    pub attention: Vec<Attention>,
    /// The head figures, at most eight.
    pub figures: Vec<Figure>,
    /// Charts: runs by outcome, completion rate with its band, cycle time, cost.
    pub charts: Vec<ChartBlock>,
    /// Outcomes: outcome, runs, share, change, and on what evidence.
    pub outcomes: Table,
    /// Results by its rules: result, count, in hours and outside, value, change.
    pub results: Table,
    /// Tools: tool, calls, failed, rate with its interval, p50, p95, most frequent error.
    pub tools: Table,
    /// Models: model, calls, tokens in, cached, out, cost, p50, failed.
    pub models: Table,
    /// Errors: class and message, where, how often, first and last seen.
    pub errors: Table,
    /// Releases: release, first seen, runs, completion, cost.
    pub releases: Table,
    /// More figures behind a heading: the other rows of the metrics.
    pub more: Vec<FigureGroup>,
    /// How good the data is: unverified, without cost, unmapped, late, provisional.
    pub quality: Vec<Figure>,
    /// Where the attributes are that no rule used.
    pub unmapped: String,
    /// Shown instead of everything while no run ever came in.
    pub first_steps: Option<Empty>,
}

/// Figures behind a heading.
#[derive(Debug, Clone, Default)]
pub struct FigureGroup {
    /// The heading: "Time and people".
    pub title: String,
    /// What they say together.
    pub note: String,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// A workflow's settings.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/workflow_settings.html")]
pub struct WorkflowSettingsPage {
    /// Figures, runs, rules, settings.
    pub tabs: Tabs,
    /// Name, client, run unit, quiet time, oldest age, settling, scores, baseline, value.
    pub form: Form,
    /// What it is, with its source name and version of settings.
    pub facts: Facts,
    /// Keys that write to it.
    pub keys: Table,
    /// What can be done to all of it: read its runs again, archive.
    pub actions: Vec<Action>,
}

/// A workflow that belongs to no client: whose is it?
#[derive(Debug, Clone, Template)]
#[template(path = "pages/workflow_assign.html")]
pub struct WorkflowAssign {
    /// What is known of it.
    pub facts: Facts,
    /// The client (one of them, or a name of one to be made), and the workflow's name.
    pub form: Form,
    /// Some of its runs, to recognise it by.
    pub runs: Table,
}

/// The tabs of a workflow, one of them open: `figures`, `rules`, `connections`, `settings`.
#[must_use]
pub fn workflow_tabs(workflow: &str, open: &str) -> Tabs {
    let tab = |name: &str, word: &str, href: String| Tab::new(name, href, word == open);
    Tabs {
        label: "Parts of the workflow".to_owned(),
        tabs: vec![
            tab("Figures", "figures", format!("/workflows/{workflow}")),
            tab("Runs", "runs", format!("/runs?workflow={workflow}")),
            tab("Exceptions", "exceptions", format!("/exceptions?workflow={workflow}")),
            tab("Rules", "rules", format!("/workflows/{workflow}/rules")),
            tab("Expectations", "expectations", format!("/workflows/{workflow}/expectations")),
            tab("Sampling", "sampling", format!("/workflows/{workflow}/sampling")),
            tab("Handoff", "handoff", format!("/workflows/{workflow}/handoff")),
            tab("Connections", "connections", format!("/workflows/{workflow}/connections")),
            tab("Settings", "settings", format!("/workflows/{workflow}/settings")),
        ],
        at_side: false,
    }
}

impl Samples for WorkflowPage {
    fn empty() -> Self {
        Self {
            live: String::new(),
            tabs: workflow_tabs("wf_1", "figures"),
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
            first_steps: Some(
                Empty::new(
                    Icon::Workflow,
                    "No run has come in yet",
                    "Figures appear with the first run that ends. They need no set-up; rules make them say more.",
                )
                .with_action(Action::open("Show the key's snippets", "/settings/keys").primary()),
            ),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            live: "/live?workflow=wf_1".to_owned(),
            tabs: workflow_tabs("wf_1", "figures"),
            notices: Vec::new(),
            filters: FilterBar::default(),
            attention: gallery::attention(words).into_iter().take(1).collect(),
            figures: samples::figures(words),
            charts: samples::charts(),
            outcomes: outcomes(words),
            results: results(words),
            tools: tools(words),
            models: models(words),
            errors: errors(words),
            releases: releases(words),
            more: vec![FigureGroup {
                title: "Time and people".to_owned(),
                note: "Reviews and approvals come with their own rooms".to_owned(),
                figures: samples::figures(words).into_iter().skip(3).take(3).collect(),
            }],
            quality: quality(words),
            unmapped: "/unmapped?workflow=wf_1&period=30d".to_owned(),
            first_steps: None,
        }
    }
}

impl Samples for WorkflowSettingsPage {
    fn empty() -> Self {
        Self {
            tabs: workflow_tabs("wf_1", "settings"),
            form: Form::new("/workflows/wf_1/settings", csrf(), "Save", Vec::new()),
            facts: Facts::default(),
            keys: Table::default(),
            actions: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let fields = vec![
            Field::text("name", "Name", words.say("Receptionist")),
            Field::select(
                "client",
                "Client",
                Choice::list(&[("cl_1", words.say("Northwind Dental")), ("", "none".to_owned())], "cl_1"),
            ),
            Field::select(
                "run_unit",
                "One run is",
                Choice::list(&[("trace", "one trace"), ("conversation", "one whole conversation")], "conversation"),
            )
            .with_hint("A conversation gathers all traces with the same conversation id."),
            Field::number("quiet_minutes", "Over after so long without a sign", "3").with_unit("minutes"),
            Field::number("max_age_hours", "Over at the latest after", "24").with_unit("hours"),
            Field::number("settle_minutes", "Late data is awaited for", "10").with_unit("minutes"),
            Field::text("deciding_scores", "Scores that decide", words.say("reward, task_success"))
                .optional()
                .with_hint("Separated by commas; empty takes the usual names."),
            Field::number("pass_at_least", "A score passes from", "1"),
            Field::number("baseline_minutes", "A person needed", "6.5").with_unit("minutes a run").optional(),
            Field::select(
                "value",
                "Its value is reckoned on",
                Choice::list(
                    &[
                        ("none", "nothing agreed"),
                        ("results", "its results' values"),
                        ("per_completed_run", "each completed run"),
                        ("time_saved", "time saved"),
                    ],
                    "per_completed_run",
                ),
            ),
            Field::number("value_amount", "Value of a completed run, or of an hour", "12.00")
                .with_unit("EUR")
                .optional(),
        ];
        Self {
            tabs: workflow_tabs("wf_1", "settings"),
            form: Form {
                in_pairs: true,
                note: "Past runs are read again with the new settings; published reports stay as they are.".to_owned(),
                ..Form::new("/workflows/wf_1/settings", csrf(), "Save", fields)
            },
            facts: Facts {
                across: false,
                facts: vec![
                    Fact::text("Named by telemetry", words.say("northwind-receptionist")),
                    Fact::text("Settings", "version 7, changed 2 Nov 2026 by Ada Lindqvist"),
                ],
            },
            keys: super::settings::keys_table(words),
            actions: vec![Action::ask("Archive the workflow", "/workflows/wf_1/archive").with_icon(Icon::Trash)],
        }
    }
}

impl Samples for WorkflowAssign {
    fn empty() -> Self {
        let form = Form::new("/workflows/wf_3/assign", csrf(), "Assign", Vec::new());
        Self { facts: Facts::default(), form, runs: Table::default() }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            facts: Facts {
                across: false,
                facts: vec![
                    Fact::text("Named by telemetry", words.say("refund-agent-eu")),
                    Fact::text("Runs", "83 since yesterday 09:14"),
                    Fact::text("Came in with", "the agency's key “production”"),
                ],
            },
            form: Form::new(
                "/workflows/wf_3/assign",
                csrf(),
                "Assign",
                vec![
                    Field::select(
                        "client",
                        "It works for",
                        Choice::list(
                            &[("cl_1", words.say("Northwind Dental")), ("new", "a new client…".to_owned())],
                            "cl_1",
                        ),
                    ),
                    Field::text("new_client", "New client's name", "")
                        .optional()
                        .with_hint("Only with “a new client”."),
                    Field::text("name", "Call it", words.say("Refunds")),
                ],
            ),
            runs: super::runs::table(words),
        }
    }
}

/// The workflows that belong to no client.
pub(super) fn unassigned(words: Words) -> Table {
    Table::new(
        "Workflows that belong to no client",
        vec![
            Column::new("Named by telemetry"),
            Column::number("Runs"),
            Column::new("First seen"),
            Column::new("Last seen"),
            Column::new(""),
        ],
        vec![Row::plain(vec![
            Cell::name(words.say("refund-agent-eu")),
            Cell::number("83"),
            Cell::Time(ago(1_700)),
            Cell::Time(ago(3)),
            Cell::Actions(vec![Action::open("Assign", "/workflows/wf_3/assign").primary()]),
        ])],
    )
}

/// The workflows of a client.
pub(super) fn workflows(words: Words) -> Table {
    let row = |name: &str, under: &str, rate: &str, cost: &str| {
        Row::opens(
            "/workflows/wf_1",
            vec![
                Cell::Name(words.say(name), words.say(under)),
                Cell::Badge(Badge::new(Icon::Unplugged, "check_insurance fails", Tone::Bad)),
                Cell::Number(words.number("1,012"), String::new()),
                Cell::number(rate),
                Cell::number("9.1 %"),
                Cell::number(cost),
                Cell::number("€9.1 k"),
                Cell::Html(sparkline(&samples::wave(30, 40.0, 16.0, 18))),
            ],
        )
    };
    Table::new(
        "Workflows",
        vec![
            Column::new("Workflow"),
            Column::new("Needs you"),
            Column::number("Runs"),
            Column::number("Completed"),
            Column::number("Escalated"),
            Column::number("A completed run"),
            Column::number("Value"),
            Column::new("Runs a day"),
        ],
        vec![
            row("Receptionist", "last run 2 min ago", "83.9 %", "€0.17"),
            row("Recall calls", "last run 3 h ago", "61.2 %", "€0.41"),
        ],
    )
}

/// What a workflow brought about.
pub(super) fn results(words: Words) -> Table {
    let row = |name: &str, n: &str, hours: &str, value: Cell| {
        Row::plain(vec![
            Cell::name(words.say(name)),
            Cell::NumberLink(words.number(n), "/runs?result=booking".to_owned()),
            Cell::text(hours),
            value,
            Cell::Change(
                String::new(),
                Comparison {
                    by: "8 %".to_owned(),
                    way: Way::Up,
                    change: Change::Better,
                    before: "579 before".to_owned(),
                },
            ),
        ])
    };
    Table::new(
        "Results",
        vec![
            Column::new("Result"),
            Column::number("Count"),
            Column::new("When"),
            Column::number("Value"),
            Column::number("Change"),
        ],
        vec![
            row("Appointments booked", "626", "412 in hours, 214 outside", Cell::number("$7.5 k")),
            row("Calls answered", "1,168", "712 in hours, 456 outside", Cell::Unknown("no value is agreed".to_owned())),
        ],
    )
    .or_empty(
        Empty::new(
            Icon::Target,
            "No results yet",
            "Results are what the business counts: bookings made, leads captured, tickets resolved.",
        )
        .with_action(Action::open("Write a result rule", "/workflows/wf_1/rules#results")),
    )
}

fn outcomes(words: Words) -> Table {
    let row = |outcome: Outcome, n: &str, share: f64, class, evidence: &str| {
        Row::plain(vec![
            Cell::Badge(Badge::outcome(outcome)),
            Cell::NumberLink(words.number(n), format!("/runs?outcome={}", outcome.as_str())),
            Cell::Bar(share, crate::view::format::percent(share), class),
            Cell::text(words.say(evidence)),
        ])
    };
    Table::new(
        "Outcomes",
        vec![Column::new("Outcome"), Column::number("Runs"), Column::new("Share"), Column::new("Evidence")],
        vec![
            row(Outcome::Completed, "842", 0.721, "c-good", "rule 1 · 790, said by the sender · 52"),
            row(Outcome::Escalated, "91", 0.078, "c-info", "rule 2 · 91"),
            row(Outcome::Failed, "48", 0.041, "c-bad", "rule 3 · 30, verdict · 18"),
            row(Outcome::Abandoned, "23", 0.02, "c-warn", "said by the sender · 23"),
            row(Outcome::Unverified, "164", 0.14, "c-muted", "nothing says so"),
        ],
    )
}

fn tools(words: Words) -> Table {
    let row = |name: &str, calls: &str, failed: &str, rate: f64, interval: &str, p95: &str, error: &str| {
        Row::opens(
            "/runs?tool=check_insurance",
            vec![
                Cell::name(words.say(name)),
                Cell::Number(words.number(calls), String::new()),
                Cell::number(failed),
                Cell::Bar(rate, crate::view::format::percent(rate), if rate > 0.2 { "c-bad" } else { "c-muted" }),
                Cell::number(interval),
                Cell::number("820 ms"),
                Cell::number(p95),
                Cell::text(words.say(error)),
            ],
        )
    };
    Table::new(
        "Tools",
        vec![
            Column::new("Tool"),
            Column::number("Calls"),
            Column::number("Failed"),
            Column::new("Error rate"),
            Column::number("95 % interval"),
            Column::number("p50"),
            Column::number("p95"),
            Column::new("Most often"),
        ],
        vec![
            row("check_insurance", "356", "41", 0.115, "8.6 – 15.3 %", "4.1 s", "auth: 401 token expired"),
            row("book_appointment", "902", "12", 0.013, "0.8 – 2.3 %", "2.2 s", "timeout"),
            row("find_slot", "1,431", "0", 0.0, "0.0 – 0.3 %", "1.1 s", "–"),
            row("transfer_to_human", "91", "0", 0.0, "0.0 – 4.1 %", "340 ms", "–"),
        ],
    )
}

fn models(words: Words) -> Table {
    let row = |name: &str, cost: Cell| {
        Row::opens(
            "/runs?model=gpt-5.2-mini",
            vec![
                Cell::Name(words.say(name), words.say("openai")),
                Cell::Number(words.number("4,204"), String::new()),
                Cell::Number("8.21 M".to_owned(), "8,214,033".to_owned()),
                Cell::number("61 %"),
                Cell::number("412 k"),
                cost,
                Cell::number("1.9 s"),
                Cell::number("0.4 %"),
            ],
        )
    };
    Table::new(
        "Models",
        vec![
            Column::new("Model"),
            Column::number("Calls"),
            Column::number("Tokens in"),
            Column::number("From cache"),
            Column::number("Tokens out"),
            Column::number("Cost"),
            Column::number("p50"),
            Column::number("Failed"),
        ],
        vec![
            row("gpt-5.2-mini", Cell::number("$128.40")),
            row("gpt-5.2-mini-2026-10", Cell::Unknown("in no price table".to_owned())),
        ],
    )
}

fn errors(words: Words) -> Table {
    let row = |class: &str, message: &str, place: &str, n: &str| {
        Row::opens(
            "/runs?error=auth",
            vec![
                Cell::Name(words.say(message), words.say(place)),
                Cell::Badge(Badge::new(Icon::Failed, class, Tone::Bad)),
                Cell::Number(words.number(n), String::new()),
                Cell::Time(ago(3_100)),
                Cell::Time(ago(20)),
                Cell::Html(sparkline(&samples::rates(14, 6.0, 8.0))),
            ],
        )
    };
    Table::new(
        "Errors",
        vec![
            Column::new("Error"),
            Column::new("Class"),
            Column::number("Times"),
            Column::new("First seen"),
            Column::new("Last seen"),
            Column::new("A day"),
        ],
        vec![
            row("auth", "401 Unauthorized: token expired", "tool check_insurance", "41"),
            row("timeout", "no answer within 5 s", "tool book_appointment", "12"),
        ],
    )
}

fn releases(words: Words) -> Table {
    let row = |name: &str, rate: &str, change: Change, way| {
        Row::opens(
            "/runs?release=v14",
            vec![
                Cell::name(words.say(name)),
                Cell::Time(ago(14_000)),
                Cell::Number(words.number("402"), String::new()),
                Cell::Change(
                    rate.to_owned(),
                    Comparison {
                        by: "3.1 pts".to_owned(),
                        way,
                        change,
                        before: "against the release before".to_owned(),
                    },
                ),
                Cell::number("$0.171"),
                Cell::number("1 m 08 s"),
            ],
        )
    };
    Table::new(
        "Releases",
        vec![
            Column::new("Release"),
            Column::new("First seen"),
            Column::number("Runs"),
            Column::number("Completed"),
            Column::number("A completed run"),
            Column::number("p50"),
        ],
        vec![row("v14", "85.4 %", Change::Better, Way::Up), row("v13", "82.3 %", Change::Worse, Way::Down)],
    )
}

fn quality(words: Words) -> Vec<Figure> {
    let figure = |name: &str, value: &str, unit: &str, basis: &str| {
        samples::figure(
            name,
            crate::view::format::Shown::with_unit(words.number(value), unit),
            basis,
            ("", Way::Level, Change::Neither),
            "the same before",
        )
    };
    vec![
        figure("Coverage", "86.0", "%", "1,004 of 1,168 runs verified"),
        figure("Runs without cost", "1.0", "%", "12 of 1,168 runs"),
        figure("Unmapped attributes", "3", "keys", "on 214 of 9,310 steps"),
        figure("Late spans", "0.2", "%", "19 of 9,310, after their run was final"),
        figure("Provisional runs", "4", "", "may still change"),
    ]
}
