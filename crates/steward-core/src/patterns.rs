//! Patterns: exceptions that are the same problem. What must be the same beside the words, and what people make of one.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::exceptions::{Exception, ExceptionKind};
use crate::time::Timestamp;

/// What people make of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternState {
    /// Nobody has looked at it.
    New,
    /// It was called resolved and has come back.
    Regressed,
    /// Somebody knows of it.
    Known,
    /// It is not worth anybody's time.
    Muted,
    /// Its cause is mended.
    Resolved,
}

impl PatternState {
    /// Every state, the one that needs somebody first.
    pub const ALL: [Self; 5] = [Self::New, Self::Regressed, Self::Known, Self::Muted, Self::Resolved];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Regressed => "regressed",
            Self::Known => "known",
            Self::Muted => "muted",
            Self::Resolved => "resolved",
        }
    }

    /// Reads the word. `None` for any other.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state after an exception of a run that began at `started_at`, when it was resolved at `resolved_at`.
    #[must_use]
    pub fn after_exception(self, started_at: Timestamp, resolved_at: Option<Timestamp>) -> Self {
        match (self, resolved_at) {
            (Self::Resolved, Some(resolved_at)) if started_at > resolved_at => Self::Regressed,
            _ => self,
        }
    }
}

/// What exceptions of one pattern have in common beside the words of their messages.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Head {
    /// What sort of exception.
    pub kind: ExceptionKind,
    /// In what kind of step: `tool`, `model`, or `run` for the run as a whole.
    pub stage: String,
    /// The agent; empty when not said.
    pub agent: String,
    /// The tool; empty when there was none.
    pub tool: String,
    /// The class of the error; empty for what is no error.
    pub class: String,
    /// The code; empty when there is none.
    pub code: String,
}

impl Head {
    /// The head of an exception.
    #[must_use]
    pub fn of(exception: &Exception) -> Self {
        Self {
            kind: exception.kind,
            stage: exception.stage_word().to_owned(),
            agent: exception.agent.clone(),
            tool: exception.tool.clone(),
            class: exception.class.map_or_else(String::new, |class| class.as_str().to_owned()),
            code: exception.code.clone(),
        }
    }

    /// Its key: sixteen hexadecimal digits that follow from what it says.
    #[must_use]
    pub fn key(&self) -> String {
        key_of(&[self.kind.as_str(), &self.stage, &self.agent, &self.tool, &self.class, &self.code])
    }

    /// The key of a message under this head: equal keys are of one pattern.
    #[must_use]
    pub fn text_key(&self, message: &str) -> String {
        key_of(&[&self.key(), message])
    }

    /// What is the same, in words: `tool book_appointment`, `class server`.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let named = [("tool", &self.tool), ("agent", &self.agent), ("class", &self.class), ("code", &self.code)];
        let mut words = vec![format!("sort {}", self.kind.as_str())];
        if self.tool.is_empty() {
            words.push(if self.stage == "run" {
                "the run as a whole".to_owned()
            } else {
                format!("step {}", self.stage)
            });
        }
        words.extend(
            named.into_iter().filter(|(_, name)| !name.is_empty()).map(|(what, name)| format!("{what} {name}")),
        );
        words
    }
}

fn key_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    format!("{:016x}", u64::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolved_pattern_comes_back_only_with_a_run_that_began_later() {
        let at = Timestamp::from_seconds;
        let after = |state: PatternState, started| state.after_exception(at(started), Some(at(100)));
        assert_eq!(after(PatternState::Resolved, 100), PatternState::Resolved, "it began before");
        assert_eq!(after(PatternState::Resolved, 101), PatternState::Regressed);
        for state in [PatternState::New, PatternState::Known, PatternState::Muted, PatternState::Regressed] {
            assert_eq!(after(state, 101), state);
        }
    }

    #[test]
    fn every_part_of_the_head_tells_heads_apart() {
        let head = Head {
            kind: ExceptionKind::Error,
            stage: "tool".to_owned(),
            agent: String::new(),
            tool: "book".to_owned(),
            class: "server".to_owned(),
            code: "503".to_owned(),
        };
        let others = [
            Head { kind: ExceptionKind::Limit, ..head.clone() },
            Head { stage: "model".to_owned(), ..head.clone() },
            Head { agent: "book".to_owned(), tool: String::new(), ..head.clone() },
            Head { tool: "cancel".to_owned(), ..head.clone() },
            Head { class: "auth".to_owned(), ..head.clone() },
            Head { code: "500".to_owned(), ..head.clone() },
        ];
        for other in others {
            assert_ne!(other.key(), head.key(), "{other:?}");
            assert_ne!(other.text_key("no"), head.text_key("no"));
        }
        assert_ne!(head.text_key("a"), head.text_key("b"));
    }
}
