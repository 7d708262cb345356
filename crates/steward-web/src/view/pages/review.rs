//! A review: all that is needed to judge one case on one screen, and the form that closes it.

use askama::Template;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::{Action, Look};
use crate::view::components::conversation::Conversation;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::html_safe;
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::packet::PacketCard;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::gallery;
use crate::view::html::Csrf;
use crate::view::samples::{self, Samples, Words, ago, csrf};

/// A review.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/review.html")]
pub struct ReviewPage {
    /// What the last act came to, in the flow: here nothing may cover the form.
    pub said: Option<Flash>,
    /// What is odd about it.
    pub notices: Vec<Notice>,
    /// Its sort, and whether it is closed.
    pub badges: Vec<Badge>,
    /// The exception's message where the page's title cuts it; else empty.
    pub stopped: String,
    /// Why now, in words.
    pub why: String,
    /// How urgent that is.
    pub tone: Tone,
    /// What it is about: workflow, run, pattern, when it came, whose it is.
    pub facts: Facts,
    /// What a person needs to finish it; `None` for a sample, of which nothing was handed over.
    pub packet: Option<PacketCard>,
    /// What is known instead: each a heading with what is under it.
    pub parts: Vec<PacketPart>,
    /// What was said.
    pub conversation: Conversation,
    /// What worked for the same pattern before.
    pub before: Table,
    /// Reviews of this case, those taken back included.
    pub reviews: Table,
    /// What stands instead of the form: who holds it, that it is closed.
    pub holder: String,
    /// What can be done instead of the form: claim, take over, undo.
    pub claims: Vec<Action>,
    /// The form; `None` for whoever does not hold it.
    pub form: Option<ReviewForm>,
    /// Gives it to somebody; `None` for who may not, and for what is closed.
    pub assigning: Option<Form>,
}

/// A part of what is handed to a person.
#[derive(Debug, Clone)]
pub struct PacketPart {
    /// Its heading: "What was asked".
    pub head: String,
    /// A text.
    pub text: String,
    /// Lines, in their order.
    pub lines: Vec<String>,
}

/// The form that closes a case.
#[derive(Debug, Clone)]
pub struct ReviewForm {
    /// Until when it is held: "Yours until 14:20".
    pub held: String,
    /// Where active time is told to.
    pub keep: String,
    /// After so long without doing anything, time is not counted.
    pub idle_ms: i64,
    /// What is counted already.
    pub counted_ms: i64,
    /// The same in words.
    pub counted: String,
    /// What is asked.
    pub asking: Asking,
    /// Minutes that the reviewer says it took, and why: in place of what was measured.
    pub correction: Vec<Field>,
    /// Whether the correction is open from the start.
    pub corrected: bool,
    /// Skip and release.
    pub others: Vec<Action>,
}

/// What is asked of a case, or of many at once.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    /// Where it is posted to.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// Hidden fields.
    pub hidden: Vec<(String, String)>,
    /// What is wrong with all of it.
    pub error: String,
    /// What is chosen by a key.
    pub picks: Vec<Pick>,
    /// What is typed.
    pub fields: Vec<Keyed>,
    /// What the button says.
    pub button: String,
    /// Where to go without doing it; empty offers nothing.
    pub cancel: String,
}

/// One of some, each with a key.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// The name under which it is sent.
    pub name: String,
    /// What is asked.
    pub legend: String,
    /// What it means to leave it.
    pub note: String,
    /// The answers, each with its key; a key may be empty.
    pub choices: Vec<(Choice, String)>,
    /// Shown only while this answer is chosen: the name and value of another. Empty is always shown.
    pub only_with: (String, String),
}

/// A field to which a key goes.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// The key.
    pub key: String,
    /// The field.
    pub field: Field,
}

impl Pick {
    fn class(&self) -> &'static str {
        if self.only_with.0.is_empty() { "" } else { "only" }
    }
}

impl Keyed {
    /// A number of minutes, or a text of some lines, as the field says.
    fn is_number(&self) -> bool {
        matches!(self.field.control, Control::Number(..))
    }

    fn rows(&self) -> u8 {
        if let Control::Lines(rows) = self.field.control { rows } else { 1 }
    }
}

/// What is asked, inside of its form.
#[derive(Debug, Template)]
#[template(path = "components/asking.html")]
pub(super) struct AskingInside<'a> {
    asking: &'a Asking,
}

