//! Settings: the agency, people, keys, prices, how reports look, one's own account.

use askama::Template;

use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Notice;
use crate::view::components::snippet::Snippet;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::{Tab, Tabs};
use crate::view::components::waiting::{Received, Waiting};
use crate::view::samples::{Samples, Words, ago, csrf};

/// The list of settings at the side, one of them open: `agency`, `people`, `keys`, `prices`, `brand`, `account`.
///
/// Only owners see people.
#[must_use]
pub fn settings_tabs(open: &str, manages_people: bool) -> Tabs {
    let all = [
        ("agency", "Agency", Icon::Home),
        ("people", "People", Icon::People),
        ("keys", "Keys", Icon::Key),
        ("prices", "Prices", Icon::Prices),
        ("brand", "Reports' look", Icon::Brand),
        ("account", "Your account", Icon::Person),
    ];
    let seen = all.into_iter().filter(|(word, ..)| manages_people || *word != "people");
    Tabs {
        label: "Settings".to_owned(),
        tabs: seen
            .map(|(word, name, icon)| Tab {
                icon: Some(icon),
                ..Tab::new(name, format!("/settings/{word}"), word == open)
            })
            .collect(),
        at_side: true,
    }
}

/// A page of settings that is forms and tables: agency, people, reports' look, account.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings.html")]
pub struct SettingsPage {
    /// The list at the side.
    pub side: Tabs,
    /// What is to be known first.
    pub notices: Vec<Notice>,
    /// Its parts in order.
    pub parts: Vec<SettingsPart>,
}

/// A part of settings.
#[derive(Debug, Clone, Default)]
pub struct SettingsPart {
    /// Its heading.
    pub title: String,
    /// What it is for.
    pub note: String,
    /// A form.
    pub form: Option<Form>,
    /// A table.
    pub table: Option<Table>,
    /// Text to hand on once: an invitation's link.
    pub once: Option<Once>,
}

/// Something that is shown only once, to copy.
#[derive(Debug, Clone, Default)]
pub struct Once {
    /// What it is: "The key “production”".
    pub title: String,
    /// It.
    pub value: String,
    /// What to know: "It is shown only now; Steward keeps its hash."
    pub note: String,
}

/// Keys, and how to connect with them.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings_keys.html")]
pub struct KeysPage {
    /// The list at the side.
    pub side: Tabs,
    /// The key that was just made, with its snippets; `None` otherwise.
    pub made: Option<Connect>,
    /// The form that makes one; `None` for those who may not.
    pub form: Option<Form>,
    /// The keys.
    pub table: Table,
    /// The snippets with a placeholder for the key, when none was just made; `None` shows none.
    pub connect: Option<Connect>,
}

/// How to connect one's own agent: a key, the lines for each platform, and whether something has come in.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    /// The key, shown once; `None` shows a placeholder in the snippets.
    pub key: Option<Once>,
    /// The platforms; the current one's lines are shown.
    pub platforms: Vec<Platform>,
    /// What to do, for the current platform.
    pub steps: Vec<ConnectStep>,
    /// "Waiting for your first run… received".
    pub waiting: Option<Waiting>,
}

/// A platform.
#[derive(Debug, Clone, Default)]
pub struct Platform {
    /// Its name: "Python, OpenTelemetry".
    pub name: String,
    /// The page's address with it open.
    pub href: String,
    /// Whether it is open.
    pub current: bool,
}

/// A step of connecting.
#[derive(Debug, Clone)]
pub struct ConnectStep {
    /// What to do.
    pub text: String,
    /// The lines for it.
    pub snippet: Option<Snippet>,
}

/// Prices of models and tools.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/settings_prices.html")]
pub struct PricesPage {
    /// The list at the side.
    pub side: Tabs,
    /// Models that were called of late and have no price: model, calls, tokens, what to do.
    pub unknown: Table,
    /// The agency's own prices, which come before the table's.
    pub own: Table,
    /// The form that adds one of one's own.
    pub form: Option<Form>,
    /// The price table: model, provider, input, cached, output, from when, source.
    pub known: Table,
    /// Of when the table is, and where from.
    pub known_note: String,
    /// The form that reckons a period's costs again.
    pub recompute: Option<Form>,
    /// What is searched for in the price table.
    pub search: String,
}

/// The keys of the agency.
pub(super) fn keys_table(words: Words) -> Table {
    let row = |name: &str, scope: &str, used: Cell, off: bool| Row {
        is_off: off,
        ..Row::plain(vec![
            Cell::Name(words.say(name), "sk_live_…8f2c".to_owned()),
            Cell::text(words.say(scope)),
            used,
            Cell::Time(ago(60_000)),
            if off {
                Cell::Badge(Badge::new(Icon::Lock, "revoked", Tone::Neutral))
            } else {
                Cell::Actions(vec![Action::ask("Revoke", "/settings/keys/key_1/revoke")])
            },
        ])
    };
    Table::new(
        "Keys",
        vec![
            Column::new("Key"),
            Column::new("Writes to"),
            Column::new("Last used"),
            Column::new("Made"),
            Column::new(""),
        ],
        vec![
            row("production", "any workflow of the agency", Cell::Time(ago(1)), false),
            row("receptionist", "Northwind Dental › Receptionist", Cell::Time(ago(4)), false),
            row("old laptop", "Lumen Air › Rebooking", Cell::Unknown("never used".to_owned()), true),
        ],
    )
    .or_empty(Empty::new(
        Icon::Key,
        "No key yet",
        "An agent sends its runs with a key: one for the whole agency, or one for each workflow.",
    ))
}

