//! Handing over what belongs to a workflow or a client that is archived: nothing of it leaves the house.

use std::sync::Mutex;

use serde_json::{Value, json};
use steward_app::connections::FetchError;
use steward_app::handoff::{ChannelChoice, ChannelKind, ChannelScope, NewChannel, OpenedLink, Parcel};

use steward_app::secrets::Secret;
use steward_app::tenant::{QueueFilter, QueueSort};
use steward_app::{Actor, App};
use steward_core::ids::{ChannelId, ClientId, ExceptionId, WorkflowId};
use steward_core::queue::QueueItem;
use steward_testkit::{TestDb, db_tests};
use uuid::Uuid;

use crate::world::{World, words};

const HOUR_MS: i64 = 3_600_000;
const FROM: &str = "192.0.2.1";

/// An agency with a client, its workflow `bot`, and a channel of one packet an hour for each of both.
struct House {
    world: World,
    owner: Actor,
    client: ClientId,
    bot: WorkflowId,
    of_bot: ChannelId,
    of_client: ChannelId,
    /// What was carried.
    sent: Mutex<Vec<String>>,
}

impl House {
    async fn new(db: TestDb) -> Self {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let client = world.client(&owner, "Shop").await.id;
        let bot = world.workflow(&owner, "bot", Some(client)).await.id;
        let of_bot = channel(&world, &owner, ChannelScope::Workflow(bot)).await;
        let of_client = channel(&world, &owner, ChannelScope::Client(client)).await;
        Self { world, owner, client, bot, of_bot, of_client, sent: Mutex::default() }
    }

    fn app(&self) -> &App {
        &self.world.app
    }

    /// Runs of a workflow whose call failed, that end at the present time.
    async fn fail(&self, workflow: &str, ids: std::ops::Range<u32>) {
        let at = self.world.clock.now();
        let run = |id| {
            json!({
                "id": format!("r{id}"), "workflow": workflow, "outcome": "failed",
                "started_at": at.plus_ms(-30_000).rfc3339(), "ended_at": at.rfc3339(),
                "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": at.plus_ms(-9_000).rfc3339(),
                           "ended_at": at.plus_ms(-8_000).rfc3339(), "error": "no seats left"}],
            })
        };
        let runs: Vec<Value> = ids.map(run).collect();
        self.world.take_in(&self.owner, &runs).await;
        self.app().mine_patterns().await.expect("mined");
        self.app().fill_queue().await.expect("filled");
    }

    async fn waiting(&self) -> Vec<QueueItem> {
        let filter = QueueFilter::default();
        self.app().list_queue(&self.owner, &filter, None, QueueSort::Arrived, None, 500).await.expect("items").items
    }

    /// Sends all that is due, and gives what was sent.
    async fn send(&self) -> Vec<String> {
        let carry = |parcel: Parcel| async {
            let Parcel::Post(request) = parcel else { return Err(FetchError("a mail".to_owned())) };
            self.sent.lock().expect("no panic").push(request.body.expect("a body"));
            Ok(())
        };
        while self.app().send_next_handoff(carry).await.expect("sent") {}
        std::mem::take(&mut *self.sent.lock().expect("no panic"))
    }

    /// Of a channel's deliveries, those that wait, were sent, given up, and closed.
    async fn counts(&self, id: ChannelId) -> (u64, u64, u64, u64) {
        let (_, counts) = self.app().get_channel(&self.owner, id).await.expect("a channel");
        (counts.waiting, counts.sent, counts.dead, counts.archived)
    }

    async fn link(&self, exception: ExceptionId) -> Secret {
        let made = self.app().create_handoff_link(&self.owner, exception, "Jo", 7).await.expect("a link");
        Secret::sent(made.url.reveal().rsplit('/').next().expect("a token"))
    }

    async fn archive(&self, scope: ChannelScope, archived: bool) {
        match scope {
            ChannelScope::Workflow(id) => {
                drop(self.app().archive_workflow(&self.owner, id, archived).await.expect("archived"));
            }
            ChannelScope::Client(id) => {
                drop(self.app().archive_client(&self.owner, id, archived).await.expect("archived"));
            }
        }
    }
}

async fn channel(world: &World, owner: &Actor, scope: ChannelScope) -> ChannelId {
    let choice = ChannelChoice { per_hour: 1, ..ChannelChoice::default() };
    let to = Secret::sent("https://bot.example/hook");
    let new = NewChannel { kind: ChannelKind::Webhook, name: "Bot".to_owned(), to, choice };
    world.app.create_channel(owner, scope, new).await.expect("a channel").channel.id
}

