//! Log records of the GenAI conventions, alone and beside the spans that they belong to.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message as _;
use serde_json::{Value, json};
use steward_core::derive::merge;
use steward_core::step::{ErrorClass, Role, Step, StepKind, StepStatus};
use steward_wire::WireError;
use steward_wire::otlp::Encoding;
use steward_wire::otlp::logs::{DecodedLogs, decode_logs};

use crate::support::{START, TRACE, facts, said, span, step_of, with};

fn request(records: Vec<Value>) -> Value {
    let resource = json!({"attributes": {"service.name": "front desk"}});
    json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})
}

fn read(records: Vec<Value>) -> DecodedLogs {
    decode_logs(request(records).to_string().as_bytes(), Encoding::Json).unwrap()
}

/// A record of an event in the span of [`span`], so many microseconds after its start.
fn record(event: &str, micros: u64, attributes: Value, body: Value) -> Value {
    json!({
        "timeUnixNano": (START + micros * 1_000).to_string(), "eventName": event, "attributes": attributes, "body": body,
        "traceId": TRACE, "spanId": "b7ad6b7169203331",
    })
}

fn steps(records: Vec<Value>) -> Vec<Step> {
    let logs = read(records);
    assert_eq!((logs.decoded.rejected, logs.decoded.rejection, logs.ignored), (0, None, 0));
    logs.decoded.steps
}

