//! Connections of a workflow: by what its runs come, whether they do, and what senders do wrong.

use askama::Template;

use super::settings::{self, Connect};
use super::workflow::workflow_tabs;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::Tabs;
use crate::view::samples::{Samples, Words, ago, csrf};

/// The connections of a workflow.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/connections.html")]
pub struct ConnectionsPage {
    /// Figures, runs, rules, connections, settings.
    pub tabs: Tabs,
    /// What is to be known first.
    pub notices: Vec<Notice>,
    /// The connection that was just made, with its lines; `None` otherwise.
    pub made: Option<Connect>,
    /// The connections.
    pub table: Table,
    /// What senders did wrong in the last day, with the mend.
    pub mistakes: Table,
    /// Payloads that could not be read.
    pub unreadable: Table,
    /// The sources to choose from, with the lines of the one that is open; `None` when one was just made.
    pub connect: Option<Connect>,
    /// The form that makes a connection of the open source.
    pub form: Option<Form>,
}

/// One connection.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/connection.html")]
pub struct ConnectionPage {
    /// Figures, runs, rules, connections, settings.
    pub tabs: Tabs,
    /// What is to be known first.
    pub notices: Vec<Notice>,
    /// How it is set up at its source, and whether something has come in.
    pub connect: Option<Connect>,
    /// What its sender did wrong in the last day, with the mend.
    pub mistakes: Table,
    /// Payloads of it that could not be read.
    pub unreadable: Table,
    /// What of it can be set.
    pub form: Form,
    /// The form that changes its secret; `None` where it has none.
    pub rotate: Option<Form>,
    /// Last event, last look, what was found.
    pub facts: Facts,
    /// Send a test event, delete.
    pub actions: Vec<Action>,
}

fn mistakes(words: Words) -> Table {
    let row = |what: &str, mend: &str, n: &str| {
        Row::plain(vec![
            Cell::name(words.say(what)),
            Cell::text(words.say(mend)),
            Cell::text(words.say("Vapi")),
            Cell::number(words.number(n)),
            Cell::Time(ago(4)),
        ])
    };
    let columns = vec![
        Column::new("What"),
        Column::new("What the sender was told"),
        Column::new("By"),
        Column::number("How often"),
        Column::new("Last"),
    ];
    let rows = vec![
        row("Sent to a wrong address", "Not found: nothing is taken in at /traces: send to /v1/traces", "12"),
        row("The signature was refused", "the signature does not fit", "3"),
    ];
    Table::new("What went wrong", columns, rows)
}

fn unreadable(words: Words) -> Table {
    let columns = vec![Column::new("Why"), Column::new("Form"), Column::number("Bytes"), Column::new("Received")];
    let row = Row::plain(vec![
        Cell::text(words.say("event 0: its call has no id")),
        Cell::text("vapi"),
        Cell::number(words.number("1,204")),
        Cell::Time(ago(30)),
    ]);
    Table::new("Payloads that could not be read", columns, vec![row])
}

impl Samples for ConnectionsPage {
    fn empty() -> Self {
        let empty = Empty::new(Icon::Key, "No connection yet", "Choose below what sends this workflow's runs.");
        Self {
            tabs: workflow_tabs("wf_1", "connections"),
            notices: Vec::new(),
            made: None,
            table: Table::new("Connections", vec![Column::new("Connection")], Vec::new()).or_empty(empty),
            mistakes: Table::default(),
            unreadable: Table::default(),
            connect: Some(settings::connect(Words::Plain, false)),
            form: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let columns = vec![
            Column::new("Connection"),
            Column::new("State"),
            Column::new("Last event"),
            Column::new("Last look"),
            Column::number("Found by asking"),
            Column::number("Failures in a day"),
        ];
        let row = Row::opens(
            "/connections/con_1",
            vec![
                Cell::Name(words.say("Vapi"), words.say("vapi")),
                Cell::Badge(Badge::new(Icon::Completed, "receives", Tone::Good)),
                Cell::Time(ago(2)),
                Cell::Time(ago(7)),
                Cell::number(words.number("2")),
                Cell::number(words.number("15")),
            ],
        );
        let fields = vec![Field::text("name", "Name", words.say("Vapi")).optional()];
        Self {
            notices: vec![Notice::new(
                Tone::Warn,
                words.say("Its platform refuses the token"),
                words.say("enter another"),
            )],
            made: Some(settings::connect(words, true)),
            table: Table::new("Connections", columns, vec![row]),
            mistakes: mistakes(words),
            unreadable: unreadable(words),
            connect: None,
            form: Some(Form::new("/workflows/wf_1/connections", csrf(), "Add the connection", fields)),
            ..Self::empty()
        }
    }
}

impl Samples for ConnectionPage {
    fn empty() -> Self {
        Self {
            tabs: workflow_tabs("wf_1", "connections"),
            notices: Vec::new(),
            connect: None,
            mistakes: Table::default(),
            unreadable: Table::default(),
            form: Form::new("/connections/con_1", csrf(), "Save", Vec::new()),
            rotate: None,
            facts: Facts::default(),
            actions: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let fact = |name: &str, text: &str| Fact::text(name, words.say(text));
        Self {
            notices: vec![Notice::new(Tone::Bad, words.say("It is not asked"), words.say("the token was refused"))],
            connect: Some(settings::connect(words, false)),
            mistakes: mistakes(words),
            unreadable: unreadable(words),
            form: Form {
                in_pairs: true,
                ..Form::new(
                    "/connections/con_1",
                    csrf(),
                    "Save",
                    vec![
                        Field::text("name", "Name", words.say("Vapi")),
                        Field::check("poll", "Ask the platform", true),
                    ],
                )
            },
            rotate: Some(
                Form::new("/connections/con_1/rotate", csrf(), "Change it", vec![Field::text("secret", "Secret", "")])
                    .with_ids("rotate"),
            ),
            facts: Facts {
                across: false,
                facts: vec![
                    fact("Source", "Vapi"),
                    Fact::new("Last event", FactValue::Time(ago(2))),
                    fact("In the last look", "120 listed, 118 were known"),
                ],
            },
            actions: vec![
                Action::post("Send a test event", "/connections/con_1/test", csrf()),
                Action::ask("Delete", "/connections/con_1/delete"),
            ],
            ..Self::empty()
        }
    }
}
