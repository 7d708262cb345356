//! Connections of a workflow: choose what sends, copy the lines, send a test event or watch the first real one arrive,
//! and see what goes wrong.

mod lines;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use steward_app::AppError;
use steward_app::connections::{ConnectionChanges, How, MadeConnection, NewConnection, Source};
use steward_app::mistakes::Made;
use steward_app::secrets::Secret;
use steward_app::system::InboxRow;
use steward_app::tenant::{Connection, RunFilter};
use steward_core::connections::{ConnectionSettings, PollSettings};
use steward_core::ids::{ConnectionId, KeyId, WorkflowId};
use steward_core::workflow::Workflow;

use self::lines::{Filled, NO_KEY, NO_SECRET, steps};
use super::around::{Visit, mend, sentence};
use super::runs::count;
use super::workflow::workflow_shell;
use crate::extract::Path;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{Fields, SignedForm};
use crate::view::components::badge::{Badge, Tone};
use crate::view::components::button::Action;
use crate::view::components::confirm::Confirm;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::form::{Field, Form};
use crate::view::components::icon::Icon;
use crate::view::components::notice::{Flash, Notice};
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::waiting::{Received, Waiting};
use crate::view::format::Time;
use crate::view::page::Page;
use crate::view::pages::ask::Ask;
use crate::view::pages::connections::{ConnectionPage, ConnectionsPage};
use crate::view::pages::settings::{Connect, Once, Platform};
use crate::view::pages::workflow::workflow_tabs;
use crate::{Routes, WebState};

/// Connections.
pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/workflows/{id}/connections", list)
        .post("/workflows/{id}/connections", create)
        .get("/connections/{id}", show)
        .post("/connections/{id}", update)
        .post("/connections/{id}/test", test)
        .post("/connections/{id}/rotate", rotate)
        .get("/connections/{id}/delete", ask_delete)
        .post("/connections/{id}/delete", delete)
}

const QUESTION: &str = "By what do its runs come, and do they?";

async fn find(state: &WebState, visit: &Visit, id: WorkflowId) -> Result<Workflow, PageError> {
    visit.who.actor.must_operate()?;
    Ok(state.app.get_workflow(&visit.who.actor, id).await?)
}

fn time(visit: &Visit, at: Option<steward_core::time::Timestamp>, never: &str) -> Cell {
    at.map_or_else(|| Cell::text(never), |at| Cell::Time(Time::new(at, visit.now, &visit.zone)))
}

/// How a connection stands, in a word.
fn state_of(connection: &Connection) -> Badge {
    if connection.poll.error.is_some() && connection.poll.next_at.is_some() {
        Badge::new(Icon::Failed, "asking fails", Tone::Bad)
    } else if connection.last_event_at.is_some() {
        Badge::new(Icon::Completed, "receives", Tone::Good)
    } else {
        Badge::new(Icon::Provisional, "waits", Tone::Neutral)
    }
}

fn is_of(connection: &Connection, made: &Made) -> bool {
    let keys = [connection.key_id, connection.old_key_id];
    made.sender == connection.id.as_uuid() || keys.into_iter().flatten().any(|key| key.as_uuid() == made.sender)
}

fn connections_table(visit: &Visit, connections: &[Connection], mistakes: &[Made]) -> Table {
    let rows = connections.iter().map(|connection| {
        let source = Source::find(&connection.source).map_or(connection.source.as_str(), |source| source.name);
        let n_failures: i64 = mistakes.iter().filter(|made| is_of(connection, made)).map(|made| made.n).sum();
        let is_asked = connection.settings.poll.is_some();
        Row::opens(
            format!("/connections/{}", connection.id),
            vec![
                Cell::Name(
                    connection.name.clone(),
                    if connection.name == source { String::new() } else { source.to_owned() },
                ),
                Cell::Badge(state_of(connection)),
                time(visit, connection.last_event_at, "never"),
                if is_asked { time(visit, connection.poll.polled_at, "not yet") } else { Cell::Blank },
                if is_asked { Cell::number(count(connection.poll.n_found)) } else { Cell::Blank },
                Cell::number(count(n_failures)),
            ],
        )
    });
    let columns = vec![
        Column::new("Connection"),
        Column::new("State"),
        Column::new("Last event"),
        Column::new("Last look").titled("When its platform was last asked for what webhooks lost"),
        Column::number("Found by asking").titled("Runs that webhooks lost and asking found"),
        Column::number("Failures in a day"),
    ];
    let empty = Empty::new(Icon::Key, "No connection yet", "Choose below what sends this workflow's runs.");
    Table::new("Connections", columns, rows.collect()).or_empty(empty)
}

