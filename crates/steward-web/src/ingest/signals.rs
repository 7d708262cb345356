//! Metrics: taken without an error, because exporters often cannot be told to leave them out, and not kept.

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

/// What is said of metrics.
const NOT_KEPT: &str = "Steward does not keep metrics: nothing of this was stored, and nothing has to be sent again";

/// The standard's answer with a warning. The answers of all three signals have the same shape on the wire.
pub(super) fn response() -> ExportTraceServiceResponse {
    static SAID: Once = Once::new();
    SAID.call_once(|| tracing::info!("an agent sends metrics, which are not kept; traces and logs are"));
    let partial = ExportTracePartialSuccess { rejected_spans: 0, error_message: NOT_KEPT.to_owned() };
    ExportTraceServiceResponse { partial_success: Some(partial) }
}

/// Takes metrics without keeping them.
pub(crate) async fn refuse_metrics(State(state): State<WebState>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let mut body = Coming::new(body, &parts.headers);
    let known = find_scope(&state, &parts.headers).await;
    body.drain().await;
    known?;
    let response = response();
    Ok(match must_be_encoding(&parts.headers)? {
        Encoding::Protobuf => ([(CONTENT_TYPE, PROTOBUF)], response.encode_to_vec()).into_response(),
        Encoding::Json => crate::extract::Json(json!({"partialSuccess": {"errorMessage": NOT_KEPT}})).into_response(),
    })
}
