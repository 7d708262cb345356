//! A step while its attributes are being read.
//!
//! Attributes come in any order, and several may say the same thing. Each thing is a [`Ranked`] slot: a rule offers
//! a value with its rank, and the lowest rank wins, whatever came first. Nothing is parsed while attributes are
//! read; only what won is.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use steward_core::errors::of_tool_text;
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{
    Declared, DeclaredResult, MAX_MESSAGES, Message, Role, Score, Step, StepKind, StepStatus, ToolCall,
};
use steward_core::usage::{Basis, ReportedUsage, Usage};

use crate::rules::{Part, RANK_OF_EVENTS, Rules};
use crate::text::{MAX_ATTRIBUTE_CHARS, bounded, content, name};
use crate::{any, errors, messages};

/// The most attributes that a step keeps.
const MAX_KEPT: usize = 64;
/// The most unmapped keys that a reading names.
const MAX_UNMAPPED: usize = 50;
/// The most notes of one reading.
const MAX_NOTES: usize = 20;
/// The most judgements of one step.
const MAX_SCORES: usize = 100;
/// The highest index in a dotted key; a higher one is an attack or a mistake.
pub(crate) const MAX_INDEX: u16 = 10_000;

/// A value with the rank of the rule that found it; the lowest rank wins, the first among equals.
#[derive(Debug)]
pub(crate) struct Ranked<T>(Option<(u8, T)>);

impl<T> Default for Ranked<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Ranked<T> {
    /// Offers a value.
    pub(crate) fn offer(&mut self, rank: u8, value: T) {
        if self.0.as_ref().is_none_or(|(held, _)| rank < *held) {
            self.0 = Some((rank, value));
        }
    }

    /// Offers a value where there is one.
    pub(crate) fn offer_some(&mut self, rank: u8, value: Option<T>) {
        if let Some(value) = value {
            self.offer(rank, value);
        }
    }

    /// Takes the value that won.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.0.take().map(|(_, value)| value)
    }

    /// Takes the value that won, and notes the rule that found it.
    fn settle(&mut self, rules: &mut Rules, part: Part) -> Option<T> {
        let (rank, value) = self.0.take()?;
        rules.fired(rank, part);
        Some(value)
    }

    /// The value that is winning.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, value)| value)
    }
}

/// What went in or came out, not yet parsed.
#[derive(Debug)]
pub(crate) enum Content {
    /// A text or a structured value.
    Value(AnyValue),
    /// Messages already.
    Messages(Vec<Message>),
}

/// One message that is being put together from dotted keys.
#[derive(Debug, Default)]
pub(crate) struct IndexedMessage {
    pub(crate) role: Option<String>,
    pub(crate) content: Option<AnyValue>,
    pub(crate) name: Option<String>,
    pub(crate) tool_call_id: Option<String>,
    pub(crate) parts: BTreeMap<u16, IndexedPart>,
    pub(crate) calls: BTreeMap<u16, ToolCall>,
}

/// One part of a message that is being put together from dotted keys.
#[derive(Debug, Default)]
pub(crate) struct IndexedPart {
    pub(crate) kind: Option<String>,
    pub(crate) text: Option<String>,
}

impl IndexedMessage {
    /// The call at an index, for writing.
    pub(crate) fn call(&mut self, index: u16) -> &mut ToolCall {
        self.calls.entry(index).or_insert_with(|| ToolCall { id: None, name: String::new(), arguments: String::new() })
    }

