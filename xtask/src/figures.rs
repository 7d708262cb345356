//! Measures the real runs beside the checkout into the small table of figures that the demo draws from.
//!
//! Only numbers leave the files: counts, shares and quantiles. No text, name or id of theirs is written; tools stand
//! under what they do, and error messages under the kind of refusal.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Where the table goes, seen from the workspace.
const TARGET: &str = "crates/steward-app/src/demo/figures.json";
/// The quantiles that are kept of a distribution.
const QUANTILES: [f64; 9] = [0.0, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 1.0];
/// Tokens are kept call by call as far as this call.
const MAX_CALLS: usize = 20;
/// A distribution of fewer values than this is left out.
const LEAST_VALUES: usize = 8;
/// gpt-4.1 in dollars a token: input, cached input, output. Tells cached tokens from the recorded cost.
const PRICE: (f64, f64, f64) = (2.0e-6, 0.5e-6, 8.0e-6);

/// One file of runs.
struct Source {
    name: &'static str,
    benchmark: &'static str,
    url: &'static str,
    file: &'static str,
}

const SOURCES: [Source; 3] = [
    Source {
        name: "airline_gpt_4o",
        benchmark: "tau-bench",
        url: "https://github.com/sierra-research/tau-bench",
        file: "tau-bench/gpt-4o-airline.jsonl.zst",
    },
    Source {
        name: "airline_gpt_4_1",
        benchmark: "tau2-bench",
        url: "https://github.com/sierra-research/tau2-bench",
        file: "tau2-bench/sierra-gpt41-airline.jsonl.zst",
    },
    Source {
        name: "retail_gpt_4_1",
        benchmark: "tau2-bench",
        url: "https://github.com/sierra-research/tau2-bench",
        file: "tau2-bench/sierra-gpt41-retail.jsonl.zst",
    },
];

/// Reads the runs under a folder and writes the table.
pub(crate) fn run(root: &Path, data: &Path) -> Result<bool> {
    let mut sets = serde_json::Map::new();
    for source in &SOURCES {
        let runs = read(&data.join(source.file))?;
        println!("figures: {} runs of {}", runs.len(), source.file);
        sets.insert(source.name.to_owned(), figures_of(&runs, source));
    }
    let table = json!({
        "about": "Distributions measured over public benchmark runs by `cargo xtask figures`; quantiles are at the shares in `quantiles`. The other side of these conversations was a simulated person, who answers faster than a real one, and the tools were local, so they answer at once and never time out.",
        "licence": "MIT, Copyright (c) Sierra: tau-bench and tau2-bench",
        "quantiles": QUANTILES,
        "sets": sets,
    });
    let mut text = pretty(&table, 0);
    text.push('\n');
    let target = root.join(TARGET);
    std::fs::write(&target, &text).with_context(|| format!("cannot write {}", target.display()))?;
    println!("figures: {} bytes in {TARGET}", text.len());
    Ok(true)
}

fn read(path: &Path) -> Result<Vec<Value>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let bytes = zstd::decode_all(file).with_context(|| format!("cannot unpack {}", path.display()))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not text", path.display()))?;
    text.lines().map(|line| serde_json::from_str(line).context("a line is not JSON")).collect()
}

/// One call of a tool.
struct Call {
    does: &'static str,
    tool: String,
    error: Option<&'static str>,
}

/// What is measured of one run.
#[derive(Default)]
struct Run {
    passed: bool,
    ended_by_user: bool,
    duration_s: Option<f64>,
    cost_usd: Option<f64>,
    calls: Vec<Call>,
    n_model_calls: usize,
    n_user_turns: usize,
    /// Of each model call with usage: input, output, the cached share that its cost tells, and whether it called a tool.
    usage: Vec<(f64, f64, Option<f64>, bool)>,
    /// Seconds of a model call that answered, and of one that called a tool.
    answer_s: Vec<f64>,
    tool_call_s: Vec<f64>,
    /// Seconds until the other side replied.
    reply_s: Vec<f64>,
}

