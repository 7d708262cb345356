//! Somebody who asks: a person with a session, or a program with a key.

use axum::body::Body;
use axum::http::Request;
use steward_app::Actor;
use steward_app::clients::ClientChanges;
use steward_app::people::NewPerson;
use steward_app::workflows::NewWorkflow;
use steward_core::clients::Client;
use steward_core::ids::{AgencyId, ClientId, PersonId, WorkflowId};
use steward_core::people::Role;
use steward_core::workflow::{Workflow, WorkflowSettings};
use steward_store::tenant::Person;

use crate::test_app::{form, request};
use crate::{Answer, TestApp};

/// A person with a session.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The application.
    pub app: TestApp,
    /// Who they are.
    pub actor: Actor,
    /// Their session, as the cookie's value.
    pub session: String,
    /// The token that their forms carry.
    pub csrf: String,
}

impl Seat {
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub(crate) async fn of(app: TestApp, agency_id: AgencyId, person_id: PersonId) -> Self {
        let link = app.app().make_link(agency_id, person_id, 5).await.expect("a link");
        let session = app.app().use_link(&link).await.expect("a session").secret;
        let who = app.app().find_actor(&session).await.expect("an answer").expect("somebody");
        Self { actor: who.actor, session: session.reveal().to_owned(), csrf: who.csrf, app }
    }

    /// Somebody else of the same agency, `NAME@AGENCY.test`-like: the address is given.
    ///
    /// # Panics
    ///
    /// When they cannot be invited.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn with_person(&self, email: &str, role: Role, clients: &[ClientId]) -> Self {
        if role == Role::Client {
            return self.with_client_person(email, clients).await;
        }
        let new = NewPerson { email: email.to_owned(), name: email.to_owned(), role, clients: clients.to_vec() };
        let (member, _) = self.app.app().invite_person(&self.actor, new).await.expect("invited");
        Self::of(self.app.clone(), self.actor.agency_id, member.person.id).await
    }

    /// Somebody of a client: they cannot be invited before there is a portal, and a database may hold them all the same.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    async fn with_client_person(&self, email: &str, clients: &[ClientId]) -> Self {
        let app = self.app.app();
        let store = app.store_of(&self.actor);
        let person = Person {
            id: PersonId::from_uuid(app.ids().make()),
            email: email.to_owned(),
            name: email.to_owned(),
            role: Role::Client,
            has_password: false,
            created_at: app.clock().now(),
            disabled_at: None,
        };
        store.create_person(&person).await.expect("a person");
        store.update_person_clients(person.id, clients).await.expect("their client");
        Self::of(self.app.clone(), self.actor.agency_id, person.id).await
    }

    /// A client of the agency.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn with_client(&self, name: &str) -> Client {
        self.app.app().create_client(&self.actor, name, ClientChanges::default()).await.expect("a client")
    }

    /// A workflow of the agency.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn with_workflow(&self, name: &str, client_id: Option<ClientId>) -> Workflow {
        let new =
            NewWorkflow { name: name.to_owned(), client_id, source_name: None, settings: WorkflowSettings::default() };
        self.app.app().create_workflow(&self.actor, new).await.expect("a workflow")
    }

    /// A key of the agency, or of one workflow.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn with_key(&self, workflow: Option<WorkflowId>) -> KeyHolder {
        let (_, secret) = self.app.app().create_key(&self.actor, "a key", workflow).await.expect("a key");
        KeyHolder { app: self.app.clone(), key: secret.reveal().to_owned() }
    }

    /// Takes in native runs of the agency and assembles them.
    pub async fn take_in(&self, runs: &[serde_json::Value]) {
        self.app.take_in(self.actor.agency_id, runs).await;
    }

    /// The `Cookie` header.
    #[must_use]
    pub fn cookie(&self) -> String {
        format!("steward_session={}", self.session)
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[], Body::empty())).await
    }

    /// Sends a form from our own page, with its token.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("csrf", &self.csrf));
        self.send(form(path, &fields, &[])).await
    }

    /// Sends JSON as a program with the session and its token does.
    pub async fn send_json(&self, method: &str, path: &str, body: &serde_json::Value) -> Answer {
        let headers = [("content-type", "application/json"), ("x-csrf-token", self.csrf.as_str())];
        self.send(request(method, path, &headers, Body::from(body.to_string()))).await
    }

    /// Sends a request with the session.
    ///
    /// # Panics
    ///
    /// Never: a session is letters and digits.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().insert("cookie", self.cookie().parse().expect("a header"));
        self.app.send(request).await
    }
}

/// A program with a key.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    /// The application.
    pub app: TestApp,
    /// The key.
    pub key: String,
}

impl KeyHolder {
    /// Asks for something.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[], Body::empty())).await
    }

    /// Sends a body of a type.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        self.send(request("POST", path, &[("content-type", content_type)], body.into())).await
    }

    /// Sends a body of a type, compressed already.
    pub async fn post_gzip(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let headers = [("content-type", content_type), ("content-encoding", "gzip")];
        self.send(request("POST", path, &headers, body.into())).await
    }

    /// Sends a request with the key.
    ///
    /// # Panics
    ///
    /// Never: a key is letters and digits.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().insert("authorization", format!("Bearer {}", self.key).parse().expect("a header"));
        self.app.send(request).await
    }
}
