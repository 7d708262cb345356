//! Killed at random moments under load, on either database: every acknowledged span is in exactly one run, and
//! every tally equals a rebuild from the inbox.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use steward_store::Store;

use crate::house::{House, check, set_up};
use crate::load::Load;
use crate::server::Server;

const ROUNDS: u64 = 8;

/// Pauses of different lengths, the same in every run of the test.
fn pause(round: u64) -> Duration {
    Duration::from_millis(120 + (round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % 500)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_on_sqlite_is_killed_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("steward.db").display());
    let House { actor, key, .. } = set_up(&url).await;
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
    let House { actor, key, .. } = set_up(&url).await;
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