fn figures_of(runs: &[Value], source: &Source) -> Value {
    let runs: Vec<Run> = runs.iter().map(measure).collect();
    let n = runs.len() as f64;
    let share = |test: &dyn Fn(&Run) -> bool| round(runs.iter().filter(|run| test(run)).count() as f64 / n);
    let all = |each: &dyn Fn(&Run) -> Vec<f64>| quantiles(runs.iter().flat_map(each).collect());
    let transferred = |run: &Run| run.calls.iter().any(|call| call.does == "hand_over");
    let mut set = json!({
        "source": source.benchmark,
        "url": source.url,
        "file": source.file.rsplit('/').next(),
        "runs": runs.len(),
        "pass_rate": share(&|run| run.passed),
        "transfer_share": share(&transferred),
        "pass_rate_of_transferred": rate(runs.iter().filter(|r| transferred(r)).map(|r| r.passed)),
        "user_turns": all(&|run| vec![run.n_user_turns as f64]),
        "model_calls": all(&|run| vec![run.n_model_calls as f64]),
        "tool_calls": all(&|run| vec![run.calls.len() as f64]),
        "tools": tools_of(&runs),
        "tool_errors": errors_of(&runs),
    });
    let timed = json!({
        "ended_by_user_share": share(&|run| run.ended_by_user),
        "duration_s": all(&|run| run.duration_s.into_iter().collect()),
        "cost_usd": all(&|run| run.cost_usd.into_iter().collect()),
        "answer_s": all(&|run| run.answer_s.clone()),
        "tool_call_s": all(&|run| run.tool_call_s.clone()),
        "simulated_reply_s": all(&|run| run.reply_s.clone()),
        "tokens": tokens_of(&runs),
    });
    if runs.iter().any(|run| run.duration_s.is_some())
        && let (Value::Object(set), Value::Object(timed)) = (&mut set, timed)
    {
        set.extend(timed);
    }
    set
}

fn measure(run: &Value) -> Run {
    let mut measured = Run {
        passed: run["success"] == 1,
        ended_by_user: run["termination_reason"] == "user_stop",
        duration_s: run["duration_s"].as_f64(),
        cost_usd: run["agent_cost_usd"].as_f64(),
        ..Run::default()
    };
    let messages = run["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut before: Option<f64> = None;
    for message in messages {
        let at = message["timestamp"].as_str().and_then(seconds_of_day);
        let took = at.zip(before).map(|(at, before)| at - before).filter(|took| *took >= 0.0);
        match message["role"].as_str().unwrap_or_default() {
            "user" => {
                measured.n_user_turns += 1;
                measured.reply_s.extend(took);
            }
            "assistant" => assistant(message, took, &mut names, &mut measured),
            "tool" => tool(message, &names, &mut measured),
            _ => {}
        }
        before = at.or(before);
    }
    measured
}

fn assistant<'a>(message: &'a Value, took: Option<f64>, names: &mut BTreeMap<&'a str, &'a str>, run: &mut Run) {
    let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    for call in calls {
        let name = call["name"].as_str().or_else(|| call["function"]["name"].as_str()).unwrap_or_default();
        names.insert(call["id"].as_str().unwrap_or_default(), name);
    }
    // The greeting of tau2-bench is written by no model.
    let usage = &message["usage"];
    if message.get("timestamp").is_some() && usage.is_null() {
        return;
    }
    run.n_model_calls += 1;
    let times = if calls.is_empty() { &mut run.answer_s } else { &mut run.tool_call_s };
    times.extend(took);
    if let (Some(input), Some(output)) = (usage["prompt_tokens"].as_f64(), usage["completion_tokens"].as_f64()) {
        let cached = message["cost"].as_f64().map(|cost| {
            let saved = input * PRICE.0 + output * PRICE.2 - cost;
            (saved / (PRICE.0 - PRICE.1) / input).clamp(0.0, 1.0)
        });
        run.usage.push((input, output, cached, !calls.is_empty()));
    }
}

