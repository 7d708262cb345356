//! Numbers over streams: log-scaled histograms, intervals of shares, and where a queue is going.
//!
//! This crate knows nothing of agents, of storage or of time: numbers in, numbers out, and no dependencies.

pub mod forecast;
pub mod histogram;
pub mod intervals;
