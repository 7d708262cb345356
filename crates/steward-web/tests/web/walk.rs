//! Every route and every role: what belongs to somebody else is not found, and nobody gets in without a key or session.
//!
//! A route that is added is walked by itself. What is open to everybody stands in [`OPEN`]; that list may only shrink.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use steward_app::connections::NewConnection;
use steward_app::handoff::{ChannelChoice, ChannelKind, ChannelScope, NewChannel};
use steward_app::secrets::Secret;
use steward_app::tenant::{DraftKind, PatternFilter, PatternSort, QueueFilter};
use steward_core::people::Role;
use steward_core::reviews::Judgement;
use steward_core::time::Month;
use steward_testkit::{Answer, KeyHolder, Seat, TestApp, TestDb, db_tests};
use steward_web::{Route, routes};

use crate::payload::native;

/// What answers anybody. None of it says anything of an agency.
const OPEN: [&str; 19] = [
    "GET /api/openapi.json",
    "GET /assets/{*path}",
    "GET /favicon.ico",
    // Who has the token of a link reads its packet: `handoff.rs` tests what it opens, and what it does not.
    "GET /h/{token}",
    "GET /healthz",
    "GET /metrics",
    "GET /problems/{kind}",
    "GET /readyz",
    "GET /robots.txt",
    "GET /sign-in",
    "GET /sign-in/link/{secret}",
    "POST /h/{token}",
    "POST /sign-in",
    "POST /sign-in/link/{secret}",
    "GET /set-up",
    "GET /setup",
    "POST /setup",
    "GET /reports/style.css",
    "POST /theme",
];

/// What a name in the pages and answers of the agency tells others that must not know it.
const NAMES: [&str; 3] = ["Hidden Shop", "hidden-bot", "hidden title"];

/// An agency with one of everything.
struct World {
    app: TestApp,
    owner: Seat,
    client: String,
    workflow: String,
    run: String,
    report: String,
    person: String,
    key_id: String,
    connection: String,
    pattern: String,
    exception: String,
    link: String,
    channel: String,
    draft: String,
    item: String,
    review: String,
    bulk: String,
}

impl World {
    async fn new(db: TestDb) -> Self {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let client = owner.with_client("Hidden Shop").await;
        let workflow = owner.with_workflow("hidden-bot", Some(client.id)).await;
        let mut run = native("a", "hidden-bot");
        run["title"] = json!("hidden title");
        run["steps"][1]["error"] = json!("hidden title is not found");
        owner.take_in(&[run]).await;
        let _ = owner.with_key(Some(workflow.id)).await;
        let new =
            NewConnection { source: "vapi".to_owned(), name: "Hidden Shop".to_owned(), ..NewConnection::default() };
        let made = app.app().create_connection(&owner.actor, workflow.id, new).await.expect("a connection");
        let person = owner.with_person("hidden@north.test", Role::Operator, &[]).await;
        let report =
            app.app().draft_report(&owner.actor, client.id, Month { year: 2026, month: 11 }).await.expect("a draft");
        app.app().mine_patterns().await.expect("mined");
        let all = PatternFilter::default();
        let page = app.app().list_patterns(&owner.actor, &all, None, PatternSort::Count, None, 1);
        let pattern = page.await.expect("patterns").patterns[0].pattern.id;
        let draft = app.app().create_pattern_draft(&owner.actor, pattern, DraftKind::Rule, "hidden title").await;
        app.app().fill_queue().await.expect("filled");
        let waiting = app.app().claim_next(&owner.actor, &QueueFilter::default(), None).await.expect("an answer");
        let item = waiting.expect("the exception waits").id;
        let said = Judgement { comment: "hidden title".to_owned(), ..Judgement::default() };
        let review = app.app().review_item(&owner.actor, item, said.clone(), 0, None).await.expect("a review").id;
        app.app().undo_review(&owner.actor, review).await.expect("undone");
        let bulk = app.app().start_bulk_review(&owner.actor, pattern, said, None).await.expect("a bulk review").id;
        let id_of = |answer: Answer| answer.json()["items"][0]["id"].as_str().expect("an id").to_owned();
        let exception = id_of(owner.get("/api/v1/exceptions").await);
        let of = exception.parse().expect("an id");
        let link = app.app().create_handoff_link(&owner.actor, of, "hidden title", 7).await.expect("a link");
        let new = NewChannel {
            kind: ChannelKind::Email,
            name: "Hidden Shop".to_owned(),
            to: Secret::sent("hidden@north.test"),
            choice: ChannelChoice::default(),
        };
        let channel = app.app().create_channel(&owner.actor, ChannelScope::Workflow(workflow.id), new).await;
        let channel = channel.expect("a channel");
        Self {
            run: id_of(owner.get("/api/v1/runs").await),
            key_id: id_of(owner.get("/api/v1/keys").await),
            connection: made.connection.id.to_string(),
            link: link.link.id.to_string(),
            channel: channel.channel.id.to_string(),
            exception,
            pattern: pattern.to_string(),
            draft: draft.expect("a draft").id.to_string(),
            item: item.to_string(),
            review: review.to_string(),
            bulk: bulk.to_string(),
            client: client.id.to_string(),
            workflow: workflow.id.to_string(),
            report: report.to_string(),
            person: person.actor.person_id.to_string(),
            app,
            owner,
        }
    }

