//! The runs of a list as files, streamed: whatever the list shows, the file holds.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use steward_app::export::{ExportFormat, RunExport};

use crate::problem::PageError;
use crate::{Routes, WebState};

use super::around::Visit;
use super::runs::asked;

/// The files.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/runs.csv", csv).get("/runs.jsonl", jsonl).get("/runs.parquet", parquet)
}

async fn csv(State(state): State<WebState>, visit: Visit) -> Result<Response, PageError> {
    export(&state, &visit, ExportFormat::Csv).await
}

async fn jsonl(State(state): State<WebState>, visit: Visit) -> Result<Response, PageError> {
    export(&state, &visit, ExportFormat::Jsonl).await
}

async fn parquet(State(state): State<WebState>, visit: Visit) -> Result<Response, PageError> {
    export(&state, &visit, ExportFormat::Parquet).await
}

async fn export(state: &WebState, visit: &Visit, format: ExportFormat) -> Result<Response, PageError> {
    let asked = asked(state, visit).await?;
    let export = state.app.export_runs(&visit.who.actor, &asked.filter, format).await?;
    let day = visit.now.to_jiff().to_zoned(visit.zone.clone()).date();
    let headers = [
        (CONTENT_TYPE, format.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"runs-{day}.{}\"", format.as_str())),
        (CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    let chunks = unfold(Some(export), |export: Option<RunExport>| async move {
        let mut export = export?;
        match export.next_chunk().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(export))),
            Ok(None) => None,
            // The connection is cut, so that nobody takes half a file for the whole.
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    runs = export.n_runs(),
                    "an export broke off"
                );
                Some((Err(std::io::Error::other("the export broke off")), None))
            }
        }
    });
    Ok((headers, Body::from_stream(chunks)).into_response())
}
