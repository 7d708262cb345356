//! What may not be kept is nowhere: not in runs, not in raw payloads, not in tallies. And one end user's data goes whole.

use std::path::PathBuf;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, Status};
use prost::Message as _;
use serde_json::{Value, json};
use steward_core::people::Role;
use steward_testkit::{KeyHolder, Seat, TestApp, TestDb, db_tests};

use crate::logs::{record, request as logs};
use crate::payload::{JSON, PROTOBUF, attribute, json_of, native, now_nanos, protobuf, request, span, text};

/// What is planted, one of each kind, and nowhere else.
const PLANTED: [&str; 7] = [
    "planted.person@example.com",
    "+49 170 5550123",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "hunter2-planted",
    "sk-planted0123456789abcdefgh",
    "Project Falcon",
];

fn planted_words() -> String {
    format!(
        "write to {}, call {}, pay with {} or {}, password={} and {} for {}.",
        PLANTED[0], PLANTED[1], PLANTED[2], PLANTED[3], PLANTED[4], PLANTED[5], PLANTED[6]
    )
}

async fn world(db: TestDb, privacy: &Value) -> (TestApp, Seat, KeyHolder) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let saved = owner.send_json("PATCH", "/api/v1/privacy", privacy).await;
    assert_eq!(saved.status, 200, "{}", saved.in_short());
    let key = owner.with_key(None).await;
    (app, owner, key)
}

/// A span with something planted wherever a span can hold it.
fn telling_span(n: u8) -> Span {
    let words = planted_words();
    let message = json!([{"role": "user", "parts": [{"type": "text", "content": words}]}]).to_string();
    let mut span = span(n);
    span.name = format!("chat {words}");
    span.attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.request.model", "gpt-4.1-mini"),
        attribute("gen_ai.usage.input_tokens", Any::IntValue(1_234)),
        attribute("gen_ai.usage.output_tokens", Any::IntValue(56)),
        text("gen_ai.input.messages", &message),
        text("gen_ai.output.messages", &message.replace("user", "assistant").replace('@', "\\u0040")),
        text("user.id", PLANTED[0]),
        text("session.id", PLANTED[1]),
        text("steward.title", &words),
        text("metadata.phone", "01705550123"),
        text(&format!("note.{}", PLANTED[0]), &words),
        attribute("card", Any::IntValue(4_111_111_111_111_111)),
        attribute("blob", Any::BytesValue(words.clone().into_bytes())),
    ];
    span.status = Some(Status { code: 2, message: words.clone() });
    span.trace_state = words.clone();
    span.events = vec![Event {
        name: "exception".to_owned(),
        attributes: vec![text("exception.type", "ValueError"), text("exception.message", &words)],
        ..Event::default()
    }];
    span
}

fn telling_run(id: &str, workflow: &str) -> Value {
    let words = planted_words();
    let mut run = native(id, workflow);
    run["title"] = json!(words);
    run["user_id"] = json!(PLANTED[0]);
    run["conversation_id"] = json!(PLANTED[1]);
    run["error"] = json!({"code": "Declined", "message": words});
    run["outcome_reason"] = json!(words);
    run["metadata"] = json!({"card": 4_111_111_111_111_111_u64, "words": words, "phone": 491_705_550_123_u64});
    run["messages"] = json!([{"role": "user", "content": words}, {"role": "assistant", "content": "Yes, of course."}]);
    run["scores"] = json!([{"name": "reward", "value": 1.0, "explanation": words}]);
    run["unheard_of"] = json!({"deep": [words]});
    run
}