    /// The same path with things that nobody has.
    fn path_to_nothing(&self, route: &Route) -> String {
        let (path, _) = self.path_of(route);
        let things = [
            &self.client,
            &self.workflow,
            &self.run,
            &self.report,
            &self.person,
            &self.key_id,
            &self.connection,
            &self.pattern,
            &self.exception,
            &self.link,
            &self.channel,
            &self.draft,
            &self.item,
            &self.review,
            &self.bulk,
        ];
        things.into_iter().fold(path, |path, id| match id.split_once('_') {
            Some((prefix, _)) => path.replace(id.as_str(), &format!("{prefix}_{}", "f".repeat(32))),
            None => path,
        })
    }

    /// A route's path with this agency's things in it, and whether there are any.
    fn path_of(&self, route: &Route) -> (String, bool) {
        let mut has_things = false;
        let mut before = "";
        let mut parts = Vec::new();
        for part in route.path.split('/') {
            parts.push(if part.starts_with('{') {
                has_things = true;
                match (before, part) {
                    ("clients", _) => self.client.as_str(),
                    ("workflows", _) => &self.workflow,
                    ("runs", _) => &self.run,
                    ("reports", _) | (_, "{report}") => &self.report,
                    ("people", _) => &self.person,
                    ("keys", _) => &self.key_id,
                    ("connections", _) => &self.connection,
                    // Who has an address of a connection needs no more: here is one that nobody has.
                    ("hooks", "{platform}") => "vapi",
                    (_, "{token}") => "sth_nobody",
                    ("patterns", _) => &self.pattern,
                    ("exceptions", _) => &self.exception,
                    ("links", _) => &self.link,
                    ("channels", _) => &self.channel,
                    ("drafts", _) => &self.draft,
                    ("queue", _) => &self.item,
                    ("reviews", _) => &self.review,
                    ("bulk" | "bulk-reviews", _) => &self.bulk,
                    (_, "{code}") => "R1",
                    ("prompts", _) => {
                        has_things = false;
                        "greeting"
                    }
                    ("exports", _) => {
                        has_things = false;
                        "runs.csv"
                    }
                    _ => panic!("say in this test what stands for {part} in {}", route.path),
                }
            } else {
                part
            });
            before = part;
        }
        (parts.join("/"), has_things)
    }
}

/// What has to be in a body so that it is not refused for that.
fn body_of(route: &Route) -> serde_json::Value {
    match route.path.as_str() {
        path if path.ends_with("/verdict") => json!({"outcome": "failed"}),
        path if path.ends_with("/preview") => json!({"settings": {}}),
        path if path.ends_with("/connections") => json!({"source": "vapi"}),
        path if path.ends_with("/channels") => json!({"kind": "email", "to": "a@north.test"}),
        path if path.ends_with("/merge") => json!({"into": null}),
        path if path.ends_with("/split") => json!({"shapes": null}),
        path if path.ends_with("/review") => json!({"judgement": {}}),
        path if path.ends_with("/keep") => json!({"active_ms": 1}),
        path if path.ends_with("/assign") => json!({"items": [format!("item_{}", "f".repeat(32))], "to": null}),
        path if path.ends_with("/sampling") => json!({"share": 0.05, "at_most": 10}),
        path if path.ends_with("/rules") => json!({"items": []}),
        path if path.ends_with("/drafts") => json!({"kind": "rule", "text": "a text"}),
        _ => json!({}),
    }
}

