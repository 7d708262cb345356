//! Requests through the router, on both databases.

mod api;
mod edge;
mod grpc;
mod hostile;
mod ingest;
mod payload;
mod sessions;
mod walk;
