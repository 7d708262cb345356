//! How fast bytes become steps, on one core: a batch of 100 GenAI spans of 20 attributes each in protobuf, over and
//! over, and then what real instrumentations sent, one line a reader. Real payloads are not part of the repository;
//! where they are absent, their lines are.
//!
//! `cargo run --release -p steward-wire --example decode_rate`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::{Value, json};
use steward_wire::langfuse_api::read_batch;
use steward_wire::otlp::logs::{ExportLogsServiceRequest, decode_logs};
use steward_wire::otlp::{Encoding, decode};

/// The program's own allocator: most of the time goes into small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_SPANS: u64 = 100;
const START: u64 = 1_760_000_000_000_000_000;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let body = batch().encode_to_vec();
    let whole = rate(|| decode(&body, Encoding::Protobuf).map_or(0, |decoded| decoded.steps.len()));
    let bare = rate(|| ExportTraceServiceRequest::decode(body.as_slice()).map_or(0, |_| N_SPANS as usize));
    writeln!(
        out,
        "{whole:.0} spans/s from bytes to steps; {bare:.0} spans/s from bytes to the standard's structs ({} bytes for {N_SPANS} spans)",
        body.len()
    )?;
    for payload in payloads()? {
        let read = |body: &[u8]| match payload.reader {
            Reader::Protobuf => decode(body, Encoding::Protobuf).map_or(0, |decoded| decoded.steps.len()),
            Reader::Json => decode(body, Encoding::Json).map_or(0, |decoded| decoded.steps.len()),
            Reader::Logs => decode_logs(body, Encoding::Protobuf).map_or(0, |logs| logs.decoded.steps.len()),
            Reader::Langfuse => read_batch(body).map_or(0, |batch| batch.decoded.steps.len()),
        };
        let all = || payload.bodies.iter().map(|body| read(body)).sum::<usize>();
        let (n_spans, n_bytes) = (all(), payload.bodies.iter().map(Vec::len).sum::<usize>());
        let rate = rate(all);
        writeln!(out, "{rate:>9.0} spans/s  {:<36} {:>6} bytes a span", payload.name, n_bytes / n_spans.max(1))?;
    }
    Ok(())
}

/// How many spans a second some reading gets through, at the best of several short trials: a shared machine is
/// slower at times, and never faster than it is.
fn rate(read: impl Fn() -> usize) -> f64 {
    let trial = || {
        let (started, mut n_spans) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_millis(200) {
            n_spans += read();
        }
        n_spans as f64 / started.elapsed().as_secs_f64()
    };
    (0..8).map(|_| trial()).fold(0.0, f64::max)
}

#[derive(Debug, Clone, Copy)]
enum Reader {
    Protobuf,
    Json,
    Logs,
    Langfuse,
}

struct Payload {
    name: String,
    reader: Reader,
    bodies: Vec<Vec<u8>>,
}

fn payloads() -> std::io::Result<Vec<Payload>> {
    let one = |name: &str, reader, body| Payload { name: name.to_owned(), reader, bodies: vec![body] };
    let mut payloads = vec![
        one("GenAI events in logs (invented)", Reader::Logs, logs().encode_to_vec()),
        one("Langfuse over OTLP (invented)", Reader::Protobuf, langfuse_spans().encode_to_vec()),
        one("Langfuse's batches (invented)", Reader::Langfuse, langfuse_events().to_string().into_bytes()),
    ];
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/otlp");
    if !folder.is_dir() {
        return Ok(payloads);
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut protobuf: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for path in files {
        let called = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
        match ending.as_deref() {
            Some("pb") => {
                let called = called.rsplit_once('-').map_or(called.as_str(), |(called, _)| called).to_owned();
                protobuf.entry(format!("{called}, protobuf")).or_default().push(std::fs::read(path)?);
            }
            Some("jsonl") => {
                let lines = std::fs::read_to_string(path)?;
                let request =
                    |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["otlp"].to_string().into_bytes());
                let bodies = lines.lines().filter_map(request).collect();
                payloads.push(Payload { name: format!("{called}, JSON"), reader: Reader::Json, bodies });
            }
            _ => {}
        }
    }
    payloads.extend(protobuf.into_iter().map(|(name, bodies)| Payload { name, reader: Reader::Protobuf, bodies }));
    let text = std::fs::read_to_string(folder.join("vercel_ai_v6_fixtures/all-spans.json"))?;
    let spans: Vec<Value> = serde_json::from_str(&text)?;
    payloads.push(one(
        "Vercel AI SDK 6, protobuf",
        Reader::Protobuf,
        request(spans.iter().map(|span| &span["attributes"])).encode_to_vec(),
    ));
    let mut fixtures = Vec::new();
    for entry in std::fs::read_dir(folder.join("genai_fixtures"))? {
        fixtures.push(serde_json::from_str::<Value>(&std::fs::read_to_string(entry?.path())?)?);
    }
    payloads.push(one("GenAI fixtures, protobuf", Reader::Protobuf, request(fixtures.iter()).encode_to_vec()));
    Ok(payloads)
}

