//! A disk that is full: a real one, small and mounted for the test, and one on which files may not grow.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::house::{check, set_up};
use crate::outage::{Of, Outage};
use crate::server::Server;

/// A file system of its own; unmounted when dropped.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m,mode=700", "steward-test"]).arg(folder.path());
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self { folder })
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }

    /// Writes until nothing fits any more.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.ballast()).expect("a file");
        for piece in [1 << 20, 1 << 12] {
            while file.write_all(&vec![7; piece]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}

/// A log on the same disk, as chatty as it gets: that it cannot be written either must not matter.
fn log_in(folder: &Path) -> Stdio {
    std::fs::File::create(folder.join("log")).expect("a file").into()
}

fn url_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("steward.db").display())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_must_be_told_and_survived() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("left out: a full disk, because nothing may be mounted here; a limit of files stands in for it");
        return;
    };
    let url = url_in(disk.folder.path());
    let house = set_up(&url).await;
    let server = Server::start_with(&[], &url, "debug", log_in(disk.folder.path()));
    let outage = Outage::begin(&server, &house);
    disk.fill();
    outage.must_be_told(Of::Writing).await;
    std::fs::remove_file(disk.ballast()).expect("removed");
    let acknowledged = outage.end().await;
    drop(server);
    check(&url, &house.actor, &acknowledged).await;
}

/// Lets files of a process grow up to so many bytes, or to any size.
#[cfg(target_os = "linux")]
fn limit_files(process: u32, n_bytes: Option<u64>) {
    let limit = n_bytes.map_or("--fsize=unlimited:".to_owned(), |n| format!("--fsize={n}:"));
    let status = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status();
    assert!(status.expect("prlimit, of util-linux").success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_may_not_grow_are_told_and_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = url_in(folder.path());
    let house = set_up(&url).await;
    // Without this the signal that goes with the limit ends a process, and with it a write fails as on a full disk.
    let ignoring = ["sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"];
    let server = Server::start_with(&ignoring, &url, "debug", log_in(folder.path()));
    let outage = Outage::begin(&server, &house);
    limit_files(server.id(), Some(4096));
    outage.must_be_told(Of::Writing).await;
    limit_files(server.id(), None);
    let acknowledged = outage.end().await;
    drop(server);
    check(&url, &house.actor, &acknowledged).await;
}
