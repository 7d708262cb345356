//! Where the tools are that tests need, and what is done when one is missing.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{apt, child};

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What it says of us to us: build scripts that ask for it would take every build of ours for a new one.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// The folder into which cargo builds.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// The first file of this name on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether we may do everything on this machine.
pub(crate) fn is_root() -> Result<bool> {
    // A file of ours belongs to whom we are.
    let file = tempfile::NamedTempFile::new().context("no temporary file can be made")?;
    Ok(file.as_file().metadata()?.uid() == 0)
}

/// The tools of the Rust toolchain that do not come with every installation.
pub(crate) fn check_toolchain() -> Result<()> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        child::read(cargo().args([tool, "--version"]))
            .map_err(|_| anyhow::anyhow!("cargo {tool} is missing: run `rustup component add {component}`"))?;
    }
    Ok(())
}

/// A Chromium that runs. Installs it where that is possible.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    apt::install("Chromium", &["chromium"])?;
    find_chromium().context("Chromium was installed and does not run")
}

fn find_chromium() -> Option<PathBuf> {
    let named = std::env::var_os("STEWARD_CHROMIUM").map(PathBuf::from);
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    named
        .into_iter()
        .chain(names.iter().filter_map(|name| find(name)))
        .find(|file| child::read(Command::new(file).args(["--version", "--no-sandbox"])).is_ok())
}

/// The oldest Node.js that the browser tests run on.
const OLDEST_NODE: u32 = 18;

/// Node.js and npm, for the browser tests alone. Installs them where that is possible.
pub(crate) fn node() -> Result<()> {
    if find("node").is_none() || find("npm").is_none() {
        apt::install("Node.js, which only the browser tests use,", &["nodejs", "npm"])?;
    }
    let version = child::read(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST_NODE) {
        bail!("the browser tests need Node.js {OLDEST_NODE} or newer, and this is {}", version.trim());
    }
    Ok(())
}

/// The folder in which tools lie that were built for this check alone.
pub(crate) fn own_tools(root: &Path) -> PathBuf {
    target_folder(root).join("tools")
}
