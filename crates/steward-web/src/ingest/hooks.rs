//! Webhooks of platforms: `POST /v1/hooks/{platform}/{token}`, verified over the bytes as they came.
//!
//! A platform sends again what is not answered with success. So what is verified is kept and acknowledged also when it
//! cannot be read, and what is refused says why in words that whoever set the webhook up understands.

use axum::extract::{OriginalUri, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use steward_app::connections::{Hook, HookError, HookRequest, Platform};
use steward_app::intake::Accepted;
use steward_app::mistakes::Mistake;

use super::body::{Coming, Read};
use super::otlp::{count, weigh};
use super::runs::answer;
use crate::extract::Path;
use crate::problem::Kind;
use crate::{Problem, WebState};

/// Takes in what a platform tells. When it is answered with success, it is on disk.
pub(crate) async fn take_in_hook(
    State(state): State<WebState>,
    Path((word, token)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = Coming::new(body, &parts.headers);
    let path = uri.path_and_query().map_or_else(|| uri.path(), |path| path.as_str());
    let url = format!("{}{path}", state.app.public_url());
    let taken = async {
        let hook = find(&state, &word, &token).await?;
        let read = body.read(&state, &parts.headers).await?;
        take_in(&state, &hook, &url, &parts.headers, read).await
    };
    let taken = taken.await;
    if taken.is_err() {
        body.drain().await;
    }
    Ok(answer(taken?))
}

async fn find(state: &WebState, word: &str, token: &str) -> Result<Hook, Problem> {
    let Some(hook) = state.app.find_hook(token).await? else {
        let words = "this address is unknown: it was cut when it was copied, or its connection was deleted; \
                     connections are made on a workflow's page";
        return Err(Problem::new(Kind::Unauthorized).titled("No such connection").because(words));
    };
    if Platform::parse(word) == Some(hook.platform()) {
        return Ok(hook);
    }
    let is = hook.platform();
    let words = format!(
        "this address was made for {}: it goes on with /v1/hooks/{}/…; for another platform, make another connection",
        is.name(),
        is.as_str()
    );
    state.app.note_mistake(hook.sender(), Mistake::Platform, &words).await;
    Err(Problem::new(Kind::NotFound).titled("The address is for another platform").because(words))
}

async fn take_in(
    state: &WebState,
    hook: &Hook,
    url: &str,
    headers: &HeaderMap,
    mut read: Read,
) -> Result<Accepted, Problem> {
    weigh(state, hook.kind(), &mut read)?;
    let Read { bytes, room } = read;
    let headers: Vec<(&str, &str)> =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let request = HookRequest { method: "POST", url, headers: &headers, body: bytes.clone() };
    let taken = state.app.take_hook(hook, request, false).await;
    drop(room);
    let accepted = taken.map_err(|error| match error {
        HookError::NotVerified(source) => {
            Problem::new(Kind::Unauthorized).titled("Not verified").because(source.to_string())
        }
        HookError::Intake(source) => source.into(),
    })?;
    count(state, &bytes, &accepted);
    Ok(accepted)
}

/// Records a sign of life: `GET` or `POST /v1/beat/{token}`.
pub(crate) async fn take_in_beat(
    State(state): State<WebState>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    if state.app.record_beat(&token).await? {
        return Ok(([("cache-control", "no-store")], "Noted.\n").into_response());
    }
    let words = "this address is unknown: it was cut when it was copied, or its connection was deleted";
    Err(Problem::new(Kind::Unauthorized).titled("No such connection").because(words))
}
