//! What is true without I/O: ids, time, money, steps, outcomes, rules, prices, runs, tallies and metrics.
//!
//! Nothing here is async, knows SQL or HTTP, reads a clock or draws a random number: callers pass
//! time and ids in, so that the same input always gives the same run and the same figures.

pub mod answer_schema;
pub mod calendar;
pub mod clients;
pub mod connections;
pub mod conversation;
pub mod derive;
pub mod errors;
pub mod exceptions;
pub mod expectations;
pub mod handoff;
pub mod ids;
pub mod metrics;
pub mod money;
pub mod outcome;
pub mod parts;
pub mod patterns;
pub mod people;
pub mod prices;
pub mod privacy;
pub mod queue;
pub mod report;
pub mod reviews;
pub mod rules;
pub mod run;
pub mod sampling;
pub mod step;
pub mod tallies;
pub mod time;
pub mod usage;
pub mod workflow;
