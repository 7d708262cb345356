//! Patterns: exceptions that are the same problem, and what people make of them.

pub(crate) mod create_draft;
pub(crate) mod delete_draft;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod split;
pub(crate) mod update;

use serde::Serialize;
use steward_app::patterns::Resolution;
use steward_app::tenant::{PatternDraft, PatternRow};
use utoipa::ToSchema;

use super::words::{DraftKindWord, ExceptionKindWord, PatternStateWord};

/// Exceptions of one workflow that are the same problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pattern)]
pub(crate) struct PatternJson {
    /// Its id.
    #[schema(example = "pat_01930000000070008000000000000001")]
    id: String,
    /// The workflow.
    #[schema(example = "wf_01930000000070008000000000000001")]
    workflow_id: String,
    /// The name that a person gave it; empty when nobody did.
    name: String,
    /// The words of its messages, and `<*>` where they differ.
    template: String,
    /// What people make of it. `regressed`: it was resolved, and was seen in a run that began later.
    state: PatternStateWord,
    /// What sort of exceptions they are.
    kind: ExceptionKindWord,
    /// In what kind of step: `tool`, `model`; `run` for the run as a whole.
    stage: String,
    /// The agent; empty when not said.
    agent: String,
    /// The tool; empty when there was none.
    tool: String,
    /// The class of the error; empty for what is no error.
    class: String,
    /// The code; empty when there is none.
    code: String,
    /// Why the messages are together.
    because: String,
    /// Exceptions, all that were ever counted.
    n: i64,
    /// Runs with one.
    n_runs: i64,
    /// What the runs cost that did not do their job, in billionths of a US dollar; 0 for who sees no money.
    wasted_nanos: i64,
    /// When it was first seen.
    #[schema(format = DateTime)]
    first_seen: String,
    /// When it was last seen.
    #[schema(format = DateTime)]
    last_seen: String,
    /// When it was last called resolved.
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
    /// In which release; empty when not said.
    resolved_in: String,
    /// When it came back.
    #[schema(format = DateTime)]
    regressed_at: Option<String>,
    /// The pattern that shows what belongs to it, where it became part of another.
    merged_into: Option<String>,
    /// The pattern that it was set apart from.
    split_from: Option<String>,
}

impl From<PatternRow> for PatternJson {
    fn from(row: PatternRow) -> Self {
        Self {
            id: row.id.to_string(),
            workflow_id: row.workflow_id.to_string(),
            name: row.name,
            template: row.template,
            state: row.state.into(),
            kind: row.head.kind.into(),
            stage: row.head.stage,
            agent: row.head.agent,
            tool: row.head.tool,
            class: row.head.class,
            code: row.head.code,
            because: row.because,
            n: row.n,
            n_runs: row.n_runs,
            wasted_nanos: row.wasted_nanos,
            first_seen: row.first_seen.rfc3339(),
            last_seen: row.last_seen.rfc3339(),
            resolved_at: row.resolved_at.map(|at| at.rfc3339()),
            resolved_in: row.resolved_in,
            regressed_at: row.regressed_at.map(|at| at.rfc3339()),
            merged_into: row.merged_into.map(|id| id.to_string()),
            split_from: row.split_from.map(|id| id.to_string()),
        }
    }
}

/// How often a pattern was seen before and after it was called resolved, in as many days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternResolution)]
pub(crate) struct ResolutionJson {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Days before, and as many after, that are compared; 28 at most.
    days: f64,
    /// Before.
    before: ShareJson,
    /// After.
    after: ShareJson,
    /// The 95 % interval of the difference of the two shares, after less before; null where there were no runs.
    difference: Option<[f64; 2]>,
}

/// Runs with a pattern, of all finished runs of its workflow.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternShare)]
pub(crate) struct ShareJson {
    /// Runs with the pattern.
    n: u64,
    /// Finished runs.
    of: u64,
    /// The 95 % interval of the share; null where there were no runs.
    interval: Option<[f64; 2]>,
}

impl From<Resolution> for ResolutionJson {
    fn from(resolution: Resolution) -> Self {
        let [before, after] = resolution.intervals();
        let pair = |(low, high): (f64, f64)| [low, high];
        let share =
            |(n, of): (u64, u64), interval: Option<(f64, f64)>| ShareJson { n, of, interval: interval.map(pair) };
        Self {
            at: resolution.at.rfc3339(),
            days: resolution.days,
            before: share(resolution.before, before),
            after: share(resolution.after, after),
            difference: resolution.difference().map(pair),
        }
    }
}

/// What is prepared to cure a pattern.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatternDraft)]
pub(crate) struct DraftJson {
    /// Its id.
    #[schema(example = "dra_01930000000070008000000000000001")]
    id: String,
    /// What it is to become.
    kind: DraftKindWord,
    /// What it says.
    text: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Who made it.
    created_by: String,
}

impl From<PatternDraft> for DraftJson {
    fn from(draft: PatternDraft) -> Self {
        Self {
            id: draft.id.to_string(),
            kind: draft.kind.into(),
            text: draft.text,
            created_at: draft.created_at.rfc3339(),
            created_by: draft.created_by,
        }
    }
}
