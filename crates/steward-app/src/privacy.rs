//! What is kept of a payload, by the settings of the workflows that it holds runs of.
//!
//! Invariant: nothing of a payload is stored before it went through [`Policies::sort`], unless every workflow that it
//! may belong to keeps everything. With settings that cannot be read nothing is stored.
//!
//! A trace belongs to the workflow that its spans name, and to that of its run where there is one already; where these
//! differ the stricter settings hold. A workflow that is not known does as its agency does.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use steward_core::ids::{AgencyId, WorkflowId};
use steward_core::privacy::{Content, Privacy};
use steward_core::step::Step;
use steward_store::system::InboxKind;
use steward_wire::WireError;
use steward_wire::import::Format;
use steward_wire::mask::{self, Masker, Rest, Sorted, Treatment};
use steward_wire::otlp::Encoding;
use tokio::time::Instant;

use crate::intake::{Accepted, IntakeError, Origin, decode, platform_of};
use crate::{App, AppError};

/// How long settings are used before they are read again: so long a change may take to reach every process.
const POLICY_AGE: Duration = Duration::from_secs(2);

/// The settings of each agency, as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Known {
    by_agency: Mutex<HashMap<AgencyId, Arc<Policies>>>,
    /// Many requests that find settings too old wait for one that reads them.
    reading: tokio::sync::Mutex<()>,
}

/// What an agency and each of its workflows keep.
#[derive(Debug)]
pub(crate) struct Policies {
    read_at: Instant,
    keep_all: bool,
    agency: Policy,
    by_id: HashMap<WorkflowId, Policy>,
    by_source: HashMap<String, WorkflowId>,
}

#[derive(Debug, Clone)]
struct Policy {
    privacy: Privacy,
    masker: Arc<Masker>,
}

/// A payload that may be stored.
#[derive(Debug)]
pub(crate) struct Payload {
    pub(crate) kind: InboxKind,
    /// `None`: as it came.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) steps: Vec<Step>,
}

/// What may be stored of a payload, and what its sender is told.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) payloads: Vec<Payload>,
    pub(crate) answer: Accepted,
}

impl Policies {
    /// Whether everything is kept of what comes with a key: of one workflow, or of the whole agency.
    pub(crate) fn keep_all(&self, workflow_id: Option<WorkflowId>) -> bool {
        match workflow_id {
            None => self.keep_all,
            Some(id) => self.of(id).privacy.content() == Content::Full,
        }
    }

    fn of(&self, id: WorkflowId) -> &Policy {
        self.by_id.get(&id).unwrap_or(&self.agency)
    }

    /// What holds for the steps of one trace or run: the strictest of all workflows that it may belong to.
    fn choose(&self, steps: &[&Step], pinned: Option<WorkflowId>, known: &HashMap<String, WorkflowId>) -> &Policy {
        if let Some(id) = pinned {
            return self.of(id);
        }
        let named = steps.iter().filter_map(|step| step.declared.as_deref()?.workflow.as_deref());
        let named = named.map(|name| self.by_source.get(name).map_or(&self.agency, |id| self.of(*id)));
        let stored = steps.first().and_then(|step| known.get(&step.trace_id)).map(|id| self.of(*id));
        named.chain(stored).max_by_key(|policy| policy.privacy.content()).unwrap_or(&self.agency)
    }

