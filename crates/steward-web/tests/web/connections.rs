//! Connections: what platforms send, what people see of it, and signs of life.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use steward_app::connections::{ConnectionChanges, How, MadeConnection, NewConnection, Platform, Source};
use steward_app::secrets::Secret;
use steward_app::today::AttentionKind;
use steward_core::connections::{ConnectionSettings, PollSettings};
use steward_core::ids::WorkflowId;
use steward_testkit::{Answer, NOW, Seat, TestApp, TestDb, db_tests};

async fn world(db: TestDb) -> (TestApp, Seat, WorkflowId) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let client = owner.with_client("Shop").await;
    let workflow = owner.with_workflow("front desk", Some(client.id)).await;
    (app, owner, workflow.id)
}

async fn made(owner: &Seat, workflow: WorkflowId, source: &str) -> MadeConnection {
    let brings = Source::find(source).expect("a source").brings_its_secret();
    let new = NewConnection {
        source: source.to_owned(),
        secret: brings.then(|| Secret::sent("whsec-of-the-platform")),
        settings: ConnectionSettings { poll: None, beat_every_minutes: (source == "beat").then_some(60) },
        ..NewConnection::default()
    };
    owner.app.app().create_connection(&owner.actor, workflow, new).await.expect("a connection")
}

fn path_of(made: &MadeConnection) -> String {
    made.url.as_deref().expect("an address").strip_prefix("http://steward.test").expect("ours").to_owned()
}

fn secret_of(made: &MadeConnection) -> &str {
    made.secret.as_ref().expect("a secret").reveal()
}

