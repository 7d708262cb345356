//! OTLP traces and logs over HTTP, as protobuf or as JSON.

use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;
use serde_json::json;
use steward_app::intake::{Accepted, IntakeError, weight_of};
use steward_app::mistakes::{Mistake, Sender};
use steward_app::system::{InboxKind, KeyScope};

use super::body::{Coming, Read};
use super::key::find_scope;
use super::mistaken;
use super::status::{Encoding, PROTOBUF};
use crate::problem::Kind;
use crate::{Problem, WebState};

/// The signals of OTLP that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Traces,
    Logs,
}

impl Signal {
    /// In what form the inbox keeps it.
    pub(super) const fn kind(self, encoding: Encoding) -> InboxKind {
        match (self, encoding) {
            (Self::Traces, Encoding::Protobuf) => InboxKind::OtlpProtobuf,
            (Self::Traces, Encoding::Json) => InboxKind::OtlpJson,
            (Self::Logs, Encoding::Protobuf) => InboxKind::OtlpLogsProtobuf,
            (Self::Logs, Encoding::Json) => InboxKind::OtlpLogsJson,
        }
    }

    /// What `partialSuccess` calls the number of those that were refused.
    const fn rejected(self) -> &'static str {
        match self {
            Self::Traces => "rejectedSpans",
            Self::Logs => "rejectedLogRecords",
        }
    }
}

/// Takes in an export of traces. When it is answered, it is on disk.
pub(crate) async fn take_in_traces(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    answer_export(&state, Signal::Traces, request).await
}

/// Takes in an export of logs. When it is answered, what concerns runs is on disk.
pub(crate) async fn take_in_logs(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    answer_export(&state, Signal::Logs, request).await
}

async fn answer_export(state: &WebState, signal: Signal, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = Coming::new(body, &parts.headers);
    let taken = take_in(state, signal, &parts.headers, &mut body).await;
    if taken.is_err() {
        body.drain().await;
    }
    let (encoding, accepted) = taken?;
    Ok(answer(signal, encoding, accepted))
}

async fn take_in(
    state: &WebState,
    signal: Signal,
    headers: &HeaderMap,
    body: &mut Coming,
) -> Result<(Encoding, Accepted), Problem> {
    let scope = find_scope(state, headers).await?;
    let encoding = must_be_encoding(headers)?;
    let read = body.read(state, headers).await?;
    Ok((encoding, accept(state, scope, signal.kind(encoding), read).await?))
}

/// The encoding that a request names; OTLP has no default.
pub(super) fn must_be_encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    Encoding::of(headers).ok_or_else(|| {
        let named = headers
            .get(CONTENT_TYPE)
            .map_or("no Content-Type".into(), |value| String::from_utf8_lossy(value.as_bytes()));
        let words = format!("OTLP is application/x-protobuf or application/json, and this request has {named}");
        Problem::new(Kind::UnsupportedMediaType).because(words).mistaken(Mistake::ContentType)
    })
}

/// Hands a payload to intake, and counts what came of it.
///
/// # Errors
///
/// 400 for bytes that are not what they should be, and with words of their own for other signals on the wrong address; 413 and
/// 503 for what would take more memory than there is for one, or for all at once.
pub(super) async fn accept(
    state: &WebState,
    scope: KeyScope,
    kind: InboxKind,
    mut read: Read,
) -> Result<Accepted, Problem> {
    weigh(state, kind, &mut read)?;
    let Read { bytes, room } = read;
    let taken = state.app.accept(scope, kind, bytes.clone()).await;
    drop(room);
    let nothing_good = match &taken {
        Ok(accepted) => accepted.accepted == 0 && accepted.rejected > 0,
        Err(IntakeError::Unreadable(_)) => true,
        Err(_) => false,
    };
    if nothing_good && let Some(signal) = mistaken::signal(kind, &bytes) {
        return Err(Problem::new(Kind::BadRequest).because(mistaken::words(signal)).mistaken(Mistake::OtherSignal));
    }
    if matches!(taken, Err(IntakeError::Unreadable(_)))
        && let Some((mistake, words)) = mistaken::form(kind, &bytes)
    {
        return Err(Problem::new(Kind::BadRequest).because(words).mistaken(mistake));
    }
    let accepted = taken?;
    let sender = Sender::Key(scope.agency_id, scope.key_id);
    if let Some(words) = accepted.rejection.as_ref().filter(|_| accepted.rejected > 0) {
        state.app.note_mistake(sender, mistaken::of_rejection(words), words).await;
    }
    if let Some(words) = &accepted.warning {
        state.app.note_mistake(sender, Mistake::Clock, words).await;
    }
    count(state, &bytes, &accepted);
    Ok(accepted)
}

/// Takes as much room in memory as a payload becomes once it is read.
///
/// # Errors
///
/// 413 for what would take more memory than there is for one, 503 for more than there is for all at once.
pub(super) fn weigh(state: &WebState, kind: InboxKind, read: &mut Read) -> Result<(), Problem> {
    let most = state.config().max_bytes_in_flight / 2;
    let weight = weight_of(kind, &read.bytes, most);
    if weight > most {
        return Err(
            Problem::new(Kind::TooLarge).because("the body holds too many spans or values; send smaller batches")
        );
    }
    read.room.grow_to(weight)
}

/// Counts what came of a payload.
pub(super) fn count(state: &WebState, bytes: &[u8], accepted: &Accepted) {
    let meters = state.meters();
    meters.body_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    meters.accepted.fetch_add(accepted.accepted, Ordering::Relaxed);
    meters.rejected.fetch_add(accepted.rejected, Ordering::Relaxed);
}

/// The standard's answer: `partial_success` stands in it only when something was refused, or is worth a warning.
/// The answers of all signals have the same shape in protobuf.
pub(super) fn response(accepted: Accepted) -> ExportTraceServiceResponse {
    let has_words = accepted.rejection.is_some() || accepted.warning.is_some();
    let partial_success = has_words.then(|| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(accepted.rejected).unwrap_or(i64::MAX),
        error_message: accepted.rejection.or(accepted.warning).unwrap_or_default(),
    });
    ExportTraceServiceResponse { partial_success }
}

fn answer(signal: Signal, encoding: Encoding, accepted: Accepted) -> Response {
    let response = response(accepted);
    match encoding {
        Encoding::Protobuf => ([(CONTENT_TYPE, PROTOBUF)], response.encode_to_vec()).into_response(),
        Encoding::Json => crate::extract::Json(match response.partial_success {
            // Protobuf's JSON writes 64-bit integers as strings.
            Some(partial) => json!({"partialSuccess": {
                signal.rejected(): partial.rejected_spans.to_string(),
                "errorMessage": partial.error_message,
            }}),
            None => json!({}),
        })
        .into_response(),
    }
}
