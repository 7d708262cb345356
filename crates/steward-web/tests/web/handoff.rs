//! Handing over: the packet, and links by which somebody without a sign-in reads it and says what they did.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use steward_core::people::Role;
use steward_core::time::{DAY_MICROS, Timestamp};
use steward_testkit::{Answer, NOW, Seat, TestApp, TestDb, db_tests};

/// A run in which somebody wants their money back and the refund is refused.
pub(crate) fn refused(id: &str, workflow: &str) -> Value {
    let at = |second: u32| format!("2026-11-23T12:00:{second:02}Z");
    json!({
        "id": id, "workflow": workflow, "started_at": at(0), "ended_at": at(30), "outcome": "failed", "user_id": "user-812",
        "cost_usd": 0.25,
        "steps": [
            {"id": "m", "kind": "model", "name": "chat", "model": "gpt-4o", "started_at": at(1), "ended_at": at(2),
             "input": [{"role": "system", "content": "hidden instructions"},
                       {"role": "user", "content": "Refund order 4711, I am anna@example.com"}],
             "output": [{"role": "assistant", "content": "One moment."}]},
            {"id": "g", "kind": "tool", "tool": "get_order", "started_at": at(3), "ended_at": at(4),
             "input": {"order_id": 4711}, "output": {"id": 4711}},
            {"id": "r", "kind": "tool", "tool": "refund_order", "started_at": at(5), "ended_at": at(6),
             "input": {"order_id": 4711}, "error": {"code": "403", "message": "forbidden"}},
        ],
    })
}

struct World {
    app: TestApp,
    owner: Seat,
    exception: String,
}

async fn world(db: TestDb) -> World {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let client = owner.with_client("Shop").await;
    owner.with_workflow("bot", Some(client.id)).await;
    owner.take_in(&[refused("a", "bot")]).await;
    app.app().mine_patterns().await.expect("mined");
    let exceptions = owner.get("/api/v1/exceptions").await.json();
    let exception = exceptions["items"][0]["id"].as_str().expect("an exception").to_owned();
    World { app, owner, exception }
}

impl World {
    async fn link(&self, days: u32) -> (String, String) {
        let path = format!("/api/v1/exceptions/{}/links", self.exception);
        let made = self.owner.send_json("POST", &path, &json!({"made_for": "The shop", "days": days})).await.json();
        let url = made["url"].as_str().expect("an address");
        let path = url.strip_prefix("http://steward.test").expect("ours").to_owned();
        (path, made["link"]["id"].as_str().expect("an id").to_owned())
    }

    async fn audited(&self, action: &str) -> usize {
        let log = self.app.app().store_of(&self.owner.actor).list_audit(200).await.expect("the log");
        log.iter().filter(|entry| entry.action == action).count()
    }
}

fn is_for_nobody_else(answer: &Answer) {
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-robots-tag"), "noindex, nofollow");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(answer.header("set-cookie").is_empty(), "whoever comes by a link gets no session");
}

