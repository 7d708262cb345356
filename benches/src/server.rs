//! The program as it is shipped, in a process of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use steward_app::agencies::NewAgency;
use steward_app::secrets::Secret;
use steward_app::{Actor, App, Clock, IdSource};
use steward_core::people::Role;
use steward_store::Store;

use crate::http::Connection;

/// Opens the use cases over a database, in this process.
pub async fn open(url: &str) -> anyhow::Result<App> {
    Ok(App::new(Store::open(url).await?, Clock::system(), IdSource::random(), "http://127.0.0.1"))
}

/// Makes an agency with an owner.
pub async fn set_up(app: &App) -> anyhow::Result<Actor> {
    let agency = NewAgency {
        agency_name: "Bench".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        person_name: "Bench".to_owned(),
        email: format!("bench-{}@bench.invalid", app.ids().make()),
        password: None,
    };
    let (agency_id, person_id) = app.create_agency_with_owner(agency).await?;
    Ok(Actor { person_id, name: "Bench".to_owned(), role: Role::Owner, agency_id, clients: None })
}

/// Makes a key of the whole agency.
pub async fn make_key(app: &App, actor: &Actor) -> anyhow::Result<Secret> {
    Ok(app.create_key(actor, "bench", None).await?.1)
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From start to the first answer that it is ready.
    pub ready_after: Duration,
}

impl Server {
    /// Starts the release binary over a database.
    pub fn start(url: &str) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let binary = binary()?;
        let started = Instant::now();
        let child = Command::new(&binary)
            .args(["--database", url, "serve", "--listen", &address.to_string(), "--listen-grpc", "off"])
            .env("STEWARD_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("{} cannot be started: run cargo build --release", binary.display()))?;
        let mut server = Self { child, address, ready_after: Duration::ZERO };
        loop {
            let ready = Connection::open(address).and_then(|mut c| c.get("/readyz", "")).is_ok_and(|a| a.status == 200);
            if ready {
                server.ready_after = started.elapsed();
                return Ok(server);
            }
            if started.elapsed() > Duration::from_secs(60) || server.child.try_wait()?.is_some() {
                bail!("the server did not get ready");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory that it has held, in megabytes.
    pub fn peak_megabytes(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// Processor seconds that it has used.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().context("no fields")?.split_whitespace().collect();
        let ticks: f64 =
            fields.get(11).context("utime")?.parse::<f64>()? + fields.get(12).context("stime")?.parse::<f64>()?;
        Ok(ticks / 100.0)
    }

    /// A number that it exposes to Prometheus.
    pub fn metric(&self, connection: &mut Connection, name: &str) -> anyhow::Result<f64> {
        let answer = connection.get("/metrics", "")?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let line = text.lines().find(|line| line.starts_with(name) && line.as_bytes().get(name.len()) == Some(&b' '));
        Ok(line.with_context(|| format!("{name} is not exposed"))?.rsplit(' ').next().context("no number")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.parent().unwrap_or(Path::new(".")).join("steward"))
}
