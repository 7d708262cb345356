//! Whatever comes in: no panic, and nothing comes out that the rest of the program does not expect.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};
use steward_core::derive::merge;
use steward_core::step::{MAX_CONTENT_CHARS, MAX_MESSAGES, Step};
use steward_core::time::Timestamp;
use steward_wire::import::{Format, detect, read_line};
use steward_wire::langfuse_api::{read_batch, read_score};
use steward_wire::native::read_runs;
use steward_wire::otlp::logs::decode_logs;
use steward_wire::otlp::{Encoding, decode};

use crate::support::{START, TRACE, read_json, request, span};

fn check(steps: &[Step]) {
    steps.iter().for_each(check_one);
    // What was read can be merged with itself, and nothing changes.
    let merged = merge(Vec::new(), steps.to_vec());
    merged.iter().for_each(check_one);
    assert_eq!(merge(merged.clone(), steps.to_vec()), merged);
}

fn check_one(step: &Step) {
    assert!(step.started_at.is_plausible() && step.ended_at >= step.started_at);
    assert!(!step.trace_id.is_empty() && !step.span_id.is_empty() && !step.name.is_empty());
    assert!(step.attributes.len() <= 64 && step.input.len() <= MAX_MESSAGES && step.output.len() <= MAX_MESSAGES);
    let longest = step.input.iter().chain(&step.output).map(|message| message.text.chars().count()).max().unwrap_or(0);
    assert!(longest <= MAX_CONTENT_CHARS + 16);
    assert!(step.scores.iter().all(|score| score.value.is_none_or(f64::is_finite)));
    // It can be stored and read again.
    let text = serde_json::to_string(step).unwrap();
    assert_eq!(&serde_json::from_str::<Step>(&text).unwrap(), step);
}

fn check_langfuse(body: &[u8]) {
    if let Ok(batch) = read_batch(body) {
        check(&batch.decoded.steps);
        let refused = batch.answers.iter().filter(|answer| answer.refusal.is_some()).count();
        assert_eq!(refused as u64, batch.decoded.rejected);
        let answer = batch.answer();
        let n = |key: &str| answer[key].as_array().map_or(0, Vec::len);
        assert_eq!((n("successes") + n("errors"), n("errors")), (batch.answers.len(), refused));
    }
    if let Ok(read) = read_score(body, Timestamp::from_seconds(1_790_000_000)) {
        check(&[read.step]);
    }
}

/// JSON of any shape, with the words that readers look for.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("messages"),
        Just("role"),
        Just("content"),
        Just("parts"),
        Just("type"),
        Just("text"),
        Just("tool_calls"),
        Just("function"),
        Just("name"),
        Just("arguments"),
        Just("id"),
        Just("tool_use"),
        Just("tool_result"),
        Just("user"),
        Just("assistant"),
        Just("tool"),
        Just("kwargs"),
        Just("lc"),
        Just("inputs"),
        Just("output"),
        Just("steps"),
        Just("started_at"),
        Just("usage"),
        Just("error"),
        Just("results"),
        Just("scores"),
        Just("value"),
        Just("reward"),
        Just("task_id"),
        Just("termination_reason"),
        Just("start_time"),
        Just("attributes"),
        Just("key"),
        Just("stringValue"),
        Just("kvlistValue"),
        Just("values"),
        Just("choices"),
        Just("2026-10-08T15:04:05Z"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

/// Keys of every dialect, and what might stand in for a part of them.
fn any_key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cost",
        "gen_ai.operation.name",
        "gen_ai.tool.call.result",
        "gen_ai.prompt.1.content",
        "gen_ai.completion.0.tool_calls.0.arguments",
        "gen_ai.response.finish_reasons",
        "gen_ai.evaluation.score.value",
        "llm.input_messages.3.message.contents.1.message_content.text",
        "llm.token_count.prompt",
        "llm.cost.total",
        "openinference.span.kind",
        "input.value",
        "output.value",
        "metadata",
        "retrieval.documents.0.document.content",
        "annotations.0.annotation.score",
        "traceloop.span.kind",
        "traceloop.entity.input",
        "traceloop.association.properties.user_id",
        "llm.usage.total_tokens",
        "langfuse.observation.type",
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "ai.operationId",
        "ai.response.toolCalls",
        "ai.response.providerMetadata",
        "ai.prompt",
        "langwatch.input",
        "langwatch.metrics",
        "mlflow.chat.tokenUsage",
        "mlflow.spanInputs",
        "genkit:output",
        "lk.chat_ctx",
        "gcp.vertex.agent.llm_request",
        "mcp.method.name",
        "all_messages_events",
        "ai.usage.inputTokens",
        "steward.outcome",
        "steward.result.x",
        "steward.cost_usd",
        "steward.waiting_ms",
        "http.response.status_code",
        "url.full",
        "error.type",
    ]);
    prop_oneof![
        4 => known.prop_map(str::to_owned),
        1 => "[a-z.0-9]{0,20}",
        1 => "gen_ai\\.(prompt|completion)\\.[0-9]{1,22}\\.[a-z_.0-9]{0,12}",
    ]
}

fn any_event() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "gen_ai.system.message",
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
        "gen_ai.choice",
        "gen_ai.content.prompt",
        "gen_ai.content.completion",
        "gen_ai.client.inference.operation.details",
        "gen_ai.evaluation.result",
        "gen_ai.client.operation.exception",
        "app.started",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => "gen_ai\\.[a-z.]{0,12}"]
}

