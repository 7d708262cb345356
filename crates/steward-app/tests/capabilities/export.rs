use insta::assert_snapshot;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use serde_json::{Value, json};
use steward_app::Actor;
use steward_app::export::ExportFormat;
use steward_core::people::Role;
use steward_store::tenant::RunFilter;
use steward_testkit::db_tests;

use crate::world::{World, words};

/// An agency with a client, a contractor for it, and two runs of its workflow.
async fn with_runs(world: &World) -> (Actor, Actor) {
    let owner = world.agency("north").await;
    let clinic = world.client(&owner, "Clinic, Berlin").await;
    world.workflow(&owner, "Front desk", Some(clinic.id)).await;
    let contractor = world.person(&owner, "con@north.test", Role::Contractor, &[clinic.id]).await;
    let run = |id: &str, minute: u32, title: &str, cost: Value| {
        json!({
            "id": id, "workflow": "front-desk", "title": title, "user_id": "=cmd|'/c calc'!A0", "outcome": "completed",
            "started_at": format!("2026-11-20T10:{minute:02}:00Z"), "ended_at": format!("2026-11-20T10:{minute:02}:30Z"),
            "steps": [
                { "id": "m", "kind": "model", "model": "our-model", "cost_usd": cost,
                  "started_at": format!("2026-11-20T10:{minute:02}:01Z"), "ended_at": format!("2026-11-20T10:{minute:02}:02Z") },
                { "id": "a", "kind": "tool", "tool": "look_up",
                  "started_at": format!("2026-11-20T10:{minute:02}:03Z"), "ended_at": format!("2026-11-20T10:{minute:02}:04Z") },
                { "id": "b", "kind": "tool", "tool": "book",
                  "started_at": format!("2026-11-20T10:{minute:02}:05Z"), "ended_at": format!("2026-11-20T10:{minute:02}:06Z") },
            ],
        })
    };
    world
        .take_in(
            &owner,
            &[run("a", 1, "Says \"hello\",\nthen books", json!(0.0125)), run("b", 2, "Books", json!(null))],
        )
        .await;
    (owner, contractor)
}

async fn export(world: &World, actor: &Actor, filter: &RunFilter, format: ExportFormat) -> Vec<u8> {
    let mut export = world.app.export_runs(actor, filter, format).await.expect("begun");
    let mut file = Vec::new();
    while let Some(mut chunk) = export.next_chunk().await.expect("a chunk") {
        assert!(!chunk.is_empty(), "an empty chunk is the end to who streams it");
        file.append(&mut chunk);
    }
    assert!(export.next_chunk().await.expect("still over").is_none());
    file
}

async fn export_text(world: &World, actor: &Actor, filter: &RunFilter, format: ExportFormat) -> String {
    String::from_utf8(export(world, actor, filter, format).await).expect("text")
}

