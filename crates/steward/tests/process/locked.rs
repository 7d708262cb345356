//! A database that somebody else holds locked for longer than the program waits for it.

use steward_store::Store;
use steward_store::testing::HeldLock;

use crate::house::{check, set_up};
use crate::outage::{Of, Outage};
use crate::server::Server;

async fn a_lock_is_an_outage(url: &str, of: Of) {
    let house = set_up(url).await;
    let server = Server::start(url);
    let outage = Outage::begin(&server, &house);
    let lock = HeldLock::take(url).await.expect("a lock");
    outage.must_be_told(of).await;
    lock.release().await.expect("released");
    let acknowledged = outage.end().await;
    drop(server);
    check(url, &house.actor, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_must_be_told_and_survived() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("steward.db").display());
    a_lock_is_an_outage(&url, Of::Writing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_inbox_on_postgresql_must_be_told_and_survived() {
    let Ok(server_url) = std::env::var("TEST_DATABASE_URL") else {
        eprintln!("left out: a locked inbox on PostgreSQL, because TEST_DATABASE_URL is not set");
        return;
    };
    let name = format!("steward_locked_{}", std::process::id());
    let admin = Store::open_admin(&server_url).await.expect("a server");
    admin.create_database(&name).await.expect("a database");
    a_lock_is_an_outage(&steward_store::with_database(&server_url, &name), Of::Inbox).await;
    admin.drop_database(&name).await.expect("dropped");
}