html_safe!(AskingInside<'_>);

impl Asking {
    /// The fields, without the form around them and its buttons.
    pub(super) fn inside(&self) -> AskingInside<'_> {
        AskingInside { asking: self }
    }

    pub(super) fn sample(words: Words) -> Self {
        let pick = |name: &str, legend: &str, all: &[(&str, &str, &str)], chosen: &str| Pick {
            name: name.to_owned(),
            legend: legend.to_owned(),
            choices: all
                .iter()
                .map(|(value, label, key)| {
                    let choice =
                        Choice { value: (*value).to_owned(), label: words.say(label), chosen: *value == chosen };
                    (choice, (*key).to_owned())
                })
                .collect(),
            ..Pick::default()
        };
        Self {
            action: "/queue/exc_1/review".to_owned(),
            csrf: csrf(),
            hidden: vec![("next".to_owned(), words.say("client=cl_1"))],
            error: words.say("A cause is one of the known ones."),
            picks: vec![
                pick("agent", "The agent was", &[("right", "Right", "1"), ("wrong", "Wrong", "2")], "wrong"),
                pick("cause", "Because of", &[("tool", "Tool", "t"), ("data", "Data", "d")], ""),
                pick("preventable", "It could have been prevented", &[("yes", "Yes", "y"), ("no", "No", "n")], "yes"),
                Pick {
                    only_with: ("preventable".to_owned(), "yes".to_owned()),
                    ..pick("prevented_by", "By", &[("rule", "Rule", "5")], "")
                },
            ],
            fields: vec![
                Keyed {
                    key: "l".to_owned(),
                    field: Field::number("cleanup", "Cleanup", "5").with_unit("minutes").optional(),
                },
                Keyed {
                    key: "w".to_owned(),
                    field: Field::lines("resolution", "What was done", words.say("Called back"), 2),
                },
            ],
            button: "Close and go on".to_owned(),
            cancel: String::new(),
        }
    }
}

impl Samples for ReviewPage {
    fn empty() -> Self {
        Self {
            said: None,
            notices: Vec::new(),
            badges: vec![Badge::new(Icon::Exceptions, "error", Tone::Bad)],
            stopped: String::new(),
            why: "no value set · due in 2 d".to_owned(),
            tone: Tone::Neutral,
            facts: Facts::default(),
            packet: None,
            parts: Vec::new(),
            conversation: Conversation::default(),
            before: Table::default(),
            reviews: Table::default(),
            holder: "Nobody works on it. Looking claims nothing.".to_owned(),
            claims: vec![Action::post("Claim it", "/queue/exc_1/claim", csrf()).with_key("c").primary()],
            form: None,
            assigning: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let undo = Action::post("Undo", "/queue/exc_2/undo", csrf()).with_key("u");
        Self {
            said: Some(Flash { undo: Some(undo), ..Flash::good(words.say("“order 40 not found” is closed.")) }),
            notices: vec![Notice::new(Tone::Warn, "The run was read again since", words.say("The message changed."))],
            badges: vec![Badge::new(Icon::Escalated, "escalation", Tone::Info)],
            stopped: words.say("The caller asked for a person"),
            why: words.say("€45 at stake · due 2 h ago · a person is waiting"),
            tone: Tone::Bad,
            facts: Facts {
                across: true,
                facts: vec![
                    Fact::link("Workflow", words.say("Receptionist"), "/workflows/wf_1"),
                    Fact::link("Run", words.say("Move a cleaning to Thursday"), "/runs/run_1"),
                    Fact::link("Pattern", words.say("asked for a person"), "/patterns/pat_1"),
                    Fact::text("Whose", words.say("Ada")),
                ],
            },
            packet: Some(samples::packet(words)),
            parts: vec![
                PacketPart {
                    head: "What was asked".to_owned(),
                    text: words.say("Can I move my cleaning to Thursday?"),
                    lines: Vec::new(),
                },
                PacketPart {
                    head: "What was done".to_owned(),
                    text: String::new(),
                    lines: vec![words.say("Looked up the appointment: found."), words.say("Moved it: no free slot.")],
                },
            ],
            conversation: gallery::conversation(words),
            before: Table::new(
                "What worked before",
                vec![Column::new("What was done"), Column::new("Cause"), Column::new("When")],
                vec![Row::opens(
                    "/queue/exc_2",
                    vec![
                        Cell::Name(words.say("Called back and offered Friday"), words.say("by Ada")),
                        Cell::text("data"),
                        Cell::Time(ago(1_500)),
                    ],
                )],
            ),
            reviews: Table::new(
                "Reviews of it",
                vec![Column::new("Review"), Column::new("When")],
                vec![Row {
                    is_off: true,
                    ..Row::plain(vec![
                        Cell::Name(words.say("wrong, tool"), words.say("taken back")),
                        Cell::Time(ago(9)),
                    ])
                }],
            ),
            holder: String::new(),
            claims: Vec::new(),
            form: Some(ReviewForm {
                held: "Yours until 14:20".to_owned(),
                keep: "/queue/exc_1/keep".to_owned(),
                idle_ms: 60_000,
                counted_ms: 42_000,
                counted: "0:42".to_owned(),
                asking: Asking::sample(words),
                correction: vec![
                    Field::number("active_minutes", "Minutes that it took", "").optional(),
                    Field::text("active_note", "Why", "").optional(),
                ],
                corrected: false,
                others: vec![
                    Action::submit("Skip", "/queue/exc_1/skip").with_key("s").with_look(Look::Quiet),
                    Action::submit("Release", "/queue/exc_1/release").with_look(Look::Quiet),
                ],
            }),
            assigning: Some(Form::new(
                "/queue/exc_1/assign",
                csrf(),
                "Assign",
                vec![Field::select("person", "Whose it is", Choice::list(&[("per_1", words.say("Ada"))], "per_1"))],
            )),
        }
    }
}
