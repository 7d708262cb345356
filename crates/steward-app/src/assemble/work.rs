//! Steps sorted into the runs that they belong to: by trace, or by conversation.

use std::collections::{BTreeMap, HashMap};

use steward_core::derive;
use steward_core::ids::{AgencyId, InboxId, WorkflowId};
use steward_core::step::Step;
use tokio::sync::OwnedSemaphorePermit;

use crate::intake::Held;
use crate::{App, AppError};

/// Entries of one agency, sorted into runs, to be assembled in one transaction.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) agency_id: AgencyId,
    /// By the run's key.
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) inbox_ids: Vec<InboxId>,
    /// Room in memory that the steps take, given back when they are assembled.
    _room: Vec<OwnedSemaphorePermit>,
}

/// Steps that belong to the same run.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) workflow_id: Option<WorkflowId>,
    /// Merged.
    pub(super) steps: Vec<Step>,
    pub(super) inbox_ids: Vec<InboxId>,
    /// Keys of runs that became part of this one.
    pub(super) absorbs: Vec<String>,
    pub(super) trace_keys: Vec<String>,
}

impl Work {
    /// Runs to be read again from what is stored of them.
    pub(super) fn reread(agency_id: AgencyId, keys: &[String]) -> Self {
        let groups = keys.iter().map(|key| (key.clone(), Group::default())).collect();
        Self { agency_id, groups, inbox_ids: Vec::new(), _room: Vec::new() }
    }

    /// Sorts entries of one agency by trace.
    pub(super) fn of(agency_id: AgencyId, entries: Vec<Held>) -> Self {
        let mut work = Self { agency_id, groups: BTreeMap::new(), inbox_ids: Vec::new(), _room: Vec::new() };
        // The group that the last step went to: steps of one trace mostly come one after another.
        let mut last: Option<(String, Group)> = None;
        for entry in entries {
            work.inbox_ids.push(entry.id);
            work._room.extend(entry.room);
            for step in entry.steps {
                let key = trace_key(entry.workflow_id, &step.trace_id);
                let (_, group) = match &mut last {
                    Some(same) if same.0 == key => same,
                    other => {
                        if let Some((key, group)) = other.take() {
                            work.groups.insert(key, group);
                        }
                        let group = work.groups.remove(&key).unwrap_or_default();
                        other.insert((key, group))
                    }
                };
                group.workflow_id = entry.workflow_id;
                if group.inbox_ids.last() != Some(&entry.id) {
                    group.inbox_ids.push(entry.id);
                }
                group.steps.push(step);
            }
        }
        work.groups.extend(last);
        work
    }

    fn merged(mut self) -> Self {
        for group in self.groups.values_mut() {
            group.steps = derive::merge(Vec::new(), std::mem::take(&mut group.steps));
        }
        self
    }

    /// Whether the two touch one run.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.agency_id == other.agency_id && self.keys().any(|key| other.groups.contains_key(key))
    }

    /// The keys of all runs that it touches.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().flat_map(|(key, group)| std::iter::once(key).chain(&group.absorbs))
    }
}

impl App {
    /// Sorts steps into runs, traces of workflows whose run is a conversation joined.
    ///
    /// On failure the work is given back as it was.
    pub(super) async fn by_conversation(&self, work: Work) -> Result<Work, (Work, AppError)> {
        let readers = match self.readers(work.agency_id).await {
            Ok(readers) => readers,
            Err(error) => return Err((work, error)),
        };
        let talks = |(_, group): &(&String, &Group)| readers.is_conversation(group.workflow_id, &group.steps);
        let talking: Vec<String> = work.groups.iter().filter(talks).map(|(key, _)| key.clone()).collect();
        if talking.is_empty() {
            return Ok(work.merged());
        }
        let known: HashMap<String, String> = match self.agency(work.agency_id).find_trace_runs(&talking).await {
            Ok(known) => known.into_iter().collect(),
            Err(error) => return Err((work, error.into())),
        };
        let mut joined: BTreeMap<String, Group> = BTreeMap::new();
        for (key, group) in work.groups {
            let said = group.steps.iter().find_map(|s| s.declared.as_deref()?.conversation_id.as_deref());
            let run_key = match (talking.binary_search(&key).is_ok(), known.get(&key), said) {
                (false, ..) | (true, None, None) => key.clone(),
                (true, Some(run_key), _) => run_key.clone(),
                (true, None, Some(conversation)) => conversation_key(group.workflow_id, conversation),
            };
            let into = joined.entry(run_key.clone()).or_default();
            into.workflow_id = group.workflow_id;
            into.steps.extend(group.steps);
            into.inbox_ids.extend(group.inbox_ids);
            if run_key != key {
                into.absorbs.push(key.clone());
                into.trace_keys.push(key);
            }
        }
        Ok(Work { groups: joined, ..work }.merged())
    }
}

/// What stands between the workflow and the trace in the key of a run that came with a workflow's own key.
const PIN: char = '\u{1f}';

/// Whether a run came with a workflow's own key, with which it stays.
pub(super) fn is_pinned(run_key: &str) -> bool {
    run_key.contains(PIN)
}

pub(crate) fn trace_key(workflow_id: Option<WorkflowId>, trace_id: &str) -> String {
    match workflow_id {
        Some(id) => format!("{}{PIN}{trace_id}", id.as_uuid().simple()),
        None => trace_id.to_owned(),
    }
}

/// The workflow whose own key a run or trace came with, and the rest of its key.
pub(crate) fn split_key(key: &str) -> (Option<WorkflowId>, &str) {
    let pinned = key.split_once(PIN).and_then(|(id, rest)| Some((uuid::Uuid::parse_str(id).ok()?, rest)));
    pinned.map_or((None, key), |(id, rest)| (Some(WorkflowId::from_uuid(id)), rest))
}

fn conversation_key(workflow_id: Option<WorkflowId>, conversation: &str) -> String {
    trace_key(workflow_id, &format!("conversation:{conversation}"))
}

/// The name that telemetry gives the workflow: the root's, else that of the first step that says one.
pub(super) fn source_name(steps: &[Step]) -> Option<&str> {
    fn name(step: &Step) -> Option<&str> {
        step.declared.as_deref()?.workflow.as_deref()
    }
    let roots = steps.iter().filter(|s| s.parent_span_id.is_none());
    roots.filter_map(name).next().or_else(|| steps.iter().find_map(name))
}
