//! The metrics: each with one definition, beside the formula, in words that pages show.
//!
//! A rate with a denominator of zero is *no data*, never 0 % or 100 %. Formulas take sums of tallies,
//! so a figure for a month costs the hours in it and not its runs.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::money::Nanos;
use crate::outcome::Outcome;
use crate::queue::ItemKind;
use crate::sampling::Audited;
use crate::tallies::{KEY_SEPARATOR, Metric, PREVENTABLE, VERIFIED};
use crate::workflow::{ValueBasis, WorkflowSettings};

/// In what a figure is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things counted.
    Count,
    /// A share of one; shown in per cent.
    Share,
    /// Seconds.
    Seconds,
    /// Hours.
    Hours,
    /// Minutes for each run.
    MinutesPerRun,
    /// Units of the currency that stands beside it.
    Money,
    /// Money for each run.
    MoneyPerRun,
    /// A ratio of two amounts of money.
    Ratio,
    /// Runs in an hour.
    RunsPerHour,
    /// Runs in a working day.
    RunsPerDay,
    /// Tokens for each run.
    TokensPerRun,
}

/// Which direction of change is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Good {
    /// More is better.
    Up,
    /// Less is better.
    Down,
    /// Neither.
    Neither,
}

/// A metric's definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its stable name in the API and in addresses.
    pub id: &'static str,
    /// Its name as people read it.
    pub name: &'static str,
    /// What it is, in a sentence or two.
    pub definition: &'static str,
    /// In what it is measured.
    pub unit: Unit,
    /// Which direction is good.
    pub good: Good,
}

macro_rules! definitions {
    ($($id:literal, $name:literal, $unit:ident, $good:ident, $definition:literal;)*) => {
        /// Every metric, in the order in which they are shown.
        pub const DEFINITIONS: &[Definition] = &[$(Definition {
            id: $id, name: $name, definition: $definition, unit: Unit::$unit, good: Good::$good,
        }),*];
    };
}

