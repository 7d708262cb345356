//! Passwords, keys and tokens.
//!
//! A secret is one of:
//!
//! * the value of a field that is named for one: `password=…`, `"api_key": "…"`, `client_secret: …`; of a field named
//!   `key`, `token`, `signature` or `credential` only a value that looks random;
//! * what follows `Bearer`, or `Basic` in base 64;
//! * a token with a beginning that its maker gives it: `sk-…`, `ghp_…`, `AKIA…`, and a JSON web token;
//! * a private key in PEM, to its end, or to the end of the text when that is missing.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use memchr::memmem;
use steward_core::privacy::MaskKind;

use super::{Finding, is_escape, is_placeholder};

/// So many bytes of a value tell whether it is a secret; where it is one, it is masked to its end.
const TELLING: usize = 512;
/// The most bytes of a name behind the sign in it.
const MAX_NAME: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// The name of a field whose value is a secret.
    Field,
    /// The name of a field for a password, which people write in sentences too.
    Password,
    /// The name of a field whose value is a secret where it looks random.
    MayBe,
    /// `Authorization`: a secret behind the name of a scheme, or one that looks random.
    Authorization,
    /// `Cookie`: to the end of the line.
    Cookie,
    /// `Bearer`, `Basic`.
    Scheme,
    /// The beginning of a token, exactly as written, and how many more characters it has at least.
    Begins(usize),
    /// A JSON web token.
    Jwt,
    /// A key in PEM.
    Pem,
}

const SIGNS: &[(&str, Sign)] = &[
    ("password", Sign::Password),
    ("passwort", Sign::Password),
    ("passwd", Sign::Password),
    ("passphrase", Sign::Password),
    ("passcode", Sign::Password),
    ("pwd", Sign::Password),
    ("secret", Sign::Field),
    ("api_key", Sign::Field),
    ("apikey", Sign::Field),
    ("api-key", Sign::Field),
    ("api key", Sign::MayBe),
    ("access_key", Sign::Field),
    ("accesskey", Sign::Field),
    ("access_token", Sign::Field),
    ("accesstoken", Sign::Field),
    ("access-token", Sign::Field),
    ("refresh_token", Sign::Field),
    ("refreshtoken", Sign::Field),
    ("id_token", Sign::Field),
    ("auth_token", Sign::Field),
    ("authtoken", Sign::Field),
    ("private_key", Sign::Field),
    ("privatekey", Sign::Field),
    ("encryption_key", Sign::Field),
    ("signing_key", Sign::Field),
    ("authorization", Sign::Authorization),
    ("cookie", Sign::Cookie),
    ("token", Sign::MayBe),
    ("key", Sign::MayBe),
    ("signature", Sign::MayBe),
    ("credential", Sign::MayBe),
    ("bearer ", Sign::Scheme),
    ("basic ", Sign::Scheme),
    ("sk-", Sign::Begins(20)),
    ("sk_live_", Sign::Begins(16)),
    ("sk_test_", Sign::Begins(16)),
    ("rk_live_", Sign::Begins(16)),
    ("rk_test_", Sign::Begins(16)),
    ("whsec_", Sign::Begins(16)),
    ("ghp_", Sign::Begins(20)),
    ("gho_", Sign::Begins(20)),
    ("ghu_", Sign::Begins(20)),
    ("ghs_", Sign::Begins(20)),
    ("ghr_", Sign::Begins(20)),
    ("github_pat_", Sign::Begins(20)),
    ("glpat-", Sign::Begins(16)),
    ("xoxb-", Sign::Begins(16)),
    ("xoxp-", Sign::Begins(16)),
    ("xoxa-", Sign::Begins(16)),
    ("xoxr-", Sign::Begins(16)),
    ("xoxs-", Sign::Begins(16)),
    ("xapp-", Sign::Begins(16)),
    ("AKIA", Sign::Begins(16)),
    ("ASIA", Sign::Begins(16)),
    ("AIza", Sign::Begins(30)),
    ("ya29.", Sign::Begins(20)),
    ("SG.", Sign::Begins(30)),
    ("hf_", Sign::Begins(20)),
    ("npm_", Sign::Begins(30)),
    ("pypi-", Sign::Begins(30)),
    ("dop_v1_", Sign::Begins(30)),
    ("shpat_", Sign::Begins(20)),
    ("shpss_", Sign::Begins(20)),
    ("sq0atp-", Sign::Begins(16)),
    ("sq0csp-", Sign::Begins(20)),
    ("gsk_", Sign::Begins(20)),
    ("xai-", Sign::Begins(30)),
    ("pplx-", Sign::Begins(30)),
    ("r8_", Sign::Begins(30)),
    ("tvly-", Sign::Begins(20)),
    ("lin_api_", Sign::Begins(20)),
    ("stk_", Sign::Begins(20)),
    ("stl_", Sign::Begins(20)),
    ("AGE-SECRET-KEY-", Sign::Begins(30)),
    ("eyJ", Sign::Jwt),
    ("-----BEGIN ", Sign::Pem),
];

