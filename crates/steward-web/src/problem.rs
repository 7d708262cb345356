//! What went wrong, as the one who asked may know it.
//!
//! A [`Problem`] rides in its response's extensions; the edge writes the body, because only the edge knows the
//! request's id and in which form the asker reads. The cause is logged here, once, and never sent.

use std::borrow::Cow;

use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use steward_app::intake::IntakeError;
use steward_app::mistakes::Mistake;
use steward_app::{AppError, StoreError};

/// The kinds of problems. Each has an address, `/problems/…`, that never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read.
    BadRequest,
    /// Nobody is signed in, or the key is unknown.
    Unauthorized,
    /// It is seen, and may not be done.
    Forbidden,
    /// It came from another site, or without the token of its form.
    CrossSite,
    /// There is no such thing, or the asker may not know that there is.
    NotFound,
    /// The address is right and the method is not.
    MethodNotAllowed,
    /// Something else is in the way.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body's type or encoding is not known.
    UnsupportedMediaType,
    /// The request can be read and is not right.
    Invalid,
    /// Too often.
    TooMany,
    /// The program failed.
    Internal,
    /// The program is busy or its database does not answer.
    Busy,
    /// It took too long.
    TimedOut,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::TooMany,
        Self::Internal,
        Self::Busy,
        Self::TimedOut,
    ];

    /// The last part of its address.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::CrossSite => "cross-site",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::Invalid => "invalid",
            Self::TooMany => "too-many",
            Self::Internal => "internal",
            Self::Busy => "busy",
            Self::TimedOut => "timed-out",
        }
    }

    /// The status of answers of this kind.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What it means, in a line.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request cannot be read",
            Self::Unauthorized => "Sign in first",
            Self::Forbidden => "Your role does not allow this",
            Self::CrossSite => "This form was not sent from its own page",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "This address does not take this method",
            Self::Conflict => "Something is in the way",
            Self::TooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body's type or encoding is not known here",
            Self::Invalid => "What was sent is not right",
            Self::TooMany => "Too many attempts",
            Self::Internal => "Steward failed",
            Self::Busy => "Steward is busy",
            Self::TimedOut => "This took too long",
        }
    }

    /// What is safe and what to do, for whoever looks the kind up or meets it on a page.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::BadRequest => {
                "Nothing was changed. The address or the body is not as expected; the detail says where."
            }
            Self::Unauthorized => "Sign in, or send a key that is in use.",
            Self::Forbidden => "Nothing was changed. An owner of your agency can change your role, or do it for you.",
            Self::CrossSite => "Nothing was changed. Go back, load the page again and send the form once more.",
            Self::NotFound => {
                "It may have been removed, or belong to somebody else. Check the address, or look for it from the start."
            }
            Self::MethodNotAllowed => {
                "Nothing was changed. The Allow header names the methods that this address takes."
            }
            Self::Conflict => "Nothing was changed. The detail says what is in the way.",
            Self::TooLarge => "Nothing was kept. Send it in smaller parts.",
            Self::UnsupportedMediaType => "Nothing was kept. The detail names what is taken.",
            Self::Invalid => "Nothing was changed. The detail says what to mend.",
            Self::TooMany => "Wait as long as Retry-After says, then try again.",
            Self::Internal => "The failure is in the log under the request's id. Trying again does no harm.",
            Self::Busy => "Nothing was changed. Try again in a moment.",
            Self::TimedOut => "It may or may not have been done: look before you try again, or ask for less at once.",
        }
    }

    /// The kind that a bare status means.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let same = Self::ALL.into_iter().find(|kind| kind.status() == status);
        same.unwrap_or(if status.is_server_error() { Self::Internal } else { Self::BadRequest })
    }
}

/// What went wrong, as the one who asked may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    title: Cow<'static, str>,
    detail: Option<String>,
    retry_after_seconds: Option<u32>,
    mistake: Option<Mistake>,
}

impl Problem {
    /// A problem of a kind, without more words.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, title: Cow::Borrowed(kind.title()), detail: None, retry_after_seconds: None, mistake: None }
    }

    /// The same, with what is the matter in a sentence.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, to be tried again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The same, with other words for what is the matter.
    #[must_use]
    pub fn titled(self, title: impl Into<Cow<'static, str>>) -> Self {
        Self { title: title.into(), ..self }
    }

    /// The same, as a mistake that people make when they connect something: it is kept, to be shown to them.
    #[must_use]
    pub fn mistaken(mut self, mistake: Mistake) -> Self {
        self.mistake = Some(mistake);
        self
    }

    /// There is no such thing: `Problem::no_such("run")`.
    #[must_use]
    pub fn no_such(what: &str) -> Self {
        Self::new(Kind::NotFound).titled(format!("No such {what}"))
    }

    /// What was sent is not right; the words are for the person.
    #[must_use]
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid).because(detail)
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What is the matter, in a line.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What is the matter, in a sentence; empty when the title says all.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }

    /// When to try again.
    #[must_use]
    pub const fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// The mistake that it is.
    #[must_use]
    pub const fn mistake(&self) -> Option<Mistake> {
        self.mistake
    }

    /// As a problem document.
    pub(crate) fn document(&self, request_id: &str) -> ProblemJson {
        ProblemJson {
            kind: format!("/problems/{}", self.kind.slug()),
            title: self.title.clone().into_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            request_id: request_id.to_owned(),
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemJson {
    /// What kind of problem it is: an address that never changes its meaning.
    #[serde(rename = "type")]
    #[schema(example = "/problems/not-found")]
    kind: String,
    /// What is the matter, in a line.
    #[schema(example = "No such run")]
    title: String,
    /// The answer's status.
    #[schema(example = 404)]
    status: u16,
    /// What is the matter, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The request's id, as in the log.
    request_id: String,
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::NotFound(what) => Self::no_such(what),
            AppError::Forbidden(why) => Self::new(Kind::Forbidden).because(why),
            AppError::Invalid(words) => Self::invalid(words),
            AppError::Conflict(words) => Self::new(Kind::Conflict).because(words),
            AppError::TooMany { retry_after_seconds } => Self::new(Kind::TooMany).retry_after(retry_after_seconds),
            AppError::Busy { retry_after_seconds, .. } => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a request found the program busy");
                Self::new(Kind::Busy).retry_after(retry_after_seconds)
            }
            AppError::Store(StoreError::Conflict(_)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "two requests were in each other's way");
                Self::new(Kind::Conflict).because("somebody did the same at the same time; look, and try again")
            }
            AppError::Store(_) | AppError::Paper(_) | AppError::Fault(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a request failed");
                Self::new(Kind::Internal)
            }
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Unreadable(source) => {
                Self::new(Kind::BadRequest).because(with_causes(&source)).mistaken(Mistake::Unreadable)
            }
            IntakeError::Busy { retry_after_seconds } => Self::new(Kind::Busy).retry_after(retry_after_seconds),
        }
    }
}

/// An error with its causes in one line: only for errors about what the asker sent.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// A failure of a page: a problem, or somewhere else to go first.
#[derive(Debug)]
pub enum PageError {
    /// A problem, shown as a page with a way out.
    Problem(Problem),
    /// Somewhere else to go first: sign-in.
    GoTo(String),
}

impl From<Problem> for PageError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<AppError> for PageError {
    fn from(error: AppError) -> Self {
        Self::Problem(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::GoTo(path) => match HeaderValue::from_str(&path) {
                Ok(path) => (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response(),
                Err(_) => Problem::new(Kind::BadRequest).into_response(),
            },
        }
    }
}
