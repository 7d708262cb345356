//! Today: what needs me now? Then how each client is.

use askama::Template;
use steward_core::outcome::Outcome;
use steward_core::report::Change;

use crate::view::components::attention::Attention;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::figure::{Comparison, Figure, Way, sparkline};
use crate::view::components::form::Form;
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::gallery;
use crate::view::samples::{self, Samples, Words, ago};

/// The first page.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/today.html")]
pub struct Today {
    /// The stream that says when to look again; empty is not live.
    pub live: String,
    /// What needs somebody, most urgent first. What needs nobody is not here.
    pub attention: Vec<Attention>,
    /// What is said when nothing needs anybody: "All 12 workflows run as they did. The last run ended 2 min ago."
    pub all_well: String,
    /// The agency's figures of the period, at most four; without money for those who may not see it.
    pub figures: Vec<Figure>,
    /// A row for each client: name and workflows, needs, runs, completion, escalation, cost, value, trend.
    pub clients: Table,
    /// The last runs that ended, at most eight.
    pub latest: Table,
    /// Shown instead of everything while no run ever came in.
    pub first_steps: Option<Empty>,
    /// What the program is at for the agency: runs being read again, with how far it is.
    pub progress: Vec<Notice>,
    /// A form for each workflow that belongs to no client, beside the name that telemetry gave it.
    pub assign: Vec<(String, Form)>,
    /// What is not known about the figures, in a line; empty when all is.
    pub quality: String,
    /// Where the attributes are that no rule used; empty when all were.
    pub unmapped: String,
}

impl Samples for Today {
    fn empty() -> Self {
        Self {
            live: String::new(),
            attention: Vec::new(),
            all_well: String::new(),
            figures: Vec::new(),
            clients: Table::default(),
            latest: Table::default(),
            first_steps: Some(
                Empty::new(
                    Icon::Runs,
                    "No run has come in yet",
                    "What needs you appears here as soon as an agent sends its runs: failing tools, silent workflows, costs nobody knows.",
                )
                .with_action(Action::open("Connect an agent", "/settings/keys").primary()),
            ),
            progress: Vec::new(),
            assign: Vec::new(),
            quality: String::new(),
            unmapped: String::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            live: "/live?topic=today".to_owned(),
            attention: gallery::attention(words),
            all_well: String::new(),
            figures: samples::figures(words).into_iter().take(4).collect(),
            clients: clients(words),
            latest: latest(words),
            first_steps: None,
            progress: vec![Notice::new(
                Tone::Info,
                "Runs are being read again",
                "1,204 of 9,204. Figures change as it goes on.",
            )],
            assign: Vec::new(),
            quality: words.say("Data quality: the outcome of 86.0 % of runs is known; 2.3 % have no known cost."),
            unmapped: "/unmapped".to_owned(),
        }
    }
}

/// The table of clients, as Today and the list of clients show it.
pub(super) fn clients(words: Words) -> Table {
    let up =
        |by: &str| Comparison { by: by.to_owned(), way: Way::Up, change: Change::Better, before: "before".to_owned() };
    let down =
        |by: &str| Comparison { by: by.to_owned(), way: Way::Down, change: Change::Worse, before: "before".to_owned() };
    let row = |name: &str, under: &str, needs: Option<Badge>, runs: &str, rate: Cell, cost: Cell, value: &str| {
        Row::opens(
            "/clients/cl_1",
            vec![
                Cell::Name(words.say(name), words.say(under)),
                needs.map_or(Cell::Blank, Cell::Badge),
                Cell::Number(words.number(runs), String::new()),
                rate,
                Cell::number("9.1 %"),
                cost,
                Cell::number(value),
                Cell::Html(sparkline(&samples::wave(30, 40.0, 16.0, runs.len() * 4))),
            ],
        )
    };
    let needs = |n: &str, tone| Some(Badge::new(Icon::Warning, n, tone));
    Table::new(
        "Clients",
        vec![
            Column::new("Client"),
            Column::new("Needs you"),
            Column::number("Runs"),
            Column::number("Completed"),
            Column::number("Escalated"),
            Column::number("Cost"),
            Column::number("Value"),
            Column::new("Runs a day"),
        ],
        vec![
            row(
                "Northwind Dental",
                "Receptionist, Recall calls",
                needs("2 things", Tone::Bad),
                "1,168",
                Cell::Change("83.9 %".to_owned(), up("2.1 pts")),
                Cell::number("$214.80"),
                "$10.1 k",
            ),
            row(
                "Halden Telecom",
                "Troubleshooter",
                needs("1 thing", Tone::Warn),
                "9,204",
                Cell::Change("71.2 %".to_owned(), down("6.4 pts")),
                Cell::Unknown("212 runs have no known cost".to_owned()),
                "$31.4 k",
            ),
            row(
                "Lumen Air",
                "Rebooking",
                needs("1 thing", Tone::Warn),
                "1,190",
                Cell::number("42.0 %"),
                Cell::number("$388.10"),
                "$4.2 k",
            ),
            row(
                "Orchard & Vine",
                "Support, Lead qualifier",
                needs("1 thing", Tone::Bad),
                "3,411",
                Cell::Change("88.0 %".to_owned(), up("0.4 pts")),
                Cell::number("$96.02"),
                "$22.8 k",
            ),
            row("Fjord Legal", "Intake", None, "207", Cell::number("no data"), Cell::number("$12.40"), "–"),
        ],
    )
    .or_empty(
        Empty::new(
            Icon::Clients,
            "No client yet",
            "Each business that you work for is a client; its workflows, figures and reports stand under it.",
        )
        .with_action(Action::open("Add a client", "/clients/new").primary()),
    )
}

fn latest(words: Words) -> Table {
    let row = |title: &str, place: &str, outcome, took: &str, minutes| {
        Row::opens(
            "/runs/run_1",
            vec![
                Cell::Name(words.say(title), words.say(place)),
                Cell::Badge(Badge::outcome(outcome)),
                Cell::number(took),
                Cell::Time(ago(minutes)),
            ],
        )
    };
    Table::new(
        "The last runs",
        vec![Column::new("Run"), Column::new("Outcome"), Column::number("Took"), Column::new("Ended")],
        vec![
            row("Move a cleaning to Thursday", "Northwind Dental › Receptionist", Outcome::Completed, "1 m 12 s", 0),
            row("No dial tone after the storm", "Halden Telecom › Troubleshooter", Outcome::Escalated, "4 m 03 s", 2),
            row("Cancel OSL–LHR and refund", "Lumen Air › Rebooking", Outcome::Unverified, "2 m 40 s", 3),
            row("Where is my order 20931", "Orchard & Vine › Support", Outcome::Failed, "38 s", 7),
        ],
    )
}
