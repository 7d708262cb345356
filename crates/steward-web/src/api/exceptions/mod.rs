//! Exceptions: what went wrong in runs that a person should look at.

pub(crate) mod get;
pub(crate) mod list;

use serde::Serialize;
use steward_app::tenant::ExceptionRow;
use utoipa::ToSchema;

use super::words::ExceptionKindWord;

/// Something in a run that a person should look at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Exception)]
pub(crate) struct ExceptionJson {
    /// Its id, which stays when the run is read again.
    #[schema(example = "exc_01930000000080008000000000000001")]
    id: String,
    /// Its run.
    #[schema(example = "run_01930000000070008000000000000001")]
    run_id: String,
    /// Its workflow.
    #[schema(example = "wf_01930000000070008000000000000001")]
    workflow_id: String,
    /// Its pattern; null for a moment, until it is found.
    pattern_id: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// When its run ended.
    #[schema(format = DateTime)]
    run_ended_at: String,
    /// What sort it is.
    kind: ExceptionKindWord,
    /// In what kind of step: `tool`, `model`; `run` for the run as a whole.
    stage: String,
    /// The step; empty when there is none.
    step_id: String,
    /// The agent; empty when not said.
    agent: String,
    /// The tool; empty when there was none.
    tool: String,
    /// The model of the step, else the one that the run called most; empty when there was none.
    model: String,
    /// The class of the error; empty for what is no error.
    class: String,
    /// The code; empty when there is none.
    code: String,
    /// The release; empty when not said.
    release: String,
    /// What it says.
    message: String,
    /// What the run cost in billionths of a US dollar, where it did not do its job; 0 for who sees no money.
    wasted_nanos: i64,
}

impl From<ExceptionRow> for ExceptionJson {
    fn from(row: ExceptionRow) -> Self {
        Self {
            id: row.id.to_string(),
            run_id: row.run_id.to_string(),
            workflow_id: row.workflow_id.to_string(),
            pattern_id: row.pattern_id.map(|id| id.to_string()),
            at: row.at.rfc3339(),
            run_ended_at: row.ended_at.rfc3339(),
            kind: row.head.kind.into(),
            stage: row.head.stage,
            step_id: row.span_id,
            agent: row.head.agent,
            tool: row.head.tool,
            model: row.model,
            class: row.head.class,
            code: row.head.code,
            release: row.release,
            message: row.message,
            wasted_nanos: row.wasted_nanos,
        }
    }
}
