//! Runs: lists, one with its steps, its raw payloads, and verdicts.

mod detail;
pub(crate) mod get;
pub(crate) mod give_verdict;
pub(crate) mod list;
pub(crate) mod list_payloads;
mod step;

pub(crate) use detail::RunDetailJson;

use serde::Serialize;
use steward_app::tenant::RunRow;
use steward_core::run::RunState;
use steward_core::time::Timestamp;
use utoipa::ToSchema;

use super::words::{EvidenceWord, OutcomeWord, StateWord};

/// A run as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunJson {
    /// Its id.
    #[schema(example = "run_01930000000070008000000000000001")]
    pub(super) id: String,
    /// Its workflow.
    #[schema(example = "wf_01930000000070008000000000000001")]
    pub(super) workflow_id: String,
    /// How often it was written; late data makes another revision.
    pub(super) revision: i32,
    /// Whether it may still change.
    pub(super) state: StateWord,
    /// What came of it; null while it is open.
    pub(super) outcome: Option<OutcomeWord>,
    /// What the outcome rests on.
    pub(super) evidence: EvidenceWord,
    /// When its first step started.
    #[schema(format = DateTime)]
    pub(super) started_at: String,
    /// When its last step ended.
    #[schema(format = DateTime)]
    pub(super) ended_at: String,
    /// From start to end, in milliseconds, waiting included.
    pub(super) cycle_ms: i64,
    /// What it cost, in billionths of a US dollar. Null when any part is unknown, and for who sees no money.
    pub(super) cost_nanos: Option<i64>,
    /// How the cost is known: `reported`, `priced`, `mixed` or `unknown`.
    pub(super) cost_source: String,
    /// All input tokens.
    pub(super) tokens_in: i64,
    /// All output tokens.
    pub(super) tokens_out: i64,
    /// Steps.
    pub(super) n_steps: i32,
    /// Calls of models.
    pub(super) n_model_calls: i32,
    /// Calls of tools.
    pub(super) n_tool_calls: i32,
    /// Exceptions: what went wrong in it that a person should look at.
    pub(super) n_exceptions: i32,
    /// The release of the agent; empty when not said.
    pub(super) release: String,
    /// What it was about; empty when nothing says.
    pub(super) title: String,
    /// The end user, by the sender's id; empty when not said.
    pub(super) user_id: String,
    /// The first error; empty when there is none.
    pub(super) first_error: String,
    /// The models that it called.
    pub(super) models: Vec<String>,
    /// The tools that it called.
    pub(super) tools: Vec<String>,
    /// The results that it brought about.
    pub(super) results: Vec<String>,
    /// A test, shadow or scenario run, which figures leave out.
    pub(super) test: bool,
}

impl RunJson {
    fn of(row: RunRow, now: Timestamp) -> Self {
        let state = match row.final_at {
            _ if !row.finished => RunState::Open,
            Some(at) if now < at => RunState::Provisional,
            _ => RunState::Final,
        };
        Self {
            id: row.id.to_string(),
            workflow_id: row.workflow_id.to_string(),
            revision: row.revision,
            state: state.into(),
            outcome: row.finished.then(|| row.outcome.into()),
            evidence: row.evidence.into(),
            started_at: row.started_at.rfc3339(),
            ended_at: row.ended_at.rfc3339(),
            cycle_ms: row.cycle_ms,
            cost_nanos: row.cost_nanos,
            cost_source: row.cost_source,
            tokens_in: row.tokens_in,
            tokens_out: row.tokens_out,
            n_steps: row.n_steps,
            n_model_calls: row.n_model_calls,
            n_tool_calls: row.n_tool_calls,
            n_exceptions: row.n_exceptions,
            release: row.release,
            title: row.title,
            user_id: row.user_id,
            first_error: row.first_error,
            models: row.models,
            tools: row.tools,
            results: row.results,
            test: row.test,
        }
    }
}
