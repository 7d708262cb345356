//! Today: what needs somebody now, and nothing else.

use std::collections::HashMap;

use steward_core::ids::{ClientId, PatternId, WorkflowId};
use steward_core::metrics::Sums;
use steward_core::outcome::Outcome;
use steward_core::patterns::PatternState;
use steward_core::step::cut_text;
use steward_core::tallies::Metric;
use steward_core::time::{DAY_MICROS, HOUR_MICROS, Period, Timestamp};
use steward_core::workflow::{ValueBasis, Workflow};
use steward_stats::intervals::newcombe_difference;
use steward_store::tenant::{PatternFilter, PatternListed, PatternSort, TallyQuery};

use crate::connections::Beat;
use crate::figures::last_days;
use crate::{Actor, App, AppError};

/// Hours in a week.
const WEEK_HOURS: i64 = 168;
/// Shorter silences are not looked at.
const LEAST_SILENCE_HOURS: i64 = 3;
/// A workflow that has been still for longer is put away or a recording, and no news.
const MOST_SILENCE_DAYS: i64 = 35;
/// Patterns that were not seen for longer are no news.
const NEWS_DAYS: i64 = 7;
/// The most patterns that are looked at, the commonest first.
const MOST_PATTERNS: u32 = 500;
/// The most patterns of one workflow that came back and are told one by one.
const MOST_REGRESSED: usize = 3;
/// So many runs missing by chance alone would be one time in three thousand, if runs come independently.
const MISSED_RUNS: f64 = 8.0;

/// Something that needs somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Attention {
    /// How much it matters; the highest first.
    pub urgency: Urgency,
    /// What it is.
    pub kind: AttentionKind,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// Its name.
    pub workflow: String,
    /// Its client.
    pub client_id: Option<ClientId>,
    /// What is the matter, in a sentence.
    pub words: String,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// When there is time.
    Low,
    /// This week.
    Medium,
    /// Now.
    High,
}

/// What needs somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttentionKind {
    /// Telemetry names a workflow that belongs to no client.
    Unassigned,
    /// A workflow that ran steadily has not run for long, or gives no sign of life.
    Silent,
    /// A tool fails much more often than before.
    ToolFailing {
        /// The tool.
        tool: String,
        /// The class of most of its errors.
        class: String,
    },
    /// Fewer runs complete than before.
    CompletionFell,
    /// More runs are handed to people than before.
    EscalationsRose,
    /// Most outcomes are unknown.
    LowCoverage,
    /// Runs without cost.
    UnknownCost,
    /// No value is agreed, so the report cannot say what it is worth.
    NoValue,
    /// A pattern of exceptions that was called resolved has come back.
    Regressed {
        /// The pattern.
        pattern: PatternId,
    },
    /// Patterns of exceptions that nobody has looked at.
    NewPatterns {
        /// How many.
        n: usize,
    },
}

