//! Signing in and out, one-time links, and the theme.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use steward_app::AppError;
use steward_app::secrets::Secret;

use crate::caller::CallerAddress;
use crate::extract::{Path, Query};
use crate::flash::{Said, SeeOther, is_ours};
use crate::problem::PageError;
use crate::session::{self, Fields, MaybeSignedIn, OpenForm, SignedForm};
use crate::view::components::badge::Tone;
use crate::view::components::form::{Field, Form};
use crate::view::components::notice::{Flash, Notice};
use crate::view::html::Csrf;
use crate::view::page::Page;
use crate::view::pages::sign_in::SignIn;
use crate::view::shell::{Shell, Theme};
use crate::{Routes, WebState};

use super::around::sentence;

/// Sign-in, sign-out, one-time links, the theme.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get("/sign-in", show)
        .post("/sign-in", sign_in)
        .get("/sign-in/link/{secret}", show_link)
        .post("/sign-in/link/{secret}", use_link)
        .post("/sign-out", sign_out)
        .post("/theme", set_theme)
}

const HELP: &str =
    "Forgotten? An owner of your agency can make you a new link; on the machine itself, “steward user link” does.";

fn shell(headers: &HeaderMap, title: &str, said: Option<Flash>) -> Shell {
    let cookies = headers.get(axum::http::header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Shell { title: title.to_owned(), theme: Theme::of_cookies(cookies), flash: said, ..Shell::default() }
}

fn sign_in_page(email: &str, next: &str, error: String, notice: Option<Notice>) -> SignIn {
    let form = Form {
        hidden: vec![("next".to_owned(), next.to_owned())],
        error,
        ..Form::new(
            "/sign-in",
            Csrf::default(),
            "Sign in",
            vec![
                Field::line("email", "email", "Address", email).with_autocomplete("username").focused(),
                Field::line("password", "password", "Password", "").with_autocomplete("current-password"),
            ],
        )
    };
    SignIn { title: "Sign in".to_owned(), text: String::new(), notice, form, help: HELP.to_owned() }
}

fn next_of(text: Option<&str>) -> &str {
    text.filter(|path| is_ours(path)).unwrap_or("/")
}

async fn show(
    State(state): State<WebState>,
    MaybeSignedIn(who): MaybeSignedIn,
    Query(query): Query<Fields>,
    said: Said,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let next = next_of(query.get("next"));
    if who.is_some() {
        return Ok(SeeOther::to(next).into_response());
    }
    if !state.app.is_set_up().await? {
        return Ok(SeeOther::to("/setup").into_response());
    }
    let ended = session::session_of(&headers).is_some_and(|secret| !secret.reveal().is_empty());
    let notice =
        ended.then(|| Notice::new(Tone::Info, "You were signed out", "The session has ended. Nothing was lost."));
    Ok(Page::bare(shell(&headers, "Sign in", said.flash), sign_in_page("", next, String::new(), notice))
        .into_response())
}

async fn sign_in(
    State(state): State<WebState>,
    CallerAddress(from): CallerAddress,
    headers: HeaderMap,
    OpenForm(form): OpenForm<Fields>,
) -> Result<Response, PageError> {
    let email = form.get("email").unwrap_or_default();
    let next = next_of(form.get("next"));
    let again = |status, error: String, notice| {
        let page = Page::bare(shell(&headers, "Sign in", None), sign_in_page(email, next, error, notice));
        Ok(page.with_status(status).into_response())
    };
    match state.app.sign_in(email, form.get("password").unwrap_or_default(), &from).await {
        Ok(session) => {
            let mut response = SeeOther::to(next).into_response();
            response.headers_mut().append(SET_COOKIE, session::begin(&state, &session));
            Ok(response)
        }
        Err(AppError::Invalid(words)) => again(StatusCode::UNPROCESSABLE_ENTITY, sentence(&words), None),
        Err(AppError::TooMany { retry_after_seconds }) => {
            let minutes = retry_after_seconds.div_ceil(60);
            let text = format!("Wait {minutes} minutes and try again, or ask an owner for a link.");
            let mut response = again(
                StatusCode::TOO_MANY_REQUESTS,
                String::new(),
                Some(Notice::new(Tone::Warn, "Too many tries", text)),
            )?;
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows the link's button. Programs that look at links before people do use nothing up.
async fn show_link(
    State(state): State<WebState>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let found = state.app.peek_link(&Secret::sent(&secret)).await?;
    let form = Form::new(format!("/sign-in/link/{secret}"), Csrf::default(), "Sign in", Vec::new());
    let page = SignIn {
        title: format!("Welcome, {}", found.person.name),
        text: found.agency,
        notice: None,
        form: Form { note: format!("As {}", found.person.email), ..form },
        help: "This link works once. Afterwards choose a password under “Your account”.".to_owned(),
    };
    Ok(Page::bare(shell(&headers, "Sign in by link", None), page).into_response())
}

async fn use_link(
    State(state): State<WebState>,
    Path(secret): Path<String>,
    OpenForm(_): OpenForm<Fields>,
) -> Result<Response, PageError> {
    let secret = Secret::sent(&secret);
    let found = state.app.peek_link(&secret).await?;
    let session = state.app.use_link(&secret).await?;
    let to = if found.person.has_password {
        SeeOther::to("/")
    } else {
        SeeOther::to("/settings/account").saying(Flash::good("You are signed in. Choose a password for the next time."))
    };
    let mut response = to.into_response();
    response.headers_mut().append(SET_COOKIE, session::begin(&state, &session));
    Ok(response)
}

async fn sign_out(
    State(state): State<WebState>,
    SignedForm { who, .. }: SignedForm<Fields>,
) -> Result<Response, PageError> {
    state.app.sign_out(&who.session).await?;
    let mut response = SeeOther::to("/sign-in").saying(Flash::good("You are signed out.")).into_response();
    response.headers_mut().append(SET_COOKIE, session::end(&state));
    Ok(response)
}

async fn set_theme(OpenForm(form): OpenForm<Fields>) -> Response {
    let theme = Theme::parse(form.get("theme").unwrap_or_default());
    let mut response = SeeOther::to(form.get("back").unwrap_or("/")).into_response();
    if let Ok(value) =
        HeaderValue::from_str(&format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax", theme.as_str()))
    {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}
