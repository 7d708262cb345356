//! The queue and reviews, as a program asks for them.

use serde_json::{Value, json};
use steward_app::tenant::ReviewFilter;
use steward_core::people::Role;
use steward_testkit::{Seat, TestApp, TestDb, db_tests};

/// A run of `bot` that ended so many minutes before noon, whose call of a tool failed.
fn failing(id: &str, minutes: u32, message: &str) -> Value {
    let at = |second: u32| format!("2026-11-23T{:02}:{:02}:{second:02}Z", (720 - minutes) / 60, (720 - minutes) % 60);
    json!({
        "id": id, "workflow": "bot", "release": "v1", "started_at": at(0), "ended_at": at(30), "outcome": "failed",
        "user_id": format!("user-{id}"),
        "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": at(1), "ended_at": at(2), "error": message}],
    })
}

async fn settle(owner: &Seat) {
    for _ in 0..2 {
        owner.app.app().mine_patterns().await.expect("mined");
        owner.app.app().fill_queue().await.expect("filled");
    }
}

/// An agency with a client, whose workflow `bot` failed so often.
async fn north(db: TestDb, runs: &[Value]) -> Seat {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let client = owner.with_client("Dental").await;
    owner.with_workflow("bot", Some(client.id)).await;
    owner.take_in(runs).await;
    settle(&owner).await;
    owner
}