/// A batch of events, judgements and log records with something planted wherever they can hold it: four runs in all.
async fn send_telling(key: &KeyHolder) {
    let words = planted_words();
    let said = json!({"role": "user", "content": words, "card": 4_111_111_111_111_111_u64});
    let event = |id: &str, kind: &str, body: Value| json!({"id": id, "timestamp": "2026-11-23T12:00:00Z", "type": kind, "body": body, "metadata": words});
    let trace = format!("trace of {}", PLANTED[0]);
    let batch = json!({"metadata": {"note": words}, "batch": [
        event(PLANTED[0], "trace-create", json!({"id": trace, "name": words, "userId": PLANTED[0], "sessionId": PLANTED[1],
            "input": said, "output": words, "tags": [words], "metadata": {"phone": "01705550123", PLANTED[0]: words}})),
        event("e2", "generation-create", json!({"id": PLANTED[1], "traceId": trace, "name": "answer", "startTime": "2026-11-23T12:00:00Z",
            "model": "gpt-4o", "input": [said], "usage": {"input": 11, "output": 3}})),
        event("e3", "generation-update", json!({"id": PLANTED[1], "traceId": trace, "endTime": "2026-11-23T12:00:02Z",
            "output": "Yes, of course.", "level": "ERROR", "statusMessage": words, "unheardOf": {"deep": [words]}})),
        event("e4", "span-create", json!({"traceId": trace, "name": "look up", "startTime": "2026-11-23T12:00:01Z", "input": words})),
        event("e5", "score-create", json!({"id": "s-planted.person@example.com", "traceId": trace, "name": "polite", "value": 1, "comment": words})),
        event("e-planted 1", "sdk-log", json!({"log": words})),
        event("e-planted 2", "weather-create", json!({"note": words})),
    ]});
    let answer = key.post("/api/public/ingestion", JSON, batch.to_string()).await;
    let n_of = |list: &str| answer.json()[list].as_array().map_or(0, Vec::len);
    assert_eq!((answer.status.as_u16(), n_of("successes"), n_of("errors")), (207, 6, 1), "{}", answer.in_short());
    let score =
        json!({"traceId": trace, "name": "helpful", "value": 0.9, "comment": words, "metadata": {"note": words}});
    let first = key.post("/api/public/scores", JSON, score.to_string()).await;
    // The id that was answered means the same judgement when it comes again.
    let mut again = score.clone();
    again["id"] = first.json()["id"].clone();
    assert_eq!(key.post("/api/public/scores", JSON, again.to_string()).await.json(), first.json());
    let list = json!([score, {"traceId": "t2", "name": words, "value": words, "timestamp": "2026-11-23T12:00:03Z"}, {"note": words}]);
    assert_eq!(key.post("/api/public/scores", JSON, list.to_string()).await.status, 207);
    let record = |n: u8| {
        let mut record = record(n, "gen_ai.user.message");
        record.severity_text = words.clone();
        record.body = Some(AnyValue { value: Some(Any::StringValue(said.to_string())) });
        record.attributes.extend([
            text("user.id", PLANTED[0]),
            text("metadata.phone", "01705550123"),
            text(PLANTED[0], &words),
        ]);
        record
    };
    let mut ours_not = record(5);
    ours_not.event_name = "http.request".to_owned();
    assert_eq!(key.post("/v1/logs", PROTOBUF, logs(vec![record(5), ours_not])).await.status, 200);
    let in_json = json!({"resourceLogs": [{"resource": {"attributes": [{"key": "host.name", "value": {"stringValue": words}}]},
        "scopeLogs": [{"logRecords": [{"timeUnixNano": now_nanos().to_string(), "eventName": "gen_ai.choice",
            "body": {"kvlistValue": {"values": [{"key": "message", "value": {"stringValue": words}}]}}}]}]}]});
    assert_eq!(key.post("/v1/logs", JSON, in_json.to_string()).await.status, 200);
}

async fn nothing_planted_is_stored(app: &TestApp, more: &[&str]) {
    for (place, bytes) in app.db().everything_stored().await {
        let text = String::from_utf8_lossy(&bytes);
        let flat = ["4111111111111111", "01705550123", "491705550123", "planted.person"];
        for planted in PLANTED.iter().chain(more).chain(&flat) {
            // An agency's own settings name the words that it wants masked.
            let is_setting = place == "agencies.settings" && *planted == PLANTED[6];
            assert!(is_setting || !text.contains(planted), "{planted:?} in {place}: {text}");
        }
    }
}

