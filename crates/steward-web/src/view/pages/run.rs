//! A run: what happened, and why do we say so?

use askama::Template;
use steward_core::outcome::Outcome;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::conversation::Conversation;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::snippet::IdCopy;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::waterfall::Waterfall;
use crate::view::format::Time;
use crate::view::gallery;
use crate::view::html::Csrf;
use crate::view::samples::{Samples, Words, ago, csrf};

/// A run.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/run.html")]
pub struct RunPage {
    /// The stream that says when to look again while it is open or provisional; empty is not live.
    pub live: String,
    /// The run after and the run before it in the list that led here; empty where there is none.
    pub newer: String,
    /// See `newer`.
    pub older: String,
    /// The head: workflow, began, took, steps, model, tokens, cost, release, user, id.
    pub facts: Facts,
    /// What went wrong in it, or is odd about it.
    pub notices: Vec<Notice>,
    /// What a person should look at: message, sort, step, pattern.
    pub exceptions: Table,
    /// Its outcome, and why.
    pub because: Because,
    /// The form for a person's verdict; `None` for those who may not give one.
    pub verdict: Option<VerdictForm>,
    /// What it brought about: result, value, at which step.
    pub results: Table,
    /// What was said.
    pub conversation: Conversation,
    /// Its steps over time.
    pub waterfall: Waterfall,
    /// Every step with all that is known of it.
    pub details: Vec<StepDetail>,
    /// What it cost: what for, quantity, price, amount, and on what basis.
    pub costs: Table,
    /// Judgements that came with it: name, value, by whom, reason.
    pub scores: Table,
    /// How it was read.
    pub reading: ReadingPanel,
    /// As it came in.
    pub raw: RawPanel,
}

/// An outcome, and why.
#[derive(Debug, Clone)]
pub struct Because {
    /// The outcome.
    pub outcome: Badge,
    /// The run's state.
    pub state: Badge,
    /// In words: "A rule says so: tool book_appointment succeeded".
    pub words: String,
    /// The step on which it rests; empty when on none.
    pub step: String,
    /// What else was looked at and did not decide, strongest first.
    pub others: Vec<OtherEvidence>,
    /// When the state may still change: "Late data is awaited until 14:15". Empty when it will not.
    pub until: String,
}

/// Evidence that did not decide.
#[derive(Debug, Clone)]
pub struct OtherEvidence {
    /// Its kind: "verdict", "explicit", "score", "rule", "status".
    pub kind: String,
    /// What it says: "none was given".
    pub words: String,
}

/// The form for a person's verdict.
#[derive(Debug, Clone)]
pub struct VerdictForm {
    /// Where it posts to: `outcome` and `comment`.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// The outcomes to choose from; the verdict that stands is chosen.
    pub choices: Vec<Choice>,
    /// The comment that stands.
    pub comment: Field,
    /// Who gave the verdict that stands, and when; `None` without one.
    pub given: Option<(String, Time)>,
}

/// A step with all that is known of it.
#[derive(Debug, Clone, Default)]
pub struct StepDetail {
    /// Its id on the page.
    pub id: String,
    /// Its kind, name and time in a line.
    pub summary: String,
    /// What went in and came out, its error, tokens, cost, and how it was read.
    pub text: String,
}

/// How a run was read.
#[derive(Debug, Clone, Default)]
pub struct ReadingPanel {
    /// Dialects, attributes, revision, boundary: how the run was cut out of the spans.
    pub facts: Facts,
    /// Readings that needed a guess, in words.
    pub notes: Vec<String>,
    /// The rules that filled its steps, each with the number of steps: the most used first.
    pub rules: Vec<(String, usize)>,
    /// Attributes that no rule used, each with where runs with it are; empty where they cannot be found by it.
    pub unmapped: Vec<(String, String)>,
}

/// A run as it came in.
#[derive(Debug, Clone, Default)]
pub struct RawPanel {
    /// The text, cut where it is very long.
    pub text: String,
    /// Where all of it is to be had; empty when it is kept no longer.
    pub href: String,
    /// What is said instead or besides: "Raw payloads are kept for 30 days".
    pub note: String,
}

