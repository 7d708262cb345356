//! `GET /api/v1/reports/{id}/document.pdf`

use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use steward_core::ids::ReportId;

use crate::api::Binary;
use crate::api::caller::Reader;
use crate::extract::Path;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets a report as PDF.
#[utoipa::path(
    get, path = "/reports/{id}/document.pdf", tag = "reports", operation_id = "get_report_pdf",
    params(("id" = String, Path, description = "The report's id", example = "rep_01930000000070008000000000000001")),
    responses(
        (status = 200, body = inline(Binary), content_type = "application/pdf", description = "The document"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.reports.get_pdf", skip_all)]
pub(crate) async fn get_report_pdf(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ReportId>,
) -> Result<Response, Problem> {
    let pdf = state.app.report_pdf(&actor, id).await?;
    let name = format!("inline; filename=\"{id}.pdf\"");
    Ok(([(CONTENT_TYPE, "application/pdf".to_owned()), (CONTENT_DISPOSITION, name)], pdf).into_response())
}