/// The steps of all runs, as they are stored.
async fn stored_steps(app: &TestApp) -> Vec<String> {
    let stored = app.db().everything_stored().await.into_iter();
    let steps = stored.filter(|(place, _)| place == "run_blobs.steps").map(|(_, bytes)| bytes);
    let mut steps: Vec<String> = steps.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    steps.sort();
    steps
}

async fn rebuild_changes_nothing(app: &TestApp, owner: &Seat) {
    let before = stored_steps(app).await;
    assert!(!before.is_empty());
    app.app().rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
    assert_eq!(stored_steps(app).await, before);
}

/// The value of a figure of the last days.
async fn figure(owner: &Seat, id: &str) -> Option<f64> {
    let answer = owner.get("/api/v1/figures").await.json();
    let figure = answer["figures"].as_array()?.iter().find(|figure| figure["id"] == id)?.clone();
    figure["now"]["value"].as_f64()
}

/// Payloads of real instrumentations with something planted in each text that has room for it.
fn real_payloads() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/otlp");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("left out: the folder with real payloads, otlp, is not there");
        return Vec::new();
    };
    let files =
        files.filter_map(|file| Some(file.ok()?.path())).filter(|path| path.extension().is_some_and(|e| e == "pb"));
    files
        .map(|path| {
            let mut request =
                ExportTraceServiceRequest::decode(std::fs::read(path).expect("a file").as_slice()).expect("OTLP");
            let scopes = request.resource_spans.iter_mut().flat_map(|spans| &mut spans.scope_spans);
            for span in scopes.flat_map(|scope| &mut scope.spans) {
                for value in span.attributes.iter_mut().filter_map(|pair| pair.value.as_mut()) {
                    if let Some(Any::StringValue(text)) = &mut value.value {
                        *text = text
                            .replace(" a ", &format!(" {} ", PLANTED[0]))
                            .replace(" the ", &format!(" {} ", PLANTED[1]));
                    }
                }
            }
            request.encode_to_vec()
        })
        .collect()
}

