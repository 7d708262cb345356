//! The browser tests of `tests/browser`, against the program that was built for the other tests.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::child::{self, Outcome};
use crate::tools;

/// Runs them. The program must have been built.
pub(crate) fn run(root: &Path) -> Result<Outcome> {
    let folder = root.join("tests").join("browser");
    let program = tools::target_folder(root).join("debug").join("steward");
    if !program.is_file() {
        bail!("{} was not built", program.display());
    }
    let chromium = tools::chromium()?;
    tools::node()?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix"]).arg(&folder);
    if !child::stream(&mut npm)?.success {
        bail!("npm could not fetch playwright-core and axe-core");
    }
    let mut tests = Command::new("node");
    tests.arg(folder.join("run.mjs")).env("STEWARD_BIN", program).env("STEWARD_CHROMIUM", chromium).current_dir(root);
    child::stream(&mut tests)
}
