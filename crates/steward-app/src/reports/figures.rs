//! Figures of a report: a metric as a reader sees it, with what it is out of, the month before, and its receipt.

use steward_core::ids::WorkflowId;
use steward_core::metrics::{self, Figure, Good, Sums, Unit};
use steward_core::money::Currency;
use steward_core::outcome::Outcome;
use steward_core::report::{Change, ReportFigure, ReportResult};
use steward_core::tallies::Metric;
use steward_core::workflow::ValueBasis;

use super::material::{MAX_RESULTS, Material, WorkflowMaterial};
use super::receipts::{Book, ReceiptRuns};
use super::words;
use crate::figures::{ResultCount, results_of};

/// What the client pays in all: no metric of its own, since the retainer is the client's and not the runs'.
pub(super) const TOTAL_COST: &str = "total_cost";

/// Fewer things than this change by chance alone, however much they change.
const ENOUGH: i64 = 20;
/// An amount that moved by less is as it was.
const MOVED: f64 = 0.15;

/// The name and definition of a figure, in words for a reader who knows no telemetry.
pub(super) fn named(id: &str) -> (&'static str, &'static str) {
    match id {
        "runs" => (
            "Runs",
            "Cases that the agents handled from start to end: a call, a conversation, a lead. A run counts in the hour in which it ended; tests are left out.",
        ),
        "cycle_time_p50" => {
            ("Half done within", "From the start of a run to its end: half of the runs took no longer. Exact to 1 %.")
        }
        "cycle_time_p90" => (
            "Nine of ten done within",
            "From the start of a run to its end: nine of ten runs took no longer. Exact to 1 %.",
        ),
        TOTAL_COST => {
            ("Total cost", "What the runs cost, models, tools and telephony together, and the price of the retainer.")
        }
        _ => metrics::definition(id).map_or(("", ""), |definition| (definition.name, definition.definition)),
    }
}

fn unit_and_good(id: &str) -> (Unit, Good) {
    match id {
        // More runs cost more: what a completed one costs says whether that is good.
        TOTAL_COST | "run_cost" => (Unit::Money, Good::Neither),
        _ => metrics::definition(id)
            .map_or((Unit::Count, Good::Neither), |definition| (definition.unit, definition.good)),
    }
}

/// A value in its unit.
fn in_unit(value: f64, unit: Unit, currency: Currency) -> String {
    match unit {
        Unit::Count => words::count(value.round() as i64),
        Unit::Share => words::share(value),
        Unit::Seconds => words::duration(value),
        Unit::Hours => words::hours(value),
        Unit::Money | Unit::MoneyPerRun => words::money(value, currency),
        Unit::Ratio => words::ratio(value),
        Unit::MinutesPerRun => format!("{value:.1} min"),
        Unit::RunsPerHour | Unit::RunsPerDay | Unit::TokensPerRun => format!("{value:.1}"),
    }
}

/// Which way a metric moved, where that is more than chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    Up,
    Down,
}

/// Whether a figure moved beyond chance: rates by intervals that do not touch, amounts by 15 % on enough runs.
pub(super) fn moved(now: Option<&Figure>, before: Option<&Figure>, n: (i64, i64)) -> Option<Move> {
    let (now, before) = (now?, before?);
    let (is, was) = (now.value?, before.value?);
    if now.is_rate || now.id == "audited_completion_rate" {
        return match ((now.low?, now.high?), (before.low?, before.high?)) {
            ((low, _), (_, high)) if low > high => Some(Move::Up),
            ((_, high), (low, _)) if high < low => Some(Move::Down),
            _ => None,
        };
    }
    moved_by(is, was, n)
}

/// Whether an amount that rests on `n` things moved by 15 %.
pub(super) fn moved_by(is: f64, was: f64, n: (i64, i64)) -> Option<Move> {
    if n.0.max(n.1) < ENOUGH || was <= 0.0 || ((is - was) / was).abs() < MOVED {
        return None;
    }
    Some(if is > was { Move::Up } else { Move::Down })
}

fn judged(direction: Option<Move>, good: Good) -> Change {
    match (direction, good) {
        (Some(Move::Up), Good::Up) | (Some(Move::Down), Good::Down) => Change::Better,
        (Some(Move::Up), Good::Down) | (Some(Move::Down), Good::Up) => Change::Worse,
        _ => Change::Neither,
    }
}

