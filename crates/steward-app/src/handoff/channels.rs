//! Where packets are sent: an e-mail address, a Slack channel or a program, for a client or for one workflow.
//!
//! Invariant: an address that is a secret in itself (Slack's, a webhook's) and what is signed with are kept sealed, and
//! only their host is shown.

use serde::{Deserialize, Serialize};
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{AgencyId, ChannelId, ClientId, DeliveryId, ExceptionId, WorkflowId};
use steward_store::tenant::{Channel, ChannelKind, DeliveryCounts};
use steward_wire::platforms::new_standard_secret;

use super::links::{LINK_DAYS, MAX_LINK_DAYS};
use crate::agencies::{email_of, name_of};
use crate::secrets::Secret;
use crate::{Actor, App, AppError};

/// Packets an hour where nothing else is said.
pub const PER_HOUR: u32 = 20;
/// The most packets an hour.
pub const MAX_PER_HOUR: u32 = 1_000;
/// The most channels of one agency.
const MAX_CHANNELS: usize = 1_000;
/// The most addresses of one channel.
const MAX_ADDRESSES: usize = 10;
/// The most characters of an address of the net.
const MAX_URL_CHARS: usize = 2_000;

/// For whose exceptions a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelScope {
    /// Those of all of a client's workflows.
    Client(ClientId),
    /// Those of one workflow.
    Workflow(WorkflowId),
}

impl ChannelScope {
    /// That of a channel.
    #[must_use]
    pub fn of(channel: &Channel) -> Option<Self> {
        channel.workflow_id.map(Self::Workflow).or(channel.client_id.map(Self::Client))
    }

    /// The word for it, as shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::Workflow(_) => "workflow",
        }
    }
}

/// What a channel is to be.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// By what.
    pub kind: ChannelKind,
    /// What people call it; empty takes a name of its kind.
    pub name: String,
    /// E-mail addresses between commas, or the address of the webhook.
    pub to: Secret,
    /// Which.
    pub choice: ChannelChoice,
}

/// Which exceptions a channel sends, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelChoice {
    /// Only these sorts; empty for all.
    pub kinds: Vec<ExceptionKind>,
    /// Only with at least so much at stake, in nano-units of the client's currency; 0 for all.
    pub least_value_nanos: i64,
    /// Packets an hour; what is more comes in one digest an hour.
    pub per_hour: u32,
    /// Days after which the link in a packet ends.
    pub link_days: u32,
}

impl Default for ChannelChoice {
    fn default() -> Self {
        Self { kinds: Vec::new(), least_value_nanos: 0, per_hour: PER_HOUR, link_days: LINK_DAYS }
    }
}

/// What to change of a channel; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct ChannelChanges {
    /// What people call it.
    pub name: Option<String>,
    /// Where to.
    pub to: Option<Secret>,
    /// Which.
    pub choice: Option<ChannelChoice>,
    /// Whether it is paused: what arrives meanwhile is not sent later either.
    pub paused: Option<bool>,
}

/// A channel with what is shown once.
#[derive(Debug, Clone)]
pub struct MadeChannel {
    /// The channel.
    pub channel: Channel,
    /// What it signs with, for a program.
    pub secret: Option<Secret>,
}

/// What is kept sealed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct KeptChannel {
    /// E-mail addresses, or the address of the webhook alone.
    pub(super) to: Vec<String>,
    /// What is signed with.
    pub(super) secret: Option<String>,
}

