//! Sampling for quality: a workflow's rule, the daily draw that follows it, and what it would come to.
//!
//! A day (UTC) is drawn once, when it is over and the workflow's time for late data has passed; runs that become final
//! later follow what the day drew, at the next look. So however many runs a workflow has, each is read once a day at
//! most, and only of workflows that have a rule.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use steward_core::ids::{AgencyId, ItemId, RunId, WorkflowId};
use steward_core::sampling::{self, Chosen, Draw, OTHERS, SamplingRule, Strata, Stratum};
use steward_core::time::{DAY_MICROS, Period, Timestamp};
use steward_stats::intervals::wilson_of_share;
use steward_store::StoreError;
use steward_store::tenant::{DayDraw, LateDraw, NewSample, SamplingCandidate};

use crate::live::Change;
use crate::queue::Arrivals;
use crate::{Actor, App, AppError};

pub use steward_store::tenant::Sampling;

/// How often it is looked whether a day can be drawn.
const LOOK_AROUND: Duration = Duration::from_secs(60);
/// Workflows that one look takes.
const WORKFLOWS_AT_ONCE: u32 = 1_000;
/// Runs that are read at once.
const RUNS_AT_ONCE: u32 = 2_000;
/// How far before the last look a look for late runs begins: what was assembled late became final before it was there.
const OVERLAP_MICROS: i64 = DAY_MICROS;
/// Days that a preview looks back.
const PREVIEW_DAYS: i32 = 30;
/// Runs that a preview looks at, the last ones.
const PREVIEW_RUNS: u32 = 50_000;
/// The share of claims that stand, for a preview of a workflow of which nothing is reviewed.
const SUPPOSED_SHARE: f64 = 0.9;

/// What a rule would have come to on the last days.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingPreview {
    /// Whole days that were looked at.
    pub days: u32,
    /// Runs claimed completed a day, on the mean.
    pub completed_a_day: f64,
    /// Runs that would go to review a day, on the mean.
    pub taken_a_day: f64,
    /// The parts: name, completed runs a day, and runs to review a day; those with the most first.
    pub parts: Vec<(String, f64, f64)>,
    /// The share of claims that stand that the interval is for: as far as reviews say, else a supposed one.
    pub share: f64,
    /// Whether that share is supposed.
    pub is_supposed: bool,
    /// The interval of that share after a month in which all samples are reviewed. `None` where none would be taken.
    pub interval: Option<(f64, f64)>,
}

impl App {
    /// The sampling rule of a workflow. `None` when nothing of it is sampled.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such workflow; [`AppError::Forbidden`] for who does not review.
    pub async fn find_sampling(&self, actor: &Actor, id: WorkflowId) -> Result<Option<Sampling>, AppError> {
        actor.must_review()?;
        self.get_workflow(actor, id).await?;
        Ok(self.store_of(actor).find_sampling(id).await?)
    }

    /// Gives a workflow a sampling rule, or changes the one it has. It holds for runs that end from then on, and for
    /// days that are not drawn yet.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such workflow; [`AppError::Invalid`] in words for the person;
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn update_sampling(
        &self,
        actor: &Actor,
        id: WorkflowId,
        rule: SamplingRule,
    ) -> Result<Sampling, AppError> {
        actor.must_operate()?;
        self.get_workflow(actor, id).await?;
        let rule = rule.checked().map_err(|error| AppError::Invalid(error.to_string()))?;
        let store = self.store_of(actor);
        if store.find_sampling(id).await?.is_none_or(|known| known.rule != rule) {
            store.update_sampling(id, &rule, &actor.name, self.clock().now()).await?;
            let parts = if rule.strata == Strata::None { "chance".to_owned() } else { rule.strata.as_str().to_owned() };
            let details = format!(
                "{} by {parts}, at least {} of each, at most {} a day",
                sampling::percent_of(rule.share),
                rule.at_least,
                rule.at_most
            );
            self.audit_by(actor, "workflow.sampling", id, &details).await?;
        }
        store.find_sampling(id).await?.ok_or(AppError::NotFound("sampling rule"))
    }

    /// Samples nothing more of a workflow. What waits in the queue still waits, and what was found stays. Gives whether
    /// it had a rule.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such workflow; [`AppError::Forbidden`] for who does not operate.
    pub async fn delete_sampling(&self, actor: &Actor, id: WorkflowId) -> Result<bool, AppError> {
        actor.must_operate()?;
        self.get_workflow(actor, id).await?;
        let had_one = self.store_of(actor).delete_sampling(id).await?;
        if had_one {
            self.audit_by(actor, "workflow.sampling", id, "nothing more is sampled").await?;
        }
        Ok(had_one)
    }

