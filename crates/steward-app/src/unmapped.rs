//! Attributes that no reading rule used, by key: where a new dialect, or a new field of a known one, shows first.

use std::collections::HashMap;

use steward_core::ids::WorkflowId;
use steward_core::tallies::Metric;
use steward_core::time::Period;
use steward_core::workflow::Workflow;
use steward_store::tenant::TallyQuery;

use crate::figures::Scope;
use crate::{Actor, App, AppError};

/// The most keys that are told apart: names that are made of data are without end.
pub const MAX_KEYS: usize = 500;

/// An attribute that no rule used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmappedKey {
    /// Its key.
    pub key: String,
    /// How many runs of the period had it.
    pub runs: i64,
    /// The workflows whose runs these were, each with how many: the most first.
    pub workflows: Vec<(WorkflowId, i64)>,
    /// No run of the period before had it, and there were some.
    pub is_new: bool,
}

/// A workflow whose runs had attributes that no rule used.
#[derive(Debug, Clone, PartialEq)]
pub struct UnmappedWorkflow {
    /// The workflow.
    pub workflow: Workflow,
    /// How many keys no rule used.
    pub keys: usize,
    /// How many attributes its runs had.
    pub attributes: i64,
    /// How many of them no rule used.
    pub unmapped: i64,
}

/// What no rule used, of workflows in a period.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unmapped {
    /// The keys, those that most runs had first; at most [`MAX_KEYS`].
    pub keys: Vec<UnmappedKey>,
    /// How many keys there are in all.
    pub n_keys: usize,
    /// The workflows that had any, those with the greatest share first.
    pub workflows: Vec<UnmappedWorkflow>,
}

impl App {
    /// Lists the attributes that no rule used in the runs of a period: of one workflow, or of all that the actor may
    /// see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the workflow is out of the actor's reach.
    pub async fn list_unmapped(
        &self,
        actor: &Actor,
        workflow: Option<WorkflowId>,
        period: Period,
    ) -> Result<Unmapped, AppError> {
        let workflows = match workflow {
            Some(id) => vec![self.get_workflow(actor, id).await?],
            None => self.workflows_in(actor, &Scope::default()).await?,
        };
        let ids: Vec<WorkflowId> = workflows.iter().map(|workflow| workflow.id).collect();
        let query = |period, metrics| TallyQuery {
            workflows: ids.clone(),
            period,
            slice: String::new(),
            release: None,
            metrics,
        };
        let store = self.store_of(actor);
        let now = store.sum_tallies(&query(period, vec![Metric::UnmappedKey, Metric::Attributes])).await?;
        let before = store.sum_tallies(&query(period.before(), vec![Metric::UnmappedKey, Metric::Attributes])).await?;
        // Where nothing was read before, everything would be new.
        let is_told = before.iter().any(|(_, sums)| sums.total(Metric::Attributes).0 > 0);
        let mut keys: HashMap<&str, UnmappedKey> = HashMap::new();
        let mut of_workflows = Vec::new();
        for (id, sums) in &now {
            let own = sums.keys(Metric::UnmappedKey);
            for (key, n, _) in own.iter().filter(|(_, n, _)| *n > 0) {
                let known = keys.entry(key).or_insert_with(|| UnmappedKey {
                    key: (*key).to_owned(),
                    runs: 0,
                    workflows: Vec::new(),
                    is_new: is_told,
                });
                known.runs += n;
                known.workflows.push((*id, *n));
            }
            let (attributes, unmapped) = sums.total(Metric::Attributes);
            if let Some(workflow) = workflows.iter().find(|workflow| workflow.id == *id && unmapped > 0) {
                let workflow = workflow.clone();
                of_workflows.push(UnmappedWorkflow { workflow, keys: own.len(), attributes, unmapped });
            }
        }
        for (_, sums) in &before {
            for (key, ..) in sums.keys(Metric::UnmappedKey) {
                if let Some(known) = keys.get_mut(key) {
                    known.is_new = false;
                }
            }
        }
        let mut keys: Vec<UnmappedKey> = keys.into_values().collect();
        keys.iter_mut().for_each(|key| key.workflows.sort_by_key(|(id, n)| (-n, id.as_uuid())));
        keys.sort_by(|a, b| b.runs.cmp(&a.runs).then_with(|| a.key.cmp(&b.key)));
        let n_keys = keys.len();
        keys.truncate(MAX_KEYS);
        let share = |row: &UnmappedWorkflow| row.unmapped as f64 / row.attributes.max(1) as f64;
        of_workflows.sort_by(|a, b| share(b).total_cmp(&share(a)).then_with(|| a.workflow.name.cmp(&b.workflow.name)));
        Ok(Unmapped { keys, n_keys, workflows: of_workflows })
    }
}
