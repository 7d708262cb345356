//! Native runs: `POST /v1/runs` with one run, an array of them, or one on each line.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use steward_app::intake::Accepted;
use steward_app::mistakes::Mistake;
use steward_app::system::InboxKind;

use super::body::Coming;
use super::key::find_scope;
use super::otlp::accept;
use crate::problem::Kind;
use crate::{Problem, WebState};

/// What was taken in.
#[derive(Debug, Serialize)]
struct AcceptedJson {
    /// Steps that were accepted.
    accepted: u64,
    /// Runs that were refused.
    rejected: u64,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Takes in native runs. When it is answered, they are on disk.
pub(crate) async fn take_in_runs(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = Coming::new(body, &parts.headers);
    let taken = take_in(&state, &parts.headers, &mut body).await;
    if taken.is_err() {
        body.drain().await;
    }
    Ok(answer(taken?))
}

/// What was taken in, as JSON.
pub(super) fn answer(accepted: Accepted) -> Response {
    let Accepted { accepted, rejected, rejection, warning } = accepted;
    crate::extract::Json(AcceptedJson { accepted, rejected, message: rejection.or(warning) }).into_response()
}

async fn take_in(state: &WebState, headers: &HeaderMap, body: &mut Coming) -> Result<Accepted, Problem> {
    let scope = find_scope(state, headers).await?;
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(
        named.as_str(),
        "application/json" | "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines"
    ) {
        let words = "runs are application/json, or application/x-ndjson with one run on each line";
        return Err(Problem::new(Kind::UnsupportedMediaType).because(words).mistaken(Mistake::ContentType));
    }
    let read = body.read(state, headers).await?;
    accept(state, scope, InboxKind::Native, read).await
}
