//! One end user's data, by the id that senders give them: handed out, or deleted, with a record that it was done.
//!
//! A run is the user's when it names them. Deleted are the runs with their steps, what waits of them in the queue, what
//! people said of them in verdicts and reviews, and their spans in the raw payloads: a payload that holds others' runs too is written anew without them, so that a rebuild
//! brings nothing back and loses nobody else's. Tallies stay, since they tell of no person, and count how many of
//! their runs were deleted. Published reports stay, since they hold sums only; drafts that name the user are told.
//!
//! The record says who did it, when, and how much there was. In place of the id it holds a stand-in, mixed with the
//! agency's salt: who knows the id can find the record, and nobody can read the id out of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::{Value, json};
use steward_core::ids::{ClientId, InboxId, RunId, WorkflowId};
use steward_core::step::cut_text;
use steward_core::tallies::Tallies;
use steward_store::StoreError;
use steward_store::system::{InboxEntry, InboxKind};
use steward_store::tenant::{Deletion, MAX_INBOX_IDS, ReportState, RewrittenPayload, RunFilter, StoredRun};
use steward_wire::WireError;
use steward_wire::import::Format;
use steward_wire::mask::{self, Rest};
use steward_wire::otlp::Encoding;

use crate::assemble::split_key;
use crate::intake::{Origin, decode, platform_of};
use crate::privacy::rewritten_kind;
use crate::{Actor, App, AppError};

/// The most characters of an id that are kept of it, as runs keep them.
const MAX_ID_CHARS: usize = 200;
/// Runs that one transaction deletes, and that one piece of an export holds.
const RUNS_AT_ONCE: u32 = 50;
/// Raw payloads that are looked through at once.
const PAYLOADS_AT_ONCE: usize = 20;
/// How often it is looked whether more arrived while runs were being deleted.
const ROUNDS: u32 = 3;
/// How often a transaction that another writer outran is tried again.
const MAX_TRIES: u32 = 8;

/// Two deletions at once would write the same payload anew.
static DELETING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Runs.
    pub runs: u64,
    /// Verdicts of people on them, with their comments.
    pub verdicts: u64,
    /// Reviews of people, with their resolutions and comments.
    pub reviews: u64,
    /// Raw payloads that held nothing else.
    pub payloads_dropped: u64,
    /// Raw payloads that hold others' runs too and were written anew.
    pub payloads_rewritten: u64,
    /// Drafts of reports whose words name the id: somebody should look at them.
    pub drafts_naming: u64,
}

/// One end user's data as a file that is made piece by piece: a JSON document.
#[derive(Debug)]
pub struct UserDataExport {
    app: App,
    actor: Actor,
    filters: VecDeque<RunFilter>,
    behind: Option<RunId>,
    names: HashMap<WorkflowId, String>,
    part: Part,
    n_runs: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Runs,
    Done,
}

impl App {
    /// Hands out all runs of one end user with their conversations, of one client or of all that the actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such client;
    /// [`AppError::Invalid`] for an id that is none.
    pub async fn export_user_data(
        &self,
        actor: &Actor,
        user_id: &str,
        client: Option<ClientId>,
    ) -> Result<UserDataExport, AppError> {
        let (filters, stand_in) = self.filters_of_user(actor, user_id, client).await?;
        let workflows = self.visible_workflows(actor, true).await?;
        let mut n_runs = 0;
        for filter in &filters {
            n_runs += self.store_of(actor).count_runs(filter, u32::MAX).await?;
        }
        // Recorded before the first byte leaves, so that a file that breaks off is recorded too.
        let of_client = client.map(|id| format!(", of {id}")).unwrap_or_default();
        self.audit_by(actor, "user_data.export", &stand_in, &format!("{n_runs} runs{of_client}")).await?;
        Ok(UserDataExport {
            app: self.clone(),
            actor: actor.clone(),
            filters: filters.into(),
            behind: None,
            names: workflows.into_iter().map(|workflow| (workflow.id, workflow.name)).collect(),
            part: Part::Head,
            n_runs: 0,
        })
    }

