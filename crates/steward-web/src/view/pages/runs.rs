//! The list of runs: which runs are these? Its address says so, and exports take the same.

use askama::Template;
use steward_core::outcome::Outcome;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::filters::{Chip, FilterBar};
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Bulk, Cell, Column, ColumnPicker, Row, Sorted, Table};
use crate::view::samples::{self, Samples, Words, ago, csrf};

/// The list of runs.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/runs.html")]
pub struct Runs {
    /// The stream that says when to look again; empty is not live.
    pub live: String,
    /// Whose receipt this is, when a figure or a report led here; `None` otherwise.
    pub receipt: Option<Notice>,
    /// The filters.
    pub filters: FilterBar,
    /// What these runs come to, name and value: runs, completed, cost, p50.
    pub sums: Vec<(String, String)>,
    /// The runs.
    pub table: Table,
    /// The same runs as files: CSV, JSONL, Parquet.
    pub exports: Vec<Action>,
}

impl Samples for Runs {
    fn empty() -> Self {
        Self {
            live: String::new(),
            receipt: None,
            filters: FilterBar {
                path: "/runs".to_owned(),
                text_name: "q".to_owned(),
                text_placeholder: "Search in what was said".to_owned(),
                ..FilterBar::default()
            },
            sums: Vec::new(),
            table: Table { rows: Vec::new(), pager: None, ..table(Words::Plain) }.or_empty(
                Empty::new(Icon::Runs, "No run fits", "Take a filter off, or look at a longer period.")
                    .with_action(Action::open("Look at 90 days", "/runs?period=90d")),
            ),
            exports: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            live: "/live?topic=runs".to_owned(),
            receipt: Some(Notice::new(
                Tone::Info,
                words.say("Receipt R3 of October's report for Northwind Dental: completed runs"),
                "Exactly these 842 runs stand behind the figure.",
            )),
            filters: filters(words),
            sums: [("runs", "1,168"), ("completed", "842 of 1,004 verified"), ("cost", "$214.80"), ("p50", "1 m 12 s")]
                .map(|(name, value)| (name.to_owned(), words.number(value)))
                .into(),
            table: table(words),
            exports: ["CSV", "JSONL", "Parquet"]
                .map(|name| Action::download(name, format!("/runs/export.{}?outcome=failed", name.to_lowercase())))
                .into(),
        }
    }
}

fn filters(words: Words) -> FilterBar {
    let any = |chosen: &str, all: &[&str]| {
        let mut pairs = vec![("", "any")];
        pairs.extend(all.iter().map(|word| (*word, *word)));
        Choice::list(&pairs, chosen)
    };
    FilterBar {
        path: "/runs".to_owned(),
        text_name: "q".to_owned(),
        text: String::new(),
        text_placeholder: "Search in what was said".to_owned(),
        keep: vec![("period".to_owned(), "30d".to_owned())],
        set: vec![("outcome".to_owned(), "failed".to_owned()), ("tool".to_owned(), words.say("check_insurance"))],
        fields: vec![
            Field::select("client", "Client", any("", &["Northwind Dental", "Halden Telecom"])),
            Field::select("workflow", "Workflow", any("", &["Receptionist", "Recall calls"])),
            Field::select(
                "outcome",
                "Outcome",
                any("failed", &["completed", "escalated", "failed", "abandoned", "unverified"]),
            ),
            Field::select("state", "State", any("", &["open", "provisional", "final"])),
            Field::select("model", "Model", any("", &["gpt-5.2-mini"])),
            Field::select("tool", "Tool", any("", &["book_appointment", "check_insurance"])),
            Field::select(
                "error",
                "Error class",
                any("", &["auth", "rate_limit", "timeout", "server", "bad_request", "validation", "money", "other"]),
            ),
            Field::select("release", "Release", any("", &["v13", "v14"])),
            Field::select(
                "evidence",
                "Evidence",
                any("", &["verdict", "explicit", "score", "rule", "status", "nothing"]),
            ),
            Field::text("result", "Result", "").optional(),
            Field::number("cost_min", "Cost at least", "").optional().with_unit("USD"),
            Field::number("cost_max", "Cost at most", "").optional().with_unit("USD"),
            Field::number("took_min", "Took at least", "").optional().with_unit("s"),
            Field::number("took_max", "Took at most", "").optional().with_unit("s"),
            Field::check("tests", "Test runs too", false),
            Field::check("unpriced", "Without a known cost", false),
        ],
        chips: vec![
            Chip {
                name: "outcome".to_owned(),
                value: "failed".to_owned(),
                remove: "/runs?tool=check_insurance".to_owned(),
            },
            Chip {
                name: "tool".to_owned(),
                value: words.say("check_insurance"),
                remove: "/runs?outcome=failed".to_owned(),
            },
        ],
        clear: "/runs?period=30d".to_owned(),
    }
}

