//! Every component in all its states on one page, to look at and to check in a browser.

use askama::Template;
use steward_core::outcome::Outcome;
use steward_core::report::Change;
use steward_core::step::{Role, StepKind};

use super::components::attention::Attention;
use super::components::badge::{Badge, Tone};
use super::components::button::{Action, Look};
use super::components::chart::ChartBlock;
use super::components::confirm::Confirm;
use super::components::conversation::{CalledTool, Conversation, Turn};
use super::components::empty::Empty;
use super::components::facts::{Fact, FactValue, Facts};
use super::components::figure::{Comparison, Figure, Value, Way, sparkline};
use super::components::filters::{Chip, FilterBar};
use super::components::form::{Choice, Control, Field};
use super::components::icon::Icon;
use super::components::notice::Notice;
use super::components::packet::PacketCard;
use super::components::snippet::{IdCopy, Snippet};
use super::components::table::{Bulk, Cell, Column, ColumnPicker, Row, Sorted, Table};
use super::components::tabs::{Tab, Tabs};
use super::components::waiting::{Received, Waiting};
use super::components::waterfall::{Lane, Waterfall};
use super::format::Shown;
use super::html::Link;
use super::page::{Page, Wanted};
use super::pages::ask::Ask;
use super::pages::client::ClientPage;
use super::pages::clients::{ClientForm, Clients};
use super::pages::connections::{ConnectionPage, ConnectionsPage};
use super::pages::definitions::Definitions;
use super::pages::expectations::ExpectationsPage;
use super::pages::handoff::{ChannelPage, ChannelsPage, HandedOver, HandoffPage};
use super::pages::pattern::PatternPage;
use super::pages::problem::Problem;
use super::pages::queue::{QueueAssign, QueueBulk, QueueJob, QueuePage};
use super::pages::report::ReportPage;
use super::pages::reports::Reports;
use super::pages::review::ReviewPage;
use super::pages::rules::RulesPage;
use super::pages::run::RunPage;
use super::pages::runs::Runs;
use super::pages::sampling::SamplingPage;
use super::pages::set_up::SetUp;
use super::pages::settings::{KeysPage, PricesPage, SettingsPage};
use super::pages::sign_in::SignIn;
use super::pages::today::Today;
use super::pages::unmapped::UnmappedPage;
use super::pages::workflow::{WorkflowAssign, WorkflowPage, WorkflowSettingsPage};
use super::samples::{self, Samples, Words, ago, csrf};
use super::shell::{Crumb, Shell, Theme};

/// The gallery.
#[derive(Debug, Clone, Template)]
#[template(path = "gallery.html")]
pub struct Gallery {
    figures: Vec<Figure>,
    charts: Vec<ChartBlock>,
    badges: Vec<Badge>,
    actions: Vec<Action>,
    notices: Vec<Notice>,
    attention: Vec<Attention>,
    filters: FilterBar,
    table: Table,
    empty_table: Table,
    tabs: Tabs,
    side: Tabs,
    facts: Facts,
    snippets: Vec<Snippet>,
    fields: Vec<Field>,
    empty: Empty,
    waiting: Vec<Waiting>,
    confirm: Confirm,
    waterfall: Waterfall,
    conversation: Conversation,
    packet: PacketCard,
    icons: &'static [Icon],
}

