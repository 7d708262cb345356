//! What a run adds to the tallies: additive counters, of which every figure over time is a sum.
//!
//! A tally is `(workflow, release, slice, hour, metric, key) → (n, sum)`. A slice is the whole workflow,
//! or its runs that used one model or one tool, so that every figure can be had for these too.

use crate::outcome::Outcome;
use crate::run::{CallFacts, RunFacts};
use crate::time::Timestamp;

/// The kinds of counters. The code is what is stored; it never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Finished runs. n: runs; sum: steps.
    Runs,
    /// By outcome. n: runs.
    Outcome,
    /// By kind of evidence. n: runs.
    Evidence,
    /// Runs with at least one exception. n: runs; sum: exceptions.
    Exceptions,
    /// Cycle time. n: runs; sum: milliseconds.
    CycleMs,
    /// Cycle time by histogram bucket. n: runs.
    CycleBucket,
    /// Waiting for a person. n: runs that waited; sum: milliseconds.
    WaitingMs,
    /// Runs whose cost is known. n: runs; sum: nano-US-dollars.
    Cost,
    /// Runs whose cost is not known. n: runs; sum: the known part in nano-US-dollars.
    CostUnknown,
    /// By how the cost is known. n: runs.
    CostSource,
    /// By bucket of tokens. n: runs with any; sum: tokens.
    Tokens,
    /// By result, `in` or `out` of business hours first. n: results; sum: value in nano-units of the client's currency.
    Results,
    /// Results that carry a value of their own, by result. n: results.
    ValuedResults,
    /// Runs by `in` or `out` of business hours. n: runs.
    Hours,
    /// Calls by tool. n: calls; sum: milliseconds.
    ToolCalls,
    /// Failed calls by tool and class. n: calls.
    ToolErrors,
    /// Calls by tool and histogram bucket of milliseconds. n: calls.
    ToolBucket,
    /// Calls by model. n: calls; sum: milliseconds.
    ModelCalls,
    /// Failed calls by model and class. n: calls.
    ModelErrors,
    /// Calls by model and histogram bucket of milliseconds. n: calls.
    ModelBucket,
    /// Tokens by model. n: calls; sum: tokens.
    ModelTokens,
    /// Known cost by model. n: calls; sum: nano-US-dollars.
    ModelCost,
    /// Attributes of spans. n: attributes; sum: attributes that no rule used.
    Attributes,
    /// Runs by key that no rule used. n: runs.
    UnmappedKey,
    /// Runs with steps that arrived after they were final. n: runs; sum: steps.
    Late,
    /// By dialect. n: runs.
    Dialect,
}

impl Metric {
    /// The code that is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Outcome => "outcome",
            Self::Evidence => "evidence",
            Self::Exceptions => "exceptions",
            Self::CycleMs => "cycle_ms",
            Self::CycleBucket => "cycle_bucket",
            Self::WaitingMs => "waiting_ms",
            Self::Cost => "cost",
            Self::CostUnknown => "cost_unknown",
            Self::CostSource => "cost_source",
            Self::Tokens => "tokens",
            Self::Results => "results",
            Self::ValuedResults => "valued_results",
            Self::Hours => "hours",
            Self::ToolCalls => "tool_calls",
            Self::ToolErrors => "tool_errors",
            Self::ToolBucket => "tool_bucket",
            Self::ModelCalls => "model_calls",
            Self::ModelErrors => "model_errors",
            Self::ModelBucket => "model_bucket",
            Self::ModelTokens => "model_tokens",
            Self::ModelCost => "model_cost",
            Self::Attributes => "attributes",
            Self::UnmappedKey => "unmapped_key",
            Self::Late => "late",
            Self::Dialect => "dialect",
        }
    }

    /// Reads a code. `None` for a code of another version of the program.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.code() == code)
    }

    /// Every kind.
    pub const ALL: [Self; 26] = [
        Self::Runs,
        Self::Outcome,
        Self::Evidence,
        Self::Exceptions,
        Self::CycleMs,
        Self::CycleBucket,
        Self::WaitingMs,
        Self::Cost,
        Self::CostUnknown,
        Self::CostSource,
        Self::Tokens,
        Self::Results,
        Self::ValuedResults,
        Self::Hours,
        Self::ToolCalls,
        Self::ToolErrors,
        Self::ToolBucket,
        Self::ModelCalls,
        Self::ModelErrors,
        Self::ModelBucket,
        Self::ModelTokens,
        Self::ModelCost,
        Self::Attributes,
        Self::UnmappedKey,
        Self::Late,
        Self::Dialect,
    ];
}

/// What stands between the parts of a key of two parts.
pub const KEY_SEPARATOR: char = '\u{1f}';

/// Which runs of a workflow a tally counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Slice {
    /// All of them.
    #[default]
    All,
    /// Those that called a model.
    Model(String),
    /// Those that called a tool.
    Tool(String),
}

impl Slice {
    /// The code that is stored: empty, `m:gpt-4o`, `t:book`.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Model(name) => format!("m:{name}"),
            Self::Tool(name) => format!("t:{name}"),
        }
    }
}

/// One addition to the tallies; where it goes in time is the run's hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The slice's code.
    pub slice: String,
    /// The kind.
    pub metric: Metric,
    /// The key; empty where the kind has none.
    pub key: String,
    /// What to add to n.
    pub n: i64,
    /// What to add to sum.
    pub sum: i64,
}

