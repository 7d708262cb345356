//! Killed at random moments under load, on either database: every acknowledged span is in exactly one run, and
//! every tally equals a rebuild from the inbox.

#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use steward_app::agencies::NewAgency;
use steward_app::{Actor, App, Clock, IdSource};
use steward_core::people::Role;
use steward_store::Store;
use steward_store::tenant::RunFilter;

const ROUNDS: u64 = 8;
const SENDERS: u64 = 3;

/// A server process; killed without warning when dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(url: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let child = Command::new(env!("CARGO_BIN_EXE_steward"))
            .args(["--database", url, "serve", "--listen", &address.to_string(), "--listen-grpc", "off"])
            .env("STEWARD_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let server = Self { child, address };
        let started = Instant::now();
        while exchange(address, "GET /readyz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n") != Some(200) {
            assert!(started.elapsed() < Duration::from_secs(60), "the server did not get ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    /// What `kill -9` does.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends one request on a connection of its own. `None` when the server went away before it answered.
fn exchange(address: SocketAddr, request: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !answer.windows(2).any(|w| w == b"\r\n") {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => answer.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

fn trace_id(trace: u64) -> String {
    format!("{:032x}", u128::from(trace) + 1)
}

fn span_id(trace: u64, span: u64) -> String {
    format!("{:016x}", trace * 8 + span + 1)
}

/// One span of a trace that several requests bring in pieces, out of order.
fn request(key: &str, trace: u64, span: u64) -> String {
    let at = 1_795_000_000_000_000_000_u64 + trace * 1_000_000;
    let mut one = serde_json::json!({
        "traceId": trace_id(trace), "spanId": span_id(trace, span), "name": "execute_tool t", "kind": 1,
        "startTimeUnixNano": at.to_string(), "endTimeUnixNano": (at + 1_000_000 * (span + 1)).to_string(),
        "attributes": [
            { "key": "gen_ai.operation.name", "value": { "stringValue": "execute_tool" } },
            { "key": "gen_ai.tool.name", "value": { "stringValue": format!("t{span}") } },
        ],
    });
    if span > 0 {
        one["parentSpanId"] = span_id(trace, 0).into();
    }
    let resource = serde_json::json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "load" } }] });
    let body = serde_json::json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [one] }] }] })
        .to_string();
    format!(
        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<std::thread::JoinHandle<()>>,
    acknowledged: Arc<Mutex<HashSet<(u64, u64)>>>,
}

impl Load {
    /// Sends spans to any of the servers that are there, until stopped.
    fn start(addresses: &Arc<Mutex<Vec<SocketAddr>>>, key: &str) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(HashSet::new())));
        let next = Arc::new(AtomicU64::new(0));
        let senders = (0..SENDERS)
            .map(|_| {
                let (stop, acknowledged, next) = (Arc::clone(&stop), Arc::clone(&acknowledged), Arc::clone(&next));
                let (addresses, key) = (Arc::clone(addresses), key.to_owned());
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let address = {
                            let addresses = addresses.lock().expect("a lock");
                            let at = next.load(Ordering::Relaxed) % (addresses.len() as u64).max(1);
                            addresses.get(usize::try_from(at).expect("small")).copied()
                        };
                        let Some(address) = address else {
                            std::thread::sleep(Duration::from_millis(2));
                            continue;
                        };
                        // Spans of one trace come seventeen requests apart, the root at any place among them.
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let (trace, span) = (n / 68 * 17 + n % 17, (n / 17 + n % 17) % 4);
                        if exchange(address, &request(&key, trace, span)) == Some(200) {
                            acknowledged.lock().expect("a lock").insert((trace, span));
                        }
                    }
                })
            })
            .collect();
        Self { stop, senders, acknowledged }
    }

    fn stop(self) -> HashSet<(u64, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.join().expect("a sender");
        }
        std::mem::take(&mut *self.acknowledged.lock().expect("a lock"))
    }
}

async fn open(url: &str) -> App {
    App::new(Store::open(url).await.expect("a database"), Clock::system(), IdSource::random(), "http://steward.test")
}

