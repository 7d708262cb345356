//! Sampling for quality: its page, its part of the API, what waits of it, and what is shown of it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use steward_core::people::Role;
use steward_testkit::{Seat, TestApp, TestDb, db_tests};

/// A run of `bot` that is said to be completed, at a minute of the 23rd of November 2026.
fn completed(id: &str, minute: u32) -> Value {
    let at = |second: u32| format!("2026-11-23T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60);
    json!({
        "id": id, "workflow": "bot", "release": "v1", "started_at": at(0), "ended_at": at(30), "outcome": "completed",
        "title": format!("Run {id}"), "input": "Where is my order?", "output": "It is on its way.", "steps": [],
    })
}

/// An agency, and its workflow of which all completed runs go to review.
async fn north(db: TestDb) -> (Seat, String) {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let client = owner.with_client("Orchard").await;
    let workflow = owner.with_workflow("bot", Some(client.id)).await;
    (owner, workflow.id.to_string())
}

/// Four runs of the day, one of them failed, and the samples of the others on the next.
async fn with_samples(owner: &Seat, workflow: &str) {
    let rule = json!({"share": 1, "at_most": 50});
    let path = format!("/api/v1/workflows/{workflow}/sampling");
    assert_eq!(owner.send_json("PUT", &path, &rule).await.status, 200);
    let minute = u32::try_from(owner.app.clock().now().0 / 60_000_000 % 1_440).expect("a minute of the day") + 1;
    owner.app.clock().advance_ms(30 * 60_000);
    let mut lost = completed("d", minute);
    lost["outcome"] = json!("failed");
    owner.take_in(&[completed("a", minute), completed("b", minute + 1), completed("c", minute + 2), lost]).await;
    owner.app.clock().advance_ms(26 * 3_600_000);
    assert_eq!(owner.app.app().sample_runs().await.expect("sampled"), 3);
}

async fn figures(owner: &Seat, workflow: &str) -> Value {
    let path = format!("/api/v1/figures?workflow={workflow}&from=2026-11-20&to=2026-11-30");
    owner.get(&path).await.json()
}

fn figure(figures: &Value, id: &str) -> Value {
    let all = figures["figures"].as_array().expect("figures");
    all.iter().find(|figure| figure["id"] == id).expect("it is computed")["now"].clone()
}

db_tests! {
    async fn a_rule_is_set_seen_and_taken_away(db: TestDb) {
        let (owner, workflow) = north(db).await;
        let path = format!("/api/v1/workflows/{workflow}/sampling");
        let nothing = owner.get(&path).await.json();
        assert_eq!(nothing, json!({"rule": null, "since": null, "changed_at": null, "changed_by": null}));
        let rule = json!({"share": 0.05, "strata": "release", "at_least": 1, "at_most": 20});
        let set = owner.send_json("PUT", &path, &rule).await;
        assert_eq!((set.status, &set.json()["rule"], &set.json()["changed_by"]), (200.try_into().expect("a status"), &rule, &json!(owner.actor.name)));
        assert_eq!(owner.get(&path).await.json(), set.json());
        for wrong in [
            json!({}),
            json!({"share": 0, "at_most": 20}),
            json!({"share": -1, "at_most": 20}),
            json!({"share": 1e308, "at_most": 20}),
            json!({"share": "NaN", "at_most": 20}),
            json!({"share": null, "at_most": 20}),
            json!({"share": 0.5, "at_most": 0}),
            json!({"share": 0.5, "at_most": 1e9}),
            json!({"share": 0.5, "at_most": 5, "at_least": 6}),
            json!({"share": 0.5, "at_most": 5, "strata": "weekday"}),
            json!({"share": 0.5, "at_most": 5, "often": true}),
        ] {
            let refused = owner.send_json("PUT", &path, &wrong).await;
            assert!([400, 422].contains(&refused.status.as_u16()), "{wrong}: {}", refused.in_short());
        }
        assert_eq!(owner.get(&path).await.json()["rule"], rule, "what is refused changes nothing");
        // The same write again under its key is answered as before.
        let send = async |body: &Value| {
            let request = Request::builder().method("PUT").uri(&path).header("content-type", "application/json")
                .header("x-csrf-token", &owner.csrf).header("idempotency-key", "sampling-1").body(Body::from(body.to_string())).expect("a request");
            owner.send(request).await
        };
        let other = json!({"share": 0.25, "at_most": 3});
        let (first, again) = (send(&other).await, send(&other).await);
        assert_eq!((first.status.as_u16(), again.header("idempotency-replayed"), again.json()), (200, "true", first.json()));
        assert_eq!(send(&rule).await.status, 422, "the key is of another write");
        assert_eq!(owner.send_json("DELETE", &path, &json!({})).await.status, 204);
        assert_eq!(owner.get(&path).await.json()["rule"], Value::Null);
        assert_eq!(owner.send_json("DELETE", &path, &json!({})).await.status, 204);
        let key = owner.with_key(None).await;
        assert_eq!(key.get(&path).await.status, 200);
    }

    async fn the_page_tries_and_saves_a_rule(db: TestDb) {
        let (owner, workflow) = north(db).await;
        let path = format!("/workflows/{workflow}/sampling");
        let page = owner.get(&path).await;
        assert!(page.text().contains("Nothing of this workflow is sampled."), "{}", page.in_short());
        assert!(page.text().contains("No run completed in the last 30 days"), "{}", page.in_short());
        assert!(!page.text().contains("Sample nothing"));
        let fields = [("share", "12,5"), ("at_most", "9"), ("strata", "release"), ("at_least", "1")];
        let with = |what: &'static str| [&fields[..], &[("do", what)]].concat();
        assert_eq!(owner.post_form(&path, &with("preview")).await.status, 200);
        let api = format!("/api/v1/workflows/{workflow}/sampling");
        assert_eq!(owner.get(&api).await.json()["rule"], Value::Null, "a preview saves nothing");
        assert_eq!(owner.post_form(&path, &with("save")).await.status, 303);
        let page = owner.get(&path).await;
        assert!(page.text().contains("12.5 % of the completed runs of each release, at least 1 a day go to review"), "{}", page.in_short());
        assert_eq!(owner.get(&api).await.json()["rule"], json!({"share": 0.125, "strata": "release", "at_least": 1, "at_most": 9}));
        for wrong in [("share", "0"), ("share", "much"), ("at_most", "0"), ("strata", "moon"), ("at_least", "10")] {
            let form: Vec<(&str, &str)> = fields.into_iter().filter(|(name, _)| *name != wrong.0).chain([wrong, ("do", "save")]).collect();
            let refused = owner.post_form(&path, &form).await;
            assert_eq!(refused.status, 422, "{wrong:?}: {}", refused.in_short());
            let stays = wrong.0 == "strata" || refused.text().contains(wrong.1);
            assert!(stays, "what was typed stays: {wrong:?}");
        }
        assert_eq!(owner.post_form(&path, &[("do", "stop")]).await.status, 303);
        assert_eq!(owner.get(&api).await.json()["rule"], Value::Null);
        let contractor = owner.with_person("c@north.test", Role::Contractor, &[]).await;
        assert_eq!(contractor.get(&path).await.status, 404);
    }

    async fn samples_are_reviewed_and_the_audited_rate_stands_beside_the_claimed_one(db: TestDb) {
        let (owner, workflow) = north(db).await;
        let here = format!("/workflows/{workflow}?from=2026-11-20&to=2026-11-30");
        with_samples(&owner, &workflow).await;
        let page = owner.get(&here).await;
        assert!(page.text().contains("not audited: no sample is reviewed yet"), "{}", page.in_short());
        let queue = owner.get("/queue?kind=sample").await;
        assert!(queue.text().contains("One of 100 % of the completed runs"), "{}", queue.in_short());
        let listed = owner.get("/api/v1/queue?kind=sample").await.json();
        let items = listed["items"].as_array().expect("items").clone();
        assert_eq!(items.len(), 3);
        let id = |at: usize| items[at]["id"].as_str().expect("an id").to_owned();
        let one = owner.get(&format!("/queue/{}", id(0))).await;
        assert!(one.text().contains("Taken by chance, to see whether completed means completed"), "{}", one.in_short());
        assert!(one.text().contains("sample for quality") && one.text().contains("Where is my order?"), "{}", one.in_short());
        // By the page, as a reviewer would; then by the API.
        assert_eq!(owner.post_form(&format!("/queue/{}/claim", id(0)), &[]).await.status, 303);
        let closed = owner.post_form(&format!("/queue/{}/review", id(0)), &[("agent", "wrong"), ("outcome", "failed")]).await;
        assert_eq!(closed.status, 303, "{}", closed.in_short());
        let claimed = owner.send_json("POST", &format!("/api/v1/queue/{}/claim", id(1)), &json!({})).await;
        assert_eq!(claimed.status, 200, "{}", claimed.in_short());
        let review = json!({"judgement": {"agent": "right"}});
        assert!(owner.send_json("POST", &format!("/api/v1/queue/{}/review", id(1)), &review).await.status.is_success());
        let told = figures(&owner, &workflow).await;
        let (claimed, audited) = (figure(&told, "claimed_completion_rate"), figure(&told, "audited_completion_rate"));
        assert_eq!((&claimed["value"], &audited["value"]), (&json!(0.75), &json!(0.375)));
        assert_eq!((&audited["numerator"], &audited["denominator"]), (&json!(2.0), &json!(3.0)));
        let (low, high) = (audited["interval"]["low"].as_f64().expect("low"), audited["interval"]["high"].as_f64().expect("high"));
        assert!(0.0 < low && low < 0.375 && 0.375 < high && high < 0.75, "{audited}");
        let page = owner.get(&here).await;
        assert!(page.text().contains("2 of 3 samples reviewed"), "{}", page.in_short());
        let definitions = owner.get("/definitions").await;
        assert!(definitions.text().contains("Audited completion"), "{}", definitions.in_short());
    }
}
