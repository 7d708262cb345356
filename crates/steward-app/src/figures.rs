//! Figures: sums of tallies into every metric, for any period, client, workflow, model, tool or release, beside
//! the same for the period before.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use steward_core::calendar::BusinessHours;
use steward_core::clients::{Agency, Client};
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::metrics::{self, Figure, HumanWork, Inputs, Sums};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::Outcome;
use steward_core::sampling::{Audit, Audited};
use steward_core::tallies::{Metric, Slice};
use steward_core::time::{Period, Timestamp};
use steward_core::workflow::Workflow;
use steward_stats::histogram::Histogram;
use steward_stats::intervals::{wilson, wilson_of_share};
use steward_store::tenant::{TallyQuery, TallySeries};

use crate::{Actor, App, AppError};

/// Of what figures are asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// One client's workflows.
    pub client: Option<ClientId>,
    /// One workflow.
    pub workflow: Option<WorkflowId>,
    /// Runs that used one model or one tool.
    pub slice: Slice,
    /// Runs of one release.
    pub release: Option<String>,
}

/// Figures with what they rest on.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The period.
    pub period: Period,
    /// The currency of amounts of money.
    pub currency: Currency,
    /// Amounts in different currencies were left out of the sums of value: no basis is common to all.
    pub mixed_currencies: bool,
    /// Every metric of the period.
    pub now: Vec<Figure>,
    /// Every metric of the period before.
    pub before: Vec<Figure>,
    /// The sums of the period.
    pub sums: Sums,
    /// The sums of the period before.
    pub sums_before: Sums,
    /// The workflows in it with their own sums in the period, those without runs included.
    pub workflows: Vec<(Workflow, Sums)>,
    /// The sums of each workflow in the period before; workflows without runs in it are left out.
    pub workflows_before: HashMap<WorkflowId, Sums>,
}

impl Figures {
    /// A metric of the period. `None` for an unknown id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Figure> {
        self.now.iter().find(|f| f.id == id)
    }

    /// A metric of the period before. `None` for an unknown id.
    #[must_use]
    pub fn get_before(&self, id: &str) -> Option<&Figure> {
        self.before.iter().find(|f| f.id == id)
    }
}

/// One local day of a series.
#[derive(Debug, Clone)]
pub struct Day {
    /// The day in the agency's zone.
    pub date: jiff::civil::Date,
    /// What happened on it.
    pub sums: Sums,
}

/// Calls of one tool or model.
#[derive(Debug, Clone, PartialEq)]
pub struct Calls {
    /// The name.
    pub name: String,
    /// Calls.
    pub calls: i64,
    /// Failed calls.
    pub errors: i64,
    /// Failed calls by class, most first.
    pub classes: Vec<(String, i64)>,
    /// The median of their duration, in milliseconds.
    pub p50_ms: Option<f64>,
    /// The 95th percentile.
    pub p95_ms: Option<f64>,
    /// Tokens; 0 for tools.
    pub tokens: i64,
    /// The known part of the cost, in nano-US-dollars; 0 for tools.
    pub cost: Nanos,
}

/// A result, counted.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultCount {
    /// What the business calls it.
    pub name: String,
    /// Inside business hours.
    pub in_hours: i64,
    /// Outside.
    pub out_of_hours: i64,
    /// The sum of the values that its rule gives; `None` when no value is agreed.
    pub value: Option<Nanos>,
}

impl ResultCount {
    /// All of them.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.in_hours + self.out_of_hours
    }
}

impl App {
    /// Computes every metric of a scope for a period and for the one before.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client or workflow is out of the actor's reach.
    pub async fn figures(&self, actor: &Actor, scope: &Scope, period: Period) -> Result<Figures, AppError> {
        self.figures_compared(actor, scope, period, period.before()).await
    }

