//! What agents send, and what they are told.

use axum::body::{Body, Bytes};
use axum::http::Request;
use base64::Engine as _;
use futures::StreamExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use serde_json::json;
use steward_testkit::{Answer, KeyHolder, Seat, TestApp, TestDb, db_tests};

use crate::payload::{JSON, PROTOBUF, gzip, json_of, native, protobuf, span};

/// `google.rpc.Status`, as a client decodes it.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

async fn world(db: TestDb) -> (TestApp, Seat, KeyHolder) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let key = owner.with_key(None).await;
    (app, owner, key)
}

async fn n_runs(owner: &Seat) -> usize {
    owner.app.assemble().await;
    owner.get("/api/v1/runs?tests=yes").await.json()["items"].as_array().expect("items").len()
}

fn sent(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request<Body> {
    let request =
        headers.iter().fold(Request::builder().method("POST").uri(path), |r, (name, value)| r.header(*name, *value));
    request.body(Body::from(body)).expect("a request")
}

db_tests! {
    async fn both_encodings_are_taken_in_plain_and_compressed(db: TestDb) {
        let (_, owner, key) = world(db).await;
        let plain = key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1)])).await;
        assert_eq!((plain.status.as_u16(), plain.header("content-type"), plain.body.len()), (200, PROTOBUF, 0));
        let packed = key.post_gzip("/v1/traces", PROTOBUF, gzip(&protobuf(vec![span(2)]))).await;
        assert_eq!((packed.status.as_u16(), packed.body.len()), (200, 0));
        let json = key.post("/v1/traces", "application/json; charset=utf-8", json_of(&[span(3)])).await;
        assert_eq!((json.status.as_u16(), json.header("content-type"), json.text()), (200, JSON, "{}"));
        let packed = key.post_gzip("/api/public/otel/v1/traces", JSON, gzip(&json_of(&[span(4)]))).await;
        assert_eq!((packed.status.as_u16(), packed.text()), (200, "{}"));
        assert_eq!(n_runs(&owner).await, 4);
        let metrics = owner.app.get("/metrics").await;
        assert!(metrics.text().contains("steward_steps_accepted_total 4\n"), "{}", metrics.text());
    }

    async fn partial_success_stands_there_only_when_something_was_refused(db: TestDb) {
        let (_, owner, key) = world(db).await;
        let mut bad = span(2);
        bad.trace_id = Vec::new();
        let spans = vec![span(1), bad, span(3)];
        let answer = key.post("/v1/traces", PROTOBUF, protobuf(spans.clone())).await;
        let partial = ExportTraceServiceResponse::decode(answer.body.clone()).expect("the standard's answer").partial_success.expect("partial");
        assert_eq!((answer.status.as_u16(), partial.rejected_spans), (200, 1));
        let answer = key.post("/v1/traces", JSON, json_of(&spans)).await;
        assert_eq!(answer.json(), json!({"partialSuccess": {"rejectedSpans": "1", "errorMessage": partial.error_message}}));
        assert!(partial.error_message.contains("trace"), "{}", partial.error_message);
        assert_eq!(n_runs(&owner).await, 2);
        // All of them refused is still a success of the request, as the standard has it.
        let mut worse = span(1);
        worse.span_id = Vec::new();
        let answer = key.post("/v1/traces", PROTOBUF, protobuf(vec![worse])).await;
        let partial = ExportTraceServiceResponse::decode(answer.body.clone()).expect("the standard's answer").partial_success.expect("partial");
        assert_eq!((answer.status.as_u16(), partial.rejected_spans), (200, 1));
    }

    async fn a_key_is_taken_wherever_exporters_put_it(db: TestDb) {
        let (app, _, key) = world(db).await;
        let basic = |pair: String| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let ways = [
            ("authorization", format!("Bearer {}", key.key)), ("x-api-key", key.key.clone()),
            ("authorization", basic(format!("{}:x", key.key))), ("authorization", basic(format!("pk-lf-1:{}", key.key))),
        ];
        for (name, value) in &ways {
            let answer = app.send(sent("/v1/traces", &[("content-type", PROTOBUF), (name, value)], protobuf(vec![span(1)]))).await;
            assert_eq!(answer.status, 200, "{name}");
        }
        for (name, value) in [("x-nothing", ""), ("authorization", "Bearer stk_0000"), ("x-api-key", "stk_unknown"), ("authorization", "Basic ???")] {
            let answer = app.send(sent("/v1/traces", &[("content-type", PROTOBUF), (name, value)], protobuf(vec![span(1)]))).await;
            assert_eq!(answer.status, 401, "{name}: {value}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
            let status = RpcStatus::decode(answer.body.clone()).expect("a status");
            assert!(status.code == 16 && status.message.starts_with("No such key: "), "{status:?}");
        }
        let answer = app.send(sent("/v1/traces", &[("content-type", JSON)], json_of(&[span(1)]))).await;
        assert_eq!(answer.json()["code"], 16);
    }

    async fn a_revoked_key_takes_nothing_in(db: TestDb) {
        let (app, owner, key) = world(db).await;
        let keys = owner.get("/api/v1/keys").await.json();
        let id = keys["items"][0]["id"].as_str().expect("an id").parse().expect("an id");
        app.app().revoke_key(&owner.actor, id).await.expect("revoked");
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1)])).await.status, 401);
    }

    async fn what_is_said_of_a_body_is_believed_or_refused(db: TestDb) {
        let (app, _, key) = world(db).await;
        let bearer = format!("Bearer {}", key.key);
        let send = async |headers: &[(&str, &str)]| {
            let headers: Vec<_> = [("authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
            app.send(sent("/v1/traces", &headers, protobuf(vec![span(1)]))).await
        };
        let untyped = send(&[]).await;
        assert_eq!(untyped.status, 415);
        let words = "The body's type or encoding is not known here: OTLP is application/x-protobuf or application/json, and this request has no Content-Type";
        assert_eq!(untyped.json(), json!({"code": 3, "message": words}));
        assert_eq!(send(&[("content-type", "text/plain")]).await.status, 415);
        for encoding in ["br", "deflate", "zstd", "gzip, gzip"] {
            assert_eq!(send(&[("content-type", PROTOBUF), ("content-encoding", encoding)]).await.status, 415, "{encoding}");
        }
        assert_eq!(send(&[("content-type", PROTOBUF), ("content-encoding", "identity")]).await.status, 200);
    }

    async fn a_key_of_a_workflow_sends_for_that_workflow(db: TestDb) {
        let (_, owner, agency_key) = world(db).await;
        let client = owner.with_client("Shop").await;
        let workflow = owner.with_workflow("front desk", Some(client.id)).await;
        let key = owner.with_key(Some(workflow.id)).await;
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1)])).await.status, 200);
        assert_eq!(agency_key.post("/v1/traces", PROTOBUF, protobuf(vec![span(2)])).await.status, 200);
        assert_eq!(n_runs(&owner).await, 2);
        let of_workflow = owner.get(&format!("/api/v1/runs?workflow={}", workflow.id)).await.json();
        assert_eq!(of_workflow["items"].as_array().expect("items").len(), 1);
        // What an unknown service sends is kept, unassigned.
        let workflows = owner.get("/api/v1/workflows").await.json();
        let unassigned: Vec<_> = workflows["items"].as_array().expect("items").iter().filter(|w| w["client_id"].is_null()).collect();
        assert_eq!((unassigned.len(), unassigned[0]["name"].as_str()), (1, Some("bot")));
    }

    async fn native_runs_are_counted(db: TestDb) {
        let (_, owner, key) = world(db).await;
        let answer = key.post("/v1/runs", JSON, json!([native("a", "bot"), {"id": "b"}]).to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.in_short());
        let told = answer.json();
        assert_eq!((&told["accepted"], &told["rejected"]), (&json!(3), &json!(1)));
        assert!(told["message"].as_str().expect("why").contains("started_at"), "{told}");
        let lines = format!("{}\n{}\n", native("c", "bot"), native("d", "bot"));
        assert_eq!(key.post_gzip("/v1/runs", "application/x-ndjson", gzip(lines.as_bytes())).await.status, 200);
        assert_eq!(n_runs(&owner).await, 3);
        let wrong = key.post("/v1/runs", PROTOBUF, "x").await;
        assert_eq!((wrong.status.as_u16(), wrong.header("content-type")), (415, "application/problem+json"));
        assert_eq!(key.post("/v1/runs", JSON, "[1, 2").await.status, 400);
    }

    async fn other_signals_are_told_apart(db: TestDb) {
        let (_, _, key) = world(db).await;
        let logs = key.post("/v1/traces", JSON, r#"{"resourceLogs": [{"scopeLogs": []}]}"#).await;
        let metric = [&[0x0a, 4][..], b"http", &[0x1a, 2], b"ms", &[0x2a, 0]].concat();
        let inside = |tag: u8, bytes: &[u8]| [&[tag, u8::try_from(bytes.len()).expect("short")], bytes].concat();
        let metrics = key.post("/v1/traces", PROTOBUF, inside(0x0a, &inside(0x12, &inside(0x12, &metric)))).await;
        let words = RpcStatus::decode(metrics.body.clone()).expect("a status").message;
        assert!(metrics.status == 400 && words.contains("these are metrics"), "{words}");
        // An envelope without spans is a request of nothing, whatever else stands in it.
        assert!(logs.status == 400 || logs.status == 200, "{}", logs.in_short());
        let answer = key.post("/v1/metrics", JSON, "{}").await;
        let message = answer.json()["partialSuccess"]["errorMessage"].as_str().expect("words").to_owned();
        assert!(answer.status == 200 && message.contains("metrics"), "{message}");
        let answer = key.post("/v1/metrics", PROTOBUF, Vec::new()).await;
        let partial = ExportTraceServiceResponse::decode(answer.body.clone()).expect("an answer").partial_success.expect("partial");
        assert_eq!((partial.rejected_spans, partial.error_message), (0, message));
    }

    async fn a_sender_is_told_to_come_back_while_there_is_no_room(db: TestDb) {
        let config = steward_web::WebConfig { max_bytes_in_flight: 16 * 1024, ..steward_web::WebConfig::default() };
        let app = TestApp::with_config(db, config).await;
        let key = app.agency("north").await.with_key(None).await;
        // Another's body is still coming, and takes three quarters of the room.
        let (go_on, goes_on) = tokio::sync::oneshot::channel::<()>();
        let (take, taken) = tokio::sync::oneshot::channel::<()>();
        let rest = futures::stream::once(async move {
            take.send(()).expect("heard");
            goes_on.await.map(|()| Bytes::new()).map_err(std::io::Error::other)
        });
        let body = Body::from_stream(futures::stream::iter([Ok(Bytes::from(vec![0xff; 12 * 1024]))]).chain(rest));
        let first = key.post("/v1/traces", PROTOBUF, body);
        let second = async {
            taken.await.expect("the first part is in memory");
            let answer: Answer = key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1)])).await;
            go_on.send(()).expect("heard");
            answer
        };
        let (first, answer) = tokio::join!(first, second);
        assert_eq!((first.status.as_u16(), answer.status.as_u16(), answer.header("retry-after")), (413, 503, "1"));
        assert_eq!(RpcStatus::decode(answer.body.clone()).expect("a status").code, 14);
        let again = key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1)])).await;
        assert_eq!(again.status, 200, "the room was given back");
    }
}
