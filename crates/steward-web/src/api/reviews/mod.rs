//! Reviews: what people made of items of the queue.

pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod undo;

use serde::{Deserialize, Serialize};
use steward_core::reviews::{ActiveCorrection, Judgement, Review};
use utoipa::ToSchema;

use super::words::{AgentWasWord, CauseWord, ExceptionKindWord, ItemKindWord, OutcomeWord, PreventedByWord};

/// What a person says of an item. Everything may be left out.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Judgement)]
pub(crate) struct JudgementJson {
    /// Whether the agent was right, given what it knew.
    agent: Option<AgentWasWord>,
    /// What came of the run, where it is known otherwise; null leaves the outcome as it is. Not `unverified`.
    outcome: Option<OutcomeWord>,
    /// Where it came from.
    cause: Option<CauseWord>,
    /// Whether it could have been prevented.
    preventable: Option<bool>,
    /// By what; only of what is preventable.
    prevented_by: Option<PreventedByWord>,
    /// Minutes that putting it right took beside the review.
    #[schema(maximum = 2400)]
    cleanup_minutes: u32,
    /// What was done about it.
    #[schema(max_length = 4000)]
    resolution: String,
    /// Anything else.
    #[schema(max_length = 4000)]
    comment: String,
}

/// A word on how long a review took, where what was measured is not right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActiveCorrection)]
pub(crate) struct CorrectionJson {
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, maximum = 28800000)]
    active_ms: i64,
    /// Why the measured time is not right.
    #[schema(min_length = 1, max_length = 500)]
    note: String,
}

/// A person's handling of one item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review)]
pub(crate) struct ReviewJson {
    /// Its id.
    #[schema(example = "rev_01930000000070008000000000000001")]
    id: String,
    /// The item.
    #[schema(example = "item_01930000000080008000000000000001")]
    item_id: String,
    /// What the item was.
    kind: ItemKindWord,
    /// The sort of exception; null for a sample.
    exception_kind: Option<ExceptionKindWord>,
    /// The run.
    run_id: String,
    /// The workflow.
    workflow_id: String,
    /// The pattern; null for a sample.
    pattern_id: Option<String>,
    /// Who reviewed it.
    reviewer_id: String,
    /// Their name at that time.
    reviewer: String,
    /// When they took it.
    #[schema(format = DateTime)]
    claimed_at: String,
    /// When they closed it; it counts in this hour.
    #[schema(format = DateTime)]
    closed_at: String,
    /// Active time as it was measured, in milliseconds; null when nothing was.
    measured_ms: Option<i64>,
    /// Active time as it counts.
    active_ms: Option<i64>,
    /// Why the two differ; empty where they do not.
    active_note: String,
    /// What they said.
    judgement: JudgementJson,
    /// The bulk review that it is part of.
    bulk_id: Option<String>,
    /// When it was taken back; it counts nowhere then.
    #[schema(format = DateTime)]
    undone_at: Option<String>,
    /// Who took it back; empty where nobody did.
    undone_by: String,
}

impl From<JudgementJson> for Judgement {
    fn from(judgement: JudgementJson) -> Self {
        Self {
            agent: judgement.agent.map(Into::into),
            outcome: judgement.outcome.map(Into::into),
            cause: judgement.cause.map(Into::into),
            preventable: judgement.preventable,
            prevented_by: judgement.prevented_by.map(Into::into),
            cleanup_minutes: judgement.cleanup_minutes,
            resolution: judgement.resolution,
            comment: judgement.comment,
        }
    }
}

impl From<Judgement> for JudgementJson {
    fn from(judgement: Judgement) -> Self {
        Self {
            agent: judgement.agent.map(Into::into),
            outcome: judgement.outcome.map(Into::into),
            cause: judgement.cause.map(Into::into),
            preventable: judgement.preventable,
            prevented_by: judgement.prevented_by.map(Into::into),
            cleanup_minutes: judgement.cleanup_minutes,
            resolution: judgement.resolution,
            comment: judgement.comment,
        }
    }
}

impl From<CorrectionJson> for ActiveCorrection {
    fn from(correction: CorrectionJson) -> Self {
        Self { active_ms: correction.active_ms, note: correction.note }
    }
}

impl From<Review> for ReviewJson {
    fn from(review: Review) -> Self {
        Self {
            id: review.id.to_string(),
            item_id: review.item_id.to_string(),
            kind: review.kind.into(),
            exception_kind: review.exception_kind.map(Into::into),
            run_id: review.run_id.to_string(),
            workflow_id: review.workflow_id.to_string(),
            pattern_id: review.pattern_id.map(|id| id.to_string()),
            reviewer_id: review.reviewer_id.to_string(),
            reviewer: review.reviewer,
            claimed_at: review.claimed_at.rfc3339(),
            closed_at: review.closed_at.rfc3339(),
            measured_ms: review.measured_ms,
            active_ms: review.active_ms,
            active_note: review.active_note,
            judgement: review.judgement.into(),
            bulk_id: review.bulk_id.map(|id| id.to_string()),
            undone_at: review.undone_at.map(|at| at.rfc3339()),
            undone_by: review.undone_by,
        }
    }
}
