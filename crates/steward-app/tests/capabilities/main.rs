//! What people and programs may do, and what they get: sign-in, people, keys, clients, workflows, prices, files, handing over.

#![expect(clippy::expect_used, reason = "in tests a panic is the report, in their helpers too")]

mod agencies;
mod connections;
mod export;
mod handoff;
mod hook_privacy;
mod import;
mod keys;
mod people;
mod prices;
mod queue;
mod runs;
mod sampling;
mod sign_in;
mod workflows;
mod world;
