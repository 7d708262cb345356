//! OTLP in JSON, read with more patience than the standard asks for.
//!
//! Ids may be hexadecimal in any case or base64; whole numbers may be numbers, texts or `{low, high}`; enums may be
//! numbers or names; keys may be in camel or snake case; what is not known is ignored. What cannot be read is as
//! good as absent, and the checks that follow say what that means.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde_json::{Map, Value};

use super::ExportTraceServiceRequest;
use super::logs::ExportLogsServiceRequest;
use crate::WireError;
use crate::any::MAX_DEPTH;
use crate::text::{unbase64, unhex};

/// Reads an export request.
pub(super) fn request(body: &[u8]) -> Result<ExportTraceServiceRequest, WireError> {
    let mut object = object(body)?;
    let spans = take(&mut object, "resourceSpans", "resource_spans");
    if spans.is_none() && !object.is_empty() {
        return Err(WireError::Shape("it has no resourceSpans, so it is not an OTLP trace request"));
    }
    Ok(ExportTraceServiceRequest { resource_spans: list(spans, resource_spans) })
}

/// Reads an export request of logs.
pub(super) fn logs_request(body: &[u8]) -> Result<ExportLogsServiceRequest, WireError> {
    let mut object = object(body)?;
    let logs = take(&mut object, "resourceLogs", "resource_logs");
    if logs.is_none() && !object.is_empty() {
        return Err(WireError::Shape("it has no resourceLogs, so it is not an OTLP logs request"));
    }
    Ok(ExportLogsServiceRequest { resource_logs: list(logs, resource_logs) })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, WireError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match serde_json::from_slice(body).map_err(WireError::Json)? {
        Value::Object(object) => Ok(object),
        _ => Err(WireError::Shape("an OTLP request is an object")),
    }
}

fn resource(object: &mut Map<String, Value>) -> Option<Resource> {
    match object.remove("resource") {
        Some(Value::Object(mut resource)) => {
            Some(Resource { attributes: attributes(resource.remove("attributes"), 0), ..Resource::default() })
        }
        _ => None,
    }
}

fn resource_logs(mut object: Map<String, Value>) -> ResourceLogs {
    let resource = resource(&mut object);
    let scope_logs = take(&mut object, "scopeLogs", "scope_logs")
        .or_else(|| take(&mut object, "instrumentationLibraryLogs", "instrumentation_library_logs"));
    ResourceLogs { resource, scope_logs: list(scope_logs, scope_of_logs), ..ResourceLogs::default() }
}

fn scope_of_logs(mut object: Map<String, Value>) -> ScopeLogs {
    let records = take(&mut object, "logRecords", "log_records");
    ScopeLogs { log_records: list(records, log_record), ..ScopeLogs::default() }
}

fn log_record(mut object: Map<String, Value>) -> LogRecord {
    let o = &mut object;
    LogRecord {
        time_unix_nano: nanos(take(o, "timeUnixNano", "time_unix_nano")),
        observed_time_unix_nano: nanos(take(o, "observedTimeUnixNano", "observed_time_unix_nano")),
        event_name: text(take(o, "eventName", "event_name")),
        body: o.remove("body").map(|body| any(body, 0)),
        attributes: attributes(o.remove("attributes"), 0),
        trace_id: id(take(o, "traceId", "trace_id"), 16),
        span_id: id(take(o, "spanId", "span_id"), 8),
        ..LogRecord::default()
    }
}

fn resource_spans(mut object: Map<String, Value>) -> ResourceSpans {
    let resource = resource(&mut object);
    let scope_spans = take(&mut object, "scopeSpans", "scope_spans")
        .or_else(|| take(&mut object, "instrumentationLibrarySpans", "instrumentation_library_spans"));
    ResourceSpans { resource, scope_spans: list(scope_spans, scope), ..ResourceSpans::default() }
}

fn scope(mut object: Map<String, Value>) -> ScopeSpans {
    ScopeSpans { spans: list(object.remove("spans"), span), ..ScopeSpans::default() }
}

