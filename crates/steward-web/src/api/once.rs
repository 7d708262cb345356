//! `Idempotency-Key`: a write of the API that is sent again is answered again, and not done again.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use steward_app::Actor;
use steward_app::idempotency::Once;
use steward_app::tenant::IdempotencyKey;
use tracing::Instrument as _;

use super::caller::Writer;
use crate::problem::Kind;
use crate::{Problem, WebState};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The largest body of a write; the API has none that is larger.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;
/// The largest answer that is kept.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// Does a write once, where its sender gave it a key. Everything else passes as it is.
pub(crate) async fn once(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_write || !request.uri().path().starts_with("/api/v1/") || !request.headers().contains_key(&KEY) {
        return next.run(request).await;
    }
    match do_once(&state, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn do_once(state: &WebState, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let Writer(actor) = Writer::from_request_parts(&mut parts, state).await?;
    let key = parts.headers.get(&KEY).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let too_large = || Problem::new(Kind::TooLarge).because("a write of the API has at most 2 MB");
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| too_large())?;
    // In a task of its own: a sender that hangs up, or the edge's timeout, ends the wait and not the write, so that what
    // came of it is kept, and sending it again does not do it again. Nor is the key taken for a write that nobody does.
    let state = state.clone();
    let done = async move {
        let address = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let told = [parts.method.as_str().as_bytes(), address.as_bytes(), &body];
        match state.app.begin_once(&actor, &key, &told).await? {
            Once::Do(key) => settle(&state, &actor, &key, Request::from_parts(parts, Body::from(body)), next).await,
            Once::Done { status, answer } => again(status, answer),
        }
    };
    tokio::spawn(done.in_current_span()).await.map_err(|_| Problem::new(Kind::Internal))?
}

/// Does a write and keeps what it was answered.
async fn settle(
    state: &WebState,
    actor: &Actor,
    key: &IdempotencyKey,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let response = next.run(request).await;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        // It changed nothing, and may be sent again under the same key.
        state.app.settle_once(actor, key, None).await?;
        return Ok(Response::from_parts(head, body));
    }
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::new(Kind::Internal))?;
    let answer = std::str::from_utf8(&body).ok().filter(|answer| answer.len() <= MAX_ANSWER_BYTES);
    let kept = state.app.settle_once(actor, key, Some((head.status.as_u16(), answer.unwrap_or_default()))).await;
    if let Err(error) = kept {
        // It is done, and its sender is to hear so.
        tracing::warn!(error = &error as &dyn std::error::Error, "what a write was answered could not be kept");
    }
    Ok(Response::from_parts(head, Body::from(body)))
}

/// The answer that was given before.
fn again(status: u16, answer: Option<String>) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(status).map_err(|_| Problem::new(Kind::Internal))?;
    let answer = answer.ok_or_else(|| {
        Problem::new(Kind::Conflict)
            .because("this was done before, and its answer was not kept: look at what came of it")
    })?;
    let mut response = (status, answer.clone()).into_response();
    if answer.is_empty() {
        response.headers_mut().remove(CONTENT_TYPE);
    } else {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}
