use serde_json::{Value, json};
use steward_app::Actor;
use steward_app::runs::RunsPage;
use steward_core::people::Role;
use steward_store::tenant::{RunCursor, RunFilter, RunSort};
use steward_testkit::db_tests;

use crate::world::World;

/// An agency with seven runs: two ended at one time, two cost nothing that is known, and one took as long as another.
async fn with_runs(world: &World) -> Actor {
    let owner = world.agency("north").await;
    let run = |(id, ended, took, cost): (&str, i64, i64, Value)| {
        json!({
            "id": id, "workflow": "w", "outcome": "completed",
            "started_at": 1_795_168_800 + ended - took, "ended_at": 1_795_168_800 + ended,
            "steps": [{ "id": "m", "kind": "model", "model": "ours", "cost_usd": cost,
                        "started_at": 1_795_168_800 + ended - took, "ended_at": 1_795_168_800 + ended }],
        })
    };
    let runs = [
        ("a", 10, 5, json!(0.5)),
        ("b", 20, 5, json!(null)),
        ("c", 20, 7, json!(0.25)),
        ("d", 30, 1, json!(0.5)),
        ("e", 40, 2, json!(null)),
        ("f", 50, 3, json!(0.125)),
        ("g", 60, 4, json!(1)),
    ];
    world.take_in(&owner, &runs.map(run)).await;
    owner
}

fn keys(page: &RunsPage) -> Vec<String> {
    page.runs.iter().map(|run| run.key.clone()).collect()
}

db_tests! {
    async fn turning_back_shows_the_pages_that_were_turned(db: TestDb) {
        let world = World::new(db).await;
        let owner = with_runs(&world).await;
        let filter = RunFilter::default();
        for sort in [RunSort::Ended, RunSort::Cycle, RunSort::Cost, RunSort::Exceptions] {
            let (mut pages, mut place): (Vec<RunsPage>, _) = (Vec::new(), None);
            loop {
                let page = world.app.list_runs(&owner, &filter, sort, place, 2).await.expect("runs");
                place = page.next;
                pages.push(page);
                if place.is_none() {
                    break;
                }
            }
            let all: Vec<String> = pages.iter().flat_map(keys).collect();
            assert_eq!(all.len(), 7, "{sort:?}: {all:?}");
            for pair in pages.windows(2) {
                let before = RunCursor::at(&pair[1].runs[0], sort);
                let page = world.app.list_runs_before(&owner, &filter, sort, before, 2).await.expect("runs");
                assert_eq!(keys(&page), keys(&pair[0]), "{sort:?}");
                assert_eq!(page.next, pair[0].next, "{sort:?}");
            }
            let first = RunCursor::at(&pages[0].runs[0], sort);
            let none = world.app.list_runs_before(&owner, &filter, sort, first, 2).await.expect("runs");
            assert!(none.runs.is_empty() && none.next.is_none(), "{sort:?}");
        }
    }

    async fn who_sees_no_money_sees_none_when_turning_back(db: TestDb) {
        let world = World::new(db).await;
        let owner = with_runs(&world).await;
        let client = world.client(&owner, "Clinic").await;
        let workflow = world.app.visible_workflows(&owner, true).await.expect("workflows").remove(0);
        world.app.assign_workflow(&owner, workflow.id, client.id).await.expect("assigned");
        let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[client.id]).await;
        let filter = RunFilter::default();
        let all = world.app.list_runs(&owner, &filter, RunSort::Ended, None, 10).await.expect("runs");
        let last = RunCursor::at(&all.runs[6], RunSort::Ended);
        let page = world.app.list_runs_before(&contractor, &filter, RunSort::Cost, last, 10).await.expect("runs");
        assert_eq!(keys(&page), keys(&all)[..6], "by their end, for an order by cost tells costs");
        assert!(page.runs.iter().all(|run| run.cost_nanos.is_none() && run.cost_source.is_empty()));
    }
}
