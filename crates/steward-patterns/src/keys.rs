//! Names of shapes and groups that outlive a process: short hashes of templates.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The key of a shape or of a group: sixteen hexadecimal digits that follow from its template alone.
///
/// The same template has the same key on every machine and in every release that reads messages alike
/// ([`crate::STATE_VERSION`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

/// A text that is no key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a key is sixteen hexadecimal digits")]
pub struct NotAKey;

impl Key {
    pub(crate) fn of(signature: &[u8]) -> Self {
        let digest = Sha256::digest(signature);
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(u64::from_be_bytes(first))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAKey);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotAKey)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(16);
        write!(text, "{self}").map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_nothing_else_is() {
        let key = Key::of(b"order \x01 not found");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!("".parse::<Key>(), Err(NotAKey));
        assert_eq!("+123456789abcdef".parse::<Key>(), Err(NotAKey));
        assert_eq!("ünïcödé-ünïc".parse::<Key>(), Err(NotAKey));
    }
}
