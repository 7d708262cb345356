//! Mining: exceptions without a pattern get one.
//!
//! The messages under each head are read by a miner of their own, so what is of another tool, step, agent, class or
//! code is never of one pattern unless a person says so. A pattern keeps its id by the shapes that belong to it: when
//! a template becomes wider, the group that holds most of them goes on as that pattern.
//!
//! Everything is prepared from what was read and written in one transaction, which is undone when somebody else
//! changed the workflow's patterns meanwhile ([`steward_store::tenant::MiningCommit`]); so any number of processes may
//! mine, and each exception is counted once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use steward_core::ids::{AgencyId, PatternId, WorkflowId};
use steward_core::patterns::{Head, PatternState};
use steward_core::step::cut_text;
use steward_core::time::Timestamp;
use steward_patterns::{Config, Group, Miner, Overrides, State};
use steward_store::StoreError;
use steward_store::tenant::{Assigned, Mining, MiningCommit, Moved, OwnedShape, PatternRow, ToMine};

use crate::live::Change;
use crate::{App, AppError};

/// Exceptions that one transaction takes.
const EXCEPTIONS_AT_ONCE: u32 = 10_000;
/// Workflows that are looked up at once.
const WORKFLOWS_AT_ONCE: u32 = 64;
/// How often a transaction that somebody else outran is tried again before the workflow is left for the next round.
const MAX_TRIES: u32 = 4;
/// The most heads that a workflow has. Codes and agents that are made of data would make more; what comes behind is
/// told apart by sort, step, tool and class only.
const MAX_HEADS: usize = 2_000;
/// The most shapes that the miner of one head tells apart.
const MAX_SHAPES: usize = 5_000;
/// The most characters of a template.
const MAX_TEMPLATE_CHARS: usize = 600;
/// How often exceptions without a pattern are looked for.
const LOOK_AROUND: Duration = Duration::from_millis(1_000);

impl App {
    /// Mines as it comes, until the program ends.
    pub(crate) async fn mine_forever(self) {
        loop {
            // In a task of its own, so that a fault in reading one message ends that task and not mining.
            let app = self.clone();
            match tokio::spawn(async move { app.mine_patterns().await }).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "patterns could not be mined");
                }
                Err(fault) => tracing::error!(%fault, "mining of patterns failed"),
            }
            tokio::time::sleep(LOOK_AROUND).await;
        }
    }

    /// Gives every exception that has none its pattern, in all agencies, and counts what was revised. Gives how many.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. What is done stays done.
    pub async fn mine_patterns(&self) -> Result<u64, AppError> {
        let mut n = 0;
        let mut failed: HashSet<(AgencyId, WorkflowId)> = HashSet::new();
        loop {
            let mut waiting = self.store().list_to_mine(WORKFLOWS_AT_ONCE).await?;
            waiting.retain(|place| !failed.contains(place));
            if waiting.is_empty() {
                return Ok(n);
            }
            for (agency_id, workflow_id) in waiting {
                match self.mine_workflow(agency_id, workflow_id).await {
                    // What is left, if anything, is for the next round.
                    Ok(0) => {
                        failed.insert((agency_id, workflow_id));
                    }
                    Ok(mined) => n += mined,
                    // Another process is at it.
                    Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) => {
                        failed.insert((agency_id, workflow_id));
                    }
                    Err(error) if error.is_passing() => return Err(error),
                    Err(error) => {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            workflow.id = %workflow_id,
                            "the exceptions of workflow {workflow_id} could not be mined"
                        );
                        failed.insert((agency_id, workflow_id));
                    }
                }
            }
        }
    }

    async fn mine_workflow(&self, agency_id: AgencyId, workflow_id: WorkflowId) -> Result<u64, AppError> {
        for attempt in 1.. {
            match self.mine_some(agency_id, workflow_id).await {
                Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) if attempt < MAX_TRIES => {
                    tokio::time::sleep(Duration::from_millis(10 * u64::from(attempt))).await;
                }
                result => return result,
            }
        }
        Ok(0)
    }

    async fn mine_some(&self, agency_id: AgencyId, workflow_id: WorkflowId) -> Result<u64, AppError> {
        let store = self.agency(agency_id);
        let mut mining = store.find_mining(workflow_id, EXCEPTIONS_AT_ONCE).await?;
        let by_head = by_head(&mining.patterns, std::mem::take(&mut mining.to_mine));
        let heads: Vec<String> = by_head.keys().cloned().collect();
        let states = store.find_miners(workflow_id, &heads).await?;
        let shapes = store.list_shapes(workflow_id, &heads).await?;
        let n = by_head.values().map(|(_, exceptions)| exceptions.len()).sum();
        let ids: Vec<PatternId> = std::iter::repeat_with(|| PatternId::from_uuid(self.ids().make())).take(n).collect();
        // Reading messages is work for the processor.
        let reading =
            tokio::task::spawn_blocking(move || Round::new(workflow_id, mining, shapes, ids).run(by_head, &states));
        match reading.await.map_err(|_| AppError::Fault("reading messages"))? {
            Ok(commit) => {
                let n = commit.assigned.iter().map(|assigned| assigned.exceptions.len() as u64).sum();
                store.commit_mining(commit).await?;
                self.live().tell(Change { agency_id, workflows: vec![workflow_id], n_runs: 0 });
                Ok(n)
            }
            Err(Unreadable) => {
                tracing::info!(workflow.id = %workflow_id, "the exceptions of workflow {workflow_id} are mined anew");
                store.reset_mining(Some(workflow_id)).await?;
                Ok(0)
            }
        }
    }
}

