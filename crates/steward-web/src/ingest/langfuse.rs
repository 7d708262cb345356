//! What Langfuse's libraries send and ask beside OTLP, as their own interface answers it.
//!
//! Who has them changes the host and the keys: the secret key is a key of ours, and the public key, which is not
//! looked at, is anything. Steward keeps no prompts of theirs, so that their libraries take the fallback that their
//! caller gave.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use steward_app::langfuse::{AcceptedBatch, AcceptedScores, ScoreIntakeError};
use steward_app::system::{InboxKind, KeyScope};

use super::body::{Coming, Read};
use super::key::find_scope;
use super::otlp::{count, weigh};
use super::status::words;
use crate::extract::{Json, Path};
use crate::problem::Kind;
use crate::{Problem, WebState};

/// What went wrong, as Langfuse's interface tells it.
#[derive(Debug, Serialize)]
struct ErrorJson {
    message: String,
    error: &'static str,
}

/// Writes a problem as Langfuse's interface does.
pub(crate) fn error(problem: &Problem) -> Response {
    let error = match problem.kind() {
        Kind::BadRequest | Kind::Invalid | Kind::UnsupportedMediaType | Kind::TooLarge => "InvalidRequestError",
        Kind::Unauthorized => "UnauthorizedError",
        Kind::Forbidden | Kind::CrossSite => "ForbiddenError",
        Kind::NotFound => "LangfuseNotFoundError",
        Kind::MethodNotAllowed => "MethodNotAllowedError",
        Kind::Conflict => "LangfuseConflictError",
        Kind::TooMany => "TooManyRequestsError",
        Kind::Internal => "InternalServerError",
        Kind::Busy | Kind::TimedOut => "ServiceUnavailableError",
    };
    (problem.kind().status(), Json(ErrorJson { message: words(problem), error })).into_response()
}

/// Takes in a batch of events. When it is answered, what was accepted is on disk.
pub(crate) async fn take_in_batch(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    let (scope, read) = receive(&state, InboxKind::LangfuseBatch, request).await?;
    let taken = state.app.accept_langfuse_batch(scope, read.bytes.clone()).await?;
    let AcceptedBatch { accepted, answer } = taken;
    count(&state, &read.bytes, &accepted);
    Ok((StatusCode::MULTI_STATUS, Json(answer)).into_response())
}

/// Takes in one judgement, or a list of them. When it is answered, what was accepted is on disk.
pub(crate) async fn take_in_scores(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    let (scope, read) = receive(&state, InboxKind::LangfuseScores, request).await?;
    let (accepted, answer) = match state.app.accept_langfuse_scores(scope, read.bytes.clone()).await {
        Ok(taken) => taken,
        Err(ScoreIntakeError::Refused(reason)) => return Err(Problem::new(Kind::BadRequest).because(reason)),
        Err(ScoreIntakeError::Intake(error)) => return Err(error.into()),
    };
    count(&state, &read.bytes, &accepted);
    Ok(match answer {
        AcceptedScores::One { id } => Json(json!({"id": id})).into_response(),
        AcceptedScores::List { refusals } if refusals.is_empty() => {
            (StatusCode::ACCEPTED, Json(json!({"message": "Accepted"}))).into_response()
        }
        AcceptedScores::List { refusals } => {
            let errors: Vec<_> = refusals.into_iter().map(|message| json!({"message": message})).collect();
            let answer = json!({"accepted": accepted.accepted, "rejected": accepted.rejected, "errors": errors});
            (StatusCode::MULTI_STATUS, Json(answer)).into_response()
        }
    })
}

/// Reads the body of a request, with the room that it takes once it is read.
async fn receive(state: &WebState, kind: InboxKind, request: Request) -> Result<(KeyScope, Read), Problem> {
    let (parts, body) = request.into_parts();
    let mut body = Coming::new(body, &parts.headers);
    let received = async {
        let scope = find_scope(state, &parts.headers).await?;
        let mut read = body.read(state, &parts.headers).await?;
        weigh(state, kind, &mut read)?;
        Ok((scope, read))
    }
    .await;
    if received.is_err() {
        body.drain().await;
    }
    received
}

/// Says that requests can be served, to who has a key.
pub(crate) async fn health(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, Problem> {
    find_scope(&state, &headers).await?;
    Ok(Json(json!({"status": "OK", "version": env!("CARGO_PKG_VERSION")})).into_response())
}

/// Lists the one project that a key is for.
pub(crate) async fn list_projects(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, Problem> {
    let scope = find_scope(&state, &headers).await?;
    let project = state.app.get_project(scope).await?;
    let organization = json!({"id": project.agency_id, "name": project.agency_name});
    let (id, name) = match project.workflow {
        Some((id, name)) => (id.to_string(), name),
        None => (project.agency_id.to_string(), project.agency_name),
    };
    let project = json!({"id": id, "name": name, "organization": organization, "metadata": {}});
    Ok(Json(json!({"data": [project]})).into_response())
}

/// Says that there is no such prompt, so that a library takes its caller's fallback.
pub(crate) async fn find_prompt(
    State(state): State<WebState>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    find_scope(&state, &headers).await?;
    let name: String = name.chars().take(200).collect();
    Err(Problem::no_such("prompt")
        .because(format!("Steward keeps no prompts of Langfuse's, and so none named “{name}”")))
}
