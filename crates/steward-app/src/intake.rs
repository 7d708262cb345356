//! Taking in what agents send: decoded once, kept raw, acknowledged when it is on disk, then handed to assembly.
//!
//! Many requests share one commit. What is acknowledged and not yet assembled is held in memory up to a bound;
//! beyond it senders wait, and then are told to come back. Whatever happens to this process, the entries are in
//! the inbox, and assembly finds them there.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use steward_core::ids::{AgencyId, ConnectionId, InboxId, WorkflowId};
use steward_core::step::Step;
use steward_core::time::Timestamp;
use steward_store::StoreError;
use steward_store::system::{InboxEntry, InboxKind, KeyScope, NewInboxEntry};
use steward_wire::platforms::{self, Delivery, Platform};
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
/// Times that are further ahead of the time here are a mistake of the sender's clock.
const MOST_AHEAD_MINUTES: i64 = 10;
/// How long this process keeps entries for itself; after that another may take them over.
pub(crate) const LEASE_MS: i64 = 60_000;

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// Steps that were accepted.
    pub accepted: u64,
    /// Spans or runs that were refused.
    pub rejected: u64,
    /// Why, in words. With nothing refused it is a warning: of records that are of no concern here.
    pub rejection: Option<String>,
    /// What is odd about what was accepted, with the mend.
    pub warning: Option<String>,
}

impl Accepted {
    /// What is said of a payload that was decoded.
    pub(crate) fn of(decoded: &Decoded, received_at: Timestamp) -> Self {
        Self {
            accepted: decoded.steps.len() as u64,
            rejected: decoded.rejected,
            rejection: decoded.rejection.clone(),
            warning: ahead(&decoded.steps, received_at),
        }
    }
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

/// From whom a payload came, and how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) agency_id: AgencyId,
    pub(crate) workflow_id: Option<WorkflowId>,
    pub(crate) connection_id: Option<ConnectionId>,
    /// Whether its runs are tests, whatever it says itself.
    pub(crate) is_test: bool,
    pub(crate) received_at: Timestamp,
}

impl Origin {
    pub(crate) fn of_key(scope: KeyScope, received_at: Timestamp) -> Self {
        let KeyScope { agency_id, workflow_id, .. } = scope;
        Self { agency_id, workflow_id, connection_id: None, is_test: false, received_at }
    }

    pub(crate) fn of_entry(entry: &InboxEntry) -> Self {
        let InboxEntry { agency_id, workflow_id, connection_id, is_test, received_at, .. } = *entry;
        Self { agency_id, workflow_id, connection_id, is_test, received_at }
    }

    /// What tells this sender's ids from those of others.
    pub(crate) fn scope(&self) -> String {
        self.connection_id.map(|id| id.to_string()).unwrap_or_default()
    }

    /// A verified payload of a platform, as it is read.
    pub(crate) fn delivery<'a>(&self, scope: &'a str, body: &'a [u8]) -> Delivery<'a> {
        Delivery { method: "POST", url: "", headers: &[], body, received_at: self.received_at, scope }
    }
}

/// Reads a payload in the form it came.
pub(crate) fn decode(origin: Origin, kind: InboxKind, body: &[u8]) -> Result<Decoded, WireError> {
    let mut decoded = decode_as_it_came(origin, kind, body)?;
    if origin.is_test {
        decoded.steps.iter_mut().for_each(|step| step.declared.get_or_insert_default().test = true);
    }
    Ok(decoded)
}

fn decode_as_it_came(origin: Origin, kind: InboxKind, body: &[u8]) -> Result<Decoded, WireError> {
    use steward_wire::import::Format;
    use steward_wire::langfuse_api::{self, ScoreError, Scores};
    use steward_wire::otlp::{Encoding, logs};
    let of_logs = |encoding| logs::decode_logs(body, encoding).map(without_others);
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
        InboxKind::OtlpLogsProtobuf => of_logs(Encoding::Protobuf),
        InboxKind::OtlpLogsJson => of_logs(Encoding::Json),
        InboxKind::LangfuseBatch => langfuse_api::read_batch(body).map(|batch| batch.decoded),
        InboxKind::LangfuseScores => match langfuse_api::read_scores(body, origin.received_at) {
            Ok(Scores::One(score)) => Ok(Decoded { steps: vec![score.step], ..Decoded::default() }),
            Ok(Scores::List { decoded, .. }) => Ok(decoded),
            Err(ScoreError::Wire(error)) => Err(error),
            Err(ScoreError::Refused(reason)) => {
                Ok(Decoded { rejected: 1, rejection: Some(reason), ..Decoded::default() })
            }
        },
        InboxKind::Native => steward_wire::native::read_runs(body),
        InboxKind::Transcript => line(Format::Transcript),
        InboxKind::TauBench => line(Format::TauBench),
        InboxKind::Tau2Bench => line(Format::Tau2Bench),
        InboxKind::Steps => {
            let steps = serde_json::from_slice(body).map_err(WireError::Json)?;
            Ok(Decoded { steps, ..Decoded::default() })
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
            platforms::read(platform_of(kind)?, &origin.delivery(&scope, body))
        }
    }
}

