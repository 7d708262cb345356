//! Sampling for quality: a share of the runs that are claimed completed goes to a person, and what they say of these
//! is said of all.
//!
//! A workflow's runs are chosen a whole day at a time, by numbers that hang on nothing but the workflow and the run's
//! key: whoever chooses again, in whatever order, chooses the same. Each run of a stratum has the same probability to
//! be chosen, which is kept with the sample, so that strata of which more was taken weigh less in the estimate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ids::{ItemId, WorkflowId};
use crate::outcome::Outcome;
use crate::queue::OLDEST_MS;
use crate::reviews::{AgentWas, Judgement};
use crate::time::{DAY_MICROS, Timestamp};

/// The smallest share of a workflow's completed runs: one in a thousand.
pub const MIN_SHARE: f64 = 0.001;
/// The most samples of a workflow and a day.
pub const MAX_A_DAY: u32 = 500;
/// The most strata of a day; what is beyond them is one stratum together.
pub const MAX_STRATA: usize = 200;
/// The name of the stratum of what lies beyond [`MAX_STRATA`].
pub const OTHERS: &str = "others";
/// How long after the end of a day its runs are chosen, in milliseconds, beside the time that a workflow leaves for
/// late data.
pub const MARGIN_MS: i64 = 3_600_000;

/// What a workflow's runs are divided by before some of each part are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strata {
    /// Nothing: chance alone.
    #[default]
    None,
    /// The release.
    Release,
    /// What says that they completed.
    Evidence,
    /// The models that they called.
    Model,
}

impl Strata {
    /// Every division, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::None, Self::Release, Self::Evidence, Self::Model];

    /// The word for it, as stored and as the API says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Release => "release",
            Self::Evidence => "evidence",
            Self::Model => "model",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strata| strata.as_str() == word)
    }
}

/// Which completed runs of a workflow go to review.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplingRule {
    /// The share of them, above 0 and at most 1.
    pub share: f64,
    /// What they are divided by first.
    #[serde(default)]
    pub strata: Strata,
    /// How many of each stratum and day at least, where there are so many.
    #[serde(default)]
    pub at_least: u32,
    /// How many of the workflow and a day at most.
    pub at_most: u32,
}

/// Why a rule is not taken, in words for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitSampling {
    /// A share that is none.
    #[error("the share of completed runs lies between 0.1 % and 100 %")]
    NoShare,
    /// A most that is none.
    #[error("at most 1 to {MAX_A_DAY} runs a day go to review")]
    NoMost,
    /// More at least than at most.
    #[error("at least so many of each part cannot be more than at most so many of all")]
    LeastAboveMost,
}

impl SamplingRule {
    /// The rule, when it is one.
    ///
    /// # Errors
    ///
    /// An [`UnfitSampling`] that says what is wrong with it.
    pub fn checked(self) -> Result<Self, UnfitSampling> {
        // What is no number lies in no range.
        if !(MIN_SHARE..=1.0).contains(&self.share) {
            return Err(UnfitSampling::NoShare);
        }
        if !(1..=MAX_A_DAY).contains(&self.at_most) {
            return Err(UnfitSampling::NoMost);
        }
        if self.at_least > self.at_most {
            return Err(UnfitSampling::LeastAboveMost);
        }
        Ok(self)
    }
}

/// The item of a run's sample. It follows from the workflow and the run's key, so that a run is sampled once.
#[must_use]
pub fn item_of(workflow: WorkflowId, run_key: &str) -> ItemId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest("item", workflow, run_key.as_bytes())[..16]);
    // A UUID of version 8: made of something else than time or chance.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    ItemId::from_uuid(Uuid::from_bytes(bytes))
}

/// A run's number, at least 0 and below 1: as good as drawn by chance, and always the same.
#[must_use]
pub fn number_of(workflow: WorkflowId, run_key: &str) -> f64 {
    fraction(&digest("run", workflow, run_key.as_bytes()))
}

/// The number by which a day's whole runs are made of parts of runs; see [`allot`].
#[must_use]
pub fn offset_of(workflow: WorkflowId, day: i32) -> f64 {
    fraction(&digest("day", workflow, &day.to_be_bytes()))
}

fn digest(of: &str, workflow: WorkflowId, key: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(of.as_bytes());
    hash.update([0]);
    hash.update(workflow.as_uuid().as_bytes());
    hash.update(key);
    hash.finalize().into()
}

