//! `GET /api/v1/privacy`

use axum::extract::State;

use super::PrivacyJson;
use crate::api::caller::Reader;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets what the agency keeps of what was said. A workflow's own choice stands in its settings.
#[utoipa::path(
    get, path = "/privacy", tag = "settings", operation_id = "get_privacy",
    responses(
        (status = 200, body = PrivacyJson, description = "What is kept"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.privacy.get", skip_all)]
pub(crate) async fn get_privacy(
    State(state): State<WebState>,
    Reader(actor): Reader,
) -> Result<Json<PrivacyJson>, Problem> {
    actor.must_operate()?;
    Ok(Json(state.app.get_agency(&actor).await?.privacy.into()))
}
