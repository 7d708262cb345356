//! Handing over: the packet as somebody without a sign-in reads it, and as the agency shares it.

use askama::Template;

use super::settings::Once;
use super::workflow::workflow_tabs;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::packet::PacketCard;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::Tabs;
use crate::view::samples::{self, Samples, Words, ago, csrf};

/// The packet as somebody reads it who came by a link.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/handed_over.html")]
pub struct HandedOver {
    /// What it is about: the workflow.
    pub title: String,
    /// Who shares it, since when and until when.
    pub text: String,
    /// What is to be known first: it is recorded, the link has ended.
    pub notices: Vec<Notice>,
    /// The packet; `None` when the link has ended.
    pub packet: Option<PacketCard>,
    /// The form that says what was done.
    pub form: Option<Form>,
    /// What was done, by those who came by this link.
    pub answers: Table,
}

/// The packet with its links, as the agency sees it.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/handoff.html")]
pub struct HandoffPage {
    /// The packet.
    pub packet: PacketCard,
    /// The address of the link that was just made.
    pub once: Option<Once>,
    /// The links.
    pub links: Table,
    /// The form that makes one; `None` for who may not.
    pub form: Option<Form>,
    /// What was done, by those who came by links.
    pub answers: Table,
}

/// What was done by those who came by links.
#[must_use]
pub fn answers_table(rows: Vec<Row>) -> Table {
    Table::new("What was done", vec![Column::new("What"), Column::new("By"), Column::new("When")], rows)
}

fn answers(words: Words) -> Table {
    answers_table(vec![Row::plain(vec![
        Cell::text(words.say("Refunded by hand in the shop")),
        Cell::text(words.say("Jo at the shop")),
        Cell::Time(ago(12)),
    ])])
}