/// The figures of one scope, the client's or a workflow's, in two months.
pub(super) struct View<'a> {
    pub(super) material: &'a Material,
    pub(super) now: &'a [Figure],
    pub(super) before: &'a [Figure],
    pub(super) sums: &'a Sums,
    pub(super) sums_before: &'a Sums,
    pub(super) workflows: Vec<WorkflowId>,
    /// On what its value is reckoned, in words.
    pub(super) value_basis: String,
    /// What the client pays a month, where it is part of the scope.
    pub(super) retainer: Option<f64>,
}

impl<'a> View<'a> {
    /// All workflows of the client.
    pub(super) fn of_client(material: &'a Material) -> Self {
        let mut bases: Vec<String> = Vec::new();
        for workflow in &material.workflows {
            let value = &workflow.workflow.settings.value;
            let basis = metrics::basis_in_words(value).to_owned();
            if *value != ValueBasis::None && !bases.contains(&basis) {
                bases.push(basis);
            }
        }
        Self {
            material,
            now: &material.figures.now,
            before: &material.figures.before,
            sums: &material.figures.sums,
            sums_before: &material.figures.sums_before,
            workflows: material.all_workflows.clone(),
            value_basis: words::list(&bases),
            retainer: material.client.settings.retainer_nanos.map(steward_core::money::Nanos::units),
        }
    }

    /// One workflow.
    pub(super) fn of_workflow(material: &'a Material, workflow: &'a WorkflowMaterial) -> Self {
        Self {
            material,
            now: &workflow.figures,
            before: &workflow.figures_before,
            sums: &workflow.sums,
            sums_before: &workflow.sums_before,
            workflows: vec![workflow.workflow.id],
            value_basis: metrics::basis_in_words(&workflow.workflow.settings.value).to_owned(),
            retainer: None,
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&'a Figure> {
        self.now.iter().find(|figure| figure.id == id)
    }

    pub(super) fn get_before(&self, id: &str) -> Option<&'a Figure> {
        self.before.iter().find(|figure| figure.id == id)
    }

    pub(super) fn value(&self, id: &str) -> Option<f64> {
        self.get(id)?.value
    }

    fn currency(&self) -> Currency {
        self.material.currency()
    }

    /// What the client pays in all, and what it paid the month before; `None` while no cost is known and none agreed.
    pub(super) fn total_cost(&self) -> (Option<f64>, Option<f64>) {
        let total = |run_cost: Option<f64>, runs: i64| match (run_cost, self.retainer) {
            (Some(cost), retainer) => Some(cost + retainer.unwrap_or(0.0)),
            (None, Some(retainer)) if runs <= 0 => Some(retainer),
            _ => None,
        };
        let before = self.get_before("run_cost").and_then(|figure| figure.value);
        (total(self.value("run_cost"), self.sums.runs()), total(before, self.sums_before.runs()))
    }

    /// Whether a metric moved beyond chance. A month that is not over moves only in rates and durations.
    pub(super) fn moved(&self, id: &str) -> Option<Move> {
        let figure = self.get(id)?;
        let of_length = matches!(
            id,
            "runs" | "results" | "run_cost" | "value_delivered" | "net_value" | "return" | "net_time_saved"
        );
        if of_length && !self.material.is_over() {
            return None;
        }
        moved(Some(figure), self.get_before(id), (self.sums.runs(), self.sums_before.runs()))
    }

    /// A metric as a figure of the report.
    pub(super) fn figure(&self, id: &str, book: &mut Book) -> Option<ReportFigure> {
        let (unit, good) = unit_and_good(id);
        let (value, before, figure) = if id == TOTAL_COST {
            let (value, before) = self.total_cost();
            (value, before, None)
        } else {
            let figure = self.get(id)?;
            (figure.value, self.get_before(id).and_then(|f| f.value), Some(figure))
        };
        let direction = match figure {
            Some(_) => self.moved(id),
            None if self.material.is_over() => {
                value.zip(before).and_then(|(is, was)| moved_by(is, was, (self.sums.runs(), self.sums_before.runs())))
            }
            None => None,
        };
        let show = |value: f64| in_unit(value, unit, self.currency());
        let ran_before = self.sums_before.runs() > 0;
        let interval = figure.filter(|_| value.is_some()).and_then(|f| f.low.zip(f.high));
        let (runs, n_runs) = self.runs_behind(id);
        Some(ReportFigure {
            name: named(id).0.to_owned(),
            value: value.map_or_else(|| "no data".to_owned(), show),
            basis: if value.is_some() { self.basis(id, figure) } else { self.why_not(id) },
            interval: interval.map(|(low, high)| words::interval(low, high)),
            before: before
                .filter(|_| ran_before)
                .map(|was| format!("{} in {}", show(was), self.material.before_name())),
            change: judged(direction, good),
            receipt: if value.is_some() { book.issue(runs, n_runs) } else { None },
        })
    }

