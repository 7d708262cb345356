//! What a run adds to the tallies: additive counters, of which every figure over time is a sum. A run counts in the hour
//! in which it ended, and a review in the hour in which it was closed.
//!
//! A tally is `(workflow, release, slice, hour, metric, key) → (n, sum)`. A slice is the whole workflow,
//! or its runs that used one model or one tool, so that every figure can be had for these too.

use std::sync::Arc;

use foldhash::HashMap;

use crate::exceptions::ExceptionKind;
use crate::ids::WorkflowId;
use crate::outcome::Outcome;
use crate::queue::ItemKind;
use crate::reviews::Review;
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
    /// Runs of which a person said what came of them, by what was claimed and by what they said. n: runs.
    Verdicts,
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
    /// Runs that brought about a result, by result; a run may do so more than once. n: runs.
    ResultRuns,
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
    /// By kind of what was masked before it was stored. n: runs; sum: how often.
    Masked,
    /// Runs of which only structure was kept. n: runs.
    WithoutContent,
    /// Runs whose data was deleted at a person's request; what else they counted stays. n: runs.
    Deleted,
    /// Reviews by the sort of exception, or `sample`. n: reviews.
    Reviews,
    /// Active time of reviews by `exception` or `sample`. n: reviews whose time is known; sum: milliseconds.
    ReviewMs,
    /// Reviews of exceptions by histogram bucket of active milliseconds. n: reviews.
    ReviewBucket,
    /// Reviews with cleanup. n: reviews; sum: minutes.
    Cleanup,
    /// Reviews of escalations by `preventable`, `not` or `unsaid`. n: reviews.
    EscalationReviews,
    /// Reviews by cause. n: reviews.
    ReviewCause,
    /// Reviews by what would have prevented it. n: reviews.
    PreventedBy,
    /// Reviews by `exception` or `sample`, and by whether the agent was right. n: reviews.
    AgentWas,
}

impl Metric {
    /// The code that is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Outcome => "outcome",
            Self::Evidence => "evidence",
            Self::Verdicts => "verdicts",
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
            Self::ResultRuns => "result_runs",
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
            Self::Masked => "masked",
            Self::WithoutContent => "without_content",
            Self::Deleted => "deleted",
            Self::Reviews => "reviews",
            Self::ReviewMs => "review_ms",
            Self::ReviewBucket => "review_bucket",
            Self::Cleanup => "cleanup",
            Self::EscalationReviews => "escalation_reviews",
            Self::ReviewCause => "review_cause",
            Self::PreventedBy => "prevented_by",
            Self::AgentWas => "agent_was",
        }
    }

    /// Reads a code. `None` for a code of another version of the program.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.code() == code)
    }

    /// Every kind.
    pub const ALL: [Self; 39] = [
        Self::Runs,
        Self::Outcome,
        Self::Evidence,
        Self::Verdicts,
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
        Self::ResultRuns,
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
        Self::Masked,
        Self::WithoutContent,
        Self::Deleted,
        Self::Reviews,
        Self::ReviewMs,
        Self::ReviewBucket,
        Self::Cleanup,
        Self::EscalationReviews,
        Self::ReviewCause,
        Self::PreventedBy,
        Self::AgentWas,
    ];
}

/// The key of reviews that call an escalation preventable.
pub const PREVENTABLE: &str = "preventable";
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

/// Where a run counts in time: the hour in which it ended, in whole hours since the epoch.
#[must_use]
pub fn hour_of(run: &RunFacts) -> i32 {
    run.ended_at.hour()
}

/// One counter's place: workflow, slice, kind, hour, key and release.
pub type Place<'a> = (WorkflowId, &'a str, Metric, i32, &'a str, &'a str);

