//! Reviews: what a person made of one item of the queue, and what handling it took.

use serde::{Deserialize, Serialize};

use crate::exceptions::ExceptionKind;
use crate::ids::{BulkId, ItemId, PatternId, PersonId, ReviewId, RunId, WorkflowId};
use crate::outcome::Outcome;
use crate::queue::ItemKind;
use crate::time::Timestamp;

/// The most characters of a resolution and of a comment.
pub const MAX_TEXT_CHARS: usize = 4_000;
/// The most characters of the note beside a corrected time.
pub const MAX_NOTE_CHARS: usize = 500;
/// The most cleanup minutes of one item: a working week.
pub const MAX_CLEANUP_MINUTES: u32 = 2_400;
/// The longest active time of one item, in milliseconds: a working day.
pub const MAX_ACTIVE_MS: i64 = 8 * 3_600_000;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it, as stored and as the API says it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads the word. `None` for any other.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// Whether the agent did right, given what it knew.
    AgentWas {
        /// It did what it should have done.
        Right = "right",
        /// It did not.
        Wrong = "wrong",
    }
}

words! {
    /// Where it came from.
    Cause {
        /// The business's own rule was missing, unclear or wrong.
        BusinessRule = "business_rule",
        /// What the agent is told to do.
        Prompt = "prompt",
        /// It went to the wrong agent, tool or person.
        Routing = "routing",
        /// A tool failed or did something else than it says.
        Tool = "tool",
        /// What it knew was missing, old or wrong.
        Data = "data",
        /// The model itself.
        Model = "model",
        /// What the other side said or did.
        User = "user",
        /// The platform that it runs on.
        Platform = "platform",
    }
}

words! {
    /// What would have prevented it.
    PreventedBy {
        /// Other words in a prompt.
        Prompt = "prompt",
        /// A rule of the agent's controls.
        Rule = "rule",
        /// A schema of what goes in or comes out.
        Schema = "schema",
        /// Another way to the right place.
        Routing = "routing",
        /// Something that the agent should know.
        Knowledge = "knowledge",
        /// A better tool.
        Tool = "tool",
    }
}

/// What a person says of an item. Everything may be left open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Judgement {
    /// Whether the agent was right; `None` when not said.
    pub agent: Option<AgentWas>,
    /// What came of the run, where it is known otherwise; `None` leaves the outcome as it is.
    pub outcome: Option<Outcome>,
    /// Where it came from.
    pub cause: Option<Cause>,
    /// Whether it could have been prevented.
    pub preventable: Option<bool>,
    /// By what; only of what is preventable.
    pub prevented_by: Option<PreventedBy>,
    /// Minutes that putting it right took beside the review.
    pub cleanup_minutes: u32,
    /// What was done about it: what worked, for whoever has the next one of the pattern.
    pub resolution: String,
    /// Anything else.
    pub comment: String,
}

/// Why a judgement or a time is not taken, in words for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitReview {
    /// A verdict that says nothing.
    #[error(
        "a review corrects the outcome to completed, escalated, failed or abandoned; leave it out to keep what stands"
    )]
    Unverified,
    /// `prevented_by` without `preventable`.
    #[error("say that it was preventable before you say by what")]
    NotPreventable,
    /// Too many minutes.
    #[error("cleanup takes at most {MAX_CLEANUP_MINUTES} minutes for one item: a working week")]
    TooMuchCleanup,
    /// A text that is too long, or that cannot be kept.
    #[error("{what} has at most {most} characters")]
    TooLong {
        /// Which.
        what: &'static str,
        /// The most characters.
        most: usize,
    },
    /// A time that cannot be.
    #[error("active time lies between 0 and 8 hours for one item")]
    ImpossibleTime,
    /// A corrected time without a word on why.
    #[error("say in a note why the measured time is not right")]
    NoNote,
}

impl Judgement {
    /// The judgement with its texts trimmed.
    ///
    /// # Errors
    ///
    /// An [`UnfitReview`] that says what is wrong with it.
    pub fn checked(mut self) -> Result<Self, UnfitReview> {
        if self.outcome == Some(Outcome::Unverified) {
            return Err(UnfitReview::Unverified);
        }
        if self.prevented_by.is_some() && self.preventable != Some(true) {
            return Err(UnfitReview::NotPreventable);
        }
        if self.cleanup_minutes > MAX_CLEANUP_MINUTES {
            return Err(UnfitReview::TooMuchCleanup);
        }
        self.resolution = text_of(&self.resolution, MAX_TEXT_CHARS, "the resolution")?;
        self.comment = text_of(&self.comment, MAX_TEXT_CHARS, "the comment")?;
        Ok(self)
    }
}

/// A person's word on how long a review took, where what was measured is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveCorrection {
    /// How long it took, in milliseconds.
    pub active_ms: i64,
    /// Why the measured time is not right.
    pub note: String,
}

