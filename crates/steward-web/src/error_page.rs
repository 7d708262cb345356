//! A problem as a page: what happened, what is safe, and a way out.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use axum::response::{IntoResponse, Response};

use crate::problem::{Kind, Problem};
use crate::view::components::button::Action;
use crate::view::components::empty::Empty;
use crate::view::components::icon::Icon;
use crate::view::page::{Page, Wanted};
use crate::view::shell::{Shell, Theme};

/// Writes a problem as a page, or as the part that htmx asked for.
pub(crate) fn page(problem: &Problem, headers: &HeaderMap, request_id: &str) -> Response {
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shell = Shell { title: problem.title().to_owned(), theme: Theme::of_cookies(cookies), ..Shell::default() };
    let kind = problem.kind();
    let mut text = String::new();
    for part in [problem.detail(), kind.advice()] {
        if !part.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(part);
            if !part.ends_with(['.', '!', '?']) {
                text.push('.');
            }
        }
    }
    if matches!(kind, Kind::Internal | Kind::Busy | Kind::TimedOut) {
        text.push_str(&format!(" Request {request_id}."));
    }
    let way_out = match kind {
        Kind::Unauthorized => Action::open("Sign in", "/sign-in"),
        _ => Action::open("Go to Today", "/"),
    };
    let part = Empty::new(icon(kind), problem.title(), text).with_action(way_out.primary());
    let page = match Wanted::of(headers) {
        Wanted::Part => Page::new(Wanted::Part, shell, part),
        Wanted::Document => Page::bare(shell, part),
    };
    page.with_status(kind.status()).into_response()
}

fn icon(kind: Kind) -> Icon {
    match kind {
        Kind::Unauthorized | Kind::Forbidden => Icon::Person,
        Kind::NotFound => Icon::Search,
        Kind::Busy | Kind::TimedOut | Kind::TooMany => Icon::Clock,
        _ => Icon::Info,
    }
}