/// `by` names the sender; without it all are of one.
fn mistakes_table(visit: &Visit, mistakes: &[Made], by: Option<&dyn Fn(&Made) -> String>) -> Table {
    let rows = mistakes.iter().take(50).map(|made| {
        let by = by.map(|by| Cell::text(by(made)));
        let told = [Cell::name(made.mistake.title()), Cell::text(sentence(&made.words))];
        let when = [Cell::number(count(made.n)), time(visit, Some(made.last_at), "")];
        Row::plain(told.into_iter().chain(by).chain(when).collect())
    });
    let by = by.map(|_| Column::new("By"));
    let told = [Column::new("What"), Column::new("What the sender was told")];
    let when = [Column::number("How often"), Column::new("Last")];
    let columns = told.into_iter().chain(by).chain(when).collect();
    Table::new("What went wrong", columns, rows.collect())
}

fn unreadable_table(visit: &Visit, unreadable: &[InboxRow]) -> Table {
    let rows = unreadable.iter().map(|row| {
        Row::plain(vec![
            Cell::text(sentence(row.error.as_deref().unwrap_or("nobody said why"))),
            Cell::text(row.kind.as_str()),
            Cell::number(count(row.n_bytes)),
            time(visit, Some(row.received_at), ""),
        ])
    });
    let columns = vec![Column::new("Why"), Column::new("Form"), Column::number("Bytes"), Column::new("Received")];
    Table::new("Payloads that could not be read", columns, rows.collect())
}

/// What is shown of a connection that was just made, or whose secret was just changed.
fn made_lines(state: &WebState, made: &MadeConnection) -> Connect {
    let key = made.key.as_ref().map(Secret::reveal);
    let secret = made.secret.as_ref().map(Secret::reveal);
    let once = |title: &str, value: &str, note: &str| Once {
        title: format!("{title} of “{}”", made.connection.name),
        value: value.to_owned(),
        note: note.to_owned(),
    };
    let once = match (key, secret) {
        (Some(key), _) => Some(once("The key", key, "It is shown only now: Steward keeps its hash.")),
        (_, Some(secret)) => {
            Some(once("The secret", secret, "It is shown only now: Steward keeps it sealed, to verify deliveries by."))
        }
        _ => None,
    };
    let filled = Filled {
        public_url: state.app.public_url(),
        key: key.unwrap_or(NO_KEY),
        url: made.url.as_deref().unwrap_or_default(),
        secret: secret.unwrap_or(NO_SECRET),
    };
    let steps = Source::find(&made.connection.source).map(|source| steps(source, &filled)).unwrap_or_default();
    Connect { key: once, platforms: Vec::new(), steps, waiting: None }
}

/// Whether something has come in by a connection, with the workflow's latest run.
async fn waiting(state: &WebState, visit: &Visit, connection: &Connection) -> Result<Option<Waiting>, PageError> {
    if Source::find(&connection.source).is_some_and(|source| source.how == How::Beat) {
        return Ok(None);
    }
    let workflow = connection.workflow_id;
    let received = match connection.last_event_at {
        None => None,
        Some(at) => {
            let filter = RunFilter { workflows: Some(vec![workflow]), with_tests: true, ..RunFilter::default() };
            let latest = state.app.list_runs(&visit.who.actor, &filter, Default::default(), None, 1).await?;
            latest.runs.first().map(|run| Received {
                text: if run.test {
                    "Received: a test event".to_owned()
                } else {
                    "Received: this workflow's latest run".to_owned()
                },
                at: Time::new(at, visit.now, &visit.zone),
                href: format!("/runs/{}", run.id),
            })
        }
    };
    Ok(Some(Waiting {
        id: "first-run".to_owned(),
        live: format!("/live?workflow={workflow}"),
        from: format!("/connections/{}", connection.id),
        received,
    }))
}

