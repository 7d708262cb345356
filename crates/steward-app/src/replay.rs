//! Replay: the past read again with the rules of today, and what that changed.
//!
//! What each run came to is remembered before the rebuild in a few dozen bytes, and compared with what it comes to
//! after it. A run keeps its id through a rebuild, so that before and after are of the same run.

use std::collections::HashMap;

use serde::Serialize;
use steward_core::ids::{AgencyId, RunId};
use steward_core::outcome::Outcome;
use steward_core::run::RunFacts;
use steward_store::tenant::{RunFilter, StoredRun};

use crate::rebuild::Rebuilt;
use crate::{App, AppError};

/// Runs that are looked at in one go.
const RUNS_AT_ONCE: u32 = 500;
/// The most runs that are compared; of more, the oldest are.
const MAX_COMPARED: usize = 1_000_000;
/// The most changed runs that are named one by one.
const MAX_NAMED: usize = 100;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Brief {
    /// Its outcome; `None` while it is open.
    pub outcome: Option<Outcome>,
    /// What it cost; `None` when that is unknown.
    pub cost_nanos: Option<i64>,
    /// Its tokens.
    pub tokens: u64,
    /// Its steps.
    pub steps: u32,
}

impl Brief {
    fn of(facts: &RunFacts) -> Self {
        Self {
            outcome: facts.finished.then(|| facts.outcome()),
            cost_nanos: facts.cost_nanos.map(|cost| cost.0),
            tokens: facts.usage.total(),
            steps: facts.n_steps,
        }
    }
}

/// Figures of all compared runs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// Runs.
    pub runs: u64,
    /// Runs that are open.
    pub open: u64,
    /// Runs that were completed.
    pub completed: u64,
    /// Runs that were escalated.
    pub escalated: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were abandoned.
    pub abandoned: u64,
    /// Runs of which nothing says whether they did their job.
    pub unverified: u64,
    /// The sum of the costs that are known.
    pub cost_nanos: i64,
    /// Runs whose cost is unknown.
    pub without_cost: u64,
    /// Tokens.
    pub tokens: u64,
    /// Steps.
    pub steps: u64,
}

impl Totals {
    fn add(&mut self, brief: Brief) {
        self.runs += 1;
        let with_outcome = match brief.outcome {
            None => &mut self.open,
            Some(Outcome::Completed) => &mut self.completed,
            Some(Outcome::Escalated) => &mut self.escalated,
            Some(Outcome::Failed) => &mut self.failed,
            Some(Outcome::Abandoned) => &mut self.abandoned,
            Some(Outcome::Unverified) => &mut self.unverified,
        };
        *with_outcome += 1;
        match brief.cost_nanos {
            Some(cost) => self.cost_nanos = self.cost_nanos.saturating_add(cost),
            None => self.without_cost += 1,
        }
        self.tokens = self.tokens.saturating_add(brief.tokens);
        self.steps += u64::from(brief.steps);
    }
}

/// A run that came to something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedRun {
    /// The run.
    pub id: RunId,
    /// What it came to before; `None` for one that was not there.
    pub before: Option<Brief>,
    /// What it comes to; `None` for one that became part of another.
    pub after: Option<Brief>,
}

/// What a replay changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// All compared runs together, before.
    pub before: Totals,
    /// The same after.
    pub after: Totals,
    /// Runs whose outcome changed.
    pub outcome: u64,
    /// Runs whose cost changed, or became known or unknown.
    pub cost: u64,
    /// Runs whose tokens changed.
    pub tokens: u64,
    /// Runs whose steps changed in number.
    pub steps: u64,
    /// Runs that were not there before.
    pub added: u64,
    /// Runs that became part of others.
    pub removed: u64,
    /// Changed runs, the first hundred by id.
    pub runs: Vec<ChangedRun>,
    /// Whether there were more runs than are compared.
    pub cut: bool,
}

impl Changes {
    fn compare(&mut self, id: RunId, before: Option<Brief>, after: Option<Brief>) {
        before.into_iter().for_each(|brief| self.before.add(brief));
        after.into_iter().for_each(|brief| self.after.add(brief));
        if before == after {
            return;
        }
        match (before, after) {
            (Some(before), Some(after)) => {
                self.outcome += u64::from(before.outcome != after.outcome);
                self.cost += u64::from(before.cost_nanos != after.cost_nanos);
                self.tokens += u64::from(before.tokens != after.tokens);
                self.steps += u64::from(before.steps != after.steps);
            }
            (None, _) => self.added += 1,
            (Some(_), None) => self.removed += 1,
        }
        if self.runs.len() < MAX_NAMED {
            self.runs.push(ChangedRun { id, before, after });
        }
    }

    /// Whether every run came to what it was before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl App {
    /// Reads all raw payloads of an agency again, and says what that changed.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. Running it again finishes what it began; it then compares
    /// with what the first left behind.
    pub async fn replay(
        &self,
        agency_id: AgencyId,
        progress: &(dyn Fn(Rebuilt) + Sync),
    ) -> Result<(Rebuilt, Changes), AppError> {
        self.assemble_waiting().await?;
        let mut before: HashMap<RunId, Brief> = HashMap::new();
        let mut cut = false;
        self.walk(agency_id, &mut |run| {
            if before.len() < MAX_COMPARED {
                before.insert(run.id, Brief::of(&run.facts));
            } else {
                cut = true;
            }
        })
        .await?;
        let rebuilt = self.rebuild(agency_id, progress).await?;
        let mut changes = Changes { cut, ..Changes::default() };
        self.walk(agency_id, &mut |run| {
            let known = before.remove(&run.id);
            // Of a run beyond the bound nobody knows what it was.
            if known.is_some() || !cut {
                changes.compare(run.id, known, Some(Brief::of(&run.facts)));
            }
        })
        .await?;
        let mut gone: Vec<(RunId, Brief)> = before.into_iter().collect();
        gone.sort_unstable_by_key(|(id, _)| id.as_uuid());
        gone.into_iter().for_each(|(id, brief)| changes.compare(id, Some(brief), None));
        Ok((rebuilt, changes))
    }

    /// Shows every run of an agency, oldest first.
    async fn walk(&self, agency_id: AgencyId, see: &mut (dyn FnMut(&StoredRun) + Send)) -> Result<(), AppError> {
        let store = self.agency(agency_id);
        let filter = RunFilter { with_tests: true, ..RunFilter::default() };
        let mut behind = None;
        loop {
            let keys = store.list_run_keys(&filter, behind, RUNS_AT_ONCE).await?;
            let Some((last, _)) = keys.last() else { return Ok(()) };
            behind = Some(*last);
            let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
            store.find_stored_runs(&keys).await?.iter().for_each(&mut *see);
        }
    }
}
