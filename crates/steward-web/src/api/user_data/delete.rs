//! `POST /api/v1/user-data/delete`

use axum::extract::State;
use serde::Serialize;
use steward_app::user_data::Deleted;
use utoipa::ToSchema;

use super::EndUser;
use crate::api::caller::Writer;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deleted)]
pub(crate) struct DeletedJson {
    /// Runs.
    runs: u64,
    /// Verdicts of people on them, with their comments.
    verdicts: u64,
    /// Reviews of people, with their resolutions and comments.
    reviews: u64,
    /// Raw payloads that held nothing else.
    payloads_dropped: u64,
    /// Raw payloads that hold others' runs too and were written anew.
    payloads_rewritten: u64,
    /// Drafts of reports whose words name the id: somebody should look at them.
    drafts_naming: u64,
}

impl From<Deleted> for DeletedJson {
    fn from(deleted: Deleted) -> Self {
        Self {
            runs: deleted.runs,
            verdicts: deleted.verdicts,
            reviews: deleted.reviews,
            payloads_dropped: deleted.payloads_dropped,
            payloads_rewritten: deleted.payloads_rewritten,
            drafts_naming: deleted.drafts_naming,
        }
    }
}

/// Deletes all runs of one end user, with their part of the raw payloads. Nothing brings them back; it is recorded.
///
/// Figures and published reports stay: they hold sums. Sent again, it deletes what arrived since.
#[utoipa::path(
    post, path = "/user-data/delete", tag = "settings", operation_id = "delete_user_data",
    request_body = EndUser,
    security(("session" = [])),
    responses(
        (status = 200, body = DeletedJson, description = "What was deleted"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.user_data.delete", skip_all)]
pub(crate) async fn delete_user_data(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Json(user): Json<EndUser>,
) -> Result<Json<DeletedJson>, Problem> {
    let deleted = state.app.delete_user_data(&actor, &user.user_id, user.client()?).await?;
    Ok(Json(deleted.into()))
}
