//! The runs of a list as files, streamed: whatever the list shows, the file holds.

use axum::extract::State;
use axum::response::Response;
use steward_app::export::ExportFormat;

use crate::download::download;
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
    let file = format!("runs-{day}.{}", format.as_str());
    Ok(download(export, format, &file).await?)
}
