//! Runs as files for other programs.

pub(crate) mod runs;