fn tool(message: &Value, names: &BTreeMap<&str, &str>, run: &mut Run) {
    let id = message["tool_call_id"].as_str().or_else(|| message["id"].as_str()).unwrap_or_default();
    let name = message["name"].as_str().or_else(|| names.get(id).copied()).unwrap_or_default();
    let text = message["content"].as_str().unwrap_or_default();
    let failed = message["error"] == true || text.starts_with("Error");
    run.calls.push(Call { does: does(name), tool: name.to_owned(), error: failed.then(|| refusal(text)) });
}

/// What a tool does, by its name.
fn does(tool: &str) -> &'static str {
    let begins = |words: &[&str]| words.iter().any(|word| tool.starts_with(word));
    if begins(&["transfer_"]) {
        "hand_over"
    } else if begins(&["find_user", "get_user"]) {
        "identify"
    } else if begins(&["search_"]) {
        "search"
    } else if begins(&["calculate", "think"]) {
        "think"
    } else if begins(&["get_", "list_", "find_"]) {
        "read"
    } else {
        "write"
    }
}

/// The kind of refusal, by the words of an error.
fn refusal(text: &str) -> &'static str {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["not found"]) {
        "not_found"
    } else if has(&["does not add up", "not enough balance", "balance is not enough", "should match", "should be"]) {
        "wrong_arguments"
    } else if has(&["not available", "not enough seats"]) {
        "no_longer_available"
    } else {
        "not_allowed"
    }
}

/// How often tools of each kind are called, what follows what, and how the calls of a kind divide among its tools.
fn tools_of(runs: &[Run]) -> Value {
    let mut by_kind: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut follows: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut n_calls = 0;
    for run in runs {
        let mut last = "start";
        for call in &run.calls {
            *by_kind.entry(call.does).or_default().entry(&call.tool).or_default() += 1;
            *follows.entry(last).or_default().entry(call.does).or_default() += 1;
            last = call.does;
            n_calls += 1;
        }
        *follows.entry(last).or_default().entry("end").or_default() += 1;
    }
    let kinds: BTreeMap<_, _> = by_kind
        .iter()
        .map(|(kind, tools)| {
            let calls: usize = tools.values().sum();
            let mut ranks: Vec<f64> = tools.values().map(|n| round(*n as f64 / calls as f64)).collect();
            ranks.sort_by(|a, b| b.total_cmp(a));
            (kind, json!({ "share": round(calls as f64 / f64::from(n_calls)), "shares_of_its_tools": ranks }))
        })
        .collect();
    let follows: BTreeMap<_, _> = follows.iter().map(|(kind, next)| (kind, shares(next))).collect();
    json!({ "kinds": kinds, "what_follows": follows })
}

fn errors_of(runs: &[Run]) -> Value {
    let calls = || runs.iter().flat_map(|run| &run.calls);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for error in calls().filter_map(|call| call.error) {
        *kinds.entry(error).or_default() += 1;
    }
    let mut by_what: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    for call in calls() {
        by_what.entry(call.does).or_default().push(call.error.is_some());
    }
    let by_what: BTreeMap<_, _> = by_what.into_iter().map(|(what, failed)| (what, rate(failed.into_iter()))).collect();
    json!({
        "rate": rate(calls().map(|call| call.error.is_some())),
        "runs_with_one": rate(runs.iter().map(|run| run.calls.iter().any(|call| call.error.is_some()))),
        "rate_by_what_the_tool_does": by_what,
        "kinds": shares(&kinds),
    })
}