impl Samples for RunPage {
    fn empty() -> Self {
        Self {
            live: String::new(),
            newer: String::new(),
            older: String::new(),
            facts: Facts::default(),
            notices: Vec::new(),
            exceptions: Table::default(),
            because: Because {
                outcome: Badge::outcome(Outcome::Unverified),
                state: Badge::run_state("open"),
                words: "It is still open.".to_owned(),
                step: String::new(),
                others: Vec::new(),
                until: String::new(),
            },
            verdict: None,
            results: Table::default(),
            conversation: Conversation {
                turns: Vec::new(),
                empty: Some(Empty::new(
                    Icon::Message,
                    "Nothing that was said came in",
                    "The sender leaves contents out. Steps, costs and outcome are known all the same.",
                )),
            },
            waterfall: Waterfall::default(),
            details: Vec::new(),
            costs: Table::default(),
            scores: Table::default(),
            reading: ReadingPanel::default(),
            raw: RawPanel {
                note: "Raw payloads are kept for 30 days; this one is gone.".to_owned(),
                ..RawPanel::default()
            },
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            live: "/live?run=run_1".to_owned(),
            newer: "/runs/run_2".to_owned(),
            older: "/runs/run_0".to_owned(),
            facts: facts(words),
            notices: vec![Notice::new(
                Tone::Bad,
                words.say("check_insurance failed: 401 token expired"),
                "The agent went on without it. 41 runs since Saturday had the same.",
            )],
            exceptions: exceptions(words),
            because: because(words),
            verdict: Some(VerdictForm {
                action: "/runs/run_1/verdict".to_owned(),
                csrf: csrf(),
                choices: Choice::list(
                    &[
                        ("completed", "completed"),
                        ("escalated", "escalated"),
                        ("failed", "failed"),
                        ("abandoned", "abandoned"),
                    ],
                    "failed",
                ),
                comment: Field::lines(
                    "comment",
                    "Why",
                    words.say("The caller asked about coverage and got no answer."),
                    2,
                )
                .optional(),
                given: Some((words.say("Ada Lindqvist"), ago(30))),
            }),
            results: Table::new(
                "Results",
                vec![Column::new("Result"), Column::number("Value")],
                vec![Row::plain(vec![
                    Cell::Name(
                        words.say("appointments booked"),
                        "at step book_appointment, outside business hours".to_owned(),
                    ),
                    Cell::number("€12.00"),
                ])],
            ),
            conversation: gallery::conversation(words),
            waterfall: gallery::waterfall(words),
            details: vec![StepDetail {
                id: "detail-0".to_owned(),
                summary: words.say("tool check_insurance, 4.1 s"),
                text: words.say("error (auth 401): token expired\nread as otel_genai, 22 attributes"),
            }],
            costs: costs(words),
            scores: Table::new(
                "Scores",
                vec![Column::new("Score"), Column::number("Value"), Column::new("Reason")],
                vec![Row::plain(vec![
                    Cell::Name(words.say("task_success"), "by an evaluator".to_owned()),
                    Cell::number("0.5"),
                    Cell::text(words.say("Moved the appointment; coverage stayed open.")),
                ])],
            ),
            reading: ReadingPanel {
                facts: Facts {
                    across: false,
                    facts: vec![
                        Fact::text("Dialect", "OpenTelemetry GenAI"),
                        Fact::text("Attributes", "184 on 9 steps, 3 keys unused"),
                        Fact::text("Cut out as", "one conversation, ended by its root"),
                        Fact::text("Revision", "2, after late spans"),
                    ],
                },
                notes: vec![words.say("A step ended before it started; its end was taken as its start.")],
                rules: vec![("otel_genai.model".to_owned(), 4), (words.say("otel_genai.tool"), 1)],
                unmapped: vec![
                    (words.say("vendor.callId"), "/runs?unmapped_key=vendor.callId".to_owned()),
                    ("vendor.region".to_owned(), String::new()),
                ],
            },
            raw: RawPanel {
                text: words.say("{\n  \"resourceSpans\": [\n    { \"scopeSpans\": [ … ] }\n  ]\n}"),
                href: "/runs/run_1/raw.json".to_owned(),
                note: "Kept until 3 Dec 2026.".to_owned(),
            },
        }
    }
}

