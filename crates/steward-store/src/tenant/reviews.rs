//! Reviews: what people made of items of the queue, one at a time or all of a pattern at once.

use steward_core::ids::{BulkId, ItemId, PatternId, PersonId, ReviewId, WorkflowId};
use steward_core::reviews::Judgement;
use steward_core::time::{Period, Timestamp};

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
