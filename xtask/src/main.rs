//! `cargo xtask`: the checks and generators of this repository.
//!
//! It knows the workspace and the tools around it, and nothing of what Steward does.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

mod api;
mod apt;
mod bench;
mod browser;
mod child;
mod clients;
mod deny;
mod figures;
mod fuzz;
mod layers;
mod phases;
mod postgres;
mod python;
mod real_data;
mod test;
mod tools;

const HELP: &str = "\
cargo xtask <what>

  test            the whole check: tools, formatting, clippy, layers, cargo-deny, tests on
                  SQLite and on a private PostgreSQL, fuzz targets, the API, browser tests,
                  real clients
  test --quick    formatting, clippy, layers and tests on both databases
  layers          whether each crate uses only what the table of rooms allows it
  deny            licences, doubled and banned crates, and where crates come from
  api             the API against its description, by the program as it was last built
  browser         the browser tests, against the program as it was last built
  clients         installs real clients from PyPI and npm, pinned, and tests Steward with them, as
                  it was last built
  fuzz [SECONDS]  every fuzz target, each for so many seconds (10)
  figures DATA    measures the real runs under DATA into the demo's table of figures
  bench           the bars, measured on the release build and on its peers from PyPI, as a table
                  [--quick] [--no-peers] [--rounds N] [--runs N] [--json FILE]
  postgres        starts a private PostgreSQL, prints its address, runs until Enter
  help            this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command, and says whether all was well.
fn run(arguments: &[&str]) -> Result<bool> {
    let root = root()?;
    match arguments {
        ["test"] => test::run(&root, test::Extent::Whole),
        ["test", "--quick"] => test::run(&root, test::Extent::Quick),
        ["layers"] => layers::run(&root),
        ["deny"] => Ok(deny::run(&root)?.success),
        ["api"] => Ok(api::run(&root)?.success),
        ["browser"] => Ok(browser::run(&root)?.success),
        ["clients"] => Ok(clients::run(&root)?.success),
        ["fuzz"] => fuzz::run(&root, fuzz::SECONDS),
        ["fuzz", seconds] => fuzz::run(&root, seconds.parse().context("the seconds are not a number")?),
        ["figures", data] => figures::run(&root, Path::new(data)),
        ["bench", options @ ..] => bench::run(&root, options),
        ["postgres"] => postgres::run_until_enter(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(true)
        }
        _ => bail!("there is no “{}”\n\n{HELP}", arguments.join(" ")),
    }
}

/// The folder of the workspace.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask lies in no workspace")?.to_owned())
}