/// What runs add to the tallies, added up: each counter once, whatever the number of runs.
#[derive(Debug, Clone, Default)]
pub struct Tallies {
    words: Words,
    sums: HashMap<Counter, (i64, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Counter {
    workflow: WorkflowId,
    metric: Metric,
    hour: i32,
    slice: u32,
    key: u32,
    release: u32,
}

/// Words by number: a few hundred distinct ones stand in many thousands of counters.
#[derive(Debug, Clone, Default)]
struct Words {
    numbers: HashMap<Arc<str>, u32>,
    all: Vec<Arc<str>>,
}

impl Words {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let word: Arc<str> = word.into();
        self.all.push(Arc::clone(&word));
        self.numbers.insert(word, number);
        number
    }

    fn word(&self, number: u32) -> &str {
        self.all.get(number as usize).map_or("", |word| word)
    }
}

impl Tallies {
    /// Adds a finished run (`sign` 1), or takes one away that was added before (-1). An open run, a test run and
    /// one at an impossible time add nothing.
    ///
    /// `bucket_of` gives a value's histogram bucket.
    pub fn add(&mut self, workflow: WorkflowId, run: &RunFacts, sign: i64, bucket_of: fn(f64) -> i32) {
        if !run.finished || run.test || !is_countable(run.ended_at) {
            return;
        }
        let (hour, release) = (hour_of(run), self.words.number(&run.release));
        let mut to = Adding { tallies: self, workflow, hour, release, slice: 0, sign, bucket_of, text: String::new() };
        to.slice(&Slice::All);
        to.add_run(run);
        to.add_reading(run);
        for model in &run.models {
            to.add_calls(model, [Metric::ModelCalls, Metric::ModelErrors, Metric::ModelBucket]);
            to.add(Metric::ModelTokens, &model.name, i64::from(model.calls), as_sum(model.tokens));
            to.add(Metric::ModelCost, &model.name, i64::from(model.calls), model.cost_nanos.0);
        }
        for tool in &run.tools {
            to.add_calls(tool, [Metric::ToolCalls, Metric::ToolErrors, Metric::ToolBucket]);
        }
        for model in &run.models {
            to.slice(&Slice::Model(model.name.clone()));
            to.add_run(run);
        }
        for tool in &run.tools {
            to.slice(&Slice::Tool(tool.name.clone()));
            to.add_run(run);
        }
    }

    /// Adds a finished run whose data is deleted: everything that it counted stays, and that it is gone is counted.
    pub fn add_deleted(&mut self, workflow: WorkflowId, run: &RunFacts) {
        if !run.finished || run.test || !is_countable(run.ended_at) {
            return;
        }
        let (hour, release) = (hour_of(run), self.words.number(&run.release));
        let bucket_of = |_: f64| 0;
        let mut to =
            Adding { tallies: self, workflow, hour, release, slice: 0, sign: 1, bucket_of, text: String::new() };
        to.slice(&Slice::All);
        to.add(Metric::Deleted, "", 1, 0);
    }

    /// Adds a review (`sign` 1), or takes one away that is taken back (-1). It counts in the hour in which it was closed,
    /// for all runs together only.
    pub fn add_review(&mut self, review: &Review, sign: i64, bucket_of: fn(f64) -> i32) {
        if !is_countable(review.closed_at) {
            return;
        }
        let (hour, release) = (review.closed_at.hour(), self.words.number(&review.release));
        let workflow = review.workflow_id;
        let mut to = Adding { tallies: self, workflow, hour, release, slice: 0, sign, bucket_of, text: String::new() };
        to.slice(&Slice::All);
        let kind = review.kind.as_str();
        let judgement = &review.judgement;
        to.add(Metric::Reviews, review.exception_kind.map_or(kind, ExceptionKind::as_str), 1, 0);
        if let Some(ms) = review.active_ms {
            to.add(Metric::ReviewMs, kind, 1, ms);
            if review.kind == ItemKind::Exception {
                to.add_to(Metric::ReviewBucket, format_args!("{}", bucket_of(ms as f64)), 1, 0);
            }
        }
        if judgement.cleanup_minutes > 0 {
            to.add(Metric::Cleanup, "", 1, i64::from(judgement.cleanup_minutes));
        }
        if review.exception_kind == Some(ExceptionKind::Escalation) {
            let key = match judgement.preventable {
                Some(true) => PREVENTABLE,
                Some(false) => "not",
                None => "unsaid",
            };
            to.add(Metric::EscalationReviews, key, 1, 0);
        }
        if let Some(cause) = judgement.cause {
            to.add(Metric::ReviewCause, cause.as_str(), 1, 0);
        }
        if let Some(by) = judgement.prevented_by {
            to.add(Metric::PreventedBy, by.as_str(), 1, 0);
        }
        if let Some(agent) = judgement.agent {
            to.add_to(Metric::AgentWas, format_args!("{kind}{KEY_SEPARATOR}{}", agent.as_str()), 1, 0);
        }
    }

    /// Every counter that changes, in no order: its place, and what to add to n and to sum.
    pub fn iter(&self) -> impl Iterator<Item = (Place<'_>, i64, i64)> {
        self.sums.iter().filter(|(_, sums)| **sums != (0, 0)).map(|(c, (n, sum))| {
            let word = |number| self.words.word(number);
            ((c.workflow, word(c.slice), c.metric, c.hour, word(c.key), word(c.release)), *n, *sum)
        })
    }
}

/// Adds one run to one slice after another.
struct Adding<'a> {
    tallies: &'a mut Tallies,
    workflow: WorkflowId,
    hour: i32,
    release: u32,
    slice: u32,
    sign: i64,
    bucket_of: fn(f64) -> i32,
    /// Room for keys that are put together.
    text: String,
}

