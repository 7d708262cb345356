//! A pattern: what goes wrong, how often, since when, and what is done about it.

use askama::Template;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::chart::ChartBlock;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Bulk, Cell, Column, Row, Table};
use crate::view::samples::{self, Samples, Words, ago, csrf};

/// A pattern.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/pattern.html")]
pub struct PatternPage {
    /// What was just done, with its undoing, and what is odd about it.
    pub notices: Vec<Notice>,
    /// Takes the last change back; `None` where nothing was just changed.
    pub undo: Option<Action>,
    /// Its state.
    pub state: Badge,
    /// What can be made of it.
    pub states: Vec<Action>,
    /// The words of its messages, and `<*>` where they differ.
    pub template: String,
    /// What is the same in all of them, and why they are together.
    pub because: String,
    /// First and last seen, how often, share of runs, cost.
    pub facts: Facts,
    /// What came of resolving it, in words; empty when nobody did.
    pub resolution: String,
    /// How often, day by day.
    pub chart: Option<ChartBlock>,
    /// What of it waits, and what handling it came to; empty where nothing of it was ever in the queue.
    pub queue: Facts,
    /// Goes to what waits, and to closing all of it at once.
    pub queue_actions: Vec<Action>,
    /// What reviews say it comes from: cause, how often, what would have prevented it.
    pub causes: Table,
    /// What it was seen in: releases, models, tools.
    pub seen_in: Vec<Table>,
    /// Its latest exceptions, each opening its run.
    pub examples: Table,
    /// In how many ways it is written; some can be set apart.
    pub variants: Table,
    /// Patterns that are part of it.
    pub merged: Table,
    /// Names it; `None` for those who may not.
    pub naming: Option<Form>,
    /// Puts it into another.
    pub merging: Option<Form>,
    /// What is prepared to cure it.
    pub drafts: Table,
    /// Prepares more.
    pub drafting: Option<Form>,
}

impl Samples for PatternPage {
    fn empty() -> Self {
        Self {
            notices: Vec::new(),
            undo: None,
            state: Badge::new(Icon::Flag, "new", Tone::Warn),
            states: Vec::new(),
            template: "order <*> not found".to_owned(),
            because: "Together because of the same tool.".to_owned(),
            facts: Facts::default(),
            resolution: String::new(),
            chart: None,
            queue: Facts::default(),
            queue_actions: Vec::new(),
            causes: Table::default(),
            seen_in: Vec::new(),
            examples: Table::default(),
            variants: Table::default(),
            merged: Table::default(),
            naming: None,
            merging: None,
            drafts: Table::default(),
            drafting: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let post = |label: &str| Action::post(label, "/patterns/pat_1", csrf());
        let facet = |head: &str, name: &str| {
            Table::new(
                head,
                vec![Column::new(head), Column::number("Exceptions")],
                vec![Row::plain(vec![Cell::name(words.say(name)), Cell::number("41")])],
            )
        };
        let form = |button: &str, fields: Vec<Field>| Form::new("/patterns/pat_1", csrf(), button, fields);
        Self {
            notices: vec![Notice::new(
                Tone::Bad,
                "It came back",
                words.say("It was resolved in v2 and was seen in a run that began later."),
            )],
            undo: Some(post("Undo")),
            state: Badge::new(Icon::Warning, "regressed", Tone::Bad),
            states: vec![post("Known"), post("Mute"), post("Resolved").primary()],
            template: words.say("order <*> not found"),
            because: words.say("Together because of the same tool book, the same class and the same words."),
            facts: Facts {
                across: true,
                facts: vec![
                    Fact::text("Exceptions", words.number("1,204")),
                    Fact::text("Runs", "842 of 10,040 in 30 days"),
                    Fact::link("Workflow", words.say("Receptionist"), "/workflows/wf_1"),
                ],
            },
            resolution: words.say("Before: 12 of 100 runs. After: 1 of 90."),
            chart: samples::charts().into_iter().next(),
            queue: Facts {
                across: true,
                facts: vec![
                    Fact::link("Wait now", words.number("84"), "/queue?pattern=pat_1"),
                    Fact::text("Reviewed", words.number("412")),
                    Fact::text("Review time", "1 m 12 s each"),
                    Fact::text("Cleanup", "3 h 20 m"),
                ],
            },
            queue_actions: vec![Action::open("Review all open of this pattern", "/patterns/pat_1/review")],
            causes: Table::new(
                "What reviews say it comes from",
                vec![Column::new("Cause"), Column::number("Reviews"), Column::new("Would have prevented it")],
                vec![Row::plain(vec![
                    Cell::name(words.say("tool")),
                    Cell::number(words.number("301")),
                    Cell::text(words.say("a schema, a rule")),
                ])],
            ),
            seen_in: vec![facet("Release", "v1.4"), facet("Model", "gpt-5.2-mini"), facet("Tool", "book_appointment")],
            examples: Table::new(
                "Latest exceptions",
                vec![Column::new("Message"), Column::new("When")],
                vec![Row::opens("/runs/run_1", vec![Cell::name(words.say("order 41 not found")), Cell::Time(ago(30))])],
            ),
            variants: Table {
                bulk: Some(Bulk {
                    href: "/patterns/pat_1".to_owned(),
                    csrf: csrf(),
                    what: "ways of writing".to_owned(),
                    buttons: vec![("split".to_owned(), "Set apart".to_owned())],
                }),
                ..Table::new(
                    "Ways of writing",
                    vec![Column::new("Message"), Column::number("Exceptions"), Column::new("Last seen")],
                    vec![
                        Row {
                            key: "a.b".to_owned(),
                            ..Row::plain(vec![
                                Cell::name(words.say("order 41 not found")),
                                Cell::number("41"),
                                Cell::Time(ago(30)),
                            ])
                        };
                        2
                    ],
                )
            },
            merged: Table::new(
                "Part of it",
                vec![Column::new("Pattern"), Column::new("")],
                vec![Row::opens(
                    "/patterns/pat_2",
                    vec![Cell::name(words.say("no such order")), Cell::Actions(vec![post("Take out")])],
                )],
            ),
            naming: Some(form("Save the name", vec![Field::text("name", "Name", words.say("Lost orders")).optional()])),
            merging: Some(form(
                "Put it there",
                vec![Field::select("into", "Pattern", Choice::list(&[("pat_2", words.say("no such order"))], ""))],
            )),
            drafts: Table::new(
                "Drafts",
                vec![Column::new("Draft"), Column::new("For"), Column::new("")],
                vec![Row::plain(vec![
                    Cell::name(words.say("Ask the shop for the order's number again")),
                    Cell::text("a request"),
                    Cell::Actions(vec![post("Remove")]),
                ])],
            ),
            drafting: Some(form("Keep the draft", vec![Field::lines("text", "What is to be done", "", 3)])),
        }
    }
}
