//! JSON without the parts that nobody reads.
//!
//! Platforms send whole configurations, audio and the timing of every word beside what happened. What a reader never
//! looks at is passed over while the bytes are read, so that it costs neither time nor memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::WireError;
use crate::text::Key;

/// What is passed over: a member by its own name and the name of the member around it (`""` at the top, `"*"` anywhere).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lean {
    /// Members that are left out.
    pub(super) without: &'static [(&'static str, &'static str)],
    /// Lists of which the first and the last element are enough.
    pub(super) ends_of: &'static [(&'static str, &'static str)],
}

impl Lean {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// When the bytes are no JSON, or JSON that is nested deeper than 128 times.
    pub(super) fn read(self, body: &[u8]) -> Result<Value, WireError> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let inside = Inside { lean: self, parent: "", only_ends: false };
        let value = inside.deserialize(&mut deserializer).map_err(WireError::Json)?;
        deserializer.end().map_err(WireError::Json)?;
        Ok(value)
    }
}

/// How much a document says: its members, at any depth. Nulls are none, for they are left out.
pub(super) fn n_members(value: &Value) -> u32 {
    match value {
        Value::Array(list) => list.iter().map(n_members).fold(0, u32::saturating_add),
        Value::Object(object) => {
            object.values().map(|value| n_members(value).saturating_add(1)).fold(0, u32::saturating_add)
        }
        _ => 0,
    }
}

fn holds(pairs: &[(&str, &str)], parent: &str, key: &str) -> bool {
    pairs.iter().any(|(around, name)| *name == key && (*around == "*" || *around == parent))
}

#[derive(Clone, Copy)]
struct Inside<'a> {
    lean: Lean,
    parent: &'a str,
    only_ends: bool,
}

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(Value::from(n))
    }

    fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<Value, E> {
        Number::from_f64(n).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let within = Inside { only_ends: false, ..self };
        let mut list = Vec::new();
        if self.only_ends {
            list.extend(elements.next_element_seed(within)?);
            let mut last = None;
            while let Some(element) = elements.next_element::<&RawValue>()? {
                last = Some(element);
            }
            if let Some(last) = last {
                // Lists inside are read whole: so nothing begins to count its depth anew more than once.
                let within = Inside { lean: Lean { ends_of: &[], ..self.lean }, ..within };
                let mut deserializer = serde_json::Deserializer::from_str(last.get());
                list.push(within.deserialize(&mut deserializer).map_err(A::Error::custom)?);
            }
            return Ok(Value::Array(list));
        }
        while let Some(element) = elements.next_element_seed(within)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Key(key)) = members.next_key()? {
            if holds(self.lean.without, self.parent, &key) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let only_ends = holds(self.lean.ends_of, self.parent, &key);
            let value = members.next_value_seed(Inside { parent: &key, only_ends, ..self })?;
            if !value.is_null() {
                map.insert(key.into_owned(), value);
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_reads_is_passed_over_and_the_rest_is_whole() {
        let lean = Lean { without: &[("a", "b"), ("*", "audio")], ends_of: &[("turns", "words")] };
        let body = r#"{"a": {"b": [1, 2], "c": {"b": null, "audio": "…"}}, "b": 1.5, "turns": [{"words": [1, 2, {"x": -3}]}, {"words": []}]}"#;
        let document = lean.read(body.as_bytes()).expect("JSON");
        assert_eq!(document, json!({"a": {"c": {}}, "b": 1.5, "turns": [{"words": [1, {"x": -3}]}, {"words": []}]}));
        assert_eq!(n_members(&document), 7);
    }

    #[test]
    fn lists_of_which_the_ends_are_enough_do_not_open_the_limit_of_depth() {
        let lean = Lean { without: &[], ends_of: &[("turns", "words")] };
        let nested = |n: usize| format!("{}1{}", r#"{"turns":{"words":[0,"#.repeat(n), "]}}".repeat(n));
        assert!(lean.read(nested(3).as_bytes()).is_ok());
        assert!(lean.read(nested(10_000).as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for body in [&b""[..], b"{", b"{} {}", b"\xff", b"{\"a\":1e999}"] {
            assert!(Lean::default().read(body).is_err(), "{body:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(Lean::default().read(deep.as_bytes()).is_err());
    }
}