async fn deliver(app: &TestApp, path: &str, secret: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {secret}"));
    app.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

fn ended(id: &str) -> Value {
    json!({"message": {
        "type": "end-of-call-report", "startedAt": "2026-11-23T12:00:00Z", "endedAt": "2026-11-23T12:01:00Z",
        "endedReason": "customer-ended-call", "cost": 0.11, "call": {"id": id, "type": "webCall"},
        "artifact": {"messages": [{"role": "bot", "message": "Hello", "secondsFromStart": 0}]},
    }})
}

fn going_on(id: &str) -> Value {
    json!({"message": {
        "type": "status-update", "status": "in-progress", "timestamp": 1_795_435_200_000_i64,
        "call": {"id": id, "type": "webCall", "createdAt": "2026-11-23T12:00:00Z"},
    }})
}

/// Whether a whole key or secret stands in a text, and not only what stands for one.
fn shows_a_secret(text: &str) -> bool {
    let mut found = ["stk_", "sts_"].iter().flat_map(|prefix| text.split(prefix).skip(1));
    found.any(|rest| rest.len() > 64 && rest.as_bytes()[..64].iter().all(u8::is_ascii_hexdigit))
}

async fn runs(owner: &Seat) -> Vec<Value> {
    owner.app.assemble().await;
    owner.get("/api/v1/runs?tests=yes").await.json()["items"].as_array().expect("items").clone()
}

db_tests! {
    async fn a_verified_delivery_becomes_a_run_of_its_workflow_and_is_counted_once(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let vapi = made(&owner, workflow, "vapi").await;
        for _ in 0..2 {
            let answer = deliver(&app, &path_of(&vapi), secret_of(&vapi), &ended("c1")).await;
            assert_eq!(answer.status, 200, "{}", answer.in_short());
            assert!(answer.json()["accepted"].as_u64() > Some(0), "{}", answer.in_short());
        }
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0]["workflow_id"], workflow.to_string());
        let seen = app.app().get_connection(&owner.actor, vapi.connection.id).await.expect("there");
        assert_eq!(seen.last_event_at, Some(NOW));
        let payloads = owner.get(&format!("/api/v1/runs/{}/payloads", runs[0]["id"].as_str().expect("an id"))).await.json();
        assert_eq!(payloads["items"][0]["kind"], "vapi");
        let kept: Value = serde_json::from_str(payloads["items"][0]["text"].as_str().expect("text")).expect("JSON");
        assert_eq!(kept, ended("c1"), "as it came");
    }

    async fn two_phases_are_one_run_in_either_order(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let vapi = made(&owner, workflow, "vapi").await;
        for (id, events) in [("c1", [going_on("c1"), ended("c1")]), ("c2", [ended("c2"), going_on("c2")])] {
            for event in events {
                assert_eq!(deliver(&app, &path_of(&vapi), secret_of(&vapi), &event).await.status, 200, "{id}");
                app.assemble().await;
            }
        }
        let runs = runs(&owner).await;
        assert_eq!(runs.len(), 2);
        for (one, other) in [("outcome", "outcome"), ("cost_nanos", "cost_nanos"), ("duration_ms", "duration_ms")] {
            assert_eq!(runs[0][one], runs[1][other], "{one}");
        }
    }

    async fn what_is_not_verified_is_refused_with_the_reason_and_counted(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let vapi = made(&owner, workflow, "vapi").await;
        let path = path_of(&vapi);
        let wrong = deliver(&app, &path, "another secret", &ended("c1")).await;
        assert_eq!(wrong.status, 401);
        assert!(wrong.json()["detail"].as_str().expect("words").contains("the signature does not fit"), "{}", wrong.in_short());
        let bare = Request::builder().method("POST").uri(&path).body(Body::from("{}")).expect("a request");
        let bare = app.send(bare).await;
        assert_eq!(bare.status, 401);
        assert!(bare.text().contains("the header authorization is missing"), "{}", bare.in_short());
        let cut = deliver(&app, &path[..path.len() - 1], secret_of(&vapi), &ended("c1")).await;
        assert_eq!(cut.status, 401);
        assert!(cut.text().contains("it was cut when it was copied"), "{}", cut.in_short());
        let other = deliver(&app, &path.replace("/vapi/", "/retell/"), secret_of(&vapi), &ended("c1")).await;
        assert_eq!(other.status, 404);
        assert!(other.text().contains("/v1/hooks/vapi/"), "{}", other.in_short());
        assert!(runs(&owner).await.is_empty());
        let page = owner.get(&format!("/connections/{}", vapi.connection.id)).await;
        let page = page.text();
        assert!(page.contains("The signature was refused") && page.contains("The address is for another platform"), "{page}");
        let logged = app.logs().text();
        assert!(!logged.contains("another secret") && !logged.contains(secret_of(&vapi)), "{logged}");
    }

    async fn two_secrets_are_valid_while_one_is_changed(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let first = made(&owner, workflow, "event").await;
        let path = path_of(&first);
        let event = json!({"id": "a", "workflow": "x", "status": "ok"});
        let status = async |secret: &str| deliver(&app, &path, secret, &event).await.status.as_u16();
        let second = app.app().rotate_connection(&owner.actor, first.connection.id, None, false).await.expect("changed");
        assert_eq!([status(secret_of(&first)).await, status(secret_of(&second)).await], [200, 200]);
        let own = Some(Secret::sent(" one of my own "));
        app.app().rotate_connection(&owner.actor, first.connection.id, own, false).await.expect("changed");
        let third = [status(secret_of(&first)).await, status(secret_of(&second)).await, status("one of my own").await];
        assert_eq!(third, [401, 200, 200]);
    }

    async fn what_cannot_be_read_is_kept_and_shown_with_its_reason(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let vapi = made(&owner, workflow, "vapi").await;
        let retell = made(&owner, workflow, "n8n").await;
        let nameless = deliver(&app, &path_of(&vapi), secret_of(&vapi), &json!({"message": {"type": "end-of-call-report"}})).await;
        assert_eq!(nameless.status, 200, "a platform would only send it again: {}", nameless.in_short());
        assert_eq!(nameless.json()["accepted"], 0);
        let reason = nameless.json()["message"].as_str().expect("a reason").to_owned();
        let broken = Request::builder()
            .method("POST")
            .uri(path_of(&retell))
            .header("authorization", format!("Bearer {}", secret_of(&retell)))
            .body(Body::from("{\"id\": "))
            .expect("a request");
        assert_eq!(app.send(broken).await.status, 200);
        let kept = app.app().list_unreadable(&owner.actor, workflow).await.expect("listed");
        assert_eq!(kept.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["n8n", "vapi"]);
        assert_eq!(kept[1].error.as_deref(), Some(reason.as_str()));
        let page = owner.get(&format!("/workflows/{workflow}/connections")).await;
        assert!(page.text().contains("Payloads that could not be read") && page.text().contains("not valid JSON"));
        let nobody = app.agency("south").await;
        assert_eq!(app.app().store_of(&nobody.actor).list_unreadable(None, 10).await.expect("listed"), []);
    }

    async fn every_source_takes_its_test_event_as_a_test(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let mut n_runs = 0;
        for source in Source::ALL {
            let made = made(&owner, workflow, source.word).await;
            let path = format!("/connections/{}", made.connection.id);
            let sent = app.app().send_test_event(&owner.actor, made.connection.id).await;
            if source.how == How::Beat {
                assert!(sent.is_err(), "a beat is called, not tried");
                continue;
            }
            let sent = sent.expect(source.word);
            assert!(sent.accepted > 0 && sent.rejected == 0, "{}: {sent:?}", source.word);
            n_runs += 1;
            assert_eq!(owner.post_form(&format!("{path}/test"), &[]).await.status, 303, "{}", source.word);
            n_runs += 1;
            let runs = runs(&owner).await;
            assert_eq!(runs.len(), n_runs, "{}", source.word);
            assert!(runs.iter().all(|run| run["test"] == true), "{}: {}", source.word, runs[0]);
            let page = owner.get(&path).await;
            assert_eq!(page.status, 200, "{}", source.word);
            assert!(page.text().contains("Received: a test event"), "{}", source.word);
        }
        app.app().assemble_waiting().await.expect("nothing is left");
    }

    async fn secrets_are_shown_once_and_sealed(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let path = format!("/workflows/{workflow}/connections");
        for source in Source::ALL {
            let opened = owner.get(&format!("{path}?source={}", source.word)).await;
            assert_eq!(opened.status, 200, "{}", source.word);
            let fields = [("source", source.word), ("name", "mine"), ("beat_every_minutes", if source.how == How::Beat { "60" } else { "" })];
            let answer = owner.post_form(&path, &fields).await;
            assert_eq!(answer.status, 200, "{}: {}", source.word, answer.in_short());
            let text = answer.text();
            let shown = shows_a_secret(text);
            assert_eq!(shown, source.how != How::Beat && !source.brings_its_secret(), "{}", source.word);
        }
        for connection in app.app().list_connections(&owner.actor, workflow).await.expect("listed") {
            let page = owner.get(&format!("/connections/{}", connection.id)).await;
            assert!(!shows_a_secret(page.text()), "{}", connection.source);
            let brings = Source::find(&connection.source).expect("a source").brings_its_secret();
            assert_eq!(page.text().contains("Its secret is missing"), brings, "{}", connection.source);
            let sealed = connection.sealed.unwrap_or_default();
            for plain in [&b"sts_"[..], b"sth_", b"stb_", b"secrets"] {
                assert!(!sealed.windows(plain.len()).any(|part| part == plain), "{}", connection.source);
            }
        }
    }

    async fn a_deleted_connection_takes_nothing_in(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let vapi = made(&owner, workflow, "vapi").await;
        let python = made(&owner, workflow, "otel_python").await;
        for made in [&vapi, &python] {
            let path = format!("/connections/{}", made.connection.id);
            assert!(owner.get(&format!("{path}/delete")).await.text().contains("neither can be brought back"));
            assert_eq!(owner.post_form(&format!("{path}/delete"), &[]).await.status, 303);
            assert_eq!(owner.get(&path).await.status, 404);
        }
        assert_eq!(deliver(&app, &path_of(&vapi), secret_of(&vapi), &ended("c1")).await.status, 401);
        let key = python.key.expect("a key");
        assert_eq!(deliver(&app, "/v1/runs", key.reveal(), &json!({})).await.status, 401, "its key is revoked");
    }

    async fn what_cannot_be_is_refused_in_words(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let refused = async |source: &str, settings: ConnectionSettings, token: Option<&str>| {
            let new = NewConnection { source: source.to_owned(), settings, api_token: token.map(Secret::sent), ..NewConnection::default() };
            app.app().create_connection(&owner.actor, workflow, new).await.expect_err("refused").to_string()
        };
        let poll = |base_url: &str, subject: &str, every_minutes| ConnectionSettings {
            poll: Some(PollSettings { base_url: base_url.to_owned(), subject: subject.to_owned(), every_minutes }),
            beat_every_minutes: None,
        };
        assert!(refused("fax", ConnectionSettings::default(), None).await.contains("no such source"));
        assert!(refused("beat", ConnectionSettings::default(), None).await.contains("how often"));
        assert!(refused("beat", ConnectionSettings { beat_every_minutes: Some(0), poll: None }, None).await.contains("1 to 44,640"));
        assert!(refused("vapi", ConnectionSettings { beat_every_minutes: Some(5), poll: None }, None).await.contains("only a sign of life"));
        assert!(refused("zapier", poll("", "", 15), Some("t")).await.contains("cannot be asked"));
        assert!(refused("vapi", poll("", "", 15), None).await.contains("API key or token is needed"));
        assert!(refused("vapi", poll("", "", 1), Some("t")).await.contains("every 5 to 1,440"));
        assert!(refused("n8n", poll("", "", 15), Some("t")).await.contains("needs the address"));
        assert!(refused("make", poll("https://eu1.make.com/api/v2", "", 15), Some("t")).await.contains("one scenario"));
        for url in ["ftp://n8n.test", "https://", "https://user@n8n.test", "https://n8n.test?a=b", "n8n.test", "https://n8n test"] {
            let words = refused("n8n", poll(url, "", 15), Some("t")).await;
            assert!(words.contains("address of the API"), "{url}: {words}");
        }
        assert!(refused("n8n", poll("https://n8n.test", "", 15), Some("a\nb")).await.contains("line breaks"));
        let page = owner.post_form(&format!("/workflows/{workflow}/connections"), &[("source", "fax")]).await;
        assert_eq!(page.status, 422);
        assert!(app.app().list_connections(&owner.actor, workflow).await.expect("listed").is_empty());
    }

    async fn a_connection_of_another_key_says_so_and_can_be_deleted(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let vapi = made(&owner, workflow, "vapi").await;
        app.expect_errors();
        let other = made(&owner, workflow, "n8n").await;
        let moved = format!(
            "UPDATE connections SET sealed = (SELECT sealed FROM connections WHERE source = 'n8n') WHERE source = '{}'",
            vapi.connection.source
        );
        app.db().run(&moved).await;
        let path = format!("/connections/{}", vapi.connection.id);
        let page = owner.get(&path).await;
        assert!(page.status == 200 && page.text().contains("Its secrets cannot be opened"), "{}", page.in_short());
        assert_eq!(deliver(&app, &path_of(&vapi), secret_of(&vapi), &ended("c1")).await.status, 500, "its platform sends again");
        assert_eq!(app.app().count_sealed().await.expect("counted"), (2, 1));
        assert_eq!(owner.post_form(&format!("{path}/delete"), &[]).await.status, 303);
        assert_eq!(deliver(&app, &path_of(&other), secret_of(&other), &json!({"id": "1", "status": "success"})).await.status, 200);
    }

    async fn settings_are_changed_on_the_page(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let n8n = made(&owner, workflow, "n8n").await;
        let path = format!("/connections/{}", n8n.connection.id);
        let fields = [("name", "n8n at work"), ("poll", "on"), ("every_minutes", "30"), ("base_url", "https://n8n.test/"), ("subject", "")];
        let refused = owner.post_form(&path, &fields).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("API key or token is needed") && refused.text().contains("n8n at work"));
        let fields = [&fields[..], &[("api_token", "n8n-token")]].concat();
        assert_eq!(owner.post_form(&path, &fields).await.status, 303);
        let connection = app.app().get_connection(&owner.actor, n8n.connection.id).await.expect("there");
        let expected = PollSettings { base_url: "https://n8n.test".to_owned(), subject: String::new(), every_minutes: 30 };
        assert_eq!(connection.settings.poll, Some(expected));
        assert_eq!(connection.poll.next_at, Some(NOW));
        assert!(!owner.get(&path).await.text().contains("n8n-token"), "not shown again");
        assert_eq!(owner.post_form(&path, &[("name", "n8n")]).await.status, 303);
        let changes = ConnectionChanges { name: Some(" ".to_owned()), ..ConnectionChanges::default() };
        assert!(app.app().update_connection(&owner.actor, n8n.connection.id, changes).await.is_err());
        let connection = app.app().get_connection(&owner.actor, n8n.connection.id).await.expect("there");
        assert_eq!((connection.settings.poll, connection.poll.next_at, connection.name.as_str()), (None, None, "n8n"));
    }

    async fn a_sign_of_life_that_stays_away_is_shown_on_today(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let beat = made(&owner, workflow, "beat").await;
        let path = path_of(&beat);
        let missed = async || {
            let needs = app.app().today(&owner.actor).await.expect("an answer");
            needs.into_iter().filter(|need| need.kind == AttentionKind::Silent).map(|need| need.words).collect::<Vec<_>>()
        };
        let minutes = |n: i64| app.clock().advance_ms(n * 60_000);
        minutes(66);
        assert_eq!(missed().await, Vec::<String>::new(), "a tenth of grace");
        minutes(1);
        assert_eq!(missed().await, ["the sign of life “A sign of life”, expected every 60 minutes, never came in 67 minutes"]);
        assert_eq!(app.get(&path).await.status, 200);
        assert_eq!(missed().await, Vec::<String>::new());
        minutes(300);
        assert_eq!(missed().await, ["the sign of life “A sign of life”, expected every 60 minutes, came last 5 hours ago"]);
        let post = Request::builder().method("POST").uri(&path).body(Body::empty()).expect("a request");
        assert_eq!(app.send(post).await.status, 200);
        assert_eq!(missed().await, Vec::<String>::new());
        for unknown in ["/v1/beat/stb_1", "/v1/beat/x", &path[..path.len() - 2]] {
            assert_eq!(app.get(unknown).await.status, 401, "{unknown}");
        }
        let hook = made(&owner, workflow, "vapi").await;
        let token = path_of(&hook).rsplit('/').next().expect("a token").to_owned();
        assert_eq!(app.get(&format!("/v1/beat/{token}")).await.status, 401, "a hook's token is no beat's");
    }

    async fn deliveries_of_any_kind_break_nothing(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        for platform in Platform::ALL {
            let made = made(&owner, workflow, platform.as_str()).await;
            let Some(secret) = &made.secret else { continue };
            for body in ["", "null", "[]", "{}", "\0", "[[[[", "{\"message\":1}", "a=b&c", "[{},{},1]", "{\"id\":\"\\u0000\"}"] {
                let request = Request::builder()
                    .method("POST")
                    .uri(path_of(&made))
                    .header("authorization", format!("Bearer {}", secret.reveal()));
                let answer = app.send(request.body(Body::from(body)).expect("a request")).await;
                assert_eq!(answer.status, 200, "{} {body:?}: {}", platform.as_str(), answer.in_short());
            }
        }
        app.assemble().await;
    }

    async fn what_comes_for_a_workflow_that_is_put_away_is_kept(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let (vapi, beat) = (made(&owner, workflow, "vapi").await, made(&owner, workflow, "beat").await);
        app.app().archive_workflow(&owner.actor, workflow, true).await.expect("put away");
        assert_eq!(deliver(&app, &path_of(&vapi), secret_of(&vapi), &ended("c1")).await.status, 200);
        assert_eq!(runs(&owner).await.len(), 1);
        app.clock().advance_ms(86_400_000);
        let needs = app.app().today(&owner.actor).await.expect("an answer");
        assert!(needs.iter().all(|need| need.kind != AttentionKind::Silent), "nobody waits for it: {needs:?}");
        assert_eq!(app.get(&path_of(&beat)).await.status, 200);
    }

    async fn tokens_and_secrets_stand_in_no_log_and_no_note(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let (vapi, beat) = (made(&owner, workflow, "vapi").await, made(&owner, workflow, "beat").await);
        let path = path_of(&vapi);
        let token = path.rsplit('/').next().expect("a token").to_owned();
        let beaten = path_of(&beat).rsplit('/').next().expect("a token").to_owned();
        deliver(&app, &path, secret_of(&vapi), &ended("c1")).await;
        deliver(&app, &path, "wrong", &ended("c1")).await;
        // Near misses: the path is told back, and kept.
        for missed in [path.replace("/hooks/", "/hook/"), path.replace("/vapi/", "/nobody/"), format!("{path}/more"), format!("/webhooks/{token}")] {
            let answer = deliver(&app, &missed, secret_of(&vapi), &ended("c1")).await;
            assert!(answer.status.is_client_error(), "{missed}");
            assert!(!answer.text().contains(&token), "{missed}: {}", answer.in_short());
        }
        app.get(&path_of(&beat)).await;
        app.get(&path).await;
        app.get(&format!("/beat/{beaten}")).await;
        app.app().list_mistakes(&owner.actor).await.expect("written");
        let logged = app.logs().text();
        for secret in [token.as_str(), beaten.as_str(), secret_of(&vapi)] {
            assert!(!logged.contains(secret), "{logged}");
            for (place, bytes) in app.db().everything_stored().await {
                assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{place}");
            }
        }
    }

    async fn who_forwards_says_nothing_of_the_address_that_was_signed(db: TestDb) {
        let (app, owner, workflow) = world(db).await;
        let made = made(&owner, workflow, "vapi").await;
        let send = |secret: &str, body: Vec<u8>| {
            let request = Request::builder()
                .method("POST")
                .uri(path_of(&made))
                .header("x-forwarded-host", "evil.test")
                .header("x-forwarded-proto", "gopher")
                .header("x-forwarded-for", "127.0.0.1, not an address, ::1")
                .header("forwarded", "for=127.0.0.1;host=evil.test")
                .header("authorization", format!("Bearer {secret}"));
            app.send(request.body(Body::from(body)).expect("a request"))
        };
        let known = send(secret_of(&made), ended("c1").to_string().into_bytes()).await;
        assert_eq!(known.status, 200, "{}", known.in_short());
        assert_eq!(send("", ended("c2").to_string().into_bytes()).await.status, 401, "an empty secret is none");
        let huge = vec![b' '; steward_web::WebConfig::default().max_body_bytes + 1];
        assert_eq!(send(secret_of(&made), huge).await.status, 413);
        let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
        assert_eq!(send(secret_of(&made), nested).await.status, 200, "kept as what cannot be read");
        let nul = ended("c\0").to_string().replace("Hello", "Hel\\u0000lo").into_bytes();
        assert_eq!(send(secret_of(&made), nul).await.status, 200);
        assert_eq!(runs(&owner).await.len(), 2);
    }
}
