//! Taking in what agents send: decoded once, kept raw, acknowledged when it is on disk, then handed to assembly.
//!
//! Many requests share one commit. What is acknowledged and not yet assembled is held in memory up to a bound;
//! beyond it senders wait, and then are told to come back. Whatever happens to this process, the entries are in
//! the inbox, and assembly finds them there.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use steward_core::ids::{AgencyId, InboxId, WorkflowId};
use steward_core::step::Step;
use steward_core::time::Timestamp;
use steward_store::StoreError;
use steward_store::system::{InboxKind, KeyScope, NewInboxEntry};
use steward_wire::{Decoded, WireError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::privacy::Policies;
use crate::{App, AppError};

/// Steps that may wait in memory for assembly. A step is one to two kilobytes.
const MAX_STEPS_IN_MEMORY: usize = 24_000;
/// How long a sender waits for room before it is told to come back.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(8);
/// Bodies above this size are decoded off the threads that answer requests.
const DECODE_INLINE_BYTES: usize = 512 * 1024;
/// Entries, and bytes of them, that one commit takes.
const COMMIT_ENTRIES: usize = 256;
const COMMIT_BYTES: usize = 8 * 1024 * 1024;
/// How long this process keeps entries for itself; after that another may take them over.
pub(crate) const LEASE_MS: i64 = 60_000;

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Steps that were accepted.
    pub accepted: u64,
    /// Spans or runs that were refused.
    pub rejected: u64,
    /// Why, in words.
    pub rejection: Option<String>,
}

/// A failure to take something in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The bytes are not what they were said to be. Sending them again will not help.
    #[error("the body cannot be read")]
    Unreadable(#[source] WireError),
    /// Not kept. Sending it again later may succeed.
    #[error("not kept, try again in {retry_after_seconds} s")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
    },
}

impl From<IntakeError> for AppError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Unreadable(source) => Self::Invalid(source.to_string()),
            IntakeError::Busy { retry_after_seconds } => Self::Busy { retry_after_seconds, source: None },
        }
    }
}

/// An entry of the inbox with its steps, held in memory by this process.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) id: InboxId,
    pub(crate) agency_id: AgencyId,
    pub(crate) workflow_id: Option<WorkflowId>,
    pub(crate) steps: Vec<Step>,
    /// Room in memory, given back when it is dropped.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

struct Commit {
    entry: NewInboxEntry,
    held: Held,
    done: oneshot::Sender<Result<(), ()>>,
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").field("id", &self.entry.id).finish_non_exhaustive()
    }
}

/// What intake shares between requests.
#[derive(Debug)]
pub(crate) struct Gate {
    room: Arc<Semaphore>,
    commits: OnceLock<mpsc::Sender<Commit>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(MAX_STEPS_IN_MEMORY)), commits: OnceLock::new() }
    }

    /// Steps that wait in memory for assembly.
    pub(crate) fn n_waiting(&self) -> usize {
        MAX_STEPS_IN_MEMORY - self.room.available_permits()
    }
}

/// Reads a payload in the form it came.
pub(crate) fn decode(kind: InboxKind, body: &[u8]) -> Result<Decoded, WireError> {
    use steward_wire::import::Format;
    use steward_wire::otlp::Encoding;
    let line = |format| {
        let text = std::str::from_utf8(body).map_err(|_| WireError::NotText)?;
        Ok(match steward_wire::import::read_line(format, text) {
            Ok(imported) => Decoded { steps: imported.steps, ..Decoded::default() },
            Err(reason) => Decoded { rejected: 1, rejection: Some(reason), ..Decoded::default() },
        })
    };
    match kind {
        InboxKind::OtlpProtobuf => steward_wire::otlp::decode(body, Encoding::Protobuf),
        InboxKind::OtlpJson => steward_wire::otlp::decode(body, Encoding::Json),
        InboxKind::Native => steward_wire::native::read_runs(body),
        InboxKind::Transcript => line(Format::Transcript),
        InboxKind::TauBench => line(Format::TauBench),
        InboxKind::Tau2Bench => line(Format::Tau2Bench),
        InboxKind::Steps => {
            let steps = serde_json::from_slice(body).map_err(WireError::Json)?;
            Ok(Decoded { steps, ..Decoded::default() })
        }
    }
}