/// `None` never happens: the signs are fixed, and a test builds them.
static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(SIGNS.iter().map(|(text, _)| *text))
        .ok()
});

pub(super) fn find(text: &str, findings: &mut Vec<Finding>) {
    let Some(automaton) = AUTOMATON.as_ref() else { return };
    // Behind a value that runs to the end of the text or of a line, nothing in it is looked at again.
    let mut done = 0;
    // Up to here no web token begins: the run of its letters was looked through.
    let mut no_jwt_before = 0;
    for found in automaton.find_iter(text) {
        if found.start() < done {
            continue;
        }
        let (spelled, sign) = SIGNS[found.pattern().as_usize()];
        let exactly = &text[found.range()] == spelled;
        let value = match sign {
            Sign::Begins(least) if exactly => begins(text, found.start(), found.end(), least),
            Sign::Jwt if exactly && found.start() >= no_jwt_before => {
                let (end, at) = jwt(text, found.start());
                no_jwt_before = end;
                at
            }
            Sign::Pem if exactly => pem(text, found.start()),
            Sign::Begins(_) | Sign::Jwt | Sign::Pem => None,
            Sign::Scheme => scheme(text, found.end()),
            _ => field(text, found.start(), found.end(), sign),
        };
        if let Some(at) = value.filter(|at| !at.is_empty() && !is_placeholder(&text[at.clone()])) {
            done = at.end;
            findings.push(Finding { at, kind: MaskKind::Secret });
        }
    }
}

type At = std::ops::Range<usize>;

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=')
}

fn run(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|byte| is(**byte)).count()
}

fn free_before(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric() && bytes[at - 1] != b'_' || is_escape(bytes, at - 1)
}

fn begins(text: &str, start: usize, from: usize, least: usize) -> Option<At> {
    let bytes = text.as_bytes();
    let is = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let telling = run(&bytes[..bytes.len().min(from + TELLING)], from, is);
    if telling - from < least || !bytes[from..telling].iter().any(u8::is_ascii_digit) || !free_before(text, start) {
        return None;
    }
    let end = run(bytes, from, is);
    // The point at the end of a sentence is none of its.
    let end = from + text[from..end].trim_end_matches(['.', '-']).len();
    (end - from >= least).then_some(start..end)
}

/// A web token that begins at a place, and the end of what was looked through for it.
fn jwt(text: &str, start: usize) -> (usize, Option<At>) {
    let bytes = text.as_bytes();
    let is = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let header = run(bytes, start, is);
    if header - start < 10 || bytes.get(header) != Some(&b'.') || !free_before(text, start) {
        // Another beginning inside of this run may be free where this one is not.
        let end = if bytes.get(header) == Some(&b'.') && header - start < TELLING { start } else { header };
        return (end, None);
    }
    let payload = run(bytes, header + 1, is);
    if payload - header < 10 {
        return (header, None);
    }
    let end = if bytes.get(payload) == Some(&b'.') { run(bytes, payload + 1, is) } else { payload };
    (end, Some(start..end))
}

fn pem(text: &str, start: usize) -> Option<At> {
    let head = &text.as_bytes()[start..text.len().min(start + 64)];
    memmem::find(head, b"PRIVATE KEY")?;
    let end = match memmem::find(&text.as_bytes()[start..], b"-----END ") {
        Some(at) => {
            let from = start + at + 9;
            let rest = &text.as_bytes()[from..text.len().min(from + 64)];
            memmem::find(rest, b"-----").map_or(from, |dashes| from + dashes + 5)
        }
        None => text.len(),
    };
    text.is_char_boundary(end).then_some(start..end)
}