impl Samples for Gallery {
    fn empty() -> Self {
        Self {
            figures: Vec::new(),
            charts: vec![ChartBlock {
                title: "Empty".to_owned(),
                no_data: "no runs".to_owned(),
                ..ChartBlock::default()
            }],
            badges: Vec::new(),
            actions: Vec::new(),
            notices: Vec::new(),
            attention: Vec::new(),
            filters: FilterBar::default(),
            table: Table::default(),
            tabs: Tabs::default(),
            side: Tabs::default(),
            facts: Facts::default(),
            snippets: Vec::new(),
            fields: Vec::new(),
            waiting: Vec::new(),
            waterfall: Waterfall::default(),
            conversation: Conversation::default(),
            packet: PacketCard::default(),
            ..Self::full(&Words::Plain)
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            figures: figures(words),
            charts: charts(words),
            badges: badges(words),
            actions: actions(),
            notices: notices(words),
            attention: attention(words),
            filters: filters(words),
            table: table(words),
            empty_table: Table { id: String::new(), rows: Vec::new(), ..table(words) },
            tabs: tabs(words, false),
            side: tabs(words, true),
            facts: facts(words),
            snippets: vec![
                Snippet::command("steward import runs.jsonl --workflow receptionist"),
                Snippet::titled(
                    words.say("Python, OpenTelemetry"),
                    "export OTEL_EXPORTER_OTLP_ENDPOINT=https://steward.example\nexport OTEL_EXPORTER_OTLP_HEADERS=\"authorization=Bearer sk_…\"\n",
                ),
            ],
            fields: fields(words),
            empty: Empty {
                command: Some(Snippet::command("steward import runs.jsonl")),
                ..Empty::new(
                    Icon::Runs,
                    "No runs in these 30 days",
                    "Runs appear here as soon as an agent sends its first trace.",
                )
                .with_action(Action::open("Connect an agent", "/settings/keys").primary())
            },
            waiting: vec![
                Waiting { id: "first".to_owned(), live: String::new(), from: String::new(), received: None },
                Waiting {
                    id: "second".to_owned(),
                    live: String::new(),
                    from: String::new(),
                    received: Some(Received {
                        text: words.say("Received: 3 runs of “support-bot”"),
                        at: ago(0),
                        href: "/runs".to_owned(),
                    }),
                },
            ],
            confirm: Confirm {
                title: format!("Revoke the key “{}”?", words.say("production")),
                text: "Agents that use it are refused from now on. Runs that came in with it stay.".to_owned(),
                lines: vec!["Used 4 min ago by “support-bot”".to_owned()],
                button: "Revoke the key".to_owned(),
                action: "/settings/keys/key_1/revoke".to_owned(),
                csrf: csrf(),
                back: "/settings/keys".to_owned(),
                is_danger: true,
                ..Confirm::default()
            },
            waterfall: waterfall(words),
            conversation: conversation(words),
            packet: samples::packet(words),
            icons: Icon::ALL,
        }
    }
}

fn figures(words: Words) -> Vec<Figure> {
    let mut figures = samples::figures(words);
    figures.push(Figure {
        name: "Completion rate".to_owned(),
        value: Value::NoData("none of 14 runs says whether it did its job".to_owned()),
        ..Figure::default()
    });
    figures.push(Figure {
        name: words.say("A name of its own"),
        value: Value::Known(Shown::plain(words.number("42"))),
        basis: words.say("of something"),
        spark: sparkline(&[Some(1.0), None, Some(2.0), Some(2.0), Some(f64::NAN)]),
        ..Figure::default()
    });
    figures
}

fn charts(words: Words) -> Vec<ChartBlock> {
    let mut charts = samples::charts();
    charts.push(ChartBlock {
        title: words.say("Queue age"),
        no_data: "nothing waits".to_owned(),
        ..ChartBlock::default()
    });
    charts
}

fn badges(words: Words) -> Vec<Badge> {
    let mut badges: Vec<_> = Outcome::ALL.into_iter().map(Badge::outcome).collect();
    badges.extend(["open", "provisional", "final"].map(Badge::run_state));
    badges.push(Badge::new(Icon::Release, words.say("v14"), Tone::Neutral));
    badges
}

fn actions() -> Vec<Action> {
    vec![
        Action::open("Publish", "#").primary().with_icon(Icon::Publish),
        Action::open("Edit", "#").with_icon(Icon::Edit),
        Action::open("Cancel", "#").with_look(Look::Quiet),
        Action::ask("Delete", "#").with_icon(Icon::Trash),
        Action::download("CSV", "#"),
        Action::post("Save", "/theme", csrf()),
    ]
}

