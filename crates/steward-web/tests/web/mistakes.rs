//! Mistakes people make: each is answered with the mend, and is shown on the page of connections.

use axum::body::Body;
use axum::http::Request;
use steward_testkit::{Answer, Seat, TestApp, TestDb, db_tests};

use crate::payload::{JSON, PROTOBUF, SECOND, gzip, json_of, native, now_nanos, protobuf, span};

struct World {
    app: TestApp,
    owner: Seat,
    key: String,
    page: String,
}

impl World {
    async fn new(db: TestDb) -> Self {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let workflow = owner.with_workflow("front desk", None).await;
        let key = format!("Bearer {}", owner.with_key(Some(workflow.id)).await.key);
        Self { app, owner, key, page: format!("/workflows/{}/connections", workflow.id) }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.app.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// What a request with the key is told.
    async fn told(&self, path: &str, content_type: &str, body: Vec<u8>) -> (u16, String) {
        let headers = [("authorization", self.key.as_str()), ("content-type", content_type)];
        let answer = self.send("POST", path, &headers, body).await;
        (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
    }

    async fn page(&self) -> String {
        self.owner.get(&self.page).await.text().to_owned()
    }
}

db_tests! {
    async fn wrong_addresses_are_told_with_the_right_one(db: TestDb) {
        let world = World::new(db).await;
        for path in ["/traces", "/v1/trace", "/otlp/v1/traces", "/v1/traces/", "/v1/traces/v1/traces", "/"] {
            let (status, words) = world.told(path, PROTOBUF, protobuf(vec![span(1)])).await;
            assert!(status == 404 || status == 405, "{path}: {status}");
            assert!(words.contains("send to /v1/traces"), "{path}: {words}");
        }
        let (_, words) = world.told("/runs", JSON, native("a", "b").to_string().into_bytes()).await;
        assert!(words.contains("send to /v1/runs"), "{words}");
        let looked = world.send("GET", "/v1/traces", &[("authorization", &world.key)], Vec::new()).await;
        assert_eq!((looked.status.as_u16(), looked.header("allow")), (405, "POST"));
        assert!(looked.text().contains("takes POST"), "{}", looked.in_short());
        let page = world.page().await;
        assert!(page.contains("Sent to a wrong address") && page.contains("Sent with a wrong method"), "{page}");
        assert!(page.contains("the key “a key”"), "by whom: {page}");
        let browsed = world.send("GET", "/traces", &[("accept", "text/html")], Vec::new()).await;
        assert!(browsed.header("content-type").starts_with("text/html"), "people get a page");
    }

    async fn keys_in_a_wrong_form_are_told_the_right_one(db: TestDb) {
        let world = World::new(db).await;
        let key = world.key.trim_start_matches("Bearer ").to_owned();
        let encoded = format!("Bearer%20{key}");
        for (header, mend) in [
            (key.as_str(), "no “Bearer ” before the key"),
            ("Basic eDp5", "the Authorization header is Basic"),
            (encoded.as_str(), "write a space"),
            ("Bearer sk-1", "begin with stk_"),
        ] {
            let headers = [("authorization", header), ("content-type", JSON)];
            let answer = world.send("POST", "/v1/traces", &headers, json_of(&[span(1)])).await;
            assert_eq!(answer.status, 401);
            assert!(answer.text().contains(mend), "{header}: {}", answer.in_short());
        }
        let bare = world.send("POST", "/v1/traces", &[("content-type", JSON)], json_of(&[span(1)])).await;
        assert!(bare.text().contains("send an API key as"), "{}", bare.in_short());
        let page = world.page().await;
        assert!(page.contains("The key is not in a form that is read") && page.contains("Sent without a key"), "{page}");
        assert!(page.contains("somebody without a key"), "{page}");
        assert!(!page.contains(&key), "the key itself is not kept");
    }

    async fn bodies_that_are_not_what_their_headers_say_are_told_so(db: TestDb) {
        let world = World::new(db).await;
        let (status, words) = world.told("/v1/traces", PROTOBUF, json_of(&[span(1)])).await;
        assert!(status == 400 && words.contains("the body is JSON"), "{words}");
        let (status, words) = world.told("/v1/traces", JSON, protobuf(vec![span(1)])).await;
        assert!(status == 400 && words.contains("the body is protobuf"), "{words}");
        let (status, words) = world.told("/v1/traces", PROTOBUF, gzip(&protobuf(vec![span(1)]))).await;
        assert!(status == 400 && words.contains("Content-Encoding: gzip"), "{words}");
        let headers = [("authorization", world.key.as_str()), ("content-type", PROTOBUF), ("content-encoding", "gzip")];
        let plain = world.send("POST", "/v1/traces", &headers, protobuf(vec![span(1)])).await;
        assert_eq!(plain.status, 400);
        assert!(String::from_utf8_lossy(&plain.body).contains("leave Content-Encoding out"));
        let (status, words) = world.told("/v1/traces", JSON, b"{\"resourceLogs\": [{}]}".to_vec()).await;
        assert!(status == 400 && words.contains("these are logs"), "{status} {words}");
        let page = world.page().await;
        for title in ["The content type is not", "The content encoding is not", "Logs or metrics sent where traces belong"] {
            assert!(page.contains(title), "{title}: {page}");
        }
    }

    async fn times_that_are_off_are_kept_and_told(db: TestDb) {
        let world = World::new(db).await;
        let mut ahead = span(1);
        ahead.start_time_unix_nano = now_nanos() + 2 * 3_600 * SECOND;
        ahead.end_time_unix_nano = ahead.start_time_unix_nano + SECOND;
        let (status, words) = world.told("/v1/traces", JSON, json_of(&[ahead])).await;
        assert!(status == 200 && words.contains("2 hours ahead of the time here"), "{status} {words}");
        assert!(words.contains("\"rejectedSpans\":\"0\""), "{words}");
        let mut in_milliseconds = span(2);
        in_milliseconds.start_time_unix_nano = now_nanos() / 1_000_000;
        let (_, words) = world.told("/v1/traces", JSON, json_of(&[in_milliseconds])).await;
        assert!(words.contains("is it in nanoseconds?"), "{words}");
        assert!(world.page().await.contains("Times are off"));
    }

    async fn mistakes_are_counted_and_forgotten_after_a_day(db: TestDb) {
        let world = World::new(db).await;
        for _ in 0..7 {
            world.told("/traces", PROTOBUF, Vec::new()).await;
        }
        let mistakes = world.app.app().list_mistakes(&world.owner.actor).await.expect("listed");
        assert_eq!(mistakes.iter().map(|made| (made.mistake.as_str(), made.n)).collect::<Vec<_>>(), [("path", 7)]);
        let other = world.app.agency("south").await;
        assert_eq!(world.app.app().list_mistakes(&other.actor).await.expect("listed"), [], "another agency's");
        world.send("POST", "/traces", &[], Vec::new()).await;
        assert_eq!(world.app.app().list_mistakes(&world.owner.actor).await.expect("listed").len(), 1, "whose it is, nobody knows");
        world.app.clock().advance_ms(86_400_001);
        assert_eq!(world.app.app().list_mistakes(&world.owner.actor).await.expect("listed"), []);
        world.app.clock().advance_ms(7 * 86_400_000);
        world.app.app().apply_retention(Default::default()).await.expect("dropped");
    }
}
