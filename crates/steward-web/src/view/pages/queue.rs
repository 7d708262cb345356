//! The queue: what waits for a person, in the order of what waiting costs.

use askama::Template;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::filters::{Chip, FilterBar};
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::table::{Bulk, Cell, Column, Row, Sorted, Table};
use crate::view::components::tabs::{Tab, Tabs};
use crate::view::samples::{self, Samples, Words, ago};

/// The queue.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/queue.html")]
pub struct QueuePage {
    /// The stream that says when to look again; empty is not live.
    pub live: String,
    /// Open, oldest, median age, arrivals and closings a day.
    pub facts: Facts,
    /// Whether it grows, holds or clears, in a sentence; empty where nothing is known of it.
    pub forecast: String,
    /// All, mine, nobody's, overdue.
    pub tabs: Tabs,
    /// What it is filtered by.
    pub filters: FilterBar,
    /// What waits.
    pub table: Table,
}

impl Samples for QueuePage {
    fn empty() -> Self {
        let empty = Empty::new(
            Icon::Queue,
            "Nothing waits for anybody",
            "What an agent could not finish appears here a few seconds after its run has ended.",
        );
        Self {
            live: String::new(),
            facts: Facts::default(),
            forecast: String::new(),
            tabs: Tabs::default(),
            filters: FilterBar::default(),
            table: Table::default().or_empty(empty),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let row = |message: &str, why: &str, tone: Tone, by: &str, minutes: i64| Row {
            key: "exc_1".to_owned(),
            ..Row::opens(
                "/queue/exc_1",
                vec![
                    Cell::Name(words.say(message), words.say("Northwind Dental › Receptionist")),
                    Cell::Reason(words.say(why), tone),
                    Cell::text(words.say(by)),
                    Cell::Time(ago(minutes)),
                    Cell::Actions(vec![Action::submit("Claim", "/queue/exc_1/claim").with_key("c")]),
                ],
            )
        };
        Self {
            live: "/live".to_owned(),
            facts: Facts {
                across: true,
                facts: vec![
                    Fact::text("Open", words.number("1,204")),
                    Fact::text("Oldest", "6 d 4 h"),
                    Fact::text("Half are older than", "19 h"),
                    Fact::text("Arrive a day", words.number("84")),
                    Fact::text("Closed a day", words.number("61")),
                ],
            },
            forecast: "It grows by 23 a day.".to_owned(),
            tabs: Tabs {
                label: "Whose".to_owned(),
                tabs: vec![
                    Tab { count: "1,204".to_owned(), ..Tab::new("All", "/queue", true) },
                    Tab { count: "12".to_owned(), ..Tab::new("Mine", "/queue?assignee=me", false) },
                    Tab::new("Nobody's", "/queue?assignee=nobody", false),
                ],
                at_side: false,
            },
            filters: FilterBar {
                path: "/queue".to_owned(),
                text_name: "q".to_owned(),
                text_placeholder: "Words, tool or code".to_owned(),
                chips: vec![Chip {
                    name: "client".to_owned(),
                    value: words.say("Northwind Dental"),
                    remove: "/queue".to_owned(),
                }],
                clear: "/queue".to_owned(),
                ..FilterBar::default()
            },
            table: Table {
                id: "queue".to_owned(),
                pager: Some(samples::pager("/queue")),
                bulk: Some(Bulk {
                    href: "/queue/selected".to_owned(),
                    csrf: samples::csrf(),
                    what: "items".to_owned(),
                    buttons: vec![
                        ("assign".to_owned(), "Assign".to_owned()),
                        ("review".to_owned(), "Review together".to_owned()),
                    ],
                }),
                ..Table::new(
                    "What waits, in the order of what waiting costs",
                    vec![
                        Column::new("What happened"),
                        Column::new("Why now").sorted("/queue", Sorted::Descending),
                        Column::new("Whose"),
                        Column::new("Since").sorted("/queue?sort=arrived", Sorted::Not),
                        Column::new(""),
                    ],
                    vec![
                        row(
                            "The caller asked for a person",
                            "€45 at stake · due 2 h ago · a person is waiting",
                            Tone::Bad,
                            "Ada, until 14:20",
                            190,
                        ),
                        row("order <*> not found", "€12 at stake · due in 3 h", Tone::Warn, "nobody", 60),
                        row("the answer is empty", "no value set · due in 2 d", Tone::Neutral, "Grace", 1_500),
                    ],
                )
            },
        }
    }
}

/// Whose some of what waits becomes.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/queue_assign.html")]
pub struct QueueAssign {
    /// Whose.
    pub form: Form,
    /// What is selected.
    pub some: Table,
}

impl Samples for QueueAssign {
    fn empty() -> Self {
        Self { form: Form::default(), some: Table::default() }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let people = Choice::list(&[("", "nobody".to_owned()), ("per_1", words.say("Ada Lindqvist"))], "per_1");
        Self {
            form: Form {
                hidden: vec![("key".to_owned(), "item_1".to_owned())],
                ..Form::new(
                    "/queue/selected/assign",
                    samples::csrf(),
                    "Assign",
                    vec![Field::select("person", "Whose they become", people)],
                )
            },
            some: Table::new(
                "What is selected",
                vec![Column::new("What happened"), Column::new("Since")],
                vec![Row::opens(
                    "/queue/item_1",
                    vec![Cell::name(words.say("order 41 not found")), Cell::Time(ago(9))],
                )],
            ),
        }
    }
}

/// What is done to several things of the queue, said before it is done.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/queue_bulk.html")]
pub struct QueueBulk {
    /// What it is about, in figures: how many, of which patterns, how old.
    pub facts: Facts,
    /// What is odd about it.
    pub notices: Vec<Notice>,
    /// Some of them.
    pub some: Table,
    /// What is said of all of them.
    pub form: super::review::Asking,
}

impl Samples for QueueBulk {
    fn empty() -> Self {
        Self {
            facts: Facts::default(),
            notices: Vec::new(),
            some: Table::default(),
            form: super::review::Asking::default(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            facts: Facts {
                across: true,
                facts: vec![
                    Fact::text("Reviewed together", words.number("842")),
                    Fact::link("Pattern", words.say("order <*> not found"), "/patterns/pat_1"),
                ],
            },
            notices: vec![Notice::new(Tone::Warn, "3 are claimed by others", "They are left out.")],
            some: Table::new(
                "Some of them",
                vec![Column::new("What happened"), Column::new("Since")],
                vec![Row::opens("/queue/exc_1", vec![Cell::name(words.say("order 41 not found")), Cell::Time(ago(9))])],
            ),
            form: super::review::Asking::sample(words),
        }
    }
}

/// A bulk review: how far it is, and what it said.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/queue_job.html")]
pub struct QueueJob {
    /// Where it is asked for again while it goes on; empty once it has ended.
    pub again: String,
    /// What is the case: "120 of 842 are reviewed".
    pub title: String,
    /// More of it: what failed, what was left out.
    pub text: String,
    /// How far it is.
    pub badge: Badge,
    /// The share that is done, from 0 to 100.
    pub percent: u32,
    /// What was said of all of them.
    pub facts: Facts,
    /// What can be done now: undo, go to the queue.
    pub actions: Vec<Action>,
}

impl Samples for QueueJob {
    fn empty() -> Self {
        Self {
            again: String::new(),
            title: "842 were reviewed".to_owned(),
            text: String::new(),
            badge: Badge::new(Icon::Completed, "done", Tone::Good),
            percent: 100,
            facts: Facts::default(),
            actions: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            again: "/queue/bulk/job_1".to_owned(),
            title: "120 of 842 are reviewed".to_owned(),
            text: words.say("The last try failed."),
            badge: Badge::new(Icon::Clock, "at work", Tone::Info),
            percent: 14,
            facts: Facts {
                across: false,
                facts: vec![Fact::text("The agent was", "wrong"), Fact::text("Resolution", words.say("Told the shop"))],
            },
            actions: vec![Action::post("Undo all of it", "/queue/bulk/job_1/undo", samples::csrf()).with_key("u")],
        }
    }
}
