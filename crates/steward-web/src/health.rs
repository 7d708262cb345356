//! Questions about the program itself: is it there, is it ready, what has it done.
//!
//! They are open: they tell counts and nothing of anybody's.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::WebState;

/// Says that the process answers.
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether requests can be served: the database answers, and the program is not stopping.
pub(crate) async fn readyz(State(state): State<WebState>) -> impl IntoResponse {
    let text = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    if *state.stopping().borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, text, "stopping\n");
    }
    match state.app.store().ping().await {
        Ok(()) => (StatusCode::OK, text, "ready\n"),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, text, "the database does not answer\n")
        }
    }
}

/// Counts in Prometheus's text format.
pub(crate) async fn metrics(State(state): State<WebState>) -> impl IntoResponse {
    let text = state.meters().text(state.app.n_steps_waiting());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