definitions! {
    "runs", "Runs", Count, Neither, "Runs that finished in the period. A run counts in the hour in which it ended; test and shadow runs are left out.";
    "coverage", "Coverage", Share, Up, "Finished runs whose outcome is known, over all finished runs. An unverified run ended, and nothing says whether it did its job.";
    "completion_rate", "Completion rate", Share, Up, "Completed runs over finished runs with a verified outcome. The bounds beside it are what it would be if every unverified run had failed, and if every one had completed.";
    "claimed_completion_rate", "Claimed completion", Share, Up, "Runs claimed completed over finished runs of which an outcome is claimed: by the agent, a score, a rule or the run's status, before any person said otherwise.";
    "audited_completion_rate", "Audited completion", Share, Up, "The claimed completion rate times the share of claims that stand where people looked: of the runs claimed completed some are chosen by chance and reviewed, and each weighs one over the probability with which it was chosen (the ratio estimator of Hájek, 1971). The interval is Wilson's for so many samples of equal weight as say as much (Kish, 1965). A claim falls when the reviewer corrects the outcome, or calls the agent wrong without saying what came of the run; samples that nobody reviewed are taken to be like the others, and how many of them are reviewed stands under it. A sample counts in the hour in which its run ended.";
    "escalation_rate", "Escalation rate", Share, Down, "Runs handed to a person over finished runs with a verified outcome.";
    "abandonment_rate", "Abandonment rate", Share, Down, "Runs that the other side left, over finished runs with a verified outcome.";
    "failure_rate", "Failure rate", Share, Down, "Failed runs over finished runs with a verified outcome.";
    "exception_rate", "Exception rate", Share, Down, "Finished runs with at least one exception, over finished runs. An exception is an error, a failed validation, an escalation or a failed end.";
    "preventable_escalation_rate", "Preventable escalations", Share, Down, "Escalations whose review says that they were preventable, over escalations reviewed. A review counts in the hour in which it was closed; the escalations of the period that nobody reviewed stand beside it.";
    "results", "Results", Count, Up, "Events that the workflow's result rules count: what the business calls a lead, a booking, a ticket resolved.";
    "throughput", "Throughput", RunsPerHour, Up, "Completed runs over the hours in the period.";
    "throughput_day", "Throughput a working day", RunsPerDay, Up, "Completed runs over the client's working days in the period.";
    "cycle_time_mean", "Cycle time, mean", Seconds, Down, "From the start of a run to its end, waiting for approval included: the mean over finished runs.";
    "cycle_time_p50", "Cycle time, p50", Seconds, Down, "Half of the finished runs took no longer. From log-scaled histograms with a relative error of at most 1 %.";
    "cycle_time_p90", "Cycle time, p90", Seconds, Down, "Nine of ten finished runs took no longer. From log-scaled histograms with a relative error of at most 1 %.";
    "cycle_time_p95", "Cycle time, p95", Seconds, Down, "95 of 100 finished runs took no longer. From log-scaled histograms with a relative error of at most 1 %.";
    "cycle_time_p99", "Cycle time, p99", Seconds, Down, "99 of 100 finished runs took no longer. From log-scaled histograms with a relative error of at most 1 %.";
    "agent_time", "Agent time", Seconds, Down, "Cycle time without the time held for a person: the mean over finished runs.";
    "waiting_time", "Waiting time", Seconds, Down, "Time of a run that was held for a person: the mean over finished runs.";
    "run_cost", "Run cost", Money, Down, "What the runs cost: models, tools, telephony, as reported or from the price table. Runs whose cost is unknown add only the part that is known, and are counted beside it.";
    "cost_per_completed_run", "Cost per completed run", MoneyPerRun, Down, "Cost of all runs, failed ones included, over completed runs: the direct part. Review and cleanup minutes at the reviewer's rate are the human part, shown apart.";
    "human_cost_per_completed_run", "Human cost per completed run", MoneyPerRun, Down, "Review minutes and cleanup minutes at the reviewer's rate, over completed runs.";
    "input_tokens", "Input tokens per run", TokensPerRun, Neither, "Input tokens that came from no cache and went to none, over finished runs.";
    "cached_tokens", "Cached input tokens per run", TokensPerRun, Neither, "Input tokens read from a cache or written to one, over finished runs.";
    "output_tokens", "Output tokens per run", TokensPerRun, Neither, "Output tokens without reasoning, over finished runs.";
    "reasoning_tokens", "Reasoning tokens per run", TokensPerRun, Neither, "Output tokens spent on reasoning, over finished runs.";
    "net_time_saved", "Net time saved", Hours, Up, "Completed runs times the baseline minutes, less review minutes, cleanup minutes, and waiting minutes that occupied a person.";
    "value_delivered", "Value delivered", Money, Up, "Results times their agreed value, or completed runs times the value of one, or net time saved times the client's labour rate: one basis a workflow, named beside it.";
    "net_value", "Net value", Money, Up, "Value delivered less run cost, human cost and retainer price.";
    "return", "Return", Ratio, Up, "Value delivered over run cost, human cost and retainer price.";
    "value_at_risk", "Value at risk", Money, Down, "What 30 days of degradation would lose: missed revenue, slower processing, higher labour, customer-facing mistakes, internal rework and manager time.";
    "tool_error_rate", "Tool error rate", Share, Down, "Failed tool calls over tool calls.";
    "model_error_rate", "Model error rate", Share, Down, "Failed model calls over model calls.";
    "review_time", "Review time per exception", Seconds, Down, "Active review seconds over reviewed exceptions whose time was measured or said. A review counts in the hour in which it was closed.";
    "review_time_p50", "Review time, p50", Seconds, Down, "Half of the reviews of exceptions took no longer. From log-scaled histograms with a relative error of at most 1 %.";
    "review_time_p90", "Review time, p90", Seconds, Down, "Nine of ten reviews of exceptions took no longer. From log-scaled histograms with a relative error of at most 1 %.";
    "cleanup_burden", "Cleanup burden", MinutesPerRun, Down, "Cleanup minutes over completed runs. Minutes count in the hour in which their review was closed.";
    "queue_age", "Queue age", Hours, Down, "Age of the oldest open exception, now.";
    "approval_wait", "Approval wait", Seconds, Down, "Time from hold to answer, the median.";
    "margin", "Margin", Money, Up, "Retainer revenue less each person's minutes at their cost rate and less run cost passed through.";
    "unpriced_runs", "Runs without cost", Share, Down, "Finished runs whose cost is unknown, over finished runs.";
    "unmapped_share", "Unmapped attributes", Share, Down, "Attributes of spans that no reading rule used, over all attributes.";
    "masked", "Masked", Count, Neither, "Addresses, telephone, card and account numbers, secrets and configured words that were masked before anything was stored, in finished runs.";
    "runs_without_content", "Runs without content", Share, Neither, "Finished runs of which only structure was kept, by the privacy settings, over finished runs.";
    "deleted_runs", "Deleted runs", Count, Neither, "Finished runs whose data was deleted at a person's request. They still count in every figure, and the list behind a figure has so many fewer.";
    "late_runs", "Late runs", Share, Down, "Finished runs that received steps after they were final, over finished runs.";
}

