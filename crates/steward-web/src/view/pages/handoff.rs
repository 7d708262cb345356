//! Handing over: the packet as somebody without a sign-in reads it, and as the agency shares it.

use askama::Template;

use super::settings::Once;
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::form::{Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::packet::PacketCard;
use crate::view::components::table::{Cell, Column, Row, Table};
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
