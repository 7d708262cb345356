//! Privacy: how much of what was said is kept, and what is masked in it.
//!
//! What is not to be kept is gone before anything is stored. So a setting concerns what arrives from then on, and
//! nothing brings back what it took out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How much of what was said is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Everything, as it was sent.
    #[default]
    Full,
    /// Everything, with addresses, numbers, secrets and configured words masked.
    Masked,
    /// Only structure: names, kinds, times, tokens, costs and classes of errors.
    None,
}

impl Content {
    /// Every choice, the one that keeps most first.
    pub const ALL: [Self; 3] = [Self::Full, Self::Masked, Self::None];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Masked => "masked",
            Self::None => "none",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.as_str() == word)
    }
}

/// What is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskKind {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// The number of a payment card.
    Card,
    /// The number of a bank account, as IBAN.
    Iban,
    /// A password, a key or a token.
    Secret,
    /// A configured word.
    Word,
}

impl MaskKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Email, Self::Phone, Self::Card, Self::Iban, Self::Secret, Self::Word];

    /// The word for it, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Secret => "secret",
            Self::Word => "word",
        }
    }

    /// The word for it, as it stands in a text in place of what was masked.
    #[must_use]
    pub const fn shown(self) -> &'static str {
        match self {
            Self::Email => "e-mail",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "IBAN",
            Self::Secret => "secret",
            Self::Word => "word",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How often something of each kind was masked; kinds that were not are missing.
pub type Masked = BTreeMap<MaskKind, u32>;

/// Adds counts to others.
pub fn add_masked(to: &mut Masked, from: &Masked) {
    for (kind, n) in from {
        let sum = to.entry(*kind).or_default();
        *sum = sum.saturating_add(*n);
    }
}

/// The most words that one agency or workflow has masked.
pub const MAX_WORDS: usize = 200;
/// The most characters of such a word.
pub const MAX_WORD_CHARS: usize = 80;

/// Words by which payloads are read.
const STRUCTURE: [&str; 43] = [
    "ai",
    "arguments",
    "assistant",
    "content",
    "conversation",
    "ended_at",
    "error",
    "function",
    "gen_ai",
    "id",
    "input",
    "langfuse",
    "llm",
    "message",
    "messages",
    "model",
    "name",
    "openinference",
    "output",
    "parts",
    "role",
    "run",
    "runs",
    "service",
    "session",
    "span",
    "started_at",
    "status",
    "steps",
    "steward",
    "system",
    "text",
    "tokens",
    "tool",
    "tool_calls",
    "trace",
    "traceloop",
    "type",
    "usage",
    "user",
    "value",
    "version",
    "workflow",
];

/// What an agency or a workflow keeps of what was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// How much is kept. `None`: a workflow does as its agency does, and an agency keeps everything.
    pub content: Option<Content>,
    /// Kinds that are left as they are where the rest is masked.
    pub spared: Vec<MaskKind>,
    /// Words that are masked, whole and in any case; a workflow's beside its agency's.
    pub words: Vec<String>,
}

impl Privacy {
    /// What holds for a workflow of an agency: its own choice, else the agency's; the words of both.
    #[must_use]
    pub fn over(&self, agency: &Self) -> Self {
        let chosen = if self.content.is_some() { self } else { agency };
        let mut words: Vec<String> = agency.words.iter().chain(&self.words).cloned().collect();
        words.sort_unstable();
        words.dedup();
        Self { content: Some(chosen.content.unwrap_or_default()), spared: chosen.spared.clone(), words }
    }

    /// How much is kept.
    #[must_use]
    pub fn content(&self) -> Content {
        self.content.unwrap_or_default()
    }

    /// What is wrong with it, in words for a person. `None` when nothing is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        if self.words.len() > MAX_WORDS {
            return Some(format!("at most {MAX_WORDS} words are masked"));
        }
        self.words.iter().find_map(|word| {
            let length = word.chars().count();
            if !(2..=MAX_WORD_CHARS).contains(&length) {
                return Some(format!("a word to mask has 2 to {MAX_WORD_CHARS} characters"));
            }
            if word.trim() != word || word.chars().any(char::is_control) {
                return Some("a word to mask has no spaces around it and stands on one line".to_owned());
            }
            if STRUCTURE.contains(&word.to_lowercase().as_str()) {
                return Some(format!("“{word}” is a word of telemetry itself: masked, nothing could be read any more"));
            }
            (!word.chars().any(char::is_alphanumeric)).then(|| "a word to mask has a letter or a digit".to_owned())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_that_chooses_nothing_does_as_its_agency_does() {
        let agency =
            Privacy { content: Some(Content::Masked), spared: vec![MaskKind::Phone], words: vec!["Falcon".to_owned()] };
        let quiet = Privacy { words: vec!["Heron".to_owned()], ..Privacy::default() };
        assert_eq!(
            quiet.over(&agency),
            Privacy { words: vec!["Falcon".to_owned(), "Heron".to_owned()], ..agency.clone() }
        );
        let own = Privacy { content: Some(Content::None), ..Privacy::default() };
        assert_eq!((own.over(&agency).content(), own.over(&agency).spared.len()), (Content::None, 0));
        assert_eq!(Privacy::default().over(&Privacy::default()).content(), Content::Full);
    }

    #[test]
    fn words_that_cannot_be_masked_are_refused() {
        let with = |word: &str| Privacy { words: vec![word.to_owned()], ..Privacy::default() }.problem();
        assert_eq!(with("Project Falcon"), None);
        for word in ["", "a", " ab", "a\nb", "--", "User", &"x".repeat(81)] {
            assert!(with(word).is_some(), "{word:?}");
        }
        let many = Privacy { words: vec!["ab".to_owned(); MAX_WORDS + 1], ..Privacy::default() };
        assert!(many.problem().is_some());
    }
}