/// Finds a metric's definition. `None` for an unknown id.
#[must_use]
pub fn definition(id: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|d| d.id == id)
}

/// Sums of tallies over some period and some workflows.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    of: HashMap<Metric, HashMap<String, (i64, i64)>>,
}

impl Sums {
    /// Adds a sum of tallies.
    pub fn add(&mut self, metric: Metric, key: &str, n: i64, sum: i64) {
        let keys = self.of.entry(metric).or_default();
        match keys.get_mut(key) {
            Some(known) => {
                known.0 += n;
                known.1 += sum;
            }
            None => {
                keys.insert(key.to_owned(), (n, sum));
            }
        }
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: &Self) {
        for (metric, keys) in &other.of {
            for (key, (n, sum)) in keys {
                self.add(*metric, key, *n, *sum);
            }
        }
    }

    /// n and sum over all keys of a kind.
    #[must_use]
    pub fn total(&self, metric: Metric) -> (i64, i64) {
        self.of.get(&metric).map_or((0, 0), |keys| keys.values().fold((0, 0), |t, (n, s)| (t.0 + n, t.1 + s)))
    }

    /// n and sum of one key.
    #[must_use]
    pub fn of_key(&self, metric: Metric, key: &str) -> (i64, i64) {
        self.of.get(&metric).and_then(|keys| keys.get(key)).copied().unwrap_or_default()
    }

    /// Keys of a kind with n and sum, those with nothing left out, sorted by key.
    #[must_use]
    pub fn keys(&self, metric: Metric) -> Vec<(&str, i64, i64)> {
        let mut keys: Vec<_> = self
            .of
            .get(&metric)
            .into_iter()
            .flatten()
            .filter(|(_, (n, sum))| *n != 0 || *sum != 0)
            .map(|(key, (n, sum))| (key.as_str(), *n, *sum))
            .collect();
        keys.sort_unstable();
        keys
    }

    /// Keys of two parts of a kind: first part, second part, n and sum.
    #[must_use]
    pub fn pairs(&self, metric: Metric) -> Vec<(&str, &str, i64, i64)> {
        let split = |key| str::split_once(key, KEY_SEPARATOR);
        self.keys(metric).into_iter().filter_map(|(key, n, sum)| split(key).map(|(a, b)| (a, b, n, sum))).collect()
    }

    /// Finished runs.
    #[must_use]
    pub fn runs(&self) -> i64 {
        self.total(Metric::Runs).0
    }

    /// Finished runs of one outcome.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> i64 {
        self.of_key(Metric::Outcome, outcome.as_str()).0
    }

    /// Finished runs with a verified outcome.
    #[must_use]
    pub fn verified(&self) -> i64 {
        VERIFIED.iter().map(|outcome| self.outcome(*outcome)).sum()
    }

    /// Finished runs of which an outcome was claimed, before any person said otherwise.
    #[must_use]
    pub fn claimed(&self, outcome: Outcome) -> i64 {
        let word = outcome.as_str();
        let changed = self
            .pairs(Metric::Verdicts)
            .into_iter()
            .map(|(claimed, said, n, _)| i64::from(claimed == word) * n - i64::from(said == word) * n);
        self.outcome(outcome) + changed.sum::<i64>()
    }

    /// Finished runs of which a verified outcome was claimed, before any person said otherwise.
    #[must_use]
    pub fn claimed_verified(&self) -> i64 {
        VERIFIED.iter().map(|outcome| self.claimed(*outcome)).sum()
    }

    /// The known part of the cost of all runs, in nano-US-dollars.
    #[must_use]
    pub fn known_cost(&self) -> Nanos {
        Nanos(self.total(Metric::Cost).1.saturating_add(self.total(Metric::CostUnknown).1))
    }
}

/// What people did in the period, as reviews record it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HumanWork {
    /// Reviewed exceptions.
    pub reviewed: i64,
    /// Of those, the ones whose time is known.
    pub timed: i64,
    /// Active seconds of their reviews.
    pub exception_seconds: f64,
    /// Active seconds of all reviews, those of samples included.
    pub review_seconds: f64,
    /// Cleanup minutes.
    pub cleanup_minutes: f64,
    /// Escalations reviewed.
    pub escalations_reviewed: i64,
    /// Of those, preventable.
    pub preventable: i64,
    /// What the minutes cost at the reviewer's rate, in units of the currency; `None` when no rate is set.
    pub cost: Option<f64>,
}

