//! A step: one span inside a run, whatever dialect brought it, and all that was said of the run in it.
//!
//! Everything that a run knows stands in its steps: what an importer or a native call declares of a run
//! (its outcome, its results, its end) is a step's [`Declared`] too. So a run is a pure function of the
//! set of its steps, and the order in which they arrived does not matter.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::Nanos;
use crate::outcome::Outcome;
use crate::parts::Extent;
use crate::privacy::Masked;
use crate::time::Timestamp;
use crate::usage::Usage;

/// The most characters of one message that are kept; the rest is cut and the cut is marked.
pub const MAX_CONTENT_CHARS: usize = 32_768;
/// The most messages of one step that are kept.
pub const MAX_MESSAGES: usize = 400;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A call of a model that writes text, speech or structured output.
    Model,
    /// A call of a tool.
    Tool,
    /// A call of a model that makes embeddings.
    Embedding,
    /// A search in documents or memory, or a rerank.
    Retrieval,
    /// An agent or sub-agent at work; what it used is told by the steps inside it.
    Agent,
    /// A chain, task or workflow around other steps.
    Chain,
    /// A guardrail or evaluator.
    Guardrail,
    /// Anything else: an HTTP call, a function of the program.
    #[default]
    Other,
}

impl StepKind {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Tool => "tool",
            Self::Embedding => "embedding",
            Self::Retrieval => "retrieval",
            Self::Agent => "agent",
            Self::Chain => "chain",
            Self::Guardrail => "guardrail",
            Self::Other => "other",
        }
    }

    /// Whether the step itself calls a model, so that its usage is its own.
    #[must_use]
    pub const fn is_inference(self) -> bool {
        matches!(self, Self::Model | Self::Embedding)
    }
}

/// How a step ended, as its sender says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// The sender did not say.
    #[default]
    Unset,
    /// The sender says that it went well.
    Ok,
    /// The sender says that it went wrong.
    Error,
}

/// The class of an error: what kind of mend it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// 401, 403, an expired or missing authorization.
    Auth,
    /// 429, a quota or rate limit.
    RateLimit,
    /// No answer in time.
    Timeout,
    /// 5xx, a failure of the other side.
    Server,
    /// Another 4xx: the request was wrong.
    BadRequest,
    /// The answer or the arguments did not fit their schema.
    Validation,
    /// No balance, no credits, a quota used up, a payment refused: nothing works until somebody pays.
    Money,
    /// Anything else.
    Other,
}

impl ErrorClass {
    /// The word for it, as shown and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::RateLimit => "rate_limit",
            Self::Timeout => "timeout",
            Self::Server => "server",
            Self::BadRequest => "bad_request",
            Self::Validation => "validation",
            Self::Money => "money",
            Self::Other => "other",
        }
    }
}

/// What went wrong in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// The class.
    pub class: ErrorClass,
    /// The code or exception type as sent: `429`, `RateLimitError`, `tool_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The message as sent, cut to 2,000 characters; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl StepError {
    /// Whether money is what is missing, so that the next run will fail like this one.
    #[must_use]
    pub fn is_money_fault(&self) -> bool {
        self.class == ErrorClass::Money
    }
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The instructions.
    System,
    /// The person or system on the other side.
    User,
    /// The agent.
    Assistant,
    /// A tool's answer.
    Tool,
}

/// A tool call that a message asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's id, which its answer repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The tool's name.
    pub name: String,
    /// The arguments as sent: usually JSON.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// The text; parts that are not text are named in brackets, as `[image]`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The tool calls in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// For a tool's answer: the id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// For a tool's answer: the tool's name where it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A judgement of the run or of a step by an evaluator, a model or a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// What was judged: `task_success`, `reward`.
    pub name: String,
    /// The number, where there is one. Never NaN or infinite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The word, where there is one: `pass`, `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The reason given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// A person gave it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_human: bool,
}

/// A result that the sender itself declares: `booking_made`, with a value in the client's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredResult {
    /// The result's name.
    pub name: String,
    /// Its value; `None` leaves it to the workflow's agreed value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_nanos: Option<Nanos>,
}

