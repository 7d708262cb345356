//! How well messages are grouped, how fast, and in how much memory.
//!
//! `cargo run --release -p steward-patterns --example accuracy -- ../shared/data`
//!
//! With `--wrong` it shows what came out otherwise than the sources of the messages say.

#![expect(clippy::print_stdout, reason = "this is what an example is for")]
#![expect(clippy::expect_used, reason = "an example that cannot go on should say where")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use steward_patterns::{Miner, Overrides};

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Messages and the event that each of them is.
type Rows = Vec<(String, String)>;

const N_MESSAGES: u64 = 10_000_000;
/// Messages that are made before their time is taken.
const BATCH: u64 = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let show_wrong = arguments.iter().any(|argument| argument == "--wrong");
    let data = arguments.iter().find(|argument| !argument.starts_with("--"));
    let data = PathBuf::from(data.map_or("../shared/data", String::as_str));

    let systems = log_systems(&data.join("loghub"));
    let mut sum = 0.0;
    for (name, rows) in &systems {
        let accuracy = grouping_accuracy(rows, show_wrong);
        println!("grouping accuracy, {name}: {accuracy:.4} of {} messages", rows.len());
        sum += accuracy;
    }
    if !systems.is_empty() {
        println!("grouping accuracy, mean of {} log systems: {:.4}", systems.len(), sum / systems.len() as f64);
    }
    if let Some(rows) = tool_errors(&data.join("tool-errors/events.jsonl")) {
        println!(
            "grouping accuracy, tool errors: {:.4} of {} messages",
            grouping_accuracy(&rows, show_wrong),
            rows.len()
        );
    }

    for (name, rows) in &systems {
        println!("rate, {name}: {:.0} messages/s on one core", rate(&[rows]));
    }
    if !systems.is_empty() {
        let all: Vec<&Rows> = systems.iter().map(|(_, rows)| rows).collect();
        println!("rate, all log systems: {:.0} messages/s on one core", rate(&all));
    }
    ten_million();
}

fn log_systems(folder: &Path) -> Vec<(String, Rows)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("left out: {} is not there", folder.display());
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("_structured"))
        .collect();
    names.sort();
    let read = |name: String| {
        let mut reader = csv::Reader::from_path(folder.join(&name)).expect("the file can be read");
        let headers = reader.headers().expect("it has a first line").clone();
        let column = |wanted: &str| headers.iter().position(|header| header == wanted).expect("it has the column");
        let (content, event) = (column("Content"), column("EventId"));
        let rows = reader.records().map(|row| row.expect("it has rows"));
        let rows = rows.map(|row| (row[content].to_owned(), row[event].to_owned())).collect();
        (name.split('_').next().unwrap_or_default().to_owned(), rows)
    };
    names.into_iter().map(read).collect()
}

fn tool_errors(path: &Path) -> Option<Rows> {
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("left out: {} is not there", path.display());
        return None;
    };
    let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"));
    let field = |row: &serde_json::Value, name: &str| row[name].as_str().expect("it has the field").to_owned();
    Some(rows.map(|row| (field(&row, "message"), field(&row, "group_id"))).collect())
}

/// The share of messages whose group holds exactly the messages of their event.
fn grouping_accuracy(rows: &Rows, show_wrong: bool) -> f64 {
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
        if found[&groups.index_of(shapes[lines[0]])] == *lines {
            right += lines.len();
        } else if show_wrong {
            let mut came_out: BTreeMap<usize, usize> = BTreeMap::new();
            for line in lines {
                *came_out.entry(groups.index_of(shapes[*line])).or_default() += 1;
            }
            for (group, n) in came_out {
                let group = &groups.all()[group];
                println!(
                    "  {event}: {n} of {} messages are among {} of “{}”",
                    lines.len(),
                    group.count,
                    group.template
                );
            }
        }
    }
    right as f64 / rows.len() as f64
}

/// How many messages a second are assigned, the last consolidation included, at the best of several short trials: a
/// shared machine is slower at times, and never faster than it is.
fn rate(systems: &[&Rows]) -> f64 {
    let trial = || {
        let (started, mut n) = (Instant::now(), 0_usize);
        let mut miner = Miner::default();
        while started.elapsed() < Duration::from_millis(400) {
            for rows in systems {
                n += rows.iter().map(|(message, _)| miner.assign(message)).count();
            }
        }
        let n_groups = miner.consolidate(&Overrides::default()).all().len();
        assert!(n_groups > 1, "nothing was grouped");
        n as f64 / started.elapsed().as_secs_f64()
    };
    (0..8).map(|_| trial()).fold(0.0, f64::max)
}

/// Ten million messages, no two alike, with names without end and statements that nobody thought of.
fn ten_million() {
    let before = resident_mb("VmRSS");
    let mut miner = Miner::default();
    let mut batch = vec![String::new(); BATCH as usize];
    let (mut spent, mut spent_on_core) = (Duration::ZERO, Duration::ZERO);
    for first in (0..N_MESSAGES).step_by(BATCH as usize) {
        for (n, message) in (first..).zip(&mut batch) {
            write_message(n, message);
        }
        let (started, started_on_core) = (Instant::now(), time_on_core());
        for message in &batch {
            miner.assign(message);
        }
        spent += started.elapsed();
        spent_on_core += time_on_core().saturating_sub(started_on_core);
    }
    let started = Instant::now();
    let groups = miner.consolidate(&Overrides::default());
    println!(
        "ten million messages: {:.0} messages/s by the core's time, {:.0} by the clock, consolidated in {:.2} s into {} groups of {} shapes; overflow {}",
        N_MESSAGES as f64 / spent_on_core.max(Duration::from_millis(1)).as_secs_f64(),
        N_MESSAGES as f64 / spent.as_secs_f64(),
        started.elapsed().as_secs_f64(),
        groups.all().len(),
        miner.n_shapes(),
        groups.all().last().map_or(0, |group| group.count),
    );
    println!("memory: {before} MB before, at most {} MB", resident_mb("VmHWM"));
}

/// A message that follows from its number: one of several hundred statements with values, names that do not end, and
/// now and then a statement that comes once.
fn write_message(n: u64, message: &mut String) {
    use std::fmt::Write as _;
    message.clear();
    let random = n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    let (statement, name) = (random % 400, letters(random >> 20));
    // Writing to a text does not fail.
    let _ = match random % 16 {
        0..=3 => {
            write!(message, "Failed {} for user {name} from 10.{}.3.{} port {n}", letters(statement), n % 200, n % 251)
        }
        4..=9 => write!(
            message,
            "{} of block blk_{n} took {} ms at /data/{}/part-{n}",
            letters(statement + 400),
            n % 977,
            n % 31
        ),
        10..=14 => write!(
            message,
            "request {n:032x} to {}.example.com: {} is not available",
            letters(n % 97),
            letters(statement + 900)
        ),
        _ if n % 64 == 15 => write!(message, "{} {} {}", letters(random), letters(random >> 7), letters(random >> 13)),
        _ => write!(message, "session of {name} closed after {} s", n % 3_600),
    };
}

/// A number in letters.
fn letters(mut n: u64) -> String {
    let mut text = String::from("q");
    while n > 0 {
        text.push(char::from(b'g' + (n % 20) as u8));
        n /= 20;
    }
    text
}

/// How long this process had a core, as others on the machine take their share; zero where the system does not say.
fn time_on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// A line of what the system knows of this process, in MB; 0 where there is none.
fn resident_mb(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(':'));
    value.and_then(|value| value.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1_024
}
