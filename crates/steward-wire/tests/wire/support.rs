//! Spans made short.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use steward_core::calendar::BusinessHours;
use steward_core::derive::{Context, derive, merge};
use steward_core::prices::PriceBook;
use steward_core::run::RunFacts;
use steward_core::step::{Message, Role, Step};
use steward_core::time::Timestamp;
use steward_core::workflow::WorkflowSettings;
use steward_wire::Decoded;
use steward_wire::otlp::{Encoding, decode};

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const START: u64 = 1_760_000_000_000_000_000;

/// A request of one resource with spans as JSON.
pub(crate) fn request(resource: Value, spans: Vec<Value>) -> Value {
    json!({ "resourceSpans": [{ "resource": { "attributes": resource }, "scopeSpans": [{ "spans": spans }] }] })
}

/// A span with attributes; the attributes may be a plain object.
pub(crate) fn span(attributes: Value) -> Value {
    json!({
        "traceId": TRACE, "spanId": "b7ad6b7169203331", "parentSpanId": "b7ad6b7169203330", "name": "a span",
        "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 1_500_000_000).to_string(),
        "attributes": attributes,
    })
}

/// A span with other fields set or replaced.
pub(crate) fn with(mut span: Value, fields: Value) -> Value {
    for (key, value) in fields.as_object().unwrap() {
        span[key] = value.clone();
    }
    span
}

pub(crate) fn read_json(request: &Value) -> Decoded {
    decode(request.to_string().as_bytes(), Encoding::Json).unwrap()
}

/// The one step of one span.
pub(crate) fn step_of(span: Value) -> Step {
    let decoded = read_json(&request(json!({}), vec![span]));
    assert_eq!(decoded.rejection, None);
    decoded.steps.into_iter().next().unwrap()
}

/// The one step of a span with these attributes.
pub(crate) fn step(attributes: Value) -> Step {
    step_of(span(attributes))
}

/// Messages as pairs of who and what.
pub(crate) fn said(messages: &[Message]) -> Vec<(Role, &str)> {
    messages.iter().map(|message| (message.role, message.text.as_str())).collect()
}

/// What a run of these steps comes to.
pub(crate) fn facts(steps: Vec<Step>) -> RunFacts {
    let context = Context {
        settings: &WorkflowSettings::default(),
        prices: PriceBook::built_in(),
        hours: &BusinessHours::default(),
        zone: &TimeZone::UTC,
        verdict: None,
        now: Timestamp::from_nanos(START + 3_600_000_000_000),
    };
    derive(&merge(Vec::new(), steps), &context).unwrap()
}