    /// Deletes all runs of one end user, of one client or of all that the actor may see, and records that it was done.
    /// Running it again finishes what it began, and deletes what arrived since.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such client;
    /// [`AppError::Invalid`] for an id that is none.
    pub async fn delete_user_data(
        &self,
        actor: &Actor,
        user_id: &str,
        client: Option<ClientId>,
    ) -> Result<Deleted, AppError> {
        let (filters, stand_in) = self.filters_of_user(actor, user_id, client).await?;
        let _alone = DELETING.lock().await;
        let mut deleted = Deleted::default();
        let mut shapes = BTreeMap::new();
        let mut result = self.delete_runs_of(actor, &filters, &mut deleted, &mut shapes).await;
        if result.is_ok() {
            result = self.forget_words(actor, &shapes).await;
        }
        if result.is_ok() {
            // Answers to writes may show what was in the runs.
            result = self.store_of(actor).forget_answers().await.map_err(AppError::from);
        }
        deleted.drafts_naming = self.drafts_naming(actor, user_id).await.unwrap_or(0);
        // What was done is recorded also where the rest failed.
        let failed = if result.is_err() { ", and then it failed: run it again" } else { "" };
        let details = format!(
            "{} runs, {} verdicts, {} reviews, {} payloads dropped, {} rewritten{}{failed}",
            deleted.runs,
            deleted.verdicts,
            deleted.reviews,
            deleted.payloads_dropped,
            deleted.payloads_rewritten,
            client.map(|id| format!(", of {id}")).unwrap_or_default(),
        );
        self.audit_by(actor, "user_data.delete", &stand_in, &details).await?;
        result.map(|()| deleted)
    }

    /// The filters that find a user's runs in every form in which their id may have been kept, and the stand-in by
    /// which records name them.
    async fn filters_of_user(
        &self,
        actor: &Actor,
        user_id: &str,
        client: Option<ClientId>,
    ) -> Result<(Vec<RunFilter>, String), AppError> {
        actor.must_operate()?;
        let id = user_id.trim();
        if id.is_empty() || id.chars().count() > 1_000 || id.contains('\0') {
            return Err(AppError::Invalid("the id of an end user has 1 to 1,000 characters".to_owned()));
        }
        let mut workflows = self.visible_workflows(actor, true).await?;
        if let Some(client) = client {
            self.get_client(actor, client).await?;
            workflows.retain(|workflow| workflow.client_id == Some(client));
        }
        let workflows: Vec<WorkflowId> = workflows.into_iter().map(|workflow| workflow.id).collect();
        let forms = mask::forms_of_id(id, &self.salt(actor.agency_id).await?);
        let stand_in = forms.last().cloned().unwrap_or_default();
        let forms: BTreeSet<String> = forms.into_iter().map(|form| cut_text(&form, MAX_ID_CHARS)).collect();
        let filters = forms.into_iter().map(|form| RunFilter {
            workflows: Some(workflows.clone()),
            user_id: Some(form),
            with_tests: true,
            ..RunFilter::default()
        });
        Ok((filters.collect(), stand_in))
    }

    async fn delete_runs_of(
        &self,
        actor: &Actor,
        filters: &[RunFilter],
        deleted: &mut Deleted,
        shapes: &mut BTreeMap<WorkflowId, BTreeSet<String>>,
    ) -> Result<(), AppError> {
        for _ in 0..ROUNDS {
            // What has arrived and is not assembled yet belongs to them too.
            self.assemble_waiting().await?;
            let before = deleted.runs;
            for filter in filters {
                let mut n_tries = 0;
                loop {
                    let keys = self.store_of(actor).list_run_keys(filter, None, RUNS_AT_ONCE).await?;
                    let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
                    if keys.is_empty() {
                        break;
                    }
                    match self.delete_some(actor, &keys, deleted, shapes).await {
                        Err(AppError::Busy { source: Some(StoreError::Outrun), .. }) if n_tries < MAX_TRIES => {
                            n_tries += 1;
                        }
                        result => result?,
                    }
                }
            }
            if deleted.runs == before {
                break;
            }
        }
        Ok(())
    }

    /// Deletes some runs with their part of the raw payloads, in one transaction.
    async fn delete_some(
        &self,
        actor: &Actor,
        keys: &[String],
        deleted: &mut Deleted,
        shapes: &mut BTreeMap<WorkflowId, BTreeSet<String>>,
    ) -> Result<(), AppError> {
        let store = self.store_of(actor);
        let runs = store.find_stored_runs(keys).await?;
        let gone = Gone::of(&runs, store.list_trace_keys(keys).await?);
        let mut payloads = Vec::new();
        for ids in self.payloads_of(actor, &runs).await?.chunks(PAYLOADS_AT_ONCE) {
            let entries = store.find_inbox(ids).await?;
            let gone = gone.clone();
            let reading = tokio::task::spawn_blocking(move || {
                entries.iter().filter_map(|entry| gone.rewritten(entry)).collect::<Vec<_>>()
            });
            payloads.extend(reading.await.map_err(|_| AppError::Fault("reading a payload"))?);
        }
        let mut tallies = Tallies::default();
        runs.iter().for_each(|run| tallies.add_deleted(run.workflow_id, &run.facts));
        let n_dropped = payloads.iter().filter(|payload| payload.body.is_none()).count() as u64;
        let n_rewritten = payloads.len() as u64 - n_dropped;
        let deletion = Deletion {
            runs: runs.iter().map(|run| (run.id, run.revision, run.key.clone())).collect(),
            payloads,
            tallies,
        };
        let with_them = store.delete_runs(deletion).await?;
        deleted.verdicts += with_them.n_verdicts;
        deleted.reviews += with_them.n_reviews;
        for (workflow, gone) in with_them.shapes {
            shapes.entry(workflow).or_default().extend(gone);
        }
        deleted.runs += runs.len() as u64;
        deleted.payloads_dropped += n_dropped;
        deleted.payloads_rewritten += n_rewritten;
        Ok(())
    }

