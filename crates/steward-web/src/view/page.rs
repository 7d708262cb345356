//! The answer of a page: the whole document, or only the part when htmx asks for it.
//!
//! Invariant: one responder decides which is sent, so that a page never differs between the two.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{Html as HtmlBody, IntoResponse, Response};

use super::components::icon::Icon;
use super::components::logo::Logo;
use super::html::Html;
use super::shell::Shell;

/// Tells a part from a whole: htmx says `partial` when it swaps something smaller than the page.
const HX_REQUEST_TYPE: HeaderName = HeaderName::from_static("hx-request-type");

/// The content security policy of every page: nothing inline, nothing from elsewhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How much of a page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    /// The whole document.
    #[default]
    Document,
    /// What stands in `<main>`.
    Part,
}

impl Wanted {
    /// Reads it from a request's headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let partial = headers.get(HX_REQUEST_TYPE).is_some_and(|value| value == "partial");
        if partial { Self::Part } else { Self::Document }
    }
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A page: a template inside the shell.
#[derive(Debug)]
pub struct Page<T> {
    shell: Shell,
    part: T,
    wanted: Wanted,
    status: StatusCode,
    layout: Layout,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Rooms,
    Bare,
    BareWide,
}

impl<T: Template> Page<T> {
    /// A page in the rooms.
    pub fn new(wanted: Wanted, shell: Shell, part: T) -> Self {
        Self { shell, part, wanted, status: StatusCode::OK, layout: Layout::Rooms }
    }

    /// A page before the rooms: sign-in, an invitation.
    pub fn bare(shell: Shell, part: T) -> Self {
        Self { shell, part, wanted: Wanted::Document, status: StatusCode::OK, layout: Layout::Bare }
    }

    /// A page before the rooms that needs more width: set-up.
    pub fn bare_wide(shell: Shell, part: T) -> Self {
        Self { layout: Layout::BareWide, ..Self::bare(shell, part) }
    }

    /// The same page with another status: 422 for a form with errors, 404 for what is not there.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Renders the page.
    ///
    /// # Errors
    ///
    /// When a template fails, which is a bug in it.
    pub fn render(&self) -> askama::Result<String> {
        let body = Html::trusted(self.part.render()?);
        let shell = &self.shell;
        match (self.wanted, self.layout) {
            (Wanted::Part, _) => PartDocument { shell, body }.render(),
            (Wanted::Document, Layout::Rooms) => RoomsDocument { shell, body }.render(),
            (Wanted::Document, layout) => {
                let has_heading = body.as_str().contains("<h1");
                BareDocument { shell, body, has_heading, is_wide: layout == Layout::BareWide }.render()
            }
        }
    }
}

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let headers = [
            (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
            (VARY, HeaderValue::from_static("hx-request-type")),
        ];
        match self.render() {
            Ok(text) => (self.status, headers, HtmlBody(text)).into_response(),
            Err(error) => {
                tracing::error!(error = %error, page = self.shell.title, "a template failed");
                (StatusCode::INTERNAL_SERVER_ERROR, headers, "This page could not be written. Nothing was changed.")
                    .into_response()
            }
        }
    }
}

#[derive(Template)]
#[template(path = "rooms.html")]
struct RoomsDocument<'a> {
    shell: &'a Shell,
    body: Html,
}

#[derive(Template)]
#[template(path = "bare.html")]
struct BareDocument<'a> {
    shell: &'a Shell,
    body: Html,
    has_heading: bool,
    is_wide: bool,
}

#[derive(Template)]
#[template(path = "part.html")]
struct PartDocument<'a> {
    shell: &'a Shell,
    body: Html,
}
