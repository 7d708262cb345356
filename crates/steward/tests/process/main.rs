//! The program as a process: killed, on a full disk, and over a database that is locked or does not answer.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod full_disk;
mod house;
mod kill;
mod load;
mod locked;
mod outage;
mod queue;
mod server;
