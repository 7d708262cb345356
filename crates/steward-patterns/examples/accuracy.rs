//! How well messages are grouped, how fast, and in how much memory.
//!
//! `cargo run --release -p steward-patterns --example accuracy -- ../shared/data`

#![expect(clippy::print_stdout, reason = "this is what an example is for")]
#![expect(clippy::expect_used, reason = "an example that cannot go on should say where")]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use steward_patterns::{Miner, Overrides};

fn main() {
    let data = std::env::args().nth(1).unwrap_or_else(|| "../shared/data".to_owned());
    let verbose = std::env::args().any(|argument| argument == "--wrong");
    let mut names: Vec<_> = std::fs::read_dir(Path::new(&data).join("loghub"))
        .expect("loghub")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("structured"))
        .collect();
    names.sort();
    for name in names {
        let mut reader = csv::Reader::from_path(Path::new(&data).join("loghub").join(&name)).expect("a file");
        let headers = reader.headers().expect("headers").clone();
        let at = |what: &str| headers.iter().position(|header| header == what).expect("a column");
        let (content, event) = (at("Content"), at("EventId"));
        let rows: Vec<(String, String)> = reader
            .records()
            .map(|record| record.expect("a record"))
            .map(|record| (record[content].to_owned(), record[event].to_owned()))
            .collect();
        println!("{name}: {:.4}", accuracy(&rows, verbose));
    }
    let text = std::fs::read_to_string(Path::new(&data).join("tool-errors/events.jsonl")).expect("tool errors");
    let rows: Vec<(String, String)> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("json"))
        .map(|row| {
            (row["message"].as_str().expect("text").to_owned(), row["group_id"].as_str().expect("text").to_owned())
        })
        .collect();
    println!("tool-errors: {:.4}", accuracy(&rows, verbose));
}

fn accuracy(rows: &[(String, String)], verbose: bool) -> f64 {
    let mut miner = Miner::default();
    let shapes: Vec<_> = rows.iter().map(|(message, _)| miner.assign(message)).collect();
    let groups = miner.consolidate(&Overrides::default());
    let mut found: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut truth: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, shape) in shapes.iter().enumerate() {
        found.entry(groups.index_of(*shape)).or_default().push(row);
        truth.entry(&rows[row].1).or_default().push(row);
    }
    let mut right = 0;
    for (event, lines) in &truth {
        let group = groups.index_of(shapes[lines[0]]);
        if found[&group] == *lines {
            right += lines.len();
        } else if verbose {
            println!("  {event} {} lines", lines.len());
            let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
            for line in lines {
                *seen.entry(groups.index_of(shapes[*line])).or_default() += 1;
            }
            for (group, n) in seen {
                println!("    {n} of {} {}", groups.all()[group].count, groups.all()[group].template);
            }
        }
    }
    if std::env::args().any(|argument| argument == "--groups") {
        for group in groups.all() {
            println!("  {:6} {}\n         {}", group.count, group.template, group.because());
        }
    }
    right as f64 / rows.len() as f64
}
