//! `POST /api/v1/user-data/export`

use axum::extract::State;
use axum::response::Response;

use super::EndUser;
use crate::api::caller::Writer;
use crate::download::download_user_data;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Hands out all runs of one end user with what was said in them, as one JSON document. It is recorded.
#[utoipa::path(
    post, path = "/user-data/export", tag = "settings", operation_id = "export_user_data",
    request_body = EndUser,
    security(("session" = [])),
    responses(
        (status = 200, description = "`made_at`, and `runs` with their steps", content((String = "application/json"))),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.user_data.export", skip_all)]
pub(crate) async fn export_user_data(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Json(user): Json<EndUser>,
) -> Result<Response, Problem> {
    let export = state.app.export_user_data(&actor, &user.user_id, user.client()?).await?;
    download_user_data(export).await
}
