//! Langfuse's own interface, as its libraries and integrations speak it.

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use steward_testkit::{Answer, KeyHolder, Seat, TestApp, TestDb, db_tests};

use crate::payload::{JSON, gzip, json_of, span};

/// One of Langfuse's libraries, set up with a key of ours.
struct Library {
    app: TestApp,
    secret_key: String,
}

impl Library {
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let basic = format!("Basic {}", STANDARD.encode(format!("pk-lf-steward:{}", self.secret_key)));
        let request = Request::builder().method(method).uri(path).header("authorization", basic);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.app.send(request.body(body.into()).expect("a request")).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", JSON)], body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Body::empty()).await
    }
}

async fn world(db: TestDb) -> (TestApp, Seat, Library) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let KeyHolder { key: secret_key, .. } = owner.with_key(None).await;
    (app.clone(), owner, Library { app, secret_key })
}

async fn runs(owner: &Seat) -> Vec<Value> {
    owner.app.assemble().await;
    owner.get("/api/v1/runs?tests=yes").await.json()["items"].as_array().expect("items").clone()
}

fn event(id: &str, kind: &str, body: Value) -> Value {
    json!({"id": id, "timestamp": "2026-11-23T12:00:00Z", "type": kind, "body": body})
}

/// A trace with a generation in it, as integrations of the older interface send it, begun and ended apart.
fn conversation() -> Vec<Value> {
    vec![
        event("e1", "trace-create", json!({"id": "t1", "name": "front desk", "timestamp": "2026-11-23T12:00:00Z"})),
        event(
            "e2",
            "generation-create",
            json!({"id": "g1", "traceId": "t1", "name": "answer", "startTime": "2026-11-23T12:00:00Z", "model": "gpt-4o",
                "input": [{"role": "user", "content": "Are you open?"}]}),
        ),
        event(
            "e3",
            "generation-update",
            json!({"id": "g1", "traceId": "t1", "endTime": "2026-11-23T12:00:02Z", "output": "Yes",
                "usage": {"input": 11, "output": 3, "unit": "TOKENS"}}),
        ),
    ]
}

