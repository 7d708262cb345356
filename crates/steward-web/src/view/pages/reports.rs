//! The list of reports: which months are told, and to whom?

use askama::Template;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::html::Csrf;
use crate::view::samples::{self, Samples, Words, ago, csrf};

/// The list of reports.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/reports.html")]
pub struct Reports {
    /// The form that drafts one; `None` for those who may not.
    pub draft: Option<DraftForm>,
    /// The reports: client and month, state, revision, figures, published.
    pub table: Table,
}

/// The form that drafts a report.
#[derive(Debug, Clone, Default)]
pub struct DraftForm {
    /// Where it posts to: `client` and `month`.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// The client and the month.
    pub fields: Vec<Field>,
}

impl Samples for Reports {
    fn empty() -> Self {
        Self { draft: None, table: Table { rows: Vec::new(), ..table(Words::Plain) } }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            draft: Some(DraftForm {
                action: "/reports".to_owned(),
                csrf: csrf(),
                fields: vec![
                    Field::select(
                        "client",
                        "Client",
                        Choice::list(
                            &[("cl_1", words.say("Northwind Dental")), ("cl_2", words.say("Halden Telecom"))],
                            "cl_1",
                        ),
                    ),
                    Field::line("month", "month", "Month", "2026-10"),
                ],
            }),
            table: Table { pager: Some(samples::pager("/reports")), ..table(words) },
        }
    }
}

/// Some reports.
pub(super) fn table(words: Words) -> Table {
    let row = |client: &str, month: &str, state: Badge, revision: &str, published: Cell| {
        Row::opens(
            "/reports/rep_1",
            vec![
                Cell::Name(month.to_owned(), words.say(client)),
                Cell::Badge(state),
                Cell::number(revision),
                published,
            ],
        )
    };
    let published = || Badge::new(Icon::Completed, "published", Tone::Good);
    Table::new(
        "Reports",
        vec![Column::new("Month"), Column::new("State"), Column::number("Revision"), Column::new("Published")],
        vec![
            row("Northwind Dental", "October 2026", Badge::new(Icon::Edit, "draft", Tone::Info), "1", Cell::Blank),
            row("Northwind Dental", "September 2026", published(), "2", Cell::Time(ago(40_000))),
            row("Halden Telecom", "September 2026", published(), "1", Cell::Time(ago(43_000))),
        ],
    )
    .or_empty(Empty::new(Icon::Reports, "No report yet", "A report is a frozen account of a month for one client, as a page and as a PDF. Draft one above; it is published when you say so."))
}
