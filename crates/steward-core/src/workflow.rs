//! A workflow's settings: where its runs begin and end, what they count as, and what they are worth.

use serde::{Deserialize, Serialize};

use crate::expectations::Expectation;
use crate::ids::{ClientId, WorkflowId};
use crate::money::Nanos;
use crate::privacy::Privacy;
use crate::rules::{OutcomeRule, ResultRule};
use crate::time::Timestamp;

/// What one run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunUnit {
    /// One trace.
    #[default]
    Trace,
    /// One whole conversation.
    Conversation,
}

/// On what the value of a workflow is reckoned: one basis a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum ValueBasis {
    /// Nothing agreed: the value is not shown.
    #[default]
    None,
    /// Σ results × their agreed value.
    Results,
    /// Completed runs × a value.
    PerCompletedRun {
        /// The value of a completed run, in nano-units of the client's currency.
        nanos: Nanos,
    },
    /// Net time saved × the client's labour rate.
    TimeSaved {
        /// The client's labour rate, in nano-units of the client's currency an hour.
        nanos_per_hour: Nanos,
    },
}

/// Everything about a workflow that decides how its runs are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkflowSettings {
    /// What one run is.
    pub run_unit: RunUnit,
    /// Quiet time after which a run without an end counts as ended, in milliseconds.
    pub quiet_ms: i64,
    /// The longest that a run may stay open, in milliseconds.
    pub max_age_ms: i64,
    /// How long late data is expected after the end, in milliseconds; then the run is final.
    pub settle_ms: i64,
    /// What makes a run completed, escalated, failed or abandoned; the first that holds decides.
    pub outcome_rules: Vec<OutcomeRule>,
    /// What the business counts.
    pub result_rules: Vec<ResultRule>,
    /// What must hold of every run that has ended; one that is broken is an exception.
    pub expectations: Vec<Expectation>,
    /// The names of scores that decide an outcome; none takes any of [`DECIDING_SCORES`].
    pub deciding_scores: Vec<String>,
    /// The least value of a deciding score that passes.
    pub pass_at_least: f64,
    /// Minutes that a person needed for the same work before; `None` when not agreed.
    pub baseline_minutes: Option<f64>,
    /// On what the value is reckoned.
    pub value: ValueBasis,
    /// What is kept of what was said, from the next payload on.
    pub privacy: Privacy,
}

/// Names of scores that decide an outcome where a workflow names none of its own.
pub const DECIDING_SCORES: [&str; 8] =
    ["reward", "outcome", "success", "task_success", "task_completion", "goal_completion", "resolved", "correctness"];

impl Default for WorkflowSettings {
    fn default() -> Self {
        Self {
            run_unit: RunUnit::Trace,
            quiet_ms: 180_000,
            max_age_ms: 24 * 3_600_000,
            settle_ms: 600_000,
            outcome_rules: Vec::new(),
            result_rules: Vec::new(),
            expectations: Vec::new(),
            deciding_scores: Vec::new(),
            pass_at_least: 1.0,
            baseline_minutes: None,
            value: ValueBasis::None,
            privacy: Privacy::default(),
        }
    }
}

/// A workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// Its id.
    pub id: WorkflowId,
    /// The client whose process it serves; `None` while it is *unassigned*: it was named by telemetry only.
    pub client_id: Option<ClientId>,
    /// Its name, unique in the agency among workflows of the same client.
    pub name: String,
    /// The name that telemetry gives it (`steward.workflow`, `service.name`).
    pub source_name: String,
    /// How its runs are read.
    pub settings: WorkflowSettings,
    /// Counts up with each change of the settings.
    pub settings_version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was put away; its runs stay.
    pub archived_at: Option<Timestamp>,
}