    /// What a rule would have taken of a workflow on the last thirty days, and what could be said after a month.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such workflow; [`AppError::Invalid`] in words for the person;
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn preview_sampling(
        &self,
        actor: &Actor,
        id: WorkflowId,
        rule: SamplingRule,
    ) -> Result<SamplingPreview, AppError> {
        actor.must_operate()?;
        self.get_workflow(actor, id).await?;
        let rule = rule.checked().map_err(|error| AppError::Invalid(error.to_string()))?;
        let store = self.store_of(actor);
        let today = self.clock().now().day();
        let period = Period { start: sampling::start_of(today - PREVIEW_DAYS), end: sampling::start_of(today) };
        let counted = store.count_sampling_candidates(id, rule.strata, period, PREVIEW_RUNS).await?;
        let audit = store.sum_samples(&[id], period).await?.remove(&id).unwrap_or_default();
        Ok(preview_of(&rule, today, counted, audit.share()))
    }

    /// Draws days as they come to their end, until the program ends.
    pub(crate) async fn sample_forever(self) {
        loop {
            // In a task of its own, so that a fault ends that task and not sampling.
            let app = self.clone();
            match tokio::spawn(async move { app.sample_runs().await }).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "completed runs could not be sampled");
                }
                Err(fault) => tracing::error!(%fault, "sampling of completed runs failed"),
            }
            tokio::time::sleep(LOOK_AROUND).await;
        }
    }

    /// Draws all days that are over, in all agencies. Gives how many samples entered the queue.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. What is drawn stays drawn.
    pub async fn sample_runs(&self) -> Result<u64, AppError> {
        let until = sampling::days_over(self.clock().now(), 0);
        let mut n = 0;
        for (agency_id, workflow_id) in self.store().list_to_sample(until, WORKFLOWS_AT_ONCE).await? {
            match self.sample_workflow(agency_id, workflow_id).await {
                Ok(taken) => n += taken,
                // Another process is at it, or the rule was changed: the next look sees what is left.
                Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) => {}
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    workflow.id = %workflow_id,
                    "completed runs of workflow {workflow_id} could not be sampled"
                ),
            }
        }
        Ok(n)
    }

    async fn sample_workflow(&self, agency_id: AgencyId, workflow_id: WorkflowId) -> Result<u64, AppError> {
        let store = self.agency(agency_id);
        let Some(workflow) = store.find_workflow(workflow_id).await? else { return Ok(0) };
        let Some(mut known) = store.find_sampling(workflow_id).await? else { return Ok(0) };
        let now = self.clock().now();
        let until = sampling::days_over(now, workflow.settings.settle_ms);
        if known.decided_until >= until {
            return Ok(0);
        }
        let arrivals = self.arrivals(agency_id, workflow, now).await?;
        let drawn_before = known.decided_until;
        let mut n = 0;
        // What is older is history, which nobody looks at.
        for day in drawn_before.max(sampling::first_day(now))..until {
            n += self.draw_day(&arrivals, agency_id, &known, day, now).await?;
            known.decided_until = day + 1;
        }
        n += self.draw_late(&arrivals, agency_id, &known, drawn_before, now).await?;
        if n > 0 {
            self.live().tell(Change { agency_id, workflows: vec![workflow_id], n_runs: 0 });
        }
        Ok(n)
    }

    async fn draw_day(
        &self,
        arrivals: &Arrivals,
        agency_id: AgencyId,
        known: &Sampling,
        day: i32,
        now: Timestamp,
    ) -> Result<u64, AppError> {
        let store = self.agency(agency_id);
        let workflow = arrivals.workflow.id;
        let period = Period { start: sampling::start_of(day).max(known.since), end: sampling::start_of(day + 1) };
        let mut draw = Draw::new(workflow, day, known.rule);
        let mut behind = None;
        loop {
            let runs =
                store.list_sampling_candidates(workflow, known.rule.strata, period, now, behind, RUNS_AT_ONCE).await?;
            let Some(last) = runs.last() else { break };
            behind = Some((last.ended_at, last.run_id));
            for run in runs {
                let (stratum, key) = (run.stratum.clone(), run.run_key.clone());
                draw.add(&stratum, &key, run);
            }
        }
        let (strata, chosen) = draw.choose();
        let sample = |taken: Chosen<SamplingCandidate>| {
            let stratum = strata.get(taken.stratum).map(|stratum: &Stratum| stratum.name.clone()).unwrap_or_default();
            new_sample(arrivals, &known.rule, taken.item, taken.run, stratum, taken.probability)
        };
        let samples = chosen.into_iter().map(sample).collect();
        let draw = DayDraw {
            workflow_id: workflow,
            day,
            decided_until: known.decided_until,
            changed_at: known.changed_at,
            strata,
            samples,
            now,
        };
        Ok(store.commit_day_draw(draw).await?)
    }

    /// Takes runs that became final since their day was drawn, as far as their day has room: each when its number lies
    /// where its part of the day was taken from.
    async fn draw_late(
        &self,
        arrivals: &Arrivals,
        agency_id: AgencyId,
        known: &Sampling,
        drawn_before: i32,
        now: Timestamp,
    ) -> Result<u64, AppError> {
        let store = self.agency(agency_id);
        let workflow = arrivals.workflow.id;
        let first_day = sampling::first_day(now);
        let period =
            Period { start: sampling::start_of(first_day).max(known.since), end: sampling::start_of(drawn_before) };
        let became_final = Period { start: known.looked_at.plus_micros(-OVERLAP_MICROS), end: now.plus_micros(1) };
        let mut days = Days::of(store.list_sampling_days(workflow, first_day).await?, &known.rule);
        let mut samples = Vec::new();
        let mut behind: Option<(Timestamp, RunId)> = None;
        loop {
            let runs = store
                .list_late_candidates(workflow, known.rule.strata, period, became_final, behind, RUNS_AT_ONCE)
                .await?;
            let Some((at, last)) = runs.last() else { break };
            behind = Some((*at, last.run_id));
            let mut chosen: Vec<(ItemId, f64, SamplingCandidate)> = Vec::new();
            for (_, run) in runs {
                if let Some(probability) = days.chooses(workflow, &run) {
                    chosen.push((sampling::item_of(workflow, &run.run_key), probability, run));
                }
            }
            let ids: Vec<ItemId> = chosen.iter().map(|(id, ..)| *id).collect();
            let there: HashSet<ItemId> = store.find_known_samples(&ids).await?.into_iter().collect();
            for (id, probability, run) in chosen {
                if !there.contains(&id) && days.take(&run) {
                    let stratum = run.stratum.clone();
                    samples.push(new_sample(arrivals, &known.rule, id, run, stratum, probability));
                }
            }
        }
        let draw = LateDraw {
            workflow_id: workflow,
            looked_at: known.looked_at,
            taken: days.taken.into_iter().map(|((day, stratum), n)| (day, stratum, n)).collect(),
            samples,
            now,
        };
        Ok(store.commit_late_draw(draw).await?)
    }
}

