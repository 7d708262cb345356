//! An application over a new database, and its router.

use std::cell::Cell;
use std::rc::Rc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use steward_app::agencies::NewAgency;
use steward_app::seal::Seal;
use steward_app::system::InboxKind;
use steward_app::{App, Clock, IdSource};
use steward_core::ids::AgencyId;
use steward_core::time::Timestamp;
use steward_web::WebConfig;
use tower::ServiceExt as _;

use crate::{Answer, Logs, Seat, TestDb};

/// The time at which tests begin: 2026-11-23T12:30:00Z, a Monday.
pub const NOW: Timestamp = Timestamp(1_795_437_000_000_000);
/// The password of whoever has one.
pub const PASSWORD: &str = "correct horse battery";

/// An application over a database of its own. Cheap to clone.
///
/// When the last clone is dropped, the test fails if something was logged as an error that was not expected.
#[derive(Debug, Clone)]
pub struct TestApp {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    app: App,
    clock: Clock,
    router: Router,
    logs: Logs,
    expects_errors: Cell<bool>,
    // Last, so that everything that uses it is gone before it.
    db: TestDb,
}

impl TestApp {
    /// An application over a database, with a clock that stands still and ids that count up.
    pub async fn new(db: TestDb) -> Self {
        Self::with_config(db, WebConfig::default()).await
    }

    /// The same with other settings.
    pub async fn with_config(db: TestDb, config: WebConfig) -> Self {
        Self::at(db, config, "http://steward.test").await
    }

    /// The same, reached at another address.
    pub async fn at(db: TestDb, config: WebConfig, public_url: &str) -> Self {
        let logs = Logs::listen();
        let clock = Clock::fixed(NOW);
        let app = App::new(db.open().await, clock.clone(), IdSource::counted(), public_url);
        let app = match Seal::of("the secret key of every test, which is none") {
            Some(seal) => app.sealed_with(seal),
            None => app,
        };
        let router = steward_web::router(app.clone(), config);
        Self { inner: Rc::new(Inner { app, clock, router, logs, expects_errors: Cell::new(false), db }) }
    }

    /// The use cases.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.inner.app
    }

    /// The clock, to move it.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &TestDb {
        &self.inner.db
    }

    /// What was logged.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.inner.logs
    }

    /// Says that this test makes something fail, so that errors in the log are no surprise.
    pub fn expect_errors(&self) {
        self.inner.expects_errors.set(true);
    }

    /// An agency; gives the seat of its owner, `owner@NAME.test` with [`PASSWORD`].
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn agency(&self, name: &str) -> Seat {
        let new = NewAgency {
            agency_name: name.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            currency: "EUR".to_owned(),
            person_name: format!("Owner of {name}"),
            email: format!("owner@{name}.test"),
            password: Some(PASSWORD.to_owned()),
        };
        let (agency_id, person_id) = self.app().create_agency_with_owner(new).await.expect("an agency");
        Seat::of(self.clone(), agency_id, person_id).await
    }

    /// Takes in native runs and assembles them.
    ///
    /// # Panics
    ///
    /// When they cannot be kept.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn take_in(&self, agency_id: AgencyId, runs: &[serde_json::Value]) {
        let now = self.clock().now();
        let payloads = runs.iter().map(|run| (now, InboxKind::Native, run.to_string().into_bytes())).collect();
        self.app().accept_past(agency_id, payloads).await.expect("kept");
        self.assemble().await;
    }

    /// Assembles what waits in the inbox.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn assemble(&self) {
        self.app().assemble_waiting().await.expect("assembled");
    }

    /// Does every job that is due.
    ///
    /// # Panics
    ///
    /// When the database does not answer.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn do_jobs(&self) {
        while self.app().do_next_job().await.expect("a job") {}
    }

    /// Sends a request and gives the answer as it begins, for those that have no end.
    ///
    /// # Panics
    ///
    /// Never: a router does not fail.
    pub async fn open(&self, request: Request<Body>) -> Response {
        match self.inner.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Sends a request and reads the answer to its end.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.open(request).await).await
    }

    /// Asks for something as nobody.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, &[], Body::empty())).await
    }

    /// Sends a form as nobody, from our own page.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(form(path, fields, &[])).await
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let errors = self.logs.errors();
        if !errors.is_empty() && !self.expects_errors.get() && !std::thread::panicking() {
            panic!("logged as errors, and not expected: {errors:#?}");
        }
    }
}

/// A request with some headers.
#[expect(clippy::expect_used, reason = "in tests a panic is the report")]
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "steward.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).expect("a request")
}

/// A form as a browser sends it from our own page.
#[expect(clippy::expect_used, reason = "in tests a panic is the report")]
pub(crate) fn form(path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Request<Body> {
    let body = serde_urlencoded::to_string(fields).expect("a form");
    let from_ourselves = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("origin", "http://steward.test"),
        ("sec-fetch-site", "same-origin"),
    ];
    let headers: Vec<_> = from_ourselves.into_iter().chain(headers.iter().copied()).collect();
    request("POST", path, &headers, Body::from(body))
}
