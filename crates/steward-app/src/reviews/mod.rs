//! Reviews: a person closes an item of the queue with a judgement, takes that back, or judges all of a pattern at once.
//!
//! A corrected outcome is a verdict on the run: the run is read again, and every figure follows. The review itself
//! counts in the hour in which it was closed.

mod bulk;

use steward_core::ids::{ClientId, ItemId, ReviewId};
use steward_core::outcome::Outcome;
use steward_core::queue::ItemKind;
use steward_core::reviews::{ActiveCorrection, Judgement, MAX_ACTIVE_MS, Review, UnfitReview};
use steward_core::sampling;
use steward_core::tallies::Tallies;
use steward_stats::histogram::bucket_of;
use steward_store::tenant::{ReviewCursor, ReviewFilter};

use crate::{Actor, App, AppError};

pub use bulk::FEW;
pub(crate) use bulk::{BULK_REVIEW, BulkJob};

/// The most reviews that one page of a list shows.
pub const MAX_PAGE: u32 = 500;

/// One page of a list of reviews.
#[derive(Debug, Clone)]
pub struct ReviewsPage {
    /// The reviews.
    pub reviews: Vec<Review>,
    /// Where the next page begins. `None` on the last.
    pub next: Option<ReviewCursor>,
}

impl App {
    /// Closes an item that the actor holds. `more_active_ms` is the active time since the last sign of life; a
    /// correction counts instead of all that was measured.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such item; [`AppError::Invalid`] for a judgement that cannot be, in words
    /// for the person; [`AppError::Conflict`] when the item is closed or not the actor's.
    pub async fn review_item(
        &self,
        actor: &Actor,
        id: ItemId,
        judgement: Judgement,
        more_active_ms: i64,
        correction: Option<ActiveCorrection>,
    ) -> Result<Review, AppError> {
        let judgement = judgement.checked().map_err(unfit)?;
        let correction = correction.map(ActiveCorrection::checked).transpose().map_err(unfit)?;
        self.visible_item(actor, id).await?;
        if more_active_ms != 0 {
            self.add_active(actor, id, more_active_ms).await?;
        }
        let (item, _) = self.visible_item(actor, id).await?;
        let claim = item.claim.filter(|claim| claim.person_id == actor.person_id);
        let Some(claim) = claim.filter(|_| item.closed_at.is_none()) else {
            return Err(self.not_held(actor, id).await);
        };
        let measured_ms = claim.active_ms.map(|ms| ms.clamp(0, MAX_ACTIVE_MS));
        let (active_ms, active_note) = match correction {
            Some(correction) => (Some(correction.active_ms), correction.note),
            None => (measured_ms, String::new()),
        };
        let review = Review {
            id: ReviewId::from_uuid(self.ids().make()),
            item_id: id,
            kind: item.kind,
            exception_kind: item.exception_kind,
            run_id: item.run_id,
            run_key: item.run_key,
            release: item.release,
            workflow_id: item.workflow_id,
            pattern_id: item.pattern_id,
            reviewer_id: actor.person_id,
            reviewer: actor.name.clone(),
            claimed_at: claim.at,
            closed_at: self.clock().now(),
            measured_ms,
            active_ms,
            active_note,
            judgement,
            bulk_id: None,
            undone_at: None,
            undone_by: String::new(),
        };
        let completed = self.stands_completed(actor, &review).await?;
        let mut tallies = Tallies::default();
        tallies.add_review(&review, 1, bucket_of);
        if !self.store_of(actor).commit_review(&review, completed, &tallies).await? {
            return Err(self.not_held(actor, id).await);
        }
        self.follow_review(actor, &review).await;
        Ok(review)
    }

    /// Takes a review back: the item waits again as it did, the outcome is what it was, and the review counts nowhere.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none; [`AppError::Forbidden`] for a contractor and somebody else's review;
    /// [`AppError::Conflict`] when it is taken back already, or is part of a bulk review.
    pub async fn undo_review(&self, actor: &Actor, id: ReviewId) -> Result<Review, AppError> {
        let review = self.get_review(actor, id).await?;
        if review.reviewer_id != actor.person_id && !actor.role.operates() {
            return Err(AppError::Forbidden("who is not an owner or operator takes only their own reviews back"));
        }
        let undone = || AppError::Conflict("this review is taken back already".to_owned());
        if review.undone_at.is_some() {
            return Err(undone());
        }
        if review.bulk_id.is_some() {
            return Err(AppError::Conflict("this is part of a bulk review: take that back as a whole".to_owned()));
        }
        let mut tallies = Tallies::default();
        tallies.add_review(&review, -1, bucket_of);
        if !self.store_of(actor).undo_review(&review, &actor.name, self.clock().now(), &tallies).await? {
            return Err(undone());
        }
        self.follow_review(actor, &review).await;
        self.get_review(actor, id).await
    }

    /// Whether a sample's run stands as completed by a review of it. `None` for a review of anything else.
    async fn stands_completed(&self, actor: &Actor, review: &Review) -> Result<Option<bool>, AppError> {
        if review.kind != ItemKind::Sample {
            return Ok(None);
        }
        let verdicts = self.store_of(actor).list_verdicts(std::slice::from_ref(&review.run_key)).await?;
        let stood = verdicts.last().and_then(|(_, verdict)| verdict.outcome).unwrap_or(Outcome::Completed);
        Ok(Some(sampling::stands(&review.judgement, stood)))
    }

    /// Reads the run of a review anew where its outcome changed, and tells open pages.
    async fn follow_review(&self, actor: &Actor, review: &Review) {
        if review.judgement.outcome.is_some()
            && let Err(error) = self.correct_outcomes(actor.agency_id, std::slice::from_ref(&review.run_key)).await
        {
            // The review is kept, and with it that its outcome is to be corrected: the next round of filling does it.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                review.id = %review.id,
                "the outcome that review {} corrects could not be read yet", review.id
            );
        }
        self.tell_queue(actor, review.workflow_id);
    }

    /// Gets a review that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or they may not see it.
    pub async fn get_review(&self, actor: &Actor, id: ReviewId) -> Result<Review, AppError> {
        actor.must_review()?;
        let store = self.store_of(actor);
        let review = store.find_review(id).await?.ok_or(AppError::NotFound("review"))?;
        let workflow = store.find_workflow(review.workflow_id).await?;
        workflow.filter(|w| actor.may_see_workflow(w)).ok_or(AppError::NotFound("review"))?;
        Ok(review)
    }

    /// Lists reviews that a filter finds, as far as the actor may see them, the latest first.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when the client is not there; [`AppError::Forbidden`] for who does not review.
    pub async fn list_reviews(
        &self,
        actor: &Actor,
        filter: &ReviewFilter,
        client: Option<ClientId>,
        behind: Option<ReviewCursor>,
        limit: u32,
    ) -> Result<ReviewsPage, AppError> {
        actor.must_review()?;
        let limit = limit.clamp(1, MAX_PAGE);
        let mut filter = filter.clone();
        filter.workflows = self.visible_of(actor, filter.workflows, client).await?;
        let mut reviews = self.store_of(actor).list_reviews(&filter, behind, limit + 1).await?;
        let more = reviews.len() > limit as usize;
        reviews.truncate(limit as usize);
        let next = reviews.last().filter(|_| more);
        let next = next.map(|review| ReviewCursor { closed_at: review.closed_at, id: review.id });
        Ok(ReviewsPage { reviews, next })
    }
}

fn unfit(error: UnfitReview) -> AppError {
    AppError::Invalid(error.to_string())
}
