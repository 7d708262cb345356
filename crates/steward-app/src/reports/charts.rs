//! Charts of a workflow's page: what came of its runs, whether it did its job, and what it cost, by day.

use steward_core::metrics::Sums;
use steward_core::outcome::Outcome;
use steward_core::report::{Chart, ChartKind, Series, SeriesRole};
use steward_core::tallies::Metric;
use steward_stats::intervals::wilson;

use super::material::{Material, WorkflowMaterial};
use super::words;
use crate::figures::Day;

/// With fewer verified runs a day, a rate of a day says little, and weeks are shown.
const ENOUGH_A_DAY: i64 = 20;

/// The charts of a workflow; none where it had no runs.
pub(super) fn of_workflow(material: &Material, workflow: &WorkflowMaterial, with_cost: bool) -> Vec<Chart> {
    if workflow.sums.runs() <= 0 {
        return Vec::new();
    }
    let mut charts = vec![outcomes(workflow)];
    charts.extend(completion(workflow));
    if with_cost {
        charts.extend(cost(material, workflow));
    }
    charts
}

fn label(day: &Day) -> String {
    format!("{} {}", day.date.day(), words::short_month(day.date.month()))
}

fn marks(workflow: &WorkflowMaterial, at: impl Fn(jiff::civil::Date) -> Option<usize>) -> Vec<(usize, String)> {
    workflow.new_releases.iter().filter_map(|(release, date)| Some((at(*date)?, words::name(release)))).collect()
}

fn outcomes(workflow: &WorkflowMaterial) -> Chart {
    const ROLES: [(Outcome, &str, SeriesRole); 5] = [
        (Outcome::Completed, "completed", SeriesRole::Good),
        (Outcome::Escalated, "passed to your team", SeriesRole::Warn),
        (Outcome::Failed, "not finished", SeriesRole::Bad),
        (Outcome::Abandoned, "left by the other side", SeriesRole::Info),
        (Outcome::Unverified, "unknown", SeriesRole::Muted),
    ];
    let series = ROLES
        .into_iter()
        .filter(|(outcome, ..)| workflow.sums.outcome(*outcome) > 0)
        .map(|(outcome, name, role)| Series {
            name: name.to_owned(),
            role,
            values: workflow.days.iter().map(|day| Some(day.sums.outcome(outcome).max(0) as f64)).collect(),
        })
        .collect();
    Chart {
        title: "Runs by what came of them, a day".to_owned(),
        kind: ChartKind::StackedBars,
        unit: "runs".to_owned(),
        labels: workflow.days.iter().map(label).collect(),
        series,
        marks: marks(workflow, |date| workflow.days.iter().position(|day| day.date == date)),
    }
}

fn completion(workflow: &WorkflowMaterial) -> Option<Chart> {
    let verified = workflow.sums.verified();
    if verified <= 0 {
        return None;
    }
    let n_busy = workflow.days.iter().filter(|day| day.sums.verified() > 0).count().max(1);
    let by_day = verified / i64::try_from(n_busy).unwrap_or(1) >= ENOUGH_A_DAY;
    let buckets: Vec<&[Day]> = if by_day {
        workflow.days.chunks(1).collect()
    } else {
        // Weeks begin on Mondays; the first and the last may be short.
        let monday = |_: &Day, next: &Day| next.date.weekday() != jiff::civil::Weekday::Monday;
        workflow.days.chunk_by(monday).collect()
    };
    let points: Vec<Option<(f64, f64, f64)>> = buckets
        .iter()
        .map(|days| {
            let mut sums = Sums::default();
            days.iter().for_each(|day| sums.merge(&day.sums));
            let completed = sums.outcome(Outcome::Completed).max(0).unsigned_abs();
            let verified = sums.verified().max(0).unsigned_abs();
            let (low, high) = wilson(completed, verified)?;
            Some((completed as f64 / verified as f64 * 100.0, low * 100.0, high * 100.0))
        })
        .collect();
    if points.iter().flatten().count() < 2 {
        return None;
    }
    let series = |name: &str, role, of: fn((f64, f64, f64)) -> f64| Series {
        name: name.to_owned(),
        role,
        values: points.iter().map(|point| point.map(of)).collect(),
    };
    let labels = buckets
        .iter()
        .filter_map(|days| match days {
            [] => None,
            [day] => Some(label(day)),
            [first, .., last] => Some(format!("{}–{}", first.date.day(), label(last))),
        })
        .collect();
    Some(Chart {
        title: format!("Completion rate, a {}", if by_day { "day" } else { "week" }),
        kind: ChartKind::Line,
        unit: "%".to_owned(),
        labels,
        series: vec![
            series("completion rate", SeriesRole::Accent, |(rate, ..)| rate),
            series("low", SeriesRole::Low, |(_, low, _)| low),
            series("high", SeriesRole::High, |(.., high)| high),
        ],
        marks: marks(workflow, |date| buckets.iter().position(|days| days.iter().any(|day| day.date == date))),
    })
}

fn cost(material: &Material, workflow: &WorkflowMaterial) -> Option<Chart> {
    if workflow.sums.total(Metric::Cost).0 <= 0 {
        return None;
    }
    let of_day = |day: &Day| {
        // A day on which no cost is known is a gap, not a day without cost.
        let unknown = day.sums.runs() > 0 && day.sums.total(Metric::Cost).0 <= 0;
        (!unknown).then(|| day.sums.known_cost().units() * material.client.settings.units_per_usd)
    };
    Some(Chart {
        title: "Cost of runs, a day".to_owned(),
        kind: ChartKind::Bars,
        unit: material.currency().sign().trim().to_owned(),
        labels: workflow.days.iter().map(label).collect(),
        series: vec![Series {
            name: "cost".to_owned(),
            role: SeriesRole::Accent,
            values: workflow.days.iter().map(of_day).collect(),
        }],
        marks: marks(workflow, |date| workflow.days.iter().position(|day| day.date == date)),
    })
}
