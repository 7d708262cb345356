//! A step as the API gives it.

use std::collections::BTreeMap;

use serde::Serialize;
use steward_core::step::{Message, Score, Step, StepError};
use steward_core::usage::Usage;
use utoipa::ToSchema;

use crate::api::words::{ErrorClassWord, SpeakerWord, StepKindWord, StepStatusWord};

/// One span of a run, whatever dialect brought it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepJson {
    /// The trace.
    trace_id: String,
    /// The span; unique inside the trace.
    span_id: String,
    /// The span around it.
    parent_span_id: Option<String>,
    /// What it does.
    kind: StepKindWord,
    /// Its name.
    name: String,
    /// When it started.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: String,
    /// How it ended, as its sender says.
    status: StepStatusWord,
    /// What went wrong.
    error: Option<ErrorJson>,
    /// The model.
    model: Option<String>,
    /// The provider of the model.
    provider: Option<String>,
    /// The tool.
    tool: Option<String>,
    /// The agent at work.
    agent: Option<String>,
    /// Tokens that it reports, in disjoint buckets; whether they count is settled over the whole run.
    usage: Option<UsageJson>,
    /// What it reports to have cost, in billionths of a US dollar. Null when it does not, and for who sees no money.
    cost_nanos: Option<i64>,
    /// Why the model stopped.
    finish_reason: Option<String>,
    /// Milliseconds to the first piece of the answer.
    first_token_ms: Option<i64>,
    /// What went in.
    input: Vec<MessageJson>,
    /// What came out.
    output: Vec<MessageJson>,
    /// Judgements.
    scores: Vec<ScoreJson>,
    /// Attributes that no field holds.
    attributes: BTreeMap<String, String>,
    /// The dialect that it was read in.
    dialect: String,
    /// Attributes that no rule used.
    unmapped: Vec<String>,
    /// What needed a guess.
    notes: Vec<String>,
}

/// Tokens in disjoint buckets: none is counted twice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Usage)]
pub(crate) struct UsageJson {
    /// Input tokens of text that came from no cache and went to none.
    input: u64,
    /// Input tokens read from a cache.
    cache_read: u64,
    /// Input tokens written to a cache.
    cache_write: u64,
    /// Input tokens of audio.
    input_audio: u64,
    /// Input tokens of images.
    input_image: u64,
    /// Output tokens of text, without reasoning.
    output: u64,
    /// Output tokens spent on reasoning.
    reasoning: u64,
    /// Output tokens of audio.
    output_audio: u64,
}

impl From<Usage> for UsageJson {
    fn from(usage: Usage) -> Self {
        Self {
            input: usage.input,
            cache_read: usage.cache_read,
            cache_write: usage.cache_write.saturating_add(usage.cache_write_5m).saturating_add(usage.cache_write_1h),
            input_audio: usage.input_audio,
            input_image: usage.input_image,
            output: usage.output,
            reasoning: usage.reasoning,
            output_audio: usage.output_audio,
        }
    }
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StepError)]
pub(crate) struct ErrorJson {
    /// What kind of mend it needs.
    class: ErrorClassWord,
    /// The code or exception type as sent.
    code: Option<String>,
    /// The message as sent.
    message: String,
}

/// One message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageJson {
    /// Who said it.
    role: SpeakerWord,
    /// The text.
    text: String,
    /// The tool calls in it.
    tool_calls: Vec<ToolCallJson>,
    /// For a tool's answer: the id of the call.
    tool_call_id: Option<String>,
}

/// A tool call that a message asks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ToolCall)]
pub(crate) struct ToolCallJson {
    /// The call's id.
    id: Option<String>,
    /// The tool.
    name: String,
    /// The arguments as sent: usually JSON.
    arguments: String,
}

/// A judgement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Score)]
pub(crate) struct ScoreJson {
    /// What was judged.
    name: String,
    /// The number.
    value: Option<f64>,
    /// The word.
    label: Option<String>,
    /// The reason given.
    explanation: Option<String>,
    /// A person gave it.
    by_human: bool,
}

impl From<Step> for StepJson {
    fn from(step: Step) -> Self {
        Self {
            trace_id: step.trace_id,
            span_id: step.span_id,
            parent_span_id: step.parent_span_id,
            kind: step.kind.into(),
            name: step.name,
            started_at: step.started_at.rfc3339(),
            ended_at: step.ended_at.rfc3339(),
            status: step.status.into(),
            error: step.error.map(|StepError { class, code, message }| ErrorJson {
                class: class.into(),
                code,
                message,
            }),
            model: step.model,
            provider: step.provider,
            tool: step.tool,
            agent: step.agent,
            usage: step.usage.map(UsageJson::from),
            cost_nanos: step.cost_nanos.map(|nanos| nanos.0),
            finish_reason: step.finish_reason,
            first_token_ms: step.first_token_ms,
            input: step.input.into_iter().map(MessageJson::from).collect(),
            output: step.output.into_iter().map(MessageJson::from).collect(),
            scores: step.scores.into_iter().map(ScoreJson::from).collect(),
            attributes: step.attributes,
            dialect: step.reading.dialect,
            unmapped: step.reading.unmapped,
            notes: step.reading.notes,
        }
    }
}

impl From<Message> for MessageJson {
    fn from(message: Message) -> Self {
        let calls =
            message.tool_calls.into_iter().map(|c| ToolCallJson { id: c.id, name: c.name, arguments: c.arguments });
        Self {
            role: message.role.into(),
            text: message.text,
            tool_calls: calls.collect(),
            tool_call_id: message.tool_call_id,
        }
    }
}

impl From<Score> for ScoreJson {
    fn from(score: Score) -> Self {
        let Score { name, value, label, explanation, by_human } = score;
        Self { name, value, label, explanation, by_human }
    }
}
