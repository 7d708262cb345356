//! `GET /api/v1/exports/runs.csv`, `.jsonl` and `.parquet`

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use steward_app::AppError;
use steward_app::export::{ExportFormat, RunExport};

use crate::api::caller::Reader;
use crate::api::runs::list::{RunFilterParams, filter_of};
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
            (String = "text/csv"), (String = "application/jsonl"), (Vec<u8> = "application/vnd.apache.parquet"),
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

/// A file that is made while it is sent.
///
/// # Errors
///
/// When not even its beginning can be made. What fails later breaks the file off, so that nobody takes it for whole.
pub(crate) async fn download(mut export: RunExport, format: ExportFormat, file: &str) -> Result<Response, Problem> {
    let first = export.next_chunk().await?.unwrap_or_default();
    let rest = stream::unfold(Some(export), |export| async move {
        let mut export = export?;
        match export.next_chunk().await {
            Ok(Some(chunk)) => Some((Ok(Bytes::from(chunk)), Some(export))),
            Ok(None) => None,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "an export broke off");
                Some((Err(error), None))
            }
        }
    });
    let first = stream::once(async move { Ok::<_, AppError>(Bytes::from(first)) });
    let body = Body::from_stream(futures::StreamExt::chain(first, rest));
    let told = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((told, body).into_response())
}
