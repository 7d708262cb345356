//! The agency itself, its own prices, and what was done by whom.

use sea_orm::Value;
use serde::{Deserialize, Serialize};
use steward_core::clients::{Agency, Brand};
use steward_core::ids::AgencyId;
use steward_core::money::{Currency, Nanos};
use steward_core::prices::Price;
use steward_core::privacy::Privacy;
use steward_core::time::Timestamp;
use uuid::Uuid;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

/// What of an agency is kept as one JSON text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AgencySettings {
    time_zone: String,
    reviewer_rate_nanos: Nanos,
    currency: Currency,
    brand: Brand,
    #[serde(default)]
    privacy: Privacy,
}

/// One thing that was done, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who, by name.
    pub person: String,
    /// What: `key.create`.
    pub action: String,
    /// To what: an id.
    pub object: String,
    /// The rest, in words.
    pub details: String,
}

pub(crate) fn agency_settings(agency: &Agency) -> String {
    let settings = AgencySettings {
        time_zone: agency.time_zone.clone(),
        reviewer_rate_nanos: agency.reviewer_rate_nanos,
        currency: agency.currency,
        brand: agency.brand.clone(),
        privacy: agency.privacy.clone(),
    };
    serde_json::to_string(&settings).unwrap_or_default()
}

pub(crate) fn read_agency(mut row: Row) -> Result<Agency, StoreError> {
    let id = AgencyId::from_uuid(row.take()?);
    let name = row.take()?;
    let settings: AgencySettings = row.take_json("agencies", "settings")?;
    Ok(Agency {
        id,
        name,
        time_zone: settings.time_zone,
        reviewer_rate_nanos: settings.reviewer_rate_nanos,
        currency: settings.currency,
        brand: settings.brand,
        privacy: settings.privacy,
        created_at: Timestamp(row.take()?),
    })
}

impl AgencyStore {
    /// Gets the agency. `None` when it is gone.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_agency(&self) -> Result<Option<Agency>, StoreError> {
        let row = self.read("SELECT id, name, settings, created_at FROM agencies WHERE id = $1").first().await?;
        row.map(read_agency).transpose()
    }

    /// Updates the agency's name and settings.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_agency(&self, agency: &Agency) -> Result<(), StoreError> {
        self.write("UPDATE agencies SET name = $2, settings = $3 WHERE id = $1")
            .bind(agency.name.clone())
            .bind(agency_settings(agency))
            .run()
            .await
            .map(|_| ())
    }

    /// The agency's own prices; empty when it has none.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn list_prices(&self) -> Result<Vec<Price>, StoreError> {
        match self.read("SELECT entries FROM prices WHERE agency_id = $1").first().await? {
            Some(mut row) => row.take_json("prices", "entries"),
            None => Ok(Vec::new()),
        }
    }

    /// Replaces the agency's own prices.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_prices(&self, prices: &[Price], now: Timestamp) -> Result<(), StoreError> {
        let entries = serde_json::to_string(prices).unwrap_or_default();
        self.write(
            "INSERT INTO prices (agency_id, entries, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (agency_id) DO UPDATE SET entries = excluded.entries, changed_at = excluded.changed_at",
        )
        .bind(entries)
        .bind(now.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Records what somebody did.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn record_audit(&self, id: Uuid, entry: &AuditEntry) -> Result<(), StoreError> {
        let values: [Value; 6] = [
            id.into(),
            entry.at.0.into(),
            entry.person.clone().into(),
            entry.action.clone().into(),
            entry.object.clone().into(),
            entry.details.clone().into(),
        ];
        self.write("INSERT INTO audit (agency_id, id, at, person, action, object, details) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind_all(values)
            .run()
            .await
            .map(|_| ())
    }

    /// What was done lately, newest first.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn list_audit(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        let rows = self
            .read(
                "SELECT at, person, action, object, details FROM audit WHERE agency_id = $1 ORDER BY id DESC LIMIT $2",
            )
            .bind(limit)
            .all()
            .await?;
        rows.into_iter()
            .map(|mut row| {
                Ok(AuditEntry {
                    at: Timestamp(row.take()?),
                    person: row.take()?,
                    action: row.take()?,
                    object: row.take()?,
                    details: row.take()?,
                })
            })
            .collect()
    }
}
