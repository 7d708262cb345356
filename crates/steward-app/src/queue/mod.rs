//! The queue: what waits for a person, who works on what, and whose it is.
//!
//! Items enter behind the mining, by [`fill_queue`](App::fill_queue). A person claims one under a lease, which the page
//! keeps while they work, and closes it with a review ([`reviews`](crate::reviews)).

use steward_core::queue::QueueItem;
use steward_core::reviews::Review;
use steward_core::time::Timestamp;
use steward_core::workflow::Workflow;
use steward_store::tenant::{ExceptionRow, PatternRow, QueueCursor};

use crate::runs::RunDetail;

/// The most items that one page of a list shows.
pub const MAX_PAGE: u32 = 500;
/// Items are counted up to here; beyond it a list says "more than".
pub const COUNT_UP_TO: u32 = 10_000;
/// The most items that are assigned at once.
pub const MAX_ASSIGNED: usize = 500;

/// One page of the queue.
#[derive(Debug, Clone)]
pub struct QueuePage {
    /// The items.
    pub items: Vec<QueueItem>,
    /// Where the next page begins. `None` on the last.
    pub next: Option<QueueCursor>,
}

/// An item as its page shows it.
#[derive(Debug, Clone)]
pub struct QueueItemDetail {
    /// The item.
    pub item: QueueItem,
    /// Its workflow.
    pub workflow: Workflow,
    /// The exception; `None` for a sample, and for one that the run no longer has.
    pub exception: Option<ExceptionRow>,
    /// The run; `None` when it is gone.
    pub run: Option<RunDetail>,
    /// The pattern; `None` for a sample.
    pub pattern: Option<PatternRow>,
    /// Reviews of it, the latest first, those included that were taken back.
    pub reviews: Vec<Review>,
    /// The latest reviews of other items of the pattern that say what was done about it.
    pub resolutions: Vec<Review>,
}

/// What waits, and how it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueSummary {
    /// Items that wait.
    pub open: u64,
    /// Of those, past their due time.
    pub overdue: u64,
    /// Since when the oldest waits. `None` when nothing does.
    pub oldest: Option<Timestamp>,
    /// Since when half of them wait at least.
    pub median: Option<Timestamp>,
    /// What came and went by local day, days with nothing included, the oldest first.
    pub days: Vec<QueueDay>,
    /// The patterns with the most that waits, the most first.
    pub patterns: Vec<QueuePattern>,
}

/// One local day of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueDay {
    /// The day in the agency's zone.
    pub date: jiff::civil::Date,
    /// Items that arrived, those included that came back.
    pub arrived: i64,
    /// Items that were closed, by a review or otherwise.
    pub closed: i64,
    /// Of those, by a review.
    pub reviewed: i64,
}

/// What waits of one pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct QueuePattern {
    /// The pattern.
    pub pattern: PatternRow,
    /// Items that wait.
    pub open: u64,
    /// Since when the oldest waits.
    pub oldest: Timestamp,
}
