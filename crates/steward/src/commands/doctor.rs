//! `steward doctor`: what is wrong, and how to mend it.

use clap::Args;
use steward_store::Store;

use crate::config::Config;
use crate::{open, terminal};

/// Says what is wrong with the configuration, the data folder or the database, and how to mend it.
#[derive(Debug, Args)]
pub struct Doctor {}

impl Doctor {
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        let mut bad = 0;
        let mut check = |what: &str, result: Result<String, String>| match result {
            Ok(found) => terminal::say(format!("good  {what}: {found}")),
            Err(mend) => {
                bad += 1;
                terminal::say(format!("bad   {what}: {mend}"));
            }
        };
        check("configuration", Ok("it is read".to_owned()));
        check("public address", public_url(config));
        if config.database.is_none() {
            check("data folder", data_folder(config));
        }
        match Store::open(&config.database_url()).await {
            Ok(store) => {
                check(
                    "database",
                    Ok(if store.is_sqlite() { "SQLite answers" } else { "PostgreSQL answers" }.to_owned()),
                );
                let agencies = store.list_agencies().await.unwrap_or_default();
                let set_up = if agencies.is_empty() {
                    Err(format!("nothing is set up yet: open {}/setup", config.public_url()))
                } else {
                    Ok(format!("{} agency", agencies.len()))
                };
                check("set up", set_up);
                let waiting = store.count_waiting(10_000).await.unwrap_or(0);
                let words = match waiting {
                    0 => Ok("nothing waits".to_owned()),
                    n => Ok(format!("{n} payloads wait to be assembled; `steward serve` does it")),
                };
                check("inbox", words);
                check("secrets of platforms", secrets(store, config).await);
            }
            Err(error) => {
                let error = anyhow::Error::new(error);
                check(
                    "database",
                    Err(format!("{error:#}: is its address right, is it running, may this user write there?")),
                );
            }
        }
        match std::net::TcpListener::bind(config.listen) {
            Ok(_) => check("listening address", Ok(format!("{} is free", config.listen))),
            Err(error) => check(
                "listening address",
                Err(format!("{} cannot be listened on ({error}): is Steward running already?", config.listen)),
            ),
        }
        if bad > 0 {
            anyhow::bail!("{bad} of these need mending");
        }
        Ok(())
    }
}

/// Whether the secrets of connections open with this key.
async fn secrets(store: Store, config: &Config) -> Result<String, String> {
    let app = open::app_over(store, config).map_err(|error| format!("{error:#}"))?;
    match app.count_sealed().await {
        Ok((0, _)) => Ok("there are none yet".to_owned()),
        Ok((n, 0)) => Ok(format!("those of {n} connections open")),
        Ok((n, closed)) => Err(format!(
            "those of {closed} of {n} connections do not open: set secret_key to what it was when they were made, or \
             put the file secret.key back into the data folder"
        )),
        Err(error) => Err(format!("they could not be read: {error}")),
    }
}

fn public_url(config: &Config) -> Result<String, String> {
    let url = config.public_url();
    if url.starts_with("https://") || url.contains("//127.0.0.1") || url.contains("//localhost") {
        return Ok(url);
    }
    Err(format!("{url} is not encrypted: put a proxy with TLS in front, and set public_url to its https address"))
}

fn data_folder(config: &Config) -> Result<String, String> {
    let folder = &config.data;
    let mend = |error: std::io::Error| {
        format!(
            "{} cannot be written ({error}): choose another with --data, or give this user the right",
            folder.display()
        )
    };
    std::fs::create_dir_all(folder).map_err(mend)?;
    let probe = folder.join(".doctor");
    std::fs::write(&probe, b"ok").map_err(mend)?;
    std::fs::remove_file(&probe).map_err(mend)?;
    Ok(folder.display().to_string())
}
