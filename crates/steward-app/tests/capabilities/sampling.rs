use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use steward_app::figures::{Figures, Scope};
use steward_app::retention::Retention;
use steward_app::tenant::{QueueFilter, QueueSort, RunFilter};
use steward_app::{Actor, App, AppError};
use steward_core::ids::{ClientId, ItemId};
use steward_core::outcome::Outcome;
use steward_core::people::Role;
use steward_core::queue::{ClosedBy, ItemKind, QueueItem, QueueRule};
use steward_core::reviews::{AgentWas, Judgement, Review};
use steward_core::sampling::{SamplingRule, Strata, item_of, number_of};
use steward_core::time::{DAY_MICROS, HOUR_MICROS, Period, Timestamp};
use steward_core::workflow::Workflow;
use steward_store::system::InboxKind;
use steward_testkit::db_tests;

use crate::world::{NOW, World, words};

/// The first instant of the day on which everything begins.
const MONDAY: Timestamp = Timestamp(NOW.0 - NOW.0 % DAY_MICROS);

/// So many hours after the first day began.
fn at(hours: i64) -> Timestamp {
    MONDAY.plus_micros(hours * HOUR_MICROS)
}

/// A run that ended at some time.
fn ended(id: &str, at: Timestamp, release: &str, outcome: &str) -> Value {
    let seconds = at.0 / 1_000_000;
    json!({
        "id": id, "workflow": "bot", "release": release, "started_at": seconds - 30, "ended_at": seconds,
        "outcome": outcome, "user_id": format!("user-{id}"),
        "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": seconds - 29, "ended_at": seconds - 28}],
    })
}

fn completed(id: &str, at: Timestamp) -> Value {
    ended(id, at, "v1", "completed")
}

fn all_of(at_most: u32) -> SamplingRule {
    SamplingRule { share: 1.0, strata: Strata::None, at_least: 0, at_most }
}

/// An agency with one client and its workflow `bot`, at 1 o'clock of the first day.
struct House {
    world: World,
    owner: Actor,
    client: ClientId,
    bot: Workflow,
}

impl House {
    async fn new(db: steward_testkit::TestDb) -> Self {
        let world = World::new(db).await;
        world.clock.set(at(1));
        let owner = world.agency("north").await;
        let client = world.client(&owner, "Dental").await.id;
        let bot = world.workflow(&owner, "bot", Some(client)).await;
        Self { world, owner, client, bot }
    }

    fn app(&self) -> &App {
        &self.world.app
    }

    async fn give(&self, rule: SamplingRule) {
        self.app().update_sampling(&self.owner, self.bot.id, rule).await.expect("a rule");
    }

    /// Takes runs in as of now.
    async fn take_in(&self, runs: &[Value]) {
        let now = self.world.clock.now();
        let payloads = runs.iter().map(|run| (now, InboxKind::Native, run.to_string().into_bytes())).collect();
        self.app().accept_past(self.owner.agency_id, payloads).await.expect("kept");
        self.app().assemble_waiting().await.expect("assembled");
        self.app().mine_patterns().await.expect("mined");
        self.app().fill_queue().await.expect("filled");
    }

    async fn sample(&self) -> u64 {
        self.app().sample_runs().await.expect("sampled")
    }

    /// Some runs of the first day, and all of them sampled on the second.
    async fn with_samples(db: steward_testkit::TestDb, n: usize) -> Self {
        let house = Self::new(db).await;
        house.give(all_of(100)).await;
        let runs: Vec<Value> = (0..n).map(|n| completed(&format!("r{n}"), at(5))).collect();
        house.world.clock.set(at(6));
        house.take_in(&runs).await;
        house.take_in(&[ended("lost-1", at(5), "v1", "failed"), ended("lost-2", at(5), "v1", "failed")]).await;
        house.world.clock.set(at(26));
        assert_eq!(house.sample().await, n as u64);
        house
    }

    async fn list(&self, actor: &Actor) -> Vec<QueueItem> {
        let filter = QueueFilter { kind: Some(ItemKind::Sample), ..QueueFilter::default() };
        self.app().list_queue(actor, &filter, None, QueueSort::Due, None, 500).await.expect("items").items
    }

    async fn waiting(&self) -> Vec<QueueItem> {
        self.list(&self.owner).await
    }

    /// The item of a run.
    async fn item(&self, id: &str) -> QueueItem {
        let keys = self.keys().await;
        let key = keys.iter().find(|key| key.ends_with(id)).expect("its key");
        self.app().get_queue_item(&self.owner, item_of(self.bot.id, key)).await.expect("an item").item
    }

