//! The queue: what waits for a person, who works on what, and whose it is.

pub(crate) mod assign;
pub(crate) mod claim;
pub(crate) mod claim_next;
pub(crate) mod get;
pub(crate) mod keep;
pub(crate) mod list;
pub(crate) mod list_rules;
pub(crate) mod release;
pub(crate) mod review;
pub(crate) mod summary;
pub(crate) mod update_rules;

use serde::{Deserialize, Serialize};
use steward_core::ids::{ClientId, PatternId, PersonId, WorkflowId};
use steward_core::money::Nanos;
use steward_core::queue::{QueueItem, QueueRule, RuleWhen};
use utoipa::ToSchema;

use super::words::{ClosedByWord, ErrorClassWord, ExceptionKindWord, ItemKindWord};

/// Something that waits for a person, or has waited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QueueItem)]
pub(crate) struct QueueItemJson {
    /// Its id. That of an exception's item is the exception's, with another prefix.
    #[schema(example = "item_01930000000080008000000000000001")]
    id: String,
    /// What waits: an exception, or a completed run that is looked at for its quality.
    kind: ItemKindWord,
    /// The exception; null for a sample.
    exception_id: Option<String>,
    /// Its run.
    #[schema(example = "run_01930000000070008000000000000001")]
    run_id: String,
    /// Its workflow.
    #[schema(example = "wf_01930000000070008000000000000001")]
    workflow_id: String,
    /// Its pattern; null for a sample.
    pattern_id: Option<String>,
    /// The sort of exception; null for a sample.
    exception_kind: Option<ExceptionKindWord>,
    /// The class of the error; empty for what is no error.
    class: String,
    /// The tool; empty when there was none.
    tool: String,
    /// The run's release; empty when not said.
    release: String,
    /// What it says.
    message: String,
    /// Whether somebody on the other side waits for an answer.
    person_waits: bool,
    /// Since when it waits: the end of its run.
    #[schema(format = DateTime)]
    arrived_at: String,
    /// When it should be done.
    #[schema(format = DateTime)]
    due_at: String,
    /// The value at stake in billionths of a unit of the client's currency; null when no value is set, and for who sees
    /// no money.
    value_nanos: Option<i64>,
    /// Whose it is; null while it is nobody's.
    assignee_id: Option<String>,
    /// Who works on it, or did last.
    claim: Option<ClaimJson>,
    /// When it was closed; null while it waits.
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// Why. `muted`: its pattern is. `gone`: its run was read again and no longer has it.
    closed_by: Option<ClosedByWord>,
    /// The review that closed it.
    review_id: Option<String>,
}

/// Who works on an item, and until when nobody else can take it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Claim)]
pub(crate) struct ClaimJson {
    /// Who.
    person_id: String,
    /// Their name.
    person: String,
    /// Since when.
    #[schema(format = DateTime)]
    at: String,
    /// Until when it holds; whoever comes later may take it.
    #[schema(format = DateTime)]
    until: String,
    /// Active time that was measured so far, in milliseconds; null while nothing was.
    active_ms: Option<i64>,
}

impl From<QueueItem> for QueueItemJson {
    fn from(item: QueueItem) -> Self {
        Self {
            exception_id: item.exception_id().map(|id| id.to_string()),
            person_waits: item.person_waits(),
            id: item.id.to_string(),
            kind: item.kind.into(),
            run_id: item.run_id.to_string(),
            workflow_id: item.workflow_id.to_string(),
            pattern_id: item.pattern_id.map(|id| id.to_string()),
            exception_kind: item.exception_kind.map(Into::into),
            class: item.class,
            tool: item.tool,
            release: item.release,
            message: item.message,
            arrived_at: item.arrived_at.rfc3339(),
            due_at: item.due_at.rfc3339(),
            value_nanos: item.value_nanos.map(|nanos| nanos.0),
            assignee_id: item.assignee.map(|id| id.to_string()),
            claim: item.claim.map(|claim| ClaimJson {
                person_id: claim.person_id.to_string(),
                person: claim.person,
                at: claim.at.rfc3339(),
                until: claim.until.rfc3339(),
                active_ms: claim.active_ms,
            }),
            closed_at: item.closed_at.map(|at| at.rfc3339()),
            closed_by: item.closed_by.map(Into::into),
            review_id: item.review_id.map(|id| id.to_string()),
        }
    }
}

/// A rule of the queue: whose what arrives is, and by when it should be done.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = QueueRule)]
pub(crate) struct QueueRuleJson {
    /// Its name.
    #[schema(max_length = 120)]
    name: String,
    /// When it fits.
    when: RuleWhenJson,
    /// Whose the item is; null leaves it to everybody.
    #[schema(value_type = Option<String>, example = "pe_01930000000070008000000000000001")]
    assign_to: Option<PersonId>,
    /// By when it should be done, in minutes after it arrived; null takes the default of its sort.
    #[schema(minimum = 1, maximum = 527040)]
    due_minutes: Option<u32>,
}

/// What an item must be for a rule to fit; what is null fits all.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = QueueRuleWhen)]
pub(crate) struct RuleWhenJson {
    /// Of this client.
    #[schema(value_type = Option<String>, example = "cl_01930000000070008000000000000001")]
    client: Option<ClientId>,
    /// Of this workflow.
    #[schema(value_type = Option<String>, example = "wf_01930000000070008000000000000001")]
    workflow: Option<WorkflowId>,
    /// An exception of this sort.
    kind: Option<ExceptionKindWord>,
    /// An error of this class.
    class: Option<ErrorClassWord>,
    /// Of this tool.
    #[schema(max_length = 120)]
    tool: Option<String>,
    /// Of this pattern.
    #[schema(value_type = Option<String>, example = "pat_01930000000070008000000000000001")]
    pattern: Option<PatternId>,
    /// With at least so much at stake, in billionths of a unit of the client's currency.
    #[schema(minimum = 0)]
    least_value_nanos: Option<i64>,
}

impl From<QueueRuleJson> for QueueRule {
    fn from(rule: QueueRuleJson) -> Self {
        let when = rule.when;
        Self {
            name: rule.name,
            when: RuleWhen {
                client: when.client,
                workflow: when.workflow,
                kind: when.kind.map(Into::into),
                class: when.class.map(|class| steward_core::step::ErrorClass::from(class).as_str().to_owned()),
                tool: when.tool,
                pattern: when.pattern,
                least_value_nanos: when.least_value_nanos.map(Nanos),
            },
            assign_to: rule.assign_to,
            due_minutes: rule.due_minutes,
        }
    }
}

impl From<QueueRule> for QueueRuleJson {
    fn from(rule: QueueRule) -> Self {
        let when = rule.when;
        // The words of classes are those of the API.
        let class = when.class.and_then(|word| serde_json::from_value(serde_json::Value::String(word)).ok());
        Self {
            name: rule.name,
            when: RuleWhenJson {
                client: when.client,
                workflow: when.workflow,
                kind: when.kind.map(Into::into),
                class,
                tool: when.tool,
                pattern: when.pattern,
                least_value_nanos: when.least_value_nanos.map(|nanos| nanos.0),
            },
            assign_to: rule.assign_to,
            due_minutes: rule.due_minutes,
        }
    }
}
