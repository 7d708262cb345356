//! Channels: where handoff packets are sent, for a client or for one workflow, and whether they arrive.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::handoff::{
    ChannelChanges, ChannelChoice, ChannelKind, ChannelScope, LINK_DAYS, MadeChannel, NewChannel, PER_HOUR,
};
use steward_app::secrets::Secret;
use steward_app::tenant::{Channel, DeliveryCounts};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{ChannelId, ClientId, WorkflowId};
use steward_core::money::Nanos;

use super::around::{Visit, mend, sentence};
use super::workflow::workflow_shell;
use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::{Action, How};
use crate::view::components::confirm::Confirm;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Choice, Control, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format::{Time, count};
use crate::view::page::Page;
use crate::view::pages::ask::Ask;
use crate::view::pages::handoff::{ChannelPage, ChannelsPage};
use crate::view::pages::settings::Once;
use crate::view::pages::workflow::workflow_tabs;
use crate::view::shell::{Crumb, Shell};
use crate::{Routes, WebState};

/// Channels.
pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/workflows/{id}/handoff", of_workflow)
        .post("/workflows/{id}/handoff", create_for_workflow)
        .get("/clients/{id}/handoff", of_client)
        .post("/clients/{id}/handoff", create_for_client)
        .get("/channels/{id}", show)
        .post("/channels/{id}", update)
        .post("/channels/{id}/test", test)
        .get("/channels/{id}/delete", ask_delete)
        .post("/channels/{id}/delete", delete)
}

const QUESTION: &str = "Whom does it reach when an agent cannot go on?";

/// The page on which the channels of a scope stand.
fn path_of(scope: ChannelScope) -> String {
    match scope {
        ChannelScope::Client(id) => format!("/clients/{id}/handoff"),
        ChannelScope::Workflow(id) => format!("/workflows/{id}/handoff"),
    }
}

/// That nothing is sent for what is archived.
fn archived_notice(archived: ChannelScope) -> Notice {
    let what = archived.as_str();
    let text = format!("Nothing is sent for it. Once the {what} is taken back, what goes wrong from then on is sent.");
    Notice::new(Tone::Info, format!("The {what} is archived"), text)
}

async fn shell_of(
    state: &WebState,
    visit: &Visit,
    scope: ChannelScope,
    title: &str,
    tab: &str,
) -> Result<Shell, PageError> {
    match scope {
        ChannelScope::Workflow(id) => {
            let workflow = state.app.get_workflow(&visit.who.actor, id).await?;
            workflow_shell(state, visit, &workflow, title, QUESTION, tab).await
        }
        ChannelScope::Client(id) => {
            let client = state.app.get_client(&visit.who.actor, id).await?;
            let mut shell = visit.shell(title, QUESTION, "/clients");
            shell.path = vec![
                Crumb::new("Clients", "/clients"),
                Crumb::new(client.name, format!("/clients/{id}")),
                Crumb::new(title, ""),
            ];
            Ok(shell)
        }
    }
}

fn state_of(channel: &Channel, is_archived: bool) -> Badge {
    if is_archived {
        Badge::new(Icon::Silent, "archived", Tone::Neutral)
    } else if channel.paused_at.is_some() {
        Badge::new(Icon::Silent, "paused", Tone::Neutral)
    } else if channel.error.is_some() {
        Badge::new(Icon::Failed, "fails", Tone::Bad)
    } else if channel.sent_at.is_some() {
        Badge::new(Icon::Completed, "sends", Tone::Good)
    } else {
        Badge::new(Icon::Provisional, "waits", Tone::Neutral)
    }
}

fn table(visit: &Visit, scope: ChannelScope, channels: &[(Channel, DeliveryCounts, bool)]) -> Table {
    let rows = channels.iter().map(|(channel, counts, is_archived)| {
        let time =
            channel.sent_at.map_or_else(|| Cell::text("never"), |at| Cell::Time(Time::new(at, visit.now, &visit.zone)));
        let of_other = match scope {
            ChannelScope::Workflow(_) if channel.client_id.is_some() => " · for all of the client's workflows",
            ChannelScope::Client(_) if channel.workflow_id.is_some() => " · for one workflow",
            _ => "",
        };
        Row::opens(
            format!("/channels/{}", channel.id),
            vec![
                Cell::Name(channel.name.clone(), format!("{}{of_other}", channel.shown)),
                Cell::Badge(state_of(channel, *is_archived)),
                time,
                Cell::number(count(counts.sent)),
                Cell::number(count(counts.waiting)),
                Cell::number(count(counts.dead)),
            ],
        )
    });
    let columns = vec![
        Column::new("Channel"),
        Column::new("State"),
        Column::new("Last sent"),
        Column::number("Sent"),
        Column::number("Waiting"),
        Column::number("Given up").titled("Tried eight times"),
    ];
    let empty = Empty::new(
        Icon::Message,
        "Nothing is sent",
        "A channel sends the packet of each new exception by e-mail, to Slack or to a program.",
    );
    Table::new("Channels", columns, rows.collect()).or_empty(empty)
}

