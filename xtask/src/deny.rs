//! cargo-deny: licences, doubled and banned crates, and where crates come from.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::child::{self, Outcome};
use crate::tools;

/// The version that is built where none is installed. That takes a minute and a half on two cores.
const VERSION: &str = "0.20.2";

/// Checks `deny.toml`, but for advisories, which would have to be fetched.
pub(crate) fn run(root: &Path) -> Result<Outcome> {
    let program = program(root)?;
    child::stream(
        Command::new(program)
            .args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
            .current_dir(root),
    )
}

fn program(root: &Path) -> Result<PathBuf> {
    let own = tools::own_tools(root);
    let built = own.join("bin").join("cargo-deny");
    if let Some(found) =
        tools::find("cargo-deny").into_iter().chain(Some(built.clone())).find(|file| is_new_enough(file))
    {
        return Ok(found);
    }
    println!("cargo-deny is missing: building {VERSION} into target/tools, once");
    // Unoptimised: it is built once, and answers in a few seconds all the same.
    let mut install = tools::cargo();
    install.args(["install", "--quiet", "--locked", "--debug", "cargo-deny", "--version", VERSION, "--root"]).arg(&own);
    if !child::stream(install.current_dir(root))?.success {
        bail!(
            "cargo-deny is missing, and building it failed: run `cargo install --locked cargo-deny` and then this again"
        );
    }
    Ok(built)
}

/// Whether it reads our `deny.toml`: 0.18 and newer do.
fn is_new_enough(file: &Path) -> bool {
    let Ok(version) = child::read(Command::new(file).arg("--version")) else { return false };
    let mut numbers = version.trim().rsplit(' ').next().unwrap_or("").split('.').map(|n| n.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(0), Some(18))
}
