//! `GET /api/v1/keys`

use axum::extract::State;
use serde::Serialize;
use steward_app::tenant::ApiKey;
use utoipa::ToSchema;

use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// An API key; the key itself was shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyJson {
    /// Its id.
    #[schema(example = "key_01930000000070008000000000000001")]
    id: String,
    /// The one workflow that it sends for; null for a key of the whole agency.
    workflow_id: Option<String>,
    /// What people call it.
    name: String,
    /// Its first characters.
    beginning: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last used, to the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl From<ApiKey> for KeyJson {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            workflow_id: key.workflow_id.map(|id| id.to_string()),
            name: key.name,
            beginning: key.beginning,
            created_at: key.created_at.rfc3339(),
            last_used_at: key.last_used_at.map(|at| at.rfc3339()),
            revoked_at: key.revoked_at.map(|at| at.rfc3339()),
        }
    }
}

/// Lists API keys, the newest first, revoked ones included.
#[utoipa::path(
    get, path = "/keys", tag = "settings", operation_id = "list_keys",
    responses(
        (status = 200, body = List<KeyJson>, description = "The keys"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.keys.list", skip_all)]
pub(crate) async fn list_keys(
    State(state): State<WebState>,
    Reader(actor): Reader,
) -> Result<Json<List<KeyJson>>, Problem> {
    let keys = state.app.list_keys(&actor).await?;
    Ok(List::of(keys.into_iter().map(KeyJson::from)))
}