    /// The runs that a figure counted, and how many that are.
    fn runs_behind(&self, id: &str) -> (ReceiptRuns, i64) {
        let all = ReceiptRuns::of(self.workflows.clone(), self.material.counted);
        let of = |outcome| (ReceiptRuns { outcome: Some(outcome), ..all.clone() }, self.sums.outcome(outcome));
        match id {
            "completion_rate" | "audited_completion_rate" | "net_time_saved" | "cleanup_burden" => {
                of(Outcome::Completed)
            }
            // Reviews that were closed in the month may be of runs from before it: these are the runs that they are of.
            "escalation_rate" | "preventable_escalation_rate" => of(Outcome::Escalated),
            "failure_rate" => of(Outcome::Failed),
            "abandonment_rate" => of(Outcome::Abandoned),
            "coverage" => (ReceiptRuns { verified: Some(true), ..all }, self.sums.verified()),
            "exception_rate" | "review_time" => {
                (ReceiptRuns { exceptions: Some(true), ..all }, self.sums.total(Metric::Exceptions).0)
            }
            "value_delivered" => self.runs_of_value(all),
            _ => (all, self.sums.runs()),
        }
    }

    /// The runs that a value was reckoned from: of workflows that have one; completed ones where only these count.
    fn runs_of_value(&self, all: ReceiptRuns) -> (ReceiptRuns, i64) {
        let valued = || {
            let of_scope = self.material.workflows.iter().filter(|w| self.workflows.contains(&w.workflow.id));
            of_scope.filter(|w| w.workflow.settings.value != ValueBasis::None)
        };
        let workflows = valued().map(|w| w.workflow.id).collect();
        if valued().all(|w| w.workflow.settings.value != ValueBasis::Results) {
            let n_runs = valued().map(|w| w.sums.outcome(Outcome::Completed)).sum();
            (ReceiptRuns { workflows, outcome: Some(Outcome::Completed), ..all }, n_runs)
        } else {
            (ReceiptRuns { workflows, ..all }, valued().map(|w| w.sums.runs()).sum())
        }
    }

    /// What stands under a value.
    fn basis(&self, id: &str, figure: Option<&Figure>) -> String {
        let runs = self.sums.runs();
        let unverified = self.sums.outcome(Outcome::Unverified);
        let completed = self.sums.outcome(Outcome::Completed);
        let unpriced = self.sums.total(Metric::CostUnknown).0;
        let priced = || {
            let known = words::counted(runs - unpriced, "run", "runs");
            if unpriced > 0 {
                format!("{known} of {}; the cost of the others is unknown", words::count(runs))
            } else {
                known
            }
        };
        let money = |units: f64| words::money(units, self.currency());
        match id {
            "runs" if runs == 0 => "none was recorded".to_owned(),
            "runs" => "cases handled from start to end".to_owned(),
            "run_cost" => priced(),
            TOTAL_COST => {
                let cost = self.value("run_cost");
                match (cost, self.retainer) {
                    (Some(cost), Some(retainer)) => {
                        format!("{} for runs and {} retainer", money(cost), money(retainer))
                    }
                    (None, Some(_)) => "the retainer; there was no run".to_owned(),
                    _ => priced(),
                }
            }
            "cost_per_completed_run" => {
                let cost = figure.and_then(|f| f.numerator).unwrap_or_default();
                format!("{} for all runs, over {} completed", money(cost), words::count(completed))
            }
            "value_delivered" => self.value_basis.clone(),
            "return" => {
                let value = self.value("value_delivered").unwrap_or_default();
                format!("{} over {}", money(value), money(self.total_cost().0.unwrap_or_default()))
            }
            "net_value" => "value delivered less total cost".to_owned(),
            "preventable_escalation_rate" | "review_time" => {
                let Some(figure) = figure else { return String::new() };
                let reviewed = figure.denominator.unwrap_or_default().round() as i64;
                let of = words::counted(reviewed, "review closed in the month", "reviews closed in the month");
                match (figure.numerator, figure.note.is_empty()) {
                    (Some(n), true) if figure.is_rate => format!("{} of {of}", words::count(n.round() as i64)),
                    (Some(n), false) if figure.is_rate => {
                        format!("{} of {of}; {}", words::count(n.round() as i64), figure.note)
                    }
                    (_, true) => of,
                    (_, false) => format!("{of}; {}", figure.note),
                }
            }
            "audited_completion_rate" => {
                let Some(figure) = figure else { return String::new() };
                let count = |n: Option<f64>| words::count(n.unwrap_or_default().round() as i64);
                let (reviewed, sampled) = (count(figure.numerator), count(figure.denominator));
                format!("people looked at {reviewed} of {sampled} completed runs that were chosen by chance")
            }
            "cleanup_burden" => {
                let minutes = figure.and_then(|figure| figure.numerator).unwrap_or_default().round() as i64;
                let minutes = words::counted(minutes, "minute", "minutes");
                format!("{minutes} to mend what went wrong, over {} completed", words::count(completed))
            }
            "net_time_saved" => {
                format!("{} at their agreed minutes", words::counted(completed, "completed run", "completed runs"))
            }
            _ => {
                let Some(figure) = figure else { return String::new() };
                let count = |n: Option<f64>| words::count(n.unwrap_or_default().round() as i64);
                if !figure.is_rate {
                    return words::counted(runs, "run", "runs");
                }
                let of = format!("{} of {}", count(figure.numerator), count(figure.denominator));
                match figure.bounds {
                    Some((low, high)) if unverified > 0 => format!(
                        "{of}; {} if the {} unknown ones all failed, or all completed",
                        words::interval(low, high),
                        words::count(unverified)
                    ),
                    _ => of,
                }
            }
        }
    }

