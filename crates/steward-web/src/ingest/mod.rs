//! What agents and platforms send: OTLP over HTTP and gRPC, Langfuse's own interface, native runs, webhooks, and signs of
//! life.
//!
//! Invariant: nothing is answered with success before it is on disk. A sender learns what it did wrong in a sentence,
//! in the encoding that it speaks, and always may try again.

mod body;
pub(crate) mod grpc;
mod hooks;
mod key;
mod langfuse;
mod mistaken;
mod otlp;
mod runs;
mod signals;
mod status;

pub(crate) use key::{find_scope, find_sender, key_in};
pub(crate) use langfuse::error as langfuse_error;
pub(crate) use mistaken::address as mistaken_address;
pub(crate) use status::{Encoding, status, words};

use crate::Routes;

/// Every address that agents send to over HTTP.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .post("/v1/traces", otlp::take_in_traces)
        .post("/v1/logs", otlp::take_in_logs)
        .post("/v1/metrics", signals::refuse_metrics)
        .post("/api/public/otel/v1/traces", otlp::take_in_traces)
        .post("/api/public/otel/v1/logs", otlp::take_in_logs)
        .post("/api/public/otel/v1/metrics", signals::refuse_metrics)
        .post("/api/public/ingestion", langfuse::take_in_batch)
        .post("/api/public/scores", langfuse::take_in_scores)
        .get("/api/public/health", langfuse::health)
        .get("/api/public/ready", langfuse::health)
        .get("/api/public/projects", langfuse::list_projects)
        .get("/api/public/v2/prompts/{name}", langfuse::find_prompt)
        .post("/v1/runs", runs::take_in_runs)
        .post("/v1/hooks/{platform}/{token}", hooks::take_in_hook)
        .get("/v1/beat/{token}", hooks::take_in_beat)
        .post("/v1/beat/{token}", hooks::take_in_beat)
}

/// Whether errors at an address are told as OTLP tells them.
pub(crate) fn speaks_otlp(path: &str) -> bool {
    ["/traces", "/logs", "/metrics", "/trace", "/v1/spans"].iter().any(|end| path.ends_with(end))
}

/// Whether errors at an address are told as Langfuse's interface tells them.
pub(crate) fn speaks_langfuse(path: &str) -> bool {
    path.starts_with("/api/public/") && !speaks_otlp(path)
}