    fn into_messages(self, role: Role, out: &mut Vec<Message>) {
        let role = self.role.as_deref().and_then(messages::role_of).unwrap_or(role);
        let mut made = match self.content {
            None => Vec::new(),
            // A text that is JSON may be a list of blocks; other JSON is what was said.
            Some(value) => match any::into_text(value) {
                Some(text) if text.starts_with("[{") && text.contains("\"type\"") => messages::from_text(text, role),
                Some(text) => vec![messages::plain(role, text)],
                None => Vec::new(),
            },
        };
        if made.is_empty() {
            made.push(messages::plain(role, String::new()));
        }
        if let Some(last) = made.last_mut() {
            for part in self.parts.into_values() {
                let text = match (part.text, part.kind.as_deref()) {
                    (Some(text), _) => text,
                    (None, Some("reasoning" | "thinking" | "redacted_thinking")) => "[reasoning]".to_owned(),
                    (None, Some("image_url" | "input_image")) => "[image]".to_owned(),
                    (None, Some("text") | None) => continue,
                    (None, Some(kind)) => format!("[{}]", name(kind.to_owned())),
                };
                if !last.text.is_empty() {
                    last.text.push('\n');
                }
                last.text.push_str(&text);
            }
            last.text = content(std::mem::take(&mut last.text));
            last.tool_calls.extend(self.calls.into_values().filter(|call| !call.name.is_empty()));
            last.tool_call_id = last.tool_call_id.take().or(self.tool_call_id.map(name));
            last.name = last.name.take().or(self.name.map(name));
        }
        out.append(&mut made);
    }
}

/// Messages that are being put together from dotted keys, by their index.
pub(crate) type Indexed = BTreeMap<u16, IndexedMessage>;

/// Splits `12.rest` into the index and the rest, which may be empty. `None` when it does not begin with an index
/// or the index is above [`MAX_INDEX`].
pub(crate) fn index(key: &str) -> Option<(u16, &str)> {
    let (digits, rest) = key.split_once('.').unwrap_or((key, ""));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let index: u16 = digits.parse().ok()?;
    (index <= MAX_INDEX).then_some((index, rest))
}

/// Token counts as attributes report them.
#[derive(Debug, Default)]
pub(crate) struct DraftUsage {
    pub(crate) input: Ranked<u64>,
    pub(crate) output: Ranked<u64>,
    pub(crate) cache_read: Ranked<u64>,
    pub(crate) cache_write: Ranked<u64>,
    pub(crate) cache_write_5m: Ranked<u64>,
    pub(crate) cache_write_1h: Ranked<u64>,
    pub(crate) reasoning: Ranked<u64>,
    pub(crate) input_audio: Ranked<u64>,
    pub(crate) output_audio: Ranked<u64>,
    pub(crate) input_image: Ranked<u64>,
    pub(crate) total: Ranked<u64>,
    /// Input tokens as the provider itself counts them, beside the cached ones. Where the dialect's own count is the
    /// same, the dialect has not added the cached ones either.
    pub(crate) uncached_input: Option<u64>,
}

/// One of the counts.
pub(crate) type UsageSlot = fn(&mut DraftUsage) -> &mut Ranked<u64>;

impl DraftUsage {
    fn settle(&mut self, basis: Basis, rules: &mut Rules) -> Option<Usage> {
        let mut take = |slot: &mut Ranked<u64>| slot.settle(rules, Part::Usage);
        let reported = ReportedUsage {
            input: take(&mut self.input),
            output: take(&mut self.output),
            cache_read: take(&mut self.cache_read),
            cache_write: take(&mut self.cache_write),
            cache_write_5m: take(&mut self.cache_write_5m),
            cache_write_1h: take(&mut self.cache_write_1h),
            reasoning: take(&mut self.reasoning),
            input_audio: take(&mut self.input_audio),
            output_audio: take(&mut self.output_audio),
            input_image: take(&mut self.input_image),
            total: take(&mut self.total),
        };
        let is_beside = self.uncached_input.is_some() && self.uncached_input == reported.input;
        Usage::normalise(reported, if is_beside { Basis::Exclusive } else { basis })
    }
}

/// What a span or a resource declares of the run.
#[derive(Debug, Default)]
pub(crate) struct DraftDeclared {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) outcome_reason: Option<String>,
    pub(crate) ended: bool,
    pub(crate) workflow: Ranked<String>,
    pub(crate) conversation_id: Ranked<String>,
    pub(crate) user_id: Ranked<String>,
    pub(crate) release: Ranked<String>,
    pub(crate) environment: Ranked<String>,
    pub(crate) test: bool,
    pub(crate) cost_nanos: Option<Nanos>,
    pub(crate) waiting_ms: Option<i64>,
    pub(crate) results: Vec<DeclaredResult>,
    pub(crate) title: Ranked<String>,
}

