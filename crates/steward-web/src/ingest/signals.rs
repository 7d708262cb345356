//! Logs and metrics: taken without an error, because exporters often cannot be told to leave them out, and not kept.

use std::sync::Once;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;
use serde_json::json;

use super::body::Coming;
use super::key::find_scope;
use super::otlp::must_be_encoding;
use super::status::{Encoding, PROTOBUF};
use crate::{Problem, WebState};

/// What is said of a signal that is not kept.
pub(super) fn not_kept(signal: &str) -> String {
    static SAID: Once = Once::new();
    SAID.call_once(|| tracing::info!(signal, "an agent sends {signal}, which are not kept; only traces are"));
    format!("Steward does not keep {signal} yet: nothing of this was stored, and nothing has to be sent again")
}

/// The standard's answer with a warning. The answers of all three signals have the same shape on the wire.
pub(super) fn response(signal: &str) -> ExportTraceServiceResponse {
    let partial = ExportTracePartialSuccess { rejected_spans: 0, error_message: not_kept(signal) };
    ExportTraceServiceResponse { partial_success: Some(partial) }
}

/// Takes logs without keeping them.
pub(crate) async fn refuse_logs(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    refuse(&state, request, "logs").await
}

/// Takes metrics without keeping them.
pub(crate) async fn refuse_metrics(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    refuse(&state, request, "metrics").await
}

async fn refuse(state: &WebState, request: Request, signal: &str) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = Coming::new(body, &parts.headers);
    let known = find_scope(state, &parts.headers).await;
    body.drain().await;
    known?;
    let response = response(signal);
    Ok(match must_be_encoding(&parts.headers)? {
        Encoding::Protobuf => ([(CONTENT_TYPE, PROTOBUF)], response.encode_to_vec()).into_response(),
        Encoding::Json => {
            crate::extract::Json(json!({"partialSuccess": {"errorMessage": not_kept(signal)}})).into_response()
        }
    })
}