impl App {
    /// How many runs a workflow usually had, at the hours of the week that have passed since its last one.
    ///
    /// Usual is what the four weeks before the last run had, so nights and weekends on which it never runs are no silence.
    async fn missed_runs(
        &self,
        actor: &Actor,
        workflow: WorkflowId,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<f64, AppError> {
        let period = Period { start: last.plus_ms(-4 * WEEK_HOURS * 3_600_000), end: last };
        let query = TallyQuery {
            workflows: vec![workflow],
            period,
            slice: String::new(),
            release: None,
            metrics: vec![Metric::Runs],
        };
        let mut usual = [0.0; WEEK_HOURS as usize];
        let at = |hour: i64| usize::try_from(hour.rem_euclid(WEEK_HOURS)).unwrap_or(0);
        for (hour, sums) in self.store_of(actor).list_tallies_by_hour(&query).await? {
            usual[at(i64::from(hour))] += sums.runs() as f64 / 4.0;
        }
        let hours = i64::from(last.hour()) + 1..i64::from(now.hour());
        // A year of silence says no more than a quarter of one.
        Ok(hours.take(2_200).map(|hour| usual[at(hour)]).sum())
    }

    /// What needs the actor now, most urgent first. Empty when nothing does.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn today(&self, actor: &Actor) -> Result<Vec<Attention>, AppError> {
        let workflows = self.visible_workflows(actor, false).await?;
        let store = self.store_of(actor);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let now = self.clock().now();
        let ids: Vec<WorkflowId> = workflows.iter().map(|w| w.id).collect();
        let recent = Period { end: now, ..last_days(now, 3, &agency.zone()) };
        let before = Period { start: recent.start.plus_ms(-28 * 86_400_000), end: recent.start };
        let mut sums = Vec::new();
        for period in [recent, before] {
            let query = TallyQuery {
                workflows: ids.clone(),
                period,
                slice: String::new(),
                release: None,
                metrics: vec![
                    Metric::Runs,
                    Metric::Outcome,
                    Metric::ToolCalls,
                    Metric::ToolErrors,
                    Metric::Cost,
                    Metric::CostUnknown,
                ],
            };
            sums.push(store.sum_tallies(&query).await?.into_iter().collect::<HashMap<_, _>>());
        }
        let mut missed = HashMap::new();
        for (id, last) in store.last_runs().await? {
            let silence = LEAST_SILENCE_HOURS * HOUR_MICROS..MOST_SILENCE_DAYS * DAY_MICROS;
            if ids.contains(&id) && silence.contains(&(now.0 - last.0)) {
                missed.insert(id, (last, self.missed_runs(actor, id, last, now).await?));
            }
        }
        let (before, recent) = (sums.pop().unwrap_or_default(), sums.pop().unwrap_or_default());
        let none = Sums::default();
        let mut all = Vec::new();
        let beats = self.missed_beats(actor.agency_id).await?;
        for workflow in &workflows {
            for beat in beats.iter().filter(|beat| beat.workflow_id == workflow.id) {
                all.push(still(workflow, beat, now));
            }
            let recent = recent.get(&workflow.id).unwrap_or(&none);
            let before = before.get(&workflow.id).unwrap_or(&none);
            look_at(workflow, recent, before, missed.get(&workflow.id).copied(), now, actor, &mut all);
        }
        let filter = PatternFilter {
            workflows: Some(ids),
            states: vec![PatternState::New, PatternState::Regressed],
            period: Some(Period { start: now.plus_micros(-NEWS_DAYS * DAY_MICROS), end: now }),
            ..PatternFilter::default()
        };
        let patterns = store.list_patterns(&filter, PatternSort::Count, None, None, MOST_PATTERNS).await?;
        for workflow in &workflows {
            let own = patterns.iter().filter(|listed| listed.pattern.workflow_id == workflow.id);
            look_at_patterns(workflow, &own.collect::<Vec<_>>(), &mut all);
        }
        all.sort_by(|a, b| b.urgency.cmp(&a.urgency).then_with(|| a.workflow.cmp(&b.workflow)));
        Ok(all)
    }
}

/// A sign of life that is missed.
fn still(workflow: &Workflow, beat: &Beat, now: Timestamp) -> Attention {
    let in_words = |minutes: i64| match minutes {
        ..=119 => format!("{minutes} minutes"),
        120..=2_879 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    };
    let every = in_words(i64::from(beat.every_minutes));
    let silent = in_words(now.ms_since(beat.since) / 60_000);
    let name = &beat.name;
    let words = match beat.last_at {
        Some(_) => format!("the sign of life “{name}”, expected every {every}, came last {silent} ago"),
        None => format!("the sign of life “{name}”, expected every {every}, never came in {silent}"),
    };
    Attention {
        urgency: Urgency::High,
        kind: AttentionKind::Silent,
        workflow_id: workflow.id,
        workflow: workflow.name.clone(),
        client_id: workflow.client_id,
        words,
    }
}

