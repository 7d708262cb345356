//! The rows of one agency.
//!
//! Invariant: every query made through [`AgencyStore`] filters by its agency. What a person may see inside the
//! agency is settled above; here only the agency counts.

pub(crate) mod agency;
mod bulk_reviews;
mod clients;
pub(crate) mod connections;
mod exceptions;
mod filling;
pub(crate) mod handoff;
mod idempotency;
mod keys;
mod mining;
mod mistakes;
mod patterns;
pub(crate) mod people;
mod queue;
mod reports;
mod reviews;
mod runs;
mod sampling;
mod tallies;
mod user_data;
mod verdicts;
mod workflows;

use sea_orm::DatabaseConnection;
use steward_core::ids::AgencyId;

use crate::Store;
use crate::sql::Sql;

pub use agency::AuditEntry;
pub use bulk_reviews::{BulkReview, BulkState};
pub use connections::{Connection, PollState};
pub use exceptions::{ExceptionCursor, ExceptionFilter, ExceptionRow};
pub use filling::{FilledItem, QueueFill, ToQueue};
pub use handoff::{Channel, ChannelKind, Delivery, DeliveryCounts, DeliveryState, HandoffAnswer, HandoffLink};
pub use idempotency::{IdempotencyKey, KnownWrite};
pub use keys::ApiKey;
pub use mining::{Assigned, Mining, MiningCommit, Moved, OwnedShape, ToMine};
pub use mistakes::MistakeRow;
pub use patterns::{
    DraftKind, Facet, PatternChange, PatternCursor, PatternDraft, PatternFilter, PatternListed, PatternRow,
    PatternSort, Variant,
};
pub use people::Person;
pub use queue::{Flow, NewClaim, QueueAges, QueueCursor, QueueFilter, QueueSort, Whose};
pub use reports::{ReportRow, ReportState};
pub use reviews::{ReviewCursor, ReviewFilter};
pub use runs::{MAX_INBOX_IDS, NewRun, RunCommit, RunCursor, RunFilter, RunKey, RunRow, RunSort, StoredRun};
pub use sampling::{DayDraw, LateDraw, NewSample, Sampling, SamplingCandidate};
pub use tallies::{StoredTally, TallyQuery, TallySeries};
pub use user_data::{Deletion, Gone, RewrittenPayload};
pub use verdicts::VerdictRow;

/// Access to the rows of one agency.
///
/// Invariant: every query made through this type filters by `agency_id`.
#[derive(Debug, Clone)]
pub struct AgencyStore {
    pub(crate) store: Store,
    agency_id: AgencyId,
}

impl AgencyStore {
    pub(crate) fn new(store: Store, agency_id: AgencyId) -> Self {
        Self { store, agency_id }
    }

    /// The agency.
    #[must_use]
    pub fn agency_id(&self) -> AgencyId {
        self.agency_id
    }

    /// A statement that reads, whose `$1` is the agency.
    fn read(&self, text: impl Into<String>) -> Sql<'_, DatabaseConnection> {
        self.store.read(text).bind(self.agency_id.as_uuid())
    }

    /// A statement that writes, whose `$1` is the agency.
    fn write(&self, text: impl Into<String>) -> Sql<'_, DatabaseConnection> {
        self.store.write(text).bind(self.agency_id.as_uuid())
    }
}