    /// Computes every metric of a scope for a period, and for another to compare it with.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client or workflow is out of the actor's reach.
    pub async fn figures_compared(
        &self,
        actor: &Actor,
        scope: &Scope,
        period: Period,
        before: Period,
    ) -> Result<Figures, AppError> {
        let workflows = self.workflows_in(actor, scope).await?;
        let clients = self.store_of(actor).list_clients().await?;
        let agency = self.store_of(actor).find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let money = MoneyBasis::of(&workflows, &clients, agency.currency);
        let hours = business_hours_of(scope, &workflows, &clients);
        let zone = zone_of(scope, &clients, &agency.zone());
        let rate = reviewer_rate(&agency, money.currency, money.units_per_usd);
        let now = self.clock().now();
        let waiting = if scope.slice == Slice::All && scope.release.is_none() {
            let ids: Vec<WorkflowId> = workflows.iter().map(|w| w.id).collect();
            let everything = actor.clients.is_none() && scope.client.is_none() && scope.workflow.is_none();
            self.store_of(actor).find_oldest_waiting(if everything { None } else { Some(&ids) }).await?
        } else {
            None
        };
        let queue_age_hours = waiting.map(|at| now.ms_since(at) as f64 / 3_600_000.0);
        let mut of_period = Vec::new();
        for period in [period, before] {
            let query = TallyQuery {
                workflows: workflows.iter().map(|w| w.id).collect(),
                period,
                slice: scope.slice.code(),
                release: scope.release.clone(),
                metrics: FIGURE_METRICS.to_vec(),
            };
            let by_workflow: HashMap<WorkflowId, Sums> =
                self.store_of(actor).sum_tallies(&query).await?.into_iter().collect();
            let mut sums = Sums::default();
            by_workflow.values().for_each(|s| sums.merge(s));
            let retainer = if scope.slice == Slice::All && scope.workflow.is_none() && scope.release.is_none() {
                retainer_of(scope, &clients, period)
            } else {
                None
            };
            let human = |sums: &Sums| HumanWork::of(sums, rate);
            // Samples are of whole workflows.
            let audits = if scope.slice == Slice::All && scope.release.is_none() {
                self.store_of(actor).sum_samples(&query.workflows, period).await?
            } else {
                HashMap::new()
            };
            let audited = audited_of(&by_workflow, &audits);
            let inputs = Inputs {
                hours: period.hours(),
                working_days: working_days(period, &hours, &zone),
                cycle_ms: quantiles(&sums),
                units_per_usd: money.units_per_usd,
                review_ms: review_quantiles(&sums),
                human: human(&sums),
                audited,
                queue_age_hours: if period.end > now { queue_age_hours } else { None },
                net_hours_saved: sum_of(&workflows, &by_workflow, |w, s| {
                    metrics::net_hours_saved(s, &w.settings, human(s).as_ref())
                }),
                value_delivered: if money.mixed {
                    None
                } else {
                    sum_of(&workflows, &by_workflow, |w, s| metrics::value_delivered(s, &w.settings, human(s).as_ref()))
                },
                retainer,
            };
            let mut figures = metrics::compute(&sums, &inputs);
            figures.iter_mut().for_each(|figure| add_interval(figure, &audited));
            if !actor.role.sees_money() {
                figures.retain(|f| !is_money(&f.id));
            }
            of_period.push((figures, sums, by_workflow));
        }
        let (before, sums_before, workflows_before) = of_period.pop().unwrap_or_default();
        let (now, sums, mut by_workflow) = of_period.pop().unwrap_or_default();
        let workflows = workflows
            .into_iter()
            .map(|w| (by_workflow.remove(&w.id).unwrap_or_default(), w))
            .map(|(s, w)| (w, s))
            .collect();
        Ok(Figures {
            period,
            currency: money.currency,
            mixed_currencies: money.mixed,
            now,
            before,
            sums,
            sums_before,
            workflows,
            workflows_before,
        })
    }

    /// The workflows of a scope that an actor may see.
    pub(crate) async fn workflows_in(&self, actor: &Actor, scope: &Scope) -> Result<Vec<Workflow>, AppError> {
        if let Some(id) = scope.workflow {
            return Ok(vec![self.get_workflow(actor, id).await?]);
        }
        let mut workflows = self.visible_workflows(actor, true).await?;
        if let Some(client) = scope.client {
            if !actor.may_see_client(client) || self.store_of(actor).find_client(client).await?.is_none() {
                return Err(AppError::NotFound("client"));
            }
            workflows.retain(|w| w.client_id == Some(client));
        }
        Ok(workflows)
    }

    /// What happened on each local day of a period, days with nothing included.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client or workflow is out of the actor's reach.
    pub async fn days(
        &self,
        actor: &Actor,
        scope: &Scope,
        period: Period,
        metrics: &[Metric],
    ) -> Result<Vec<Day>, AppError> {
        let workflows = self.workflows_in(actor, scope).await?;
        let agency = self.store_of(actor).find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let query = TallyQuery {
            workflows: workflows.iter().map(|w| w.id).collect(),
            period,
            slice: scope.slice.code(),
            release: scope.release.clone(),
            metrics: metrics.to_vec(),
        };
        let zone = agency.zone();
        let series = self.store_of(actor).list_tallies_by_day(&query, &period.stretches(&zone)).await?;
        Ok(by_day(&series, period, &zone))
    }

