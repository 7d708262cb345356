//! Payloads as exporters send them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::json;
use steward_testkit::NOW;

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

/// A second in nanoseconds.
pub(crate) const SECOND: u64 = 1_000_000_000;

pub(crate) fn now_nanos() -> u64 {
    NOW.0.unsigned_abs() * 1_000
}

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

/// The root span of a run of its own, a minute ago.
pub(crate) fn span(n: u8) -> Span {
    Span {
        trace_id: vec![n; 16],
        span_id: vec![n; 8],
        name: "invoke_agent".to_owned(),
        start_time_unix_nano: now_nanos() - 60 * SECOND,
        end_time_unix_nano: now_nanos() - 50 * SECOND,
        attributes: vec![text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", "bot")],
        ..Span::default()
    }
}

/// A request of the service `bot`.
pub(crate) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![text("service.name", "bot")], ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn protobuf(spans: Vec<Span>) -> Vec<u8> {
    request(spans).encode_to_vec()
}

/// The same payload as OTLP's JSON writes it.
pub(crate) fn json_of(spans: &[Span]) -> Vec<u8> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let spans: Vec<_> = spans
        .iter()
        .map(|span| {
            json!({
                "traceId": hex(&span.trace_id), "spanId": hex(&span.span_id), "name": span.name,
                "startTimeUnixNano": span.start_time_unix_nano.to_string(), "endTimeUnixNano": span.end_time_unix_nano.to_string(),
            })
        })
        .collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "bot"}}]},
        "scopeSpans": [{"spans": spans}],
    }]})
    .to_string()
    .into_bytes()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A native run that ended a minute ago.
pub(crate) fn native(id: &str, workflow: &str) -> serde_json::Value {
    json!({
        "id": id, "workflow": workflow, "started_at": "2026-11-23T12:00:00Z", "ended_at": "2026-11-23T12:01:00Z",
        "outcome": "completed", "title": "a title",
        "steps": [{"id": "s0", "kind": "model", "name": "chat", "model": "gpt-4o", "usage": {"input_tokens": 100, "output_tokens": 10},
                   "started_at": "2026-11-23T12:00:00Z", "ended_at": "2026-11-23T12:00:01Z"},
                  {"id": "s1", "kind": "tool", "name": "look_up", "tool": "look_up",
                   "started_at": "2026-11-23T12:00:01Z", "ended_at": "2026-11-23T12:00:02Z"}],
    })
}