    async fn keys(&self) -> BTreeSet<String> {
        let store = self.app().agency(self.owner.agency_id);
        let keys = store.list_run_keys(&RunFilter::default(), None, 10_000).await.expect("keys");
        keys.into_iter().map(|(_, key)| key).collect()
    }

    async fn review(&self, id: ItemId, judgement: Judgement) -> Review {
        self.app().claim_item(&self.owner, id).await.expect("claimed");
        self.app().review_item(&self.owner, id, judgement, 0, None).await.expect("reviewed")
    }

    async fn figures(&self) -> Figures {
        let scope = Scope { workflow: Some(self.bot.id), ..Scope::default() };
        let period = Period { start: MONDAY, end: at(24) };
        self.app().figures(&self.owner, &scope, period).await.expect("figures")
    }

    /// The claimed rate, the audited rate, and how many samples are reviewed of how many.
    async fn rates(&self) -> (Option<f64>, Option<f64>, u64, u64) {
        let figures = self.figures().await;
        let audited = figures.get("audited_completion_rate").expect("it is computed");
        let claimed = figures.get("claimed_completion_rate").and_then(|figure| figure.value);
        let count = |n: Option<f64>| n.unwrap_or_default() as u64;
        (claimed, audited.value, count(audited.numerator), count(audited.denominator))
    }
}

fn judged(agent: AgentWas, outcome: Option<Outcome>) -> Judgement {
    Judgement { agent: Some(agent), outcome, ..Judgement::default() }
}

fn near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-9)
}