db_tests! {
    async fn a_batch_is_answered_event_by_event_and_becomes_a_run(db: TestDb) {
        let (_, owner, library) = world(db).await;
        let mut batch = conversation();
        batch.push(event("e4", "generation-create", json!({"traceId": "t1", "startTime": "yesterday"})));
        batch.push(event("e5", "sdk-log", json!({"log": "hello"})));
        batch.push(event("e6", "weather-create", json!({})));
        batch.push(json!("no event"));
        let answer = library.post("/api/public/ingestion", &json!({"batch": batch, "metadata": {"sdk_name": "python"}})).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (207, JSON));
        let answer = answer.json();
        let ids = |list: &Value| -> Vec<String> {
            let items = list.as_array().expect("a list");
            items.iter().map(|item| format!("{} {}", item["id"].as_str().expect("an id"), item["status"])).collect()
        };
        assert_eq!(ids(&answer["successes"]), ["e1 201", "e2 201", "e3 201", "e5 201"]);
        assert_eq!(ids(&answer["errors"]), ["e4 400", "e6 400", "unknown 400"]);
        assert!(answer["errors"][1]["error"].as_str().expect("words").contains("weather"), "{answer}");

        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 1, "{runs:?}");
        let run = owner.get(&format!("/api/v1/runs/{}", runs[0]["id"].as_str().expect("an id"))).await.json();
        let steps = run["steps"].as_array().expect("steps");
        let model = steps.iter().find(|step| step["kind"] == "model").expect("a model's step");
        assert_eq!(model["name"], "answer");
        assert_eq!((&model["model"], &model["usage"]["input"], &model["usage"]["output"]), (&json!("gpt-4o"), &json!(11), &json!(3)), "{model}");
    }

    async fn a_batch_sent_again_or_in_pieces_changes_nothing(db: TestDb) {
        let (_, owner, library) = world(db).await;
        let conversation = conversation();
        for event in conversation.iter().rev() {
            let answer = library.post("/api/public/ingestion", &json!({"batch": [event]})).await;
            assert_eq!(answer.status, 207, "{}", answer.in_short());
            owner.app.assemble().await;
        }
        let pieces = runs(&owner).await;
        library.post("/api/public/ingestion", &json!({"batch": conversation})).await;
        let again = runs(&owner).await;
        let without_times = |runs: &[Value]| runs.iter().map(|run| (run["id"].clone(), run["n_steps"].clone(), run["tokens_in"].clone())).collect::<Vec<_>>();
        assert_eq!(pieces.len(), 1);
        assert_eq!(without_times(&pieces), without_times(&again));
    }

    async fn what_is_no_batch_is_refused_whole(db: TestDb) {
        let (_, owner, library) = world(db).await;
        for body in ["", "{", "[]", "{}", r#"{"batch": 1}"#, r#"{"batch": {}}"#, "null", "\u{0}"] {
            let answer = library.send("POST", "/api/public/ingestion", &[("content-type", JSON)], body).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.in_short());
            assert_eq!(answer.json()["error"], "InvalidRequestError", "{body}");
        }
        let empty = library.post("/api/public/ingestion", &json!({"batch": []})).await;
        assert_eq!((empty.status.as_u16(), empty.json()), (207, json!({"successes": [], "errors": []})));
        let packed = gzip(json!({"batch": conversation()}).to_string().as_bytes());
        let packed = library.send("POST", "/api/public/ingestion", &[("content-type", JSON), ("content-encoding", "gzip")], packed).await;
        assert_eq!(packed.status, 207);
        assert_eq!(runs(&owner).await.len(), 1);
    }

    async fn a_judgement_finds_what_came_over_otlp(db: TestDb) {
        let (_, owner, library) = world(db).await;
        // Both spellings of the headers, as the libraries of both languages send them.
        let headers = [("content-type", JSON), ("x_langfuse_sdk_name", "python"), ("x_langfuse_public_key", "pk-lf-steward")];
        let sent = library.send("POST", "/api/public/otel/v1/traces", &headers, json_of(&[span(7)])).await;
        assert_eq!((sent.status.as_u16(), sent.text()), (200, "{}"));
        let headers = [("content-type", JSON), ("x-langfuse-sdk-name", "javascript"), ("x-langfuse-ingestion-version", "4")];
        assert_eq!(library.send("POST", "/api/public/otel/v1/traces", &headers, json_of(&[span(7)])).await.status, 200);
        let trace = "07".repeat(16);
        let score = library.post("/api/public/scores", &json!({"id": "s1", "traceId": trace, "name": "helpful", "value": 0.9, "comment": "quick"})).await;
        assert_eq!((score.status.as_u16(), score.json()), (200, json!({"id": "s1"})));
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 1, "the judgement is of the run that is there: {runs:?}");
        let run = owner.get(&format!("/api/v1/runs/{}", runs[0]["id"].as_str().expect("an id"))).await;
        assert!(run.text().contains("helpful") && run.text().contains("quick"), "{}", run.text());
    }

    async fn judgements_in_a_list_are_answered_together(db: TestDb) {
        let (_, owner, library) = world(db).await;
        let good = json!({"id": "s1", "traceId": "t1", "name": "helpful", "value": 0.9, "timestamp": "2026-11-23T12:00:00Z"});
        let all = library.post("/api/public/scores", &json!([good])).await;
        assert_eq!((all.status.as_u16(), all.json()), (202, json!({"message": "Accepted"})));
        let some = library.post("/api/public/scores", &json!([good, {"name": "nowhere", "value": 1}])).await;
        assert_eq!((some.status.as_u16(), &some.json()["accepted"], &some.json()["rejected"]), (207, &json!(1), &json!(1)));
        assert!(some.json()["errors"][0]["message"].as_str().expect("words").contains("traceId"), "{}", some.text());
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 1);
        let run = owner.get(&format!("/api/v1/runs/{}", runs[0]["id"].as_str().expect("an id"))).await.json();
        let scores: Vec<&Value> = run["steps"].as_array().expect("steps").iter().flat_map(|step| step["scores"].as_array().expect("scores")).collect();
        assert_eq!(scores.len(), 1, "a judgement that is sent again is the same: {scores:?}");
    }

    async fn a_judgement_that_cannot_be_taken_says_why(db: TestDb) {
        let (_, owner, library) = world(db).await;
        for (body, why) in [
            (json!({"traceId": "t1", "value": 1}), "no name"),
            (json!({"name": "helpful", "value": 1, "sessionId": "s"}), "traceId"),
            (json!({"name": "helpful", "traceId": "t1"}), "no value"),
            (json!({"name": "helpful", "traceId": "t1", "value": "good", "dataType": "NUMERIC"}), "NUMERIC"),
            (json!(1), "object"),
        ] {
            let answer = library.post("/api/public/scores", &body).await;
            assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some("InvalidRequestError")), "{body}");
            assert!(answer.json()["message"].as_str().expect("words").contains(why), "{body}: {}", answer.text());
        }
        assert_eq!(runs(&owner).await, Vec::<Value>::new());
    }

    async fn a_library_learns_whose_project_it_is(db: TestDb) {
        let (app, owner, library) = world(db).await;
        let projects = library.get("/api/public/projects").await.json();
        assert_eq!((&projects["data"][0]["name"], &projects["data"][0]["organization"]["name"]), (&json!("north"), &json!("north")));
        let workflow = owner.with_workflow("front desk", None).await;
        let KeyHolder { key, .. } = owner.with_key(Some(workflow.id)).await;
        let of_workflow = Library { app: app.clone(), secret_key: format!("sk-lf-{key}") };
        let projects = of_workflow.get("/api/public/projects").await.json();
        assert_eq!(projects["data"], json!([{
            "id": workflow.id, "name": "front desk", "metadata": {},
            "organization": {"id": owner.actor.agency_id, "name": "north"},
        }]));
        for path in ["/api/public/health", "/api/public/ready"] {
            assert_eq!(library.get(path).await.json()["status"], "OK");
        }
        let stranger = Library { app, secret_key: "sk-lf-1".to_owned() };
        let refused = stranger.get("/api/public/projects").await;
        assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (401, Some("UnauthorizedError")));
    }

    async fn what_is_not_kept_is_not_found_as_libraries_read_it(db: TestDb) {
        let (_, _, library) = world(db).await;
        for path in ["/api/public/v2/prompts/greeting?label=production", "/api/public/v2/prompts/desk%2Fgreeting", "/api/public/datasets", "/api/public/media/1"] {
            let answer = library.get(path).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, JSON), "{path}");
            assert_eq!(answer.json()["error"], "LangfuseNotFoundError", "{path}");
        }
        let wrong = library.get("/api/public/ingestion").await;
        assert_eq!((wrong.status.as_u16(), wrong.json()["error"].as_str()), (405, Some("MethodNotAllowedError")));
    }

    async fn judgements_of_what_is_not_there_yet_are_kept_for_it(db: TestDb) {
        let (_, owner, library) = world(db).await;
        let trace = "07".repeat(16);
        let early = json!({"id": "s1", "traceId": trace, "observationId": "07".repeat(8), "name": "helpful", "value": 0.9});
        assert_eq!(library.post("/api/public/scores", &early).await.status, 200);
        assert_eq!(library.post("/api/public/scores", &json!({"id": "s2", "traceId": "t1", "name": "polite", "value": true})).await.status, 200);
        assert_eq!(runs(&owner).await.len(), 2, "what is judged is known of");
        assert_eq!(library.send("POST", "/api/public/otel/v1/traces", &[("content-type", JSON)], json_of(&[span(7)])).await.status, 200);
        library.post("/api/public/ingestion", &json!({"batch": conversation()})).await;
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 2, "no run beside the judged one: {runs:?}");
        for (run, name) in [("invoke_agent", "helpful"), ("answer", "polite")] {
            let mut found = Vec::new();
            for row in &runs {
                let detail = owner.get(&format!("/api/v1/runs/{}", row["id"].as_str().expect("an id"))).await.json();
                let steps = detail["steps"].as_array().expect("steps").clone();
                if steps.iter().any(|step| step["name"] == run) {
                    found.extend(steps.into_iter().flat_map(|step| step["scores"].as_array().expect("scores").clone()));
                }
            }
            assert_eq!(found.len(), 1, "{name}: {found:?}");
            assert_eq!(found[0]["name"], name);
        }
    }

    async fn ten_thousand_events_are_answered_one_by_one(db: TestDb) {
        let (app, owner, library) = world(db).await;
        let one = |n: usize| event(&format!("e{n}"), "span-create", json!({"id": format!("s{n}"), "traceId": format!("t{}", n % 50), "name": "look up",
            "startTime": "2026-11-23T12:00:00Z", "endTime": "2026-11-23T12:00:01Z"}));
        let batch = json!({"batch": (0..10_000).map(one).collect::<Vec<_>>()});
        let answer = library.post("/api/public/ingestion", &batch).await;
        assert_eq!(answer.status, 207, "{}", answer.in_short());
        let answer = answer.json();
        assert_eq!((answer["successes"].as_array().map(Vec::len), &answer["errors"]), (Some(10_000), &json!([])));
        assert_eq!(answer["successes"][9_999], json!({"id": "e9999", "status": 201}));
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 50);
        assert!(app.logs().errors().is_empty());
    }

    async fn ids_that_collide_make_no_loop_and_lose_nothing(db: TestDb) {
        let (app, owner, library) = world(db).await;
        let span = |id: &str, trace: &str, parent: Value| event(id, "span-create", json!({"id": id, "traceId": trace, "parentObservationId": parent,
            "name": id, "startTime": "2026-11-23T12:00:00Z", "endTime": "2026-11-23T12:00:01Z"}));
        let batch = json!({"batch": [
            // The same id in two traces, one that is its own parent, two that are each other's, and one that is the trace's.
            span("same", "t1", json!(null)), span("same", "t2", json!("same")),
            span("a", "t1", json!("b")), span("b", "t1", json!("a")),
            span("trace", "t1", json!("trace")), span("t1", "t1", json!("t1")),
            event("same", "trace-create", json!({"id": "t1", "name": "front desk"})),
            event("same", "generation-create", json!({"id": "same", "traceId": "t1", "model": "gpt-4o"})),
            span("0000000000000000", "00000000000000000000000000000000", json!("0000000000000000")),
        ]});
        let answer = library.post("/api/public/ingestion", &batch).await;
        assert_eq!((answer.status.as_u16(), answer.json()["successes"].as_array().map(Vec::len)), (207, Some(9)), "{}", answer.in_short());
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 3, "{runs:?}");
        for run in &runs {
            let id = run["id"].as_str().expect("an id");
            assert_eq!(owner.get(&format!("/runs/{id}")).await.status, 200);
            let detail = owner.get(&format!("/api/v1/runs/{id}")).await.json();
            assert!(detail["steps"].as_array().is_some_and(|steps| (1..=5).contains(&steps.len())), "{detail}");
        }
        assert!(app.logs().errors().is_empty());
    }

    async fn wrong_types_everywhere_are_refused_or_left_out_and_break_nothing(db: TestDb) {
        let (app, owner, library) = world(db).await;
        let wrong = [json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("\u{0}"), json!([[]]), json!({"a": {"b": null}}), json!("x".repeat(10_000))];
        let good = |what: &str| match what {
            "trace" => json!({"id": "t1", "name": "n", "userId": "u", "sessionId": "s", "release": "r", "version": "v", "metadata": {"a": 1}, "tags": ["t"],
                "input": "i", "output": "o", "public": true, "timestamp": "2026-11-23T12:00:00Z", "environment": "e"}),
            "score" => json!({"id": "s1", "traceId": "t1", "observationId": "g1", "name": "n", "value": 1, "dataType": "NUMERIC", "comment": "c", "source": "API"}),
            _ => json!({"id": "g1", "traceId": "t1", "parentObservationId": "p", "name": "n", "startTime": "2026-11-23T12:00:00Z", "endTime": "2026-11-23T12:00:01Z",
                "completionStartTime": "2026-11-23T12:00:00Z", "model": "m", "modelParameters": {"t": 1}, "input": "i", "output": "o", "usage": {"input": 1, "unit": "TOKENS"},
                "usageDetails": {"input": 1}, "costDetails": {"total": 0.1}, "level": "DEFAULT", "statusMessage": "s", "promptName": "p", "promptVersion": 1, "metadata": {"a": 1}}),
        };
        let (mut batch, mut scores) = (Vec::new(), Vec::new());
        for what in ["trace", "score", "generation", "span", "event", "tool"] {
            for value in &wrong {
                batch.push(event("e", &format!("{what}-create"), value.clone()));
                batch.push(json!({"id": value, "timestamp": value, "type": format!("{what}-create"), "body": good(what)}));
                for key in good(what).as_object().expect("an object").keys() {
                    let mut body = good(what);
                    body[key] = value.clone();
                    if what == "score" {
                        scores.push(body.clone());
                    }
                    batch.push(event("e", &format!("{what}-create"), body));
                }
            }
        }
        batch.extend(wrong.iter().map(|value| json!({"id": "e", "type": value, "body": {}})));
        batch.extend(wrong.iter().cloned());
        let n = batch.len();
        let answer = library.post("/api/public/ingestion", &json!({"batch": batch})).await;
        assert_eq!(answer.status, 207, "{}", answer.in_short());
        let n_of = |list: &str| answer.json()[list].as_array().map_or(0, Vec::len);
        assert_eq!(n_of("successes") + n_of("errors"), n, "one answer for each");
        assert!(n_of("successes") > 300 && n_of("errors") > 100, "{} and {}", n_of("successes"), n_of("errors"));
        for score in &scores {
            let status = library.post("/api/public/scores", score).await.status;
            assert!(status == 200 || status == 400, "{score}: {status}");
        }
        assert!(matches!(library.post("/api/public/scores", &json!(scores)).await.status.as_u16(), 207));
        for run in &runs(&owner).await {
            assert_eq!(owner.get(&format!("/runs/{}", run["id"].as_str().expect("an id"))).await.status, 200);
        }
        assert!(app.logs().errors().is_empty(), "{:?}", app.logs().errors());
    }

    async fn too_much_and_too_deep_are_refused(db: TestDb) {
        let config = steward_web::WebConfig { max_inflated_bytes: 4 * 1024 * 1024, ..steward_web::WebConfig::default() };
        let app = TestApp::with_config(db, config).await;
        let owner = app.agency("north").await;
        let library = Library { secret_key: owner.with_key(None).await.key, app };
        let deep = |n: usize| format!(r#"{{"batch": [{{"id": "e", "type": "trace-create", "timestamp": "2026-11-23T12:00:00Z", "body": {{"id": "t", "input": {}1{}}}}}]}}"#, "[".repeat(n), "]".repeat(n));
        for path in ["/api/public/ingestion", "/api/public/scores", "/v1/logs"] {
            let large = library.send("POST", path, &[("content-type", JSON)], vec![b' '; 100_000_000]).await;
            assert_eq!(large.status, 413, "{path}: {}", large.in_short());
            let bomb = library.send("POST", path, &[("content-type", JSON), ("content-encoding", "gzip")], gzip(&vec![b' '; 8 * 1024 * 1024])).await;
            assert_eq!(bomb.status, 413, "{path}: {}", bomb.in_short());
            let many = library.send("POST", path, &[("content-type", JSON)], format!(r#"{{"batch": [{}1]}}"#, "1,".repeat(1_500_000))).await;
            assert_ne!(many.status, 200, "{path}: {}", many.in_short());
            let deep = library.send("POST", path, &[("content-type", JSON)], deep(100_000)).await;
            assert_eq!(deep.status, 400, "{path}: {}", deep.in_short());
        }
        let answer = library.send("POST", "/api/public/ingestion", &[("content-type", JSON)], deep(60)).await;
        assert_eq!((answer.status.as_u16(), answer.json()["errors"].clone()), (207, json!([])));
        assert_eq!(runs(&owner).await.len(), 1);
    }
}