/// The field by which a sort of exceptions is chosen.
fn kind_field(kind: ExceptionKind) -> String {
    format!("kind_{}", kind.as_str())
}

/// The fields of which exceptions are sent, and how.
fn choice_fields(choice: &ChannelChoice, sent: Option<&Fields>) -> Vec<Field> {
    let value = |name: &str, else_: String| sent.and_then(|form| form.get(name)).map_or(else_, str::to_owned);
    let whole = |name: &str, label: &str, n: u32, unit: &str| {
        let value = value(name, n.to_string());
        Field { control: Control::Number("1", Some("1")), ..Field::number(name, label, value) }.with_unit(unit)
    };
    let least =
        if choice.least_value_nanos == 0 { String::new() } else { Nanos(choice.least_value_nanos).units().to_string() };
    let mut fields = vec![
        Field::number("least_value", "Only with at least so much at stake", value("least_value", least))
            .optional()
            .with_hint("In the client's currency; empty sends all"),
        whole("per_hour", "At most", choice.per_hour, "packets an hour")
            .with_hint("What is more comes in one digest in the next hour"),
        whole("link_days", "Links end after", choice.link_days, "days"),
    ];
    fields.extend(ExceptionKind::ALL.map(|kind| {
        let name = kind_field(kind);
        let ticked = sent.map_or(choice.kinds.is_empty() || choice.kinds.contains(&kind), |form| form.has(&name));
        Field::check(&name, &sentence(kind.as_str()).replace('.', ""), ticked)
    }));
    fields
}

/// Reads which exceptions are sent, and how. All sorts ticked is all sorts that there will be.
fn read_choice(form: &Fields) -> Result<ChannelChoice, String> {
    let whole = |name: &str| form.text(name).parse::<u32>().unwrap_or(0);
    let kinds: Vec<ExceptionKind> =
        ExceptionKind::ALL.into_iter().filter(|kind| form.has(&kind_field(*kind))).collect();
    if kinds.is_empty() {
        return Err("Choose at least one sort of exceptions.".to_owned());
    }
    let least = match form.text("least_value") {
        "" => Nanos(0),
        text => {
            let units = text.parse().ok().and_then(Nanos::from_units);
            units.ok_or("The least value at stake is a number, as 45 or 45.50.")?
        }
    };
    Ok(ChannelChoice {
        kinds: if kinds.len() == ExceptionKind::ALL.len() { Vec::new() } else { kinds },
        least_value_nanos: least.0,
        per_hour: whole("per_hour"),
        link_days: whole("link_days"),
    })
}

