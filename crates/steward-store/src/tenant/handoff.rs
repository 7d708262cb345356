//! Handing over: links to packets, what their readers did, where packets are sent, and what is to be sent.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use steward_core::exceptions::ExceptionKind;
use steward_core::handoff::{Worked, delivery_of};
use steward_core::ids::{AnswerId, ChannelId, ClientId, DeliveryId, ExceptionId, LinkId, PatternId, WorkflowId};
use steward_core::queue::QueueItem;
use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::{Row, insert_many};

/// The most links or answers of one exception that are listed.
const MAX_LISTED: i64 = 100;
/// Tables with rows of an exception, which go when that goes.
pub(super) const HANDED: [&str; 3] = ["handoff_answers", "handoff_links", "handoff_outbox"];

/// A link by which somebody without a sign-in reads one packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoffLink {
    /// Its id.
    pub id: LinkId,
    /// The exception.
    pub exception_id: ExceptionId,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// For whom, in words: `Slack: shop-floor`.
    pub made_for: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When somebody revoked it.
    pub revoked_at: Option<Timestamp>,
    /// When it was last opened.
    pub opened_at: Option<Timestamp>,
    /// How often.
    pub n_opened: i64,
}

pub(crate) const LINK_COLUMNS: &str =
    "id, exception_id, workflow_id, made_for, created_at, created_by, expires_at, revoked_at, opened_at, n_opened";

pub(crate) fn read_link(row: &mut Row) -> Result<HandoffLink, StoreError> {
    Ok(HandoffLink {
        id: LinkId::from_uuid(row.take()?),
        exception_id: ExceptionId::from_uuid(row.take()?),
        workflow_id: WorkflowId::from_uuid(row.take()?),
        made_for: row.take()?,
        created_at: Timestamp(row.take()?),
        created_by: row.take()?,
        expires_at: Timestamp(row.take()?),
        revoked_at: row.take::<Option<i64>>()?.map(Timestamp),
        opened_at: row.take::<Option<i64>>()?.map(Timestamp),
        n_opened: row.take()?,
    })
}

/// What somebody who came by a link says that they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoffAnswer {
    /// Its id.
    pub id: AnswerId,
    /// The link.
    pub link_id: LinkId,
    /// The exception.
    pub exception_id: ExceptionId,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// When.
    pub at: Timestamp,
    /// The name that they gave.
    pub name: String,
    /// What they did; empty when they did not say.
    pub resolution: String,
}

/// By what packets are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChannelKind {
    /// To an e-mail address.
    Email,
    /// To a Slack channel, by its incoming webhook.
    Slack,
    /// To a program, signed.
    Webhook,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Email, Self::Slack, Self::Webhook];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Webhook => "webhook",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where packets are sent, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// The client whose workflows it is for.
    pub client_id: Option<ClientId>,
    /// The one workflow that it is for.
    pub workflow_id: Option<WorkflowId>,
    /// By what.
    pub kind: ChannelKind,
    /// What people call it.
    pub name: String,
    /// Where to, without what is secret of it.
    pub shown: String,
    /// Where to, and what it is signed with, encrypted.
    pub sealed: Vec<u8>,
    /// Only these sorts of exceptions; empty for all.
    pub kinds: Vec<ExceptionKind>,
    /// Only with at least so much at stake, in nano-units of the client's currency; 0 for all.
    pub least_value_nanos: i64,
    /// Packets an hour; what is more comes in one digest an hour.
    pub per_hour: i32,
    /// Days after which the link in a packet ends.
    pub link_days: i32,
    /// When it was made; nothing from before is sent.
    pub created_at: Timestamp,
    /// When it was paused; `None` while it sends.
    pub paused_at: Option<Timestamp>,
    /// When the last digest was sent.
    pub digest_at: Option<Timestamp>,
    /// When something was last sent.
    pub sent_at: Option<Timestamp>,
    /// Why sending failed last; `None` when it did not.
    pub error: Option<String>,
    /// When it failed last.
    pub failed_at: Option<Timestamp>,
}

pub(crate) const CHANNEL_COLUMNS: &str = "id, client_id, workflow_id, kind, name, shown, sealed, kinds, least_value_nanos, per_hour, link_days, \
     created_at, paused_at, digest_at, sent_at, error, failed_at";

