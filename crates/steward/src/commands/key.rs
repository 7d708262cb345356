//! `steward key`: API keys from the command line.

use clap::{Args, Subcommand};
use steward_core::ids::KeyId;

use crate::config::Config;
use crate::{open, terminal};

/// Makes, lists and revokes API keys.
#[derive(Debug, Args)]
pub struct Key {
    /// Which agency, where there are several.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a key and shows it; it is shown only this once.
    Create {
        /// What people call it.
        name: String,
        /// The one workflow that it sends for; without it the key is for the whole agency.
        #[arg(long, value_name = "NAME")]
        workflow: Option<String>,
    },
    /// Lists keys.
    List,
    /// Revokes a key; what sends with it is refused from then on.
    Revoke {
        /// The key's id, as `list` shows it.
        id: KeyId,
    },
}

impl Key {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let app = open::open(config).await?;
        let agency = open::agency(&app, self.agency.as_deref()).await?;
        let actor = open::owner(&app, &agency).await?;
        match self.command {
            Command::Create { name, workflow } => {
                let workflow = match workflow {
                    Some(name) => Some(open::workflow(&app, &actor, &name).await?.id),
                    None => None,
                };
                let (_, secret) = app.create_key(&actor, &name, workflow).await?;
                terminal::note("Keep this key now; it is not shown again:");
                terminal::say(secret.reveal());
            }
            Command::List => {
                for key in app.list_keys(&actor).await? {
                    let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
                    let used = key
                        .last_used_at
                        .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", at.rfc3339()));
                    terminal::say(format!("{}  {}…  {}  {state}, {used}", key.id, key.beginning, key.name));
                }
            }
            Command::Revoke { id } => {
                app.revoke_key(&actor, id).await?;
                terminal::say("revoked");
            }
        }
        Ok(())
    }
}