fn table() -> Vec<Route> {
    let open = |route: &Route| OPEN.contains(&format!("{} {}", route.method, route.path).as_str());
    routes().table().into_iter().filter(|route| !open(route)).collect()
}

async fn ask(seat: &Seat, route: &Route, path: &str) -> Answer {
    match (route.method.as_str(), path.starts_with("/api/")) {
        ("GET", _) if path == "/live" => {
            Answer::of(axum::response::IntoResponse::into_response(seat_live(seat).await)).await
        }
        ("GET", _) => seat.get(path).await,
        (method, true) => seat.send_json(method, path, &body_of(route)).await,
        _ => seat.post_form(path, &[]).await,
    }
}

/// A stream has no end: only its status is looked at.
async fn seat_live(seat: &Seat) -> axum::http::StatusCode {
    let request =
        Request::builder().uri("/live").header("cookie", seat.cookie()).body(Body::empty()).expect("a request");
    seat.app.open(request).await.status()
}

async fn ask_as_nobody(app: &TestApp, route: &Route, path: &str) -> Answer {
    let request = Request::builder()
        .method(route.method.as_str())
        .uri(path)
        .header("host", "steward.test")
        .header("content-type", "application/json");
    app.send(request.body(Body::from(body_of(route).to_string())).expect("a request")).await
}

fn names_nothing(who: &str, route: &Route, answer: &Answer) {
    let body = String::from_utf8_lossy(&answer.body);
    for name in NAMES {
        assert!(!body.contains(name), "{who} reads “{name}” at {} {}: {body}", route.method, route.path);
    }
}

#[test]
fn what_is_open_is_there() {
    let table: Vec<String> = routes().table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    for open in OPEN {
        assert!(table.contains(&open.to_owned()), "{open} is not there any more: take it out of the list");
    }
}

