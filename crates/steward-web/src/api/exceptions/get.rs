//! `GET /api/v1/exceptions/{id}`

use axum::extract::State;
use steward_core::ids::ExceptionId;

use super::ExceptionJson;
use crate::api::caller::Reader;
use crate::extract::{Json, Path};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Gets an exception.
#[utoipa::path(
    get, path = "/exceptions/{id}", tag = "exceptions", operation_id = "get_exception",
    params(("id" = String, Path, description = "The exception's id", example = "exc_01930000000080008000000000000001")),
    responses(
        (status = 200, body = ExceptionJson, description = "The exception"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.exceptions.get", skip_all)]
pub(crate) async fn get_exception(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Path(id): Path<ExceptionId>,
) -> Result<Json<ExceptionJson>, Problem> {
    Ok(Json(state.app.get_exception(&actor, id).await?.into()))
}