/// Where a run counts in time: the hour in which it ended, in whole hours since the epoch.
#[must_use]
pub fn hour_of(run: &RunFacts) -> i32 {
    run.ended_at.hour()
}

/// What a finished run adds; nothing for an open run, and nothing for a test run.
///
/// `bucket_of` gives a value's histogram bucket.
#[must_use]
pub fn additions(run: &RunFacts, bucket_of: fn(f64) -> i32) -> Vec<Addition> {
    if !run.finished || run.test {
        return Vec::new();
    }
    let mut all = Vec::with_capacity(48);
    add_run(&mut all, "", run, bucket_of);
    for model in &run.models {
        add_run(&mut all, &Slice::Model(model.name.clone()).code(), run, bucket_of);
    }
    for tool in &run.tools {
        add_run(&mut all, &Slice::Tool(tool.name.clone()).code(), run, bucket_of);
    }
    let mut add =
        |metric, key: &str, n, sum| all.push(Addition { slice: String::new(), metric, key: key.to_owned(), n, sum });
    add(Metric::Evidence, run.evidence_kind().as_str(), 1, 0);
    add(Metric::CostSource, run.cost_source.as_str(), 1, 0);
    for dialect in &run.dialects {
        add(Metric::Dialect, dialect, 1, 0);
    }
    if run.n_attributes > 0 {
        add(Metric::Attributes, "", i64::from(run.n_attributes), i64::from(run.n_unmapped));
    }
    for key in run.unmapped.iter().take(20) {
        add(Metric::UnmappedKey, key, 1, 0);
    }
    if run.n_late_steps > 0 {
        add(Metric::Late, "", 1, i64::from(run.n_late_steps));
    }
    for model in &run.models {
        add_calls(&mut add, model, [Metric::ModelCalls, Metric::ModelErrors, Metric::ModelBucket], bucket_of);
        add(Metric::ModelTokens, &model.name, i64::from(model.calls), as_sum(model.tokens));
        add(Metric::ModelCost, &model.name, i64::from(model.calls), model.cost_nanos.0);
    }
    for tool in &run.tools {
        add_calls(&mut add, tool, [Metric::ToolCalls, Metric::ToolErrors, Metric::ToolBucket], bucket_of);
    }
    all
}

/// What a run adds to one slice.
fn add_run(all: &mut Vec<Addition>, slice: &str, run: &RunFacts, bucket_of: fn(f64) -> i32) {
    let mut add =
        |metric, key: &str, n, sum| all.push(Addition { slice: slice.to_owned(), metric, key: key.to_owned(), n, sum });
    add(Metric::Runs, "", 1, i64::from(run.n_steps));
    add(Metric::Outcome, run.outcome().as_str(), 1, 0);
    if run.n_exceptions > 0 {
        add(Metric::Exceptions, "", 1, i64::from(run.n_exceptions));
    }
    add(Metric::CycleMs, "", 1, run.cycle_ms);
    add(Metric::CycleBucket, &bucket_of(run.cycle_ms as f64).to_string(), 1, 0);
    if run.waiting_ms > 0 {
        add(Metric::WaitingMs, "", 1, run.waiting_ms);
    }
    match run.cost_nanos {
        Some(nanos) => add(Metric::Cost, "", 1, nanos.0),
        None => add(Metric::CostUnknown, "", 1, run.known_cost_nanos.0),
    }
    let usage = &run.usage;
    let tokens = [
        ("input", usage.input + usage.input_audio + usage.input_image),
        ("cache_read", usage.cache_read),
        ("cache_write", usage.total_cache_write()),
        ("output", usage.output + usage.output_audio),
        ("reasoning", usage.reasoning),
    ];
    for (key, n) in tokens.into_iter().filter(|(_, n)| *n > 0) {
        add(Metric::Tokens, key, 1, as_sum(n));
    }
    add(Metric::Hours, if run.in_hours { "in" } else { "out" }, 1, 0);
    for result in &run.results {
        let hours = if result.in_hours { "in" } else { "out" };
        let value = result.value_nanos.map_or(0, |v| v.0);
        add(Metric::Results, &format!("{hours}{KEY_SEPARATOR}{}", result.name), 1, value);
        if result.value_nanos.is_some() {
            add(Metric::ValuedResults, &result.name, 1, 0);
        }
    }
}

fn add_calls(
    add: &mut impl FnMut(Metric, &str, i64, i64),
    calls: &CallFacts,
    [count, errors, bucket]: [Metric; 3],
    bucket_of: fn(f64) -> i32,
) {
    let total_ms: i64 = calls.durations_ms.iter().map(|ms| i64::from(*ms)).sum();
    add(count, &calls.name, i64::from(calls.calls), total_ms);
    for (class, n) in &calls.errors {
        add(errors, &format!("{}{KEY_SEPARATOR}{}", calls.name, class.as_str()), i64::from(*n), 0);
    }
    for ms in &calls.durations_ms {
        add(bucket, &format!("{}{KEY_SEPARATOR}{}", calls.name, bucket_of(f64::from(*ms))), 1, 0);
    }
}

fn as_sum(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Whether an instant is too far off to have tallies of its own; such runs are kept and not counted.
#[must_use]
pub fn is_countable(at: Timestamp) -> bool {
    at.is_plausible()
}

/// Outcomes that say whether a run did its job.
pub const VERIFIED: [Outcome; 4] = [Outcome::Completed, Outcome::Escalated, Outcome::Failed, Outcome::Abandoned];
