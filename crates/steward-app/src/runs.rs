//! Runs: lists, one run with its steps, its raw payloads, and verdicts on its outcome.

use steward_core::ids::{RunId, WorkflowId};
use steward_core::outcome::Outcome;
use steward_core::run::RunState;
use steward_core::workflow::Workflow;
use steward_store::system::InboxEntry;
use steward_store::tenant::{AuditEntry, RunCursor, RunFilter, RunRow, RunSort, StoredRun, VerdictRow};

use crate::{Actor, App, AppError};

/// The most runs that one page of a list shows.
pub const MAX_PAGE: u32 = 500;
/// Runs are counted up to here; beyond it a list says "more than".
pub const COUNT_UP_TO: u32 = 10_000;

/// One page of a list of runs.
#[derive(Debug, Clone)]
pub struct RunsPage {
    /// The runs.
    pub runs: Vec<RunRow>,
    /// Where the next page begins. `None` on the last.
    pub next: Option<RunCursor>,
}

/// A run as its page shows it.
#[derive(Debug, Clone)]
pub struct RunDetail {
    /// The run with its steps.
    pub run: StoredRun,
    /// Its workflow.
    pub workflow: Workflow,
    /// Whether it may still change.
    pub state: RunState,
    /// What people said of it, oldest first.
    pub verdicts: Vec<VerdictRow>,
}

impl App {
    /// Limits a filter to what an actor may see.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn visible_filter(&self, actor: &Actor, filter: &RunFilter) -> Result<RunFilter, AppError> {
        let mut filter = filter.clone();
        let whole_agency = actor.clients.is_none();
        if whole_agency && filter.workflows.is_none() {
            return Ok(filter);
        }
        let visible: Vec<WorkflowId> = self.visible_workflows(actor, true).await?.into_iter().map(|w| w.id).collect();
        filter.workflows = Some(match filter.workflows.take() {
            None => visible,
            Some(wanted) => wanted.into_iter().filter(|id| visible.contains(id)).collect(),
        });
        if !actor.role.sees_money() {
            filter.min_cost_nanos = None;
            filter.priced = None;
        }
        Ok(filter)
    }

    /// Lists runs that a filter finds, as far as the actor may see them.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn list_runs(
        &self,
        actor: &Actor,
        filter: &RunFilter,
        sort: RunSort,
        behind: Option<RunCursor>,
        limit: u32,
    ) -> Result<RunsPage, AppError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let sort = sort_for(actor, sort);
        let filter = self.visible_filter(actor, filter).await?;
        let mut runs = self.store_of(actor).list_runs(&filter, sort, behind, limit + 1).await?;
        let more = runs.len() > limit as usize;
        runs.truncate(limit as usize);
        let next = runs.last().filter(|_| more).map(|row| RunCursor::at(row, sort));
        hide_costs(actor, &mut runs);
        Ok(RunsPage { runs, next })
    }

    /// Lists the page of runs before a place in the list of [`Self::list_runs`]; its next page begins there.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn list_runs_before(
        &self,
        actor: &Actor,
        filter: &RunFilter,
        sort: RunSort,
        before: RunCursor,
        limit: u32,
    ) -> Result<RunsPage, AppError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let sort = sort_for(actor, sort);
        let filter = self.visible_filter(actor, filter).await?;
        let mut runs = self.store_of(actor).list_runs_before(&filter, sort, before, limit).await?;
        let next = runs.last().map(|row| RunCursor::at(row, sort));
        hide_costs(actor, &mut runs);
        Ok(RunsPage { runs, next })
    }

    /// Counts runs that a filter finds, up to [`COUNT_UP_TO`].
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn count_runs(&self, actor: &Actor, filter: &RunFilter) -> Result<u64, AppError> {
        let filter = self.visible_filter(actor, filter).await?;
        Ok(self.store_of(actor).count_runs(&filter, COUNT_UP_TO).await?)
    }

    /// Gets a run with its steps.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or the actor may not see it.
    pub async fn get_run(&self, actor: &Actor, id: RunId) -> Result<RunDetail, AppError> {
        let store = self.store_of(actor);
        let mut run = store.find_run(id).await?.ok_or(AppError::NotFound("run"))?;
        let workflow = store.find_workflow(run.workflow_id).await?;
        let workflow = workflow.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("run"))?;
        let verdicts =
            store.list_verdicts(std::slice::from_ref(&run.key)).await?.into_iter().map(|(_, row)| row).collect();
        let state = run.facts.state(self.clock().now());
        if !actor.role.sees_money() {
            hide_money(&mut run);
        }
        Ok(RunDetail { run, workflow, state, verdicts })
    }

    /// The raw payloads that a run was read from, as far as retention has kept them.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such run, or the actor may not see it.
    pub async fn list_run_payloads(&self, actor: &Actor, id: RunId) -> Result<Vec<InboxEntry>, AppError> {
        if !actor.role.sees_money() {
            // Raw payloads hold costs, and may hold spans of other workflows' runs.
            return Err(AppError::Forbidden("raw payloads are for owners and operators"));
        }
        let detail = self.get_run(actor, id).await?;
        let ids: Vec<_> = detail.run.inbox_ids.iter().take(20).copied().collect();
        Ok(self.store_of(actor).find_inbox(&ids).await?)
    }

    /// Records a person's word on a run's outcome, or takes the last one back, and reads the run anew.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such run; [`AppError::Invalid`] for a comment that is too long.
    pub async fn give_verdict(
        &self,
        actor: &Actor,
        id: RunId,
        outcome: Option<Outcome>,
        comment: &str,
    ) -> Result<(), AppError> {
        if comment.chars().count() > 2_000 {
            return Err(AppError::Invalid("a comment has at most 2,000 characters".to_owned()));
        }
        if outcome == Some(Outcome::Unverified) {
            return Err(AppError::Invalid(
                "a verdict says what came of the run; take the verdict back instead".to_owned(),
            ));
        }
        let detail = self.get_run(actor, id).await?;
        let now = self.clock().now();
        let verdict = VerdictRow {
            at: now,
            person_id: actor.person_id,
            person_name: actor.name.clone(),
            outcome,
            comment: comment.trim().to_owned(),
        };
        self.store_of(actor).record_verdict(&detail.run.key, &verdict).await?;
        let entry = AuditEntry {
            at: now,
            person: actor.name.clone(),
            action: "run.verdict".to_owned(),
            object: id.to_string(),
            details: outcome.map_or("taken back", Outcome::as_str).to_owned(),
        };
        self.store_of(actor).record_audit(self.ids().make(), &entry).await?;
        self.reread_runs(actor.agency_id, &[detail.run.key]).await
    }
}

/// The order that an actor gets: an order by cost tells costs.
fn sort_for(actor: &Actor, sort: RunSort) -> RunSort {
    if sort == RunSort::Cost && !actor.role.sees_money() { RunSort::Ended } else { sort }
}

fn hide_costs(actor: &Actor, runs: &mut [RunRow]) {
    if !actor.role.sees_money() {
        for run in runs {
            run.cost_nanos = None;
            run.cost_source.clear();
        }
    }
}

fn hide_money(run: &mut StoredRun) {
    run.facts.cost_nanos = None;
    run.facts.known_cost_nanos = steward_core::money::Nanos(0);
    for model in &mut run.facts.models {
        model.cost_nanos = steward_core::money::Nanos(0);
    }
    for step in &mut run.steps {
        step.cost_nanos = None;
        if let Some(declared) = &mut step.declared {
            declared.cost_nanos = None;
        }
    }
    run.facts.results.iter_mut().for_each(|result| result.value_nanos = None);
}
