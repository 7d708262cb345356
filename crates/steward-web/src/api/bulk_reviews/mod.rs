//! Bulk reviews: one judgement on all of a pattern that waits.

pub(crate) mod get;
pub(crate) mod start;
pub(crate) mod undo;

use serde::Serialize;
use steward_app::tenant::BulkReview;
use utoipa::ToSchema;

use super::reviews::JudgementJson;
use super::words::BulkStateWord;

/// One judgement on all items of a pattern that were open and free when it began.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkReview)]
pub(crate) struct BulkReviewJson {
    /// Its id.
    #[schema(example = "bulk_01930000000070008000000000000001")]
    id: String,
    /// The workflow.
    workflow_id: String,
    /// The pattern.
    pattern_id: String,
    /// Who reviews.
    reviewer_id: String,
    /// Their name.
    reviewer: String,
    /// What they say of every item.
    judgement: JudgementJson,
    /// Active time for all of them together, in milliseconds; null when nobody says.
    active_ms: Option<i64>,
    /// When it began.
    #[schema(format = DateTime)]
    created_at: String,
    /// How far it is.
    state: BulkStateWord,
    /// Items in all.
    total: i64,
    /// Items that are closed, or while it is taken back, that are open again.
    done: i64,
    /// Runs whose outcome is still to be corrected.
    outcomes_left: i64,
    /// When it was done or taken back.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

impl From<BulkReview> for BulkReviewJson {
    fn from(bulk: BulkReview) -> Self {
        Self {
            id: bulk.id.to_string(),
            workflow_id: bulk.workflow_id.to_string(),
            pattern_id: bulk.pattern_id.to_string(),
            reviewer_id: bulk.reviewer_id.to_string(),
            reviewer: bulk.reviewer,
            judgement: bulk.judgement.into(),
            active_ms: bulk.active_ms,
            created_at: bulk.created_at.rfc3339(),
            state: bulk.state.into(),
            total: bulk.total,
            done: bulk.done,
            outcomes_left: bulk.outcomes_left,
            ended_at: bulk.ended_at.map(|at| at.rfc3339()),
        }
    }
}
