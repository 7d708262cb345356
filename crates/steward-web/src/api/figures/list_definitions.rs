//! `GET /api/v1/definitions`

use serde::Serialize;
use steward_core::metrics::{DEFINITIONS, Definition};
use utoipa::ToSchema;

use crate::api::List;
use crate::api::caller::Reader;
use crate::api::words::{GoodWord, UnitWord};
use crate::extract::Json;
use crate::problem::ProblemJson;

/// A metric's definition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Definition)]
pub(crate) struct DefinitionJson {
    /// Its stable name.
    #[schema(example = "completion_rate")]
    id: &'static str,
    /// Its name as people read it.
    name: &'static str,
    /// What it is.
    definition: &'static str,
    /// In what it is measured.
    unit: UnitWord,
    /// Which direction is good.
    good: GoodWord,
}

impl From<&Definition> for DefinitionJson {
    fn from(of: &Definition) -> Self {
        Self { id: of.id, name: of.name, definition: of.definition, unit: of.unit.into(), good: of.good.into() }
    }
}

/// Lists the definitions of all metrics.
#[utoipa::path(
    get, path = "/definitions", tag = "figures", operation_id = "list_definitions",
    responses(
        (status = 200, body = List<DefinitionJson>, description = "The definitions"),
        (status = "default", body = ProblemJson, content_type = "application/problem+json", description = "What went wrong"),
    )
)]
#[tracing::instrument(name = "api.figures.list_definitions", skip_all)]
pub(crate) async fn list_definitions(_: Reader) -> Json<List<DefinitionJson>> {
    List::of(DEFINITIONS.iter().map(DefinitionJson::from))
}
