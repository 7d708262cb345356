//! `steward user`: people from the command line, for when nobody can sign in.

use clap::{Args, Subcommand};

use crate::config::Config;
use crate::{open, terminal};

/// Lists people and makes sign-in links.
#[derive(Debug, Args)]
pub struct User {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the people of all agencies.
    List,
    /// Makes a link that signs somebody in once, for an hour.
    Link {
        /// The person's address.
        email: String,
    },
}

/// How long a link from the command line holds.
const LINK_MINUTES: i64 = 60;

impl User {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let app = open::open(config).await?;
        match self.command {
            Command::List => {
                for agency in app.store().list_agencies().await? {
                    for person in app.agency(agency.id).list_people().await? {
                        let shut_out = if person.disabled_at.is_some() { ", shut out" } else { "" };
                        terminal::say(format!(
                            "{}  {} <{}>  {}{shut_out}",
                            agency.name,
                            person.name,
                            person.email,
                            person.role.as_str()
                        ));
                    }
                }
            }
            Command::Link { email } => {
                let (person, link) = app.make_link_by_email(&email, LINK_MINUTES).await?;
                terminal::say(format!("This link signs {} in; it works once, for an hour:", person.name));
                terminal::say(format!("{}/sign-in/link/{}", config.public_url(), link.reveal()));
            }
        }
        Ok(())
    }
}
