//! Agencies.

use steward_core::clients::Agency;

use crate::tenant::agency::{agency_settings, read_agency};
use crate::{Store, StoreError};

impl Store {
    /// Lists all agencies, oldest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_agencies(&self) -> Result<Vec<Agency>, StoreError> {
        let rows =
            self.read("SELECT id, name, settings, created_at FROM agencies ORDER BY created_at, id").all().await?;
        rows.into_iter().map(read_agency).collect()
    }

    /// Creates an agency.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when there is one of this id.
    pub async fn create_agency(&self, agency: &Agency) -> Result<(), StoreError> {
        self.write("INSERT INTO agencies (id, name, settings, created_at) VALUES ($1, $2, $3, $4)")
            .bind(agency.id.as_uuid())
            .bind(agency.name.clone())
            .bind(agency_settings(agency))
            .bind(agency.created_at.0)
            .run()
            .await
            .map(|_| ())
    }
}