async fn set_up(url: &str) -> (Actor, String) {
    let app = open(url).await;
    let agency = NewAgency {
        agency_name: "North".to_owned(),
        time_zone: "UTC".to_owned(),
        currency: "USD".to_owned(),
        person_name: "Ada".to_owned(),
        email: "ada@north.test".to_owned(),
        password: None,
    };
    let (agency_id, person_id) = app.create_agency_with_owner(agency).await.expect("an agency");
    let actor = Actor { person_id, name: "Ada".to_owned(), role: Role::Owner, agency_id, clients: None };
    let (_, key) = app.create_key(&actor, "load", None).await.expect("a key");
    app.store().clone().close().await.expect("closed");
    (actor, key.reveal().to_owned())
}

async fn check(url: &str, actor: &Actor, acknowledged: &HashSet<(u64, u64)>) {
    let app = open(url).await;
    app.store().release_inbox().await.expect("released");
    app.assemble_waiting().await.expect("assembled");
    let store = app.agency(actor.agency_id);
    let mut found: HashMap<(String, String), u32> = HashMap::new();
    let mut behind = None;
    loop {
        let filter = RunFilter { with_tests: true, ..RunFilter::default() };
        let keys = store.list_run_keys(&filter, behind, 500).await.expect("keys");
        let Some((last, _)) = keys.last() else { break };
        behind = Some(*last);
        let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
        for run in store.find_stored_runs(&keys).await.expect("runs") {
            for step in run.steps {
                *found.entry((step.trace_id, step.span_id)).or_default() += 1;
            }
        }
    }
    assert!(acknowledged.len() > 60, "only {} spans were acknowledged", acknowledged.len());
    for (trace, span) in acknowledged {
        let key = (trace_id(*trace), span_id(*trace, *span));
        assert_eq!(found.get(&key), Some(&1), "span {key:?} was acknowledged");
    }
    assert!(found.values().all(|n| *n == 1), "no span is in two runs");
    let before = store.list_all_tallies().await.expect("tallies");
    assert!(!before.is_empty());
    app.rebuild(actor.agency_id, &|_| ()).await.expect("rebuilt");
    assert_eq!(store.list_all_tallies().await.expect("tallies"), before, "a rebuild gives the same tallies");
    app.store().clone().close().await.expect("closed");
}

/// Pauses of different lengths, the same in every run of the test.
fn pause(round: u64) -> Duration {
    Duration::from_millis(120 + (round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % 500)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_sqlite_is_killed_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("steward.db").display());
    let (actor, key) = set_up(&url).await;
    let addresses = Arc::new(Mutex::new(Vec::new()));
    let load = Load::start(&addresses, &key);
    for round in 0..ROUNDS {
        let server = Server::start(&url);
        *addresses.lock().expect("a lock") = vec![server.address];
        std::thread::sleep(pause(round));
        drop(server);
        addresses.lock().expect("a lock").clear();
    }
    check(&url, &actor, &load.stop()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_processes_on_one_postgresql_is_killed_again_and_again() {
    let Ok(server_url) = std::env::var("TEST_DATABASE_URL") else {
        eprintln!("left out: two processes on one PostgreSQL, because TEST_DATABASE_URL is not set");
        return;
    };
    let name = format!("steward_kill_{}", std::process::id());
    let admin = Store::open_admin(&server_url).await.expect("a server");
    admin.create_database(&name).await.expect("a database");
    let url = steward_store::with_database(&server_url, &name);
    let (actor, key) = set_up(&url).await;
    let survivor = Server::start(&url);
    let addresses = Arc::new(Mutex::new(vec![survivor.address]));
    let load = Load::start(&addresses, &key);
    for round in 0..ROUNDS {
        let server = Server::start(&url);
        *addresses.lock().expect("a lock") = vec![survivor.address, server.address];
        std::thread::sleep(pause(round));
        drop(server);
        *addresses.lock().expect("a lock") = vec![survivor.address];
    }
    let acknowledged = load.stop();
    drop(survivor);
    check(&url, &actor, &acknowledged).await;
    admin.drop_database(&name).await.expect("dropped");
}
