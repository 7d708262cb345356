//! A report: what did I get for my money? Edited beside its preview, published, corrected by revisions.

use askama::Template;
use steward_core::report::{Change, ReportFigure};

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::Field;
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::html::Csrf;
use crate::view::samples::{Samples, Words, ago, csrf};

/// A report.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/report.html")]
pub struct ReportPage {
    /// Its state and facts: client, month, revision, made, published, zone.
    pub facts: Facts,
    /// What is to be known before it goes out: drafted before the month ended, figures changed since.
    pub notices: Vec<Notice>,
    /// The editor while it is a draft; `None` once it is published.
    pub editor: Option<ReportEditor>,
    /// The key figures with their receipts, as they stand in it.
    pub key_figures: Vec<ReportFigure>,
    /// Gaps in the data that it says plainly.
    pub data_gaps: Vec<String>,
    /// The document as a page of its own, shown in a frame.
    pub preview: String,
    /// The page and the PDF to open or fetch.
    pub files: Vec<Action>,
    /// All revisions: revision, state, what it changed, by whom, when.
    pub revisions: Table,
    /// What can be done to a published one: correct it, copy its link.
    pub actions: Vec<Action>,
}

/// The editor of a draft.
#[derive(Debug, Clone)]
pub struct ReportEditor {
    /// Where it posts to. `do` is `save`, `redraft` or `publish`.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// What is wrong with all of it; empty when nothing is.
    pub error: String,
    /// `correction` (for revisions), `headline`, `narrative`, `changes`, `problems`, `asks`: a paragraph or an item a line.
    pub fields: Vec<Field>,
    /// What publishing means: "It is frozen, and its link works for everybody who has it."
    pub publish_note: String,
    /// Whether it may be published; a month that is not over may not.
    pub may_publish: bool,
    /// When it was last saved, in words.
    pub saved: String,
}

impl ReportPage {
    fn change_class(&self, change: &Change) -> &'static str {
        match change {
            Change::Better => "better",
            Change::Worse => "worse",
            Change::Neither => "",
        }
    }
}

impl Samples for ReportPage {
    fn empty() -> Self {
        Self {
            facts: Facts::default(),
            notices: Vec::new(),
            editor: None,
            key_figures: Vec::new(),
            data_gaps: Vec::new(),
            preview: String::new(),
            files: Vec::new(),
            revisions: Table::default(),
            actions: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let lines = |name: &str, label: &str, text: &str, rows, hint: &str| Field {
            required: name != "asks" && name != "changes",
            ..Field::lines(name, label, words.say(text), rows).with_hint(hint)
        };
        Self {
            facts: Facts {
                across: true,
                facts: vec![
                    Fact::link("Client", words.say("Northwind Dental"), "/clients/cl_1"),
                    Fact::text("Month", "October 2026"),
                    Fact::new("State", FactValue::Badge(Badge::new(Icon::Edit, "draft", Tone::Info))),
                    Fact::text("Revision", "1"),
                    Fact::text("Days of", "Europe/Berlin"),
                    Fact::new("Drafted", FactValue::Time(ago(90))),
                ],
            },
            notices: vec![Notice::new(
                Tone::Warn,
                "12 runs of October were read again since this was drafted",
                words.say("Redraft to take the figures anew; your texts stay."),
            )],
            editor: Some(ReportEditor {
                action: "/reports/rep_1".to_owned(),
                csrf: csrf(),
                error: String::new(),
                fields: vec![
                    lines(
                        "headline",
                        "Headline",
                        "Your receptionist answered 1,168 calls in October and booked 626 appointments, a third of them after hours.",
                        2,
                        "The sentence or two that a busy owner reads.",
                    ),
                    lines(
                        "narrative",
                        "What it handled",
                        "It handled all calls that came in, 61 % of them in business hours.\nA call took 1 m 12 s in the middle.",
                        5,
                        "A paragraph a line.",
                    ),
                    lines(
                        "changes",
                        "What changed",
                        "Release v14 on 24 October: asks for the insurer earlier.",
                        3,
                        "A line each.",
                    ),
                    lines(
                        "problems",
                        "What went wrong and what we did",
                        "The insurance check failed from Saturday 31 October, 02:10, because its authorization had expired. We renewed it on Monday.",
                        3,
                        "A line each; never empty.",
                    ),
                    lines(
                        "asks",
                        "What we need from you",
                        "Please confirm the opening hours over Christmas.",
                        2,
                        "A line each.",
                    ),
                ],
                publish_note: "Publishing freezes it. A correction is a new revision that says what it changes."
                    .to_owned(),
                may_publish: true,
                saved: "Saved 4 min ago".to_owned(),
            }),
            key_figures: vec![
                ReportFigure {
                    name: "Completion rate".to_owned(),
                    value: words.number("83.9 %"),
                    basis: "842 of 1,004".to_owned(),
                    interval: Some("81.5 – 86.0 %".to_owned()),
                    before: Some("81.8 % in September".to_owned()),
                    change: Change::Better,
                    receipt: Some(steward_core::report::Receipt {
                        code: "R1".to_owned(),
                        url: "/runs?receipt=R1".to_owned(),
                        n_runs: 1_004,
                    }),
                },
                ReportFigure {
                    name: words.say("Value delivered"),
                    value: "no data".to_owned(),
                    basis: "no value is agreed".to_owned(),
                    interval: None,
                    before: None,
                    change: Change::Neither,
                    receipt: None,
                },
            ],
            data_gaps: vec![words.say("164 of 1,168 runs are unverified: nothing says whether they did their job.")],
            preview: "/paper".to_owned(),
            files: vec![
                Action {
                    how: crate::view::components::button::How::OpenBeside,
                    ..Action::open("Page", "/reports/rep_1/page").with_icon(Icon::External)
                },
                Action::download("PDF", "/reports/rep_1.pdf"),
            ],
            revisions: Table::new(
                "Revisions",
                vec![
                    Column::number("Revision"),
                    Column::new("State"),
                    Column::new("What it changes"),
                    Column::new("By"),
                    Column::new("When"),
                ],
                vec![Row::plain(vec![
                    Cell::number("1"),
                    Cell::Badge(Badge::new(Icon::Edit, "draft", Tone::Info)),
                    Cell::text("–"),
                    Cell::text(words.say("Ada Lindqvist")),
                    Cell::Time(ago(90)),
                ])],
            ),
            actions: vec![Action::open("Correct it", "/reports/rep_1/correct").with_icon(Icon::Edit)],
        }
    }
}