/// What follows `Bearer ` or `Basic `.
fn scheme(text: &str, from: usize) -> Option<At> {
    let end = run(text.as_bytes(), from, is_token);
    let value = text[from..end].trim_end_matches('.');
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let mixed = has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    (value.len() >= 16 && mixed || value.len() >= 8 && value.ends_with('=')).then_some(from..from + value.len())
}

/// The value of a field whose name holds a sign.
fn field(text: &str, start: usize, end: usize, sign: Sign) -> Option<At> {
    let bytes = text.as_bytes();
    let (before, first) = (start.checked_sub(1).map(|at| bytes[at]), bytes[start]);
    if sign == Sign::MayBe && before.is_some_and(|byte| byte.is_ascii_lowercase()) && first.is_ascii_lowercase() {
        // `monkey: …`
        return None;
    }
    let mut at = end;
    if bytes.get(at) == Some(&b's') {
        at += 1;
    }
    if bytes.get(at).is_some_and(u8::is_ascii_lowercase) {
        // `secretary: …`
        return None;
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    at = run(&bytes[..bytes.len().min(end + MAX_NAME)], at, is_name);
    if at - end == MAX_NAME || is_id(&text[end..at]) {
        return None;
    }
    let (mut at, assigned) = assignment(text, at, sign)?;
    let quote = match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'\\'), Some(b'"')) => "\\\"",
        (Some(b'"'), _) => "\"",
        (Some(b'\''), _) => "'",
        (Some(b'`'), _) => "`",
        _ => "",
    };
    at += quote.len();
    let value_of =
        |most: usize| if quote.is_empty() { bare(text, at, sign, most) } else { quoted(text, at, quote, most) };
    let value = value_of(TELLING);
    let word = &text[value.clone()];
    let is_secret = match sign {
        Sign::MayBe => looks_random(word),
        Sign::Cookie => word.contains('='),
        Sign::Authorization => {
            let scheme = word.split(' ').next().unwrap_or_default().to_ascii_lowercase();
            matches!(scheme.as_str(), "bearer" | "basic" | "digest" | "token" | "apikey" | "negotiate")
                && word.len() > scheme.len() + 1
                || scheme.starts_with("aws4")
                || looks_random(word)
        }
        _ if !quote.is_empty() || assigned == b'=' => true,
        // `Password: must be eight letters` is a sentence; a word with more than letters, or alone, is none.
        _ => {
            let alone =
                text[value.end..].chars().next().is_none_or(|c| matches!(c, '\n' | '\r' | '\\' | ',' | '}' | '"'));
            word.chars().count() >= 4 && (word.chars().any(|c| !c.is_alphabetic()) || assigned == b':' && alone)
        }
    };
    (is_secret && !is_no_value(word)).then(|| if value.len() < TELLING { value } else { value_of(usize::MAX) })
}

/// The rest of a name that tells of an id, a count or a time of the secret and not of the secret itself.
fn is_id(rest: &str) -> bool {
    let rest = rest.to_ascii_lowercase();
    let rest = rest.trim_start_matches(['_', '-']);
    rest.starts_with("id")
        || rest.starts_with("name")
        || rest.starts_with("count")
        || rest.starts_with("type")
        || rest.starts_with("expir")
        || rest.starts_with("usage")
        || rest.starts_with("length")
        || rest.starts_with("_at")
}

/// Steps over what stands between a name and its value. Gives where the value begins and how it is assigned.
fn assignment(text: &str, from: usize, sign: Sign) -> Option<(usize, u8)> {
    let bytes = text.as_bytes();
    let mut at = from;
    for quote in ["\\\"", "\"", "'", "`"] {
        if text[at..].starts_with(quote) {
            at += quote.len();
            break;
        }
    }
    at = run(bytes, at, |byte| byte == b' ');
    match bytes.get(at) {
        Some(b'=') => {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'>' | b'=')));
            Some((run(bytes, at, |byte| byte == b' '), b'='))
        }
        Some(b':') => Some((run(bytes, at + 1, |byte| byte == b' '), b':')),
        Some(b'i') if sign == Sign::Password && at > from && text[at..].starts_with("is ") => {
            let at = at + 3;
            Some((at + usize::from(bytes.get(at) == Some(&b':')), b'i'))
        }
        _ => None,
    }
}