/// The first 53 bits as a fraction: as many as a float holds.
fn fraction(digest: &[u8; 32]) -> f64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) >> 11) as f64 / (1_u64 << 53) as f64
}

/// How many runs of a stratum are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allotment {
    /// How many of this day.
    pub n: u32,
    /// The probability of each, above 0 and at most 1, where there are any.
    pub probability: f64,
}

/// How many runs are taken of each stratum of a day, by how many it has.
///
/// Of N runs, share × N are wanted, but at least so many as the rule says, or all; where that is more in all strata
/// together than the rule's most, each gets less by the same factor. That is no whole number: the strata are laid end to end, and
/// a stratum gets a run for each whole number of a comb that begins at `offset` and falls into it. So a day never has
/// more than the most, a stratum gets what is wanted rounded up or down, and over all days exactly what is wanted on the
/// mean: the probability of each run is what is wanted over N, also where it is far less than one run a day. This is
/// the systematic sampling of Madow (1949), "On the theory of systematic sampling, II", The Annals of Mathematical
/// Statistics 20, over strata.
#[must_use]
pub fn allot(rule: &SamplingRule, sizes: &[u64], offset: f64) -> Vec<Allotment> {
    let wanted: Vec<f64> =
        sizes.iter().map(|n| (rule.share * *n as f64).max(u64::from(rule.at_least).min(*n) as f64)).collect();
    let all: f64 = wanted.iter().sum();
    let factor = if all > f64::from(rule.at_most) { f64::from(rule.at_most) / all } else { 1.0 };
    let (mut reached, mut left) = (offset, u64::from(rule.at_most));
    sizes
        .iter()
        .zip(wanted)
        .map(|(size, wanted)| {
            let wanted = wanted * factor;
            let from = reached;
            reached += wanted;
            // Sums of floats may end a hair beside a whole number.
            let n = ((reached.floor() - from.floor()).max(0.0) as u64).min(*size).min(left);
            left -= n;
            let probability = if *size > 0 { (wanted / *size as f64).min(1.0) } else { 0.0 };
            Allotment { n: n as u32, probability }
        })
        .collect()
}

/// A run of one stratum that may be chosen.
#[derive(Debug, Clone, PartialEq)]
struct Candidate<T> {
    number: f64,
    id: ItemId,
    run: T,
}

/// What a stratum of a day came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// Its name: the release, the kind of evidence, the models; empty for what has none.
    pub name: String,
    /// How many runs it has.
    pub n_runs: u64,
    /// How many of them were taken.
    pub n_taken: u32,
    /// The probability of each.
    pub probability: f64,
    /// The number up to which runs were taken: one that comes late follows it. Negative where none was taken.
    pub threshold: f64,
}

/// A run that is taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<T> {
    /// The item that it becomes.
    pub item: ItemId,
    /// The probability with which it was chosen.
    pub probability: f64,
    /// The place of its stratum among those of the day.
    pub stratum: usize,
    /// The run.
    pub run: T,
}

/// The runs of one day, as they are gone through in any order.
#[derive(Debug)]
pub struct Draw<T> {
    workflow: WorkflowId,
    day: i32,
    rule: SamplingRule,
    strata: BTreeMap<String, (u64, Vec<Candidate<T>>)>,
}

impl<T> Draw<T> {
    /// A day of which no run is known yet.
    #[must_use]
    pub fn new(workflow: WorkflowId, day: i32, rule: SamplingRule) -> Self {
        Self { workflow, day, rule, strata: BTreeMap::new() }
    }

    /// Adds a run. Holds no more of each stratum than could be taken.
    pub fn add(&mut self, stratum: &str, run_key: &str, run: T) {
        let is_full = self.strata.len() >= MAX_STRATA && !self.strata.contains_key(stratum);
        let stratum = if is_full { OTHERS } else { stratum };
        let number = number_of(self.workflow, run_key);
        let id = item_of(self.workflow, run_key);
        let (n, candidates) = self.strata.entry(stratum.to_owned()).or_default();
        *n += 1;
        let at = candidates.partition_point(|known| (known.number, known.id) < (number, id));
        if at < self.rule.at_most as usize {
            candidates.insert(at, Candidate { number, id, run });
            candidates.truncate(self.rule.at_most as usize);
        }
    }