    /// Calls by tool (`true`) or by model in a period, most calls first.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client or workflow is out of the actor's reach.
    pub async fn calls(
        &self,
        actor: &Actor,
        scope: &Scope,
        period: Period,
        of_tools: bool,
    ) -> Result<Vec<Calls>, AppError> {
        let kinds = if of_tools { TOOL_METRICS } else { MODEL_METRICS };
        let query = TallyQuery {
            workflows: self.workflows_in(actor, scope).await?.iter().map(|w| w.id).collect(),
            period,
            slice: String::new(),
            release: scope.release.clone(),
            metrics: kinds.to_vec(),
        };
        let mut sums = Sums::default();
        for (_, of_workflow) in self.store_of(actor).sum_tallies(&query).await? {
            sums.merge(&of_workflow);
        }
        Ok(calls_of(&sums, of_tools))
    }

    /// The first and last instant of a client's or agency's period in words is the page's matter; here are whole local days.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn last_days(&self, actor: &Actor, n_days: i32) -> Result<Period, AppError> {
        let agency = self.store_of(actor).find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        Ok(last_days(self.clock().now(), n_days, &agency.zone()))
    }
}

/// The last so many local days, today included and whole.
#[must_use]
pub fn last_days(now: Timestamp, n_days: i32, zone: &TimeZone) -> Period {
    let today = now.to_jiff().to_zoned(zone.clone()).date();
    let first = today.checked_sub(jiff::Span::new().days(n_days.max(1) - 1)).unwrap_or(today);
    let fallback = Period { start: now.plus_ms(-86_400_000 * i64::from(n_days)), end: now };
    Period::of_days(first, today, zone).unwrap_or(fallback)
}

/// Kinds of tallies that figures are made of; those of single tools and models are read apart.
const FIGURE_METRICS: &[Metric] = &[
    Metric::Runs,
    Metric::Outcome,
    Metric::Evidence,
    Metric::Verdicts,
    Metric::Exceptions,
    Metric::CycleMs,
    Metric::CycleBucket,
    Metric::WaitingMs,
    Metric::Cost,
    Metric::CostUnknown,
    Metric::CostSource,
    Metric::Tokens,
    Metric::Results,
    Metric::ValuedResults,
    Metric::Hours,
    Metric::ToolCalls,
    Metric::ToolErrors,
    Metric::ModelCalls,
    Metric::ModelErrors,
    Metric::Attributes,
    Metric::Late,
    Metric::Masked,
    Metric::WithoutContent,
    Metric::Deleted,
    Metric::Dialect,
    Metric::Reviews,
    Metric::ReviewMs,
    Metric::ReviewBucket,
    Metric::Cleanup,
    Metric::EscalationReviews,
    Metric::AgentWas,
];
const TOOL_METRICS: &[Metric] = &[Metric::ToolCalls, Metric::ToolErrors, Metric::ToolBucket];
const MODEL_METRICS: &[Metric] =
    &[Metric::ModelCalls, Metric::ModelErrors, Metric::ModelBucket, Metric::ModelTokens, Metric::ModelCost];

/// Whether a metric is money, which contractors do not see.
#[must_use]
pub fn is_money(id: &str) -> bool {
    use steward_core::metrics::Unit;
    metrics::definition(id).is_some_and(|d| matches!(d.unit, Unit::Money | Unit::MoneyPerRun | Unit::Ratio))
}

/// What samples say of workflows together, by their sums and their audits.
pub(crate) fn audited_of(sums: &HashMap<WorkflowId, Sums>, audits: &HashMap<WorkflowId, Audit>) -> Audited {
    // In one order, so that sums of floats are the same each time.
    let mut ids: Vec<&WorkflowId> = sums.keys().chain(audits.keys()).collect();
    ids.sort_unstable();
    ids.dedup();
    let none = Sums::default();
    Audited::of(ids.into_iter().map(|id| {
        let sums = sums.get(id).unwrap_or(&none);
        let audit = audits.get(id).copied().unwrap_or_default();
        (audit, sums.claimed(Outcome::Completed), sums.claimed_verified())
    }))
}

