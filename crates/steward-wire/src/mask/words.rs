//! Configured words: whole, in any case, in any script.

use steward_core::privacy::{MAX_WORDS, MaskKind};

use super::{Finding, ends_word, starts_word};

/// Words to look for, by what they begin with.
#[derive(Debug, Clone)]
pub(super) struct Words {
    /// In lower case, the longest first.
    words: Vec<Vec<char>>,
    /// Whether any word, in any case, may begin with this byte.
    begins: Box<[bool; 256]>,
}

impl Words {
    pub(super) fn new(words: &[String]) -> Self {
        let mut lower: Vec<Vec<char>> = words
            .iter()
            .take(MAX_WORDS * 2)
            .map(|word| word.trim().chars().flat_map(char::to_lowercase).collect())
            .filter(|word: &Vec<char>| !word.is_empty())
            .collect();
        lower.sort_by_key(|word| std::cmp::Reverse(word.len()));
        lower.dedup();
        let mut begins = Box::new([false; 256]);
        for first in lower.iter().filter_map(|word| word.first()) {
            if first.is_ascii() {
                begins[*first as usize] = true;
                begins[first.to_ascii_uppercase() as usize] = true;
            }
            // Signs outside of ASCII change their first byte with their case, and a few become ASCII.
            (128..256).for_each(|byte| begins[byte] = true);
        }
        Self { words: lower, begins }
    }

    pub(super) fn find(&self, text: &str, findings: &mut Vec<Finding>) {
        if self.words.is_empty() {
            return;
        }
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(found) = bytes[at..].iter().position(|byte| self.begins[usize::from(*byte)]) {
            at += found;
            let end = if text.is_char_boundary(at) && starts_word(text, at) { self.word_at(text, at) } else { None };
            match end {
                Some(end) => {
                    findings.push(Finding { at: at..end, kind: MaskKind::Word });
                    at = end;
                }
                None => at += 1,
            }
        }
    }

    /// The end of the longest word that stands at a place.
    fn word_at(&self, text: &str, at: usize) -> Option<usize> {
        let ends = self.words.iter().filter_map(|word| end_of(&text[at..], word)).map(|length| at + length);
        let end = ends.filter(|end| ends_word(text, *end)).max()?;
        // What is masked already stays as it is, even where its own word is a configured one.
        let is_kind = MaskKind::ALL.into_iter().any(|kind| kind.shown() == &text[at..end]);
        let is_masked = is_kind && text[..at].ends_with('[') && text[end..].starts_with([']', ':']);
        (!is_masked).then_some(end)
    }
}

/// The length of what a text begins with, when it is the word in any case. Spaces stand for any spaces.
fn end_of(text: &str, word: &[char]) -> Option<usize> {
    let mut wanted = word.iter().peekable();
    for (place, c) in text.char_indices() {
        if wanted.peek().is_none() {
            return Some(place);
        }
        for lower in c.to_lowercase() {
            let same = match wanted.next()? {
                ' ' => lower.is_whitespace(),
                expected => *expected == lower,
            };
            if !same {
                return None;
            }
        }
    }
    wanted.peek().is_none().then_some(text.len())
}
