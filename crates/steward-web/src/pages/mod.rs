//! Pages for people, one folder or file a room.

mod around;
mod channels;
mod client;
mod clients;
mod connections;
mod definitions;
mod exceptions;
mod exports;
mod handoff;
mod queue;
mod receipts;
mod reports;
mod run;
mod runs;
mod set_up;
mod settings;
mod sign_in;
mod today;
mod trial;
mod unmapped;
mod workflow;
mod workflow_expectations;
mod workflow_rules;
mod workflow_sampling;
mod workflow_settings;

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
        .merge(workflow::routes())
        .merge(workflow_settings::routes())
        .merge(workflow_rules::routes())
        .merge(connections::routes())
        .merge(workflow_expectations::routes())
        .merge(workflow_sampling::routes())
        .merge(runs::routes())
        .merge(run::routes())
        .merge(exceptions::routes())
        .merge(queue::routes())
        .merge(handoff::routes())
        .merge(channels::routes())
        .merge(exports::routes())
        .merge(definitions::routes())
        .merge(unmapped::routes())
        .merge(settings::routes())
}
