//! Reviews: a person closes an item of the queue with a judgement, takes that back, or judges all of a pattern at once.

use steward_core::reviews::Review;
use steward_store::tenant::ReviewCursor;

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