impl DraftDeclared {
    /// What was declared. `None` when it was nothing.
    pub(crate) fn settle(mut self, rules: &mut Rules) -> Option<Box<Declared>> {
        let mut take = |slot: &mut Ranked<String>| slot.settle(rules, Part::Run).map(name);
        let declared = Declared {
            outcome: self.outcome,
            outcome_reason: self.outcome_reason,
            ended: self.ended,
            workflow: take(&mut self.workflow),
            conversation_id: take(&mut self.conversation_id),
            user_id: take(&mut self.user_id),
            release: take(&mut self.release),
            environment: take(&mut self.environment),
            test: self.test,
            cost_nanos: self.cost_nanos,
            cost_estimated: false,
            waiting_ms: self.waiting_ms,
            results: self.results,
            title: take(&mut self.title),
        };
        (declared != Declared::default()).then(|| Box::new(declared))
    }
}

/// What a judgement's attributes have said so far.
#[derive(Debug, Default)]
pub(crate) struct DraftScore {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<f64>,
    pub(crate) label: Option<String>,
    pub(crate) explanation: Option<String>,
    pub(crate) by_human: bool,
}

/// A document that a retrieval found.
#[derive(Debug, Default)]
pub(crate) struct DraftDocument {
    pub(crate) id: Option<String>,
    pub(crate) text: Option<String>,
}

/// A step while its attributes are being read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// The step: ids, name, times and status are set before attributes are read.
    pub(crate) step: Step,
    /// The rank of the best rule of the set of rules that is being asked: 0 for Steward's own, 1 for the span's
    /// own dialect, more after.
    pub(crate) base: u8,
    /// The rules that fired.
    pub(crate) rules: Rules,
    /// The span is a server's: a 4xx there is its client's fault.
    pub(crate) is_server: bool,
    pub(crate) kind: Ranked<StepKind>,
    pub(crate) shown_name: Ranked<String>,
    pub(crate) model: Ranked<String>,
    pub(crate) provider: Ranked<String>,
    pub(crate) tool: Ranked<String>,
    pub(crate) tool_call_id: Option<String>,
    pub(crate) agent: Ranked<String>,
    pub(crate) response_id: Ranked<String>,
    pub(crate) finish_reason: Ranked<String>,
    pub(crate) first_token_ms: Ranked<i64>,
    pub(crate) usage: DraftUsage,
    pub(crate) basis: Ranked<Basis>,
    pub(crate) cost: Ranked<Nanos>,
    /// Money reported in parts, which add up where no total is reported.
    pub(crate) cost_parts: Option<Nanos>,
    pub(crate) system: Ranked<Content>,
    pub(crate) input: Ranked<Content>,
    pub(crate) output: Ranked<Content>,
    indexed_input: (u8, Indexed),
    indexed_output: (u8, Indexed),
    pub(crate) event_input: Vec<Message>,
    pub(crate) event_output: Vec<Message>,
    pub(crate) documents: BTreeMap<u16, DraftDocument>,
    pub(crate) annotations: BTreeMap<(&'static str, u16), DraftScore>,
    pub(crate) declared: DraftDeclared,
    pub(crate) error_type: Option<String>,
    pub(crate) exception_type: Option<String>,
    pub(crate) exception_message: Option<String>,
    pub(crate) error_code: Option<i64>,
    pub(crate) status_message: String,
}

impl Draft {
    /// Notes in words that something was guessed or left out.
    pub(crate) fn note(&mut self, words: &str) {
        let notes = &mut self.step.reading.notes;
        if notes.len() < MAX_NOTES && !notes.iter().any(|note| note == words) {
            notes.push(words.to_owned());
        }
    }

    /// Names a key that no rule used.
    pub(crate) fn unmapped(&mut self, key: &str) {
        if self.step.reading.unmapped.len() < MAX_UNMAPPED {
            self.step.reading.unmapped.push(name(key.to_owned()));
        }
    }

    /// Keeps an attribute for rules and for the raw view, while there is room.
    pub(crate) fn keep(&mut self, key: String, value: AnyValue) {
        if self.step.attributes.len() < MAX_KEPT
            && key.len() <= 2 * MAX_ATTRIBUTE_CHARS
            && let Some(text) = any::into_text(value)
        {
            self.step.attributes.entry(name(key)).or_insert_with(|| bounded(text, MAX_ATTRIBUTE_CHARS));
        }
    }

