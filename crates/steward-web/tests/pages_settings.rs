//! Set-up, sign-in, Today, clients, reports and settings through the router.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use serde_json::{Value, json};
use steward_core::people::Role;
use steward_testkit::{PASSWORD, Seat, TestApp, db_tests};

fn a_run(id: &str, workflow: &str) -> Value {
    json!({ "id": id, "workflow": workflow, "started_at": 1_795_400_000, "ended_at": 1_795_400_060, "outcome": "completed", "title": "Move an appointment" })
}

/// An agency with a client whose workflow had runs, and one workflow that belongs to nobody.
async fn busy(app: &TestApp) -> (Seat, String) {
    let owner = app.agency("Meridian").await;
    let client = owner.with_client("Northwind").await;
    let _ = owner.with_workflow("front-desk", Some(client.id)).await;
    owner.take_in(&[a_run("a", "front-desk"), a_run("b", "front-desk"), a_run("c", "somebody-else")]).await;
    (owner, client.id.to_string())
}

db_tests! {
    async fn a_fresh_program_is_set_up_once(db: TestDb) {
        let app = TestApp::new(db).await;
        let page = app.get("/setup").await;
        assert!(page.text().contains("Welcome to Steward"), "{}", page.in_short());
        let fields = [("agency", "Meridian"), ("name", "Ada"), ("email", "ada@example.com"), ("password", PASSWORD), ("time_zone", "Europe/Berlin"), ("currency", "EUR")];
        let short = [("agency", "Meridian"), ("name", "Ada"), ("email", "ada@example.com"), ("password", "short"), ("time_zone", "Europe/Berlin"), ("currency", "EUR")];
        assert_eq!(app.post_form("/setup", &short).await.status, 422);
        let done = app.post_form("/setup", &fields).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/connect"));
        assert!(done.header("set-cookie").starts_with("steward_session=sts_"));
        let again = app.post_form("/setup", &fields).await;
        assert_eq!((again.status.as_u16(), again.header("location")), (303, "/sign-in"));
    }

    async fn who_has_a_password_or_a_link_signs_in(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("Meridian").await;
        assert_eq!(app.get("/").await.header("location"), "/sign-in");
        let wrong = app.post_form("/sign-in", &[("email", "nobody@example.com"), ("password", "wrong wrong wrong")]).await;
        assert_eq!(wrong.status, 422);
        let link = app.app().make_link(owner.actor.agency_id, owner.actor.person_id, 10).await.expect("a link");
        let path = format!("/sign-in/link/{}", link.reveal());
        // Looking uses nothing up.
        assert_eq!(app.get(&path).await.status, 200);
        assert_eq!(app.get(&path).await.status, 200);
        assert_eq!(app.post_form(&path, &[]).await.status, 303);
        assert_eq!(app.post_form(&path, &[]).await.status, 404);
    }

    async fn every_page_is_shown_empty_and_full(db: TestDb) {
        let app = TestApp::new(db).await;
        let fresh = app.agency("Fresh").await;
        let paths = [
            "/", "/clients", "/clients/new", "/reports", "/connect", "/settings/agency", "/settings/brand", "/settings/people", "/settings/keys",
            "/settings/keys?platform=curl", "/settings/prices", "/settings/prices?q=gpt", "/settings/audit", "/settings/account",
        ];
        for path in paths {
            let page = fresh.get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.in_short());
        }
        let (owner, client) = busy(&app).await;
        for path in paths.iter().map(|path| (*path).to_owned()).chain([format!("/clients/{client}"), format!("/clients/{client}?period=7d"), format!("/clients/{client}/edit"), "/?days=14".to_owned()]) {
            let page = owner.get(&path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.in_short());
        }
        let today = owner.get("/").await;
        assert!(today.text().contains("Northwind") && today.text().contains("Move an appointment"));
        assert!(owner.get("/connect").await.text().contains("Received: a run of"));
        assert_eq!(fresh.get(&format!("/clients/{client}")).await.status, 404);
    }

    async fn a_contractor_sees_own_clients_and_no_money(db: TestDb) {
        let app = TestApp::new(db).await;
        let (owner, client) = busy(&app).await;
        let other = owner.with_client("Halden").await;
        let contractor = owner.with_person("chidi@example.com", Role::Contractor, &[client.parse().expect("an id")]).await;
        let list = contractor.get("/clients").await;
        assert!(list.text().contains("Northwind") && !list.text().contains("Halden") && !list.text().contains(">Cost<"), "{}", list.in_short());
        assert_eq!(contractor.get(&format!("/clients/{}", other.id)).await.status, 404);
        assert_eq!(contractor.get("/reports").await.status, 404);
        for path in ["/settings/agency", "/settings/people", "/settings/keys", "/settings/prices", "/settings/audit", "/clients/new"] {
            assert_eq!(contractor.get(path).await.status, 403, "{path}");
        }
        assert_eq!(contractor.post_form("/settings/keys", &[("name", "mine")]).await.status, 403);
        assert_eq!(contractor.get("/settings/account").await.status, 200);
    }

    async fn a_key_is_shown_once_and_revoked_after_a_question(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("Meridian").await;
        let made = owner.post_form("/settings/keys", &[("name", "production"), ("workflow", "")]).await;
        assert_eq!(made.status, 200);
        assert!(made.text().contains("stk_") && made.text().contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://steward.test"));
        let key = app.app().list_keys(&owner.actor).await.expect("keys").remove(0);
        let path = format!("/settings/keys/{}/revoke", key.id);
        assert!(owner.get(&path).await.text().contains("Revoke the key “production”?"));
        assert_eq!(owner.post_form(&path, &[]).await.status, 303);
        assert_eq!(owner.get(&path).await.status, 404);
        assert_eq!(owner.post_form("/settings/keys", &[("name", " ")]).await.status, 422);
    }

    async fn forms_say_what_is_wrong_and_keep_what_was_written(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("Meridian").await;
        let page = owner.post_form("/clients/new", &[("name", "Lumen"), ("currency", "EUR"), ("units_per_usd", "many"), ("business_hours", "")]).await;
        assert_eq!(page.status, 422);
        assert!(page.text().contains("is not a number") && page.text().contains("Lumen"));
        let made = owner.post_form("/clients/new", &[("name", "Lumen"), ("currency", "EUR"), ("units_per_usd", "0.92"), ("business_hours", "Mon-Fri 09:00-17:00")]).await;
        assert_eq!(made.status, 303, "{}", made.in_short());
        let page = owner.post_form("/settings/prices", &[("model", "house"), ("from", "2026-11-01"), ("input", "dear"), ("output", "1")]).await;
        assert_eq!(page.status, 422);
        assert_eq!(owner.post_form("/settings/prices", &[("model", "house"), ("from", "2026-11-01"), ("input", "0.5"), ("output", "1")]).await.status, 303);
        assert!(owner.get("/settings/prices").await.text().contains("house"));
        assert_eq!(owner.post_form("/settings/prices/remove", &[("model", "house"), ("from", "2026-11-01"), ("provider", "")]).await.status, 303);
        assert_eq!(owner.post_form("/settings/agency", &[("name", "Meridian"), ("time_zone", "Mars"), ("currency", "EUR")]).await.status, 422);
        let link = owner.post_form("/settings/people", &[("name", "Bo"), ("email", "bo@example.com"), ("role", "operator")]).await;
        assert!(link.text().contains("/sign-in/link/stl_"), "{}", link.in_short());
    }

    async fn a_report_is_drafted_edited_published_and_corrected(db: TestDb) {
        let app = TestApp::new(db).await;
        let (owner, client) = busy(&app).await;
        let drafted = owner.post_form("/reports", &[("client", &client), ("month", "2026-11")]).await;
        assert_eq!(drafted.status, 303, "{}", drafted.in_short());
        let path = drafted.header("location").to_owned();
        assert_eq!(owner.get(&path).await.status, 200);
        let words = [("do", "save"), ("headline", "A good month."), ("narrative", "It ran."), ("changes", ""), ("problems", "Nothing went wrong."), ("asks", "")];
        assert_eq!(owner.post_form(&path, &words).await.status, 303);
        let document = owner.get(&format!("{path}/page")).await;
        assert!(document.text().contains("A good month."));
        assert!(document.header("content-security-policy").contains("frame-ancestors 'self'"));
        let id = path.rsplit('/').next().expect("an id");
        let receipt = owner.get(&format!("/r/{id}/R1")).await;
        assert_eq!(receipt.status, 303);
        assert!(receipt.header("location").starts_with("/runs?"), "{}", receipt.in_short());
        assert!(owner.get(&format!("{path}/publish")).await.text().contains("Publish the report"));
        assert_eq!(owner.post_form(&format!("{path}/publish"), &[]).await.status, 303);
        assert_eq!(owner.post_form(&path, &words).await.status, 422);
        let correction = owner.post_form(&format!("{path}/correct"), &[("correction", "The count was wrong.")]).await;
        assert_eq!(correction.status, 303);
        let draft = correction.header("location").to_owned();
        assert!(draft != path);
        assert_eq!(owner.post_form(&format!("{draft}/delete"), &[]).await.header("location"), "/reports");
        assert_eq!(owner.get(&draft).await.status, 404);
    }
}
