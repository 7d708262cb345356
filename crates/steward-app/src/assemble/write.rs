//! One transaction of assembly: what is stored of the runs is read, merged with what arrived, read anew and written.

use std::borrow::Cow;
use std::collections::HashMap;

use steward_core::derive::{self, Context};
use steward_core::ids::RunId;
use steward_core::outcome::Verdict;
use steward_core::run::RunFacts;
use steward_core::step::Step;
use steward_core::tallies::Tallies;
use steward_core::time::Timestamp;
use steward_stats::histogram::bucket_of;
use steward_store::tenant::{NewRun, RunCommit, StoredRun};

use super::work::{Group, Work, is_pinned};
use crate::live::Change;
use crate::workflows::WorkflowContext;
use crate::{App, AppError};

/// The most spans that one run holds; what comes after is counted in the inbox and not read.
const MAX_STEPS_A_RUN: usize = 20_000;
/// Runs that are read before others get the processor.
const RUNS_AT_A_STRETCH: usize = 16;

/// What a transaction will write.
#[derive(Debug)]
pub(super) struct Prepared {
    commit: RunCommit,
    change: Change,
}

impl App {
    /// Reads the runs that work belongs to anew, and prepares what is to be written.
    pub(super) async fn prepare(&self, work: &Work) -> Result<Prepared, AppError> {
        let store = self.agency(work.agency_id);
        let keys: Vec<String> = work.keys().cloned().collect();
        let mut stored: HashMap<String, StoredRun> =
            store.find_stored_runs(&keys).await?.into_iter().map(|run| (run.key.clone(), run)).collect();
        let verdicts: HashMap<String, Option<Verdict>> =
            store.list_verdicts(&keys).await?.into_iter().map(|(key, row)| (key, row.verdict())).collect();
        let commit = RunCommit {
            node: self.inner.node,
            inbox_ids: work.inbox_ids.clone(),
            runs: Vec::new(),
            removed: Vec::new(),
            traces: Vec::new(),
            tallies: Tallies::default(),
        };
        let change = Change { agency_id: work.agency_id, workflows: Vec::new(), n_runs: 0 };
        let mut prepared = Prepared { commit, change };
        for (n, (key, group)) in work.groups.iter().enumerate() {
            if n % RUNS_AT_A_STRETCH == RUNS_AT_A_STRETCH - 1 {
                tokio::task::yield_now().await;
            }
            let known = stored.remove(key);
            if known.as_ref().is_some_and(|run| run.steps_dropped) {
                // Retention has dropped what it was made of, so it cannot be read anew.
                continue;
            }
            let absorbed: Vec<StoredRun> = group.absorbs.iter().filter_map(|key| stored.remove(key)).collect();
            let verdict = verdicts.get(key).and_then(Option::as_ref);
            self.prepare_run(&mut prepared, key, group, known, absorbed, verdict).await?;
        }
        Ok(prepared)
    }

    async fn prepare_run(
        &self,
        Prepared { commit, change }: &mut Prepared,
        key: &str,
        group: &Group,
        known: Option<StoredRun>,
        absorbed: Vec<StoredRun>,
        verdict: Option<&Verdict>,
    ) -> Result<(), AppError> {
        commit.traces.extend(group.trace_keys.iter().map(|trace| (trace.clone(), key.to_owned())));
        let nothing_added = group.steps.is_empty() && absorbed.is_empty();
        let steps = steps_of(known.as_ref(), &absorbed, group);
        let pinned = known.as_ref().filter(|run| is_pinned(&run.key)).map(|run| run.workflow_id);
        let Some(context) = self.context_of(change.agency_id, group.workflow_id.or(pinned), &steps).await? else {
            return Ok(());
        };
        let Some(facts) = read(&steps, &context, verdict, self.clock().now()) else { return Ok(()) };
        let workflow_id = context.workflow.id;
        let same_steps = known.as_ref().is_some_and(|run| nothing_added || run.steps == *steps);
        let unchanged =
            known.as_ref().is_some_and(|run| same_steps && run.facts == facts && run.workflow_id == workflow_id);
        if unchanged && nothing_added {
            return Ok(());
        }
        for old in known.iter().chain(&absorbed) {
            commit.tallies.add(old.workflow_id, &old.facts, -1, bucket_of);
        }
        commit.tallies.add(workflow_id, &facts, 1, bucket_of);
        commit.removed.extend(absorbed.iter().map(|run| (run.id, run.revision)));
        if !change.workflows.contains(&workflow_id) {
            change.workflows.push(workflow_id);
        }
        change.n_runs += usize::from(facts.finished);
        let received = || steps.iter().map(|s| s.received_at);
        let (first_received_at, last_received_at) =
            (received().min().unwrap_or_default(), received().max().unwrap_or_default());
        let (id, revision) = match &known {
            Some(run) => (run.id, run.revision + 1),
            None => (RunId::from_uuid(self.ids().make()), 1),
        };
        let mut inbox_ids = group.inbox_ids.clone();
        inbox_ids.extend(known.iter().chain(&absorbed).flat_map(|run| run.inbox_ids.iter().copied()));
        inbox_ids.sort_unstable();
        inbox_ids.dedup();
        commit.runs.push(NewRun {
            id,
            workflow_id,
            key: key.to_owned(),
            revision,
            steps: (!same_steps).then(|| NewRun::pack(&steps)),
            inbox_ids,
            settings_version: context.workflow.settings_version,
            first_received_at,
            last_received_at,
            had_exceptions: known.as_ref().is_some_and(|run| !run.facts.exceptions.is_empty()),
            had_ended: known.as_ref().is_some_and(|run| run.facts.finished),
            facts,
        });
        Ok(())
    }

    /// Writes what was prepared, and tells those who watch.
    pub(super) async fn write(&self, prepared: Prepared) -> Result<(), AppError> {
        let Prepared { commit, change } = prepared;
        self.agency(change.agency_id).commit_runs(commit).await?;
        if !change.workflows.is_empty() {
            self.live().tell(change);
        }
        Ok(())
    }
}

/// All steps of a run: those that are stored, those of runs that became part of it, and those that arrived.
fn steps_of<'a>(known: Option<&StoredRun>, absorbed: &[StoredRun], group: &'a Group) -> Cow<'a, [Step]> {
    match known {
        None if absorbed.is_empty() && group.steps.len() <= MAX_STEPS_A_RUN => Cow::Borrowed(&group.steps),
        _ => {
            let before = known.map(|run| run.steps.clone()).unwrap_or_default();
            let added = group.steps.iter().chain(absorbed.iter().flat_map(|run| &run.steps)).cloned().collect();
            let mut steps = derive::merge(before, added);
            steps.truncate(MAX_STEPS_A_RUN);
            Cow::Owned(steps)
        }
    }
}

/// Reads a run with a workflow's settings.
fn read(steps: &[Step], context: &WorkflowContext, verdict: Option<&Verdict>, now: Timestamp) -> Option<RunFacts> {
    let context = Context {
        settings: &context.workflow.settings,
        prices: &context.prices,
        hours: &context.hours,
        zone: &context.zone,
        verdict,
        now,
    };
    derive::derive(steps, &context)
}
