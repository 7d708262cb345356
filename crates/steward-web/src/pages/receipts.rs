//! Receipts: from a code in a report to exactly the runs behind a figure.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use steward_app::run_query::RunQuery;
use steward_core::ids::ReportId;

use crate::extract::Path;
use crate::problem::PageError;
use crate::session::SignedIn;
use crate::{Problem, Routes, WebState};

/// Where receipts lead.
pub(crate) fn routes() -> Routes {
    Routes::new().get("/r/{report}/{code}", open)
}

async fn open(
    State(state): State<WebState>,
    who: SignedIn,
    Path((report, code)): Path<(ReportId, String)>,
) -> Result<Response, PageError> {
    let filter = state.app.receipt_filter(&who.actor, report, &code).await?;
    let zone = state.app.get_agency(&who.actor).await?.zone();
    let query = RunQuery { filter, ..RunQuery::default() }.write(&zone);
    // The address may name many workflows, so it is longer than those that a form may lead to.
    let path = HeaderValue::from_str(&format!("/runs?{query}")).map_err(|_| Problem::no_such("receipt"))?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response())
}