fn conversation() -> Vec<Value> {
    vec![
        record(
            "gen_ai.system.message",
            1,
            json!({"gen_ai.system": "openai"}),
            json!({"kvlistValue": {"values": [
            {"key": "content", "value": {"stringValue": "Be brief"}}]}}),
        ),
        record(
            "gen_ai.user.message",
            1,
            json!({}),
            json!({"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "Hi"}}]}}),
        ),
        record(
            "gen_ai.assistant.message",
            2,
            json!({}),
            json!({"stringValue": r#"{"tool_calls":[{"id":"1","type":"function","function":{"name":"book","arguments":"{}"}}]}"#}),
        ),
        record("gen_ai.tool.message", 3, json!({}), json!({"stringValue": r#"{"id":"1","content":"booked"}"#})),
        record(
            "gen_ai.choice",
            900_000,
            json!({}),
            json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Done"}}),
        ),
    ]
}

#[test]
fn messages_in_records_are_the_span_s_conversation_in_whatever_order_they_come() {
    let chat = step_of(span(
        json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 4}),
    ));
    let mut records = steps(conversation());
    assert_eq!(records.len(), 5);
    records.reverse();
    for cut in 0..=5 {
        let (early, late) = records.split_at(cut);
        let before = merge(Vec::new(), early.to_vec());
        let merged = merge(merge(before, vec![chat.clone()]), late.to_vec());
        assert_eq!(merged.len(), 1);
        let step = &merged[0];
        assert_eq!((step.kind, step.name.as_str(), step.started_at), (StepKind::Model, "a span", chat.started_at));
        assert_eq!(
            said(&step.input),
            [(Role::System, "Be brief"), (Role::User, "Hi"), (Role::Assistant, ""), (Role::Tool, "booked")]
        );
        assert_eq!(step.input[2].tool_calls[0].name, "book");
        assert_eq!(said(&step.output), [(Role::Assistant, "Done")]);
        assert_eq!((step.finish_reason.as_deref(), step.ended_at), (Some("stop"), chat.ended_at));
        assert_eq!(step.usage, chat.usage);
    }
}

#[test]
fn the_record_with_the_details_fills_a_bare_span_and_leaves_a_full_one() {
    let details = record(
        "gen_ai.client.inference.operation.details",
        5,
        json!({
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 12,
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
            "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]"#,
        }),
        json!(null),
    );
    let bare = step_of(span(json!({})));
    let merged = merge(steps(vec![details.clone()]), vec![bare]);
    assert_eq!((merged[0].kind, merged[0].model.as_deref()), (StepKind::Model, Some("gpt-5")));
    assert_eq!(said(&merged[0].input), [(Role::User, "Hi")]);
    assert_eq!(merged[0].output_text(), "Hello");
    assert_eq!(merged[0].usage.unwrap().input, 12);
    let full =
        step_of(span(json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-6", "gen_ai.prompt": "Ho"})));
    let merged = merge(vec![full], steps(vec![details.clone(), details]));
    assert_eq!((merged[0].model.as_deref(), said(&merged[0].input)), (Some("gpt-6"), vec![(Role::User, "Ho")]));
    assert_eq!(merged[0].output_text(), "Hello");
}

#[test]
fn judgements_and_exceptions_reach_their_span() {
    let records = vec![
        record(
            "gen_ai.evaluation.result",
            9,
            json!({"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 0.5, "gen_ai.response.id": "r"}),
            json!(null),
        ),
        record(
            "gen_ai.client.operation.exception",
            8,
            json!({"exception.type": "RateLimitError", "exception.message": "slow down"}),
            json!(null),
        ),
    ];
    let merged = merge(vec![step_of(span(json!({"gen_ai.operation.name": "chat"})))], steps(records));
    assert_eq!((merged.len(), merged[0].scores.len(), merged[0].status), (1, 1, StepStatus::Error));
    let error = merged[0].error.clone().unwrap();
    assert_eq!((error.class, error.message.as_str()), (ErrorClass::RateLimit, "slow down"));
    assert_eq!(merged[0].response_id.as_deref(), Some("r"));
    assert_eq!(facts(merged).n_exceptions, 1);
}

#[test]
fn a_record_that_comes_before_its_span_does_not_end_the_run() {
    let records = steps(conversation());
    assert!(records.iter().all(|step| step.parent_span_id.is_some()));
    assert_eq!(merge(Vec::new(), records).len(), 1);
}

#[test]
fn the_name_of_an_event_may_stand_in_three_places_and_other_logs_are_ignored() {
    let mut by_attribute = record("", 1, json!({"event.name": "gen_ai.user.message"}), json!({"stringValue": "Hi"}));
    by_attribute["eventName"] = json!("");
    let by_body = record(
        "",
        1,
        json!({"gen_ai.request.model": "m"}),
        json!({"stringValue": "gen_ai.client.inference.operation.details"}),
    );
    let others = vec![
        record("", 1, json!({"gen_ai.system": "openai"}), json!({"stringValue": "a line of a log"})),
        record("app.started", 1, json!({"event.name": "gen_ai.choice"}), json!(null)),
        json!({"body": {"stringValue": "bad, and of no concern"}}),
    ];
    let logs = read([vec![by_attribute, by_body], others].concat());
    assert_eq!((logs.decoded.steps.len(), logs.decoded.rejected, logs.ignored), (2, 0, 3));
    assert_eq!(said(&logs.decoded.steps[0].input), [(Role::User, "Hi")]);
    assert_eq!(logs.decoded.steps[1].model.as_deref(), Some("m"));
}

#[test]
fn records_without_a_trace_are_runs_of_their_own_or_of_their_conversation() {
    let alone = |text: &str, attributes: Value| {
        with(
            record("gen_ai.user.message", 1, attributes, json!({"stringValue": text})),
            json!({"traceId": "", "spanId": ""}),
        )
    };
    let talk = json!({"gen_ai.conversation.id": "c-1"});
    let steps = steps(vec![alone("a", json!({})), alone("b", talk.clone()), alone("c", talk), alone("a", json!({}))]);
    assert!(steps[0].trace_id.starts_with("log:") && steps[0].parent_span_id.is_none());
    assert_eq!((steps[1].trace_id.as_str(), steps[2].trace_id.as_str()), ("log:c-1", "log:c-1"));
    assert_ne!(steps[1].span_id, steps[2].span_id);
    assert_eq!(merge(Vec::new(), steps).len(), 3, "the same record again is the same step");
}

#[test]
fn a_record_in_a_trace_without_a_span_stands_beside_its_spans() {
    let one = with(record("gen_ai.user.message", 1, json!({}), json!({"stringValue": "Hi"})), json!({"spanId": null}));
    let step = steps(vec![one]).remove(0);
    assert_eq!((step.trace_id.as_str(), step.span_id.len(), step.parent_span_id.is_some()), (TRACE, 16, true));
}

#[test]
fn one_bad_record_does_not_take_the_others_along() {
    let good = || record("gen_ai.user.message", 1, json!({}), json!({"stringValue": "Hi"}));
    let logs = read(vec![
        good(),
        with(good(), json!({"traceId": "abcd"})),
        with(good(), json!({"spanId": "abcd"})),
        with(good(), json!({"timeUnixNano": "0"})),
        with(good(), json!({"timeUnixNano": "1760000000"})),
        with(good(), json!({"timeUnixNano": "0", "observedTimeUnixNano": START.to_string()})),
    ]);
    assert_eq!((logs.decoded.steps.len(), logs.decoded.rejected, logs.ignored), (2, 4, 0));
    insta::assert_snapshot!(logs.decoded.rejection.unwrap(), @"a log record's trace id is 2 bytes long and not 16; a log record's span id is 2 bytes long and not 8; a log record has no time");
}

#[test]
fn both_encodings_of_logs_give_equal_steps() {
    let json = request(conversation());
    let text = json.to_string();
    let from_json = decode_logs(text.as_bytes(), Encoding::Json).unwrap();
    // The standard's own library knows one spelling only.
    let mut request = ExportLogsServiceRequest::decode(&[][..]).unwrap();
    request.resource_logs = serde_json::from_value::<ExportLogsServiceRequest>(json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "front desk"}}], "droppedAttributesCount": 0},
        "scopeLogs": [{"logRecords": [{
            "timeUnixNano": START.to_string(), "observedTimeUnixNano": "0", "severityNumber": 9, "severityText": "", "eventName": "gen_ai.user.message",
            "body": {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "Hi"}}]}}, "attributes": [], "droppedAttributesCount": 0,
            "flags": 1, "traceId": TRACE, "spanId": "b7ad6b7169203331",
        }], "schemaUrl": ""}], "schemaUrl": "",
    }]}))
    .unwrap()
    .resource_logs;
    let text = serde_json::to_string(&request).unwrap();
    let one = decode_logs(&request.encode_to_vec(), Encoding::Protobuf).unwrap();
    assert_eq!(one, decode_logs(text.as_bytes(), Encoding::Json).unwrap());
    assert_eq!(said(&one.decoded.steps[0].input), [(Role::User, "Hi")]);
    let workflow = |step: &Step| step.declared.as_ref().and_then(|declared| declared.workflow.clone());
    assert_eq!(workflow(&one.decoded.steps[0]).as_deref(), Some("front desk"));
    assert_eq!(workflow(&from_json.decoded.steps[0]).as_deref(), Some("front desk"));
}

#[test]
fn what_is_no_request_of_logs_is_an_error_in_words() {
    let json = |body: &str| decode_logs(body.as_bytes(), Encoding::Json).unwrap_err().to_string();
    insta::assert_snapshot!(json("{"), @"the body is not valid JSON");
    insta::assert_snapshot!(json(r#"{"resourceSpans":[]}"#), @"the body is JSON, but it has no resourceLogs, so it is not an OTLP logs request");
    assert!(matches!(decode_logs(b"{\"resourceLogs\":[]}", Encoding::Protobuf), Err(WireError::ProtobufLogs(_))));
    assert_eq!(decode_logs(b"", Encoding::Protobuf).unwrap(), DecodedLogs::default());
    assert_eq!(decode_logs(b"{}", Encoding::Json).unwrap(), DecodedLogs::default());
    let deep = format!("{{\"resourceLogs\":{}", "[".repeat(100_000));
    assert!(decode_logs(deep.as_bytes(), Encoding::Json).is_err());
}