fn facts(words: Words) -> Facts {
    Facts {
        across: true,
        facts: vec![
            Fact::link("Workflow", words.say("Northwind Dental › Receptionist"), "/workflows/wf_1"),
            Fact::new("Ended", FactValue::Time(ago(2))),
            Fact::new("Took", FactValue::Text("18 s".to_owned(), "17,942 ms, none of it waiting".to_owned())),
            Fact::text("Steps", "9: 4 model, 3 tool, 2 other"),
            Fact::text("Model", words.say("gpt-5.2-mini")),
            Fact::new(
                "Tokens",
                FactValue::Text(
                    "5.1 k in, 412 out".to_owned(),
                    "5,104 in (3,072 from cache), 412 out (96 reasoning)".to_owned(),
                ),
            ),
            Fact::text("Cost", "$0.0142"),
            Fact::text("Release", words.say("v14")),
            Fact::new("User", FactValue::Unknown("the sender does not say".to_owned())),
            Fact::new("Run", FactValue::Id(IdCopy("run_018f3b2c9d4e7a6b8c1d2e3f4a5b6c7d".to_owned()))),
        ],
    }
}

fn exceptions(words: Words) -> Table {
    let row = |message: &str, sort: &str, pattern: Badge| {
        Row::opens(
            "/patterns/pat_1",
            vec![
                Cell::Name(words.say(message), words.say(sort)),
                Cell::Link(words.say("check_insurance"), "#step-2".to_owned()),
                Cell::Time(ago(30)),
                Cell::Badge(pattern),
            ],
        )
    };
    Table::new(
        "Exceptions",
        vec![Column::new("Exception"), Column::new("Step"), Column::new("When"), Column::new("Pattern")],
        vec![
            row("the insurer did not answer", "error · timeout", Badge::new(Icon::Flag, "new", Tone::Warn)),
            row("the agent said it", "expectation · never_says", Badge::new(Icon::Eye, "known", Tone::Info)),
        ],
    )
}

fn because(words: Words) -> Because {
    let other = |kind: &str, text: &str| OtherEvidence { kind: kind.to_owned(), words: words.say(text) };
    Because {
        outcome: Badge::outcome(Outcome::Failed),
        state: Badge::run_state("final"),
        words: words.say("Ada Lindqvist said so: the caller asked about coverage and got no answer."),
        step: "#turn-3".to_owned(),
        others: vec![
            other("explicit", "the sender said nothing"),
            other("score", "task_success is 0.5, below 1"),
            other("rule", "rule 2 would say completed: tool book_appointment succeeded"),
            other("status", "it ended without an error"),
        ],
        until: "Late data is awaited until 14:15; then it is final.".to_owned(),
    }
}

fn costs(words: Words) -> Table {
    let row = |what: &str, quantity: &str, price: &str, amount: Cell| {
        Row::plain(vec![Cell::name(words.say(what)), Cell::number(quantity), Cell::number(price), amount])
    };
    Table {
        sums: vec![Cell::name("Together"), Cell::Blank, Cell::Blank, Cell::number("$0.0142")],
        ..Table::new(
            "Costs",
            vec![Column::new("For"), Column::number("Quantity"), Column::number("Price"), Column::number("Amount")],
            vec![
                row(
                    "gpt-5.2-mini, input",
                    "2,032",
                    "$0.40 / 1 M",
                    Cell::Number("$0.0008".to_owned(), "by the price table of 1 Sep 2026".to_owned()),
                ),
                row("gpt-5.2-mini, from cache", "3,072", "$0.10 / 1 M", Cell::number("$0.0003")),
                row("gpt-5.2-mini, output", "412", "$1.60 / 1 M", Cell::number("$0.0007")),
                row("Telephony", "48 s", "as reported", Cell::number("$0.0124")),
                row("send_sms", "1", "–", Cell::Unknown("no price is known".to_owned())),
            ],
        )
    }
}
