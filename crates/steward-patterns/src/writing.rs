//! What the writing of a single piece tells: which bytes it has, and what value they make.

use memchr::memchr;

use crate::kinds::Kind;
use crate::scan::{REST, VALUE};
use crate::words;

pub(crate) const SPACE: u16 = 1 << 0;
pub(crate) const MARK: u16 = 1 << 1;
pub(crate) const LOWER: u16 = 1 << 2;
pub(crate) const UPPER: u16 = 1 << 3;
pub(crate) const DIGIT: u16 = 1 << 4;
pub(crate) const DOT: u16 = 1 << 5;
pub(crate) const SLASH: u16 = 1 << 6;
pub(crate) const BACKSLASH: u16 = 1 << 7;
pub(crate) const AT: u16 = 1 << 8;
pub(crate) const SIGN: u16 = 1 << 9;
pub(crate) const HIGH: u16 = 1 << 10;
pub(crate) const LETTER: u16 = LOWER | UPPER | HIGH;
pub(crate) const PIECE: u16 = LOWER | UPPER | DIGIT | DOT | SLASH | BACKSLASH | AT | SIGN | HIGH;

pub(crate) const CLASS: [u16; 256] = {
    let mut table = [SPACE; 256];
    let mut byte = 33;
    while byte < 127 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b'.' => DOT,
            b'/' => SLASH,
            b'\\' => BACKSLASH,
            b'@' => AT,
            b'=' | b':' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b'|' | b'"' | b'\''
            | b'`' => MARK,
            _ => SIGN,
        };
        byte += 1;
    }
    let mut byte = 128;
    while byte < 256 {
        table[byte] = HIGH;
        byte += 1;
    }
    table
};

pub(crate) const fn is_space(byte: u8) -> bool {
    CLASS[byte as usize] & SPACE != 0 && byte != VALUE && byte != REST
}

pub(crate) const fn is_piece(byte: u8) -> bool {
    CLASS[byte as usize] & PIECE != 0
}

pub(crate) fn is_hex_letters(word: &[u8]) -> bool {
    word.iter().all(|byte| matches!(byte, b'a'..=b'f' | b'A'..=b'F'))
}

/// `GET /path HTTP/1.1`: the method tells requests apart.
pub(crate) fn is_request_line(inner: &[u8]) -> bool {
    let method = inner.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    (3..=7).contains(&method) && inner.get(method) == Some(&b' ') && inner[method..].contains(&b'/')
}

pub(crate) fn kind_of_digits(piece: &[u8], flags: u16) -> Kind {
    if flags & (LETTER | SLASH | BACKSLASH | AT) == 0 {
        let n_dots = piece.iter().filter(|byte| **byte == b'.').count();
        let n_dashes = piece.iter().skip(1).filter(|byte| **byte == b'-').count();
        return match (n_dots, n_dashes) {
            (3, 0) => Kind::Address,
            (0, 2) => Kind::Time,
            _ => Kind::Number,
        };
    }
    if flags & AT != 0 && is_address_of_mail(piece) {
        return Kind::Mail;
    }
    if flags & (SLASH | BACKSLASH) != 0 {
        let is_address = piece[0] == b'/' && piece[1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.'));
        return if is_address { Kind::Address } else { Kind::Path };
    }
    if piece.starts_with(b"0x") || piece.starts_with(b"0X") {
        return Kind::Hex;
    }
    let all_hex = piece.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    if all_hex && piece.len() >= 6 {
        let is_uuid = piece.len() == 36 && piece.iter().filter(|byte| **byte == b'-').count() == 4;
        return if is_uuid { Kind::Id } else { Kind::Hex };
    }
    if flags & DOT != 0 && flags & LETTER != 0 && piece.iter().filter(|byte| **byte == b'.').count() >= 2 {
        return Kind::Host;
    }
    if piece[0].is_ascii_digit() || piece[0] == b'-' || piece[0] == b'+' {
        let n = piece.iter().skip(1).take_while(|byte| matches!(byte, b'0'..=b'9' | b'.')).count() + 1;
        if words::is_unit(&piece[n..]) || piece[n..] == *b"%" {
            return Kind::Quantity;
        }
    }
    Kind::Id
}

pub(crate) fn is_address_of_mail(piece: &[u8]) -> bool {
    let Some(at) = memchr(b'@', piece) else { return false };
    at > 0 && memchr(b'.', &piece[at + 1..]).is_some_and(|dot| dot > 0)
}

pub(crate) fn is_path(piece: &[u8], flags: u16) -> bool {
    let n_slashes = piece.iter().filter(|byte| **byte == b'/').count();
    let starts = piece[0] == b'/' || piece.starts_with(b"~/") || piece.starts_with(b"./") || piece.starts_with(b"../");
    starts || n_slashes >= 2 || flags & DOT != 0 || piece.ends_with(b"/")
}

/// Names with dots in them: hosts, files, packages; not methods, exceptions and shortened words.
pub(crate) fn kind_of_dotted(piece: &[u8], flags: u16) -> Option<Kind> {
    let name = piece.strip_prefix(b".").unwrap_or(piece);
    let mut n_labels = 0;
    let mut shortest = usize::MAX;
    let (mut first, mut last): (&[u8], &[u8]) = (&[], &[]);
    for label in name.split(|byte| *byte == b'.') {
        if n_labels == 0 {
            first = label;
        }
        last = label;
        n_labels += 1;
        shortest = shortest.min(label.len());
    }
    if shortest == 0 || flags & HIGH != 0 {
        return None;
    }
    if n_labels < 2 {
        return None;
    }
    if last.ends_with(b"Exception") || last.ends_with(b"Error") {
        return None;
    }
    let shouts = last.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    if shouts && last.len() > 1 {
        return None;
    }
    if words::is_file_ending(last) && !words::is_top_label(first) {
        return Some(Kind::Path);
    }
    if flags & UPPER == 0 {
        return (shortest > 1).then_some(Kind::Host);
    }
    (n_labels >= 3 && words::is_top_label(first)).then_some(Kind::Name)
}