/// What a miner remembers was written by another version, or is damaged: the messages are read again.
#[derive(Debug)]
pub(super) struct Unreadable;

/// Exceptions by the key of their head, which is a wider one where the workflow has too many.
fn by_head(patterns: &[PatternRow], exceptions: Vec<ToMine>) -> BTreeMap<String, (Head, Vec<ToMine>)> {
    let mut known: HashSet<String> = patterns.iter().map(|pattern| pattern.head.key()).collect();
    let mut by_head: BTreeMap<String, (Head, Vec<ToMine>)> = BTreeMap::new();
    for exception in exceptions {
        let mut head = exception.head.clone();
        let mut key = head.key();
        if known.len() >= MAX_HEADS && !known.contains(&key) {
            (head.agent, head.code) = (String::new(), String::new());
            key = head.key();
        }
        known.insert(key.clone());
        by_head.entry(key).or_insert_with(|| (head, Vec::new())).1.push(exception);
    }
    by_head
}

/// The miner of one head, as it remembers.
pub(super) fn miner_of(state: Option<&Vec<u8>>) -> Result<Miner, Unreadable> {
    let mut config = Config::default().with_max_shapes(MAX_SHAPES);
    // Examples are exceptions, which go when their runs do.
    config.n_examples = 0;
    match state {
        None => Ok(Miner::new(config)),
        Some(bytes) => {
            let state: State = serde_json::from_slice(bytes).map_err(|_| Unreadable)?;
            Miner::import_state(config, state).map_err(|_| Unreadable)
        }
    }
}

/// What people set apart under one head.
pub(super) fn overrides_of<'a>(head: &str, shapes: impl Iterator<Item = &'a OwnedShape>) -> Overrides {
    let mut overrides = Overrides::default();
    for owned in shapes.filter(|owned| owned.by_hand && owned.head == head) {
        if let Ok(key) = owned.shape.rsplit('.').next().unwrap_or_default().parse() {
            overrides.keep_apart([key], &owned.pattern_id.to_string());
        }
    }
    overrides
}

/// One transaction's work.
struct Round {
    workflow_id: WorkflowId,
    version: i64,
    patterns: HashMap<PatternId, PatternRow>,
    changed: BTreeSet<PatternId>,
    owners: HashMap<String, OwnedShape>,
    changed_shapes: BTreeSet<String>,
    by_key: HashMap<String, PatternId>,
    /// Where each pattern was shown before this round, where that was another.
    shown_at: HashMap<PatternId, PatternId>,
    /// Shapes that change their pattern.
    moved: Vec<(PatternId, PatternId, String)>,
    /// Patterns that became part of another.
    absorbed: Vec<(PatternId, PatternId)>,
    /// Ids for patterns that are new.
    ids: Vec<PatternId>,
}

impl Round {
    fn new(workflow_id: WorkflowId, mining: Mining, shapes: Vec<OwnedShape>, ids: Vec<PatternId>) -> Self {
        let by_key = mining.patterns.iter().map(|p| (p.key.clone(), p.id)).collect();
        let into: HashMap<PatternId, PatternId> =
            mining.patterns.iter().filter_map(|p| Some((p.id, p.merged_into?))).collect();
        let shown_at = into.keys().map(|id| (*id, root_of(*id, |id| into.get(&id).copied()))).collect();
        Self {
            workflow_id,
            version: mining.version,
            patterns: mining.patterns.into_iter().map(|p| (p.id, p)).collect(),
            changed: BTreeSet::new(),
            owners: shapes.into_iter().map(|owned| (owned.shape.clone(), owned)).collect(),
            changed_shapes: BTreeSet::new(),
            by_key,
            shown_at,
            moved: Vec::new(),
            absorbed: Vec::new(),
            ids,
        }
    }