impl App {
    /// Takes in a payload that came with an API key. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Unreadable`] for bytes that are not of this kind at all; single bad spans are counted in the
    /// answer instead. [`IntakeError::Busy`] when it could not be kept.
    pub async fn accept(&self, scope: KeyScope, kind: InboxKind, body: bytes::Bytes) -> Result<Accepted, IntakeError> {
        let policies = self.policies(scope.agency_id).await.map_err(busy_with)?;
        if !policies.keep_all(scope.workflow_id) {
            return self.accept_in_part(scope, kind, body, policies).await;
        }
        let decoded = if body.len() > DECODE_INLINE_BYTES {
            let body = body.clone();
            let decoding = tokio::task::spawn_blocking(move || decode(kind, &body));
            decoding.await.map_err(|_| IntakeError::Busy { retry_after_seconds: 1 })?
        } else {
            decode(kind, &body)
        };
        let decoded = decoded.map_err(IntakeError::Unreadable)?;
        self.accept_decoded(scope, kind, &body, decoded, self.clock().now()).await
    }

    /// Takes in a payload of which something may not be kept: that is gone before anything is stored.
    async fn accept_in_part(
        &self,
        scope: KeyScope,
        kind: InboxKind,
        body: bytes::Bytes,
        policies: Arc<Policies>,
    ) -> Result<Accepted, IntakeError> {
        let known = self.known_workflows(scope, kind, &body, &policies).await.map_err(busy_with)?;
        let sorting = tokio::task::spawn_blocking(move || {
            policies.sort(kind, &body, scope.workflow_id, &known).map(|sorted| (sorted, body))
        });
        let sorted = sorting.await.map_err(|_| IntakeError::Busy { retry_after_seconds: 1 })?;
        let (sorted, body) = sorted.map_err(IntakeError::Unreadable)?;
        let received_at = self.clock().now();
        for payload in sorted.payloads {
            let bytes = payload.body.as_deref().unwrap_or(&body);
            let decoded = Decoded { steps: payload.steps, ..Decoded::default() };
            self.accept_decoded(scope, payload.kind, bytes, decoded, received_at).await?;
        }
        Ok(sorted.answer)
    }

    /// Takes in a payload that is decoded already, and of which everything may be kept.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Busy`] when it could not be kept.
    async fn accept_decoded(
        &self,
        scope: KeyScope,
        kind: InboxKind,
        body: &[u8],
        decoded: Decoded,
        received_at: Timestamp,
    ) -> Result<Accepted, IntakeError> {
        let answer =
            Accepted { accepted: decoded.steps.len() as u64, rejected: decoded.rejected, rejection: decoded.rejection };
        if decoded.steps.is_empty() {
            return Ok(answer);
        }
        let entry = self.entry_of(scope.agency_id, scope.workflow_id, kind, body, received_at);
        let mut steps = decoded.steps;
        for step in &mut steps {
            step.received_at = received_at;
        }
        self.keep(entry, steps).await?;
        Ok(answer)
    }

