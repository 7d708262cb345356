//! What settings would say of past runs, before they are saved.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use steward_core::derive::{Context, derive};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::WorkflowId;
use steward_core::outcome::{EvidenceKind, Outcome, Verdict};
use steward_core::run::RunFacts;
use steward_core::workflow::WorkflowSettings;
use steward_store::tenant::{RunFilter, RunRow, RunSort, StoredRun};

use super::{WorkflowContext, check};
use crate::{Actor, App, AppError};

/// The most runs that a preview reads.
pub const MAX_PREVIEW: u32 = 500;
/// Runs whose steps are in memory at once.
const RUNS_AT_ONCE: usize = 50;

/// What settings would say of a workflow's last runs.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The runs, the latest first.
    pub runs: Vec<PreviewedRun>,
    /// What the stored readings come to.
    pub before: Totals,
    /// What the settings would make of them.
    pub after: Totals,
    /// Runs whose outcome or results would change.
    pub n_changed: usize,
    /// Runs that would have broken an expectation.
    pub n_broken: usize,
    /// Runs whose steps retention has dropped: they keep their reading.
    pub n_without_steps: usize,
    /// Whether the settings change what one run is. Past runs keep their boundaries, so no preview shows it.
    pub changes_run_unit: bool,
}

/// One run, read in two ways.
#[derive(Debug, Clone)]
pub struct PreviewedRun {
    /// The run as it is listed.
    pub row: RunRow,
    /// As it is stored.
    pub before: Reading,
    /// As the settings would read it.
    pub after: Reading,
}

impl PreviewedRun {
    /// Whether its outcome or its results would change.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.before.outcome != self.after.outcome || self.before.results != self.after.results
    }
}

/// What a run counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What came of it. `None` when it would not count as ended.
    pub outcome: Option<Outcome>,
    /// What the outcome rests on.
    pub evidence: EvidenceKind,
    /// The evidence in words.
    pub words: String,
    /// Results by name, and how many of each.
    pub results: BTreeMap<String, u32>,
    /// Broken expectations: the word of each, and what was broken in words.
    pub broken: Vec<(String, String)>,
}

impl Reading {
    fn of(facts: &RunFacts) -> Self {
        let mut results = BTreeMap::new();
        for result in &facts.results {
            *results.entry(result.name.clone()).or_default() += 1;
        }
        Self {
            outcome: facts.finished.then(|| facts.outcome()),
            evidence: facts.evidence_kind(),
            words: facts.evidence.words.clone(),
            results,
            broken: facts
                .exceptions
                .iter()
                .filter(|exception| exception.kind == ExceptionKind::Expectation)
                .map(|exception| (exception.code.clone(), exception.message.clone()))
                .collect(),
        }
    }
}

/// Sums over runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Runs by outcome.
    pub outcomes: HashMap<Outcome, u32>,
    /// Results by name.
    pub results: BTreeMap<String, u32>,
    /// Runs by the word of the expectation that they broke.
    pub broken: BTreeMap<String, u32>,
}

impl Totals {
    /// How many runs have an outcome.
    #[must_use]
    pub fn of_outcome(&self, outcome: Outcome) -> u32 {
        self.outcomes.get(&outcome).copied().unwrap_or_default()
    }

    fn add(&mut self, reading: &Reading) {
        if let Some(outcome) = reading.outcome {
            *self.outcomes.entry(outcome).or_default() += 1;
        }
        for (name, n) in &reading.results {
            *self.results.entry(name.clone()).or_default() += n;
        }
        let words: BTreeSet<&String> = reading.broken.iter().map(|(word, _)| word).collect();
        for word in words {
            *self.broken.entry(word.clone()).or_default() += 1;
        }
    }
}

impl App {
    /// Reads a workflow's last ended runs, at most `limit`, as settings would read them. Nothing is written.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such workflow; [`AppError::Invalid`] for settings that cannot be right.
    pub async fn preview_settings(
        &self,
        actor: &Actor,
        id: WorkflowId,
        settings: &WorkflowSettings,
        limit: u32,
    ) -> Result<Preview, AppError> {
        actor.must_operate()?;
        check::check_settings(settings)?;
        let mut workflow = self.get_workflow(actor, id).await?;
        let changes_run_unit = workflow.settings.run_unit != settings.run_unit;
        workflow.settings = settings.clone();
        let context = self.load_context(actor.agency_id, workflow).await?;
        let filter =
            RunFilter { workflows: Some(vec![id]), finished: Some(true), with_tests: true, ..RunFilter::default() };
        let store = self.store_of(actor);
        let rows = store.list_runs(&filter, RunSort::Ended, None, limit.clamp(1, MAX_PREVIEW)).await?;
        let mut preview = Preview { changes_run_unit, ..Preview::default() };
        for rows in rows.chunks(RUNS_AT_ONCE) {
            let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
            let stored = store.find_stored_runs(&keys).await?;
            let mut stored: HashMap<String, StoredRun> = stored.into_iter().map(|run| (run.key.clone(), run)).collect();
            // The last verdict of a run is the one that holds.
            let verdicts: HashMap<String, Option<Verdict>> =
                store.list_verdicts(&keys).await?.into_iter().map(|(key, row)| (key, row.verdict())).collect();
            for row in rows {
                let Some(run) = stored.remove(&row.key) else { continue };
                let verdict = verdicts.get(&row.key).and_then(Option::as_ref);
                self.add_run(&mut preview, row, &run, &context, verdict);
            }
            // Reading is work for the processor; others have their turn between batches.
            tokio::task::yield_now().await;
        }
        Ok(preview)
    }

    fn add_run(
        &self,
        preview: &mut Preview,
        row: &RunRow,
        run: &StoredRun,
        context: &WorkflowContext,
        verdict: Option<&Verdict>,
    ) {
        let before = Reading::of(&run.facts);
        let after = if run.steps_dropped {
            preview.n_without_steps += 1;
            None
        } else {
            let context = Context {
                settings: &context.workflow.settings,
                prices: &context.prices,
                hours: &context.hours,
                zone: &context.zone,
                verdict,
                now: self.clock().now(),
            };
            derive(&run.steps, &context).map(|facts| Reading::of(&facts))
        };
        let after = after.unwrap_or_else(|| before.clone());
        preview.before.add(&before);
        preview.after.add(&after);
        let read = PreviewedRun { row: row.clone(), before, after };
        preview.n_changed += usize::from(read.is_changed());
        preview.n_broken += usize::from(!read.after.broken.is_empty());
        preview.runs.push(read);
    }
}