fn new_sample(
    arrivals: &Arrivals,
    rule: &SamplingRule,
    id: ItemId,
    run: SamplingCandidate,
    stratum: String,
    probability: f64,
) -> NewSample {
    let ended_at = run.ended_at;
    let item = arrivals.sample(id, run, sampling::reason(rule, &stratum, probability));
    NewSample { item, ended_at, stratum, probability }
}

/// What was drawn of past days, for runs that come late.
struct Days {
    share: f64,
    at_most: u32,
    strata: HashMap<(i32, String), (f64, f64)>,
    n_taken: HashMap<i32, u32>,
    taken: BTreeMap<(i32, String), u32>,
}

impl Days {
    fn of(drawn: Vec<(i32, Stratum)>, rule: &SamplingRule) -> Self {
        let mut days = Self {
            share: rule.share,
            at_most: rule.at_most,
            strata: HashMap::new(),
            n_taken: HashMap::new(),
            taken: BTreeMap::new(),
        };
        for (day, stratum) in drawn {
            *days.n_taken.entry(day).or_default() += stratum.n_taken;
            days.strata.insert((day, stratum.name), (stratum.threshold, stratum.probability));
        }
        days
    }

    /// The probability of a run that its day's draw takes. `None` of one that it does not take.
    fn chooses(&self, workflow: WorkflowId, run: &SamplingCandidate) -> Option<f64> {
        let of = |name: &str| self.strata.get(&(run.ended_at.day(), name.to_owned())).copied();
        // A part that the day did not have: the share alone decides.
        let (threshold, probability) = of(&run.stratum).or_else(|| of(OTHERS)).unwrap_or((self.share, self.share));
        (sampling::number_of(workflow, &run.run_key) <= threshold).then_some(probability)
    }

    /// Counts a run as taken, unless its day is full.
    fn take(&mut self, run: &SamplingCandidate) -> bool {
        let day = run.ended_at.day();
        let n = self.n_taken.entry(day).or_default();
        if *n >= self.at_most {
            return false;
        }
        *n += 1;
        *self.taken.entry((day, run.stratum.clone())).or_default() += 1;
        true
    }
}

