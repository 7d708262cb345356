//! Clients.

use steward_core::clients::Client;
use steward_core::ids::ClientId;
use steward_core::time::Timestamp;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

const COLUMNS: &str = "id, name, settings, created_at, archived_at";

fn read_client(mut row: Row) -> Result<Client, StoreError> {
    Ok(Client {
        id: ClientId::from_uuid(row.take()?),
        name: row.take()?,
        settings: row.take_json("clients", "settings")?,
        created_at: Timestamp(row.take()?),
        archived_at: row.take::<Option<i64>>()?.map(Timestamp),
    })
}

impl AgencyStore {
    /// Lists all clients by name, archived ones included.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_clients(&self) -> Result<Vec<Client>, StoreError> {
        let rows =
            self.read(format!("SELECT {COLUMNS} FROM clients WHERE agency_id = $1 ORDER BY name, id")).all().await?;
        rows.into_iter().map(read_client).collect()
    }

    /// Finds a client. `None` when the agency has no such client.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_client(&self, id: ClientId) -> Result<Option<Client>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM clients WHERE agency_id = $1 AND id = $2");
        self.read(text).bind(id.as_uuid()).first().await?.map(read_client).transpose()
    }

    /// Creates a client.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the agency has a client of this name.
    pub async fn create_client(&self, client: &Client) -> Result<(), StoreError> {
        self.write("INSERT INTO clients (agency_id, id, name, settings, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(client.id.as_uuid())
            .bind(client.name.clone())
            .bind(serde_json::to_string(&client.settings).unwrap_or_default())
            .bind(client.created_at.0)
            .run()
            .await
            .map(|_| ())
    }

    /// Updates a client's name, settings and whether it is archived, which closes what waits to be sent of it. Does nothing
    /// when there is no such client.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when the agency has another client of this name.
    pub async fn update_client(&self, client: &Client) -> Result<(), StoreError> {
        let tx = self.store.begin_write().await?;
        self.store
            .within(
                &tx,
                "UPDATE clients SET name = $3, settings = $4, archived_at = $5 WHERE agency_id = $1 AND id = $2",
            )
            .bind(self.agency_id().as_uuid())
            .bind(client.id.as_uuid())
            .bind(client.name.clone())
            .bind(serde_json::to_string(&client.settings).unwrap_or_default())
            .bind(client.archived_at.map(|at| at.0))
            .run()
            .await?;
        self.close_archived_deliveries(&tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