async fn items(seat: &Seat, query: &str) -> Vec<Value> {
    let answer = seat.get(&format!("/api/v1/queue?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.in_short());
    answer.json()["items"].as_array().expect("items").clone()
}

async fn post(seat: &Seat, path: &str, body: Value) -> (u16, Value) {
    let answer = seat.send_json("POST", &format!("/api/v1{path}"), &body).await;
    (answer.status.as_u16(), answer.json())
}

db_tests! {
    async fn an_exception_is_claimed_reviewed_and_taken_back(db: TestDb) {
        let owner = north(db, &[failing("a", 30, "no seats left"), failing("b", 20, "no seats left")]).await;
        let waiting = items(&owner, "").await;
        assert_eq!(waiting.len(), 2);
        let id = waiting[0]["id"].as_str().expect("an id").to_owned();
        assert!(id.starts_with("item_"));
        assert_eq!((&waiting[0]["kind"], &waiting[0]["exception_kind"]), (&json!("exception"), &json!("error")));
        assert_eq!(waiting[0]["exception_id"].as_str().map(|exc| exc.replace("exc_", "item_")), Some(id.clone()));
        let (status, refused) = post(&owner, &format!("/queue/{id}/review"), json!({})).await;
        assert_eq!((status, refused["detail"].as_str()), (409, Some("you do not hold it: claim it first")));
        let (status, claimed) = post(&owner, "/queue/next", json!({})).await;
        assert_eq!((status, claimed["item"]["id"].as_str()), (200, Some(id.as_str())));
        owner.app.clock().advance_ms(60_000);
        let (status, kept) = post(&owner, &format!("/queue/{id}/keep"), json!({"active_ms": 45_000})).await;
        assert_eq!((status, kept["claim"]["active_ms"].as_i64()), (200, Some(45_000)));
        let review = json!({
            "judgement": {
                "agent": "wrong", "outcome": "completed", "cause": "tool", "preventable": true, "prevented_by": "tool",
                "cleanup_minutes": 5, "resolution": "booked by hand", "comment": "",
            },
            "active_ms": 0,
        });
        let (status, review) = post(&owner, &format!("/queue/{id}/review"), review).await;
        assert_eq!(status, 200, "{review}");
        assert_eq!((review["active_ms"].as_i64(), review["measured_ms"].as_i64()), (Some(45_000), Some(45_000)));
        settle(&owner).await;
        assert_eq!(items(&owner, "").await.len(), 1);
        let run = review["run_id"].as_str().expect("a run").to_owned();
        assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.json()["run"]["outcome"], "completed");
        let other = waiting[1]["id"].as_str().expect("an id");
        let detail = owner.get(&format!("/api/v1/queue/{other}")).await.json();
        assert_eq!(detail["resolutions"][0]["judgement"]["resolution"], "booked by hand", "what worked last time");
        let pattern = waiting[0]["pattern_id"].as_str().expect("a pattern");
        let cost = owner.get(&format!("/api/v1/patterns/{pattern}")).await.json()["cost"].clone();
        assert_eq!((&cost["review_ms"], &cost["cleanup_minutes"], &cost["human_nanos"]), (&json!(45_000), &json!(5), &json!(null)));
        let listed = owner.get("/api/v1/reviews").await.json()["items"].clone();
        assert_eq!(listed.as_array().map(Vec::len), Some(1));
        let review = review["id"].as_str().expect("an id");
        let (status, undone) = post(&owner, &format!("/reviews/{review}/undo"), json!({})).await;
        assert_eq!((status, undone["undone_by"].as_str()), (200, Some("Owner of north")));
        assert_eq!(post(&owner, &format!("/reviews/{review}/undo"), json!({})).await.0, 409);
        settle(&owner).await;
        assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.json()["run"]["outcome"], "failed");
        assert_eq!(items(&owner, "").await.len(), 2);
        assert_eq!(owner.get("/api/v1/reviews?undone=true").await.json()["items"].as_array().map(Vec::len), Some(1));
    }

    async fn the_queue_is_filtered_and_paged(db: TestDb) {
        let runs: Vec<Value> = (0..7).map(|i| failing(&format!("r{i}"), 10 * i, ["no seats left", "not allowed"][i as usize % 2])).collect();
        let owner = north(db, &runs).await;
        let all = items(&owner, "").await;
        assert_eq!(all.len(), 7);
        for sort in ["rank", "due", "arrived"] {
            let mut seen = Vec::new();
            let mut query = format!("sort={sort}&limit=3");
            loop {
                let page = owner.get(&format!("/api/v1/queue?{query}")).await.json();
                seen.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].to_string()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                query = format!("sort={sort}&limit=3&cursor={next}");
            }
            assert_eq!(seen.len(), 7, "{sort}");
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 7, "{sort}");
        }
        let pattern = all[0]["pattern_id"].as_str().expect("a pattern");
        let of_pattern = items(&owner, &format!("pattern={pattern}")).await.len();
        assert!((3..=4).contains(&of_pattern));
        assert_eq!(items(&owner, "tool=book&class=other&kind=exception&exception_kind=error").await.len(), 7);
        assert_eq!(items(&owner, "tool=none").await.len(), 0);
        assert_eq!(items(&owner, "waiting_minutes=60").await.len(), 3, "those that ended at least an hour ago");
        assert_eq!(items(&owner, "overdue=true").await.len(), 0);
        assert_eq!(items(&owner, "least_value_nanos=1").await.len(), 0, "no value is set");
        let ids: Vec<&Value> = all.iter().take(2).map(|item| &item["id"]).collect();
        let me = owner.actor.person_id.to_string();
        assert_eq!(post(&owner, "/queue/assign", json!({"items": ids, "to": me})).await, (200, json!({"n": 2})));
        assert_eq!(items(&owner, "assignee=mine").await.len(), 2);
        assert_eq!(items(&owner, &format!("assignee={me}")).await.len(), 2);
        assert_eq!(items(&owner, "assignee=nobody").await.len(), 5);
        let summary = owner.get("/api/v1/queue/summary?days=2").await.json();
        assert_eq!((&summary["open"], summary["days"].as_array().map(Vec::len)), (&json!(7), Some(2)));
        assert_eq!(summary["days"][1], json!({"date": "2026-11-23", "arrived": 7, "closed": 0, "reviewed": 0}));
        assert_eq!(summary["patterns"].as_array().map(Vec::len), Some(2));
        for odd in [
            "sort=value", "limit=0", "limit=501", "cursor=%25", "assignee=everybody", "client=cl_1", "pattern=x", "kind=run",
            "exception_kind=none", "class=x", "waiting_minutes=-1", "least_value_nanos=x", "unknown=1",
        ] {
            let answer = owner.get(&format!("/api/v1/queue?{odd}")).await;
            assert!(answer.status.is_client_error(), "{odd}: {}", answer.in_short());
        }
        for odd in ["days=0", "days=367", "client=cl_ffffffffffffffffffffffffffffffff"] {
            assert!(owner.get(&format!("/api/v1/queue/summary?{odd}")).await.status.is_client_error(), "{odd}");
        }
    }

    async fn a_pattern_is_reviewed_in_bulk_and_taken_back(db: TestDb) {
        let runs: Vec<Value> = (0..9).map(|i| failing(&format!("r{i}"), 10 * i, "no seats left")).collect();
        let owner = north(db, &runs).await;
        let pattern = items(&owner, "").await[0]["pattern_id"].as_str().expect("a pattern").to_owned();
        let said = json!({"judgement": {"outcome": "abandoned", "comment": "they hung up"}, "active_ms": 9_000});
        let (status, bulk) = post(&owner, &format!("/patterns/{pattern}/review"), said.clone()).await;
        assert_eq!((status, &bulk["state"], &bulk["total"], &bulk["done"]), (200, &json!("done"), &json!(9), &json!(9)));
        settle(&owner).await;
        let id = bulk["id"].as_str().expect("an id");
        let bulk = owner.get(&format!("/api/v1/bulk-reviews/{id}")).await.json();
        assert_eq!(bulk["outcomes_left"], 0);
        assert_eq!(owner.get("/api/v1/runs?outcome=abandoned").await.json()["items"].as_array().map(Vec::len), Some(9));
        assert_eq!(post(&owner, &format!("/patterns/{pattern}/review"), said).await.0, 409, "nothing waits");
        let (status, undone) = post(&owner, &format!("/bulk-reviews/{id}/undo"), json!({})).await;
        assert_eq!((status, &undone["state"]), (200, &json!("undone")));
        settle(&owner).await;
        assert_eq!(items(&owner, "").await.len(), 9);
        assert_eq!(owner.get("/api/v1/runs?outcome=failed").await.json()["items"].as_array().map(Vec::len), Some(9));
        owner.app.do_jobs().await;
    }

    async fn rules_are_kept_as_they_are_sent(db: TestDb) {
        let owner = north(db, &[]).await;
        let rules = json!({"items": [{
            "name": "people first",
            "when": {"client": null, "workflow": null, "kind": "escalation", "class": "rate_limit", "tool": "book", "pattern": null, "least_value_nanos": 5},
            "assign_to": owner.actor.person_id.to_string(), "due_minutes": 30,
        }]});
        let put = owner.send_json("PUT", "/api/v1/queue/rules", &rules).await;
        assert_eq!((put.status.as_u16(), put.json()), (200, rules.clone()));
        assert_eq!(owner.get("/api/v1/queue/rules").await.json(), rules);
        for odd in [
            json!({}),
            json!({"items": [{"name": "nothing"}]}),
            json!({"items": [{"due_minutes": 0}]}),
            json!({"items": [{"due_minutes": 30, "when": {"least_value_nanos": -1}}]}),
            json!({"items": [{"due_minutes": 30, "when": {"client": "cl_ffffffffffffffffffffffffffffffff"}}]}),
            json!({"items": [{"due_minutes": 30, "when": {"tool": "a\nb"}}]}),
            json!({"items": [{"due_minutes": 30, "other": 1}]}),
            json!({"items": "all"}),
        ] {
            let refused = owner.send_json("PUT", "/api/v1/queue/rules", &odd).await;
            assert!(refused.status.is_client_error(), "{odd}: {}", refused.in_short());
        }
        assert_eq!(owner.get("/api/v1/queue/rules").await.json(), rules, "what is refused changes nothing");
    }

    async fn contractors_see_their_clients_only_and_no_money(db: TestDb) {
        let owner = north(db, &[failing("a", 30, "no seats left")]).await;
        let client = owner.get("/api/v1/clients").await.json()["items"][0]["id"].as_str().expect("an id").parse().expect("an id");
        let workflow = owner.get("/api/v1/workflows").await.json()["items"][0]["id"].as_str().expect("an id").to_owned();
        let value = json!({"settings": {"value": {"basis": "per_completed_run", "nanos": 45_000_000_000_i64}}});
        let set = owner.send_json("PATCH", &format!("/api/v1/workflows/{workflow}"), &value).await;
        assert_eq!(set.status, 200, "{}", set.in_short());
        assert_eq!(items(&owner, "").await[0]["value_nanos"], json!(45_000_000_000_i64), "what waits follows the settings");
        let theirs = owner.with_person("c@north.test", Role::Contractor, &[client]).await;
        let other = owner.with_client("Airline").await;
        let stranger = owner.with_person("s@north.test", Role::Contractor, &[other.id]).await;
        let seen = items(&theirs, "least_value_nanos=99000000000").await;
        assert_eq!((seen.len(), &seen[0]["value_nanos"]), (1, &json!(null)), "a filter by value would tell it");
        assert_eq!(items(&stranger, "").await.len(), 0);
        let id = seen[0]["id"].as_str().expect("an id");
        assert_eq!(post(&stranger, &format!("/queue/{id}/claim"), json!({})).await.0, 404);
        assert_eq!(post(&theirs, &format!("/queue/{id}/claim"), json!({})).await.0, 200);
        assert_eq!(post(&owner, &format!("/queue/{id}/claim"), json!({})).await.0, 409);
        assert_eq!(post(&theirs, "/queue/assign", json!({"items": [id], "to": null})).await.0, 403);
        assert_eq!(post(&theirs, &format!("/queue/{id}/release"), json!({})).await.0, 200);
        assert_eq!(theirs.get("/api/v1/queue/rules").await.status, 403);
    }

    async fn the_deletion_of_an_end_users_data_takes_what_waits_and_what_was_said(db: TestDb) {
        let owner = north(db, &[failing("a", 30, "no seats left for Quillon"), failing("b", 20, "no seats left for Mabel")]).await;
        for item in items(&owner, "").await {
            let id = item["id"].as_str().expect("an id");
            post(&owner, &format!("/queue/{id}/claim"), json!({})).await;
            let said = if item["message"] == "no seats left for Quillon" { "Quillon called twice" } else { "she was kind" };
            let judgement = json!({"judgement": {"outcome": "completed", "resolution": said, "comment": said}});
            assert_eq!(post(&owner, &format!("/queue/{id}/review"), judgement).await.0, 200);
        }
        settle(&owner).await;
        let whose = json!({"user_id": "user-a"});
        let handed_out = owner.send_json("POST", "/api/v1/user-data/export", &whose).await.text().to_owned();
        assert!(handed_out.contains("Quillon called twice") && !handed_out.contains("she was kind"), "{handed_out}");
        let reviewed = owner.get("/api/v1/figures").await.json();
        let (status, deleted) = post(&owner, "/user-data/delete", whose).await;
        assert_eq!((status, &deleted["runs"], &deleted["verdicts"], &deleted["reviews"]), (200, &json!(1), &json!(1), &json!(1)));
        settle(&owner).await;
        for (place, bytes) in owner.app.db().everything_stored().await {
            assert!(!String::from_utf8_lossy(&bytes).contains("Quillon"), "{place} still names them");
        }
        assert_eq!(owner.get("/api/v1/reviews").await.json()["items"].as_array().map(Vec::len), Some(1), "others' stay");
        let figure = |answer: &Value, id: &str| {
            let all = answer["figures"].as_array().expect("figures").iter();
            all.map(|figure| figure.to_string()).find(|figure| figure.contains(&format!("\"{id}\""))).expect("the figure")
        };
        let after = owner.get("/api/v1/figures").await.json();
        assert_eq!(figure(&after, "completion_rate"), figure(&reviewed, "completion_rate"), "figures stay");
        owner.app.clock().advance_ms(731 * 86_400_000);
        owner.app.app().apply_retention(steward_app::retention::Retention::default()).await.expect("dropped");
        let all = ReviewFilter { with_undone: true, ..ReviewFilter::default() };
        let left = owner.app.app().list_reviews(&owner.actor, &all, None, None, 10).await.expect("reviews").reviews;
        assert_eq!(left, [], "reviews go with their runs");
    }

    async fn odd_requests_are_refused(db: TestDb) {
        let owner = north(db, &[failing("a", 30, "<script>alert(1)</script> ' OR 1=1 --")]).await;
        let id = items(&owner, "").await[0]["id"].as_str().expect("an id").to_owned();
        post(&owner, &format!("/queue/{id}/claim"), json!({})).await;
        for odd in [
            json!({"judgement": {"outcome": "unverified"}}),
            json!({"judgement": {"outcome": "gone"}}),
            json!({"judgement": {"prevented_by": "rule"}}),
            json!({"judgement": {"cleanup_minutes": -1}}),
            json!({"judgement": {"cleanup_minutes": 2_401}}),
            json!({"judgement": {"comment": "x".repeat(4_001)}}),
            json!({"judgement": {"comment": "a\u{0}b"}}),
            json!({"judgement": {"other": 1}}),
            json!({"judgement": null}),
            json!({"active_ms": -1}),
            json!({"active_ms": 28_800_001}),
            json!({"correction": {"active_ms": 5, "note": " "}}),
            json!({"correction": {"active_ms": -5, "note": "x"}}),
            json!([]),
        ] {
            let (status, refused) = post(&owner, &format!("/queue/{id}/review"), odd.clone()).await;
            assert!((400..500).contains(&status), "{odd}: {status} {refused}");
        }
        for (path, body) in [
            ("/queue/item_1/claim".to_owned(), json!({})),
            (format!("/queue/{id}/keep"), json!({"active_ms": i64::MIN})),
            (format!("/queue/{id}/keep"), json!({})),
            ("/queue/assign".to_owned(), json!({"items": [], "to": null})),
            ("/queue/assign".to_owned(), json!({"items": vec![&id; 501], "to": null})),
            ("/queue/assign".to_owned(), json!({"items": [id], "to": "pe_ffffffffffffffffffffffffffffffff"})),
            ("/queue/next".to_owned(), json!({"assignee": "all"})),
            ("/reviews/rev_ffffffffffffffffffffffffffffffff/undo".to_owned(), json!({})),
            ("/bulk-reviews/bulk_ffffffffffffffffffffffffffffffff/undo".to_owned(), json!({})),
            ("/patterns/pat_ffffffffffffffffffffffffffffffff/review".to_owned(), json!({"judgement": {}})),
        ] {
            let (status, refused) = post(&owner, &path, body).await;
            assert!((400..500).contains(&status), "{path}: {status} {refused}");
        }
        assert_eq!(post(&owner, &format!("/queue/{id}/review"), json!({})).await.0, 200, "it is still theirs");
    }
}
