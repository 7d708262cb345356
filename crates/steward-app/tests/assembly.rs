//! Whatever the order, the splits and the repeats in which payloads come, the runs and the tallies are the same,
//! and a rebuild from the inbox gives them again.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

use proptest::prelude::*;
use steward_app::agencies::NewAgency;
use steward_app::{Actor, App, Clock, IdSource};
use steward_core::ids::{AgencyId, WorkflowId};
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::people::Role;
use steward_core::tallies::Tallies;
use steward_core::time::Timestamp;
use steward_core::usage::Usage;
use steward_core::workflow::{RunUnit, Workflow, WorkflowSettings};
use steward_stats::histogram::bucket_of;
use steward_store::system::InboxKind;
use steward_store::tenant::{NewRun, RunCommit, RunFilter, RunSort};
use steward_testkit::{TestDb, db_tests, run};

/// An application over a database of its own.
struct Fixture {
    app: App,
    agency_id: AgencyId,
    actor: Actor,
    // Last, so that everything that uses it is gone before it.
    _db: TestDb,
}

const NOW: Timestamp = Timestamp(1_795_400_000_000_000);

impl Fixture {
    async fn new(db: TestDb) -> Self {
        let app = App::new(db.open().await, Clock::fixed(NOW), IdSource::counted(), "http://steward.test");
        let agency = NewAgency {
            agency_name: "North".to_owned(),
            time_zone: "UTC".to_owned(),
            currency: "USD".to_owned(),
            person_name: "Ada".to_owned(),
            email: "ada@north.test".to_owned(),
            password: None,
        };
        let (agency_id, person_id) = app.create_agency_with_owner(agency).await.expect("an agency");
        let actor = Actor { person_id, name: "Ada".to_owned(), role: Role::Owner, agency_id, clients: None };
        Self { app, agency_id, actor, _db: db }
    }

    async fn take_in(&self, payloads: &[(InboxKind, Vec<u8>)]) {
        let payloads = payloads.iter().map(|(kind, body)| (NOW, *kind, body.clone())).collect();
        self.app.accept_past(self.agency_id, payloads).await.expect("kept");
        self.app.assemble_waiting().await.expect("assembled");
    }

    /// Every run and every tally, without what depends on the order of arrival: ids and revisions.
    async fn account(&self) -> (Vec<String>, Vec<String>) {
        let store = self.app.agency(self.agency_id);
        let workflows = store.list_workflows().await.expect("workflows");
        let name =
            |id: WorkflowId| workflows.iter().find(|w| w.id == id).map_or("?", |w| w.source_name.as_str()).to_owned();
        let filter = RunFilter { with_tests: true, ..RunFilter::default() };
        let mut runs = Vec::new();
        for row in store.list_runs(&filter, RunSort::Ended, None, 10_000).await.expect("runs") {
            let run = store.find_run(row.id).await.expect("a run").expect("there");
            runs.push(format!(
                "{} {} {:?} {}",
                name(run.workflow_id),
                run.key,
                run.facts,
                serde_json::to_string(&run.steps).expect("json")
            ));
        }
        runs.sort();
        let tallies = store.list_all_tallies().await.expect("tallies");
        let mut tallies: Vec<String> = tallies
            .into_iter()
            .map(|t| format!("{} {:?}", name(t.0), (t.1, t.2, t.3, t.4, t.5, t.6, t.7, t.8)))
            .collect();
        tallies.sort();
        (runs, tallies)
    }
}