fn quoted(text: &str, from: usize, quote: &str, most: usize) -> At {
    let bytes = text.as_bytes();
    let mut at = from;
    let most = text.len().min(from.saturating_add(most));
    while at < most && !(bytes[at] == b'\n' && quote != "\"") {
        if text.as_bytes()[at..].starts_with(quote.as_bytes()) {
            return from..at;
        }
        // A quote with a backslash before it is a part of the value.
        at += 1 + usize::from(bytes[at] == b'\\' && quote.len() == 1);
    }
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    from..at
}

fn bare(text: &str, from: usize, sign: Sign, most: usize) -> At {
    let ends = |c: char| match sign {
        Sign::Cookie => matches!(c, '\n' | '\r' | '"' | '\\'),
        Sign::Authorization => matches!(c, '\n' | '\r' | '"' | '\'' | '\\' | ',' | '}'),
        _ => c.is_whitespace() || matches!(c, ',' | ';' | '&' | '"' | '\'' | '\\' | '}' | ')' | '<' | '>'),
    };
    let rest = &text[from..];
    let end = rest.char_indices().find(|(at, c)| *at >= most || ends(*c)).map_or(rest.len(), |(at, _)| at);
    let value = rest[..end].trim_end();
    let value =
        if matches!(sign, Sign::Cookie | Sign::Authorization) { value } else { value.trim_end_matches(['.', '!']) };
    from..from + value.len()
}

/// What stands where a value would, and is none.
fn is_no_value(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "" | "null"
            | "none"
            | "nil"
            | "true"
            | "false"
            | "undefined"
            | "string"
            | "str"
            | "required"
            | "optional"
            | "redacted"
    ) || value.starts_with("${")
        || value.starts_with("$(")
        || value.starts_with("{{")
        || value.starts_with('<') && value.ends_with('>')
        || value == "{"
        || value == "["
        || is_placeholder(value)
        || value.chars().all(|c| matches!(c, '*' | '.' | '•' | '…' | 'x' | 'X'))
}

/// Whether a value is a key and no word: a long run of letters and digits of which none is foreseen.
fn looks_random(value: &str) -> bool {
    let longest = value.split(|c: char| !(c.is_ascii_alphanumeric() || c == '+')).max_by_key(|run| run.len());
    let Some(run) = longest.filter(|run| run.len() >= 20) else { return false };
    let has = |is: fn(&u8) -> bool| run.bytes().any(|byte| is(&byte));
    if value.contains(' ') || !(has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)) {
        return false;
    }
    let mut counts = [0_u32; 256];
    run.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let n = run.len() as f64;
    let bits: f64 = counts.iter().filter(|n| **n > 0).map(|count| f64::from(*count) / n).map(|p| -p * p.log2()).sum();
    bits >= 3.0
}

/// What a field of this name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// It is a secret.
    Secret,
    /// It is one where it looks random.
    MayBe,
    /// Nothing.
    Plain,
}

/// What a field's name says of its value.
pub(super) fn kind_of_key(key: &str) -> FieldKind {
    let Some(automaton) = AUTOMATON.as_ref() else { return FieldKind::Plain };
    let mut kind = FieldKind::Plain;
    for found in automaton.find_iter(key) {
        let rest = &key[found.end()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        if rest.starts_with(|c: char| c.is_ascii_lowercase()) || is_id(rest) {
            continue;
        }
        match SIGNS[found.pattern().as_usize()].1 {
            Sign::Field | Sign::Password | Sign::Authorization | Sign::Cookie => return FieldKind::Secret,
            Sign::MayBe => kind = FieldKind::MayBe,
            _ => {}
        }
    }
    kind
}

/// Whether a value of a field that is named for secrets is one.
pub(super) fn is_secret_value(kind: FieldKind, value: &str) -> bool {
    match kind {
        FieldKind::Secret => !is_no_value(value),
        FieldKind::MayBe => looks_random(value) && !is_placeholder(value),
        FieldKind::Plain => false,
    }
}
