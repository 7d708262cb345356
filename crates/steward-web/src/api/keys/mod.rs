//! API keys.

pub(crate) mod list;