    /// The strata, and what is taken of them.
    #[must_use]
    pub fn choose(self) -> (Vec<Stratum>, Vec<Chosen<T>>) {
        let sizes: Vec<u64> = self.strata.values().map(|(n, _)| *n).collect();
        let allotted = allot(&self.rule, &sizes, offset_of(self.workflow, self.day));
        let mut strata = Vec::with_capacity(sizes.len());
        let mut chosen = Vec::new();
        for (place, ((name, (n_runs, candidates)), allotment)) in self.strata.into_iter().zip(allotted).enumerate() {
            let n = allotment.n as usize;
            let threshold = match n {
                0 => -1.0,
                // Where all are taken, what comes late is taken too.
                _ if n as u64 == n_runs => 1.0,
                _ => candidates.get(n - 1).map_or(-1.0, |last| last.number),
            };
            let probability = allotment.probability;
            strata.push(Stratum { name, n_runs, n_taken: allotment.n, probability, threshold });
            let taken = candidates.into_iter().take(n);
            chosen.extend(taken.map(|one| Chosen { item: one.id, probability, stratum: place, run: one.run }));
        }
        (strata, chosen)
    }
}

/// The day, in whole days since the epoch, up to which all days are over long enough to be drawn, itself left out.
#[must_use]
pub fn days_over(now: Timestamp, settle_ms: i64) -> i32 {
    now.plus_ms(-(MARGIN_MS.saturating_add(settle_ms.max(0)))).day()
}

/// The first day, in whole days since the epoch, whose runs are not history.
#[must_use]
pub fn first_day(now: Timestamp) -> i32 {
    now.plus_ms(-OLDEST_MS).day()
}

/// The first instant of a day.
#[must_use]
pub const fn start_of(day: i32) -> Timestamp {
    Timestamp(day as i64 * DAY_MICROS)
}

/// Why a run was taken, in words for whoever looks at it.
#[must_use]
pub fn reason(rule: &SamplingRule, stratum: &str, probability: f64) -> String {
    let percent = percent_of(probability);
    let what = match rule.strata {
        Strata::None => String::new(),
        _ if stratum == OTHERS => " of the rarer parts".to_owned(),
        Strata::Release if stratum.is_empty() => " that name no release".to_owned(),
        Strata::Release => format!(" of release {stratum}"),
        Strata::Evidence => format!(" by {}", evidence_in_words(stratum)),
        Strata::Model if stratum.is_empty() => " that called no model".to_owned(),
        Strata::Model => format!(" of {stratum}"),
    };
    format!("One of {percent} of the completed runs{what}")
}

/// A kind of evidence as part of a sentence.
#[must_use]
pub fn evidence_in_words(kind: &str) -> &str {
    match kind {
        "verdict" => "a person's word",
        "explicit" => "the agent's own word",
        "score" => "a score",
        "rule" => "a rule",
        "status" => "its status",
        other => other,
    }
}

/// A share in per cent with at most two places behind the point, as in a sentence.
#[must_use]
pub fn percent_of(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} %")
}

/// Whether a run stands as completed after a review of its sample. `stood` is the outcome that people gave the run
/// before, or `Completed` when they gave none.
///
/// A reviewer who calls the agent wrong, and does not say what came of the run, does not let its claim stand. Who found
/// the agent wrong and the job done says so.
#[must_use]
pub fn stands(judgement: &Judgement, stood: Outcome) -> bool {
    match (judgement.outcome, judgement.agent) {
        (Some(outcome), _) => outcome == Outcome::Completed,
        (None, Some(AgentWas::Wrong)) => false,
        (None, _) => stood == Outcome::Completed,
    }
}

/// What reviewed samples say of one workflow.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Audit {
    /// Samples of runs that ended in the period.
    pub sampled: u64,
    /// Of those, reviewed.
    pub reviewed: u64,
    /// The sum of the weights of what was reviewed.
    weights: f64,
    /// The same of what stands as completed.
    completed: f64,
    /// The sum of the squares of the weights.
    squares: f64,
}

