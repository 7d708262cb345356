//! Handing over, of all agencies: links found by their token, and channels claimed when they have something to send.

use steward_core::ids::AgencyId;
use steward_core::time::{DAY_MICROS, Timestamp};
use uuid::Uuid;

use crate::tenant::handoff::{CHANNEL_COLUMNS, LINK_COLUMNS, read_channel, read_link};
use crate::tenant::{Channel, HandoffLink};
use crate::{Store, StoreError};

/// Days that deliveries and links are kept once they are over: until then a link says that it has ended.
const KEPT_DAYS: i64 = 90;

impl Store {
    /// Finds a link by the hash of its token, also one that has ended. `None` when it is unknown.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_handoff_link_by_token(
        &self,
        token_hash: &[u8],
    ) -> Result<Option<(AgencyId, HandoffLink)>, StoreError> {
        let text = format!("SELECT {LINK_COLUMNS}, agency_id FROM handoff_links WHERE token_hash = $1");
        let row = self.read(text).bind(token_hash.to_vec()).first().await?;
        row.map(|mut row| {
            let link = read_link(&mut row)?;
            Ok((AgencyId::from_uuid(row.take()?), link))
        })
        .transpose()
    }

    /// Claims a channel that has something to send, until an instant. `None` when none has, or another process was
    /// first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn claim_channel(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<(AgencyId, Channel)>, StoreError> {
        let text = "SELECT o.agency_id, o.channel_id FROM handoff_outbox o
                    JOIN handoff_channels c ON c.agency_id = o.agency_id AND c.id = o.channel_id
                    WHERE o.state = 'waiting' AND o.run_at <= $1 AND c.paused_at IS NULL
                      AND (c.lease_until IS NULL OR c.lease_until < $1)
                    ORDER BY o.run_at LIMIT 1";
        let Some(mut row) = self.read(text).bind(now.0).first().await? else { return Ok(None) };
        let (agency, channel): (Uuid, Uuid) = (row.take()?, row.take()?);
        let text = format!(
            "UPDATE handoff_channels SET lease_until = $4
             WHERE agency_id = $1 AND id = $2 AND (lease_until IS NULL OR lease_until < $3) RETURNING {CHANNEL_COLUMNS}"
        );
        let row = self.write(text).bind(agency).bind(channel).bind(now.0).bind(until.0).first().await?;
        row.map(|mut row| Ok((AgencyId::from_uuid(agency), read_channel(&mut row)?))).transpose()
    }

    /// Forgets deliveries that are over, and links that ended, so long ago that nobody looks for them.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn tidy_handoff(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.0 - KEPT_DAYS * DAY_MICROS;
        self.write("DELETE FROM handoff_outbox WHERE state <> 'waiting' AND created_at < $1")
            .bind(before)
            .run()
            .await?;
        // Answers to exceptions that are gone and never were items are shown nowhere.
        self.write(
            "DELETE FROM handoff_answers WHERE at < $1
             AND NOT EXISTS (SELECT 1 FROM exceptions e
                 WHERE e.agency_id = handoff_answers.agency_id AND e.id = handoff_answers.exception_id)
             AND NOT EXISTS (SELECT 1 FROM queue_items q
                 WHERE q.agency_id = handoff_answers.agency_id AND q.id = handoff_answers.exception_id)",
        )
        .bind(before)
        .run()
        .await?;
        self.write("DELETE FROM handoff_links WHERE expires_at < $1").bind(before).run().await.map(|_| ())
    }
}
