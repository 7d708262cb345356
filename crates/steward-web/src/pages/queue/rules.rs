//! Rules of the queue, among the settings: whose an item is and by when it should be done. The first that fits decides.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_core::exceptions::ExceptionKind;
use steward_core::money::Nanos;
use steward_core::queue::{QueueRule, RuleWhen};

use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::Tone;
use crate::view::components::button::{Action, How};
use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::page::Page;
use crate::view::pages::settings::{SettingsPage, SettingsPart};
use crate::{Problem, Routes, WebState};

use super::super::around::{Visit, mend};
use super::super::runs::Names;
use super::super::settings;
use super::words::{self, Colleagues};

const PATH: &str = "/settings/queue";

pub(in crate::pages) fn routes() -> Routes {
    Routes::new().get(PATH, show).post(PATH, change)
}

async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page<SettingsPage>, PageError> {
    page(&state, &visit, &Fields::default(), String::new()).await
}

async fn page(
    state: &WebState,
    visit: &Visit,
    filled: &Fields,
    error: String,
) -> Result<Page<SettingsPage>, PageError> {
    visit.who.actor.must_operate()?;
    let rules = state.app.list_queue_rules(&visit.who.actor).await?;
    let names = Names::load(state, visit).await?;
    let colleagues = Colleagues::load(state, visit).await?;
    let parts = vec![
        SettingsPart {
            title: "Whose it is, and by when".to_owned(),
            note: "Tried in order on what arrives; the first that fits decides".to_owned(),
            table: Some(table(visit, &rules, &names, &colleagues)),
            ..SettingsPart::default()
        },
        SettingsPart {
            title: "Add a rule".to_owned(),
            note: "What is left open fits everything; what waits already stays as it is".to_owned(),
            form: Some(form(visit, &names, &colleagues, filled, error)),
            ..SettingsPart::default()
        },
    ];
    Ok(settings::page(visit, "queue", "Queue", parts))
}

fn table(visit: &Visit, rules: &[QueueRule], names: &Names, colleagues: &Colleagues) -> Table {
    let rows = rules.iter().enumerate().map(|(at, rule)| {
        let button = |label: &str, what: &str| {
            let fields = vec![("do".to_owned(), what.to_owned()), ("rule".to_owned(), told(rule))];
            Action { how: How::Post(visit.csrf(), fields), ..Action::post(label, PATH, visit.csrf()) }
        };
        let mut buttons = Vec::new();
        if at > 0 {
            buttons.push(button("Up", "up"));
        }
        buttons.push(button("Remove", "remove"));
        let name = if rule.name.is_empty() { format!("Rule {}", at + 1) } else { rule.name.clone() };
        Row::plain(vec![
            Cell::Name(name, when_in_words(&rule.when, names)),
            Cell::text(rule.assign_to.map_or_else(|| "whoever is free".to_owned(), |id| colleagues.name(id))),
            Cell::text(rule.due_minutes.map_or_else(
                || "as its sort says".to_owned(),
                |minutes| format!("within {}", words::rough(i64::from(minutes) * 60_000)),
            )),
            Cell::Actions(buttons),
        ])
    });
    let columns = vec![Column::new("Rule"), Column::new("Whose"), Column::new("Due"), Column::new("")];
    Table::new("Rules of the queue, in their order", columns, rows.collect()).or_empty(Empty::new(
        Icon::Queue,
        "No rule yet",
        "Without one, whoever is free takes what is first. What was handed over and what a client flagged is due in four \
         hours, errors in two days, everything else in three; samples in a week.",
    ))
}

/// A rule as it stands in a form, by which it is found again even if others came before it meanwhile.
fn told(rule: &QueueRule) -> String {
    serde_json::to_string(rule).unwrap_or_default()
}

fn when_in_words(when: &RuleWhen, names: &Names) -> String {
    let mut parts = Vec::new();
    if let Some(client) = when.client {
        let name = names.client_choices().into_iter().find(|(id, _)| *id == client.to_string()).map(|(_, name)| name);
        parts.push(format!("of {}", name.unwrap_or_else(|| "a client that is gone".to_owned())));
    }
    if let Some(workflow) = when.workflow {
        parts.push(format!("in {}", names.place_of(workflow).unwrap_or_else(|| "a workflow that is gone".to_owned())));
    }
    parts.extend(when.kind.map(|kind| kind.as_str().to_owned()));
    parts.extend(when.class.as_ref().map(|class| format!("class {class}")));
    parts.extend(when.tool.as_ref().map(|tool| format!("tool {tool}")));
    parts.extend(when.pattern.map(|_| "of one pattern".to_owned()));
    parts.extend(when.least_value_nanos.map(|nanos| format!("at least {} at stake", nanos.units())));
    if parts.is_empty() { "everything".to_owned() } else { parts.join(" · ") }
}

