//! `steward backup`: a copy of the SQLite database, taken while it is in use.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::config::Config;
use crate::{open, terminal};

/// Copies the SQLite database to a file while it is in use.
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write; it must not exist.
    file: PathBuf,
}

impl Backup {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        if self.file.exists() {
            bail!("{} exists already: choose another name", self.file.display());
        }
        let app = open::open(config).await?;
        if !app.store().is_sqlite() {
            bail!("the database is PostgreSQL: back it up with its own tools, such as pg_dump");
        }
        app.store().copy_to(&self.file.display().to_string()).await?;
        terminal::say(format!(
            "copied to {}; to restore it, put it in a data folder as steward.db",
            self.file.display()
        ));
        if config.secret_key.is_none() && app.count_sealed().await?.0 > 0 {
            terminal::say(
                "it holds secrets of platforms, which open only with the file secret.key of the data folder: \
                 copy that too, to another place",
            );
        }
        Ok(())
    }
}
