//! An application over a new database, with people and clients in it.

use steward_app::agencies::NewAgency;
use steward_app::clients::ClientChanges;
use steward_app::people::NewPerson;
use steward_app::seal::Seal;
use steward_app::workflows::NewWorkflow;
use steward_app::{Actor, App, AppError, Clock, IdSource};
use steward_core::clients::Client;
use steward_core::ids::ClientId;
use steward_core::people::Role;
use steward_core::time::Timestamp;
use steward_core::workflow::{Workflow, WorkflowSettings};
use steward_store::system::InboxKind;
use steward_store::tenant::AuditEntry;
use steward_testkit::TestDb;

/// 2026-11-23, a Monday.
pub(crate) const NOW: Timestamp = Timestamp(1_795_437_000_000_000);
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    // Last, so that everything that uses it is gone before it.
    pub(crate) db: TestDb,
}

impl World {
    pub(crate) async fn new(db: TestDb) -> Self {
        let clock = Clock::fixed(NOW);
        let seal = Seal::of("the secret key of every test, which is none").expect("long enough");
        let app =
            App::new(db.open().await, clock.clone(), IdSource::counted(), "http://steward.test").sealed_with(seal);
        Self { app, clock, db }
    }

    /// Another process on the same database; its ids are random, as two processes' ids never meet.
    pub(crate) async fn another_process(&self) -> App {
        App::new(self.db.open().await, self.clock.clone(), IdSource::random(), "http://steward.test")
    }

    /// An agency; gives its owner, `owner@NAME.test` with [`PASSWORD`].
    pub(crate) async fn agency(&self, name: &str) -> Actor {
        let new = NewAgency {
            agency_name: name.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            currency: "EUR".to_owned(),
            person_name: format!("Owner of {name}"),
            email: format!("owner@{name}.test"),
            password: Some(PASSWORD.to_owned()),
        };
        self.app.create_agency_with_owner(new).await.expect("an agency");
        self.actor(&format!("owner@{name}.test")).await
    }

    pub(crate) async fn actor(&self, email: &str) -> Actor {
        self.app.find_actor_by_email(email).await.expect("an answer").expect("somebody")
    }

    pub(crate) async fn person(&self, owner: &Actor, email: &str, role: Role, clients: &[ClientId]) -> Actor {
        let new = NewPerson { email: email.to_owned(), name: email.to_owned(), role, clients: clients.to_vec() };
        self.app.invite_person(owner, new).await.expect("invited");
        self.actor(email).await
    }

    pub(crate) async fn client(&self, owner: &Actor, name: &str) -> Client {
        self.app.create_client(owner, name, ClientChanges::default()).await.expect("a client")
    }

    pub(crate) async fn workflow(&self, owner: &Actor, name: &str, client: Option<ClientId>) -> Workflow {
        let new = new_workflow(name, client);
        self.app.create_workflow(owner, new).await.expect("a workflow")
    }

    /// Takes in native runs for what they name and makes runs of them.
    pub(crate) async fn take_in(&self, owner: &Actor, runs: &[serde_json::Value]) {
        let payloads = runs.iter().map(|run| (NOW, InboxKind::Native, run.to_string().into_bytes())).collect();
        self.app.accept_past(owner.agency_id, payloads).await.expect("kept");
        self.app.assemble_waiting().await.expect("assembled");
    }

    pub(crate) async fn audit(&self, owner: &Actor) -> Vec<String> {
        let entries = self.app.list_audit(owner, 100).await.expect("entries");
        entries.into_iter().map(|AuditEntry { person, action, .. }| format!("{person}: {action}")).collect()
    }

    pub(crate) async fn n_waiting_jobs(&self, owner: &Actor) -> usize {
        self.app.store().agency(owner.agency_id).list_jobs(1_000).await.expect("jobs").len()
    }
}

pub(crate) fn new_workflow(name: &str, client_id: Option<ClientId>) -> NewWorkflow {
    NewWorkflow { name: name.to_owned(), client_id, source_name: None, settings: WorkflowSettings::default() }
}

/// A failure as people read it, with its kind.
pub(crate) fn words<T>(result: Result<T, AppError>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            let kind = match &error {
                AppError::NotFound(_) => "not found",
                AppError::Forbidden(_) => "forbidden",
                AppError::Invalid(_) => "invalid",
                AppError::Conflict(_) => "conflict",
                AppError::TooMany { .. } => "too many",
                AppError::Busy { .. } => "busy",
                AppError::Store(_) | AppError::Paper(_) | AppError::Fault(_) => "broken",
            };
            format!("{kind}: {error}")
        }
    }
}
