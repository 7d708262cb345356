//! Runs as a file that is made while it is sent, so that one of any size takes little memory.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use steward_app::AppError;
use steward_app::export::{ExportFormat, RunExport};
use steward_app::user_data::UserDataExport;

use crate::Problem;

/// Sends an export under a file name.
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
                let n_runs = export.n_runs();
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    runs = n_runs,
                    "an export broke off after {n_runs} runs"
                );
                Some((Err(error), None))
            }
        }
    });
    let first = stream::once(async move { Ok::<_, AppError>(Bytes::from(first)) });
    // Compression asks once more behind the end, and an unfused stream panics then.
    let body = Body::from_stream(first.chain(rest).fuse());
    let disposition = format!("attachment; filename=\"{file}\"");
    Ok(([(CONTENT_TYPE, format.media_type().to_owned()), (CONTENT_DISPOSITION, disposition)], body).into_response())
}

/// Sends one end user's data as a file.
///
/// # Errors
///
/// When not even its beginning can be made. What fails later breaks the file off, so that nobody takes it for whole.
pub(crate) async fn download_user_data(mut export: UserDataExport) -> Result<Response, Problem> {
    let first = export.next_chunk().await?.unwrap_or_default();
    let rest = stream::unfold(Some(export), |export| async move {
        let mut export = export?;
        match export.next_chunk().await {
            Ok(Some(chunk)) => Some((Ok(Bytes::from(chunk)), Some(export))),
            Ok(None) => None,
            Err(error) => {
                let error_source = &error as &dyn std::error::Error;
                tracing::error!(error = error_source, "an export of one end user's data broke off");
                Some((Err(error), None))
            }
        }
    });
    let first = stream::once(async move { Ok::<_, AppError>(Bytes::from(first)) });
    let body = Body::from_stream(first.chain(rest).fuse());
    let told = [(CONTENT_TYPE, "application/json"), (CONTENT_DISPOSITION, "attachment; filename=\"user-data.json\"")];
    Ok((told, body).into_response())
}
