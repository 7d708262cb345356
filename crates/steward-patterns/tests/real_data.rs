//! The bars of grouping accuracy, on real logs and real errors of agents' tools, with the one configuration there is.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use steward_patterns::{Miner, Overrides};

/// A folder of the data. `None`, and a word about it, when the data is not there.
fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.is_dir() {
        eprintln!("left out: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// Messages of a log system and the event that each of them is.
fn log_system(path: &Path) -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_path(path).expect("the file can be read");
    let headers = reader.headers().expect("it has a first line").clone();
    let column = |name: &str| headers.iter().position(|header| header == name).expect("it has the column");
    let (content, event) = (column("Content"), column("EventId"));
    let rows = reader.records().map(|row| row.expect("it has rows"));
    rows.map(|row| (row[content].to_owned(), row[event].to_owned())).collect()
}

fn tool_errors(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"));
    let field = |row: &serde_json::Value, name: &str| row[name].as_str().expect("it has the field").to_owned();
    rows.map(|row| (field(&row, "message"), field(&row, "group_id"))).collect()
}

/// The share of messages whose group holds exactly the messages of their event.
fn grouping_accuracy(rows: &[(String, String)]) -> f64 {
    let mut miner = Miner::default();
    let shapes: Vec<_> = rows.iter().map(|(message, _)| miner.assign(message)).collect();
    let groups = miner.consolidate(&Overrides::default());
    let mut found: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut truth: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, shape) in shapes.iter().enumerate() {
        found.entry(groups.index_of(*shape)).or_default().push(row);
        truth.entry(&rows[row].1).or_default().push(row);
    }
    let right = truth.values().filter(|lines| found[&groups.index_of(shapes[lines[0]])] == **lines);
    right.map(Vec::len).sum::<usize>() as f64 / rows.len() as f64
}

#[test]
fn log_systems_are_grouped_as_their_sources_say() {
    let Some(folder) = folder("loghub") else { return };
    let mut sum = 0.0;
    let systems = ["Apache", "HDFS", "OpenSSH", "Zookeeper"];
    for system in systems {
        let rows = log_system(&folder.join(format!("{system}_2k.log_structured_corrected.csv")));
        assert_eq!(rows.len(), 2_000, "{system}");
        let accuracy = grouping_accuracy(&rows);
        println!("{system}: {accuracy:.4}");
        assert!(accuracy >= 0.92, "{system}: {accuracy}");
        sum += accuracy;
    }
    let mean = sum / systems.len() as f64;
    assert!(mean >= 0.99, "the mean is {mean}");
}

#[test]
fn tool_errors_are_grouped_as_their_sources_say() {
    let Some(folder) = folder("tool-errors") else { return };
    let rows = tool_errors(&folder.join("events.jsonl"));
    assert_eq!(rows.len(), 86);
    let accuracy = grouping_accuracy(&rows);
    assert!(accuracy >= 0.95, "{accuracy}");
}
