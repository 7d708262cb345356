//! What an act came to, said once on the page that follows: a cookie that lives until it is shown.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use steward_core::ids::{ClientId, ReviewId, RunId, WorkflowId};

use crate::session::cookie;
use crate::view::components::badge::Tone;
use crate::view::components::button::{Action, How};
use crate::view::components::icon::Icon;
use crate::view::components::notice::Flash;
use crate::view::html::{Csrf, Link};

const COOKIE_NAME: &str = "steward_flash";
/// A cookie has 4 KiB; what is said in passing is a line, beside which a page of reviews can be named.
const MAX_BYTES: usize = 3_500;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    tone: String,
    text: String,
    link: Option<(String, String)>,
    #[serde(default)]
    undo: Option<Undo>,
}

/// What one button takes back.
///
/// Invariant: it names an act of ours and its thing, never an address: a cookie can be planted by a neighbour of the
/// domain, and the button carries the session's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// A client was archived.
    Client(ClientId),
    /// A workflow was archived.
    Workflow(WorkflowId),
    /// A verdict was given, changed or withdrawn.
    Verdict(RunId),
    /// An item of the queue was reviewed.
    Review(ReviewId),
    /// Several were.
    Reviews(Vec<ReviewId>),
}

impl Undo {
    /// The button that does it.
    #[must_use]
    pub fn action(self, csrf: Csrf) -> Action {
        let (href, fields) = match self {
            Self::Client(id) => (format!("/clients/{id}/unarchive"), Vec::new()),
            Self::Workflow(id) => (format!("/workflows/{id}/unarchive"), Vec::new()),
            Self::Review(id) => (format!("/reviews/{id}/undo"), Vec::new()),
            Self::Reviews(ids) => {
                ("/reviews/undo".to_owned(), ids.iter().map(|id| ("review".to_owned(), id.to_string())).collect())
            }
            Self::Verdict(id) => (format!("/runs/{id}/verdict"), vec![("undo".to_owned(), "1".to_owned())]),
        };
        Action { how: How::Post(csrf, fields), key: "u".to_owned(), ..Action::open("Undo", href).with_icon(Icon::Undo) }
    }
}

const TONES: [(Tone, &str); 4] = [(Tone::Good, "good"), (Tone::Info, "info"), (Tone::Warn, "warn"), (Tone::Bad, "bad")];

/// What the last act came to. For [`Shell::flash`](crate::view::shell::Shell::flash).
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// What is said of it; `None` when nothing is.
    pub flash: Option<Flash>,
    /// What takes it back; `None` when nothing does.
    pub undo: Option<Undo>,
}

impl Said {
    /// What is said, with the button that takes it back, for somebody whose forms carry this token.
    #[must_use]
    pub fn shown(&self, csrf: &Csrf) -> Option<Flash> {
        let undo = self.undo.clone().map(|undo| undo.action(csrf.clone()));
        self.flash.clone().map(|flash| Flash { undo, ..flash })
    }
}

impl<S: Sync> FromRequestParts<S> for Said {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let kept = cookie(&parts.headers, COOKIE_NAME)
            .and_then(|text| serde_urlencoded::from_str::<Vec<(String, String)>>(text).ok());
        let said = kept.and_then(|pairs| {
            let json = pairs.into_iter().find_map(|(name, value)| (name == "v").then_some(value))?;
            let kept: Kept = serde_json::from_str(&json).ok()?;
            let tone = TONES.into_iter().find_map(|(tone, word)| (word == kept.tone).then_some(tone))?;
            // Only our own addresses: a cookie can be planted by a neighbour of the domain.
            let link = kept.link.filter(|(_, href)| is_ours(href)).map(|(text, href)| Link::new(text, href));
            Some(Self { flash: Some(Flash { tone, text: kept.text, link, undo: None }), undo: kept.undo })
        });
        Ok(said.unwrap_or_default())
    }
}

/// Whether an address is a path of this program, fit to be gone to after sign-in or an act.
#[must_use]
pub fn is_ours(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.len() <= 2_000
        && !path.chars().any(char::is_control)
}

/// Goes to another page after an act: 303, as forms need it.
#[derive(Debug)]
pub struct SeeOther {
    path: String,
    flash: Option<Flash>,
    undo: Option<Undo>,
}