impl Audit {
    /// Adds so many samples of one probability. `completed` is what their review says, `None` while there is none.
    pub fn add(&mut self, probability: f64, completed: Option<bool>, n: u64) {
        self.sampled += n;
        let Some(completed) = completed else { return };
        if !(probability > 0.0 && probability <= 1.0) {
            return;
        }
        self.reviewed += n;
        let weight = 1.0 / probability;
        self.weights += weight * n as f64;
        self.squares += weight * weight * n as f64;
        if completed {
            self.completed += weight * n as f64;
        }
    }

    /// The share of what is claimed completed that stands. `None` while nothing is reviewed.
    ///
    /// The ratio estimator of Hájek (1971), "Comment on a paper by D. Basu", in Foundations of Statistical Inference:
    /// Σ w·y / Σ w with w one over the probability of each sample.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.weights > 0.0).then(|| (self.completed / self.weights).clamp(0.0, 1.0))
    }

    /// How many samples of equal weight would say as much: (Σ w)² / Σ w², after Kish (1965), Survey Sampling.
    #[must_use]
    pub fn effective(&self) -> f64 {
        if self.squares > 0.0 { self.weights * self.weights / self.squares } else { 0.0 }
    }
}

/// What samples say of some workflows together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Audited {
    /// Samples.
    pub sampled: u64,
    /// Of those, reviewed.
    pub reviewed: u64,
    /// The share of what is claimed completed that stands. `None` while nothing is reviewed.
    pub share: Option<f64>,
    /// How many samples of equal weight would say as much.
    pub effective: f64,
    /// Runs claimed completed, of the workflows of which something is reviewed.
    pub claimed: i64,
    /// Runs of which an outcome is claimed, of these workflows.
    pub verified: i64,
    /// Of how many workflows something is reviewed.
    pub n_audited: usize,
    /// How many workflows claim that runs completed.
    pub n_claiming: usize,
}

impl Audited {
    /// Puts the audits of workflows together, each with its runs claimed completed and those of which an outcome is claimed.
    ///
    /// Each workflow weighs what it claims, however much of it was looked at.
    #[must_use]
    pub fn of(parts: impl IntoIterator<Item = (Audit, i64, i64)>) -> Self {
        let mut all = Self::default();
        let (mut stands, mut variance) = (0.0, 0.0);
        for (audit, claimed, verified) in parts {
            all.sampled += audit.sampled;
            all.reviewed += audit.reviewed;
            all.n_claiming += usize::from(claimed > 0);
            let Some(share) = audit.share().filter(|_| claimed > 0) else { continue };
            all.n_audited += 1;
            all.claimed += claimed;
            all.verified += verified;
            stands += share * claimed as f64;
            variance += (claimed as f64).powi(2) / audit.effective();
        }
        if all.claimed > 0 {
            let claimed = all.claimed as f64;
            all.share = Some((stands / claimed).clamp(0.0, 1.0));
            all.effective = claimed * claimed / variance;
        }
        all
    }