db_tests! {
    async fn csv_has_units_quotes_and_no_formulas(db: TestDb) {
        let world = World::new(db).await;
        let (owner, _) = with_runs(&world).await;
        let csv = export_text(&world, &owner, &RunFilter::default(), ExportFormat::Csv).await;
        let ids = ["run_", "wf_"];
        let cells = csv.split(',').map(|cell| match ids.iter().find_map(|id| cell.find(id)) {
            // The id of a run stands behind the end of the line before it.
            Some(at) if cell.get(at + 4..at + 8) != Some("id,") && cell.len() > 30 => format!("{}ID", &cell[..at]),
            _ => cell.to_owned(),
        });
        assert_snapshot!(cells.collect::<Vec<_>>().join(",").replace("\r\n", "⏎\n"), @r##"
        run_id,client,workflow,workflow_id,started_at,ended_at,state,outcome,evidence,cycle_ms,cost_usd,cost_source,tokens_in,tokens_out,steps,model_calls,tool_calls,exceptions,first_error,release,title,user_id,models,tools,results,test⏎
        ID,"Clinic, Berlin",Front desk,ID,2026-11-20T10:02:00Z,2026-11-20T10:02:30Z,provisional,completed,explicit,30000,,unknown,0,0,4,1,2,0,,,Books,"'=cmd|'/c calc'!A0",our-model,"book; look_up",,false⏎
        ID,"Clinic, Berlin",Front desk,ID,2026-11-20T10:01:00Z,2026-11-20T10:01:30Z,provisional,completed,explicit,30000,0.0125,reported,0,0,4,1,2,0,,,"Says ""hello"",
        then books","'=cmd|'/c calc'!A0",our-model,"book; look_up",,false⏎
        "##);
    }

    async fn who_sees_no_money_gets_no_column_of_it(db: TestDb) {
        let world = World::new(db).await;
        let (owner, contractor) = with_runs(&world).await;
        for format in [ExportFormat::Csv, ExportFormat::Jsonl] {
            assert!(export_text(&world, &owner, &RunFilter::default(), format).await.contains("cost_usd"));
            let theirs = export_text(&world, &contractor, &RunFilter::default(), format).await;
            assert!(theirs.contains("Front desk") && !theirs.contains("cost"), "{theirs}");
        }
        let file = SerializedFileReader::new(bytes::Bytes::from(
            export(&world, &contractor, &RunFilter::default(), ExportFormat::Parquet).await,
        ));
        let file = file.expect("a file");
        assert!(file.metadata().file_metadata().schema_descr().columns().iter().all(|c| !c.name().contains("cost")));
    }

    async fn json_lines_have_null_for_a_cost_that_is_unknown(db: TestDb) {
        let world = World::new(db).await;
        let (owner, _) = with_runs(&world).await;
        let lines = export_text(&world, &owner, &RunFilter::default(), ExportFormat::Jsonl).await;
        let runs: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(runs.iter().map(|r| &r["cost_usd"]).collect::<Vec<_>>(), [&Value::Null, &json!(0.0125)]);
        assert_eq!(runs[1]["title"], "Says \"hello\",\nthen books");
        assert_eq!(runs[1]["tools"].as_array().map(Vec::len), Some(2));
        assert_eq!(runs[1]["started_at"], "2026-11-20T10:01:00Z");
        assert_eq!((&runs[1]["client"], &runs[1]["workflow"]), (&json!("Clinic, Berlin"), &json!("Front desk")));
    }

    async fn parquet_reads_back_with_its_types(db: TestDb) {
        let world = World::new(db).await;
        let (owner, _) = with_runs(&world).await;
        let file = export(&world, &owner, &RunFilter::default(), ExportFormat::Parquet).await;
        let file = SerializedFileReader::new(bytes::Bytes::from(file)).expect("a file");
        let schema = file.metadata().file_metadata().schema_descr();
        let place = |name: &str| schema.root_schema().get_fields().iter().position(|f| f.name() == name).expect("a column");
        let rows: Vec<_> = file.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 2);
        let row = &rows[1];
        assert_eq!(row.get_string(place("title")).expect("text"), "Says \"hello\",\nthen books");
        assert_eq!(row.get_timestamp_micros(place("started_at")).expect("a time"), 1_795_168_860_000_000);
        assert_eq!(row.get_list(place("tools")).expect("a list").len(), 2);
        assert_eq!(row.get_list(place("results")).expect("a list").len(), 0);
        let cost = |row: usize| {
            rows[row].get_column_iter().nth(place("cost_usd")).map(|(_, field)| field.to_string()).expect("a cost")
        };
        assert_eq!((cost(1).as_str(), cost(0).as_str()), ("0.012500000", "null"));
    }

    async fn no_runs_make_a_whole_file_and_filters_and_reach_hold(db: TestDb) {
        let world = World::new(db).await;
        let (owner, _) = with_runs(&world).await;
        let stranger = world.agency("south").await;
        let none = RunFilter { text: Some("nothing has this".to_owned()), ..RunFilter::default() };
        for (actor, filter) in [(&stranger, RunFilter::default()), (&owner, none)] {
            assert_eq!(export_text(&world, actor, &filter, ExportFormat::Csv).await.lines().count(), 1);
            assert_eq!(export_text(&world, actor, &filter, ExportFormat::Jsonl).await, "");
            let file = export(&world, actor, &filter, ExportFormat::Parquet).await;
            let file = SerializedFileReader::new(bytes::Bytes::from(file)).expect("a file");
            assert_eq!(file.metadata().file_metadata().num_rows(), 0);
        }
        let workflow = world.app.visible_workflows(&owner, false).await.expect("workflows");
        let theirs = RunFilter { workflows: Some(workflow.iter().map(|w| w.id).collect()), ..RunFilter::default() };
        assert_eq!(export_text(&world, &stranger, &theirs, ExportFormat::Jsonl).await, "");
        assert_eq!(words(world.app.export_runs(&owner, &theirs, ExportFormat::Csv).await), "ok");
    }

    async fn many_pages_and_row_groups_are_one_file(db: TestDb) {
        let world = World::new(db).await;
        let owner = world.agency("north").await;
        let runs: Vec<Value> = (0..4_500)
            .map(|n| json!({ "id": format!("r{n}"), "workflow": "w", "started_at": 1_795_168_800 + n, "ended_at": 1_795_168_801 + n }))
            .collect();
        let payloads: Vec<Value> = runs.chunks(500).map(|runs| json!({ "runs": runs })).collect();
        world.take_in(&owner, &payloads).await;
        let lines = export_text(&world, &owner, &RunFilter::default(), ExportFormat::Jsonl).await;
        let mut ids: Vec<String> =
            lines.lines().map(|l| serde_json::from_str::<Value>(l).expect("JSON")["run_id"].to_string()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4_500);
        let file = export(&world, &owner, &RunFilter::default(), ExportFormat::Parquet).await;
        let file = SerializedFileReader::new(bytes::Bytes::from(file)).expect("a file");
        assert_eq!(file.metadata().file_metadata().num_rows(), 4_500);
    }
}
