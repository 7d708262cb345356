//! A payload on which assembly fails is set aside with its reason, and holds up no other.

use serde_json::{Value, json};
use steward_app::system::InboxKind;
use steward_core::ids::AgencyId;
use steward_testkit::{NOW, TestApp, db_tests};

/// From now on the database refuses runs of one release, as a fault of ours would make it.
async fn refuse(app: &TestApp, release: &str) {
    let text = if app.app().store().is_sqlite() {
        format!(
            "CREATE TRIGGER refused BEFORE INSERT ON runs WHEN NEW.release = '{release}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    } else {
        format!("ALTER TABLE runs ADD CONSTRAINT refused CHECK (release <> '{release}')")
    };
    app.db().run(&text).await;
}

async fn refuse_no_more(app: &TestApp) {
    let url = app.db().url();
    let text =
        if url.starts_with("sqlite:") { "DROP TRIGGER refused" } else { "ALTER TABLE runs DROP CONSTRAINT refused" };
    app.db().run(text).await;
}

fn run(id: &str, release: &str) -> Value {
    json!({ "id": id, "workflow": "support", "release": release, "started_at": "2026-11-23T11:00:00Z",
            "ended_at": "2026-11-23T11:01:00Z", "outcome": "completed" })
}

async fn keep(app: &TestApp, agency_id: AgencyId, runs: &[Value]) {
    let payloads = runs.iter().map(|run| (NOW, InboxKind::Native, run.to_string().into_bytes())).collect();
    app.app().accept_past(agency_id, payloads).await.expect("kept");
}

db_tests! {
    async fn one_bad_payload_holds_up_neither_its_batch_nor_another_agency(db: TestDb) {
        let app = TestApp::new(db).await;
        app.expect_errors();
        let (north, south) = (app.agency("north").await, app.agency("south").await);
        refuse(&app, "bad").await;
        keep(&app, north.actor.agency_id, &[run("a", "1"), run("b", "bad"), run("c", "1")]).await;
        keep(&app, south.actor.agency_id, &[run("d", "bad"), run("e", "1")]).await;
        app.assemble().await;
        let ids = async |seat: &steward_testkit::Seat| {
            let answer = seat.get("/api/v1/runs").await.json();
            answer["items"].as_array().expect("items").len()
        };
        assert_eq!((ids(&north).await, ids(&south).await), (2, 1));
        let set_aside = async |agency_id| { app.app().agency(agency_id).list_unreadable(None, 10).await.expect("a list") };
        let aside = set_aside(north.actor.agency_id).await;
        assert_eq!(aside.len(), 1);
        let reason = aside[0].error.as_deref().unwrap_or_default();
        assert!(reason.starts_with("Steward failed on it, which is a fault of Steward: the database failed"), "{reason}");
        assert_eq!(app.app().store().count_waiting(10).await.expect("a count"), 0);
        // Mended, and read again.
        refuse_no_more(&app).await;
        app.app().rebuild(north.actor.agency_id, &|_| {}).await.expect("rebuilt");
        assert_eq!(ids(&north).await, 3);
        assert_eq!(set_aside(north.actor.agency_id).await.len(), 0);
    }
}
