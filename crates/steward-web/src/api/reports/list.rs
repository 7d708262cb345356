//! `GET /api/v1/reports`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::ClientId;
use utoipa::IntoParams;

use super::ReportJson;
use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Which reports are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only this client's.
    #[param(value_type = Option<String>, pattern = "^cl_[0-9a-f]{32}$")]
    client: Option<ClientId>,
}

/// Lists reports, the newest month and revision first.
#[utoipa::path(
    get, path = "/reports", tag = "reports", operation_id = "list_reports", params(ListQuery),
    responses(
        (status = 200, body = List<ReportJson>, description = "The reports"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.reports.list", skip_all)]
pub(crate) async fn list_reports(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<ReportJson>>, Problem> {
    let reports = state.app.list_reports(&actor, query.client).await?;
    Ok(List::of(reports.into_iter().map(ReportJson::from)))
}
