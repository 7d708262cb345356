//! What answers requests: pages, the API, and what agents send. Thin: every handler calls one use case.
//!
//! Nothing here knows SQL or decides a rule. A failure is a [`Problem`] wherever it happens, and one place, the
//! edge, writes it as the asker can read it: a page, a problem document, or OTLP's status.

pub mod api;
pub mod assets;
pub mod caller;
pub mod config;
mod download;
mod edge;
mod error_page;
pub mod extract;
pub mod flash;
mod headers;
mod health;
mod ingest;
mod listen;
mod live;
mod meters;
pub mod pages;
pub mod problem;
mod request_ids;
mod routes;
mod serve;
pub mod session;
mod state;
pub mod view;

pub use config::WebConfig;
pub use problem::Problem;
pub use routes::{Route, Routes, routes};
pub use serve::serve;
pub use state::WebState;

use steward_app::App;

/// Everything that answers over HTTP, over one application.
pub fn router(app: App, config: WebConfig) -> axum::Router {
    let state = WebState::new(app, config);
    edge::around(routes().into_router(), &state).with_state(state)
}