/// How many bytes of memory a payload takes once it is read, and at least `most` when it is more than that.
#[must_use]
pub fn weight_of(kind: InboxKind, body: &[u8], most: usize) -> usize {
    use steward_wire::otlp::Encoding;
    use steward_wire::weight;
    match kind {
        InboxKind::OtlpProtobuf => weight::of_traces(body, Encoding::Protobuf, most),
        InboxKind::OtlpLogsProtobuf => weight::of_logs(body, Encoding::Protobuf, most),
        _ => weight::of_json(body, most),
    }
}

/// The platform whose events a payload holds.
pub(crate) fn platform_of(kind: InboxKind) -> Result<Platform, WireError> {
    Platform::parse(kind.as_str()).ok_or(WireError::Shape("it is no event of a platform"))
}

/// What logs hold for runs. Where that is nothing at all, its sender is told why.
fn without_others(logs: steward_wire::otlp::logs::DecodedLogs) -> Decoded {
    let mut decoded = logs.decoded;
    if decoded.steps.is_empty() && decoded.rejected == 0 && logs.ignored > 0 {
        decoded.rejection = Some(format!(
            "{} log records were not kept: only events of the GenAI conventions are, whose names begin with gen_ai.",
            logs.ignored
        ));
    }
    decoded
}

impl App {
    /// Takes in a payload that came with an API key. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Unreadable`] for bytes that are not of this kind at all; single bad spans are counted in the
    /// answer instead. [`IntakeError::Busy`] when it could not be kept.
    pub async fn accept(&self, scope: KeyScope, kind: InboxKind, body: bytes::Bytes) -> Result<Accepted, IntakeError> {
        let origin = Origin::of_key(scope, self.clock().now());
        let policies = self.policies(origin.agency_id).await.map_err(busy_with)?;
        if !policies.keep_all(origin.workflow_id) {
            return self.accept_in_part(origin, kind, body, policies).await;
        }
        let decoded = decode_aside(origin, kind, &body).await?.map_err(IntakeError::Unreadable)?;
        self.accept_as(origin, kind, &body, decoded).await
    }

    /// Takes in a payload of a connection. When this returns, it is on disk; what cannot be read is kept with the
    /// reason, as far as it may be, because its sender would only send the same again.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Busy`] when it could not be kept.
    pub(crate) async fn accept_from(
        &self,
        origin: Origin,
        kind: InboxKind,
        body: bytes::Bytes,
    ) -> Result<Accepted, IntakeError> {
        let policies = self.policies(origin.agency_id).await.map_err(busy_with)?;
        let (rejected, reason) = if policies.keep_all(origin.workflow_id) {
            match decode_aside(origin, kind, &body).await? {
                Ok(Decoded { steps, rejected, rejection }) if steps.is_empty() && rejected > 0 => (rejected, rejection),
                Ok(decoded) => return self.accept_as(origin, kind, &body, decoded).await,
                Err(error) => (1, Some(with_causes(&error))),
            }
        } else {
            match self.accept_in_part(origin, kind, body.clone(), Arc::clone(&policies)).await {
                Ok(Accepted { accepted: 0, rejected, rejection, .. }) if rejected > 0 => (rejected, rejection),
                Err(IntakeError::Unreadable(error)) => (1, Some(with_causes(&error))),
                settled => return settled,
            }
        };
        let reason = reason.unwrap_or_else(|| "nothing of it can be read".to_owned());
        let reason = policies.words(&reason).into_owned();
        let rest = policies.rest_of_unreadable(origin.workflow_id, kind, body).await?;
        let entry = self.entry_of(origin, kind, &rest);
        if let Err(error) = self.agency(origin.agency_id).record_unreadable(entry, &reason).await {
            log_failure(&error);
            return Err(IntakeError::Busy { retry_after_seconds: 2 });
        }
        Ok(Accepted { accepted: 0, rejected, rejection: Some(reason), warning: None })
    }

    /// Takes in a payload that was read already, because each thing in it has an answer of its own.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Busy`] when it could not be kept.
    pub(crate) async fn accept_read(
        &self,
        origin: Origin,
        kind: InboxKind,
        body: bytes::Bytes,
        decoded: Decoded,
    ) -> Result<Accepted, IntakeError> {
        let policies = self.policies(origin.agency_id).await.map_err(busy_with)?;
        if policies.keep_all(origin.workflow_id) {
            return self.accept_as(origin, kind, &body, decoded).await;
        }
        drop(decoded);
        self.accept_in_part(origin, kind, body, policies).await
    }