db_tests! {
    async fn a_packet_says_what_was_asked_done_and_is_missing(db: TestDb) {
        let world = world(db).await;
        let packet = world.owner.get(&format!("/api/v1/exceptions/{}/packet", world.exception)).await.json();
        assert_eq!(packet["asked_first"], "Refund order 4711, I am anna@example.com");
        let acts: Vec<&str> = packet["acts"].as_array().expect("acts").iter().filter_map(|a| a["words"].as_str()).collect();
        assert_eq!(acts, ["looked up order 4711: found", "tried to refund order 4711: access was refused, 403"]);
        assert_eq!(packet["missing"][0]["kind"], "permission");
        assert_eq!(packet["contacts"][0]["value"], "anna@example.com");
        assert_eq!(packet["user_id"], "user-812");
        let page = world.owner.get(&format!("/exceptions/{}/handoff", world.exception)).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("tried to refund order 4711") && page.text().contains("mailto:anna@example.com"));
    }

    async fn who_has_the_link_reads_the_packet_and_nothing_else(db: TestDb) {
        let world = world(db).await;
        let (path, id) = world.link(7).await;
        assert!(path.starts_with("/h/stp_") && path.len() > 60, "{path}");
        let page = world.app.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.in_short());
        is_for_nobody_else(&page);
        let text = page.text();
        assert!(text.contains("tried to refund order 4711") && text.contains("anna@example.com"), "{text}");
        for hidden in ["hidden instructions", "0.25", "0,25", "$", "Owner of north", "/runs/", "exc_"] {
            assert!(!text.contains(hidden), "“{hidden}” stands on the page");
        }
        world.app.get(&path).await;
        let links = world.owner.get(&format!("/api/v1/exceptions/{}/links", world.exception)).await.json();
        assert_eq!((&links["items"][0]["id"], &links["items"][0]["n_opened"]), (&json!(id), &json!(2)));
        assert!(!links.to_string().contains(&path[3..]), "the token is shown once");
        assert_eq!((world.audited("handoff.link.create").await, world.audited("handoff.link.open").await), (1, 1));
        let nowhere = world.app.get(&format!("/h/stp_{}", "0".repeat(64))).await;
        assert_eq!(nowhere.status, 404);
        is_for_nobody_else(&nowhere);
    }

    async fn a_link_ends_and_can_be_revoked_and_says_so(db: TestDb) {
        let world = world(db).await;
        let (path, _) = world.link(2).await;
        world.app.clock().set(Timestamp(NOW.0 + 2 * DAY_MICROS - 1));
        assert_eq!(world.app.get(&path).await.status, 200);
        world.app.clock().set(Timestamp(NOW.0 + 2 * DAY_MICROS));
        let ended = world.app.get(&path).await;
        assert_eq!(ended.status, 410);
        is_for_nobody_else(&ended);
        assert!(ended.text().contains("25 Nov 2026") && ended.text().contains("Ask whoever sent it"), "{}", ended.text());
        assert!(!ended.text().contains("4711"));
        let (path, id) = world.link(1).await;
        assert_eq!(world.owner.send_json("DELETE", &format!("/api/v1/links/{id}"), &json!({})).await.status, 204);
        assert_eq!(world.owner.send_json("DELETE", &format!("/api/v1/links/{id}"), &json!({})).await.status, 204);
        let revoked = world.app.get(&path).await;
        assert!(revoked.status == 410 && revoked.text().contains("revoked"), "{}", revoked.in_short());
        let late = world.app.post_form(&path, &[("name", "Jo"), ("resolution", "too late")]).await;
        assert_eq!(late.status, 410);
        assert_eq!(world.audited("handoff.link.revoke").await, 1);
        let links = world.owner.get(&format!("/api/v1/exceptions/{}/links", world.exception)).await.json();
        assert_eq!(links["answers"], json!([]));
    }

    async fn what_was_done_is_recorded_and_helps_the_next(db: TestDb) {
        let world = world(db).await;
        let (path, _) = world.link(7).await;
        let nameless = world.app.post_form(&path, &[("resolution", "Refunded by hand")]).await;
        assert_eq!(nameless.status, 422);
        assert!(nameless.text().contains("Say who you are") && nameless.text().contains("Refunded by hand"));
        let long = "x".repeat(2_001);
        assert_eq!(world.app.post_form(&path, &[("name", "Jo"), ("resolution", &long)]).await.status, 422);
        let done = world.app.post_form(&path, &[("name", "Jo <b>"), ("resolution", "Refunded by hand")]).await;
        assert_eq!(done.status, 200);
        assert!(done.text().contains("it is recorded") && done.text().contains("Jo &#60;b&#62;"), "{}", done.text());
        assert_eq!(world.audited("handoff.link.answer").await, 1);
        // The next run with the same problem knows of it.
        world.owner.take_in(&[refused("b", "bot")]).await;
        world.app.app().mine_patterns().await.expect("mined");
        let exceptions = world.owner.get("/api/v1/exceptions").await.json();
        let ids = exceptions["items"].as_array().expect("items").iter().filter_map(|e| e["id"].as_str());
        let next = ids.into_iter().find(|id| *id != world.exception).expect("another").to_owned();
        let packet = world.owner.get(&format!("/api/v1/exceptions/{next}/packet")).await.json();
        assert_eq!(packet["worked"][0]["resolution"], "Refunded by hand");
        for n in 0..19 {
            let form = [("name", "Jo"), ("resolution", &*format!("again {n}"))];
            assert_eq!(world.app.post_form(&path, &form).await.status, 200);
        }
        assert_eq!(world.app.post_form(&path, &[("name", "Jo"), ("resolution", "once more")]).await.status, 422);
        // From elsewhere nothing is taken.
        let elsewhere = Request::builder()
            .method("POST")
            .uri(&path)
            .header("host", "steward.test")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "cross-site");
        assert_eq!(world.app.send(elsewhere.body(Body::from("name=Jo")).expect("a request")).await.status, 403);
    }

    async fn tokens_cannot_be_tried_out(db: TestDb) {
        let world = world(db).await;
        let (path, _) = world.link(7).await;
        for n in 0..30 {
            assert_eq!(world.app.get(&format!("/h/stp_{n:064x}")).await.status, 404);
        }
        let refused = world.app.get(&format!("/h/stp_{:064x}", 31)).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "900"));
        assert_eq!(world.app.get(&path).await.status, 429, "whoever tried so many waits");
        world.app.clock().set(Timestamp(NOW.0 + 901 * 1_000_000));
        assert_eq!(world.app.get(&path).await.status, 200);
        for odd in ["/h/", "/h/x", "/h/stp_", "/h/%00", "/h/stp_%F0%9F%98%80"] {
            assert_eq!(world.app.get(odd).await.status, 404, "{odd}");
        }
    }

    async fn only_who_operates_makes_links(db: TestDb) {
        let world = world(db).await;
        let clients = world.app.app().visible_clients(&world.owner.actor, true).await.expect("clients");
        let contractor = world.owner.with_person("con@north.test", Role::Contractor, &[clients[0].id]).await;
        let path = format!("/api/v1/exceptions/{}/links", world.exception);
        assert_eq!(contractor.send_json("POST", &path, &json!({})).await.status, 403);
        assert_eq!(contractor.get(&format!("/exceptions/{}/handoff", world.exception)).await.status, 200);
        for days in [0, 91, u32::MAX] {
            let answer = world.owner.send_json("POST", &path, &json!({"days": days})).await;
            assert_eq!(answer.status, 422, "{days} days");
        }
        let other = world.owner.with_client("Other").await;
        let stranger = world.owner.with_person("other@north.test", Role::Contractor, &[other.id]).await;
        for path in ["packet", "links"] {
            assert_eq!(stranger.get(&format!("/api/v1/exceptions/{}/{path}", world.exception)).await.status, 404);
        }
    }

    async fn a_channel_is_made_changed_and_deleted_and_shows_no_secret(db: TestDb) {
        let world = world(db).await;
        let workflows = world.owner.get("/api/v1/workflows").await.json();
        let workflow = workflows["items"][0]["id"].as_str().expect("a workflow").to_owned();
        let page = format!("/workflows/{workflow}/handoff");
        assert!(world.owner.get(&page).await.text().contains("Nothing is sent"));
        let url = "https://hooks.slack.com/services/T0/B0/hunter2";
        let mut form = vec![("kind", "slack"), ("name", "Floor"), ("to", url), ("per_hour", "5"), ("link_days", "3")];
        let none = world.owner.post_form(&page, &form).await;
        assert!(none.status == 422 && none.text().contains("at least one sort"), "{}", none.in_short());
        form.extend([("kind_error", "on"), ("kind_escalation", "on"), ("least_value", "4,5")]);
        let odd = world.owner.post_form(&page, &form).await;
        assert!(odd.status == 422 && odd.text().contains("is a number"), "{}", odd.in_short());
        form.pop();
        let made = world.owner.post_form(&page, &form).await;
        assert_eq!(made.status, 303, "{}", made.in_short());
        let path = made.header("location").to_owned();
        let shown = world.owner.get(&path).await;
        assert!(shown.text().contains("https://hooks.slack.com/…") && !shown.text().contains("hunter2"));
        let listed = world.owner.get(&format!("/api/v1/workflows/{workflow}/channels")).await.json();
        let channel = &listed["items"][0];
        assert_eq!((&channel["kind"], &channel["choice"]["per_hour"]), (&json!("slack"), &json!(5)));
        assert_eq!(channel["choice"]["kinds"], json!(["error", "escalation"]));
        assert!(!listed.to_string().contains("hunter2"));
        let id = channel["id"].as_str().expect("an id").to_owned();
        let api = format!("/api/v1/channels/{id}");
        assert_eq!(world.owner.send_json("POST", &format!("{api}/test"), &json!({})).await.status, 202);
        let paused = world.owner.send_json("PATCH", &api, &json!({"paused": true})).await.json();
        assert!(paused["paused_at"].is_string() && paused["n_waiting"] == 1, "{paused}");
        let refused = world.owner.send_json("POST", &format!("{api}/test"), &json!({})).await;
        assert_eq!(refused.status, 422, "a paused channel sends no test");
        for wrong in [json!({"choice": {"per_hour": 0}}), json!({"choice": {"link_days": 91}}), json!({"to": "nowhere"}), json!({"name": "a\nb"})] {
            assert_eq!(world.owner.send_json("PATCH", &api, &wrong).await.status, 422, "{wrong}");
        }
        let of_client = world.app.app().visible_clients(&world.owner.actor, true).await.expect("clients")[0].id;
        let new = json!({"kind": "webhook", "to": "https://bot.example/hook?key=hunter2"});
        let made = world.owner.send_json("POST", &format!("/api/v1/clients/{of_client}/channels"), &new).await.json();
        assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{made}");
        assert_eq!(made["channel"]["to"], "https://bot.example/…");
        assert!(world.owner.get(&format!("/clients/{of_client}/handoff")).await.text().contains("for one workflow"));
        assert_eq!(world.owner.send_json("DELETE", &api, &json!({})).await.status, 204);
        assert_eq!(world.owner.get(&path).await.status, 404);
        let contractor = world.owner.with_person("con@north.test", Role::Contractor, &[of_client]).await;
        for path in [page, format!("/clients/{of_client}/handoff"), format!("/api/v1/clients/{of_client}/channels")] {
            assert_eq!(contractor.get(&path).await.status, 403, "{path}");
        }
        for action in ["create", "update", "test", "delete"] {
            assert!(world.audited(&format!("handoff.channel.{action}")).await > 0, "{action} is in the audit log");
        }
    }

    async fn a_workflow_that_moves_to_another_client_tells_the_old_one_nothing_more(db: TestDb) {
        let world = world(db).await;
        let (path, _) = world.link(7).await;
        let workflows = world.owner.get("/api/v1/workflows").await.json();
        let workflow = workflows["items"][0]["id"].as_str().expect("a workflow").to_owned();
        let new = json!({"kind": "webhook", "to": "https://bot.example/hook"});
        let channels = format!("/api/v1/workflows/{workflow}/channels");
        let made = world.owner.send_json("POST", &channels, &new).await;
        assert_eq!(made.status, 200, "{}", made.in_short());
        let other = world.owner.with_client("Other Shop").await;
        let id = workflow.parse().expect("an id");
        world.app.app().assign_workflow(&world.owner.actor, id, other.id).await.expect("moved");
        let listed = world.owner.get(&channels).await.json();
        assert!(listed["items"][0]["paused_at"].is_string(), "{listed}");
        assert_eq!(world.app.get(&path).await.status, 410, "the link is revoked");
    }

    async fn a_link_of_what_is_archived_has_ended_until_it_is_taken_back(db: TestDb) {
        let world = world(db).await;
        let (app, actor) = (world.app.app(), &world.owner.actor);
        let (path, _) = world.link(7).await;
        let workflow = app.visible_workflows(actor, true).await.expect("workflows")[0].clone();
        let client = workflow.client_id.expect("a client");
        let new = json!({"kind": "webhook", "to": "https://bot.example/hook"});
        let channels = format!("/api/v1/workflows/{}/channels", workflow.id);
        let channel = world.owner.send_json("POST", &channels, &new).await.json();
        let channel = channel["channel"]["id"].as_str().expect("an id").to_owned();
        app.fill_queue().await.expect("filled");
        for (what, mine) in [("workflow", format!("/workflows/{}", workflow.id)), ("client", format!("/clients/{client}"))] {
            assert_eq!(world.app.get(&path).await.status, 200);
            assert_eq!(world.owner.post_form(&format!("{mine}/archive"), &[]).await.status, 303);
            let ended = world.app.get(&path).await;
            assert_eq!(ended.status, 410, "{}", ended.in_short());
            is_for_nobody_else(&ended);
            let text = ended.text();
            assert!(text.contains("This link has ended") && text.contains("workflow or client that it belongs to was archived"));
            for hidden in ["4711", "anna", ">bot<", "Shop"] {
                assert!(!text.contains(hidden), "“{hidden}” stands on the page");
            }
            let late = world.app.post_form(&path, &[("name", "Jo"), ("resolution", "too late")]).await;
            assert_eq!(late.status, 410);
            let words = format!("the {what} is archived: take it back, then make a link");
            let links = format!("/api/v1/exceptions/{}/links", world.exception);
            let refused = world.owner.send_json("POST", &links, &json!({})).await;
            assert_eq!((refused.status.as_u16(), refused.json()["detail"].as_str()), (422, Some(&*words)), "{}", refused.text());
            let page = format!("/exceptions/{}/handoff", world.exception);
            let refused = world.owner.post_form(&page, &[("for", "Jo"), ("days", "7")]).await;
            assert_eq!(refused.status, 422);
            assert!(refused.text().contains(&words[1..]), "{}", refused.text());
            let shown = world.owner.get(&page).await;
            assert!(shown.text().contains(&format!("The {what} is archived: no link opens")), "{}", shown.text());
            for page in [format!("/workflows/{}/handoff", workflow.id), format!("/clients/{client}/handoff"), format!("/channels/{channel}")] {
                let is_on_its = what == "client" || !page.starts_with("/clients");
                let shown = world.owner.get(&page).await;
                assert_eq!(shown.text().contains(&format!("The {what} is archived")), is_on_its, "{page}");
            }
            assert_eq!(world.owner.send_json("POST", &format!("/api/v1/channels/{channel}/test"), &json!({})).await.status, 422);
            assert_eq!(world.owner.post_form(&format!("{mine}/unarchive"), &[]).await.status, 303);
        }
        assert_eq!(world.app.get(&path).await.status, 200);
        let answers = world.owner.get(&format!("/api/v1/exceptions/{}/links", world.exception)).await.json();
        assert_eq!(answers["answers"], json!([]));
    }

    async fn what_was_handed_over_goes_with_the_users_data(db: TestDb) {
        let world = world(db).await;
        let (path, _) = world.link(7).await;
        let form = [("name", "Jo"), ("resolution", "Called anna@example.com")];
        assert_eq!(world.app.post_form(&path, &form).await.status, 200);
        let store = world.app.app().store_of(&world.owner.actor);
        let id = world.exception.parse().expect("an id");
        assert_eq!(store.list_handoff_answers(id).await.expect("answers").len(), 1);
        let deleted = world.owner.send_json("POST", "/api/v1/user-data/delete", &json!({"user_id": "user-812"})).await;
        assert_eq!(deleted.status, 200, "{}", deleted.in_short());
        assert_eq!(world.app.get(&path).await.status, 404);
        assert!(store.list_handoff_answers(id).await.expect("answers").is_empty());
        assert!(store.list_handoff_links(id).await.expect("links").is_empty());
    }

    async fn links_that_ended_long_ago_are_forgotten(db: TestDb) {
        let world = world(db).await;
        let (path, _) = world.link(1).await;
        let later = |days: i64| Timestamp(NOW.0 + days * DAY_MICROS + 1);
        for (days, status) in [(2, 410), (90, 410), (91, 404)] {
            world.app.clock().set(later(days));
            world.app.app().store().tidy_handoff(later(days)).await.expect("tidied");
            assert_eq!(world.app.get(&path).await.status, status, "after {days} days");
        }
    }
}
