//! Connections: by what a workflow's runs come. Each is a key of the workflow, an address that a platform calls, or an
//! address for signs of life.
//!
//! Invariant: a secret is shown when it is made and not again. What has to be known in the clear later (what a platform
//! signs with, and what it is asked with) is kept sealed ([`crate::seal`]); everything else is kept as its hash.

mod beats;
mod hooks;
mod poll;
mod source;
mod trial;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use steward_core::ids::{AgencyId, ConnectionId, KeyId, WorkflowId};
use steward_core::time::Timestamp;
use steward_store::system::InboxRow;
use steward_store::tenant::Connection;

pub use beats::Beat;
pub use hooks::{Hook, HookError, HookRequest};
pub use poll::{FetchError, Fetched};
pub use source::{How, Source};
pub use steward_core::connections::{ConnectionSettings, PollSettings};
pub use steward_wire::platforms::{HttpRequest, Method, Platform};

use crate::agencies::name_of;
use crate::secrets::Secret;
use crate::{Actor, App, AppError};

/// The beginning of the token in an address that a platform calls.
const HOOK: &str = "sth_";
/// The beginning of the token in an address for signs of life.
const BEAT: &str = "stb_";
/// The beginning of a secret that Steward makes for a platform.
const SECRET: &str = "sts_";
/// The most payloads that could not be read that are shown.
const MAX_UNREADABLE: u32 = 50;
/// The most connections of one agency.
const MAX_CONNECTIONS: usize = 1_000;
/// Secrets that are valid at once while one is changed.
const MAX_SECRETS: usize = 2;
/// How long the secret before stays valid once it was changed.
const OLD_SECRET_MS: i64 = 24 * 3_600_000;
/// The most characters of a secret that somebody enters.
const MAX_SECRET_CHARS: usize = 500;
/// That something came by a connection is recorded at most so often.
const SEEN_EVERY_MS: i64 = 5_000;

/// What a connection is to be.
#[derive(Debug, Clone, Default)]
pub struct NewConnection {
    /// The word for what sends.
    pub source: String,
    /// What people call it; empty takes the source's name.
    pub name: String,
    /// What the platform signs with; `None` makes one where the platform takes one.
    pub secret: Option<Secret>,
    /// What the platform is asked with.
    pub api_token: Option<Secret>,
    /// What of it can be set.
    pub settings: ConnectionSettings,
}

/// What to change of a connection; what is not named stays.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChanges {
    /// What people call it.
    pub name: Option<String>,
    /// What the platform is asked with.
    pub api_token: Option<Secret>,
    /// What of it can be set.
    pub settings: Option<ConnectionSettings>,
}

/// A connection with what is shown once.
#[derive(Debug, Clone)]
pub struct MadeConnection {
    /// The connection.
    pub connection: Connection,
    /// The key that its source sends with.
    pub key: Option<Secret>,
    /// The address that its platform calls.
    pub url: Option<String>,
    /// The secret that was made for its platform.
    pub secret: Option<Secret>,
}

/// What is kept sealed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The token of its address.
    pub(crate) token: String,
    /// What its platform signs with, the newest first.
    pub(crate) secrets: Vec<String>,
    /// What its platform is asked with.
    pub(crate) api_token: Option<String>,
}

/// When something came last by each connection, as far as this process recorded it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    inside: Mutex<HashMap<ConnectionId, Timestamp>>,
}

impl Seen {
    /// Whether that something came is to be recorded; the first who asks records it.
    fn is_due(&self, id: ConnectionId, now: Timestamp) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.get(&id).is_some_and(|at| *at <= now && now.ms_since(*at) < SEEN_EVERY_MS) {
            return false;
        }
        if inside.len() >= 10_000 {
            inside.clear();
        }
        inside.insert(id, now);
        true
    }
}