db_tests! {
    async fn a_day_is_drawn_once_when_it_is_over_and_each_run_by_its_number(db: TestDb) {
        let house = House::new(db).await;
        house.give(SamplingRule { share: 0.2, strata: Strata::Release, at_least: 2, at_most: 50 }).await;
        let mut runs: Vec<Value> = (0..60).map(|n| completed(&format!("r{n}"), at(2).plus_micros(n * 1_000_000))).collect();
        runs.extend((0..3).map(|n| ended(&format!("rare{n}"), at(3), "v2", "completed")));
        runs.extend((0..5).map(|n| ended(&format!("lost{n}"), at(3), "v1", "failed")));
        // What ended before the rule was given is left out.
        runs.extend((0..9).map(|n| completed(&format!("before{n}"), at(0))));
        house.world.clock.set(at(4));
        house.take_in(&runs).await;
        for hours in [4, 23, 25] {
            house.world.clock.set(at(hours));
            assert_eq!(house.sample().await, 0, "{hours}: the day is not over");
        }
        house.world.clock.set(at(26));
        let other = house.world.another_process().await;
        let (one, two) = tokio::join!(house.app().sample_runs(), other.sample_runs());
        let n = |result: Result<u64, AppError>| match result {
            Ok(n) => n,
            Err(AppError::Busy { .. }) => 0,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(n(one) + n(two) + house.sample().await, 14);
        assert_eq!(other.sample_runs().await.expect("sampled"), 0, "there is nothing left to do");
        let items = house.waiting().await;
        let by_number = |part: &str| {
            let mut keys: Vec<String> = items.iter().map(|item| item.run_key.clone()).filter(|key| key.contains(part)).collect();
            keys.sort();
            keys
        };
        let mut all: Vec<String> = house.keys().await.into_iter()
            .filter(|key| key.rsplit([' ', '/', ':']).next().is_some_and(|id| id.starts_with('r') && !id.starts_with("rare"))).collect();
        assert_eq!(all.len(), 60, "{all:?}");
        all.sort_by(|a, b| number_of(house.bot.id, a).total_cmp(&number_of(house.bot.id, b)));
        let mut expected = all[..12].to_vec();
        expected.sort();
        let rare = by_number("rare");
        let usual: Vec<String> = by_number("r").into_iter().filter(|key| !rare.contains(key)).collect();
        assert_eq!((usual, rare.len()), (expected, 2));
        let item = items.iter().find(|item| item.release == "v2").expect("a rare one");
        assert_eq!(item.message, "One of 66.67 % of the completed runs of release v2");
        assert_eq!((item.kind, item.arrived_at, item.due_at), (ItemKind::Sample, at(26), at(26 + 7 * 24)));
    }

    async fn runs_that_come_late_follow_what_their_day_drew(db: TestDb) {
        let house = House::new(db).await;
        house.give(SamplingRule { share: 0.25, strata: Strata::None, at_least: 0, at_most: 10 }).await;
        house.world.clock.set(at(6));
        house.take_in(&(0..20).map(|n| completed(&format!("r{n}"), at(5))).collect::<Vec<_>>()).await;
        house.world.clock.set(at(26));
        assert_eq!(house.sample().await, 5);
        let drawn: BTreeSet<String> = house.waiting().await.into_iter().map(|item| item.run_key).collect();
        let threshold = drawn.iter().map(|key| number_of(house.bot.id, key)).fold(0.0, f64::max);
        // Sixty more of the first day, and one that is read again and changes nothing.
        house.world.clock.set(at(30));
        let before = house.keys().await;
        house.take_in(&(0..60).map(|n| completed(&format!("late{n}"), at(7))).collect::<Vec<_>>()).await;
        house.take_in(&[completed("r3", at(5).plus_micros(2_000_000))]).await;
        let late: BTreeSet<String> = house.keys().await.difference(&before).cloned().collect();
        assert_eq!(late.len(), 60);
        let fitting = late.iter().filter(|key| number_of(house.bot.id, key) <= threshold).count();
        assert!(fitting > 5, "{fitting}: more than the day has room for");
        assert_eq!(house.sample().await, 0, "they are looked for with the next day");
        house.world.clock.set(at(50));
        assert_eq!(house.sample().await, 5, "the day is full with ten");
        let taken: Vec<String> = house.waiting().await.into_iter().map(|item| item.run_key).filter(|key| !drawn.contains(key)).collect();
        assert!(taken.iter().all(|key| late.contains(key) && number_of(house.bot.id, key) <= threshold), "{taken:?}");
        house.world.clock.set(at(74));
        assert_eq!(house.sample().await, 0);
    }

    async fn the_audited_rate_is_the_claimed_one_times_what_stands(db: TestDb) {
        let house = House::with_samples(db, 10).await;
        assert_eq!(house.rates().await, (Some(10.0 / 12.0), None, 0, 10), "nobody looked: no data");
        let note = house.figures().await.get("audited_completion_rate").expect("it").note.clone();
        assert_eq!(note, "not audited: no sample is reviewed yet");
        let items = house.waiting().await;
        house.review(items[0].id, judged(AgentWas::Right, None)).await;
        house.review(items[1].id, Judgement::default()).await;
        house.review(items[2].id, judged(AgentWas::Wrong, Some(Outcome::Completed))).await;
        let fell = house.review(items[3].id, judged(AgentWas::Wrong, Some(Outcome::Failed))).await;
        let (claimed, audited, reviewed, sampled) = house.rates().await;
        assert!(near(claimed, 10.0 / 12.0), "what a reviewer corrects was still claimed: {claimed:?}");
        assert!(near(audited, 10.0 / 12.0 * 0.75), "{audited:?}");
        assert_eq!((reviewed, sampled), (4, 10));
        let figures = house.figures().await;
        assert!(near(figures.get("completion_rate").and_then(|f| f.value), 9.0 / 12.0));
        let (low, high) = steward_stats::intervals::wilson(3, 4).expect("an interval");
        let figure = figures.get("audited_completion_rate").expect("it");
        assert!(near(figure.low, low * 10.0 / 12.0) && near(figure.high, high * 10.0 / 12.0), "{figure:?}");
        assert_eq!(figure.note, "83.3 % claimed; 6 of 10 samples are not reviewed, and taken to be like the others");
        // The agent was wrong, and nothing is said of what came of it: the claim does not stand.
        let wrong = house.review(items[4].id, judged(AgentWas::Wrong, None)).await;
        assert!(near(house.rates().await.1, 10.0 / 12.0 * 0.6));
        for review in [&fell, &wrong] {
            house.app().undo_review(&house.owner, review.id).await.expect("undone");
        }
        let (claimed, audited, reviewed, sampled) = house.rates().await;
        assert!(near(claimed, 10.0 / 12.0) && near(audited, 10.0 / 12.0));
        assert_eq!((reviewed, sampled), (3, 10));
        // Two workflows of a client: the one that nobody samples is named, and does not count.
        let all = house.app().figures(&house.owner, &Scope::default(), Period { start: MONDAY, end: at(24) }).await.expect("figures");
        assert!(near(all.get("audited_completion_rate").and_then(|f| f.value), 10.0 / 12.0));
    }

    async fn a_run_that_somebody_judged_before_is_sampled_by_what_was_claimed(db: TestDb) {
        let house = House::new(db).await;
        house.give(all_of(100)).await;
        house.world.clock.set(at(6));
        house.take_in(&[completed("a", at(5)), completed("b", at(5)), ended("c", at(5), "v1", "failed")]).await;
        let runs = house.app().list_runs(&house.owner, &RunFilter::default(), Default::default(), None, 10).await.expect("runs").runs;
        let run = |id: &str| runs.iter().find(|run| run.key.ends_with(id)).expect("it").id;
        for (id, outcome) in [("a", Outcome::Failed), ("c", Outcome::Completed)] {
            house.app().give_verdict(&house.owner, run(id), Some(outcome), "").await.expect("said");
        }
        house.world.clock.set(at(26));
        assert_eq!(house.sample().await, 2, "a and b were claimed, c was not");
        let a = house.item("a").await;
        house.review(a.id, judged(AgentWas::Right, None)).await;
        let (claimed, audited, ..) = house.rates().await;
        assert!(near(claimed, 2.0 / 3.0), "{claimed:?}");
        assert!(near(audited, 0.0), "what stands is the failure: {audited:?}");
    }

    async fn what_is_no_longer_claimed_completed_no_longer_waits(db: TestDb) {
        let house = House::with_samples(db, 3).await;
        house.world.clock.set(at(30));
        let again = |second: i64, outcome: &str| {
            let mut run = ended("r1", at(5).plus_micros(second * 1_000_000), "v1", outcome);
            run["steps"] = json!([]);
            run
        };
        house.take_in(&[again(1, "failed")]).await;
        let item = house.item("r1").await;
        assert_eq!(item.closed_by, Some(ClosedBy::Gone), "{item:?}");
        assert_eq!((house.waiting().await.len(), house.rates().await.3), (2, 2));
        house.take_in(&[again(2, "completed")]).await;
        assert_eq!(house.item("r1").await.closed_by, None);
        assert_eq!((house.waiting().await.len(), house.rates().await.3), (3, 3));
    }

    async fn a_rebuild_keeps_samples_and_what_was_said_of_them(db: TestDb) {
        let house = House::with_samples(db, 6).await;
        let items = house.waiting().await;
        house.review(items[0].id, judged(AgentWas::Wrong, Some(Outcome::Escalated))).await;
        house.review(items[1].id, judged(AgentWas::Right, None)).await;
        let (before, rates) = (house.waiting().await, house.rates().await);
        house.app().rebuild(house.owner.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(house.waiting().await, before);
        assert_eq!(house.rates().await, rates);
        assert_eq!(house.sample().await, 0);
    }

    async fn of_deleted_runs_only_the_figure_stays(db: TestDb) {
        let house = House::with_samples(db, 4).await;
        let reviewed = house.item("r0").await;
        house.review(reviewed.id, judged(AgentWas::Right, None)).await;
        for user in ["user-r0", "user-r1"] {
            house.app().delete_user_data(&house.owner, user, None).await.expect("deleted");
        }
        assert_eq!(house.waiting().await.len(), 2);
        let (_, audited, n_reviewed, sampled) = house.rates().await;
        assert!(audited.is_some());
        assert_eq!((n_reviewed, sampled), (1, 3), "what was found stays, what nobody can look at is no sample");
        house.world.clock.set(at(24 * 40));
        house.app().apply_retention(Retention { raw_days: 10, steps_days: 20, runs_days: 30 }).await.expect("dropped");
        assert_eq!((house.waiting().await.len(), house.rates().await.2), (0, 1));
    }

    async fn what_arrives_is_assigned_by_the_rules_of_the_queue(db: TestDb) {
        let house = House::new(db).await;
        let rule = QueueRule { name: "all".to_owned(), assign_to: Some(house.owner.person_id), due_minutes: Some(60), ..QueueRule::default() };
        house.app().update_queue_rules(&house.owner, vec![rule]).await.expect("rules");
        house.give(all_of(1)).await;
        house.world.clock.set(at(6));
        house.take_in(&[completed("a", at(5)), completed("b", at(5))]).await;
        house.world.clock.set(at(26));
        assert_eq!(house.sample().await, 1);
        let items = house.waiting().await;
        assert_eq!((items[0].assignee, items[0].due_at), (Some(house.owner.person_id), at(27)));
    }

    async fn contractors_see_the_samples_of_their_clients_only(db: TestDb) {
        let house = House::with_samples(db, 2).await;
        let other = house.world.client(&house.owner, "Bakery").await.id;
        let insider = house.world.person(&house.owner, "in@north.test", Role::Contractor, &[house.client]).await;
        let outsider = house.world.person(&house.owner, "out@north.test", Role::Contractor, &[other]).await;
        let south = house.world.agency("south").await;
        assert_eq!((house.list(&insider).await.len(), house.list(&outsider).await.len()), (2, 0));
        let app = house.app();
        assert!(app.find_sampling(&insider, house.bot.id).await.expect("a rule").is_some());
        for stranger in [&outsider, &south] {
            assert_eq!(words(app.find_sampling(stranger, house.bot.id).await.map(|_| ())), "not found: no such workflow");
        }
        assert!(words(app.update_sampling(&insider, house.bot.id, all_of(1)).await.map(|_| ())).starts_with("forbidden"));
        assert!(words(app.preview_sampling(&insider, house.bot.id, all_of(1)).await.map(|_| ())).starts_with("forbidden"));
        assert!(words(app.delete_sampling(&insider, house.bot.id).await.map(|_| ())).starts_with("forbidden"));
        assert!(words(app.update_sampling(&south, house.bot.id, all_of(1)).await.map(|_| ())).starts_with("not found"));
    }

    async fn a_rule_is_changed_and_taken_away(db: TestDb) {
        let house = House::with_samples(db, 2).await;
        let (app, ada) = (house.app(), &house.owner);
        for share in [0.0, -0.5, f64::NAN, 1e308, f64::INFINITY, 1.01] {
            let rule = SamplingRule { share, ..all_of(5) };
            assert!(words(app.update_sampling(ada, house.bot.id, rule).await.map(|_| ())).starts_with("invalid: the share"), "{share}");
            assert!(words(app.preview_sampling(ada, house.bot.id, rule).await.map(|_| ())).starts_with("invalid"), "{share}");
        }
        for rule in [all_of(0), all_of(501), SamplingRule { at_least: 6, ..all_of(5) }] {
            assert!(words(app.update_sampling(ada, house.bot.id, rule).await.map(|_| ())).starts_with("invalid"), "{rule:?}");
        }
        let known = app.find_sampling(ada, house.bot.id).await.expect("an answer").expect("a rule");
        assert_eq!((known.since, known.changed_by.as_str(), known.rule), (at(1), ada.name.as_str(), all_of(100)));
        let changed = app.update_sampling(ada, house.bot.id, all_of(1)).await.expect("changed");
        assert_eq!((changed.since, changed.changed_at, changed.rule), (at(1), at(26), all_of(1)));
        assert!(app.delete_sampling(ada, house.bot.id).await.expect("gone"));
        assert!(!app.delete_sampling(ada, house.bot.id).await.expect("nothing"));
        assert_eq!(app.find_sampling(ada, house.bot.id).await.expect("an answer"), None);
        assert_eq!(house.waiting().await.len(), 2, "what waits still waits");
        house.world.clock.set(at(50));
        house.take_in(&[completed("more", at(49))]).await;
        house.world.clock.set(at(80));
        assert_eq!(house.sample().await, 0);
        let said = house.world.audit(ada).await;
        assert_eq!(said.iter().filter(|line| line.ends_with("workflow.sampling")).count(), 3);
    }

    async fn a_preview_tells_how_much_it_would_be(db: TestDb) {
        let house = House::new(db).await;
        let (app, ada) = (house.app(), &house.owner);
        let nothing = app.preview_sampling(ada, house.bot.id, all_of(5)).await.expect("a preview");
        assert_eq!((nothing.completed_a_day, nothing.taken_a_day, nothing.interval), (0.0, 0.0, None));
        let mut runs = Vec::new();
        for day in 1..=4 {
            let at = at(-24 * day + 3);
            runs.extend((0..20).map(|n| completed(&format!("d{day}-{n}"), at)));
            runs.push(ended(&format!("d{day}-rare"), at, "v2", "completed"));
            runs.push(ended(&format!("d{day}-lost"), at, "v2", "failed"));
        }
        house.take_in(&runs).await;
        let rule = SamplingRule { share: 0.1, strata: Strata::Release, at_least: 1, at_most: 10 };
        let preview = app.preview_sampling(ada, house.bot.id, rule).await.expect("a preview");
        assert_eq!((preview.days, preview.completed_a_day), (4, 21.0));
        assert!((preview.taken_a_day - 3.0).abs() < 1e-9, "{preview:?}");
        let parts: BTreeMap<String, (f64, f64)> = preview.parts.iter().map(|(name, n, taken)| (name.clone(), (*n, *taken))).collect();
        assert_eq!(parts, BTreeMap::from([("v1".to_owned(), (20.0, 2.0)), ("v2".to_owned(), (1.0, 1.0))]));
        let (low, high) = preview.interval.expect("an interval");
        assert!(preview.is_supposed && low < 0.9 && 0.9 < high && high - low < 0.2, "{preview:?}");
        for strata in [Strata::None, Strata::Evidence, Strata::Model] {
            let preview = app.preview_sampling(ada, house.bot.id, SamplingRule { strata, ..rule }).await.expect("a preview");
            assert!((preview.taken_a_day - 2.1).abs() < 1e-9, "{strata:?} {preview:?}");
        }
    }
}