impl Samples for HandedOver {
    fn empty() -> Self {
        Self {
            title: "This link has ended".to_owned(),
            text: String::new(),
            notices: vec![Notice::new(Tone::Info, "It ended on 3 Nov 2026, 09:00", "Ask whoever sent it for another.")],
            packet: None,
            form: None,
            answers: Table::default(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let fields = vec![
            Field::text("name", "Your name", words.say("Jo")),
            Field::lines("resolution", "What you did", words.say("Refunded by hand"), 3).optional(),
        ];
        Self {
            title: words.say("Receptionist"),
            text: words.say("Shared by Meridian Automation. This link ends on 3 Nov 2026, 09:00."),
            notices: vec![Notice::new(Tone::Good, words.say("Thank you, it is recorded"), "")],
            packet: Some(samples::packet(words)),
            form: Some(Form::new("/h/stp_1", csrf(), "It is done", fields)),
            answers: answers(words),
        }
    }
}

impl Samples for HandoffPage {
    fn empty() -> Self {
        Self {
            packet: PacketCard::default(),
            once: None,
            links: Table::new("Links", vec![Column::new("For")], Vec::new()).or_empty(Empty::new(
                Icon::Key,
                "No link yet",
                "A link lets somebody without a sign-in read this packet, and nothing else.",
            )),
            form: None,
            answers: Table::default(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let columns = vec![
            Column::new("For"),
            Column::new("State"),
            Column::new("Made"),
            Column::new("Ends"),
            Column::number("Opened"),
            Column::new(""),
        ];
        let row = Row::plain(vec![
            Cell::Name(words.say("The shop floor"), words.say("by Ada Lovelace")),
            Cell::Badge(Badge::new(Icon::Completed, "open", Tone::Good)),
            Cell::Time(ago(90)),
            Cell::Time(ago(-7 * 24 * 60)),
            Cell::number(words.number("3")),
            Cell::Actions(vec![Action::post("Revoke", "/links/lnk_1/revoke", csrf())]),
        ]);
        let fields = vec![
            Field::text("for", "For whom", words.say("The shop floor")).optional(),
            Field::number("days", "Ends after", "7").with_unit("days"),
        ];
        Self {
            packet: samples::packet(words),
            once: Some(Once {
                title: "The link".to_owned(),
                value: "https://steward.example/h/stp_…".to_owned(),
                note: "It is shown only now: Steward keeps its hash.".to_owned(),
            }),
            links: Table::new("Links", columns, vec![row]),
            form: Some(Form::new("/exceptions/exc_1/handoff", csrf(), "Make a link", fields)),
            answers: answers(words),
        }
    }
}

/// Where packets are sent, for a client or a workflow.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/channels.html")]
pub struct ChannelsPage {
    /// Figures, runs, rules, handoff, settings; none for a client.
    pub tabs: Option<Tabs>,
    /// What is to be known first.
    pub notices: Vec<Notice>,
    /// What a program verifies with, of the channel that was just made.
    pub once: Option<Once>,
    /// The channels.
    pub table: Table,
    /// The form that makes one.
    pub form: Form,
}

/// One channel.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/channel.html")]
pub struct ChannelPage {
    /// What is to be known first: sending fails.
    pub notices: Vec<Notice>,
    /// Where to, what was sent, what waits.
    pub facts: Facts,
    /// What of it can be set.
    pub form: Form,
    /// Send a test, pause, delete.
    pub actions: Vec<Action>,
}

fn channel_fields(words: Words) -> Vec<Field> {
    vec![
        Field::select("kind", "By", Choice::list(&[("email", "E-mail"), ("slack", "Slack")], "email")),
        Field::text("name", "Name", words.say("Shop floor")).optional(),
        Field::text("to", "To", words.say("ada@example.com")),
        Field::number("per_hour", "At most", "20").with_unit("packets an hour"),
        Field::number("link_days", "Links end after", "7").with_unit("days"),
        Field::check("kind_error", "Errors", true),
    ]
}

impl Samples for ChannelsPage {
    fn empty() -> Self {
        let empty = Empty::new(
            Icon::Message,
            "Nothing is sent",
            "A channel sends the packet of each new exception by e-mail, to Slack or to a program.",
        );
        let fields = channel_fields(Words::Plain);
        Self {
            tabs: Some(workflow_tabs("wf_1", "handoff")),
            notices: Vec::new(),
            once: None,
            table: Table::new("Channels", vec![Column::new("Channel")], Vec::new()).or_empty(empty),
            form: Form::new("/workflows/wf_1/handoff", csrf(), "Add the channel", fields),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let columns = vec![
            Column::new("Channel"),
            Column::new("State"),
            Column::new("Last sent"),
            Column::number("Sent"),
            Column::number("Waiting"),
            Column::number("Given up"),
        ];
        let row = Row::opens(
            "/channels/chn_1",
            vec![
                Cell::Name(words.say("Shop floor"), words.say("ada@example.com")),
                Cell::Badge(Badge::new(Icon::Failed, "fails", Tone::Bad)),
                Cell::Time(ago(50)),
                Cell::number(words.number("812")),
                Cell::number(words.number("3")),
                Cell::number(words.number("1")),
            ],
        );
        Self {
            notices: vec![Notice::new(Tone::Warn, words.say("No mail server is set"), words.say("Fill in [mail]"))],
            once: Some(Once {
                title: words.say("The secret of “Bot”"),
                value: "whsec_…".to_owned(),
                note: "It is shown only now.".to_owned(),
            }),
            table: Table::new("Channels", columns, vec![row]),
            form: Form::new("/workflows/wf_1/handoff", csrf(), "Add the channel", channel_fields(words)),
            ..Self::empty()
        }
    }
}

impl Samples for ChannelPage {
    fn empty() -> Self {
        Self {
            notices: Vec::new(),
            facts: Facts::default(),
            form: Form::new("/channels/chn_1", csrf(), "Save", channel_fields(Words::Plain)),
            actions: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let facts = vec![
            Fact::text("To", words.say("https://hooks.slack.com/…")),
            Fact::new("Last sent", FactValue::Time(ago(50))),
            Fact::text("Waiting", words.number("3")),
        ];
        Self {
            notices: vec![Notice::new(Tone::Bad, words.say("It could not be sent"), words.say("it answered 404"))],
            facts: Facts { facts, across: true },
            form: Form::new("/channels/chn_1", csrf(), "Save", channel_fields(words)),
            actions: vec![
                Action::post("Send a test", "/channels/chn_1/test", csrf()),
                Action::ask("Delete", "/channels/chn_1/delete"),
            ],
        }
    }
}
