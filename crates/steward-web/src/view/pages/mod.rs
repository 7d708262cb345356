//! The pages: a view structure with its template for each. Handlers fill the structures; nothing here loads anything.
//!
//! Fields are plain: components, texts already written by [`super::format`], or types of the core.

pub mod ask;
pub mod client;
pub mod clients;
pub mod connections;
pub mod definitions;
pub mod expectations;
pub mod handoff;
pub mod pattern;
pub mod problem;
pub mod queue;
pub mod report;
pub mod reports;
pub mod review;
pub mod rules;
pub mod run;
pub mod runs;
pub mod sampling;
pub mod set_up;
pub mod settings;
pub mod sign_in;
pub mod today;
pub mod unmapped;
pub mod workflow;
