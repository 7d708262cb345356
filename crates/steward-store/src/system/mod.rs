//! What belongs to no agency, or is looked up before the agency is known: agencies, sign-in, keys, the inbox's queue, jobs.

mod agencies;
mod connections;
mod handoff;
mod inbox;
mod jobs;
mod sign_in;

pub use inbox::{InboxEntry, InboxKind, InboxRow, NewInboxEntry};
pub use jobs::{Job, JobState};
pub use sign_in::{KeyScope, SessionRow};
