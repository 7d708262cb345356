use insta::assert_snapshot;
use serde_json::json;
use steward_app::clients::ClientChanges;
use steward_app::workflows::NewWorkflow;
use steward_core::outcome::Outcome;
use steward_core::people::Role;
use steward_core::rules::{Condition, OutcomeRule, ResultRule, ResultValue};
use steward_core::workflow::{RunUnit, WorkflowSettings};
use steward_store::tenant::{RunFilter, RunSort};
use steward_testkit::db_tests;

use crate::world::{World, new_workflow, words};

/// A run that called `book`, which failed or not; nothing else says what came of it.
fn run(id: u32, failed: bool) -> serde_json::Value {
    json!({
        "id": format!("run-{id}"), "workflow": "front-desk", "started_at": format!("2026-11-20T10:{:02}:00Z", id % 60),
        "ended_at": format!("2026-11-20T10:{:02}:30Z", id % 60),
        "steps": [{
            "id": "s", "kind": "tool", "tool": "book", "started_at": format!("2026-11-20T10:{:02}:01Z", id % 60),
            "ended_at": format!("2026-11-20T10:{:02}:02Z", id % 60), "error": if failed { json!("no slot") } else { json!(null) },
        }],
    })
}

fn rules() -> WorkflowSettings {
    let booked = || vec![Condition::ToolSucceeded { tool: "book".to_owned() }];
    WorkflowSettings {
        outcome_rules: vec![OutcomeRule { outcome: Outcome::Completed, when: booked() }],
        result_rules: vec![ResultRule {
            name: "bookings".to_owned(),
            when: booked(),
            each: true,
            value: ResultValue::None,
        }],
        ..WorkflowSettings::default()
    }
}

