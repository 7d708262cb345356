//! Sessions, forms from elsewhere, guessing of passwords, and what must never be in a log.

use axum::body::Body;
use axum::http::Request;
use steward_core::people::Role;
use steward_testkit::{PASSWORD, Seat, TestApp, TestDb, db_tests};
use steward_web::WebConfig;

use crate::payload::{PROTOBUF, protobuf, span};

/// What is sent: in words, its headers and its body.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], String);

fn form(seat: &Seat, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let request = Request::builder()
        .method("POST")
        .uri("/clients/new")
        .header("host", "steward.test")
        .header("cookie", seat.cookie());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    headers
        .iter()
        .fold(request, |r, (name, value)| r.header(*name, *value))
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

db_tests! {
    async fn a_form_from_elsewhere_is_refused(db: TestDb) {
        let app = TestApp::new(db).await;
        let (owner, other) = (app.agency("north").await, app.agency("south").await);
        let good = format!("name=Shop&csrf={}", owner.csrf);
        let ours = [("origin", "http://steward.test"), ("sec-fetch-site", "same-origin")];
        let bad: [Case; 8] = [
            ("without a token", &ours, "name=Shop".to_owned()),
            ("with an empty token", &ours, "name=Shop&csrf=".to_owned()),
            ("with another's token", &ours, format!("name=Shop&csrf={}", other.csrf)),
            ("with a token that begins right", &ours, format!("name=Shop&csrf={}", &owner.csrf[..40])),
            ("from another origin", &[("origin", "http://evil.test")], good.clone()),
            ("from an origin that hides", &[("origin", "null")], good.clone()),
            ("from another site", &[("sec-fetch-site", "cross-site"), ("origin", "http://steward.test")], good.clone()),
            ("from a neighbour", &[("sec-fetch-site", "same-site")], good.clone()),
        ];
        for (what, headers, body) in bad {
            let answer = owner.send(form(&owner, headers, &body)).await;
            assert_eq!(answer.status, 403, "{what}");
            assert!(answer.text().contains("This form was not sent from its own page"), "{what}");
        }
        assert_eq!(owner.get("/api/v1/clients").await.text(), r#"{"items":[]}"#, "nothing was done");
        let mut as_json = form(&owner, &ours, &good);
        as_json.headers_mut().insert("content-type", "text/plain".parse().expect("a header"));
        assert_eq!(owner.send(as_json).await.status, 415, "browsers send text/plain from anywhere");
        assert_eq!(owner.send(form(&owner, &ours, &good)).await.status, 303);
        let other_name = good.replace("Shop", "Market");
        assert_eq!(owner.send(form(&owner, &[], &other_name)).await.status, 303, "what is no browser need not say where it is");
        let foreign = [("origin", "http://evil.test")];
        let sign_in = Request::builder().method("POST").uri("/sign-in").header("content-type", "application/x-www-form-urlencoded")
            .header("host", "steward.test").header(foreign[0].0, foreign[0].1).body(Body::from("email=a&password=b")).expect("a request");
        assert_eq!(app.send(sign_in).await.status, 403, "nobody is signed in as somebody else by another site");
    }

    async fn the_api_changes_nothing_without_the_sessions_token(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let workflow = owner.with_workflow("bot", None).await;
        let path = format!("/api/v1/workflows/{}", workflow.id);
        let patch = |token: Option<&str>, origin: &str| {
            let request = Request::builder().method("PATCH").uri(&path).header("content-type", "application/json").header("host", "steward.test");
            let request = token.into_iter().fold(request.header("origin", origin), |r, token| r.header("x-csrf-token", token));
            request.body(Body::from(r#"{"name": "renamed"}"#)).expect("a request")
        };
        assert_eq!(owner.send(patch(None, "http://steward.test")).await.status, 403);
        assert_eq!(owner.send(patch(Some("x"), "http://steward.test")).await.status, 403);
        assert_eq!(owner.send(patch(Some(&owner.csrf), "http://evil.test")).await.status, 403);
        assert_eq!(owner.get(&path).await.json()["name"], "bot");
        assert_eq!(owner.send(patch(Some(&owner.csrf), "http://steward.test")).await.json()["name"], "renamed");
    }

    async fn passwords_are_not_guessed_quickly(db: TestDb) {
        let app = TestApp::new(db).await;
        let _owner = app.agency("north").await;
        let guess = async |password: &str| app.post_form("/sign-in", &[("email", "owner@north.test"), ("password", password)]).await;
        for n in 0..10 {
            assert_eq!(guess(&format!("wrong wrong wrong {n}")).await.status, 422);
        }
        let limited = guess(PASSWORD).await;
        assert_eq!(limited.status, 429, "even the right one has to wait");
        assert_eq!(limited.header("retry-after"), "900");
        assert!(!limited.headers.contains_key("set-cookie"));
        app.clock().advance_ms(16 * 60_000);
        let right = guess(PASSWORD).await;
        assert_eq!(right.status, 303);
        let cookie = right.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/") && !cookie.contains("Secure"), "{cookie}");
    }

    async fn a_session_ends(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        assert_eq!(owner.get("/api/v1/runs").await.status, 200);
        let out = owner.post_form("/sign-out", &[]).await;
        let cookies: Vec<_> = out.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text")).collect();
        assert!(cookies.iter().any(|cookie| cookie.starts_with("steward_session=;") && cookie.contains("Max-Age=0")), "{cookies:?}");
        assert_eq!(owner.get("/api/v1/runs").await.status, 401);
        let late = app.agency("late").await;
        app.clock().advance_ms(15 * 86_400_000);
        assert_eq!(late.get("/api/v1/runs").await.status, 401);
        assert_eq!(late.get("/clients").await.header("location"), "/sign-in?next=%2Fclients");
    }

    async fn secrets_are_never_in_logs(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let key = owner.with_key(None).await;
        let link = app.app().make_link(owner.actor.agency_id, owner.actor.person_id, 10).await.expect("a link");
        let workflow = owner.with_workflow("bot", None).await;
        let _ = owner.with_person("second@north.test", Role::Operator, &[]).await;
        let signed_in = app.post_form("/sign-in", &[("email", "owner@north.test"), ("password", PASSWORD)]).await;
        let session = signed_in.header("set-cookie").split(['=', ';']).nth(1).expect("a session").to_owned();
        let wrong = "the wrong password 4711";
        app.post_form("/sign-in", &[("email", "owner@north.test"), ("password", wrong)]).await;
        app.get(&format!("/sign-in/link/{}", link.reveal())).await;
        app.post_form(&format!("/sign-in/link/{}", link.reveal()), &[]).await;
        app.get(&format!("/sign-in/link/{}", link.reveal())).await;
        owner.get("/").await;
        owner.post_form("/settings/keys", &[("name", "another"), ("workflow", "")]).await;
        owner.send_json("PATCH", &format!("/api/v1/workflows/{}", workflow.id), &serde_json::json!({"name": "x"})).await;
        key.post("/v1/traces", PROTOBUF, protobuf(vec![span(1)])).await;
        key.post("/v1/traces", PROTOBUF, "broken").await;
        key.get("/api/v1/runs").await;
        app.get(&format!("/api/v1/runs?q={}", key.key)).await;
        let log = app.logs().text();
        assert!(log.contains("/v1/traces answered 200"), "the log says something: {log}");
        let secrets = [PASSWORD, wrong, &session, &owner.session, &owner.csrf, &key.key, link.reveal(), "sts_", "stl_", "argon2"];
        for secret in secrets {
            assert!(!log.contains(secret), "{secret} stands in the log: {}", log.lines().find(|line| line.contains(secret)).unwrap_or_default());
        }
        // Only the beginning of a key, by which people know it again, may be told; not even that is.
        assert!(!log.contains("stk_"), "{}", log.lines().find(|line| line.contains("stk_")).unwrap_or_default());
    }
}

#[test]
fn over_https_cookies_stay_there() {
    steward_testkit::run(async {
        let app = TestApp::at(TestDb::sqlite(), WebConfig::default(), "https://steward.test").await;
        let _owner = app.agency("north").await;
        let answer = app.post_form("/sign-in", &[("email", "owner@north.test"), ("password", PASSWORD)]).await;
        assert!(answer.status == 303 || answer.status == 403, "{}", answer.in_short());
        assert!(answer.header("set-cookie").contains("; Secure"), "{}", answer.in_short());
    });
}

#[test]
fn a_proxy_is_believed_only_when_there_is_one() {
    steward_testkit::run(async {
        for (trusted, waits) in [(false, true), (true, false)] {
            let config = WebConfig { trust_forwarded_for: trusted, ..WebConfig::default() };
            let app = TestApp::with_config(TestDb::sqlite(), config).await;
            let _owner = app.agency("north").await;
            let guess = async |n: u32| {
                let body = format!("email=nobody{n}%40north.test&password=wrong+wrong+wrong");
                let request = Request::builder()
                    .method("POST")
                    .uri("/sign-in")
                    .header("host", "steward.test")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("x-forwarded-for", format!("6.6.6.6, 192.0.2.{n}"));
                app.send(request.body(Body::from(body)).expect("a request")).await.status.as_u16()
            };
            let mut last = 0;
            for n in 0..31 {
                last = guess(n).await;
            }
            assert_eq!(last == 429, waits, "trusted: {trusted}");
        }
    });
}
