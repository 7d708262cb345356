//! Masking in structured values: a field's name says what its value is.
//!
//! JSON inside of a text is read, masked and written anew, so that it stays JSON and nothing hides behind an escape.

use std::borrow::Cow;

use serde_json::{Map, Value};
use steward_core::privacy::{MaskKind, Masked};

use super::{Masker, is_placeholder, numbers, secrets, stand_in};

/// How deep JSON inside of texts inside of JSON is read.
const MAX_NESTED: u32 = 8;
/// The longest id that gets a stand-in; a longer text is masked as text.
const MAX_ID_CHARS: usize = 256;

impl Masker {
    /// Masks the value of a field.
    pub(super) fn mask_field<'t>(&self, key: &str, text: &'t str, counts: &mut Masked, nested: u32) -> Cow<'t, str> {
        if text.is_empty() {
            return Cow::Borrowed(text);
        }
        if self.masks(MaskKind::Secret) && secrets::is_secret_value(secrets::kind_of_key(key), text) {
            return masked_as(MaskKind::Secret, counts);
        }
        if is_id_key(key) && text.len() <= MAX_ID_CHARS && !text.trim_start().starts_with(['{', '[']) {
            let id = self.mask_id(text, counts);
            if matches!(id, Cow::Owned(_)) {
                return id;
            }
        }
        if self.masks(MaskKind::Phone) && numbers::is_phone_value(text) && numbers::is_phone_key(key) {
            return masked_as(MaskKind::Phone, counts);
        }
        self.mask_json_or_text(text, counts, nested)
    }

    fn mask_json_or_text<'t>(&self, text: &'t str, counts: &mut Masked, nested: u32) -> Cow<'t, str> {
        let may_be_json = nested < MAX_NESTED && text.trim_start().starts_with(['{', '[']) && !is_placeholder(text);
        // Without an escape a text holds every value as it is, so there is nothing in them that is not in it.
        if may_be_json
            && (memchr::memchr(b'\\', text.as_bytes()).is_some() || !self.find(text).is_empty())
            && let Ok(mut value) = serde_json::from_str::<Value>(text)
        {
            let mut inside = Masked::new();
            self.mask_value("", &mut value, &mut inside, nested + 1);
            let written = if inside.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(value.to_string()) };
            steward_core::privacy::add_masked(counts, &inside);
            // What reaches over several values is found in the text only.
            return match written {
                Cow::Borrowed(text) => self.mask(text, counts),
                Cow::Owned(text) => Cow::Owned(self.mask(&text, counts).into_owned()),
            };
        }
        self.mask(text, counts)
    }

    /// Masks a value in place, and the names of fields in it.
    pub(super) fn mask_value(&self, key: &str, value: &mut Value, counts: &mut Masked, nested: u32) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.mask_field(key, text, counts, nested) {
                    *text = masked;
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if let Some(kind) = self.kind_of_number(key, &text) {
                    let masked = masked_as(kind, counts).into_owned();
                    // Two ids that look like cards are still two.
                    let is_id = is_id_key(key);
                    *value = Value::String(if is_id { stand_in(kind.shown(), &text, &self.salt) } else { masked });
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(key, item, counts, nested)),
            Value::Object(object) => self.mask_object(object, counts, nested),
            Value::Null | Value::Bool(_) => {}
        }
    }

    pub(super) fn mask_object(&self, object: &mut Map<String, Value>, counts: &mut Masked, nested: u32) {
        for (key, value) in object.iter_mut() {
            self.mask_value(key, value, counts, nested);
        }
        if object.keys().any(|key| !self.find(key).is_empty()) {
            let fields = std::mem::take(object);
            *object = fields.into_iter().map(|(key, value)| (self.mask_id(&key, counts).into_owned(), value)).collect();
        }
    }

    /// Puts stand-ins in place of what end users are known by, so that runs of one caller still belong together. `keys`
    /// are names of members, each behind that of the member around it (`"*"` anywhere).
    pub(super) fn mask_users(
        &self,
        keys: &[(&str, &str)],
        parent: &str,
        object: &mut Map<String, Value>,
        counts: &mut Masked,
    ) {
        for (key, value) in object.iter_mut() {
            let is_user = || keys.iter().any(|(around, name)| name == key && (*around == "*" || *around == parent));
            match value {
                Value::String(text) if text.len() <= MAX_ID_CHARS && is_user() => {
                    if self.masks(MaskKind::Phone) && numbers::is_phone_value(text) {
                        *counts.entry(MaskKind::Phone).or_default() += 1;
                        *text = stand_in(MaskKind::Phone.shown(), text, &self.salt);
                    } else if let Cow::Owned(masked) = self.mask_id(text, counts) {
                        *text = masked;
                    }
                }
                Value::Object(object) => self.mask_users(keys, key, object, counts),
                Value::Array(items) => {
                    items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| {
                        self.mask_users(keys, key, item, counts);
                    });
                }
                _ => {}
            }
        }
    }

    /// What a number is that has to be masked.
    pub(super) fn kind_of_number(&self, key: &str, number: &str) -> Option<MaskKind> {
        if self.masks(MaskKind::Card) && numbers::is_card(number) {
            Some(MaskKind::Card)
        } else if self.masks(MaskKind::Phone) && numbers::is_phone_value(number) && numbers::is_phone_key(key) {
            Some(MaskKind::Phone)
        } else if self.masks(MaskKind::Secret) && secrets::kind_of_key(key) == secrets::FieldKind::Secret {
            Some(MaskKind::Secret)
        } else {
            None
        }
    }
}

fn masked_as(kind: MaskKind, counts: &mut Masked) -> Cow<'static, str> {
    *counts.entry(kind).or_default() += 1;
    Cow::Owned(format!("[{}]", kind.shown()))
}

/// Whether a field of this name holds an id, by which things are found and joined.
fn is_id_key(key: &str) -> bool {
    let last = key.rsplit(['.', '/', ':']).next().unwrap_or(key);
    let is_short = matches!(last, "user" | "customer" | "session" | "conversation" | "thread" | "pseudo");
    is_short || last == "id" || last == "ID" || last.ends_with("_id") || last.ends_with("Id") || last.ends_with("-id")
}
