//! A run with everything that is known of it.

use serde::Serialize;
use steward_app::runs::RunDetail;
use steward_app::tenant::VerdictRow;
use steward_core::run::{CallFacts, ResultFacts, RunFacts};
use utoipa::ToSchema;

use super::RunJson;
use super::step::{StepJson, UsageJson};
use crate::api::words::{ErrorClassWord, OutcomeWord};

/// A run with its steps, its evidence and how it was read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunDetail)]
pub(crate) struct RunDetailJson {
    /// What lists show of it.
    run: RunJson,
    /// The evidence of its outcome in words.
    evidence_words: String,
    /// The step that the evidence was found in.
    evidence_span_id: Option<String>,
    /// For a run that is open: when it counts as ended if nothing more arrives.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// When nothing more is expected.
    #[schema(format = DateTime)]
    final_at: Option<String>,
    /// Of its time, held for a person, in milliseconds.
    waiting_ms: i64,
    /// The part of the cost that is known, in billionths of a US dollar. Null for who sees no money.
    known_cost_nanos: Option<i64>,
    /// Calls whose cost is unknown.
    n_unpriced_calls: u32,
    /// Tokens in disjoint buckets, each counted once.
    usage: UsageJson,
    /// The environment; empty when not said.
    environment: String,
    /// The conversation; empty when not said.
    conversation_id: String,
    /// Calls by model.
    model_calls: Vec<CallsJson>,
    /// Calls by tool.
    tool_calls: Vec<CallsJson>,
    /// The results that it brought about.
    results: Vec<ResultJson>,
    /// Whether it started while the client was open.
    in_hours: bool,
    /// The dialects that its steps were read in.
    dialects: Vec<String>,
    /// Attributes that its spans had.
    n_attributes: u32,
    /// Of those, attributes that no rule used.
    n_unmapped: u32,
    /// Their keys, the first 50.
    unmapped: Vec<String>,
    /// Steps that arrived after it was final.
    n_late_steps: u32,
    /// What people said of it, oldest first.
    verdicts: Vec<VerdictJson>,
    /// Its steps; empty when retention has dropped them.
    steps: Vec<StepJson>,
    /// Whether retention has dropped its steps.
    steps_dropped: bool,
}

/// What the calls of one tool or one model came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunCalls)]
pub(crate) struct CallsJson {
    /// The tool's or model's name.
    name: String,
    /// Calls.
    calls: u32,
    /// Failed calls by class.
    errors: Vec<ClassJson>,
    /// How long each call took, in milliseconds; the first 256.
    durations_ms: Vec<u32>,
}

/// Failed calls of one class.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorClassCount)]
pub(crate) struct ClassJson {
    /// The class.
    class: ErrorClassWord,
    /// How many.
    count: u32,
}

/// A result that a run brought about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunResult)]
pub(crate) struct ResultJson {
    /// What the business calls it.
    name: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Whether the client was open at that time.
    in_hours: bool,
    /// Its value, in billionths of a unit of the client's currency. Null when it has none, and for who sees no money.
    value_nanos: Option<i64>,
}

/// A person's word on the outcome.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Verdict)]
pub(crate) struct VerdictJson {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who.
    by: String,
    /// The outcome; null takes the verdict before it back.
    outcome: Option<OutcomeWord>,
    /// Why.
    comment: String,
}

impl RunDetailJson {
    pub(super) fn of(detail: RunDetail, sees_money: bool) -> Self {
        let RunDetail { run, state, verdicts, .. } = detail;
        let facts = run.facts;
        Self {
            run: RunJson {
                id: run.id.to_string(),
                workflow_id: run.workflow_id.to_string(),
                revision: run.revision,
                state: state.into(),
                ..listed(&facts)
            },
            evidence_words: facts.evidence.words,
            evidence_span_id: facts.evidence.span_id,
            due_at: facts.due_at.map(|at| at.rfc3339()),
            final_at: facts.final_at.map(|at| at.rfc3339()),
            waiting_ms: facts.waiting_ms,
            known_cost_nanos: sees_money.then_some(facts.known_cost_nanos.0),
            n_unpriced_calls: facts.n_unpriced_calls,
            usage: facts.usage.into(),
            environment: facts.environment,
            conversation_id: facts.conversation_id,
            model_calls: facts.models.into_iter().map(CallsJson::from).collect(),
            tool_calls: facts.tools.into_iter().map(CallsJson::from).collect(),
            results: facts.results.into_iter().map(ResultJson::from).collect(),
            in_hours: facts.in_hours,
            dialects: facts.dialects,
            n_attributes: facts.n_attributes,
            n_unmapped: facts.n_unmapped,
            unmapped: facts.unmapped,
            n_late_steps: facts.n_late_steps,
            verdicts: verdicts.into_iter().map(VerdictJson::from).collect(),
            steps: run.steps.into_iter().map(StepJson::from).collect(),
            steps_dropped: run.steps_dropped,
        }
    }
}

/// What lists show, out of a run's facts.
fn listed(facts: &RunFacts) -> RunJson {
    let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let tokens = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut results: Vec<String> = Vec::new();
    for result in &facts.results {
        if !results.contains(&result.name) {
            results.push(result.name.clone());
        }
    }
    RunJson {
        id: String::new(),
        workflow_id: String::new(),
        revision: 0,
        state: steward_core::run::RunState::Open.into(),
        outcome: facts.finished.then(|| facts.outcome().into()),
        evidence: facts.evidence_kind().into(),
        started_at: facts.started_at.rfc3339(),
        ended_at: facts.ended_at.rfc3339(),
        cycle_ms: facts.cycle_ms,
        cost_nanos: facts.cost_nanos.map(|nanos| nanos.0),
        cost_source: facts.cost_source.as_str().to_owned(),
        tokens_in: tokens(facts.usage.total_input()),
        tokens_out: tokens(facts.usage.total_output()),
        n_steps: count(facts.n_steps),
        n_model_calls: count(facts.n_model_calls),
        n_tool_calls: count(facts.n_tool_calls),
        n_exceptions: count(facts.n_exceptions),
        release: facts.release.clone(),
        title: facts.title.clone(),
        user_id: facts.user_id.clone(),
        first_error: facts.first_error.clone(),
        models: facts.models.iter().map(|calls| calls.name.clone()).collect(),
        tools: facts.tools.iter().map(|calls| calls.name.clone()).collect(),
        results,
        test: facts.test,
    }
}

impl From<CallFacts> for CallsJson {
    fn from(calls: CallFacts) -> Self {
        let errors = calls.errors.into_iter().map(|(class, count)| ClassJson { class: class.into(), count });
        Self { name: calls.name, calls: calls.calls, errors: errors.collect(), durations_ms: calls.durations_ms }
    }
}

impl From<ResultFacts> for ResultJson {
    fn from(result: ResultFacts) -> Self {
        Self {
            name: result.name,
            at: result.at.rfc3339(),
            in_hours: result.in_hours,
            value_nanos: result.value_nanos.map(|nanos| nanos.0),
        }
    }
}

impl From<VerdictRow> for VerdictJson {
    fn from(row: VerdictRow) -> Self {
        Self {
            at: row.at.rfc3339(),
            by: row.person_name,
            outcome: row.outcome.map(OutcomeWord::from),
            comment: row.comment,
        }
    }
}