    /// Takes in a payload of which something may not be kept: that is gone before anything is stored.
    async fn accept_in_part(
        &self,
        origin: Origin,
        kind: InboxKind,
        body: bytes::Bytes,
        policies: Arc<Policies>,
    ) -> Result<Accepted, IntakeError> {
        let known = self.known_workflows(origin, kind, &body, &policies).await.map_err(busy_with)?;
        let sorting = tokio::task::spawn_blocking(move || {
            policies.sort(origin, kind, &body, &known).map(|sorted| (sorted, body))
        });
        let sorted = sorting.await.map_err(|_| IntakeError::Busy { retry_after_seconds: 1 })?;
        let (sorted, body) = sorted.map_err(IntakeError::Unreadable)?;
        for payload in sorted.payloads {
            let bytes = payload.body.as_deref().unwrap_or(&body);
            let decoded = Decoded { steps: payload.steps, ..Decoded::default() };
            self.accept_as(origin, payload.kind, bytes, decoded).await?;
        }
        Ok(sorted.answer)
    }

    /// Takes in a payload that is decoded already, and of which everything may be kept.
    ///
    /// # Errors
    ///
    /// [`IntakeError::Busy`] when it could not be kept.
    async fn accept_as(
        &self,
        origin: Origin,
        kind: InboxKind,
        body: &[u8],
        decoded: Decoded,
    ) -> Result<Accepted, IntakeError> {
        let answer = Accepted::of(&decoded, origin.received_at);
        if decoded.steps.is_empty() {
            return Ok(answer);
        }
        let entry = self.entry_of(origin, kind, body);
        let mut steps = decoded.steps;
        for step in &mut steps {
            step.received_at = origin.received_at;
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
        let received_at = self.clock().now();
        let origin = Origin { agency_id, workflow_id, connection_id: None, is_test: false, received_at };
        let policies = self.policies(agency_id).await?;
        let mut entries = Vec::with_capacity(lines.len());
        let mut bad = Vec::new();
        for (index, (kind, body)) in lines.into_iter().enumerate() {
            let sorted = match policies.sort(origin, kind, &body, &HashMap::new()) {
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
                entries.push(self.entry_of(origin, payload.kind, bytes));
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
            let origin = Origin { agency_id, workflow_id: None, connection_id: None, is_test: false, received_at: *at };
            if policies.keep_all(None) {
                entries.push(self.entry_of(origin, *kind, body));
                continue;
            }
            let sorted = policies.sort(origin, *kind, body, &HashMap::new()).map_err(IntakeError::Unreadable)?;
            for payload in sorted.payloads {
                let bytes = payload.body.as_deref().unwrap_or(body);
                entries.push(self.entry_of(origin, payload.kind, bytes));
            }
        }
        self.store().record_inbox(entries, self.inner.node, Timestamp(0)).await?;
        Ok(())
    }

    fn entry_of(&self, origin: Origin, kind: InboxKind, body: &[u8]) -> NewInboxEntry {
        NewInboxEntry {
            id: InboxId::from_uuid(self.ids().make()),
            agency_id: origin.agency_id,
            received_at: origin.received_at,
            workflow_id: origin.workflow_id,
            connection_id: origin.connection_id,
            is_test: origin.is_test,
            kind,
            body: steward_store::pack(body),
            n_bytes: i64::try_from(body.len()).unwrap_or(i64::MAX),
        }
    }

    /// Starts the background work of intake, assembly, mining and the queue in this process. A second call does nothing.
    pub fn start(&self) {
        let (commits, to_commit) = mpsc::channel(COMMIT_ENTRIES);
        if self.inner.intake.commits.set(commits).is_err() {
            return;
        }
        let (held, to_assemble) = mpsc::channel(4_096);
        tokio::spawn(self.clone().commit_forever(to_commit, held));
        tokio::spawn(self.clone().assemble_forever(to_assemble));
        tokio::spawn(self.clone().mine_forever());
        tokio::spawn(self.clone().fill_forever());
        tokio::spawn(self.clone().sample_forever());
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

/// Reads a payload as [`decode`] does: a large one off the threads that answer requests.
async fn decode_aside(
    origin: Origin,
    kind: InboxKind,
    body: &bytes::Bytes,
) -> Result<Result<Decoded, WireError>, IntakeError> {
    read_apart(body, move |body| decode(origin, kind, body)).await
}

/// Reads a body: a large one off the threads that answer requests.
pub(crate) async fn read_apart<T: Send + 'static>(
    body: &bytes::Bytes,
    read: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, IntakeError> {
    if body.len() <= DECODE_INLINE_BYTES {
        return Ok(read(body));
    }
    let body = body.clone();
    let reading = tokio::task::spawn_blocking(move || read(&body));
    reading.await.map_err(|_| IntakeError::Busy { retry_after_seconds: 1 })
}

/// Says that a sender's clock is ahead. What lies in the past may just be late, and is no sign of anything.
fn ahead(steps: &[Step], received_at: Timestamp) -> Option<String> {
    let minutes = steps.iter().map(|step| step.started_at).max()?.ms_since(received_at) / 60_000;
    (minutes >= MOST_AHEAD_MINUTES).then(|| {
        let by = if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes / 60) };
        format!("it is kept, and its times are {by} ahead of the time here: the sender's clock is off, or it sends local time as UTC")
    })
}

/// An error with its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
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
