//! Exceptions and their patterns: found, counted once, kept through revisions and rebuilds, and what people make of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use steward_app::tenant::{ExceptionFilter, PatternFilter, PatternListed, PatternSort};
use steward_app::{App, IdSource};
use steward_core::ids::PatternId;
use steward_core::patterns::PatternState;
use steward_core::people::Role;
use steward_core::time::Timestamp;
use steward_testkit::{NOW, Seat, TestApp, TestDb, db_tests};

/// A run of `bot` at a minute of the day, whose call of a tool failed with a message.
fn failing(id: &str, minute: u32, tool: &str, message: &str) -> Value {
    let at = |second: u32| format!("2026-11-23T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60);
    json!({
        "id": id, "workflow": "bot", "release": "v1", "started_at": at(0), "ended_at": at(30), "user_id": format!("user-{id}"),
        "cost_usd": 0.25, "outcome": "failed",
        "steps": [{"id": "s", "kind": "tool", "tool": tool, "started_at": at(1), "ended_at": at(2), "error": message}],
    })
}

async fn north(db: TestDb) -> Seat {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    owner.with_workflow("bot", None).await;
    owner
}

async fn mine(owner: &Seat) {
    owner.app.app().mine_patterns().await.expect("mined");
}

async fn listed(owner: &Seat) -> Vec<PatternListed> {
    let app = owner.app.app();
    let page = app.list_patterns(&owner.actor, &PatternFilter::default(), None, PatternSort::Count, None, 200).await;
    page.expect("patterns").patterns
}

/// Each pattern by its template: exceptions, runs, id.
async fn account(owner: &Seat) -> BTreeMap<String, (i64, i64, PatternId)> {
    let patterns = listed(owner).await.into_iter();
    patterns
        .map(|p| (format!("{}: {}", p.pattern.head.tool, p.pattern.template), (p.n, p.n_runs, p.pattern.id)))
        .collect()
}

async fn only(owner: &Seat) -> PatternListed {
    let mut patterns = listed(owner).await;
    assert_eq!(patterns.len(), 1, "{patterns:#?}");
    patterns.remove(0)
}

fn orders(n: u32) -> Vec<Value> {
    (0..n).map(|i| failing(&format!("o{i}"), i, "book", &format!("order {} not found", 1_000 + i * 7))).collect()
}

db_tests! {
    async fn what_is_the_same_problem_is_one_pattern_and_other_tools_have_their_own(db: TestDb) {
        let owner = north(db).await;
        let mut runs = orders(12);
        runs.extend((0..3).map(|i| failing(&format!("c{i}"), 30 + i, "cancel", &format!("order {i} not found"))));
        runs.extend((0..2).map(|i| failing(&format!("t{i}"), 40 + i, "book", "the service timed out")));
        owner.take_in(&runs).await;
        mine(&owner).await;
        let found: Vec<_> = account(&owner).await.into_iter().map(|(name, (n, runs, _))| (name, n, runs)).collect();
        assert_eq!(found, [
            ("book: order <*> not found".to_owned(), 12, 12),
            ("book: the service timed out".to_owned(), 2, 2),
            ("cancel: order <*> not found".to_owned(), 3, 3),
        ]);
        let all = owner.app.app().list_exceptions(&owner.actor, &ExceptionFilter::default(), None, None, 500).await;
        let all = all.expect("exceptions").exceptions;
        assert_eq!(all.len(), 17, "a failed end that the tool's error explains is no second one");
        assert!(all.iter().all(|e| e.pattern_id.is_some() && e.wasted_nanos == 250_000_000));
        let runs = owner.get("/api/v1/runs?exceptions=yes&limit=500").await.json();
        let n: i64 = runs["items"].as_array().expect("runs").iter().filter_map(|run| run["n_exceptions"].as_i64()).sum();
        assert_eq!(n, 17, "one definition: what runs count is what there is");
        assert_eq!(owner.app.app().mine_patterns().await.expect("mined"), 0, "there is nothing left to do");
    }

    async fn a_revision_keeps_what_is_the_same_and_takes_back_what_is_gone(db: TestDb) {
        let owner = north(db).await;
        let run = |messages: &[&str], phase: u32| {
            let mut run = failing("r", 10, "book", "");
            run["ended_at"] = json!(format!("2026-11-23T00:10:{:02}Z", 30 + phase));
            let step = run["steps"][0].clone();
            let steps = messages.iter().enumerate().map(|(i, message)| {
                let mut step = step.clone();
                step["id"] = json!(format!("s{i}"));
                step["error"] = if message.is_empty() { Value::Null } else { json!(message) };
                step["ended_at"] = json!(format!("2026-11-23T00:10:{:02}Z", 2 + phase));
                step
            });
            run["steps"] = steps.collect();
            run
        };
        owner.take_in(&[run(&["no seats left", "the service timed out"], 0)]).await;
        mine(&owner).await;
        let before = account(&owner).await;
        assert_eq!(before.len(), 2);
        owner.take_in(&[run(&["no seats left", ""], 1)]).await;
        mine(&owner).await;
        let after = account(&owner).await;
        assert_eq!(after["book: no seats left"], before["book: no seats left"], "the same row, the same pattern");
        let (n, n_runs, id) = after["book: the service timed out"];
        assert_eq!((n, n_runs, id), (0, 0, before["book: the service timed out"].2), "it is gone, and is counted no more");
    }

    async fn the_order_of_arrival_changes_no_group(db: TestDb) {
        let owner = north(db).await;
        let south = owner.app.agency("south").await;
        south.with_workflow("bot", None).await;
        let mut runs = orders(25);
        runs.extend((0..25).map(|i| failing(&format!("u{i}"), 100 + i, "book", &format!("user {} may not do this", 77 * i))));
        runs.extend((0..6).map(|i| failing(&format!("d{i}"), 200 + i, "book", ["door", "gate", "lock", "bolt", "hatch", "seal"][i as usize])));
        for chunk in runs.chunks(4) {
            owner.take_in(chunk).await;
            mine(&owner).await;
        }
        runs.reverse();
        for chunk in runs.chunks(17) {
            south.take_in(chunk).await;
            mine(&south).await;
        }
        let told = async |seat: &Seat| {
            let all = account(seat).await.into_iter();
            all.map(|(name, (n, n_runs, _))| (name, n, n_runs)).collect::<Vec<_>>()
        };
        assert_eq!(told(&owner).await, told(&south).await);
        assert_eq!(told(&owner).await.iter().map(|(_, n, _)| n).sum::<i64>(), 56);
    }

    async fn a_rebuild_gives_the_same_patterns_with_what_people_said(db: TestDb) {
        let owner = north(db).await;
        let mut runs = orders(6);
        runs.extend((0..4).map(|i| failing(&format!("t{i}"), 40 + i, "book", "the service timed out")));
        owner.take_in(&runs).await;
        mine(&owner).await;
        let before = account(&owner).await;
        let app = owner.app.app();
        let (_, _, orders) = before["book: order <*> not found"];
        app.update_pattern(&owner.actor, orders, Some("Lost orders"), Some(PatternState::Known), None).await.expect("known");
        app.rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(account(&owner).await, before);
        let (pattern, _) = app.get_pattern(&owner.actor, orders).await.expect("there");
        assert_eq!((pattern.name.as_str(), pattern.state), ("Lost orders", PatternState::Known));
    }

    async fn a_resolved_pattern_regresses_with_a_run_that_began_later_and_says_so(db: TestDb) {
        let owner = north(db).await;
        owner.take_in(&orders(10)).await;
        mine(&owner).await;
        let id = only(&owner).await.pattern.id;
        let app = owner.app.app();
        let resolved = app.update_pattern(&owner.actor, id, None, Some(PatternState::Resolved), Some("v2")).await;
        let resolved = resolved.expect("resolved");
        assert_eq!((resolved.resolved_at, resolved.resolved_in.as_str()), (Some(NOW), "v2"));
        // It arrives later, and began before.
        owner.take_in(&[failing("late", 60, "book", "order 5 not found")]).await;
        mine(&owner).await;
        assert_eq!(only(&owner).await.pattern.state, PatternState::Resolved);
        owner.app.clock().advance_ms(6 * 3_600_000);
        let mut good = failing("fine", 15 * 60, "book", "");
        good["steps"][0]["error"] = Value::Null;
        good["outcome"] = json!("completed");
        owner.take_in(&[good, failing("again", 15 * 60 + 5, "book", "order 6 not found")]).await;
        mine(&owner).await;
        let pattern = only(&owner).await.pattern;
        assert_eq!((pattern.state, pattern.n), (PatternState::Regressed, 12));
        assert!(pattern.regressed_at.is_some_and(|at| at > NOW));
        let detail = app.get_pattern_detail(&owner.actor, id, steward_app::figures::last_days(owner.app.clock().now(), 7, &jiff::tz::TimeZone::UTC));
        let resolution = detail.await.expect("there").resolution.expect("it was resolved");
        assert_eq!(resolution.after, (1, 2), "of the runs after it");
        assert!(resolution.intervals()[1].is_some());
    }

    async fn a_muted_pattern_stays_muted(db: TestDb) {
        let owner = north(db).await;
        owner.take_in(&orders(3)).await;
        mine(&owner).await;
        let id = only(&owner).await.pattern.id;
        let app = owner.app.app();
        app.update_pattern(&owner.actor, id, None, Some(PatternState::Muted), None).await.expect("muted");
        owner.app.clock().advance_ms(3_600_000);
        owner.take_in(&[failing("again", 13 * 60, "book", "order 6 not found")]).await;
        mine(&owner).await;
        assert_eq!(only(&owner).await.pattern.state, PatternState::Muted);
        let refused = app.update_pattern(&owner.actor, id, None, Some(PatternState::Regressed), None).await;
        assert!(refused.is_err(), "only what was resolved can come back");
    }

    async fn two_patterns_put_together_stay_together_until_that_is_taken_back(db: TestDb) {
        let owner = north(db).await;
        let app = owner.app.app();
        let timeout = |id: &str, minute| failing(id, minute, "cancel", "the service timed out");
        owner.take_in(&orders(6)).await;
        owner.take_in(&[timeout("t1", 40), timeout("t2", 41)]).await;
        mine(&owner).await;
        let before = account(&owner).await;
        let (orders, timeouts) = (before["book: order <*> not found"].2, before["cancel: the service timed out"].2);
        let shown = app.merge_patterns(&owner.actor, timeouts, orders).await.expect("one");
        assert_eq!((shown.id, shown.n, shown.n_runs), (orders, 8, 8));
        assert!(app.merge_patterns(&owner.actor, orders, timeouts).await.is_err(), "it would be part of itself");
        owner.take_in(&[timeout("t3", 42)]).await;
        mine(&owner).await;
        assert_eq!(only(&owner).await.n, 9, "what comes later is shown there too");
        app.rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(only(&owner).await.n, 9, "mining anew respects it");
        app.unmerge_pattern(&owner.actor, timeouts).await.expect("apart");
        let after = account(&owner).await;
        assert_eq!(after["book: order <*> not found"], (6, 6, orders));
        assert_eq!(after["cancel: the service timed out"], (3, 3, timeouts));
        assert!(app.unmerge_pattern(&owner.actor, timeouts).await.is_err(), "there is nothing to take back");
    }

    async fn what_is_set_apart_stays_apart_until_that_is_taken_back(db: TestDb) {
        let owner = north(db).await;
        let app = owner.app.app();
        // Names behind the same noun are values to the miner; to this agency one of them is another matter.
        let names = ["root", "maria", "guest", "news", "carla", "worker"];
        let message = |i: usize| format!("Invalid user {} from 10.0.0.{i}", names[i % names.len()]);
        let runs: Vec<_> = (0..24).map(|i| failing(&format!("d{i}"), u32::try_from(i).expect("few"), "book", &message(i))).collect();
        owner.take_in(&runs).await;
        mine(&owner).await;
        let all = listed(&owner).await;
        let parent = all.iter().max_by_key(|p| p.n).expect("some").pattern.clone();
        let n = all.iter().map(|p| p.n).max().expect("some");
        let store = app.store_of(&owner.actor);
        let variants = store.list_variants(parent.id, 20).await.expect("variants");
        assert!(variants.len() > 1, "the miner takes them for one: {all:#?}");
        let apart = variants[0].clone();
        let whole: Vec<String> = variants.iter().map(|variant| variant.shape.clone()).collect();
        assert!(app.split_pattern(&owner.actor, parent.id, &whole).await.is_err(), "nothing would be left");
        assert!(app.split_pattern(&owner.actor, parent.id, &["0.0".to_owned()]).await.is_err());
        let new = app.split_pattern(&owner.actor, parent.id, std::slice::from_ref(&apart.shape)).await.expect("apart");
        assert_eq!((new.n, new.split_from), (apart.n, Some(parent.id)));
        assert_eq!(app.get_pattern(&owner.actor, parent.id).await.expect("there").0.n, n - apart.n);
        app.rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(app.get_pattern(&owner.actor, new.id).await.expect("there").0.n, apart.n, "mining anew respects it");
        app.unsplit_pattern(&owner.actor, new.id).await.expect("back");
        assert_eq!(app.get_pattern(&owner.actor, parent.id).await.expect("there").0.n, n);
        app.rebuild(owner.actor.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(app.get_pattern(&owner.actor, parent.id).await.expect("there").0.n, n);
    }

    async fn processes_that_mine_at_once_count_each_exception_once(db: TestDb) {
        let owner = north(db).await;
        let app = owner.app.app();
        let another = App::new(owner.app.db().open().await, owner.app.clock().clone(), IdSource::random(), "http://steward.test");
        for round in 0..4 {
            let runs: Vec<_> = (0..40)
                .map(|i| failing(&format!("{round}-{i}"), i, ["book", "cancel"][i as usize % 2], &format!("order {} not found", i * 31)))
                .collect();
            owner.take_in(&runs).await;
            let (one, other) = tokio::join!(app.mine_patterns(), another.mine_patterns());
            one.expect("mined");
            other.expect("mined");
            mine(&owner).await;
        }
        let all: Vec<_> = account(&owner).await.into_values().map(|(n, n_runs, _)| (n, n_runs)).collect();
        assert_eq!(all, [(80, 80), (80, 80)]);
    }

    async fn retention_takes_exceptions_with_their_runs_and_leaves_counts(db: TestDb) {
        let owner = north(db).await;
        owner.take_in(&orders(5)).await;
        mine(&owner).await;
        owner.app.clock().advance_ms(800 * 86_400_000);
        owner.app.app().apply_retention(steward_app::retention::Retention::default()).await.expect("dropped");
        let all = owner.app.app().list_exceptions(&owner.actor, &ExceptionFilter::default(), None, None, 500).await;
        assert_eq!(all.expect("an answer").exceptions, []);
        let pattern = only(&owner).await.pattern;
        assert_eq!((pattern.n, pattern.n_runs), (5, 5), "what was counted stays counted");
    }

    async fn deleting_an_end_user_s_data_deletes_their_words(db: TestDb) {
        let owner = north(db).await;
        let mut runs = orders(4);
        runs.push(failing("secret", 50, "book", "Ms Lovelace of Ockham Park may not book"));
        owner.take_in(&runs).await;
        mine(&owner).await;
        let app = owner.app.app();
        let holds = async |word: &str| {
            let all = owner.app.db().everything_stored().await;
            all.into_iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains(word)).map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert!(holds("Ockham").await.iter().any(|place| place.starts_with("patterns")), "the test looks where it should");
        app.delete_user_data(&owner.actor, "user-secret", None).await.expect("deleted");
        assert_eq!(holds("Ockham").await, [""; 0]);
        assert_eq!(only(&owner).await.n, 4, "others' stay");
    }

    async fn people_see_patterns_of_their_clients_and_operators_change_them(db: TestDb) {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let (shop, other) = (owner.with_client("Shop").await, owner.with_client("Other").await);
        owner.with_workflow("bot", Some(shop.id)).await;
        owner.take_in(&orders(3)).await;
        mine(&owner).await;
        let id = only(&owner).await.pattern.id;
        let insider = owner.with_person("in@north.test", Role::Contractor, &[shop.id]).await;
        let outsider = owner.with_person("out@north.test", Role::Contractor, &[other.id]).await;
        let n = async |seat: &Seat, path: &str| seat.get(path).await.json()["items"].as_array().map_or(0, Vec::len);
        for path in ["/api/v1/patterns".to_owned(), "/api/v1/exceptions".to_owned(), format!("/api/v1/exceptions?pattern={id}")] {
            let expected = if path.contains("patterns") { 1 } else { 3 };
            assert_eq!((n(&owner, &path).await, n(&insider, &path).await, n(&outsider, &path).await), (expected, expected, 0));
        }
        let path = format!("/api/v1/patterns/{id}");
        assert_eq!(outsider.get(&path).await.status, 404);
        let seen = insider.get(&path).await;
        assert_eq!((seen.status.as_u16(), seen.json()["pattern"]["wasted_nanos"].as_i64()), (200, Some(0)), "no money");
        assert_eq!(owner.get(&path).await.json()["pattern"]["wasted_nanos"].as_i64(), Some(750_000_000));
        assert_eq!(insider.get("/api/v1/patterns?sort=cost").await.status, 403);
        let change = json!({"state": "known"});
        assert_eq!(insider.send_json("PATCH", &path, &change).await.status, 403);
        assert_eq!(owner.send_json("PATCH", &path, &change).await.json()["state"], "known");
        assert_eq!(n(&owner, "/api/v1/patterns?state=new").await, 0);
        assert_eq!(n(&owner, "/api/v1/patterns?state=known&tool=book&release=v1&q=ORDER").await, 1);
        for bad in ["state=great", "sort=name", "limit=0", "limit=201", "cursor=x", "colour=red", "from=yesterday", "client=cl_1"] {
            let status = owner.get(&format!("/api/v1/patterns?{bad}")).await.status;
            assert!(status == 400 || status == 422, "{bad}: {status}");
        }
        let draft = owner.send_json("POST", &format!("{path}/drafts"), &json!({"kind": "rule", "text": "hold refunds"})).await;
        assert_eq!(draft.status, 200, "{}", draft.in_short());
        assert_eq!(owner.get(&path).await.json()["drafts"][0]["text"], "hold refunds");
        let draft = draft.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(owner.send_json("DELETE", &format!("{path}/drafts/{draft}"), &json!({})).await.status, 204);
        assert_eq!(owner.send_json("DELETE", &format!("{path}/drafts/{draft}"), &json!({})).await.status, 404);
        let written = app.app().list_audit(&owner.actor, 20).await.expect("entries");
        let written: Vec<_> = written.iter().map(|entry| entry.action.as_str()).filter(|a| a.starts_with("pattern")).collect();
        assert_eq!(written, ["pattern.draft.delete", "pattern.draft", "pattern.state"]);
    }

    async fn lists_are_paged_in_every_order(db: TestDb) {
        let owner = north(db).await;
        let runs: Vec<_> = (0..9u32)
            .flat_map(|i| (0..=i).map(move |n| failing(&format!("{i}-{n}"), i * 20 + n, &format!("tool_{i}"), "no")))
            .collect();
        owner.take_in(&runs).await;
        mine(&owner).await;
        for sort in ["count", "trend", "cost", "last_seen"] {
            for period in ["", "&from=2026-11-20"] {
                let (mut seen, mut cursor) = (Vec::new(), String::new());
                loop {
                    let page = owner.get(&format!("/api/v1/patterns?limit=4&sort={sort}{period}{cursor}")).await.json();
                    seen.extend(page["items"].as_array().expect("items").iter().map(|item| {
                        (item["n"].as_i64().expect("a count"), item["pattern"]["id"].as_str().expect("an id").to_owned())
                    }));
                    let Some(next) = page["next_cursor"].as_str() else { break };
                    cursor = format!("&cursor={next}");
                }
                let ids: std::collections::BTreeSet<_> = seen.iter().map(|(_, id)| id).collect();
                assert_eq!((seen.len(), ids.len()), (9, 9), "{sort}{period}");
                assert!(seen.is_sorted_by(|a, b| a.0 >= b.0), "{sort}{period}: the more, the dearer and the later here: {seen:?}");
            }
        }
    }

    async fn a_new_pattern_shows_within_ten_seconds_of_its_first_run(db: TestDb) {
        let owner = north(db).await;
        owner.app.app().start();
        let key = owner.with_key(None).await;
        let sent = key.post("/v1/runs", "application/json", failing("first", 10, "book", "order 7 not found").to_string()).await;
        assert!(sent.status.is_success(), "{}", sent.in_short());
        let waited = tokio::time::timeout(Duration::from_secs(10), async {
            while listed(&owner).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        waited.await.expect("it shows in time");
        assert_eq!(only(&owner).await.pattern.first_seen, Timestamp::parse("2026-11-23T00:10:02Z").expect("a time"));
    }

    async fn tests_and_open_runs_have_no_patterns(db: TestDb) {
        let owner = north(db).await;
        let mut test = failing("test", 10, "book", "no");
        test["test"] = json!(true);
        owner.take_in(&[test]).await;
        mine(&owner).await;
        assert_eq!(listed(&owner).await, []);
    }

    async fn pages_show_patterns_and_take_what_people_say_of_them(db: TestDb) {
        let owner = north(db).await;
        let shop = owner.with_client("Shop").await;
        owner.take_in(&orders(3)).await;
        owner.take_in(&[failing("t1", 40, "cancel", "the service timed out")]).await;
        mine(&owner).await;
        let before = account(&owner).await;
        let (id, other) = (before["book: order <*> not found"].2, before["cancel: the service timed out"].2);
        let here = format!("/patterns/{id}");
        let list = owner.get("/exceptions").await;
        assert!(list.text().contains("order &#60;*&#62; not found") && list.text().contains(&here), "{}", list.in_short());
        for (filter, n) in [("tool=cancel", 1), ("state=open", 2), ("state=known", 0), ("q=timed", 1), ("sort=seen&period=7d", 2)] {
            let text = owner.get(&format!("/exceptions?{filter}")).await.text().to_owned();
            assert_eq!(text.matches("href=\"/patterns/").count(), n, "{filter}");
        }
        for bad in ["state=great", "kind=great", "after=x", "client=cl_1"] {
            let status = owner.get(&format!("/exceptions?{bad}")).await.status;
            assert!(status == 400 || status == 422, "{bad}: {status}");
        }
        let page = owner.get(&here).await;
        assert!(page.text().contains("the same: sort error, tool book"), "{}", page.text());
        let run = owner.get("/api/v1/runs?tool=book").await.json()["items"][0]["id"].as_str().expect("a run").to_owned();
        assert!(owner.get(&format!("/runs/{run}")).await.text().contains(&here), "a run leads to its patterns");
        assert!(owner.get("/").await.text().contains("2 new problems"), "Today tells what nobody has looked at");

        let said = async |fields: &[(&str, &str)]| owner.post_form(&here, fields).await;
        let answer = said(&[("do", "state"), ("state", "known")]).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, format!("{here}?was=new").as_str()));
        assert!(owner.get(&format!("{here}?was=new")).await.text().contains("Undo: new"));
        said(&[("do", "state"), ("state", "new")]).await;
        assert!(!owner.get(&format!("{here}?was=new")).await.text().contains("Undo: new"), "it is undone");
        said(&[("do", "name"), ("name", "Lost orders")]).await;
        assert!(owner.get(&here).await.text().contains("Lost orders"));
        said(&[("do", "draft"), ("kind", "request"), ("text", "ask again")]).await;
        assert!(owner.get(&here).await.text().contains("ask again"));
        let other_id = other.to_string();
        let merged = owner.post_form(&here, &[("do", "merge"), ("into", &other_id)]).await;
        assert_eq!(merged.header("location"), format!("/patterns/{other}#merged-head"));
        assert!(owner.get(&here).await.text().contains("It is part of"));
        let part = id.to_string();
        owner.post_form(&format!("/patterns/{other}"), &[("do", "unmerge"), ("pattern", &part)]).await;
        assert_eq!(listed(&owner).await.len(), 2);
        for bad in [&[("do", "state"), ("state", "great")][..], &[("do", "fly")], &[("do", "merge"), ("into", "x")]] {
            assert_eq!(said(bad).await.status, 422, "{bad:?}");
        }
        let contractor = owner.with_person("c@north.test", Role::Contractor, &[shop.id]).await;
        assert_eq!(contractor.get(&here).await.status, 404, "it is of no client of theirs");
    }

    async fn expectations_are_tried_saved_and_broken(db: TestDb) {
        let owner = north(db).await;
        let mut good = failing("good", 10, "book", "");
        good["steps"][0]["error"] = Value::Null;
        good["outcome"] = json!("completed");
        owner.take_in(&[good]).await;
        mine(&owner).await;
        assert_eq!(listed(&owner).await, []);
        let workflow = owner.get("/api/v1/workflows").await.json()["items"][0]["id"].as_str().expect("one").to_owned();
        let path = format!("/workflows/{workflow}/expectations");
        let expected = [("tools", "confirm"), ("seconds", "20"), ("version", "1")];
        let with = |what: &'static str| [&expected[..], &[("do", what)]].concat();
        let tried = owner.post_form(&path, &with("preview")).await;
        assert!(tried.text().contains("Of the last 1 finished runs 1 would have broken one."), "{}", tried.in_short());
        assert!(!owner.app.app().do_next_job().await.expect("an answer"), "nothing is saved");
        let wrong = owner.post_form(&path, &[("steps", "many"), ("do", "save")]).await;
        assert_eq!(wrong.status, 422);
        assert_eq!(owner.post_form(&path, &with("save")).await.status, 303);
        assert_eq!(owner.post_form(&path, &[("seconds", "5"), ("version", "1"), ("do", "save")]).await.status, 409);
        owner.app.do_jobs().await;
        mine(&owner).await;
        let found: Vec<_> = account(&owner).await.into_keys().collect();
        assert!(found.len() == 2 && found[0].starts_with(": the run took <*>"), "{found:?}");
        assert_eq!(found[1], ": tool confirm was not called");
        let text = owner.get(&path).await;
        assert!(text.text().contains("confirm</textarea>"), "{}", text.in_short());
        let settings = json!({"settings": {"expectations": [{"expect": "steps_at_most", "steps": 0}]}});
        let refused = owner.send_json("PATCH", &format!("/api/v1/workflows/{workflow}"), &settings).await;
        assert_eq!(refused.status, 422, "{}", refused.in_short());
        let preview = json!({"settings": {"expectations": [{"expect": "says_something"}, {"expect": "never_loops", "times": 3}]}});
        let told = owner.send_json("POST", &format!("/api/v1/workflows/{workflow}/preview"), &preview).await;
        assert_eq!(told.json()["n_broken"], 0, "{}", told.in_short());
        let actions = owner.app.app().list_audit(&owner.actor, 20).await.expect("entries");
        assert_eq!(actions.iter().filter(|entry| entry.action == "workflow.settings").count(), 1);
    }
}