impl HumanWork {
    /// What sums of tallies say of reviews, at a rate an hour in units of the currency. `None` when there are none.
    #[must_use]
    pub fn of(sums: &Sums, rate: Option<f64>) -> Option<Self> {
        let (reviews, _) = sums.total(Metric::Reviews);
        if reviews <= 0 {
            return None;
        }
        let (samples, _) = sums.of_key(Metric::Reviews, ItemKind::Sample.as_str());
        let (timed, exception_ms) = sums.of_key(Metric::ReviewMs, ItemKind::Exception.as_str());
        let review_seconds = sums.total(Metric::ReviewMs).1 as f64 / 1_000.0;
        let cleanup_minutes = sums.total(Metric::Cleanup).1 as f64;
        Some(Self {
            reviewed: reviews - samples,
            timed,
            exception_seconds: exception_ms as f64 / 1_000.0,
            review_seconds,
            cleanup_minutes,
            escalations_reviewed: sums.total(Metric::EscalationReviews).0,
            preventable: sums.of_key(Metric::EscalationReviews, PREVENTABLE).0,
            cost: rate.map(|rate| rate * (review_seconds / 3_600.0 + cleanup_minutes / 60.0)),
        })
    }
}

/// What the formulas need besides sums.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    /// Hours in the period.
    pub hours: f64,
    /// The client's working days in the period.
    pub working_days: f64,
    /// Quantiles of cycle time in milliseconds: p50, p90, p95, p99.
    pub cycle_ms: [Option<f64>; 4],
    /// Units of the currency for one US dollar.
    pub units_per_usd: f64,
    /// Quantiles of review time of exceptions in milliseconds: p50, p90.
    pub review_ms: [Option<f64>; 2],
    /// What people did; `None` while no reviews are recorded.
    pub human: Option<HumanWork>,
    /// What reviewed samples say.
    pub audited: Audited,
    /// How long the oldest open exception waits, in hours; `None` when none does, or for a period that is over.
    pub queue_age_hours: Option<f64>,
    /// Hours saved net, summed over workflows with a baseline; `None` when no workflow has one.
    pub net_hours_saved: Option<f64>,
    /// The value delivered, in units of the currency, summed over workflows with a basis; `None` when none has one.
    pub value_delivered: Option<f64>,
    /// The retainer's price for the period, in units of the currency; `None` when nothing is agreed.
    pub retainer: Option<f64>,
}

/// A figure: a metric's value for a period with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The metric's id.
    pub id: String,
    /// The value in the metric's unit; `None` is no data.
    pub value: Option<f64>,
    /// What was counted or summed, in the metric's unit; for rates a count.
    pub numerator: Option<f64>,
    /// What it was divided by; for means the count.
    pub denominator: Option<f64>,
    /// Whether numerator and denominator are counts of the same things, so that an interval can be had.
    pub is_rate: bool,
    /// The low end of the 95 % interval, or of the bounds.
    pub low: Option<f64>,
    /// The high end.
    pub high: Option<f64>,
    /// For the completion rate: what it would be had every unverified run failed, and completed.
    pub bounds: Option<(f64, f64)>,
    /// Why there is no data, or what the value leaves out; empty when there is nothing to say.
    pub note: String,
}

impl Figure {
    fn rate(id: &str, part: i64, whole: i64, why_not: &str) -> Self {
        let value = (whole > 0).then(|| part as f64 / whole as f64);
        Self {
            is_rate: true,
            numerator: Some(part as f64),
            denominator: Some(whole as f64),
            ..Self::of(id, value, why_not)
        }
    }

    fn mean(id: &str, sum: f64, count: i64, why_not: &str) -> Self {
        let value = (count > 0).then(|| sum / count as f64);
        Self { numerator: Some(sum), denominator: Some(count as f64), ..Self::of(id, value, why_not) }
    }

    fn of(id: &str, value: Option<f64>, why_not: &str) -> Self {
        Self {
            id: id.to_owned(),
            value,
            numerator: None,
            denominator: None,
            is_rate: false,
            low: None,
            high: None,
            bounds: None,
            note: if value.is_none() { why_not.to_owned() } else { String::new() },
        }
    }

    fn noted(mut self, note: String) -> Self {
        if !note.is_empty() {
            self.note = if self.note.is_empty() { note } else { format!("{}; {note}", self.note) };
        }
        self
    }
}

