//! Debian's packages: how tools get onto a fresh machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::child;
use crate::tools;

/// Installs packages where this is Debian and we are root, and says so.
///
/// # Errors
///
/// One sentence for the person at the terminal, when it cannot be done here.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !Path::new("/etc/debian_version").exists() || tools::find("apt-get").is_none() {
        bail!("{what} is missing: install it and run this again (on Debian: apt-get install {names})");
    }
    if !tools::is_root()? {
        bail!("{what} is missing: run `sudo apt-get install --no-install-recommends {names}` and then this again");
    }
    println!("{what} is missing: installing {names} from Debian's packages");
    let apt = |arguments: &[&str]| {
        child::stream(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    if !apt(&["update", "-q"])?.success {
        bail!("{what} is missing, and apt-get update failed");
    }
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    if !apt(&arguments)?.success {
        bail!("{what} is missing, and apt-get install {names} failed");
    }
    Ok(())
}
