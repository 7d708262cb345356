//! `GET /api/v1/exports/runs.csv`, `.jsonl` and `.parquet`

use axum::extract::State;
use axum::response::Response;
use steward_app::export::ExportFormat;

use crate::api::Binary;
use crate::api::caller::Reader;
use crate::api::runs::list::{RunFilterParams, filter_of};
use crate::download::download;
use crate::extract::{Path, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Exports the runs that a filter finds, the latest first, as one file.
///
/// Every format has the same columns; units stand in their names, times are UTC. Money is left out for who sees none.
#[utoipa::path(
    get, path = "/exports/{file}", tag = "runs", operation_id = "export_runs",
    params(("file" = String, Path, description = "`runs.csv`, `runs.jsonl` or `runs.parquet`", pattern = r"^runs\.(csv|jsonl|parquet)$", example = "runs.csv"), RunFilterParams),
    responses(
        (status = 200, description = "The file", content(
            (String = "text/csv"), (String = "application/jsonl"), (inline(Binary) = "application/vnd.apache.parquet"),
        )),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.exports.runs", skip_all)]
pub(crate) async fn export_runs(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(file): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let format = file.strip_prefix("runs.").and_then(ExportFormat::parse).ok_or_else(|| Problem::no_such("export"))?;
    let filter = filter_of(&state.app, &actor, &pairs, &[]).await?;
    let export = state.app.export_runs(&actor, &filter, format).await?;
    download(export, format, &file).await
}
