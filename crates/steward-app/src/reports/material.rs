//! What a report is made of: sums of tallies for two months, and days for charts. Nothing here walks through runs,
//! but for counts that are bounded.

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use steward_core::clients::{Agency, Client};
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::metrics::{self, Figure, HumanWork, Inputs, Sums};
use steward_core::money::Currency;
use steward_core::outcome::Outcome;
use steward_core::sampling::{Audit, Audited};
use steward_core::tallies::Metric;
use steward_core::time::{HOUR_MICROS, Month, Period, Timestamp};
use steward_core::workflow::Workflow;
use steward_store::AgencyStore;
use steward_store::tenant::{RunFilter, TallyQuery};

use crate::figures::{self, Day, Figures, Scope};
use crate::runs::COUNT_UP_TO;
use crate::{Actor, App, AppError};

/// Up to so many runs in the month, single runs are counted where tallies do not say; beyond it only tallies speak.
const COUNT_RUNS_UP_TO: i64 = 12_000;
/// A day on which usually fewer runs come in may pass without one.
const USUAL_RUNS_A_DAY: f64 = 3.0;
/// The most results of a workflow that a report lists.
pub(super) const MAX_RESULTS: usize = 12;

/// Everything that a report says of a month.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) agency: Agency,
    pub(super) client: Client,
    pub(super) zone: TimeZone,
    pub(super) month: Month,
    /// The whole month.
    pub(super) period: Period,
    /// The month as tallies count it: by whole hours UTC.
    pub(super) counted: Period,
    pub(super) now: Timestamp,
    /// The client's figures, all workflows together, beside those of the month before.
    pub(super) figures: Figures,
    /// Every workflow of the client.
    pub(super) all_workflows: Vec<WorkflowId>,
    /// Those with runs in this month or the one before.
    pub(super) workflows: Vec<WorkflowMaterial>,
    /// Runs that ended and may still be revised.
    pub(super) n_provisional: u64,
    /// Runs that have not ended.
    pub(super) n_unfinished: u64,
}

/// What a report says of one workflow.
#[derive(Debug)]
pub(super) struct WorkflowMaterial {
    pub(super) workflow: Workflow,
    pub(super) sums: Sums,
    pub(super) sums_before: Sums,
    pub(super) figures: Vec<Figure>,
    pub(super) figures_before: Vec<Figure>,
    /// Every local day of the month.
    pub(super) days: Vec<Day>,
    /// Days without any run on which there usually are some, and how many that are.
    pub(super) silent: (Vec<Date>, f64),
    /// Releases that were not in use the month before, with the day of their first run.
    pub(super) new_releases: Vec<(String, Date)>,
    /// Runs that brought about each result.
    pub(super) result_runs: HashMap<String, i64>,
}

impl Material {
    /// The client's currency.
    pub(super) fn currency(&self) -> Currency {
        self.client.settings.currency
    }

    /// Whether the month is over.
    pub(super) fn is_over(&self) -> bool {
        self.period.end <= self.now
    }

    /// The name of the month: "October".
    pub(super) fn month_name(&self) -> &'static str {
        super::words::month_name(self.month.month)
    }

    /// The name of the month before: "September".
    pub(super) fn before_name(&self) -> &'static str {
        super::words::month_name(self.month.before().month)
    }
}

/// A month's bounds moved down to whole hours UTC, in which tallies count. The same in almost every zone.
pub(super) fn counted(period: Period) -> Period {
    let whole = |at: Timestamp| Timestamp(i64::from(at.hour()) * HOUR_MICROS);
    Period { start: whole(period.start), end: whole(period.end) }
}

