//! Jobs: work outside a request, claimed with a lease, retried, and ended as done or dead.

use sea_orm::DatabaseTransaction;
use steward_core::ids::{AgencyId, JobId};
use steward_core::time::Timestamp;
use uuid::Uuid;

use crate::sql::Row;
use crate::tenant::AgencyStore;
use crate::{Store, StoreError};

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits for its time, or is being done.
    Waiting,
    /// It is done.
    Done,
    /// It failed too often, and is given up.
    Dead,
}

impl JobState {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The agency that it works for.
    pub agency_id: Option<AgencyId>,
    /// What it does.
    pub kind: String,
    /// A second job of the same kind and this text is not queued while one waits.
    pub dedupe: String,
    /// What it does it to, as JSON.
    pub payload: String,
    /// How far it is.
    pub state: JobState,
    /// When it is due.
    pub run_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// Parts done.
    pub done: i64,
    /// Parts in all; 0 while unknown.
    pub total: i64,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

const COLUMNS: &str =
    "id, agency_id, kind, dedupe, payload, state, run_at, attempts, done, total, error, created_at, ended_at";

fn read_job(mut row: Row) -> Result<Job, StoreError> {
    Ok(Job {
        id: JobId::from_uuid(row.take()?),
        agency_id: row.take::<Option<Uuid>>()?.map(AgencyId::from_uuid),
        kind: row.take()?,
        dedupe: row.take()?,
        payload: row.take()?,
        state: match row.take::<String>()?.as_str() {
            "waiting" => JobState::Waiting,
            "done" => JobState::Done,
            "dead" => JobState::Dead,
            _ => return Err(StoreError::Corrupt { table: "jobs", column: "state" }),
        },
        run_at: Timestamp(row.take()?),
        attempts: row.take()?,
        done: row.take()?,
        total: row.take()?,
        error: row.take()?,
        created_at: Timestamp(row.take()?),
        ended_at: row.take::<Option<i64>>()?.map(Timestamp),
    })
}

impl Store {
    /// Queues a job, unless one of the same kind and dedupe text waits untouched. Gives whether it did.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn enqueue_job(&self, job: &Job) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "INSERT INTO jobs (id, agency_id, kind, dedupe, payload, state, run_at, attempts, done, total, created_at)
                 SELECT $1, $2, $3, $4, $5, 'waiting', $6, 0, 0, 0, $7
                 WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE kind = $3 AND dedupe = $4 AND state = 'waiting' AND attempts = 0)",
            )
            .bind(job.id.as_uuid())
            .bind(job.agency_id.map(AgencyId::as_uuid))
            .bind(job.kind.clone())
            .bind(job.dedupe.clone())
            .bind(job.payload.clone())
            .bind(job.run_at.0)
            .bind(job.created_at.0)
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Queues a job in the transaction of the row that caused it.
    pub(crate) async fn insert_job(&self, tx: &DatabaseTransaction, job: &Job) -> Result<(), StoreError> {
        self.within(
            tx,
            "INSERT INTO jobs (id, agency_id, kind, dedupe, payload, state, run_at, attempts, done, total, created_at)
             VALUES ($1, $2, $3, $4, $5, 'waiting', $6, 0, 0, 0, $7)",
        )
        .bind(job.id.as_uuid())
        .bind(job.agency_id.map(AgencyId::as_uuid))
        .bind(job.kind.clone())
        .bind(job.dedupe.clone())
        .bind(job.payload.clone())
        .bind(job.run_at.0)
        .bind(job.created_at.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Claims one job that is due. `None` when none is.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn claim_job(&self, now: Timestamp, lease_until: Timestamp) -> Result<Option<Job>, StoreError> {
        let due = "state = 'waiting' AND run_at <= $1 AND (lease_until IS NULL OR lease_until < $1)";
        if self.read(format!("SELECT id FROM jobs WHERE {due} LIMIT 1")).bind(now.0).first().await?.is_none() {
            return Ok(None);
        }
        let lock = if self.is_sqlite() { "" } else { "FOR UPDATE SKIP LOCKED" };
        let text = format!(
            "UPDATE jobs SET lease_until = $2, attempts = attempts + 1
             WHERE id = (SELECT id FROM jobs WHERE {due} ORDER BY run_at, id LIMIT 1 {lock}) RETURNING {COLUMNS}"
        );
        self.write(text).bind(now.0).bind(lease_until.0).first().await?.map(read_job).transpose()
    }

    /// Records how far a job is, and holds it longer.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_progress(
        &self,
        id: JobId,
        done: i64,
        total: i64,
        lease_until: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("UPDATE jobs SET done = $2, total = $3, lease_until = $4 WHERE id = $1")
            .bind(id.as_uuid())
            .bind(done)
            .bind(total)
            .bind(lease_until.0)
            .run()
            .await
            .map(|_| ())
    }

    /// Ends a job, or with `retry_at` lets it try again then.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn end_job(
        &self,
        id: JobId,
        state: JobState,
        error: Option<&str>,
        now: Timestamp,
        retry_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let ended_at = (state != JobState::Waiting).then_some(now.0);
        self.write("UPDATE jobs SET state = $2, error = $3, ended_at = $4, run_at = COALESCE($5, run_at), lease_until = NULL WHERE id = $1")
            .bind(id.as_uuid())
            .bind(state.as_str())
            .bind(error.map(str::to_owned))
            .bind(ended_at)
            .bind(retry_at.map(|at| at.0))
            .run()
            .await
            .map(|_| ())
    }
}

impl AgencyStore {
    /// The agency's latest jobs, newest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_jobs(&self, limit: i64) -> Result<Vec<Job>, StoreError> {
        let text =
            format!("SELECT {COLUMNS} FROM jobs WHERE agency_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2");
        self.store
            .read(text)
            .bind(self.agency_id().as_uuid())
            .bind(limit)
            .all()
            .await?
            .into_iter()
            .map(read_job)
            .collect()
    }
}
