//! OTLP logs: events of the GenAI conventions add to the runs of their spans, and all others are left alone.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message as _;
use serde_json::{Value, json};
use steward_testkit::{KeyHolder, Seat, TestApp, TestDb, db_tests};

use crate::ingest::RpcStatus;
use crate::payload::{JSON, PROTOBUF, SECOND, gzip, json_of, now_nanos, protobuf, span, text};

async fn world(db: TestDb) -> (TestApp, Seat, KeyHolder) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let key = owner.with_key(None).await;
    (app, owner, key)
}

/// What was said in the span of [`span`], as a record beside it.
pub(crate) fn record(n: u8, event: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: now_nanos() - 55 * SECOND,
        event_name: event.to_owned(),
        trace_id: vec![n; 16],
        span_id: vec![n; 8],
        body: Some(AnyValue { value: Some(Any::StringValue(r#"{"content": "Are you open on Sunday?"}"#.to_owned())) }),
        attributes: vec![text("gen_ai.system", "openai")],
        ..LogRecord::default()
    }
}

pub(crate) fn request(log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
        .encode_to_vec()
}

/// The same record as OTLP's JSON writes it.
fn in_json(n: u8, event: &str) -> String {
    let hex = |bytes: usize| format!("{n:02x}").repeat(bytes);
    let record = json!({
        "timeUnixNano": (now_nanos() - 55 * SECOND).to_string(), "eventName": event, "traceId": hex(16), "spanId": hex(8),
        "body": {"stringValue": r#"{"content": "Are you open on Sunday?"}"#},
        "attributes": [{"key": "gen_ai.system", "value": {"stringValue": "openai"}}],
    });
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string()
}

async fn runs(owner: &Seat) -> Vec<Value> {
    owner.app.assemble().await;
    let runs = owner.get("/api/v1/runs?tests=yes").await.json();
    let mut whole = Vec::new();
    for run in runs["items"].as_array().expect("items") {
        whole.push(owner.get(&format!("/api/v1/runs/{}", run["id"].as_str().expect("an id"))).await.json());
    }
    whole
}

db_tests! {
    async fn what_was_said_in_logs_is_part_of_the_run(db: TestDb) {
        let (_, owner, key) = world(db).await;
        // Before and after the span that it belongs to, in both encodings, plain and compressed.
        let plain = key.post("/v1/logs", PROTOBUF, request(vec![record(1, "gen_ai.user.message")])).await;
        assert_eq!((plain.status.as_u16(), plain.header("content-type"), plain.body.len()), (200, PROTOBUF, 0));
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1), span(2)])).await.status, 200);
        let json = key.post_gzip("/v1/logs", JSON, gzip(in_json(2, "gen_ai.user.message").as_bytes())).await;
        assert_eq!((json.status.as_u16(), json.header("content-type"), json.text()), (200, JSON, "{}"));
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 2, "a record is no run of its own");
        for run in runs {
            assert_eq!(run["steps"].as_array().map(Vec::len), Some(1), "{run}");
            assert!(run.to_string().contains("Are you open on Sunday?"), "{run}");
        }
    }

    async fn other_records_are_no_refusal(db: TestDb) {
        let (_, owner, key) = world(db).await;
        let mixed = key.post("/v1/logs", PROTOBUF, request(vec![record(1, "http.request"), record(1, "gen_ai.user.message")])).await;
        assert_eq!((mixed.status.as_u16(), mixed.body.len()), (200, 0));
        let others = key.post("/v1/logs", PROTOBUF, request(vec![record(1, "http.request"), record(1, "")])).await;
        let partial = ExportLogsServiceResponse::decode(others.body.clone()).expect("an answer").partial_success.expect("a warning");
        assert_eq!(partial.rejected_log_records, 0);
        assert!(partial.error_message.starts_with("2 log records were not kept"), "{}", partial.error_message);
        let nothing = key.post("/v1/logs", JSON, "{}").await;
        assert_eq!((nothing.status.as_u16(), nothing.text()), (200, "{}"));
        assert_eq!(runs(&owner).await.len(), 1);
    }

    async fn a_bad_record_leaves_the_others_alone(db: TestDb) {
        let (_, owner, key) = world(db).await;
        let mut bad = record(1, "gen_ai.choice");
        bad.span_id = vec![1; 3];
        let answer = key.post("/v1/logs", PROTOBUF, request(vec![bad, record(1, "gen_ai.user.message")])).await;
        let partial = ExportLogsServiceResponse::decode(answer.body.clone()).expect("an answer").partial_success.expect("partial");
        assert_eq!(partial.rejected_log_records, 1);
        assert!(partial.error_message.contains("span id"), "{}", partial.error_message);
        let timeless = r#"{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "gen_ai.choice"}]}]}]}"#;
        let answer = key.post("/v1/logs", JSON, timeless).await.json();
        assert_eq!((&answer["partialSuccess"]["rejectedLogRecords"], answer["partialSuccess"]["errorMessage"].as_str()), (&json!("1"), Some("a log record has no time")));
        assert_eq!(runs(&owner).await.len(), 1);
    }

    async fn what_is_no_log_is_refused_with_words(db: TestDb) {
        let (_, owner, key) = world(db).await;
        let broken = key.post("/v1/logs", PROTOBUF, vec![0xff; 40]).await;
        let status = RpcStatus::decode(broken.body.clone()).expect("a status");
        assert!(broken.status == 400 && status.message.contains("logs request"), "{status:?}");
        assert_eq!(key.post("/v1/logs", JSON, "[1").await.status, 400);
        assert_eq!(key.post("/v1/logs", "text/plain", "hello").await.status, 415);
        for (kind, body) in [(PROTOBUF, protobuf(vec![span(1)])), (JSON, json_of(&[span(1)]))] {
            let traces = key.post("/v1/logs", kind, body).await;
            assert!(traces.status != 200 || !traces.body.is_empty(), "{kind}: spans are not silently dropped: {}", traces.in_short());
        }
        let logs = key.post("/v1/traces", PROTOBUF, request(vec![record(1, "gen_ai.user.message")])).await;
        let status = RpcStatus::decode(logs.body.clone()).expect("a status");
        assert!(logs.status == 400 && status.message.contains("/v1/logs"), "{status:?}");
        assert_eq!(runs(&owner).await.len(), 0);
    }
}
