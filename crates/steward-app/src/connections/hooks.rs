//! What platforms send to a connection's address: verified over the raw body, kept raw, then acknowledged.

use bytes::Bytes;
use steward_core::ids::AgencyId;
use steward_store::system::InboxKind;
use steward_store::tenant::Connection;
use steward_wire::platforms::signature::{SignatureError, verify};
use steward_wire::platforms::{Delivery, Platform};

use super::{HOOK, OLD_SECRET_MS, source_of};
use crate::intake::{Accepted, IntakeError, Origin};
use crate::mistakes::{Mistake, Sender};
use crate::secrets::Secret;
use crate::sign_in::looks_like;
use crate::{App, AppError};

/// A connection that a platform calls, with what its deliveries are verified by.
pub struct Hook {
    pub(super) agency_id: AgencyId,
    pub(super) connection: Connection,
    pub(super) platform: Platform,
    pub(super) secrets: Vec<String>,
}

impl Hook {
    /// The platform that it is for.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// Who sends by it.
    #[must_use]
    pub const fn sender(&self) -> Sender {
        Sender::Connection(self.agency_id, self.connection.id)
    }

    /// In what form its payloads are kept.
    #[must_use]
    pub fn kind(&self) -> InboxKind {
        InboxKind::parse(self.platform.as_str()).unwrap_or(InboxKind::Event)
    }
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").field("connection", &self.connection.id).finish_non_exhaustive()
    }
}

/// A delivery as it came.
#[derive(Debug, Clone)]
pub struct HookRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The address as the platform knows it.
    pub url: &'a str,
    /// The headers whose values are text.
    pub headers: &'a [(&'a str, &'a str)],
    /// The bytes of the body.
    pub body: Bytes,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It is not shown to be from whom it says.
    #[error("the delivery is not verified")]
    NotVerified(#[source] SignatureError),
    /// It could not be kept.
    #[error("the delivery was not kept")]
    Intake(#[source] IntakeError),
}

impl App {
    /// Finds the connection of an address's token. `None` when there is none.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer, or the secrets were sealed with another key.
    pub async fn find_hook(&self, token: &str) -> Result<Option<Hook>, AppError> {
        let token = Secret::sent(token);
        if !looks_like(&token, HOOK) {
            return Ok(None);
        }
        let Some((agency_id, connection)) = self.store().find_connection_by_token(&token.hash()).await? else {
            return Ok(None);
        };
        self.open_hook(agency_id, connection)
    }

    pub(super) fn open_hook(&self, agency_id: AgencyId, connection: Connection) -> Result<Option<Hook>, AppError> {
        let Some(platform) = source_of(&connection)?.platform() else { return Ok(None) };
        let mut secrets = self.kept(agency_id, &connection)?.secrets;
        let now = self.clock().now();
        if connection.rotated_at.is_none_or(|at| now.ms_since(at) >= OLD_SECRET_MS) {
            secrets.truncate(1);
        }
        Ok(Some(Hook { agency_id, connection, platform, secrets }))
    }

    /// Verifies a delivery and takes it in. When this returns it is on disk, also when it cannot be read: its sender
    /// would only send the same again.
    ///
    /// # Errors
    ///
    /// [`HookError::NotVerified`] when it is not shown to be from its platform; [`HookError::Intake`] when it could
    /// not be kept.
    pub async fn take_hook(&self, hook: &Hook, request: HookRequest<'_>, is_test: bool) -> Result<Accepted, HookError> {
        let received_at = self.clock().now();
        let HookRequest { method, url, headers, body } = request;
        let delivery = Delivery { method, url, headers, body: &body, received_at, scope: "" };
        let secrets: Vec<&str> = hook.secrets.iter().map(String::as_str).collect();
        if let Err(error) = verify(hook.platform, &secrets, &delivery) {
            self.note_mistake(hook.sender(), Mistake::Signature, &error.to_string()).await;
            return Err(HookError::NotVerified(error));
        }
        let origin = Origin {
            agency_id: hook.agency_id,
            workflow_id: Some(hook.connection.workflow_id),
            connection_id: Some(hook.connection.id),
            is_test,
            received_at,
        };
        let accepted = self.accept_from(origin, hook.kind(), body).await.map_err(HookError::Intake)?;
        self.note_event(hook.agency_id, hook.connection.id).await;
        if let Some(reason) = &accepted.rejection {
            self.note_mistake(hook.sender(), Mistake::Unreadable, reason).await;
        }
        Ok(accepted)
    }
}
