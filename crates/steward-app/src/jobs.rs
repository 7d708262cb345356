//! Jobs: what runs outside a request. Each kind is named here, with what it does; the engine only claims and retries.

use serde::{Deserialize, Serialize};
use steward_core::ids::{AgencyId, JobId, RunId, WorkflowId};
use steward_core::time::Period;
use steward_store::system::{Job, JobState};
use steward_store::tenant::RunFilter;
use tokio::sync::Notify;

use crate::reviews::{BULK_REVIEW, BulkJob};
use crate::{App, AppError};

/// How often a job is tried before it is given up.
const MAX_ATTEMPTS: i32 = 6;
/// How long a job is held between two reports of its progress.
pub(crate) const LEASE_MS: i64 = 120_000;
/// Runs that are read anew in one transaction.
const RUNS_AT_ONCE: u32 = 200;

/// The kind of job that reads past runs of a workflow anew.
pub const REREAD: &str = "reread";
/// The kind of job that rebuilds an agency from its inbox.
pub const REBUILD: &str = "rebuild";

/// What a re-reading covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reread {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// Only runs that ended in this period; `None` is all.
    #[serde(default)]
    pub period: Option<Period>,
}

/// Rings when this process queued a job, so that whoever does jobs need not wait until they look again.
#[derive(Debug, Default)]
pub(crate) struct Bell(Notify);

impl App {
    /// Waits until this process queues a job. What was queued since the last call is told at once; what others queue is
    /// not told at all.
    pub async fn job_queued(&self) {
        self.inner.jobs.0.notified().await;
    }

    /// Tells that a job was queued.
    pub(crate) fn tell_job(&self) {
        self.inner.jobs.0.notify_one();
    }

    /// Queues a job of an agency, unless the same one waits already. Gives whether it did.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn enqueue(
        &self,
        agency_id: AgencyId,
        kind: &str,
        dedupe: &str,
        payload: &impl Serialize,
    ) -> Result<bool, AppError> {
        let job = self.new_job(agency_id, kind, dedupe, payload);
        let queued = self.store().enqueue_job(&job).await?;
        self.tell_job();
        Ok(queued)
    }

    /// A job that is due now.
    pub(crate) fn new_job(&self, agency_id: AgencyId, kind: &str, dedupe: &str, payload: &impl Serialize) -> Job {
        let now = self.clock().now();
        Job {
            id: JobId::from_uuid(self.ids().make()),
            agency_id: Some(agency_id),
            kind: kind.to_owned(),
            dedupe: dedupe.to_owned(),
            payload: serde_json::to_string(payload).unwrap_or_default(),
            state: JobState::Waiting,
            run_at: now,
            attempts: 0,
            done: 0,
            total: 0,
            error: None,
            created_at: now,
            ended_at: None,
        }
    }

    /// Does one job that is due. Gives whether there was one.
    ///
    /// A job that fails is tried again later, each time after a longer pause, and is given up in the end with its reason.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer; the job is then claimed again when its lease is over.
    pub async fn do_next_job(&self) -> Result<bool, AppError> {
        let now = self.clock().now();
        let Some(job) = self.store().claim_job(now, now.plus_ms(LEASE_MS)).await? else { return Ok(false) };
        let result = self.do_job(&job).await;
        let now = self.clock().now();
        match result {
            Ok(()) => self.store().end_job(job.id, JobState::Done, None, now, None).await?,
            Err(error) if job.attempts >= MAX_ATTEMPTS || matches!(error, AppError::Invalid(_)) => {
                tracing::error!(job.id = %job.id, job.kind = %job.kind, error = &error as &dyn std::error::Error, "job {} is given up", job.id);
                self.store().end_job(job.id, JobState::Dead, Some(&error.to_string()), now, None).await?;
            }
            Err(error) => {
                tracing::warn!(job.id = %job.id, job.kind = %job.kind, error = &error as &dyn std::error::Error, "job {} failed, it is tried again", job.id);
                let retry_at = now.plus_ms(2_000 << job.attempts.clamp(0, 8));
                self.store().end_job(job.id, JobState::Waiting, Some(&error.to_string()), now, Some(retry_at)).await?;
            }
        }
        Ok(true)
    }

    async fn do_job(&self, job: &Job) -> Result<(), AppError> {
        let agency_id = job.agency_id.ok_or_else(|| AppError::Invalid("the job belongs to no agency".to_owned()))?;
        match job.kind.as_str() {
            REREAD => {
                let reread: Reread = serde_json::from_str(&job.payload)
                    .map_err(|_| AppError::Invalid("the job's payload cannot be read".to_owned()))?;
                self.reread(agency_id, &reread, job.id).await
            }
            BULK_REVIEW => {
                let bulk: BulkJob = serde_json::from_str(&job.payload)
                    .map_err(|_| AppError::Invalid("the job's payload cannot be read".to_owned()))?;
                self.do_bulk_review(agency_id, &bulk, Some(job.id)).await
            }
            REBUILD => self.rebuild(agency_id, &|_| ()).await.map(|_| ()),
            other => Err(AppError::Invalid(format!("this version knows no job “{other}”"))),
        }
    }

    /// Reads past runs of a workflow anew with its present settings and prices.
    async fn reread(&self, agency_id: AgencyId, reread: &Reread, job: JobId) -> Result<(), AppError> {
        // Other processes use a workflow's settings for a moment after they change; what they write meanwhile comes last.
        self.forget_readers(agency_id);
        let store = self.agency(agency_id);
        let filter = RunFilter {
            workflows: Some(vec![reread.workflow_id]),
            period: reread.period,
            with_tests: true,
            ..RunFilter::default()
        };
        let total = i64::try_from(store.count_runs(&filter, u32::MAX).await?).unwrap_or(i64::MAX);
        let mut done = 0;
        let mut behind: Option<RunId> = None;
        loop {
            let keys = store.list_run_keys(&filter, behind, RUNS_AT_ONCE).await?;
            let Some((last, _)) = keys.last() else { return Ok(()) };
            behind = Some(*last);
            let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
            self.reread_runs(agency_id, &keys).await?;
            done += i64::try_from(keys.len()).unwrap_or(0);
            let lease_until = self.clock().now().plus_ms(LEASE_MS);
            self.store().record_progress(job, done, total.max(done), lease_until).await?;
        }
    }

    /// The agency's latest jobs, newest first.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn list_jobs(&self, actor: &crate::Actor) -> Result<Vec<Job>, AppError> {
        Ok(self.store_of(actor).list_jobs(20).await?)
    }
}
