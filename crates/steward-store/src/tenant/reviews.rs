//! Reviews: what people made of items of the queue, one at a time or all of a pattern at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{BulkId, ItemId, PatternId, PersonId, ReviewId, RunId, WorkflowId};
use steward_core::outcome::Outcome;
use steward_core::queue::{ClosedBy, ItemKind};
use steward_core::reviews::{AgentWas, Cause, Judgement, PreventedBy, Review};
use steward_core::tallies::Tallies;
use steward_core::time::{Period, Timestamp};
use uuid::Uuid;

use super::AgencyStore;
use super::exceptions::push_workflows;
use super::patterns::push_days;
use super::queue::{Flow, Flows, flow, read_word};
use super::runs::{KEYS_AT_ONCE, RunKey};
use super::tallies;
use crate::StoreError;
use crate::sql::{Row, Sql, insert_many};

/// The most characters of a comment that go into a verdict.
const MAX_VERDICT_CHARS: usize = 2_000;

/// Which reviews a list shows. Everything that is `None` does not limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReviewFilter {
    /// Only those of these workflows; an empty list shows none, `None` shows all.
    pub workflows: Option<Vec<WorkflowId>>,
    /// Only those of this pattern.
    pub pattern: Option<PatternId>,
    /// Only those of this item.
    pub item: Option<ItemId>,
    /// Only those of this person.
    pub reviewer: Option<PersonId>,
    /// Only those of this bulk review.
    pub bulk: Option<BulkId>,
    /// Only those that were closed in this period.
    pub period: Option<Period>,
    /// Those too that were taken back.
    pub with_undone: bool,
    /// Only those that say what was done about it.
    pub with_resolution: bool,
}

/// Where a list goes on: behind a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewCursor {
    /// When it was closed.
    pub closed_at: Timestamp,
    /// Its id.
    pub id: ReviewId,
}

const COLUMNS: &[&str] = &[
    "id",
    "item_id",
    "kind",
    "exception_kind",
    "run_id",
    "run_key",
    "release",
    "workflow_id",
    "pattern_id",
    "reviewer_id",
    "reviewer",
    "claimed_at",
    "closed_at",
    "measured_ms",
    "active_ms",
    "active_note",
    "agent",
    "outcome",
    "cause",
    "preventable",
    "prevented_by",
    "cleanup_minutes",
    "resolution",
    "comment",
    "bulk_id",
    "undone_at",
    "undone_by",
];

fn read_review(mut row: Row) -> Result<Review, StoreError> {
    let row = &mut row;
    let corrupt = |column| StoreError::Corrupt { table: "reviews", column };
    Ok(Review {
        id: ReviewId::from_uuid(row.take()?),
        item_id: ItemId::from_uuid(row.take()?),
        kind: ItemKind::parse(&row.take::<String>()?).ok_or(corrupt("kind"))?,
        exception_kind: read_word(row, ExceptionKind::parse, corrupt("exception_kind"))?,
        run_id: RunId::from_uuid(row.take()?),
        run_key: row.take()?,
        release: row.take()?,
        workflow_id: WorkflowId::from_uuid(row.take()?),
        pattern_id: row.take::<Option<Uuid>>()?.map(PatternId::from_uuid),
        reviewer_id: PersonId::from_uuid(row.take()?),
        reviewer: row.take()?,
        claimed_at: Timestamp(row.take()?),
        closed_at: Timestamp(row.take()?),
        measured_ms: row.take()?,
        active_ms: row.take()?,
        active_note: row.take()?,
        judgement: Judgement {
            agent: read_word(row, AgentWas::parse, corrupt("agent"))?,
            outcome: read_word(row, Outcome::parse, corrupt("outcome"))?,
            cause: read_word(row, Cause::parse, corrupt("cause"))?,
            preventable: row.take()?,
            prevented_by: read_word(row, PreventedBy::parse, corrupt("prevented_by"))?,
            cleanup_minutes: row.take::<i32>()?.unsigned_abs(),
            resolution: row.take()?,
            comment: row.take()?,
        },
        bulk_id: row.take::<Option<Uuid>>()?.map(BulkId::from_uuid),
        undone_at: row.take::<Option<i64>>()?.map(Timestamp),
        undone_by: row.take()?,
    })
}

