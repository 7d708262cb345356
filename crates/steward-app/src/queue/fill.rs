//! Filling: what was mined enters the queue, and the queue follows what becomes of runs and patterns.
//!
//! An exception enters when it has a pattern that is not muted. Left out is what was imported from long ago, and an end
//! that only repeats what a person said of the run: they have looked at it.

use std::collections::HashSet;
use std::time::Duration;

use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{AgencyId, ItemId, PersonId, RunId, WorkflowId};
use steward_core::outcome::EvidenceKind;
use steward_core::queue::{self, Arriving, ItemKind, OLDEST_MS, QueueItem, QueueRule};
use steward_core::time::Timestamp;
use steward_core::workflow::Workflow;
use steward_store::StoreError;
use steward_store::tenant::{FilledItem, QueueFill, SamplingCandidate, ToQueue};

use super::{Reviewer, units_per_usd};
use crate::live::Change;
use crate::{App, AppError};

/// Exceptions that one transaction takes.
const EXCEPTIONS_AT_ONCE: u32 = 2_000;
/// Workflows that are looked up at once.
const WORKFLOWS_AT_ONCE: u32 = 64;
/// Revised runs that one transaction looks at.
const RUNS_AT_ONCE: u32 = 500;
/// Runs whose outcomes are corrected in one transaction, and how many of these one round takes.
const REREADS_AT_ONCE: u32 = 200;
const REREADS_A_ROUND: u32 = 10;
/// How often the queue looks around.
const LOOK_AROUND: Duration = Duration::from_millis(1_000);