fn span(mut object: Map<String, Value>) -> Span {
    let o = &mut object;
    Span {
        trace_id: id(take(o, "traceId", "trace_id"), 16),
        span_id: id(take(o, "spanId", "span_id"), 8),
        parent_span_id: id(take(o, "parentSpanId", "parent_span_id"), 8),
        name: text(o.remove("name")),
        kind: enumeration(
            o.remove("kind"),
            "SPAN_KIND_",
            &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"],
        ),
        start_time_unix_nano: nanos(take(o, "startTimeUnixNano", "start_time_unix_nano")),
        end_time_unix_nano: nanos(take(o, "endTimeUnixNano", "end_time_unix_nano")),
        attributes: attributes(o.remove("attributes"), 0),
        events: list(o.remove("events"), event),
        status: match o.remove("status") {
            Some(Value::Object(mut status)) => Some(Status {
                code: enumeration(status.remove("code"), "STATUS_CODE_", &["UNSET", "OK", "ERROR"]),
                message: text(status.remove("message")),
            }),
            _ => None,
        },
        ..Span::default()
    }
}

fn event(mut object: Map<String, Value>) -> Event {
    Event {
        name: text(object.remove("name")),
        time_unix_nano: nanos(take(&mut object, "timeUnixNano", "time_unix_nano")),
        attributes: attributes(object.remove("attributes"), 0),
        ..Event::default()
    }
}

fn take(object: &mut Map<String, Value>, camel: &str, snake: &str) -> Option<Value> {
    object.remove(camel).or_else(|| object.remove(snake))
}

fn list<T>(value: Option<Value>, read: fn(Map<String, Value>) -> T) -> Vec<T> {
    let Some(Value::Array(items)) = value else { return Vec::new() };
    items
        .into_iter()
        .filter_map(|item| if let Value::Object(object) = item { Some(read(object)) } else { None })
        .collect()
}

fn text(value: Option<Value>) -> String {
    if let Some(Value::String(text)) = value { text } else { String::new() }
}

/// An id by its length: 32 or 16 hexadecimal digits, else base64. What is neither stays as it is, to be refused.
fn id(value: Option<Value>, length: usize) -> Vec<u8> {
    let Some(Value::String(text)) = value else { return Vec::new() };
    let text = text.trim();
    if text.len() == length * 2
        && let Some(bytes) = unhex(text)
    {
        return bytes;
    }
    match unbase64(text) {
        Some(bytes) if bytes.len() == length => bytes,
        _ => unhex(text).unwrap_or_else(|| text.as_bytes().to_vec()),
    }
}

/// Nanoseconds since the epoch; 0 where they cannot be read.
fn nanos(value: Option<Value>) -> u64 {
    match value {
        Some(Value::Number(n)) => {
            n.as_u64().or_else(|| n.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64)).unwrap_or(0)
        }
        Some(other) => integer(&other).and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        None => 0,
    }
}

