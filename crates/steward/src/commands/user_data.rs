//! `steward user-data`: one end user's data, to hand out or to delete.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use crate::config::Config;
use crate::{open, terminal};

/// Hands out or deletes the data of one end user.
#[derive(Debug, Args)]
pub struct UserData {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes all runs of one end user with what was said in them, as JSON.
    Export {
        /// The end user, by the id that senders give them.
        user_id: String,
        /// The file to write; without it the standard output.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    /// Deletes all runs of one end user, and their part of the raw payloads. Nothing brings them back.
    Delete {
        /// The end user, by the id that senders give them.
        user_id: String,
        /// Deletes without asking for this word.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        of: Of,
    },
}

#[derive(Debug, Args)]
struct Of {
    /// Only in the runs of this client.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
}

impl UserData {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let app = open::open(config).await?;
        let of = match &self.command {
            Command::Export { of, .. } | Command::Delete { of, .. } => of,
        };
        let agency = open::agency(&app, of.agency.as_deref()).await?;
        let actor = open::owner(&app, &agency).await?;
        let client = match &of.client {
            Some(name) => Some(open::client(&app, &actor, name).await?.id),
            None => None,
        };
        match self.command {
            Command::Export { user_id, out, .. } => {
                let mut export = app.export_user_data(&actor, &user_id, client).await?;
                let mut file: Box<dyn std::io::Write> = match &out {
                    Some(path) => Box::new(
                        std::fs::File::create(path).with_context(|| format!("{} cannot be written", path.display()))?,
                    ),
                    None => Box::new(std::io::stdout()),
                };
                while let Some(chunk) = export.next_chunk().await? {
                    file.write_all(&chunk)?;
                }
                file.flush()?;
                terminal::note(format!("{} runs handed out", export.n_runs()));
            }
            Command::Delete { user_id, yes, .. } => {
                if !yes {
                    bail!("nothing brings deleted data back: say --yes to delete it");
                }
                let deleted = app.delete_user_data(&actor, &user_id, client).await?;
                terminal::say(format!(
                    "{} runs and {} verdicts deleted; {} raw payloads dropped, {} written anew",
                    deleted.runs, deleted.verdicts, deleted.payloads_dropped, deleted.payloads_rewritten
                ));
                if deleted.drafts_naming > 0 {
                    terminal::say(format!("{} drafts of reports name this id: look at them", deleted.drafts_naming));
                }
            }
        }
        Ok(())
    }
}
