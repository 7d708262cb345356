//! Reports: frozen accounts of a month to a client.

pub(crate) mod get;
pub(crate) mod get_pdf;
pub(crate) mod list;

use serde::Serialize;
use steward_app::reports::ReportSummary;
use utoipa::ToSchema;

use super::words::ReportStateWord;

/// A report as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Report)]
pub(crate) struct ReportJson {
    /// Its id.
    #[schema(example = "rep_01930000000070008000000000000001")]
    id: String,
    /// The client.
    client_id: String,
    /// The client's name.
    client: String,
    /// The month.
    #[schema(example = "2026-10")]
    month: String,
    /// 1 for the first; each correction counts one up.
    revision: i32,
    /// Draft or published.
    state: ReportStateWord,
    /// Whether a later revision has been published.
    superseded: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    changed_at: String,
    /// When it was published.
    #[schema(format = DateTime)]
    published_at: Option<String>,
    /// By whom.
    published_by: Option<String>,
}

impl From<ReportSummary> for ReportJson {
    fn from(report: ReportSummary) -> Self {
        Self {
            id: report.id.to_string(),
            client_id: report.client_id.to_string(),
            client: report.client,
            month: report.month,
            revision: report.revision,
            state: report.state.into(),
            superseded: report.superseded,
            created_at: report.created_at.rfc3339(),
            changed_at: report.changed_at.rfc3339(),
            published_at: report.published_at.map(|at| at.rfc3339()),
            published_by: report.published_by,
        }
    }
}