fn any_event_of_langfuse() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "trace-create",
        "span-create",
        "span-update",
        "generation-create",
        "generation-update",
        "event-create",
        "tool-create",
        "observation-create",
        "score-create",
        "sdk-log",
        "span-delete",
    ])
}

fn any_field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "id",
        "traceId",
        "parentObservationId",
        "observationId",
        "name",
        "startTime",
        "endTime",
        "completionStartTime",
        "timestamp",
        "input",
        "output",
        "usage",
        "usageDetails",
        "costDetails",
        "metadata",
        "level",
        "statusMessage",
        "value",
        "dataType",
        "comment",
        "type",
        "tags",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..400)) {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            if let Ok(decoded) = decode(&body, encoding) { check(&decoded.steps); }
        }
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            if let Ok(logs) = decode_logs(&body, encoding) { check(&logs.decoded.steps); }
        }
        check_langfuse(&body);
        if let Ok(decoded) = read_runs(&body) { check(&decoded.steps); }
        let line = String::from_utf8_lossy(&body);
        let _ = detect(&line);
        for format in Format::ALL {
            if let Ok(imported) = read_line(format, &line) { check(&imported.steps); }
        }
    }

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        let body = value.to_string();
        if let Ok(decoded) = decode(body.as_bytes(), Encoding::Json) { check(&decoded.steps); }
        if let Ok(logs) = decode_logs(body.as_bytes(), Encoding::Json) { check(&logs.decoded.steps); }
        check_langfuse(body.as_bytes());
        if let Ok(decoded) = read_runs(body.as_bytes()) { check(&decoded.steps); }
        let _ = detect(&body);
        for format in Format::ALL {
            if let Ok(imported) = read_line(format, &body) { check(&imported.steps); }
        }
    }

    #[test]
    fn any_run_is_read_or_refused(value in any_json(), more in any_json()) {
        let line = json!({
            "id": "a", "task_id": 1, "start_time": "2026-10-08T15:04:05Z", "messages": value, "steps": more, "usage": more, "scores": more,
            "results": value, "input": value, "output": more, "error": more, "metadata": value,
        }).to_string();
        for format in Format::ALL {
            if let Ok(imported) = read_line(format, &line) { check(&imported.steps); }
        }
    }

    #[test]
    fn any_attributes_are_read(pairs in prop::collection::vec((any_key(), any_json()), 0..12), as_text in any::<bool>()) {
        let attributes: Vec<Value> = pairs
            .into_iter()
            .map(|(key, value)| {
                let value = if as_text { Value::from(value.to_string()) } else { value };
                json!({"key": key, "value": {"stringValue": value}})
            })
            .collect();
        let decoded = read_json(&request(json!(attributes), vec![span(json!(attributes))]));
        prop_assert_eq!(decoded.steps.len(), 1);
        check(&decoded.steps);
    }

    #[test]
    fn any_records_are_read(
        events in prop::collection::vec((any_event(), 0u64..3, any_json(), prop::collection::vec((any_key(), any_json()), 0..4), any::<bool>()), 1..6),
    ) {
        let records: Vec<Value> = events
            .into_iter()
            .map(|(event, micros, body, pairs, alone)| {
                let attributes: Vec<Value> =
                    pairs.into_iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect();
                json!({
                    "timeUnixNano": (START + micros * 1_000).to_string(), "eventName": event, "body": body, "attributes": attributes,
                    "traceId": if alone { "" } else { TRACE }, "spanId": "b7ad6b7169203331",
                })
            })
            .collect();
        let n = records.len() as u64;
        let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string();
        let logs = decode_logs(body.as_bytes(), Encoding::Json).unwrap();
        prop_assert_eq!(logs.decoded.steps.len() as u64 + logs.decoded.rejected + logs.ignored, n);
        check(&logs.decoded.steps);
    }

    #[test]
    fn any_events_of_langfuse_are_read(
        events in prop::collection::vec((any_event_of_langfuse(), 0u8..3, prop::collection::vec((any_field(), any_json()), 0..6)), 1..6),
    ) {
        let events: Vec<Value> = events
            .into_iter()
            .map(|(kind, second, fields)| {
                let mut body = json!({"id": "o", "traceId": "t"});
                for (key, value) in fields {
                    body[key] = value;
                }
                json!({"id": "e", "timestamp": format!("2026-10-08T15:04:0{second}Z"), "type": kind, "body": body})
            })
            .collect();
        check_langfuse(json!({ "batch": events }).to_string().as_bytes());
    }

    #[test]
    fn any_prefix_of_a_good_body_is_read_or_refused(cut in any::<prop::sample::Index>()) {
        let batch = json!({"batch": [{"id": "e", "timestamp": "2026-10-08T15:04:05Z", "type": "generation-create", "body": {"id": "o", "traceId": "t", "input": [{"role": "user", "content": "ä"}]}}]}).to_string();
        check_langfuse(&batch.as_bytes()[..cut.index(batch.len() + 1)]);
        let record = LogRecord {
            time_unix_nano: START, event_name: "gen_ai.user.message".to_owned(), trace_id: vec![1; 16], span_id: vec![2; 8],
            body: Some(AnyValue { value: Some(Any::StringValue("{\"content\":\"Hi\"}".to_owned())) }), ..LogRecord::default()
        };
        let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
        let request = ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] };
        let body = request.encode_to_vec();
        if let Ok(logs) = decode_logs(&body[..cut.index(body.len() + 1)], Encoding::Protobuf) { check(&logs.decoded.steps); }
    }
}
