//! The API against its own description: schemathesis asks what the description allows and what it does not.
//!
//! It runs against the program that was built for the other tests, over a small agency made through its own doors. The
//! same requests are made every time.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::child::{self, Outcome};
use crate::{apt, tools};

/// What one needs to install schemathesis, version by version.
const REQUIREMENTS: &str = "tests/api/requirements.txt";
/// Cases that are made up for each operation. With them all takes about two minutes.
const EXAMPLES: &str = "40";
/// What does not fit: two kinds of caller with different rights, and ids that are well formed and of nothing.
const NOT_CHECKED: &str = "ignored_auth,positive_data_acceptance,negative_data_rejection";
/// How long the program may take to answer, at its start and later.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it. The program must have been built.
pub(crate) fn run(root: &Path) -> Result<Outcome> {
    let program = tools::target_folder(root).join("debug").join("steward");
    if !program.is_file() {
        bail!("{} was not built", program.display());
    }
    let schemathesis = find_or_install(root)?;
    let folder = tempfile::tempdir()?;
    let server = Server::start(&program, folder.path())?;
    let session = server.set_up()?;
    let mut command = Command::new(schemathesis);
    command.arg("run").arg(format!("http://{}/api/openapi.json", server.address));
    command.arg("--header").arg(format!("Cookie: {}", session.cookie));
    command.arg("--header").arg(format!("X-CSRF-Token: {}", session.csrf));
    command.args(["--checks", "all", "--exclude-checks", NOT_CHECKED]);
    command.args(["--generation-deterministic", "--max-examples", EXAMPLES, "--continue-on-failure"]);
    command.args(["--request-timeout", "60", "--no-color"]);
    // What it leaves behind goes with the folder.
    command.current_dir(folder.path());
    let outcome = child::stream(&mut command)?;
    // Everything that it asked counts as one test.
    Ok(Outcome { success: outcome.success, passed: u64::from(outcome.success), failed: u64::from(!outcome.success) })
}

/// schemathesis in a folder of its own. Installs it where it is missing, or of another version.
pub(crate) fn find_or_install(root: &Path) -> Result<PathBuf> {
    let wanted = root.join(REQUIREMENTS);
    let wanted_text = std::fs::read_to_string(&wanted).with_context(|| format!("{REQUIREMENTS} cannot be read"))?;
    let folder = tools::own_tools(root).join("schemathesis");
    let program = folder.join("bin").join("schemathesis");
    let installed = folder.join("installed.txt");
    if program.is_file() && std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted_text) {
        return Ok(program);
    }
    println!("schemathesis is missing: installing it from PyPI into target/tools");
    let make = || child::read(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if make().is_err() {
        apt::install("Python with its venv", &["python3", "python3-venv"])?;
        make()?;
    }
    let mut pip = Command::new(folder.join("bin").join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--requirement"]);
    if !child::stream(pip.arg(&wanted))?.success {
        bail!("schemathesis could not be installed from PyPI");
    }
    std::fs::write(&installed, wanted_text)?;
    Ok(program)
}

/// The program over a folder of its own. It is stopped when this is dropped.
struct Server {
    child: Child,
    program: PathBuf,
    data: PathBuf,
    address: SocketAddr,
}

/// Somebody who is signed in.
struct Session {
    cookie: String,
    csrf: String,
}

impl Server {
    fn start(program: &Path, folder: &Path) -> Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let data = folder.join("data");
        let mut command = steward(program, &data);
        command.args(["serve", "--listen", &address.to_string(), "--listen-grpc", "off"]);
        command.env("STEWARD_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().context("the program did not start")?;
        let mut server = Self { child, program: program.to_owned(), data, address };
        let start = Instant::now();
        while !server.ask("GET", "/readyz", "", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            if server.child.try_wait()?.is_some() || start.elapsed() > PATIENCE {
                bail!("the program did not get ready");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Makes an agency with a client, a workflow, runs and a report.
    fn set_up(&self) -> Result<Session> {
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        let agency =
            "agency=North&name=Ada&email=ada%40north.test&password=correct+horse+battery&time_zone=UTC&currency=EUR";
        let answer = self.ask("POST", "/setup", form, agency)?;
        let cookie = between(&answer, "set-cookie: steward_session=", ";").context("set-up opened no session")?;
        let cookie = format!("steward_session={cookie}");
        let page = self.ask("GET", "/clients", &format!("Cookie: {cookie}\r\n"), "")?;
        let csrf = between(&page, r#"name="csrf" value=""#, "\"").context("a page has no token")?.to_owned();
        let client = format!("name=Acme&csrf={csrf}");
        self.must("POST", "/clients/new", &format!("{form}Cookie: {cookie}\r\n"), &client, 303)?;
        let key = child::read(steward(&self.program, &self.data).args(["key", "create", "check"]))?;
        let headers = format!("Content-Type: application/x-ndjson\r\nAuthorization: Bearer {}\r\n", key.trim());
        self.must("POST", "/v1/runs", &headers, &runs(), 200)?;
        child::read(steward(&self.program, &self.data).args(["report", "Acme", "--month", "2026-10"]))?;
        Ok(Session { cookie, csrf })
    }

    fn must(&self, method: &str, path: &str, headers: &str, body: &str, status: u16) -> Result<()> {
        let answer = self.ask(method, path, headers, body)?;
        if !answer.starts_with(&format!("HTTP/1.1 {status}")) {
            bail!("{method} {path} answered {}", answer.lines().next().unwrap_or_default());
        }
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n",
            self.address
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program on a data folder, with nothing of what is set where we run.
fn steward(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STEWARD_")) {
        command.env_remove(name);
    }
    command.arg("--data").arg(data);
    command
}

/// Runs of two workflows, one on each line: some that came to something, and some that failed.
fn runs() -> String {
    let run = |n: u32| {
        let (workflow, outcome) = (["invoices", "triage"][n as usize % 2], ["completed", "failed"][n as usize % 3 / 2]);
        let at = |second: u32| format!("2026-10-15T12:{n:02}:{second:02}Z");
        serde_json::json!({
            "id": format!("run {n}"), "workflow": workflow, "outcome": outcome, "title": format!("Order {n}"),
            "started_at": at(0), "ended_at": at(9),
            "steps": [
                {"id": "a", "kind": "model", "name": "chat", "model": "gpt-4o", "started_at": at(0), "ended_at": at(4),
                 "usage": {"input_tokens": 900, "output_tokens": 80}},
                {"id": "b", "kind": "tool", "name": "look_up", "tool": "look_up", "started_at": at(4), "ended_at": at(6)},
            ],
        })
    };
    (0..12).map(|n| format!("{}\n", run(n))).collect()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_is_found() {
        assert_eq!(between("a=b; c", "a=", ";"), Some("b"));
        assert_eq!(between("a=b", "a=", ";"), None);
        assert_eq!(between("", "a=", ";"), None);
    }

    #[test]
    fn every_version_is_pinned() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let text = std::fs::read_to_string(root.join(REQUIREMENTS)).expect("requirements");
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.iter().any(|line| line.starts_with("schemathesis==")));
        assert!(lines.iter().all(|line| line.contains("==")), "{lines:?}");
    }
}
