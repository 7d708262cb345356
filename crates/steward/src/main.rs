//! Steward: the operating layer for AI agents after launch. Command line, configuration and wiring; no rules.

#![expect(unreachable_pub, reason = "a program has no outside: pub marks what a module offers the others")]

mod commands;
mod config;
mod open;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Takes in what live AI agents did, says honestly how they work, and accounts for it to the client.
#[derive(Debug, Parser)]
#[command(name = "steward", version, arg_required_else_help = true)]
struct Arguments {
    /// The configuration file; without it ./steward.toml is read if it is there.
    #[arg(long, short, global = true, env = "STEWARD_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder, for SQLite. Overrides the configuration.
    #[arg(long, short, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The database address, as postgres://… or sqlite:PATH. Overrides the configuration.
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves pages, the API and intake.
    Serve(commands::serve::Serve),
    /// Fills a folder of its own with an invented agency and 90 days of runs, and serves it.
    Demo(commands::demo::Demo),
    /// Imports runs from files: JSON lines of runs, chat transcripts, tau-bench and tau2-bench results.
    Import(commands::import::Import),
    /// Exports runs as CSV, JSON lines or Parquet.
    Export(commands::export::Export),
    /// Makes a client's monthly report.
    Report(commands::report::Report),
    /// Groups messages that say the same, from any text file.
    Patterns(commands::patterns::Patterns),
    /// Lists, checks and recomputes prices of models.
    Prices(commands::prices::Prices),
    /// Reads all raw payloads again and makes runs and figures anew.
    #[command(alias = "replay")]
    Rebuild(commands::rebuild::Rebuild),
    /// Adds people and makes sign-in links.
    User(commands::user::User),
    /// Hands out or deletes the data of one end user.
    UserData(commands::user_data::UserData),
    /// Makes, lists and revokes API keys.
    Key(commands::key::Key),
    /// Brings the database's schema up to date.
    Migrate,
    /// Says what is wrong with the configuration, the data folder or the database, and how to mend it.
    Doctor(commands::doctor::Doctor),
    /// Copies the SQLite database to a file while it is in use.
    Backup(commands::backup::Backup),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::complain(&anyhow::Error::new(error).context("the program could not start its threads"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut config = config::Config::read(arguments.config.as_deref())?;
    if let Some(data) = arguments.data {
        config.data = data;
        config.database = None;
    }
    if let Some(database) = arguments.database {
        config.database = Some(database.into());
    }
    match arguments.command {
        Command::Serve(command) => command.run(config).await,
        Command::Demo(command) => command.run(config).await,
        Command::Import(command) => command.run(&config).await,
        Command::Export(command) => command.run(&config).await,
        Command::Report(command) => command.run(&config).await,
        Command::Patterns(command) => command.run(),
        Command::Prices(command) => command.run(&config).await,
        Command::Rebuild(command) => command.run(&config).await,
        Command::User(command) => command.run(&config).await,
        Command::UserData(command) => command.run(&config).await,
        Command::Key(command) => command.run(&config).await,
        Command::Migrate => commands::migrate::run(&config).await,
        Command::Doctor(command) => command.run(&config).await,
        Command::Backup(command) => command.run(&config).await,
    }
}