const NO_RUNS: &str = "no run finished in this period";
const NO_VERIFIED: &str = "no finished run has a verified outcome: add outcome rules, or report outcomes";
const NO_COMPLETED: &str = "no run completed in this period";
const NO_REVIEWS: &str = "no reviews are recorded";
const NO_RATE: &str = "no reviewer's rate is set: set what a reviewer's hour costs in the agency's settings";
const NO_BASIS: &str = "no value is agreed: set it in the workflow's settings";

/// Computes every metric from sums of tallies. Intervals of rates are the caller's to add.
#[must_use]
pub fn compute(sums: &Sums, inputs: &Inputs) -> Vec<Figure> {
    let runs = sums.runs();
    let verified = sums.verified();
    let completed = sums.outcome(Outcome::Completed);
    let unverified = sums.outcome(Outcome::Unverified);
    let of_outcome = |id: &str, outcome| Figure::rate(id, sums.outcome(outcome), verified, NO_VERIFIED);
    let money = |nanos: Nanos| nanos.units() * inputs.units_per_usd;
    let (priced, _) = sums.total(Metric::Cost);
    let (unpriced, _) = sums.total(Metric::CostUnknown);
    let run_cost = (priced > 0).then(|| money(sums.known_cost()));
    let unpriced_note =
        if unpriced > 0 { format!("{unpriced} of {runs} runs have no known cost") } else { String::new() };
    let why_no_cost = if runs == 0 { NO_RUNS } else { "no run of this period has a known cost" };
    let cycle_ms = sums.total(Metric::CycleMs).1 as f64;
    let waiting_ms = sums.total(Metric::WaitingMs).1 as f64;
    let quantile = |id: &str, i: usize| Figure {
        denominator: Some(runs as f64),
        ..Figure::of(id, inputs.cycle_ms[i].map(|ms| ms / 1_000.0), NO_RUNS)
    };
    let tokens = |id: &str, keys: &[&str]| {
        let sum: i64 = keys.iter().map(|key| sums.of_key(Metric::Tokens, key).1).sum();
        Figure::mean(id, sum as f64, runs, NO_RUNS)
    };
    let human = inputs.human;
    let human_cost = human.and_then(|h| h.cost);
    let spent = run_cost.map(|cost| cost + human_cost.unwrap_or(0.0) + inputs.retainer.unwrap_or(0.0));
    let net_value = inputs.value_delivered.zip(spent).map(|(value, spent)| value - spent);
    let ratio = inputs.value_delivered.zip(spent.filter(|s| *s > 0.0)).map(|(value, spent)| value / spent);
    let why_no_net = if inputs.value_delivered.is_none() { NO_BASIS } else { why_no_cost };
    let per_completed = |id: &str, cost: Option<f64>, why_not: &str| {
        let value = cost.filter(|_| completed > 0).map(|cost| cost / completed as f64);
        let why_not = if completed == 0 { NO_COMPLETED } else { why_not };
        Figure { numerator: cost, denominator: Some(completed as f64), ..Figure::of(id, value, why_not) }
    };
    let errors =
        |id: &str, errors, calls, why_not: &str| Figure::rate(id, sums.total(errors).0, sums.total(calls).0, why_not);
    let review_quantile = |id: &str, i: usize| Figure {
        denominator: human.map(|h| h.timed as f64),
        ..Figure::of(id, inputs.review_ms[i].map(|ms| ms / 1_000.0), NO_REVIEWS)
    };
    let mut completion = of_outcome("completion_rate", Outcome::Completed);
    if runs > 0 {
        completion.bounds = Some((completed as f64 / runs as f64, (completed + unverified) as f64 / runs as f64));
    }
    vec![
        Figure { denominator: None, ..Figure::of("runs", Some(runs as f64), "") },
        Figure::rate("coverage", verified, runs, NO_RUNS),
        completion,
        Figure::rate(
            "claimed_completion_rate",
            sums.claimed(Outcome::Completed),
            sums.claimed_verified(),
            "no finished run has a claimed outcome: add outcome rules, or report outcomes",
        ),
        audited_completion(&inputs.audited),
        of_outcome("escalation_rate", Outcome::Escalated),
        of_outcome("abandonment_rate", Outcome::Abandoned),
        of_outcome("failure_rate", Outcome::Failed),
        Figure::rate("exception_rate", sums.total(Metric::Exceptions).0, runs, NO_RUNS),
        preventable_escalations(human, sums.outcome(Outcome::Escalated)),
        Figure::of("results", Some(sums.total(Metric::Results).0 as f64), ""),
        Figure {
            numerator: Some(completed as f64),
            denominator: Some(inputs.hours),
            ..Figure::of("throughput", (inputs.hours > 0.0).then(|| completed as f64 / inputs.hours), NO_RUNS)
        },
        Figure {
            numerator: Some(completed as f64),
            denominator: Some(inputs.working_days),
            ..Figure::of(
                "throughput_day",
                (inputs.working_days > 0.0).then(|| completed as f64 / inputs.working_days),
                "the period has no working day",
            )
        },
        Figure::mean("cycle_time_mean", cycle_ms / 1_000.0, runs, NO_RUNS),
        quantile("cycle_time_p50", 0),
        quantile("cycle_time_p90", 1),
        quantile("cycle_time_p95", 2),
        quantile("cycle_time_p99", 3),
        Figure::mean("agent_time", (cycle_ms - waiting_ms) / 1_000.0, runs, NO_RUNS),
        Figure::mean("waiting_time", waiting_ms / 1_000.0, runs, NO_RUNS),
        Figure { denominator: Some(priced as f64), ..Figure::of("run_cost", run_cost, why_no_cost) }
            .noted(unpriced_note.clone()),
        per_completed("cost_per_completed_run", run_cost, why_no_cost).noted(unpriced_note),
        per_completed("human_cost_per_completed_run", human_cost, if human.is_some() { NO_RATE } else { NO_REVIEWS }),
        tokens("input_tokens", &["input"]),
        tokens("cached_tokens", &["cache_read", "cache_write"]),
        tokens("output_tokens", &["output"]),
        tokens("reasoning_tokens", &["reasoning"]),
        Figure::of(
            "net_time_saved",
            inputs.net_hours_saved,
            "no baseline minutes are agreed: set them in the workflow's settings",
        ),
        Figure::of("value_delivered", inputs.value_delivered, NO_BASIS),
        Figure::of("net_value", net_value, why_no_net),
        Figure::of("return", ratio, why_no_net),
        Figure::of("value_at_risk", None, "its inputs are not set"),
        errors("tool_error_rate", Metric::ToolErrors, Metric::ToolCalls, "no tool was called"),
        errors("model_error_rate", Metric::ModelErrors, Metric::ModelCalls, "no model was called"),
        review_time(human),
        review_quantile("review_time_p50", 0),
        review_quantile("review_time_p90", 1),
        human.map_or_else(
            || Figure::of("cleanup_burden", None, NO_REVIEWS),
            |h| Figure::mean("cleanup_burden", h.cleanup_minutes, completed, NO_COMPLETED),
        ),
        Figure::of("queue_age", inputs.queue_age_hours, "no exception waits in the queue"),
        Figure::of("approval_wait", None, "no decision was held"),
        Figure::of("margin", None, "no time is recorded"),
        Figure::rate("unpriced_runs", unpriced, runs, NO_RUNS),
        {
            let (attributes, unmapped) = sums.total(Metric::Attributes);
            Figure::rate("unmapped_share", unmapped, attributes, "no span with attributes came in")
        },
        Figure::of("masked", (runs > 0).then_some(sums.total(Metric::Masked).1 as f64), NO_RUNS),
        Figure::rate("runs_without_content", sums.total(Metric::WithoutContent).0, runs, NO_RUNS),
        Figure::of("deleted_runs", (runs > 0).then_some(sums.total(Metric::Deleted).0 as f64), NO_RUNS),
        Figure::rate("late_runs", sums.total(Metric::Late).0, runs, NO_RUNS),
    ]
}

