//! What happens around every request.

use axum::body::Body;
use axum::http::Request;
use steward_testkit::{TestApp, TestDb, db_tests};

db_tests! {
    async fn the_program_says_that_it_is_ready(db: TestDb) {
        let app = TestApp::new(db).await;
        assert_eq!(app.get("/healthz").await.text(), "ok\n");
        assert_eq!(app.get("/readyz").await.text(), "ready\n");
        let metrics = app.get("/metrics").await;
        assert!(metrics.text().contains("steward_steps_waiting 0\n"), "{}", metrics.text());
        assert!(metrics.text().contains("steward_requests_total{class=\"health\",status=\"2xx\"} 2\n"), "{}", metrics.text());
    }
}

#[test]
fn what_is_not_there_is_told_in_the_form_that_is_read() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let api = app.get("/api/v1/nothing").await;
        assert_eq!(api.header("content-type"), "application/problem+json");
        insta::assert_snapshot!(api.in_short(), @r#"
        404 Not Found
        {"type":"/problems/not-found","title":"Not found","status":404,"request_id":"req_0000000200000001"}
        "#);
        let page = app.get("/nothing").await;
        assert_eq!(page.status, 404);
        assert!(page.text().contains("Go to Today"), "{}", page.text());
        assert_eq!(page.header("x-request-id"), "req_0000000200000002");
        let explained = app.get("/problems/not-found").await;
        assert!(explained.text().contains("Not found (404 Not Found)"), "{}", explained.text());
    });
}

#[test]
fn a_wrong_method_names_the_right_ones() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let request = Request::builder().method("DELETE").uri("/api/v1/runs").body(Body::empty()).expect("a request");
        let answer = app.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET,HEAD"));
        assert_eq!(answer.json()["type"], "/problems/method-not-allowed");
    });
}

#[test]
fn browsers_are_told_to_load_nothing_from_elsewhere() {
    steward_testkit::run(async {
        let app = TestApp::at(TestDb::sqlite(), steward_web::WebConfig::default(), "https://steward.test").await;
        let page = app.get("/sign-in").await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "private, no-store"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(page.header(name), value, "{name}");
        }
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(
            !policy.contains("unsafe")
                && policy.contains("frame-ancestors 'none'")
                && policy.contains("base-uri 'none'")
        );
        let api = app.get("/api/v1/runs").await;
        assert!(api.header("content-security-policy").starts_with("default-src 'none'"));
    });
}

#[test]
fn files_are_kept_by_browsers_and_asked_for_again_only_when_they_change() {
    steward_testkit::run(async {
        let app = TestApp::new(TestDb::sqlite()).await;
        let url = steward_web::assets::asset_url("steward.css");
        let first = app.get(&url).await;
        assert_eq!((first.status.as_u16(), first.header("content-type")), (200, "text/css; charset=utf-8"));
        assert!(first.header("cache-control").contains("immutable"));
        let request = Request::builder().uri(&url).header("if-none-match", first.header("etag")).body(Body::empty());
        let again = app.send(request.expect("a request")).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
        let request = Request::builder().uri(&url).header("accept-encoding", "gzip").body(Body::empty());
        let packed = app.send(request.expect("a request")).await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.body.len() < first.body.len() / 2);
        assert_eq!(app.get("/assets/../Cargo.toml").await.status, 404);
    });
}

db_tests! {
    async fn a_page_hears_of_changes_that_its_person_may_see(db: TestDb) {
        use http_body_util::BodyExt as _;
        let app = TestApp::new(db).await;
        let (north, south) = (app.agency("north").await, app.agency("south").await);
        let request = |cookie: String| Request::builder().uri("/live").header("cookie", cookie).body(Body::empty()).expect("a request");
        let response = app.open(request(north.cookie())).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body();
        let mut others = app.open(request(south.cookie())).await.into_body();
        north.take_in(&[crate::payload::native("a", "bot")]).await;
        let heard = body.frame().await.expect("a frame").expect("whole").into_data().expect("data");
        assert_eq!(&heard[..], b"event: change\ndata: 1\n\n");
        let nothing = tokio::time::timeout(std::time::Duration::from_millis(50), others.frame()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        // Nobody hears anything without a session.
        assert_eq!(app.get("/live").await.status, 303);
    }
}

db_tests! {
    async fn a_database_that_does_not_answer_is_told_as_busy(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let key = owner.with_key(None).await;
        let body = || crate::payload::protobuf(vec![crate::payload::span(1)]);
        assert_eq!(key.post("/v1/traces", crate::payload::PROTOBUF, body()).await.status, 200);
        app.app().store().clone().close().await.expect("closed");
        let refused = key.post("/v1/traces", crate::payload::PROTOBUF, body()).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "2"));
        let api = owner.get("/api/v1/runs").await;
        assert_eq!((api.status.as_u16(), api.header("retry-after")), (503, "2"));
        assert_eq!(api.json()["type"], "/problems/busy");
        let page = owner.get("/clients").await;
        assert!(page.status == 503 && page.text().contains("Steward is busy"), "{}", page.in_short());
        assert_eq!(app.get("/readyz").await.status, 503);
        assert_eq!(app.get("/healthz").await.status, 200);
    }
}
