//! OTLP in JSON, read with more patience than the standard asks for.
//!
//! Ids may be hexadecimal in any case or base64; whole numbers may be numbers, texts or `{low, high}`; enums may be
//! numbers or names; keys may be in camel or snake case; what is not known is ignored. What cannot be read is as
//! good as absent, and the checks that follow say what that means.
//!
//! The bytes go straight into the standard's structs. Where a member is there twice, the better spelling counts, and
//! of one spelling the last.

use std::fmt;
use std::marker::PhantomData;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::ExportTraceServiceRequest;
use super::logs::ExportLogsServiceRequest;
use crate::WireError;
use crate::any::MAX_DEPTH;
use crate::text::{Key, unbase64, unhex};

/// Reads an export request.
pub(super) fn request(body: &[u8]) -> Result<ExportTraceServiceRequest, WireError> {
    export(body, "it has no resourceSpans, so it is not an OTLP trace request")
}

/// Reads an export request of logs.
pub(super) fn logs_request(body: &[u8]) -> Result<ExportLogsServiceRequest, WireError> {
    export(body, "it has no resourceLogs, so it is not an OTLP logs request")
}

fn export<T: Members>(body: &[u8], otherwise: &'static str) -> Result<T, WireError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Checked once, for what is passed over is not looked at again.
    let text = std::str::from_utf8(body).map_err(|error| WireError::Json(serde_json::Error::custom(error)))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Patient(Export::<T>(PhantomData)).deserialize(&mut deserializer).map_err(WireError::Json)?;
    deserializer.end().map_err(WireError::Json)?;
    match read {
        None => Err(WireError::Shape("an OTLP request is an object")),
        Some((_, false)) => Err(WireError::Shape(otherwise)),
        Some((request, true)) => Ok(request),
    }
}

/// How a value is read. One of a form that a reader does not expect is as good as absent.
trait Reader<'de>: Sized {
    type Out: Default;

    fn scalar(self, _: Value) -> Self::Out {
        Self::Out::default()
    }

    fn list<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Out, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Out::default())
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Out, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Out::default())
    }
}

/// A reader that is given whatever there is.
struct Patient<R>(R);

impl<'de, R: Reader<'de>> DeserializeSeed<'de> for Patient<R> {
    type Value = R::Out;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<R::Out, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Reader<'de>> Visitor<'de> for Patient<R> {
    type Value = R::Out;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<R::Out, E> {
        Ok(self.0.scalar(Value::Bool(flag)))
    }

    fn visit_i64<E>(self, n: i64) -> Result<R::Out, E> {
        Ok(self.0.scalar(Value::from(n)))
    }

    fn visit_u64<E>(self, n: u64) -> Result<R::Out, E> {
        Ok(self.0.scalar(Value::from(n)))
    }

    fn visit_f64<E>(self, n: f64) -> Result<R::Out, E> {
        Ok(self.0.scalar(Value::from(n)))
    }

    fn visit_str<E>(self, text: &str) -> Result<R::Out, E> {
        Ok(self.0.scalar(Value::from(text)))
    }

    fn visit_unit<E>(self) -> Result<R::Out, E> {
        Ok(self.0.scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<R::Out, A::Error> {
        self.0.list(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<R::Out, A::Error> {
        self.0.object(members)
    }
}

/// Objects of the standard: what their members are called, and how each is read.
trait Members: Default + Clone {
    /// The spellings of every member, the best first.
    const NAMES: &'static [&'static [&'static str]];

    /// Reads the member that is called so in its best spelling.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error>;
}

/// The most members of any object of the standard that are read.
const MAX_MEMBERS: usize = 16;

/// Reads an object of the standard.
#[derive(Clone)]
struct Object<T>(PhantomData<T>);

impl<'de, T: Members> Reader<'de> for Object<T> {
    type Out = Option<T>;

    fn object<A: MapAccess<'de>>(self, members: A) -> Result<Option<T>, A::Error> {
        Ok(Some(read_members(members)?.0))
    }
}

/// Reads an export request, and whether it is one.
struct Export<T>(PhantomData<T>);

impl<'de, T: Members> Reader<'de> for Export<T> {
    type Out = Option<(T, bool)>;

    fn object<A: MapAccess<'de>>(self, members: A) -> Result<Option<(T, bool)>, A::Error> {
        read_members(members).map(Some)
    }
}

/// Reads an object of the standard, and whether any of its members is known or it has none.
fn read_members<'de, T: Members, A: MapAccess<'de>>(mut members: A) -> Result<(T, bool), A::Error> {
    const { assert!(T::NAMES.len() <= MAX_MEMBERS) }
    let (mut object, mut has_known, mut is_empty) = (T::default(), false, true);
    let mut spelt = [usize::MAX; MAX_MEMBERS];
    while let Some(Key(key)) = members.next_key()? {
        is_empty = false;
        let found = T::NAMES.iter().zip(&mut spelt).find_map(|(spellings, spelt)| {
            Some((spellings[0], spellings.iter().position(|spelling| *spelling == key)?, spelt))
        });
        match found {
            Some((name, spelling, spelt)) if spelling <= *spelt => {
                (*spelt, has_known) = (spelling, true);
                object.read(name, &mut members)?;
            }
            _ => pass_over(&mut members)?,
        }
    }
    Ok((object, has_known || is_empty))
}

fn pass_over<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(drop)
}

/// Reads a list, and leaves out what its elements are not.
#[derive(Clone)]
struct List<R>(R);

impl<'de, T, R: Reader<'de, Out = Option<T>> + Clone> Reader<'de> for List<R> {
    type Out = Vec<T>;

    fn list<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(Patient(self.0.clone()))? {
            list.extend(element);
        }
        Ok(list)
    }
}

