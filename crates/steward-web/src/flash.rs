//! What an act came to, said once on the page that follows: a cookie that lives until it is shown.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::session::cookie;
use crate::view::components::badge::Tone;
use crate::view::components::notice::Flash;
use crate::view::html::Link;

const COOKIE_NAME: &str = "steward_flash";
/// A cookie has 4 KiB; what is said in passing is a line.
const MAX_BYTES: usize = 2_000;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    tone: String,
    text: String,
    link: Option<(String, String)>,
}

const TONES: [(Tone, &str); 4] = [(Tone::Good, "good"), (Tone::Info, "info"), (Tone::Warn, "warn"), (Tone::Bad, "bad")];

/// What the last act came to; `None` when nothing is to be said. For [`Shell::flash`](crate::view::shell::Shell::flash).
#[derive(Debug, Clone)]
pub struct Said(pub Option<Flash>);

impl<S: Sync> FromRequestParts<S> for Said {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let kept = cookie(&parts.headers, COOKIE_NAME)
            .and_then(|text| serde_urlencoded::from_str::<Vec<(String, String)>>(text).ok());
        Ok(Self(kept.and_then(|pairs| {
            let json = pairs.into_iter().find_map(|(name, value)| (name == "v").then_some(value))?;
            let kept: Kept = serde_json::from_str(&json).ok()?;
            let tone = TONES.into_iter().find_map(|(tone, word)| (word == kept.tone).then_some(tone))?;
            // Only our own addresses: a cookie can be planted by a neighbour of the domain.
            let link = kept.link.filter(|(_, href)| is_ours(href)).map(|(text, href)| Link::new(text, href));
            Some(Flash { tone, text: kept.text, link })
        })))
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
}

impl SeeOther {
    /// Goes to a path of this program; to the first page when it is none.
    #[must_use]
    pub fn to(path: impl Into<String>) -> Self {
        let path = path.into();
        Self { path: if is_ours(&path) { path } else { "/".to_owned() }, flash: None }
    }

    /// The same, and says there what the act came to.
    #[must_use]
    pub fn saying(self, flash: Flash) -> Self {
        Self { flash: Some(flash), ..self }
    }
}

impl IntoResponse for SeeOther {
    fn into_response(self) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        // A path with other than ASCII in it is written as browsers would write it.
        let path = HeaderValue::from_str(&self.path).ok().filter(|_| self.path.is_ascii());
        let path = path.unwrap_or(HeaderValue::from_static("/"));
        response.headers_mut().insert(LOCATION, path);
        if let Some(value) = self.flash.as_ref().and_then(set_cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
        response
    }
}

fn set_cookie(flash: &Flash) -> Option<HeaderValue> {
    let tone = TONES.into_iter().find_map(|(tone, word)| (tone == flash.tone).then_some(word)).unwrap_or("info");
    let link = flash.link.as_ref().map(|link| (link.text.clone(), link.href.clone()));
    let json = serde_json::to_string(&Kept { tone: tone.to_owned(), text: flash.text.clone(), link }).ok()?;
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
        };
        let set = set_cookie(&said).expect("fits");
        let pair = set.to_str().expect("ASCII").split(';').next().expect("a pair").to_owned();
        let (mut parts, ()) =
            axum::http::Request::builder().header(COOKIE, pair).body(()).expect("a request").into_parts();
        let Ok(Said(back)) = Said::from_request_parts(&mut parts, &()).await;
        let back = back.expect("said");
        assert_eq!((back.tone, back.text, back.link), (said.tone, said.text, said.link));
    }
}
