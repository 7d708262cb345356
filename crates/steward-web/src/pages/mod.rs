//! Pages for people, one folder or file a room.

use crate::Routes;

/// Every page, and what its forms post to.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
}
