//! What happens as it happens: a signal for each agency whose runs changed, for pages that are open.

use steward_core::ids::{AgencyId, WorkflowId};
use tokio::sync::broadcast;

/// Something that open pages may want to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The agency.
    pub agency_id: AgencyId,
    /// The workflows whose runs changed.
    pub workflows: Vec<WorkflowId>,
    /// Finished runs that were written.
    pub n_runs: usize,
}

/// Where changes are told. A listener that is slow misses some; it refreshes anyway.
#[derive(Debug)]
pub struct Live {
    changes: broadcast::Sender<Change>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { changes: broadcast::channel(64).0 }
    }

    /// Listens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    pub(crate) fn tell(&self, change: Change) {
        // Nobody listening is no failure.
        let _ = self.changes.send(change);
    }
}