    fn run(
        mut self,
        by_head: BTreeMap<String, (Head, Vec<ToMine>)>,
        states: &BTreeMap<String, Vec<u8>>,
    ) -> Result<MiningCommit, Unreadable> {
        let mut miners = Vec::new();
        let mut assigned: BTreeMap<(PatternId, String), Assigned> = BTreeMap::new();
        for (key, (head, exceptions)) in by_head {
            let mut miner = miner_of(states.get(&key))?;
            let read: Vec<_> = exceptions.iter().map(|exception| miner.assign(&exception.message)).collect();
            let groups = miner.consolidate(&overrides_of(&key, self.owners.values()));
            let mut taken = HashSet::new();
            for group in groups.all().iter().filter(|group| group.count > 0) {
                self.own(&key, &head, group, &mut taken);
            }
            for (exception, shape) in exceptions.into_iter().zip(read) {
                let shape = format!("{key}.{}", miner.key_of(shape));
                let Some(owner) = self.owners.get(&shape).map(|owned| owned.pattern_id) else { continue };
                let root = self.root(owner);
                self.see(owner, &exception);
                self.see(root, &exception);
                self.regress(root, &exception);
                assigned
                    .entry((root, shape.clone()))
                    .or_insert_with(|| Assigned { shape, pattern_id: root, exceptions: Vec::new() })
                    .exceptions
                    .push((exception.id, exception.text_key));
            }
            let state = serde_json::to_vec(&miner.export_state()).map_err(|_| Unreadable)?;
            miners.push((key, state));
        }
        let moved = self.moves();
        Ok(MiningCommit {
            workflow_id: self.workflow_id,
            version: self.version,
            patterns: self.changed.iter().filter_map(|id| self.patterns.get(id).cloned()).collect(),
            shapes: self.changed_shapes.iter().filter_map(|shape| self.owners.get(shape).cloned()).collect(),
            miners,
            assigned: assigned.into_values().collect(),
            moved,
        })
    }

    /// Finds or makes the pattern of a group, and gives it the group's shapes.
    fn own(&mut self, head_key: &str, head: &Head, group: &Group, taken: &mut HashSet<PatternId>) {
        let own_key = [group.key];
        // The group of what found no room has no shapes but itself.
        let keys = if group.is_overflow { &own_key[..] } else { &group.shapes[..] };
        let shapes: Vec<String> = keys.iter().map(|key| format!("{head_key}.{key}")).collect();
        let owners: BTreeSet<PatternId> =
            shapes.iter().filter_map(|shape| self.owners.get(shape)).map(|owned| owned.pattern_id).collect();
        let by_hand = shapes.iter().filter_map(|shape| self.owners.get(shape)).any(|owned| owned.by_hand);
        let key = format!("{head_key}.{}", group.key);
        let free = |id: &PatternId| !taken.contains(id) && self.patterns.contains_key(id);
        // What a person touched goes on, else the oldest.
        let rank = |id: &PatternId| {
            self.patterns.get(id).map(|p| (p.changed_at.is_none(), p.merged_into.is_some(), p.first_seen, p.id))
        };
        let own = owners.iter().copied().filter(free).min_by_key(rank);
        let by_key = self.by_key.get(&key).copied().filter(free);
        let id = match own.or(by_key) {
            Some(id) => id,
            None => {
                let Some(id) = self.ids.pop() else { return };
                self.patterns.insert(id, self.made(id, &key, head, &owners));
                self.changed.insert(id);
                id
            }
        };
        taken.insert(id);
        self.by_key.insert(key.clone(), id);
        let template = cut_text(&group.template, MAX_TEMPLATE_CHARS);
        let because = cut_text(&group.because(), MAX_TEMPLATE_CHARS * 2);
        if let Some(pattern) = self.patterns.get_mut(&id)
            && (pattern.template != template || pattern.because != because || pattern.key != key)
        {
            (pattern.template, pattern.because, pattern.key) = (template, because, key);
            self.changed.insert(id);
        }
        for shape in shapes {
            let before = self.owners.get(&shape).map(|owned| owned.pattern_id);
            if before == Some(id) {
                continue;
            }
            if let Some(before) = before {
                self.moved.push((before, id, shape.clone()));
            }
            self.changed_shapes.insert(shape.clone());
            self.owners.insert(shape.clone(), OwnedShape { head: head_key.to_owned(), shape, pattern_id: id, by_hand });
        }
        for other in owners.into_iter().filter(|other| *other != id) {
            self.absorb(other, id);
        }
    }

