//! Grouping of messages: accuracy on real logs and tool errors, rate on one core, memory at ten million messages.
//!
//! The measuring is an example of `steward-patterns`, so that it can be run without anything of the rest.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;

/// Measures the grouping of messages.
#[derive(Debug, Args)]
pub struct Patterns {
    /// The folder of the real data; what is missing in it is left out and said so.
    #[arg(long, value_name = "FOLDER", default_value = "../shared/data")]
    data: PathBuf,
    /// Also shows what came out otherwise than the sources of the messages say.
    #[arg(long)]
    wrong: bool,
}

impl Patterns {
    pub fn run(self) -> anyhow::Result<()> {
        let mut example = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        example.args(["run", "--quiet", "--release", "-p", "steward-patterns", "--example", "accuracy", "--"]);
        example.arg(&self.data);
        if self.wrong {
            example.arg("--wrong");
        }
        let status = example.status().context("cargo did not start: run this in the repository")?;
        if !status.success() {
            bail!("the example accuracy of steward-patterns failed");
        }
        Ok(())
    }
}
