//! The bars of the README, measured: intake with assembly, pages and reports over a million runs, and readiness.
//!
//! Run with `cargo run --release -p steward-bench -- COMMAND`, after `cargo build --release`: what is measured is
//! the program as it is shipped, in a process of its own, over HTTP.

#![expect(unreachable_pub, reason = "a program has no outside: pub marks what a module offers the others")]

mod batch;
mod http;
mod ingest;
mod pages;
mod patterns;
mod queue;
mod server;

use std::path::Path;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "steward-bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Spans a second, acknowledged after commit and assembled into runs and tallies.
    Ingest(ingest::Ingest),
    /// Pages, reports and readiness over a folder of many runs.
    Pages(pages::Pages),
    /// How well, how fast and in how much memory messages are grouped.
    Patterns(patterns::Patterns),
    /// Pages of the queue and bulk reviews over 100,000 open exceptions in 5,000 patterns.
    Queue(queue::Queue),
    /// Writes the batches that `ingest` sends to files, for peers to be fed with the same bytes.
    Batches(batch::Batches),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Ingest(command) => command.run(),
        Command::Pages(command) => command.run(),
        Command::Patterns(command) => command.run(),
        Command::Queue(command) => command.run(),
        Command::Batches(command) => command.run(),
    }
}

/// Prints a line of the table.
#[expect(clippy::print_stdout, reason = "this is what a bench is for")]
pub fn say(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}

/// Writes the figures to a file for programs to read, where one was asked for.
pub fn write_json(path: Option<&Path>, figures: &serde_json::Value) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, format!("{figures:#}\n")).with_context(|| format!("{} cannot be written", path.display()))
}
