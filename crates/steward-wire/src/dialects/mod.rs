//! The dialects of telemetry: one file a dialect, and in it one rule a key.
//!
//! **Which dialect a span speaks** is decided span by span, because one request often mixes several, by the first
//! of these markers that any of its attributes bears:
//!
//! 1. `langfuse.observation.type`: [`langfuse`];
//! 2. `openinference.span.kind`: [`openinference`];
//! 3. `traceloop.*`, `llm.request.type`, `llm.usage.*`, or a vector search: [`openllmetry`];
//! 4. `ai.operationId`: [`vercel_ai`];
//! 5. `gen_ai.*` or `mcp.*`: [`otel_genai`], the standard in all its generations;
//! 6. `llm.*`, `embedding.*`, `retrieval.*`, `input.value`, `output.value`: [`openinference`] without its kind;
//! 7. a family of one of the smaller dialects in [`minor`], which is told by its own name;
//! 8. none of them: [`plain`], the rest of the program.
//!
//! **How rules are ordered.** Every attribute is offered first to [`steward`], whose word stands above all, then to
//! the span's own dialect, then to the others, since instrumentations borrow each other's keys, and last to
//! [`plain`]. The first that knows the key uses it up. Within a dialect a rule has a rank, below [`RANKS`]; where
//! two attributes say the same thing, the lower rank wins, and the own dialect's ranks are below all others'. So
//! the rank of what won tells which rules found it, and [`crate::rules`] names them.
//!
//! A new dialect is a file with a `take` function, a line in [`RuleSet`] and in [`Dialect`], and a marker in
//! [`Dialect::of`].

pub(crate) mod langfuse;
mod minor;
mod openinference;
mod openllmetry;
mod otel_genai;
mod plain;
mod steward;
mod vercel_ai;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use serde_json::Value;
use steward_core::step::StepStatus;

use crate::draft::{Content, Draft, Ranked};
use crate::rules::Part;
use crate::{any, messages};

/// How many ranks a dialect has for its own rules.
pub(crate) const RANKS: u8 = 20;
/// The most attributes of one span that are read.
pub(crate) const MAX_ATTRIBUTES: usize = 1_000;
/// The most events of one span that are read.
const MAX_EVENTS: usize = 1_000;

/// The sets of rules: one file each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleSet {
    Steward,
    Langfuse,
    OpenInference,
    OpenLlmetry,
    VercelAi,
    OtelGenAi,
    Minor,
    Plain,
}

impl RuleSet {
    /// Uses one attribute up, or gives its value back when no rule knows the key.
    fn take(self, draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
        match self {
            Self::Steward => steward::take(draft, key, value),
            Self::Langfuse => langfuse::take(draft, key, value),
            Self::OpenInference => openinference::take(draft, key, value),
            Self::OpenLlmetry => openllmetry::take(draft, key, value),
            Self::VercelAi => vercel_ai::take(draft, key, value),
            Self::OtelGenAi => otel_genai::take(draft, key, value),
            Self::Minor => minor::take(draft, key, value),
            Self::Plain => plain::take(draft, key, value),
        }
    }
}

/// The dialects of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Langfuse,
    OpenInference,
    OpenLlmetry,
    VercelAi,
    OtelGenAi,
    /// One of the smaller ones, by its name.
    Minor(&'static str),
    Plain,
}

impl Dialect {
    /// Finds the dialect of a span by its attributes and, for those that mark nothing else, by its name.
    pub(crate) fn of(called: &str, attributes: &[KeyValue]) -> Self {
        let mut best = 8;
        let mut minor = minor::of_name(called);
        for pair in attributes.iter().take(MAX_ATTRIBUTES) {
            let key = pair.key.as_str();
            let place = match key.as_bytes() {
                [b'g', b'e', b'n', b'_', b'a', b'i', b'.', ..] | [b'm', b'c', b'p', b'.', ..] => 5,
                [b'a', b'i', b'.', ..] if key == "ai.operationId" => 4,
                [b't', b'r', ..] if key.starts_with("traceloop.") => 3,
                [b'd', b'b', ..] if key.starts_with("db.vector.") => 3,
                [b'l', b'l', b'm', b'.', rest @ ..] => {
                    if rest.starts_with(b"request.type") || rest.starts_with(b"usage.") { 3 } else { 6 }
                }
                [b'l', ..] if key == "langfuse.observation.type" => 1,
                [b'o', ..] if key == "openinference.span.kind" => 2,
                [b'e', ..] if key.starts_with("embedding.") => 6,
                [b'r', ..] if key.starts_with("retrieval.documents.") => 6,
                [b'i', ..] if key == "input.value" => 6,
                [b'o', ..] if key == "output.value" => 6,
                [b'g' | b'l' | b'm', ..] if best > 7 => match minor::of_key(key) {
                    Some(name) => {
                        minor = Some(name);
                        7
                    }
                    None => 8,
                },
                _ => 8,
            };
            best = best.min(place);
        }
        match (best, minor) {
            (1, _) => Self::Langfuse,
            (2 | 6, _) => Self::OpenInference,
            (3, _) => Self::OpenLlmetry,
            (4, _) => Self::VercelAi,
            (5, _) => Self::OtelGenAi,
            (_, Some(name)) => Self::Minor(name),
            _ => Self::Plain,
        }
    }