/// How to connect, with plain OpenTelemetry open.
pub(super) fn connect(words: Words, made: bool) -> Connect {
    let platform = |name: &str, current| Platform {
        name: name.to_owned(),
        href: format!("?platform={}", name.to_lowercase()),
        current,
    };
    Connect {
        key: made.then(|| Once {
            title: words.say("The key “production”"),
            value: "sk_live_2pG7vQmX9dTzR4wLkH8sYb1NcJ6fA3eU8f2c".to_owned(),
            note: "It is shown only now: Steward keeps its hash.".to_owned(),
        }),
        platforms: vec![
            platform("OpenTelemetry", true),
            platform("Python", false),
            platform("TypeScript", false),
            platform("LangGraph", false),
            platform("OpenAI Agents", false),
            platform("Langfuse SDK", false),
            platform("curl", false),
            platform("A file", false),
        ],
        steps: vec![
            ConnectStep {
                text: "Set these where your agent runs.".to_owned(),
                snippet: Some(Snippet::titled(
                    ".env",
                    "OTEL_EXPORTER_OTLP_ENDPOINT=https://steward.example\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nOTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20sk_live_…\nOTEL_SERVICE_NAME=receptionist",
                )),
            },
            ConnectStep { text: "Start it, and let it do one piece of work.".to_owned(), snippet: None },
        ],
        waiting: Some(Waiting {
            id: "first-run".to_owned(),
            live: "/live?topic=first-run".to_owned(),
            from: String::new(),
            received: (!made).then(|| Received {
                text: words.say("Received: 3 runs of “receptionist”"),
                at: ago(0),
                href: "/runs".to_owned(),
            }),
        }),
    }
}

impl Samples for SettingsPage {
    fn empty() -> Self {
        Self { side: settings_tabs("agency", false), notices: Vec::new(), parts: Vec::new() }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let person = |name: &str, email: &str, role: &str, off| Row {
            is_off: off,
            ..Row::plain(vec![
                Cell::Name(words.say(name), words.say(email)),
                Cell::text(role),
                Cell::text(if role == "contractor" {
                    words.say("Northwind Dental, Lumen Air")
                } else {
                    "all clients".to_owned()
                }),
                if off { Cell::text("invited, not yet here") } else { Cell::Time(ago(12)) },
                Cell::Actions(vec![
                    Action::open("Change", "/settings/people/pe_1"),
                    Action::ask("Remove", "/settings/people/pe_1/remove"),
                ]),
            ])
        };
        let people = SettingsPart {
            title: "People".to_owned(),
            note: "Operators do everything but people; contractors see assigned clients and no money.".to_owned(),
            table: Some(Table::new(
                "People",
                vec![
                    Column::new("Person"),
                    Column::new("Role"),
                    Column::new("Sees"),
                    Column::new("Last here"),
                    Column::new(""),
                ],
                vec![
                    person("Ada Lindqvist", "ada@meridian.example", "owner", false),
                    person("Bo Castellanos", "bo@meridian.example", "operator", false),
                    person("Chidi Eze", "chidi@elsewhere.example", "contractor", true),
                ],
            )),
            ..SettingsPart::default()
        };
        let invite = SettingsPart {
            title: "Invite somebody".to_owned(),
            note: "They get a link that works once, for three days.".to_owned(),
            form: Some(Form {
                in_pairs: true,
                ..Form::new(
                    "/settings/people",
                    csrf(),
                    "Make the invitation",
                    vec![
                        Field::text("name", "Name", ""),
                        Field::line("email", "email", "Address", "not an address")
                            .with_error("An address has an @ in it."),
                        Field::select(
                            "role",
                            "Role",
                            Choice::list(
                                &[("operator", "operator"), ("contractor", "contractor"), ("owner", "owner")],
                                "operator",
                            ),
                        ),
                    ],
                )
            }),
            once: Some(Once {
                title: words.say("Chidi's invitation"),
                value: "https://steward.example/join/3kQ9…".to_owned(),
                note: "It is shown only now. Hand it over by a way that you trust.".to_owned(),
            }),
            ..SettingsPart::default()
        };
        let brand = SettingsPart {
            title: "Reports' look".to_owned(),
            note: "White label: whose report it is.".to_owned(),
            form: Some(Form {
                has_files: true,
                ..Form::new(
                    "/settings/brand",
                    csrf(),
                    "Save",
                    vec![
                        Field::text("name", "Name on the cover", words.say("Meridian Automation")).optional(),
                        Field { control: Control::Line("color"), ..Field::text("colour", "Colour", "#1f5fbf") },
                        Field {
                            control: Control::File("image/svg+xml,image/png"),
                            ..Field::text("logo", "Logo", "").optional()
                        }
                        .with_hint("SVG or PNG, at most 200 kB."),
                        Field {
                            control: Control::Radios(Choice::list(&[("a4", "A4"), ("letter", "Letter")], "a4")),
                            ..Field::text("paper", "Paper", "")
                        },
                        Field::lines("contact", "Where readers may ask", words.say("hello@meridian.example"), 2),
                    ],
                )
                .with_ids("brand")
            }),
            ..SettingsPart::default()
        };
        Self {
            side: settings_tabs("people", true),
            notices: vec![Notice::new(
                Tone::Info,
                "Figures count days of Europe/Berlin",
                "Changing the zone changes days of reports that are not published yet.",
            )],
            parts: vec![people, invite, brand],
        }
    }
}

