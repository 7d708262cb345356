//! Steps into runs: grouping by trace or conversation, merging with what is known, reading the run anew, and
//! writing run and tallies in one transaction that also settles the inbox entries.
//!
//! Invariant: an entry is settled in the same transaction that writes its runs, and only by the process that holds
//! it, so each is counted exactly once. A run that another process revised meanwhile is read and merged again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use steward_core::derive::{self, Context};
use steward_core::ids::{AgencyId, InboxId, RunId, WorkflowId};
use steward_core::outcome::Verdict;
use steward_core::run::RunFacts;
use steward_core::step::Step;
use steward_core::tallies::{additions, hour_of, is_countable};
use steward_core::time::Timestamp;
use steward_core::workflow::{RunUnit, Workflow, WorkflowSettings};
use steward_stats::histogram::bucket_of;
use steward_store::tenant::{NewRun, RunCommit, StoredRun, TallyDelta};
use steward_store::{AgencyStore, StoreError};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::intake::{Held, LEASE_MS, decode};
use crate::live::Change;
use crate::workflows::WorkflowContext;
use crate::{App, AppError};

/// Steps that one transaction takes at most; more wait for the next.
const STEPS_AT_ONCE: usize = 4_000;
/// How often a transaction that another writer outran is tried again.
const MAX_TRIES: u32 = 8;
/// How long settings of a workflow are used before they are read again.
const CONTEXT_AGE: Duration = Duration::from_secs(2);
/// How often abandoned entries and quiet runs are looked for.
const LOOK_AROUND: Duration = Duration::from_millis(1_000);
/// The most spans that one run holds; what comes after is counted in the inbox and not read.
const MAX_STEPS_A_RUN: usize = 20_000;

/// Settings of workflows, as assembly last read them.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    by_agency: Mutex<HashMap<AgencyId, Arc<AgencyReaders>>>,
}

#[derive(Debug)]
struct AgencyReaders {
    read_at: Instant,
    by_id: HashMap<WorkflowId, Arc<WorkflowContext>>,
    by_source: HashMap<String, WorkflowId>,
}

/// One group of steps that belong to the same run.
#[derive(Debug, Default)]
struct Group {
    workflow_id: Option<WorkflowId>,
    steps: Vec<Step>,
    inbox_ids: Vec<InboxId>,
    /// Keys of runs that became part of this one.
    absorbs: Vec<String>,
    trace_keys: Vec<String>,
}

