//! Two processes over one database, and twenty reviewers at once: nobody gets what another holds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use steward_app::people::NewPerson;
use steward_app::{App, Clock, IdSource};
use steward_core::people::Role;
use steward_store::Store;

use crate::house::{House, set_up};
use crate::load::json_with;
use crate::server::{Answer, Server, post};

const REVIEWERS: usize = 20;
const ITEMS: usize = 120;

/// The headers of each of so many people who are signed in.
async fn reviewers(url: &str, house: &House) -> Vec<String> {
    let store = Store::open(url).await.expect("a database");
    let app = App::new(store, Clock::system(), IdSource::random(), "http://steward.test");
    let mut headers = Vec::new();
    for n in 0..REVIEWERS {
        let email = format!("reviewer{n}@north.test");
        let new = NewPerson { name: email.clone(), email, role: Role::Operator, clients: Vec::new() };
        let (member, _) = app.invite_person(&house.actor, new).await.expect("invited");
        let link = app.make_link(house.actor.agency_id, member.person.id, 5).await.expect("a link");
        let session = app.use_link(&link).await.expect("a session").secret;
        let csrf = app.find_actor(&session).await.expect("an answer").expect("somebody").csrf;
        let session = session.reveal();
        headers.push(format!(
            "Cookie: steward_session={session}\r\nX-CSRF-Token: {csrf}\r\nContent-Type: application/json\r\n"
        ));
    }
    app.store().clone().close().await.expect("closed");
    headers
}

fn body_of(answer: &Answer) -> Value {
    let (_, body) = answer.text.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {}", answer.text))
}

/// Claims what is next until nothing is free, and gives what it got.
fn claim_all(server: std::net::SocketAddr, headers: &str) -> Vec<String> {
    let mut got = Vec::new();
    loop {
        let answer = crate::server::ask(server, &post("/api/v1/queue/next", headers, "{}")).expect("an answer");
        if answer.status == 503 {
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.text);
        match body_of(&answer)["item"]["id"].as_str() {
            Some(id) => got.push(id.to_owned()),
            None => return got,
        }
    }
}

async fn nobody_gets_what_another_holds(url: &str) {
    let house = set_up(url).await;
    let headers = reviewers(url, &house).await;
    let servers = [Server::start(url), Server::start(url)];
    let now = Clock::system().now().0 / 1_000_000;
    for n in 0..ITEMS {
        let at = now - 60 - i64::try_from(n).expect("a number");
        let run = json!({
            "id": format!("r{n}"), "workflow": "bot", "started_at": at - 9, "ended_at": at, "outcome": "failed",
            "steps": [{"id": "s", "kind": "tool", "tool": "book", "started_at": at - 8, "ended_at": at - 7, "error": "no seats left"}],
        });
        let answer = servers[n % 2].post("/v1/runs", &json_with(&house.key), &run.to_string()).expect("an answer");
        assert!((200..300).contains(&answer.status), "{}", answer.text);
    }
    // Both processes assemble, mine and fill; what each run came to waits once.
    let started = Instant::now();
    loop {
        let answer = servers[0].get("/api/v1/queue?limit=500", &house.cookie).expect("an answer");
        let n = body_of(&answer)["items"].as_array().map_or(0, Vec::len);
        if n == ITEMS {
            break;
        }
        assert!(n < ITEMS, "{n} items of {ITEMS} runs");
        assert!(started.elapsed() < Duration::from_secs(60), "only {n} items wait");
        std::thread::sleep(Duration::from_millis(100));
    }
    let claiming: Vec<_> = headers
        .into_iter()
        .enumerate()
        .map(|(n, headers)| {
            let address = servers[n % 2].address;
            std::thread::spawn(move || claim_all(address, &headers))
        })
        .collect();
    let got: Vec<Vec<String>> = claiming.into_iter().map(|one| one.join().expect("a reviewer")).collect();
    let all: Vec<&String> = got.iter().flatten().collect();
    assert_eq!(all.len(), ITEMS);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), ITEMS, "nobody got what another holds");
    assert!(got.iter().filter(|one| !one.is_empty()).count() > REVIEWERS / 2, "few at once prove little");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_sqlite_share_a_queue() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("steward.db").display());
    nobody_gets_what_another_holds(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_postgresql_share_a_queue() {
    let Ok(server_url) = std::env::var("TEST_DATABASE_URL") else {
        eprintln!("left out: a queue on PostgreSQL, because TEST_DATABASE_URL is not set");
        return;
    };
    let name = format!("steward_queue_{}", std::process::id());
    let admin = Store::open_admin(&server_url).await.expect("a server");
    admin.create_database(&name).await.expect("a database");
    nobody_gets_what_another_holds(&steward_store::with_database(&server_url, &name)).await;
    admin.drop_database(&name).await.expect("dropped");
}