    /// Why there is no value.
    fn why_not(&self, id: &str) -> String {
        if self.sums.runs() <= 0 {
            return "there was no run".to_owned();
        }
        match id {
            "completion_rate" | "escalation_rate" | "failure_rate" | "abandonment_rate" => {
                "nothing says how the runs ended"
            }
            "cost_per_completed_run" if self.sums.outcome(Outcome::Completed) <= 0 => "no run was completed",
            "value_delivered" | "net_value" | "return" if self.value("value_delivered").is_none() => {
                "no value is agreed"
            }
            "net_time_saved" => "no minutes for the same work by hand are agreed",
            _ => "no run has a known cost",
        }
        .to_owned()
    }

    /// The first result, as a figure of the first page. `None` when there was none.
    pub(super) fn top_result(&self, book: &mut Book) -> Option<ReportFigure> {
        let top = results_of(self.sums).into_iter().next()?;
        let of: Vec<_> = self.material.workflows.iter().filter(|w| count_of(&w.sums, &top.name) > 0).collect();
        let result = self.result(&top, &of, book);
        let direction = self.result_moved(&top.name, top.count());
        Some(ReportFigure {
            name: result.name,
            value: result.count,
            basis: result.hours,
            interval: None,
            before: result.before,
            change: judged(direction, Good::Up),
            receipt: result.receipt,
        })
    }

    /// Whether a result came more or less often than the month before.
    pub(super) fn result_moved(&self, name: &str, count: i64) -> Option<Move> {
        let was = count_of(self.sums_before, name);
        if self.material.is_over() { moved_by(count as f64, was as f64, (count, was)) } else { None }
    }

    /// The results of a workflow, most first.
    pub(super) fn results(&self, workflow: &WorkflowMaterial, book: &mut Book) -> Vec<ReportResult> {
        results_of(self.sums).iter().take(MAX_RESULTS).map(|result| self.result(result, &[workflow], book)).collect()
    }

    fn result(&self, result: &ResultCount, of: &[&WorkflowMaterial], book: &mut Book) -> ReportResult {
        let runs = ReceiptRuns {
            result: Some(result.name.clone()),
            ..ReceiptRuns::of(of.iter().map(|w| w.workflow.id).collect(), self.material.counted)
        };
        // Where a workflow has too many results to count the runs of each, there is no receipt for their sum.
        let n_runs =
            of.iter().map(|w| w.result_runs.get(&result.name).copied()).sum::<Option<i64>>().unwrap_or_default();
        let was = count_of(self.sums_before, &result.name);
        ReportResult {
            name: words::headed(&result.name),
            count: words::count(result.count()),
            hours: match (result.in_hours, result.out_of_hours) {
                (_, 0) => "all in business hours".to_owned(),
                (0, _) => "all outside business hours".to_owned(),
                (inside, outside) => {
                    format!("{} in business hours, {} outside", words::count(inside), words::count(outside))
                }
            },
            value: result.value.map(|nanos| words::money(nanos.units(), self.currency())).unwrap_or_default(),
            before: (self.sums_before.runs() > 0)
                .then(|| format!("{} in {}", words::count(was), self.material.before_name())),
            receipt: book.issue(runs, n_runs),
        }
    }
}

/// How often a result came.
pub(super) fn count_of(sums: &Sums, name: &str) -> i64 {
    results_of(sums).iter().find(|result| result.name == name).map_or(0, ResultCount::count)
}