    /// Learns the patterns of workflows anew from what is left, and deletes those that were of the deleted runs alone:
    /// a template consists of words that somebody said.
    async fn forget_words(
        &self,
        actor: &Actor,
        shapes: &BTreeMap<WorkflowId, BTreeSet<String>>,
    ) -> Result<(), AppError> {
        let store = self.store_of(actor);
        for workflow in shapes.keys() {
            store.reset_mining(Some(*workflow)).await?;
        }
        if !shapes.is_empty() {
            self.mine_patterns().await?;
        }
        for (workflow, gone) in shapes {
            store.forget_shapes(*workflow, gone).await?;
        }
        Ok(())
    }

    /// The raw payloads that may hold spans of runs. A run that has too many to remember them all, or whose steps are
    /// gone, may be in any that was received since its first.
    async fn payloads_of(&self, actor: &Actor, runs: &[StoredRun]) -> Result<Vec<InboxId>, AppError> {
        let knows_all = |run: &&StoredRun| !run.steps_dropped && run.inbox_ids.len() < MAX_INBOX_IDS;
        let mut ids: BTreeSet<InboxId> =
            runs.iter().filter(knows_all).flat_map(|run| run.inbox_ids.iter().copied()).collect();
        let since = runs.iter().filter(|run| !knows_all(run)).map(|run| run.first_received_at).min();
        if let Some(since) = since {
            let mut behind = None;
            loop {
                let more = self.store_of(actor).list_inbox_ids(since, behind, 5_000).await?;
                let Some(last) = more.last() else { break };
                behind = Some(*last);
                ids.extend(more);
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// How many drafts of reports name an id in their words.
    async fn drafts_naming(&self, actor: &Actor, user_id: &str) -> Result<u64, AppError> {
        let id = user_id.trim().to_lowercase();
        let reports = self.store_of(actor).list_reports(None).await?;
        let drafts = reports.iter().filter(|report| report.state == ReportState::Draft);
        let n = drafts.filter(|report| report.edits.to_lowercase().contains(&id)).count();
        Ok(n as u64)
    }
}

/// Traces that go: those of the runs that are deleted, each with the workflow whose key it came with.
#[derive(Debug, Clone)]
struct Gone {
    traces: std::sync::Arc<HashSet<(Option<WorkflowId>, String)>>,
}

impl Gone {
    fn of(runs: &[StoredRun], trace_keys: Vec<String>) -> Self {
        let mut traces = HashSet::new();
        for run in runs {
            let (pinned, trace) = split_key(&run.key);
            traces.extend(run.steps.iter().map(|step| (pinned, step.trace_id.clone())));
            traces.insert((pinned, trace.to_owned()));
        }
        traces.extend(trace_keys.iter().map(|key| {
            let (pinned, trace) = split_key(key);
            (pinned, trace.to_owned())
        }));
        Self { traces: std::sync::Arc::new(traces) }
    }

    /// A payload without what goes. `None` when nothing of it does.
    fn rewritten(&self, entry: &InboxEntry) -> Option<RewrittenPayload> {
        // One that cannot be read tells nobody whose it is: what may be theirs goes.
        let (kind, body) = match self.rest_of(entry) {
            Ok(Rest::AsItCame) => return None,
            Ok(Rest::Rewritten(bytes)) => (rewritten_kind(entry.kind), Some(bytes)),
            Ok(Rest::Nothing) | Err(_) => (entry.kind, None),
        };
        Some(RewrittenPayload {
            id: entry.id,
            n_bytes_before: i64::try_from(entry.body.len()).unwrap_or(i64::MAX),
            kind,
            n_bytes: body.as_ref().map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
            body: body.map(|body| steward_store::pack(&body)),
        })
    }

    fn rest_of(&self, entry: &InboxEntry) -> Result<Rest, WireError> {
        let is_gone = |trace: &str| self.traces.contains(&(entry.workflow_id, trace.to_owned()));
        let line = |format| {
            let text = std::str::from_utf8(&entry.body).map_err(|_| WireError::NotText)?;
            Ok(mask::without_traces_line(format, text, &is_gone))
        };
        let origin = Origin::of_entry(entry);
        match entry.kind {
            InboxKind::OtlpProtobuf => mask::without_traces_otlp(&entry.body, Encoding::Protobuf, &is_gone),
            InboxKind::OtlpJson => mask::without_traces_otlp(&entry.body, Encoding::Json, &is_gone),
            InboxKind::OtlpLogsProtobuf => mask::without_traces_logs(&entry.body, Encoding::Protobuf, &is_gone),
            InboxKind::OtlpLogsJson => mask::without_traces_logs(&entry.body, Encoding::Json, &is_gone),
            InboxKind::LangfuseBatch => mask::without_traces_batch(&entry.body, &is_gone),
            InboxKind::LangfuseScores => mask::without_traces_scores(&entry.body, entry.received_at, &is_gone),
            InboxKind::Native => mask::without_traces_native(&entry.body, &is_gone),
            InboxKind::Transcript => line(Format::Transcript),
            InboxKind::TauBench => line(Format::TauBench),
            InboxKind::Tau2Bench => line(Format::Tau2Bench),
            InboxKind::Steps => {
                let mut steps = decode(origin, entry.kind, &entry.body)?.steps;
                let n = steps.len();
                steps.retain(|step| !is_gone(&step.trace_id));
                Ok(match steps.len() {
                    left if left == n => Rest::AsItCame,
                    0 => Rest::Nothing,
                    _ => Rest::Rewritten(serde_json::to_vec(&steps).map_err(WireError::Json)?),
                })
            }
            InboxKind::Vapi
            | InboxKind::Retell
            | InboxKind::ElevenLabs
            | InboxKind::N8n
            | InboxKind::Make
            | InboxKind::Zapier
            | InboxKind::LangGraph
            | InboxKind::Twilio
            | InboxKind::Event => {
                let scope = origin.scope();
                let delivery = origin.delivery(&scope, &entry.body);
                mask::without_traces_delivery(platform_of(entry.kind)?, &delivery, &is_gone)
            }
        }
    }
}

impl UserDataExport {
    /// How many runs were handed out so far.
    #[must_use]
    pub fn n_runs(&self) -> u64 {
        self.n_runs
    }

    /// The next piece of the document. `None` behind the last.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, AppError> {
        match self.part {
            Part::Head => {
                self.part = Part::Runs;
                let made_at = self.app.clock().now().rfc3339();
                Ok(Some(format!("{{\"made_at\":{},\"runs\":[\n", Value::from(made_at)).into_bytes()))
            }
            Part::Runs => match self.next_runs().await? {
                Some(text) => Ok(Some(text.into_bytes())),
                None => {
                    self.part = Part::Done;
                    Ok(Some(b"\n]}\n".to_vec()))
                }
            },
            Part::Done => Ok(None),
        }
    }

    async fn next_runs(&mut self) -> Result<Option<String>, AppError> {
        while let Some(filter) = self.filters.front() {
            let store = self.app.store_of(&self.actor);
            let found = store.list_run_keys(filter, self.behind, RUNS_AT_ONCE).await?;
            let Some((last, _)) = found.last() else {
                self.filters.pop_front();
                self.behind = None;
                continue;
            };
            self.behind = Some(*last);
            let keys: Vec<String> = found.into_iter().map(|(_, key)| key).collect();
            let verdicts = store.list_verdicts(&keys).await?;
            let mut text = String::new();
            let runs = store.find_stored_runs(&keys).await?;
            let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
            let reviews = store.list_reviews_of_runs(&ids).await?;
            for run in runs {
                if self.n_runs > 0 {
                    text.push_str(",\n");
                }
                self.n_runs += 1;
                let said = verdicts.iter().filter(|(key, _)| *key == run.key).map(|(_, verdict)| {
                    json!({
                        "at": verdict.at.rfc3339(),
                        "outcome": verdict.outcome.map(steward_core::outcome::Outcome::as_str),
                        "comment": verdict.comment,
                    })
                });
                let reviewed = reviews.iter().filter(|review| review.run_id == run.id).map(|review| {
                    json!({
                        "at": review.closed_at.rfc3339(),
                        "outcome": review.judgement.outcome.map(steward_core::outcome::Outcome::as_str),
                        "resolution": review.judgement.resolution,
                        "comment": review.judgement.comment,
                    })
                });
                let run = json!({
                    "id": run.id.to_string(),
                    "workflow": self.names.get(&run.workflow_id),
                    "started_at": run.facts.started_at.rfc3339(),
                    "ended_at": run.facts.ended_at.rfc3339(),
                    "outcome": run.facts.outcome().as_str(),
                    "title": run.facts.title,
                    "user_id": run.facts.user_id,
                    "conversation_id": run.facts.conversation_id,
                    "verdicts": said.collect::<Vec<_>>(),
                    "reviews": reviewed.collect::<Vec<_>>(),
                    "steps": run.steps,
                });
                text.push_str(&run.to_string());
            }
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}