    /// Keeps an attribute that is a text already.
    pub(crate) fn keep_text(&mut self, key: String, text: String) {
        if self.step.attributes.len() < MAX_KEPT {
            self.step.attributes.entry(name(key)).or_insert_with(|| bounded(text, MAX_ATTRIBUTE_CHARS));
        }
    }

    /// Reads a count. Negative and broken ones are left out with a note.
    pub(crate) fn count(&mut self, value: &AnyValue) -> Option<u64> {
        match any::integer(value).map(u64::try_from) {
            Some(Ok(n)) => Some(n),
            Some(Err(_)) => {
                self.note("a negative number of tokens was left out");
                None
            }
            None => {
                self.note("a number of tokens that is no number was left out");
                None
            }
        }
    }

    /// Reads money. Negative and broken amounts are left out with a note.
    pub(crate) fn money(&mut self, value: &AnyValue) -> Option<Nanos> {
        let amount = any::number(value).and_then(Nanos::from_units).filter(|nanos| nanos.0 >= 0);
        if amount.is_none() {
            self.note("a cost that is negative or no number was left out");
        }
        amount
    }

    /// Adds a part of the money.
    pub(crate) fn cost_part(&mut self, value: &AnyValue) {
        if let Some(nanos) = self.money(value) {
            self.rules.fired(self.base, Part::Cost);
            self.cost_parts = Some(self.cost_parts.unwrap_or_default().plus(nanos));
        }
    }

    /// The message at an index of what went in, for writing. `None` when a better rule fills them.
    pub(crate) fn message_in(&mut self, rank: u8, index: u16) -> Option<&mut IndexedMessage> {
        message_at(&mut self.indexed_input, rank, index)
    }

    /// The message at an index of what came out, for writing. `None` when a better rule fills them.
    pub(crate) fn message_out(&mut self, rank: u8, index: u16) -> Option<&mut IndexedMessage> {
        message_at(&mut self.indexed_output, rank, index)
    }

    /// Adds a judgement. One without a name, or with nothing to say, is left out.
    pub(crate) fn score(&mut self, score: DraftScore) {
        let mut value = score.value;
        if value.is_some_and(|value| !value.is_finite()) {
            self.note("a score that is no number was left out");
            value = None;
        }
        let Some(called) = score.name else { return };
        if (value.is_some() || score.label.is_some()) && self.step.scores.len() < MAX_SCORES {
            self.step.scores.push(Score {
                name: name(called),
                value,
                label: score.label.map(name),
                explanation: score.explanation.map(|text| bounded(text, errors::MAX_MESSAGE_CHARS)),
                by_human: score.by_human,
            });
        }
    }

    /// Settles everything into the step. What the dialect decides has been offered before.
    pub(crate) fn finish(mut self) -> Step {
        let rules = &mut self.rules;
        let kind = self.kind.settle(rules, Part::Kind).unwrap_or_default();
        self.step.kind = kind;
        self.step.model = self.model.settle(rules, Part::Model).map(name);
        self.step.provider = self.provider.settle(rules, Part::Model).map(name);
        self.step.tool = self.tool.settle(rules, Part::Tool).map(name);
        self.step.agent = self.agent.settle(rules, Part::Agent).map(name);
        self.step.response_id = self.response_id.settle(rules, Part::Model).map(name);
        self.step.finish_reason = self.finish_reason.settle(rules, Part::Model).map(finish_word);
        self.step.first_token_ms = self.first_token_ms.settle(rules, Part::Model);
        if let Some(shown) = self.shown_name.settle(rules, Part::Name) {
            self.step.name = name(shown);
        }
        if kind == StepKind::Tool && self.step.tool.is_none() {
            // The rules ask for tools by name; the span's name is the best there is.
            let called = self.step.name.trim_start_matches("execute_tool ").trim_start_matches("tools/call ");
            self.step.tool =
                Some(called.strip_suffix(".tool").unwrap_or(called).to_owned()).filter(|tool| !tool.is_empty());
        }
        if kind == StepKind::Agent && self.step.agent.is_none() {
            let called = self.step.name.trim_start_matches("invoke_agent").trim_start();
            self.step.agent =
                Some(called.strip_suffix(".agent").unwrap_or(called).to_owned()).filter(|agent| !agent.is_empty());
        }
        if self.step.name.is_empty() {
            self.step.name = kind.as_str().to_owned();
        }
        self.step.usage = self.usage.settle(self.basis.take().unwrap_or_default(), rules);
        self.step.cost_nanos = self.cost.settle(rules, Part::Cost).or(self.cost_parts);
        for (_, score) in std::mem::take(&mut self.annotations) {
            self.score(score);
        }
        self.settle_content(kind);
        self.settle_error();
        self.step.declared = std::mem::take(&mut self.declared).settle(&mut self.rules);
        self.step.reading.rules = self.rules.names();
        self.step
    }