impl App {
    /// Fills the queue as it comes, until the program ends.
    pub(crate) async fn fill_forever(self) {
        loop {
            // In a task of its own, so that a fault ends that task and not filling.
            let app = self.clone();
            match tokio::spawn(async move { app.fill_queue().await }).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the queue could not be filled");
                }
                Err(fault) => tracing::error!(%fault, "filling of the queue failed"),
            }
            tokio::time::sleep(LOOK_AROUND).await;
        }
    }

    /// Lets what was mined enter the queue, in all agencies, and what changed follow. Gives how many exceptions were
    /// looked at.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. What is done stays done.
    pub async fn fill_queue(&self) -> Result<u64, AppError> {
        for agency_id in self.store().list_queue_changes().await? {
            match self.follow(agency_id).await {
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    agency.id = %agency_id,
                    "the queue of agency {agency_id} could not follow what changed"
                ),
                Ok(()) => {}
            }
        }
        let mut n = 0;
        let mut left: HashSet<(AgencyId, WorkflowId)> = HashSet::new();
        loop {
            let mut waiting = self.store().list_to_queue(WORKFLOWS_AT_ONCE).await?;
            waiting.retain(|place| !left.contains(place));
            if waiting.is_empty() {
                return Ok(n);
            }
            for (agency_id, workflow_id) in waiting {
                match self.fill_workflow(agency_id, workflow_id).await {
                    Ok(0) => {
                        left.insert((agency_id, workflow_id));
                    }
                    Ok(filled) => n += filled,
                    // Another process is at it, and what is left is for the next round.
                    Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) => {
                        left.insert((agency_id, workflow_id));
                    }
                    Err(error) if error.is_passing() => return Err(error),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            workflow.id = %workflow_id,
                            "the exceptions of workflow {workflow_id} could not enter the queue"
                        );
                        left.insert((agency_id, workflow_id));
                    }
                }
            }
        }
    }

    /// Follows what changed in an agency: verdicts of reviews, patterns that were muted or no longer are, and runs that
    /// were revised.
    async fn follow(&self, agency_id: AgencyId) -> Result<(), AppError> {
        let store = self.agency(agency_id);
        for _ in 0..REREADS_A_ROUND {
            let keys = store.list_rereads(REREADS_AT_ONCE).await?;
            if keys.is_empty() {
                break;
            }
            match self.correct_outcomes(agency_id, &keys).await {
                Err(error) if !error.is_passing() => self.correct_singly(agency_id, &keys).await?,
                result => result?,
            }
        }
        let now = self.clock().now();
        store.follow_muting(now).await?;
        while store.follow_revisions(now, RUNS_AT_ONCE).await? == u64::from(RUNS_AT_ONCE) {}
        Ok(())
    }

    /// Reads runs anew whose outcomes reviews correct, or no longer do.
    pub(crate) async fn correct_outcomes(&self, agency_id: AgencyId, keys: &[String]) -> Result<(), AppError> {
        // What is said while they are read is for the next time. No clock tells what that is: a transaction has the time
        // at which it began, and is seen when it ends.
        let store = self.agency(agency_id);
        let found = store.find_rereads(keys).await?;
        self.reread_runs(agency_id, keys).await?;
        Ok(store.record_rereads(&found).await?)
    }

    /// Corrects outcomes each by itself; a run that cannot be read keeps the one that it has, and holds up no other.
    async fn correct_singly(&self, agency_id: AgencyId, keys: &[String]) -> Result<(), AppError> {
        let store = self.agency(agency_id);
        for key in keys {
            let keys = std::slice::from_ref(key);
            let found = store.find_rereads(keys).await?;
            match self.correct_outcomes(agency_id, keys).await {
                Err(error) if !error.is_passing() => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        run.key = key,
                        "a run whose outcome a review corrects cannot be read"
                    );
                    store.record_rereads(&found).await?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    async fn fill_workflow(&self, agency_id: AgencyId, workflow_id: WorkflowId) -> Result<u64, AppError> {
        let store = self.agency(agency_id);
        let found = store.find_to_queue(workflow_id, EXCEPTIONS_AT_ONCE).await?;
        if found.is_empty() {
            return Ok(0);
        }
        let now = self.clock().now();
        let n = found.len() as u64;
        let seen = found.iter().map(|exception| (exception.id, exception.pattern_id)).collect();
        let items = match store.find_workflow(workflow_id).await? {
            Some(workflow) => {
                let arrivals = self.arrivals(agency_id, workflow, now).await?;
                found.into_iter().filter(|e| !repeats_a_verdict(e)).map(|e| arrivals.item(e)).collect()
            }
            None => Vec::new(),
        };
        store.commit_fill(QueueFill { seen, items, now }).await?;
        self.live().tell(Change { agency_id, workflows: vec![workflow_id], n_runs: 0 });
        Ok(n)
    }

    /// What decides about what arrives of a workflow.
    pub(crate) async fn arrivals(
        &self,
        agency_id: AgencyId,
        workflow: Workflow,
        now: Timestamp,
    ) -> Result<Arrivals, AppError> {
        let store = self.agency(agency_id);
        let clients = store.list_clients().await?;
        Ok(Arrivals {
            value: queue::value_at_stake(&workflow.settings),
            units_per_usd: units_per_usd(&workflow, &clients),
            rules: store.list_queue_rules().await?,
            reviewers: self.reviewers(agency_id).await?,
            workflow,
            now,
        })
    }
}

/// Whether an exception says no more than what a person said of the run.
fn repeats_a_verdict(exception: &ToQueue) -> bool {
    matches!(exception.kind, ExceptionKind::Escalation | ExceptionKind::Failure)
        && exception.code == EvidenceKind::Verdict.as_str()
}

/// What decides about what arrives of one workflow.
pub(crate) struct Arrivals {
    pub(crate) workflow: Workflow,
    value: Option<steward_core::money::Nanos>,
    units_per_usd: f64,
    rules: Vec<QueueRule>,
    reviewers: Vec<Reviewer>,
    now: Timestamp,
}

impl Arrivals {
    fn item(&self, exception: ToQueue) -> FilledItem {
        let arrived_at = exception.ended_at.min(self.now);
        let arriving = Arriving {
            kind: Some(exception.kind),
            class: &exception.class,
            tool: &exception.tool,
            pattern: Some(exception.pattern_id),
            ..self.arriving()
        };
        let run = (exception.run_id, exception.run_key, exception.release);
        let item = self.waiting(queue::item_of(exception.id), &arriving, run, exception.message, arrived_at);
        FilledItem { item, is_history: self.now.ms_since(arrived_at) > OLDEST_MS }
    }

    /// The item of a run that is sampled. It waits since it was taken: nobody could look at it before.
    pub(crate) fn sample(&self, id: ItemId, run: SamplingCandidate, message: String) -> QueueItem {
        self.waiting(id, &self.arriving(), (run.run_id, run.run_key, run.release), message, self.now)
    }

    /// What arrives of the workflow, without what only an exception has.
    fn arriving(&self) -> Arriving<'static> {
        Arriving {
            client: self.workflow.client_id,
            workflow: self.workflow.id,
            kind: None,
            class: "",
            tool: "",
            pattern: None,
            value: self.value,
        }
    }

    /// An item that begins to wait: an exception's when its sort is known, else a sample's. `run` is its run's id, key and
    /// release.
    fn waiting(
        &self,
        id: ItemId,
        arriving: &Arriving<'_>,
        (run_id, run_key, release): (RunId, String, String),
        message: String,
        arrived_at: Timestamp,
    ) -> QueueItem {
        let (assignee, due_at) = self.decide(arriving, arrived_at);
        QueueItem {
            id,
            kind: if arriving.kind.is_some() { ItemKind::Exception } else { ItemKind::Sample },
            workflow_id: arriving.workflow,
            run_id,
            run_key,
            release,
            pattern_id: arriving.pattern,
            exception_kind: arriving.kind,
            class: arriving.class.to_owned(),
            tool: arriving.tool.to_owned(),
            message,
            arrived_at,
            due_at,
            value_nanos: arriving.value,
            rank: queue::rank(queue::weight(arriving.value, self.units_per_usd), due_at),
            assignee,
            claim: None,
            closed_at: None,
            closed_by: None,
            review_id: None,
        }
    }

    /// Whose an item is and when it is due. Whoever has left, or no longer works for the client, gets nothing.
    fn decide(&self, arriving: &Arriving<'_>, arrived_at: Timestamp) -> (Option<PersonId>, Timestamp) {
        let (assignee, due_at) = queue::decide(&self.rules, arriving, arrived_at);
        let may = |id: &PersonId| self.reviewers.iter().any(|r| r.person.id == *id && r.may_see(&self.workflow));
        (assignee.filter(may), due_at)
    }
}