impl App {
    /// Makes a connection of a workflow. What it needs to be used is in the answer, and is shown once.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such workflow;
    /// [`AppError::Invalid`] for what cannot be.
    pub async fn create_connection(
        &self,
        actor: &Actor,
        workflow: WorkflowId,
        new: NewConnection,
    ) -> Result<MadeConnection, AppError> {
        actor.must_operate()?;
        let workflow = self.get_workflow(actor, workflow).await?;
        let source = Source::find(&new.source).ok_or_else(|| {
            let known: Vec<&str> = Source::ALL.iter().map(|source| source.word).collect();
            AppError::Invalid(format!("there is no such source; there are: {}", known.join(", ")))
        })?;
        let name = if new.name.trim().is_empty() { source.name } else { &new.name };
        let name = name_of(name, "the connection")?;
        let settings = checked(source, new.settings)?;
        if self.store_of(actor).list_connections(None).await?.len() >= MAX_CONNECTIONS {
            return Err(AppError::Invalid(format!("an agency has at most {MAX_CONNECTIONS} connections")));
        }
        let id = ConnectionId::from_uuid(self.ids().make());
        let now = self.clock().now();
        let mut made = MadeConnection {
            connection: Connection {
                id,
                workflow_id: workflow.id,
                source: source.word.to_owned(),
                name,
                key_id: None,
                old_key_id: None,
                sealed: None,
                settings,
                created_at: now,
                rotated_at: None,
                last_event_at: None,
                poll: Default::default(),
            },
            key: None,
            url: None,
            secret: None,
        };
        let mut token_hash = None;
        if source.how == How::Key {
            let (key, secret) = self.create_key(actor, &made.connection.name, Some(workflow.id)).await?;
            made.connection.key_id = Some(key.id);
            made.key = Some(secret);
        } else {
            let token = Secret::of(if source.how == How::Beat { BEAT } else { HOOK }, self.ids().secret());
            token_hash = Some(token.hash());
            let mut kept = Kept { token: token.reveal().to_owned(), ..Kept::default() };
            if source.how != How::Beat {
                if new.secret.is_none() && !source.brings_its_secret() {
                    made.secret = Some(Secret::of(SECRET, self.ids().secret()));
                }
                let secret = new.secret.as_ref().map(entered).transpose()?;
                kept.secrets.extend(secret.or_else(|| made.secret.as_ref().map(|secret| secret.reveal().to_owned())));
                kept.api_token = new.api_token.as_ref().map(entered).transpose()?;
            }
            if made.connection.settings.poll.is_some() {
                if kept.api_token.is_none() {
                    return Err(AppError::Invalid(no_api_token()));
                }
                made.connection.poll.next_at = Some(now);
            }
            made.url = Some(self.address(source, &kept.token));
            made.connection.sealed = Some(self.sealed(actor, id, &kept)?);
        }
        self.store_of(actor).create_connection(&made.connection, token_hash).await?;
        let details = format!("{} {}", made.connection.source, made.connection.name);
        self.audit_by(actor, "connection.create", id, &details).await?;
        Ok(made)
    }

    /// Lists the connections of a workflow, the oldest first.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such workflow.
    pub async fn list_connections(&self, actor: &Actor, workflow: WorkflowId) -> Result<Vec<Connection>, AppError> {
        actor.must_operate()?;
        let workflow = self.get_workflow(actor, workflow).await?;
        let mut connections = self.store_of(actor).list_connections(Some(workflow.id)).await?;
        self.add_key_uses(actor, &mut connections).await?;
        Ok(connections)
    }

    /// What came with a connection's key came by the connection.
    async fn add_key_uses(&self, actor: &Actor, connections: &mut [Connection]) -> Result<(), AppError> {
        if connections.iter().all(|connection| connection.key_id.is_none()) {
            return Ok(());
        }
        let keys = self.store_of(actor).list_keys().await?;
        for connection in connections.iter_mut().filter(|connection| connection.key_id.is_some()) {
            let used_at = |id| keys.iter().find(|key| Some(key.id) == id).and_then(|key| key.last_used_at);
            let last = used_at(connection.key_id).max(used_at(connection.old_key_id));
            connection.last_event_at = connection.last_event_at.max(last);
        }
        Ok(())
    }