/// Reads a list that may stand in an object: `{"values": […]}`.
struct Values<R>(R);

impl<'de, T, R: Reader<'de, Out = Option<T>> + Clone> Reader<'de> for Values<R> {
    type Out = Vec<T>;

    fn list<A: SeqAccess<'de>>(self, elements: A) -> Result<Vec<T>, A::Error> {
        List(self.0).list(elements)
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(Key(key)) = members.next_key()? {
            match &*key {
                "values" => values = members.next_value_seed(Patient(List(self.0.clone())))?,
                _ => pass_over(&mut members)?,
            }
        }
        Ok(values)
    }
}

fn object<'de, T: Members, A: MapAccess<'de>>(members: &mut A) -> Result<Option<T>, A::Error> {
    members.next_value_seed(Patient(Object(PhantomData)))
}

fn list<'de, T: Members, A: MapAccess<'de>>(members: &mut A) -> Result<Vec<T>, A::Error> {
    members.next_value_seed(Patient(List(Object(PhantomData))))
}

fn attributes<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Vec<KeyValue>, A::Error> {
    members.next_value_seed(Patient(Attributes))
}

impl Members for ExportTraceServiceRequest {
    const NAMES: &'static [&'static [&'static str]] = &[&["resourceSpans", "resource_spans"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.resource_spans = list(members)?;
        Ok(())
    }
}

impl Members for ExportLogsServiceRequest {
    const NAMES: &'static [&'static [&'static str]] = &[&["resourceLogs", "resource_logs"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.resource_logs = list(members)?;
        Ok(())
    }
}

impl Members for Resource {
    const NAMES: &'static [&'static [&'static str]] = &[&["attributes"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.attributes = attributes(members)?;
        Ok(())
    }
}

impl Members for ResourceLogs {
    const NAMES: &'static [&'static [&'static str]] =
        &[&["resource"], &["scopeLogs", "scope_logs", "instrumentationLibraryLogs", "instrumentation_library_logs"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "resource" => self.resource = object(members)?,
            _ => self.scope_logs = list(members)?,
        }
        Ok(())
    }
}

impl Members for ScopeLogs {
    const NAMES: &'static [&'static [&'static str]] = &[&["logRecords", "log_records"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.log_records = list(members)?;
        Ok(())
    }
}

impl Members for LogRecord {
    const NAMES: &'static [&'static [&'static str]] = &[
        &["timeUnixNano", "time_unix_nano"],
        &["observedTimeUnixNano", "observed_time_unix_nano"],
        &["eventName", "event_name"],
        &["body"],
        &["attributes"],
        &["traceId", "trace_id"],
        &["spanId", "span_id"],
    ];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "timeUnixNano" => self.time_unix_nano = nanos(members.next_value()?),
            "observedTimeUnixNano" => self.observed_time_unix_nano = nanos(members.next_value()?),
            "eventName" => self.event_name = text(members.next_value()?),
            "body" => self.body = members.next_value_seed(Patient(Wrapped { depth: 0 }))?,
            "attributes" => self.attributes = attributes(members)?,
            "traceId" => self.trace_id = id(members.next_value()?, 16),
            _ => self.span_id = id(members.next_value()?, 8),
        }
        Ok(())
    }
}