/// What came back, each by itself, and what is new, in one line.
fn look_at_patterns(workflow: &Workflow, patterns: &[&PatternListed], all: &mut Vec<Attention>) {
    let mut add = |urgency, kind, words: String| {
        all.push(Attention {
            urgency,
            kind,
            workflow_id: workflow.id,
            workflow: workflow.name.clone(),
            client_id: workflow.client_id,
            words,
        });
    };
    let runs = |n: i64| if n == 1 { "1 run".to_owned() } else { format!("{n} runs") };
    let is = |state: PatternState| patterns.iter().filter(move |listed| listed.pattern.state == state);
    for listed in is(PatternState::Regressed).take(MOST_REGRESSED) {
        let words = format!(
            "“{}” was called resolved and has come back, in {} of the last week",
            cut_text(listed.pattern.title(), 120),
            runs(listed.n_runs)
        );
        add(Urgency::Medium, AttentionKind::Regressed { pattern: listed.pattern.id }, words);
    }
    let n = is(PatternState::New).count();
    if let Some(most) = is(PatternState::New).next() {
        let words = format!(
            "nobody has looked at {}; the commonest, in {} of the last week, is “{}”",
            if n == 1 { "one problem".to_owned() } else { format!("{n} problems") },
            runs(most.n_runs),
            cut_text(most.pattern.title(), 120)
        );
        add(Urgency::Low, AttentionKind::NewPatterns { n }, words);
    }
}