fn notices(words: Words) -> Vec<Notice> {
    [Tone::Info, Tone::Good, Tone::Warn, Tone::Bad]
        .into_iter()
        .map(|tone| Notice {
            link: Some(Link::new("See them", "#")),
            ..Notice::new(
                tone,
                words.say("12 runs have no known cost"),
                "Their model is in no price table. Figures of cost leave them out.",
            )
        })
        .collect()
}

/// What needs somebody, as Today shows it.
#[must_use]
pub fn attention(words: Words) -> Vec<Attention> {
    let item = |tone, icon, title: &str, place: &str, why: &str, action: Action| Attention {
        tone,
        icon,
        title: words.say(title),
        place: words.say(place),
        href: "/workflows/wf_1".to_owned(),
        why: words.say(why),
        action: Some(action),
    };
    vec![
        item(
            Tone::Bad,
            Icon::Unplugged,
            "check_insurance fails: 41 of 44 calls refused",
            "Northwind Dental › Receptionist",
            "Authorization (401) since Saturday 02:10. Before that 0 of 312 failed.",
            Action::open("See the calls", "/runs?tool=check_insurance"),
        ),
        item(
            Tone::Bad,
            Icon::Silent,
            "No runs for 19 h",
            "Orchard & Vine › Lead qualifier",
            "It usually runs 38 times in such a stretch. The last came Monday 18:52; no error was reported.",
            Action::open("Look", "/workflows/wf_2"),
        ),
        item(
            Tone::Warn,
            Icon::Workflow,
            "A workflow that belongs to no client",
            "“refund-agent-eu”",
            "83 runs since yesterday 09:14, through the agency's key.",
            Action::open("Assign", "/workflows/wf_3/assign"),
        ),
        item(
            Tone::Warn,
            Icon::Cost,
            "212 runs without a known cost",
            "Halden Telecom › Troubleshooter",
            "Model “gpt-5.2-mini-2026-10” is in no price table since 28 Oct.",
            Action::open("Add its price", "/settings/prices?model=gpt-5.2-mini-2026-10"),
        ),
        item(
            Tone::Warn,
            Icon::Unverified,
            "Half of the runs are unverified",
            "Lumen Air › Rebooking",
            "604 of 1,190 ended and nothing says whether they did their job. Two rules would settle most.",
            Action::open("Write a rule", "/workflows/wf_4/rules"),
        ),
        item(
            Tone::Info,
            Icon::Reports,
            "October's report is drafted",
            "Northwind Dental",
            "Nothing is published yet; last month it went out on the 3rd.",
            Action::open("Read it", "/reports/rep_1"),
        ),
    ]
}

fn filters(words: Words) -> FilterBar {
    FilterBar {
        path: "/runs".to_owned(),
        text_name: "q".to_owned(),
        text: words.say("refund"),
        text_placeholder: "Search in what was said".to_owned(),
        keep: vec![("period".to_owned(), "30d".to_owned())],
        set: vec![("outcome".to_owned(), "failed".to_owned())],
        fields: vec![
            Field::select("outcome", "Outcome", Choice::list(&[("", "Any"), ("failed", "failed")], "failed")),
            Field::text("tool", "Tool", words.say("check_insurance")).optional(),
            Field::number("cost_min", "Cost at least", "").optional().with_unit("USD"),
        ],
        chips: vec![
            Chip { name: "outcome".to_owned(), value: "failed".to_owned(), remove: "/runs".to_owned() },
            Chip { name: "tool".to_owned(), value: words.say("check_insurance"), remove: "/runs".to_owned() },
        ],
        clear: "/runs".to_owned(),
    }
}