impl App {
    /// Reads what a report of a client's month is made of.
    pub(super) async fn material_of(
        &self,
        actor: &Actor,
        client: ClientId,
        month: Month,
    ) -> Result<Material, AppError> {
        super::must_see(actor, client)?;
        let store = self.store_of(actor);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let client = store.find_client(client).await?.ok_or(AppError::NotFound("client"))?;
        let zone = agency.zone();
        let out_of_range = || AppError::Invalid(format!("{month} is not a month that can be reported"));
        let period = month.period(&zone).ok_or_else(out_of_range)?;
        let before = month.before().period(&zone).ok_or_else(out_of_range)?;
        let now = self.clock().now();
        if period.start > now {
            return Err(AppError::Invalid(format!(
                "{} has not begun: there is nothing to report yet",
                month.in_words()
            )));
        }
        let (counted, before) = (counted(period), counted(before));
        let scope = Scope { client: Some(client.id), ..Scope::default() };
        let mut figures = self.figures_compared(actor, &scope, counted, before).await?;
        let all_workflows: Vec<WorkflowId> = figures.workflows.iter().map(|(workflow, _)| workflow.id).collect();
        let query = TallyQuery {
            workflows: all_workflows.clone(),
            period: before,
            slice: String::new(),
            release: None,
            metrics: METRICS_BEFORE.to_vec(),
        };
        let mut sums_before: HashMap<WorkflowId, Sums> = store.sum_tallies(&query).await?.into_iter().collect();
        let audits =
            [store.sum_samples(&all_workflows, counted).await?, store.sum_samples(&all_workflows, before).await?];
        let mut workflows = Vec::new();
        for (workflow, sums) in std::mem::take(&mut figures.workflows) {
            let sums_before = sums_before.remove(&workflow.id).unwrap_or_default();
            if sums.runs() <= 0 && sums_before.runs() <= 0 {
                continue;
            }
            let (currency, per_usd) = (client.settings.currency, client.settings.units_per_usd);
            let rate = figures::reviewer_rate(&agency, currency, per_usd);
            let months = Months { period, counted, before, now, zone: &zone, rate };
            let audits = audits.each_ref().map(|audits| audits.get(&workflow.id).copied().unwrap_or_default());
            workflows.push(read_workflow(&store, &client, workflow, [sums, sums_before], audits, &months).await?);
        }
        let settings = || workflows.iter().map(|w| &w.workflow.settings);
        let settle_ms = settings().map(|s| s.settle_ms).max().unwrap_or_default();
        let quiet_ms = settings().map(|s| s.quiet_ms).max().unwrap_or_default();
        let recent = |for_ms: i64| {
            if figures.sums.runs() <= COUNT_RUNS_UP_TO {
                return counted;
            }
            // What may still change ended lately; looking further back would be a walk through all runs.
            let start = now.plus_ms(-for_ms.clamp(0, 86_400_000) - 3_600_000).max(counted.start).min(counted.end);
            Period { start, ..counted }
        };
        let of_client =
            |period| RunFilter { workflows: Some(all_workflows.clone()), period: Some(period), ..RunFilter::default() };
        let provisional = RunFilter { provisional_at: Some((true, now)), ..of_client(recent(settle_ms)) };
        let unfinished = RunFilter { finished: Some(false), ..of_client(recent(quiet_ms)) };
        let n_provisional = store.count_runs(&provisional, COUNT_UP_TO).await?;
        let n_unfinished = store.count_runs(&unfinished, COUNT_UP_TO).await?;
        Ok(Material {
            agency,
            client,
            zone,
            month,
            period,
            counted,
            now,
            figures,
            all_workflows,
            workflows,
            n_provisional,
            n_unfinished,
        })
    }
}

/// The two months of a report.
struct Months<'a> {
    period: Period,
    counted: Period,
    before: Period,
    now: Timestamp,
    zone: &'a TimeZone,
    /// What a reviewer's hour costs in the client's currency; `None` when it is not set.
    rate: Option<f64>,
}

async fn read_workflow(
    store: &AgencyStore,
    client: &Client,
    workflow: Workflow,
    [sums, sums_before]: [Sums; 2],
    [audit, audit_before]: [Audit; 2],
    months: &Months<'_>,
) -> Result<WorkflowMaterial, AppError> {
    let query = |period, metrics: &[Metric]| TallyQuery {
        workflows: vec![workflow.id],
        period,
        slice: String::new(),
        release: None,
        metrics: metrics.to_vec(),
    };
    let by_day = async |period: Period, metrics: &[Metric]| {
        store.list_tallies_by_day(&query(period, metrics), &period.stretches(months.zone)).await
    };
    let series = by_day(months.counted, METRICS_BY_DAY).await?;
    let days = figures::by_day(&series, months.period, months.zone);
    let silent = if days.iter().any(|day| day.sums.runs() <= 0) {
        let series = by_day(months.before, &[Metric::Runs]).await?;
        let before = figures::by_day(&series, months.before, months.zone);
        silent_days(&workflow, &days, &before, months)
    } else {
        (Vec::new(), 0.0)
    };
    let both = Period { start: months.before.start, end: months.counted.end };
    let releases = store.list_releases(workflow.id, both).await?;
    let first_hour = months.counted.start.hour();
    let new_releases = releases
        .into_iter()
        .filter(|(release, first, ..)| !release.is_empty() && *first >= first_hour && sums_before.runs() > 0)
        .map(|(release, first, ..)| (release, date_of(Timestamp(i64::from(first) * HOUR_MICROS), months.zone)))
        .collect();
    let runs_with = |name: &str| sums.of_key(Metric::ResultRuns, name).0;
    let results = figures::results_of(&sums).into_iter().take(MAX_RESULTS);
    let result_runs = results.map(|result| (result.name.clone(), runs_with(&result.name))).collect();
    let figures = figures_of(&workflow, client, &sums, audit, months.counted, months);
    let figures_before = figures_of(&workflow, client, &sums_before, audit_before, months.before, months);
    Ok(WorkflowMaterial {
        workflow,
        sums,
        sums_before,
        figures,
        figures_before,
        days,
        silent,
        new_releases,
        result_runs,
    })
}

