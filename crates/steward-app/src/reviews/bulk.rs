//! Bulk reviews: one judgement on all of a pattern that nobody holds, in a job of many items a transaction.
//!
//! Outcomes that it corrects follow behind, by the rounds that fill the queue.

use serde::{Deserialize, Serialize};
use steward_core::ids::{AgencyId, BulkId, JobId, PatternId, ReviewId};
use steward_core::reviews::{Judgement, MAX_ACTIVE_MS, UnfitReview};
use steward_stats::histogram::bucket_of;
use steward_store::system::Job;
use steward_store::tenant::{BulkReview, BulkState, QueueFilter};

use super::unfit;
use crate::jobs::LEASE_MS;
use crate::{Actor, App, AppError};

/// Items that one transaction closes or opens.
const BULK_AT_ONCE: u32 = 2_000;
/// So many items and fewer are done before the answer.
pub const FEW: u32 = 250;

/// The kind of job that closes the items of a bulk review, or opens them again.
pub(crate) const BULK_REVIEW: &str = "bulk_review";

/// What such a job is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BulkJob {
    bulk_id: BulkId,
    /// Who takes it back, by name; empty while it is done.
    undone_by: String,
}

impl App {
    /// Judges all open items of a pattern that nobody else holds. A few are done at once; many by a job, whose progress
    /// [`find_bulk_review`](App::find_bulk_review) tells. `active_ms` is the active time for all of them together.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such pattern; [`AppError::Invalid`] for a judgement that cannot be;
    /// [`AppError::Conflict`] when nothing of it waits; [`AppError::Forbidden`] for who does not operate.
    pub async fn start_bulk_review(
        &self,
        actor: &Actor,
        pattern: PatternId,
        judgement: Judgement,
        active_ms: Option<i64>,
    ) -> Result<BulkReview, AppError> {
        let (pattern, _) = self.get_pattern(actor, pattern).await?;
        actor.must_operate()?;
        let judgement = judgement.checked().map_err(unfit)?;
        if active_ms.is_some_and(|ms| !(0..=MAX_ACTIVE_MS).contains(&ms)) {
            return Err(unfit(UnfitReview::ImpossibleTime));
        }
        let store = self.store_of(actor);
        let waiting = QueueFilter { pattern: Some(pattern.id), ..QueueFilter::default() };
        if store.count_queue(&waiting, 1).await? == 0 {
            return Err(AppError::Conflict("nothing of this pattern waits".to_owned()));
        }
        let bulk = BulkReview {
            id: BulkId::from_uuid(self.ids().make()),
            workflow_id: pattern.workflow_id,
            pattern_id: pattern.id,
            reviewer_id: actor.person_id,
            reviewer: actor.name.clone(),
            judgement,
            active_ms,
            created_at: self.clock().now(),
            state: BulkState::Running,
            total: 0,
            done: 0,
            outcomes_left: 0,
            ended_at: None,
        };
        let job = self.bulk_job(actor.agency_id, bulk.id, "");
        let total = store.create_bulk_review(&bulk, &job).await?;
        self.audit_by(actor, "queue.bulk_review", bulk.id, &format!("{total} items of {}", pattern.id)).await?;
        self.do_few(actor, bulk.id, total, "").await
    }

    /// Finds a bulk review with its progress.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or the actor may not see it.
    pub async fn find_bulk_review(&self, actor: &Actor, id: BulkId) -> Result<BulkReview, AppError> {
        actor.must_review()?;
        let store = self.store_of(actor);
        let bulk = store.find_bulk_review(id).await?.ok_or(AppError::NotFound("bulk review"))?;
        let workflow = store.find_workflow(bulk.workflow_id).await?;
        workflow.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("bulk review"))?;
        Ok(bulk)
    }

    /// Takes a bulk review back, as a whole, also while it runs.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] when it is taken back already;
    /// [`AppError::Forbidden`] for who does not operate.
    pub async fn undo_bulk_review(&self, actor: &Actor, id: BulkId) -> Result<BulkReview, AppError> {
        let bulk = self.find_bulk_review(actor, id).await?;
        actor.must_operate()?;
        let job = self.bulk_job(actor.agency_id, id, &actor.name);
        if !self.store_of(actor).start_bulk_undo(id, &job).await? {
            return Err(AppError::Conflict("this bulk review is taken back already".to_owned()));
        }
        self.audit_by(actor, "queue.bulk_review.undo", id, &format!("{} items", bulk.done)).await?;
        self.do_few(actor, id, bulk.done, &actor.name).await
    }

    fn bulk_job(&self, agency_id: AgencyId, bulk_id: BulkId, undone_by: &str) -> Job {
        let payload = BulkJob { bulk_id, undone_by: undone_by.to_owned() };
        let dedupe = format!("{bulk_id} {}", if undone_by.is_empty() { "close" } else { "undo" });
        self.new_job(agency_id, BULK_REVIEW, &dedupe, &payload)
    }

    /// Does what is little before the answer; the job then finds nothing left to do.
    async fn do_few(&self, actor: &Actor, id: BulkId, total: i64, undone_by: &str) -> Result<BulkReview, AppError> {
        if total <= i64::from(FEW) {
            let few = BulkJob { bulk_id: id, undone_by: undone_by.to_owned() };
            if let Err(error) = self.do_bulk_review(actor.agency_id, &few, None).await {
                // The job that is queued does it.
                tracing::warn!(error = &error as &dyn std::error::Error, "bulk review {id} is left to its job");
            }
        }
        self.tell_job();
        let bulk = self.find_bulk_review(actor, id).await?;
        self.tell_queue(actor, bulk.workflow_id);
        Ok(bulk)
    }

    /// Closes the items of a bulk review or opens them again, as far as another has not done it.
    pub(crate) async fn do_bulk_review(
        &self,
        agency_id: AgencyId,
        job: &BulkJob,
        id: Option<JobId>,
    ) -> Result<(), AppError> {
        let store = self.agency(agency_id);
        let Some(bulk) = store.find_bulk_review(job.bulk_id).await? else { return Ok(()) };
        let mut done = bulk.done;
        loop {
            let now = self.clock().now();
            let n = match bulk.state {
                BulkState::Running => {
                    let ids = std::iter::repeat_with(|| ReviewId::from_uuid(self.ids().make()));
                    let ids = ids.take(BULK_AT_ONCE as usize).collect();
                    store.close_bulk_items(&bulk, ids, now, bucket_of).await?
                }
                BulkState::Undoing => {
                    store.reopen_bulk_items(bulk.id, &job.undone_by, BULK_AT_ONCE, now, bucket_of).await?
                }
                BulkState::Done | BulkState::Undone => return Ok(()),
            };
            let Some(n) = n.filter(|n| *n > 0) else { return Ok(()) };
            done += i64::try_from(n).unwrap_or(0);
            if let Some(id) = id {
                let lease_until = self.clock().now().plus_ms(LEASE_MS);
                self.store().record_progress(id, done, bulk.total.max(done), lease_until).await?;
            }
        }
    }
}
