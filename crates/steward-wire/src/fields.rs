//! A JSON object whose fields are taken out one by one, so that what is left over is what nobody understood.

use serde_json::{Map, Value};
use steward_core::money::Nanos;
use steward_core::privacy::{MaskKind, Masked, add_masked};
use steward_core::step::{Message, Role, Score, Step, StepError, StepStatus};
use steward_core::time::Timestamp;
use steward_core::usage::{Basis, ReportedUsage, Usage};

use crate::text::{MAX_ATTRIBUTE_CHARS, MAX_NAME_CHARS, bounded, name, sha256};
use crate::{errors, messages};

/// The field that says how often something of each kind was masked before it was stored.
pub(crate) const MASKED: &str = "steward_masked";
/// Reads how often something of each kind was masked.
pub(crate) fn masked_of(value: Value) -> Masked {
    let mut masked = Masked::new();
    let Value::Object(kinds) = value else { return masked };
    for (kind, n) in kinds {
        let n = n.as_u64().and_then(|n| u32::try_from(n).ok());
        if let (Some(kind), Some(n)) = (MaskKind::parse(&kind), n) {
            add_masked(&mut masked, &Masked::from([(kind, n)]));
        }
    }
    masked
}

/// The most attributes of one step.
const MAX_ATTRIBUTES: usize = 64;
/// The most judgements of one step.
const MAX_SCORES: usize = 100;

/// The fields of an object, and what had to be noted while they were read.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    object: Map<String, Value>,
    n_fields: usize,
    /// In words: what was guessed or left out.
    pub(crate) notes: Vec<String>,
}

impl Fields {
    pub(crate) fn new(object: Map<String, Value>) -> Self {
        Self { n_fields: object.len(), object, notes: Vec::new() }
    }

    /// How many fields there were.
    pub(crate) fn n_fields(&self) -> u32 {
        u32::try_from(self.n_fields).unwrap_or(u32::MAX)
    }

    /// Notes in words that something was guessed or left out.
    pub(crate) fn note(&mut self, words: impl Into<String>) {
        if self.notes.len() < 20 {
            self.notes.push(words.into());
        }
    }

