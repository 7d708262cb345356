//! Requests through the router, on both databases.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod api;
mod connections;
mod edge;
mod grpc;
mod handoff;
mod hostile;
mod ingest;
mod langfuse;
mod logs;
mod mistakes;
mod patterns;
mod payload;
mod privacy;
mod queue;
mod review_pages;
mod sampling;
mod sending;
mod sessions;
mod set_aside;
mod slow;
mod unmapped;
mod walk;
