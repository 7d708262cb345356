//! Clients.

pub(crate) mod get;
pub(crate) mod list;

use serde::Serialize;
use steward_core::clients::Client;
use steward_core::people::Role;
use utoipa::ToSchema;

/// A business that the agency works for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub(crate) struct ClientJson {
    /// Its id.
    #[schema(example = "cl_01930000000070008000000000000001")]
    id: String,
    /// Its name.
    name: String,
    /// The currency in which its values stand.
    #[schema(example = "EUR")]
    currency: String,
    /// How many units of its currency one US dollar costs. Null for who sees no money.
    units_per_usd: Option<f64>,
    /// Its time zone, by IANA name; empty when it is the agency's.
    time_zone: String,
    /// What it pays a month, in billionths of a unit of its currency. Null when nothing is agreed, and for who sees no money.
    retainer_nanos: Option<i64>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was put away.
    #[schema(format = DateTime)]
    archived_at: Option<String>,
}

impl ClientJson {
    fn of(client: Client, role: Role) -> Self {
        Self {
            id: client.id.to_string(),
            name: client.name,
            currency: client.settings.currency.code().to_owned(),
            units_per_usd: role.sees_money().then_some(client.settings.units_per_usd),
            time_zone: client.settings.time_zone,
            retainer_nanos: client.settings.retainer_nanos.map(|nanos| nanos.0),
            created_at: client.created_at.rfc3339(),
            archived_at: client.archived_at.map(|at| at.rfc3339()),
        }
    }
}