/// What a sender says of the whole run. Every field may stay unsaid.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// The outcome (`steward.outcome`, native `outcome`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why, in the sender's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_reason: Option<String>,
    /// The run is over (`steward.run.end`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// The workflow by name (`steward.workflow`, else `service.name`); used with keys of a whole agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The conversation or session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<String>,
    /// The end user, by the sender's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The release or version of the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The environment: `production`, `staging`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// A test, shadow or scenario run, which figures leave out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// Money paid for the whole run, in nano-US-dollars, as the sender or platform reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_nanos: Option<Nanos>,
    /// That money is an estimate: reckoned from credits, or from prices that are not those of the bill.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cost_estimated: bool,
    /// Milliseconds of the run in which it waited for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<i64>,
    /// Results declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<DeclaredResult>,
    /// What the run was about, in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

fn is_zero(n: &u8) -> bool {
    *n == 0
}

/// How a span was read: for the panel "how this was read", and so that a new dialect is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The dialect: `otel_genai`, `openinference`, `openllmetry`, `native`, `transcript`, `tau2`, `plain`, or a
    /// platform's name.
    pub dialect: String,
    /// How far along its sender was: of two reports of one span the one of the later phase stays. Zero for senders
    /// that report once.
    #[serde(skip_serializing_if = "is_zero")]
    pub phase: u8,
    /// How many attributes the span had.
    pub n_attributes: u32,
    /// The names of the rules that filled the step, as `otel_genai.model`; at most a few dozen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Cow<'static, str>>,
    /// The keys that no rule used, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<String>,
    /// Readings that needed a guess, in words: "ended before it started".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What was masked before it was stored.
    #[serde(skip_serializing_if = "Masked::is_empty")]
    pub masked: Masked,
    /// What was said in it was not kept, by the workflow's or the agency's choice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_content: bool,
}

/// One span of a run, normalised.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// The trace: 32 hexadecimal digits, or an importer's own key.
    pub trace_id: String,
    /// The span: 16 hexadecimal digits, or an importer's own key. Unique inside the trace.
    pub span_id: String,
    /// The span around this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// What it does.
    pub kind: StepKind,
    /// Its name, as sent or as the dialect says it is best shown.
    pub name: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended; not before it started.
    pub ended_at: Timestamp,
    /// How it ended, as its sender says.
    pub status: StepStatus,
    /// What went wrong, where something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<StepError>,
    /// The model that answered, else the one that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The provider of the model: `openai`, `anthropic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The tool that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The agent at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Tokens that the step reports; whether they count is settled over the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Money that the step reports, in nano-US-dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_nanos: Option<Nanos>,
    /// The tokens or the money that it reports are its sender's estimate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// The provider's id of the answer, by which two reports of one call are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Milliseconds to the first piece of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<i64>,
    /// What went in. For a tool: one message with its arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<Message>,
    /// What came out. For a tool: one message with its result.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Message>,
    /// Judgements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// What it says of the whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Box<Declared>>,
    /// Attributes worth keeping that no field holds, for rules and for the raw view; at most 64.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// How it was read.
    pub reading: Reading,
    /// How much of the span it tells of.
    #[serde(skip_serializing_if = "Extent::is_whole")]
    pub extent: Extent,
    /// When it reached Steward; readers leave it at zero and intake fills it in.
    pub received_at: Timestamp,
}

impl Step {
    /// How long it took, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        self.ended_at.ms_since(self.started_at)
    }

    /// The key by which two reports of one span are known.
    #[must_use]
    pub fn key(&self) -> (&str, &str) {
        (&self.trace_id, &self.span_id)
    }

    /// What it declares of the run, for writing.
    pub fn declare(&mut self) -> &mut Declared {
        self.declared.get_or_insert_default()
    }

    /// The text of what came out, or of the last message that has text; empty when there is none.
    #[must_use]
    pub fn output_text(&self) -> &str {
        self.output.iter().rev().find(|m| !m.text.is_empty()).map_or("", |m| m.text.as_str())
    }
}

/// Cuts a text to a number of characters and marks the cut.
#[must_use]
pub fn cut_text(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… [cut]", &text[..at]),
    }
}