    /// Payloads of a workflow that could not be read, the newest first.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is no such workflow.
    pub async fn list_unreadable(&self, actor: &Actor, workflow: WorkflowId) -> Result<Vec<InboxRow>, AppError> {
        actor.must_operate()?;
        let workflow = self.get_workflow(actor, workflow).await?;
        Ok(self.store_of(actor).list_unreadable(Some(workflow.id), MAX_UNREADABLE).await?)
    }

    /// A connection that an actor may see.
    ///
    /// # Errors
    ///
    /// [`AppError::Forbidden`] for who does not operate; [`AppError::NotFound`] when there is none, or its workflow is
    /// not theirs.
    pub async fn get_connection(&self, actor: &Actor, id: ConnectionId) -> Result<Connection, AppError> {
        actor.must_operate()?;
        let mut found = self.store_of(actor).find_connection(id).await?.ok_or(AppError::NotFound("connection"))?;
        self.add_key_uses(actor, std::slice::from_mut(&mut found)).await?;
        match self.get_workflow(actor, found.workflow_id).await {
            Err(AppError::NotFound(_)) => Err(AppError::NotFound("connection")),
            other => other.map(|_| found),
        }
    }

    /// The address of a connection. `None` for one that sends with a key.
    ///
    /// # Errors
    ///
    /// [`AppError::Fault`] when its secrets were sealed with another key.
    pub fn connection_address(&self, actor: &Actor, connection: &Connection) -> Result<Option<String>, AppError> {
        actor.must_operate()?;
        let Some(source) = Source::find(&connection.source).filter(|_| connection.sealed.is_some()) else {
            return Ok(None);
        };
        Ok(Some(self.address(source, &self.kept(actor.agency_id, connection)?.token)))
    }

    /// Whether a connection lacks the secret that its platform signs with, so that all of its deliveries are refused.
    #[must_use]
    pub fn lacks_secret(&self, actor: &Actor, connection: &Connection) -> bool {
        let is_hook = Source::find(&connection.source).is_some_and(|source| source.platform().is_some());
        is_hook && self.kept(actor.agency_id, connection).is_ok_and(|kept| kept.secrets.is_empty())
    }

    /// Changes a connection.
    ///
    /// # Errors
    ///
    /// As [`App::create_connection`].
    pub async fn update_connection(
        &self,
        actor: &Actor,
        id: ConnectionId,
        changes: ConnectionChanges,
    ) -> Result<Connection, AppError> {
        let mut connection = self.get_connection(actor, id).await?;
        let source = source_of(&connection)?;
        if let Some(name) = &changes.name {
            connection.name = name_of(name, "the connection")?;
        }
        if let Some(settings) = changes.settings {
            connection.settings = checked(source, settings)?;
        }
        if connection.sealed.is_some() {
            let mut kept = self.kept(actor.agency_id, &connection)?;
            if let Some(token) = &changes.api_token {
                kept.api_token = Some(entered(token)?);
            }
            if connection.settings.poll.is_some() && kept.api_token.is_none() {
                return Err(AppError::Invalid(no_api_token()));
            }
            connection.sealed = Some(self.sealed(actor, id, &kept)?);
        }
        connection.poll.next_at = connection.settings.poll.as_ref().map(|_| self.clock().now());
        if !self.store_of(actor).update_connection(&connection).await? {
            return Err(AppError::NotFound("connection"));
        }
        self.audit_by(actor, "connection.update", id, &connection.name).await?;
        Ok(connection)
    }

