//! First-run set-up, and connecting the first agent.

use axum::extract::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use steward_app::agencies::NewAgency;

use crate::caller::CallerAddress;
use crate::flash::SeeOther;
use crate::problem::PageError;
use crate::session::{self, Fields, OpenForm, SignedForm};
use crate::view::components::button::Action;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::html::Csrf;
use crate::view::page::Page;
use crate::view::pages::set_up::{SetUp, set_up_steps};
use crate::view::shell::{Shell, Theme};
use crate::{Routes, WebState};

use super::around::{Visit, mend};
use super::settings::keys::{Snippets, connect, waiting};

/// Set-up, and connecting the first agent.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/setup", show)
        .post("/setup", set_up)
        .get("/set-up", show)
        .get("/connect", show_connect)
        .post("/connect", make_key)
}

/// The currencies that forms offer; others are written in the settings of a program.
pub(super) const CURRENCIES: [(&str, &str); 10] = [
    ("USD", "US dollar"),
    ("EUR", "Euro"),
    ("GBP", "Pound sterling"),
    ("CHF", "Swiss franc"),
    ("SEK", "Swedish krona"),
    ("NOK", "Norwegian krone"),
    ("CAD", "Canadian dollar"),
    ("AUD", "Australian dollar"),
    ("JPY", "Yen"),
    ("INR", "Indian rupee"),
];

/// The currencies to choose from, the one in use among them whatever it is.
pub(super) fn currency_choices(chosen: &str) -> Vec<Choice> {
    let mut choices = Choice::list(&CURRENCIES, chosen);
    if !chosen.is_empty() && !choices.iter().any(|choice| choice.chosen) {
        choices.push(Choice { value: chosen.to_owned(), label: chosen.to_owned(), chosen: true });
    }
    choices
}

fn page(headers: &HeaderMap, form: &Fields, error: String) -> Page<SetUp> {
    let value = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let zone = if value("time_zone").is_empty() { "UTC".to_owned() } else { value("time_zone") };
    let currency = if value("currency").is_empty() { "USD".to_owned() } else { value("currency") };
    let fields = vec![
        Field::text("agency", "Your agency or team", value("agency")).with_hint("As your clients know it.").focused(),
        Field::text("name", "Your name", value("name")).with_autocomplete("name"),
        Field::line("email", "email", "Your address", value("email")).with_autocomplete("username"),
        Field::line("password", "password", "A password", "")
            .with_autocomplete("new-password")
            .with_hint("At least 12 characters."),
        Field::text("time_zone", "Time zone", zone)
            .with_hint("Such as Europe/Berlin. Days of reports are days of this zone."),
        Field::select("currency", "Currency", currency_choices(&currency)),
    ];
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shell = Shell { title: "Set up".to_owned(), theme: Theme::of_cookies(cookies), ..Shell::default() };
    Page::bare_wide(
        shell,
        SetUp {
            steps: set_up_steps(0),
            title: "Welcome to Steward".to_owned(),
            text: "In a few minutes you see whether your agents work, what they cost and what they are worth. Everything stays on this machine.".to_owned(),
            form: Some(Form { error, ..Form::new("/setup", Csrf::default(), "Go on", fields) }),
            connect: None,
            actions: Vec::new(),
        },
    )
}

async fn show(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, PageError> {
    if state.app.is_set_up().await? {
        return Ok(SeeOther::to("/sign-in").into_response());
    }
    Ok(page(&headers, &Fields::default(), String::new()).into_response())
}

async fn set_up(
    State(state): State<WebState>,
    CallerAddress(from): CallerAddress,
    headers: HeaderMap,
    OpenForm(form): OpenForm<Fields>,
) -> Result<Response, PageError> {
    if state.app.is_set_up().await? {
        return Ok(SeeOther::to("/sign-in").into_response());
    }
    let value = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let new = NewAgency {
        agency_name: value("agency"),
        time_zone: value("time_zone"),
        currency: value("currency"),
        person_name: value("name"),
        email: value("email"),
        password: Some(value("password")),
    };
    if let Err(error) = state.app.set_up(new).await {
        let page = page(&headers, &form, mend(error)?);
        return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    let session = state.app.sign_in(&value("email"), &value("password"), &from).await?;
    let mut response = SeeOther::to("/connect").into_response();
    response.headers_mut().append(SET_COOKIE, session::begin(&state, &session));
    Ok(response)
}

async fn connect_page(state: &WebState, visit: &Visit, key: Option<(&str, &str)>) -> Result<Page<SetUp>, PageError> {
    visit.who.actor.must_operate()?;
    let waiting = waiting(state, visit, "/connect").await?;
    let is_there = waiting.received.is_some();
    let form = key.is_none().then(|| {
        let name = Field::text("name", "Name of the key", "first agent")
            .with_hint("Where it is used, so that you know which one to revoke.");
        Form {
            note: "The lines below are then filled in.".to_owned(),
            ..Form::new("/connect", visit.csrf(), "Make a key", vec![name])
        }
    });
    let snippets = Snippets {
        public_url: state.app.public_url(),
        key: key.map(|(_, secret)| secret),
        platform: visit.get("platform"),
        path: "/connect",
    };
    let mut connect = connect(&snippets, key.map(|(name, _)| name));
    connect.waiting = Some(waiting);
    let page = SetUp {
        steps: set_up_steps(if is_there { 2 } else { 1 }),
        title: "Connect an agent".to_owned(),
        text: "Copy the lines for your platform. The first run appears by itself.".to_owned(),
        form,
        connect: Some(connect),
        actions: vec![
            Action::open(if is_there { "Go to Today" } else { "Later" }, "/").with_icon(Icon::Today),
            Action::open("Keys", "/settings/keys").with_icon(Icon::Key),
        ],
    };
    Ok(Page::new(visit.wanted, visit.shell("Connect an agent", "How do my agents' runs get here?", "/settings"), page))
}

async fn show_connect(State(state): State<WebState>, visit: Visit) -> Result<Page<SetUp>, PageError> {
    connect_page(&state, &visit, None).await
}

async fn make_key(
    State(state): State<WebState>,
    visit: Visit,
    SignedForm { who, form }: SignedForm<Fields>,
) -> Result<Page<SetUp>, PageError> {
    let name = form.get("name").filter(|name| !name.trim().is_empty()).unwrap_or("first agent");
    let (key, secret) = state.app.create_key(&who.actor, name, None).await?;
    connect_page(&state, &visit, Some((&key.name, secret.reveal()))).await
}
