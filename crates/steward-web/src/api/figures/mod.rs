//! Figures: every metric, calls by tool and model, and what happened on each day.

pub(crate) mod get;
pub(crate) mod list_calls;
pub(crate) mod list_days;
pub(crate) mod list_definitions;