fn form(visit: &Visit, names: &Names, colleagues: &Colleagues, filled: &Fields, error: String) -> Form {
    let any = |words: Vec<(String, String)>, none: &str, name: &str| {
        let mut all = vec![(String::new(), none.to_owned())];
        all.extend(words);
        Choice::list(&all, filled.text(name))
    };
    let kinds = ExceptionKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.as_str().to_owned())).to_vec();
    let text = |name: &str, label: &str| Field::text(name, label, filled.text(name)).optional();
    let fields = vec![
        Field { wide: true, ..text("name", "Name").with_placeholder("What a client waits for goes first") },
        Field::select("client", "Client", any(names.client_choices(), "any", "client")),
        Field::select("workflow", "Workflow", any(names.workflow_choices(), "any", "workflow")),
        Field::select("kind", "Sort", any(kinds, "any", "kind")),
        text("class", "Class of error").with_placeholder("timeout"),
        text("tool", "Tool"),
        Field::number("value", "Value at stake at least", filled.text("value"))
            .optional()
            .with_hint("In the client's currency."),
        Field::select("assign", "Whose it becomes", any(colleagues.choices(), "whoever is free", "assign")),
        Field::number("hours", "Due within", filled.text("hours"))
            .with_unit("hours")
            .optional()
            .with_hint("Empty leaves it to its sort."),
    ];
    Form {
        hidden: vec![("do".to_owned(), "add".to_owned())],
        in_pairs: true,
        error,
        ..Form::new(PATH, visit.csrf(), "Add the rule", fields)
    }
}

/// The rule that a form says.
fn rule_of(form: &Fields) -> Result<QueueRule, String> {
    let number = |name: &str, what: &str| match form.text(name).replace(',', ".") {
        text if text.is_empty() => Ok(None),
        text => match text.parse::<f64>().ok().filter(|number| (0.0..=1e9).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(format!("{what} is a number.")),
        },
    };
    let some = |name: &str| Some(form.text(name)).filter(|text| !text.is_empty());
    let unknown = |what: &str| format!("There is no such {what}.");
    Ok(QueueRule {
        name: form.text("name").to_owned(),
        when: RuleWhen {
            client: some("client").map(str::parse).transpose().map_err(|_| unknown("client"))?,
            workflow: some("workflow").map(str::parse).transpose().map_err(|_| unknown("workflow"))?,
            kind: match some("kind") {
                None => None,
                Some(word) => Some(ExceptionKind::parse(word).ok_or_else(|| unknown("sort of exceptions"))?),
            },
            class: some("class").map(str::to_owned),
            tool: some("tool").map(str::to_owned),
            pattern: some("pattern").map(str::parse).transpose().map_err(|_| unknown("pattern"))?,
            least_value_nanos: number("value", "The least value")?.and_then(Nanos::from_units),
        },
        assign_to: some("assign").map(str::parse).transpose().map_err(|_| unknown("person"))?,
        due_minutes: number("hours", "The due time")?.map(|hours| (hours * 60.0).round() as u32),
    })
}

async fn change(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    who.actor.must_operate()?;
    let mut rules = state.app.list_queue_rules(&who.actor).await?;
    let adds = form.text("do") == "add";
    let text = if adds {
        match rule_of(&form) {
            Ok(rule) => rules.push(rule),
            Err(error) => return refuse(&state, &visit, &form, error).await,
        }
        "The rule is added; it decides on what arrives from now on."
    } else {
        let Some(at) = rules.iter().position(|rule| told(rule) == form.text("rule")) else {
            let text = "Somebody changed the rules meanwhile; nothing was done.";
            let there = SeeOther::to(PATH).saying(Flash { tone: Tone::Warn, ..Flash::good(text) });
            return Ok(there.into_response());
        };
        match form.text("do") {
            "up" if at > 0 => {
                rules.swap(at, at - 1);
                "The rule is tried earlier now."
            }
            "remove" => {
                rules.remove(at);
                "The rule is gone; what it assigned stays so."
            }
            _ => return Err(Problem::invalid("Choose what to do with the rule.").into()),
        }
    };
    match state.app.update_queue_rules(&who.actor, rules).await {
        Ok(_) => Ok(SeeOther::to(PATH).saying(Flash::good(text)).into_response()),
        Err(error) => refuse(&state, &visit, &form, mend(error)?).await,
    }
}

async fn refuse(state: &WebState, visit: &Visit, form: &Fields, error: String) -> Result<Response, PageError> {
    Ok(page(state, visit, form, error).await?.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
