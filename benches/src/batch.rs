//! Batches of generative-AI spans as instrumented agents send them: ten spans a trace, about twenty attributes a span.

use std::path::PathBuf;

use clap::Args;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

/// Spans in a batch.
pub const SPANS: usize = 100;
/// Spans in a trace.
pub const SPANS_A_TRACE: usize = 10;

/// A batch whose ids can be changed in place, so that sending costs next to nothing.
#[derive(Clone)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each trace's id stands, trace by trace.
    trace_ids: Vec<Vec<usize>>,
    /// Where ids of spans stand, and which span of the batch each is of.
    span_ids: Vec<(usize, u64)>,
}

impl Batch {
    /// Makes a batch of spans that end at an instant.
    pub fn new(now_nanos: u64) -> Self {
        Self::of(request(now_nanos))
    }

    /// Makes a batch of a request.
    pub fn of(request: ExportTraceServiceRequest) -> Self {
        let bytes = request.encode_to_vec();
        let trace_ids = (0..SPANS / SPANS_A_TRACE).map(|trace| find_all(&bytes, &placeholder(trace))).collect();
        let span_ids = find_span_ids(&bytes);
        Self { bytes, trace_ids, span_ids }
    }

    /// The batch with ids that no other number gives: of traces, and also of spans, which some receivers take for
    /// unique among all traces.
    pub fn numbered(&mut self, number: u64) -> &[u8] {
        for (trace, places) in (1_u64..).zip(&self.trace_ids) {
            for at in places {
                self.bytes[*at..*at + 8]
                    .copy_from_slice(&(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1).to_be_bytes());
                self.bytes[*at + 8..*at + 16].copy_from_slice(&(number.wrapping_mul(1_000) + trace).to_be_bytes());
            }
        }
        for (at, span) in &self.span_ids {
            let id = scrambled(number.wrapping_mul(SPANS as u64).wrapping_add(*span));
            self.bytes[*at..*at + 8].copy_from_slice(&id.to_be_bytes());
        }
        &self.bytes
    }
}

fn placeholder(trace: usize) -> [u8; 16] {
    let mut id = *b"trace-id-trace-0";
    id[15] = b'0' + u8::try_from(trace).unwrap_or(0);
    id
}

fn span_placeholder(trace: usize, i: usize) -> [u8; 8] {
    let mut id = *b"span-000";
    id[5] = b'0' + u8::try_from(trace).unwrap_or(0);
    id[7] = b'0' + u8::try_from(i).unwrap_or(0);
    id
}

