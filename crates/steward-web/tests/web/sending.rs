//! Sending: what is due, to whom, how often, and what becomes of it. The way over the network is tested where it is.

use std::sync::Mutex;

use serde_json::{Value, json};
use steward_app::connections::FetchError;
use steward_app::handoff::{ChannelChanges, ChannelChoice, ChannelKind, ChannelScope, MadeChannel, NewChannel, Parcel};
use steward_app::secrets::Secret;
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{ChannelId, WorkflowId};
use steward_testkit::{Seat, TestApp, TestDb, db_tests};

const URL: &str = "https://bot.example/hook?key=hunter2";

struct World {
    app: TestApp,
    owner: Seat,
    workflow: WorkflowId,
    /// What was carried.
    sent: Mutex<Vec<Parcel>>,
    /// Why nothing arrives; empty while everything does.
    fault: Mutex<String>,
}

impl World {
    async fn new(db: TestDb) -> Self {
        let app = TestApp::new(db).await;
        let owner = app.agency("north").await;
        let client = owner.with_client("Shop").await;
        let workflow = owner.with_workflow("bot", Some(client.id)).await.id;
        Self { app, owner, workflow, sent: Mutex::default(), fault: Mutex::default() }
    }

    async fn channel(&self, kind: ChannelKind, to: &str, choice: ChannelChoice) -> MadeChannel {
        let new = NewChannel { kind, name: "Floor".to_owned(), to: Secret::sent(to), choice };
        let made = self.app.app().create_channel(&self.owner.actor, ChannelScope::Workflow(self.workflow), new).await;
        made.expect("a channel")
    }

    /// Runs whose refund is refused, that end at the present time.
    async fn refuse(&self, ids: std::ops::Range<u32>) {
        let now = self.app.clock().now();
        let at = |ms: i64| now.plus_ms(ms).rfc3339();
        let run = |id: u32| {
            json!({
                "id": format!("r{id}"), "workflow": "bot", "started_at": at(-30_000), "ended_at": at(0), "outcome": "failed",
                "cost_usd": 0.25,
                "steps": [
                    {"id": "m", "kind": "model", "started_at": at(-29_000), "ended_at": at(-28_000),
                     "input": [{"role": "user", "content": format!("Refund order {id}, <b>now</b>")}], "output": "One moment."},
                    {"id": "r", "kind": "tool", "tool": "refund_order", "started_at": at(-5_000), "ended_at": at(-4_000),
                     "input": {"order_id": id}, "error": {"code": "403", "message": "forbidden"}},
                ],
            })
        };
        let runs: Vec<Value> = ids.map(run).collect();
        self.owner.take_in(&runs).await;
        self.app.app().mine_patterns().await.expect("mined");
        self.app.app().fill_queue().await.expect("filled");
    }

    /// Sends all that is due, and gives how often something was tried.
    async fn send(&self) -> usize {
        let mut n = 0;
        let carry = |parcel: Parcel| async {
            self.sent.lock().expect("no panic").push(parcel);
            let fault = self.fault.lock().expect("no panic").clone();
            if fault.is_empty() { Ok(()) } else { Err(FetchError(fault)) }
        };
        while self.app.app().send_next_handoff(carry).await.expect("sent") {
            n += 1;
            assert!(n < 500, "there is no end to it");
        }
        self.sent.lock().expect("no panic").len()
    }

    fn take(&self) -> Vec<Parcel> {
        std::mem::take(&mut *self.sent.lock().expect("no panic"))
    }

    fn bodies(&self) -> Vec<Value> {
        let body = |parcel: Parcel| match parcel {
            Parcel::Post(request) => serde_json::from_str(&request.body.expect("a body")).expect("JSON"),
            Parcel::Mail(mail) => panic!("a mail: {mail:?}"),
        };
        self.take().into_iter().map(body).collect()
    }

    fn fails(&self, why: &str) {
        why.clone_into(&mut self.fault.lock().expect("no panic"));
    }

