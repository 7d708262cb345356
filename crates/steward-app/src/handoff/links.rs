//! Links by which somebody without a sign-in reads one packet and says what they did.

use steward_core::handoff::Packet;
use steward_core::ids::{AgencyId, AnswerId, ExceptionId, LinkId};
use steward_core::time::{DAY_MICROS, Timestamp};
use steward_store::tenant::{ExceptionRow, HandoffAnswer, HandoffLink};

use super::channels::ChannelScope;
use crate::agencies::name_of;
use crate::secrets::Secret;
use crate::sign_in::{looks_like, origin};
use crate::{Actor, App, AppError};

/// The beginning of a link's token.
const TOKEN: &str = "stp_";
/// Who did it, in the audit log, where somebody came by a link.
const BY_LINK: &str = "by a handoff link";
/// Days after which a link ends where nothing else is said.
pub const LINK_DAYS: u32 = 7;
/// The most days after which a link ends.
pub const MAX_LINK_DAYS: u32 = 90;
/// The most characters of the name that somebody gives.
pub const MAX_NAME_CHARS: usize = 80;
/// The most characters of what they did.
pub const MAX_RESOLUTION_CHARS: usize = 2_000;
/// The most answers that one link takes.
const MAX_ANSWERS: i64 = 20;
/// Tokens that are none from one origin in a while, after which it is asked to wait.
const MAX_WRONG_FROM: i64 = 30;
/// That while, in milliseconds.
const WINDOW_MS: i64 = 15 * 60_000;

/// A link with its address, which is shown once.
#[derive(Debug, Clone)]
pub struct MadeLink {
    /// The link.
    pub link: HandoffLink,
    /// Its address.
    pub url: Secret,
}

/// What somebody who came by a link may see.
#[derive(Debug, Clone)]
pub enum OpenedLink {
    /// The packet.
    Open {
        /// The agency's name.
        agency: String,
        /// The workflow's name.
        workflow: String,
        /// When it happened.
        at: Timestamp,
        /// When the link ends.
        expires_at: Timestamp,
        /// The packet.
        packet: Box<Packet>,
        /// What was done by those who came by this link, the newest first.
        answers: Vec<HandoffAnswer>,
    },
    /// It ended by itself at an instant.
    Expired(Timestamp),
    /// Somebody revoked it.
    Revoked,
    /// The workflow that it leads to is archived, or its client; it opens again when these are taken back.
    Archived,
    /// What it led to is kept no longer.
    Gone,
}

impl App {
    /// Makes a link to the packet of an exception. Its address is in the answer, and is shown once.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such exception;
    /// [`AppError::Invalid`] for a time or a name that cannot be, and where the workflow or its client is archived.
    pub async fn create_handoff_link(
        &self,
        actor: &Actor,
        exception: ExceptionId,
        made_for: &str,
        days: u32,
    ) -> Result<MadeLink, AppError> {
        actor.must_operate()?;
        let exception = self.get_exception(actor, exception).await?;
        if let Some(archived) = self.archived_of(actor.agency_id, ChannelScope::Workflow(exception.workflow_id)).await?
        {
            let words = format!("the {} is archived: take it back, then make a link", archived.as_str());
            return Err(AppError::Invalid(words));
        }
        if !(1..=MAX_LINK_DAYS).contains(&days) {
            return Err(AppError::Invalid(format!("a link ends after 1 to {MAX_LINK_DAYS} days")));
        }
        let made_for =
            if made_for.trim().is_empty() { String::new() } else { name_of(made_for, "whom the link is for")? };
        let id = LinkId::from_uuid(self.ids().make());
        let made = self
            .write_handoff_link(actor.agency_id, id, &exception, made_for, &actor.name, days, self.new_token())
            .await?;
        self.audit_by(actor, "handoff.link.create", id, &format!("{} for {days} days", exception.id)).await?;
        Ok(made)
    }

    /// A new token for a link.
    pub(crate) fn new_token(&self) -> Secret {
        Secret::of(TOKEN, self.ids().secret())
    }

    /// Writes a link by its token.
    #[expect(clippy::too_many_arguments, reason = "each is a column of the link")]
    pub(crate) async fn write_handoff_link(
        &self,
        agency: AgencyId,
        id: LinkId,
        exception: &ExceptionRow,
        made_for: String,
        created_by: &str,
        days: u32,
        token: Secret,
    ) -> Result<MadeLink, AppError> {
        let now = self.clock().now();
        let link = HandoffLink {
            id,
            exception_id: exception.id,
            workflow_id: exception.workflow_id,
            made_for,
            created_at: now,
            created_by: created_by.to_owned(),
            expires_at: Timestamp(now.0 + i64::from(days) * DAY_MICROS),
            revoked_at: None,
            opened_at: None,
            n_opened: 0,
        };
        self.agency(agency).create_handoff_link(&link, token.hash()).await?;
        let url = Secret::sent(&format!("{}/h/{}", self.public_url(), token.reveal()));
        Ok(MadeLink { link, url })
    }

    /// Lists the links to the packet of an exception, and what was done by those who came by them, the newest first.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such exception, or the actor may not see it.
    pub async fn list_handoff_links(
        &self,
        actor: &Actor,
        exception: ExceptionId,
    ) -> Result<(Vec<HandoffLink>, Vec<HandoffAnswer>), AppError> {
        let exception = self.get_exception(actor, exception).await?;
        let store = self.store_of(actor);
        Ok((store.list_handoff_links(exception.id).await?, store.list_handoff_answers(exception.id).await?))
    }