/// The sources to choose from, with the lines of the one that is open.
fn choice(state: &WebState, id: WorkflowId, open: Source) -> Connect {
    let platforms = Source::ALL.iter().map(|source| Platform {
        name: source.name.to_owned(),
        href: format!("/workflows/{id}/connections?source={}#connect", source.word),
        current: *source == open,
    });
    let url = match open.how {
        How::Hook(platform) => format!("{}/v1/hooks/{}/…", state.app.public_url(), platform.as_str()),
        How::Beat | How::Key => format!("{}/v1/beat/…", state.app.public_url()),
    };
    let filled = Filled { public_url: state.app.public_url(), key: NO_KEY, url: &url, secret: NO_SECRET };
    Connect { key: None, platforms: platforms.collect(), steps: steps(open, &filled), waiting: None }
}

fn new_form(visit: &Visit, id: WorkflowId, open: Source, sent: Option<&Fields>, error: String) -> Form {
    let value = |name: &str| sent.and_then(|form| form.get(name)).unwrap_or_default();
    let mut fields = vec![
        Field::text("name", "Name", value("name"))
            .optional()
            .with_placeholder(open.name)
            .with_hint("What you call it, where there are several."),
    ];
    if open.brings_its_secret() {
        let hint = format!("What {} signs with. It may be entered later: it often needs the address first.", open.name);
        fields
            .push(Field::line("password", "secret", "Secret", "").optional().with_hint(hint).with_autocomplete("off"));
    }
    if open.how == How::Beat {
        let minutes = if value("beat_every_minutes").is_empty() { "60" } else { value("beat_every_minutes") };
        fields.push(Field::number("beat_every_minutes", "Expected every", minutes).with_unit("minutes"));
    }
    Form {
        hidden: vec![("source".to_owned(), open.word.to_owned())],
        error,
        in_pairs: true,
        ..Form::new(format!("/workflows/{id}/connections"), visit.csrf(), "Add the connection", fields)
    }
}

async fn connections_page(
    state: &WebState,
    visit: &Visit,
    workflow: &Workflow,
    made: Option<&MadeConnection>,
    sent: Option<&Fields>,
    error: String,
) -> Result<Page<ConnectionsPage>, PageError> {
    let actor = &visit.who.actor;
    let id = workflow.id;
    let connections = state.app.list_connections(actor, id).await?;
    let keys = state.app.list_keys(actor).await?;
    // What keys of other workflows do wrong is shown at those.
    let is_ours = |made: &Made| {
        let key = keys.iter().find(|key| key.id == KeyId::from_uuid(made.sender));
        made.sender.is_nil()
            || connections.iter().any(|connection| is_of(connection, made))
            || key.is_some_and(|key| key.workflow_id.is_none_or(|of| of == id))
    };
    let mistakes: Vec<Made> = state.app.list_mistakes(actor).await?.into_iter().filter(is_ours).collect();
    let by = |made: &Made| {
        if let Some(connection) = connections.iter().find(|connection| is_of(connection, made)) {
            return connection.name.clone();
        }
        let key = keys.iter().find(|key| key.id == KeyId::from_uuid(made.sender));
        key.map_or_else(|| "somebody without a key".to_owned(), |key| format!("the key “{}”", key.name))
    };
    let word = sent.and_then(|form| form.get("source")).unwrap_or_else(|| visit.get("source"));
    let open = Source::find(word).unwrap_or(Source::ALL[0]);
    let mut lines = made.map(|made| made_lines(state, made));
    if let (Some(lines), Some(made)) = (&mut lines, made) {
        lines.waiting = waiting(state, visit, &made.connection).await?;
    }
    let page = ConnectionsPage {
        tabs: workflow_tabs(&id.to_string(), "connections"),
        notices: Vec::new(),
        table: connections_table(visit, &connections, &mistakes),
        mistakes: mistakes_table(visit, &mistakes, Some(&by)),
        unreadable: unreadable_table(visit, &state.app.list_unreadable(actor, id).await?),
        connect: made.is_none().then(|| choice(state, id, open)),
        form: made.is_none().then(|| new_form(visit, id, open, sent, error)),
        made: lines,
    };
    let shell = workflow_shell(state, visit, workflow, "Connections", QUESTION, "/connections").await?;
    Ok(Page::new(visit.wanted, shell, page))
}

async fn list(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
) -> Result<Page<ConnectionsPage>, PageError> {
    let workflow = find(&state, &visit, id).await?;
    connections_page(&state, &visit, &workflow, None, None, String::new()).await
}

fn minutes(text: Option<&str>) -> Option<u32> {
    text.and_then(|text| text.trim().parse().ok())
}