    fn settle_content(&mut self, kind: StepKind) {
        let (rank, indexed) = std::mem::take(&mut self.indexed_input);
        if !indexed.is_empty() {
            self.input.offer(rank, Content::Messages(collect(indexed, Role::User)));
        }
        let (rank, indexed) = std::mem::take(&mut self.indexed_output);
        if !indexed.is_empty() {
            self.output.offer(rank, Content::Messages(collect(indexed, Role::Assistant)));
        }
        let (event_input, event_output) =
            (std::mem::take(&mut self.event_input), std::mem::take(&mut self.event_output));
        if !event_input.is_empty() {
            self.input.offer(RANK_OF_EVENTS, Content::Messages(event_input));
        }
        if !event_output.is_empty() {
            self.output.offer(RANK_OF_EVENTS, Content::Messages(event_output));
        }
        let input = self.input.settle(&mut self.rules, Part::Input);
        let output = self.output.settle(&mut self.rules, Part::Output);
        if kind == StepKind::Tool {
            self.step.input = input.map(|content| self.of_tool(content, Role::Assistant)).unwrap_or_default();
            self.step.output = output.map(|content| self.of_tool(content, Role::Tool)).unwrap_or_default();
        } else {
            // Only what a conversation's step is given was said by the other side.
            let asked = match kind {
                StepKind::Model | StepKind::Agent | StepKind::Chain | StepKind::Other => Role::User,
                _ => Role::Assistant,
            };
            self.step.input = input.map(|content| conversation(content, asked)).unwrap_or_default();
            if kind != StepKind::Model {
                disown_data(&mut self.step.input);
            }
            self.step.output = output.map(|content| conversation(content, Role::Assistant)).unwrap_or_default();
        }
        if let Some(system) = self.system.settle(&mut self.rules, Part::Input)
            && !self.step.input.iter().any(|message| message.role == Role::System)
        {
            let mut instructions = conversation(system, Role::System);
            for message in &mut instructions {
                message.role = Role::System;
            }
            instructions.append(&mut self.step.input);
            self.step.input = instructions;
        }
        if !self.documents.is_empty() {
            let documents = std::mem::take(&mut self.documents);
            self.step.output = documents
                .into_values()
                .take(MAX_MESSAGES)
                .map(|document| {
                    let mut message = messages::plain(Role::Tool, document.text.unwrap_or_default());
                    message.name = document.id.map(name);
                    message
                })
                .collect();
        }
        let cut_input = messages::bound(&mut self.step.input);
        let cut_output = messages::bound(&mut self.step.output);
        if cut_input || cut_output {
            self.note("the middle of a long conversation was left out");
        }
    }

    /// A tool's arguments or its answer: one message with the text as it was sent.
    fn of_tool(&self, from: Content, role: Role) -> Vec<Message> {
        let text = match from {
            Content::Messages(messages) if messages.iter().any(|message| message.role == role) => {
                return messages.into_iter().filter(|message| message.role == role).collect();
            }
            Content::Messages(messages) => return messages,
            Content::Value(value) => any::into_text(value).map(messages::unwrapped),
        };
        let Some(text) = text else { return Vec::new() };
        let mut message = messages::plain(role, text);
        message.name.clone_from(&self.step.tool);
        message.tool_call_id = self.tool_call_id.clone().map(name);
        vec![message]
    }