impl App {
    pub(crate) async fn assemble_forever(self, mut held: mpsc::Receiver<Held>) {
        let mut look_around = tokio::time::interval(LOOK_AROUND);
        look_around.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                first = held.recv() => {
                    let Some(first) = first else { return };
                    let mut n_steps = first.steps.len();
                    let mut batch = vec![first];
                    while n_steps < STEPS_AT_ONCE {
                        let Ok(next) = held.try_recv() else { break };
                        n_steps += next.steps.len();
                        batch.push(next);
                    }
                    self.assemble_patiently(batch).await;
                }
                _ = look_around.tick() => {
                    if let Err(error) = self.assemble_waiting().await {
                        tracing::warn!(error = &error as &dyn std::error::Error, "assembly could not look for waiting entries");
                    }
                }
            }
        }
    }

    /// Assembles until it succeeds, or until the entries' lease is over and another process may take them.
    async fn assemble_patiently(&self, batch: Vec<Held>) {
        let mut by_agency: HashMap<AgencyId, Vec<Held>> = HashMap::new();
        for held in batch {
            by_agency.entry(held.agency_id).or_default().push(held);
        }
        for (agency_id, batch) in by_agency {
            let give_up_at = self.clock().now().plus_ms(LEASE_MS);
            loop {
                match self.assemble(agency_id, &batch).await {
                    Ok(()) => break,
                    Err(error) if self.clock().now() < give_up_at && matches!(error, AppError::Busy { .. }) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "assembly waits for the database");
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                    Err(error) => {
                        // The entries stay in the inbox and are found there when their lease is over.
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "assembly failed, its entries wait in the inbox"
                        );
                        break;
                    }
                }
            }
        }
    }

    /// Assembles every entry that waits and that nobody holds, and ends runs that have gone quiet. Gives how many entries and runs.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. What is done stays done.
    pub async fn assemble_waiting(&self) -> Result<u64, AppError> {
        let mut n = 0;
        loop {
            let now = self.clock().now();
            let entries = self.store().claim_inbox(self.inner.node, now, now.plus_ms(LEASE_MS), 400).await?;
            if entries.is_empty() {
                break;
            }
            n += entries.len() as u64;
            let mut by_agency: HashMap<AgencyId, Vec<Held>> = HashMap::new();
            for entry in entries {
                match decode(entry.kind, &entry.body) {
                    Ok(decoded) => {
                        let mut steps = decoded.steps;
                        steps.iter_mut().for_each(|step| step.received_at = entry.received_at);
                        let held = Held {
                            id: entry.id,
                            agency_id: entry.agency_id,
                            workflow_id: entry.workflow_id,
                            steps,
                            _room: None,
                        };
                        by_agency.entry(entry.agency_id).or_default().push(held);
                    }
                    Err(error) => self.agency(entry.agency_id).mark_unreadable(entry.id, &error.to_string()).await?,
                }
            }
            for (agency_id, mut batch) in by_agency {
                while !batch.is_empty() {
                    let mut n_steps = 0;
                    let take = batch.iter().take_while(|held| {
                        n_steps += held.steps.len();
                        n_steps <= STEPS_AT_ONCE * 2
                    });
                    let rest = batch.split_off(take.count().max(1));
                    self.assemble(agency_id, &batch).await?;
                    batch = rest;
                }
            }
        }
        Ok(n + self.end_quiet_runs().await?)
    }

    /// Ends runs that have gone quiet, or have reached their greatest age. Gives how many.
    async fn end_quiet_runs(&self) -> Result<u64, AppError> {
        let mut n = 0;
        // Bounded, so that a run that cannot be read does not keep this from going on.
        for _ in 0..40 {
            let due = self.store().list_due_runs(self.clock().now(), 500).await?;
            let n_due = due.len() as u64;
            let mut by_agency: HashMap<AgencyId, Vec<String>> = HashMap::new();
            for (agency_id, key) in due {
                by_agency.entry(agency_id).or_default().push(key);
            }
            for (agency_id, keys) in by_agency {
                self.reread_runs(agency_id, &keys).await?;
            }
            n += n_due;
            if n_due < 500 {
                break;
            }
        }
        Ok(n)
    }

    /// Reads runs anew from the steps that are stored: after a verdict, a change of rules or prices, or a quiet time.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn reread_runs(&self, agency_id: AgencyId, keys: &[String]) -> Result<(), AppError> {
        let groups = keys.iter().map(|key| (key.clone(), Group::default())).collect();
        self.write_groups(agency_id, &groups, &[]).await
    }

    /// Assembles entries of one agency in one transaction.
    async fn assemble(&self, agency_id: AgencyId, batch: &[Held]) -> Result<(), AppError> {
        let store = self.agency(agency_id);
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut last_key = (None, String::new(), String::new());
        for held in batch.iter() {
            for step in &held.steps {
                // Steps of one trace mostly come one after another.
                if last_key.0 != held.workflow_id || last_key.1 != step.trace_id {
                    last_key = (held.workflow_id, step.trace_id.clone(), trace_key(held.workflow_id, &step.trace_id));
                }
                let group = match groups.get_mut(&last_key.2) {
                    Some(group) => group,
                    None => groups.entry(last_key.2.clone()).or_default(),
                };
                group.workflow_id = held.workflow_id;
                if group.inbox_ids.last() != Some(&held.id) {
                    group.inbox_ids.push(held.id);
                }
                group.steps.push(step.clone());
            }
        }
        let mut groups = self.by_conversation(&store, groups).await?;
        for group in groups.values_mut() {
            group.steps = derive::merge(Vec::new(), std::mem::take(&mut group.steps));
        }
        let inbox_ids: Vec<InboxId> = batch.iter().map(|held| held.id).collect();
        self.write_groups(agency_id, &groups, &inbox_ids).await
    }

    /// Joins traces of workflows whose run is a conversation.
    async fn by_conversation(
        &self,
        store: &AgencyStore,
        groups: BTreeMap<String, Group>,
    ) -> Result<BTreeMap<String, Group>, AppError> {
        let readers = self.readers(store.agency_id()).await?;
        let is_conversation = |group: &Group| {
            let id = group.workflow_id.or_else(|| readers.by_source.get(source_name(&group.steps)?).copied());
            id.and_then(|id| readers.by_id.get(&id))
                .is_some_and(|c| c.workflow.settings.run_unit == RunUnit::Conversation)
        };
        let talking: Vec<String> =
            groups.iter().filter(|(_, group)| is_conversation(group)).map(|(key, _)| key.clone()).collect();
        if talking.is_empty() {
            return Ok(groups);
        }
        let known: HashMap<String, String> = store.find_trace_runs(&talking).await?.into_iter().collect();
        let talking: HashSet<String> = talking.into_iter().collect();
        let mut joined: BTreeMap<String, Group> = BTreeMap::new();
        for (key, group) in groups {
            let said = group.steps.iter().find_map(|s| s.declared.as_deref()?.conversation_id.as_deref());
            let run_key = match (talking.contains(&key), known.get(&key), said) {
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
        Ok(joined)
    }

    async fn write_groups(
        &self,
        agency_id: AgencyId,
        groups: &BTreeMap<String, Group>,
        inbox_ids: &[InboxId],
    ) -> Result<(), AppError> {
        for attempt in 1.. {
            match self.try_write_groups(agency_id, groups, inbox_ids).await {
                Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) if attempt < MAX_TRIES => {
                    tokio::time::sleep(Duration::from_millis(5 * u64::from(attempt))).await;
                }
                result => return result,
            }
        }
        Ok(())
    }

    async fn try_write_groups(
        &self,
        agency_id: AgencyId,
        groups: &BTreeMap<String, Group>,
        inbox_ids: &[InboxId],
    ) -> Result<(), AppError> {
        let store = self.agency(agency_id);
        let keys: Vec<String> =
            groups.iter().flat_map(|(key, g)| std::iter::once(key).chain(&g.absorbs)).cloned().collect();
        let mut stored: HashMap<String, StoredRun> =
            store.find_stored_runs(&keys).await?.into_iter().map(|run| (run.key.clone(), run)).collect();
        let verdicts: HashMap<String, Option<Verdict>> =
            store.list_verdicts(&keys).await?.into_iter().map(|(key, row)| (key, row.verdict())).collect();
        let mut commit = RunCommit {
            node: self.inner.node,
            inbox_ids: inbox_ids.to_vec(),
            runs: Vec::new(),
            removed: Vec::new(),
            traces: Vec::new(),
            tallies: Vec::new(),
        };
        let mut changed: Vec<WorkflowId> = Vec::new();
        let mut n_finished = 0;
        for (key, group) in groups {
            let known = stored.remove(key);
            if known.as_ref().is_some_and(|run| run.steps_dropped) {
                // Retention has dropped what it was made of, so it cannot be read anew.
                continue;
            }
            let absorbed: Vec<StoredRun> = group.absorbs.iter().filter_map(|key| stored.remove(key)).collect();
            commit.traces.extend(group.trace_keys.iter().map(|trace| (trace.clone(), key.clone())));
            let nothing_added = group.steps.is_empty() && absorbed.is_empty();
            let steps = match &known {
                None if absorbed.is_empty() && group.steps.len() <= MAX_STEPS_A_RUN => Cow::Borrowed(&group.steps),
                _ => {
                    let before = known.as_ref().map(|run| run.steps.clone()).unwrap_or_default();
                    let added = group.steps.iter().chain(absorbed.iter().flat_map(|run| &run.steps)).cloned().collect();
                    let mut steps = derive::merge(before, added);
                    steps.truncate(MAX_STEPS_A_RUN);
                    Cow::Owned(steps)
                }
            };
            let Some(context) = self.context_of(agency_id, group.workflow_id.or(pinned(&known)), &steps).await? else {
                continue;
            };
            let verdict = verdicts.get(key).and_then(Option::as_ref);
            let Some(facts) = read(&steps, &context, verdict, self.clock().now()) else { continue };
            let same_steps = known.as_ref().is_some_and(|run| nothing_added || run.steps == *steps);
            let unchanged = known
                .as_ref()
                .is_some_and(|run| same_steps && run.facts == facts && run.workflow_id == context.workflow.id);
            if unchanged && absorbed.is_empty() && !nothing_added {
                continue;
            }
            for old in known.iter().chain(&absorbed) {
                add_tallies(&mut commit.tallies, old.workflow_id, &old.facts, -1);
            }
            add_tallies(&mut commit.tallies, context.workflow.id, &facts, 1);
            commit.removed.extend(absorbed.iter().map(|run| (run.id, run.revision)));
            if !changed.contains(&context.workflow.id) {
                changed.push(context.workflow.id);
            }
            n_finished += usize::from(facts.finished);
            let received = || steps.iter().map(|s| s.received_at);
            let first_received_at = received().min().unwrap_or_default();
            let mut all_inbox_ids = known.as_ref().map(|run| run.inbox_ids.clone()).unwrap_or_default();
            all_inbox_ids.extend(absorbed.iter().flat_map(|run| run.inbox_ids.iter().copied()));
            all_inbox_ids.extend(&group.inbox_ids);
            all_inbox_ids.sort_unstable();
            all_inbox_ids.dedup();
            commit.runs.push(NewRun {
                id: known.as_ref().map_or_else(|| RunId::from_uuid(self.ids().make()), |run| run.id),
                workflow_id: context.workflow.id,
                key: key.clone(),
                revision: known.as_ref().map_or(1, |run| run.revision + 1),
                steps: (!same_steps).then(|| NewRun::compress(&steps)),
                inbox_ids: all_inbox_ids,
                settings_version: context.workflow.settings_version,
                first_received_at,
                last_received_at: received().max().unwrap_or_default(),
                facts,
            });
        }
        store.commit_runs(&commit).await?;
        if !changed.is_empty() {
            self.live().tell(Change { agency_id, workflows: changed, n_runs: n_finished });
        }
        Ok(())
    }

    /// The workflow that steps belong to, made *unassigned* where telemetry names one that is not known.
    async fn context_of(
        &self,
        agency_id: AgencyId,
        id: Option<WorkflowId>,
        steps: &[Step],
    ) -> Result<Option<Arc<WorkflowContext>>, AppError> {
        if steps.is_empty() {
            return Ok(None);
        }
        let readers = self.readers(agency_id).await?;
        if let Some(id) = id {
            if let Some(context) = readers.by_id.get(&id) {
                return Ok(Some(Arc::clone(context)));
            }
            self.forget_readers(agency_id);
            return Ok(self.readers(agency_id).await?.by_id.get(&id).cloned());
        }
        let name = source_name(steps).unwrap_or("unknown service");
        let found = |readers: &AgencyReaders| readers.by_source.get(name).and_then(|id| readers.by_id.get(id)).cloned();
        if let Some(context) = found(&readers) {
            return Ok(Some(context));
        }
        let workflow = Workflow {
            id: WorkflowId::from_uuid(self.ids().make()),
            client_id: None,
            name: name.to_owned(),
            source_name: name.to_owned(),
            settings: WorkflowSettings::default(),
            settings_version: 1,
            created_at: self.clock().now(),
            archived_at: None,
        };
        self.agency(agency_id).record_workflow(&workflow).await?;
        self.forget_readers(agency_id);
        Ok(found(&*self.readers(agency_id).await?))
    }

    async fn readers(&self, agency_id: AgencyId) -> Result<Arc<AgencyReaders>, AppError> {
        {
            let known = self.inner.readers.by_agency.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(readers) = known.get(&agency_id).filter(|r| r.read_at.elapsed() < CONTEXT_AGE) {
                return Ok(Arc::clone(readers));
            }
        }
        let mut readers = AgencyReaders { read_at: Instant::now(), by_id: HashMap::new(), by_source: HashMap::new() };
        let workflows = self.agency(agency_id).list_workflows().await?;
        for context in self.load_contexts(agency_id, workflows).await? {
            readers.by_source.insert(context.workflow.source_name.clone(), context.workflow.id);
            readers.by_id.insert(context.workflow.id, Arc::new(context));
        }
        let readers = Arc::new(readers);
        self.inner
            .readers
            .by_agency
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(agency_id, Arc::clone(&readers));
        Ok(readers)
    }

    /// Reads the settings of an agency's workflows again when they are next needed.
    pub(crate) fn forget_readers(&self, agency_id: AgencyId) {
        self.inner.readers.by_agency.lock().unwrap_or_else(PoisonError::into_inner).remove(&agency_id);
    }

    /// How many steps wait in this process's memory for assembly.
    #[must_use]
    pub fn n_steps_waiting(&self) -> usize {
        self.inner.intake.n_waiting()
    }
}

