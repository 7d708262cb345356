//! `GET /api/v1/prices`

use axum::extract::State;
use serde::Serialize;
use steward_app::prices::ListedPrice;
use steward_core::prices::Price;
use utoipa::ToSchema;

use crate::api::List;
use crate::api::caller::Reader;
use crate::extract::Json;
use crate::problem::ProblemJson;
use crate::{Problem, WebState};

/// A price of a model from a day on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Price)]
pub(crate) struct PriceJson {
    /// Whether it is one of the agency's own, over the built-in ones.
    own: bool,
    /// The model, the provider, the first day, and US dollars for a million tokens of each kind.
    #[schema(value_type = Object)]
    price: Price,
}

impl From<ListedPrice> for PriceJson {
    fn from(listed: ListedPrice) -> Self {
        Self { own: listed.own, price: listed.price }
    }
}

/// Lists the prices in force: the built-in ones, and the agency's own over them.
#[utoipa::path(
    get, path = "/prices", tag = "settings", operation_id = "list_prices",
    responses(
        (status = 200, body = List<PriceJson>, description = "The prices"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.prices.list", skip_all)]
pub(crate) async fn list_prices(
    State(state): State<WebState>,
    Reader(actor): Reader,
) -> Result<Json<List<PriceJson>>, Problem> {
    let prices = state.app.list_prices(&actor).await?;
    Ok(List::of(prices.into_iter().map(PriceJson::from)))
}
