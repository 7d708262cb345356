//! `steward migrate`: brings the database's schema up to date.

use crate::config::Config;
use crate::{open, terminal};

/// Opening a database migrates it; this does nothing else.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    open::open(config).await?;
    terminal::say("the schema is up to date");
    Ok(())
}
