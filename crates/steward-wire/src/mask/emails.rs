//! E-mail addresses, and passwords in addresses of the net.
//!
//! An address is `local@domain`, where the domain has a dot and ends in two letters or more; `%40` stands for `@` as
//! it does in addresses of the net. `@mention`, `user@localhost`, `pkg@1.2.3` and `image@2x.png` are none. In
//! `scheme://user:password@host` the password is a secret.

use memchr::memchr_iter;
use memchr::memmem;
use steward_core::privacy::MaskKind;

use super::{Finding, is_escape};

/// The longest local part, and the longest domain, that are looked at; RFC 5321 has none longer.
const MAX_LOCAL: usize = 96;
const MAX_DOMAIN: usize = 255;
/// How far before an `@` the scheme of an address of the net may stand.
const MAX_CREDENTIALS: usize = 160;
/// Endings of files and not of domains.
const FILES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "svg", "webp"];

pub(super) fn find(text: &str, emails: bool, secrets: bool, findings: &mut Vec<Finding>) {
    for at in memchr_iter(b'@', text.as_bytes()) {
        if emails {
            address(text, at, at + 1, findings);
        }
        if secrets {
            credentials(text, at, findings);
        }
    }
    if emails && memchr::memchr(b'%', text.as_bytes()).is_some() {
        for at in memmem::find_iter(text.as_bytes(), "%40") {
            address(text, at, at + 3, findings);
        }
    }
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-')
}

fn address(text: &str, at: usize, behind: usize, findings: &mut Vec<Finding>) {
    let bytes = text.as_bytes();
    let mut start = at;
    for (place, c) in text[..at].char_indices().rev() {
        let inside_name = c == '\'' && start < at && text[..place].chars().next_back().is_some_and(char::is_alphabetic);
        if !(is_local(c) || inside_name) || at - place > MAX_LOCAL || is_escape(bytes, place) {
            break;
        }
        start = place;
    }
    // What stands before is no part of it: a dot, a dash, or the rest of an escaped sign.
    let local = text[start..at].trim_start_matches(['.', '-', '+', '%']);
    if local.is_empty() {
        return;
    }
    let start = at - local.len();
    let rest = &text[behind..];
    let mut domain_end = 0;
    for (place, c) in rest.char_indices() {
        if !(c.is_alphanumeric() || matches!(c, '.' | '-')) || place > MAX_DOMAIN {
            break;
        }
        domain_end = place + c.len_utf8();
    }
    let domain = rest[..domain_end].trim_end_matches(['.', '-']);
    // What follows a dot may be the next sentence; the longest beginning that is a domain is taken.
    let Some((host, ending)) = domain.rsplit_once('.') else { return };
    let is_ending =
        ending.chars().count() >= 2 && ending.chars().all(char::is_alphabetic) || ending.starts_with("xn--");
    let is_host = !host.is_empty() && !host.starts_with(['.', '-']);
    let is_file = FILES.contains(&ending.to_ascii_lowercase().as_str())
        && host.starts_with(|c: char| c.is_ascii_digit())
        && host[1..].starts_with('x');
    let end = if is_ending {
        behind + domain.len()
    } else {
        // `a@b.com.4` and `a@b.com-5`: the letters before are enough of a domain.
        let Some(length) = domain_before(domain) else { return };
        behind + length
    };
    if is_host && !is_file {
        findings.push(Finding { at: start..end, kind: MaskKind::Email });
    }
}

/// The length of the longest beginning that ends in a dot and two letters or more.
fn domain_before(domain: &str) -> Option<usize> {
    let mut best = None;
    let mut place = 0;
    for (n, label) in domain.split('.').enumerate() {
        let letters: usize = label.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
        if n > 0 && label[..letters].chars().count() >= 2 {
            best = Some(place + if letters < label.len() { label.len() } else { letters });
        }
        place += label.len() + 1;
    }
    best
}

/// The password of `scheme://user:password@host`.
fn credentials(text: &str, at: usize, findings: &mut Vec<Finding>) {
    let mut from = at.saturating_sub(MAX_CREDENTIALS);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..at];
    let Some(scheme) = before.rfind("://") else { return };
    let inside = &before[scheme + 3..];
    if inside.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '<' | '>')) {
        return;
    }
    let Some((_, password)) = inside.split_once(':') else { return };
    if !password.is_empty() && !super::is_placeholder(password) && !password.starts_with(['$', '{']) {
        findings.push(Finding { at: at - password.len()..at, kind: MaskKind::Secret });
    }
}