impl Members for ResourceSpans {
    const NAMES: &'static [&'static [&'static str]] = &[
        &["resource"],
        &["scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans"],
    ];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "resource" => self.resource = object(members)?,
            _ => self.scope_spans = list(members)?,
        }
        Ok(())
    }
}

impl Members for ScopeSpans {
    const NAMES: &'static [&'static [&'static str]] = &[&["spans"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.spans = list(members)?;
        Ok(())
    }
}

impl Members for Span {
    const NAMES: &'static [&'static [&'static str]] = &[
        &["traceId", "trace_id"],
        &["spanId", "span_id"],
        &["parentSpanId", "parent_span_id"],
        &["name"],
        &["kind"],
        &["startTimeUnixNano", "start_time_unix_nano"],
        &["endTimeUnixNano", "end_time_unix_nano"],
        &["attributes"],
        &["events"],
        &["status"],
    ];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
        match name {
            "traceId" => self.trace_id = id(members.next_value()?, 16),
            "spanId" => self.span_id = id(members.next_value()?, 8),
            "parentSpanId" => self.parent_span_id = id(members.next_value()?, 8),
            "name" => self.name = text(members.next_value()?),
            "kind" => self.kind = enumeration(members.next_value()?, "SPAN_KIND_", &KINDS),
            "startTimeUnixNano" => self.start_time_unix_nano = nanos(members.next_value()?),
            "endTimeUnixNano" => self.end_time_unix_nano = nanos(members.next_value()?),
            "attributes" => self.attributes = attributes(members)?,
            "events" => self.events = list(members)?,
            _ => self.status = object(members)?,
        }
        Ok(())
    }
}

impl Members for Status {
    const NAMES: &'static [&'static [&'static str]] = &[&["code"], &["message"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "code" => self.code = enumeration(members.next_value()?, "STATUS_CODE_", &["UNSET", "OK", "ERROR"]),
            _ => self.message = text(members.next_value()?),
        }
        Ok(())
    }
}

impl Members for Event {
    const NAMES: &'static [&'static [&'static str]] =
        &[&["name"], &["timeUnixNano", "time_unix_nano"], &["attributes"]];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "name" => self.name = text(members.next_value()?),
            "timeUnixNano" => self.time_unix_nano = nanos(members.next_value()?),
            _ => self.attributes = attributes(members)?,
        }
        Ok(())
    }
}

fn text(value: Value) -> String {
    if let Value::String(text) = value { text } else { String::new() }
}

