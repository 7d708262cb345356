//! What agents and platforms send: OTLP over HTTP and gRPC, native runs, webhooks, and signs of life.
//!
//! Invariant: nothing is answered with success before it is on disk. A sender learns what it did wrong in a sentence,
//! in the encoding that it speaks, and always may try again.

mod body;
pub(crate) mod grpc;
mod hooks;
mod key;
mod mistaken;
mod otlp;
mod protobuf;
mod runs;
mod signals;
mod status;
mod weight;

pub(crate) use key::{find_scope, find_sender, key_in};
pub(crate) use mistaken::address as mistaken_address;
pub(crate) use status::{Encoding, status, words};

use crate::Routes;

/// Every address that agents send to over HTTP.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .post("/v1/traces", otlp::take_in_traces)
        .post("/v1/logs", signals::refuse_logs)
        .post("/v1/metrics", signals::refuse_metrics)
        .post("/api/public/otel/v1/traces", otlp::take_in_traces)
        .post("/api/public/otel/v1/logs", signals::refuse_logs)
        .post("/api/public/otel/v1/metrics", signals::refuse_metrics)
        .post("/v1/runs", runs::take_in_runs)
        .post("/v1/hooks/{platform}/{token}", hooks::take_in_hook)
        .get("/v1/beat/{token}", hooks::take_in_beat)
        .post("/v1/beat/{token}", hooks::take_in_beat)
}

/// Whether errors at an address are told as OTLP tells them.
pub(crate) fn speaks_otlp(path: &str) -> bool {
    ["/traces", "/logs", "/metrics", "/trace", "/v1/spans"].iter().any(|end| path.ends_with(end))
}
