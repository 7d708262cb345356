//! A signature in units (words, values and marks), and the one form of all signatures that differ in the length of a list.

use crate::scan::{REST, VALUE};
use crate::writing::{is_piece, is_space};

/// A word, a value or a single mark, and whether white space stands before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit<'s> {
    pub(crate) space: bool,
    pub(crate) bytes: &'s [u8],
}

impl Unit<'_> {
    pub(crate) fn is_value(self) -> bool {
        self.bytes == [VALUE]
    }

    pub(crate) fn is_word(self) -> bool {
        self.bytes.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
    }
}

/// Takes a signature apart.
pub(crate) fn units(signature: &[u8]) -> Vec<Unit<'_>> {
    let mut units = Vec::with_capacity(signature.len() / 4 + 1);
    let mut space = false;
    let mut at = 0;
    while let Some(&byte) = signature.get(at) {
        if is_space(byte) {
            space = true;
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        if is_piece(byte) && byte != VALUE && byte != REST && !is_lone_sign(signature, start) {
            while signature.get(at).is_some_and(|byte| is_piece(*byte) || is_apostrophe(signature, at)) {
                if is_end_of_sentence(signature, at) {
                    break;
                }
                at += 1;
            }
        }
        units.push(Unit { space, bytes: &signature[start..at] });
        space = false;
    }
    units
}

/// Signs that stand without letters are marks, one by one.
fn is_lone_sign(signature: &[u8], at: usize) -> bool {
    let run = signature[at..].iter().take_while(|byte| is_piece(**byte));
    !run.clone().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

fn is_apostrophe(signature: &[u8], at: usize) -> bool {
    signature[at] == b'\''
        && at > 0
        && signature[at - 1].is_ascii_alphabetic()
        && signature.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
}

/// Dots that nothing of the word follows.
fn is_end_of_sentence(signature: &[u8], at: usize) -> bool {
    let run = signature[at..].iter().take_while(|byte| matches!(byte, b'.' | b'!' | b'?')).count();
    run > 0 && !signature.get(at + run).is_some_and(|byte| is_piece(*byte))
}

/// Puts units together again.
pub(crate) fn signature_of<'u>(units: impl IntoIterator<Item = Unit<'u>>) -> Vec<u8> {
    let mut signature = Vec::new();
    for unit in units {
        if unit.space && !signature.is_empty() {
            signature.push(b' ');
        }
        signature.extend_from_slice(unit.bytes);
    }
    signature
}

/// The longest row of units that is taken for one item of a list.
const MAX_ITEM_UNITS: usize = 8;

/// A signature whose repeated items are written once, and for each value of the longer one its place in the shorter.
pub(crate) struct Shortened {
    pub(crate) signature: Vec<u8>,
    pub(crate) places: Vec<u16>,
}

/// Shortens lists: `node-1 <ok> node-2 <ok>` and `a(1), a(2)` become one item. `None` when there is nothing to shorten.
///
/// Only rows that hold a value count as items; words that are said twice stay.
pub(crate) fn shorten(signature: &[u8]) -> Option<Shortened> {
    if signature.iter().filter(|byte| **byte == VALUE).take(2).count() < 2 {
        return None;
    }
    let mut place = 0_u16;
    let mut kept: Vec<(Unit<'_>, u16)> = Vec::new();
    for unit in units(signature) {
        kept.push((unit, place));
        if unit.is_value() {
            place = place.saturating_add(1);
        }
    }
    let n_values = usize::from(place);
    // Where each value of the whole signature went, by its place there.
    let mut goes_to: Vec<u16> = (0..place).collect();
    let n_before = kept.len();
    for length in 1..=MAX_ITEM_UNITS {
        let mut at = 0;
        while at + 2 * length <= kept.len() {
            if is_repeated(&kept, at, length, at + length) {
                drop_item(&mut kept, at, length, at + length, &mut goes_to);
            } else if at + 2 * length < kept.len()
                && matches!(kept[at + length].0.bytes, b"," | b";" | b"|")
                && is_repeated(&kept, at, length, at + length + 1)
            {
                kept.remove(at + length);
                drop_item(&mut kept, at, length, at + length, &mut goes_to);
            } else {
                at += 1;
            }
        }
    }
    if kept.len() == n_before {
        return None;
    }
    // Places are counted anew over what is left.
    let left: Vec<u16> = kept.iter().filter(|(unit, _)| unit.is_value()).map(|(_, place)| *place).collect();
    let places = (0..n_values)
        .map(|place| {
            let mut to = goes_to[place];
            while !left.contains(&to) && usize::from(goes_to[usize::from(to)]) != usize::from(to) {
                to = goes_to[usize::from(to)];
            }
            left.iter().position(|one| *one == to).unwrap_or(0) as u16
        })
        .collect();
    Some(Shortened { signature: signature_of(kept.into_iter().map(|(unit, _)| unit)), places })
}

fn is_repeated(kept: &[(Unit<'_>, u16)], at: usize, length: usize, again: usize) -> bool {
    let (Some(first), Some(second)) = (kept.get(at..at + length), kept.get(again..again + length)) else {
        return false;
    };
    first.iter().any(|(unit, _)| unit.is_value())
        && first.iter().zip(second).all(|(one, other)| one.0.bytes == other.0.bytes)
}

fn drop_item(kept: &mut Vec<(Unit<'_>, u16)>, at: usize, length: usize, again: usize, goes_to: &mut [u16]) {
    for offset in 0..length {
        let (first, second) = (kept[at + offset], kept[again + offset]);
        if first.0.is_value() {
            goes_to[usize::from(second.1)] = first.1;
        }
    }
    kept.drain(again..again + length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortened(text: &str) -> String {
        let signature = text.replace("<*>", "\u{1}").into_bytes();
        let signature = shorten(&signature).map_or(signature, |short| short.signature);
        String::from_utf8_lossy(&signature).replace('\u{1}', "<*>")
    }

    #[test]
    fn lists_of_any_length_have_one_form() {
        assert_eq!(shortened("nodes <*> <ok> <*> <ok> <*> <ok> failed"), "nodes <*> <ok> failed");
        assert_eq!(shortened("seats a(<*>), a(<*>), a(<*>) taken"), "seats a(<*>) taken");
        assert_eq!(shortened("seats a(<*>), a(<*>) taken"), "seats a(<*>) taken");
        assert_eq!(shortened("seats a(<*>) taken"), "seats a(<*>) taken");
        assert_eq!(shortened("bye bye <*>"), "bye bye <*>");
    }

    #[test]
    fn values_of_a_shortened_list_keep_their_places() {
        let signature = "\u{1} of a(\u{1}), a(\u{1}) at \u{1}";
        let short = shorten(signature.as_bytes()).expect("a list");
        assert_eq!(short.signature, "\u{1} of a(\u{1}) at \u{1}".as_bytes());
        assert_eq!(short.places, [0, 1, 1, 2]);
    }

    #[test]
    fn a_signature_put_together_again_is_the_same() {
        for text in ["a b.c. d... e", "can't [x] 'y'", "** a-b --", "\u{1}: \u{1}, ünï \u{1}!"] {
            assert_eq!(signature_of(units(text.as_bytes())), text.as_bytes(), "{text}");
        }
    }
}