pub(crate) fn read_channel(row: &mut Row) -> Result<Channel, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "handoff_channels", column };
    Ok(Channel {
        id: ChannelId::from_uuid(row.take()?),
        client_id: row.take::<Option<Uuid>>()?.map(ClientId::from_uuid),
        workflow_id: row.take::<Option<Uuid>>()?.map(WorkflowId::from_uuid),
        kind: ChannelKind::parse(&row.take::<String>()?).ok_or_else(|| corrupt("kind"))?,
        name: row.take()?,
        shown: row.take()?,
        sealed: row.take()?,
        kinds: {
            let words: String = row.take()?;
            let kinds = words.split(',').filter(|word| !word.is_empty()).map(ExceptionKind::parse);
            kinds.collect::<Option<Vec<_>>>().ok_or_else(|| corrupt("kinds"))?
        },
        least_value_nanos: row.take()?,
        per_hour: row.take()?,
        link_days: row.take()?,
        created_at: Timestamp(row.take()?),
        paused_at: row.take::<Option<i64>>()?.map(Timestamp),
        digest_at: row.take::<Option<i64>>()?.map(Timestamp),
        sent_at: row.take::<Option<i64>>()?.map(Timestamp),
        error: row.take()?,
        failed_at: row.take::<Option<i64>>()?.map(Timestamp),
    })
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its time.
    Waiting,
    /// It was sent.
    Sent,
    /// It failed too often, and is given up.
    Dead,
    /// What it was about is gone.
    Gone,
    /// Its workflow or client was archived before it was sent.
    Archived,
}

impl DeliveryState {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Gone => "gone",
            Self::Archived => "archived",
        }
    }
}

/// Something that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, the same at each try.
    pub id: DeliveryId,
    /// Where to.
    pub channel_id: ChannelId,
    /// What about; of a test, the id of nothing.
    pub exception_id: ExceptionId,
    /// It only says of itself that it is a test.
    pub is_test: bool,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was written.
    pub created_at: Timestamp,
    /// The token of the link in it, sealed; `None` before the first try.
    pub sealed_token: Option<Vec<u8>>,
    /// Its workflow or client is archived, so it is not sent.
    pub is_archived: bool,
}

/// Whether a delivery `o` is of an archived workflow or client, by what it is about or by its channel.
const IS_OF_ARCHIVED: &str = "(EXISTS (
        SELECT 1 FROM workflows w LEFT JOIN clients c ON c.agency_id = w.agency_id AND c.id = w.client_id
        WHERE w.agency_id = o.agency_id AND (w.archived_at IS NOT NULL OR c.archived_at IS NOT NULL) AND w.id IN (
            (SELECT q.workflow_id FROM queue_items q WHERE q.agency_id = o.agency_id AND q.id = o.exception_id),
            (SELECT h.workflow_id FROM handoff_channels h WHERE h.agency_id = o.agency_id AND h.id = o.channel_id))
    ) OR EXISTS (
        SELECT 1 FROM handoff_channels h JOIN clients c ON c.agency_id = h.agency_id AND c.id = h.client_id
        WHERE h.agency_id = o.agency_id AND h.id = o.channel_id AND c.archived_at IS NOT NULL))";

/// How many deliveries of a channel wait, were sent, and were given up or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// Wait for their time.
    pub waiting: u64,
    /// Were sent.
    pub sent: u64,
    /// Were given up.
    pub dead: u64,
    /// Were closed before they were sent, with their workflow or client.
    pub archived: u64,
}

/// An exception that has come to wait for a person, as channels choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrived {
    id: ExceptionId,
    workflow_id: WorkflowId,
    kind: ExceptionKind,
    /// The value at stake, in nano-units of the client's currency; `None` when none is set.
    value_nanos: Option<i64>,
    /// When its run ended.
    at: Timestamp,
}

impl Arrived {
    /// What arrived with an item. `None` for a sample, which nobody has to finish.
    pub(super) fn of(item: &QueueItem) -> Option<Self> {
        Some(Self {
            id: item.exception_id()?,
            workflow_id: item.workflow_id,
            kind: item.exception_kind?,
            value_nanos: item.value_nanos.map(|nanos| nanos.0),
            at: item.arrived_at,
        })
    }
}

