//! `GET /api/v1/clients/{id}`

use axum::extract::State;
use steward_core::ids::ClientId;

use super::ClientJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets a client.
#[utoipa::path(
    get, path = "/clients/{id}", tag = "clients", operation_id = "get_client",
    params(("id" = String, Path, description = "The client's id", example = "cl_01930000000070008000000000000001")),
    responses(
        (status = 200, body = ClientJson, description = "The client"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.clients.get", skip_all)]
pub(crate) async fn get_client(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ClientId>,
) -> Result<Json<ClientJson>, Problem> {
    let client = state.app.get_client(&actor, id).await?;
    Ok(Json(ClientJson::of(client, actor.role)))
}