pub(crate) fn add_interval(figure: &mut Figure, audited: &Audited) {
    let counts = figure.numerator.zip(figure.denominator).filter(|_| figure.is_rate);
    let interval = if figure.id == "audited_completion_rate" {
        let claimed = audited.claimed_rate().filter(|_| figure.value.is_some());
        let interval = audited.share.and_then(|share| wilson_of_share(share, audited.effective));
        claimed.zip(interval).map(|(claimed, (low, high))| (claimed * low, claimed * high))
    } else {
        counts.and_then(|(part, whole)| wilson(part.max(0.0) as u64, whole.max(0.0) as u64))
    };
    if let Some((low, high)) = interval {
        (figure.low, figure.high) = (Some(low), Some(high));
    }
}

/// p50, p90, p95 and p99 of cycle time, in milliseconds.
#[must_use]
pub fn quantiles(sums: &Sums) -> [Option<f64>; 4] {
    let histogram = histogram_of(sums.keys(Metric::CycleBucket).into_iter().map(|(key, n, _)| (key, n)));
    [0.5, 0.9, 0.95, 0.99].map(|q| histogram.quantile(q))
}

/// p50 and p90 of the review time of exceptions, in milliseconds.
pub(crate) fn review_quantiles(sums: &Sums) -> [Option<f64>; 2] {
    let histogram = histogram_of(sums.keys(Metric::ReviewBucket).into_iter().map(|(key, n, _)| (key, n)));
    [0.5, 0.9].map(|q| histogram.quantile(q))
}

/// What a reviewer's hour costs in units of a currency. `None` when no rate is set, or the agency's currency cannot be
/// turned into this one.
#[must_use]
pub fn reviewer_rate(agency: &Agency, currency: Currency, units_per_usd: f64) -> Option<f64> {
    let rate = Some(agency.reviewer_rate_nanos.units()).filter(|rate| *rate > 0.0)?;
    match agency.currency {
        same if same == currency => Some(rate),
        Currency::USD => Some(rate * units_per_usd),
        _ => None,
    }
}

fn histogram_of<'a>(buckets: impl Iterator<Item = (&'a str, i64)>) -> Histogram {
    let mut histogram = Histogram::default();
    for (key, n) in buckets {
        if let Ok(bucket) = key.parse() {
            histogram.add(bucket, n);
        }
    }
    histogram
}

fn calls_of(sums: &Sums, of_tools: bool) -> Vec<Calls> {
    let (count, errors, buckets) = if of_tools {
        (Metric::ToolCalls, Metric::ToolErrors, Metric::ToolBucket)
    } else {
        (Metric::ModelCalls, Metric::ModelErrors, Metric::ModelBucket)
    };
    let mut durations: HashMap<&str, Histogram> = HashMap::new();
    for (name, bucket, n, _) in sums.pairs(buckets) {
        if let Ok(bucket) = bucket.parse() {
            durations.entry(name).or_default().add(bucket, n);
        }
    }
    let mut classes: HashMap<&str, Vec<(String, i64)>> = HashMap::new();
    for (name, class, n, _) in sums.pairs(errors) {
        classes.entry(name).or_default().push((class.to_owned(), n));
    }
    let mut calls: Vec<Calls> = sums
        .keys(count)
        .into_iter()
        .filter(|(_, n, _)| *n > 0)
        .map(|(name, n, _)| {
            let mut classes = classes.remove(name).unwrap_or_default();
            classes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let histogram = durations.remove(name).unwrap_or_default();
            Calls {
                name: name.to_owned(),
                calls: n,
                errors: classes.iter().map(|(_, n)| n).sum(),
                classes,
                p50_ms: histogram.quantile(0.5),
                p95_ms: histogram.quantile(0.95),
                tokens: sums.of_key(Metric::ModelTokens, name).1,
                cost: Nanos(sums.of_key(Metric::ModelCost, name).1),
            }
        })
        .collect();
    calls.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.name.cmp(&b.name)));
    calls
}

/// Results in a period, most first.
#[must_use]
pub fn results_of(sums: &Sums) -> Vec<ResultCount> {
    let mut results: Vec<ResultCount> = Vec::new();
    for (hours, name, n, sum) in sums.pairs(Metric::Results) {
        let at = results.iter().position(|r| r.name == name).unwrap_or_else(|| {
            let value = (sums.of_key(Metric::ValuedResults, name).0 > 0).then_some(Nanos(0));
            results.push(ResultCount { name: name.to_owned(), in_hours: 0, out_of_hours: 0, value });
            results.len() - 1
        });
        let result = &mut results[at];
        *(if hours == "in" { &mut result.in_hours } else { &mut result.out_of_hours }) += n;
        result.value = result.value.map(|value| value.plus(Nanos(sum)));
    }
    results.retain(|r| r.count() != 0);
    results.sort_by(|a, b| b.count().cmp(&a.count()).then_with(|| a.name.cmp(&b.name)));
    results
}