    /// Changes what a connection's source shows that it is itself with. Unless it is to be refused at once, a secret
    /// that was valid stays so for a day, and a key until the next change.
    ///
    /// # Errors
    ///
    /// As [`App::create_connection`]; [`AppError::Invalid`] for signs of life, whose address is all there is.
    pub async fn rotate_connection(
        &self,
        actor: &Actor,
        id: ConnectionId,
        secret: Option<Secret>,
        refuse_old: bool,
    ) -> Result<MadeConnection, AppError> {
        let mut connection = self.get_connection(actor, id).await?;
        let source = source_of(&connection)?;
        connection.rotated_at = Some(self.clock().now());
        let mut made = MadeConnection { connection, key: None, url: None, secret: None };
        match source.how {
            How::Beat => {
                let words = "a sign of life has no secret but its address: delete the connection and make another";
                return Err(AppError::Invalid(words.to_owned()));
            }
            How::Key => {
                let (key, secret) =
                    self.create_key(actor, &made.connection.name, Some(made.connection.workflow_id)).await?;
                let old = made.connection.key_id.replace(key.id);
                let goes = if refuse_old {
                    [old, made.connection.old_key_id.take()]
                } else {
                    [made.connection.old_key_id.take(), None]
                };
                made.connection.old_key_id = old.filter(|_| !refuse_old);
                self.revoke_keys(actor, goes).await?;
                made.key = Some(secret);
            }
            How::Hook(_) => {
                if secret.is_none() && source.brings_its_secret() {
                    let words = format!("{} makes its own secret: enter the one that it shows", source.name);
                    return Err(AppError::Invalid(words));
                }
                let mut kept = self.kept(actor.agency_id, &made.connection)?;
                let entered = secret.as_ref().map(entered).transpose()?;
                let next = entered.unwrap_or_else(|| {
                    let secret = Secret::of(SECRET, self.ids().secret());
                    made.secret = Some(secret.clone());
                    secret.reveal().to_owned()
                });
                kept.secrets.retain(|known| *known != next && !refuse_old);
                kept.secrets.insert(0, next);
                kept.secrets.truncate(MAX_SECRETS);
                made.url = Some(self.address(source, &kept.token));
                made.connection.sealed = Some(self.sealed(actor, id, &kept)?);
            }
        }
        if !self.store_of(actor).update_connection(&made.connection).await? {
            return Err(AppError::NotFound("connection"));
        }
        self.audit_by(actor, "connection.rotate", id, &made.connection.name).await?;
        Ok(made)
    }

    /// Deletes a connection: its address answers no more, and its key is revoked. What came by it stays.
    ///
    /// # Errors
    ///
    /// As [`App::get_connection`].
    pub async fn delete_connection(&self, actor: &Actor, id: ConnectionId) -> Result<Connection, AppError> {
        let connection = self.get_connection(actor, id).await?;
        self.revoke_keys(actor, [connection.key_id, connection.old_key_id]).await?;
        if !self.store_of(actor).delete_connection(id).await? {
            return Err(AppError::NotFound("connection"));
        }
        self.audit_by(actor, "connection.delete", id, &connection.name).await?;
        Ok(connection)
    }