/// The claimed rate times the share of claims that stand. The interval is the caller's to add.
fn audited_completion(audited: &Audited) -> Figure {
    let value = audited.claimed_rate().zip(audited.share).map(|(claimed, share)| claimed * share);
    let n = |n: u64| n as f64;
    let figure = Figure {
        numerator: value.map(|_| n(audited.reviewed)),
        denominator: Some(n(audited.sampled)),
        ..Figure::of(
            "audited_completion_rate",
            value,
            match audited.sampled {
                0 => "not audited: no completed run was sampled; say in the workflow's settings what goes to review",
                _ => "not audited: no sample is reviewed yet",
            },
        )
    };
    let note = match (value, audited.sampled - audited.reviewed) {
        (None, _) | (Some(_), 0) => String::new(),
        (Some(_), left) => {
            format!("{left} of {} samples are not reviewed, and taken to be like the others", audited.sampled)
        }
    };
    let claimed = audited.claimed_rate().filter(|_| value.is_some());
    let claimed = claimed.map(|claimed| format!("{:.1} % claimed", 100.0 * claimed)).unwrap_or_default();
    let others = match (value, audited.n_claiming - audited.n_audited) {
        (None, _) | (Some(_), 0) => String::new(),
        (Some(_), _) => format!("of {} of {} workflows", audited.n_audited, audited.n_claiming),
    };
    figure.noted(claimed).noted(note).noted(others)
}

