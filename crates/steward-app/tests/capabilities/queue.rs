use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use steward_app::queue::QueueSummary;
use steward_app::tenant::{
    Flow, PatternFilter, PatternSort, Person, QueueFilter, QueueSort, ReviewFilter, RunFilter, StoredTally, Whose,
};
use steward_app::{Actor, App, AppError};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{ClientId, ItemId, PersonId, WorkflowId};
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::patterns::PatternState;
use steward_core::people::Role;
use steward_core::queue::{ClosedBy, ItemKind, LEASE_MS, QueueItem, QueueRule, RuleWhen, rank};
use steward_core::reviews::{ActiveCorrection, AgentWas, Cause, Judgement, PreventedBy};
use steward_core::sampling::{SamplingRule, Strata};
use steward_core::time::{DAY_MICROS, Period, Timestamp};
use steward_core::workflow::{ValueBasis, Workflow, WorkflowSettings};
use steward_testkit::db_tests;
use uuid::Uuid;

use crate::world::{NOW, World, words};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A run of a workflow that ended so many minutes before now, whose call of a tool failed.
fn failing(workflow: &str, id: &str, minutes_ago: i64, message: &str) -> Value {
    let at = NOW.0 / 1_000_000 - minutes_ago * 60;
    json!({
        "id": id, "workflow": workflow, "release": "v1", "started_at": at - 30, "ended_at": at, "outcome": "failed",
        "cost_usd": 0.25, "user_id": format!("user-{id}"),
        "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": at - 29, "ended_at": at - 28, "error": message}],
    })
}

/// A run that was handed to a person.
fn escalated(workflow: &str, id: &str, minutes_ago: i64, reason: &str) -> Value {
    let at = NOW.0 / 1_000_000 - minutes_ago * 60;
    json!({
        "id": id, "workflow": workflow, "started_at": at - 30, "ended_at": at,
        "outcome": "escalated", "outcome_reason": reason,
        "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": at - 29, "ended_at": at - 28}],
    })
}

/// Run “a” of the agent “bot” as it is told again: ended a little later, and its only call with another error or none.
fn told_again(phase: i64, error: Value) -> Value {
    let mut run = failing("bot", "a", 60, "");
    run["ended_at"] = json!(run["ended_at"].as_i64().expect("a time") + phase);
    run["outcome"] = json!("completed");
    run["steps"][0]["error"] = error;
    run["steps"][0]["ended_at"] = json!(run["steps"][0]["ended_at"].as_i64().expect("a time") + phase);
    run
}

/// An agency with one client and its workflow `bot`.
struct House {
    world: World,
    owner: Actor,
    client: ClientId,
    bot: Workflow,
}

impl House {
    async fn new(db: steward_testkit::TestDb) -> Self {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let client = world.client(&owner, "Dental").await.id;
        let bot = world.workflow(&owner, "bot", Some(client)).await;
        Self { world, owner, client, bot }
    }

    fn app(&self) -> &App {
        &self.world.app
    }

    /// Somebody of the client, who has a portal only.
    async fn client_person(&self) -> Actor {
        let person = Person {
            id: PersonId::from_uuid(self.app().ids().make()),
            email: "cli@dental.test".to_owned(),
            name: "Cli".to_owned(),
            role: Role::Client,
            has_password: false,
            created_at: NOW,
            disabled_at: None,
        };
        let store = self.app().agency(self.owner.agency_id);
        store.create_person(&person).await.expect("a person");
        store.update_person_clients(person.id, &[self.client]).await.expect("their client");
        self.world.actor("cli@dental.test").await
    }

    async fn take_in(&self, runs: &[Value]) {
        self.world.take_in(&self.owner, runs).await;
        self.settle().await;
    }

    /// Mines and fills until there is nothing left to do.
    async fn settle(&self) {
        self.app().mine_patterns().await.expect("mined");
        self.app().fill_queue().await.expect("filled");
        self.app().mine_patterns().await.expect("mined");
        self.app().fill_queue().await.expect("filled");
        assert_eq!(self.app().fill_queue().await.expect("filled"), 0, "there is nothing left to do");
    }

    async fn list(&self, actor: &Actor) -> Vec<QueueItem> {
        let filter = QueueFilter::default();
        self.app().list_queue(actor, &filter, None, QueueSort::Rank, None, 500).await.expect("items").items
    }

    async fn waiting(&self) -> Vec<QueueItem> {
        self.list(&self.owner).await
    }

    async fn only(&self) -> QueueItem {
        let mut items = self.waiting().await;
        assert_eq!(items.len(), 1, "{items:#?}");
        items.remove(0)
    }

    async fn item(&self, id: ItemId) -> QueueItem {
        self.app().get_queue_item(&self.owner, id).await.expect("an item").item
    }

    async fn tallies(&self) -> Vec<StoredTally> {
        self.app().agency(self.owner.agency_id).list_all_tallies().await.expect("tallies")
    }

    /// What came and went, by word.
    async fn flow(&self) -> BTreeMap<Flow, i64> {
        let day = Period { start: NOW.plus_micros(-90 * DAY_MICROS), end: NOW.plus_micros(DAY_MICROS) };
        let mut flow = BTreeMap::new();
        for (_, what, n) in self.app().agency(self.owner.agency_id).list_queue_flow(None, day).await.expect("the flow")
        {
            *flow.entry(what).or_default() += n;
        }
        flow.retain(|_, n| *n != 0);
        flow
    }

    async fn summary(&self) -> QueueSummary {
        let period = self.app().last_days(&self.owner, 7).await.expect("days");
        self.app().queue_summary(&self.owner, None, None, period).await.expect("a summary")
    }

    async fn outcome(&self, item: &QueueItem) -> Outcome {
        self.app().get_run(&self.owner, item.run_id).await.expect("a run").run.facts.outcome()
    }

    async fn review(&self, actor: &Actor, id: ItemId, judgement: Judgement) -> steward_core::reviews::Review {
        self.app().claim_item(actor, id).await.expect("claimed");
        self.app().review_item(actor, id, judgement, 0, None).await.expect("reviewed")
    }
}

fn judged() -> Judgement {
    Judgement {
        agent: Some(AgentWas::Wrong),
        outcome: Some(Outcome::Completed),
        cause: Some(Cause::Tool),
        preventable: Some(true),
        prevented_by: Some(PreventedBy::Schema),
        cleanup_minutes: 12,
        resolution: "booked by hand".to_owned(),
        comment: "the slot was free".to_owned(),
    }
}