async fn list_page(
    state: &WebState,
    visit: &Visit,
    scope: ChannelScope,
    made: Option<&MadeChannel>,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<ChannelsPage>, PageError> {
    let actor = &visit.who.actor;
    let mut channels = Vec::new();
    for (channel, counts) in state.app.list_channels(actor, scope).await? {
        let own = ChannelScope::of(&channel).unwrap_or(scope);
        let is_archived = state.app.find_archived(actor, own).await?.is_some();
        channels.push((channel, counts, is_archived));
    }
    let archived = state.app.find_archived(actor, scope).await?;
    let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default();
    let kinds = [("email", "E-mail"), ("slack", "Slack"), ("webhook", "A program, by webhook")];
    let mut fields = vec![
        Field::select("kind", "By", Choice::list(&kinds, value("kind"))),
        Field::text("name", "Name", value("name")).optional(),
        Field { wide: true, ..Field::text("to", "To", value("to")) }
            .with_hint("E-mail addresses with commas between, or the address of the webhook"),
    ];
    let usual = ChannelChoice { per_hour: PER_HOUR, link_days: LINK_DAYS, ..ChannelChoice::default() };
    fields.extend(choice_fields(&usual, sent));
    let form = Form { error, ..Form::new(path_of(scope), visit.csrf(), "Add the channel", fields) };
    let tabs = match scope {
        ChannelScope::Workflow(id) => Some(workflow_tabs(&id.to_string(), "handoff")),
        ChannelScope::Client(_) => None,
    };
    let once = made.and_then(|made| {
        let secret = made.secret.as_ref()?;
        Some(Once {
            title: format!("The secret of “{}”", made.channel.name),
            value: secret.reveal().to_owned(),
            note: "It is shown only now: what is sent is signed with it, as Standard Webhooks says.".to_owned(),
        })
    });
    let notices = archived.map(archived_notice).into_iter().collect();
    let page = ChannelsPage { tabs, notices, once, table: table(visit, scope, &channels), form };
    let title = match scope {
        ChannelScope::Workflow(_) => "",
        ChannelScope::Client(_) => "Handoff",
    };
    Ok(Page::new(visit.wanted, shell_of(state, visit, scope, title, "/handoff").await?, page))
}

async fn of_workflow(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<ChannelsPage>, PageError> {
    list_page(&state, &visit, ChannelScope::Workflow(id), None, None, String::new()).await
}

async fn of_client(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ClientId>,
) -> Result<Page<ChannelsPage>, PageError> {
    list_page(&state, &visit, ChannelScope::Client(id), None, None, String::new()).await
}

async fn create_for_workflow(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { form, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    create(&state, &visit, ChannelScope::Workflow(id), &form).await
}

async fn create_for_client(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ClientId>,
    SignedForm { form, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    create(&state, &visit, ChannelScope::Client(id), &form).await
}

async fn create(state: &WebState, visit: &Visit, scope: ChannelScope, form: &Fields) -> Result<Response, PageError> {
    let kind = ChannelKind::parse(form.text("kind")).ok_or_else(|| "Choose by what it is sent.".to_owned());
    let error = match kind.and_then(|kind| Ok((kind, read_choice(form)?))) {
        Ok((kind, choice)) => {
            let to = Secret::sent(form.text("to"));
            let new = NewChannel { kind, name: form.text("name").to_owned(), to, choice };
            match state.app.create_channel(&visit.who.actor, scope, new).await {
                Ok(made) if made.secret.is_some() => {
                    let page = list_page(state, visit, scope, Some(&made), None, String::new()).await?;
                    return Ok(page.into_response());
                }
                Ok(made) => {
                    let to = SeeOther::to(format!("/channels/{}", made.channel.id));
                    return Ok(to.saying(Flash::good("The channel is made. Send a test.")).into_response());
                }
                Err(error) => mend(error)?,
            }
        }
        Err(words) => {
            // Who may not see it learns nothing from what is wrong with a form.
            visit.who.actor.must_operate()?;
            words
        }
    };
    let page = list_page(state, visit, scope, None, Some(form), error).await?;
    Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn channel_page(
    state: &WebState,
    visit: &Visit,
    id: ChannelId,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<ChannelPage>, PageError> {
    let (channel, counts) = state.app.get_channel(&visit.who.actor, id).await?;
    let scope = ChannelScope::of(&channel).ok_or(steward_app::AppError::NotFound("channel"))?;
    let time = |at: Option<_>| match at {
        Some(at) => FactValue::Time(Time::new(at, visit.now, &visit.zone)),
        None => FactValue::Text("never".to_owned(), String::new()),
    };
    let archived = state.app.find_archived(&visit.who.actor, scope).await?;
    let mut facts = vec![
        Fact::text("To", channel.shown.clone()),
        Fact::new("State", FactValue::Badge(state_of(&channel, archived.is_some()))),
        Fact::new("Last sent", time(channel.sent_at)),
        Fact::text("Sent", count(counts.sent)),
        Fact::text("Waiting", count(counts.waiting)),
        Fact::text("Given up", count(counts.dead)),
    ];
    if counts.archived > 0 {
        let closed = format!("{}, as the workflow or client was archived first", count(counts.archived));
        facts.push(Fact::text("Not sent", closed));
    }
    let post = |label: &str, what: &str| Action {
        how: How::Post(visit.csrf(), vec![("do".to_owned(), what.to_owned())]),
        ..Action::post(label, format!("/channels/{id}"), visit.csrf())
    };
    let mut actions = Vec::new();
    if channel.paused_at.is_none() {
        if archived.is_none() {
            actions.push(Action::post("Send a test", format!("/channels/{id}/test"), visit.csrf()));
        }
        actions.push(post("Pause", "pause"));
    } else {
        actions.push(post("Go on", "resume"));
    }
    actions.push(Action::ask("Delete", format!("/channels/{id}/delete")));
    let fault = channel.error.as_ref().map(|error| {
        let at = channel.failed_at.map(|at| Time::new(at, visit.now, &visit.zone).text().to_owned());
        let text = format!("{} Last tried {}; it is tried again by itself.", sentence(error), at.unwrap_or_default());
        Notice::new(Tone::Bad, "It could not be sent", text)
    });
    let choice = ChannelChoice {
        kinds: channel.kinds.clone(),
        least_value_nanos: channel.least_value_nanos,
        per_hour: u32::try_from(channel.per_hour).unwrap_or(PER_HOUR),
        link_days: u32::try_from(channel.link_days).unwrap_or(LINK_DAYS),
    };
    let value = |name: &str, else_: &str| sent.and_then(|form| form.get(name)).unwrap_or(else_).to_owned();
    let mut fields = vec![
        Field::text("name", "Name", value("name", &channel.name)),
        Field { wide: true, ..Field::text("to", "To", value("to", "")) }
            .optional()
            .with_hint(format!("Empty leaves it at {}", channel.shown)),
    ];
    fields.extend(choice_fields(&choice, sent));
    let page = ChannelPage {
        notices: archived.map(archived_notice).or(fault).into_iter().collect(),
        facts: Facts { facts, across: true },
        form: Form { error, ..Form::new(format!("/channels/{id}"), visit.csrf(), "Save", fields) },
        actions,
    };
    let mut shell = shell_of(state, visit, scope, &channel.name, "/handoff").await?;
    let at = shell.path.len().saturating_sub(1);
    shell.path.insert(at, Crumb::new("Handoff", path_of(scope)));
    Ok(Page::new(visit.wanted, shell, page))
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ChannelId>,
) -> Result<Page<ChannelPage>, PageError> {
    channel_page(&state, &visit, id, None, String::new()).await
}

async fn update(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ChannelId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    // Whether there is such a channel comes before what is wrong with a form.
    state.app.get_channel(&who.actor, id).await?;
    let changes = match form.text("do") {
        "pause" => Ok(ChannelChanges { paused: Some(true), ..ChannelChanges::default() }),
        "resume" => Ok(ChannelChanges { paused: Some(false), ..ChannelChanges::default() }),
        _ => read_choice(&form).map(|choice| ChannelChanges {
            name: Some(form.text("name").to_owned()),
            to: Some(form.text("to")).filter(|to| !to.is_empty()).map(Secret::sent),
            choice: Some(choice),
            paused: None,
        }),
    };
    let error = match changes {
        Ok(changes) => match state.app.update_channel(&who.actor, id, changes).await {
            Ok(_) => {
                let to = SeeOther::to(format!("/channels/{id}")).saying(Flash::good("The channel was changed."));
                return Ok(to.into_response());
            }
            Err(error) => mend(error)?,
        },
        Err(words) => words,
    };
    let page = channel_page(&state, &visit, id, Some(&form), error).await?;
    Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn test(
    State(state): State<WebState>,
    Path(id): Path<ChannelId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let to = SeeOther::to(format!("/channels/{id}"));
    match state.app.test_channel(&who.actor, id).await {
        Ok(_) => Ok(to.saying(Flash::good("A test is on its way. Whether it arrived stands here in a moment."))),
        Err(error) => {
            let words = mend(error)?;
            Ok(to.saying(Flash { tone: Tone::Bad, ..Flash::good(words) }))
        }
    }
}

async fn ask_delete(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ChannelId>,
) -> Result<Page<Ask>, PageError> {
    let (channel, counts) = state.app.get_channel(&visit.who.actor, id).await?;
    let scope = ChannelScope::of(&channel).ok_or(steward_app::AppError::NotFound("channel"))?;
    let confirm = Confirm {
        title: format!("Delete the channel “{}”?", channel.name),
        text: format!("Nothing is sent to {} any more.", channel.shown),
        lines: vec![format!("{} packets that wait are not sent.", count(counts.waiting))],
        button: "Delete the channel".to_owned(),
        action: format!("/channels/{id}/delete"),
        csrf: visit.csrf(),
        back: format!("/channels/{id}"),
        is_danger: true,
        ..Confirm::default()
    };
    let shell = shell_of(&state, &visit, scope, "Delete a channel", "/handoff").await?;
    Ok(Page::new(visit.wanted, shell, Ask { confirm, about: Table::default() }))
}

async fn delete(
    State(state): State<WebState>,
    Path(id): Path<ChannelId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let channel = state.app.delete_channel(&who.actor, id).await?;
    let back = ChannelScope::of(&channel).map_or_else(|| "/".to_owned(), path_of);
    Ok(SeeOther::to(back).saying(Flash::good("The channel was deleted.")))
}
