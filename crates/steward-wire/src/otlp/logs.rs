//! OTLP logs that carry events of the GenAI conventions, as protobuf or as JSON, into steps.
//!
//! Programs that are told to keep what was said out of their spans send it as log records instead. A record is read
//! when its event's name (`event_name`, the attribute `event.name`, or a body that is nothing but the name) begins
//! with `gen_ai.`; all others are counted as ignored, whatever they hold.
//!
//! A record makes a step that is a [`Part`] of its span: merged with the span it adds what the span leaves unsaid.
//!
//! | it names | its step |
//! |---|---|
//! | a trace and a span | is a part of that span |
//! | a trace only | stands in that trace, with nobody knows what around it |
//! | neither, but a conversation | is a root in a run of that conversation: `log:<conversation>` |
//! | none of these | is the root of a run of its own: `log:<hash of the record>` |

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message as _;
use steward_core::parts::{Extent, Part, UNKNOWN_PARENT};
use steward_core::step::Step;
use steward_core::time::Timestamp;

pub use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;

use super::{Encoding, json, of_resource, span};
use crate::draft::Draft;
use crate::native::trace_id;
use crate::text::{hex, name, sha256};
use crate::{Decoded, WireError, any, dialects, nul};

/// What a request of logs held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecodedLogs {
    /// The steps, and the records that were refused.
    pub decoded: Decoded,
    /// How many records are of no concern here. To ignore them is no refusal: `partial_success` does not count them.
    pub ignored: u64,
}

/// Reads an export request of logs.
///
/// # Errors
///
/// When the bytes are not OTLP at all. A bad record is no error: it is counted and the others go on.
pub fn decode_logs(body: &[u8], encoding: Encoding) -> Result<DecodedLogs, WireError> {
    Ok(decode_logs_request(request(body, encoding)?))
}

/// Reads the bytes into the standard's own structs.
pub(crate) fn request(body: &[u8], encoding: Encoding) -> Result<ExportLogsServiceRequest, WireError> {
    match encoding {
        Encoding::Protobuf => ExportLogsServiceRequest::decode(body).map_err(WireError::ProtobufLogs),
        Encoding::Json => json::logs_request(body),
    }
}

/// Reads an export request of logs that was decoded already, as gRPC does it.
#[must_use]
pub fn decode_logs_request(request: ExportLogsServiceRequest) -> DecodedLogs {
    let mut logs = DecodedLogs::default();
    read_each(request, |record| match record {
        Ok(Some(step)) => logs.decoded.steps.push(step),
        Ok(None) => logs.ignored += 1,
        Err(reason) => logs.decoded.reject(&reason),
    });
    logs
}

/// Reads the records of a request one by one, in their order: a step, nothing where a record is of no concern here, or
/// in words why it is refused.
pub(crate) fn read_each(request: ExportLogsServiceRequest, mut take: impl FnMut(Result<Option<Step>, String>)) {
    let mut place = 0u32;
    for records in request.resource_logs {
        let resource = of_resource(records.resource);
        for record in records.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
            let Some(event) = event_name(&record) else {
                take(Ok(None));
                continue;
            };
            place = place.saturating_add(1);
            take(read(record, event, place).map(|mut step| {
                // On every record: what a record says must not depend on those that came with it.
                resource.declare_on(&mut step);
                nul::replace_in(&mut step);
                Some(step)
            }));
        }
    }
}

/// The name of a record's event, where it is one of the GenAI conventions.
fn event_name(record: &LogRecord) -> Option<String> {
    let is_ours = |called: &&str| called.starts_with("gen_ai.");
    let text = |value: &AnyValue| match &value.value {
        Some(Any::StringValue(text)) => Some(text.clone()),
        _ => None,
    };
    if !record.event_name.is_empty() {
        return Some(record.event_name.as_str()).filter(is_ours).map(str::to_owned);
    }
    let called = any::find(&record.attributes, "event.name").and_then(text);
    called.or_else(|| record.body.as_ref().and_then(text)).filter(|called| is_ours(&called.as_str()))
}

/// Reads a record of an event.
///
/// # Errors
///
/// The reason in words why it cannot be a step.
fn read(record: LogRecord, event: String, place: u32) -> Result<Step, String> {
    let nanos = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
    if nanos == 0 {
        return Err("a log record has no time".to_owned());
    }
    let said_at = Timestamp::from_nanos(nanos);
    if !said_at.is_plausible() {
        return Err(format!(
            "a log record's time, {}, is not between 2000 and 2100: is it in nanoseconds?",
            said_at.rfc3339()
        ));
    }
    let is_absent = |id: &[u8]| id.iter().all(|byte| *byte == 0);
    let has_trace = !is_absent(&record.trace_id);
    let has_span = has_trace && !is_absent(&record.span_id);
    let own_id = if has_span { String::new() } else { hash(&record, &event) };
    let mut draft = Draft::default();
    draft.step.trace_id = match has_trace {
        true => span::id(&record.trace_id, 16).map_err(|why| format!("a log record's trace id {why}"))?,
        // It is filled in below, when the conversation is known.
        false => String::new(),
    };
    draft.step.span_id = match has_span {
        true => span::id(&record.span_id, 8).map_err(|why| format!("a log record's span id {why}"))?,
        false => own_id.get(..16).unwrap_or_default().to_owned(),
    };
    draft.step.parent_span_id = has_trace.then(|| UNKNOWN_PARENT.to_owned());
    draft.step.name = name(event.clone());
    draft.step.started_at = said_at;
    draft.step.ended_at = said_at;
    let follows = dialects::read_record(&mut draft, &event, record.attributes, record.body);
    let mut step = draft.finish();
    if !has_trace {
        let conversation = step.declared.as_ref().and_then(|declared| declared.conversation_id.as_deref());
        step.trace_id = trace_id("log", conversation.unwrap_or(&own_id));
    }
    step.extent = Extent::Part(Part { said_at, place, follows, ..Part::default() });
    Ok(step)
}

/// The hash of what a record says and of when it says so: two reports of one record have the same.
fn hash(record: &LogRecord, event: &str) -> String {
    let mut pairs: Vec<&KeyValue> = record.attributes.iter().collect();
    pairs.sort_by(|a, b| a.key.cmp(&b.key));
    let mut bytes = record.body.as_ref().map(AnyValue::encode_to_vec).unwrap_or_default();
    pairs.into_iter().for_each(|pair| bytes.append(&mut pair.encode_length_delimited_to_vec()));
    let time = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
    sha256(&format!("{time}\n{event}\n{}\n{}", hex(&record.trace_id), hex(&bytes)))
}