/// A request of spans with these attributes, each a hundred times.
fn request<'a>(of_spans: impl Iterator<Item = &'a Value> + Clone) -> ExportTraceServiceRequest {
    let spans = of_spans.cycle().zip(0..N_SPANS).filter_map(|(attributes, n)| {
        let pairs = attributes.as_object()?.iter().filter_map(|(key, value)| Some(pair(key, any(value)?)));
        Some(Span { attributes: pairs.collect(), ..bare_span(n) })
    });
    request_of(spans.collect())
}

fn any(value: &Value) -> Option<Any> {
    Some(match value {
        Value::String(text) => Any::StringValue(text.clone()),
        Value::Bool(flag) => Any::BoolValue(*flag),
        Value::Number(n) => n.as_i64().map(Any::IntValue).or_else(|| n.as_f64().map(Any::DoubleValue))?,
        Value::Array(items) => {
            let values = items.iter().map(|item| AnyValue { value: any(item) }).collect();
            Any::ArrayValue(ArrayValue { values })
        }
        Value::Null | Value::Object(_) => return None,
    })
}

const INPUT: &str = r#"[{"role":"system","content":"You book appointments for a dental practice. Be brief and kind."},{"role":"user","content":"I'd like to come in on Thursday afternoon, is there anything free after three?"}]"#;
const OUTPUT: &str =
    r#"{"role":"assistant","content":"There is a place at half past three. Shall I book it for you?"}"#;

fn langfuse_spans() -> ExportTraceServiceRequest {
    let attributes = json!({
        "langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4.1-mini",
        "langfuse.observation.input": INPUT, "langfuse.observation.output": OUTPUT,
        "langfuse.observation.usage_details": r#"{"input":412,"output":36,"input_cached_tokens":256,"total":704}"#,
        "langfuse.observation.cost_details": r#"{"input":0.0002,"output":0.0001,"total":0.0003}"#,
        "langfuse.observation.model.parameters": r#"{"temperature":0.2}"#,
        "langfuse.observation.completion_start_time": "2025-10-09T08:53:20.400Z",
        "langfuse.observation.metadata.plan": "gold", "langfuse.environment": "production", "langfuse.release": "2026-10-01",
        "langfuse.trace.name": "front desk", "user.id": "caller-88", "session.id": "conversation-17",
    });
    request(std::iter::once(&attributes))
}

fn langfuse_events() -> Value {
    let event = |n: u64, kind: &str, body: Value| json!({"id": format!("event-{n}-{kind}"), "timestamp": "2026-10-08T15:04:05.123Z", "type": kind, "body": body});
    let messages: Value = serde_json::from_str(INPUT).unwrap_or_default();
    let events = (0..N_SPANS / 2).flat_map(|n| {
        let id = format!("generation-{n}");
        [
            event(n, "generation-create", json!({"id": id, "traceId": "trace-1", "name": "answer", "startTime": "2026-10-08T15:04:05.123Z",
                "model": "gpt-4.1-mini", "modelParameters": {"temperature": 0.2}, "input": messages, "metadata": {"plan": "gold"}})),
            event(n, "generation-update", json!({"id": id, "traceId": "trace-1", "endTime": "2026-10-08T15:04:06.123Z", "output": OUTPUT,
                "usageDetails": {"input": 412, "output": 36, "input_cached_tokens": 256}})),
        ]
    });
    json!({"batch": events.collect::<Vec<_>>()})
}

fn logs() -> ExportLogsServiceRequest {
    let record = |n: u64| {
        let of_span = span(n);
        LogRecord {
            time_unix_nano: of_span.start_time_unix_nano,
            event_name: "gen_ai.client.inference.operation.details".to_owned(),
            attributes: of_span.attributes,
            trace_id: of_span.trace_id,
            span_id: of_span.span_id,
            ..LogRecord::default()
        }
    };
    let scope_logs = vec![ScopeLogs { log_records: (0..N_SPANS).map(record).collect(), ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
}

fn batch() -> ExportTraceServiceRequest {
    request_of((0..N_SPANS).map(span).collect())
}

fn request_of(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

fn bare_span(n: u64) -> Span {
    let start = START + n * 1_000_000;
    Span {
        trace_id: (u128::from(n / 10) + 1).to_be_bytes().to_vec(),
        span_id: (n + 1).to_be_bytes().to_vec(),
        parent_span_id: if n.is_multiple_of(10) { Vec::new() } else { (n / 10 * 10 + 1).to_be_bytes().to_vec() },
        name: "chat gpt-4.1-mini".to_owned(),
        kind: 3,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 900_000_000,
        ..Span::default()
    }
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
    Span { attributes, ..bare_span(n) }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Any::StringValue(value.to_owned()))
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