    /// The same fields and one more.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.object.insert(key.to_owned(), value);
        self
    }

    /// Takes the first field of these names that is there and not null.
    pub(crate) fn take(&mut self, keys: &[&str]) -> Option<Value> {
        keys.iter().find_map(|key| self.object.remove(*key).filter(|value| !value.is_null()))
    }

    /// Takes a text or a number as a name. `None` when it is empty or something else.
    pub(crate) fn name(&mut self, keys: &[&str]) -> Option<String> {
        match self.take(keys)? {
            Value::String(text) if !text.trim().is_empty() => Some(name(text)),
            Value::Number(n) => Some(n.to_string()),
            _ => None,
        }
    }

    /// Takes the id of a run. One that is too long for a name stands as its hash, so that it stays its own.
    pub(crate) fn key(&mut self, keys: &[&str]) -> Option<String> {
        match self.take(keys)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) if text.len() > MAX_NAME_CHARS => Some(sha256(&text)),
            Value::String(text) => Some(text),
            Value::Number(n) => Some(n.to_string()),
            _ => None,
        }
    }

    /// Takes a truth; anything else is false.
    pub(crate) fn truth(&mut self, key: &str) -> bool {
        match self.take(&[key]) {
            Some(Value::Bool(flag)) => flag,
            Some(Value::String(word)) => word.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Takes a list; anything else is an empty one.
    pub(crate) fn list(&mut self, key: &str) -> Vec<Value> {
        match self.take(&[key]) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        }
    }

    /// Takes an object; anything else is an empty one.
    pub(crate) fn object(&mut self, key: &str) -> Map<String, Value> {
        match self.take(&[key]) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        }
    }

    /// Takes an instant.
    ///
    /// # Errors
    ///
    /// When there is something that is no instant between 2000 and 2100.
    pub(crate) fn instant(&mut self, keys: &[&str]) -> Result<Option<Timestamp>, String> {
        let key = keys.first().copied().unwrap_or_default();
        match self.take(keys) {
            None => Ok(None),
            Some(value) => match instant(&value) {
                Some(at) if at.is_plausible() => Ok(Some(at)),
                Some(at) => Err(format!("{key}, {}, is not between 2000 and 2100", at.rfc3339())),
                None => {
                    Err(format!("{key} is no time: RFC 3339 and seconds, milli-, micro- or nanoseconds since 1970 are"))
                }
            },
        }
    }

    /// Takes an amount of money. Negative and broken amounts are left out with a note.
    pub(crate) fn money(&mut self, keys: &[&str]) -> Option<Nanos> {
        let value = self.take(keys)?;
        let amount = number(&value).and_then(Nanos::from_units).filter(|nanos| nanos.0 >= 0);
        if amount.is_none() {
            self.note(format!(
                "{} is negative or no number and was left out",
                keys.first().copied().unwrap_or_default()
            ));
        }
        amount
    }

    /// Takes milliseconds. Negative and broken ones are left out with a note.
    pub(crate) fn milliseconds(&mut self, key: &str) -> Option<i64> {
        let value = self.take(&[key])?;
        let ms = number(&value).filter(|ms| (0.0..1e15).contains(ms)).map(|ms| ms.round() as i64);
        if ms.is_none() {
            self.note(format!("{key} is negative or no number and was left out"));
        }
        ms
    }

    /// Takes token counts; input includes cached tokens and output includes reasoning.
    pub(crate) fn usage(&mut self) -> Option<Usage> {
        let mut fields = Self::new(self.object("usage"));
        let mut count = |keys: &[&str]| {
            let value = fields.take(keys)?;
            let n = number(&value).filter(|n| *n >= 0.0 && n.is_finite()).map(|n| n.round() as u64);
            if n.is_none() {
                self.note("a number of tokens that is negative or no number was left out");
            }
            n
        };
        let reported = ReportedUsage {
            input: count(&["input_tokens", "prompt_tokens"]),
            output: count(&["output_tokens", "completion_tokens"]),
            cache_read: count(&["cache_read_tokens", "cache_read_input_tokens", "cached_tokens"]),
            cache_write: count(&["cache_write_tokens", "cache_creation_input_tokens"]),
            reasoning: count(&["reasoning_tokens"]),
            total: count(&["total_tokens"]),
            ..ReportedUsage::default()
        };
        Usage::normalise(reported, Basis::Inclusive)
    }

    /// Takes an error: a text, or an object with a code and a message.
    pub(crate) fn error(&mut self, key: &str) -> Option<StepError> {
        match self.take(&[key])? {
            Value::String(message) if message.is_empty() => None,
            Value::String(message) => Some(errors::error(errors::leading_name(&message).map(str::to_owned), message)),
            Value::Object(object) => {
                let mut fields = Self::new(object);
                let code = fields.name(&["code", "type", "name", "status"]);
                let message = fields.take(&["message", "text", "detail"]).map(messages::json_text).unwrap_or_default();
                Some(errors::error(code, message))
            }
            Value::Bool(true) => Some(errors::error(None, String::new())),
            _ => None,
        }
    }

    /// Takes a status.
    pub(crate) fn status(&mut self) -> StepStatus {
        match self.name(&["status"]).unwrap_or_default().to_ascii_lowercase().as_str() {
            "ok" | "success" | "succeeded" | "completed" | "complete" | "done" => StepStatus::Ok,
            "error" | "failed" | "failure" => StepStatus::Error,
            _ => StepStatus::Unset,
        }
    }

    /// Takes what was said: a text, one message, or a list of them.
    pub(crate) fn said(&mut self, key: &str, role: Role) -> Vec<Message> {
        let mut said = self.take(&[key]).map(|value| messages::from_json(value, role)).unwrap_or_default();
        messages::bound(&mut said);
        said
    }

    /// Takes a text as it was sent, as one message; for what goes into a tool and comes out of it.
    pub(crate) fn verbatim(&mut self, key: &str, role: Role) -> Vec<Message> {
        match self.take(&[key]).map(messages::json_text) {
            Some(text) if !text.is_empty() => vec![messages::plain(role, text)],
            _ => Vec::new(),
        }
    }

    /// Takes judgements: a list of them, or an object of names and values.
    pub(crate) fn scores(&mut self) -> Vec<Score> {
        let items: Vec<Value> = match self.take(&["scores"]) {
            Some(Value::Array(items)) => items,
            Some(Value::Object(object)) => {
                object.into_iter().map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect()
            }
            _ => Vec::new(),
        };
        let mut scores = Vec::new();
        for item in items.into_iter().take(MAX_SCORES) {
            let Value::Object(object) = item else { continue };
            let mut fields = Self::new(object);
            let Some(name) = fields.name(&["name"]) else {
                self.note("a score without a name was left out");
                continue;
            };
            let (mut label, mut value) = (fields.name(&["label"]), None);
            match fields.take(&["value", "score"]) {
                Some(Value::Bool(flag)) => value = Some(if flag { 1.0 } else { 0.0 }),
                Some(Value::String(word)) if number(&Value::String(word.clone())).is_none() => {
                    label = label.or(Some(crate::text::name(word)));
                }
                Some(other) => value = number(&other),
                None => {}
            }
            if value.is_some() || label.is_some() {
                let explanation = fields.name(&["explanation", "comment", "reason"]);
                scores.push(Score { name, value, label, explanation, by_human: fields.truth("by_human") });
            }
        }
        scores
    }

    /// Puts an object's fields among a step's attributes.
    pub(crate) fn attributes(step: &mut Step, object: Map<String, Value>) {
        for (key, value) in object {
            Self::attribute(step, key, value);
        }
    }

    /// Puts one value among a step's attributes, while there is room.
    pub(crate) fn attribute(step: &mut Step, key: String, value: Value) {
        if step.attributes.len() < MAX_ATTRIBUTES && !value.is_null() && !key.is_empty() {
            step.attributes.insert(name(key), bounded(messages::json_text(value), MAX_ATTRIBUTE_CHARS));
        }
    }

    /// The names of the fields that nobody took, behind the name of what they stood in.
    pub(crate) fn rest_of(self, place: &str) -> impl Iterator<Item = String> {
        let rest = self.object.into_iter().filter(|(_, value)| !value.is_null()).take(50);
        rest.map(move |(key, _)| name(if place.is_empty() { key } else { format!("{place}.{key}") }))
    }

    /// The fields that nobody took, and the notes, for a step's reading.
    pub(crate) fn close(mut self, step: &mut Step) {
        let masked = self.take(&[MASKED]).map(masked_of).unwrap_or_default();
        add_masked(&mut step.reading.masked, &masked);
        step.reading
            .unmapped
            .extend(self.object.into_iter().filter(|(_, value)| !value.is_null()).take(50).map(|(key, _)| name(key)));
        step.reading.notes.extend(self.notes);
    }
}

