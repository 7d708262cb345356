//! The whole check. It runs every phase, whatever the one before came to, and skips nothing silently.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::child::{self, Outcome};
use crate::phases::Phases;
use crate::postgres::{self, Postgres};
use crate::{api, browser, clients, deny, fuzz, layers, real_data, tools};

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Whole,
    /// What one waits for between two commits.
    Quick,
}

/// Runs the check, and says whether all was well.
pub(crate) fn run(root: &Path, extent: Extent) -> Result<bool> {
    let mut phases = Phases::default();
    phases.run("tools", || find_tools(root, extent));
    phases.run("formatting", || formatting(root));
    phases.run("layers", || layers::run(root).map(Outcome::of));
    if extent == Extent::Whole {
        phases.run("cargo-deny", || deny::run(root));
    }
    // The program, the tests and the examples are built with one set of features, so that nothing is built twice.
    let built = phases.run("build and clippy", || {
        child::stream(linted()?.args(["build", "--quiet", "--workspace", "--all-targets"]).current_dir(root))
    });
    phases.run("tests, both databases", || {
        if built { tests(root) } else { bail!("not run: the workspace does not build") }
    });
    if extent == Extent::Whole {
        phases.run("fuzz targets", || fuzz::run_targets(root, fuzz::SECONDS));
        phases.run("API", || if built { api::run(root) } else { bail!("not run: the program does not build") });
        phases.run("browser tests", || {
            if built { browser::run(root) } else { bail!("not run: the program does not build") }
        });
        phases.run("real clients", || {
            if built { clients::run(root) } else { bail!("not run: the program does not build") }
        });
    }
    phases.print_table();
    let left_out = real_data::left_out(root);
    if extent == Extent::Quick {
        println!("\nleft out by --quick: cargo-deny, fuzz targets, the API, browser tests, real clients");
    }
    if !left_out.is_empty() {
        println!("\n{}", left_out.join("\n"));
    }
    let sum = phases.sum();
    println!("\n{} passed, {} failed", sum.passed, sum.failed);
    Ok(sum.success)
}

/// Finds what the later phases need, or installs it, so that it is missed at once and not after a quarter of an hour.
fn find_tools(root: &Path, extent: Extent) -> Result<Outcome> {
    tools::check_toolchain()?;
    println!("{}", postgres::find_or_install()?.version);
    if extent == Extent::Whole {
        let chromium = tools::chromium()?;
        let schemathesis = api::find_or_install(root)?;
        println!("{}", child::read(Command::new(schemathesis).arg("--version"))?.trim());
        println!("{}", child::read(Command::new(chromium).args(["--version", "--no-sandbox"]))?.trim());
        tools::node()?;
        println!("Node.js {}", child::read(Command::new("node").arg("--version"))?.trim());
    }
    Ok(Outcome::of(true))
}

fn formatting(root: &Path) -> Result<Outcome> {
    let outcome = cargo(root, &["fmt", "--all", "--check", "--", "-l"])?;
    if !outcome.success {
        bail!("these files are not formatted: run `cargo fmt --all`");
    }
    Ok(outcome)
}

/// All tests of the workspace, with a PostgreSQL of our own beside the SQLite that each test makes itself.
fn tests(root: &Path) -> Result<Outcome> {
    let server = Postgres::start(&postgres::find_or_install()?)?;
    let mut command = linted()?;
    command.args(["test", "--quiet", "--workspace", "--no-fail-fast"]).current_dir(root);
    // A test must not follow what happens to be set where it runs.
    command.env("TEST_DATABASE_URL", server.url()).env("INSTA_UPDATE", "no").env("RUST_BACKTRACE", "1");
    child::stream(&mut command)
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<Outcome> {
    child::stream(tools::cargo().args(arguments).current_dir(root))
}

/// Cargo that compiles the workspace with clippy, whose warnings are errors.
///
/// `cargo clippy` only checks, so that everything would be read once for it and once more to be built. Its driver is
/// a whole compiler: as the workspace's own it does both at once, and what others wrote is compiled as ever.
fn linted() -> Result<Command> {
    let driver = tools::find("clippy-driver").context("clippy is missing: run `rustup component add clippy`")?;
    let mut cargo = tools::cargo();
    // How `cargo clippy` hands its arguments over.
    cargo.env("RUSTC_WORKSPACE_WRAPPER", driver).env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
    // One build of everything is never a second one of a part.
    if std::env::var_os("CI").is_some() {
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    Ok(cargo)
}