/// Some runs.
pub(super) fn table(words: Words) -> Table {
    let row =
        |title: &str, place: &str, outcome, state: Option<&str>, model: &str, took: &str, cost: Cell, minutes| Row {
            key: "run_1".to_owned(),
            ..Row::opens(
                "/runs/run_1",
                vec![
                    Cell::Name(words.say(title), words.say(place)),
                    Cell::Badges(
                        [Some(Badge::outcome(outcome)), state.map(Badge::run_state)].into_iter().flatten().collect(),
                    ),
                    Cell::Text(words.say(model)),
                    Cell::Number(words.number("9"), "9 steps: 4 model, 3 tool, 2 other".to_owned()),
                    Cell::number(took),
                    cost,
                    Cell::Time(ago(minutes)),
                ],
            )
        };
    let cost = Cell::number;
    let unknown = || Cell::Unknown("gpt-5.2-mini-2026-10 is in no price table".to_owned());
    Table {
        id: "runs".to_owned(),
        pager: Some(samples::pager("/runs")),
        picker: Some(ColumnPicker {
            path: "/runs".to_owned(),
            keep: vec![("outcome".to_owned(), "failed".to_owned())],
            columns: [
                ("model", "Model", true),
                ("steps", "Steps", true),
                ("tokens", "Tokens", false),
                ("release", "Release", false),
            ]
            .map(|(value, head, shown)| (value.to_owned(), head.to_owned(), shown))
            .into(),
        }),
        bulk: Some(Bulk {
            href: "/runs/verdicts".to_owned(),
            csrf: csrf(),
            what: "runs".to_owned(),
            buttons: vec![
                ("completed".to_owned(), "Say completed".to_owned()),
                ("failed".to_owned(), "Say failed".to_owned()),
            ],
        }),
        ..Table::new(
            "Runs",
            vec![
                Column::new("Run"),
                Column::new("Outcome"),
                Column::new("Model"),
                Column::number("Steps"),
                Column::number("Took").sorted("/runs?sort=took", Sorted::Not),
                Column::number("Cost").sorted("/runs?sort=cost", Sorted::Not),
                Column::new("Ended").sorted("/runs?sort=-ended", Sorted::Descending),
            ],
            vec![
                row(
                    "Move a cleaning to Thursday",
                    "Northwind Dental › Receptionist",
                    Outcome::Completed,
                    None,
                    "gpt-5.2-mini",
                    "1 m 12 s",
                    cost("$0.0142"),
                    2,
                ),
                row(
                    "Does my plan cover a crown?",
                    "Northwind Dental › Receptionist",
                    Outcome::Failed,
                    None,
                    "gpt-5.2-mini",
                    "58 s",
                    cost("$0.0098"),
                    14,
                ),
                row(
                    "No dial tone after the storm",
                    "Halden Telecom › Troubleshooter",
                    Outcome::Escalated,
                    None,
                    "gpt-5.2",
                    "4 m 03 s",
                    cost("$0.0911"),
                    41,
                ),
                row(
                    "Cancel OSL–LHR and refund",
                    "Lumen Air › Rebooking",
                    Outcome::Unverified,
                    Some("provisional"),
                    "gpt-5.2-mini-2026-10",
                    "2 m 40 s",
                    unknown(),
                    63,
                ),
                row(
                    "Caller hung up while on hold",
                    "Northwind Dental › Receptionist",
                    Outcome::Abandoned,
                    None,
                    "gpt-5.2-mini",
                    "22 s",
                    cost("$0.0021"),
                    90,
                ),
                row(
                    "Where is my order 20931",
                    "Orchard & Vine › Support",
                    Outcome::Completed,
                    None,
                    "claude-sonnet-5",
                    "38 s",
                    cost("$0.0077"),
                    131,
                ),
                row(
                    "run_018f3b2c",
                    "Orchard & Vine › Lead qualifier",
                    Outcome::Unverified,
                    Some("open"),
                    "gpt-5.2-mini",
                    "–",
                    unknown(),
                    1_900,
                ),
            ],
        )
    }
}
