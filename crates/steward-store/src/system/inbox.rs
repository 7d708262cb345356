//! The inbox: raw payloads as they came, each assembled into runs exactly once.
//!
//! An entry is held by the node that received it, for as long as its lease; when that node dies, another takes
//! it over. Only the holder can settle it, in the transaction that writes its runs.

use sea_orm::Value;
use steward_core::ids::{AgencyId, ConnectionId, InboxId, WorkflowId};
use steward_core::time::Timestamp;
use uuid::Uuid;

use crate::blob::unpack;
use crate::sql::{Row, insert_many};
use crate::tenant::AgencyStore;
use crate::{Store, StoreError};

/// In what form a payload came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboxKind {
    /// OTLP as protobuf.
    OtlpProtobuf,
    /// OTLP as JSON.
    OtlpJson,
    /// OTLP logs as protobuf.
    OtlpLogsProtobuf,
    /// OTLP logs as JSON.
    OtlpLogsJson,
    /// A batch of Langfuse's events.
    LangfuseBatch,
    /// One judgement, or a list of them, as Langfuse's interface takes it.
    LangfuseScores,
    /// Native runs.
    Native,
    /// A line of a chat transcript file.
    Transcript,
    /// A line of a tau-bench result file.
    TauBench,
    /// A line of a tau2-bench result file.
    Tau2Bench,
    /// Steps without what was said in them: what is kept where no content may be.
    Steps,
    /// Events of Vapi, as its webhooks and its API tell them; so for the platforms that follow.
    Vapi,
    /// Events of Retell.
    Retell,
    /// Events of ElevenLabs Agents.
    ElevenLabs,
    /// Events of n8n.
    N8n,
    /// Events of Make.
    Make,
    /// Events of Zapier.
    Zapier,
    /// Events of LangGraph Platform.
    LangGraph,
    /// Events of Twilio.
    Twilio,
    /// Events of Steward's own form.
    Event,
}

impl InboxKind {
    const ALL: [Self; 20] = [
        Self::OtlpProtobuf,
        Self::OtlpJson,
        Self::OtlpLogsProtobuf,
        Self::OtlpLogsJson,
        Self::LangfuseBatch,
        Self::LangfuseScores,
        Self::Native,
        Self::Transcript,
        Self::TauBench,
        Self::Tau2Bench,
        Self::Steps,
        Self::Vapi,
        Self::Retell,
        Self::ElevenLabs,
        Self::N8n,
        Self::Make,
        Self::Zapier,
        Self::LangGraph,
        Self::Twilio,
        Self::Event,
    ];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtlpProtobuf => "otlp_protobuf",
            Self::OtlpJson => "otlp_json",
            Self::OtlpLogsProtobuf => "otlp_logs_protobuf",
            Self::OtlpLogsJson => "otlp_logs_json",
            Self::LangfuseBatch => "langfuse_batch",
            Self::LangfuseScores => "langfuse_scores",
            Self::Native => "native",
            Self::Transcript => "transcript",
            Self::TauBench => "tau_bench",
            Self::Tau2Bench => "tau2_bench",
            Self::Steps => "steps",
            Self::Vapi => "vapi",
            Self::Retell => "retell",
            Self::ElevenLabs => "elevenlabs",
            Self::N8n => "n8n",
            Self::Make => "make",
            Self::Zapier => "zapier",
            Self::LangGraph => "langgraph",
            Self::Twilio => "twilio",
            Self::Event => "event",
        }
    }

    /// Reads the word. `None` for anything else.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A payload to keep.
#[derive(Debug, Clone)]
pub struct NewInboxEntry {
    /// Its id.
    pub id: InboxId,
    /// The agency.
    pub agency_id: AgencyId,
    /// When it was received.
    pub received_at: Timestamp,
    /// The workflow that its sender's key is for; `None` for a key of the whole agency.
    pub workflow_id: Option<WorkflowId>,
    /// The connection that it came by; `None` for what came with a key.
    pub connection_id: Option<ConnectionId>,
    /// Whether its runs are tests, whatever it says itself.
    pub is_test: bool,
    /// In what form it came.
    pub kind: InboxKind,
    /// The bytes, by [`pack`](crate::pack).
    pub body: Vec<u8>,
    /// How many bytes it was before.
    pub n_bytes: i64,
}

/// An entry to assemble.
#[derive(Debug, Clone)]
pub struct InboxEntry {
    /// Its id.
    pub id: InboxId,
    /// The agency.
    pub agency_id: AgencyId,
    /// When it was received.
    pub received_at: Timestamp,
    /// The workflow that its sender's key is for.
    pub workflow_id: Option<WorkflowId>,
    /// The connection that it came by.
    pub connection_id: Option<ConnectionId>,
    /// Whether its runs are tests, whatever it says itself.
    pub is_test: bool,
    /// In what form it came.
    pub kind: InboxKind,
    /// The bytes as they came, decompressed.
    pub body: Vec<u8>,
}

