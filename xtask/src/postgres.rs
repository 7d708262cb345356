//! A PostgreSQL of our own for as long as the tests run: on a free port, in a temporary folder, gone afterwards.

use std::fs::Permissions;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{apt, child, tools};

/// The oldest version that Steward supports.
const OLDEST: u32 = 15;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every server is started with.
const SETTINGS: [&str; 4] =
    ["listen_addresses=127.0.0.1", "max_connections=200", "shared_buffers=128MB", "log_min_messages=fatal"];

/// For tests: what is lost when the machine goes down is of no worth there.
const FORGETFUL: [&str; 4] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB"];

/// Starts the server that follows, and stops it and clears its folder when the pipe to us closes: when we stop it,
/// and also when we die in whatever way.
const KEEPER: &str =
    r#""$@" & server=$!; cat; kill -INT "$server" 2>/dev/null; wait "$server"; rm -rf -- "$FOLDER/data""#;

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    keeper: Child,
    folder: TempDir,
    url: String,
}

/// The programs of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    folder: PathBuf,
    /// "PostgreSQL 15.13".
    pub(crate) version: String,
}

/// An installation that is new enough. Installs one where that is possible.
pub(crate) fn find_or_install() -> Result<Installation> {
    if let Some(found) = find() {
        return Ok(found);
    }
    apt::install("PostgreSQL 15 or newer", &["postgresql"])?;
    find().context("PostgreSQL was installed, and no server of version 15 or newer is found")
}

fn find() -> Option<Installation> {
    // Debian keeps the server's programs off the search path, by version.
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    debian.sort_by_key(|path| {
        std::cmp::Reverse(
            path.to_string_lossy().chars().filter(char::is_ascii_digit).collect::<String>().parse::<u32>().ok(),
        )
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.into_iter().chain(std::env::split_paths(&path)).find_map(|folder| {
        let version = child::read(Command::new(folder.join("postgres")).arg("--version")).ok()?;
        child::read(Command::new(folder.join("initdb")).arg("--version")).ok()?;
        let number = version.split_whitespace().find_map(|word| word.split('.').next()?.parse::<u32>().ok())?;
        let version = version.trim().replace("postgres (PostgreSQL)", "PostgreSQL");
        (number >= OLDEST).then_some(Installation { folder, version })
    })
}

impl Postgres {
    /// Makes a database cluster in a temporary folder and starts a server on it, on a free port of this machine.
    pub(crate) fn start(installation: &Installation) -> Result<Self> {
        Self::start_with(installation, &FORGETFUL)
    }

    /// The same, on which a commit waits for the disk, as it does where it matters.
    pub(crate) fn start_durable(installation: &Installation) -> Result<Self> {
        Self::start_with(installation, &[])
    }

    fn start_with(installation: &Installation, settings: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("steward-postgres-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()?;
        let data = folder.path().join("data");
        let password = password()?;
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, &password)?;
        // PostgreSQL refuses to run as root.
        let other = if tools::is_root()? { Some(other_user()?) } else { None };
        if let Some((uid, gid)) = other {
            chown(folder.path(), Some(uid), Some(gid))?;
            chown(&password_file, Some(uid), Some(gid))?;
        }
        let as_other = |command: &mut Command| {
            command.current_dir(folder.path());
            if let Some((uid, gid)) = other {
                command.uid(uid).gid(gid);
            }
        };

        let mut initdb = Command::new(installation.folder.join("initdb"));
        // The server is reached by name and password even from this machine: others may be signed in to it.
        initdb.args(["--username=steward", "--auth=password", "--encoding=UTF8", "--no-locale", "--no-sync"]);
        initdb.arg("--pwfile").arg(&password_file).arg("-D").arg(&data);
        as_other(&mut initdb);
        child::read(&mut initdb)?;

        let port = free_port()?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "postgres-keeper"]).env("FOLDER", folder.path());
        keeper.arg(installation.folder.join("postgres")).arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in SETTINGS.iter().chain(settings) {
            keeper.args(["-c", setting]);
        }
        keeper.arg("-c").arg(format!("unix_socket_directories={}", folder.path().display()));
        as_other(&mut keeper);
        let log = std::fs::File::create(folder.path().join("log"))?;
        keeper.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // Ctrl-C at the terminal is for us; the server follows when the pipe closes.
        keeper.process_group(0);
        let keeper = keeper.spawn().context("PostgreSQL did not start")?;
        let url = format!("postgres://steward:{password}@127.0.0.1:{port}/postgres");
        let mut server = Self { keeper, folder, url };
        server.wait_until_ready(&data)?;
        Ok(server)
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The server says in a file of its own when it takes connections.
    fn wait_until_ready(&mut self, data: &Path) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let state = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if state.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            if self.keeper.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        bail!("PostgreSQL did not start: {}", log.trim())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Closing the pipe is the signal to stop.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Starts a server, for working by hand, until Enter is pressed.
pub(crate) fn run_until_enter() -> Result<bool> {
    let installation = find_or_install()?;
    let start = Instant::now();
    let server = Postgres::start(&installation)?;
    println!("{}, ready after {:.1} s", installation.version, start.elapsed().as_secs_f64());
    println!("TEST_DATABASE_URL={}", server.url());
    print!("Enter stops it. ");
    std::io::stdout().flush()?;
    std::io::stdin().read_line(&mut String::new())?;
    Ok(true)
}

/// Debian's own user for PostgreSQL, or else the one who owns nothing.
fn other_user() -> Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").context("the users of this machine are unknown")?;
    let ids = |wanted: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == wanted).then_some(())?;
            Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
        })
    };
    ids("postgres")
        .or_else(|| ids("nobody"))
        .context("PostgreSQL refuses to run as root, and there is no user “postgres” or “nobody”")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
