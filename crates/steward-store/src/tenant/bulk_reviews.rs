//! Bulk reviews: one judgement on all of a pattern, in transactions of many items each.
//!
//! Invariant: items are closed only while their bulk review runs, and opened only while it is taken back; both are
//! looked up in the transaction that does it. So a job that dies is done on by another, and nothing is done twice.

use sea_orm::DatabaseTransaction;
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{BulkId, ItemId, PatternId, PersonId, ReviewId, RunId, WorkflowId};
use steward_core::queue::ItemKind;
use steward_core::reviews::{Judgement, Review};
use steward_core::tallies::Tallies;
use steward_core::time::Timestamp;

use super::AgencyStore;
use super::queue::read_word;
use super::runs::{KEYS_AT_ONCE, RunKey};
use super::tallies;
use crate::StoreError;
use crate::sql::Row;
use crate::system::Job;

/// How far a bulk review is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkState {
    /// Items are being closed.
    Running,
    /// All are closed.
    Done,
    /// It is being taken back.
    Undoing,
    /// It is taken back.
    Undone,
}

impl BulkState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Undoing, Self::Undone];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// One judgement on all items of a pattern that were open and free when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkReview {
    /// Its id.
    pub id: BulkId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The pattern.
    pub pattern_id: PatternId,
    /// Who reviews.
    pub reviewer_id: PersonId,
    /// Their name.
    pub reviewer: String,
    /// What they say of every item.
    pub judgement: Judgement,
    /// Active time for all of them together, in milliseconds; `None` when nobody says.
    pub active_ms: Option<i64>,
    /// When it began.
    pub created_at: Timestamp,
    /// How far it is.
    pub state: BulkState,
    /// Items in all.
    pub total: i64,
    /// Items that are closed, or while it is taken back, that are open again.
    pub done: i64,
    /// Runs whose outcome is still to be corrected.
    pub outcomes_left: i64,
    /// When it was done or taken back.
    pub ended_at: Option<Timestamp>,
}

impl BulkReview {
    /// The active time of the item at a place, so that those of all items add up to the whole.
    fn share_ms(&self, place: i64) -> Option<i64> {
        let whole = i128::from(self.active_ms?);
        let until = |n: i64| whole * i128::from(n) / i128::from(self.total.max(1));
        i64::try_from(until(place + 1) - until(place)).ok()
    }
}

/// An item that a bulk review closes.
struct Taken {
    id: ItemId,
    kind: ItemKind,
    exception_kind: Option<ExceptionKind>,
    run_id: RunId,
    run_key: RunKey,
    release: String,
    workflow_id: WorkflowId,
}

fn read_taken(mut row: Row) -> Result<Taken, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "queue_items", column };
    Ok(Taken {
        id: ItemId::from_uuid(row.take()?),
        kind: ItemKind::parse(&row.take::<String>()?).ok_or(corrupt("kind"))?,
        exception_kind: read_word(&mut row, ExceptionKind::parse, corrupt("exception_kind"))?,
        run_id: RunId::from_uuid(row.take()?),
        run_key: row.take()?,
        release: row.take()?,
        workflow_id: WorkflowId::from_uuid(row.take()?),
    })
}

/// Open items of a pattern that were there when a bulk review began and that nobody but the reviewer holds.
const FREE: &str = "agency_id = $1 AND pattern_id = $2 AND closed_at IS NULL AND queued_at <= $3
    AND (claimed_by IS NULL OR claim_until <= $4 OR claimed_by = $5)";

