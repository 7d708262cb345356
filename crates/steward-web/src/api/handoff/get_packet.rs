//! `GET /api/v1/exceptions/{id}/packet`

use axum::extract::State;
use steward_core::ids::ExceptionId;

use super::PacketJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets the handoff packet of an exception.
#[utoipa::path(
    get, path = "/exceptions/{id}/packet", tag = "exceptions", operation_id = "get_packet",
    params(("id" = String, Path, description = "The exception's id", example = "exc_01930000000080008000000000000001")),
    responses(
        (status = 200, body = PacketJson, description = "The packet"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.handoff.get_packet", skip_all)]
pub(crate) async fn get_packet(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ExceptionId>,
) -> Result<Json<PacketJson>, Problem> {
    Ok(Json(state.app.get_packet(&actor, id).await?.into()))
}
