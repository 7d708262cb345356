//! Real clients from PyPI and npm, installed in pinned versions, and the tests of `tests/clients` with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::child::{self, Outcome};
use crate::{python, tools};

/// Installs the clients where they are not installed yet. Gives back the folder in which they lie.
pub(crate) fn install(root: &Path) -> Result<PathBuf> {
    let (source, folder) = (source(root), tools::own_tools(root).join("clients"));
    python::install("the clients", &source, &folder.join("python"))?;
    install_from_npm(&source, &folder.join("node"))?;
    Ok(folder)
}

/// Runs the tests. The program must have been built.
pub(crate) fn run(root: &Path) -> Result<Outcome> {
    let program = tools::target_folder(root).join("debug").join("steward");
    if !program.is_file() {
        bail!("{} was not built", program.display());
    }
    let folder = install(root)?;
    let mut tests = Command::new("node");
    tests.args(["--test", "--test-reporter=spec"]).arg(source(root).join("clients.test.mjs")).current_dir(root);
    tests.env("STEWARD_BIN", program).env("STEWARD_CLIENTS", folder);
    child::stream(&mut tests)
}

fn source(root: &Path) -> PathBuf {
    root.join("tests").join("clients")
}

fn install_from_npm(source: &Path, folder: &Path) -> Result<()> {
    tools::node()?;
    let (package, lock) = (source.join("package.json"), source.join("package-lock.json"));
    let wanted = std::fs::read_to_string(&lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    let mark = folder.join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing the clients from npm into {}, once", folder.display());
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for file in [&package, &lock] {
        std::fs::copy(file, folder.join(file.file_name().unwrap_or_default()))
            .with_context(|| format!("{} cannot be copied", file.display()))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix"]).arg(folder);
    if !child::stream(&mut npm)?.success {
        bail!("the clients could not be installed from npm: see its message above");
    }
    // Written last: what was cut off is installed anew.
    std::fs::write(&mark, wanted)?;
    Ok(())
}
