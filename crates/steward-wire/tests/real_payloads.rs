//! Payloads that real instrumentations emitted. They are not part of the repository; where they are absent the
//! tests say so and pass.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use steward_core::step::{Role, Step, StepKind, StepStatus};
use steward_wire::otlp::{Encoding, decode};

fn data(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("left out: the folder with real payloads, {folder}, is not there");
    None
}

/// The export requests of one instrumentation, as JSON.
fn requests(file: &str) -> Option<Vec<Vec<u8>>> {
    let text = std::fs::read_to_string(data("otlp")?.join(file)).unwrap();
    let request = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["otlp"].to_string().into_bytes();
    Some(text.lines().map(request).collect())
}

fn steps(file: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for body in requests(file)? {
        let decoded = decode(&body, Encoding::Json).unwrap();
        assert_eq!(decoded.rejected, 0, "{:?}", decoded.rejection);
        steps.extend(decoded.steps);
    }
    Some(steps)
}

#[test]
fn dump() {
    for file in ["openinference-openai", "openllmetry-agno", "openllmetry-anthropic", "openllmetry-langchain", "openllmetry-openai"] {
        let Some(steps) = steps(&format!("{file}.jsonl")) else { return };
        let mut kinds = BTreeMap::new();
        let mut unmapped = BTreeMap::new();
        for s in &steps {
            *kinds.entry(format!("{} {:?} err={:?}", s.reading.dialect, s.kind, s.error.as_ref().map(|e| (e.class, e.code.clone())))).or_insert(0) += 1;
            for k in &s.reading.unmapped {
                *unmapped.entry(k.clone()).or_insert(0) += 1;
            }
        }
        println!("== {file} {} {kinds:#?} {unmapped:#?}", steps.len());
        let mut seen = std::collections::BTreeSet::new();
        for s in &steps {
            if seen.insert((s.kind.as_str(), s.name.split('.').next().unwrap().to_owned())) && seen.len() < 9 {
                println!("{}", serde_json::to_string(s).unwrap().chars().take(1500).collect::<String>());
            }
        }
    }
}