db_tests! {
    async fn nobody_gets_in_without_a_session_or_key(db: TestDb) {
        let world = World::new(db).await;
        for route in table() {
            let (path, _) = world.path_of(&route);
            let answer = ask_as_nobody(&world.app, &route, &path).await;
            let expected = if path.starts_with("/api/") || path.starts_with("/v1/") { 401 } else { 303 };
            assert_eq!(answer.status, expected, "{} {path}: {}", route.method, answer.in_short());
            if expected == 303 {
                assert!(answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.header("location"));
            }
            names_nothing("nobody", &route, &answer);
        }
    }

    async fn what_belongs_to_another_agency_is_not_found(db: TestDb) {
        let world = World::new(db).await;
        let stranger = world.app.agency("south").await;
        let key = stranger.with_key(None).await;
        for route in table() {
            let (path, has_things) = world.path_of(&route);
            if route.path == "/sign-out" {
                continue;
            }
            if path.starts_with("/v1/") || path.starts_with("/api/public/") {
                assert_eq!(ask(&stranger, &route, &path).await.status, 401, "a session is no key: {path}");
                continue;
            }
            let answer = ask(&stranger, &route, &path).await;
            if has_things {
                assert_eq!(answer.status, 404, "{} {path}: {}", route.method, answer.in_short());
            } else {
                assert!(!answer.status.is_server_error(), "{} {path}: {}", route.method, answer.in_short());
            }
            names_nothing("another agency's owner", &route, &answer);
            if path.starts_with("/api/v1/") {
                key_finds_nothing(&key, &route, &path, has_things).await;
            }
        }
        for filter in [format!("client={}", world.client), format!("workflow={}", world.workflow)] {
            for path in ["/api/v1/runs", "/api/v1/figures", "/api/v1/days", "/api/v1/exports/runs.jsonl"] {
                let answer = stranger.get(&format!("{path}?{filter}")).await;
                let empty = answer.body.is_empty() || answer.text().starts_with(r#"{"items":[]"#);
                assert!(answer.status == 404 || empty, "{path}?{filter}: {}", answer.in_short());
            }
        }
    }

    async fn what_belongs_to_another_client_is_not_found(db: TestDb) {
        let world = World::new(db).await;
        let other = world.owner.with_client("Other Shop").await;
        let contractor = world.owner.with_person("c@north.test", Role::Contractor, &[other.id]).await;
        for route in table() {
            let (path, has_things) = world.path_of(&route);
            if route.path == "/sign-out" || path.starts_with("/v1/") || path.starts_with("/api/public/") {
                continue;
            }
            let answer = ask(&contractor, &route, &path).await;
            if has_things && answer.status == 403 {
                // Refused whatever it is, so that it says nothing of whether there is such a thing.
                let nothing = ask(&contractor, &route, &world.path_to_nothing(&route)).await;
                assert_eq!(nothing.status, 403, "{} {path} tells that there is something", route.method);
            } else if has_things {
                assert_eq!(answer.status, 404, "{} {path}: {}", route.method, answer.in_short());
            } else {
                assert!(!answer.status.is_server_error(), "{} {path}: {}", route.method, answer.in_short());
            }
            names_nothing("a contractor of another client", &route, &answer);
        }
    }

    async fn clients_do_not_enter_the_rooms(db: TestDb) {
        let world = World::new(db).await;
        let client = world.owner.with_person("client@shop.test", Role::Client, &[world.client.parse().expect("an id")]).await;
        for route in table() {
            let (path, _) = world.path_of(&route);
            if path.starts_with("/v1/") || path.starts_with("/api/public/") {
                continue;
            }
            let answer = ask(&client, &route, &path).await;
            assert_eq!(answer.status, 403, "{} {path}: {}", route.method, answer.in_short());
            names_nothing("a client", &route, &answer);
        }
    }

    async fn a_key_of_a_workflow_reads_nothing(db: TestDb) {
        let world = World::new(db).await;
        let key = world.owner.with_key(Some(world.workflow.parse().expect("an id"))).await;
        for route in table().into_iter().filter(|route| route.path.starts_with("/api/v1/")) {
            let (path, _) = world.path_of(&route);
            let answer = send(&key, &route, &path).await;
            assert_eq!(answer.status, 403, "{} {path}: {}", route.method, answer.in_short());
        }
        // A key opens no page: pages are for people.
        let is_page = |route: &Route| route.method == "GET" && !route.path.starts_with("/api/") && !route.path.starts_with("/v1/");
        for route in table().into_iter().filter(is_page) {
            let (path, _) = world.path_of(&route);
            assert_eq!(key.get(&path).await.status, 303, "{path}");
        }
    }
}

/// What is only for people, whoever asks.
const WRITES: [&str; 9] =
    ["/verdict", "/merge", "/split", "/drafts", "/claim", "/keep", "/release", "/review", "/undo"];

async fn key_finds_nothing(key: &KeyHolder, route: &Route, path: &str, has_things: bool) {
    let answer = send(key, route, path).await;
    let expected = match (route.method.as_str(), has_things) {
        ("PATCH" | "DELETE", _) => 403,
        ("POST", _) if path.contains("/connections") => 403,
        ("POST", _) if ["/links", "/channels", "/test"].iter().any(|end| path.ends_with(end)) => 403,
        ("PUT", _) => 403,
        (_, _) if WRITES.iter().any(|end| path.ends_with(end)) => 403,
        (_, true) => 404,
        _ => answer.status.as_u16(),
    };
    assert_eq!(answer.status, expected, "{} {path} with another agency's key: {}", route.method, answer.in_short());
    names_nothing("another agency's key", route, &answer);
}

async fn send(key: &KeyHolder, route: &Route, path: &str) -> Answer {
    let request = Request::builder().method(route.method.as_str()).uri(path).header("content-type", "application/json");
    key.send(request.body(Body::from(body_of(route).to_string())).expect("a request")).await
}