impl App {
    /// Makes a channel. What a program verifies with is in the answer, and is shown once.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such client or
    /// workflow; [`AppError::Invalid`] for what cannot be.
    pub async fn create_channel(
        &self,
        actor: &Actor,
        scope: ChannelScope,
        new: NewChannel,
    ) -> Result<MadeChannel, AppError> {
        actor.must_operate()?;
        let (client_id, workflow_id) = match scope {
            ChannelScope::Client(id) => (Some(self.get_client(actor, id).await?.id), None),
            ChannelScope::Workflow(id) => (None, Some(self.get_workflow(actor, id).await?.id)),
        };
        if self.store_of(actor).list_channels().await?.len() >= MAX_CHANNELS {
            return Err(AppError::Invalid(format!("an agency has at most {MAX_CHANNELS} channels")));
        }
        let usual = match new.kind {
            ChannelKind::Email => "E-mail",
            ChannelKind::Slack => "Slack",
            ChannelKind::Webhook => "Webhook",
        };
        let name = name_of(if new.name.trim().is_empty() { usual } else { &new.name }, "the channel")?;
        let (to, shown) = where_to(new.kind, &new.to)?;
        let choice = checked(new.choice)?;
        let id = ChannelId::from_uuid(self.ids().make());
        let secret = (new.kind == ChannelKind::Webhook).then(|| self.signing_secret());
        let kept = KeptChannel { to, secret: secret.as_ref().map(|secret| secret.reveal().to_owned()) };
        let channel = Channel {
            id,
            client_id,
            workflow_id,
            kind: new.kind,
            name,
            shown,
            sealed: self.seal_channel(actor.agency_id, id, &kept)?,
            kinds: choice.kinds,
            least_value_nanos: choice.least_value_nanos,
            per_hour: i32::try_from(choice.per_hour).unwrap_or(i32::MAX),
            link_days: i32::try_from(choice.link_days).unwrap_or(i32::MAX),
            created_at: self.clock().now(),
            paused_at: None,
            digest_at: None,
            sent_at: None,
            error: None,
            failed_at: None,
        };
        self.store_of(actor).create_channel(&channel).await?;
        let details = format!("{} {} to {}", channel.kind.as_str(), channel.name, channel.shown);
        self.audit_by(actor, "handoff.channel.create", id, &details).await?;
        Ok(MadeChannel { channel, secret })
    }

    /// Lists the channels of a client with those of its workflows, or of one workflow with those of its client, the
    /// oldest first, each with how far its deliveries are.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such client or
    /// workflow.
    pub async fn list_channels(
        &self,
        actor: &Actor,
        scope: ChannelScope,
    ) -> Result<Vec<(Channel, DeliveryCounts)>, AppError> {
        actor.must_operate()?;
        let (client, workflows) = match scope {
            ChannelScope::Client(id) => {
                let all = self.visible_workflows(actor, true).await?;
                let theirs = all.into_iter().filter(|workflow| workflow.client_id == Some(id));
                (Some(self.get_client(actor, id).await?.id), theirs.map(|workflow| workflow.id).collect())
            }
            ChannelScope::Workflow(id) => {
                let workflow = self.get_workflow(actor, id).await?;
                (workflow.client_id, vec![workflow.id])
            }
        };
        let store = self.store_of(actor);
        let mut found = Vec::new();
        for channel in store.list_channels().await? {
            let is_of_client = channel.client_id.is_some() && channel.client_id == client;
            if is_of_client || channel.workflow_id.is_some_and(|id| workflows.contains(&id)) {
                let counts = store.count_deliveries(channel.id).await?;
                found.push((channel, counts));
            }
        }
        Ok(found)
    }

    /// Gets a channel with how far its deliveries are.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is none.
    pub async fn get_channel(&self, actor: &Actor, id: ChannelId) -> Result<(Channel, DeliveryCounts), AppError> {
        actor.must_operate()?;
        let store = self.store_of(actor);
        let channel = store.find_channel(id).await?.ok_or(AppError::NotFound("channel"))?;
        let theirs = match (channel.workflow_id, channel.client_id) {
            (Some(workflow), _) => self.get_workflow(actor, workflow).await.map(|_| ()),
            (None, Some(client)) => self.get_client(actor, client).await.map(|_| ()),
            (None, None) => Ok(()),
        };
        match theirs {
            Err(AppError::NotFound(_)) => return Err(AppError::NotFound("channel")),
            other => other?,
        }
        let counts = store.count_deliveries(id).await?;
        Ok((channel, counts))
    }

    /// Changes a channel.
    ///
    /// # Errors
    ///
    /// As [`App::get_channel`]; [`AppError::Invalid`] for what cannot be.
    pub async fn update_channel(
        &self,
        actor: &Actor,
        id: ChannelId,
        changes: ChannelChanges,
    ) -> Result<Channel, AppError> {
        let (mut channel, _) = self.get_channel(actor, id).await?;
        if let Some(name) = &changes.name {
            channel.name = name_of(name, "the channel")?;
        }
        if let Some(to) = &changes.to {
            let mut kept = self.kept_channel(actor.agency_id, &channel)?;
            (kept.to, channel.shown) = where_to(channel.kind, to)?;
            channel.sealed = self.seal_channel(actor.agency_id, id, &kept)?;
        }
        if let Some(choice) = changes.choice {
            let choice = checked(choice)?;
            channel.kinds = choice.kinds;
            channel.least_value_nanos = choice.least_value_nanos;
            channel.per_hour = i32::try_from(choice.per_hour).unwrap_or(i32::MAX);
            channel.link_days = i32::try_from(choice.link_days).unwrap_or(i32::MAX);
        }
        match changes.paused {
            Some(true) => channel.paused_at = channel.paused_at.or(Some(self.clock().now())),
            Some(false) => channel.paused_at = None,
            None => {}
        }
        if !self.store_of(actor).update_channel(&channel).await? {
            return Err(AppError::NotFound("channel"));
        }
        self.audit_by(actor, "handoff.channel.update", id, &channel.name).await?;
        Ok(channel)
    }