fn tokens_of(runs: &[Run]) -> Value {
    let inputs: Vec<Value> = (0..MAX_CALLS)
        .map(|place| runs.iter().filter_map(|run| run.usage.get(place)).map(|usage| usage.0).collect::<Vec<_>>())
        .take_while(|inputs| inputs.len() >= LEAST_VALUES)
        .map(|inputs| json!(three(inputs)))
        .collect();
    let growth = runs.iter().flat_map(|run| run.usage.windows(2).map(|pair| pair[1].0 - pair[0].0)).collect();
    let output = |calls_tool: bool| {
        quantiles(
            runs.iter().flat_map(|run| &run.usage).filter(|usage| usage.3 == calls_tool).map(|usage| usage.1).collect(),
        )
    };
    let cached = |first: bool| {
        let of = |run: &Run| -> Vec<f64> {
            let usage = run.usage.iter().enumerate().filter(|(place, _)| (*place == 0) == first);
            usage.filter_map(|(_, usage)| usage.2).collect()
        };
        quantiles(runs.iter().flat_map(of).collect())
    };
    json!({
        "input_by_call_p10_p50_p90": inputs,
        "input_growth_per_call": quantiles(growth),
        "output_of_an_answer": output(false),
        "output_of_a_tool_call": output(true),
        "cached_share_of_first_call_by_cost": cached(true),
        "cached_share_of_later_calls_by_cost": cached(false),
    })
}

fn rate(tests: impl Iterator<Item = bool>) -> Value {
    let (mut n, mut hits) = (0_u32, 0_u32);
    for hit in tests {
        n += 1;
        hits += u32::from(hit);
    }
    if n == 0 { Value::Null } else { json!(round(f64::from(hits) / f64::from(n))) }
}

fn shares(counts: &BTreeMap<&str, usize>) -> Value {
    let sum: usize = counts.values().sum();
    counts.iter().map(|(key, n)| ((*key).to_owned(), json!(round(*n as f64 / sum as f64)))).collect()
}

fn quantiles(values: Vec<f64>) -> Value {
    json!(QUANTILES.map(|q| round(quantile(&values, q))))
}

fn three(values: Vec<f64>) -> [f64; 3] {
    [0.1, 0.5, 0.9].map(|q| round(quantile(&values, q)))
}

/// The quantile between the two nearest values; 0 of nothing.
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = q * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (sorted.get(place.floor() as usize), sorted.get(place.ceil() as usize));
    match (low, high) {
        (Some(low), Some(high)) => low + (high - low) * place.fract(),
        _ => 0.0,
    }
}

/// Four places are more than these samples can tell.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// The seconds since midnight of `2025-08-01T16:20:44.321269`; no run here crosses midnight by more than its own gap.
fn seconds_of_day(text: &str) -> Option<f64> {
    let mut parts = text.split_once('T')?.1.split(':').map(str::parse::<f64>);
    let mut next = || parts.next()?.ok();
    Some(next()? * 3600.0 + next()? * 60.0 + next()?)
}

/// JSON that people can read: objects over lines, lists of numbers on one.
fn pretty(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth + 1);
    let close = "  ".repeat(depth);
    match value {
        Value::Object(object) if object.values().any(|v| v.is_object() || v.is_array() || v.is_string()) => {
            let fields: Vec<String> =
                object.iter().map(|(key, v)| format!("{indent}{}: {}", json!(key), pretty(v, depth + 1))).collect();
            format!("{{\n{}\n{close}}}", fields.join(",\n"))
        }
        Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => {
            let items: Vec<String> = items.iter().map(|item| format!("{indent}{}", pretty(item, depth + 1))).collect();
            format!("[\n{}\n{close}]", items.join(",\n"))
        }
        Value::Object(object) => {
            let fields: Vec<String> = object.iter().map(|(key, v)| format!("{}: {v}", json!(key))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert!((quantile(&[4.0, 1.0, 3.0, 2.0], 0.5) - 2.5).abs() < 1e-9);
        assert!((quantile(&[7.0], 0.9) - 7.0).abs() < 1e-9);
        assert!(quantile(&[], 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_readable_form_is_the_same_json() {
        let value = json!({ "a": [1.0, 2.5], "b": { "c": 0.5 }, "d": [[1.0], [2.0]], "e": "text", "f": null });
        assert_eq!(serde_json::from_str::<Value>(&pretty(&value, 0)).expect("JSON"), value);
    }

    #[test]
    fn tools_stand_under_what_they_do() {
        assert_eq!(does("transfer_to_human_agents"), "hand_over");
        assert_eq!(does("get_user_details"), "identify");
        assert_eq!(does("get_order_details"), "read");
        assert_eq!(does("cancel_pending_order"), "write");
    }
}
