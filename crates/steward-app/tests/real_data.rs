//! What Steward says of real recorded runs, against what their files say.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::path::PathBuf;

use steward_app::agencies::NewAgency;
use steward_app::{App, Clock, IdSource};
use steward_core::ids::AgencyId;
use steward_core::outcome::Outcome;
use steward_core::time::Timestamp;
use steward_store::system::InboxKind;
use steward_store::tenant::{RunFilter, RunSort};
use steward_testkit::{TestDb, db_tests};

async fn app(db: &TestDb) -> (App, AgencyId) {
    let app = App::new(
        db.open().await,
        Clock::fixed(Timestamp(1_795_400_000_000_000)),
        IdSource::counted(),
        "http://steward.test",
    );
    let agency = NewAgency {
        agency_name: "North".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        person_name: "Ada".to_owned(),
        email: "ada@north.test".to_owned(),
        password: None,
    };
    let (agency_id, _) = app.create_agency_with_owner(agency).await.expect("an agency");
    (app, agency_id)
}

/// The lines of a compressed file of real runs. `None`, and a word about it, when the data is not there.
fn lines(path: &str) -> Option<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("left out: {} is not there", path.display());
        return None;
    };
    let text = String::from_utf8(zstd::decode_all(bytes.as_slice()).expect("zstd")).expect("text");
    Some(text.lines().map(str::to_owned).collect())
}

/// Imports lines and gives, by run key, whether each run completed and its cost; then the number of payloads that were bad.
async fn import(db: &TestDb, kind: InboxKind, lines: &[String]) -> Vec<(String, Outcome, Option<i64>)> {
    let db = db.another().await;
    let (app, agency_id) = app(&db).await;
    let payloads = lines.iter().map(|line| (kind, line.clone().into_bytes())).collect();
    let bad = app.accept_import(agency_id, None, payloads).await.expect("kept");
    assert!(bad.is_empty(), "{bad:?}");
    app.assemble_waiting().await.expect("assembled");
    let rows =
        app.agency(agency_id).list_runs(&RunFilter::default(), RunSort::Ended, None, 10_000).await.expect("runs");
    rows.into_iter().map(|row| (row.key, row.outcome, row.cost_nanos)).collect()
}

db_tests! {
    async fn the_published_pass_rate_of_tau_bench_comes_out(db: TestDb) {
        let Some(lines) = lines("tau-bench/gpt-4o-airline.jsonl.zst") else { return };
        let runs = import(&db, InboxKind::TauBench, &lines).await;
        assert_eq!(runs.len(), 200);
        let completed = runs.iter().filter(|(_, outcome, _)| *outcome == Outcome::Completed).count();
        assert_eq!(completed, 84, "pass^1 is 0.420");
        assert!(
            runs.iter().all(|(.., cost)| cost.is_none()),
            "the files say neither tokens nor cost, so the cost is unknown and not 0"
        );
    }

    async fn rewards_and_costs_of_tau2_bench_come_out(db: TestDb) {
        for file in ["tau2-bench/sierra-gpt41-airline.jsonl.zst", "tau2-bench/sierra-gpt41-retail.jsonl.zst"] {
            let Some(lines) = lines(file) else { return };
            let runs = import(&db, InboxKind::Tau2Bench, &lines).await;
            let said: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).expect("json")).collect();
            assert_eq!(runs.len(), said.len());
            let passed = said.iter().filter(|run| run["reward"].as_f64() == Some(1.0)).count();
            assert_eq!(runs.iter().filter(|(_, outcome, _)| *outcome == Outcome::Completed).count(), passed, "{file}");
            let recorded: f64 = said.iter().filter_map(|run| run["agent_cost_usd"].as_f64()).sum();
            let found: i64 = runs.iter().filter_map(|(.., cost)| *cost).sum();
            assert!((found as f64 / 1e9 - recorded).abs() < 1e-6, "{file}: {found} against {recorded}");
        }
    }

    async fn importing_twice_changes_nothing(db: TestDb) {
        let Some(lines) = lines("tau2-bench/sierra-gpt41-airline.jsonl.zst") else { return };
        let (app, agency_id) = app(&db).await;
        let mut tallies = Vec::new();
        for _ in 0..2 {
            let payloads = lines.iter().map(|line| (InboxKind::Tau2Bench, line.clone().into_bytes())).collect();
            app.accept_import(agency_id, None, payloads).await.expect("kept");
            app.assemble_waiting().await.expect("assembled");
            tallies.push(app.agency(agency_id).list_all_tallies().await.expect("tallies"));
        }
        assert!(!tallies[0].is_empty());
        assert_eq!(tallies[0], tallies[1]);
    }
}
