//! A run as figures: what one execution of a workflow came to.

use serde::{Deserialize, Serialize};

use crate::exceptions::Exception;
use crate::money::Nanos;
use crate::outcome::{Evidence, EvidenceKind, Outcome};
use crate::privacy::Masked;
use crate::step::ErrorClass;
use crate::time::Timestamp;
use crate::usage::Usage;

/// Whether a run may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It has not ended.
    Open,
    /// It ended, and late data may still revise it.
    Provisional,
    /// It ended, and nothing more is expected.
    Final,
}

impl RunState {
    /// The word for it, as shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Provisional => "provisional",
            Self::Final => "final",
        }
    }
}

/// How a run's cost is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// The sender reported all of it.
    Reported,
    /// Tokens times the price table.
    Priced,
    /// Some calls reported, some from the price table.
    Mixed,
    /// At least one call has neither a report nor a price.
    Unknown,
}

impl CostSource {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Priced => "priced",
            Self::Mixed => "mixed",
            Self::Unknown => "unknown",
        }
    }
}

/// What the calls of one tool or one model came to in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallFacts {
    /// The tool's or model's name.
    pub name: String,
    /// Calls.
    pub calls: u32,
    /// Failed calls by class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<(ErrorClass, u32)>,
    /// How long each call took, in milliseconds; the first 256.
    pub durations_ms: Vec<u32>,
    /// Tokens, for models.
    #[serde(skip_serializing_if = "is_zero")]
    pub tokens: u64,
    /// The known part of the cost, for models, in nano-US-dollars.
    #[serde(skip_serializing_if = "is_no_money")]
    pub cost_nanos: Nanos,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_no_money(n: &Nanos) -> bool {
    n.0 == 0
}

/// A result that a run brought about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFacts {
    /// What the business calls it.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Whether the client was open at that time.
    pub in_hours: bool,
    /// Its value in nano-units of the client's currency; `None` when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_nanos: Option<Nanos>,
}

/// What one execution of a workflow came to. A pure function of its steps and its workflow's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// When its first step started.
    pub started_at: Timestamp,
    /// When its last step ended.
    pub ended_at: Timestamp,
    /// Whether it has ended.
    pub finished: bool,
    /// For a run that has not: when it counts as ended if nothing more arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// For a run that has: when nothing more is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_at: Option<Timestamp>,
    /// What came of it, and why we say so.
    pub evidence: Evidence,
    /// Where a person said what came of it: what everything else says. `None` where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<Outcome>,
    /// From start to end, in milliseconds, waiting included.
    pub cycle_ms: i64,
    /// Of that, held for a person, in milliseconds.
    pub waiting_ms: i64,
    /// What it cost, in nano-US-dollars; `None` when any part is unknown.
    pub cost_nanos: Option<Nanos>,
    /// The part of the cost that is known.
    pub known_cost_nanos: Nanos,
    /// How the cost is known.
    pub cost_source: CostSource,
    /// Some of that cost, or of the tokens that it was priced by, is its sender's estimate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cost_estimated: bool,
    /// Calls whose cost is unknown.
    pub n_unpriced_calls: u32,
    /// Tokens, each counted once.
    pub usage: Usage,
    /// Steps.
    pub n_steps: u32,
    /// Calls of models, each counted once.
    pub n_model_calls: u32,
    /// Calls of tools, each counted once.
    pub n_tool_calls: u32,
    /// How many exceptions it has.
    pub n_exceptions: u32,
    /// The exceptions, in the order in which they happened. Runs that were read before these were kept have none here,
    /// until they are read again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// The first error in words; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub first_error: String,
    /// The release or version of the agent; empty when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// The environment; empty when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub environment: String,
    /// A test, shadow or scenario run.
    pub test: bool,
    /// What it was about, in a line; empty when nothing says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The end user, by the sender's id; empty when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_id: String,
    /// The conversation; empty when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub conversation_id: String,
    /// Models by name.
    pub models: Vec<CallFacts>,
    /// Tools by name.
    pub tools: Vec<CallFacts>,
    /// Results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<ResultFacts>,
    /// Whether it started while the client was open.
    pub in_hours: bool,
    /// The dialects that its steps were read by.
    pub dialects: Vec<String>,
    /// Attributes that its spans had.
    pub n_attributes: u32,
    /// Of those, attributes that no rule used.
    pub n_unmapped: u32,
    /// Their keys, at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<String>,
    /// Steps that arrived after the run was final.
    pub n_late_steps: u32,
    /// What was masked in it before it was stored.
    #[serde(default, skip_serializing_if = "Masked::is_empty")]
    pub masked: Masked,
    /// What was said in it was not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_content: bool,
}

/// The most keys of attributes that no rule used under which a run is counted.
const MAX_COUNTED_KEYS: usize = 20;

impl RunFacts {
    /// The keys of attributes that no rule used under which it is counted, and by which it is found.
    pub fn counted_unmapped(&self) -> impl Iterator<Item = &str> {
        self.unmapped.iter().take(MAX_COUNTED_KEYS).map(String::as_str)
    }

    /// What came of it.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.evidence.outcome
    }

    /// What was claimed of it before any person said otherwise.
    #[must_use]
    pub fn claimed_outcome(&self) -> Outcome {
        self.claimed.unwrap_or(self.evidence.outcome)
    }

    /// What its outcome rests on.
    #[must_use]
    pub fn evidence_kind(&self) -> EvidenceKind {
        self.evidence.kind
    }

    /// Whether it may still change, as of `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> RunState {
        match self.final_at {
            _ if !self.finished => RunState::Open,
            Some(at) if now < at => RunState::Provisional,
            _ => RunState::Final,
        }
    }
}
