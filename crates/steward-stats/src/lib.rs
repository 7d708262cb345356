//! Numbers over streams: log-scaled histograms and intervals of shares.
//!
//! This crate knows nothing of agents, of storage or of time: numbers in, numbers out, and no dependencies.

pub mod histogram;
pub mod intervals;