    /// The error, by the first of: `error.type`, an exception, a code, the status, the tool's text, the reason why
    /// the model stopped.
    fn settle_error(&mut self) {
        let failed = self.step.status == StepStatus::Error;
        let status = std::mem::take(&mut self.status_message);
        let error_type = self.error_type.take().filter(|code| !code.is_empty());
        let exception_type = self.exception_type.take();
        let exception_message = self.exception_message.take();
        let code = self.error_code.filter(|code| is_bad(*code, self.is_server && !failed));
        let excepted = (exception_type.is_some() || exception_message.is_some()) && self.step.status != StepStatus::Ok;
        if error_type.is_some() || excepted || failed || code.is_some() {
            self.rules.error(match (error_type.is_some(), excepted, failed) {
                (true, ..) => "error.type",
                (_, true, _) => "error.exception",
                (_, _, true) => "error.status",
                _ => "error.code",
            });
            let message = exception_message.filter(|message| !message.is_empty()).unwrap_or(status);
            let code = error_type
                .filter(|code| code != "_OTHER" || exception_type.is_none())
                .or(exception_type)
                .or_else(|| code.map(|code| code.to_string()))
                .or_else(|| errors::leading_name(&message).map(str::to_owned));
            self.step.error = Some(errors::error(code, message));
            return;
        }
        if let Some(error) = of_tool_text(&self.step) {
            self.rules.error("error.tool_text");
            self.step.error = Some(error);
            return;
        }
        let stopped = self
            .step
            .finish_reason
            .as_deref()
            .filter(|reason| matches!(*reason, "length" | "content_filter" | "error"));
        if let (Some(reason), StepKind::Model) = (stopped, self.step.kind) {
            let words = match reason {
                "length" => "the answer was cut off at the limit of tokens",
                "content_filter" => "a content filter stopped the answer",
                _ => "the model stopped with an error",
            };
            self.rules.error("error.finish_reason");
            self.step.error = Some(errors::error(Some(reason.to_owned()), words.to_owned()));
        }
    }
}

/// Two rules never fill one list together: the better one takes it over.
fn message_at(indexed: &mut (u8, Indexed), rank: u8, index: u16) -> Option<&mut IndexedMessage> {
    if !indexed.1.is_empty() && rank != indexed.0 {
        if rank > indexed.0 {
            return None;
        }
        indexed.1.clear();
    }
    indexed.0 = rank;
    Some(indexed.1.entry(index).or_default())
}

/// Whether an HTTP status or a JSON-RPC code tells of an error.
fn is_bad(code: i64, of_client_is_fine: bool) -> bool {
    match code {
        400..=499 => !of_client_is_fine,
        500..=599 => true,
        _ => code < 0,
    }
}

fn collect(indexed: Indexed, role: Role) -> Vec<Message> {
    let mut out = Vec::with_capacity(indexed.len());
    for message in indexed.into_values() {
        message.into_messages(role, &mut out);
    }
    out
}

fn conversation(from: Content, role: Role) -> Vec<Message> {
    match from {
        Content::Messages(messages) => messages,
        Content::Value(value) => messages::from_any(value, role),
    }
}

/// The state of a program is data, and nobody said it: the rules ask what the other side said.
fn disown_data(messages: &mut [Message]) {
    if let [only] = messages {
        let is_data =
            only.text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(&only.text).is_ok();
        if only.role == Role::User && is_data {
            only.role = Role::Assistant;
        }
    }
}

/// One word for why a model stopped, whatever the provider calls it.
pub(crate) fn finish_word(reason: String) -> String {
    let word = match reason.as_str() {
        "stop" | "length" | "tool_calls" | "content_filter" | "error" => return reason,
        "end_turn" | "stop_sequence" | "STOP" | "COMPLETE" | "eos" | "completed" => "stop",
        "max_tokens" | "MAX_TOKENS" | "max_output_tokens" | "model_length" | "incomplete" => "length",
        "tool_use" | "tool_call" | "tool-calls" | "function_call" | "TOOL_CALL" => "tool_calls",
        "content-filter" | "content_filtered" | "SAFETY" | "RECITATION" | "refusal" | "guardrail_intervened" => {
            "content_filter"
        }
        "ERROR" | "failed" => "error",
        _ => return name(reason).to_ascii_lowercase(),
    };
    word.to_owned()
}
