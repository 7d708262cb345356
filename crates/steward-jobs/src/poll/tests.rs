//! Looks against stubs of the platforms' APIs: pages, refusals, failures, silence.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};
use steward_app::connections::{ConnectionSettings, NewConnection, PollSettings};
use steward_app::secrets::Secret;
use steward_app::tenant::Connection;
use steward_testkit::{NOW, Seat, TestApp, TestDb, db_tests};

use crate::fetch::Fetcher;

const MINUTE_MS: i64 = 60_000;

/// Statuses, waits that are asked for, and bodies.
type Answers = Arc<Mutex<VecDeque<(u16, &'static str, Value)>>>;

/// A platform that gives prepared answers, and remembers what it was asked.
struct Stub {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Answers,
}

impl Stub {
    async fn start() -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers: Answers = Arc::default();
        let (to_ask, to_answer) = (Arc::clone(&asked), Arc::clone(&answers));
        let router = Router::new().fallback(move |request: Request| {
            let (asked, answers) = (Arc::clone(&to_ask), Arc::clone(&to_answer));
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 100_000).await.expect("a body");
                let key = ["authorization", "xi-api-key", "x-n8n-api-key"]
                    .iter()
                    .find_map(|name| parts.headers.get(*name))
                    .map_or("no key", |value| value.to_str().expect("text"));
                let line = format!("{} {} {key} {}", parts.method, parts.uri, String::from_utf8_lossy(&body));
                asked.lock().expect("no panic").push(line.trim_end().to_owned());
                let answer = answers.lock().expect("no panic").pop_front();
                let (status, header, body) = answer.unwrap_or((200, "", json!([])));
                if status == 0 {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
                let response = Response::builder().status(status.max(200));
                let response = if header.is_empty() { response } else { response.header("retry-after", header) };
                response.body(Body::from(body.to_string())).expect("a response")
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked, answers }
    }

    fn answers(&self, status: u16, header: &'static str, body: Value) {
        self.answers.lock().expect("no panic").push_back((status, header, body));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

struct World {
    app: TestApp,
    owner: Seat,
    workflow: String,
    stub: Stub,
    fetcher: Fetcher,
    connection: Connection,
    secret: String,
}

impl World {
    async fn new(db: TestDb, source: &str, subject: &str) -> Self {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let workflow = owner.with_workflow("front desk", None).await.id;
        let stub = Stub::start().await;
        let poll = PollSettings { base_url: stub.url.clone(), subject: subject.to_owned(), every_minutes: 15 };
        let new = NewConnection {
            source: source.to_owned(),
            secret: Some(Secret::sent("hook-secret")),
            api_token: Some(Secret::sent("api-token")),
            settings: ConnectionSettings { poll: Some(poll), beat_every_minutes: None },
            ..NewConnection::default()
        };
        // Made an hour ago, so that calls of this hour are none from before it.
        app.clock().advance_ms(-60 * MINUTE_MS);
        let made = app.app().create_connection(&owner.actor, workflow, new).await.expect("a connection");
        app.clock().advance_ms(60 * MINUTE_MS);
        let fetcher = Fetcher::with_timeout(crate::fetch::Reach::Private, Duration::from_secs(1)).expect("a fetcher");
        let (connection, secret) = (made.connection, "hook-secret".to_owned());
        Self { app, owner, workflow: workflow.to_string(), stub, fetcher, connection, secret }
    }

    async fn look(&self) -> bool {
        let fetcher = &self.fetcher;
        let looked = self.app.app().poll_next(|request| fetcher.fetch(request)).await.expect("an answer");
        self.app.assemble().await;
        looked
    }

    async fn now(&self) -> Connection {
        self.app.app().get_connection(&self.owner.actor, self.connection.id).await.expect("there")
    }

    async fn n_runs(&self) -> usize {
        let path = format!("/api/v1/runs?workflow={}&tests=yes", self.workflow);
        self.owner.get(&path).await.json()["items"].as_array().expect("items").len()
    }

    fn minutes(&self, n: i64) {
        self.app.clock().advance_ms(n * MINUTE_MS);
    }

    /// Minutes until the next look.
    async fn pause(&self) -> i64 {
        let next = self.now().await.poll.next_at.expect("asked again");
        next.ms_since(self.app.clock().now()) / MINUTE_MS
    }
}

/// A call that ended so many minutes before the tests' time.
fn vapi_call(id: &str, minutes_ago: i64) -> Value {
    let at = |minutes: i64| NOW.plus_ms(-minutes * MINUTE_MS).rfc3339();
    json!({
        "id": id, "type": "webCall", "status": "ended", "endedReason": "customer-ended-call",
        "createdAt": at(minutes_ago + 1), "startedAt": at(minutes_ago + 1), "endedAt": at(minutes_ago),
        "updatedAt": at(minutes_ago),
    })
}

db_tests! {
    async fn what_webhooks_lost_is_found_and_counted(db: TestDb) {
        let world = World::new(db, "vapi", "").await;
        let hook = world.app.app().connection_address(&world.owner.actor, &world.connection).expect("opened").expect("one");
        let path = hook.strip_prefix("http://steward.test").expect("ours").to_owned();
        let known = json!({"message": {"type": "end-of-call-report", "endedReason": "customer-ended-call", "call": vapi_call("known", 20)}});
        let request = http::Request::post(&path).header("authorization", format!("Bearer {}", world.secret));
        let told = world.app.send(request.body(Body::from(known.to_string())).expect("a request")).await;
        assert_eq!(told.status, 200, "{}", told.in_short());
        world.app.assemble().await;
        assert_eq!(world.n_runs().await, 1);

        let calls = [vapi_call("known", 20), vapi_call("lost", 15), vapi_call("on its way", 1), vapi_call("before", 90)];
        world.stub.answers(200, "", json!(calls));
        assert!(world.look().await, "it is due at once");
        let asked = world.stub.asked();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].starts_with("GET /call?limit=100&updatedAtGe=") && asked[0].ends_with(" Bearer api-token"), "{asked:?}");
        assert_eq!(world.n_runs().await, 4);
        let poll = world.now().await.poll;
        assert_eq!((poll.n_listed, poll.n_known, poll.n_found), (4, 1, 1), "{poll:?}");
        assert_eq!((poll.error, poll.cursor, poll.polled_at), (None, None, Some(NOW)));
        assert_eq!(world.pause().await, 15);
        let page = world.owner.get(&format!("/connections/{}", world.connection.id)).await;
        assert!(page.text().contains("4 listed, 1 of them were here"), "{}", page.text());

        assert!(!world.look().await, "nothing is due");
        world.minutes(15);
        world.stub.answers(200, "", json!(calls));
        assert!(world.look().await);
        let poll = world.now().await.poll;
        assert_eq!((poll.n_listed, poll.n_known, poll.n_found), (4, 4, 1));
        assert_eq!(world.n_runs().await, 4, "told twice, one run");
    }

    async fn a_look_goes_over_pages_and_goes_on_where_it_failed(db: TestDb) {
        let world = World::new(db, "retell", "").await;
        let call = |n: usize| {
            let at = |minutes: i64| NOW.plus_ms(-minutes * MINUTE_MS).0 / 1_000;
            json!({"call_id": format!("call_{n}"), "agent_id": "a", "call_status": "ended", "start_timestamp": at(31), "end_timestamp": at(30), "disconnection_reason": "user_hangup"})
        };
        world.stub.answers(200, "", json!({"items": (0..100).map(call).collect::<Vec<_>>(), "has_more": true, "pagination_key": "k1"}));
        world.stub.answers(429, "120", json!({"message": "slow down"}));
        assert!(world.look().await);
        let poll = world.now().await.poll;
        assert_eq!((poll.cursor.as_deref(), poll.n_failures, poll.polled_at), (Some("k1"), 1, None));
        assert!(poll.error.expect("words").contains("asked too often"));
        assert_eq!(world.pause().await, 2, "as Retry-After says");
        assert_eq!(world.n_runs().await.min(50), 50, "the first page is kept");
        world.minutes(2);
        world.stub.asked();
        world.stub.answers(500, "", json!("oops"));
        assert!(world.look().await);
        assert_eq!(world.pause().await, 2, "the pause doubles");
        world.minutes(2);
        world.stub.answers(200, "", json!({"items": [call(100)], "has_more": false}));
        assert!(world.look().await);
        let asked = world.stub.asked();
        assert_eq!(asked.len(), 2);
        assert!(asked.iter().all(|line| line.starts_with("POST /v2/list-calls Bearer api-token") && line.contains("\"pagination_key\":\"k1\"")), "{asked:?}");
        let poll = world.now().await.poll;
        assert_eq!((poll.n_listed, poll.n_found, poll.n_failures, poll.error, poll.cursor), (101, 101, 0, None, None));
        assert_eq!(world.pause().await, 15);
    }

    async fn failures_are_told_with_the_mend_and_asked_again_later(db: TestDb) {
        let world = World::new(db, "n8n", "").await;
        for (status, words, minutes) in [
            (401, "refused the API key (status 401)", 60),
            (403, "refused the API key (status 403)", 60),
            (302, "another address (status 302)", 60),
            (404, "look at the address of its API", 8),
            (503, "failed (status 503)", 16),
        ] {
            world.stub.answers(status, "", json!({}));
            assert!(world.look().await, "{status}");
            let error = world.now().await.poll.error.expect("words");
            assert!(error.contains(words), "{status}: {error}");
            assert_eq!(world.pause().await, minutes, "{status}");
            world.minutes(60);
        }
        world.stub.answers(200, "", json!("<html>"));
        assert!(world.look().await);
        assert!(world.now().await.poll.error.expect("words").contains("is the address that of its API?"));
        world.minutes(60);
        world.stub.answers(0, "", json!({}));
        assert!(world.look().await);
        assert!(world.now().await.poll.error.expect("words").contains("did not answer in 1 s"));
        world.minutes(60);
        let page = world.owner.get(&format!("/connections/{}", world.connection.id)).await;
        assert!(page.text().contains("Asking its platform fails"), "{}", page.text());
        world.stub.answers(200, "", json!({"data": [], "nextCursor": null}));
        assert!(world.look().await);
        let poll = world.now().await.poll;
        assert_eq!((poll.error, poll.n_failures), (None, 0));
    }

    async fn what_a_list_does_not_tell_is_asked_for_once(db: TestDb) {
        let world = World::new(db, "elevenlabs", "").await;
        let at = |minutes: i64| NOW.plus_ms(-minutes * MINUTE_MS).0 / 1_000_000;
        let line = |id: &str| json!({"conversation_id": id, "agent_id": "a", "status": "done", "call_successful": "success", "start_time_unix_secs": at(30), "call_duration_secs": 60});
        let whole = |id: &str| json!({
            "conversation_id": id, "agent_id": "a", "status": "done",
            "transcript": [{"role": "agent", "message": "Hello", "time_in_call_secs": 0}],
            "metadata": {"start_time_unix_secs": at(30), "call_duration_secs": 60},
        });
        let page = json!({"conversations": [line("c1"), line("c2"), line("gone")], "has_more": false});
        world.stub.answers(200, "", page.clone());
        world.stub.answers(200, "", whole("c1"));
        world.stub.answers(429, "60", json!({}));
        assert!(world.look().await);
        assert_eq!(world.n_runs().await, 1, "what was told in full is kept");
        world.minutes(1);
        world.stub.asked();
        world.stub.answers(200, "", page.clone());
        world.stub.answers(200, "", whole("c2"));
        world.stub.answers(404, "", json!({}));
        assert!(world.look().await);
        let asked: Vec<String> = world.stub.asked().into_iter().skip(1).collect();
        assert_eq!(asked, ["GET /v1/convai/conversations/c2 api-token", "GET /v1/convai/conversations/gone api-token"]);
        assert_eq!(world.n_runs().await, 3);
        assert_eq!(world.now().await.poll.n_found, 3);
        world.minutes(15);
        world.stub.answers(200, "", page);
        assert!(world.look().await);
        assert_eq!(world.stub.asked().len(), 1, "known ones are not asked for again");
    }

    async fn a_scenario_of_make_is_asked_for_with_its_errors(db: TestDb) {
        let world = World::new(db, "make", "925").await;
        let at = NOW.plus_ms(-30 * MINUTE_MS).rfc3339();
        let logs = json!({"scenarioLogs": [
            {"imtId": "e1", "status": 1, "timestamp": at, "duration": 1000, "operations": 2},
            {"imtId": "e2", "status": 3, "timestamp": at, "duration": 1000, "operations": 1},
        ]});
        world.stub.answers(200, "", logs);
        world.stub.answers(200, "", json!({"status": "ERROR", "error": {"name": "RuntimeError", "message": "no such row"}}));
        assert!(world.look().await);
        let asked = world.stub.asked();
        assert!(asked[0].starts_with("GET /scenarios/925/logs?") && asked[0].ends_with("Token api-token"), "{asked:?}");
        assert_eq!(asked[1], "GET /scenarios/925/executions/e2 Token api-token");
        assert_eq!(world.n_runs().await, 2);
    }

    async fn one_process_asks_and_what_is_switched_off_stays_off(db: TestDb) {
        let world = World::new(db, "n8n", "").await;
        let (now, until) = (world.app.clock().now(), world.app.clock().now().plus_ms(MINUTE_MS));
        let store = world.app.app().store();
        assert!(store.claim_poll(now, until).await.expect("an answer").is_some());
        assert!(store.claim_poll(now, until).await.expect("an answer").is_none(), "another has it");
        let changes = steward_app::connections::ConnectionChanges { settings: Some(ConnectionSettings::default()), ..Default::default() };
        world.app.app().update_connection(&world.owner.actor, world.connection.id, changes).await.expect("changed");
        let poll = steward_app::tenant::PollState { next_at: Some(until), ..Default::default() };
        world.app.app().store_of(&world.owner.actor).record_poll(world.connection.id, &poll).await.expect("recorded");
        assert_eq!(world.now().await.poll.next_at, None);
    }

    async fn a_workflow_that_is_put_away_is_not_asked_for_until_it_is_back(db: TestDb) {
        let world = World::new(db, "vapi", "").await;
        let (owner, workflow) = (&world.owner.actor, world.connection.workflow_id);
        world.app.app().archive_workflow(owner, workflow, true).await.expect("put away");
        assert!(world.look().await);
        assert_eq!((world.stub.asked().len(), world.pause().await), (0, 60));
        world.app.app().archive_workflow(owner, workflow, false).await.expect("back");
        world.minutes(60);
        assert!(world.look().await);
        assert_eq!(world.stub.asked().len(), 1);
    }

    async fn what_is_kept_masked_is_known_again(db: TestDb) {
        let world = World::new(db, "vapi", "").await;
        let masked = json!({"settings": {"privacy": {"content": "masked"}}});
        let saved = world.owner.send_json("PATCH", &format!("/api/v1/workflows/{}", world.workflow), &masked).await;
        assert_eq!(saved.status, 200, "{}", saved.in_short());
        // Ids that look like a card and like an address get stand-ins.
        let calls = json!([vapi_call("4111111111111111", 20), vapi_call("planted@example.com", 15)]);
        for expected in [(2, 0, 2), (2, 2, 2)] {
            world.stub.answers(200, "", calls.clone());
            assert!(world.look().await);
            let poll = world.now().await.poll;
            assert_eq!((poll.n_listed, poll.n_known, poll.n_found), expected, "{poll:?}");
            world.minutes(15);
        }
        assert_eq!(world.n_runs().await, 2);
        for (place, bytes) in world.app.db().everything_stored().await {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("4111111111111111") && !text.contains("planted"), "{place}: {text}");
        }
    }
}