    /// Sorts a payload by what may be kept of it. `known` are the workflows of traces whose runs are stored already.
    pub(crate) fn sort(
        &self,
        origin: Origin,
        kind: InboxKind,
        body: &[u8],
        known: &HashMap<String, WorkflowId>,
    ) -> Result<Kept, WireError> {
        let pinned = origin.workflow_id;
        let decoded = decode(origin, kind, body)?;
        let answer = Accepted::of(&decoded, origin.received_at);
        let steps = decoded.steps;
        let mut payloads = Vec::new();
        if steps.is_empty() {
            return Ok(Kept { payloads, answer });
        }
        if self.keep_all(pinned) {
            payloads.push(Payload { kind, body: None, steps });
            return Ok(Kept { payloads, answer });
        }
        let choose = |steps: &[&Step]| {
            let policy = self.choose(steps, pinned, known);
            Treatment { content: policy.privacy.content(), masker: &policy.masker }
        };
        let Sorted { rest, stripped } = sorted(origin, kind, body, &choose)?;
        match rest {
            Rest::AsItCame => payloads.push(Payload { kind, body: None, steps }),
            Rest::Rewritten(bytes) => {
                // What is read later is what is read now: the steps come from the bytes that are stored.
                let kind = rewritten_kind(kind);
                let steps = decode(origin, kind, &bytes)?.steps;
                payloads.push(Payload { kind, body: Some(bytes), steps });
            }
            Rest::Nothing => {}
        }
        if !stripped.is_empty() {
            let bytes = serde_json::to_vec(&stripped).map_err(WireError::Json)?;
            let steps = decode(origin, InboxKind::Steps, &bytes)?.steps;
            payloads.push(Payload { kind: InboxKind::Steps, body: Some(bytes), steps });
        }
        Ok(Kept { payloads, answer })
    }

    /// What may be kept of a payload of a connection that cannot be read: nothing tells what in it is whose.
    pub(crate) async fn rest_of_unreadable(
        self: &Arc<Self>,
        pinned: Option<WorkflowId>,
        kind: InboxKind,
        body: bytes::Bytes,
    ) -> Result<bytes::Bytes, IntakeError> {
        if self.keep_all(pinned) {
            return Ok(body);
        }
        let policies = Arc::clone(self);
        let masking = tokio::task::spawn_blocking(move || {
            let policy = pinned.map_or(&policies.agency, |id| policies.of(id));
            let treatment = Treatment { content: policy.privacy.content(), masker: &policy.masker };
            mask::keep_of_unreadable(platform_of(kind).ok(), &body, treatment)
        });
        masking.await.map(bytes::Bytes::from).map_err(|_| IntakeError::Busy { retry_after_seconds: 1 })
    }

    /// Words on a payload that are kept: what they quote of it is gone, unless everything is kept of every workflow.
    pub(crate) fn words<'w>(&self, words: &'w str) -> Cow<'w, str> {
        if self.keep_all { Cow::Borrowed(words) } else { Cow::Owned(self.agency.masker.mask_quoting(words)) }
    }
}

/// In what form a payload is when it was written anew.
pub(crate) fn rewritten_kind(kind: InboxKind) -> InboxKind {
    match kind {
        InboxKind::OtlpJson => InboxKind::OtlpProtobuf,
        InboxKind::OtlpLogsJson => InboxKind::OtlpLogsProtobuf,
        other => other,
    }
}

fn sorted(origin: Origin, kind: InboxKind, body: &[u8], choose: mask::Choose<'_, '_>) -> Result<Sorted, WireError> {
    let line = |format| {
        let text = std::str::from_utf8(body).map_err(|_| WireError::NotText)?;
        // A line that cannot be read has no steps, and never comes here.
        Ok(mask::keep_of_line(format, text, choose).unwrap_or(Sorted { rest: Rest::Nothing, stripped: Vec::new() }))
    };
    match kind {
        InboxKind::OtlpProtobuf => mask::keep_of_otlp(body, Encoding::Protobuf, choose),
        InboxKind::OtlpJson => mask::keep_of_otlp(body, Encoding::Json, choose),
        InboxKind::OtlpLogsProtobuf => mask::keep_of_logs(body, Encoding::Protobuf, choose),
        InboxKind::OtlpLogsJson => mask::keep_of_logs(body, Encoding::Json, choose),
        InboxKind::LangfuseBatch => mask::keep_of_batch(body, choose),
        InboxKind::LangfuseScores => mask::keep_of_scores(body, origin.received_at, choose),
        InboxKind::Native => mask::keep_of_native(body, choose),
        InboxKind::Transcript => line(Format::Transcript),
        InboxKind::TauBench => line(Format::TauBench),
        InboxKind::Tau2Bench => line(Format::Tau2Bench),
        InboxKind::Steps => Ok(Sorted { rest: Rest::AsItCame, stripped: Vec::new() }),
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
            mask::keep_of_delivery(platform_of(kind)?, &origin.delivery(&scope, body), choose)
        }
    }
}