/// A series by day into the local days of a period; days with nothing in them are there too.
#[must_use]
pub fn by_day(series: &TallySeries, period: Period, zone: &TimeZone) -> Vec<Day> {
    let date_of = |at: Timestamp| at.to_jiff().to_zoned(zone.clone()).date();
    let mut days = Vec::new();
    let last = date_of(Timestamp(period.end.0 - 1));
    let mut date = date_of(period.start);
    while date <= last && days.len() < 4_000 {
        days.push(Day { date, sums: Sums::default() });
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    let number = |date: jiff::civil::Date| date.duration_since(jiff::civil::date(1970, 1, 1)).as_hours().div_euclid(24);
    let first = days.first().map_or(0, |day| number(day.date));
    for (day, sums) in series {
        // Ragged ends of zones that are not whole hours off fall to the nearest day of the period.
        let at = usize::try_from(i64::from(*day) - first).unwrap_or(0).min(days.len().saturating_sub(1));
        if let Some(day) = days.get_mut(at) {
            day.sums.merge(sums);
        }
    }
    days
}

/// In which currency amounts of a scope stand.
struct MoneyBasis {
    currency: Currency,
    units_per_usd: f64,
    mixed: bool,
}

impl MoneyBasis {
    /// The clients' currency where they have one in common; else US dollars, in which costs come.
    fn of(workflows: &[Workflow], clients: &[Client], agency: Currency) -> Self {
        let mut bases: Vec<(Currency, f64)> = Vec::new();
        for workflow in workflows {
            let client = workflow.client_id.and_then(|id| clients.iter().find(|c| c.id == id));
            let basis = client.map(|c| (c.settings.currency, c.settings.units_per_usd));
            if let Some(basis) = basis.filter(|b| !bases.contains(b)) {
                bases.push(basis);
            }
        }
        match bases.as_slice() {
            [] => Self {
                currency: if agency == Currency::USD { agency } else { Currency::USD },
                units_per_usd: 1.0,
                mixed: false,
            },
            [(currency, units_per_usd)] => Self { currency: *currency, units_per_usd: *units_per_usd, mixed: false },
            _ => Self { currency: Currency::USD, units_per_usd: 1.0, mixed: true },
        }
    }
}

fn sum_of(
    workflows: &[Workflow],
    sums: &HashMap<WorkflowId, Sums>,
    of: impl Fn(&Workflow, &Sums) -> Option<f64>,
) -> Option<f64> {
    let none = Sums::default();
    workflows.iter().filter_map(|w| of(w, sums.get(&w.id).unwrap_or(&none))).reduce(|a, b| a + b)
}

/// What the client pays for a period: the monthly price by the share of an average month.
fn retainer_of(scope: &Scope, clients: &[Client], period: Period) -> Option<f64> {
    let client = clients.iter().find(|c| Some(c.id) == scope.client)?;
    let months = period.hours() / (365.25 * 24.0 / 12.0);
    // A calendar month is a month, however many days it has.
    let months = if (0.9..1.1).contains(&months) { 1.0 } else { months };
    Some(client.settings.retainer_nanos?.units() * months)
}

fn business_hours_of(scope: &Scope, workflows: &[Workflow], clients: &[Client]) -> BusinessHours {
    let id = scope.client.or_else(|| workflows.first().filter(|_| workflows.len() == 1).and_then(|w| w.client_id));
    clients.iter().find(|c| Some(c.id) == id).map(|c| c.settings.business_hours.clone()).unwrap_or_default()
}

fn zone_of(scope: &Scope, clients: &[Client], agency: &TimeZone) -> TimeZone {
    let client = clients.iter().find(|c| Some(c.id) == scope.client);
    client.and_then(|c| TimeZone::get(&c.settings.time_zone).ok()).unwrap_or_else(|| agency.clone())
}

/// Local days of a period on which the client is open.
#[must_use]
pub fn working_days(period: Period, hours: &BusinessHours, zone: &TimeZone) -> f64 {
    let mut date = period.start.to_jiff().to_zoned(zone.clone()).date();
    let last = Timestamp(period.end.0 - 1).to_jiff().to_zoned(zone.clone()).date();
    let mut days = 0_u32;
    while date <= last && days < 40_000 {
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        days += u32::from(!hours.weekdays[weekday].is_empty() && !hours.closed_on.contains(&date));
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    f64::from(days)
}
