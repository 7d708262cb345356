//! The API: its description, and what its endpoints give.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use steward_core::people::Role;
use steward_testkit::{Seat, TestApp, TestDb, db_tests};

use crate::payload::native;

/// An agency with a client, its workflow `bot`, and some runs of it.
async fn world(db: TestDb) -> (Seat, String, String) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let client = owner.with_client("Shop").await;
    let workflow = owner.with_workflow("bot", Some(client.id)).await;
    let mut failed = native("c", "bot");
    failed["outcome"] = json!("failed");
    failed["steps"][1]["error"] = json!("401 Unauthorized");
    let mut long = native("d", "bot");
    long["ended_at"] = json!("2026-11-23T12:20:00Z");
    long["outcome"] = Value::Null;
    owner.take_in(&[native("a", "bot"), native("b", "bot"), failed, long]).await;
    (owner, client.id.to_string(), workflow.id.to_string())
}

fn titles_of(answer: &steward_testkit::Answer, field: &str) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap_or_else(|| panic!("no items: {}", answer.in_short())).clone();
    items.iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_description_of_the_api() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let answer = app.get("/api/openapi.json").await;
        let api = answer.json();
        assert_eq!((api["openapi"].as_str(), answer.header("content-type")), (Some("3.1.0"), "application/json"));
        insta::assert_snapshot!("openapi", serde_json::to_string_pretty(&api).expect("JSON"));
    });
}