fn look_at(
    workflow: &Workflow,
    recent: &Sums,
    before: &Sums,
    missed: Option<(Timestamp, f64)>,
    now: Timestamp,
    actor: &Actor,
    all: &mut Vec<Attention>,
) {
    let mut add = |urgency, kind, words: String| {
        all.push(Attention {
            urgency,
            kind,
            workflow_id: workflow.id,
            workflow: workflow.name.clone(),
            client_id: workflow.client_id,
            words,
        });
    };
    if workflow.client_id.is_none() && actor.role.operates() {
        let runs = recent.runs() + before.runs();
        // Runs are counted when their hour is over.
        let is_young = now.0 - workflow.created_at.0 < 2 * HOUR_MICROS;
        let came = match runs {
            0 if is_young => "its first runs have just come in".to_owned(),
            0 => "its runs are older than a month".to_owned(),
            _ => format!("{runs} runs came in under this name"),
        };
        add(Urgency::Medium, AttentionKind::Unassigned, format!("{came}, and it belongs to no client yet"));
    }
    if let Some((last, missed)) = missed.filter(|(_, missed)| *missed >= MISSED_RUNS) {
        let days = (now.0 - last.0) as f64 / DAY_MICROS as f64;
        let silence = if days < 2.0 { format!("{:.0} hours", days * 24.0) } else { format!("{days:.0} days") };
        add(
            Urgency::High,
            AttentionKind::Silent,
            format!(
                "no run for {silence}, in which about {missed:.0} were usual at these hours; nothing reported an error"
            ),
        );
    }
    let calls = |sums: &Sums, tool: &str| sums.of_key(Metric::ToolCalls, tool).0.max(0).unsigned_abs();
    let failed = |sums: &Sums, tool: &str| -> u64 {
        sums.pairs(Metric::ToolErrors)
            .iter()
            .filter(|(t, ..)| *t == tool)
            .map(|(_, _, n, _)| n.max(&0).unsigned_abs())
            .sum()
    };
    for (tool, n, _) in recent.keys(Metric::ToolCalls) {
        let now_failed = failed(recent, tool);
        if n < 10 || now_failed < 5 {
            continue;
        }
        if worse((now_failed, calls(recent, tool)), (failed(before, tool), calls(before, tool)), 0.05) {
            let errors = recent.pairs(Metric::ToolErrors);
            let class = errors
                .iter()
                .filter(|(t, ..)| *t == tool)
                .max_by_key(|(_, _, n, _)| *n)
                .map_or("other", |(_, class, ..)| class);
            let share = 100.0 * now_failed as f64 / n as f64;
            let kind = AttentionKind::ToolFailing { tool: tool.to_owned(), class: class.to_owned() };
            add(
                Urgency::High,
                kind,
                format!(
                    "the tool {tool} failed {now_failed} of {n} times in the last three days ({share:.0} %), mostly {}",
                    in_words(class)
                ),
            );
        }
    }
    let of =
        |sums: &Sums, outcome| (sums.outcome(outcome).max(0).unsigned_abs(), sums.verified().max(0).unsigned_abs());
    let rate = |(part, whole): (u64, u64)| 100.0 * part as f64 / whole.max(1) as f64;
    let not_completed = |sums: &Sums| {
        let (completed, verified) = of(sums, Outcome::Completed);
        (verified.saturating_sub(completed), verified)
    };
    if recent.verified() >= 20 && before.verified() >= 20 {
        if worse(not_completed(recent), not_completed(before), 0.03) {
            let (was, is) = (rate(of(before, Outcome::Completed)), rate(of(recent, Outcome::Completed)));
            add(
                Urgency::High,
                AttentionKind::CompletionFell,
                format!(
                    "{is:.0} % of runs completed in the last three days, against {was:.0} % in the four weeks before"
                ),
            );
        } else if worse(of(recent, Outcome::Escalated), of(before, Outcome::Escalated), 0.03) {
            let (was, is) = (rate(of(before, Outcome::Escalated)), rate(of(recent, Outcome::Escalated)));
            add(
                Urgency::Medium,
                AttentionKind::EscalationsRose,
                format!(
                    "{is:.0} % of runs were handed to people in the last three days, against {was:.0} % in the four weeks before"
                ),
            );
        }
    }
    let both = recent.runs() + before.runs();
    let verified = recent.verified() + before.verified();
    if both >= 10 && (verified as f64) < 0.5 * both as f64 {
        let unknown = both - verified;
        add(
            Urgency::Medium,
            AttentionKind::LowCoverage,
            format!("for {unknown} of {both} runs nothing says whether they did their job: add an outcome rule"),
        );
    }
    if actor.role.sees_money() {
        let unpriced = recent.total(Metric::CostUnknown).0 + before.total(Metric::CostUnknown).0;
        if both >= 10 && unpriced as f64 > 0.05 * both as f64 {
            add(
                Urgency::Low,
                AttentionKind::UnknownCost,
                format!("{unpriced} of {both} runs have no known cost: add a price, or send the cost"),
            );
        }
        if workflow.client_id.is_some() && both >= 10 && workflow.settings.value == ValueBasis::None {
            add(
                Urgency::Low,
                AttentionKind::NoValue,
                "no value is agreed, so nobody can say what it is worth".to_owned(),
            );
        }
    }
}

/// Whether a share of bad things is larger than it was: by at least `margin`, and beyond chance at 95 %.
fn worse(is: (u64, u64), was: (u64, u64), margin: f64) -> bool {
    let share = |(part, whole): (u64, u64)| part as f64 / whole.max(1) as f64;
    let certain =
        if was.1 == 0 { share(is) > 0.3 } else { newcombe_difference(was, is).is_some_and(|(low, _)| low > 0.0) };
    certain && share(is) - share(was) > margin
}

/// A class of errors in words.
#[must_use]
pub fn in_words(class: &str) -> &'static str {
    match class {
        "auth" => "because its authorization was refused",
        "rate_limit" => "because of a rate limit",
        "timeout" => "because it did not answer in time",
        "server" => "because the other side failed",
        "bad_request" => "because the request was refused",
        "validation" => "because data did not fit",
        "money" => "because credits or a quota were used up",
        _ => "for other reasons",
    }
}
