//! A server process, and questions to it over sockets.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long an answer may take: a handler has a minute.
const PATIENCE: Duration = Duration::from_secs(70);

/// A server process; killed without warning when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) grpc: SocketAddr,
}

impl Server {
    pub(crate) fn start(url: &str) -> Self {
        Self::start_with(&[], url, "error", Stdio::inherit())
    }

    /// Starts it by another program that becomes it, with a log.
    pub(crate) fn start_with(before: &[&str], url: &str, level: &str, log: Stdio) -> Self {
        let (address, grpc) = (free_address(), free_address());
        let (http_at, grpc_at) = (address.to_string(), grpc.to_string());
        let program = env!("CARGO_BIN_EXE_steward");
        let mut words = before.to_vec();
        words.extend([program, "--database", url, "serve", "--listen", &http_at, "--listen-grpc", &grpc_at]);
        let child = Command::new(words[0])
            .args(&words[1..])
            .env("STEWARD_LOG", level)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let server = Self { child, address, grpc };
        let started = Instant::now();
        while server.get("/readyz", "").map(|answer| answer.status) != Some(200) {
            assert!(started.elapsed() < Duration::from_secs(60), "the server did not get ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks for something, with headers that each end their line.
    pub(crate) fn get(&self, path: &str, headers: &str) -> Option<Answer> {
        ask(self.address, &format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{headers}\r\n"))
    }

    /// Sends something, with headers that each end their line.
    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Option<Answer> {
        ask(self.address, &post(path, headers, body))
    }
}

impl Drop for Server {
    /// What `kill -9` does.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port")
}

/// A request that sends something.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    /// When to try again, as the answer says.
    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        let head = self.text.split("\r\n\r\n").next()?.to_ascii_lowercase();
        head.lines().find_map(|line| line.strip_prefix("retry-after:"))?.trim().parse().ok()
    }
}

/// Sends one request on a connection of its own. `None` when the server went away before it answered.
pub(crate) fn ask(address: SocketAddr, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    // A server that is killed behind its status line has answered.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (line, _) = text.split_once("\r\n")?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, text })
}