impl Samples for KeysPage {
    fn empty() -> Self {
        Self {
            side: settings_tabs("keys", true),
            made: None,
            form: None,
            table: Table { rows: Vec::new(), ..keys_table(Words::Plain) },
            connect: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            made: Some(connect(words, true)),
            form: Some(Form {
                in_pairs: true,
                ..Form::new(
                    "/settings/keys",
                    csrf(),
                    "Make a key",
                    vec![
                        Field::text("name", "Name", words.say("production"))
                            .with_hint("Where it is used, so that you know which one to revoke."),
                        Field::select(
                            "workflow",
                            "Writes to",
                            Choice::list(
                                &[
                                    ("", "any workflow of the agency".to_owned()),
                                    ("wf_1", words.say("Northwind Dental › Receptionist")),
                                ],
                                "",
                            ),
                        )
                        .with_hint("With a key for all, telemetry names the workflow."),
                    ],
                )
            }),
            table: keys_table(words),
            connect: None,
            ..Self::empty()
        }
    }
}

impl Samples for PricesPage {
    fn empty() -> Self {
        Self {
            side: settings_tabs("prices", true),
            unknown: Table::default(),
            own: Table::default(),
            form: None,
            known: Table::default(),
            known_note: String::new(),
            recompute: None,
            search: String::new(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let price = |model: &str, provider: &str| {
            Row::plain(vec![
                Cell::Name(words.say(model), words.say(provider)),
                Cell::number("$0.40"),
                Cell::number("$0.10"),
                Cell::number("$1.60"),
                Cell::text("1 Sep 2026"),
                Cell::Link(words.say("provider's page"), "https://example.com".to_owned()),
            ])
        };
        let columns = || {
            vec![
                Column::new("Model"),
                Column::number("Input, 1 M"),
                Column::number("Cached, 1 M"),
                Column::number("Output, 1 M"),
                Column::new("From"),
                Column::new("Source"),
            ]
        };
        Self {
            unknown: Table::new(
                "Models without a price",
                vec![Column::new("Model"), Column::number("Calls"), Column::number("Tokens"), Column::new("")],
                vec![Row::plain(vec![
                    Cell::Name(words.say("gpt-5.2-mini-2026-10"), words.say("openai")),
                    Cell::NumberLink("212".to_owned(), "/runs?model=gpt-5.2-mini-2026-10".to_owned()),
                    Cell::number("1,204,118"),
                    Cell::Actions(vec![
                        Action::open("Add its price", "/settings/prices?model=gpt-5.2-mini-2026-10#own").primary(),
                    ]),
                ])],
            ),
            own: Table::new("Own prices", columns(), vec![price("house-llama", "own machines")]),
            form: Some(Form {
                in_pairs: true,
                note: "Runs from that day on are reckoned again.".to_owned(),
                ..Form::new(
                    "/settings/prices",
                    csrf(),
                    "Add the price",
                    vec![
                        Field::text("model", "Model", words.say("gpt-5.2-mini-2026-10"))
                            .with_hint("As it is reported, or a beginning of it and *."),
                        Field::line("date", "from", "From", "2026-10-28"),
                        Field::number("input", "Input, a million tokens", "0.40").with_unit("USD"),
                        Field::number("cached", "From cache, a million tokens", "").with_unit("USD").optional(),
                        Field::number("output", "Output, a million tokens", "1.60").with_unit("USD"),
                    ],
                )
            }),
            known: Table::new(
                "The price table",
                columns(),
                vec![price("gpt-5.2-mini", "openai"), price("claude-sonnet-5", "anthropic")],
            ),
            known_note: "Of 14 Nov 2026, with this version of Steward.".to_owned(),
            recompute: Some(Form {
                in_pairs: true,
                ..Form::new(
                    "/settings/prices/recompute",
                    csrf(),
                    "Reckon again",
                    vec![
                        Field::line("date", "first", "From", "2026-10-01"),
                        Field::line("date", "last", "To", "2026-10-31"),
                    ],
                )
            }),
            ..Self::empty()
        }
    }
}
