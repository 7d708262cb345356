//! Outcomes and states: an icon and a word, never a colour alone.

use std::fmt;

use askama::filters::HtmlSafe;
use steward_core::outcome::Outcome;

use super::icon::Icon;
use crate::view::html::Escaped;

/// What a thing means to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neither good nor bad.
    #[default]
    Neutral,
    /// As it should be.
    Good,
    /// Needs care.
    Warn,
    /// Needs somebody now.
    Bad,
    /// Worth knowing.
    Info,
}

impl Tone {
    /// The class for it.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
        }
    }

    /// The icon for it.
    #[must_use]
    pub const fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Info => Icon::Info,
            Self::Good => Icon::Completed,
            Self::Warn => Icon::Warning,
            Self::Bad => Icon::Failed,
        }
    }
}

/// An icon and a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    /// The icon.
    pub icon: Icon,
    /// The word.
    pub word: String,
    /// What it means.
    pub tone: Tone,
}

impl Badge {
    /// Makes a badge.
    #[must_use]
    pub fn new(icon: Icon, word: impl Into<String>, tone: Tone) -> Self {
        Self { icon, word: word.into(), tone }
    }

    /// The badge of an outcome.
    #[must_use]
    pub fn outcome(outcome: Outcome) -> Self {
        let (icon, tone) = match outcome {
            Outcome::Completed => (Icon::Completed, Tone::Good),
            Outcome::Escalated => (Icon::Escalated, Tone::Info),
            Outcome::Failed => (Icon::Failed, Tone::Bad),
            Outcome::Abandoned => (Icon::Abandoned, Tone::Warn),
            Outcome::Unverified => (Icon::Unverified, Tone::Neutral),
        };
        Self::new(icon, outcome.as_str(), tone)
    }

    /// The badge of a run's state, by its word: `open`, `provisional`, `final`.
    #[must_use]
    pub fn run_state(word: &str) -> Self {
        let icon = match word {
            "open" => Icon::Open,
            "provisional" => Icon::Provisional,
            _ => Icon::Lock,
        };
        Self::new(icon, word, if word == "open" { Tone::Info } else { Tone::Neutral })
    }
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<span class="badge {}">{}{}</span>"#, self.tone.class(), self.icon, Escaped(&self.word))
    }
}

impl HtmlSafe for Badge {}