/// What is sent stops, stays closed when it is taken back, and goes on with what comes then.
async fn nothing_leaves_while_it_is_archived(house: &House, scope: ChannelScope) {
    let (app, ada) = (house.app(), &house.owner);
    house.fail("bot", 0..4).await;
    assert_eq!(house.send().await.len(), 2, "one by each channel, and three wait for the next hour");
    let exception = house.waiting().await[0].exception_id().expect("an exception");
    let token = house.link(exception).await;
    house.archive(scope, true).await;
    for id in [house.of_bot, house.of_client] {
        assert_eq!(house.counts(id).await, (0, 1, 0, 3), "what waited is closed at once");
    }
    house.world.clock.advance_ms(HOUR_MS);
    house.fail("bot", 4..6).await;
    assert_eq!(house.waiting().await.len(), 6, "what arrives is taken in and waits for a person");
    assert!(house.send().await.is_empty());
    assert_eq!(house.counts(house.of_bot).await, (0, 1, 0, 3));
    let word = scope.as_str();
    let refused = app.create_handoff_link(ada, exception, "Jo", 7).await;
    assert_eq!(words(refused), format!("invalid: the {word} is archived: take it back, then make a link"));
    let refused = app.test_channel(ada, house.of_bot).await;
    assert_eq!(words(refused), format!("invalid: the {word} is archived: take it back, then test the channel"));
    assert!(matches!(app.open_handoff_link(&token, FROM).await, Ok(OpenedLink::Archived)));
    let refused = app.answer_handoff_link(&token, FROM, "Jo", "called them").await;
    assert_eq!(words(refused), "not found: no such link");
    house.archive(scope, false).await;
    assert!(matches!(app.open_handoff_link(&token, FROM).await, Ok(OpenedLink::Open { .. })));
    app.answer_handoff_link(&token, FROM, "Jo", "called them").await.expect("an answer");
    app.fill_queue().await.expect("filled");
    assert!(house.send().await.is_empty(), "nothing is sent late");
    house.world.clock.advance_ms(HOUR_MS);
    house.fail("bot", 6..7).await;
    assert_eq!(house.send().await.len(), 2, "what goes wrong from then on is sent");
    assert_eq!(house.counts(house.of_client).await, (0, 2, 0, 3));
    assert_eq!(words(app.test_channel(ada, house.of_bot).await), "ok");
}

db_tests! {
    async fn of_an_archived_workflow_nothing_is_sent_and_no_link_opens_until_it_is_taken_back(db: TestDb) {
        let house = House::new(db).await;
        nothing_leaves_while_it_is_archived(&house, ChannelScope::Workflow(house.bot)).await;
    }

    async fn of_an_archived_client_nothing_is_sent_and_no_link_opens_until_it_is_taken_back(db: TestDb) {
        let house = House::new(db).await;
        nothing_leaves_while_it_is_archived(&house, ChannelScope::Client(house.client)).await;
    }

    async fn what_else_a_client_has_is_sent_on(db: TestDb) {
        let house = House::new(db).await;
        house.world.workflow(&house.owner, "desk", Some(house.client)).await;
        let other = house.world.client(&house.owner, "Clinic").await.id;
        house.world.workflow(&house.owner, "line", Some(other)).await;
        let of_other = channel(&house.world, &house.owner, ChannelScope::Client(other)).await;
        house.fail("bot", 0..2).await;
        house.fail("desk", 2..4).await;
        house.fail("line", 4..6).await;
        house.archive(ChannelScope::Workflow(house.bot), true).await;
        assert_eq!(house.counts(house.of_client).await, (2, 0, 0, 2));
        assert_eq!(house.counts(of_other).await, (2, 0, 0, 0));
        let sent = house.send().await;
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().all(|body| !body.contains(&house.bot.to_string())), "{sent:?}");
        house.world.clock.advance_ms(HOUR_MS);
        assert_eq!(house.send().await.len(), 2);
        house.archive(ChannelScope::Client(house.client), true).await;
        house.fail("desk", 6..7).await;
        house.fail("line", 7..8).await;
        house.world.clock.advance_ms(HOUR_MS);
        assert_eq!(house.send().await.len(), 1, "the other client's");
        assert_eq!(house.counts(of_other).await, (0, 3, 0, 0));
    }

    async fn what_is_written_or_fails_while_it_is_archived_is_closed_and_not_tried_again(db: TestDb) {
        let house = House::new(db).await;
        house.fail("bot", 0..1).await;
        let (app, ada, bot) = (house.app(), &house.owner, house.bot);
        // The first that is carried fails, and while it was on its way the workflow was archived.
        let carry = |_| async {
            app.archive_workflow(ada, bot, true).await.expect("archived");
            Err(FetchError("it answered 500".to_owned()))
        };
        assert!(app.send_next_handoff(carry).await.expect("tried"));
        for id in [house.of_bot, house.of_client] {
            assert_eq!(house.counts(id).await, (0, 0, 0, 1));
        }
        // What another process wrote in the same moment.
        let nothing = ExceptionId::from_uuid(Uuid::from_u128(7));
        let store = app.agency(ada.agency_id);
        store.record_test_delivery(house.of_bot, nothing, house.world.clock.now()).await.expect("written");
        store.record_test_delivery(house.of_client, nothing, house.world.clock.now()).await.expect("written");
        assert_eq!(house.send().await.len(), 1, "the client is not archived");
        assert_eq!(house.counts(house.of_bot).await, (0, 0, 0, 2));
        house.archive(ChannelScope::Client(house.client), true).await;
        let nothing = ExceptionId::from_uuid(Uuid::from_u128(8));
        store.record_test_delivery(house.of_client, nothing, house.world.clock.now()).await.expect("written");
        assert!(house.send().await.is_empty());
        house.archive(ChannelScope::Client(house.client), false).await;
        house.archive(ChannelScope::Workflow(bot), false).await;
        house.world.clock.advance_ms(24 * HOUR_MS);
        assert!(house.send().await.is_empty(), "nothing is sent late");
    }
}