/// A table with a cell of every kind.
#[must_use]
pub fn table(words: Words) -> Table {
    let worse =
        Comparison { by: "12 %".to_owned(), way: Way::Up, change: Change::Worse, before: "1.1 s before".to_owned() };
    let row = |name: &str, off: bool| Row {
        key: name.to_owned(),
        is_off: off,
        ..Row::opens(
            "/runs/run_1",
            vec![
                Cell::Name(words.say(name), words.say("Northwind Dental › Receptionist")),
                Cell::Badge(Badge::outcome(Outcome::Completed)),
                Cell::Text(words.say("gpt-5.2-mini")),
                Cell::Bar(0.42, "42 %".to_owned(), "c-1"),
                Cell::Number(words.number("1,204"), "1,204.331".to_owned()),
                Cell::Change("1.2 s".to_owned(), worse.clone()),
                Cell::Unknown("no price is known".to_owned()),
                Cell::Time(ago(12)),
                Cell::Html(sparkline(&samples::rates(20, 5.0, 2.0))),
            ],
        )
    };
    Table {
        id: "runs".to_owned(),
        caption: "Runs".to_owned(),
        columns: vec![
            Column::new("Run"),
            Column::new("Outcome").sorted("/runs?sort=outcome", Sorted::Not),
            Column::new("Model"),
            Column::new("Share"),
            Column::number("Tokens").sorted("/runs?sort=tokens", Sorted::Descending),
            Column::number("Took").titled("End minus start, waiting included"),
            Column::number("Cost"),
            Column::new("Ended"),
            Column::new("Trend"),
        ],
        rows: vec![
            row("Move an appointment to Thursday", false),
            row("Refund for a cancelled flight", false),
            row("Archived thing", true),
        ],
        empty: Some(Empty::new(
            Icon::Runs,
            "No runs fit these filters",
            "Take a filter off, or look at a longer period.",
        )),
        pager: Some(samples::pager("/runs")),
        picker: Some(ColumnPicker {
            path: "/runs".to_owned(),
            keep: Vec::new(),
            columns: vec![
                ("model".to_owned(), "Model".to_owned(), true),
                ("release".to_owned(), "Release".to_owned(), false),
            ],
        }),
        bulk: Some(Bulk {
            href: "/runs/verdicts".to_owned(),
            csrf: csrf(),
            what: "runs".to_owned(),
            buttons: vec![
                ("completed".to_owned(), "Mark completed".to_owned()),
                ("failed".to_owned(), "Mark failed".to_owned()),
            ],
        }),
        sums: Vec::new(),
    }
}

fn tabs(words: Words, at_side: bool) -> Tabs {
    Tabs {
        label: if at_side { "Settings" } else { "Parts of the workflow" }.to_owned(),
        tabs: vec![
            Tab::new("Figures", "#", true),
            Tab { count: words.number("12"), ..Tab::new("Tools", "#", false) },
            Tab { icon: at_side.then_some(Icon::Settings), ..Tab::new(&words.say("Rules"), "#", false) },
        ],
        at_side,
    }
}

fn facts(words: Words) -> Facts {
    Facts {
        across: false,
        facts: vec![
            Fact::text("Model", words.say("gpt-5.2-mini")),
            Fact::link("Workflow", words.say("Receptionist"), "/workflows/wf_1"),
            Fact::new("Outcome", FactValue::Badge(Badge::outcome(Outcome::Escalated))),
            Fact::new("Ended", FactValue::Time(ago(90))),
            Fact::new("Run", FactValue::Id(IdCopy("run_018f3b2c9d4e7a6b8c1d2e3f4a5b6c7d".to_owned()))),
            Fact::new("Cost", FactValue::Unknown("the model is in no price table".to_owned())),
        ],
    }
}

fn fields(words: Words) -> Vec<Field> {
    vec![
        Field::text("name", "Name", words.say("Receptionist")).with_hint("As it stands in reports."),
        Field::line("email", "email", "Address", "ada").with_error("An address has an @ in it."),
        Field::number("minutes", "Minutes that a person needed", "6.5").with_unit("minutes").optional(),
        Field::select(
            "unit",
            "One run is",
            Choice::list(&[("trace", "one trace"), ("conversation", "one conversation")], "trace"),
        ),
        Field {
            control: Control::Radios(Choice::list(&[("a4", "A4"), ("letter", "Letter")], "a4")),
            ..Field::text("paper", "Paper", "")
        },
        Field::check("tests", "Count test runs too", true).with_hint("They are left out otherwise."),
        Field::lines("note", "Note", words.say("Why"), 3),
        Field { control: Control::Code(4), ..Field::lines("code", "Business hours", "Mon-Fri 09:00-17:00", 3) },
        Field { control: Control::File("image/png"), ..Field::text("logo", "Logo", "").optional() },
    ]
}

