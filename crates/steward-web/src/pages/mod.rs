//! Pages for people, one folder or file a room.

mod around;
mod client;
mod clients;
mod receipts;
mod reports;
mod set_up;
mod settings;
mod sign_in;
mod today;

use crate::Routes;

/// Every page, and what its forms post to.
#[must_use]
pub fn routes() -> Routes {
    Routes::new()
        .merge(sign_in::routes())
        .merge(set_up::routes())
        .merge(today::routes())
        .merge(clients::routes())
        .merge(client::routes())
        .merge(reports::routes())
        .merge(receipts::routes())
        .merge(settings::routes())
}
