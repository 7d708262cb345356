//! Reports: drafts that operators edit, and publications that never change.

use steward_core::ids::{ClientId, ReportId};
use steward_core::time::Timestamp;

use super::AgencyStore;
use crate::StoreError;
use crate::sql::Row;

/// Whether a report can still be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportState {
    /// It can.
    Draft,
    /// It cannot: a correction is a new revision.
    Published,
}

impl ReportState {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
        }
    }
}

/// A report as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRow {
    /// Its id.
    pub id: ReportId,
    /// The client.
    pub client_id: ClientId,
    /// The month, `2026-10`.
    pub month: String,
    /// 1 for the first; each correction counts one up.
    pub revision: i32,
    /// Draft or published.
    pub state: ReportState,
    /// What the operator wrote, as JSON.
    pub edits: String,
    /// The document as JSON; for a draft as it was last made.
    pub document: String,
    /// The runs behind each receipt as JSON: code to filter.
    pub receipts: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// By whom, by name.
    pub published_by: Option<String>,
}

const COLUMNS: &str = "id, client_id, month, revision, state, edits, document, receipts, created_at, changed_at, published_at, published_by";

fn read_report(mut row: Row) -> Result<ReportRow, StoreError> {
    Ok(ReportRow {
        id: ReportId::from_uuid(row.take()?),
        client_id: ClientId::from_uuid(row.take()?),
        month: row.take()?,
        revision: row.take()?,
        state: match row.take::<String>()?.as_str() {
            "draft" => ReportState::Draft,
            "published" => ReportState::Published,
            _ => return Err(StoreError::Corrupt { table: "reports", column: "state" }),
        },
        edits: row.take()?,
        document: row.take()?,
        receipts: row.take()?,
        created_at: Timestamp(row.take()?),
        changed_at: Timestamp(row.take()?),
        published_at: row.take::<Option<i64>>()?.map(Timestamp),
        published_by: row.take()?,
    })
}

impl AgencyStore {
    /// Lists reports, newest month and revision first, of one client or of all.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or a row is corrupt.
    pub async fn list_reports(&self, client: Option<ClientId>) -> Result<Vec<ReportRow>, StoreError> {
        let mut sql = self.read(format!("SELECT {COLUMNS} FROM reports WHERE agency_id = $1"));
        if let Some(client) = client {
            let client = sql.placeholder(client.as_uuid());
            sql.push(&format!(" AND client_id = {client}"));
        }
        sql.push(" ORDER BY month DESC, client_id, revision DESC");
        sql.all().await?.into_iter().map(read_report).collect()
    }

    /// Finds a report. `None` when the agency has no such report.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer or the row is corrupt.
    pub async fn find_report(&self, id: ReportId) -> Result<Option<ReportRow>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM reports WHERE agency_id = $1 AND id = $2");
        self.read(text).bind(id.as_uuid()).first().await?.map(read_report).transpose()
    }

    /// Creates a draft.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when this client has this revision of the month already.
    pub async fn create_report(&self, report: &ReportRow) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO reports (agency_id, id, client_id, month, revision, state, edits, document, receipts, created_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, $9)",
        )
        .bind(report.id.as_uuid())
        .bind(report.client_id.as_uuid())
        .bind(report.month.clone())
        .bind(report.revision)
        .bind(report.edits.clone())
        .bind(report.document.clone())
        .bind(report.receipts.clone())
        .bind(report.created_at.0)
        .run()
        .await
        .map(|_| ())
    }

    /// Updates a draft. Gives whether there was a draft to update: a published report is never changed.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn update_report(&self, report: &ReportRow) -> Result<bool, StoreError> {
        let changed = self
            .write(
                "UPDATE reports SET edits = $3, document = $4, receipts = $5, changed_at = $6, state = $7, published_at = $8, published_by = $9
                 WHERE agency_id = $1 AND id = $2 AND state = 'draft'",
            )
            .bind(report.id.as_uuid())
            .bind(report.edits.clone())
            .bind(report.document.clone())
            .bind(report.receipts.clone())
            .bind(report.changed_at.0)
            .bind(report.state.as_str())
            .bind(report.published_at.map(|at| at.0))
            .bind(report.published_by.clone())
            .run()
            .await?;
        Ok(changed == 1)
    }

    /// Deletes a draft. Gives whether there was one: a published report is never deleted.
    ///
    /// # Errors
    ///
    /// A [`StoreError`] when the database does not answer.
    pub async fn delete_report_draft(&self, id: ReportId) -> Result<bool, StoreError> {
        let changed = self
            .write("DELETE FROM reports WHERE agency_id = $1 AND id = $2 AND state = 'draft'")
            .bind(id.as_uuid())
            .run()
            .await?;
        Ok(changed == 1)
    }
}
