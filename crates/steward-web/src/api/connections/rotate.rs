//! `POST /api/v1/connections/{id}/rotate`

use axum::extract::State;
use serde::Deserialize;
use steward_core::ids::ConnectionId;
use utoipa::ToSchema;

use super::{MadeConnectionJson, secret};
use crate::api::caller::Writer;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// What is to be valid next.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextSecret {
    /// What its platform signs with from now on, where it brings its own; null makes one where it takes one.
    secret: Option<String>,
    /// Whether what was valid before is refused at once. If not, a secret stays valid for a day, a key until the next change.
    #[serde(default)]
    refuse_old: bool,
}

/// Changes a connection's secret or key. The secret before stays valid for a day, a key until the next change.
#[utoipa::path(
    post, path = "/connections/{id}/rotate", tag = "workflows", operation_id = "rotate_connection",
    params(("id" = String, Path, description = "The connection's id", example = "con_01930000000070008000000000000001")),
    request_body = NextSecret,
    security(("session" = [])),
    responses(
        (status = 200, body = MadeConnectionJson, description = "The connection, with what is shown once"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.connections.rotate", skip_all)]
pub(crate) async fn rotate_connection(
    State(state): State<WebState>,
    Writer(actor): Writer,
    Path(id): Path<ConnectionId>,
    Json(next): Json<NextSecret>,
) -> Result<Json<MadeConnectionJson>, Problem> {
    Ok(Json(state.app.rotate_connection(&actor, id, secret(next.secret), next.refuse_old).await?.into()))
}