/// A run's steps over time.
#[must_use]
pub fn waterfall(words: Words) -> Waterfall {
    let lane = |id: usize, kind, name: &str, depth, from, length, took: &str, failed| Lane {
        id: format!("step-{id}"),
        href: format!("#turn-{}", id.min(4)),
        kind,
        name: words.say(name),
        title: words.say("gpt-5.2-mini · 1,204 tokens in, 88 out · $0.0021"),
        depth,
        from,
        length,
        duration: took.to_owned(),
        failed,
    };
    Waterfall {
        total: "18 s".to_owned(),
        steps: vec![
            lane(0, StepKind::Agent, "receptionist", 0, 0.0, 1.0, "18 s", false),
            lane(1, StepKind::Model, "gpt-5.2-mini", 1, 0.01, 0.13, "2.3 s", false),
            lane(2, StepKind::Retrieval, "search_practice_handbook", 1, 0.15, 0.04, "710 ms", false),
            lane(3, StepKind::Model, "gpt-5.2-mini", 1, 0.2, 0.16, "2.9 s", false),
            lane(4, StepKind::Tool, "check_insurance", 2, 0.37, 0.22, "4.0 s", true),
            lane(5, StepKind::Guardrail, "no_medical_advice", 2, 0.6, 0.002, "31 ms", false),
            lane(6, StepKind::Model, "gpt-5.2-mini", 1, 0.62, 0.14, "2.5 s", false),
            lane(7, StepKind::Tool, "book_appointment", 2, 0.77, 0.11, "1.9 s", false),
            lane(8, StepKind::Model, "gpt-5.2-mini", 1, 0.89, 0.5, "1.8 s", false),
        ],
        left_out: "212 more steps are in the raw view.".to_owned(),
    }
}

/// A run's conversation.
#[must_use]
pub fn conversation(words: Words) -> Conversation {
    let turn = |id: usize, role, name: &str, at: &str, note: &str, text: &str, calls| Turn {
        id: format!("turn-{id}"),
        role,
        name: name.to_owned(),
        at: at.to_owned(),
        note: note.to_owned(),
        text: words.say(text),
        calls,
    };
    let call = |name: &str, arguments: &str, result: Option<&str>, failed, took: &str| CalledTool {
        id: format!("call-{name}"),
        name: words.say(name),
        arguments: arguments.to_owned(),
        result: result.map(|result| words.say(result)),
        failed,
        duration: took.to_owned(),
        open: false,
    };
    Conversation {
        turns: vec![
            turn(
                0,
                Role::System,
                "",
                "",
                "",
                "You are the receptionist of Northwind Dental. Be brief and kind. Never give medical advice.",
                Vec::new(),
            ),
            turn(
                1,
                Role::User,
                "Caller",
                "+0.0 s",
                "",
                "Hi, I need to move my cleaning on Tuesday to later in the week. And does my new insurance cover it?",
                Vec::new(),
            ),
            turn(
                2,
                Role::Assistant,
                "",
                "+2.3 s",
                "gpt-5.2-mini · 2.9 s · $0.0021",
                "I can do both. Let me check your insurance first.",
                vec![
                    call(
                        "check_insurance",
                        "{\n  \"patient\": \"P-20931\",\n  \"plan\": \"Delta Basic\"\n}",
                        Some("Error: 401 Unauthorized: token expired"),
                        true,
                        "4.0 s",
                    ),
                    call(
                        "book_appointment",
                        "{\n  \"patient\": \"P-20931\",\n  \"slot\": \"2026-11-05T15:30\",\n  \"kind\": \"cleaning\"\n}",
                        Some("{\n  \"confirmation\": \"N-4471\",\n  \"slot\": \"2026-11-05T15:30\"\n}"),
                        false,
                        "1.9 s",
                    ),
                    call("send_sms", "{}", None, false, "–"),
                ],
            ),
            turn(
                3,
                Role::Assistant,
                "",
                "+18 s",
                "gpt-5.2-mini · 1.8 s · $0.0019",
                "You're moved to Thursday at 15:30, confirmation N-4471. I couldn't reach the insurer just now; the desk will call you about coverage before your visit.",
                Vec::new(),
            ),
            turn(4, Role::User, "Caller", "+31 s", "", "Perfect, thank you!", Vec::new()),
        ],
        empty: None,
    }
}

