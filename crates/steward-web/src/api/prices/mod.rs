//! Prices of models.

pub(crate) mod list;