    async fn counts(&self, id: ChannelId) -> (u64, u64, u64, Option<String>) {
        let (channel, counts) = self.app.app().get_channel(&self.owner.actor, id).await.expect("a channel");
        (counts.waiting, counts.sent, counts.dead, channel.error)
    }
}

db_tests! {
    async fn a_program_gets_a_signed_packet_once_with_a_link_that_opens(db: TestDb) {
        let world = World::new(db).await;
        let made = world.channel(ChannelKind::Webhook, URL, ChannelChoice::default()).await;
        assert!(made.secret.is_some() && !made.channel.shown.contains("hunter2"));
        world.refuse(0..1).await;
        assert_eq!(world.send().await, 1);
        let Some(Parcel::Post(request)) = world.take().pop() else { panic!("a request") };
        assert_eq!(request.url, URL);
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["content-type", "webhook-id", "webhook-timestamp", "webhook-signature"]);
        assert!(!format!("{request:?}").contains("v1,"), "a signature is in no log");
        let body: Value = serde_json::from_str(request.body.as_deref().expect("a body")).expect("JSON");
        assert_eq!((&body["type"], &body["data"]["workflow"]["name"]), (&json!("handoff.packet"), &json!("bot")));
        assert_eq!(body["data"]["packet"]["asked_first"], "Refund order 0, <b>now</b>");
        assert!(!body.to_string().contains("0.25"), "no money is sent");
        let link = body["data"]["link"]["url"].as_str().expect("a link").trim_start_matches("http://steward.test");
        let page = world.app.get(link).await;
        assert!(page.status == 200 && page.text().contains("tried to refund order 0"), "{}", page.in_short());
        assert_eq!(world.counts(made.channel.id).await, (0, 1, 0, None));
        world.app.app().fill_queue().await.expect("filled");
        assert_eq!(world.send().await, 0, "nothing is sent twice");
    }

    async fn what_fails_is_tried_eight_times_with_the_same_id_and_link(db: TestDb) {
        let world = World::new(db).await;
        let made = world.channel(ChannelKind::Webhook, URL, ChannelChoice::default()).await;
        world.fails("it answered 500");
        world.refuse(0..1).await;
        for n in 1..8 {
            assert_eq!(world.send().await, n);
            let (waiting, _, _, error) = world.counts(made.channel.id).await;
            assert_eq!((waiting, error.as_deref()), (1, Some("it answered 500")));
            assert_eq!(world.send().await, n, "not before its pause is over");
            world.app.clock().advance_ms(6 * 3_600_000);
        }
        assert_eq!(world.send().await, 8);
        let (waiting, sent, dead, _) = world.counts(made.channel.id).await;
        assert_eq!((waiting, sent, dead), (0, 0, 1), "it is given up");
        let all = world.take();
        let of = |parcel: &Parcel| match parcel {
            Parcel::Post(request) => {
                let body: Value = serde_json::from_str(request.body.as_deref().expect("a body")).expect("JSON");
                (request.headers[1].clone(), body["data"]["link"]["url"].clone())
            }
            Parcel::Mail(mail) => panic!("a mail: {mail:?}"),
        };
        assert_eq!(of(&all[0]), of(&all[7]));
        world.app.clock().advance_ms(24 * 3_600_000);
        assert_eq!(world.send().await, 0);
    }

    async fn slack_gets_blocks_and_a_mail_both_its_forms(db: TestDb) {
        let world = World::new(db).await;
        world.channel(ChannelKind::Slack, "https://hooks.slack.com/services/x", ChannelChoice::default()).await;
        world.channel(ChannelKind::Email, "Ada@example.com; jo@example.com", ChannelChoice::default()).await;
        world.refuse(7..8).await;
        assert_eq!(world.send().await, 2);
        let sent = world.take();
        let Some(Parcel::Post(slack)) = sent.iter().find(|p| matches!(p, Parcel::Post(_))) else { panic!("a request") };
        let slack: Value = serde_json::from_str(slack.body.as_deref().expect("a body")).expect("JSON");
        assert!(slack["blocks"].to_string().contains("tried to refund order 7: access was refused, 403"), "{slack}");
        assert!(slack["blocks"].to_string().contains("&lt;b&gt;now"), "{slack}");
        let Some(Parcel::Mail(mail)) = sent.iter().find(|p| matches!(p, Parcel::Mail(_))) else { panic!("a mail") };
        assert_eq!(mail.to, ["ada@example.com", "jo@example.com"]);
        assert_eq!(mail.subject, "Handoff: bot: forbidden");
        assert!(mail.text.contains("/h/stp_") && mail.text.contains("Refund order 7, <b>now</b>"));
        assert!(mail.html.contains("Refund order 7, &lt;b&gt;now&lt;/b&gt;"));
    }

    async fn so_many_an_hour_and_the_rest_in_one_digest(db: TestDb) {
        let world = World::new(db).await;
        let choice = ChannelChoice { per_hour: 3, ..ChannelChoice::default() };
        let made = world.channel(ChannelKind::Webhook, URL, choice).await;
        world.refuse(0..12).await;
        assert_eq!(world.send().await, 3);
        world.take();
        assert_eq!(world.counts(made.channel.id).await.0, 9);
        world.app.clock().advance_ms(3_600_000);
        assert_eq!(world.send().await, 1);
        let digest = world.bodies().remove(0);
        assert_eq!((&digest["type"], &digest["data"]["n"]), (&json!("handoff.digest"), &json!(9)));
        assert_eq!(world.counts(made.channel.id).await, (0, 12, 0, None));
    }

    async fn a_digest_that_fails_is_sent_again_with_all_that_was_in_it_but_for_what_is_given_up(db: TestDb) {
        let world = World::new(db).await;
        let choice = ChannelChoice { per_hour: 1, ..ChannelChoice::default() };
        let made = world.channel(ChannelKind::Webhook, URL, choice).await;
        let id = made.channel.id;
        let pause = || world.app.clock().advance_ms(6 * 3_600_000);
        let of = |parcel: &Parcel| match parcel {
            Parcel::Post(request) => {
                let body: Value = serde_json::from_str(request.body.as_deref().expect("a body")).expect("JSON");
                let lines = body["data"]["items"].as_array().map(Vec::len);
                (request.headers[1].1.clone(), body["type"].clone(), body["data"]["n"].clone(), lines)
            }
            Parcel::Mail(mail) => panic!("a mail: {mail:?}"),
        };
        // One that was tried seven times by itself is in a digest with four that were not tried.
        world.fails("it answered 500");
        world.refuse(0..1).await;
        for _ in 0..7 {
            world.send().await;
            pause();
        }
        assert_eq!(world.take().len(), 7);
        world.refuse(1..5).await;
        pause();
        assert_eq!(world.send().await, 1);
        let first = of(&world.take()[0]);
        assert_eq!((&first.1, &first.2, first.3), (&json!("handoff.digest"), &json!(5), Some(5)));
        assert_eq!(world.counts(id).await, (4, 0, 1, Some("it answered 500".to_owned())), "only the oldest is given up");
        pause();
        assert_eq!(world.send().await, 1);
        let second = of(&world.take()[0]);
        assert_eq!((&second.1, &second.2, second.3), (&json!("handoff.digest"), &json!(4), Some(4)));
        world.fails("");
        pause();
        assert_eq!(world.send().await, 1);
        let third = of(&world.take()[0]);
        assert_eq!(third, second, "the same, under the same id");
        assert_eq!(world.counts(id).await, (0, 4, 1, None));
        pause();
        assert_eq!(world.send().await, 0);
    }

    async fn only_what_is_chosen_is_sent_and_nothing_while_it_is_paused(db: TestDb) {
        let world = World::new(db).await;
        let app = world.app.app();
        world.refuse(0..1).await;
        let choice = ChannelChoice { kinds: vec![ExceptionKind::Escalation], ..ChannelChoice::default() };
        let picky = world.channel(ChannelKind::Webhook, URL, choice).await.channel.id;
        let dear = ChannelChoice { least_value_nanos: 1, ..ChannelChoice::default() };
        world.channel(ChannelKind::Webhook, URL, dear).await;
        assert_eq!(world.send().await, 0, "what was there before a channel is not sent by it");
        world.app.clock().advance_ms(60_000);
        world.refuse(1..2).await;
        assert_eq!(world.send().await, 0, "neither sort nor value fits: no value is set");
        let all = ChannelChanges {
            choice: Some(ChannelChoice::default()),
            paused: Some(true),
            ..ChannelChanges::default()
        };
        app.update_channel(&world.owner.actor, picky, all).await.expect("changed");
        world.refuse(2..3).await;
        assert_eq!(world.send().await, 0);
        assert!(app.test_channel(&world.owner.actor, picky).await.is_err(), "a paused channel sends no test");
        let on = ChannelChanges { paused: Some(false), ..ChannelChanges::default() };
        app.update_channel(&world.owner.actor, picky, on).await.expect("changed");
        app.test_channel(&world.owner.actor, picky).await.expect("a test");
        assert_eq!(world.send().await, 1);
        assert_eq!(world.bodies()[0]["type"], "handoff.test");
    }

    async fn a_channel_says_what_was_not_sent_since_its_workflow_was_archived(db: TestDb) {
        let world = World::new(db).await;
        let made = world.channel(ChannelKind::Webhook, URL, ChannelChoice::default()).await;
        world.refuse(0..3).await;
        world.app.app().archive_workflow(&world.owner.actor, world.workflow, true).await.expect("archived");
        assert_eq!(world.send().await, 0);
        let page = world.owner.get(&format!("/channels/{}", made.channel.id)).await;
        assert!(page.text().contains("3, as the workflow or client was archived first"), "{}", page.text());
        let listed = world.owner.get(&format!("/api/v1/workflows/{}/channels", world.workflow)).await.json();
        assert_eq!((&listed["items"][0]["n_archived"], &listed["items"][0]["n_waiting"]), (&json!(3), &json!(0)));
    }

    async fn two_processes_send_everything_once(db: TestDb) {
        let world = World::new(db).await;
        let made = world.channel(ChannelKind::Webhook, URL, ChannelChoice::default()).await;
        world.refuse(0..10).await;
        let (first, second) = tokio::join!(world.send(), world.send());
        assert_eq!(first.max(second), 10);
        let mut ids: Vec<String> =
            world.bodies().iter().map(|body| body["data"]["exception_id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((ids.len(), world.counts(made.channel.id).await.1), (10, 10));
    }

    async fn what_is_done_before_it_is_sent_is_not_sent(db: TestDb) {
        use steward_core::reviews::Judgement;
        let world = World::new(db).await;
        let choice = ChannelChoice { per_hour: 1, ..ChannelChoice::default() };
        let made = world.channel(ChannelKind::Webhook, URL, choice).await;
        world.refuse(0..4).await;
        assert_eq!(world.send().await, 1);
        let sent = world.bodies()[0]["data"]["exception_id"].as_str().expect("an id").to_owned();
        let exceptions = world.owner.get("/api/v1/exceptions").await.json();
        let ids = exceptions["items"].as_array().expect("items").iter().filter_map(|e| e["id"].as_str());
        let done: steward_core::ids::ExceptionId = ids.into_iter().find(|id| **id != sent).expect("another").parse().expect("an id");
        let (app, actor, item) = (world.app.app(), &world.owner.actor, steward_core::queue::item_of(done));
        app.claim_item(actor, item).await.expect("claimed");
        app.review_item(actor, item, Judgement::default(), 0, None).await.expect("reviewed");
        world.app.clock().advance_ms(3_600_000);
        assert_eq!(world.send().await, 1);
        let digest = world.bodies().remove(0);
        assert_eq!(digest["data"]["n"], 2, "{digest}");
        assert!(!digest.to_string().contains(&done.to_string()));
        assert_eq!(world.counts(made.channel.id).await.0, 0);
    }
}