/// The names of all pages of the gallery.
pub const SAMPLE_NAMES: [&str; 37] = [
    "gallery",
    "today",
    "clients",
    "client-form",
    "client",
    "workflow",
    "workflow-settings",
    "connections",
    "connection",
    "workflow-assign",
    "rules",
    "expectations",
    "sampling",
    "pattern",
    "queue",
    "queue-assign",
    "queue-bulk",
    "queue-job",
    "review",
    "runs",
    "run",
    "reports",
    "report",
    "settings",
    "keys",
    "prices",
    "sign-in",
    "set-up",
    "definitions",
    "unmapped",
    "handed-over",
    "channels",
    "channel",
    "handoff",
    "problem",
    "ask",
    "today-well",
];

/// Renders a page of the gallery by its name, in these words or empty. `None` when there is no such page.
#[must_use]
pub fn render_sample(name: &str, words: Option<Words>, theme: Theme, wanted: Wanted) -> Option<askama::Result<String>> {
    let said = words.unwrap_or(Words::Plain);
    let shell = |title: &str, question: &str, room: &str| Shell {
        title: said.say(title),
        theme,
        period: Some(samples::period(room)),
        ..samples::shell(title, question, room)
    };
    let still = |title: &str, question: &str, room: &str| Shell { period: None, ..shell(title, question, room) };
    let workflow = |actions: Vec<Action>| Shell {
        path: samples::workflow_path(said),
        actions,
        ..shell("Receptionist", "Does it still work, and is it worth running?", "/clients")
    };
    let page = |shell: Shell, words: Option<Words>| (wanted, shell, words);
    Some(match name {
        "gallery" => show::<Gallery>(page(shell("Gallery", "What are pages made of?", "/"), words)),
        "today" => show::<Today>(page(shell("Today", "What needs me now?", "/"), words)),
        "today-well" => {
            let well = Today {
                attention: Vec::new(),
                all_well: "All 7 workflows run as they did. The last run ended 2 min ago.".to_owned(),
                ..of::<Today>(words)
            };
            Page::new(wanted, shell("Today", "What needs me now?", "/"), well).render()
        }
        "clients" => {
            let add = vec![Action::open("Add a client", "/clients/new").primary().with_icon(Icon::Plus)];
            show::<Clients>(page(Shell { actions: add, ..shell("Clients", "How is each of them?", "/clients") }, words))
        }
        "client-form" => show::<ClientForm>(page(still("Northwind Dental", "What is agreed?", "/clients"), words)),
        "client" => {
            let mut path = samples::workflow_path(said);
            path.truncate(2);
            let edit = vec![Action::open("Edit", "/clients/cl_1/edit").with_icon(Icon::Edit)];
            let shell = shell("Northwind Dental", "Do its agents work, and are they worth their money?", "/clients");
            show::<ClientPage>(page(Shell { path, actions: edit, ..shell }, words))
        }
        "workflow" => show::<WorkflowPage>(page(workflow(Vec::new()), words)),
        "workflow-settings" => {
            show::<WorkflowSettingsPage>(page(Shell { period: None, ..workflow(Vec::new()) }, words))
        }
        "connections" => show::<ConnectionsPage>(page(Shell { period: None, ..workflow(Vec::new()) }, words)),
        "connection" => show::<ConnectionPage>(page(still("Vapi", "Do its runs come in?", "/clients"), words)),
        "workflow-assign" => {
            show::<WorkflowAssign>(page(still("refund-agent-eu", "Whose workflow is this?", "/clients"), words))
        }
        "rules" => show::<RulesPage>(page(Shell { period: None, ..workflow(Vec::new()) }, words)),
        "expectations" => show::<ExpectationsPage>(page(Shell { period: None, ..workflow(Vec::new()) }, words)),
        "sampling" => show::<SamplingPage>(page(Shell { period: None, ..workflow(Vec::new()) }, words)),
        "pattern" => {
            let shell = shell("Lost orders", "What goes wrong, and what is done about it?", "/exceptions");
            show::<PatternPage>(page(shell, words))
        }
        "queue" => {
            let next = Action::post("Review next", "/queue/next", samples::csrf()).with_key("n").primary();
            let shell = still("Queue", "What waits for a person, and what first?", "/queue");
            show::<QueuePage>(page(Shell { actions: vec![next], ..shell }, words))
        }
        "queue-assign" => show::<QueueAssign>(page(still("Assign 3 items", "Whose work is this?", "/queue"), words)),
        "queue-bulk" => {
            show::<QueueBulk>(page(still("Review together", "What is said of all of them?", "/queue"), words))
        }
        "queue-job" => show::<QueueJob>(page(still("Reviewed together", "How far is it?", "/queue"), words)),
        "review" => {
            show::<ReviewPage>(page(still("order 41 not found", "What is to be done about it?", "/queue"), words))
        }
        "runs" => show::<Runs>(page(shell("Runs", "Which runs are these?", "/runs"), words)),
        "run" => {
            let mut path = samples::workflow_path(said);
            path.push(Crumb { text: said.say("Move a cleaning to Thursday"), ..Crumb::default() });
            let shell = still("Move a cleaning to Thursday", "What happened, and why do we say so?", "/runs");
            show::<RunPage>(page(Shell { path, ..shell }, words))
        }
        "reports" => show::<Reports>(page(still("Reports", "Which months are told, and to whom?", "/reports"), words)),
        "report" => show::<ReportPage>(page(still("October 2026", "What did I get for my money?", "/reports"), words)),
        "settings" => show::<SettingsPage>(page(still("People", "Who may do what?", "/settings"), words)),
        "keys" => show::<KeysPage>(page(still("Keys", "How do runs come in?", "/settings"), words)),
        "prices" => show::<PricesPage>(page(still("Prices", "What does a token cost?", "/settings"), words)),
        "sign-in" => Page::bare(still("Sign in", "", "/"), of::<SignIn>(words)).render(),
        "set-up" => Page::bare_wide(still("Set-up", "", "/"), of::<SetUp>(words)).render(),
        "definitions" => show::<Definitions>(page(still("Definitions", "What does each figure mean?", "/"), words)),
        "unmapped" => show::<UnmappedPage>(page(
            shell("Unmapped attributes", "What do agents send that nothing is made of?", "/"),
            words,
        )),
        "handed-over" => Page::bare_wide(still("Receptionist", "", "/"), of::<HandedOver>(words)).render(),
        "channels" => show::<ChannelsPage>(page(Shell { period: None, ..workflow(Vec::new()) }, words)),
        "channel" => show::<ChannelPage>(page(still("Shop floor", "Does it reach somebody?", "/clients"), words)),
        "handoff" => {
            show::<HandoffPage>(page(still("Handoff", "What does somebody need to finish it?", "/exceptions"), words))
        }
        "problem" => show::<Problem>(page(still("No such run", "", "/"), words)),
        "ask" => show::<Ask>(page(still("Verdicts", "", "/runs"), words)),
        _ => return None,
    })
}