/// Escalations that were preventable among those reviewed, with those beside it that were not.
fn preventable_escalations(human: Option<HumanWork>, escalated: i64) -> Figure {
    let (preventable, reviewed) = human.map_or((0, 0), |h| (h.preventable, h.escalations_reviewed));
    let unreviewed = escalated - reviewed;
    let note = if unreviewed > 0 {
        format!("{unreviewed} of {escalated} escalations are not reviewed")
    } else {
        String::new()
    };
    let why_not = if human.is_some() { "no escalation was reviewed in this period" } else { NO_REVIEWS };
    Figure::rate("preventable_escalation_rate", preventable, reviewed, why_not).noted(note)
}

/// Active seconds for each reviewed exception whose time is known.
fn review_time(human: Option<HumanWork>) -> Figure {
    let Some(h) = human else { return Figure::of("review_time", None, NO_REVIEWS) };
    let untimed = h.reviewed - h.timed;
    let note =
        if untimed > 0 { format!("{untimed} of {} reviews have no measured time", h.reviewed) } else { String::new() };
    Figure::mean("review_time", h.exception_seconds, h.timed, "no review's time was measured").noted(note)
}

/// Hours saved by one workflow, net of what people spent on it. `None` when no baseline is agreed.
#[must_use]
pub fn net_hours_saved(sums: &Sums, settings: &WorkflowSettings, human: Option<&HumanWork>) -> Option<f64> {
    let saved_minutes = sums.outcome(Outcome::Completed) as f64 * settings.baseline_minutes?;
    let spent_minutes = human.map_or(0.0, |h| h.review_seconds / 60.0 + h.cleanup_minutes);
    Some((saved_minutes - spent_minutes) / 60.0)
}

/// The value that one workflow delivered, in units of the client's currency. `None` when no basis is agreed.
#[must_use]
pub fn value_delivered(sums: &Sums, settings: &WorkflowSettings, human: Option<&HumanWork>) -> Option<f64> {
    match &settings.value {
        ValueBasis::None => None,
        ValueBasis::Results => Some(Nanos(sums.total(Metric::Results).1).units()),
        ValueBasis::PerCompletedRun { nanos } => Some(nanos.units() * sums.outcome(Outcome::Completed) as f64),
        ValueBasis::TimeSaved { nanos_per_hour } => {
            net_hours_saved(sums, settings, human).map(|hours| hours * nanos_per_hour.units())
        }
    }
}

