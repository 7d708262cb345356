//! What Steward's intake is measured against: MLflow and Arize Phoenix, as PyPI has them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::table::Bar;
use crate::{apt, child, tools};

/// Batches that a peer stores before its clock starts.
const WARM_UP: u32 = 8;

/// Tells that a Python is one for which the pinned versions are made, and that it can make an environment.
const SUITS: &str = "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))";

/// Where packages come from, whatever is set on this machine.
const INDEX: &str = "https://pypi.org/simple";

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Mlflow,
    Phoenix,
}

impl Peer {
    pub(super) const ALL: [Self; 2] = [Self::Mlflow, Self::Phoenix];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mlflow => "MLflow",
            Self::Phoenix => "Arize Phoenix",
        }
    }

    /// How many times its rate Steward's must be.
    pub(super) fn bar(self) -> Bar {
        match self {
            Self::Mlflow => Bar::AtLeast(50.0),
            Self::Phoenix => Bar::AtLeast(200.0),
        }
    }

    fn argument(self) -> &'static str {
        match self {
            Self::Mlflow => "mlflow",
            Self::Phoenix => "phoenix",
        }
    }
}

/// Both, installed, and the batches that they are fed.
#[derive(Debug)]
pub(super) struct Peers {
    python: PathBuf,
    script: PathBuf,
    batches: PathBuf,
}

impl Peers {
    /// Installs them where they are not installed yet, and writes the batches.
    pub(super) fn prepare(root: &Path, programs: &Path, folder: &Path, batches: u32, now_nanos: u64) -> Result<Self> {
        let source = root.join("benches").join("peers");
        let python = install(&source, &tools::own_tools(root).join("peers"))?;
        let folder = folder.join("batches");
        let mut write = Command::new(programs.join("steward-bench"));
        write.arg("batches").arg(&folder);
        write.args(["--count", &(WARM_UP + batches).to_string(), "--now-nanos", &now_nanos.to_string()]);
        child::read(&mut write)?;
        Ok(Self { python, script: source.join("measure.py"), batches: folder })
    }

    /// Measures one of them once.
    pub(super) fn measure(&self, peer: Peer) -> Result<Value> {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg(peer.argument()).arg(&self.batches);
        command.args(["--warm-up", &WARM_UP.to_string()]);
        println!("measuring {}", peer.name());
        let line = child::read(&mut command)?;
        println!("{}", line.trim());
        serde_json::from_str(&line).with_context(|| format!("the figures of {} are not JSON", peer.name()))
    }
}

/// An environment with the pinned versions: the one of last time, or a new one. Gives back its Python.
fn install(source: &Path, folder: &Path) -> Result<PathBuf> {
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
    println!("installing the peers from PyPI into {}, once", folder.display());
    child::read(Command::new(base_python()?).args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--index-url", INDEX]);
    pip.arg("--requirement").arg(&requirements).arg("--constraint").arg(&constraints);
    for elsewhere in ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"] {
        pip.env_remove(elsewhere);
    }
    if !child::stream(&mut pip)?.success {
        bail!("the peers could not be installed from PyPI: leave them out with --no-peers, or see pip's message above");
    }
    // Written last: what was cut off is installed anew.
    std::fs::write(&mark, wanted)?;
    Ok(python)
}

fn base_python() -> Result<&'static str> {
    if let Some(found) = find_python() {
        return Ok(found);
    }
    apt::install("Python 3.11, 3.12 or 3.13 with venv, which only the peers use,", &["python3", "python3-venv"])?;
    find_python().context("Python was installed, and is not 3.11, 3.12 or 3.13: leave peers out with --no-peers")
}

fn find_python() -> Option<&'static str> {
    let names = ["python3", "python3.11", "python3.12", "python3.13"];
    names.into_iter().find(|name| child::read(Command::new(name).args(["-c", SUITS])).is_ok())
}
