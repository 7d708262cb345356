//! `POST /api/v1/user-data/export`

use axum::extract::State;
use axum::response::Response;

use super::EndUser;
use crate::api::caller::Writer;
use crate::download::download_user_data;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// One end user's data, as it is handed out: written run by run, and never in memory as a whole.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = UserData)]
#[expect(dead_code, reason = "it describes what is written piece by piece")]
pub(crate) struct UserDataJson {
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Their runs, with what each came to, its steps and its verdicts.
    #[schema(value_type = Vec<Object>)]
    runs: Vec<serde_json::Value>,
}

/// Hands out all runs of one end user with what was said in them, as one JSON document. It is recorded.
#[utoipa::path(
    post, path = "/user-data/export", tag = "settings", operation_id = "export_user_data",
    request_body = EndUser,
    security(("session" = [])),
    responses(
        (status = 200, body = UserDataJson, description = "What there is of the end user"),
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