fn values(agency: Uuid, review: &Review) -> Vec<Value> {
    let judgement = &review.judgement;
    let word = |word: Option<&str>| Value::from(word.map(str::to_owned));
    vec![
        agency.into(),
        judgement.outcome.is_some().into(),
        review.id.as_uuid().into(),
        review.item_id.as_uuid().into(),
        review.kind.as_str().into(),
        word(review.exception_kind.map(ExceptionKind::as_str)),
        review.run_id.as_uuid().into(),
        review.run_key.clone().into(),
        review.release.clone().into(),
        review.workflow_id.as_uuid().into(),
        review.pattern_id.map(PatternId::as_uuid).into(),
        review.reviewer_id.as_uuid().into(),
        review.reviewer.clone().into(),
        review.claimed_at.0.into(),
        review.closed_at.0.into(),
        review.measured_ms.into(),
        review.active_ms.into(),
        review.active_note.clone().into(),
        word(judgement.agent.map(AgentWas::as_str)),
        word(judgement.outcome.map(Outcome::as_str)),
        word(judgement.cause.map(Cause::as_str)),
        judgement.preventable.into(),
        word(judgement.prevented_by.map(PreventedBy::as_str)),
        i32::try_from(judgement.cleanup_minutes).unwrap_or(i32::MAX).into(),
        judgement.resolution.clone().into(),
        judgement.comment.clone().into(),
        review.bulk_id.map(BulkId::as_uuid).into(),
        review.undone_at.map(|at| at.0).into(),
        review.undone_by.clone().into(),
    ]
}

fn push_filter<C: ConnectionTrait>(sql: &mut Sql<'_, C>, filter: &ReviewFilter) {
    let and = |sql: &mut Sql<'_, C>, text: &str, value: Value| {
        let placeholder = sql.placeholder(value);
        sql.push(" AND ");
        sql.push(&text.replace('?', &placeholder));
    };
    push_workflows(sql, "workflow_id", filter.workflows.as_deref());
    let ids = [
        ("pattern_id", filter.pattern.map(PatternId::as_uuid)),
        ("item_id", filter.item.map(ItemId::as_uuid)),
        ("reviewer_id", filter.reviewer.map(PersonId::as_uuid)),
        ("bulk_id", filter.bulk.map(BulkId::as_uuid)),
    ];
    for (column, id) in ids {
        if let Some(id) = id {
            and(sql, &format!("{column} = ?"), id.into());
        }
    }
    if let Some(period) = filter.period {
        and(sql, "closed_at >= ?", period.start.0.into());
        and(sql, "closed_at < ?", period.end.0.into());
    }
    if !filter.with_undone {
        sql.push(" AND undone_at IS NULL");
    }
    if filter.with_resolution {
        sql.push(" AND resolution <> ''");
    }
}