db_tests! {
    async fn runs_are_listed_filtered_and_paged(db: TestDb) {
        let (owner, client, workflow) = world(db).await;
        let n = async |query: &str| titles_of(&owner.get(&format!("/api/v1/runs?{query}")).await, "id").len();
        assert_eq!(n("").await, 4);
        assert_eq!(n(&format!("client={client}")).await, 4);
        assert_eq!(n(&format!("workflow={workflow}&outcome=failed")).await, 1);
        assert_eq!(n("error=auth").await, 1);
        assert_eq!(n("error=tool:look_up").await, 1);
        assert_eq!((n("error=tool").await, n("error=model").await), (1, 0));
        assert_eq!(n("verified=no").await, 1);
        assert_eq!(n("min_s=600").await, 1);
        assert_eq!(n("model=gpt-4o&tool=look_up&q=TITLE").await, 4);
        assert_eq!(n("workflow=none").await, 0);
        assert_eq!(n("from=2026-11-24").await, 0);
        assert_eq!(n("from=2026-11-23&to=2026-11-23").await, 4);
        assert_eq!(n("state=open").await + n("state=provisional").await + n("state=final").await, 4);
        let mut seen = Vec::new();
        let mut query = "sort=cycle&limit=3".to_owned();
        loop {
            let page = owner.get(&format!("/api/v1/runs?{query}")).await;
            seen.extend(titles_of(&page, "id"));
            match page.json()["next_cursor"].as_str() {
                Some(cursor) => query = format!("sort=cycle&limit=3&cursor={cursor}"),
                None => break,
            }
        }
        let mut distinct = seen.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!((seen.len(), distinct.len()), (4, 4));
        let first = owner.get("/api/v1/runs?limit=1").await.json()["next_cursor"].as_str().expect("a cursor").to_owned();
        let bad = [
            "outcom=failed", "outcome=great", "limit=0", "limit=501", "limit=x", "sort=name", "cursor=x", &format!("sort=cost&cursor={first}"),
            "from=2026-02-30", "q=%00", "workflow=wf_1", "min_usd=NaN", "from=2026-11-24&to=2026-11-23",
        ];
        for query in bad {
            let answer = owner.get(&format!("/api/v1/runs?{query}")).await;
            assert!(answer.status == 400 || answer.status == 422, "{query}: {}", answer.in_short());
            assert_eq!(answer.header("content-type"), "application/problem+json", "{query}");
        }
        let elsewhere = owner.get("/api/v1/runs?client=cl_00000000000000000000000000000099").await;
        assert_eq!(elsewhere.status, 404);
    }

    async fn a_run_is_shown_with_its_steps_and_payloads(db: TestDb) {
        let (owner, ..) = world(db).await;
        let id = titles_of(&owner.get("/api/v1/runs?outcome=failed").await, "id").remove(0);
        let run = owner.get(&format!("/api/v1/runs/{id}")).await.json();
        assert_eq!((&run["run"]["id"], &run["run"]["outcome"], &run["run"]["state"]), (&json!(id), &json!("failed"), &json!("provisional")));
        assert_eq!(run["run"]["started_at"], "2026-11-23T12:00:00Z");
        let steps = run["steps"].as_array().expect("steps");
        assert!(steps.iter().any(|step| step["kind"] == "tool" && step["error"]["class"] == "auth"), "{steps:?}");
        assert!(run["run"]["cost_nanos"].as_i64().is_some_and(|nanos| nanos > 0), "{run}");
        let payloads = owner.get(&format!("/api/v1/runs/{id}/payloads")).await.json();
        assert!(payloads["items"][0]["text"].as_str().is_some_and(|text| text.contains("Unauthorized")), "{payloads}");
        assert_eq!(payloads["items"][0]["kind"], "native");
    }

    async fn a_verdict_outweighs_what_was_said(db: TestDb) {
        let (owner, ..) = world(db).await;
        let id = titles_of(&owner.get("/api/v1/runs?outcome=failed").await, "id").remove(0);
        let path = format!("/api/v1/runs/{id}/verdict");
        let answer = owner.send_json("POST", &path, &json!({"outcome": "completed", "comment": "a person called back"})).await.json();
        assert_eq!((&answer["run"]["outcome"], &answer["run"]["evidence"]), (&json!("completed"), &json!("verdict")));
        assert_eq!(answer["verdicts"][0]["comment"], "a person called back");
        owner.app.clock().advance_ms(1_000);
        let answer = owner.send_json("POST", &path, &json!({"outcome": null})).await.json();
        assert_eq!((&answer["run"]["outcome"], &answer["run"]["evidence"]), (&json!("failed"), &json!("explicit")));
        let at_once = owner.send_json("POST", &path, &json!({"outcome": "failed"})).await;
        assert_eq!(at_once.status, 409, "{}", at_once.in_short());
        for body in [json!({}), json!({"outcome": "unverified"}), json!({"outcome": "great"}), json!({"outcome": "failed", "comment": "x".repeat(2_001)}), json!({"verdict": 1}), json!({"outcome": "failed", "comment": "\u{0}"})] {
            let answer = owner.send_json("POST", &path, &body).await;
            assert_eq!(answer.status, 422, "{body}: {}", answer.in_short());
        }
    }

    async fn a_write_with_a_key_is_done_once(db: TestDb) {
        let (owner, _, workflow) = world(db).await;
        let id = titles_of(&owner.get("/api/v1/runs?outcome=failed").await, "id").remove(0);
        let (verdict, other) = (json!({"outcome": "completed"}), json!({"outcome": "escalated"}));
        let path = format!("/api/v1/runs/{id}/verdict");
        let send = async |seat: &Seat, key: &str, path: &str, body: &Value| {
            let request = Request::builder().method("POST").uri(path).header("content-type", "application/json").header("x-csrf-token", &seat.csrf).header("idempotency-key", key);
            seat.send(request.body(Body::from(body.to_string())).expect("a request")).await
        };
        let first = send(&owner, "one", &path, &verdict).await;
        assert_eq!((first.status, first.header("idempotency-replayed")), (StatusCode::OK, ""), "{}", first.in_short());
        owner.app.clock().advance_ms(1_000);
        for key in ["one", "\"one\""] {
            let again = send(&owner, key, &path, &verdict).await;
            assert_eq!((again.status, again.header("idempotency-replayed"), again.header("content-type")), (StatusCode::OK, "true", "application/json"));
            assert_eq!(again.json(), first.json());
        }
        assert_eq!(owner.get(&format!("/api/v1/runs/{id}")).await.json()["verdicts"].as_array().map(Vec::len), Some(1));
        let mixed_up = send(&owner, "one", &path, &other).await;
        assert_eq!(mixed_up.status, 422, "{}", mixed_up.in_short());
        assert_eq!(send(&owner, "two", &path, &other).await.status, 200);
        // What changed nothing leaves its key free, and a key is its sender's own.
        assert_eq!(send(&owner, "three", &path, &json!({"outcome": "great"})).await.status, 422);
        owner.app.clock().advance_ms(1_000);
        assert_eq!(send(&owner, "three", &path, &verdict).await.status, 200);
        let operator = owner.with_person("operator@north.test", Role::Operator, &[]).await;
        owner.app.clock().advance_ms(1_000);
        let theirs = send(&operator, "one", &path, &verdict).await;
        assert_eq!((theirs.status, theirs.header("idempotency-replayed")), (StatusCode::OK, ""));
        // An answer that shows a secret once shows it again to who sends the request again.
        let connections = format!("/api/v1/workflows/{workflow}/connections");
        let made = send(&owner, "four", &connections, &json!({"source": "n8n"})).await;
        assert!(made.status.is_success() && made.text().contains("sts_"), "{}", made.in_short());
        assert_eq!(send(&owner, "four", &connections, &json!({"source": "n8n"})).await.json(), made.json());
        assert_eq!(owner.get(&connections).await.json()["items"].as_array().map(Vec::len), Some(1));
        for key in ["", " ", "\u{7f}", &"k".repeat(256)] {
            let request = Request::builder().method("POST").uri(&path).header("x-csrf-token", &owner.csrf).header("idempotency-key", key.as_bytes());
            let Ok(request) = request.body(Body::from(verdict.to_string())) else { continue };
            assert_eq!(owner.send(request).await.status, 422, "{key:?}");
        }
        // With the data of an end user go the answers, which may show it; that it was done is known all the same.
        owner.app.app().delete_user_data(&owner.actor, "nobody", None).await.expect("deleted");
        let forgotten = send(&owner, "two", &path, &other).await;
        assert_eq!(forgotten.status, 409, "{}", forgotten.in_short());
        // A day later it is forgotten.
        owner.app.clock().advance_ms(24 * 3_600_000);
        let late = send(&owner, "one", &path, &other).await;
        assert_eq!((late.status, late.header("idempotency-replayed")), (StatusCode::OK, ""), "{}", late.in_short());
        // Who may not write learns nothing from a key.
        let stranger = owner.app.send(Request::post(&path).header("idempotency-key", "one").body(Body::empty()).expect("a request")).await;
        assert_eq!(stranger.status, 401);
    }

    async fn a_write_whose_sender_hangs_up_is_done_once_and_answered_to_who_sends_it_again(db: TestDb) {
        let (owner, _, workflow) = world(db).await;
        let path = format!("/api/v1/workflows/{workflow}/channels");
        let request = |n: usize| {
            let body = json!({"kind": "webhook", "to": "https://bot.example/hook", "name": format!("channel {n}")});
            let request = Request::builder().method("POST").uri(&path).header("content-type", "application/json").header("x-csrf-token", &owner.csrf).header("idempotency-key", format!("key {n}"));
            request.body(Body::from(body.to_string())).expect("a request")
        };
        // Some hang up before it began, some in the middle, and some wait to the end.
        let mut n_in_the_middle = 0;
        for n in 0..48 {
            let (mut polls, most) = (0, n % 12);
            let mut asked = pin!(owner.send(request(n)));
            let step = |context: &mut Context<'_>| {
                polls += 1;
                if polls > most { Poll::Ready(None) } else { asked.as_mut().poll(context).map(Some) }
            };
            let hung_up = poll_fn(step).await.is_none();
            asked.set(owner.send(request(n)));
            let mut again = asked.await;
            for _ in 0..1_000 {
                if again.status != 409 {
                    break;
                }
                again = owner.send(request(n)).await;
            }
            assert_eq!(again.status, 200, "after {most} steps: {}", again.in_short());
            let is_replayed = again.header("idempotency-replayed") == "true";
            assert!(hung_up || is_replayed);
            n_in_the_middle += usize::from(hung_up && is_replayed);
            let listed = owner.get(&path).await.json();
            let all = listed["items"].as_array().expect("items");
            let made: Vec<&Value> = all.iter().filter(|item| item["name"] == format!("channel {n}")).collect();
            assert_eq!(made.len(), 1, "after {most} steps: {listed}");
            assert_eq!(made[0]["id"], again.json()["channel"]["id"], "after {most} steps");
        }
        assert!(n_in_the_middle > 0, "none was on its way");
    }

    async fn figures_come_with_definitions_intervals_and_the_period_before(db: TestDb) {
        let (owner, client, workflow) = world(db).await;
        let all = owner.get("/api/v1/figures").await.json();
        let figure = |of: &Value, id: &str| of["figures"].as_array().expect("figures").iter().find(|f| f["id"] == id).expect("there").clone();
        assert_eq!(figure(&all, "runs")["now"]["value"], 4.0);
        let completion = figure(&all, "completion_rate");
        assert_eq!((&completion["unit"], &completion["good"], &completion["now"]["denominator"]), (&json!("share"), &json!("up"), &json!(3.0)));
        assert!(completion["now"]["interval"]["low"].as_f64().is_some_and(|low| low < 0.67));
        assert!(completion["before"]["value"].is_null() && completion["before"]["note"] != "", "{completion}");
        for query in [format!("client={client}"), format!("workflow={workflow}"), "model=gpt-4o".to_owned(), "tool=look_up".to_owned(), "from=2026-11-01&to=2026-11-30".to_owned()] {
            let of = owner.get(&format!("/api/v1/figures?{query}")).await.json();
            assert_eq!(figure(&of, "runs")["now"]["value"], 4.0, "{query}");
        }
        let none = owner.get("/api/v1/figures?release=7").await.json();
        assert_eq!(figure(&none, "runs")["now"]["value"], 0.0);
        for query in ["model=a&tool=b", "from=x", "workflow=7", "period=week", "model=%00", "from=2026-12-01&to=2026-11-01"] {
            let answer = owner.get(&format!("/api/v1/figures?{query}")).await;
            assert!(answer.status == 400 || answer.status == 422, "{query}: {}", answer.in_short());
        }
        let tools = owner.get("/api/v1/calls?of=tools").await.json();
        assert_eq!((&tools["items"][0]["name"], &tools["items"][0]["calls"], &tools["items"][0]["errors"]), (&json!("look_up"), &json!(4), &json!(1)));
        let models = owner.get("/api/v1/calls?of=models").await.json();
        assert!(models["items"][0]["known_cost_nanos"].as_i64().is_some_and(|nanos| nanos > 0), "{models}");
        let days = owner.get("/api/v1/days?from=2026-11-22&to=2026-11-23").await.json();
        assert_eq!((days["items"].as_array().expect("days").len(), &days["items"][1]["runs"], &days["items"][0]["runs"]), (2, &json!(4), &json!(0)));
        let definitions = owner.get("/api/v1/definitions").await.json();
        assert!(definitions["items"].as_array().expect("definitions").len() > 30);
    }

    async fn settings_are_tried_and_then_changed(db: TestDb) {
        let (owner, _, workflow) = world(db).await;
        let rule = json!({"outcome_rules": [{"outcome": "completed", "when": [{"test": "tool_succeeded", "tool": "look_up"}]}]});
        let preview = owner.send_json("POST", &format!("/api/v1/workflows/{workflow}/preview"), &json!({"settings": rule})).await.json();
        assert_eq!((&preview["n_changed"], &preview["before"]["outcomes"]["unverified"], &preview["after"]["outcomes"]["unverified"]), (&json!(1), &json!(1), &json!(0)), "{preview}");
        let path = format!("/api/v1/workflows/{workflow}");
        let changed = owner.send_json("PATCH", &path, &json!({"name": "front desk", "settings": rule})).await.json();
        assert_eq!((&changed["name"], &changed["settings_version"], &changed["settings"]["quiet_ms"]), (&json!("front desk"), &json!(2), &json!(180_000)));
        owner.app.do_jobs().await;
        let unverified = owner.get("/api/v1/runs?outcome=unverified").await;
        assert_eq!(titles_of(&unverified, "id").len(), 0);
        for body in [json!({"settings": {"quiet": 1}}), json!({"settings": null, "name": ""}), json!({"settings": 7}), json!({"client_id": "x"}), json!({"settings": {"quiet_ms": -1}}), json!([])] {
            let answer = owner.send_json("PATCH", &path, &body).await;
            assert_eq!(answer.status, 422, "{body}: {}", answer.in_short());
        }
    }

    async fn runs_are_exported_in_three_formats(db: TestDb) {
        let (owner, _, workflow) = world(db).await;
        let csv = owner.get(&format!("/api/v1/exports/runs.csv?workflow={workflow}&outcome=completed")).await;
        assert_eq!((csv.status.as_u16(), csv.text().lines().count()), (200, 3), "{}", csv.text());
        assert_eq!(csv.header("content-disposition"), "attachment; filename=\"runs.csv\"");
        let jsonl = owner.get("/api/v1/exports/runs.jsonl").await;
        assert_eq!(jsonl.text().lines().count(), 4);
        let parquet = owner.get("/api/v1/exports/runs.parquet").await;
        assert!(parquet.body.starts_with(b"PAR1") && parquet.body.ends_with(b"PAR1"));
        // Compression asks for more behind the end of a file.
        for path in ["/api/v1/exports/runs.csv?outcome=abandoned", "/api/v1/exports/runs.jsonl", "/runs.csv", "/runs.jsonl"] {
            let request = axum::http::Request::builder().uri(path).header("accept-encoding", "gzip").body(axum::body::Body::empty());
            let packed = owner.send(request.expect("a request")).await;
            assert_eq!((packed.status.as_u16(), packed.header("content-encoding")), (200, "gzip"), "{path}");
        }
        assert_eq!(owner.get("/api/v1/exports/runs.xlsx").await.status, 404);
        assert_eq!(owner.get("/api/v1/exports/runs.csv?limit=1").await.status, 400);
    }

    async fn reports_are_read_as_data_and_as_documents(db: TestDb) {
        let (owner, client, _) = world(db).await;
        let month = steward_core::time::Month { year: 2026, month: 11 };
        let id = owner.app.app().draft_report(&owner.actor, client.parse().expect("an id"), month).await.expect("a draft");
        let list = owner.get(&format!("/api/v1/reports?client={client}")).await.json();
        assert_eq!((&list["items"][0]["id"], &list["items"][0]["state"], &list["items"][0]["month"]), (&json!(id.to_string()), &json!("draft"), &json!("2026-11")));
        let report = owner.get(&format!("/api/v1/reports/{id}")).await.json();
        assert_eq!(report["document"]["client"], "Shop");
        let pdf = owner.get(&format!("/api/v1/reports/{id}/document.pdf")).await;
        assert!(pdf.status == 200 && pdf.body.starts_with(b"%PDF"), "{}", pdf.status);
    }

    async fn a_key_of_the_agency_reads_and_changes_nothing(db: TestDb) {
        let (owner, _, workflow) = world(db).await;
        let key = owner.with_key(None).await;
        assert_eq!(titles_of(&key.get("/api/v1/runs").await, "id").len(), 4);
        let body = axum::body::Body::from(r#"{"name": "x"}"#);
        let request = axum::http::Request::builder().method("PATCH").uri(format!("/api/v1/workflows/{workflow}")).header("content-type", "application/json");
        let refused = key.send(request.body(body).expect("a request")).await;
        assert_eq!(refused.status, 403);
        assert!(refused.json()["detail"].as_str().is_some_and(|why| why.contains("person's session")), "{}", refused.in_short());
        let of_workflow = owner.with_key(Some(workflow.parse().expect("an id"))).await;
        assert_eq!(of_workflow.get("/api/v1/runs").await.status, 403);
    }

    async fn who_sees_no_money_is_shown_none(db: TestDb) {
        let (owner, client, workflow) = world(db).await;
        let contractor = owner.with_person("c@north.test", Role::Contractor, &[client.parse().expect("an id")]).await;
        let runs = contractor.get("/api/v1/runs").await.json();
        assert_eq!(runs["items"].as_array().expect("items").len(), 4);
        let id = runs["items"][0]["id"].as_str().expect("an id").to_owned();
        let paths = [
            "/api/v1/runs".to_owned(), format!("/api/v1/runs/{id}"), "/api/v1/figures".to_owned(), "/api/v1/calls?of=models".to_owned(), "/api/v1/days".to_owned(),
            format!("/api/v1/workflows/{workflow}"), format!("/api/v1/clients/{client}"),
        ];
        for path in paths {
            let answer = contractor.get(&path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.in_short());
            let mut amounts = Vec::new();
            find_amounts(&answer.json(), &mut amounts);
            assert!(amounts.is_empty(), "{path} shows {amounts:?}");
        }
        for path in ["/api/v1/keys", "/api/v1/prices", "/api/v1/runs?sort=cost", &format!("/api/v1/runs/{id}/payloads")] {
            assert_eq!(contractor.get(path).await.status, 403, "{path}");
        }
        assert!(!contractor.get("/api/v1/exports/runs.csv").await.text().contains("cost"));
    }
}

/// Every amount of money that is not null or zero.
fn find_amounts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if (key.ends_with("_nanos") || key == "nanos") && !value.is_null() && value != 0 {
                    found.push(format!("{key}: {value}"));
                }
                if key == "unit" && (value == "money" || value == "money_per_run") {
                    found.push(fields["id"].to_string());
                }
                find_amounts(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| find_amounts(item, found)),
        _ => {}
    }
}