    /// Revokes a link. One that is revoked stays so.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is none.
    pub async fn revoke_handoff_link(&self, actor: &Actor, id: LinkId) -> Result<HandoffLink, AppError> {
        actor.must_operate()?;
        let store = self.store_of(actor);
        let mut link = store.find_handoff_link(id).await?.ok_or(AppError::NotFound("link"))?;
        match self.get_workflow(actor, link.workflow_id).await {
            Err(AppError::NotFound(_)) => return Err(AppError::NotFound("link")),
            other => other?,
        };
        let now = self.clock().now();
        if store.revoke_handoff_link(id, now).await? {
            self.audit_by(actor, "handoff.link.revoke", id, &link.exception_id.to_string()).await?;
            link.revoked_at = Some(now);
        }
        Ok(link)
    }

    /// Opens a link. `from` is the network address that the request came from.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] for a token that is none; [`AppError::TooMany`] after too many of these.
    pub async fn open_handoff_link(&self, token: &Secret, from: &str) -> Result<OpenedLink, AppError> {
        let (agency, link) = self.find_link(token, from).await?;
        let now = self.clock().now();
        if link.revoked_at.is_some() {
            return Ok(OpenedLink::Revoked);
        }
        if now >= link.expires_at {
            return Ok(OpenedLink::Expired(link.expires_at));
        }
        if self.archived_of(agency, ChannelScope::Workflow(link.workflow_id)).await?.is_some() {
            return Ok(OpenedLink::Archived);
        }
        let store = self.agency(agency);
        let Some(exception) = store.find_exception(link.exception_id).await? else { return Ok(OpenedLink::Gone) };
        let Some(packet) = self.find_packet(&store, &exception).await? else { return Ok(OpenedLink::Gone) };
        let workflow = store.find_workflow(exception.workflow_id).await?.map_or_else(String::new, |w| w.name);
        if store.record_handoff_opened(link.id, now).await? {
            self.audit(agency, BY_LINK, "handoff.link.open", link.id, &link.exception_id.to_string()).await?;
        }
        let mut answers = store.list_handoff_answers(exception.id).await?;
        answers.retain(|answer| answer.link_id == link.id);
        let agency = store.find_agency().await?.map_or_else(String::new, |agency| agency.name);
        Ok(OpenedLink::Open {
            agency,
            workflow,
            at: exception.at,
            expires_at: link.expires_at,
            packet: Box::new(packet),
            answers,
        })
    }

    /// Records what somebody did who came by a link.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] for a token that is none, or of a link that has ended; [`AppError::Invalid`] for a name
    /// or text that cannot be, or one answer too many; [`AppError::TooMany`] after too many wrong tokens.
    pub async fn answer_handoff_link(
        &self,
        token: &Secret,
        from: &str,
        name: &str,
        resolution: &str,
    ) -> Result<(), AppError> {
        let (agency, link) = self.find_link(token, from).await?;
        let now = self.clock().now();
        let is_archived = self.archived_of(agency, ChannelScope::Workflow(link.workflow_id)).await?.is_some();
        if link.revoked_at.is_some() || now >= link.expires_at || is_archived {
            return Err(AppError::NotFound("link"));
        }
        let name = name.trim();
        if name.is_empty() || name.chars().nth(MAX_NAME_CHARS).is_some() || name.chars().any(char::is_control) {
            return Err(AppError::Invalid(format!("say who you are, in 1 to {MAX_NAME_CHARS} characters")));
        }
        let resolution = resolution.trim();
        if resolution.chars().nth(MAX_RESOLUTION_CHARS).is_some() {
            return Err(AppError::Invalid(format!("say what you did in at most {MAX_RESOLUTION_CHARS} characters")));
        }
        let answer = HandoffAnswer {
            id: AnswerId::from_uuid(self.ids().make()),
            link_id: link.id,
            exception_id: link.exception_id,
            workflow_id: link.workflow_id,
            at: now,
            name: name.to_owned(),
            resolution: resolution.to_owned(),
        };
        if !self.agency(agency).record_handoff_answer(&answer, MAX_ANSWERS).await? {
            return Err(AppError::Invalid(format!("a link takes {MAX_ANSWERS} answers: ask for another link")));
        }
        let details = format!("{} by {name}", link.exception_id);
        self.audit(agency, BY_LINK, "handoff.link.answer", link.id, &details).await
    }

    /// The link of a token. Tokens that are none are counted by origin, so that nobody tries many.
    async fn find_link(&self, token: &Secret, from: &str) -> Result<(AgencyId, HandoffLink), AppError> {
        let bucket = format!("handoff:{}", origin(from));
        let now = self.clock().now();
        if self.store().count_sign_in_failures(&bucket, now.plus_ms(-WINDOW_MS)).await? >= MAX_WRONG_FROM {
            return Err(AppError::TooMany { retry_after_seconds: (WINDOW_MS / 1_000) as u32 });
        }
        let found =
            if looks_like(token, TOKEN) { self.store().find_handoff_link_by_token(&token.hash()).await? } else { None };
        match found {
            Some(found) => Ok(found),
            None => {
                self.store().record_sign_in_failure(&bucket, now).await?;
                Err(AppError::NotFound("link"))
            }
        }
    }
}