/// An entry as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Its id.
    pub id: InboxId,
    /// When it was received.
    pub received_at: Timestamp,
    /// The workflow that its sender's key is for.
    pub workflow_id: Option<WorkflowId>,
    /// The connection that it came by.
    pub connection_id: Option<ConnectionId>,
    /// In what form it came.
    pub kind: InboxKind,
    /// How many bytes it had.
    pub n_bytes: i64,
    /// Why it cannot be read, if it cannot.
    pub error: Option<String>,
}

const COLUMNS: &str = "id, agency_id, received_at, workflow_id, connection_id, is_test, kind, body";

fn read_entry(mut row: Row) -> Result<InboxEntry, StoreError> {
    Ok(InboxEntry {
        id: InboxId::from_uuid(row.take()?),
        agency_id: AgencyId::from_uuid(row.take()?),
        received_at: Timestamp(row.take()?),
        workflow_id: row.take::<Option<Uuid>>()?.map(WorkflowId::from_uuid),
        connection_id: row.take::<Option<Uuid>>()?.map(ConnectionId::from_uuid),
        is_test: row.take()?,
        kind: read_kind(&mut row)?,
        body: unpack(&row.take::<Vec<u8>>()?).ok_or(StoreError::Corrupt { table: "inbox", column: "body" })?,
    })
}

fn read_kind(row: &mut Row) -> Result<InboxKind, StoreError> {
    InboxKind::parse(&row.take::<String>()?).ok_or(StoreError::Corrupt { table: "inbox", column: "kind" })
}

impl Store {
    /// Records payloads in one transaction, held by a node until its lease ends. When this returns they are on disk.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer; nothing is recorded then.
    pub async fn record_inbox(
        &self,
        entries: Vec<NewInboxEntry>,
        node: Uuid,
        lease_until: Timestamp,
    ) -> Result<(), StoreError> {
        let columns = [
            "agency_id",
            "id",
            "received_at",
            "workflow_id",
            "kind",
            "body",
            "n_bytes",
            "state",
            "node",
            "lease_until",
            "connection_id",
            "is_test",
        ];
        let rows = entries
            .into_iter()
            .map(|entry| {
                vec![
                    entry.agency_id.as_uuid().into(),
                    entry.id.as_uuid().into(),
                    entry.received_at.0.into(),
                    entry.workflow_id.map(WorkflowId::as_uuid).into(),
                    entry.kind.as_str().into(),
                    entry.body.into(),
                    entry.n_bytes.into(),
                    0_i16.into(),
                    node.into(),
                    lease_until.0.into(),
                    entry.connection_id.map(ConnectionId::as_uuid).into(),
                    entry.is_test.into(),
                ]
            })
            .collect();
        let tx = self.begin_write().await?;
        insert_many(&tx, self.backend, "inbox", &columns, rows, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Claims waiting entries that nobody holds, or whose holder's lease has ended; oldest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn claim_inbox(
        &self,
        node: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxEntry>, StoreError> {
        let waiting = "SELECT COUNT(*) FROM (SELECT 1 FROM inbox WHERE state = 0 AND (lease_until IS NULL OR lease_until < $1) LIMIT 1) AS found";
        let n: i64 = match self.read(waiting).bind(now.0).first().await? {
            Some(mut row) => row.take()?,
            None => 0,
        };
        if n == 0 {
            return Ok(Vec::new());
        }
        let tx = self.begin_write().await?;
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE SKIP LOCKED" };
        let rows = self
            .within(
                &tx,
                format!("SELECT {COLUMNS} FROM inbox WHERE state = 0 AND (lease_until IS NULL OR lease_until < $1) ORDER BY received_at, id LIMIT $2 {lock}"),
            )
            .bind(now.0)
            .bind(i64::from(limit))
            .all()
            .await?;
        let mut entries = Vec::new();
        for row in rows {
            entries.push(read_entry(row)?);
        }
        for entry in &entries {
            self.within(&tx, "UPDATE inbox SET node = $3, lease_until = $4 WHERE agency_id = $1 AND id = $2")
                .bind(entry.agency_id.as_uuid())
                .bind(entry.id.as_uuid())
                .bind(node)
                .bind(lease_until.0)
                .run()
                .await?;
        }
        tx.commit().await?;
        Ok(entries)
    }

    /// Lets go of all entries that any node holds; on SQLite at start, where there is only one node.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn release_inbox(&self) -> Result<u64, StoreError> {
        self.write("UPDATE inbox SET node = NULL, lease_until = NULL WHERE state = 0 AND node IS NOT NULL").run().await
    }

    /// How many entries of all agencies wait, up to `most`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_waiting(&self, most: u32) -> Result<i64, StoreError> {
        let row = self
            .read("SELECT COUNT(*) FROM (SELECT 1 FROM inbox WHERE state = 0 LIMIT $1) AS found")
            .bind(i64::from(most))
            .first()
            .await?;
        row.map_or(Ok(0), |mut row| row.take())
    }
}