impl AgencyStore {
    /// Lists reviews, the latest first, at most `limit`, from behind a cursor.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_reviews(
        &self,
        filter: &ReviewFilter,
        behind: Option<ReviewCursor>,
        limit: u32,
    ) -> Result<Vec<Review>, StoreError> {
        let mut sql = self.read(format!("SELECT {} FROM reviews WHERE agency_id = $1", COLUMNS.join(", ")));
        push_filter(&mut sql, filter);
        if let Some(cursor) = behind {
            let at = sql.placeholder(cursor.closed_at.0);
            let id = sql.placeholder(cursor.id.as_uuid());
            sql.push(&format!(" AND closed_at <= {at} AND (closed_at < {at} OR id < {id})"));
        }
        let limit = sql.placeholder(i64::from(limit));
        sql.push(&format!(" ORDER BY closed_at DESC, id DESC LIMIT {limit}"));
        sql.all().await?.into_iter().map(read_review).collect()
    }

    /// Reviews of some runs, by run key, those included that were taken back.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_reviews_of_runs(&self, runs: &[RunId]) -> Result<Vec<Review>, StoreError> {
        let mut found = Vec::new();
        for ids in runs.chunks(KEYS_AT_ONCE) {
            let mut sql =
                self.read(format!("SELECT {} FROM reviews WHERE agency_id = $1 AND run_id IN (", COLUMNS.join(", ")));
            sql.push_list(ids.iter().map(|id| Value::from(id.as_uuid())));
            sql.push(") ORDER BY closed_at, id");
            for row in sql.all().await? {
                found.push(read_review(row)?);
            }
        }
        Ok(found)
    }

    /// Finds a review. `None` when the agency has no such review.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_review(&self, id: ReviewId) -> Result<Option<Review>, StoreError> {
        let text = format!("SELECT {} FROM reviews WHERE agency_id = $1 AND id = $2", COLUMNS.join(", "));
        self.read(text).bind(id.as_uuid()).first().await?.map(read_review).transpose()
    }

    /// Closes an item with a review, and with it gives a verdict and adds to the tallies: all or nothing. `completed` is
    /// what it says of a sample. Gives whether the item waited and was the reviewer's; nothing is written when not.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn commit_review(
        &self,
        review: &Review,
        completed: Option<bool>,
        tallies: &Tallies,
    ) -> Result<bool, StoreError> {
        let agency = self.agency_id().as_uuid();
        let tallies = tallies::rows(agency, tallies);
        let tx = self.store.begin_write().await?;
        let closed = self
            .store
            .within(
                &tx,
                "UPDATE queue_items SET closed_at = $4, closed_by = 'review', review_id = $5, claim_until = $4
                 WHERE agency_id = $1 AND id = $2 AND closed_at IS NULL AND claimed_by = $3",
            )
            .bind(agency)
            .bind(review.item_id.as_uuid())
            .bind(review.reviewer_id.as_uuid())
            .bind(review.closed_at.0)
            .bind(review.id.as_uuid())
            .run()
            .await?;
        if closed != 1 {
            tx.rollback().await?;
            return Ok(false);
        }
        self.write_reviews(&tx, std::slice::from_ref(review), review.id.as_uuid()).await?;
        if review.kind == ItemKind::Sample {
            self.write_sample_verdict(&tx, review.item_id, completed).await?;
        }
        tallies::add_rows(&self.store, &tx, tallies).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a review back: its item waits again, its verdict is gone, and it counts nowhere. Gives whether it held.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn undo_review(
        &self,
        review: &Review,
        by: &str,
        now: Timestamp,
        tallies: &Tallies,
    ) -> Result<bool, StoreError> {
        let tallies = tallies::rows(self.agency_id().as_uuid(), tallies);
        let tx = self.store.begin_write().await?;
        if self.take_back(&tx, std::slice::from_ref(review), review.id.as_uuid(), by, now).await? != 1 {
            tx.rollback().await?;
            return Ok(false);
        }
        if review.kind == ItemKind::Sample {
            self.write_sample_verdict(&tx, review.item_id, None).await?;
        }
        tallies::add_rows(&self.store, &tx, tallies).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Runs whose outcomes are still to be corrected, at most `limit`, by key.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_rereads(&self, limit: u32) -> Result<Vec<RunKey>, StoreError> {
        let text = "SELECT DISTINCT run_key FROM reviews WHERE agency_id = $1 AND reread ORDER BY run_key LIMIT $2";
        let rows = self.read(text).bind(i64::from(limit)).all().await?;
        rows.into_iter().map(|mut row| row.take()).collect()
    }

    /// Reviews for which some runs are still to be read anew, each with whether it is taken back.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn find_rereads(&self, run_keys: &[RunKey]) -> Result<Vec<(ReviewId, bool)>, StoreError> {
        let mut found = Vec::new();
        for keys in run_keys.chunks(KEYS_AT_ONCE) {
            let mut sql =
                self.read("SELECT id, undone_at FROM reviews WHERE agency_id = $1 AND reread AND run_key IN (");
            sql.push_list(keys.iter().map(|key| Value::from(key.clone())));
            sql.push(")");
            for mut row in sql.all().await? {
                found.push((ReviewId::from_uuid(row.take()?), row.take::<Option<i64>>()?.is_some()));
            }
        }
        Ok(found)
    }

    /// Records that outcomes are corrected as far as some reviews say; of one that was taken back since it was found,
    /// that is still to come.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_rereads(&self, found: &[(ReviewId, bool)]) -> Result<(), StoreError> {
        for (undone, is) in [(false, "IS NULL"), (true, "IS NOT NULL")] {
            let ids: Vec<ReviewId> = found.iter().filter(|(_, was)| *was == undone).map(|(id, _)| *id).collect();
            for ids in ids.chunks(KEYS_AT_ONCE) {
                let mut sql = self.write(format!(
                    "UPDATE reviews SET reread = FALSE WHERE agency_id = $1 AND reread AND undone_at {is} AND id IN ("
                ));
                sql.push_list(ids.iter().map(|id| Value::from(id.as_uuid())));
                sql.push(")");
                sql.run().await?;
            }
        }
        Ok(())
    }

    /// What people spent on reviews of patterns in milliseconds, and on cleaning up in minutes, in the whole days of a
    /// period or ever. Patterns without a review are missing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn sum_pattern_reviews(
        &self,
        ids: &[PatternId],
        period: Option<Period>,
    ) -> Result<HashMap<PatternId, (i64, i64)>, StoreError> {
        let mut found = HashMap::new();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let mut sql = self.read(
                "SELECT pattern_id, CAST(COALESCE(SUM(active_ms), 0) AS BIGINT),
                     CAST(SUM(cleanup_minutes) AS BIGINT) FROM reviews WHERE agency_id = $1 AND undone_at IS NULL",
            );
            push_days(&mut sql, "closed_at", period);
            sql.push(" AND pattern_id IN (");
            sql.push_list(ids.iter().map(|id| Value::from(id.as_uuid())));
            sql.push(") GROUP BY pattern_id");
            for mut row in sql.all().await? {
                found.insert(PatternId::from_uuid(row.take()?), (row.take()?, row.take()?));
            }
        }
        Ok(found)
    }

    /// Writes reviews with their verdicts, and counts that their items were closed. `source` is what the verdicts are
    /// known by: the review, or the bulk review.
    pub(super) async fn write_reviews(
        &self,
        tx: &DatabaseTransaction,
        reviews: &[Review],
        source: Uuid,
    ) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        let columns = [&["agency_id", "reread"], COLUMNS].concat();
        let rows = reviews.iter().map(|review| values(agency, review)).collect();
        insert_many(tx, self.store.backend, "reviews", &columns, rows, "").await?;
        self.write_verdicts(tx, reviews, source).await?;
        let mut flows = Flows::new();
        for review in reviews {
            flow(&mut flows, review.workflow_id, review.closed_at, Flow::Closed(ClosedBy::Review), 1);
        }
        self.count_flows(tx, &flows).await
    }

    /// Gives each run of some reviews that correct its outcome one verdict, which is its latest.
    async fn write_verdicts(
        &self,
        tx: &DatabaseTransaction,
        reviews: &[Review],
        source: Uuid,
    ) -> Result<(), StoreError> {
        let agency = self.agency_id().as_uuid();
        let mut of_run: BTreeMap<&str, &Review> = BTreeMap::new();
        for review in reviews.iter().filter(|review| review.judgement.outcome.is_some()) {
            of_run.insert(&review.run_key, review);
        }
        let keys: Vec<&str> = of_run.keys().copied().collect();
        let mut latest: HashMap<String, i64> = HashMap::new();
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let mut sql = self
                .store
                .within(
                    tx,
                    "SELECT run_key, MAX(at), MAX(CASE WHEN review_id = $2 THEN 1 ELSE 0 END) FROM verdicts
                     WHERE agency_id = $1 AND run_key IN (",
                )
                .bind(agency)
                .bind(source);
            sql.push_list(keys.iter().map(|key| Value::from(*key)));
            sql.push(") GROUP BY run_key");
            for mut row in sql.all().await? {
                let (key, at, is_there): (String, i64, i32) = (row.take()?, row.take()?, row.take()?);
                if is_there == 1 {
                    of_run.remove(key.as_str());
                }
                latest.insert(key, at);
            }
        }
        let rows = of_run.into_iter().map(|(key, review)| {
            // The last verdict of a run is the one that holds.
            let at = latest.get(key).map_or(review.closed_at.0, |latest| review.closed_at.0.max(latest + 1));
            let comment: String = review.judgement.comment.chars().take(MAX_VERDICT_CHARS).collect();
            vec![
                agency.into(),
                key.into(),
                at.into(),
                review.reviewer_id.as_uuid().into(),
                review.reviewer.clone().into(),
                review.judgement.outcome.map(|outcome| outcome.as_str().to_owned()).into(),
                comment.into(),
                source.into(),
            ]
        });
        let columns = ["agency_id", "run_key", "at", "person_id", "person_name", "outcome", "comment", "review_id"];
        insert_many(tx, self.store.backend, "verdicts", &columns, rows.collect(), "").await.map(|_| ())
    }

    /// Takes reviews back: their items wait again, unless their pattern is muted, and their verdicts are gone. Gives how
    /// many of them held.
    pub(super) async fn take_back(
        &self,
        tx: &DatabaseTransaction,
        reviews: &[Review],
        source: Uuid,
        by: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let agency = self.agency_id().as_uuid();
        let mut n = 0;
        let mut flows = Flows::new();
        for reviews in reviews.chunks(KEYS_AT_ONCE) {
            let ids = || reviews.iter().map(|review| Value::from(review.id.as_uuid()));
            let mut sql = self
                .store
                .within(
                    tx,
                    "UPDATE reviews SET undone_at = $2, undone_by = $3, reread = (outcome IS NOT NULL)
                     WHERE agency_id = $1 AND undone_at IS NULL AND id IN (",
                )
                .bind(agency)
                .bind(now.0)
                .bind(by);
            sql.push_list(ids());
            sql.push(")");
            n += sql.run().await?;
            let muted = "EXISTS (SELECT 1 FROM patterns p WHERE p.agency_id = queue_items.agency_id
                             AND p.id = queue_items.pattern_id AND p.state = 'muted')";
            let text = format!(
                "UPDATE queue_items SET closed_at = CASE WHEN {muted} THEN closed_at END,
                     closed_by = CASE WHEN {muted} THEN 'muted' END, review_id = NULL
                 WHERE agency_id = $1 AND id IN ("
            );
            let mut sql = self.store.within(tx, text).bind(agency);
            sql.push_list(reviews.iter().map(|review| Value::from(review.item_id.as_uuid())));
            sql.push(") AND review_id IN (");
            sql.push_list(ids());
            sql.push(") RETURNING workflow_id, closed_at");
            for mut row in sql.all().await? {
                // Not reviewed any more, and gone from the queue all the same.
                let workflow = WorkflowId::from_uuid(row.take()?);
                if let Some(at) = row.take::<Option<i64>>()? {
                    flow(&mut flows, workflow, Timestamp(at), Flow::Closed(ClosedBy::Muted), 1);
                }
            }
            let corrected = || reviews.iter().filter(|review| review.judgement.outcome.is_some());
            if corrected().next().is_some() {
                let mut sql = self
                    .store
                    .within(tx, "DELETE FROM verdicts WHERE agency_id = $1 AND review_id = $2 AND run_key IN (")
                    .bind(agency)
                    .bind(source);
                sql.push_list(corrected().map(|review| Value::from(review.run_key.clone())));
                sql.push(")");
                sql.run().await?;
            }
            // What the run has by now is for the next round of filling to see.
            let rows = reviews.iter().map(|review| review.run_id.as_uuid()).collect::<BTreeSet<_>>();
            let rows = rows.into_iter().map(|run| vec![agency.into(), run.into()]).collect();
            let tail = "ON CONFLICT (agency_id, run_id) DO NOTHING";
            insert_many(tx, self.store.backend, "queue_rechecks", &["agency_id", "run_id"], rows, tail).await?;
            for review in reviews {
                flow(&mut flows, review.workflow_id, review.closed_at, Flow::Closed(ClosedBy::Review), -1);
            }
        }
        self.count_flows(tx, &flows).await?;
        Ok(n)
    }

    /// Reviews of a bulk review that hold, at most `limit`.
    pub(super) async fn list_bulk_within(
        &self,
        tx: &DatabaseTransaction,
        id: BulkId,
        limit: u32,
    ) -> Result<Vec<Review>, StoreError> {
        let text = format!(
            "SELECT {} FROM reviews WHERE agency_id = $1 AND bulk_id = $2 AND undone_at IS NULL ORDER BY id LIMIT $3",
            COLUMNS.join(", ")
        );
        let sql = self.store.within(tx, text).bind(self.agency_id().as_uuid()).bind(id.as_uuid());
        sql.bind(i64::from(limit)).all().await?.into_iter().map(read_review).collect()
    }
}
