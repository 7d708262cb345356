//! The expectations of a workflow: what must hold of every run, tried over past runs before it is saved.

use askama::Template;

use crate::view::components::empty::Empty;
use crate::view::components::form::Field;
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::Tabs;
use crate::view::html::Csrf;
use crate::view::samples::{Samples, Words, ago, csrf};

/// The expectations of a workflow.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/expectations.html")]
pub struct ExpectationsPage {
    /// Figures, runs, rules, expectations, settings.
    pub tabs: Tabs,
    /// Where the form posts to.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// What the agent says and does.
    pub said: Vec<Field>,
    /// The most that a run may take.
    pub limits: Vec<Field>,
    /// What is wrong with all of it; empty when nothing is.
    pub error: String,
    /// The version of the settings that was edited, so that a colleague's change is not overwritten.
    pub version: i32,
    /// Which past runs would have broken them.
    pub preview: Option<ExpectationsPreview>,
}

/// Which past runs would have broken expectations.
#[derive(Debug, Clone, Default)]
pub struct ExpectationsPreview {
    /// In words: "Of the last 500 finished runs, 61 would have broken one."
    pub words: String,
    /// Runs by expectation: before, after.
    pub broken: Table,
    /// Some of the runs: run, what was broken, when.
    pub examples: Table,
}

impl Samples for ExpectationsPage {
    fn empty() -> Self {
        Self {
            tabs: super::workflow::workflow_tabs("wf_1", "expectations"),
            action: "/workflows/wf_1/expectations".to_owned(),
            csrf: csrf(),
            said: said(Words::Plain, false),
            limits: limits(false),
            error: String::new(),
            version: 1,
            preview: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let run = |title: &str, broken: &str| {
            Row::opens(
                "/runs/run_1",
                vec![Cell::name(words.say(title)), Cell::text(words.say(broken)), Cell::Time(ago(400))],
            )
        };
        Self {
            said: said(words, true),
            limits: limits(true),
            error: words.say("Nothing was saved: somebody changed the settings meanwhile."),
            version: 7,
            preview: Some(ExpectationsPreview {
                words: "Of the last 500 finished runs, 61 would have broken one.".to_owned(),
                broken: Table::new(
                    "Runs by expectation",
                    vec![Column::new("Expectation"), Column::number("Before"), Column::number("After")],
                    vec![Row::plain(vec![
                        Cell::name(words.say("tool book_appointment succeeds")),
                        Cell::number("0"),
                        Cell::number("61"),
                    ])],
                )
                .or_empty(Empty::new(
                    Icon::Completed,
                    "No run would have broken one",
                    "All of them hold.",
                )),
                examples: Table::new(
                    "Some runs",
                    vec![Column::new("Run"), Column::new("What was broken"), Column::new("Ended")],
                    vec![
                        run("Move a cleaning to Thursday", "tool book_appointment was not called"),
                        run("Angry about the bill", "the agent said “guarantee”"),
                    ],
                ),
            }),
            ..Self::empty()
        }
    }
}

fn said(words: Words, filled: bool) -> Vec<Field> {
    let value = |plain: &str| if filled { words.say(plain) } else { String::new() };
    vec![
        Field::lines("tools", "Tools that succeed", value("book_appointment"), 2).with_hint("One a line."),
        Field::lines("forbidden", "Never said", value("guarantee"), 2).with_error(if filled {
            words.say("too long")
        } else {
            String::new()
        }),
        Field::check("says_something", "The agent says something", filled),
    ]
}

fn limits(filled: bool) -> Vec<Field> {
    let value = |plain: &str| if filled { plain.to_owned() } else { String::new() };
    vec![
        Field::number("steps", "Steps", value("40")).optional(),
        Field::number("seconds", "Time", value("90")).optional().with_unit("s"),
    ]
}