impl SeeOther {
    /// Goes to a path of this program; to the first page when it is none.
    #[must_use]
    pub fn to(path: impl Into<String>) -> Self {
        let path = path.into();
        Self { path: if is_ours(&path) { path } else { "/".to_owned() }, flash: None, undo: None }
    }

    /// The same, and says there what the act came to.
    #[must_use]
    pub fn saying(self, flash: Flash) -> Self {
        Self { flash: Some(flash), ..self }
    }

    /// The same, with a button beside it that takes the act back.
    #[must_use]
    pub fn undoable(self, undo: Undo) -> Self {
        Self { undo: Some(undo), ..self }
    }
}

impl IntoResponse for SeeOther {
    fn into_response(self) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        // A path with other than ASCII in it is written as browsers would write it.
        let path = HeaderValue::from_str(&self.path).ok().filter(|_| self.path.is_ascii());
        let path = path.unwrap_or(HeaderValue::from_static("/"));
        response.headers_mut().insert(LOCATION, path);
        if let Some(value) = self.flash.as_ref().and_then(|flash| set_cookie(flash, self.undo.clone())) {
            response.headers_mut().append(SET_COOKIE, value);
        }
        response
    }
}

fn set_cookie(flash: &Flash, undo: Option<Undo>) -> Option<HeaderValue> {
    let tone = TONES.into_iter().find_map(|(tone, word)| (tone == flash.tone).then_some(word)).unwrap_or("info");
    let link = flash.link.as_ref().map(|link| (link.text.clone(), link.href.clone()));
    let json = serde_json::to_string(&Kept { tone: tone.to_owned(), text: flash.text.clone(), link, undo }).ok()?;
    let value = serde_urlencoded::to_string([("v", json)]).ok()?;
    if value.len() > MAX_BYTES {
        return None;
    }
    HeaderValue::from_str(&format!("{COOKIE_NAME}={value}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax")).ok()
}

/// Forgets what was said once a page has come that could show it.
pub(crate) fn forget_shown(asked: &HeaderMap, response: &mut Response) {
    let is_page = response.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_page && asked.contains_key(COOKIE) && cookie(asked, COOKIE_NAME).is_some() {
        let gone = HeaderValue::from_static("steward_flash=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        response.headers_mut().append(SET_COOKIE, gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_program_are_gone_to() {
        for path in ["/", "/runs?q=a%20b", "/clients/cl_1#top"] {
            assert!(is_ours(path), "{path}");
        }
        for path in
            ["", "runs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "javascript:alert(1)"]
        {
            assert!(!is_ours(path), "{path}");
        }
    }

    #[tokio::test]
    async fn what_was_said_comes_back_once() {
        let said = Flash {
            tone: Tone::Warn,
            text: "Ärger; “quoted”, 100 %".to_owned(),
            link: Some(Link::new("See", "/runs")),
            undo: None,
        };
        let run: RunId = format!("run_{}", "7".repeat(32)).parse().expect("an id");
        let set = set_cookie(&said, Some(Undo::Verdict(run))).expect("fits");
        let pair = set.to_str().expect("ASCII").split(';').next().expect("a pair").to_owned();
        let (mut parts, ()) =
            axum::http::Request::builder().header(COOKIE, pair).body(()).expect("a request").into_parts();
        let Ok(back) = Said::from_request_parts(&mut parts, &()).await;
        let shown = back.shown(&Csrf("token".to_owned())).expect("said");
        assert_eq!((shown.tone, shown.text, shown.link), (said.tone, said.text, said.link));
        let undo = shown.undo.expect("an undo");
        assert_eq!(undo.href, format!("/runs/{run}/verdict"));
        assert_eq!(undo.how, How::Post(Csrf("token".to_owned()), vec![("undo".to_owned(), "1".to_owned())]));
    }

    #[tokio::test]
    async fn a_cookie_that_names_an_address_to_post_to_undoes_nothing() {
        let planted = r#"{"tone":"good","text":"hello","link":null,"undo":{"href":"/sign-out"}}"#;
        let pair = format!("{COOKIE_NAME}={}", serde_urlencoded::to_string([("v", planted)]).expect("fits"));
        let (mut parts, ()) =
            axum::http::Request::builder().header(COOKIE, pair).body(()).expect("a request").into_parts();
        let Ok(back) = Said::from_request_parts(&mut parts, &()).await;
        assert!(back.shown(&Csrf("token".to_owned())).is_none());
    }
}