    /// Deletes a channel with what waits to be sent by it.
    ///
    /// # Errors
    ///
    /// As [`App::get_channel`].
    pub async fn delete_channel(&self, actor: &Actor, id: ChannelId) -> Result<Channel, AppError> {
        let (channel, _) = self.get_channel(actor, id).await?;
        if !self.store_of(actor).delete_channel(id).await? {
            return Err(AppError::NotFound("channel"));
        }
        self.audit_by(actor, "handoff.channel.delete", id, &channel.name).await?;
        Ok(channel)
    }

    /// What is archived of a workflow or a client, so that nothing of it leaves the house: itself, or a workflow's client.
    /// `None` when neither is.
    ///
    /// # Errors
    ///
    /// [`AppError::NotFound`] when there is no such client or workflow.
    pub async fn find_archived(&self, actor: &Actor, scope: ChannelScope) -> Result<Option<ChannelScope>, AppError> {
        match scope {
            ChannelScope::Client(id) => drop(self.get_client(actor, id).await?),
            ChannelScope::Workflow(id) => drop(self.get_workflow(actor, id).await?),
        }
        self.archived_of(actor.agency_id, scope).await
    }

    /// As [`App::find_archived`], for whom nobody asks who signed in.
    pub(super) async fn archived_of(
        &self,
        agency: AgencyId,
        scope: ChannelScope,
    ) -> Result<Option<ChannelScope>, AppError> {
        let store = self.agency(agency);
        let client = match scope {
            ChannelScope::Client(id) => Some(id),
            ChannelScope::Workflow(id) => {
                let workflow = store.find_workflow(id).await?;
                if workflow.as_ref().is_some_and(|workflow| workflow.archived_at.is_some()) {
                    return Ok(Some(scope));
                }
                workflow.and_then(|workflow| workflow.client_id)
            }
        };
        let Some(id) = client else { return Ok(None) };
        let client = store.find_client(id).await?;
        Ok(client.and_then(|client| client.archived_at).map(|_| ChannelScope::Client(id)))
    }

    /// Has a test sent by a channel, which says of itself that it is one.
    ///
    /// # Errors
    ///
    /// As [`App::get_channel`]; [`AppError::Invalid`] while it is paused, or what it is for is archived.
    pub async fn test_channel(&self, actor: &Actor, id: ChannelId) -> Result<DeliveryId, AppError> {
        let (channel, _) = self.get_channel(actor, id).await?;
        if let Some(scope) = ChannelScope::of(&channel)
            && let Some(archived) = self.archived_of(actor.agency_id, scope).await?
        {
            let words = format!("the {} is archived: take it back, then test the channel", archived.as_str());
            return Err(AppError::Invalid(words));
        }
        if channel.paused_at.is_some() {
            return Err(AppError::Invalid("the channel is paused: let it go on, then test it".to_owned()));
        }
        let nothing = ExceptionId::from_uuid(self.ids().make());
        let delivery = self.store_of(actor).record_test_delivery(id, nothing, self.clock().now()).await?;
        self.audit_by(actor, "handoff.channel.test", id, &channel.name).await?;
        Ok(delivery)
    }

    fn signing_secret(&self) -> Secret {
        Secret::sent(&new_standard_secret(&self.ids().secret()))
    }

    fn seal_channel(&self, agency: AgencyId, id: ChannelId, kept: &KeptChannel) -> Result<Vec<u8>, AppError> {
        let text = serde_json::to_string(kept).map_err(|_| AppError::Fault("writing a channel's address"))?;
        self.seal(&text, &place(agency, id))
    }