/// Every metric of one workflow; the retainer is the client's and has no part in it.
fn figures_of(
    workflow: &Workflow,
    client: &Client,
    sums: &Sums,
    audit: Audit,
    period: Period,
    months: &Months<'_>,
) -> Vec<Figure> {
    let audited = Audited::of([(audit, sums.claimed(Outcome::Completed), sums.claimed_verified())]);
    let human = HumanWork::of(sums, months.rate);
    let inputs = Inputs {
        hours: period.hours(),
        working_days: figures::working_days(period, &client.settings.business_hours, months.zone),
        cycle_ms: figures::quantiles(sums),
        units_per_usd: client.settings.units_per_usd,
        review_ms: figures::review_quantiles(sums),
        human,
        audited,
        queue_age_hours: None,
        net_hours_saved: metrics::net_hours_saved(sums, &workflow.settings, human.as_ref()),
        value_delivered: metrics::value_delivered(sums, &workflow.settings, human.as_ref()),
        retainer: None,
    };
    let mut figures = metrics::compute(sums, &inputs);
    figures.iter_mut().for_each(|figure| figures::add_interval(figure, &audited));
    figures
}

fn date_of(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_jiff().to_zoned(zone.clone()).date()
}

/// Whole days without a run on weekdays that usually have some, from the workflow's first run on.
fn silent_days(workflow: &Workflow, days: &[Day], before: &[Day], months: &Months<'_>) -> (Vec<Date>, f64) {
    let today = date_of(months.now, months.zone);
    let over = |day: &&Day| day.date < today;
    let put_away = workflow.archived_at.map(|at| date_of(at, months.zone));
    let in_use = |day: &&Day| put_away.is_none_or(|last| day.date < last);
    let Some(first) = before.iter().chain(days).find(|day| day.sums.runs() > 0).map(|day| day.date) else {
        return (Vec::new(), 0.0);
    };
    let usual = |date: Date| {
        let alike = |day: &&Day| day.date >= first && day.date.weekday() == date.weekday();
        let mean = |days: &[Day]| {
            let runs: Vec<i64> = days.iter().filter(over).filter(alike).map(|day| day.sums.runs()).collect();
            if runs.is_empty() { 0.0 } else { runs.iter().sum::<i64>() as f64 / runs.len() as f64 }
        };
        mean(before).max(mean(days))
    };
    let silent: Vec<Date> = days
        .iter()
        .filter(over)
        .filter(in_use)
        .filter(|day| day.date >= first && day.sums.runs() <= 0 && usual(day.date) >= USUAL_RUNS_A_DAY)
        .map(|day| day.date)
        .collect();
    let mean = silent.iter().map(|date| usual(*date)).sum::<f64>() / silent.len().max(1) as f64;
    (silent, mean)
}

/// Kinds of tallies that the month before is compared by.
const METRICS_BEFORE: &[Metric] = &[
    Metric::Runs,
    Metric::Outcome,
    Metric::Verdicts,
    Metric::Exceptions,
    Metric::CycleMs,
    Metric::CycleBucket,
    Metric::WaitingMs,
    Metric::Cost,
    Metric::CostUnknown,
    Metric::Results,
    Metric::ValuedResults,
    Metric::Hours,
    Metric::Reviews,
    Metric::ReviewMs,
    Metric::ReviewBucket,
    Metric::Cleanup,
    Metric::EscalationReviews,
];
/// Kinds of tallies that days are read of.
const METRICS_BY_DAY: &[Metric] =
    &[Metric::Runs, Metric::Outcome, Metric::Cost, Metric::CostUnknown, Metric::ToolErrors, Metric::ModelErrors];