impl App {
    /// What an agency and its workflows keep, read again when it is too old.
    pub(crate) async fn policies(&self, agency_id: AgencyId) -> Result<Arc<Policies>, AppError> {
        if let Some(policies) = self.known_policies(agency_id) {
            return Ok(policies);
        }
        let _alone = self.inner.policies.reading.lock().await;
        if let Some(policies) = self.known_policies(agency_id) {
            return Ok(policies);
        }
        let policies = Arc::new(self.read_policies(agency_id).await?);
        let mut known = self.inner.policies.by_agency.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(agency_id, Arc::clone(&policies));
        Ok(policies)
    }

    fn known_policies(&self, agency_id: AgencyId) -> Option<Arc<Policies>> {
        let known = self.inner.policies.by_agency.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&agency_id).filter(|policies| policies.read_at.elapsed() < POLICY_AGE).map(Arc::clone)
    }

    async fn read_policies(&self, agency_id: AgencyId) -> Result<Policies, AppError> {
        let read_at = Instant::now();
        let store = self.agency(agency_id);
        let agency = store.find_agency().await?.ok_or(AppError::NotFound("agency"))?;
        let workflows = store.list_workflows().await?;
        let all: Vec<(WorkflowId, String, Privacy)> =
            workflows.into_iter().map(|w| (w.id, w.source_name, w.settings.privacy.over(&agency.privacy))).collect();
        let own = Privacy::default().over(&agency.privacy);
        let keeps_all = |privacy: &Privacy| privacy.content() == Content::Full;
        let keep_all = keeps_all(&own) && all.iter().all(|(.., privacy)| keeps_all(privacy));
        let salt = if keep_all { [0; 32] } else { self.salt(agency_id).await? };
        let mut maskers: Vec<Policy> = Vec::new();
        let mut policy_of = |privacy: Privacy| match maskers.iter().find(|known| known.privacy == privacy) {
            Some(known) => known.clone(),
            None => {
                let policy = Policy { masker: Arc::new(Masker::new(&privacy, salt)), privacy };
                maskers.push(policy.clone());
                policy
            }
        };
        let agency = policy_of(own);
        let (mut by_id, mut by_source) = (HashMap::new(), HashMap::new());
        for (id, source, privacy) in all {
            by_id.insert(id, policy_of(privacy));
            by_source.insert(source, id);
        }
        Ok(Policies { read_at, keep_all, agency, by_id, by_source })
    }

    /// What ids of an agency's end users are mixed with where they are kept as stand-ins.
    pub(crate) async fn salt(&self, agency_id: AgencyId) -> Result<[u8; 32], AppError> {
        Ok(self.agency(agency_id).find_or_record_salt(self.ids().secret()).await?)
    }

    /// Reads an agency's settings again when they are next needed.
    pub(crate) fn forget_policies(&self, agency_id: AgencyId) {
        self.inner.policies.by_agency.lock().unwrap_or_else(PoisonError::into_inner).remove(&agency_id);
    }

    /// The workflows of the traces in a payload whose runs are stored already, where a key does not say it.
    pub(crate) async fn known_workflows(
        &self,
        origin: Origin,
        kind: InboxKind,
        body: &bytes::Bytes,
        policies: &Policies,
    ) -> Result<HashMap<String, WorkflowId>, AppError> {
        if origin.workflow_id.is_some() || policies.by_id.is_empty() {
            return Ok(HashMap::new());
        }
        let body = body.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let steps = decode(origin, kind, &body).map(|decoded| decoded.steps).unwrap_or_default();
            let mut traces: Vec<String> = steps.into_iter().map(|step| step.trace_id).collect();
            traces.sort_unstable();
            traces.dedup();
            traces
        });
        let traces = reading.await.map_err(|_| AppError::Fault("reading a payload"))?;
        Ok(self.agency(origin.agency_id).find_run_workflows(&traces).await?.into_iter().collect())
    }
}