db_tests! {
    async fn what_waiting_costs_most_stands_first(db: TestDb) {
        let house = House::new(db).await;
        let settings = |units: i64| WorkflowSettings {
            value: ValueBasis::PerCompletedRun { nanos: Nanos(units * 1_000_000_000) },
            ..WorkflowSettings::default()
        };
        house.world.workflow(&house.owner, "dear", Some(house.client)).await;
        let all = house.app().visible_workflows(&house.owner, true).await.expect("workflows");
        let dear = all.iter().find(|workflow| workflow.name == "dear").expect("it").id;
        house.app().update_settings(&house.owner, dear, settings(64)).await.expect("set");
        house.take_in(&[
            failing("bot", "old", 3 * 24 * 60, "no seats left"),
            failing("bot", "fresh", 5, "no seats left"),
            failing("dear", "worth it", 5, "no seats left"),
            escalated("bot", "somebody waits", 5, "asked for a person"),
        ]).await;
        let items = house.waiting().await;
        let keys: Vec<&str> = items.iter().map(|item| item.run_key.rsplit(' ').next().unwrap_or_default()).collect();
        // 64 dollars are six doublings, so six days; a person who waits is due in hours, and what is three days old
        // was due a day ago.
        let kinds: Vec<_> = items.iter().map(|item| (item.workflow_id == dear, item.exception_kind)).collect();
        assert_eq!(kinds, [
            (true, Some(ExceptionKind::Error)),
            (false, Some(ExceptionKind::Error)),
            (false, Some(ExceptionKind::Escalation)),
            (false, Some(ExceptionKind::Error)),
        ], "{keys:?}");
        assert_eq!(items[0].value_nanos, Some(Nanos(64_000_000_000)));
        assert_eq!(items[1].value_nanos, None, "no value is set");
        assert!(items[2].person_waits() && !items[1].person_waits());
        assert_eq!(items[2].due_at, items[2].arrived_at.plus_ms(4 * HOUR_MS));
        // Paged one by one, in every order, nothing is left out and nothing comes twice.
        for sort in [QueueSort::Rank, QueueSort::Due, QueueSort::Arrived] {
            let (mut found, mut behind) = (Vec::new(), None);
            loop {
                let filter = QueueFilter::default();
                let page = house.app().list_queue(&house.owner, &filter, None, sort, behind, 1).await.expect("a page");
                found.extend(page.items);
                behind = page.next;
                if behind.is_none() {
                    break;
                }
            }
            assert_eq!(found.len(), 4, "{sort:?}");
            let values: Vec<i64> = found.iter().map(|item| sort.value(item)).collect();
            let sorted = if sort == QueueSort::Rank { values.is_sorted_by(|a, b| a >= b) } else { values.is_sorted() };
            assert!(sorted, "{sort:?} {values:?}");
        }
        // Another value is another place, and no item has moved for any other reason.
        house.app().update_settings(&house.owner, dear, settings(2)).await.expect("set");
        let items = house.waiting().await;
        assert_eq!(items[0].exception_kind, Some(ExceptionKind::Error));
        let place = items.iter().position(|item| item.workflow_id == dear).expect("it waits");
        assert_eq!((place, items[place].value_nanos), (2, Some(Nanos(2_000_000_000))));
        assert_eq!(items[place].rank, rank(1_000_000, items[place].due_at));
    }

    async fn history_does_not_enter_and_what_enters_is_counted_once(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[
            failing("bot", "a", 60, "no seats left"),
            failing("bot", "history", 31 * 24 * 60, "no seats left"),
        ]).await;
        assert_eq!(house.only().await.arrived_at, NOW.plus_ms(-60 * MINUTE_MS));
        assert_eq!(house.flow().await, BTreeMap::from([(Flow::Arrived, 1)]));
        let other = house.world.another_process().await;
        assert_eq!(other.fill_queue().await.expect("filled"), 0);
        let summary = house.summary().await;
        assert_eq!((summary.open, summary.overdue), (1, 0));
        assert_eq!((summary.oldest, summary.median), (Some(NOW.plus_ms(-HOUR_MS)), Some(NOW.plus_ms(-HOUR_MS))));
        assert_eq!(summary.days.len(), 7);
        assert_eq!(summary.days.iter().map(|day| (day.arrived, day.closed)).fold((0, 0), |a, d| (a.0 + d.0, a.1 + d.1)), (1, 0));
        let patterns = house.app().list_queue_patterns(&house.owner, None, None).await.expect("patterns");
        assert_eq!((patterns.len(), patterns[0].open), (1, 1));
    }

    async fn twenty_reviewers_in_two_processes_never_get_the_same_item(db: TestDb) {
        let house = House::new(db).await;
        let runs: Vec<Value> = (0..70).map(|i| failing("bot", &format!("r{i}"), i, "no seats left")).collect();
        house.take_in(&runs).await;
        let other = house.world.another_process().await;
        let mut reviewers = Vec::new();
        for n in 0..20 {
            reviewers.push(house.world.person(&house.owner, &format!("p{n}@north.test"), Role::Operator, &[]).await);
        }
        let work = reviewers.iter().enumerate().map(|(n, actor)| {
            let app = if n % 2 == 0 { house.app().clone() } else { other.clone() };
            let actor = actor.clone();
            async move {
                let mut got = Vec::new();
                loop {
                    match app.claim_next(&actor, &QueueFilter::default(), None).await {
                        Ok(Some(item)) => {
                            let claim = item.claim.expect("a claim");
                            assert_eq!(claim.person_id, actor.person_id);
                            got.push(item.id);
                        }
                        Ok(None) => return got,
                        Err(AppError::Busy { .. }) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
        let got: Vec<Vec<ItemId>> = futures::future::join_all(work).await;
        let all: Vec<ItemId> = got.iter().flatten().copied().collect();
        assert_eq!(all.len(), 70);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 70, "nobody got what another holds");
        assert!(got.iter().filter(|of_one| !of_one.is_empty()).count() > 1, "one alone proves nothing");
        // All at once for one and the same item: one gets it.
        let one = all[0];
        house.world.clock.advance_ms(LEASE_MS);
        let tries = reviewers.iter().enumerate().map(|(n, actor)| {
            let app = if n % 2 == 0 { house.app().clone() } else { other.clone() };
            async move {
                loop {
                    match app.claim_item(actor, one).await {
                        Ok(_) => return true,
                        Err(AppError::Conflict(_)) => return false,
                        Err(AppError::Busy { .. }) => tokio::task::yield_now().await,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        });
        let won = futures::future::join_all(tries).await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
    }

    async fn a_claim_keeps_others_off_until_its_lease_is_over(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[failing("bot", "a", 60, "no seats left")]).await;
        let bea = house.world.person(&house.owner, "bea@north.test", Role::Operator, &[]).await;
        let id = house.only().await.id;
        let (app, ada) = (house.app(), &house.owner);
        assert_eq!(
            words(app.review_item(ada, id, Judgement::default(), 0, None).await),
            "conflict: you do not hold it: claim it first"
        );
        app.claim_item(ada, id).await.expect("claimed");
        assert_eq!(
            words(app.claim_item(&bea, id).await),
            "conflict: Owner of north works on it; take another, or try again when they are done"
        );
        assert_eq!(words(app.release_item(&bea, id).await.map(|_| ())), words(app.claim_item(&bea, id).await.map(|_| ())));
        // A sign of life holds it longer, and what is measured is no more than what has passed.
        house.world.clock.advance_ms(LEASE_MS - 1);
        let kept = app.keep_claim(ada, id, 40_000).await.expect("kept").claim.expect("a claim");
        assert_eq!((kept.active_ms, kept.until), (Some(40_000), NOW.plus_ms(2 * LEASE_MS - 1)));
        house.world.clock.advance_ms(5_000);
        let kept = app.keep_claim(ada, id, 8 * HOUR_MS).await.expect("kept").claim.expect("a claim");
        assert_eq!(kept.active_ms, Some(45_000));
        assert!(app.claim_next(&bea, &QueueFilter::default(), None).await.expect("an answer").is_none());
        house.world.clock.advance_ms(LEASE_MS);
        let taken = app.claim_next(&bea, &QueueFilter::default(), None).await.expect("an answer").expect("it is free");
        assert_eq!(taken.claim.map(|claim| (claim.person_id, claim.active_ms)), Some((bea.person_id, None)));
        for refused in [
            words(app.keep_claim(ada, id, 0).await.map(|_| ())),
            words(app.release_item(ada, id).await.map(|_| ())),
            words(app.review_item(ada, id, Judgement::default(), 0, None).await.map(|_| ())),
        ] {
            assert!(refused.starts_with("conflict: bea@north.test works on it"), "{refused}");
        }
        let released = app.release_item(&bea, id).await.expect("released");
        assert_eq!(released.claim, None);
        app.claim_item(ada, id).await.expect("free again");
        let review = app.review_item(ada, id, Judgement::default(), 0, None).await.expect("reviewed");
        assert_eq!((review.measured_ms, review.active_ms), (None, None), "nothing was measured, which is not nothing");
        assert_eq!(words(app.claim_item(&bea, id).await.map(|_| ())), "conflict: somebody has closed it meanwhile");
        assert_eq!(
            words(app.review_item(ada, id, Judgement::default(), 0, None).await.map(|_| ())),
            "conflict: somebody has closed it meanwhile"
        );
    }

    async fn a_review_corrects_the_outcome_and_undo_restores_everything(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[
            failing("bot", "a", 60, "no seats left"),
            escalated("bot", "b", 50, "asked for a person"),
            failing("bot", "c", 40, "no seats left"),
        ]).await;
        let (app, ada) = (house.app(), &house.owner);
        let changes = steward_app::agencies::AgencyChanges {
            reviewer_rate_nanos: Some(Nanos(60_000_000_000)), currency: Some("USD".to_owned()), ..Default::default()
        };
        app.update_agency(ada, changes).await.expect("a rate");
        let items = house.waiting().await;
        let of = |kind| items.iter().find(|item| item.exception_kind == Some(kind)).cloned().expect("an item");
        let escalation = of(ExceptionKind::Escalation);
        app.claim_item(ada, escalation.id).await.expect("claimed");
        house.world.clock.advance_ms(120_000);
        app.keep_claim(ada, escalation.id, 90_000).await.expect("kept");
        let before = (house.tallies().await, house.item(escalation.id).await, house.flow().await);
        let review = app.review_item(ada, escalation.id, judged(), 0, None).await.expect("reviewed");
        house.settle().await;
        assert_eq!((review.measured_ms, review.active_ms), (Some(90_000), Some(90_000)));
        assert_eq!(house.outcome(&escalation).await, Outcome::Completed);
        let closed = house.item(escalation.id).await;
        assert_eq!((closed.closed_by, closed.review_id), (Some(ClosedBy::Review), Some(review.id)));
        assert_eq!(house.waiting().await.len(), 2);
        let period = app.last_days(ada, 1).await.expect("a day");
        let scope = steward_app::figures::Scope::default();
        let figures = app.figures(ada, &scope, period).await.expect("figures");
        let value = |id: &str| figures.get(id).and_then(|figure| figure.value);
        assert_eq!(value("review_time"), Some(90.0));
        assert!(value("review_time_p50").is_some_and(|seconds| (89.0..91.0).contains(&seconds)));
        assert_eq!(value("preventable_escalation_rate"), Some(1.0));
        assert_eq!(value("cleanup_burden"), Some(12.0));
        assert_eq!(value("human_cost_per_completed_run"), Some(13.5), "13.5 minutes at one a minute");
        assert_eq!(value("escalation_rate"), Some(0.0));
        assert_eq!(value("queue_age"), Some(1.0 + 2.0 / 60.0));
        // By cost the one pattern that took a person's time comes first, though its only exception is none any more.
        let page = async |sort, behind| {
            let page = app.list_patterns(ada, &PatternFilter::default(), None, sort, behind, 1).await.expect("patterns");
            (page.patterns[0].clone(), page.next)
        };
        let (often, _) = page(PatternSort::Count, None).await;
        assert_eq!((often.n, often.human_ms, often.cost_nanos), (2, 0, often.wasted_nanos));
        let (dear, next) = page(PatternSort::Cost, None).await;
        assert_eq!((dear.n, dear.human_ms), (0, 13 * 60_000 + 30_000));
        assert_eq!((dear.cost_nanos - dear.wasted_nanos) / 10_000_000, 1_349, "$13.50, less what a whole nano a millisecond leaves out");
        assert_eq!(page(PatternSort::Cost, next).await.0.pattern.id, often.pattern.id);
        let seen_today = PatternFilter { period: Some(period), ..PatternFilter::default() };
        let listed = app.list_patterns(ada, &seen_today, None, PatternSort::Cost, None, 10).await.expect("patterns");
        assert_eq!(listed.patterns.iter().map(|listed| listed.pattern.id).collect::<Vec<_>>(), [often.pattern.id]);
        let long_ago = Period { start: Timestamp(0), end: Timestamp(86_400_000_000) };
        let (store, patterns) = (app.agency(ada.agency_id), [escalation.pattern_id.expect("a pattern")]);
        let spent = store.sum_pattern_reviews(&patterns, Some(long_ago)).await.expect("sums");
        assert!(spent.is_empty(), "{spent:?}");
        // What was done about it is there for whoever has the next of the pattern; the pattern says what it takes.
        assert_eq!(house.item(of(ExceptionKind::Error).id).await.pattern_id, of(ExceptionKind::Error).pattern_id);
        let undone = app.undo_review(ada, review.id).await.expect("undone");
        assert_eq!((undone.undone_at.is_some(), undone.undone_by.as_str()), (true, "Owner of north"));
        house.settle().await;
        assert_eq!(house.outcome(&escalation).await, Outcome::Escalated);
        let after = (house.tallies().await, house.item(escalation.id).await, house.flow().await);
        assert_eq!(after.0, before.0);
        assert_eq!(after.2, before.2);
        let ended = after.1.claim.clone().map(|claim| steward_core::queue::Claim { until: before.1.claim.as_ref().expect("a claim").until, ..claim });
        assert_eq!(QueueItem { claim: ended, ..after.1 }, before.1, "only the lease has ended");
        assert_eq!(words(app.undo_review(ada, review.id).await.map(|_| ())), "conflict: this review is taken back already");
        // The time that the first review took counts in the second.
        app.claim_item(ada, escalation.id).await.expect("claimed again");
        let again = app.review_item(ada, escalation.id, Judgement::default(), 0, None).await.expect("reviewed");
        assert_eq!(again.active_ms, Some(90_000));
        let all = ReviewFilter { with_undone: true, ..ReviewFilter::default() };
        assert_eq!(app.list_reviews(ada, &all, None, None, 10).await.expect("reviews").reviews.len(), 2);
        assert_eq!(app.list_reviews(ada, &ReviewFilter::default(), None, None, 10).await.expect("reviews").reviews.len(), 1);
    }

    async fn an_earlier_verdict_holds_again_when_a_review_is_taken_back(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[failing("bot", "a", 60, "no seats left")]).await;
        let (app, ada) = (house.app(), &house.owner);
        let item = house.only().await;
        app.give_verdict(ada, item.run_id, Some(Outcome::Abandoned), "they hung up").await.expect("a verdict");
        house.settle().await;
        let id = house.only().await.id;
        let review = house.review(ada, id, judged()).await;
        assert_eq!(house.outcome(&item).await, Outcome::Completed);
        app.undo_review(ada, review.id).await.expect("undone");
        assert_eq!(house.outcome(&item).await, Outcome::Abandoned);
        // A verdict that hands it to a person is no new work: somebody has looked at it.
        house.world.clock.advance_ms(1);
        app.give_verdict(ada, item.run_id, Some(Outcome::Escalated), "").await.expect("a verdict");
        house.settle().await;
        assert_eq!(house.only().await.id, id);
    }

    async fn a_corrected_time_needs_a_note_and_counts_instead(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[failing("bot", "a", 60, "no seats left")]).await;
        let (app, ada) = (house.app(), &house.owner);
        let id = house.only().await.id;
        app.claim_item(ada, id).await.expect("claimed");
        house.world.clock.advance_ms(10_000);
        let correction = |note: &str| Some(ActiveCorrection { active_ms: 600_000, note: note.to_owned() });
        let refused = app.review_item(ada, id, Judgement::default(), 7_000, correction("")).await;
        assert_eq!(words(refused.map(|_| ())), "invalid: say in a note why the measured time is not right");
        let review = app.review_item(ada, id, Judgement::default(), 7_000, correction("on the phone")).await;
        let review = review.expect("reviewed");
        assert_eq!((review.measured_ms, review.active_ms), (Some(7_000), Some(600_000)));
        assert_eq!(review.active_note, "on the phone");
    }

    async fn muting_closes_what_waits_and_taking_it_back_opens_it(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[failing("bot", "a", 60, "no seats left"), failing("bot", "b", 50, "no seats left")]).await;
        let (app, ada) = (house.app(), &house.owner);
        let items = house.waiting().await;
        let review = house.review(ada, items[0].id, Judgement::default()).await;
        let pattern = items[0].pattern_id.expect("a pattern");
        let set = async |state| app.update_pattern(ada, pattern, None, Some(state), None).await.expect("set");
        set(PatternState::Muted).await;
        house.settle().await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(house.item(items[1].id).await.closed_by, Some(ClosedBy::Muted));
        assert_eq!(house.item(items[0].id).await.closed_by, Some(ClosedBy::Review));
        assert!(words(app.claim_item(ada, items[1].id).await.map(|_| ())).contains("muted"));
        house.take_in(&[failing("bot", "c", 40, "no seats left")]).await;
        assert!(house.waiting().await.is_empty(), "what is muted does not enter");
        // A review that is taken back does not open what is muted.
        app.undo_review(ada, review.id).await.expect("undone");
        assert!(house.waiting().await.is_empty());
        set(PatternState::Known).await;
        house.settle().await;
        let open: BTreeSet<ItemId> = house.waiting().await.iter().map(|item| item.id).collect();
        assert_eq!(open, items.iter().map(|item| item.id).collect());
        let flow = house.flow().await;
        assert_eq!(flow.get(&Flow::Arrived), Some(&2));
        let (back, muted) = (flow.get(&Flow::Back), flow.get(&Flow::Closed(ClosedBy::Muted)));
        assert_eq!((back, muted), (Some(&2), Some(&2)), "what came and what went is what waits");
    }

    async fn a_run_that_no_longer_has_the_exception_closes_its_item(db: TestDb) {
        let house = House::new(db).await;
        house.take_in(&[told_again(0, json!("no seats left"))]).await;
        let item = house.only().await;
        house.take_in(&[told_again(1, json!(null))]).await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(house.item(item.id).await.closed_by, Some(ClosedBy::Gone));
        house.take_in(&[told_again(2, json!("no rooms left"))]).await;
        let back = house.only().await;
        assert_eq!((back.id, back.message.as_str()), (item.id, "no rooms left"));
        assert_eq!((back.arrived_at, back.due_at), (item.arrived_at, item.due_at), "it has waited since then");
        assert_ne!(back.pattern_id, item.pattern_id);
        assert_eq!(house.flow().await, BTreeMap::from([(Flow::Arrived, 1), (Flow::Back, 1), (Flow::Closed(ClosedBy::Gone), 1)]));
    }

    async fn what_is_not_mined_yet_waits_through_revisions_and_leaves_with_its_exception(db: TestDb) {
        let house = House::new(db).await;
        let (app, agency) = (house.app(), house.owner.agency_id);
        house.take_in(&[told_again(0, json!("no seats left"))]).await;
        let item = house.only().await;
        house.world.take_in(&house.owner, &[told_again(1, json!("no rooms left"))]).await;
        app.fill_queue().await.expect("filled");
        assert_eq!(house.only().await, item, "its exception has no pattern yet, and is there");
        house.settle().await;
        assert_eq!(house.only().await.message, "no rooms left");
        assert_eq!(house.flow().await, BTreeMap::from([(Flow::Arrived, 1)]), "nothing came or went meanwhile");
        // Gone before anybody looked at it again: no later mining would say so.
        app.agency(agency).reset_mining(None).await.expect("reset");
        house.world.take_in(&house.owner, &[told_again(2, json!(null))]).await;
        house.settle().await;
        assert!(house.waiting().await.is_empty());
        assert_eq!(house.item(item.id).await.closed_by, Some(ClosedBy::Gone));
    }

    async fn a_rebuild_keeps_claims_assignments_and_reviews(db: TestDb) {
        let house = House::new(db).await;
        let runs: Vec<Value> = (0..6).map(|i| failing("bot", &format!("r{i}"), 10 + i, "no seats left")).collect();
        house.take_in(&runs).await;
        let (app, ada) = (house.app(), &house.owner);
        let items = house.waiting().await;
        let review = house.review(ada, items[0].id, judged()).await;
        app.claim_item(ada, items[1].id).await.expect("claimed");
        app.assign_items(ada, &[items[2].id], Some(ada.person_id)).await.expect("assigned");
        house.settle().await;
        let everything = async || {
            let mut items = Vec::new();
            for item in &runs_of(&items) {
                items.push(house.item(*item).await);
            }
            let reviews = app.list_reviews(ada, &ReviewFilter::default(), None, None, 10).await.expect("reviews");
            (items, reviews.reviews, house.tallies().await, house.flow().await)
        };
        let before = everything().await;
        app.rebuild(ada.agency_id, &|_| ()).await.expect("rebuilt");
        house.settle().await;
        assert_eq!(everything().await, before);
        app.undo_review(ada, review.id).await.expect("undone");
        assert_eq!(house.outcome(&items[0]).await, Outcome::Failed);
    }

    async fn contractors_see_their_clients_only_and_no_money(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let other = house.world.client(ada, "Airline").await.id;
        let air = house.world.workflow(ada, "air", Some(other)).await;
        let value = WorkflowSettings { value: ValueBasis::PerCompletedRun { nanos: Nanos(50_000_000_000) }, ..WorkflowSettings::default() };
        for id in [house.bot.id, air.id] {
            app.update_settings(ada, id, value.clone()).await.expect("set");
        }
        house.take_in(&[failing("bot", "a", 60, "no seats left"), failing("air", "b", 50, "no wings left")]).await;
        let con = house.world.person(ada, "con@north.test", Role::Contractor, &[house.client]).await;
        let cli = house.client_person().await;
        let mine = house.list(&con).await;
        assert_eq!(mine.len(), 1);
        assert_eq!((mine[0].value_nanos, mine[0].rank), (None, 0));
        let all = house.waiting().await;
        let foreign = all.iter().find(|item| item.workflow_id == air.id).expect("another's").id;
        let own = mine[0].id;
        for refused in [
            words(app.get_queue_item(&con, foreign).await.map(|_| ())),
            words(app.claim_item(&con, foreign).await.map(|_| ())),
            words(app.keep_claim(&con, foreign, 1).await.map(|_| ())),
            words(app.release_item(&con, foreign).await.map(|_| ())),
            words(app.review_item(&con, foreign, Judgement::default(), 0, None).await.map(|_| ())),
        ] {
            assert_eq!(refused, "not found: no such item of the queue");
        }
        let least = QueueFilter { least_value_nanos: Some(Nanos(i64::MAX)), ..QueueFilter::default() };
        assert_eq!(app.count_queue(&con, &least, None).await.expect("a count"), 1, "a filter by value would tell it");
        assert_eq!(app.count_queue(ada, &least, None).await.expect("a count"), 0);
        let taken = app.claim_next(&con, &QueueFilter::default(), None).await.expect("an answer").expect("one");
        assert_eq!((taken.id, taken.value_nanos, taken.rank), (own, None, 0));
        assert!(app.claim_next(&con, &QueueFilter::default(), None).await.expect("an answer").is_none());
        let review = app.review_item(&con, own, Judgement::default(), 0, None).await.expect("reviewed");
        let theirs = house.review(ada, foreign, Judgement::default()).await;
        assert_eq!(words(app.undo_review(&con, theirs.id).await.map(|_| ())), "not found: no such review");
        app.undo_review(&con, review.id).await.expect("their own");
        let of_owner = house.review(ada, own, Judgement::default()).await;
        assert!(words(app.undo_review(&con, of_owner.id).await.map(|_| ())).starts_with("forbidden"));
        for refused in [
            words(app.assign_items(&con, &[own], None).await),
            words(app.list_queue_rules(&con).await.map(|_| ())),
            words(app.update_queue_rules(&con, Vec::new()).await.map(|_| ())),
            words(app.start_bulk_review(&con, mine[0].pattern_id.expect("one"), Judgement::default(), None).await.map(|_| ())),
            words(app.list_queue(&cli, &QueueFilter::default(), None, QueueSort::Rank, None, 5).await.map(|_| ())),
            words(app.claim_next(&cli, &QueueFilter::default(), None).await.map(|_| ())),
            words(app.get_queue_item(&cli, own).await.map(|_| ())),
            words(app.get_review(&cli, review.id).await.map(|_| ())),
        ] {
            assert!(refused.starts_with("forbidden"), "{refused}");
        }
        let summary = app.queue_summary(&con, None, None, app.last_days(&con, 7).await.expect("days")).await.expect("one");
        assert_eq!(summary.open, 0);
        let south = house.world.agency("south").await;
        assert_eq!(words(app.get_queue_item(&south, own).await.map(|_| ())), "not found: no such item of the queue");
        assert_eq!(words(app.get_review(&south, review.id).await.map(|_| ())), "not found: no such review");
    }

    async fn rules_assign_and_set_due_times_for_what_arrives(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let bea = house.world.person(ada, "bea@north.test", Role::Contractor, &[house.client]).await;
        let cli = house.client_person().await;
        let rule = |when, assign_to, due_minutes| QueueRule { name: "a rule".to_owned(), when, assign_to, due_minutes };
        let escalations = RuleWhen { kind: Some(ExceptionKind::Escalation), ..RuleWhen::default() };
        let rules = vec![
            rule(escalations.clone(), Some(bea.person_id), Some(30)),
            rule(RuleWhen { client: Some(house.client), ..RuleWhen::default() }, Some(ada.person_id), None),
        ];
        let nobody = PersonId::from_uuid(Uuid::from_u128(7));
        let nowhere = WorkflowId::from_uuid(Uuid::from_u128(7));
        for (bad, words_of) in [
            (rule(escalations.clone(), Some(nobody), None), "invalid: rule 1: there is nobody of this id who reviews"),
            (rule(escalations.clone(), Some(cli.person_id), None), "invalid: rule 1: there is nobody of this id who reviews"),
            (rule(RuleWhen { workflow: Some(nowhere), ..RuleWhen::default() }, None, Some(5)), "invalid: rule 1: there is no such workflow"),
            (rule(escalations, None, None), "invalid: rule 1: a rule assigns, or sets a due time, or both"),
        ] {
            assert_eq!(words(app.update_queue_rules(ada, vec![bad]).await.map(|_| ())), words_of);
        }
        let many = vec![rules[0].clone(); 101];
        assert!(words(app.update_queue_rules(ada, many).await.map(|_| ())).starts_with("invalid: an agency has at most"));
        assert_eq!(app.update_queue_rules(ada, rules.clone()).await.expect("kept"), rules);
        assert_eq!(app.list_queue_rules(ada).await.expect("rules"), rules);
        house.take_in(&[failing("bot", "a", 60, "no seats left"), escalated("bot", "b", 50, "asked for a person")]).await;
        let items = house.waiting().await;
        assert_eq!((items[0].assignee, items[0].due_at), (Some(bea.person_id), items[0].arrived_at.plus_ms(30 * MINUTE_MS)));
        assert_eq!((items[1].assignee, items[1].due_at), (Some(ada.person_id), items[1].arrived_at.plus_ms(48 * HOUR_MS)));
        // What is another's is left to them, unless one asks for it.
        assert_eq!(app.claim_next(&bea, &QueueFilter::default(), None).await.expect("one").map(|item| item.id), Some(items[0].id));
        assert_eq!(app.claim_next(&bea, &QueueFilter::default(), None).await.expect("none"), None);
        let of_ada = QueueFilter { assignee: Some(Whose::Of(ada.person_id)), ..QueueFilter::default() };
        assert_eq!(app.count_queue(&bea, &of_ada, None).await.expect("a count"), 1);
        // Whoever has left is assigned nothing, and keeps nothing; rules that name them stand in nobody's way.
        app.disable_person(ada, bea.person_id).await.expect("disabled");
        assert_eq!(house.item(items[0].id).await.assignee, None);
        assert_eq!(house.item(items[1].id).await.assignee, Some(ada.person_id));
        let turned: Vec<QueueRule> = rules.iter().rev().cloned().collect();
        assert_eq!(app.update_queue_rules(ada, turned.clone()).await.expect("turned"), turned);
        app.update_queue_rules(ada, rules).await.expect("turned back");
        house.take_in(&[escalated("bot", "c", 40, "asked for a person")]).await;
        let fresh = house.waiting().await.into_iter().find(|item| !items.iter().any(|known| known.id == item.id));
        assert_eq!(fresh.and_then(|item| item.assignee), None);
        assert_eq!(words(app.assign_items(ada, &[items[0].id], Some(bea.person_id)).await), "not found: no such person");
        assert_eq!(words(app.assign_items(ada, &[], None).await), "invalid: choose 1 to 500 items to assign");
        let unknown = ItemId::from_uuid(Uuid::from_u128(9));
        assert_eq!(words(app.assign_items(ada, &[items[0].id, unknown], None).await), "not found: no such item of the queue");
        assert_eq!(app.assign_items(ada, &[items[1].id, items[1].id], None).await.expect("assigned"), 1);
    }

    async fn a_bulk_review_closes_what_nobody_holds_and_is_taken_back_as_one(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let bea = house.world.person(ada, "bea@north.test", Role::Operator, &[]).await;
        let runs: Vec<Value> = (0..23).map(|i| failing("bot", &format!("r{i}"), 10 + i, "no seats left")).collect();
        house.take_in(&runs).await;
        house.take_in(&[failing("bot", "other", 5, "the service timed out")]).await;
        let items = house.waiting().await;
        let pattern = items.iter().find(|item| item.message == "no seats left").and_then(|item| item.pattern_id).expect("one");
        let held = items.iter().find(|item| item.pattern_id == Some(pattern)).expect("one").id;
        app.claim_item(&bea, held).await.expect("claimed");
        let before = (house.tallies().await, house.flow().await, house.waiting().await);
        let bulk = app.start_bulk_review(ada, pattern, judged(), Some(100_000)).await.expect("started");
        assert_eq!((bulk.state.as_str(), bulk.total, bulk.done), ("done", 22, 22));
        assert_eq!(bulk.outcomes_left, 22, "outcomes follow behind");
        house.settle().await;
        let bulk = app.find_bulk_review(ada, bulk.id).await.expect("one");
        assert_eq!(bulk.outcomes_left, 0);
        assert_eq!(house.waiting().await.len(), 2, "what somebody holds is theirs, and another pattern is another");
        let filter = RunFilter { outcome: Some(Outcome::Completed), ..RunFilter::default() };
        assert_eq!(app.count_runs(ada, &filter).await.expect("a count"), 22);
        let of_bulk = ReviewFilter { bulk: Some(bulk.id), ..ReviewFilter::default() };
        let reviews = app.list_reviews(ada, &of_bulk, None, None, 500).await.expect("reviews").reviews;
        assert_eq!(reviews.iter().filter_map(|review| review.active_ms).sum::<i64>(), 100_000, "shared out without rest");
        assert!(words(app.undo_review(ada, reviews[0].id).await.map(|_| ())).contains("take that back as a whole"));
        let closed = house.item(reviews[0].item_id).await;
        assert_eq!((closed.closed_by, closed.review_id), (Some(ClosedBy::Review), Some(reviews[0].id)));
        assert_eq!(words(app.start_bulk_review(&bea, pattern, judged(), Some(-1)).await.map(|_| ())), "invalid: active time lies between 0 and 8 hours for one item");
        // The job that was queued for it finds nothing left to do.
        while app.do_next_job().await.expect("a job") {}
        let undone = app.undo_bulk_review(ada, bulk.id).await.expect("undone");
        assert_eq!((undone.state.as_str(), undone.done), ("undone", 22));
        house.settle().await;
        while app.do_next_job().await.expect("a job") {}
        assert_eq!((house.tallies().await, house.flow().await, house.waiting().await), before);
        assert_eq!(words(app.undo_bulk_review(ada, bulk.id).await.map(|_| ())), "conflict: this bulk review is taken back already");
    }

    async fn what_is_taken_back_while_outcomes_are_corrected_is_not_forgotten(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        house.take_in(&[escalated("bot", "a", 50, "asked for a person"), escalated("bot", "b", 40, "asked for a person")]).await;
        let items = house.waiting().await;
        let pattern = items[0].pattern_id.expect("a pattern");
        let bulk = app.start_bulk_review(ada, pattern, judged(), None).await.expect("started");
        let store = app.agency(ada.agency_id);
        let keys = store.list_rereads(10).await.expect("keys");
        let found = store.find_rereads(&keys).await.expect("reviews");
        assert_eq!((keys.len(), found.len()), (2, 2));
        app.undo_bulk_review(ada, bulk.id).await.expect("undone");
        store.record_rereads(&found).await.expect("recorded");
        assert_eq!(store.list_rereads(10).await.expect("keys"), keys, "both are still to be read as they are now");
        house.settle().await;
        assert!(store.list_rereads(10).await.expect("keys").is_empty());
        assert_eq!(house.outcome(&items[0]).await, Outcome::Escalated);
        assert_eq!(house.waiting().await.len(), 2);
        assert_eq!(house.flow().await, BTreeMap::from([(Flow::Arrived, 2)]), "nothing came or went meanwhile");
    }

    async fn a_run_that_cannot_be_read_keeps_no_other_from_being_corrected(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let runs: Vec<Value> =
            (0..3).map(|i| escalated("bot", &format!("r{i}"), 50 - i, "asked for a person")).collect();
        house.take_in(&runs).await;
        let items = house.waiting().await;
        app.start_bulk_review(ada, items[0].pattern_id.expect("a pattern"), judged(), None).await.expect("started");
        let store = app.agency(ada.agency_id);
        let keys = store.list_rereads(10).await.expect("keys");
        assert_eq!(keys.len(), 3);
        let broken = format!(
            "UPDATE run_blobs SET facts = steps WHERE run_id IN (SELECT id FROM runs WHERE run_key = '{}')",
            items[1].run_key
        );
        house.world.db.run(&broken).await;
        assert!(words(app.reread_runs(ada.agency_id, &keys).await).starts_with("broken"), "all at once they fail");
        house.settle().await;
        for item in [&items[0], &items[2]] {
            assert_eq!(house.outcome(item).await, Outcome::Completed);
        }
        assert!(words(app.get_run(ada, items[1].run_id).await.map(|_| ())).starts_with("broken"));
        assert!(store.list_rereads(10).await.expect("keys").is_empty(), "and it is not tried for ever");
    }

    async fn what_was_handed_over_is_deleted_also_where_a_review_took_the_exception_away(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let mut run = escalated("bot", "a", 50, "asked for a person");
        run["user_id"] = json!("anna");
        house.take_in(&[run]).await;
        let item = house.only().await;
        let exception = item.exception_id().expect("an exception");
        let link = app.create_handoff_link(ada, exception, "Jo", 7).await.expect("a link");
        let token = link.url.reveal().rsplit('/').next().expect("a token").to_owned();
        let token = steward_app::secrets::Secret::sent(&token);
        app.answer_handoff_link(&token, "192.0.2.1", "Jo", "called Anna back").await.expect("an answer");
        house.review(ada, item.id, judged()).await;
        house.settle().await;
        let store = app.agency(ada.agency_id);
        assert!(store.find_exception(exception).await.expect("asked").is_none(), "it is completed now");
        assert_eq!(store.list_handoff_answers(exception).await.expect("answers").len(), 1);
        app.delete_user_data(ada, "anna", None).await.expect("deleted");
        assert!(store.list_handoff_answers(exception).await.expect("answers").is_empty());
        let opened = app.open_handoff_link(&token, "192.0.2.1").await;
        assert_eq!(words(opened.map(|_| ())), "not found: no such link");
        assert!(app.list_reviews(ada, &ReviewFilter { with_undone: true, ..ReviewFilter::default() }, None, None, 10).await.expect("reviews").reviews.is_empty());
    }

    async fn a_bulk_review_goes_on_where_a_process_died(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let runs: Vec<Value> = (0..300).map(|i| failing("bot", &format!("r{i}"), 10 + i % 60, "no seats left")).collect();
        house.take_in(&runs).await;
        let pattern = house.waiting().await[0].pattern_id.expect("a pattern");
        let before = (house.tallies().await, house.flow().await);
        let judgement = Judgement { comment: "all the same".to_owned(), ..Judgement::default() };
        let bulk = app.start_bulk_review(ada, pattern, judgement, None).await.expect("started");
        assert_eq!((bulk.state.as_str(), bulk.total, bulk.done), ("running", 300, 0), "many are left to the job");
        // What arrives behind is not part of it.
        house.world.clock.advance_ms(1_000);
        house.take_in(&[failing("bot", "late", 1, "no seats left")]).await;
        let store = app.agency(ada.agency_id);
        let ids = |from: u128| (from..from + 150).map(|n| steward_core::ids::ReviewId::from_uuid(Uuid::from_u128(n))).collect::<Vec<_>>();
        let bucket = steward_stats::histogram::bucket_of;
        let closed = store.close_bulk_items(&bulk, ids(1 << 100), app.clock().now(), bucket).await.expect("closed");
        assert_eq!(closed, Some(150));
        assert_eq!(app.find_bulk_review(ada, bulk.id).await.expect("one").done, 150, "progress shows");
        // The one that did this is gone; another takes the job over.
        let other = house.world.another_process().await;
        while other.do_next_job().await.expect("a job") {}
        let done = app.find_bulk_review(ada, bulk.id).await.expect("one");
        assert_eq!((done.state.as_str(), done.total, done.done), ("done", 300, 300));
        assert_eq!(store.close_bulk_items(&bulk, ids(1 << 101), app.clock().now(), bucket).await.expect("an answer"), None);
        assert_eq!(house.only().await.arrived_at, NOW.plus_ms(-MINUTE_MS));
        let reviewed = house.flow().await.get(&Flow::Closed(ClosedBy::Review)).copied();
        assert_eq!(reviewed, Some(300));
        app.undo_bulk_review(ada, bulk.id).await.expect("begun");
        let opened = store.reopen_bulk_items(bulk.id, "Ada", 150, app.clock().now(), bucket).await.expect("opened");
        assert_eq!(opened, Some(150));
        while other.do_next_job().await.expect("a job") {}
        assert_eq!(app.find_bulk_review(ada, bulk.id).await.expect("one").state.as_str(), "undone");
        assert_eq!(app.count_queue(ada, &QueueFilter::default(), None).await.expect("a count"), 301);
        let reviews = |tallies: &[StoredTally]| tallies.iter().filter(|tally| tally.3 == "reviews").count();
        assert_eq!((reviews(&house.tallies().await), reviews(&before.0)), (0, 0));
    }

    async fn samples_wait_in_the_same_queue(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        house.take_in(&[failing("bot", "a", 60, "no seats left")]).await;
        let rule = SamplingRule { share: 1.0, strata: Strata::None, at_least: 0, at_most: 10 };
        app.update_sampling(ada, house.bot.id, rule).await.expect("a rule");
        let mut done = failing("bot", "done", -60, "");
        done["outcome"] = json!("completed");
        done["steps"] = json!([]);
        house.world.clock.advance_ms(2 * HOUR_MS);
        house.take_in(&[done]).await;
        house.world.clock.advance_ms(24 * HOUR_MS);
        assert_eq!(app.sample_runs().await.expect("sampled"), 1);
        let only = QueueFilter { kind: Some(ItemKind::Sample), ..QueueFilter::default() };
        assert_eq!(app.count_queue(ada, &only, None).await.expect("a count"), 1);
        assert_eq!(house.waiting().await.len(), 2, "the exception waits beside it");
        let sample = house.waiting().await.into_iter().find(|item| item.kind == ItemKind::Sample).expect("a sample");
        let review = house.review(ada, sample.id, Judgement { agent: Some(AgentWas::Right), ..Judgement::default() }).await;
        assert_eq!((review.kind, review.exception_kind, review.pattern_id), (ItemKind::Sample, None, None));
        let detail = app.get_queue_item(ada, sample.id).await.expect("one");
        assert!(detail.exception.is_none() && detail.pattern.is_none() && detail.run.is_some());
        let figures = app.figures(ada, &steward_app::figures::Scope::default(), app.last_days(ada, 1).await.expect("a day")).await.expect("figures");
        assert_eq!(figures.get("review_time").and_then(|figure| figure.value), None, "a sample is no exception");
    }

    async fn odd_input_is_refused_in_words(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        house.take_in(&[failing("bot", "a", 60, "it said ' OR 1=1; -- \u{202e} \u{0}")]).await;
        let id = house.only().await.id;
        app.claim_item(ada, id).await.expect("claimed");
        for ms in [-1, i64::MIN, i64::MAX, 8 * HOUR_MS + 1] {
            assert!(words(app.keep_claim(ada, id, ms).await.map(|_| ())).starts_with("invalid"), "{ms}");
            let refused = app.review_item(ada, id, Judgement::default(), ms, None).await;
            assert!(words(refused.map(|_| ())).starts_with("invalid"), "{ms}");
        }
        for judgement in [
            Judgement { outcome: Some(Outcome::Unverified), ..Judgement::default() },
            Judgement { prevented_by: Some(PreventedBy::Tool), ..Judgement::default() },
            Judgement { cleanup_minutes: u32::MAX, ..Judgement::default() },
            Judgement { comment: "x".repeat(4_001), ..Judgement::default() },
            Judgement { resolution: "a\0b".to_owned(), ..Judgement::default() },
        ] {
            let refused = app.review_item(ada, id, judgement.clone(), 0, None).await;
            assert!(words(refused.map(|_| ())).starts_with("invalid"), "{judgement:?}");
        }
        let odd = QueueFilter {
            tool: Some("' OR 1=1 --".to_owned()), class: Some("\u{0}%_".to_owned()),
            arrived_before: Some(steward_core::time::Timestamp(i64::MIN)), due_before: Some(steward_core::time::Timestamp(i64::MAX)),
            least_value_nanos: Some(Nanos(i64::MIN)), workflows: Some(Vec::new()), ..QueueFilter::default()
        };
        assert_eq!(app.count_queue(ada, &odd, None).await.expect("a count"), 0);
        let behind = steward_app::tenant::QueueCursor { value: i64::MIN, id };
        let page = app.list_queue(ada, &QueueFilter::default(), None, QueueSort::Rank, Some(behind), 0).await.expect("a page");
        assert!(page.items.is_empty() && page.next.is_none());
        let text = "“;DROP TABLE reviews;--” \u{202e}ÿ".to_owned();
        let judgement = Judgement { resolution: text.clone(), comment: text.clone(), ..judged() };
        let review = app.review_item(ada, id, judgement, 0, None).await.expect("reviewed");
        assert_eq!(app.get_review(ada, review.id).await.expect("one").judgement.resolution, text);
    }
}

fn runs_of(items: &[QueueItem]) -> Vec<ItemId> {
    items.iter().map(|item| item.id).collect()
}