db_tests! {
    async fn a_preview_says_what_rules_would_change_and_writes_nothing(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let workflow = world.workflow(&owner, "Front desk", None).await;
        assert_eq!(workflow.source_name, "front-desk");
        let runs: Vec<_> = (0..60).map(|id| run(id, id % 3 == 0)).collect();
        world.take_in(&owner, &runs).await;

        let preview = world.app.preview_settings(&owner, workflow.id, &rules(), 1_000).await.expect("a preview");
        assert_eq!(preview.runs.len(), 60);
        assert_eq!(
            (preview.before.of_outcome(Outcome::Unverified), preview.before.of_outcome(Outcome::Completed)),
            (60, 0)
        );
        assert_eq!((preview.after.of_outcome(Outcome::Unverified), preview.after.of_outcome(Outcome::Completed)), (20, 40));
        assert_eq!(preview.after.results.get("bookings"), Some(&40));
        assert_eq!((preview.n_changed, preview.n_without_steps, preview.changes_run_unit), (40, 0, false));
        let changed = preview.runs.iter().find(|r| r.is_changed()).expect("one changed");
        assert_snapshot!(changed.after.words, @"tool book succeeded");
        assert!(preview.runs.is_sorted_by(|a, b| a.row.ended_at >= b.row.ended_at));

        let stored = world.app.get_workflow(&owner, workflow.id).await.expect("there");
        assert_eq!(stored, workflow);
        assert_eq!(world.n_waiting_jobs(&owner).await, 0);
        let few = world.app.preview_settings(&owner, workflow.id, &rules(), 5).await.expect("a preview");
        assert_eq!(few.runs.len(), 5);
    }

    async fn new_settings_read_past_runs_again_as_the_preview_said(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let workflow = world.workflow(&owner, "Front desk", None).await;
        world.take_in(&owner, &[run(1, false), run(2, true)]).await;

        let updated = world.app.update_settings(&owner, workflow.id, rules()).await.expect("updated");
        assert_eq!(updated.settings_version, 2);
        let same = world.app.update_settings(&owner, workflow.id, rules()).await.expect("nothing to do");
        assert_eq!(same.settings_version, 2);
        assert_eq!(world.n_waiting_jobs(&owner).await, 1);
        assert!(world.app.do_next_job().await.expect("an answer"));

        let rows = world.app.list_runs(&owner, &RunFilter::default(), RunSort::Ended, None, 10).await.expect("runs").runs;
        assert_eq!(rows.iter().map(|r| r.outcome).collect::<Vec<_>>(), [Outcome::Unverified, Outcome::Completed]);
        assert_eq!(world.audit(&owner).await.first().map(String::as_str), Some("Owner of north: workflow.settings"));
    }

    async fn settings_that_cannot_be_right_are_refused_in_words(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let workflow = world.workflow(&owner, "Front desk", None).await;
        let wrong = WorkflowSettings { pass_at_least: f64::INFINITY, ..rules() };
        assert_snapshot!(words(world.app.update_settings(&owner, workflow.id, wrong.clone()).await), @"invalid: the least score that passes is a number");
        assert!(words(world.app.preview_settings(&owner, workflow.id, &wrong, 5).await).starts_with("invalid"));
        let other_unit = WorkflowSettings { run_unit: RunUnit::Conversation, ..rules() };
        assert!(world.app.preview_settings(&owner, workflow.id, &other_unit, 5).await.expect("a preview").changes_run_unit);
    }

    async fn an_unassigned_workflow_is_assigned_and_names_stay_apart(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let clinic = world.client(&owner, "Clinic").await;
        world.take_in(&owner, &[run(1, false)]).await;
        let unassigned = world.app.visible_workflows(&owner, false).await.expect("workflows");
        let id = unassigned.first().expect("made by telemetry").id;

        let assigned = world.app.assign_workflow(&owner, id, clinic.id).await.expect("assigned");
        assert_eq!(assigned.client_id, Some(clinic.id));
        assert_eq!(world.n_waiting_jobs(&owner).await, 1);
        let renamed = world.app.rename_workflow(&owner, id, "Front desk", None).await.expect("renamed");
        assert_eq!((renamed.name.as_str(), renamed.source_name.as_str()), ("Front desk", "front-desk"));

        assert_snapshot!(words(world.app.create_workflow(&owner, new_workflow("Front desk", Some(clinic.id))).await), @"conflict: this client has a workflow “Front desk” already");
        assert_snapshot!(words(world.app.create_workflow(&owner, new_workflow("front DESK", None)).await), @"conflict: telemetry named “front-desk” belongs to another workflow already");
        let other = NewWorkflow { source_name: Some("desk-2".to_owned()), ..new_workflow("Second", Some(clinic.id)) };
        let other = world.app.create_workflow(&owner, other).await.expect("made");
        assert!(
            words(world.app.rename_workflow(&owner, other.id, "Second", Some("front-desk")).await).starts_with("conflict")
        );

        world.app.archive_workflow(&owner, other.id, true).await.expect("put away");
        assert_eq!(world.app.visible_workflows(&owner, false).await.expect("workflows").len(), 1);
        world.app.archive_workflow(&owner, other.id, false).await.expect("taken back");
        assert_eq!(world.app.visible_workflows(&owner, false).await.expect("workflows").len(), 2);
    }

    async fn other_hours_of_a_client_read_its_runs_again(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let (clinic, shop) = (world.client(&owner, "Clinic").await, world.client(&owner, "Shop").await);
        world.workflow(&owner, "Front desk", Some(clinic.id)).await;
        world.workflow(&owner, "Support", Some(shop.id)).await;
        let hours = |text: &str| ClientChanges { business_hours: Some(text.to_owned()), ..ClientChanges::default() };
        world.app.update_client(&owner, clinic.id, hours("Mon-Sun 00:00-24:00")).await.expect("updated");
        assert_eq!(world.n_waiting_jobs(&owner).await, 1);
        assert_snapshot!(words(world.app.update_client(&owner, clinic.id, hours("Mon 9-17")).await), @"invalid: business hours: “9-17” is not like 09:00-17:00");
        let name = ClientChanges { name: Some("Shop".to_owned()), ..ClientChanges::default() };
        assert_snapshot!(words(world.app.update_client(&owner, clinic.id, name).await), @"conflict: there is a client “Shop” already");
        assert_snapshot!(words(world.app.create_client(&owner, "Shop", ClientChanges::default()).await), @"conflict: there is a client “Shop” already");
        assert_eq!(world.n_waiting_jobs(&owner).await, 1);
    }

    async fn what_is_another_agencys_or_clients_is_not_found(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let stranger = world.agency("south").await;
        let clinic = world.client(&owner, "Clinic").await;
        let theirs = world.client(&stranger, "Theirs").await;
        let workflow = world.workflow(&owner, "Front desk", Some(clinic.id)).await;
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[clinic.id]).await;
        let app = &world.app;
        for answer in [
            words(app.get_client(&stranger, clinic.id).await),
            words(app.update_client(&stranger, clinic.id, ClientChanges::default()).await),
            words(app.archive_client(&stranger, clinic.id, true).await),
            words(app.update_settings(&stranger, workflow.id, rules()).await),
            words(app.preview_settings(&stranger, workflow.id, &rules(), 5).await),
            words(app.rename_workflow(&stranger, workflow.id, "Mine", None).await),
            words(app.archive_workflow(&stranger, workflow.id, true).await),
            words(app.assign_workflow(&stranger, workflow.id, theirs.id).await),
            words(app.assign_workflow(&owner, workflow.id, theirs.id).await),
            words(app.create_workflow(&owner, new_workflow("X", Some(theirs.id))).await),
            words(app.recompute_prices(&stranger, Some(&[workflow.id]), None).await),
        ] {
            assert!(answer.starts_with("not found"), "{answer}");
        }
        for answer in [
            words(app.update_settings(&contractor, workflow.id, rules()).await),
            words(app.preview_settings(&contractor, workflow.id, &rules(), 5).await),
            words(app.create_client(&contractor, "Mine", ClientChanges::default()).await),
            words(app.create_workflow(&contractor, new_workflow("Mine", Some(clinic.id))).await),
            words(app.recompute_prices(&contractor, None, None).await),
        ] {
            assert!(answer.starts_with("forbidden"), "{answer}");
        }
    }
}
