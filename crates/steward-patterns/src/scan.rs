//! One message into its signature: its words, with a mark wherever a value stands.
//!
//! One pass over the bytes, and nothing remembered between messages: the same text has the same signature whenever it
//! comes. What is a value is decided from how a piece is written and what stands beside it: digits, paths, addresses,
//! quoted names, what follows `key=`. A value in words alone (`for root`) cannot be told here; see `columns`.

use memchr::memchr;

use crate::kinds::{Kind, Kinds};
use crate::words;
use crate::writing::{
    AT, BACKSLASH, CLASS, DIGIT, DOT, HIGH, LETTER, LOWER, MARK, PIECE, SIGN, SLASH, SPACE, UPPER, is_address_of_mail,
    is_hex_letters, is_path, is_piece, is_request_line, is_space, kind_of_digits, kind_of_dotted,
};

/// Stands for a value in a signature. A control character, which a signature holds for nothing else.
pub(crate) const VALUE: u8 = 1;
/// Stands for the rest of a message that is longer than is looked at.
pub(crate) const REST: u8 = 2;

/// How much of a message is looked at; what differs only behind that is the same.
pub(crate) const MAX_MESSAGE_BYTES: usize = 8_192;
/// How long a signature may become; the rest of the message is one value.
pub(crate) const MAX_SIGNATURE_BYTES: usize = 1_024;
/// How many values of a message are told apart; those behind it are still marked in the signature.
pub(crate) const MAX_SLOTS: usize = 64;

/// How far behind a quote its end is looked for.
const MAX_QUOTED_BYTES: usize = 256;
/// How far the end of an object is looked for.
const MAX_OBJECT_BYTES: usize = 4_096;
/// More words than this inside quotes are a sentence and not a name.
const MAX_QUOTED_SPACES: usize = 4;

/// Where a value stands in the message, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) kinds: Kinds,
    /// A hash of the value's bytes; of all of them where several stand in a row.
    pub(crate) hash: u64,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What was made of a message; kept from one to the next so that nothing is allocated for each.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) signature: Vec<u8>,
    pub(crate) slots: Vec<Slot>,
}

/// A hash that is the same on every machine and in every release, for telling values apart; nothing relies on it
/// against people of bad intent.
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let add = |hash: u64, word: [u8; 8]| (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR);
    let hash = add(words.iter().copied().fold(bytes.len() as u64, add), last);
    (hash ^ (hash >> 32)).wrapping_mul(FACTOR) ^ (hash >> 29)
}

/// What stood last in the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Word,
    Value,
    Mark(u8),
}

/// How an equals sign stands before what is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Equals {
    No,
    /// `key=`
    Glued,
    /// `key =`
    Spaced,
}

struct Scanner<'t, 's> {
    text: &'t [u8],
    at: usize,
    scan: &'s mut Scan,
    /// Whether white space stood before what is read next.
    space: bool,
    last: Last,
    equals: Equals,
    /// Where the last word stands in the text: the key, if an equals sign or a colon follows.
    key: (usize, usize),
    /// Where the signature ended behind its last value.
    value_end: usize,
    /// The quote that is open as a mark of its own.
    open_quote: u8,
}

impl Scan {
    /// Reads one message.
    pub(crate) fn read(&mut self, text: &str) {
        self.signature.clear();
        self.slots.clear();
        let bytes = text.as_bytes();
        let limit = bytes.len().min(MAX_MESSAGE_BYTES);
        // A character that the limit cuts in two is left out with the rest.
        let limit = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let mut scanner = Scanner {
            text: &bytes[..limit],
            at: 0,
            scan: self,
            space: false,
            last: Last::Nothing,
            equals: Equals::No,
            key: (0, 0),
            value_end: usize::MAX,
            open_quote: 0,
        };
        let whole = scanner.run() && limit == bytes.len();
        if !whole && self.signature.last() != Some(&REST) {
            self.signature.extend_from_slice(&[b' ', REST]);
        }
    }
}

