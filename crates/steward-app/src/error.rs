//! What can go wrong in a use case, named by what the person can do about it.

use steward_store::StoreError;

/// A failure of a use case.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is no such thing, or the person may not know that there is.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The person may see it, and may not do this.
    #[error("your role does not allow this: {0}")]
    Forbidden(&'static str),
    /// What was sent is not right; the words are for the person.
    #[error("{0}")]
    Invalid(String),
    /// It is in the way of something that is there already; the words are for the person.
    #[error("{0}")]
    Conflict(String),
    /// Tried too often; try again after so many seconds.
    #[error("too many attempts, try again in {retry_after_seconds} s")]
    TooMany {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// The program is busy or its database does not answer; nothing was done, and trying again may succeed.
    #[error("busy, try again in {retry_after_seconds} s")]
    Busy {
        /// When to try again.
        retry_after_seconds: u32,
        /// Why, for the log.
        #[source]
        source: Option<StoreError>,
    },
    /// The storage layer failed.
    #[error("the database failed")]
    Store(#[source] StoreError),
    /// A fault of ours; the words say in what.
    #[error("Steward failed in {0}")]
    Fault(&'static str),
    /// A document could not be made.
    #[error("the document could not be made")]
    Paper(#[source] steward_paper::PaperError),
}

impl AppError {
    /// Whether trying again later may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::TooMany { .. })
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        if error.is_passing() { Self::Busy { retry_after_seconds: 2, source: Some(error) } } else { Self::Store(error) }
    }
}