fn filled_in(form: &Fields, name: &str) -> Option<Secret> {
    form.get(name).filter(|text| !text.trim().is_empty()).map(Secret::sent)
}

async fn create(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<WorkflowId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let workflow = find(&state, &visit, id).await?;
    let new = NewConnection {
        source: form.get("source").unwrap_or_default().to_owned(),
        name: form.get("name").unwrap_or_default().to_owned(),
        secret: filled_in(&form, "secret"),
        api_token: None,
        settings: ConnectionSettings { poll: None, beat_every_minutes: minutes(form.get("beat_every_minutes")) },
    };
    match state.app.create_connection(&who.actor, id, new).await {
        Ok(made) => {
            Ok(connections_page(&state, &visit, &workflow, Some(&made), None, String::new()).await?.into_response())
        }
        Err(error) => {
            let page = connections_page(&state, &visit, &workflow, None, Some(&form), mend(error)?).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

fn settings_form(visit: &Visit, connection: &Connection, source: Source, sent: Option<&Fields>, error: String) -> Form {
    let poll = connection.settings.poll.clone();
    let is_asked = sent.map_or(poll.is_some(), |form| form.get("poll").is_some());
    let poll = poll.unwrap_or_default();
    let value = |name: &str, known: String| sent.and_then(|form| form.get(name)).map_or(known, str::to_owned);
    let mut fields = vec![Field::text("name", "Name", value("name", connection.name.clone()))];
    if let Some(every) = connection.settings.beat_every_minutes {
        let every = value("beat_every_minutes", every.to_string());
        fields.push(Field::number("beat_every_minutes", "Expected every", every).with_unit("minutes"));
    }
    if source.can_be_asked() {
        let hint = format!("Steward asks {} for runs that its webhooks lost, and counts them.", source.name);
        let subject = match source.word {
            "make" => "Scenario",
            "n8n" => "Workflow's id",
            _ => "Agent or assistant",
        };
        fields.extend([
            Field::check("poll", "Ask the platform too", is_asked).with_hint(hint),
            Field::number("every_minutes", "Every", value("every_minutes", poll.every_minutes.to_string()))
                .with_unit("minutes"),
            Field::text("base_url", "Address of its API", value("base_url", poll.base_url)).optional().with_hint(
                match source.word {
                    "n8n" => "Where it is installed, as https://n8n.example.com.",
                    "make" => "With the region of the account, as https://eu1.make.com/api/v2.",
                    _ => "Empty takes the platform's own.",
                },
            ),
            Field::text("subject", subject, value("subject", poll.subject)).optional().with_hint("Empty asks for all."),
            Field::line("password", "api_token", "API key", "")
                .optional()
                .with_hint("Kept sealed, and not shown again. Empty keeps the one that is there.")
                .with_autocomplete("off"),
        ]);
    }
    Form { error, in_pairs: true, ..Form::new(format!("/connections/{}", connection.id), visit.csrf(), "Save", fields) }
}

fn rotate_form(visit: &Visit, connection: &Connection, source: Source, error: String) -> Option<Form> {
    let (mut fields, note) = match source.how {
        How::Beat => return None,
        How::Key => (Vec::new(), "Another key is made. The one before works until the next change."),
        How::Hook(_) if source.brings_its_secret() => (
            vec![
                Field::line("password", "secret", "The secret that it signs with", "")
                    .with_hint(format!("As {} shows it.", source.name))
                    .with_autocomplete("off"),
            ],
            "The one before stays valid for a day, so that nothing is lost while it is changed there.",
        ),
        How::Hook(_) => (
            vec![
                Field::line("password", "secret", "Another secret", "")
                    .optional()
                    .with_hint("Empty makes one.")
                    .with_autocomplete("off"),
            ],
            "The one before stays valid for a day, so that nothing is lost while it is changed there.",
        ),
    };
    fields.push(
        Field::check("refuse_old", "Refuse the one before at once", false).with_hint("For one that others may know."),
    );
    let form = Form::new(format!("/connections/{}/rotate", connection.id), visit.csrf(), "Change it", fields);
    Some(Form { error, note: note.to_owned(), ..form }.with_ids("rotate"))
}

fn facts(visit: &Visit, connection: &Connection, source: Source, n_failures: i64) -> Facts {
    let at = |at: Option<steward_core::time::Timestamp>, never: &str| match at {
        Some(at) => FactValue::Time(Time::new(at, visit.now, &visit.zone)),
        None => FactValue::Text(never.to_owned(), String::new()),
    };
    let mut facts = vec![
        Fact::text("Source", source.name),
        Fact::new(
            if source.how == How::Beat { "Last sign of life" } else { "Last event" },
            at(connection.last_event_at, "never"),
        ),
        Fact::text("Failures in the last day", count(n_failures)),
    ];
    if connection.settings.poll.is_some() {
        let poll = &connection.poll;
        facts.push(Fact::new("Last look", at(poll.polled_at, "not yet")));
        facts.push(Fact::new("Next look", at(poll.next_at, "none")));
        if poll.polled_at.is_some() || poll.n_listed > 0 {
            let words = format!("{} listed, {} of them were here", count(poll.n_listed), count(poll.n_known));
            facts.push(Fact::text("In the last look", words));
            facts.push(Fact::text("Difference", count(poll.n_listed - poll.n_known)));
        }
        facts.push(Fact::text("Found by asking, in all", count(poll.n_found)));
    }
    facts.push(Fact::new("Made", at(Some(connection.created_at), "")));
    if connection.rotated_at.is_some() {
        facts.push(Fact::new("Secret changed", at(connection.rotated_at, "never")));
    }
    Facts { across: false, facts }
}

/// What went wrong with a form of the page, if anything, and with which.
#[derive(Default)]
struct Wrong<'a> {
    settings: Option<(&'a Fields, String)>,
    rotate: String,
    made: Option<&'a MadeConnection>,
}

async fn connection_page(
    state: &WebState,
    visit: &Visit,
    id: ConnectionId,
    wrong: Wrong<'_>,
) -> Result<Page<ConnectionPage>, PageError> {
    let actor = &visit.who.actor;
    let connection = state.app.get_connection(actor, id).await?;
    let workflow = state.app.get_workflow(actor, connection.workflow_id).await?;
    let Some(source) = Source::find(&connection.source) else {
        return Err(crate::Problem::no_such("source").into());
    };
    let mistakes: Vec<Made> =
        state.app.list_mistakes(actor).await?.into_iter().filter(|made| is_of(&connection, made)).collect();
    let mut unreadable = state.app.list_unreadable(actor, workflow.id).await?;
    unreadable.retain(|row| row.connection_id == Some(id));
    let mut notices = Vec::new();
    if let Some(error) = connection.poll.error.as_deref().filter(|_| connection.poll.next_at.is_some()) {
        notices.push(Notice::new(Tone::Bad, "Asking its platform fails", format!("{error}.")));
    }
    if state.app.lacks_secret(actor, &connection) {
        let mend = format!("Whatever is sent is refused until you enter the one that {} shows, below.", source.name);
        notices.push(Notice::new(Tone::Warn, "Its secret is missing", mend));
    }
    let mut connect = match wrong.made {
        Some(made) => made_lines(state, made),
        None => match state.app.connection_address(actor, &connection) {
            Ok(address) => {
                let url = address.unwrap_or_default();
                let filled = Filled { public_url: state.app.public_url(), key: NO_KEY, url: &url, secret: NO_SECRET };
                Connect { steps: steps(source, &filled), ..Connect::default() }
            }
            Err(AppError::Fault(_)) => {
                let mend = "The secret_key of Steward is not the one that its address and its secrets were sealed with, so \
                            what it is sent is refused for now. Put that key back, or delete this connection and make another.";
                notices.push(Notice::new(Tone::Bad, "Its secrets cannot be opened", mend));
                Connect::default()
            }
            Err(error) => return Err(error.into()),
        },
    };
    connect.waiting = waiting(state, visit, &connection).await?;
    let mut actions = Vec::new();
    if source.how != How::Beat {
        actions.push(Action::post("Send a test event", format!("/connections/{id}/test"), visit.csrf()).primary());
    }
    actions.push(Action::ask("Delete", format!("/connections/{id}/delete")));
    let (sent, error) = wrong.settings.map_or((None, String::new()), |(form, words)| (Some(form), words));
    let page = ConnectionPage {
        tabs: workflow_tabs(&workflow.id.to_string(), "connections"),
        notices,
        connect: Some(connect),
        facts: facts(visit, &connection, source, mistakes.iter().map(|made| made.n).sum()),
        mistakes: mistakes_table(visit, &mistakes, None),
        unreadable: unreadable_table(visit, &unreadable),
        form: settings_form(visit, &connection, source, sent, error),
        rotate: rotate_form(visit, &connection, source, wrong.rotate),
        actions,
    };
    let shell = workflow_shell(state, visit, &workflow, &connection.name, QUESTION, "/connections").await?;
    Ok(Page::new(visit.wanted, shell, page))
}

async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ConnectionId>,
) -> Result<Page<ConnectionPage>, PageError> {
    connection_page(&state, &visit, id, Wrong::default()).await
}

async fn update(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ConnectionId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let text = |name: &str| form.get(name).unwrap_or_default().trim().to_owned();
    let poll = form.get("poll").is_some().then(|| PollSettings {
        base_url: text("base_url"),
        subject: text("subject"),
        // What is no number is refused as one that is out of bounds.
        every_minutes: minutes(form.get("every_minutes")).unwrap_or(0),
    });
    let changes = ConnectionChanges {
        name: form.get("name").map(str::to_owned),
        api_token: filled_in(&form, "api_token"),
        settings: Some(ConnectionSettings { poll, beat_every_minutes: minutes(form.get("beat_every_minutes")) }),
    };
    match state.app.update_connection(&who.actor, id, changes).await {
        Ok(_) => Ok(SeeOther::to(format!("/connections/{id}")).saying(Flash::good("Settings saved.")).into_response()),
        Err(error) => {
            let wrong = Wrong { settings: Some((&form, mend(error)?)), ..Wrong::default() };
            let page = connection_page(&state, &visit, id, wrong).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn test(
    State(state): State<WebState>,
    Path(id): Path<ConnectionId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    let flash = match state.app.send_test_event(&who.actor, id).await {
        Ok(accepted) => match accepted.rejection {
            None => Flash::good(format!(
                "The test event was taken in, with {} steps. Its run is marked as a test and counts nowhere.",
                accepted.accepted
            )),
            Some(reason) => Flash { tone: Tone::Bad, ..Flash::good(sentence(&reason)) },
        },
        Err(error) => Flash { tone: Tone::Bad, ..Flash::good(mend(error)?) },
    };
    Ok(SeeOther::to(format!("/connections/{id}")).saying(flash).into_response())
}

async fn rotate(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ConnectionId>,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    match state
        .app
        .rotate_connection(&who.actor, id, filled_in(&form, "secret"), form.get("refuse_old").is_some())
        .await
    {
        Ok(made) => {
            let wrong = Wrong { made: Some(&made), ..Wrong::default() };
            Ok(connection_page(&state, &visit, id, wrong).await?.into_response())
        }
        Err(error) => {
            let wrong = Wrong { rotate: mend(error)?, ..Wrong::default() };
            let page = connection_page(&state, &visit, id, wrong).await?;
            Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn ask_delete(
    State(state): State<WebState>,
    visit: Visit,
    Path(id): Path<ConnectionId>,
) -> Result<Page<Ask>, PageError> {
    let connection = state.app.get_connection(&visit.who.actor, id).await?;
    let workflow = state.app.get_workflow(&visit.who.actor, connection.workflow_id).await?;
    let text = match connection.last_event_at {
        None => "Nothing ever came by it.".to_owned(),
        Some(at) => format!("Something came by it {}.", Time::new(at, visit.now, &visit.zone).text()),
    };
    let confirm = Confirm {
        title: format!("Delete the connection “{}”?", connection.name),
        text,
        lines: vec![
            "Its address and its key answer no more; neither can be brought back.".to_owned(),
            "What came by it stays.".to_owned(),
        ],
        button: "Delete the connection".to_owned(),
        action: format!("/connections/{id}/delete"),
        csrf: visit.csrf(),
        back: format!("/connections/{id}"),
        is_danger: true,
        ..Confirm::default()
    };
    let shell = workflow_shell(&state, &visit, &workflow, "Delete a connection", "", "/connections").await?;
    Ok(Page::new(visit.wanted, shell, Ask { confirm, about: Table::default() }))
}

async fn delete(
    State(state): State<WebState>,
    Path(id): Path<ConnectionId>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<SeeOther, PageError> {
    let connection = state.app.delete_connection(&who.actor, id).await?;
    Ok(SeeOther::to(format!("/workflows/{}/connections", connection.workflow_id))
        .saying(Flash::good("The connection was deleted.")))
}
