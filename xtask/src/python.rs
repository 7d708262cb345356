//! Environments of Python with pinned packages from PyPI: for what Steward is measured against and tested with.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{apt, child};

/// Tells that a Python is one for which the pinned versions are made, and that it can make an environment.
const SUITS: &str = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))";

/// Where packages come from, whatever is set on this machine.
const INDEX: &str = "https://pypi.org/simple";

/// An environment with the versions that `requirements.txt` and `constraints.txt` pin: the one of last time, or a new
/// one. Gives back its Python.
pub(crate) fn install(what: &str, source: &Path, folder: &Path) -> Result<PathBuf> {
    let (requirements, constraints) = (source.join("requirements.txt"), source.join("constraints.txt"));
    let read =
        |file: &Path| std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()));
    let wanted = read(&requirements)? + &read(&constraints)?;
    let (python, mark) = (folder.join("bin").join("python"), folder.join("installed"));
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    println!("installing {what} from PyPI into {}, once", folder.display());
    child::read(Command::new(base_python(what)?).args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--index-url", INDEX]);
    pip.arg("--requirement").arg(&requirements).arg("--constraint").arg(&constraints);
    for elsewhere in ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"] {
        pip.env_remove(elsewhere);
    }
    if !child::stream(&mut pip)?.success {
        bail!("{what} could not be installed from PyPI: see pip's message above");
    }
    // Written last: what was cut off is installed anew.
    std::fs::write(&mark, wanted)?;
    Ok(python)
}

fn base_python(what: &str) -> Result<&'static str> {
    if let Some(found) = find_python() {
        return Ok(found);
    }
    let words = format!("Python 3.11, 3.12 or 3.13 with venv, which {what} need,");
    apt::install(&words, &["python3", "python3-venv"])?;
    find_python().context("Python was installed, and is not 3.11, 3.12 or 3.13")
}

fn find_python() -> Option<&'static str> {
    let names = ["python3", "python3.11", "python3.12", "python3.13"];
    names.into_iter().find(|name| child::read(Command::new(name).args(["-c", SUITS])).is_ok())
}
