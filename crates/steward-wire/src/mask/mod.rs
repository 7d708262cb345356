//! Masking: what may not be kept of a text is taken out of it before anything is stored.
//!
//! Each thing is replaced by a word for its kind, so that a text stays readable: `write to [e-mail]`. What counts as
//! which kind stands at the head of its file: [`emails`], [`numbers`], [`secrets`], [`words`]. Where a rule cannot
//! tell, it leans to masking in places that are named for such a thing (`"phone": …`, `password=…`) and to leaving
//! alone elsewhere, so that order numbers, dates and prices stay what they are.
//!
//! Invariant: masking takes time linear in the text, and what it has masked it finds nothing in.

mod delivery;
mod emails;
mod json;
mod langfuse;
mod logs;
mod numbers;
mod payload;
mod secrets;
mod strip;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use sha2::{Digest, Sha256};
use steward_core::handoff::ContactKind;
use steward_core::privacy::{MaskKind, Masked, Privacy};

pub use delivery::{keep_of_delivery, keep_of_unreadable, without_traces_delivery};
pub use langfuse::{keep_of_batch, keep_of_scores, without_traces_batch, without_traces_scores};
pub use logs::{keep_of_logs, without_traces_logs};
pub use payload::{
    Choose, Rest, Sorted, Treatment, keep_of_line, keep_of_native, keep_of_otlp, without_traces_line,
    without_traces_native, without_traces_otlp,
};
pub use strip::without_content;

use words::Words;

/// How often a text is looked through again after something in it was masked.
const MAX_ROUNDS: u32 = 8;
/// Letters of a stand-in for an id; each tells four bits.
const STAND_IN_LETTERS: usize = 20;

/// Something in a text that is to be masked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    at: Range<usize>,
    kind: MaskKind,
}

/// Finds and masks what a workflow or an agency does not want to keep.
#[derive(Debug, Clone)]
pub struct Masker {
    spared: [bool; MaskKind::ALL.len()],
    words: Words,
    salt: [u8; 32],
}

impl Masker {
    /// A masker for all kinds but those that are spared. The salt is the agency's: with it, an id that has to be masked
    /// gets a stand-in that is always the same and cannot be turned back.
    #[must_use]
    pub fn new(privacy: &Privacy, salt: [u8; 32]) -> Self {
        let mut spared = [false; MaskKind::ALL.len()];
        for kind in &privacy.spared {
            spared[*kind as usize] = true;
        }
        Self { spared, words: Words::new(&privacy.words), salt }
    }

    fn masks(&self, kind: MaskKind) -> bool {
        !self.spared[kind as usize]
    }

    /// Masks a text. Gives it back as it was where there is nothing to mask, and counts by kind.
    #[must_use]
    pub fn mask_text<'t>(&self, text: &'t str) -> (Cow<'t, str>, Masked) {
        let mut counts = Masked::new();
        let masked = self.mask(text, &mut counts);
        (masked, counts)
    }

    /// Masks a text and adds to counts.
    fn mask<'t>(&self, text: &'t str, counts: &mut Masked) -> Cow<'t, str> {
        let mut out = Cow::Borrowed(text);
        for _ in 0..MAX_ROUNDS {
            let findings = self.find(&out);
            if findings.is_empty() {
                break;
            }
            out = Cow::Owned(replaced(&out, &findings, counts));
        }
        out
    }

    /// What is to be masked in a text, in order and without overlaps.
    fn find(&self, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.masks(MaskKind::Email) || self.masks(MaskKind::Secret) {
            emails::find(text, self.masks(MaskKind::Email), self.masks(MaskKind::Secret), &mut findings);
        }
        let wanted = numbers::Wanted {
            phones: self.masks(MaskKind::Phone),
            cards: self.masks(MaskKind::Card),
            ibans: self.masks(MaskKind::Iban),
        };
        numbers::find(text, wanted, &mut findings);
        if self.masks(MaskKind::Secret) {
            secrets::find(text, &mut findings);
        }
        if self.masks(MaskKind::Word) {
            self.words.find(text, &mut findings);
        }
        if findings.len() > 1 {
            findings = joined(findings);
        }
        findings
    }

    /// An id with nothing in it that may not be kept: as it is, or a stand-in such as `[phone:kdmbaofp…]`, which is
    /// the same for the same id, so that runs of one user or conversation still belong together.
    #[must_use]
    pub fn mask_id<'t>(&self, id: &'t str, counts: &mut Masked) -> Cow<'t, str> {
        match self.find(id).first() {
            None => Cow::Borrowed(id),
            Some(first) => {
                *counts.entry(first.kind).or_default() += 1;
                Cow::Owned(stand_in(first.kind.shown(), id, &self.salt))
            }
        }
    }

    /// Masks words on a payload: what they quote of it is gone, and the rest is masked.
    #[must_use]
    pub fn mask_quoting(&self, words: &str) -> String {
        let mut out = String::with_capacity(words.len());
        let mut rest = words;
        while let Some((at, open)) = rest.char_indices().find(|(_, letter)| matches!(letter, '"' | '“' | '`')) {
            let close = if open == '“' { '”' } else { open };
            let inside = &rest[at + open.len_utf8()..];
            // Without an end everything is quoted.
            let end = inside.find(close).map_or(inside.len(), |end| end + close.len_utf8());
            out.push_str(&rest[..at]);
            out.push('…');
            rest = &inside[end..];
        }
        out.push_str(rest);
        self.mask_text(&out).0.into_owned()
    }

    /// A stand-in for an id of which nothing may be kept, whatever is in it. A stand-in stays as it is.
    #[must_use]
    pub fn hide_id(&self, id: &str) -> String {
        if is_placeholder(id) && id.contains(':') { id.to_owned() } else { stand_in(HIDDEN, id, &self.salt) }
    }
}

