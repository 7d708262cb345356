//! The fuzz targets of `fuzz/`, on the stable toolchain, each for a bounded time.
//!
//! libFuzzer is linked in by the targets themselves; the coverage that guides it is compiled in by these flags, which
//! are the ones that cargo-fuzz sets, without the sanitizers, which stable does not have.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::child::{self, Outcome};
use crate::tools;

/// How long each target runs in the whole check.
pub(crate) const SECONDS: u32 = 10;

const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Runs every target by hand, and says whether all was well.
pub(crate) fn run(root: &Path, seconds: u32) -> Result<bool> {
    Ok(run_targets(root, seconds)?.success)
}

/// Builds and runs every target. Each that survives its time counts as one test.
pub(crate) fn run_targets(root: &Path, seconds: u32) -> Result<Outcome> {
    let folder = root.join("fuzz");
    let manifest = folder.join("Cargo.toml");
    if !manifest.exists() {
        bail!("there are no fuzz targets: fuzz/Cargo.toml is missing");
    }
    let host = host()?;
    let target_folder = folder.join("target");
    let mut build = tools::cargo();
    // Flags for a named target do not reach build scripts, which have nobody to report coverage to.
    build.args(["build", "--quiet", "--bins", "--target", &host]).arg("--manifest-path").arg(&manifest);
    build.arg("--target-dir").arg(&target_folder).env("RUSTFLAGS", FLAGS).current_dir(root);
    if !child::stream(&mut build)?.success {
        bail!("the fuzz targets do not build");
    }
    let programs = target_folder.join(&host).join("debug");
    // A target keeps one core busy, so there is one for each; what they print is mixed, and each names itself.
    let left = Mutex::new(targets(&manifest)?.into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run_some = || -> Result<Outcome> {
        let mut sum = Outcome::of(true);
        while let Some(name) = next() {
            let success = run_target(&folder, &name, &programs.join(&name), seconds)?.success;
            println!("{name}: {}", if success { "nothing found" } else { "FAILED" });
            sum = sum.and(Outcome { success, passed: u64::from(success), failed: u64::from(!success) });
        }
        Ok(sum)
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(run_some)).collect();
        running.into_iter().try_fold(Outcome::of(true), |sum, one| match one.join() {
            Ok(outcome) => Ok(sum.and(outcome?)),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

/// Finds go to a temporary folder, so that a run leaves nothing behind but what it prints and the failing input.
fn run_target(folder: &Path, name: &str, program: &Path, seconds: u32) -> Result<Outcome> {
    let corpus = tempfile::tempdir()?;
    let seeds = folder.join("seeds").join(name);
    if seeds.is_dir() {
        for entry in std::fs::read_dir(&seeds)? {
            let entry = entry?;
            std::fs::copy(entry.path(), corpus.path().join(entry.file_name()))?;
        }
    }
    let failures = folder.join("target").join("failures").join(name);
    std::fs::create_dir_all(&failures)?;
    let mut command = Command::new(program);
    command.arg(format!("-max_total_time={seconds}")).args([
        "-rss_limit_mb=2048",
        "-seed=1",
        "-timeout=10",
        "-print_final_stats=1",
    ]);
    command.arg(format!("-artifact_prefix={}/", failures.display())).arg(corpus.path());
    child::stream(&mut command)
}

fn targets(manifest: &Path) -> Result<Vec<String>> {
    let mut command = tools::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]).arg("--manifest-path").arg(manifest);
    let metadata: Value = serde_json::from_str(&child::read(&mut command)?).context("cargo metadata is not JSON")?;
    let targets = metadata["packages"][0]["targets"].as_array().context("fuzz/Cargo.toml has no targets")?;
    let bins = targets.iter().filter(|target| target["kind"][0] == "bin");
    let names: Vec<String> = bins.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect();
    if names.is_empty() {
        bail!("fuzz/Cargo.toml has no targets");
    }
    Ok(names)
}

/// The name of the platform that we are built for and run on.
fn host() -> Result<String> {
    let version = child::read(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say for which platform it is")?.to_owned())
}
