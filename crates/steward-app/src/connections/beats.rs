//! Signs of life: a workflow calls an address each time that it ran, and is missed when it does not.

use steward_core::ids::{AgencyId, WorkflowId};
use steward_core::time::Timestamp;

use super::{BEAT, source_of};
use crate::secrets::Secret;
use crate::sign_in::looks_like;
use crate::{App, AppError};

/// How much later than expected a sign of life may come: a tenth of the interval, and at least this.
const LEAST_GRACE_MS: i64 = 120_000;

/// A sign of life that is missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The workflow that does not give it.
    pub workflow_id: WorkflowId,
    /// What people call the connection.
    pub name: String,
    /// How often it is expected, in minutes.
    pub every_minutes: u32,
    /// When it came last; `None` when it never did.
    pub last_at: Option<Timestamp>,
    /// Since when it is waited for: the last one, or when the connection was made.
    pub since: Timestamp,
}

impl App {
    /// Records a sign of life. Gives whether the token is known. When this returns, it is on disk.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn record_beat(&self, token: &str) -> Result<bool, AppError> {
        let token = Secret::sent(token);
        if !looks_like(&token, BEAT) {
            return Ok(false);
        }
        let Some((agency_id, connection)) = self.store().find_connection_by_token(&token.hash()).await? else {
            return Ok(false);
        };
        let now = self.clock().now();
        // One within the same second says nothing more.
        if connection.last_event_at.is_none_or(|last| now < last || now.ms_since(last) >= 1_000) {
            self.agency(agency_id).record_connection_event(connection.id, now).await?;
        }
        Ok(true)
    }

    /// The signs of life of an agency that are late.
    pub(crate) async fn missed_beats(&self, agency_id: AgencyId) -> Result<Vec<Beat>, AppError> {
        let now = self.clock().now();
        let mut missed = Vec::new();
        for connection in self.agency(agency_id).list_connections(None).await? {
            let Some(every_minutes) = connection.settings.beat_every_minutes else { continue };
            if source_of(&connection).is_err() {
                continue;
            }
            let every_ms = i64::from(every_minutes) * 60_000;
            let since = connection.last_event_at.unwrap_or(connection.created_at);
            if now.ms_since(since) > every_ms + (every_ms / 10).max(LEAST_GRACE_MS) {
                missed.push(Beat {
                    workflow_id: connection.workflow_id,
                    name: connection.name,
                    every_minutes,
                    last_at: connection.last_event_at,
                    since,
                });
            }
        }
        Ok(missed)
    }
}