impl Channel {
    /// Whether it is for a workflow, which is a client's.
    #[must_use]
    pub fn is_for(&self, workflow: WorkflowId, client: Option<ClientId>) -> bool {
        match (self.workflow_id, self.client_id) {
            (Some(own), _) => own == workflow,
            (None, own) => own.is_some() && own == client,
        }
    }

    /// Whether what arrived in a workflow of a client is sent here.
    fn takes(&self, arrived: &Arrived, client: Option<ClientId>) -> bool {
        self.is_for(arrived.workflow_id, client)
            && self.paused_at.is_none()
            && arrived.at >= self.created_at
            && (self.kinds.is_empty() || self.kinds.contains(&arrived.kind))
            && (self.least_value_nanos <= 0 || arrived.value_nanos.is_some_and(|nanos| nanos >= self.least_value_nanos))
    }
}

fn words_of(kinds: &[ExceptionKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")
}

impl AgencyStore {
    /// Pauses what sends packets of a workflow only, and revokes the links to them: it is another client's now.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn close_handoff_of(&self, workflow: WorkflowId, now: Timestamp) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        for text in [
            "UPDATE handoff_channels SET paused_at = $3
             WHERE agency_id = $1 AND workflow_id = $2 AND paused_at IS NULL",
            "UPDATE handoff_links SET revoked_at = $3
             WHERE agency_id = $1 AND workflow_id = $2 AND revoked_at IS NULL",
        ] {
            let sql = self.store.within(&tx, text).bind(self.agency_id().as_uuid());
            sql.bind(workflow.as_uuid()).bind(now.0).run().await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Creates a link by the hash of its token, or gives one that is there another token and another end.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_handoff_link(&self, link: &HandoffLink, token_hash: Vec<u8>) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO handoff_links (agency_id, id, exception_id, workflow_id, token_hash, made_for, created_at, created_by,
                                        expires_at, n_opened)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)
             ON CONFLICT (agency_id, id)
                 DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at",
        )
        .bind(link.id.as_uuid())
        .bind(link.exception_id.as_uuid())
        .bind(link.workflow_id.as_uuid())
        .bind(token_hash)
        .bind(link.made_for.clone())
        .bind(link.created_at.0)
        .bind(link.created_by.clone())
        .bind(link.expires_at.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Lists the latest links of an exception, the newest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_handoff_links(&self, exception: ExceptionId) -> Result<Vec<HandoffLink>, StoreError> {
        let text = format!(
            "SELECT {LINK_COLUMNS} FROM handoff_links WHERE agency_id = $1 AND exception_id = $2
             ORDER BY created_at DESC, id DESC LIMIT $3"
        );
        let rows = self.read(text).bind(exception.as_uuid()).bind(MAX_LISTED).all().await?;
        rows.into_iter().map(|mut row| read_link(&mut row)).collect()
    }

    /// Finds a link. `None` when the agency has none of this id.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_handoff_link(&self, id: LinkId) -> Result<Option<HandoffLink>, StoreError> {
        let text = format!("SELECT {LINK_COLUMNS} FROM handoff_links WHERE agency_id = $1 AND id = $2");
        self.read(text).bind(id.as_uuid()).first().await?.map(|mut row| read_link(&mut row)).transpose()
    }

    /// Revokes a link. Gives whether it was not revoked before.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn revoke_handoff_link(&self, id: LinkId, now: Timestamp) -> Result<bool, StoreError> {
        let text = "UPDATE handoff_links SET revoked_at = $3 WHERE agency_id = $1 AND id = $2 AND revoked_at IS NULL";
        Ok(self.write(text).bind(id.as_uuid()).bind(now.0).run().await? == 1)
    }

    /// Records that a link was opened. Gives whether it was for the first time.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_handoff_opened(&self, id: LinkId, now: Timestamp) -> Result<bool, StoreError> {
        let first =
            "UPDATE handoff_links SET opened_at = $3, n_opened = 1 WHERE agency_id = $1 AND id = $2 AND n_opened = 0";
        if self.write(first).bind(id.as_uuid()).bind(now.0).run().await? == 1 {
            return Ok(true);
        }
        let again = "UPDATE handoff_links SET opened_at = $3, n_opened = n_opened + 1 WHERE agency_id = $1 AND id = $2";
        self.write(again).bind(id.as_uuid()).bind(now.0).run().await?;
        Ok(false)
    }

    /// Records what somebody did who came by a link, unless a link has its most answers. Gives whether it was recorded.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_handoff_answer(&self, answer: &HandoffAnswer, most: i64) -> Result<bool, StoreError> {
        let recorded = self
            .write(
                "INSERT INTO handoff_answers (agency_id, id, link_id, exception_id, workflow_id, at, name, resolution)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8
                 WHERE (SELECT COUNT(*) FROM handoff_answers WHERE agency_id = $1 AND link_id = $3) < $9",
            )
            .bind(answer.id.as_uuid())
            .bind(answer.link_id.as_uuid())
            .bind(answer.exception_id.as_uuid())
            .bind(answer.workflow_id.as_uuid())
            .bind(answer.at.0)
            .bind(answer.name.clone())
            .bind(answer.resolution.clone())
            .bind(most)
            .run()
            .await?;
        Ok(recorded == 1)
    }

    /// Lists what was done about an exception by those who came by its links, the newest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_handoff_answers(&self, exception: ExceptionId) -> Result<Vec<HandoffAnswer>, StoreError> {
        let text = "SELECT id, link_id, exception_id, workflow_id, at, name, resolution FROM handoff_answers
                    WHERE agency_id = $1 AND exception_id = $2 ORDER BY at DESC, id DESC LIMIT $3";
        let rows = self.read(text).bind(exception.as_uuid()).bind(MAX_LISTED).all().await?;
        let read = |mut row: Row| {
            Ok(HandoffAnswer {
                id: AnswerId::from_uuid(row.take()?),
                link_id: LinkId::from_uuid(row.take()?),
                exception_id: ExceptionId::from_uuid(row.take()?),
                workflow_id: WorkflowId::from_uuid(row.take()?),
                at: Timestamp(row.take()?),
                name: row.take()?,
                resolution: row.take()?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// What people did about exceptions of a pattern, by reviews that hold and by links, the most used first, at most
    /// `limit`. A bulk review counts once.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_resolutions(&self, pattern: PatternId, limit: u32) -> Result<Vec<Worked>, StoreError> {
        let text = "SELECT resolution, COUNT(DISTINCT said_id), MAX(at) FROM (
                        SELECT a.resolution AS resolution, a.id AS said_id, a.at AS at FROM handoff_answers a
                        JOIN exceptions e ON e.agency_id = a.agency_id AND e.id = a.exception_id
                        WHERE a.agency_id = $1 AND e.pattern_id = $2 AND a.resolution <> ''
                        UNION ALL
                        SELECT resolution, COALESCE(bulk_id, id), closed_at FROM reviews
                        WHERE agency_id = $1 AND pattern_id = $2 AND undone_at IS NULL AND resolution <> ''
                    ) said GROUP BY resolution ORDER BY 2 DESC, 3 DESC, 1 LIMIT $3";
        let rows = self.read(text).bind(pattern.as_uuid()).bind(i64::from(limit)).all().await?;
        let read = |mut row: Row| {
            let resolution = row.take()?;
            let n: i64 = row.take()?;
            Ok(Worked { resolution, n: u32::try_from(n).unwrap_or(u32::MAX), last_at: Timestamp(row.take()?) })
        };
        rows.into_iter().map(read).collect()
    }

    /// Lists where packets are sent, the oldest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_channels(&self) -> Result<Vec<Channel>, StoreError> {
        let text = format!(
            "SELECT {CHANNEL_COLUMNS} FROM handoff_channels WHERE agency_id = $1 ORDER BY created_at, id LIMIT 10000"
        );
        self.read(text).all().await?.into_iter().map(|mut row| read_channel(&mut row)).collect()
    }

    /// Finds a channel. `None` when the agency has none of this id.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_channel(&self, id: ChannelId) -> Result<Option<Channel>, StoreError> {
        let text = format!("SELECT {CHANNEL_COLUMNS} FROM handoff_channels WHERE agency_id = $1 AND id = $2");
        self.read(text).bind(id.as_uuid()).first().await?.map(|mut row| read_channel(&mut row)).transpose()
    }

    /// Creates a channel.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn create_channel(&self, channel: &Channel) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO handoff_channels (agency_id, id, client_id, workflow_id, kind, name, shown, sealed, kinds,
                                           least_value_nanos, per_hour, link_days, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(channel.id.as_uuid())
        .bind(channel.client_id.map(ClientId::as_uuid))
        .bind(channel.workflow_id.map(WorkflowId::as_uuid))
        .bind(channel.kind.as_str())
        .bind(channel.name.clone())
        .bind(channel.shown.clone())
        .bind(channel.sealed.clone())
        .bind(words_of(&channel.kinds))
        .bind(channel.least_value_nanos)
        .bind(channel.per_hour)
        .bind(channel.link_days)
        .bind(channel.created_at.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Updates what a channel sends where. Gives whether there was one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_channel(&self, channel: &Channel) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "UPDATE handoff_channels SET name = $3, shown = $4, sealed = $5, kinds = $6, least_value_nanos = $7,
                        per_hour = $8, link_days = $9, paused_at = $10
                 WHERE agency_id = $1 AND id = $2",
            )
            .bind(channel.id.as_uuid())
            .bind(channel.name.clone())
            .bind(channel.shown.clone())
            .bind(channel.sealed.clone())
            .bind(words_of(&channel.kinds))
            .bind(channel.least_value_nanos)
            .bind(channel.per_hour)
            .bind(channel.link_days)
            .bind(channel.paused_at.map(|at| at.0))
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Deletes a channel with what waits to be sent by it. Gives whether there was one.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_channel(&self, id: ChannelId) -> Result<bool, StoreError> {
        let tx = self.store.begin_write().await?;
        let within = |text: &str| self.store.within(&tx, text).bind(self.agency_id().as_uuid()).bind(id.as_uuid());
        let deleted = within("DELETE FROM handoff_channels WHERE agency_id = $1 AND id = $2").run().await?;
        within("DELETE FROM handoff_outbox WHERE agency_id = $1 AND channel_id = $2").run().await?;
        tx.commit().await?;
        Ok(deleted == 1)
    }

    /// Writes what is to be sent about exceptions that came to wait for a person, in the transaction that makes them wait.
    /// What was written once is not written again.
    pub(super) async fn record_deliveries(
        &self,
        tx: &DatabaseTransaction,
        arrived: &[Arrived],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if arrived.is_empty() {
            return Ok(());
        }
        let text = format!("SELECT {CHANNEL_COLUMNS} FROM handoff_channels WHERE agency_id = $1 AND paused_at IS NULL");
        let rows = self.store.within(tx, text).bind(self.agency_id().as_uuid()).all().await?;
        let channels = rows.into_iter().map(|mut row| read_channel(&mut row)).collect::<Result<Vec<_>, _>>()?;
        if channels.is_empty() {
            return Ok(());
        }
        // Of what is archived nothing leaves the house.
        let text = "SELECT w.id, w.client_id FROM workflows w
                    LEFT JOIN clients c ON c.agency_id = w.agency_id AND c.id = w.client_id
                    WHERE w.agency_id = $1 AND w.archived_at IS NULL AND c.archived_at IS NULL";
        let mut clients = HashMap::new();
        for mut row in self.store.within(tx, text).bind(self.agency_id().as_uuid()).all().await? {
            let id = WorkflowId::from_uuid(row.take()?);
            clients.insert(id, row.take::<Option<Uuid>>()?.map(ClientId::from_uuid));
        }
        let takes = |channel: &Channel, one: &Arrived| {
            clients.get(&one.workflow_id).is_some_and(|client| channel.takes(one, *client))
        };
        let due = channels
            .iter()
            .flat_map(|channel| arrived.iter().filter(|one| takes(channel, one)).map(|one| (channel.id, one.id)));
        let rows: Vec<Vec<Value>> =
            due.map(|(channel, exception)| self.delivery_row(channel, exception, false, now)).collect();
        let tail = "ON CONFLICT (agency_id, channel_id, exception_id) DO NOTHING";
        insert_many(tx, self.store.backend, "handoff_outbox", OUTBOX_COLUMNS, rows, tail).await?;
        Ok(())
    }

    /// Closes what waits to be sent of workflows and clients that are archived, in the transaction that archives them: so
    /// it is not sent when they are taken back either.
    pub(super) async fn close_archived_deliveries(&self, tx: &DatabaseTransaction) -> Result<(), StoreError> {
        let text = format!(
            "UPDATE handoff_outbox AS o SET state = $2, sealed_token = NULL, error = NULL
             WHERE o.agency_id = $1 AND o.state = 'waiting' AND {IS_OF_ARCHIVED}"
        );
        let sql = self.store.within(tx, text).bind(self.agency_id().as_uuid());
        sql.bind(DeliveryState::Archived.as_str()).run().await.map(|_| ())
    }

    fn delivery_row(&self, channel: ChannelId, exception: ExceptionId, is_test: bool, now: Timestamp) -> Vec<Value> {
        vec![
            self.agency_id().as_uuid().into(),
            delivery_of(channel, exception).as_uuid().into(),
            channel.as_uuid().into(),
            exception.as_uuid().into(),
            DeliveryState::Waiting.as_str().into(),
            now.0.into(),
            0.into(),
            now.0.into(),
            is_test.into(),
            false.into(),
        ]
    }

    /// Writes a test to be sent; `exception` is an id of nothing.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_test_delivery(
        &self,
        channel: ChannelId,
        exception: ExceptionId,
        now: Timestamp,
    ) -> Result<DeliveryId, StoreError> {
        let tx = self.store.begin_write().await?;
        let rows = vec![self.delivery_row(channel, exception, true, now)];
        insert_many(&tx, self.store.backend, "handoff_outbox", OUTBOX_COLUMNS, rows, "ON CONFLICT DO NOTHING").await?;
        tx.commit().await?;
        Ok(delivery_of(channel, exception))
    }

    /// Lists what a channel has to send by now, the oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_due_deliveries(
        &self,
        channel: ChannelId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let text = format!(
            "SELECT o.id, o.channel_id, o.exception_id, o.is_test, o.attempts, o.created_at, o.sealed_token, {IS_OF_ARCHIVED}
             FROM handoff_outbox o
             WHERE o.agency_id = $1 AND o.channel_id = $2 AND o.state = 'waiting' AND o.run_at <= $3
             ORDER BY o.created_at, o.id LIMIT $4"
        );
        let rows = self.read(text).bind(channel.as_uuid()).bind(now.0).bind(i64::from(limit)).all().await?;
        let read = |mut row: Row| {
            Ok(Delivery {
                id: DeliveryId::from_uuid(row.take()?),
                channel_id: ChannelId::from_uuid(row.take()?),
                exception_id: ExceptionId::from_uuid(row.take()?),
                is_test: row.take()?,
                attempts: row.take()?,
                created_at: Timestamp(row.take()?),
                sealed_token: row.take()?,
                is_archived: row.take()?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// Counts packets that a channel sent one by one since an instant.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_sent_since(&self, channel: ChannelId, since: Timestamp) -> Result<u64, StoreError> {
        let text = "SELECT COUNT(*) FROM handoff_outbox
                    WHERE agency_id = $1 AND channel_id = $2 AND sent_at > $3 AND state = 'sent' AND in_digest = FALSE AND is_test = FALSE";
        self.count(self.read(text).bind(channel.as_uuid()).bind(since.0)).await
    }

    async fn count<C: ConnectionTrait>(&self, sql: crate::sql::Sql<'_, C>) -> Result<u64, StoreError> {
        let n: i64 = match sql.first().await? {
            Some(mut row) => row.take()?,
            None => 0,
        };
        Ok(n.unsigned_abs())
    }

    /// Counts the deliveries of a channel by how far they are.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn count_deliveries(&self, channel: ChannelId) -> Result<DeliveryCounts, StoreError> {
        let text = "SELECT state, COUNT(*) FROM handoff_outbox WHERE agency_id = $1 AND channel_id = $2 GROUP BY state";
        let mut counts = DeliveryCounts::default();
        for mut row in self.read(text).bind(channel.as_uuid()).all().await? {
            let (state, n): (String, i64) = (row.take()?, row.take()?);
            match state.as_str() {
                "waiting" => counts.waiting = n.unsigned_abs(),
                "sent" => counts.sent = n.unsigned_abs(),
                "dead" => counts.dead = n.unsigned_abs(),
                "archived" => counts.archived = n.unsigned_abs(),
                _ => {}
            }
        }
        Ok(counts)
    }

    /// Keeps the token of the link in a delivery, so that each try sends the same.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn keep_delivery_token(&self, id: DeliveryId, sealed: Vec<u8>) -> Result<(), StoreError> {
        let text = "UPDATE handoff_outbox SET sealed_token = $3 WHERE agency_id = $1 AND id = $2";
        self.write(text).bind(id.as_uuid()).bind(sealed).run().await.map(|_| ())
    }

    /// Puts deliveries that wait off until an instant, without counting a try.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn put_off_deliveries(
        &self,
        channel: ChannelId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let text = "UPDATE handoff_outbox SET run_at = $4
                    WHERE agency_id = $1 AND channel_id = $2 AND state = 'waiting' AND run_at <= $3";
        self.write(text).bind(channel.as_uuid()).bind(now.0).bind(until.0).run().await.map(|_| ())
    }

    /// Ends deliveries as sent, or as about something that is gone or archived, and records it with the channel.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn end_deliveries(
        &self,
        channel: ChannelId,
        ids: &[DeliveryId],
        state: DeliveryState,
        in_digest: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        for ids in ids.chunks(500) {
            let mut sql = self
                .store
                .within(
                    &tx,
                    "UPDATE handoff_outbox SET state = $2, sent_at = $3, in_digest = $4, attempts = attempts + 1,
                            sealed_token = NULL, error = NULL
                     WHERE agency_id = $1 AND id IN (",
                )
                .bind(self.agency_id().as_uuid())
                .bind(state.as_str())
                .bind((state == DeliveryState::Sent).then_some(now.0))
                .bind(in_digest);
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            sql.run().await?;
        }
        if state == DeliveryState::Sent {
            let digest = if in_digest { ", digest_at = $3" } else { "" };
            let text = format!(
                "UPDATE handoff_channels SET sent_at = $3, error = NULL{digest} WHERE agency_id = $1 AND id = $2"
            );
            self.store
                .within(&tx, text)
                .bind(self.agency_id().as_uuid())
                .bind(channel.as_uuid())
                .bind(now.0)
                .run()
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Records that deliveries failed: they are tried again at `retry_at`, or given up when that is `None`. What was
    /// closed meanwhile stays closed.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn fail_deliveries(
        &self,
        channel: ChannelId,
        ids: &[DeliveryId],
        error: &str,
        now: Timestamp,
        retry_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let state = if retry_at.is_some() { DeliveryState::Waiting } else { DeliveryState::Dead };
        let tx = self.store.begin_write().await?;
        for ids in ids.chunks(500) {
            let mut sql = self
                .store
                .within(
                    &tx,
                    "UPDATE handoff_outbox SET state = $2, run_at = $3, attempts = attempts + 1, error = $4
                     WHERE agency_id = $1 AND state = 'waiting' AND id IN (",
                )
                .bind(self.agency_id().as_uuid())
                .bind(state.as_str())
                .bind(retry_at.unwrap_or(now).0)
                .bind(error.to_owned());
            sql.push_list(ids.iter().map(|id| id.as_uuid().into()));
            sql.push(")");
            sql.run().await?;
        }
        self.store
            .within(&tx, "UPDATE handoff_channels SET error = $3, failed_at = $4 WHERE agency_id = $1 AND id = $2")
            .bind(self.agency_id().as_uuid())
            .bind(channel.as_uuid())
            .bind(error.to_owned())
            .bind(now.0)
            .run()
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lets go of a channel that was claimed.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn release_channel(&self, id: ChannelId) -> Result<(), StoreError> {
        let text = "UPDATE handoff_channels SET lease_until = NULL WHERE agency_id = $1 AND id = $2";
        self.write(text).bind(id.as_uuid()).run().await.map(|_| ())
    }
}

const OUTBOX_COLUMNS: &[&str] = &[
    "agency_id",
    "id",
    "channel_id",
    "exception_id",
    "state",
    "run_at",
    "attempts",
    "created_at",
    "is_test",
    "in_digest",
];
