//! Pages of the queue: what waits, one case with its review, many at once, rules, and what is taken back.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use steward_app::clients::ClientChanges;
use steward_app::tenant::{QueueFilter, QueueSort, ReviewFilter};
use steward_core::ids::{ItemId, WorkflowId};
use steward_core::outcome::Outcome;
use steward_core::people::Role;
use steward_core::queue::QueueItem;
use steward_core::reviews::Review;
use steward_testkit::{Answer, Seat, TestApp, TestDb, db_tests};

/// A run of `bot` at a minute of the day, whose tool failed with a message.
fn failing(id: &str, minute: u32, message: &str) -> Value {
    let at = |second: u32| format!("2026-11-23T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60);
    json!({
        "id": id, "workflow": "bot", "started_at": at(0), "ended_at": at(30), "outcome": "failed", "title": format!("Run {id}"),
        "input": "Where is my order?",
        "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": at(1), "ended_at": at(2), "error": message}],
    })
}

/// An agency whose queue holds two orders that were not found and a timeout; the first order is the oldest.
async fn north(db: TestDb) -> Seat {
    let app = TestApp::new(db).await;
    let owner = app.agency("north").await;
    let client = owner.with_client("Orchard").await;
    owner.with_workflow("bot", Some(client.id)).await;
    let runs = [
        failing("a", 10, "order 41 not found"),
        failing("b", 20, "order 52 not found"),
        failing("c", 30, "the service timed out"),
    ];
    owner.take_in(&runs).await;
    fill(&owner).await;
    owner
}

async fn fill(owner: &Seat) {
    owner.app.app().mine_patterns().await.expect("mined");
    owner.app.app().fill_queue().await.expect("filled");
}

async fn waiting(seat: &Seat) -> Vec<QueueItem> {
    let app = seat.app.app();
    let page = app.list_queue(&seat.actor, &QueueFilter::default(), None, QueueSort::Rank, None, 100).await;
    page.expect("the queue").items
}

async fn reviews(seat: &Seat) -> Vec<Review> {
    let filter = ReviewFilter { with_undone: true, ..ReviewFilter::default() };
    seat.app.app().list_reviews(&seat.actor, &filter, None, None, 100).await.expect("reviews").reviews
}

fn path(id: ItemId) -> String {
    format!("/queue/{id}")
}

/// The page that an answer leads to, with what it says in passing.
async fn follow(seat: &Seat, answer: &Answer) -> Answer {
    assert_eq!(answer.status, 303, "{}", answer.in_short());
    let flash = answer.header("set-cookie").split(';').next().unwrap_or_default();
    let request = Request::builder()
        .uri(answer.header("location"))
        .header("host", "steward.test")
        .header("cookie", format!("{}; {flash}", seat.cookie()));
    seat.app.send(request.body(Body::empty()).expect("a request")).await
}

