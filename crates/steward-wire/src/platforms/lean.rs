//! JSON without the parts that nobody reads.
//!
//! Platforms send whole configurations, audio and the timing of every word beside what happened. What a reader never
//! looks at is passed over while the bytes are read, so that it costs neither time nor memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::WireError;
use crate::text::Key;

/// What is passed over: a member by its own name and the name of the member around it (`""` at the top, `"*"` anywhere).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lean {
    /// Members that are left out.
    pub(super) without: &'static [(&'static str, &'static str)],
    /// Lists that become one number: a member of their last element, by its name.
    pub(super) last_of: &'static [(&'static str, &'static str, &'static str)],
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
        let inside = Inside { lean: self, marks: self.marks(), parent: "" };
        let value = inside.deserialize(&mut deserializer).map_err(WireError::Json)?;
        deserializer.end().map_err(WireError::Json)?;
        Ok(value)
    }

    /// The marks of all names together: most members have none of these, and that is seen at once.
    fn marks(&self) -> u128 {
        let names = self.without.iter().map(|(_, name)| name).chain(self.last_of.iter().map(|(_, name, _)| name));
        names.fold(0, |marks, name| marks | mark(name))
    }
}

/// One of 128 marks by a name's length and its ends.
fn mark(name: &str) -> u128 {
    let end = |byte: Option<&u8>| byte.copied().map_or(0, usize::from);
    let bytes = name.as_bytes();
    1 << ((bytes.len() + 5 * end(bytes.first()) + 11 * end(bytes.last())) % 128)
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

#[derive(Clone, Copy)]
struct Inside<'a> {
    lean: Lean,
    marks: u128,
    parent: &'a str,
}

/// What to do with a member.
enum Member {
    Read,
    LeaveOut,
    LastOf(&'static str),
}

impl Inside<'_> {
    fn member(&self, key: &str) -> Member {
        if self.marks & mark(key) == 0 {
            return Member::Read;
        }
        let here = |around: &str, name: &str| name == key && (around == "*" || around == self.parent);
        if self.lean.without.iter().any(|(around, name)| here(around, name)) {
            return Member::LeaveOut;
        }
        let last = self.lean.last_of.iter().find(|(around, name, _)| here(around, name));
        last.map_or(Member::Read, |(_, _, member)| Member::LastOf(member))
    }
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
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(self)? {
            list.push(element);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Key(key)) = members.next_key()? {
            let value = match self.member(&key) {
                Member::LeaveOut => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
                Member::LastOf(name) => {
                    members.next_value_seed(Last { name, depth: 0 })?.map_or(Value::Null, Value::from)
                }
                Member::Read => members.next_value_seed(Inside { parent: &key, ..self })?,
            };
            if !value.is_null() {
                map.insert(key.into_owned(), value);
            }
        }
        Ok(Value::Object(map))
    }
}

/// The number that stands in the last element of a list under a name; whatever else stands there is none.
#[derive(Clone, Copy)]
struct Last {
    name: &'static str,
    /// 0 for the list, 1 for an element, 2 for the member.
    depth: u8,
}

impl Last {
    fn at(self, depth: u8, n: f64) -> Option<f64> {
        (self.depth == depth).then_some(n)
    }
}

impl<'de> DeserializeSeed<'de> for Last {
    type Value = Option<f64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<f64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Last {
    type Value = Option<f64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<f64>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, n: i64) -> Result<Option<f64>, E> {
        Ok(self.at(2, n as f64))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Option<f64>, E> {
        Ok(self.at(2, n as f64))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Option<f64>, E> {
        Ok(self.at(2, n))
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<f64>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<f64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<f64>, A::Error> {
        if self.depth > 0 {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        // Which one is the last is known behind it, so that all are passed over and it is read once more.
        let mut last: Option<&'de RawValue> = None;
        while let Some(element) = elements.next_element()? {
            last = Some(element);
        }
        let Some(last) = last else { return Ok(None) };
        let mut deserializer = serde_json::Deserializer::from_str(last.get());
        Self { depth: 1, ..self }.deserialize(&mut deserializer).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<f64>, A::Error> {
        let mut found = None;
        while let Some(named) = members.next_key_seed(IsNamed(self.name))? {
            if named && self.depth == 1 {
                found = members.next_value_seed(Self { depth: 2, ..self })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a member has this name.
struct IsNamed(&'static str);

impl<'de> DeserializeSeed<'de> for IsNamed {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsNamed {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_reads_is_passed_over_and_the_rest_is_whole() {
        let lean = Lean { without: &[("a", "b"), ("*", "audio")], last_of: &[("turns", "words", "end")] };
        let body = r#"{"a": {"b": [1, 2], "c": {"b": null, "audio": "…"}}, "b": 1.5, "turns": [
            {"words": [{"end": 1}, {"word": "x", "end": [2]}, {"end": 2.5, "start": {"end": 9}}]}, {"words": []},
            {"words": [{"end": 1}, {"end": "2"}]}, {"words": {"end": 1}}, {"words": 7}]}"#;
        let document = lean.read(body.as_bytes()).expect("JSON");
        assert_eq!(document, json!({"a": {"c": {}}, "b": 1.5, "turns": [{"words": 2.5}, {}, {}, {}, {}]}));
        assert_eq!(n_members(&document), 5);
    }

    #[test]
    fn what_is_passed_over_may_be_of_any_depth() {
        let lean = Lean { without: &[("turns", "audio")], last_of: &[("turns", "words", "end")] };
        for name in ["words", "audio"] {
            let nested = |n: usize| {
                let open = format!(r#"{{"turns":{{"{name}":[0,"#);
                format!("{}1{}", open.repeat(n), "]}}".repeat(n))
            };
            for n in [1, 3, 100_000] {
                assert_eq!(lean.read(nested(n).as_bytes()).expect("JSON"), json!({"turns": {}}), "{name} {n}");
            }
        }
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
