//! Input that is broken or meant to hurt: a clear answer, bounded memory, and the next request works.

use axum::body::{Body, Bytes};
use futures::stream;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use serde_json::json;
use steward_testkit::{Answer, KeyHolder, TestApp, TestDb, db_tests};

use crate::ingest::RpcStatus;
use crate::payload::{JSON, PROTOBUF, attribute, gzip, json_of, now_nanos, protobuf, span, text};

const MEBIBYTE: usize = 1024 * 1024;

async fn world(db: TestDb) -> (TestApp, KeyHolder) {
    let app = TestApp::new(db).await;
    let key = app.agency("north").await.with_key(None).await;
    (app, key)
}

/// The next good request is taken in, and what came in before does not keep it from becoming a run.
async fn must_go_on(app: &TestApp, key: &KeyHolder, after: &str) {
    assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![span(250)])).await.status, 200, "after {after}");
    if let Err(error) = app.app().assemble_waiting().await {
        panic!("after {after}: {error:?}");
    }
    let errors = app.logs().errors();
    assert!(errors.is_empty(), "after {after}: {errors:?}");
}

/// A body that comes in pieces and does not say how long it is.
fn endless(piece: Vec<u8>, n: usize) -> Body {
    let piece = Bytes::from(piece);
    Body::from_stream(stream::iter((0..n).map(move |_| Ok::<_, std::io::Error>(piece.clone()))))
}

fn words(answer: &Answer) -> String {
    match answer.header("content-type") {
        PROTOBUF => RpcStatus::decode(answer.body.clone()).expect("a status").message,
        _ => answer.json()["message"].as_str().unwrap_or_default().to_owned(),
    }
}