    /// Where a channel sends to.
    pub(super) fn kept_channel(&self, agency: AgencyId, channel: &Channel) -> Result<KeptChannel, AppError> {
        let text = self.unseal(&channel.sealed, &place(agency, channel.id))?;
        serde_json::from_str(&text).map_err(|_| AppError::Fault("reading a channel's address"))
    }
}

/// Where a channel's address is sealed: it opens in no other row.
fn place(agency: AgencyId, id: ChannelId) -> Vec<u8> {
    format!("channel {agency} {id}").into_bytes()
}

fn checked(choice: ChannelChoice) -> Result<ChannelChoice, AppError> {
    let ChannelChoice { mut kinds, least_value_nanos, per_hour, link_days } = choice;
    if !(1..=MAX_PER_HOUR).contains(&per_hour) {
        return Err(AppError::Invalid(format!("a channel sends 1 to {MAX_PER_HOUR} packets an hour")));
    }
    if !(1..=MAX_LINK_DAYS).contains(&link_days) {
        return Err(AppError::Invalid(format!("a link ends after 1 to {MAX_LINK_DAYS} days")));
    }
    if least_value_nanos < 0 {
        return Err(AppError::Invalid("the least value at stake is not below nothing".to_owned()));
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(ChannelChoice { kinds, least_value_nanos, per_hour, link_days })
}

/// Reads where a channel is to send to: what is kept of it, and what may be shown.
fn where_to(kind: ChannelKind, to: &Secret) -> Result<(Vec<String>, String), AppError> {
    let text = to.reveal().trim();
    if kind == ChannelKind::Email {
        let addresses = text.split([',', ';', '\n']).map(str::trim).filter(|address| !address.is_empty());
        let mut all = addresses.take(MAX_ADDRESSES + 1).map(email_of).collect::<Result<Vec<_>, _>>()?;
        all.dedup();
        if all.is_empty() || all.len() > MAX_ADDRESSES {
            return Err(AppError::Invalid(format!("enter 1 to {MAX_ADDRESSES} e-mail addresses, with commas between")));
        }
        let shown = all.join(", ");
        return Ok((all, shown));
    }
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_seen = !text.chars().any(|c| c.is_control() || c.is_whitespace()) && text.is_ascii();
    if host.is_empty() || !is_seen || text.chars().count() > MAX_URL_CHARS {
        let words = "enter the whole address, as https://hooks.example.com/…";
        return Err(AppError::Invalid(words.to_owned()));
    }
    if authority.contains('@') {
        return Err(AppError::Invalid("an address holds no user or password: what is sent is signed".to_owned()));
    }
    if scheme != "https" && (kind == ChannelKind::Slack || scheme != "http") {
        return Err(AppError::Invalid("the address begins with https://".to_owned()));
    }
    Ok((vec![text.to_owned()], format!("{scheme}://{host}/…")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_none_are_refused_and_only_hosts_are_shown() {
        let read = |kind, text: &str| where_to(kind, &Secret::sent(text)).ok();
        let shown = |kind, text: &str| read(kind, text).map(|(_, shown)| shown);
        assert_eq!(
            shown(ChannelKind::Slack, " https://hooks.slack.com/services/T0/B0/x ").as_deref(),
            Some("https://hooks.slack.com/…")
        );
        assert_eq!(
            shown(ChannelKind::Webhook, "http://bot.example:8080?key=x").as_deref(),
            Some("http://bot.example:8080/…")
        );
        assert_eq!(
            shown(ChannelKind::Email, "Ada@Example.com, jo@example.com").as_deref(),
            Some("ada@example.com, jo@example.com")
        );
        let too_many: String = (0..11).map(|n| format!("a{n}@example.com,")).collect();
        for (kind, text) in [
            (ChannelKind::Slack, "http://hooks.slack.com/x"),
            (ChannelKind::Slack, "hooks.slack.com/x"),
            (ChannelKind::Webhook, "ftp://example.com"),
            (ChannelKind::Webhook, "https://"),
            (ChannelKind::Webhook, "https:///path"),
            (ChannelKind::Webhook, "https://user:password@example.com"),
            (ChannelKind::Webhook, "https://exa mple.com"),
            (ChannelKind::Webhook, ""),
            (ChannelKind::Email, ""),
            (ChannelKind::Email, "nobody"),
            (ChannelKind::Email, &too_many),
        ] {
            assert!(read(kind, text).is_none(), "{text}");
        }
    }
}
