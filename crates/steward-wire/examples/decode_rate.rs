//! How fast protobuf becomes steps: a batch of 100 GenAI spans of 20 attributes each, over and over, on one core.
//!
//! `cargo run --release -p steward-wire --example decode_rate`

use std::io::Write as _;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use steward_wire::otlp::{Encoding, decode};

/// The program's own allocator: most of the time goes into small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_SPANS: u64 = 100;

fn main() -> std::io::Result<()> {
    let body = batch().encode_to_vec();
    let whole = rate(|| decode(&body, Encoding::Protobuf).map_or(0, |decoded| decoded.steps.len()));
    let bare = rate(|| ExportTraceServiceRequest::decode(body.as_slice()).map_or(0, |_| N_SPANS as usize));
    writeln!(
        std::io::stdout(),
        "{whole:.0} spans/s from bytes to steps; {bare:.0} spans/s from bytes to the standard's structs ({} bytes for {N_SPANS} spans)",
        body.len()
    )
}

/// How many spans a second some reading gets through, at the best of several short trials: a shared machine is
/// slower at times, and never faster than it is.
fn rate(read: impl Fn() -> usize) -> f64 {
    let trial = || {
        let (started, mut n_spans) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_millis(300) {
            n_spans += read();
        }
        n_spans as f64 / started.elapsed().as_secs_f64()
    };
    (0..10).map(|_| trial()).fold(0.0, f64::max)
}

fn batch() -> ExportTraceServiceRequest {
    let spans = (0..N_SPANS).map(span).collect();
    let resource_spans =
        ResourceSpans { scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }
}

fn span(n: u64) -> Span {
    let input = r#"[{"role":"system","parts":[{"type":"text","content":"You book appointments for a dental practice. Be brief and kind."}]},{"role":"user","parts":[{"type":"text","content":"I'd like to come in on Thursday afternoon, is there anything free after three?"}]}]"#;
    let output = r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"find_slots","arguments":{"day":"2026-10-08","after":"15:00"}}],"finish_reason":"tool_calls"}]"#;
    let attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4.1-mini"),
        text("gen_ai.response.model", "gpt-4.1-mini-2025-04-14"),
        text("gen_ai.response.id", "chatcmpl-CQF10eCkoFphJZJQkzzN6EkTD0AVF"),
        pair(
            "gen_ai.response.finish_reasons",
            Any::ArrayValue(ArrayValue {
                values: vec![AnyValue { value: Some(Any::StringValue("tool_calls".to_owned())) }],
            }),
        ),
        pair("gen_ai.request.temperature", Any::DoubleValue(0.2)),
        pair("gen_ai.request.max_tokens", Any::IntValue(1_024)),
        pair("gen_ai.request.top_p", Any::DoubleValue(1.0)),
        pair("gen_ai.usage.input_tokens", Any::IntValue(412)),
        pair("gen_ai.usage.output_tokens", Any::IntValue(36)),
        pair("gen_ai.usage.cache_read.input_tokens", Any::IntValue(256)),
        pair("gen_ai.usage.reasoning.output_tokens", Any::IntValue(0)),
        pair("gen_ai.response.time_to_first_chunk", Any::DoubleValue(0.42)),
        text("gen_ai.conversation.id", "conversation-17"),
        text("gen_ai.agent.name", "front-desk"),
        text("gen_ai.input.messages", input),
        text("gen_ai.output.messages", output),
        text("server.address", "api.openai.com"),
        pair("server.port", Any::IntValue(443)),
    ];
    let start = 1_760_000_000_000_000_000 + n * 1_000_000;
    Span {
        trace_id: (u128::from(n / 10) + 1).to_be_bytes().to_vec(),
        span_id: (n + 1).to_be_bytes().to_vec(),
        parent_span_id: if n.is_multiple_of(10) { Vec::new() } else { (n / 10 * 10 + 1).to_be_bytes().to_vec() },
        name: "chat gpt-4.1-mini".to_owned(),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 900_000_000,
        attributes,
        ..Span::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Any::StringValue(value.to_owned()))
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
