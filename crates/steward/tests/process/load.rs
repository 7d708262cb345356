//! Senders that go on sending spans whatever is answered, and remember what was acknowledged.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::{ask, post};

const SENDERS: u64 = 3;

pub(crate) fn trace_id(trace: u64) -> String {
    format!("{:032x}", u128::from(trace) + 1)
}

pub(crate) fn span_id(trace: u64, span: u64) -> String {
    format!("{:016x}", trace * 8 + span + 1)
}

/// An export of one span of a trace that several requests bring in pieces, out of order.
pub(crate) fn export(trace: u64, span: u64) -> serde_json::Value {
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
    serde_json::json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [one] }] }] })
}

/// The headers of JSON that comes with a key.
pub(crate) fn json_with(key: &str) -> String {
    format!("Content-Type: application/json\r\nAuthorization: Bearer {key}\r\n")
}

/// Senders that go on until stopped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<std::thread::JoinHandle<()>>,
    acknowledged: Arc<Mutex<HashSet<(u64, u64)>>>,
}

impl Load {
    /// Sends spans to any of the servers that are there, until stopped.
    pub(crate) fn start(addresses: &Arc<Mutex<Vec<SocketAddr>>>, key: &str) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(HashSet::new())));
        let next = Arc::new(AtomicU64::new(0));
        let senders = (0..SENDERS)
            .map(|_| {
                let (stop, acknowledged, next) = (Arc::clone(&stop), Arc::clone(&acknowledged), Arc::clone(&next));
                let (addresses, headers) = (Arc::clone(addresses), json_with(key));
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
                        let request = post("/v1/traces", &headers, &export(trace, span).to_string());
                        if ask(address, &request).is_some_and(|answer| answer.status == 200) {
                            acknowledged.lock().expect("a lock").insert((trace, span));
                        }
                    }
                })
            })
            .collect();
        Self { stop, senders, acknowledged }
    }

    /// How many spans were acknowledged so far.
    pub(crate) fn n_acknowledged(&self) -> usize {
        self.acknowledged.lock().expect("a lock").len()
    }

    /// Stops, and gives what was acknowledged.
    pub(crate) fn stop(self) -> HashSet<(u64, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.join().expect("a sender");
        }
        std::mem::take(&mut *self.acknowledged.lock().expect("a lock"))
    }
}
