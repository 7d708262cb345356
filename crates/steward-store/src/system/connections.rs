//! Connections of all agencies: found by their address, and claimed when their platform is to be asked.

use steward_core::ids::AgencyId;
use steward_core::time::Timestamp;

use crate::tenant::Connection;
use crate::tenant::connections::{COLUMNS, read_connection};
use crate::{Store, StoreError};

impl Store {
    /// Finds a connection by the hash of its address's token. `None` when it is unknown.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_connection_by_token(
        &self,
        token_hash: &[u8],
    ) -> Result<Option<(AgencyId, Connection)>, StoreError> {
        let text = format!("SELECT {COLUMNS}, agency_id FROM connections WHERE token_hash = $1");
        let row = self.read(text).bind(token_hash.to_vec()).first().await?;
        row.map(|mut row| {
            let connection = read_connection(&mut row)?;
            Ok((AgencyId::from_uuid(row.take()?), connection))
        })
        .transpose()
    }

    /// Claims a connection whose platform is to be asked, until an instant. `None` when none is due, or another
    /// process was first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn claim_poll(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<(AgencyId, Connection)>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS}, agency_id FROM connections WHERE next_poll_at <= $1 ORDER BY next_poll_at, id LIMIT 1"
        );
        let Some(mut row) = self.read(text).bind(now.0).first().await? else { return Ok(None) };
        let connection = read_connection(&mut row)?;
        let agency_id = AgencyId::from_uuid(row.take()?);
        let was = connection.poll.next_at.unwrap_or(now);
        let claimed = self
            .write("UPDATE connections SET next_poll_at = $4 WHERE agency_id = $1 AND id = $2 AND next_poll_at = $3")
            .bind(agency_id.as_uuid())
            .bind(connection.id.as_uuid())
            .bind(was.0)
            .bind(until.0)
            .run()
            .await?;
        Ok((claimed == 1).then_some((agency_id, connection)))
    }
}
