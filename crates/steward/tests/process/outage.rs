//! What holds while a database takes nothing, whatever the reason, and after it: refusals that say when to come back,
//! pages that work or say what is the matter, nothing lost, and no restart.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use steward_testkit::{Called, call};

use crate::house::House;
use crate::load::{Load, export, json_with};
use crate::server::{Answer, Server};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
/// gRPC's status for what may be tried again.
const UNAVAILABLE: i32 = 14;
/// How long it may take until a refusal is heard, or until everything works again.
const PATIENCE: Duration = Duration::from_secs(60);
/// Traces that the load does not send.
const OTHERS: u64 = 1 << 30;

/// A server under load, and the agency that it serves.
pub(crate) struct Outage<'a> {
    pub(crate) server: &'a Server,
    pub(crate) house: &'a House,
    load: Load,
}

/// What an outage is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Nothing can be written, and everything can be read.
    Writing,
    /// The inbox can be neither written nor read; what does not touch it works.
    Inbox,
}

impl<'a> Outage<'a> {
    /// Begins with a server that works.
    pub(crate) fn begin(server: &'a Server, house: &'a House) -> Self {
        let load = Load::start(&Arc::new(Mutex::new(vec![server.address])), &house.key);
        let outage = Self { server, house, load };
        wait_until("the load is taken in", || outage.load.n_acknowledged() > 100);
        outage
    }

    /// While it lasts.
    pub(crate) async fn must_be_told(&self, of: Of) {
        let mut n = 0;
        let mut first = None;
        // What was reserved on the disk before is still taken.
        wait_until("a refusal", || {
            n += 1;
            first = Some(self.send("/v1/traces", &export(OTHERS + n, 0))).filter(|answer| answer.status != 200);
            first.is_some()
        });
        must_be_busy(&first.expect("refused"), "OTLP");
        // All at once: each waits for the database first.
        let runtime = tokio::runtime::Handle::current();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let run =
                    serde_json::json!({"id": "outage", "workflow": "native", "started_at": "2026-11-19T12:00:00Z"});
                must_be_busy(&self.send("/v1/runs", &run), "native runs");
            });
            scope.spawn(move || {
                let called = runtime.block_on(self.export_over_grpc());
                assert_eq!((called.code, called.has_details), (UNAVAILABLE, true), "{}", called.message);
            });
            scope.spawn(|| match self.write_by_page("During") {
                taken if of == Of::Inbox && taken.status == 303 => {}
                refused => must_be_busy(&refused, "a form"),
            });
            for path in ["/", "/runs", "/clients", "/settings/keys", "/api/v1/runs", "/api/v1/workflows"] {
                scope.spawn(move || {
                    let answer = self.server.get(path, &self.house.cookie).expect("an answer");
                    match (answer.status, of) {
                        (200, _) => {}
                        (_, Of::Inbox) => must_be_busy(&answer, path),
                        (_, Of::Writing) => panic!("{path} answered {}", answer.text),
                    }
                });
            }
        });
        assert_eq!(self.server.get("/healthz", "").map(|answer| answer.status), Some(200));
    }

    /// After it, without a restart. Gives the spans that were acknowledged at any time.
    pub(crate) async fn end(self) -> HashSet<(u64, u64)> {
        let mut n = 0;
        wait_until("payloads are taken in again", || {
            n += 1;
            let body = export(2 * OTHERS + n, 0).to_string();
            self.server
                .post("/v1/traces", &json_with(&self.house.key), &body)
                .is_some_and(|answer| answer.status == 200)
        });
        wait_until("forms are taken again", || self.write_by_page("After").status == 303);
        let called = self.export_over_grpc().await;
        assert_eq!(called.code, 0, "{}", called.message);
        let before = self.load.n_acknowledged();
        wait_until("the load is taken in again", || self.load.n_acknowledged() > before + 100);
        wait_until("everything is assembled", || self.n_waiting() < 100);
        assert_eq!(self.server.get("/readyz", "").map(|answer| answer.status), Some(200));
        self.load.stop()
    }

    async fn export_over_grpc(&self) -> Called {
        let export: ExportTraceServiceRequest = serde_json::from_value(export(3 * OTHERS, 0)).expect("an export");
        let key = [("x-api-key", self.house.key.as_str())];
        let message = export.encode_to_vec();
        let calling = call(self.server.grpc, TRACES, &key, &message, false);
        tokio::time::timeout(PATIENCE, calling).await.expect("in time")
    }

    fn send(&self, path: &str, body: &serde_json::Value) -> Answer {
        self.server.post(path, &json_with(&self.house.key), &body.to_string()).expect("an answer")
    }

    fn write_by_page(&self, name: &str) -> Answer {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{}", self.house.cookie);
        let body = format!("name={name}&csrf={}", self.house.csrf);
        self.server.post("/clients/new", &headers, &body).expect("an answer")
    }

    /// Steps that are acknowledged and not yet assembled, as the program counts them.
    fn n_waiting(&self) -> u64 {
        let metrics = self.server.get("/metrics", "").expect("an answer").text;
        let line = metrics.lines().find(|line| line.starts_with("steward_steps_waiting ")).expect("a count");
        line.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number")
    }
}

/// A refusal that says that trying again may help, and when.
fn must_be_busy(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text);
    assert!(answer.retry_after_seconds().is_some_and(|seconds| (1..=60).contains(&seconds)), "{what}: {}", answer.text);
    assert!(answer.text.contains("Steward is busy"), "{what}: {}", answer.text);
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
