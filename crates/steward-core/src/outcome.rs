//! What came of a finished run, and on what evidence.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What came of a finished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did its job.
    Completed,
    /// It was handed to a person.
    Escalated,
    /// It did not do its job.
    Failed,
    /// The other side left.
    Abandoned,
    /// It ended, and nothing says whether it did its job.
    Unverified,
}

impl Outcome {
    /// Every outcome, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Completed, Self::Escalated, Self::Failed, Self::Abandoned, Self::Unverified];

    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Escalated => "escalated",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Unverified => "unverified",
        }
    }

    /// Reads the word, or one that senders commonly use for the same. `None` for anything else.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "completed" | "complete" | "success" | "succeeded" | "successful" | "resolved" | "done" => Self::Completed,
            "escalated" | "handed_off" | "handoff" | "transferred" => Self::Escalated,
            "failed" | "failure" | "error" | "unsuccessful" => Self::Failed,
            "abandoned" | "cancelled" | "canceled" | "dropped" => Self::Abandoned,
            "unverified" | "unknown" => Self::Unverified,
            _ => return None,
        })
    }
}

/// The kind of evidence for an outcome, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A person looked at it and said so.
    Verdict,
    /// The sender said so.
    Explicit,
    /// An evaluation or score says so.
    Score,
    /// A rule of the workflow says so.
    Rule,
    /// The run's own status says so.
    Status,
    /// Nothing says so.
    Nothing,
}

impl EvidenceKind {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Explicit => "explicit",
            Self::Score => "score",
            Self::Rule => "rule",
            Self::Status => "status",
            Self::Nothing => "nothing",
        }
    }
}

/// An outcome with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The outcome.
    pub outcome: Outcome,
    /// The kind of evidence.
    pub kind: EvidenceKind,
    /// The evidence in words: `tool book_appointment succeeded`.
    pub words: String,
    /// The step that it was found in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
}

/// A person's word on the outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// Who gave it, by name.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default)]
    pub comment: String,
}
