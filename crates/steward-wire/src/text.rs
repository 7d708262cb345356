//! Small things about texts that every reader needs: bounding, hexadecimal, base64, hashes, numbers.

use std::borrow::Cow;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use steward_core::step::{MAX_CONTENT_CHARS, cut_text};

/// The most characters of a name, an id or a model.
pub(crate) const MAX_NAME_CHARS: usize = 256;
/// The most characters of an attribute that is kept.
pub(crate) const MAX_ATTRIBUTE_CHARS: usize = 512;

/// The name of a member of a JSON object, which is copied only where it is written with escapes.
#[derive(Deserialize)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Cuts a text to a number of characters without copying one that fits.
pub(crate) fn bounded(text: String, max_chars: usize) -> String {
    if text.len() <= max_chars { text } else { cut_text(&text, max_chars) }
}

/// Cuts the text of a message.
pub(crate) fn content(text: String) -> String {
    bounded(text, MAX_CONTENT_CHARS)
}

/// Cuts a name.
pub(crate) fn name(text: String) -> String {
    bounded(text, MAX_NAME_CHARS)
}

/// Writes bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Reads hexadecimal in any case. `None` when it is not that.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
    text.as_bytes().chunks_exact(2).map(|pair| Some((digit(pair[0])? << 4) | digit(pair[1])?)).collect()
}

/// Reads base64, standard or for addresses, padded or not. `None` when it is not that.
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut n_bits) = (0u32, 0u32);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push(((bits >> n_bits) & 0xff) as u8);
        }
    }
    (n_bits < 6).then_some(out)
}

/// The SHA-256 of a text, in hexadecimal.
pub(crate) fn sha256(text: &str) -> String {
    hex(Sha256::digest(text.as_bytes()).as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_both_alphabets_is_read() {
        assert_eq!(unbase64("3q2+7w=="), Some(vec![0xde, 0xad, 0xbe, 0xef]));
        assert_eq!(unbase64("3q2-7w"), Some(vec![0xde, 0xad, 0xbe, 0xef]));
        assert_eq!(unbase64("a"), None);
        assert_eq!(unbase64("!!"), None);
    }

    #[test]
    fn hexadecimal_is_read_in_any_case() {
        assert_eq!(unhex("DEadbeef"), Some(vec![0xde, 0xad, 0xbe, 0xef]));
        assert_eq!(unhex("abc"), None);
        assert_eq!(hex(&[0, 255]), "00ff");
    }

    #[test]
    fn a_text_is_cut_by_characters_and_not_by_bytes() {
        assert_eq!(bounded("äöü".to_owned(), 3), "äöü");
        assert_eq!(bounded("äöüß".to_owned(), 3), "äöü… [cut]");
    }
}
