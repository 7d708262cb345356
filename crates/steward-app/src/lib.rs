//! The use cases, one file a capability: load, apply a core rule, store.
//!
//! The clock and the source of ids come from outside ([`Clock`], [`IdSource`]), so that every test is repeatable.
//! Nothing here knows HTTP; nothing here writes SQL.

pub mod access;
pub mod agencies;
pub mod assemble;
pub mod clients;
pub mod clock;
pub mod connections;
pub mod demo;
pub mod error;
pub mod exceptions;
pub mod export;
pub mod figures;
pub mod handoff;
pub mod idempotency;
pub mod import;
pub mod intake;
pub mod jobs;
pub mod keys;
pub mod langfuse;
pub mod live;
pub mod mistakes;
pub mod patterns;
pub mod people;
pub mod pictures;
pub mod prices;
pub mod privacy;
pub mod queue;
pub mod rebuild;
pub mod replay;
pub mod reports;
pub mod retention;
pub mod reviews;
pub mod run_query;
pub mod runs;
pub mod sampling;
pub mod seal;
pub mod secrets;
pub mod sign_in;
pub mod today;
pub mod trends;
pub mod unmapped;
pub mod user_data;
pub mod workflows;

use std::sync::{Arc, OnceLock};

use steward_core::ids::AgencyId;
use steward_store::{AgencyStore, Store};
use uuid::Uuid;

pub use access::Actor;
pub use clock::{Clock, IdSource};
pub use error::AppError;
/// What the use cases take and give back, as the store keeps it.
pub use steward_store::{StoreError, system, tenant};
pub use steward_wire::protobuf;

/// The program's use cases over one database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    ids: IdSource,
    /// This process, among all that share the database.
    node: Uuid,
    /// Where people reach this program, without a final slash; receipts in reports begin with it.
    public_url: String,
    intake: intake::Gate,
    readers: assemble::Readers,
    policies: privacy::Known,
    live: live::Live,
    mistakes: mistakes::Pending,
    connections: connections::Seen,
    jobs: jobs::Bell,
    seal: OnceLock<seal::Seal>,
}

impl App {
    /// Puts the use cases over an open database.
    #[must_use]
    pub fn new(store: Store, clock: Clock, ids: IdSource, public_url: &str) -> Self {
        let node = ids.make();
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                ids,
                node,
                public_url: public_url.trim_end_matches('/').to_owned(),
                intake: intake::Gate::new(),
                readers: assemble::Readers::default(),
                policies: privacy::Known::default(),
                live: live::Live::new(),
                mistakes: mistakes::Pending::default(),
                connections: connections::Seen::default(),
                jobs: jobs::Bell::default(),
                seal: OnceLock::new(),
            }),
        }
    }

    /// The same, with what secrets of others are sealed with. Without it, none can be kept.
    #[must_use]
    pub fn sealed_with(self, seal: seal::Seal) -> Self {
        // A second key would leave what the first one sealed.
        let _ = self.inner.seal.set(seal);
        self
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The source of ids.
    #[must_use]
    pub fn ids(&self) -> &IdSource {
        &self.inner.ids
    }

    /// Where people reach this program, without a final slash.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.inner.public_url
    }

    /// What happens as it happens.
    #[must_use]
    pub fn live(&self) -> &live::Live {
        &self.inner.live
    }

    /// The rows of one agency. Only for what no person asks for; a person's requests go through their [`Actor`].
    #[must_use]
    pub fn agency(&self, agency_id: AgencyId) -> AgencyStore {
        self.inner.store.agency(agency_id)
    }
}