impl ActiveCorrection {
    /// The correction with its note trimmed.
    ///
    /// # Errors
    ///
    /// An [`UnfitReview`] that says what is wrong with it.
    pub fn checked(self) -> Result<Self, UnfitReview> {
        if !(0..=MAX_ACTIVE_MS).contains(&self.active_ms) {
            return Err(UnfitReview::ImpossibleTime);
        }
        let note = text_of(&self.note, MAX_NOTE_CHARS, "the note")?;
        if note.is_empty() { Err(UnfitReview::NoNote) } else { Ok(Self { note, ..self }) }
    }
}

/// A text without white space around it, of at most so many characters.
fn text_of(text: &str, most: usize, what: &'static str) -> Result<String, UnfitReview> {
    let text = text.trim();
    let fits = text.chars().take(most + 1).count() <= most && !text.contains('\0');
    if fits { Ok(text.to_owned()) } else { Err(UnfitReview::TooLong { what, most }) }
}

/// A person's handling of one item of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its id.
    pub id: ReviewId,
    /// The item.
    pub item_id: ItemId,
    /// What the item was.
    pub kind: ItemKind,
    /// The sort of exception; `None` for a sample.
    pub exception_kind: Option<ExceptionKind>,
    /// The run.
    pub run_id: RunId,
    /// The run's key.
    pub run_key: String,
    /// The run's release; empty when not said.
    pub release: String,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The pattern that the item belongs to.
    pub pattern_id: Option<PatternId>,
    /// Who reviewed it.
    pub reviewer_id: PersonId,
    /// Their name at that time.
    pub reviewer: String,
    /// When they took it.
    pub claimed_at: Timestamp,
    /// When they closed it; it counts in this hour.
    pub closed_at: Timestamp,
    /// Active time as it was measured, in milliseconds; `None` when nothing was measured.
    pub measured_ms: Option<i64>,
    /// Active time as it counts, in milliseconds: the measured one, or what the reviewer says.
    pub active_ms: Option<i64>,
    /// Why the two differ; empty where they do not.
    pub active_note: String,
    /// What they said.
    pub judgement: Judgement,
    /// The bulk review that it is part of.
    pub bulk_id: Option<BulkId>,
    /// When it was taken back; it counts nowhere then.
    pub undone_at: Option<Timestamp>,
    /// Who took it back; empty where nobody did.
    pub undone_by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_its_text() {
        for cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.as_str()), Some(*cause));
            assert_eq!(serde_json::to_value(cause).ok(), Some(cause.as_str().into()));
        }
        for by in PreventedBy::ALL {
            assert_eq!(PreventedBy::parse(by.as_str()), Some(*by));
            assert_eq!(serde_json::to_value(by).ok(), Some(by.as_str().into()));
        }
        assert_eq!(AgentWas::parse("right"), Some(AgentWas::Right));
        assert_eq!(AgentWas::parse("Right"), None);
    }

    #[test]
    fn what_is_not_preventable_was_prevented_by_nothing() {
        for preventable in [None, Some(false)] {
            let judgement = Judgement { preventable, prevented_by: Some(PreventedBy::Rule), ..Judgement::default() };
            assert_eq!(judgement.checked(), Err(UnfitReview::NotPreventable));
        }
        let judgement =
            Judgement { preventable: Some(true), prevented_by: Some(PreventedBy::Rule), ..Judgement::default() };
        assert_eq!(judgement.clone().checked(), Ok(judgement));
    }

    #[test]
    fn every_field_is_bounded() {
        let of = |judgement: Judgement| judgement.checked();
        let long = "ä".repeat(MAX_TEXT_CHARS + 1);
        let most = "ä".repeat(MAX_TEXT_CHARS);
        assert!(of(Judgement { comment: long.clone(), ..Judgement::default() }).is_err());
        assert!(of(Judgement { resolution: long, ..Judgement::default() }).is_err());
        assert!(of(Judgement { resolution: most, ..Judgement::default() }).is_ok());
        assert!(of(Judgement { comment: "a\0b".to_owned(), ..Judgement::default() }).is_err());
        assert!(of(Judgement { cleanup_minutes: MAX_CLEANUP_MINUTES, ..Judgement::default() }).is_ok());
        assert!(of(Judgement { cleanup_minutes: u32::MAX, ..Judgement::default() }).is_err());
        assert!(of(Judgement { outcome: Some(Outcome::Unverified), ..Judgement::default() }).is_err());
        let trimmed = of(Judgement { comment: "  called them back \n".to_owned(), ..Judgement::default() });
        assert_eq!(trimmed.map(|judgement| judgement.comment), Ok("called them back".to_owned()));
    }

    #[test]
    fn a_corrected_time_needs_a_reason_and_a_day_to_fit_into() {
        let of = |active_ms, note: &str| ActiveCorrection { active_ms, note: note.to_owned() }.checked();
        assert_eq!(of(1_000, "  "), Err(UnfitReview::NoNote));
        assert_eq!(of(-1, "on the phone"), Err(UnfitReview::ImpossibleTime));
        assert_eq!(of(i64::MAX, "on the phone"), Err(UnfitReview::ImpossibleTime));
        assert!(of(MAX_ACTIVE_MS, "on the phone").is_ok());
        assert!(of(0, &"x".repeat(MAX_NOTE_CHARS + 1)).is_err());
    }
}