/// A whole number as a number, a text, or the two halves in which JavaScript libraries write it.
fn integer(value: &Value) -> Option<i64> {
    match value {
        // A cast of a float saturates; JSON knows no NaN.
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|n| n as i64)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n as i64))
        }
        Value::Object(halves) => {
            let half = |key: &str| halves.get(key).and_then(Value::as_i64);
            let (low, high) = (half("low")?, half("high")?);
            // The low half may be written as a negative number: its 32 bits are what counts.
            Some((high << 32) | (low & 0xffff_ffff))
        }
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        // "NaN", "Infinity" and "-Infinity" are the standard's words for what JSON cannot write.
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn enumeration(value: Option<Value>, prefix: &str, names: &[&str]) -> i32 {
    match value {
        Some(Value::Number(n)) => n.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(0),
        Some(Value::String(text)) => {
            let word = text.trim().to_ascii_uppercase();
            let word = word.strip_prefix(prefix).unwrap_or(&word);
            let place = names.iter().position(|name| *name == word).and_then(|place| i32::try_from(place).ok());
            place.or_else(|| word.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

fn attributes(value: Option<Value>, depth: usize) -> Vec<KeyValue> {
    match value {
        Some(Value::Array(pairs)) => pairs.into_iter().filter_map(|pair| key_value(pair, depth)).collect(),
        // Not the standard, but plain enough: an object of keys and values.
        Some(Value::Object(object)) => {
            object.into_iter().map(|(key, value)| pair(key, Some(plain(value, depth)))).collect()
        }
        _ => Vec::new(),
    }
}

fn pair(key: String, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key, value, ..KeyValue::default() }
}

fn key_value(value: Value, depth: usize) -> Option<KeyValue> {
    let Value::Object(mut object) = value else { return None };
    let Some(Value::String(key)) = object.remove("key") else { return None };
    Some(pair(key, object.remove("value").map(|value| any(value, depth))))
}

/// A value in the standard's wrapping; a bare one is taken as it is.
fn any(value: Value, depth: usize) -> AnyValue {
    if depth > MAX_DEPTH {
        return AnyValue { value: None };
    }
    let Value::Object(mut object) = value else { return plain(value, depth) };
    let inner = |object: &mut Map<String, Value>| match object.remove("values") {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    };
    let value = if let Some(text) = take(&mut object, "stringValue", "string_value") {
        match text {
            Value::String(text) => Some(Any::StringValue(text)),
            other => return plain(other, depth),
        }
    } else if let Some(n) = take(&mut object, "intValue", "int_value") {
        integer(&n).map(Any::IntValue)
    } else if let Some(n) = take(&mut object, "doubleValue", "double_value") {
        double(&n).map(Any::DoubleValue)
    } else if let Some(flag) = take(&mut object, "boolValue", "bool_value") {
        match flag {
            Value::Bool(flag) => Some(Any::BoolValue(flag)),
            Value::String(word) => Some(Any::BoolValue(word.eq_ignore_ascii_case("true"))),
            _ => None,
        }
    } else if let Some(list) = take(&mut object, "arrayValue", "array_value") {
        let values = match list {
            Value::Object(mut list) => inner(&mut list),
            Value::Array(values) => values,
            _ => Vec::new(),
        };
        Some(Any::ArrayValue(ArrayValue { values: values.into_iter().map(|value| any(value, depth + 1)).collect() }))
    } else if let Some(list) = take(&mut object, "kvlistValue", "kvlist_value") {
        let values = match list {
            Value::Object(mut list) => inner(&mut list),
            Value::Array(values) => values,
            _ => Vec::new(),
        };
        let values = values.into_iter().filter_map(|pair| key_value(pair, depth + 1)).collect();
        Some(Any::KvlistValue(KeyValueList { values }))
    } else if let Some(bytes) = take(&mut object, "bytesValue", "bytes_value") {
        bytes.as_str().and_then(unbase64).map(Any::BytesValue)
    } else if object.is_empty() {
        None
    } else {
        return plain(Value::Object(object), depth);
    };
    AnyValue { value }
}

/// A value without the standard's wrapping.
fn plain(value: Value, depth: usize) -> AnyValue {
    if depth > MAX_DEPTH {
        return AnyValue { value: None };
    }
    let value = match value {
        Value::Null => None,
        Value::Bool(flag) => Some(Any::BoolValue(flag)),
        Value::Number(n) => match n.as_i64() {
            Some(n) => Some(Any::IntValue(n)),
            None => n.as_f64().map(Any::DoubleValue),
        },
        Value::String(text) => Some(Any::StringValue(text)),
        Value::Array(values) => Some(Any::ArrayValue(ArrayValue {
            values: values.into_iter().map(|value| plain(value, depth + 1)).collect(),
        })),
        Value::Object(object) => {
            let values = object.into_iter().map(|(key, value)| pair(key, Some(plain(value, depth + 1)))).collect();
            Some(Any::KvlistValue(KeyValueList { values }))
        }
    };
    AnyValue { value }
}
