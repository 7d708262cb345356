//! What Steward's intake is measured against: MLflow and Arize Phoenix, as PyPI has them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::table::Bar;
use crate::{child, python, tools};

/// Batches that a peer stores before its clock starts.
const WARM_UP: u32 = 8;

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
        let python = python::install("the peers", &source, &tools::own_tools(root).join("peers"))
            .context("the peers are left out with --no-peers")?;
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