/// The address that the button which takes the last act back posts to, and the fields that it sends.
fn undo_of(page: &Answer) -> (String, Vec<(String, String)>) {
    let text = page.text();
    let button = text.find(r#"data-cmd="Undo""#).unwrap_or_else(|| panic!("no undo in {text}"));
    let form = &text[text[..button].rfind("<form").expect("a form")..button];
    let after = |from: &str, what: &str| {
        let at = from.find(what).map(|at| at + what.len())?;
        Some(from[at..].split('"').next().unwrap_or_default().to_owned())
    };
    let mut fields = Vec::new();
    let mut rest = form;
    while let Some(at) = rest.find(r#"name=""#) {
        rest = &rest[at..];
        let (name, value) = (after(rest, r#"name=""#), after(rest, r#"value=""#));
        fields.extend(name.zip(value).filter(|(name, _)| name != "csrf"));
        rest = &rest[6..];
    }
    (after(form, r#"action=""#).expect("an address"), fields)
}

async fn undo(seat: &Seat, page: &Answer) -> Answer {
    let (to, fields) = undo_of(page);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    seat.post_form(&to, &fields).await
}

db_tests! {
    async fn the_queue_shows_what_waits_with_the_reason(db: TestDb) {
        let owner = north(db).await;
        let page = owner.get("/queue").await;
        assert_eq!(page.status, 200);
        let text = page.text();
        for words in ["order 41 not found", "the service timed out", "no value set", "due in", "Review next"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let first = text.find("order 41").expect("the first");
        assert!(first < text.find("the service timed out").expect("the last"), "what waits longest stands first");
        assert!(!owner.get("/queue?kind=escalation").await.text().contains("order 41"));
        assert!(owner.get("/queue?kind=escalation").await.text().contains("Nothing that waits fits"));
        for wrong in ["kind=weather", "after=nowhere", "age=old", "value=much", "assignee=somebody", "pattern=x", "client=x"] {
            let status = owner.get(&format!("/queue?{wrong}")).await.status;
            assert!(status.is_client_error(), "{wrong}: {status}");
        }
        let south = owner.app.agency("south").await;
        let empty = south.get("/queue").await;
        assert!(empty.text().contains("Nothing waits for anybody"), "{}", empty.in_short());
    }

    async fn looking_claims_nothing_and_the_next_is_claimed(db: TestDb) {
        let owner = north(db).await;
        let items = waiting(&owner).await;
        let page = owner.get(&path(items[0].id)).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Claim and review") && !page.text().contains("data-review"), "{}", page.text());
        assert!(waiting(&owner).await.iter().all(|item| item.claim.is_none()));

        let next = owner.post_form("/queue/next", &[]).await;
        assert_eq!(next.header("location"), path(items[0].id));
        let page = owner.get(&path(items[0].id)).await;
        assert!(page.text().contains("data-review") && page.text().contains("Where is my order?"), "{}", page.text());

        let colleague = owner.with_person("grace@north.test", Role::Operator, &[]).await;
        let theirs = colleague.post_form("/queue/next", &[]).await;
        assert_eq!(theirs.header("location"), path(items[1].id), "nobody gets what somebody works on");
        let refused = colleague.post_form(&format!("{}/claim", path(items[0].id)), &[]).await;
        let page = follow(&colleague, &refused).await;
        assert!(page.text().contains("works on it, until"), "{}", page.text());
        assert!(!page.text().contains("data-review"));
    }

    async fn a_review_closes_the_case_and_goes_to_the_next(db: TestDb) {
        let owner = north(db).await;
        let items = waiting(&owner).await;
        owner.post_form("/queue/next", &[]).await;
        owner.app.clock().advance_ms(30_000);
        let keep = format!("{}/keep", path(items[0].id));
        assert_eq!(owner.post_form(&keep, &[("active_ms", "15000")]).await.status, 204);
        owner.app.clock().advance_ms(10_000);
        let said = [
            ("agent", "wrong"), ("cause", "tool"), ("preventable", "yes"), ("prevented_by", "schema"), ("cleanup", "7"),
            ("resolution", "Told the shop"), ("comment", "twice"), ("outcome", "completed"),
            ("active_ms", "5000"), ("measured", "1"),
        ];
        let done = owner.post_form(&format!("{}/review", path(items[0].id)), &said).await;
        assert_eq!(done.header("location"), path(items[1].id), "{}", done.in_short());
        let kept = reviews(&owner).await;
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].active_ms, kept[0].judgement.cleanup_minutes), (Some(20_000), 7));
        assert_eq!(kept[0].judgement.outcome, Some(Outcome::Completed));
        let next = follow(&owner, &done).await;
        assert!(next.text().contains("“order 41 not found” is closed."), "{}", next.text());
        assert!(next.text().contains("Told the shop"), "what worked for the pattern is shown with the next");
        let run = owner.get(&format!("/runs/{}", items[0].run_id)).await;
        assert!(run.text().contains("reviewed"), "the run says so: {}", run.text());

        let back = undo(&owner, &next).await;
        assert_eq!(back.header("location"), path(items[0].id));
        let again = follow(&owner, &back).await;
        assert!(again.text().contains("data-review") && again.text().contains("Told the shop"), "it is filled as it was");
        assert_eq!(waiting(&owner).await.len(), 3);
        assert!(reviews(&owner).await[0].undone_at.is_some());
    }

    async fn without_a_script_time_is_from_the_claim_to_the_form_and_no_more_than_idling_counts(db: TestDb) {
        let owner = north(db).await;
        for (waited_ms, counted_ms) in [(20_000, 20_000), (600_000, 60_000)] {
            let id = waiting(&owner).await[0].id;
            owner.post_form("/queue/next", &[]).await;
            owner.app.clock().advance_ms(waited_ms);
            let form = [("agent", "right"), ("active_ms", "0"), ("measured", "")];
            let done = owner.post_form(&format!("{}/review", path(id)), &form).await;
            assert_eq!(done.status, 303, "{}", done.in_short());
            // The next was claimed with it, and is given back for the next round.
            owner.post_form(&format!("{}/release", done.header("location")), &[]).await;
            let of = reviews(&owner).await.into_iter().find(|review| review.item_id == id).expect("a review");
            assert_eq!(of.active_ms, Some(counted_ms));
        }
    }

    async fn what_is_wrong_with_a_review_is_said_and_nothing_is_lost(db: TestDb) {
        let owner = north(db).await;
        let id = waiting(&owner).await[0].id;
        owner.post_form("/queue/next", &[]).await;
        let action = format!("{}/review", path(id));
        let long = "x".repeat(5_000);
        for (name, value) in [
            ("cause", "weather"), ("outcome", "unverified"), ("cleanup", "-1"), ("cleanup", "999999999"), ("active_minutes", "5"),
            ("active_minutes", "99999"), ("comment", long.as_str()),
        ] {
            let answer = owner.post_form(&action, &[("agent", "wrong"), ("resolution", "Kept words"), (name, value)]).await;
            assert_eq!(answer.status, 422, "{name}={:.20}: {}", value, answer.in_short());
            assert!(answer.text().contains("Kept words") && answer.text().contains("formerror"), "{name}");
        }
        assert!(reviews(&owner).await.is_empty());
        let corrected = [("agent", "right"), ("active_minutes", "4,5"), ("active_note", "on the telephone")];
        assert_eq!(owner.post_form(&action, &corrected).await.status, 303);
        let kept = &reviews(&owner).await[0];
        assert_eq!((kept.active_ms, kept.active_note.as_str()), (Some(270_000), "on the telephone"));
    }

    async fn who_does_not_hold_a_case_closes_nothing(db: TestDb) {
        let owner = north(db).await;
        let id = waiting(&owner).await[0].id;
        let colleague = owner.with_person("grace@north.test", Role::Operator, &[]).await;
        colleague.post_form(&format!("{}/claim", path(id)), &[]).await;
        let answer = owner.post_form(&format!("{}/review", path(id)), &[("agent", "right")]).await;
        assert_eq!(answer.status, 422, "{}", answer.in_short());
        assert!(reviews(&owner).await.is_empty());
        let keep = owner.post_form(&format!("{}/keep", path(id)), &[("active_ms", "1000")]).await;
        assert_eq!(keep.status, 409);
        assert_eq!(colleague.post_form(&format!("{}/keep", path(id)), &[("active_ms", "soon")]).await.status, 422);
    }

    async fn a_skipped_case_is_free_and_the_one_behind_it_comes(db: TestDb) {
        let owner = north(db).await;
        let items = waiting(&owner).await;
        owner.post_form("/queue/next", &[]).await;
        let skipped = owner.post_form(&format!("{}/skip", path(items[0].id)), &[]).await;
        assert_eq!(skipped.header("location"), path(items[1].id));
        let skipped = owner.post_form(&format!("{}/skip", path(items[1].id)), &[]).await;
        assert_eq!(skipped.header("location"), path(items[2].id));
        let last = owner.post_form(&format!("{}/skip", path(items[2].id)), &[]).await;
        assert_eq!(last.header("location"), "/queue");
        let now = owner.app.clock().now();
        assert!(waiting(&owner).await.iter().all(|item| item.held_by(now).is_none()));
    }

    async fn who_sees_no_money_skips_in_the_order_that_they_see_and_nobody_is_handed_others_work(db: TestDb) {
        let owner = north(db).await;
        let items = waiting(&owner).await;
        let app = owner.app.app();
        let client = app.visible_clients(&owner.actor, false).await.expect("clients")[0].id;
        let bea = owner.with_person("bea@north.test", Role::Contractor, &[client]).await;
        app.assign_items(&owner.actor, &[items[1].id], Some(owner.actor.person_id)).await.expect("assigned");
        assert_eq!(bea.post_form("/queue/next", &[]).await.header("location"), path(items[0].id));
        let skipped = bea.post_form(&format!("{}/skip", path(items[0].id)), &[]).await;
        assert_eq!(skipped.header("location"), path(items[2].id), "the second is the owner's");
        let last = bea.post_form(&format!("{}/skip", path(items[2].id)), &[]).await;
        assert_eq!(last.header("location"), "/queue");
    }

    async fn what_is_selected_is_assigned_and_reviewed_together(db: TestDb) {
        let owner = north(db).await;
        let items = waiting(&owner).await;
        let colleague = owner.with_person("grace@north.test", Role::Operator, &[]).await;
        let ids: Vec<String> = items.iter().map(|item| item.id.to_string()).collect();
        let keys: Vec<(&str, &str)> = ids.iter().take(2).map(|id| ("key", id.as_str())).collect();
        let with = |more: &[(&'static str, &'static str)]| {
            let mut fields = keys.clone();
            fields.extend(more);
            fields
        };
        assert_eq!(owner.post_form("/queue/selected", &[("do", "assign")]).await.status, 422, "nothing is selected");
        assert_eq!(owner.post_form("/queue/selected", &with(&[("do", "burn")])).await.status, 422);
        let asked = owner.post_form("/queue/selected", &with(&[("do", "assign")])).await;
        assert!(asked.text().contains("Assign 2 items") && asked.text().contains("grace@north.test"), "{}", asked.text());
        let person = colleague.actor.person_id.to_string();
        let mut fields = keys.clone();
        fields.push(("person", &person));
        assert_eq!(owner.post_form("/queue/selected/assign", &fields).await.status, 303);
        assert_eq!(waiting(&owner).await.iter().filter(|i| i.assignee == Some(colleague.actor.person_id)).count(), 2);
        assert!(colleague.get("/queue?assignee=me").await.text().contains("order 41"));
        assert!(!owner.get("/queue?assignee=me").await.text().contains("order 41"));

        colleague.post_form(&format!("{}/claim", path(items[1].id)), &[]).await;
        let asked = owner.post_form("/queue/selected", &with(&[("do", "review")])).await;
        assert!(asked.text().contains("Close 1 item") && asked.text().contains("1 is left out"), "{}", asked.text());
        let said = with(&[("agent", "wrong"), ("cause", "data"), ("active_minutes", "3")]);
        let done = owner.post_form("/queue/selected/review", &said).await;
        let page = follow(&owner, &done).await;
        assert!(page.text().contains("1 item is closed. 1 were left out"), "{}", page.text());
        assert_eq!(waiting(&owner).await.len(), 2);
        undo(&owner, &page).await;
        assert_eq!(waiting(&owner).await.len(), 3);
        let nothing: Vec<(&str, &str)> = vec![("key", "item_x")];
        assert_eq!(owner.post_form("/queue/selected/review", &nothing).await.status, 404);
    }

    async fn all_open_of_a_pattern_is_closed_and_taken_back_at_once(db: TestDb) {
        let owner = north(db).await;
        let pattern = waiting(&owner).await[0].pattern_id.expect("a pattern");
        let asked = owner.get(&format!("/patterns/{pattern}/review")).await;
        assert!(asked.text().contains("Close 2 items"), "{}", asked.text());
        let wrong = owner.post_form(&format!("/patterns/{pattern}/review"), &[("cleanup", "many")]).await;
        assert_eq!(wrong.status, 422);
        let begun = owner.post_form(&format!("/patterns/{pattern}/review"), &[("agent", "wrong"), ("cause", "data")]).await;
        assert_eq!(begun.status, 303, "{}", begun.in_short());
        let job = begun.header("location").to_owned();
        owner.app.do_jobs().await;
        let page = owner.get(&job).await;
        assert!(page.text().contains("2 are closed") && page.text().contains("cause: data"), "{}", page.text());
        assert_eq!(waiting(&owner).await.len(), 1);
        let of_pattern = owner.get(&format!("/patterns/{pattern}")).await;
        assert!(of_pattern.text().contains("In the queue") && of_pattern.text().contains("Data"), "{}", of_pattern.text());
        assert_eq!(owner.post_form(&format!("{job}/undo"), &[]).await.status, 303);
        owner.app.do_jobs().await;
        assert!(owner.get(&job).await.text().contains("taken back"));
        assert_eq!(waiting(&owner).await.len(), 3);
    }

    async fn contractors_see_their_clients_and_no_money(db: TestDb) {
        let owner = north(db).await;
        let items = waiting(&owner).await;
        let client = owner.app.app().visible_clients(&owner.actor, false).await.expect("clients")[0].id;
        let mine = owner.with_person("c@north.test", Role::Contractor, &[client]).await;
        let other = owner.with_client("Other Shop").await;
        let theirs = owner.with_person("d@north.test", Role::Contractor, &[other.id]).await;
        let page = mine.get("/queue").await;
        assert!(page.text().contains("order 41") && !page.text().contains("value set"), "{}", page.text());
        assert!(!theirs.get("/queue").await.text().contains("order 41"));
        assert_eq!(theirs.get(&path(items[0].id)).await.status, 404);
        assert_eq!(theirs.post_form(&format!("{}/claim", path(items[0].id)), &[]).await.status, 404);
        assert_eq!(mine.post_form("/queue/next", &[]).await.header("location"), path(items[0].id));
        assert_eq!(mine.get("/settings/queue").await.status, 403);
    }

    async fn rules_are_tried_in_their_order_and_can_be_moved(db: TestDb) {
        let owner = north(db).await;
        let person = owner.actor.person_id.to_string();
        assert!(owner.get("/settings/queue").await.text().contains("No rule yet"));
        let add = |fields: &[(&'static str, &str)]| {
            let mut all = vec![("do".to_owned(), "add".to_owned())];
            all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            all
        };
        let send = async |fields: Vec<(String, String)>| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            owner.post_form("/settings/queue", &fields).await
        };
        assert_eq!(send(add(&[("name", "Nothing")])).await.status, 422, "a rule that does nothing");
        assert_eq!(send(add(&[("name", "Late"), ("hours", "soon")])).await.status, 422);
        assert_eq!(send(add(&[("name", "Books"), ("tool", "book"), ("hours", "1,5")])).await.status, 303);
        assert_eq!(send(add(&[("name", "Mine"), ("kind", "error"), ("assign", &person)])).await.status, 303);
        let page = owner.get("/settings/queue").await;
        assert!(page.text().contains("within 1 h") && page.text().find("Books") < page.text().find("Mine"), "{}", page.text());
        let rules = owner.app.app().list_queue_rules(&owner.actor).await.expect("rules");
        assert_eq!(rules[0].due_minutes, Some(90));
        let told = serde_json::to_string(&rules[1]).expect("JSON");
        let turn = |what: &str| vec![("do".to_owned(), what.to_owned()), ("rule".to_owned(), told.clone())];
        assert_eq!(send(turn("up")).await.status, 303);
        let rules = owner.app.app().list_queue_rules(&owner.actor).await.expect("rules");
        assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["Mine", "Books"]);
        assert_eq!(send(turn("remove")).await.status, 303);
        let gone = send(turn("remove")).await;
        assert!(follow(&owner, &gone).await.text().contains("Somebody changed the rules meanwhile"));
        let rules = owner.app.app().list_queue_rules(&owner.actor).await.expect("rules");
        assert_eq!(rules.len(), 1);
    }

    async fn what_was_archived_is_taken_back_with_one_button(db: TestDb) {
        let owner = north(db).await;
        let client = owner.app.app().visible_clients(&owner.actor, false).await.expect("clients")[0].id;
        owner.app.app().update_client(&owner.actor, client, ClientChanges::default()).await.expect("a client");
        let gone = owner.post_form(&format!("/clients/{client}/archive"), &[]).await;
        let page = follow(&owner, &gone).await;
        assert_eq!(undo(&owner, &page).await.header("location"), format!("/clients/{client}"));
        assert!(owner.app.app().get_client(&owner.actor, client).await.expect("a client").archived_at.is_none());
        let workflow: WorkflowId = waiting(&owner).await[0].workflow_id;
        let gone = owner.post_form(&format!("/workflows/{workflow}/archive"), &[]).await;
        let page = follow(&owner, &gone).await;
        undo(&owner, &page).await;
        assert!(owner.app.app().get_workflow(&owner.actor, workflow).await.expect("it").archived_at.is_none());
    }

    async fn a_verdict_is_taken_back_to_what_stood_before(db: TestDb) {
        let owner = north(db).await;
        let run = waiting(&owner).await[0].run_id;
        let outcome = async || {
            owner.app.app().get_run(&owner.actor, run).await.expect("a run").run.facts.outcome()
        };
        let to = format!("/runs/{run}/verdict");
        assert_eq!(owner.post_form(&to, &[("undo", "1")]).await.status, 422, "there is nothing to take back");
        owner.post_form(&to, &[("outcome", "completed"), ("comment", "seen")]).await;
        owner.app.clock().advance_ms(1_000);
        let last = owner.post_form(&to, &[("outcome", "abandoned")]).await;
        owner.app.assemble().await;
        assert_eq!(outcome().await, Outcome::Abandoned);
        let page = follow(&owner, &last).await;
        owner.app.clock().advance_ms(1_000);
        undo(&owner, &page).await;
        owner.app.assemble().await;
        assert_eq!(outcome().await, Outcome::Completed);
    }
}
