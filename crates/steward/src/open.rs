//! Opening what a command works on: logs, the data folder, the database, the agency.

use anyhow::{Context as _, bail};
use steward_app::seal::{LEAST_CHARS, Seal};
use steward_app::secrets::Secret;
use steward_app::{Actor, App, Clock, IdSource};
use steward_core::clients::{Agency, Client};
use steward_core::people::Role;
use steward_core::workflow::Workflow;
use steward_store::Store;
use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Starts the log on standard error.
pub fn start_log(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log).with_context(|| format!("log = {:?} is not a filter", config.log))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A line that cannot be written, as on a full disk, would panic on its way to standard error.
        .log_internal_errors(false);
    if config.log_format == "json" {
        log.json().init()
    } else {
        log.init()
    }
    Ok(())
}

/// Opens the database, making the data folder where it is missing.
pub async fn open(config: &Config) -> anyhow::Result<App> {
    if config.database.is_none() {
        std::fs::create_dir_all(&config.data).with_context(|| {
            format!("the data folder {} cannot be made: choose another with --data", config.data.display())
        })?;
    }
    let what = match &config.database {
        Some(_) => "the configured database".to_owned(),
        None => format!("the database in {}", config.data.display()),
    };
    let store = Store::open(&config.database_url())
        .await
        .with_context(|| format!("{what} cannot be opened: run `steward doctor` to see why"))?;
    app_over(store, config)
}

/// The application over a database, with what secrets of platforms are sealed with.
pub(crate) fn app_over(store: Store, config: &Config) -> anyhow::Result<App> {
    let app = App::new(store, Clock::system(), IdSource::random(), &config.public_url());
    Ok(match seal(config, app.ids())? {
        Some(seal) => app.sealed_with(seal),
        None => app,
    })
}

/// What secrets of platforms are sealed with: the configured key, or the one in the data folder, made when it is
/// missing. `None` with PostgreSQL and without a configured key: there is no folder that all processes share.
fn seal(config: &Config, ids: &IdSource) -> anyhow::Result<Option<Seal>> {
    if let Some(key) = &config.secret_key {
        let seal = Seal::of(key.reveal());
        return seal.map(Some).with_context(|| format!("secret_key has fewer than {LEAST_CHARS} characters"));
    }
    if config.database.is_some() {
        return Ok(None);
    }
    let path = config.data.join("secret.key");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = Secret::of("", ids.secret());
            match write_private(&path, made.reveal()) {
                Ok(()) => made.reveal().to_owned(),
                // Another process was first.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read_to_string(&path)
                    .with_context(|| format!("the key {} cannot be read", path.display()))?,
                Err(error) => {
                    return Err(error).with_context(|| format!("the key {} cannot be written", path.display()));
                }
            }
        }
        Err(error) => return Err(error).with_context(|| format!("the key {} cannot be read", path.display())),
    };
    let seal = Seal::of(&text);
    seal.map(Some).with_context(|| format!("the key {} was cut: put it back from a backup", path.display()))
}

/// Writes a new file that only its owner reads, and waits until it is on disk: what is sealed is lost without it.
fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The agency of this database; by name where there are several.
pub async fn agency(app: &App, name: Option<&str>) -> anyhow::Result<Agency> {
    let mut agencies = app.store().list_agencies().await?;
    if let Some(name) = name {
        agencies.retain(|agency| agency.name == name || agency.id.to_string() == name);
    }
    match agencies.len() {
        0 if name.is_some() => bail!("there is no agency of this name"),
        0 => bail!("nothing is set up yet: run `steward serve` and open the page, or `steward demo`"),
        1 => Ok(agencies.remove(0)),
        _ => {
            let names: Vec<_> = agencies.iter().map(|a| a.name.as_str()).collect();
            bail!("there are several agencies, choose one with --agency: {}", names.join(", "))
        }
    }
}

/// Who the command line acts as: the agency's first owner, since whoever can read the database can do anything.
pub async fn owner(app: &App, agency: &Agency) -> anyhow::Result<Actor> {
    let people = app.agency(agency.id).list_people().await?;
    let owner = people
        .into_iter()
        .filter(|p| p.role == Role::Owner)
        .min_by_key(|p| p.created_at)
        .context("the agency has no owner")?;
    Ok(Actor {
        person_id: owner.id,
        name: "command line".to_owned(),
        role: Role::Owner,
        agency_id: agency.id,
        clients: None,
    })
}

/// A client by name or id.
pub async fn client(app: &App, actor: &Actor, name: &str) -> anyhow::Result<Client> {
    let clients = app.visible_clients(actor, true).await?;
    let names: Vec<String> = clients.iter().map(|c| c.name.clone()).collect();
    let found = clients.into_iter().find(|c| c.name.eq_ignore_ascii_case(name) || c.id.to_string() == name);
    found.with_context(|| format!("there is no client “{name}”; there are: {}", names.join(", ")))
}

/// A workflow by name, source name or id.
pub async fn workflow(app: &App, actor: &Actor, name: &str) -> anyhow::Result<Workflow> {
    let workflows = app.visible_workflows(actor, true).await?;
    let names: Vec<String> = workflows.iter().map(|w| w.name.clone()).collect();
    let found = workflows
        .into_iter()
        .find(|w| w.name.eq_ignore_ascii_case(name) || w.source_name == name || w.id.to_string() == name);
    found.with_context(|| format!("there is no workflow “{name}”; there are: {}", names.join(", ")))
}
