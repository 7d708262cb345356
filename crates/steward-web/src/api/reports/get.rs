//! `GET /api/v1/reports/{id}`

use axum::extract::State;
use serde::Serialize;
use steward_core::ids::ReportId;
use steward_core::report::ReportDocument;
use utoipa::ToSchema;

use super::ReportJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A report with its document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportDetail)]
pub(crate) struct ReportDetailJson {
    /// What lists show of it.
    report: ReportJson,
    /// The document, from which its page and its PDF are made.
    #[schema(value_type = Object)]
    document: ReportDocument,
}

/// Gets a report with its document.
#[utoipa::path(
    get, path = "/reports/{id}", tag = "reports", operation_id = "get_report",
    params(("id" = String, Path, description = "The report's id", example = "rep_01930000000070008000000000000001")),
    responses(
        (status = 200, body = ReportDetailJson, description = "The report"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.reports.get", skip_all)]
pub(crate) async fn get_report(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ReportId>,
) -> Result<Json<ReportDetailJson>, Problem> {
    let report = state.app.get_report(&actor, id).await?;
    Ok(Json(ReportDetailJson { report: report.row.into(), document: report.document }))
}