impl AgencyStore {
    /// Marks an entry as unreadable, with the reason. It is kept.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn mark_unreadable(&self, id: InboxId, reason: &str) -> Result<(), StoreError> {
        self.store
            .write("UPDATE inbox SET state = 2, error = $3, node = NULL, lease_until = NULL WHERE agency_id = $1 AND id = $2")
            .bind(self.agency_id().as_uuid())
            .bind(id.as_uuid())
            .bind(reason)
            .run()
            .await
            .map(|_| ())
    }

    /// Finds raw payloads by id; those that retention has dropped are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn find_inbox(&self, ids: &[InboxId]) -> Result<Vec<InboxEntry>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = self
            .store
            .read(format!("SELECT {COLUMNS} FROM inbox WHERE agency_id = $1 AND id IN ("))
            .bind(self.agency_id().as_uuid());
        sql.push_list(ids.iter().map(|id| Value::from(id.as_uuid())));
        sql.push(") ORDER BY received_at, id");
        sql.all().await?.into_iter().map(read_entry).collect()
    }

    /// Finds an entry that waits and that a node holds. `None` when it is settled, gone, or another node's.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_held(&self, id: InboxId, node: Uuid) -> Result<Option<InboxEntry>, StoreError> {
        self.store
            .read(format!("SELECT {COLUMNS} FROM inbox WHERE agency_id = $1 AND id = $2 AND node = $3 AND state = 0"))
            .bind(self.agency_id().as_uuid())
            .bind(id.as_uuid())
            .bind(node)
            .first()
            .await?
            .map(read_entry)
            .transpose()
    }

    /// Records a payload that cannot be read, with the reason. When this returns it is on disk.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_unreadable(&self, entry: NewInboxEntry, reason: &str) -> Result<(), StoreError> {
        self.store
            .write(
            "INSERT INTO inbox (agency_id, id, received_at, workflow_id, connection_id, is_test, kind, body, n_bytes, state, error)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 2, $10)",
        )
        .bind(self.agency_id().as_uuid())
        .bind(entry.id.as_uuid())
        .bind(entry.received_at.0)
        .bind(entry.workflow_id.map(WorkflowId::as_uuid))
        .bind(entry.connection_id.map(ConnectionId::as_uuid))
        .bind(entry.is_test)
        .bind(entry.kind.as_str())
        .bind(entry.body)
        .bind(entry.n_bytes)
        .bind(reason)
        .run()
        .await
        .map(|_| ())
    }

    /// Lists entries that cannot be read, the newest first, at most `limit`: all, or those that may be a workflow's.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_unreadable(&self, workflow: Option<WorkflowId>, limit: u32) -> Result<Vec<InboxRow>, StoreError> {
        // What came with a key of the agency may be of any workflow.
        let which = if workflow.is_some() { "AND (workflow_id IS NULL OR workflow_id = $3)" } else { "" };
        let text = format!(
            "SELECT id, received_at, workflow_id, connection_id, kind, n_bytes, error FROM inbox
             WHERE agency_id = $1 AND state = 2 {which} ORDER BY received_at DESC, id DESC LIMIT $2"
        );
        let sql = self.store.read(text).bind(self.agency_id().as_uuid()).bind(i64::from(limit));
        let rows = sql.bind_all(workflow.map(|id| Value::from(id.as_uuid()))).all().await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(InboxRow {
                    id: InboxId::from_uuid(row.take()?),
                    received_at: Timestamp(row.take()?),
                    workflow_id: row.take::<Option<Uuid>>()?.map(WorkflowId::from_uuid),
                    connection_id: row.take::<Option<Uuid>>()?.map(ConnectionId::from_uuid),
                    kind: read_kind(&mut row)?,
                    n_bytes: row.take()?,
                    error: row.take()?,
                })
            })
            .collect()
    }

    /// When the oldest raw payload was received. `None` when there is none.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn oldest_inbox(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = self
            .store
            .read("SELECT MIN(received_at) FROM inbox WHERE agency_id = $1")
            .bind(self.agency_id().as_uuid())
            .first()
            .await?;
        Ok(match row {
            Some(mut row) => row.take::<Option<i64>>()?.map(Timestamp),
            None => None,
        })
    }

    /// Puts all entries back to waiting, unreadable ones included, held by nobody. Gives how many.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn requeue_inbox(&self) -> Result<u64, StoreError> {
        self.store
            .write("UPDATE inbox SET state = 0, node = NULL, lease_until = NULL, error = NULL WHERE agency_id = $1 AND state <> 0")
            .bind(self.agency_id().as_uuid())
            .run()
            .await
    }

    /// Drops raw payloads received before an instant, at most `limit`; those that wait stay.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn drop_inbox(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store
            .write(
                "DELETE FROM inbox WHERE agency_id = $1 AND id IN (
                     SELECT id FROM inbox WHERE agency_id = $1 AND received_at < $2 AND state <> 0 LIMIT $3)",
            )
            .bind(self.agency_id().as_uuid())
            .bind(before.0)
            .bind(i64::from(limit))
            .run()
            .await
    }
}
