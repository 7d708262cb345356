//! The packet of an exception, put together anew each time from what is kept.

use steward_core::handoff::{Material, Packet};
use steward_core::ids::ExceptionId;
use steward_store::AgencyStore;
use steward_store::tenant::ExceptionRow;
use steward_wire::mask::find_contacts;

use crate::{Actor, App, AppError};

/// The most past resolutions that are looked through.
const MAX_RESOLUTIONS: u32 = 20;

impl App {
    /// Gets the handoff packet of an exception that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is none, or they may not see it.
    pub async fn get_packet(&self, actor: &Actor, id: ExceptionId) -> Result<Packet, AppError> {
        let exception = self.get_exception(actor, id).await?;
        let packet = self.find_packet(&self.store_of(actor), &exception).await?;
        packet.ok_or(AppError::NotFound("exception"))
    }

    /// The packet of an exception. `None` when its run is kept no longer.
    pub(crate) async fn find_packet(
        &self,
        store: &AgencyStore,
        exception: &ExceptionRow,
    ) -> Result<Option<Packet>, AppError> {
        let Some(run) = store.find_run(exception.run_id).await? else { return Ok(None) };
        let resolutions = match exception.pattern_id {
            Some(pattern) => store.list_resolutions(pattern, MAX_RESOLUTIONS).await?,
            None => Vec::new(),
        };
        let material = Material {
            head: &exception.head,
            message: &exception.message,
            facts: &run.facts,
            steps: &run.steps,
            steps_dropped: run.steps_dropped,
            resolutions: &resolutions,
            find_contacts: &find_contacts,
        };
        Ok(Some(Packet::of(&material)))
    }
}
