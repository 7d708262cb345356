//! OTLP's `AnyValue` as text, as a number, as JSON.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::Value;

use crate::messages;

/// How deep a structured value is read; what lies deeper is left out.
pub(crate) const MAX_DEPTH: usize = 64;

/// The value as text: a string as it is, a scalar as it is written, anything else as JSON. `None` when it is empty.
pub(crate) fn into_text(value: AnyValue) -> Option<String> {
    match value.value? {
        Any::StringValue(text) => (!text.is_empty()).then_some(text),
        Any::BoolValue(flag) => Some(flag.to_string()),
        Any::IntValue(n) => Some(n.to_string()),
        Any::DoubleValue(n) => Some(n.to_string()),
        other => Some(into_json(AnyValue { value: Some(other) }, 0).to_string()),
    }
}

/// A text as a value.
pub(crate) fn of_text(text: String) -> AnyValue {
    AnyValue { value: Some(Any::StringValue(text)) }
}

/// A text without the wrapping of LangChain's instrumentations; see [`messages::unwrapped`].
pub(crate) fn unwrapped(value: AnyValue) -> AnyValue {
    match value.value {
        Some(Any::StringValue(text)) => AnyValue { value: Some(Any::StringValue(messages::unwrapped(text))) },
        other => AnyValue { value: other },
    }
}

/// The first text of a list, or the text itself.
pub(crate) fn into_first_text(value: AnyValue) -> Option<String> {
    match value.value? {
        Any::ArrayValue(list) => into_text(list.values.into_iter().next()?),
        Any::StringValue(text) if text.starts_with('[') => match serde_json::from_str::<Vec<String>>(&text) {
            Ok(list) => list.into_iter().next(),
            Err(_) => Some(text),
        },
        other => into_text(AnyValue { value: Some(other) }),
    }
}

/// The value as a number, also when it was written as text. `None` for anything else; may be NaN.
pub(crate) fn number(value: &AnyValue) -> Option<f64> {
    match value.value.as_ref()? {
        Any::IntValue(n) => Some(*n as f64),
        Any::DoubleValue(n) => Some(*n),
        Any::StringValue(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The value as a whole number, also when it was written as text or as a fraction.
pub(crate) fn integer(value: &AnyValue) -> Option<i64> {
    match value.value.as_ref()? {
        Any::IntValue(n) => Some(*n),
        Any::StringValue(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().ok(),
        // A cast of a float saturates; NaN was sorted out.
        _ => number(value).filter(|n| n.is_finite()).map(|n| n.round() as i64),
    }
}

/// The value as a truth, also when it was written as text or number.
pub(crate) fn truth(value: &AnyValue) -> Option<bool> {
    match value.value.as_ref()? {
        Any::BoolValue(flag) => Some(*flag),
        Any::IntValue(n) => Some(*n != 0),
        Any::StringValue(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The value as JSON. What lies deeper than [`MAX_DEPTH`] is null.
pub(crate) fn into_json(value: AnyValue, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    match value.value {
        None | Some(Any::StringValueStrindex(_)) => Value::Null,
        Some(Any::StringValue(text)) => Value::String(text),
        Some(Any::BoolValue(flag)) => Value::Bool(flag),
        Some(Any::IntValue(n)) => Value::from(n),
        // NaN and the infinities become null: JSON has no number for them.
        Some(Any::DoubleValue(n)) => Value::from(n),
        Some(Any::BytesValue(bytes)) => Value::String(format!("[{} bytes]", bytes.len())),
        Some(Any::ArrayValue(list)) => list.values.into_iter().map(|item| into_json(item, depth + 1)).collect(),
        Some(Any::KvlistValue(list)) => {
            list.values.into_iter().map(|pair| (pair.key, json_or_null(pair.value, depth + 1))).collect()
        }
    }
}

fn json_or_null(value: Option<AnyValue>, depth: usize) -> Value {
    value.map_or(Value::Null, |value| into_json(value, depth))
}

/// The text of one attribute of a short list, such as an event's.
pub(crate) fn find<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|pair| pair.key == key)?.value.as_ref()
}

/// The text value of one attribute of a short list.
pub(crate) fn find_text(attributes: &[KeyValue], key: &str) -> Option<String> {
    find(attributes, key).cloned().and_then(into_text)
}