impl AgencyStore {
    /// Begins a bulk review with the job that does it. Gives how many items it is about.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_bulk_review(&self, bulk: &BulkReview, job: &Job) -> Result<i64, StoreError> {
        let tx = self.store.begin_write().await?;
        let total: i64 = match self
            .store
            .within(&tx, format!("SELECT COUNT(*) FROM queue_items WHERE {FREE}"))
            .bind(self.agency_id().as_uuid())
            .bind(bulk.pattern_id.as_uuid())
            .bind(bulk.created_at.0)
            .bind(bulk.created_at.0)
            .bind(bulk.reviewer_id.as_uuid())
            .first()
            .await?
        {
            Some(mut row) => row.take()?,
            None => 0,
        };
        self.store
            .within(
                &tx,
                "INSERT INTO bulk_reviews (agency_id, id, workflow_id, pattern_id, reviewer_id, reviewer, judgement,
                     active_ms, created_at, state, total, done)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running', $10, 0)",
            )
            .bind(self.agency_id().as_uuid())
            .bind(bulk.id.as_uuid())
            .bind(bulk.workflow_id.as_uuid())
            .bind(bulk.pattern_id.as_uuid())
            .bind(bulk.reviewer_id.as_uuid())
            .bind(bulk.reviewer.clone())
            .bind(serde_json::to_string(&bulk.judgement).unwrap_or_default())
            .bind(bulk.active_ms)
            .bind(bulk.created_at.0)
            .bind(total)
            .run()
            .await?;
        self.store.insert_job(&tx, job).await?;
        tx.commit().await?;
        Ok(total)
    }

    /// Begins to take a bulk review back, with the job that does it. Gives whether it held.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn start_bulk_undo(&self, id: BulkId, job: &Job) -> Result<bool, StoreError> {
        let tx = self.store.begin_write().await?;
        let changed = self
            .store
            .within(
                &tx,
                "UPDATE bulk_reviews SET state = 'undoing', total = done, done = 0, ended_at = NULL
                 WHERE agency_id = $1 AND id = $2 AND state IN ('running', 'done')",
            )
            .bind(self.agency_id().as_uuid())
            .bind(id.as_uuid())
            .run()
            .await?;
        if changed != 1 {
            tx.rollback().await?;
            return Ok(false);
        }
        self.store.insert_job(&tx, job).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Finds a bulk review. `None` when the agency has no such one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_bulk_review(&self, id: BulkId) -> Result<Option<BulkReview>, StoreError> {
        let row = self
            .read(
                "SELECT id, workflow_id, pattern_id, reviewer_id, reviewer, judgement, active_ms, created_at, state,
                     total, done, ended_at, (SELECT COUNT(DISTINCT r.run_key) FROM reviews r
                         WHERE r.agency_id = $1 AND r.bulk_id = $2 AND r.reread)
                 FROM bulk_reviews WHERE agency_id = $1 AND id = $2",
            )
            .bind(id.as_uuid())
            .first()
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        Ok(Some(BulkReview {
            id: BulkId::from_uuid(row.take()?),
            workflow_id: WorkflowId::from_uuid(row.take()?),
            pattern_id: PatternId::from_uuid(row.take()?),
            reviewer_id: PersonId::from_uuid(row.take()?),
            reviewer: row.take()?,
            judgement: row.take_json("bulk_reviews", "judgement")?,
            active_ms: row.take()?,
            created_at: Timestamp(row.take()?),
            state: BulkState::parse(&row.take::<String>()?)
                .ok_or(StoreError::Corrupt { table: "bulk_reviews", column: "state" })?,
            total: row.take()?,
            done: row.take()?,
            ended_at: row.take::<Option<i64>>()?.map(Timestamp),
            outcomes_left: row.take()?,
        }))
    }

    /// Closes items of a bulk review, one for each of some ids of reviews at most; at the last it is done. Gives how
    /// many; `None` when it no longer runs.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn close_bulk_items(
        &self,
        bulk: &BulkReview,
        ids: Vec<ReviewId>,
        now: Timestamp,
        bucket_of: fn(f64) -> i32,
    ) -> Result<Option<u64>, StoreError> {
        let (agency, id) = (self.agency_id().as_uuid(), bulk.id.as_uuid());
        let tx = self.store.begin_write().await?;
        let Some(done) = self.lock_bulk(&tx, bulk.id, BulkState::Running).await? else {
            tx.rollback().await?;
            return Ok(None);
        };
        let lock = if self.store.is_sqlite() { "" } else { "FOR UPDATE" };
        let rows = self
            .store
            .within(
                &tx,
                format!(
                    "SELECT id, kind, exception_kind, run_id, run_key, release, workflow_id FROM queue_items
                     WHERE {FREE} ORDER BY id LIMIT $6 {lock}"
                ),
            )
            .bind(agency)
            .bind(bulk.pattern_id.as_uuid())
            .bind(bulk.created_at.0)
            .bind(now.0)
            .bind(bulk.reviewer_id.as_uuid())
            .bind(i64::try_from(ids.len()).unwrap_or(i64::MAX))
            .all()
            .await?;
        let mut reviews = Vec::with_capacity(rows.len());
        for ((place, id), row) in (done..).zip(ids).zip(rows) {
            reviews.push(review_of(bulk, id, read_taken(row)?, place, now));
        }
        let n = reviews.len() as u64;
        if n == 0 {
            self.end_bulk(&tx, bulk.id, BulkState::Done, now).await?;
        } else {
            let mut tallies = Tallies::default();
            reviews.iter().for_each(|review| tallies.add_review(review, 1, bucket_of));
            self.write_reviews(&tx, &reviews, id).await?;
            for reviews in reviews.chunks(KEYS_AT_ONCE) {
                let mut sql = self
                    .store
                    .within(
                        &tx,
                        // The items are found by their reviews, and those by their ids: whatever else a planner may
                        // choose goes through all of the bulk review for every item.
                        "UPDATE queue_items SET closed_at = $2, closed_by = 'review', review_id = r.id,
                             claim_until = CASE WHEN claim_until > $2 THEN $2 ELSE claim_until END
                         FROM reviews r WHERE queue_items.agency_id = $1 AND queue_items.id = r.item_id
                             AND r.agency_id = $1 AND r.id IN (",
                    )
                    .bind(agency)
                    .bind(now.0);
                sql.push_list(reviews.iter().map(|review| review.id.as_uuid().into()));
                sql.push(")");
                sql.run().await?;
            }
            self.add_bulk_done(&tx, bulk.id, n).await?;
            tallies::add_rows(&self.store, &tx, tallies::rows(agency, &tallies)).await?;
        }
        tx.commit().await?;
        Ok(Some(n))
    }

    /// Opens items again that a bulk review closed, at most `limit`; at the last it is taken back. Gives how many;
    /// `None` when it is not being taken back.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn reopen_bulk_items(
        &self,
        id: BulkId,
        by: &str,
        limit: u32,
        now: Timestamp,
        bucket_of: fn(f64) -> i32,
    ) -> Result<Option<u64>, StoreError> {
        let agency = self.agency_id().as_uuid();
        let tx = self.store.begin_write().await?;
        if self.lock_bulk(&tx, id, BulkState::Undoing).await?.is_none() {
            tx.rollback().await?;
            return Ok(None);
        }
        let reviews = self.list_bulk_within(&tx, id, limit).await?;
        if reviews.is_empty() {
            self.end_bulk(&tx, id, BulkState::Undone, now).await?;
        } else {
            let mut tallies = Tallies::default();
            reviews.iter().for_each(|review| tallies.add_review(review, -1, bucket_of));
            let n = self.take_back(&tx, &reviews, id.as_uuid(), by, now).await?;
            if n != reviews.len() as u64 {
                return Err(StoreError::Outrun);
            }
            self.add_bulk_done(&tx, id, n).await?;
            tallies::add_rows(&self.store, &tx, tallies::rows(agency, &tallies)).await?;
        }
        tx.commit().await?;
        Ok(Some(reviews.len() as u64))
    }

    /// Takes hold of a bulk review until the transaction ends. Gives how many items are done; `None` when it is not in
    /// the state.
    async fn lock_bulk(
        &self,
        tx: &DatabaseTransaction,
        id: BulkId,
        state: BulkState,
    ) -> Result<Option<i64>, StoreError> {
        let row = self
            .store
            .within(
                tx,
                "UPDATE bulk_reviews SET done = done WHERE agency_id = $1 AND id = $2 AND state = $3 RETURNING done",
            )
            .bind(self.agency_id().as_uuid())
            .bind(id.as_uuid())
            .bind(state.as_str())
            .first()
            .await?;
        row.map(|mut row| row.take()).transpose()
    }

    async fn add_bulk_done(&self, tx: &DatabaseTransaction, id: BulkId, n: u64) -> Result<(), StoreError> {
        self.store
            .within(tx, "UPDATE bulk_reviews SET done = done + $3 WHERE agency_id = $1 AND id = $2")
            .bind(self.agency_id().as_uuid())
            .bind(id.as_uuid())
            .bind(i64::try_from(n).unwrap_or(i64::MAX))
            .run()
            .await
            .map(|_| ())
    }

    /// What others took meanwhile is not among the items in all.
    async fn end_bulk(
        &self,
        tx: &DatabaseTransaction,
        id: BulkId,
        state: BulkState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store
            .within(
                tx,
                "UPDATE bulk_reviews SET state = $3, total = done, ended_at = $4 WHERE agency_id = $1 AND id = $2",
            )
            .bind(self.agency_id().as_uuid())
            .bind(id.as_uuid())
            .bind(state.as_str())
            .bind(now.0)
            .run()
            .await
            .map(|_| ())
    }
}

fn review_of(bulk: &BulkReview, id: ReviewId, item: Taken, place: i64, now: Timestamp) -> Review {
    let active_ms = bulk.share_ms(place);
    Review {
        id,
        item_id: item.id,
        kind: item.kind,
        exception_kind: item.exception_kind,
        run_id: item.run_id,
        run_key: item.run_key,
        release: item.release,
        workflow_id: item.workflow_id,
        pattern_id: Some(bulk.pattern_id),
        reviewer_id: bulk.reviewer_id,
        reviewer: bulk.reviewer.clone(),
        claimed_at: bulk.created_at,
        closed_at: now,
        measured_ms: active_ms,
        active_ms,
        active_note: String::new(),
        judgement: bulk.judgement.clone(),
        bulk_id: Some(bulk.id),
        undone_at: None,
        undone_by: String::new(),
    }
}