/// The e-mail addresses and telephone numbers in a text, in order: what masking would take out of it as such.
#[must_use]
pub fn find_contacts(text: &str) -> Vec<(ContactKind, String)> {
    let mut findings = Vec::new();
    emails::find(text, true, false, &mut findings);
    // Numbers of cards and accounts are looked for too, so that none of them is taken for a telephone's.
    numbers::find(text, numbers::Wanted { phones: true, cards: true, ibans: true }, &mut findings);
    let found = joined(findings).into_iter().filter_map(|finding| {
        let kind = match finding.kind {
            MaskKind::Email => ContactKind::Email,
            MaskKind::Phone => ContactKind::Phone,
            MaskKind::Card | MaskKind::Iban | MaskKind::Secret | MaskKind::Word => return None,
        };
        Some((kind, text[finding.at].to_owned()))
    });
    found.collect()
}

/// The kind of a stand-in for an id that is hidden whatever is in it.
const HIDDEN: &str = "id";

/// Every form in which an end user's id may have been kept: as it is, and behind each kind of stand-in.
#[must_use]
pub fn forms_of_id(id: &str, salt: &[u8; 32]) -> Vec<String> {
    let kinds = MaskKind::ALL.into_iter().map(MaskKind::shown).chain([HIDDEN]);
    std::iter::once(id.to_owned()).chain(kinds.map(|kind| stand_in(kind, id, salt))).collect()
}

/// A stand-in of letters alone, so that no rule finds anything in it.
fn stand_in(kind: &str, id: &str, salt: &[u8; 32]) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(id.as_bytes());
    let mut text = format!("[{kind}:");
    for byte in hash.finalize().iter().take(STAND_IN_LETTERS / 2) {
        text.push(char::from(b'a' + (byte >> 4)));
        text.push(char::from(b'a' + (byte & 15)));
    }
    text.push(']');
    text
}

/// Whether a text is what stands in place of something masked, and nothing else.
fn is_placeholder(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) else { return false };
    let (kind, letters) = inner.split_once(':').unwrap_or((inner, "a"));
    let is_known = kind == HIDDEN || MaskKind::ALL.into_iter().any(|known| known.shown() == kind);
    is_known && !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Findings in order, those that overlap as one, of the kind of the longest of them.
fn joined(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (finding.at.start, finding.at.end));
    let mut joined: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut longest = 0;
    for finding in findings {
        match joined.last_mut() {
            Some(last) if finding.at.start < last.at.end => {
                if finding.at.len() > longest {
                    longest = finding.at.len();
                    last.kind = finding.kind;
                }
                last.at.end = last.at.end.max(finding.at.end);
            }
            _ => {
                longest = finding.at.len();
                joined.push(finding);
            }
        }
    }
    joined
}

fn replaced(text: &str, findings: &[Finding], counts: &mut Masked) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for Finding { at, kind } in findings {
        out.push_str(&text[from..at.start]);
        out.push('[');
        out.push_str(kind.shown());
        out.push(']');
        from = at.end;
        *counts.entry(*kind).or_default() += 1;
    }
    out.push_str(&text[from..]);
    out
}

/// Whether the letter at a place is the second half of an escape such as `\n`, as it stands in JSON inside a text.
fn is_escape(bytes: &[u8], at: usize) -> bool {
    at > 0 && bytes[at - 1] == b'\\' && matches!(bytes[at], b'n' | b'r' | b't' | b'b' | b'f')
}

/// Whether what stands before a place ends a word: nothing, something that is no letter and no digit, or an escape.
fn starts_word(text: &str, at: usize) -> bool {
    match text[..at].chars().next_back() {
        None => true,
        Some(before) => {
            !(before.is_alphanumeric() || before == '_') || (before.is_ascii() && is_escape(text.as_bytes(), at - 1))
        }
    }
}

/// Whether what stands at a place begins no more of a word.
fn ends_word(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_none_or(|after| !(after.is_alphanumeric() || after == '_'))
}