/// A finite number, also when it was written as text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|n| n.is_finite())
}

/// An instant: RFC 3339, or a number whose magnitude tells its unit.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    if let Value::String(text) = value
        && let Some(at) = Timestamp::parse(text.trim())
    {
        return Some(at);
    }
    // Whole numbers go their own way: a float has no room for nanoseconds.
    let whole = match value {
        Value::Number(n) => n.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(n) = whole {
        return Some(match n.unsigned_abs() {
            0..100_000_000_000 => Timestamp::from_seconds(n),
            100_000_000_000..100_000_000_000_000 => Timestamp(n.saturating_mul(1_000)),
            100_000_000_000_000..100_000_000_000_000_000 => Timestamp(n),
            _ => Timestamp(n / 1_000),
        });
    }
    let n = number(value)?;
    let micros = match n.abs() {
        size if size < 1e11 => n * 1e6,
        size if size < 1e14 => n * 1e3,
        size if size < 1e17 => n,
        _ => n / 1e3,
    };
    // A cast of a float saturates.
    Some(Timestamp(micros.round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_s_unit_is_told_by_its_magnitude() {
        let expected = Timestamp::parse("2025-08-01T16:20:44Z");
        for value in [
            serde_json::json!(1_754_065_244),
            serde_json::json!(1_754_065_244.0),
            serde_json::json!(1_754_065_244_000_i64),
            serde_json::json!(1_754_065_244_000_000_i64),
            serde_json::json!(1_754_065_244_000_000_000_i64),
            serde_json::json!("1754065244"),
            serde_json::json!("2025-08-01T16:20:44Z"),
            serde_json::json!("2025-08-01T18:20:44+02:00"),
            serde_json::json!("2025-08-01T16:20:44"),
        ] {
            assert_eq!(instant(&value), expected, "{value}");
        }
        assert_eq!(instant(&serde_json::json!("soon")), None);
        assert_eq!(instant(&serde_json::json!(true)), None);
    }
}