impl Adding<'_> {
    fn slice(&mut self, slice: &Slice) {
        self.slice = self.tallies.words.number(&slice.code());
    }

    fn add(&mut self, metric: Metric, key: &str, n: i64, sum: i64) {
        let counter = Counter {
            workflow: self.workflow,
            metric,
            hour: self.hour,
            slice: self.slice,
            key: self.tallies.words.number(key),
            release: self.release,
        };
        let sums = self.tallies.sums.entry(counter).or_default();
        sums.0 += self.sign * n;
        sums.1 = sums.1.saturating_add(self.sign.saturating_mul(sum));
    }

    /// Adds to a key that is put together.
    fn add_to(&mut self, metric: Metric, key: std::fmt::Arguments<'_>, n: i64, sum: i64) {
        use std::fmt::Write as _;
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let _ = text.write_fmt(key);
        self.add(metric, &text, n, sum);
        self.text = text;
    }

    /// What a run adds to each of its slices.
    fn add_run(&mut self, run: &RunFacts) {
        self.add(Metric::Runs, "", 1, i64::from(run.n_steps));
        self.add(Metric::Outcome, run.outcome().as_str(), 1, 0);
        if let Some(claimed) = run.claimed {
            let key = format_args!("{}{KEY_SEPARATOR}{}", claimed.as_str(), run.outcome().as_str());
            self.add_to(Metric::Verdicts, key, 1, 0);
        }
        if run.n_exceptions > 0 {
            self.add(Metric::Exceptions, "", 1, i64::from(run.n_exceptions));
        }
        self.add(Metric::CycleMs, "", 1, run.cycle_ms);
        self.add_to(Metric::CycleBucket, format_args!("{}", (self.bucket_of)(run.cycle_ms as f64)), 1, 0);
        if run.waiting_ms > 0 {
            self.add(Metric::WaitingMs, "", 1, run.waiting_ms);
        }
        match run.cost_nanos {
            Some(nanos) => self.add(Metric::Cost, "", 1, nanos.0),
            None => self.add(Metric::CostUnknown, "", 1, run.known_cost_nanos.0),
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
            self.add(Metric::Tokens, key, 1, as_sum(n));
        }
        self.add(Metric::Hours, if run.in_hours { "in" } else { "out" }, 1, 0);
        for (n, result) in run.results.iter().enumerate() {
            if !run.results[..n].iter().any(|earlier| earlier.name == result.name) {
                self.add(Metric::ResultRuns, &result.name, 1, 0);
            }
            let hours = if result.in_hours { "in" } else { "out" };
            let value = result.value_nanos.map_or(0, |v| v.0);
            self.add_to(Metric::Results, format_args!("{hours}{KEY_SEPARATOR}{}", result.name), 1, value);
            if result.value_nanos.is_some() {
                self.add(Metric::ValuedResults, &result.name, 1, 0);
            }
        }
    }

    /// How the run was read and what its figures rest on; for all runs together only.
    fn add_reading(&mut self, run: &RunFacts) {
        self.add(Metric::Evidence, run.evidence_kind().as_str(), 1, 0);
        self.add(Metric::CostSource, run.cost_source.as_str(), 1, 0);
        for dialect in &run.dialects {
            self.add(Metric::Dialect, dialect, 1, 0);
        }
        if run.n_attributes > 0 {
            self.add(Metric::Attributes, "", i64::from(run.n_attributes), i64::from(run.n_unmapped));
        }
        for key in run.counted_unmapped() {
            self.add(Metric::UnmappedKey, key, 1, 0);
        }
        if run.n_late_steps > 0 {
            self.add(Metric::Late, "", 1, i64::from(run.n_late_steps));
        }
        for (kind, n) in &run.masked {
            self.add(Metric::Masked, kind.as_str(), 1, i64::from(*n));
        }
        if run.without_content {
            self.add(Metric::WithoutContent, "", 1, 0);
        }
    }

    fn add_calls(&mut self, calls: &CallFacts, [count, errors, bucket]: [Metric; 3]) {
        let total_ms: i64 = calls.durations_ms.iter().map(|ms| i64::from(*ms)).sum();
        self.add(count, &calls.name, i64::from(calls.calls), total_ms);
        for (class, n) in &calls.errors {
            let key = format_args!("{}{KEY_SEPARATOR}{}", calls.name, class.as_str());
            self.add_to(errors, key, i64::from(*n), 0);
        }
        for ms in &calls.durations_ms {
            let key = format_args!("{}{KEY_SEPARATOR}{}", calls.name, (self.bucket_of)(f64::from(*ms)));
            self.add_to(bucket, key, 1, 0);
        }
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