impl Scanner<'_, '_> {
    /// Reads to the end; whether there was room for all of it.
    fn run(&mut self) -> bool {
        while let Some(&byte) = self.text.get(self.at) {
            if self.scan.signature.len() > MAX_SIGNATURE_BYTES {
                return false;
            }
            let class = CLASS[usize::from(byte)];
            if class & SPACE != 0 {
                self.space = true;
                self.at += 1;
            } else if class & MARK != 0 {
                self.mark(byte);
            } else {
                self.piece();
            }
        }
        true
    }

    fn peek(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    // What is written into the signature.

    fn put_space(&mut self) {
        if self.space && !self.scan.signature.is_empty() {
            self.scan.signature.push(b' ');
        }
        self.space = false;
    }

    fn put_word(&mut self, start: usize, end: usize) {
        self.put_space();
        // A word that is longer than a signature says nothing by its end.
        let mut cut = end.min(start + MAX_SIGNATURE_BYTES);
        while cut < end && self.text[cut] & 0xc0 == 0x80 {
            cut -= 1;
        }
        self.scan.signature.extend_from_slice(&self.text[start..cut]);
        self.last = Last::Word;
        self.equals = Equals::No;
        self.key = (start, end);
    }

    fn put_mark(&mut self, mark: u8) {
        self.put_space();
        let signature = &mut self.scan.signature;
        // Lines of stars or dashes are as long as somebody liked.
        if !signature.ends_with(&[mark, mark, mark]) {
            signature.push(mark);
        }
        self.last = Last::Mark(mark);
        self.equals = Equals::No;
    }

    fn put_value(&mut self, kind: Kind, start: usize, end: usize) {
        let hash = hash_of(&self.text[start..end]);
        self.equals = Equals::No;
        if self.joins_the_last_value() {
            let joiner_has_room = self.scan.signature.len() > self.value_end || self.space;
            self.scan.signature.truncate(self.value_end);
            self.space = false;
            self.last = Last::Value;
            if let Some(slot) = self.scan.slots.last_mut().filter(|slot| slot.end != u32::MAX) {
                slot.kinds = slot.kinds.with(kind);
                if joiner_has_room && start > slot.end as usize + 1 {
                    slot.kinds = slot.kinds.with(Kind::List);
                }
                slot.hash = slot.hash.rotate_left(5) ^ hash;
                slot.end = end as u32;
            }
            return;
        }
        self.put_space();
        self.scan.signature.push(VALUE);
        self.value_end = self.scan.signature.len();
        self.last = Last::Value;
        if self.scan.slots.len() < MAX_SLOTS {
            self.scan.slots.push(Slot { kinds: Kinds::of(kind), hash, start: start as u32, end: end as u32 });
        }
    }

    /// Whether nothing but a joint stands between the last value and the one that is read: `1, 2`, `10.0.0.1:80`.
    fn joins_the_last_value(&self) -> bool {
        let signature = &self.scan.signature;
        let Some(joiner) = signature.get(self.value_end..) else { return false };
        if joiner.len() > 6 {
            return false;
        }
        let mut signs = 0;
        for (at, byte) in joiner.iter().enumerate() {
            match byte {
                b' ' | b'"' | b'\'' | b'`' => {}
                b',' | b';' | b'|' | b'/' | b'-' | b'+' | b'#' | b'@' | b'*' | b'~' | b'&' | b'_' | b'%' => signs += 1,
                // A colon joins what it touches on both sides: ports and times, not what somebody says.
                b':' if !self.space && (at == 0 || joiner[at - 1] == b':') => signs += 1,
                _ => return false,
            }
        }
        signs <= 2
    }

    // What is read from the text.

    fn mark(&mut self, mark: u8) {
        match mark {
            b'"' | b'\'' | b'`' => return self.quote(mark),
            b'{' | b'[' if self.last != Last::Nothing => {
                if let Some(end) = self.end_of_object() {
                    self.put_value(Kind::Object, self.at, end);
                    self.at = end;
                    return;
                }
            }
            b'<' | b'>' if self.may_be_a_bound() => {
                // `<1 sec`: the sign belongs to the number.
                self.at += 1;
                return self.piece();
            }
            _ => {}
        }
        let before = (self.last, self.space);
        self.put_mark(mark);
        self.at += 1;
        if mark == b'=' && !matches!(self.peek(self.at), b'=' | b'>' | b'~') {
            self.equals = match before {
                (Last::Word | Last::Value, false) => Equals::Glued,
                (Last::Word | Last::Value, true) => Equals::Spaced,
                (Last::Mark(b']' | b')' | b'"' | b'\''), false) => Equals::Glued,
                _ => Equals::No,
            };
        }
    }

    /// The end of an object that is quoted within a message, or is the value of a key; `None` where it is read on, as
    /// when it says itself what happened.
    fn end_of_object(&self) -> Option<usize> {
        let start = self.at;
        let next = self.text[start + 1..].iter().copied().find(|byte| !is_space(*byte))?;
        let is_value = self.equals == Equals::Glued && !self.space;
        let is_object = matches!(next, b'"' | b'\'') && (self.text[start] == b'{' || is_value);
        if !(is_object || is_value && next == b'{') {
            return None;
        }
        if is_value && words::is_telling_key(&self.text[self.key.0..self.key.1]) {
            return None;
        }
        let limit = self.text.len().min(start + MAX_OBJECT_BYTES);
        let (mut depth, mut quote, mut quoted_from) = (0_u32, 0, 0);
        let mut at = start;
        while at < limit {
            let byte = self.text[at];
            match byte {
                b'\\' => at += 1,
                _ if quote != 0 => {
                    let ends = byte == quote && !(quote == b'\'' && self.peek(at + 1).is_ascii_alphabetic());
                    if ends {
                        let is_key = self.text[at + 1..limit].iter().find(|byte| !is_space(**byte)) == Some(&b':');
                        if is_key && words::is_telling_key(&self.text[quoted_from..at]) {
                            return None;
                        }
                        quote = 0;
                    }
                }
                b'"' | b'\'' => (quote, quoted_from) = (byte, at + 1),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn may_be_a_bound(&self) -> bool {
        (self.space || self.last == Last::Nothing) && self.peek(self.at + 1).is_ascii_digit()
    }

    /// A quoted name is a value; a quoted sentence is read like the rest.
    fn quote(&mut self, quote: u8) {
        let start = self.at;
        let before = if start == 0 { 0 } else { self.text[start - 1] };
        if self.open_quote == quote {
            self.open_quote = 0;
            self.put_mark(quote);
            self.at += 1;
            return;
        }
        let opens = !before.is_ascii_alphanumeric() && before < 0x80;
        let end = if opens { self.end_of_quote(quote, start + 1) } else { None };
        let Some(end) = end else {
            self.put_mark(quote);
            self.at += 1;
            return;
        };
        let inner = &self.text[start + 1..end];
        if inner.is_empty() {
            self.put_mark(quote);
            self.put_mark(quote);
            self.at = end + 1;
            return;
        }
        if self.is_read_like_the_rest(inner, start, end) {
            self.open_quote = quote;
            let equals = self.equals;
            self.put_mark(quote);
            self.equals = equals;
            self.at += 1;
            return;
        }
        self.put_mark(quote);
        self.put_value(Kind::Quoted, start + 1, end);
        self.put_mark(quote);
        self.at = end + 1;
    }

    fn end_of_quote(&self, quote: u8, from: usize) -> Option<usize> {
        let limit = self.text.len().min(from + MAX_QUOTED_BYTES);
        let mut at = from;
        loop {
            let end = at + memchr(quote, &self.text[at..limit])?;
            // An apostrophe inside a word ends nothing.
            let after = self.peek(end + 1);
            if !after.is_ascii_alphanumeric() {
                return Some(end);
            }
            at = end + 1;
        }
    }

    fn is_read_like_the_rest(&self, inner: &[u8], start: usize, end: usize) -> bool {
        if start == 0 && end + 1 == self.text.len() {
            return true;
        }
        let next = self.text[end + 1..].iter().copied().find(|byte| !is_space(*byte)).unwrap_or(0);
        let follows_key = self.equals != Equals::No || matches!(self.last, Last::Mark(b':' | b'='));
        // A key of JSON is a word of the message.
        if next == b':' && matches!(self.last, Last::Nothing | Last::Mark(b'{' | b',' | b'[')) {
            return true;
        }
        let n_spaces = inner.iter().filter(|byte| is_space(**byte)).count();
        let key = &self.text[self.key.0..self.key.1];
        if follows_key && words::is_telling_key(key) {
            // `KeyError: 'city'`: a class of errors is followed by what it is about.
            return n_spaces > 0 || !words::is_class_of_errors(key);
        }
        n_spaces > MAX_QUOTED_SPACES
            || inner.iter().any(|byte| matches!(byte, b'{' | b'='))
            || (n_spaces > 0 && is_request_line(inner))
    }

    /// A run of letters, digits and signs.
    fn piece(&mut self) {
        let start = self.at;
        let text = self.text;
        let mut flags = 0;
        let mut end = start;
        while let Some(&byte) = text.get(end) {
            let class = CLASS[usize::from(byte)];
            if class & PIECE == 0 {
                // An apostrophe within a word is part of it.
                let inside = byte == b'\''
                    && end > start
                    && text[end - 1].is_ascii_alphabetic()
                    && self.peek(end + 1).is_ascii_alphabetic()
                    && self.open_quote != b'\'';
                if !inside {
                    break;
                }
            }
            flags |= class & PIECE;
            end += 1;
        }
        if end - start <= 4
            && self.peek(end) == b':'
            && let Some(end) = self.end_of_address(start)
        {
            self.put_value(Kind::Address, start, end);
            self.at = end;
            return;
        }
        if flags & HIGH != 0 && flags & DIGIT != 0 {
            (end, flags) = self.until_script_changes(start, end);
        }
        if flags & (DOT | SIGN) != 0 && flags & (LETTER | DIGIT) != 0 {
            end = self.until_dots(start, end);
            if end == start {
                return self.dots();
            }
        }
        if flags & BACKSLASH != 0 && text[start] == b'\\' {
            let next = self.peek(start + 1);
            if matches!(next, b'"' | b'\'' | 0) {
                // An escaped quote is a quote.
                self.at = start + 1;
                return;
            }
        }
        if flags & (DIGIT | LETTER) == 0 {
            return self.signs(start, end, flags);
        }
        if flags & !(LOWER | UPPER | DIGIT) == 0 && flags & DIGIT == 0 {
            if text.get(end..end + 3) == Some(b"://") {
                return self.url(start);
            }
            return self.plain_word(start, end);
        }
        if text.get(end..end + 3) == Some(b"://") && flags & (DIGIT | DOT | SLASH) == 0 {
            return self.url(start);
        }
        self.mixed(start, end)
    }

    /// The end of a hardware address or an address of version 6: groups of hexadecimal digits between colons.
    fn end_of_address(&self, start: usize) -> Option<usize> {
        let (mut at, mut n_colons, mut n_letters) = (start, 0, 0);
        let mut digits = 0;
        while let Some(&byte) = self.text.get(at) {
            match byte {
                b':' if n_colons < 8 => (n_colons, digits) = (n_colons + 1, 0),
                _ if byte.is_ascii_hexdigit() && digits < 4 => {
                    digits += 1;
                    n_letters += usize::from(byte.is_ascii_alphabetic());
                }
                _ => break,
            }
            at += 1;
        }
        let next = self.peek(at);
        // Two colons are a time, if there are no letters.
        let is_address = n_colons >= 5 || n_colons >= 3 && n_letters > 0;
        let ends = !is_piece(next) || next == b'/';
        (is_address && ends).then(|| if digits == 0 { at - 1 } else { at })
    }

    /// Scripts that are written without spaces stand directly beside numbers.
    fn until_script_changes(&self, start: usize, end: usize) -> (usize, u16) {
        let mut flags = CLASS[usize::from(self.text[start])];
        for at in start + 1..end {
            let (before, class) = (CLASS[usize::from(self.text[at - 1])], CLASS[usize::from(self.text[at])]);
            if (before & HIGH != 0 && class & DIGIT != 0) || (before & DIGIT != 0 && class & HIGH != 0) {
                return (at, flags);
            }
            flags |= class;
        }
        (end, flags)
    }

    /// Rows of dots lead from a word to its value, as in a table of contents.
    fn until_dots(&self, start: usize, end: usize) -> usize {
        self.text[start..end].windows(2).position(|pair| pair == b"..").map_or(end, |at| start + at)
    }

    fn dots(&mut self) {
        while self.peek(self.at) == b'.' {
            self.put_mark(b'.');
            self.at += 1;
        }
    }

    fn signs(&mut self, start: usize, end: usize, flags: u16) {
        let is_root = self.equals != Equals::No && flags & SLASH != 0;
        if is_root {
            self.put_value(Kind::Path, start, end);
        } else {
            for at in start..end {
                self.put_mark(self.text[at]);
            }
        }
        self.at = end;
    }

    fn url(&mut self, start: usize) {
        let mut end = start;
        while let Some(&byte) = self.text.get(end) {
            if is_space(byte) || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | VALUE | REST) {
                break;
            }
            end += 1;
        }
        while end > start && matches!(self.text[end - 1], b'.' | b',' | b';' | b':' | b')' | b']' | b'}' | b'!' | b'?')
        {
            end -= 1;
        }
        self.put_value(Kind::Url, start, end);
        self.at = end;
    }

    /// Letters and nothing else.
    fn plain_word(&mut self, start: usize, end: usize) {
        let word = &self.text[start..end];
        self.at = end;
        if self.last == Last::Value && words::is_unit(word) && !matches!(self.peek(end), b'=' | b'(') {
            // The unit belongs to its number.
            self.space = false;
            if let Some(slot) = self.scan.slots.last_mut() {
                slot.kinds = slot.kinds.with(Kind::Quantity);
            }
            return;
        }
        if let Some(kind) = self.kind_of_plain_word(word, end) {
            return self.put_value(kind, start, end);
        }
        if self.is_value_by_key(end) {
            return self.put_value(Kind::Word, start, end);
        }
        self.put_word(start, end);
    }

    fn kind_of_plain_word(&self, word: &[u8], end: usize) -> Option<Kind> {
        match word.len() {
            1 => {
                let next = self.peek(end);
                let sign = matches!(next, b'+' | b'-');
                let is_letter = word[0].is_ascii_uppercase() && word[0] != b'I';
                let is_article = word[0] == b'A' && next == b' ' && self.peek(end + 1).is_ascii_lowercase();
                (is_letter && !is_article && !sign).then_some(Kind::Letter)
            }
            4 | 5 if words::is_boolean(word) => Some(Kind::Boolean),
            3..=9 => {
                let in_place = self.equals != Equals::No
                    || matches!(self.last, Last::Mark(b'=' | b':' | b',' | b'(' | b'[' | b'"' | b'\''));
                if in_place && words::is_nothing(word) {
                    return Some(Kind::Nothing);
                }
                if word[0].is_ascii_uppercase() && words::is_day_or_month(word) && self.is_beside_a_date(end) {
                    return Some(Kind::Time);
                }
                (word.len() >= 8 && is_hex_letters(word)).then_some(Kind::Id)
            }
            n if (8..=64).contains(&n) && is_hex_letters(word) => Some(Kind::Id),
            _ => None,
        }
        .or_else(|| self.is_group_of_address(word, end).then_some(Kind::Address))
    }

    /// Whether a number follows, or another name of a day or month.
    fn is_beside_a_date(&self, end: usize) -> bool {
        let mut at = end;
        while matches!(self.peek(at), b' ' | b',' | b'.' | b'-' | b'/') {
            at += 1;
        }
        let mut next_end = at;
        while self.peek(next_end).is_ascii_alphabetic() {
            next_end += 1;
        }
        at > end && (self.peek(at).is_ascii_digit() || words::is_day_or_month(&self.text[at..next_end]))
    }

    /// `ba` in `00:11:43:ba:c3`: letters between colons that touch values.
    fn is_group_of_address(&self, word: &[u8], end: usize) -> bool {
        if self.space || word.len() > 4 || !is_hex_letters(word) {
            return false;
        }
        let signature = self.scan.signature.as_slice();
        let behind = signature.ends_with(&[VALUE, b':']) || signature.ends_with(b"::");
        let next = self.peek(end);
        behind && (next == b':' || CLASS[usize::from(next)] & SPACE != 0)
    }

    /// Whether a word is the value of a key: `user=root`, `name = root`.
    fn is_value_by_key(&self, end: usize) -> bool {
        let touches = match self.equals {
            Equals::No => return false,
            Equals::Glued => !self.space,
            Equals::Spaced => true,
        };
        let next = self.peek(end);
        touches
            && next != b'='
            && !(next == b'(' || next == b' ' && self.peek(end + 1) == b'=')
            && !words::is_telling_key(&self.text[self.key.0..self.key.1])
    }

    /// Letters, digits and signs in one piece.
    fn mixed(&mut self, start: usize, mut end: usize) {
        // What ends a sentence is no part of its last word.
        while end > start + 1 && matches!(self.text[end - 1], b'.' | b'!' | b'?') {
            end -= 1;
        }
        let piece = &self.text[start..end];
        let mut flags = 0;
        for byte in piece {
            flags |= CLASS[usize::from(*byte)];
        }
        self.at = end;
        if flags & !(LOWER | UPPER) == 0 {
            return self.plain_word(start, end);
        }
        if self.last == Last::Value && flags & SLASH != 0 && words::is_unit(piece) {
            self.space = false;
            return;
        }
        match self.kind_of_mixed(piece, flags, end) {
            Some(kind) => {
                // A range in brackets belongs to the name that it is glued to: `node-[40-63]`.
                let end = self.end_of_range(piece, end);
                self.at = end;
                self.put_value(kind, start, end);
            }
            None if self.is_value_by_key(end) => self.put_value(Kind::Word, start, end),
            None => {
                let range = self.end_of_range(piece, end);
                if range > end {
                    self.at = range;
                    return self.put_value(Kind::Id, start, range);
                }
                self.put_word(start, end);
            }
        }
    }

    fn end_of_range(&self, piece: &[u8], end: usize) -> usize {
        if self.peek(end) != b'[' || !piece.contains(&b'-') {
            return end;
        }
        let rest = &self.text[end + 1..];
        let n = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b',' | b'-')).count();
        if n > 0 && rest.get(n) == Some(&b']') { end + n + 2 } else { end }
    }

    fn kind_of_mixed(&self, piece: &[u8], flags: u16, end: usize) -> Option<Kind> {
        let next = self.peek(end);
        if flags & DIGIT != 0 {
            let is_call = next == b'(' && self.peek(end + 1) == b')' && flags & (SLASH | BACKSLASH) == 0;
            if is_call && (piece[0].is_ascii_alphabetic() || piece[0] == b'_') {
                return None;
            }
            return Some(kind_of_digits(piece, flags));
        }
        if flags & AT != 0 && is_address_of_mail(piece) {
            return Some(Kind::Mail);
        }
        if flags & BACKSLASH != 0 && piece.len() > 3 {
            return Some(Kind::Path);
        }
        if flags & SLASH != 0 {
            return is_path(piece, flags).then_some(Kind::Path);
        }
        let is_call = next == b'(' && !self.peek(end + 1).is_ascii_digit();
        if flags & DOT != 0 && !is_call {
            return kind_of_dotted(piece, flags);
        }
        if let [letter, b'+' | b'-'] = piece {
            return letter.is_ascii_alphabetic().then_some(Kind::Letter);
        }
        None
    }
}