/// Every span of the real payloads as a request of its own, with its resource and scope, so that any split can be made.
fn real_spans() -> Vec<(InboxKind, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/otlp");
    let mut spans = Vec::new();
    let Ok(files) = std::fs::read_dir(folder) else { return spans };
    let mut files: Vec<_> =
        files.flatten().map(|f| f.path()).filter(|p| p.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    for file in files {
        for line in std::fs::read_to_string(file).expect("a file").lines().take(6) {
            let line: serde_json::Value = serde_json::from_str(line).expect("json");
            for resource in line["otlp"]["resourceSpans"].as_array().into_iter().flatten() {
                for scope in resource["scopeSpans"].as_array().into_iter().flatten() {
                    for span in scope["spans"].as_array().into_iter().flatten() {
                        let request = serde_json::json!({ "resourceSpans": [{
                            "resource": resource["resource"], "scopeSpans": [{ "scope": scope["scope"], "spans": [span] }]
                        }]});
                        spans.push((InboxKind::OtlpJson, request.to_string().into_bytes()));
                    }
                }
            }
        }
    }
    spans
}

fn native(run: &serde_json::Value) -> (InboxKind, Vec<u8>) {
    (InboxKind::Native, run.to_string().into_bytes())
}

fn invented() -> Vec<(InboxKind, Vec<u8>)> {
    (0..12)
        .map(|n| {
            native(&serde_json::json!({
                "id": format!("run-{}", n / 2), "workflow": if n % 3 == 0 { "alpha" } else { "beta" },
                "started_at": "2026-11-20T10:00:00Z", "ended_at": format!("2026-11-20T10:0{}:00Z", n % 6),
                "outcome": if n % 4 == 0 { "completed" } else { "failed" }, "model": "gpt-4o",
                "usage": { "input_tokens": 100 + n, "output_tokens": 10 },
                "steps": [{ "id": format!("s{n}"), "kind": "tool", "name": "look_up", "tool": "look_up",
                            "started_at": "2026-11-20T10:00:01Z", "ended_at": "2026-11-20T10:00:02Z" }],
            }))
        })
        .collect()
}

#[derive(Debug, Clone)]
struct Arrival {
    order: Vec<usize>,
    cuts: Vec<usize>,
}

fn arrival(n: usize) -> impl Strategy<Value = Arrival> {
    // Every payload at least once, some twice, in any order, cut into batches anywhere.
    let again = proptest::collection::vec(0..n, 0..n / 2 + 1);
    (again, proptest::collection::vec(1_usize..40, 1..200)).prop_flat_map(move |(again, cuts)| {
        let all: Vec<usize> = (0..n).chain(again).collect();
        Just(all).prop_shuffle().prop_map(move |order| Arrival { order, cuts: cuts.clone() })
    })
}

async fn account_of(db: TestDb, payloads: &[(InboxKind, Vec<u8>)], arrival: &Arrival) -> (Vec<String>, Vec<String>) {
    let fixture = Fixture::new(db).await;
    let mut rest = arrival.order.as_slice();
    for cut in arrival.cuts.iter().cycle() {
        let (batch, after) = rest.split_at((*cut).min(rest.len()));
        let batch: Vec<_> = batch.iter().map(|i| payloads[*i].clone()).collect();
        fixture.take_in(&batch).await;
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    fixture.account().await
}

fn check_any_order(db: &TestDb) {
    let mut payloads = real_spans();
    if payloads.is_empty() {
        eprintln!("left out: real payloads in any order, because ../shared/data is not there");
    }
    payloads.extend(invented());
    let in_order = Arrival { order: (0..payloads.len()).collect(), cuts: vec![payloads.len()] };
    let expected = run(async { account_of(db.another().await, &payloads, &in_order).await });
    assert!(expected.0.len() >= 6, "{} runs", expected.0.len());
    let mut runner = proptest::test_runner::TestRunner::new(proptest::test_runner::Config {
        cases: 6,
        failure_persistence: None,
        ..Default::default()
    });
    runner
        .run(&arrival(payloads.len()), |arrival| {
            let found = run(async { account_of(db.another().await, &payloads, &arrival).await });
            for (found, expected) in found.0.iter().zip(&expected.0).chain(found.1.iter().zip(&expected.1)) {
                prop_assert_eq!(found, expected);
            }
            prop_assert_eq!((found.0.len(), found.1.len()), (expected.0.len(), expected.1.len()));
            Ok(())
        })
        .expect("the same account");
}

db_tests! {
    async fn any_order_split_and_repeat_gives_the_same_runs_and_tallies(db: TestDb) {
        // The runner knows nothing of async: it runs on a thread of its own, and there each case in its runtime.
        std::thread::scope(|scope| scope.spawn(|| check_any_order(&db)).join()).expect("the same account");
    }

    async fn a_rebuild_gives_the_same_runs_and_tallies(db: TestDb) {
        let fixture = Fixture::new(db).await;
        let mut payloads = real_spans();
        payloads.extend(invented());
        fixture.take_in(&payloads).await;
        let before = fixture.account().await;
        let rebuilt = fixture.app.rebuild(fixture.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(rebuilt.left, 0);
        assert_eq!(fixture.account().await, before);
    }

    async fn a_replay_says_what_it_changed(db: TestDb) {
        let fixture = Fixture::new(db).await;
        let mut payloads = invented();
        payloads.push(native(&serde_json::json!({
            "id": "good", "workflow": "alpha", "started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T10:01:00Z",
            "outcome": "completed",
            "steps": [{ "id": "m", "kind": "model", "name": "chat", "model": "gpt-4o", "usage": { "input_tokens": 100, "output_tokens": 10 },
                        "started_at": "2026-11-20T10:00:01Z", "ended_at": "2026-11-20T10:00:02Z" }],
        })));
        fixture.take_in(&payloads).await;
        let (rebuilt, changes) = fixture.app.replay(fixture.agency_id, &|_| ()).await.expect("replayed");
        assert!(rebuilt.runs > 0 && changes.is_empty() && changes.before == changes.after, "{changes:?}");
        assert_eq!(changes.before.runs, rebuilt.runs);
        let account = fixture.account().await;

        // What a reader that knew less had left behind: one run without its tokens and its cost, and thought to have failed.
        let store = fixture.app.agency(fixture.agency_id);
        let filter = RunFilter { with_tests: true, ..RunFilter::default() };
        let keys = store.list_run_keys(&filter, None, 100).await.expect("keys");
        let runs = store.find_stored_runs(&keys.into_iter().map(|(_, key)| key).collect::<Vec<_>>()).await.expect("runs");
        let run = runs
            .iter()
            .find(|run| run.facts.usage.total() > 0 && run.facts.outcome() == Outcome::Completed)
            .expect("a run with tokens")
            .clone();
        let (tokens, outcome) = (run.facts.usage.total(), run.facts.outcome());
        let mut facts = run.facts.clone();
        facts.usage = Usage::default();
        facts.cost_nanos = Some(Nanos(77));
        facts.evidence.outcome = Outcome::Failed;
        assert!(outcome != Outcome::Failed && run.facts.cost_nanos != facts.cost_nanos);
        let mut tallies = Tallies::default();
        tallies.add(run.workflow_id, &run.facts, -1, bucket_of);
        tallies.add(run.workflow_id, &facts, 1, bucket_of);
        let poorer = NewRun {
            id: run.id,
            workflow_id: run.workflow_id,
            key: run.key.clone(),
            revision: run.revision + 1,
            had_ended: run.facts.finished,
            had_exceptions: !run.facts.exceptions.is_empty(),
            facts,
            steps: None,
            inbox_ids: run.inbox_ids.clone(),
            settings_version: 1,
            first_received_at: run.first_received_at,
            last_received_at: run.first_received_at,
        };
        let (inbox_ids, removed, traces) = (Vec::new(), Vec::new(), Vec::new());
        let commit = RunCommit { node: uuid::Uuid::nil(), inbox_ids, runs: vec![poorer], removed, traces, tallies };
        store.commit_runs(commit).await.expect("written");

        let (_, changes) = fixture.app.replay(fixture.agency_id, &|_| ()).await.expect("replayed");
        assert_eq!((changes.outcome, changes.cost, changes.tokens, changes.steps), (1, 1, 1, 0));
        assert_eq!((changes.added, changes.removed, changes.runs.len()), (0, 0, 1));
        let changed = &changes.runs[0];
        let (before, after) = (changed.before.expect("before"), changed.after.expect("after"));
        assert_eq!((changed.id, before.tokens, after.tokens), (run.id, 0, tokens));
        assert_eq!((before.outcome, after.outcome), (Some(Outcome::Failed), Some(outcome)));
        assert_eq!((before.cost_nanos, after.cost_nanos), (Some(77), run.facts.cost_nanos.map(|cost| cost.0)));
        assert_eq!(changes.after.tokens - changes.before.tokens, tokens);
        assert_eq!(fixture.account().await, account);
    }

    async fn a_workflow_that_nobody_knows_is_made_unassigned(db: TestDb) {
        let fixture = Fixture::new(db).await;
        fixture.take_in(&invented()).await;
        let workflows = fixture.app.visible_workflows(&fixture.actor, false).await.expect("workflows");
        let names: Vec<_> = workflows.iter().map(|w| (w.name.as_str(), w.client_id)).collect();
        assert_eq!(names, [("alpha", None), ("beta", None)]);
    }

    async fn traces_of_one_conversation_are_one_run_however_late_the_conversation_is_known(db: TestDb) {
        let fixture = Fixture::new(db).await;
        let settings = WorkflowSettings { run_unit: RunUnit::Conversation, ..WorkflowSettings::default() };
        let workflow = Workflow {
            id: WorkflowId::from_uuid(fixture.app.ids().make()),
            client_id: None,
            name: "chat".to_owned(),
            source_name: "chat".to_owned(),
            settings,
            settings_version: 1,
            created_at: NOW,
            archived_at: None,
        };
        fixture.app.agency(fixture.agency_id).record_workflow(&workflow).await.expect("a workflow");
        let turn = |id: &str, step: &str, conversation: Option<&str>| {
            native(&serde_json::json!({
                "id": id, "workflow": "chat", "conversation_id": conversation, "started_at": "2026-11-20T10:00:00Z",
                "steps": [{ "id": step, "kind": "tool", "name": "t", "tool": "t", "started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T10:00:01Z" }],
            }))
        };
        fixture.take_in(&[turn("first", "a", None)]).await;
        fixture.take_in(&[turn("second", "b", Some("c-1"))]).await;
        fixture.take_in(&[turn("first", "c", Some("c-1"))]).await;
        fixture.take_in(&[turn("first", "d", None)]).await;
        let store = fixture.app.agency(fixture.agency_id);
        let runs = store.list_runs(&RunFilter::default(), RunSort::Ended, None, 10).await.expect("runs");
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!(runs[0].n_tool_calls, 4);
        assert!(!runs[0].finished);
        fixture.app.clock().advance_ms(200_000);
        fixture.app.assemble_waiting().await.expect("assembled");
        let runs = store.list_runs(&RunFilter::default(), RunSort::Ended, None, 10).await.expect("runs");
        assert!(runs[0].finished, "the quiet time is over");
    }

    async fn a_verdict_corrects_the_outcome_and_the_tallies_follow(db: TestDb) {
        let fixture = Fixture::new(db).await;
        fixture.take_in(&invented()).await;
        let failed = RunFilter { outcome: Some(Outcome::Failed), ..RunFilter::default() };
        let store = fixture.app.agency(fixture.agency_id);
        let before = store.count_runs(&failed, 1_000).await.expect("a count");
        let run = store.list_runs(&failed, RunSort::Ended, None, 1).await.expect("runs").remove(0);
        fixture
            .app
            .give_verdict(&fixture.actor, run.id, Some(Outcome::Completed), "the guest was served")
            .await
            .expect("a verdict");
        assert_eq!(store.count_runs(&failed, 1_000).await.expect("a count"), before - 1);
        let with_verdict = fixture.account().await;
        fixture.app.rebuild(fixture.agency_id, &|_| ()).await.expect("rebuilt");
        assert_eq!(fixture.account().await, with_verdict, "a verdict outlives a rebuild");
        fixture.app.clock().advance_ms(1);
        fixture.app.give_verdict(&fixture.actor, run.id, None, "").await.expect("taken back");
        assert_eq!(store.count_runs(&failed, 1_000).await.expect("a count"), before);
    }
}