    async fn revoke_keys(&self, actor: &Actor, keys: [Option<KeyId>; 2]) -> Result<(), AppError> {
        for key in keys.into_iter().flatten() {
            match self.revoke_key(actor, key).await {
                // It was revoked by hand before.
                Err(AppError::NotFound(_)) => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn address(&self, source: Source, token: &str) -> String {
        match source.how {
            How::Hook(platform) => format!("{}/v1/hooks/{}/{token}", self.public_url(), platform.as_str()),
            How::Beat | How::Key => format!("{}/v1/beat/{token}", self.public_url()),
        }
    }

    fn sealed(&self, actor: &Actor, id: ConnectionId, kept: &Kept) -> Result<Vec<u8>, AppError> {
        let text = serde_json::to_string(kept).map_err(|_| AppError::Fault("writing a connection's secrets"))?;
        self.seal(&text, &place(actor.agency_id, id))
    }

    /// What is kept of a connection.
    pub(crate) fn kept(&self, agency_id: AgencyId, connection: &Connection) -> Result<Kept, AppError> {
        let sealed = connection.sealed.as_deref().unwrap_or_default();
        let text = self.unseal(sealed, &place(agency_id, connection.id))?;
        serde_json::from_str(&text).map_err(|_| AppError::Fault("reading a connection's secrets"))
    }

    /// How many connections of all agencies hold secrets, and how many of these this process cannot open.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer.
    pub async fn count_sealed(&self) -> Result<(usize, usize), AppError> {
        let (mut n_sealed, mut n_closed) = (0, 0);
        for agency in self.store().list_agencies().await? {
            for connection in self.agency(agency.id).list_connections(None).await? {
                if connection.sealed.is_some() {
                    n_sealed += 1;
                    n_closed += usize::from(self.kept(agency.id, &connection).is_err());
                }
            }
        }
        Ok((n_sealed, n_closed))
    }

    /// Records that something came by a connection. A database that does not answer loses the note, not more.
    async fn note_event(&self, agency_id: AgencyId, id: ConnectionId) {
        let now = self.clock().now();
        if !self.inner.connections.is_due(id, now) {
            return;
        }
        if let Err(error) = self.agency(agency_id).record_connection_event(id, now).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the event of a connection was not recorded");
        }
    }
}

/// Where a connection's secrets are sealed: they open in no other row.
fn place(agency_id: AgencyId, id: ConnectionId) -> Vec<u8> {
    format!("connection {agency_id} {id}").into_bytes()
}

pub(crate) fn source_of(connection: &Connection) -> Result<Source, AppError> {
    let words = || AppError::Invalid(format!("this version knows no source “{}”", connection.source));
    Source::find(&connection.source).ok_or_else(words)
}

fn no_api_token() -> String {
    "to ask the platform, its API key or token is needed".to_owned()
}

/// A secret that somebody entered, without what was copied along.
fn entered(secret: &Secret) -> Result<String, AppError> {
    let text = secret.reveal().trim();
    let words = if text.is_empty() {
        "a secret may not be empty"
    } else if text.chars().count() > MAX_SECRET_CHARS {
        "a secret has at most 500 characters"
    } else if text.chars().any(char::is_control) {
        "a secret has no line breaks and other characters that cannot be seen"
    } else {
        return Ok(text.to_owned());
    };
    Err(AppError::Invalid(words.to_owned()))
}

/// Settings that are possible for a source.
fn checked(source: Source, mut settings: ConnectionSettings) -> Result<ConnectionSettings, AppError> {
    let invalid = |words: &str| Err(AppError::Invalid(words.to_owned()));
    match (source.how, settings.beat_every_minutes) {
        (How::Beat, None) => return invalid("say how often a sign of life is expected"),
        (How::Beat, Some(minutes)) if !(1..=44_640).contains(&minutes) => {
            return invalid("a sign of life is expected every 1 to 44,640 minutes, which is a month");
        }
        (How::Beat, Some(_)) | (_, None) => {}
        (_, Some(_)) => return invalid("only a sign of life is expected at times"),
    }
    let Some(poll) = &mut settings.poll else { return Ok(settings) };
    if !source.can_be_asked() {
        return Err(AppError::Invalid(format!("{} cannot be asked for its runs", source.name)));
    }
    if !(5..=1_440).contains(&poll.every_minutes) {
        return invalid("a platform is asked every 5 to 1,440 minutes");
    }
    poll.base_url = poll.base_url.trim().trim_end_matches('/').to_owned();
    poll.subject = poll.subject.trim().to_owned();
    let has_control = |text: &str| text.chars().any(|c| c.is_control() || c.is_whitespace());
    if poll.base_url.len() > 500 || has_control(&poll.base_url) {
        return invalid("the address of the API is at most 500 characters, without spaces");
    }
    let host = poll.base_url.strip_prefix("https://").or_else(|| poll.base_url.strip_prefix("http://"));
    match host {
        None if poll.base_url.is_empty() => {}
        Some(rest)
            if !rest.is_empty() && !rest.starts_with(['/', '?', ':']) && !rest.contains(['@', '?', '#', '\\']) => {}
        _ => return invalid("the address of the API begins with https:// or http://, and holds no user and no query"),
    }
    if poll.subject.chars().count() > 200 || has_control(&poll.subject) {
        return invalid("what is asked for is at most 200 characters, without spaces");
    }
    match source.platform() {
        Some(Platform::N8n | Platform::Make) if poll.base_url.is_empty() => {
            Err(AppError::Invalid(format!("{} needs the address of its API", source.name)))
        }
        Some(Platform::Make) if poll.subject.is_empty() => invalid("Make is asked for one scenario: enter its number"),
        _ => Ok(settings),
    }
}