    async fn keep(&self, entry: NewInboxEntry, steps: Vec<Step>) -> Result<(), IntakeError> {
        let busy = |retry_after_seconds| IntakeError::Busy { retry_after_seconds };
        let gate = &self.inner.intake;
        let Some(commits) = gate.commits.get() else {
            // No background work in this process: the entry waits in the inbox for whoever assembles.
            return self.record(vec![entry], self.inner.node, Timestamp(0)).await.map_err(|()| busy(2));
        };
        let n = u32::try_from(steps.len().min(MAX_STEPS_IN_MEMORY)).unwrap_or(1);
        let room = tokio::time::timeout(WAIT_FOR_ROOM, Arc::clone(&gate.room).acquire_many_owned(n)).await;
        let Ok(Ok(room)) = room else { return Err(busy(5)) };
        let held =
            Held { id: entry.id, agency_id: entry.agency_id, workflow_id: entry.workflow_id, steps, room: Some(room) };
        let (done, answer) = oneshot::channel();
        commits.send(Commit { entry, held, done }).await.map_err(|_| busy(5))?;
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(())) | Err(_) => Err(busy(2)),
        }
    }

    async fn record(&self, entries: Vec<NewInboxEntry>, node: uuid::Uuid, lease_until: Timestamp) -> Result<(), ()> {
        match self.store().record_inbox(entries, node, lease_until).await {
            Ok(()) => Ok(()),
            Err(error) => {
                log_failure(&error);
                Err(())
            }
        }
    }

    /// Keeps imported lines, in one commit, and leaves them to assembly. Gives the lines that cannot be read, by index.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; nothing is kept then.
    pub async fn accept_import(
        &self,
        agency_id: AgencyId,
        workflow_id: Option<WorkflowId>,
        lines: Vec<(InboxKind, Vec<u8>)>,
    ) -> Result<Vec<(usize, String)>, AppError> {
        let now = self.clock().now();
        let policies = self.policies(agency_id).await?;
        let mut entries = Vec::with_capacity(lines.len());
        let mut bad = Vec::new();
        for (index, (kind, body)) in lines.into_iter().enumerate() {
            let sorted = match policies.sort(kind, &body, workflow_id, &HashMap::new()) {
                Ok(sorted) => sorted,
                Err(error) => {
                    bad.push((index, error.to_string()));
                    continue;
                }
            };
            if let Some(reason) = sorted.answer.rejection {
                bad.push((index, reason));
            }
            for payload in sorted.payloads {
                let bytes = payload.body.as_deref().unwrap_or(&body);
                entries.push(self.entry_of(agency_id, workflow_id, payload.kind, bytes, now));
            }
        }
        if !entries.is_empty() {
            self.store().record_inbox(entries, self.inner.node, Timestamp(0)).await?;
        }
        Ok(bad)
    }

    /// Keeps payloads as if they had been received at given times: for the demo.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; nothing is kept then.
    pub async fn accept_past(
        &self,
        agency_id: AgencyId,
        payloads: Vec<(Timestamp, InboxKind, Vec<u8>)>,
    ) -> Result<(), AppError> {
        let policies = self.policies(agency_id).await?;
        let mut entries = Vec::with_capacity(payloads.len());
        for (at, kind, body) in &payloads {
            if policies.keep_all(None) {
                entries.push(self.entry_of(agency_id, None, *kind, body, *at));
                continue;
            }
            let sorted = policies.sort(*kind, body, None, &HashMap::new()).map_err(IntakeError::Unreadable)?;
            for payload in sorted.payloads {
                let bytes = payload.body.as_deref().unwrap_or(body);
                entries.push(self.entry_of(agency_id, None, payload.kind, bytes, *at));
            }
        }
        self.store().record_inbox(entries, self.inner.node, Timestamp(0)).await?;
        Ok(())
    }

    fn entry_of(
        &self,
        agency_id: AgencyId,
        workflow_id: Option<WorkflowId>,
        kind: InboxKind,
        body: &[u8],
        received_at: Timestamp,
    ) -> NewInboxEntry {
        NewInboxEntry {
            id: InboxId::from_uuid(self.ids().make()),
            agency_id,
            received_at,
            workflow_id,
            kind,
            body: steward_store::pack(body),
            n_bytes: i64::try_from(body.len()).unwrap_or(i64::MAX),
        }
    }

    /// Starts the background work of intake and assembly in this process. A second call does nothing.
    pub fn start(&self) {
        let (commits, to_commit) = mpsc::channel(COMMIT_ENTRIES);
        if self.inner.intake.commits.set(commits).is_err() {
            return;
        }
        let (held, to_assemble) = mpsc::channel(4_096);
        tokio::spawn(self.clone().commit_forever(to_commit, held));
        tokio::spawn(self.clone().assemble_forever(to_assemble));
    }

    async fn commit_forever(self, mut to_commit: mpsc::Receiver<Commit>, held: mpsc::Sender<Held>) {
        while let Some(first) = to_commit.recv().await {
            let mut bytes = first.entry.body.len();
            let mut batch = vec![first];
            while batch.len() < COMMIT_ENTRIES && bytes < COMMIT_BYTES {
                let Ok(next) = to_commit.try_recv() else { break };
                bytes += next.entry.body.len();
                batch.push(next);
            }
            let lease_until = self.clock().now().plus_ms(LEASE_MS);
            let (entries, rest): (Vec<_>, Vec<_>) = batch.into_iter().map(|c| (c.entry, (c.held, c.done))).unzip();
            let result = self.record(entries, self.inner.node, lease_until).await;
            for (entry, done) in rest {
                // A sender that has gone away is no failure: the entry is kept.
                let _ = done.send(result);
                if result.is_ok() && held.send(entry).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What cannot be sorted by what may be kept of it is not kept: the sender comes back.
fn busy_with(error: AppError) -> IntakeError {
    tracing::warn!(
        error = &error as &dyn std::error::Error,
        "intake could not read the privacy settings, senders are told to come back"
    );
    IntakeError::Busy { retry_after_seconds: 2 }
}

fn log_failure(error: &StoreError) {
    if error.is_passing() {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "intake could not keep a payload, senders are told to come back"
        );
    } else {
        tracing::error!(error = error as &dyn std::error::Error, "intake could not keep a payload");
    }
}