    /// The dialect's name, as a reading tells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Langfuse => "langfuse",
            Self::OpenInference => "openinference",
            Self::OpenLlmetry => "openllmetry",
            Self::VercelAi => "vercel_ai",
            Self::OtelGenAi => "otel_genai",
            Self::Minor(name) => name,
            Self::Plain => "plain",
        }
    }

    /// The sets of rules in the order in which they are asked, after Steward's own.
    const fn rules(self) -> &'static [RuleSet] {
        use RuleSet::{Langfuse, Minor, OpenInference, OpenLlmetry, OtelGenAi, Plain, VercelAi};
        match self {
            Self::Langfuse => &[Langfuse, OtelGenAi, OpenInference, OpenLlmetry, VercelAi, Minor, Plain],
            Self::OpenInference => &[OpenInference, OtelGenAi, OpenLlmetry, Langfuse, VercelAi, Minor, Plain],
            Self::OpenLlmetry => &[OpenLlmetry, OtelGenAi, OpenInference, Langfuse, VercelAi, Minor, Plain],
            Self::VercelAi => &[VercelAi, OtelGenAi, OpenInference, OpenLlmetry, Langfuse, Minor, Plain],
            Self::OtelGenAi => &[OtelGenAi, OpenInference, OpenLlmetry, Langfuse, VercelAi, Minor, Plain],
            Self::Minor(_) => &[Minor, OtelGenAi, OpenInference, OpenLlmetry, Langfuse, VercelAi, Plain],
            Self::Plain => &[Langfuse, Plain],
        }
    }
}

/// Reads a span's attributes and events into the draft.
pub(crate) fn read(draft: &mut Draft, mut attributes: Vec<KeyValue>, events: Vec<Event>) {
    let dialect = Dialect::of(&draft.step.name, &attributes);
    draft.rules.of(dialect.rules());
    draft.step.reading.dialect = dialect.name().to_owned();
    draft.step.reading.n_attributes = u32::try_from(attributes.len()).unwrap_or(u32::MAX);
    if attributes.len() > MAX_ATTRIBUTES {
        attributes.truncate(MAX_ATTRIBUTES);
        draft.note("only the first 1,000 attributes were read");
    }
    read_attributes(draft, dialect, attributes);
    if events.len() > MAX_EVENTS {
        draft.note("only the first 1,000 events were read");
    }
    for event in events.into_iter().take(MAX_EVENTS) {
        read_event(draft, dialect, event);
    }
}

fn read_attributes(draft: &mut Draft, dialect: Dialect, attributes: Vec<KeyValue>) {
    let rules = dialect.rules();
    for KeyValue { key, value, .. } in attributes {
        let Some(value) = value.filter(|value| value.value.is_some()) else { continue };
        draft.base = 0;
        let mut left = RuleSet::Steward.take(draft, &key, value);
        if left.is_none() {
            draft.rules.fired(0, Part::Run);
        }
        draft.base = 1;
        for rules in rules {
            let Some(value) = left else { break };
            left = rules.take(draft, &key, value);
            draft.base += RANKS;
        }
        if let Some(value) = left {
            draft.unmapped(&key);
            draft.keep(key, value);
        }
    }
}