/// The basis of a value in words, for beside the figure.
#[must_use]
pub fn basis_in_words(value: &ValueBasis) -> &'static str {
    match value {
        ValueBasis::None => "no value agreed",
        ValueBasis::Results => "results × their agreed value",
        ValueBasis::PerCompletedRun { .. } => "completed runs × value of one",
        ValueBasis::TimeSaved { .. } => "net time saved × labour rate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure<'a>(figures: &'a [Figure], id: &str) -> &'a Figure {
        figures.iter().find(|f| f.id == id).expect("every metric is computed")
    }

    #[test]
    fn every_definition_is_computed_and_every_figure_defined() {
        let figures = compute(&Sums::default(), &Inputs::default());
        let ids: Vec<_> = figures.iter().map(|f| f.id.as_str()).collect();
        let defined: Vec<_> = DEFINITIONS.iter().map(|d| d.id).collect();
        assert_eq!(ids.len(), defined.len());
        assert!(defined.iter().all(|id| ids.contains(id)), "{defined:?} {ids:?}");
    }

    #[test]
    fn nothing_is_no_data_with_a_reason() {
        for figure in compute(&Sums::default(), &Inputs::default()) {
            let counted = matches!(figure.id.as_str(), "runs" | "results");
            assert!(counted || figure.value.is_none() && !figure.note.is_empty(), "{figure:?}");
        }
    }

    #[test]
    fn the_completion_rate_leaves_unverified_runs_out_and_shows_the_bounds() {
        let mut sums = Sums::default();
        sums.add(Metric::Runs, "", 10, 0);
        sums.add(Metric::Outcome, "completed", 6, 0);
        sums.add(Metric::Outcome, "failed", 2, 0);
        sums.add(Metric::Outcome, "unverified", 2, 0);
        let figures = compute(&sums, &Inputs { hours: 24.0, ..Inputs::default() });
        let completion = figure(&figures, "completion_rate");
        assert_eq!((completion.value, completion.bounds), (Some(0.75), Some((0.6, 0.8))));
        assert_eq!(figure(&figures, "coverage").value, Some(0.8));
    }

    #[test]
    fn the_cost_of_failed_runs_is_paid_by_completed_ones() {
        let mut sums = Sums::default();
        sums.add(Metric::Runs, "", 4, 0);
        sums.add(Metric::Outcome, "completed", 2, 0);
        sums.add(Metric::Outcome, "failed", 2, 0);
        sums.add(Metric::Cost, "", 3, 3_000_000_000);
        sums.add(Metric::CostUnknown, "", 1, 0);
        let inputs = Inputs { units_per_usd: 2.0, ..Inputs::default() };
        let figures = compute(&sums, &inputs);
        let cost = figure(&figures, "cost_per_completed_run");
        assert_eq!((cost.value, cost.note.as_str()), (Some(3.0), "1 of 4 runs have no known cost"));
    }

    #[test]
    fn reviews_give_every_figure_that_waits_for_them() {
        let mut sums = Sums::default();
        sums.add(Metric::Runs, "", 10, 0);
        sums.add(Metric::Outcome, "completed", 6, 0);
        sums.add(Metric::Outcome, "escalated", 4, 0);
        sums.add(Metric::Reviews, "escalation", 3, 0);
        sums.add(Metric::Reviews, "error", 1, 0);
        sums.add(Metric::Reviews, "sample", 2, 0);
        sums.add(Metric::ReviewMs, "exception", 3, 360_000);
        sums.add(Metric::ReviewMs, "sample", 2, 240_000);
        sums.add(Metric::Cleanup, "", 1, 20);
        sums.add(Metric::EscalationReviews, PREVENTABLE, 1, 0);
        sums.add(Metric::EscalationReviews, "unsaid", 2, 0);
        let human = HumanWork::of(&sums, Some(60.0));
        let inputs = Inputs { human, queue_age_hours: Some(5.0), ..Inputs::default() };
        let figures = compute(&sums, &inputs);
        let time = figure(&figures, "review_time");
        assert_eq!((time.value, time.denominator), (Some(120.0), Some(3.0)));
        assert_eq!(time.note, "1 of 4 reviews have no measured time");
        let preventable = figure(&figures, "preventable_escalation_rate");
        assert_eq!((preventable.numerator, preventable.denominator), (Some(1.0), Some(3.0)));
        assert_eq!(preventable.note, "1 of 4 escalations are not reviewed");
        assert_eq!(figure(&figures, "cleanup_burden").value, Some(20.0 / 6.0));
        // Ten minutes of reviews, those of samples included, and twenty of cleanup, at one a minute.
        assert_eq!(figure(&figures, "human_cost_per_completed_run").value, Some(5.0));
        assert_eq!(figure(&figures, "queue_age").value, Some(5.0));
        let without_rate = Inputs { human: HumanWork::of(&sums, None), ..Inputs::default() };
        let figures = compute(&sums, &without_rate);
        let cost = figure(&figures, "human_cost_per_completed_run");
        assert_eq!((cost.value, cost.note.as_str()), (None, NO_RATE));
        let settings = WorkflowSettings { baseline_minutes: Some(10.0), ..WorkflowSettings::default() };
        assert_eq!(net_hours_saved(&sums, &settings, human.as_ref()), Some(0.5));
    }

    #[test]
    fn value_less_cost_is_the_net_and_their_ratio_the_return() {
        let mut sums = Sums::default();
        sums.add(Metric::Runs, "", 1, 0);
        sums.add(Metric::Outcome, "completed", 1, 0);
        sums.add(Metric::Cost, "", 1, 2_000_000_000);
        let inputs =
            Inputs { units_per_usd: 1.0, value_delivered: Some(10.0), retainer: Some(3.0), ..Inputs::default() };
        let figures = compute(&sums, &inputs);
        assert_eq!(figure(&figures, "net_value").value, Some(5.0));
        assert_eq!(figure(&figures, "return").value, Some(2.0));
    }
}