    /// The claimed rate of these workflows. `None` while nothing is reviewed.
    #[must_use]
    pub fn claimed_rate(&self) -> Option<f64> {
        (self.verified > 0).then(|| (self.claimed as f64 / self.verified as f64).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workflow(n: u128) -> WorkflowId {
        WorkflowId::from_uuid(Uuid::from_u128(n))
    }

    fn rule(share: f64, at_least: u32, at_most: u32) -> SamplingRule {
        SamplingRule { share, strata: Strata::Release, at_least, at_most }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for share in [0.0, -0.1, 0.000_9, 1.000_1, 1e308, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324] {
            assert_eq!(rule(share, 0, 10).checked(), Err(UnfitSampling::NoShare), "{share}");
        }
        for at_most in [0, MAX_A_DAY + 1, u32::MAX] {
            assert_eq!(rule(0.1, 0, at_most).checked(), Err(UnfitSampling::NoMost), "{at_most}");
        }
        assert_eq!(rule(0.1, 11, 10).checked(), Err(UnfitSampling::LeastAboveMost));
        for known in [rule(MIN_SHARE, 0, 1), rule(1.0, MAX_A_DAY, MAX_A_DAY)] {
            assert_eq!(known.checked(), Ok(known));
        }
    }

    #[test]
    fn numbers_are_even_and_always_the_same() {
        let numbers: Vec<f64> = (0..20_000).map(|n| number_of(workflow(1), &format!("run-{n}"))).collect();
        assert!(numbers.iter().all(|n| (0.0..1.0).contains(n)));
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let below = numbers.iter().filter(|n| **n < 0.05).count();
        assert!((900..1_100).contains(&below), "{below}");
        assert_ne!(number_of(workflow(1), "a"), number_of(workflow(2), "a"));
        // Kept as they are: other numbers would draw other runs of a day that is drawn again.
        assert_eq!(number_of(workflow(1), "a").to_bits(), NUMBER_OF_A);
        assert_ne!(item_of(workflow(1), "a"), item_of(workflow(1), "b"));
    }

    /// The number of the run `a` of workflow 1, bit by bit.
    const NUMBER_OF_A: u64 = 4_596_663_662_047_986_316;

    #[test]
    fn a_share_of_few_runs_is_taken_on_some_days() {
        // Three runs a day at 5 %: 15 on 100 days, and never two on one.
        let taken: Vec<u32> =
            (0..20_000).map(|day| allot(&rule(0.05, 0, 10), &[3], offset_of(workflow(7), day))[0].n).collect();
        assert!(taken.iter().all(|n| *n <= 1));
        let all: u32 = taken.iter().sum();
        assert!((2_850..3_150).contains(&all), "{all}");
    }

    #[test]
    fn a_rare_stratum_is_seen_and_the_most_is_kept() {
        let allotted = allot(&rule(0.05, 2, 50), &[600, 3, 1, 0], 0.3);
        assert_eq!(allotted.iter().map(|a| a.n).collect::<Vec<_>>(), [30, 2, 1, 0]);
        let probabilities: Vec<f64> = allotted.iter().map(|a| a.probability).collect();
        assert!((probabilities[1] - 2.0 / 3.0).abs() < 1e-12 && probabilities[2] == 1.0 && probabilities[3] == 0.0);
        // Of 1,000 wanted 10 may be taken: each part gets a hundredth.
        let allotted = allot(&rule(1.0, 0, 10), &[700, 300], 0.999_999);
        assert_eq!(allotted.iter().map(|a| a.n).sum::<u32>(), 10);
        assert!(allotted.iter().all(|a| (a.probability - 0.01).abs() < 1e-12));
    }

    #[test]
    fn a_draw_takes_the_same_in_any_order() {
        let draw = |keys: &[String]| {
            let mut draw = Draw::new(workflow(3), 20_000, rule(0.1, 1, 40));
            for key in keys {
                draw.add(if key.ends_with('7') { "v2" } else { "v1" }, key, key.clone());
            }
            draw.choose()
        };
        let mut keys: Vec<String> = (0..300).map(|n| format!("run-{n}")).collect();
        let (strata, chosen) = draw(&keys);
        keys.reverse();
        assert_eq!(draw(&keys), (strata.clone(), chosen.clone()));
        assert_eq!(
            strata.iter().map(|s| (s.name.as_str(), s.n_runs, s.n_taken)).collect::<Vec<_>>(),
            [("v1", 270, 27), ("v2", 30, 3)]
        );
        assert_eq!(chosen.len(), 30);
        for taken in &chosen {
            let key = &taken.run;
            assert_eq!((taken.item, taken.probability), (item_of(workflow(3), key), 0.1));
            assert!(number_of(workflow(3), key) <= strata[taken.stratum].threshold);
        }
        let left = keys.iter().filter(|key| chosen.iter().all(|taken| taken.run != **key));
        for key in left {
            let place = usize::from(key.ends_with('7'));
            assert!(number_of(workflow(3), key) > strata[place].threshold, "{key} follows what was drawn");
        }
    }

    #[test]
    fn very_many_parts_are_bounded() {
        let mut draw = Draw::new(workflow(3), 20_000, rule(0.5, 1, 100));
        for n in 0..5_000 {
            draw.add(&format!("v{n}"), &format!("run-{n}"), ());
        }
        let (strata, chosen) = draw.choose();
        assert_eq!((strata.len(), chosen.len()), (MAX_STRATA + 1, 100));
        assert_eq!(strata.iter().map(|s| s.n_runs).sum::<u64>(), 5_000);
    }

    #[test]
    fn what_a_review_says_of_a_claim() {
        let judged = |agent, outcome| Judgement { agent, outcome, ..Judgement::default() };
        let done = Outcome::Completed;
        for (judgement, stood, expected) in [
            (judged(None, None), done, true),
            (judged(Some(AgentWas::Right), None), done, true),
            (judged(Some(AgentWas::Wrong), None), done, false),
            (judged(Some(AgentWas::Wrong), Some(done)), done, true),
            (judged(Some(AgentWas::Right), Some(Outcome::Failed)), done, false),
            (judged(None, Some(Outcome::Escalated)), done, false),
            (judged(Some(AgentWas::Right), None), Outcome::Failed, false),
            (judged(None, Some(done)), Outcome::Failed, true),
        ] {
            assert_eq!(stands(&judgement, stood), expected, "{judgement:?} {stood:?}");
        }
    }

    #[test]
    fn the_estimate_is_the_one_by_hand() {
        let mut audit = Audit::default();
        assert_eq!((audit.share(), audit.effective()), (None, 0.0));
        // Ten runs stand for 20 each, two of them fall; two of a rare release stand for one each, and one of them falls.
        audit.add(0.05, Some(true), 8);
        audit.add(0.05, Some(false), 2);
        audit.add(1.0, Some(true), 1);
        audit.add(1.0, Some(false), 1);
        audit.add(0.05, None, 3);
        assert_eq!((audit.sampled, audit.reviewed), (15, 12));
        assert!((audit.share().expect("a share") - 161.0 / 202.0).abs() < 1e-12);
        assert!((audit.effective() - 202.0 * 202.0 / 4_002.0).abs() < 1e-9);
        let one = Audited::of([(audit, 900, 1_000)]);
        assert!((one.claimed_rate().expect("a rate") - 0.9).abs() < 1e-12);
        assert!((one.effective - audit.effective()).abs() < 1e-9);
        // A second workflow claims a ninth as much, and all of it stands; a third claims, and nobody looked.
        let mut other = Audit::default();
        other.add(0.5, Some(true), 4);
        let both = Audited::of([(audit, 900, 1_000), (other, 100, 200), (Audit::default(), 5_000, 5_000)]);
        let expected = (161.0 / 202.0 * 900.0 + 100.0) / 1_000.0;
        assert!((both.share.expect("a share") - expected).abs() < 1e-12);
        let effective = 1_000.0_f64.powi(2) / (900.0_f64.powi(2) / audit.effective() + 100.0_f64.powi(2) / 4.0);
        assert!((both.effective - effective).abs() < 1e-9);
        assert_eq!((both.claimed, both.verified, both.n_audited, both.n_claiming), (1_000, 1_200, 2, 3));
        assert_eq!(Audited::of([(Audit::default(), 10, 10)]).share, None);
    }

    #[test]
    fn a_reason_reads_as_a_title() {
        let by = |strata| SamplingRule { strata, ..rule(0.05, 0, 10) };
        assert_eq!(reason(&by(Strata::None), "", 0.05), "One of 5 % of the completed runs");
        assert_eq!(reason(&by(Strata::Release), "v2", 2.0 / 3.0), "One of 66.67 % of the completed runs of release v2");
        assert_eq!(
            reason(&by(Strata::Release), "", 0.001_2),
            "One of 0.12 % of the completed runs that name no release"
        );
        assert_eq!(
            reason(&by(Strata::Evidence), "explicit", 1.0),
            "One of 100 % of the completed runs by the agent's own word"
        );
    }

    proptest! {
        #[test]
        fn an_allotment_keeps_its_bounds(
            share in MIN_SHARE..=1.0, at_least in 0u32..20, more in 0u32..480,
            sizes in proptest::collection::vec(0u64..100_000, 0..40), offset in 0.0f64..1.0,
        ) {
            let rule = rule(share, at_least, (at_least + more).max(1));
            let allotted = allot(&rule, &sizes, offset);
            prop_assert_eq!(allotted.len(), sizes.len());
            prop_assert!(allotted.iter().map(|a| u64::from(a.n)).sum::<u64>() <= u64::from(rule.at_most));
            for (allotment, size) in allotted.iter().zip(&sizes) {
                let wanted = allotment.probability * *size as f64;
                prop_assert!(u64::from(allotment.n) <= *size);
                prop_assert!((f64::from(allotment.n) - wanted).abs() < 1.0 + 1e-6, "{allotment:?} of {size}");
                prop_assert!((0.0..=1.0).contains(&allotment.probability));
            }
        }
    }
}
