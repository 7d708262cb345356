//! One end user's data. Their id stands in the body and not in the address, which logs keep.

pub(crate) mod delete;
pub(crate) mod export;

use serde::Deserialize;
use steward_core::ids::ClientId;
use utoipa::ToSchema;

use crate::Problem;

/// Whose data.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndUser {
    /// The end user, by the id that senders give them.
    #[schema(min_length = 1, max_length = 1000)]
    user_id: String,
    /// Only in the runs of this client; null is all.
    client_id: Option<String>,
}

impl EndUser {
    fn client(&self) -> Result<Option<ClientId>, Problem> {
        self.client_id.as_deref().map(|id| id.parse().map_err(|_| Problem::no_such("client"))).transpose()
    }
}