/// A run that came with a workflow's own key stays with that workflow.
fn pinned(known: &Option<StoredRun>) -> Option<WorkflowId> {
    known.as_ref().filter(|run| run.key.contains(PIN)).map(|run| run.workflow_id)
}

/// What stands between the workflow and the trace in the key of a run that came with a workflow's own key.
const PIN: char = '\u{1f}';

fn trace_key(workflow_id: Option<WorkflowId>, trace_id: &str) -> String {
    match workflow_id {
        Some(id) => format!("{}{PIN}{trace_id}", id.as_uuid().simple()),
        None => trace_id.to_owned(),
    }
}

fn conversation_key(workflow_id: Option<WorkflowId>, conversation: &str) -> String {
    trace_key(workflow_id, &format!("conversation:{conversation}"))
}

/// The name that telemetry gives the workflow: the root's, else that of the first step that says one.
fn source_name(steps: &[Step]) -> Option<&str> {
    fn name(step: &Step) -> Option<&str> {
        step.declared.as_deref()?.workflow.as_deref()
    }
    let roots = steps.iter().filter(|s| s.parent_span_id.is_none());
    roots.filter_map(name).next().or_else(|| steps.iter().find_map(name))
}

/// Reads a run with a workflow's settings.
pub(crate) fn read(
    steps: &[Step],
    context: &WorkflowContext,
    verdict: Option<&Verdict>,
    now: Timestamp,
) -> Option<RunFacts> {
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

pub(crate) fn add_tallies(deltas: &mut Vec<TallyDelta>, workflow_id: WorkflowId, facts: &RunFacts, sign: i64) {
    if !is_countable(facts.ended_at) {
        return;
    }
    let hour = hour_of(facts);
    deltas.extend(additions(facts, bucket_of).into_iter().map(|addition| TallyDelta {
        workflow_id,
        slice: addition.slice,
        metric: addition.metric,
        hour,
        key: addition.key,
        release: facts.release.clone(),
        n: sign * addition.n,
        sum: sign * addition.sum,
    }));
}
