//! `GET /api/v1/clients`

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ClientJson;
use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::{Json, Query};
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// Which clients are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Those that were put away, too.
    #[serde(default)]
    archived: bool,
}

/// Lists clients by name.
#[utoipa::path(
    get, path = "/clients", tag = "clients", operation_id = "list_clients", params(ListQuery),
    responses(
        (status = 200, body = List<ClientJson>, description = "The clients that you may see"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.clients.list", skip_all)]
pub(crate) async fn list_clients(
    State(state): State<WebState>,
    Reader(actor): Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<ClientJson>>, Problem> {
    let clients = state.app.visible_clients(&actor, query.archived).await?;
    Ok(List::of(clients.into_iter().map(|client| ClientJson::of(client, actor.role))))
}