/// A preview by how many runs of each part there were on which day, `today` left out.
fn preview_of(
    rule: &SamplingRule,
    today: i32,
    counted: Vec<(i32, String, u64)>,
    audited: Option<f64>,
) -> SamplingPreview {
    let n: u64 = counted.iter().map(|(.., n)| n).sum();
    let mut days: BTreeMap<i32, Vec<(String, u64)>> = BTreeMap::new();
    for (day, part, n) in counted {
        days.entry(day).or_default().push((part, n));
    }
    if n >= u64::from(PREVIEW_RUNS) && days.len() > 1 {
        // Of the first day only the end was looked at.
        days.pop_first();
    }
    // Days before the first run tell nothing of a workflow that is young.
    let n_days = days.keys().next().map_or(0, |first| today - first);
    let a_day = |n: f64| n / f64::from(n_days.max(1));
    let mut parts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let (mut completed, mut taken, mut squares) = (0.0, 0.0, 0.0);
    for day in days.into_values() {
        let sizes: Vec<u64> = day.iter().map(|(_, n)| *n).collect();
        for ((part, n), allotment) in day.into_iter().zip(sampling::allot(rule, &sizes, 0.0)) {
            let (n, wanted) = (n as f64, allotment.probability * n as f64);
            let sums = parts.entry(part).or_default();
            (sums.0, sums.1) = (sums.0 + n, sums.1 + wanted);
            (completed, taken) = (completed + n, taken + wanted);
            squares += if wanted > 0.0 { n * n / wanted } else { 0.0 };
        }
    }
    let share = audited.unwrap_or(SUPPOSED_SHARE);
    // Samples of equal weight that would say as much, after as many days as a month has.
    let effective = if squares > 0.0 { completed * completed / squares * 30.0 / f64::from(n_days.max(1)) } else { 0.0 };
    let mut parts: Vec<_> = parts.into_iter().map(|(name, (n, wanted))| (name, a_day(n), a_day(wanted))).collect();
    parts.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    SamplingPreview {
        days: n_days.unsigned_abs(),
        completed_a_day: a_day(completed),
        taken_a_day: a_day(taken),
        parts,
        share,
        is_supposed: audited.is_none(),
        interval: wilson_of_share(share, effective),
    }
}

#[cfg(test)]
mod tests {
    use steward_core::sampling::{Audit, Audited};
    use uuid::Uuid;

    use super::*;

    /// SplitMix64 (Steele, Lea, Flood 2014): chance that is the same each time.
    struct Chance(u64);

    impl Chance {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    /// How often, of a hundred, the interval holds the true share: `parts` are runs a day and the share of each part's
    /// claims that stand.
    fn held(rule: SamplingRule, parts: &[(&str, u32, f64)], n_days: i32, reviewed: f64) -> (f64, f64) {
        const TRIALS: u32 = 500;
        let runs: f64 = parts.iter().map(|(_, n, _)| f64::from(*n)).sum();
        let truth = parts.iter().map(|(_, n, share)| f64::from(*n) * share).sum::<f64>() / runs;
        let mut chance = Chance(4);
        let (mut n_held, mut sum) = (0, 0.0);
        for trial in 0..TRIALS {
            let workflow = WorkflowId::from_uuid(Uuid::from_u128(u128::from(trial) + 1));
            let mut audit = Audit::default();
            for day in 0..n_days {
                let mut draw = Draw::new(workflow, day, rule);
                for (part, n, share) in parts {
                    for run in 0..*n {
                        draw.add(part, &format!("{part} {day} {run}"), chance.next() < *share);
                    }
                }
                for taken in draw.choose().1 {
                    let said = (chance.next() < reviewed).then_some(taken.run);
                    audit.add(taken.probability, said, 1);
                }
            }
            let audited = Audited::of([(audit, 1_000, 1_000)]);
            let Some(share) = audited.share else { continue };
            let (low, high) = wilson_of_share(share, audited.effective).expect("something is reviewed");
            n_held += u32::from((low..=high).contains(&truth));
            sum += share;
        }
        (100.0 * f64::from(n_held) / f64::from(TRIALS), sum / f64::from(TRIALS) - truth)
    }

    #[test]
    fn the_interval_holds_the_truth_about_95_times_in_100() {
        let by_chance = SamplingRule { share: 0.05, strata: Strata::None, at_least: 0, at_most: 500 };
        let of_each = SamplingRule { strata: Strata::Release, at_least: 2, ..by_chance };
        let capped = SamplingRule { at_most: 5, ..of_each };
        let parts: &[(&str, u32, f64)] = &[("v1", 60, 0.9), ("v2", 6, 0.4), ("v3", 1, 0.2)];
        for (rule, parts, n_days, reviewed) in [
            (by_chance, &[("", 60, 0.85)][..], 20, 1.0),
            // Three runs a day: on most days none is taken, and each run counts all the same.
            (by_chance, &[("", 3, 0.8)], 400, 1.0),
            (of_each, parts, 20, 1.0),
            (of_each, parts, 30, 0.6),
            (capped, parts, 20, 1.0),
        ] {
            let (held, bias) = held(rule, parts, n_days, reviewed);
            assert!((92.0..=98.8).contains(&held), "{held} of 100: {rule:?} {parts:?}");
            assert!(bias.abs() < 0.015, "{bias}: {rule:?} {parts:?}");
        }
    }
}