    /// A pattern of which no shape is left goes on inside the one that took them.
    fn absorb(&mut self, other: PatternId, into: PatternId) {
        if self.owners.values().any(|owned| owned.pattern_id == other) || self.root(into) == other {
            return;
        }
        let Some(pattern) = self.patterns.get_mut(&other) else { return };
        if pattern.merged_into.is_none() {
            pattern.merged_into = Some(into);
            pattern.merged_by = String::new();
            self.absorbed.push((other, into));
            let (first, last) = (pattern.first_seen, pattern.last_seen);
            self.changed.insert(other);
            if let Some(into) = self.patterns.get_mut(&into) {
                into.first_seen = into.first_seen.min(first);
                into.last_seen = into.last_seen.max(last);
                self.changed.insert(into.id);
            }
        }
    }

    /// A pattern that is new; seen when it is seen, or when those were of which it takes shapes.
    fn made(&self, id: PatternId, key: &str, head: &Head, owners: &BTreeSet<PatternId>) -> PatternRow {
        let before = || owners.iter().filter_map(|id| self.patterns.get(id));
        let first_seen = before().map(|p| p.first_seen).min().unwrap_or(Timestamp(i64::MAX));
        let last_seen = before().map(|p| p.last_seen).max().unwrap_or(Timestamp(i64::MIN));
        PatternRow {
            id,
            workflow_id: self.workflow_id,
            key: key.to_owned(),
            head: head.clone(),
            template: String::new(),
            because: String::new(),
            name: String::new(),
            state: PatternState::New,
            n: 0,
            n_runs: 0,
            wasted_nanos: 0,
            first_seen,
            last_seen,
            resolved_at: None,
            resolved_in: String::new(),
            regressed_at: None,
            changed_at: None,
            changed_by: String::new(),
            merged_into: None,
            merged_by: String::new(),
            split_from: None,
        }
    }

    /// The pattern that shows what belongs to one.
    fn root(&self, id: PatternId) -> PatternId {
        root_of(id, |id| self.patterns.get(&id).and_then(|pattern| pattern.merged_into))
    }

    /// Marks that a pattern was seen.
    fn see(&mut self, id: PatternId, exception: &ToMine) {
        let Some(pattern) = self.patterns.get_mut(&id) else { return };
        if exception.at < pattern.first_seen {
            pattern.first_seen = exception.at;
            self.changed.insert(id);
        }
        if exception.at > pattern.last_seen {
            pattern.last_seen = exception.at;
            self.changed.insert(id);
        }
    }

    /// Marks that a pattern that is shown came back, where it was called resolved.
    fn regress(&mut self, id: PatternId, exception: &ToMine) {
        let Some(pattern) = self.patterns.get_mut(&id) else { return };
        let after = pattern.state.after_exception(exception.started_at, pattern.resolved_at);
        if after != pattern.state {
            pattern.state = after;
            pattern.regressed_at = Some(exception.at);
            self.changed.insert(id);
        }
    }

    /// What changes its pattern among exceptions that have one: from where it was shown to where it will be.
    fn moves(&self) -> Vec<Moved> {
        let mut moves: BTreeMap<(PatternId, PatternId), Vec<String>> = BTreeMap::new();
        for (from, to, shape) in &self.moved {
            let from = self.shown_at.get(from).copied().unwrap_or(*from);
            let to = self.root(*to);
            if from != to {
                moves.entry((from, to)).or_default().push(shape.clone());
            }
        }
        let shapes = moves.into_iter().map(|((from, to), shapes)| Moved { from, to, shapes: Some(shapes) });
        // What people had put together with a pattern goes with it.
        let whole = self.absorbed.iter().map(|(from, to)| Moved { from: *from, to: self.root(*to), shapes: None });
        shapes.chain(whole).collect()
    }
}

/// The end of a chain of patterns that became part of another.
pub(super) fn root_of(id: PatternId, into: impl Fn(PatternId) -> Option<PatternId>) -> PatternId {
    let mut at = id;
    // A chain is as long as people merged one into the next; a circle is refused when it is made.
    for _ in 0..100 {
        match into(at) {
            Some(next) if next != id => at = next,
            _ => break,
        }
    }
    at
}
