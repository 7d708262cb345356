//! An agency with a key and somebody who is signed in, and the count of what its database holds.

use std::collections::{HashMap, HashSet};

use steward_app::agencies::NewAgency;
use steward_app::{Actor, App, Clock, IdSource};
use steward_core::people::Role;
use steward_store::Store;
use steward_store::tenant::RunFilter;

use crate::load::{span_id, trace_id};

/// An agency.
pub(crate) struct House {
    pub(crate) actor: Actor,
    pub(crate) key: String,
    /// The `Cookie` header of its owner, with its line's end.
    pub(crate) cookie: String,
    /// The token that the owner's forms carry.
    pub(crate) csrf: String,
}

async fn open(url: &str) -> App {
    App::new(Store::open(url).await.expect("a database"), Clock::system(), IdSource::random(), "http://steward.test")
}

/// Makes a database with one agency.
pub(crate) async fn set_up(url: &str) -> House {
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
    let link = app.make_link(agency_id, person_id, 5).await.expect("a link");
    let session = app.use_link(&link).await.expect("a session").secret;
    let csrf = app.find_actor(&session).await.expect("an answer").expect("somebody").csrf;
    app.store().clone().close().await.expect("closed");
    let cookie = format!("Cookie: steward_session={}\r\n", session.reveal());
    House { actor, key: key.reveal().to_owned(), cookie, csrf }
}

/// Every acknowledged span is in exactly one run, and every tally equals a rebuild from the inbox.
pub(crate) async fn check(url: &str, actor: &Actor, acknowledged: &HashSet<(u64, u64)>) {
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