db_tests! {
    async fn what_is_masked_is_nowhere_and_is_counted(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "masked", "words": ["Project Falcon"]})).await;
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![telling_span(1), telling_span(2)])).await.status, 200);
        assert_eq!(key.post("/v1/traces", JSON, json_of(&[telling_span(3)])).await.status, 200);
        let runs = json!([telling_run("a", "desk"), telling_run(PLANTED[0], "desk")]);
        assert_eq!(key.post("/v1/runs", JSON, runs.to_string()).await.status, 200);
        for payload in real_payloads() {
            assert_eq!(key.post("/v1/traces", PROTOBUF, payload).await.status, 200);
        }
        nothing_planted_is_stored(&app, &[]).await;
        app.assemble().await;
        nothing_planted_is_stored(&app, &[]).await;
        let steps = stored_steps(&app).await.concat();
        for word in ["[e-mail]", "[phone]", "[card]", "[IBAN]", "[secret]", "[word]", "Yes, of course."] {
            assert!(steps.contains(word), "{word}");
        }
        rebuild_changes_nothing(&app, &owner).await;
        nothing_planted_is_stored(&app, &[]).await;
        assert!(figure(&owner, "masked").await.is_some_and(|n| n > 50.0));
        assert!(app.logs().errors().is_empty());
    }

    async fn without_content_only_structure_stays(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "none"})).await;
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![telling_span(1)])).await.status, 200);
        assert_eq!(key.post("/v1/runs", JSON, telling_run("a", "desk").to_string()).await.status, 200);
        for payload in real_payloads() {
            assert_eq!(key.post("/v1/traces", PROTOBUF, payload).await.status, 200);
        }
        app.assemble().await;
        // Names stay, and a span's own name was one here: the configured word in it was never configured.
        for (place, bytes) in app.db().everything_stored().await {
            let text = String::from_utf8_lossy(&bytes);
            for said in ["of course", "planted.person", "170 5550123", "4111 1111", "41111111", "hunter2", "planted0123", "must not"] {
                assert!(!text.contains(said), "{said:?} in {place}: {text}");
            }
        }
        let steps = stored_steps(&app).await.concat();
        for kept in ["gpt-4.1-mini", "1234", "ValueError", "without_content", "\"reward\""] {
            assert!(steps.contains(kept), "{kept}: {steps}");
        }
        rebuild_changes_nothing(&app, &owner).await;
        assert_eq!(figure(&owner, "runs_without_content").await, Some(1.0));
    }

    async fn what_is_masked_is_nowhere_whatever_it_came_in(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "masked", "words": ["Project Falcon"]})).await;
        send_telling(&key).await;
        nothing_planted_is_stored(&app, &["e-planted"]).await;
        app.assemble().await;
        nothing_planted_is_stored(&app, &["e-planted"]).await;
        let steps = stored_steps(&app).await.concat();
        for word in ["[e-mail]", "[phone]", "[card]", "[IBAN]", "[secret]", "[word]", "Yes, of course.", "gpt-4o", "helpful"] {
            assert!(steps.contains(word), "{word}: {steps}");
        }
        rebuild_changes_nothing(&app, &owner).await;
        let runs = owner.get("/api/v1/runs").await.json()["items"].as_array().map_or(0, Vec::len);
        assert_eq!(runs, 4, "what belongs together is found by its stand-in");
        // Nothing says that these runs ended, so that they end when they have gone quiet.
        app.clock().advance_ms(3_600_000);
        app.assemble().await;
        assert!(figure(&owner, "masked").await.is_some_and(|n| n > 20.0));
        assert!(app.logs().errors().is_empty());
    }

    async fn without_content_only_structure_stays_whatever_it_came_in(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "none"})).await;
        send_telling(&key).await;
        app.assemble().await;
        for (place, bytes) in app.db().everything_stored().await {
            let text = String::from_utf8_lossy(&bytes);
            for said in ["of course", "planted.person", "170 5550123", "4111 1111", "41111111", "hunter2", "planted0123", "s-planted"] {
                assert!(!text.contains(said), "{said:?} in {place}: {text}");
            }
        }
        let steps = stored_steps(&app).await.concat();
        for kept in ["gpt-4o", "helpful", "\"value\":0.9", "without_content"] {
            assert!(steps.contains(kept), "{kept}: {steps}");
        }
        rebuild_changes_nothing(&app, &owner).await;
        assert_eq!(owner.get("/api/v1/runs").await.json()["items"].as_array().map(Vec::len), Some(4));
    }

    async fn one_user_s_events_and_records_are_deleted_and_nobody_else_s(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "full"})).await;
        let of = |trace: &str, user: &str| {
            json!({"id": format!("e-{trace}"), "timestamp": "2026-11-23T12:00:00Z", "type": "trace-create",
                "body": {"id": trace, "userId": user, "input": format!("said by {user}")}})
        };
        let batch = json!({"batch": [of("t1", "ann-17"), of("t2", "bob-18")]});
        assert_eq!(key.post("/api/public/ingestion", JSON, batch.to_string()).await.status, 207);
        let score = |trace: &str, of: &str| json!({"traceId": trace, "name": "helpful", "value": 1, "comment": format!("score of {of}")});
        let scores = json!([score("t1", "ann-17"), score("t2", "bob-18")]);
        assert_eq!(key.post("/api/public/scores", JSON, scores.to_string()).await.status, 202);
        let record = |n: u8, user: &str| {
            let mut record = record(n, "gen_ai.user.message");
            record.attributes.extend([text("user.id", user), text("gen_ai.input.messages", &format!("record of {user}"))]);
            record
        };
        let records = logs(vec![record(3, "ann-17"), record(4, "bob-18")]);
        assert_eq!(key.post("/v1/logs", PROTOBUF, records).await.status, 200);
        app.assemble().await;
        let deleted = owner.send_json("POST", "/api/v1/user-data/delete", &json!({"user_id": "ann-17"})).await;
        let expected = json!({"runs": 2, "verdicts": 0, "reviews": 0, "payloads_dropped": 0, "payloads_rewritten": 3, "drafts_naming": 0});
        assert_eq!(deleted.json(), expected, "{}", deleted.in_short());
        for (place, bytes) in app.db().everything_stored().await {
            assert!(!String::from_utf8_lossy(&bytes).contains("ann-17"), "{place}");
        }
        app.app().rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
        let steps = stored_steps(&app).await.concat();
        for kept in ["said by bob-18", "score of bob-18", "record of bob-18"] {
            assert!(steps.contains(kept), "{kept}: {steps}");
        }
        assert_eq!(owner.get("/api/v1/runs").await.json()["items"].as_array().map(Vec::len), Some(2));
    }

    async fn each_workflow_of_one_payload_has_its_own_settings(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "full"})).await;
        for (name, content) in [("open", "full"), ("careful", "masked"), ("silent", "none")] {
            let workflow = owner.with_workflow(name, None).await;
            let path = format!("/api/v1/workflows/{}", workflow.id);
            let changed = json!({"settings": {"privacy": {"content": content}}});
            let saved = owner.send_json("PATCH", &path, &changed).await;
            assert_eq!(saved.status, 200, "{}", saved.in_short());
            assert_eq!(saved.json()["settings"]["privacy"]["content"], content);
        }
        let of = |name: &str, n: u8| {
            let mut spans: ResourceSpans = request(vec![span(n)]).resource_spans.remove(0);
            spans.resource.as_mut().expect("a resource").attributes = vec![text("service.name", name)];
            spans.scope_spans[0].spans[0].attributes.push(text("input.value", &format!("of {name}: {name}@planted.org")));
            spans
        };
        let resource_spans = vec![of("open", 1), of("careful", 2), of("silent", 3), of("unheard-of", 4)];
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        assert_eq!(key.post("/v1/traces", PROTOBUF, body).await.status, 200);
        app.assemble().await;
        let stored = app.db().everything_stored().await;
        let holds = |text: &str| stored.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains(text));
        assert!(holds("open@planted.org") && holds("unheard-of@planted.org") && holds("of careful: [e-mail]"));
        assert!(!holds("careful@planted.org") && !holds("silent@planted.org") && !holds("of silent"));
        assert_eq!(owner.get("/api/v1/runs").await.json()["items"].as_array().map(Vec::len), Some(4));
        rebuild_changes_nothing(&app, &owner).await;
    }

    async fn with_everything_kept_a_payload_is_kept_as_it_came(db: TestDb) {
        let (app, _, key) = world(db, &json!({"content": "full"})).await;
        let body = protobuf(vec![telling_span(1)]);
        assert_eq!(key.post("/v1/traces", PROTOBUF, body.clone()).await.status, 200);
        assert!(app.db().everything_stored().await.contains(&("inbox.body".to_owned(), body)));
    }

    async fn one_user_s_data_is_handed_out_and_deleted_and_nobody_else_s(db: TestDb) {
        let (app, owner, key) = world(db, &json!({"content": "full"})).await;
        let of = |n: u8, user: &str| {
            let mut span = span(n);
            span.attributes.extend([text("user.id", user), text("input.value", &format!("said by {user}"))]);
            span
        };
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![of(1, "ann-17"), of(2, "bob-18")])).await.status, 200);
        assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![of(3, "ann-17")])).await.status, 200);
        let mut run = native("c", "desk");
        run["user_id"] = json!("ann-17");
        let runs = json!({"runs": [run, native("d", "desk")]});
        assert_eq!(key.post("/v1/runs", JSON, runs.to_string()).await.status, 200);
        app.assemble().await;
        app.clock().advance_ms(3_600_000);
        app.assemble().await;
        let items = owner.get("/api/v1/runs?user=ann-17").await.json();
        let first = items["items"][0]["id"].as_str().expect("a run").to_owned();
        let verdict = json!({"outcome": "failed", "comment": "ann-17 was unhappy"});
        assert_eq!(owner.send_json("POST", &format!("/api/v1/runs/{first}/verdict"), &verdict).await.status, 200);
        let before = figure(&owner, "runs").await;

        let whose = json!({"user_id": "ann-17"});
        let handed_out = owner.send_json("POST", "/api/v1/user-data/export", &whose).await;
        assert_eq!(handed_out.status, 200, "{}", handed_out.in_short());
        let document = handed_out.json();
        assert_eq!(document["runs"].as_array().map(Vec::len), Some(3));
        assert!(handed_out.text().contains("said by ann-17") && handed_out.text().contains("was unhappy"));
        assert!(!handed_out.text().contains("bob-18"));

        let contractor = owner.with_person("c@north.test", Role::Contractor, &[]).await;
        assert_eq!(contractor.send_json("POST", "/api/v1/user-data/delete", &whose).await.status, 403);
        assert_eq!(owner.send_json("POST", "/api/v1/user-data/delete", &json!({"user_id": " "})).await.status, 422);
        let deleted = owner.send_json("POST", "/api/v1/user-data/delete", &whose).await;
        assert_eq!(deleted.status, 200, "{}", deleted.in_short());
        let expected = json!({"runs": 3, "verdicts": 1, "reviews": 0, "payloads_dropped": 1, "payloads_rewritten": 2, "drafts_naming": 0});
        assert_eq!(deleted.json(), expected);
        for (place, bytes) in app.db().everything_stored().await {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("ann-17") && !text.contains("unhappy"), "{place}: {text}");
        }
        app.app().rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
        let left = owner.get("/api/v1/runs").await;
        assert_eq!(left.json()["items"].as_array().map(Vec::len), Some(2), "{}", left.in_short());
        assert!(stored_steps(&app).await.concat().contains("said by bob-18"));
        assert_eq!((figure(&owner, "runs").await, figure(&owner, "deleted_runs").await), (before, Some(3.0)));
        let page = owner.get("/settings/privacy").await;
        assert!(page.text().contains("user_data.delete") && page.text().contains("3 runs"), "{}", page.in_short());
        let again = owner.send_json("POST", "/api/v1/user-data/delete", &whose).await;
        assert_eq!(again.json()["runs"], 0);
    }

    async fn a_masked_user_is_found_by_the_id_that_senders_give(db: TestDb) {
        for content in ["masked", "none"] {
            let (app, owner, key) = world(TestDb::sqlite(), &json!({"content": content})).await;
            assert_eq!(key.post("/v1/traces", PROTOBUF, protobuf(vec![telling_span(1)])).await.status, 200);
            app.assemble().await;
            let deleted = owner.send_json("POST", "/api/v1/user-data/delete", &json!({"user_id": PLANTED[0]})).await;
            assert_eq!(deleted.json()["runs"], 1, "{content}: {}", deleted.in_short());
        }
        drop(db);
    }

    async fn the_settings_are_forms_that_say_what_is_wrong(db: TestDb) {
        let (_, owner, _) = world(db, &json!({})).await;
        let page = owner.get("/settings/privacy").await;
        assert!(page.status == 200 && page.text().contains("from then on"), "{}", page.in_short());
        let fields = [("content", "masked"), ("mask_email", "on"), ("mask_words", "Falcon\nHeron")];
        assert_eq!(owner.post_form("/settings/privacy", &fields).await.status, 303);
        let kept = owner.get("/api/v1/privacy").await.json();
        assert_eq!(kept, json!({"content": "masked", "spared": ["phone", "card", "iban", "secret"], "words": ["Falcon", "Heron"]}));
        let refused = owner.post_form("/settings/privacy", &[("content", "masked"), ("mask_words", "x")]).await;
        assert!(refused.status == 422 && refused.text().contains("2 to 80 characters"), "{}", refused.in_short());
        assert_eq!(owner.send_json("PATCH", "/api/v1/privacy", &json!({"words": ["user"]})).await.status, 422);
        assert_eq!(owner.post_form("/settings/privacy/delete", &[("user_id", "x")]).await.status, 422);
        assert_eq!(owner.post_form("/settings/privacy/export", &[("user_id", "")]).await.status, 422);
        let workflow = owner.with_workflow("desk", None).await;
        let path = format!("/workflows/{}/settings", workflow.id);
        let page = owner.get(&path).await;
        assert!(page.text().contains("as the agency: everything, masked"), "{}", page.in_short());
    }
}