fn show<T: Samples>((wanted, shell, words): (Wanted, Shell, Option<Words>)) -> askama::Result<String> {
    Page::new(wanted, shell, of::<T>(words)).render()
}

fn of<T: Samples>(words: Option<Words>) -> T {
    words.map_or_else(T::empty, |words| T::full(&words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_page() -> impl Iterator<Item = (String, String)> {
        let words = [None].into_iter().chain(Words::ALL.map(Some));
        words.flat_map(|words| {
            SAMPLE_NAMES.into_iter().flat_map(move |name| {
                [Wanted::Document, Wanted::Part].into_iter().map(move |wanted| {
                    let page = render_sample(name, words, Theme::Dark, wanted).expect("known").expect("renders");
                    (format!("{name} {words:?} {wanted:?}"), page)
                })
            })
        })
    }

    #[test]
    fn no_page_has_a_style_or_a_script_in_it() {
        for (name, page) in every_page() {
            for tag in tags(&page) {
                let bare = without_values(tag).to_lowercase();
                assert!(!bare.contains(" style="), "{name}: {tag}");
                assert!(!bare.contains(" on"), "{name}: {tag}");
                assert!(!bare.starts_with("<style"), "{name}: {tag}");
                assert!(!bare.starts_with("<script") || tag.contains(" src=\"/assets/"), "{name}: {tag}");
                assert!(!tag.to_lowercase().contains("\"javascript:"), "{name}: {tag}");
            }
        }
    }

    #[test]
    fn what_people_write_comes_out_as_text() {
        for (name, page) in every_page() {
            assert!(!page.contains("<script>"), "{name}");
            assert!(!page.contains("<img"), "{name}");
        }
    }

    #[test]
    fn every_tag_that_is_opened_is_closed() {
        for (name, page) in every_page() {
            let mut open: Vec<String> = Vec::new();
            for tag in tags(&page) {
                let word: String =
                    tag.trim_start_matches(['<', '/']).chars().take_while(char::is_ascii_alphanumeric).collect();
                let is_void =
                    ["meta", "link", "input", "br", "hr", "img", "rect", "circle", "line"].contains(&word.as_str());
                if tag.starts_with("<!") || is_void || tag.ends_with("/>") {
                    continue;
                }
                if tag.starts_with("</") {
                    let last = open.pop();
                    assert_eq!(last.as_deref(), Some(word.as_str()), "{name}: {tag} closes {last:?}");
                } else {
                    open.push(word);
                }
            }
            assert!(open.is_empty(), "{name}: {open:?}");
        }
    }

    #[test]
    fn no_id_stands_twice_on_a_page() {
        for (name, page) in every_page() {
            let mut ids: Vec<String> = Vec::new();
            for tag in tags(&page) {
                if let Some((_, rest)) = tag.split_once(" id=\"") {
                    ids.push(rest.split('"').next().unwrap_or_default().to_owned());
                }
            }
            let n = ids.len();
            ids.sort();
            ids.dedup_by(|a, b| {
                a == b && {
                    assert_eq!(*a, "", "{name}: id {a} stands twice");
                    true
                }
            });
            assert_eq!(ids.len(), n, "{name}");
        }
    }

    #[test]
    fn every_form_that_posts_carries_the_token() {
        for (name, page) in every_page() {
            for form in page.split("<form").skip(1) {
                let form = form.split("</form>").next().unwrap_or_default();
                let head = form.split('>').next().unwrap_or_default();
                assert!(!head.contains("method=\"post\"") || form.contains("name=\"csrf\""), "{name}: {head}");
            }
        }
    }

    /// A tag without the values of its attributes.
    fn without_values(tag: &str) -> String {
        let mut quote = None;
        let outside = tag.chars().filter(|c| match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(*c);
                false
            }
            (Some(open), c) if open == *c => {
                quote = None;
                false
            }
            (Some(_), _) => false,
            (None, _) => true,
        });
        outside.collect()
    }

    /// The tags of a page as texts; attribute values never hold a bare `>` or `<`, which are escaped.
    fn tags(page: &str) -> Vec<&str> {
        page.match_indices('<').filter_map(|(at, _)| page[at..].find('>').map(|end| &page[at..=at + end])).collect()
    }
}