db_tests! {
    async fn bytes_that_are_not_otlp_are_refused(db: TestDb) {
        let (app, key) = world(db).await;
        let good = protobuf((1..20).map(span).collect());
        let mut not_text = span(1);
        not_text.name = "\u{fffd}".to_owned();
        let not_text = protobuf(vec![not_text]).into_iter().map(|b| if b == 0xef { 0xff } else { b }).collect();
        let cases: Vec<(&str, &str, Vec<u8>)> = vec![
            ("truncated protobuf", PROTOBUF, good[..good.len() - 7].to_vec()),
            ("random bytes", PROTOBUF, (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()),
            ("a length beyond the end", PROTOBUF, vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
            ("text that is not UTF-8", PROTOBUF, not_text),
            ("JSON as protobuf", PROTOBUF, json_of(&[span(1)])),
            ("truncated JSON", JSON, json_of(&[span(1)])[..80].to_vec()),
            ("no JSON", JSON, b"NaN".to_vec()),
            ("an empty body as JSON", JSON, Vec::new()),
            ("JSON of another shape", JSON, b"[1, 2, 3]".to_vec()),
            ("deep JSON", JSON, [vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
            ("deep JSON inside of an attribute", JSON, format!(
                r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"a","value":{}1{}}}]}}}}]}}"#,
                r#"{"arrayValue":{"values":["#.repeat(50_000), "]}}".repeat(50_000)
            ).into_bytes()),
            ("NaN in JSON", JSON, br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano": NaN}]}]}]}"#.to_vec()),
            ("JSON that is not UTF-8", JSON, b"{\"resourceSpans\": \"\xff\xfe\"}".to_vec()),
        ];
        for (what, content_type, body) in cases {
            let answer = key.post("/v1/traces", content_type, body).await;
            assert_eq!(answer.status, 400, "{what}: {}", answer.in_short());
            assert_eq!(answer.header("content-type"), content_type, "{what}");
            assert!(words(&answer).starts_with("The request cannot be read: the body"), "{what}: {}", words(&answer));
            must_go_on(&app, &key, what).await;
        }
        assert_eq!(key.post("/v1/traces", PROTOBUF, Vec::new()).await.status, 200, "nothing is a request of nothing");
    }

    async fn too_much_is_refused_before_it_is_in_memory(db: TestDb) {
        // Compression is slow where tests are built: the bound is lower here, and the bombs with it.
        let config = steward_web::WebConfig { max_inflated_bytes: 4 * MEBIBYTE, ..steward_web::WebConfig::default() };
        let app = TestApp::with_config(db, config).await;
        let key = app.agency("north").await.with_key(None).await;
        let cases: Vec<(&str, bool, Body)> = vec![
            ("a gzip bomb", true, Body::from(gzip(&vec![0; 8 * MEBIBYTE]))),
            ("a gzip bomb in pieces", true, endless(gzip(&vec![0; MEBIBYTE]), 1_000)),
            ("100 MB that say so", false, Body::from(vec![0; 100_000_000])),
            ("100 MB that come in pieces", false, endless(vec![0; 100_000], 1_000)),
            ("100 MB of what is no gzip, as gzip", true, endless(gzip(&(0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>()), 1_000)),
        ];
        for (what, packed, body) in cases {
            let answer = if packed { key.post_gzip("/v1/traces", PROTOBUF, body).await } else { key.post("/v1/traces", PROTOBUF, body).await };
            assert_eq!(answer.status, 413, "{what}: {}", words(&answer));
            assert!(words(&answer).contains("MiB"), "{what}: {}", words(&answer));
            must_go_on(&app, &key, what).await;
        }
    }

    async fn many_small_things_are_refused_before_they_are_in_memory(db: TestDb) {
        let (app, key) = world(db).await;
        let cases: Vec<(&str, &str, Vec<u8>)> = vec![
            ("empty resources", PROTOBUF, [0x0a, 0x00].repeat(1_000_000)),
            ("empty spans", PROTOBUF, [0x0a, 0x04, 0x12, 0x02, 0x12, 0x00].repeat(500_000)),
            ("empty attributes", PROTOBUF, {
                let mut many = span(1);
                many.attributes = vec![opentelemetry_proto::tonic::common::v1::KeyValue::default(); 1_500_000];
                protobuf(vec![many])
            }),
            ("empty objects", JSON, format!(r#"{{"resourceSpans":[{}{{}}]}}"#, "{},".repeat(1_000_000)).into_bytes()),
            ("short numbers", JSON, format!(r#"{{"resourceSpans":[{}1]}}"#, "1,".repeat(4_000_000)).into_bytes()),
        ];
        for (what, content_type, body) in cases {
            let answer = key.post("/v1/traces", content_type, body).await;
            assert_eq!(answer.status, 413, "{what}: {}", words(&answer));
            must_go_on(&app, &key, what).await;
        }
        let runs = key.post("/v1/runs", JSON, format!("[{}1]", "[],".repeat(500_000))).await;
        assert_eq!(runs.status, 413);
    }

    async fn broken_compression_is_refused(db: TestDb) {
        let (app, key) = world(db).await;
        let good = gzip(&protobuf(vec![span(1)]));
        let mut wrong_sum = good.clone();
        let at = wrong_sum.len() - 6;
        wrong_sum[at] ^= 0xff;
        for (what, body) in [("truncated gzip", good[..good.len() - 9].to_vec()), ("no gzip", protobuf(vec![span(1)])), ("a wrong checksum", wrong_sum)] {
            let answer = key.post_gzip("/v1/traces", PROTOBUF, body).await;
            assert_eq!(answer.status, 400, "{what}: {}", words(&answer));
            assert!(words(&answer).contains("not valid gzip"), "{what}: {}", words(&answer));
            must_go_on(&app, &key, what).await;
        }
    }

    async fn single_bad_spans_do_not_take_the_good_ones_along(db: TestDb) {
        let (app, key) = world(db).await;
        let mut cases = Vec::new();
        // Each span of a trace of its own: what is sent again is no news.
        let mut n = 0;
        let mut case = |what: &'static str, bend: &dyn Fn(&mut opentelemetry_proto::tonic::trace::v1::Span)| {
            let mut make = || {
                n += 2;
                let mut bent = span(n);
                bend(&mut bent);
                vec![bent, span(n + 1)]
            };
            cases.push((what, make(), make()));
        };
        case("no trace id", &|s| s.trace_id = Vec::new());
        case("no span id", &|s| s.span_id = Vec::new());
        case("a trace id of zeros", &|s| s.trace_id = vec![0; 16]);
        case("a trace id that is too long", &|s| s.trace_id = vec![7; 1_000]);
        case("no times", &|s| (s.start_time_unix_nano, s.end_time_unix_nano) = (0, 0));
        case("the last of all times", &|s| (s.start_time_unix_nano, s.end_time_unix_nano) = (u64::MAX, u64::MAX));
        case("an end before the start", &|s| s.end_time_unix_nano = 1);
        case("a run of 300 years", &|s| s.end_time_unix_nano = now_nanos() + 9_000_000_000_000_000_000);
        case("NaN and infinity", &|s| s.attributes.extend([
            attribute("gen_ai.usage.cost", Value::DoubleValue(f64::NAN)),
            attribute("gen_ai.usage.input_tokens", Value::DoubleValue(f64::INFINITY)),
            attribute("gen_ai.request.temperature", Value::DoubleValue(f64::NEG_INFINITY)),
        ]));
        case("negative tokens", &|s| s.attributes.extend([
            attribute("gen_ai.usage.input_tokens", Value::IntValue(-5)), attribute("gen_ai.usage.output_tokens", Value::IntValue(i64::MIN)),
        ]));
        case("more tokens than there are", &|s| s.attributes.extend([
            text("gen_ai.request.model", "gpt-4o"), text("gen_ai.operation.name", "chat"),
            attribute("gen_ai.usage.input_tokens", Value::IntValue(i64::MAX)), attribute("gen_ai.usage.output_tokens", Value::IntValue(i64::MAX)),
        ]));
        case("an attribute flood", &|s| s.attributes.extend((0..100_000).map(|n| text(&format!("key.{n}"), "value"))));
        case("an attribute of megabytes", &|s| s.attributes.push(text("input.value", &"x".repeat(4 * MEBIBYTE))));
        case("nothing but NUL", &|s| {
            s.name = "\0".to_owned();
            s.attributes = ["gen_ai.agent.name", "gen_ai.request.model", "gen_ai.tool.name", "user.id", "session.id", "service.version", "steward.outcome.reason", "input.value", "\0"]
                .map(|key| text(key, "a\0b")).to_vec();
        });
        case("names of ten thousand characters", &|s| {
            s.name = "n".repeat(10_000);
            s.attributes = ["gen_ai.agent.name", "gen_ai.request.model", "gen_ai.tool.name", "user.id", "session.id", "service.version"]
                .map(|key| text(key, &"n".repeat(10_000))).to_vec();
        });
        case("a parent that is itself", &|s| s.parent_span_id = s.span_id.clone());
        for (what, as_protobuf, as_json) in cases {
            for (content_type, body) in [(PROTOBUF, protobuf(as_protobuf)), (JSON, json_of(&as_json))] {
                let answer = key.post("/v1/traces", content_type, body).await;
                assert_eq!(answer.status, 200, "{what}: {}", words(&answer));
                must_go_on(&app, &key, what).await;
            }
        }
        // A good span stood beside each bad one, and each became a run that can be shown.
        let runs = key.get("/api/v1/runs?tests=yes&limit=500").await;
        assert_eq!(runs.status, 200, "{}", runs.in_short());
        let runs = runs.json()["items"].as_array().expect("items").clone();
        assert!(runs.len() > 32, "{}", runs.len());
        for run in runs {
            let path = format!("/api/v1/runs/{}", run["id"].as_str().expect("an id"));
            assert_eq!(key.get(&path).await.status, 200, "{run}");
        }
    }

    async fn times_in_json_may_be_anything(db: TestDb) {
        let (app, key) = world(db).await;
        let values = [json!("-5"), json!(-5), json!("1e300"), json!(1e300), json!("99999999999999999999999"), json!(null), json!({}), json!("soon"), json!("")];
        for value in values {
            let span = json!({"traceId": "01".repeat(16), "spanId": "01".repeat(8), "name": "x", "startTimeUnixNano": value, "endTimeUnixNano": value});
            let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
            let answer = key.post("/v1/traces", JSON, body.to_string()).await;
            assert!(answer.status == 200 || answer.status == 400, "{value}: {}", answer.in_short());
            assert!(answer.status == 400 || answer.json()["partialSuccess"]["rejectedSpans"] == "1", "{value}: {}", answer.in_short());
            must_go_on(&app, &key, &value.to_string()).await;
        }
    }

    async fn native_runs_may_be_anything(db: TestDb) {
        let (app, key) = world(db).await;
        let bodies = [
            json!({"id": "a", "started_at": -1e300}), json!({"id": "a\u{0}b", "workflow": "w\u{0}", "started_at": "2026-11-23T12:00:00Z", "title": "\u{0}"}),
            json!({"id": "x".repeat(100_000), "started_at": "2026-11-23T12:00:00Z"}), json!({"id": "a", "started_at": "2026-11-23T12:00:00Z", "cost_usd": 1e300}),
            json!({"id": "a", "started_at": "2026-11-23T12:00:00Z", "usage": {"input_tokens": -1}, "steps": {"a": 1}}), json!([null, 1, "x", [], {}]),
            json!({"runs": null}), json!("text"),
        ];
        for body in bodies {
            let answer = key.post("/v1/runs", JSON, body.to_string()).await;
            assert!(answer.status == 200 || answer.status == 400, "{}: {}", body.to_string().get(..60).unwrap_or_default(), answer.in_short());
            must_go_on(&app, &key, "a native run").await;
        }
    }
}