/// A number that looks random; no two numbers give the same (splitmix64's last step).
fn scrambled(number: u64) -> u64 {
    let n = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn find_span_ids(bytes: &[u8]) -> Vec<(usize, u64)> {
    let windows = bytes.windows(8).enumerate();
    windows
        .filter_map(|(at, window)| match *window {
            [b's', b'p', b'a', b'n', b'-', trace @ b'0'..=b'9', b'0', i @ b'0'..=b'9'] => {
                Some((at, u64::from(trace - b'0') * SPANS_A_TRACE as u64 + u64::from(i - b'0')))
            }
            _ => None,
        })
        .collect()
}

fn find_all(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    bytes.windows(part.len()).enumerate().filter(|(_, window)| *window == part).map(|(at, _)| at).collect()
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// A batch as the conventions of 2026 name things.
pub fn request(now_nanos: u64) -> ExportTraceServiceRequest {
    let spans = (0..SPANS).map(|i| span(i / SPANS_A_TRACE, i % SPANS_A_TRACE, now_nanos)).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![
                    text("service.name", "bench-agent"),
                    text("service.version", "1.4.2"),
                    text("telemetry.sdk.language", "python"),
                    text("telemetry.sdk.name", "opentelemetry"),
                    text("deployment.environment.name", "production"),
                ],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "opentelemetry.instrumentation.openai_v2".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn span(trace: usize, i: usize, now_nanos: u64) -> Span {
    let at = i as u64;
    let n = i64::try_from(trace * 7 + i * 13).unwrap_or(0);
    let (name, attributes) = match i {
        0 => ("invoke_agent support", agent()),
        i if i % 2 == 1 => ("chat gpt-4.1", chat(trace, n)),
        _ => ("execute_tool look_up_order", tool(trace, n)),
    };
    let start = now_nanos - 30_000_000_000 + at * 2_500_000_000;
    Span {
        trace_id: placeholder(trace).to_vec(),
        span_id: span_placeholder(trace, i).to_vec(),
        parent_span_id: if i == 0 { Vec::new() } else { span_placeholder(trace, 0).to_vec() },
        name: name.to_owned(),
        kind: 3,
        start_time_unix_nano: if i == 0 { now_nanos - 30_000_000_000 } else { start },
        end_time_unix_nano: if i == 0 {
            now_nanos
        } else {
            start + 1_000_000_000 + (n.unsigned_abs() * 7_777_777) % 900_000_000
        },
        attributes,
        status: Some(Status::default()),
        ..Span::default()
    }
}

fn agent() -> Vec<KeyValue> {
    vec![
        text("gen_ai.operation.name", "invoke_agent"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.agent.name", "support"),
        text("gen_ai.agent.id", "asst_5j66UpCpwteGg4YSxUnt7lPY"),
        text("gen_ai.conversation.id", "conv_a1b2c3"),
        text("user.id", "customer-4711"),
        text("gen_ai.request.model", "gpt-4.1"),
        text("server.address", "api.openai.com"),
    ]
}

fn chat(trace: usize, n: i64) -> Vec<KeyValue> {
    vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4.1"),
        text("gen_ai.response.model", "gpt-4.1-2025-04-14"),
        text("gen_ai.response.id", format!("chatcmpl-{trace}-{n}")),
        text("gen_ai.response.finish_reasons", "[\"tool_calls\"]"),
        number("gen_ai.usage.input_tokens", 1_800 + n),
        number("gen_ai.usage.output_tokens", 120 + n % 60),
        number("gen_ai.usage.cache_read.input_tokens", 1_024),
        number("gen_ai.usage.reasoning.output_tokens", 0),
        attribute("gen_ai.request.temperature", Value::DoubleValue(0.2)),
        number("gen_ai.request.max_tokens", 1_024),
        text("gen_ai.output.type", "text"),
        text("gen_ai.conversation.id", "conv_a1b2c3"),
        text("server.address", "api.openai.com"),
        number("server.port", 443),
        text("openai.api.type", "chat_completions"),
        text("openai.response.service_tier", "default"),
        text(
            "gen_ai.input.messages",
            format!(
                "[{{\"role\":\"user\",\"parts\":[{{\"type\":\"text\",\"content\":\"Where is order {n}? It should have come on Tuesday.\"}}]}}]"
            ),
        ),
        text(
            "gen_ai.output.messages",
            "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"call_1\",\"name\":\"look_up_order\",\"arguments\":{\"order\":\"A-1007\"}}],\"finish_reason\":\"tool_call\"}]",
        ),
    ]
}

fn tool(trace: usize, n: i64) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("gen_ai.operation.name", "execute_tool"),
        text("gen_ai.tool.name", if n % 3 == 0 { "refund_order" } else { "look_up_order" }),
        text("gen_ai.tool.call.id", format!("call_{trace}_{n}")),
        text("gen_ai.tool.type", "function"),
        text("gen_ai.tool.description", "Finds an order by its number"),
        text("gen_ai.tool.call.arguments", "{\"order\":\"A-1007\"}"),
        text("gen_ai.tool.call.result", "{\"status\":\"delivered\",\"carrier\":\"Northpost\",\"items\":3}"),
        text("gen_ai.conversation.id", "conv_a1b2c3"),
    ];
    for i in 0..12 {
        attributes.push(text(&format!("app.context.{i}"), format!("value {i} of order {n}")));
    }
    attributes
}

/// Writes the batches that `ingest` sends to files.
#[derive(Debug, Args)]
pub struct Batches {
    /// The folder to write to.
    folder: PathBuf,
    /// How many.
    #[arg(long, default_value_t = 100)]
    count: u64,
    /// The instant at which spans end, in nanoseconds since the epoch.
    #[arg(long)]
    now_nanos: u64,
}

impl Batches {
    pub fn run(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut batch = Batch::new(self.now_nanos);
        for number in 1..=self.count {
            std::fs::write(self.folder.join(format!("{number:06}.pb")), batch.numbered(number))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn spans(bytes: &[u8]) -> Vec<Span> {
        let request = ExportTraceServiceRequest::decode(bytes).expect("a batch is an OTLP request");
        let resources = request.resource_spans.into_iter();
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    #[test]
    fn no_id_comes_twice_and_every_parent_is_in_the_same_trace() {
        let mut batch = Batch::new(1_800_000_000_000_000_000);
        let mut seen = HashSet::new();
        for number in [0, 1, 2, 99, 100, 1_000_000_001] {
            let spans = spans(batch.numbered(number));
            assert_eq!(spans.len(), SPANS);
            let traces: HashSet<_> = spans.iter().map(|span| span.trace_id.clone()).collect();
            assert_eq!(traces.len(), SPANS / SPANS_A_TRACE);
            for trace in traces {
                assert!(seen.insert(trace), "a trace id of {number} was there before");
            }
            let ids: HashSet<_> = spans.iter().map(|span| (&span.trace_id, &span.span_id)).collect();
            for span in &spans {
                let root = span.parent_span_id.is_empty();
                assert!(root || ids.contains(&(&span.trace_id, &span.parent_span_id)), "{span:?}");
                assert!(seen.insert(span.span_id.clone()), "a span id of {number} was there before");
            }
        }
    }
}