/// An id by its length: 32 or 16 hexadecimal digits, else base64. What is neither stays as it is, to be refused.
fn id(value: Value, length: usize) -> Vec<u8> {
    let Value::String(text) = value else { return Vec::new() };
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
fn nanos(value: Value) -> u64 {
    match value {
        Value::Number(n) => n.as_u64().or_else(|| n.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64)).unwrap_or(0),
        other => integer(&other).and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
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

fn enumeration(value: Value, prefix: &str, names: &[&str]) -> i32 {
    match value {
        Value::Number(n) => n.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(0),
        Value::String(text) => {
            let word = text.trim().to_ascii_uppercase();
            let word = word.strip_prefix(prefix).unwrap_or(&word);
            let place = names.iter().position(|name| *name == word).and_then(|place| i32::try_from(place).ok());
            place.or_else(|| word.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Reads attributes.
struct Attributes;

impl<'de> Reader<'de> for Attributes {
    type Out = Vec<KeyValue>;

    fn list<A: SeqAccess<'de>>(self, pairs: A) -> Result<Vec<KeyValue>, A::Error> {
        List(Pair { depth: 0 }).list(pairs)
    }

    /// Not the standard, but plain enough: an object of keys and values.
    fn object<A: MapAccess<'de>>(self, members: A) -> Result<Vec<KeyValue>, A::Error> {
        let object = Map::deserialize(MapAccessDeserializer::new(members))?;
        Ok(object.into_iter().map(|(key, value)| pair(key, Some(plain(value, 0)))).collect())
    }
}

fn pair(key: String, value: Option<AnyValue>) -> KeyValue {
    KeyValue { key, value, ..KeyValue::default() }
}

/// Reads a key and its value.
#[derive(Clone)]
struct Pair {
    depth: usize,
}

impl<'de> Reader<'de> for Pair {
    type Out = Option<KeyValue>;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<KeyValue>, A::Error> {
        let (mut called, mut value) = (None, None);
        while let Some(Key(key)) = members.next_key()? {
            match &*key {
                "key" => called = Some(members.next_value()?),
                "value" => value = members.next_value_seed(Patient(Wrapped { depth: self.depth }))?,
                _ => pass_over(&mut members)?,
            }
        }
        let Some(Value::String(key)) = called else { return Ok(None) };
        Ok(Some(pair(key, value)))
    }
}

/// Reads a value in the standard's wrapping; a bare one is taken as it is.
#[derive(Clone)]
struct Wrapped {
    depth: usize,
}

/// The wrappings, the first of which counts where there are several.
const WRAPPINGS: [[&str; 2]; 7] = [
    ["stringValue", "string_value"],
    ["intValue", "int_value"],
    ["doubleValue", "double_value"],
    ["boolValue", "bool_value"],
    ["arrayValue", "array_value"],
    ["kvlistValue", "kvlist_value"],
    ["bytesValue", "bytes_value"],
];

impl<'de> Reader<'de> for Wrapped {
    type Out = Option<AnyValue>;

    fn scalar(self, value: Value) -> Option<AnyValue> {
        Some(plain(value, self.depth))
    }

    fn list<A: SeqAccess<'de>>(self, elements: A) -> Result<Option<AnyValue>, A::Error> {
        Ok(Some(plain(Value::deserialize(SeqAccessDeserializer::new(elements))?, self.depth)))
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<AnyValue>, A::Error> {
        let mut unwrapped: Option<(usize, Option<Any>)> = None;
        let mut bare = Map::new();
        while let Some(Key(key)) = members.next_key()? {
            let rank = WRAPPINGS.as_flattened().iter().position(|wrapping| *wrapping == key);
            match (rank, &unwrapped) {
                (Some(rank), Some((better, _))) if better < &rank => pass_over(&mut members)?,
                (Some(rank), _) => unwrapped = Some((rank, self.inside(WRAPPINGS[rank / 2][0], &mut members)?)),
                (None, Some(_)) => pass_over(&mut members)?,
                (None, None) => {
                    bare.insert(key.into_owned(), members.next_value()?);
                }
            }
        }
        Ok(Some(match unwrapped {
            _ if self.depth > MAX_DEPTH => AnyValue::default(),
            Some((_, value)) => AnyValue { value },
            None if bare.is_empty() => AnyValue::default(),
            None => plain(Value::Object(bare), self.depth),
        }))
    }
}

impl Wrapped {
    /// Reads what stands inside a wrapping.
    fn inside<'de, A: MapAccess<'de>>(&self, wrapping: &str, members: &mut A) -> Result<Option<Any>, A::Error> {
        let depth = self.depth + 1;
        if wrapping == "arrayValue" {
            let values = members.next_value_seed(Patient(Values(Wrapped { depth })))?;
            return Ok(Some(Any::ArrayValue(ArrayValue { values })));
        }
        if wrapping == "kvlistValue" {
            let values = members.next_value_seed(Patient(Values(Pair { depth })))?;
            return Ok(Some(Any::KvlistValue(KeyValueList { values })));
        }
        let value: Value = members.next_value()?;
        Ok(match wrapping {
            "stringValue" => plain(value, self.depth).value,
            "intValue" => integer(&value).map(Any::IntValue),
            "doubleValue" => double(&value).map(Any::DoubleValue),
            "boolValue" => match value {
                Value::Bool(flag) => Some(Any::BoolValue(flag)),
                Value::String(word) => Some(Any::BoolValue(word.eq_ignore_ascii_case("true"))),
                _ => None,
            },
            _ => value.as_str().and_then(unbase64).map(Any::BytesValue),
        })
    }
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