fn read_event(draft: &mut Draft, dialect: Dialect, event: Event) {
    match event.name.as_str() {
        "exception" | "gen_ai.client.operation.exception" => plain::exception(draft, event.attributes),
        "gen_ai.client.inference.operation.details" => read_attributes(draft, dialect, event.attributes),
        name if name.starts_with("gen_ai.") => {
            if !otel_genai::event(draft, &event.name, event.attributes) {
                draft.unmapped(&format!("event {}", event.name));
            }
        }
        "ai.stream.firstChunk" => read_attributes(draft, dialect, event.attributes),
        // Pieces of a streamed answer and rows of a search, which the attributes hold whole.
        "ai.stream.finish" | "llm.content.completion.chunk" | "db.query.result" | "First Token Stream Event" => {}
        _ => draft.unmapped(&format!("event {}", event.name)),
    }
}

/// Reads a log record of an event of the GenAI conventions. What the event says stands in its attributes or in its
/// body. `true` when its messages follow those of other records, and are not all there are.
pub(crate) fn read_record(
    draft: &mut Draft,
    event: &str,
    mut attributes: Vec<KeyValue>,
    body: Option<AnyValue>,
) -> bool {
    draft.rules.of(Dialect::OtelGenAi.rules());
    draft.step.reading.dialect = Dialect::OtelGenAi.name().to_owned();
    attributes.retain(|pair| pair.key != "event.name");
    match body.and_then(|body| body.value) {
        Some(Any::KvlistValue(list)) => attributes.extend(list.values),
        // A text is the same written as JSON, what was said, or nothing but the name.
        Some(Any::StringValue(text)) if text != event && !text.is_empty() => match serde_json::from_str(&text) {
            Ok(Value::Object(object)) => {
                attributes.extend(object.into_iter().map(|(key, value)| text_pair(key, messages::json_text(value))));
            }
            _ => attributes.push(text_pair("content".to_owned(), text)),
        },
        _ => {}
    }
    draft.step.reading.n_attributes = u32::try_from(attributes.len()).unwrap_or(u32::MAX);
    if attributes.len() > MAX_ATTRIBUTES {
        attributes.truncate(MAX_ATTRIBUTES);
        draft.note("only the first 1,000 attributes were read");
    }
    let is_piece = otel_genai::is_message(event) || event == "gen_ai.evaluation.result";
    if is_piece || event == "gen_ai.client.operation.exception" {
        // Beside what was said or judged stands what any span may bear: the provider, the conversation, the agent.
        let (of_event, rest) = attributes.into_iter().partition(|pair| otel_genai::is_of_event(event, &pair.key));
        read_attributes(draft, Dialect::OtelGenAi, rest);
        attributes = of_event;
        let is_exception = !is_piece;
        let name = event.to_owned();
        read_event(draft, Dialect::OtelGenAi, Event { name, attributes, ..Event::default() });
        if is_exception {
            mark_error(draft);
        }
    } else {
        if event != "gen_ai.client.inference.operation.details" {
            draft.unmapped(&format!("event {event}"));
        }
        read_attributes(draft, Dialect::OtelGenAi, attributes);
    }
    otel_genai::is_message(event)
}

fn text_pair(key: String, text: String) -> KeyValue {
    KeyValue { key, value: Some(any::of_text(text)), ..KeyValue::default() }
}

/// Reads a resource's attributes: what they declare of every run, and the rest worth keeping.
pub(crate) fn read_resource(attributes: Vec<KeyValue>) -> Draft {
    let mut draft = Draft::default();
    for KeyValue { key, value, .. } in attributes.into_iter().take(MAX_ATTRIBUTES) {
        let Some(value) = value else { continue };
        draft.base = 0;
        let Some(value) = steward::take(&mut draft, &key, value) else { continue };
        draft.base = 1;
        let Some(value) = langfuse::take(&mut draft, &key, value) else { continue };
        draft.base += RANKS;
        let Some(value) = plain::take_resource(&mut draft, &key, value) else { continue };
        draft.unmapped(&key);
        draft.keep(key, value);
    }
    draft
}

/// Offers what went in or came out, unless it is no more than an empty text.
pub(crate) fn offer(slot: &mut Ranked<Content>, rank: u8, value: AnyValue) {
    if !is_empty(&value) {
        slot.offer(rank, Content::Value(value));
    }
}

/// Whether a value is no more than an empty text.
fn is_empty(value: &AnyValue) -> bool {
    value.value.is_none() || matches!(&value.value, Some(Any::StringValue(text)) if text.is_empty())
}

/// Notes the sender's word that a step went wrong, where the span's status is silent.
fn mark_error(draft: &mut Draft) {
    if draft.step.status == StepStatus::Unset {
        draft.step.status = StepStatus::Error;
    }
}
