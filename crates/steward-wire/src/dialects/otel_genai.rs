//! The GenAI conventions of OpenTelemetry, in the generations that are on the wire together:
//!
//! | | until | marks |
//! |---|---|---|
//! | G0 | 1.27 | `gen_ai.prompt`, `gen_ai.completion` (whole or indexed), `gen_ai.usage.prompt_tokens`, `gen_ai.system` |
//! | G1 | 1.36 | `gen_ai.usage.input_tokens`, events `gen_ai.*.message` and `gen_ai.choice` |
//! | G2 | 1.41 | `gen_ai.provider.name`, `gen_ai.input.messages`, `gen_ai.output.messages`, details of usage |
//! | G3 | later | `cache_write` for `cache_creation` |
//!
//! The Model Context Protocol's keys (`mcp.*`) are of the same conventions. A newer spelling has the lower rank.
//! Input tokens include cached ones and output tokens include reasoning, from G1 on; before, nothing says so.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::{Map, Value};
use steward_core::step::{Role, StepKind};
use steward_core::usage::Basis;

use super::{mark_error, offer};
use crate::draft::{Content, Draft, DraftScore, UsageSlot, index};
use crate::rules::{Part, RANK_OF_EVENTS};
use crate::{any, messages};

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    if let Some(rest) = key.strip_prefix("gen_ai.") {
        return of_gen_ai(draft, key, rest, value);
    }
    match key {
        "mcp.method.name" => {
            let method = any::into_text(value).unwrap_or_default();
            let kind = match method.as_str() {
                "tools/call" => StepKind::Tool,
                "sampling/createMessage" => StepKind::Model,
                "resources/read" => StepKind::Retrieval,
                _ => StepKind::Other,
            };
            draft.kind.offer(draft.base + 1, kind);
            draft.keep_text(key.to_owned(), method);
        }
        "mcp.session.id" => draft.keep(key.to_owned(), value),
        "mcp.request.argument" => draft.input.offer(draft.base + 6, Content::Value(value)),
        "mcp.response.value" => draft.output.offer(draft.base + 6, Content::Value(value)),
        "mcp.tool.name" => draft.tool.offer_some(draft.base + 2, any::into_text(value)),
        "mcp.resource.uri" | "mcp.protocol.version" => draft.keep(key.to_owned(), value),
        "mcp.request.id" | "mcp.session.init_options" | "jsonrpc.request.id" | "jsonrpc.protocol.version" => {}
        "openai.request.service_tier"
        | "openai.response.service_tier"
        | "anthropic.request.service_tier"
        | "anthropic.response.service_tier"
        | "aws.bedrock.guardrail.id"
        | "aws.bedrock.knowledge_base.id" => {
            draft.keep(key.to_owned(), value);
        }
        "openai.response.system_fingerprint" | "openai.api.type" | "azure.resource_provider.namespace" => {}
        // What some senders put beside the standard's keys.
        "input" => draft.input.offer(draft.base + 12, Content::Value(value)),
        "output" => draft.output.offer(draft.base + 12, Content::Value(value)),
        _ => return Some(value),
    }
    None
}

fn of_gen_ai(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    if let Some(rest) = rest.strip_prefix("usage.") {
        return usage(draft, key, rest, value);
    }
    if let Some(rest) = rest.strip_prefix("cost.") {
        return cost(draft, rest, value);
    }
    match rest {
        "operation.name" => {
            let word = any::into_text(value)?;
            match kind_of(&word) {
                // The step of a loop, which bears the keys of the call inside it too: nothing says more than this.
                Some(kind) if word == "agent_step" => draft.kind.offer(1, kind),
                Some(kind) => draft.kind.offer(b, kind),
                None => draft.keep_text(key.to_owned(), word),
            }
        }
        "provider.name" => draft.provider.offer_some(b, any::into_text(value).map(provider_word)),
        "system" => draft.provider.offer_some(b + 1, any::into_text(value).map(provider_word)),
        "response.model" => {
            draft.model.offer_some(b, any::into_text(value));
            draft.kind.offer(b + 7, StepKind::Model);
        }
        "request.model" => {
            draft.model.offer_some(b + 1, any::into_text(value));
            draft.kind.offer(b + 7, StepKind::Model);
        }
        "response.id" => draft.response_id.offer_some(b, any::into_text(value)),
        "response.finish_reasons" => draft.finish_reason.offer_some(b, any::into_first_text(value)),
        "response.finish_reason" => draft.finish_reason.offer_some(b + 1, any::into_first_text(value)),
        "response.time_to_first_chunk" => {
            draft.first_token_ms.offer_some(b, any::number(&value).and_then(|seconds| milliseconds(seconds * 1_000.0)));
        }
        "server.time_to_first_token" => {
            draft.first_token_ms.offer_some(b + 1, any::number(&value).and_then(milliseconds));
        }
        "conversation.id" => draft.declared.conversation_id.offer_some(b, any::into_text(value)),
        "agent.name" => {
            draft.agent.offer_some(b, any::into_text(value));
            draft.kind.offer(b + 8, StepKind::Agent);
        }
        "agent.version" => draft.declared.release.offer_some(b, any::into_text(value)),
        "agent.id"
        | "agent.description"
        | "workflow.name"
        | "data_source.id"
        | "output.type"
        | "prompt.name"
        | "prompt.version"
        | "tool.type"
        | "tool.definitions"
        | "conversation.compacted"
        | "task.name"
        | "task.status"
        | "is_streaming"
        | "workflow.nodes"
        | "workflow.edges"
        | "memory.store.id"
        | "memory.record.id"
        | "memory.record.count"
        | "retrieval.top_k"
        | "embeddings.dimension.count"
        | "prompt.prompt_filter_results"
        | "agent.finish_reason"
        | "agent.invocation.status" => {
            draft.keep(key.to_owned(), value);
        }
        "tool.name" => {
            draft.tool.offer_some(b, any::into_text(value));
            draft.kind.offer(b + 5, StepKind::Tool);
        }
        "tool.call.id" => {
            draft.tool_call_id = any::into_text(value).or(draft.tool_call_id.take());
            draft.kind.offer(b + 5, StepKind::Tool);
        }
        "tool.call.arguments" => draft.input.offer(b + 1, Content::Value(value)),
        "tool.call.result" => draft.output.offer(b + 1, Content::Value(value)),
        "tool.description" | "task.id" | "task.parent.id" => {}
        "task.kind" => {}
        "input.messages" => offer(&mut draft.input, b, value),
        "output.messages" => offer(&mut draft.output, b, value),
        "system_instructions" => offer(&mut draft.system, b, value),
        "task.input" => offer(&mut draft.input, b + 9, any::unwrapped(value)),
        "task.output" => offer(&mut draft.output, b + 9, any::unwrapped(value)),
        "prompt" | "content.prompt" => {
            offer(&mut draft.input, b + 3, value);
            draft.kind.offer(b + 7, StepKind::Model);
        }
        "completion" | "content.completion" => offer(&mut draft.output, b + 3, value),
        "retrieval.query.text" | "memory.query.text" => offer(&mut draft.input, b + 2, value),
        "retrieval.documents" | "memory.records" => offer(&mut draft.output, b + 2, value),
        "evaluation.name" => evaluation(draft).name = any::into_text(value),
        "evaluation.score.value" => evaluation(draft).value = any::number(&value),
        "evaluation.score.label" => evaluation(draft).label = any::into_text(value),
        "evaluation.explanation" => evaluation(draft).explanation = any::into_text(value),
        _ => return indexed(draft, key, rest, value),
    }
    None
}

fn evaluation(draft: &mut Draft) -> &mut DraftScore {
    draft.rules.fired(draft.base, Part::Score);
    draft.annotations.entry(("gen_ai.evaluation", 0)).or_default()
}

fn milliseconds(ms: f64) -> Option<i64> {
    (ms.is_finite() && (0.0..86_400_000.0).contains(&ms)).then(|| ms.round() as i64)
}

/// The step's kind by the name of its operation. `None` for a name that is not known.
fn kind_of(operation: &str) -> Option<StepKind> {
    Some(match operation {
        "chat" | "generate_content" | "text_completion" | "completion" | "generate" | "responses" | "response" => {
            StepKind::Model
        }
        "embeddings" | "embedding" => StepKind::Embedding,
        "retrieval" | "retrieve" | "rerank" | "search_memory" | "vector_search" => StepKind::Retrieval,
        "execute_tool" | "tool" | "tool_call" => StepKind::Tool,
        "invoke_agent" | "create_agent" | "agent" => StepKind::Agent,
        "agent_step" | "invoke_workflow" | "workflow" | "execute_task" | "task" | "plan" | "chain" => StepKind::Chain,
        "guardrail" | "evaluate" | "evaluation" => StepKind::Guardrail,
        "create_memory_store"
        | "delete_memory_store"
        | "create_memory"
        | "update_memory"
        | "upsert_memory"
        | "delete_memory" => StepKind::Other,
        _ => return None,
    })
}

/// One word a provider: `openai` for `OpenAI` and for `openai.responses`.
pub(super) fn provider_word(word: String) -> String {
    let word = if word.bytes().any(|byte| byte.is_ascii_uppercase()) { word.to_ascii_lowercase() } else { word };
    if let Some(rest) = word.strip_prefix("az.ai.") {
        return format!("azure.ai.{rest}");
    }
    match word.as_str() {
        "vertex_ai" | "vertexai" => return "gcp.vertex_ai".to_owned(),
        "gemini" => return "gcp.gemini".to_owned(),
        "xai" => return "x_ai".to_owned(),
        "mistralai" => return "mistral_ai".to_owned(),
        _ => {}
    }
    // The Vercel AI SDK names the interface too.
    for interface in [".responses", ".chat", ".messages", ".completion", ".embedding", ".generative-ai", ".image"] {
        if let Some(provider) = word.strip_suffix(interface) {
            return provider.to_owned();
        }
    }
    word
}

fn usage(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    if matches!(rest, "cost" | "total_cost") {
        let cost = draft.money(&value);
        draft.cost.offer_some(b, cost);
        return None;
    }
    if matches!(rest, "input_cost" | "output_cost") {
        draft.cost_part(&value);
        return None;
    }
    let (slot, rank): (UsageSlot, u8) = match rest {
        "input_tokens" => (|u| &mut u.input, 0),
        "prompt_tokens" => (|u| &mut u.input, 1),
        "output_tokens" => (|u| &mut u.output, 0),
        "completion_tokens" => (|u| &mut u.output, 1),
        "total_tokens" => (|u| &mut u.total, 0),
        "cache_read.input_tokens" => (|u| &mut u.cache_read, 0),
        "cache_read_input_tokens" | "cache_read_tokens" | "input_tokens.cached" | "cached_input_tokens" => {
            (|u| &mut u.cache_read, 1)
        }
        "details.cache_read_tokens" | "details.cache_read_input_tokens" | "details.cached_tokens" => {
            (|u| &mut u.cache_read, 2)
        }
        "cache_write.input_tokens" => (|u| &mut u.cache_write, 0),
        "cache_creation.input_tokens" => (|u| &mut u.cache_write, 1),
        "cache_creation_input_tokens"
        | "cache_write_input_tokens"
        | "cache_write_tokens"
        | "input_tokens.cache_write" => (|u| &mut u.cache_write, 2),
        "details.cache_write_tokens" | "details.cache_creation_input_tokens" => (|u| &mut u.cache_write, 3),
        "cache_creation.input_tokens.ephemeral_5m" | "cache_creation_5m.input_tokens" => (|u| &mut u.cache_write_5m, 0),
        "cache_creation.input_tokens.ephemeral_1h" | "cache_creation_1h.input_tokens" => (|u| &mut u.cache_write_1h, 0),
        "reasoning.output_tokens" => (|u| &mut u.reasoning, 0),
        "reasoning_tokens" | "output_tokens.reasoning" | "details.reasoning_tokens" => (|u| &mut u.reasoning, 1),
        "audio.input_tokens" => (|u| &mut u.input_audio, 0),
        "audio_input_tokens" | "input_audio_tokens" => (|u| &mut u.input_audio, 1),
        "audio.output_tokens" => (|u| &mut u.output_audio, 0),
        "audio_output_tokens" | "output_audio_tokens" => (|u| &mut u.output_audio, 1),
        "image.input_tokens" => (|u| &mut u.input_image, 0),
        // Parts of parts: what they add to is reported beside them.
        _ if rest.ends_with("tokens") => {
            draft.keep(key.to_owned(), value);
            return None;
        }
        _ => return Some(value),
    };
    if matches!(rest, "prompt_tokens" | "completion_tokens") {
        draft.basis.offer(b + 1, Basis::Unknown);
    } else {
        draft.basis.offer(b, Basis::Inclusive);
    }
    let count = draft.count(&value);
    slot(&mut draft.usage).offer_some(b + rank, count);
    None
}

/// Money beside the standard, as Sentry's and LiteLLM's exporters name it.
fn cost(draft: &mut Draft, rest: &str, value: AnyValue) -> Option<AnyValue> {
    match rest {
        "total" | "total_cost" | "total_tokens" => {
            let cost = draft.money(&value);
            draft.cost.offer_some(draft.base + 1, cost);
        }
        "input_cost" | "output_cost" | "input_tokens" | "output_tokens" => draft.cost_part(&value),
        _ => return Some(value),
    }
    None
}

/// Keys with an index, and families of which every member is kept.
fn indexed(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let rank = draft.base + 4;
    if let Some((at, field)) = rest.strip_prefix("prompt.").and_then(index) {
        draft.kind.offer(draft.base + 7, StepKind::Model);
        if let Some(message) = draft.message_in(rank, at) {
            return indexed_field(message, field, value);
        }
        return None;
    }
    if let Some((at, field)) = rest.strip_prefix("completion.").and_then(index) {
        if field == "finish_reason" {
            draft.finish_reason.offer_some(rank, any::into_text(value));
            return None;
        }
        if let Some(message) = draft.message_out(rank, at) {
            return indexed_field(message, field, value);
        }
        return None;
    }
    if let Some(family) = rest.split('.').next()
        && matches!(family, "request" | "response" | "openai" | "prompt" | "token")
        && !rest.contains("header")
    {
        if rest == "request.structured_output_schema" {
            return None;
        }
        draft.keep(key.to_owned(), value);
        return None;
    }
    Some(value)
}

/// A field of an indexed message: `role`, `content`, `tool_calls.0.name`. Gives back what is none.
fn indexed_field(message: &mut crate::draft::IndexedMessage, field: &str, value: AnyValue) -> Option<AnyValue> {
    match field {
        "role" => message.role = any::into_text(value),
        "content" => message.content = Some(value),
        "name" => message.name = any::into_text(value),
        "tool_call_id" => message.tool_call_id = any::into_text(value),
        "function_call.name" => message.call(0).name = any::into_text(value).unwrap_or_default(),
        "function_call.arguments" => message.call(0).arguments = any::into_text(value).unwrap_or_default(),
        _ => {
            let Some((at, field)) = field.strip_prefix("tool_calls.").and_then(index) else { return Some(value) };
            let call = message.call(at);
            match field {
                "id" => call.id = any::into_text(value),
                "name" | "function.name" => call.name = any::into_text(value).unwrap_or_default(),
                "arguments" | "function.arguments" => {
                    call.arguments = crate::text::content(any::into_text(value).unwrap_or_default());
                }
                "type" => {}
                _ => return Some(value),
            }
        }
    }
    None
}

/// Whether an event of this name holds one message of a conversation, and not the whole of it.
pub(super) fn is_message(called: &str) -> bool {
    matches!(
        called,
        "gen_ai.system.message"
            | "gen_ai.user.message"
            | "gen_ai.assistant.message"
            | "gen_ai.tool.message"
            | "gen_ai.choice"
            | "gen_ai.content.prompt"
            | "gen_ai.content.completion"
    )
}

/// Whether a key is of an event of this name itself, and not one that a span might bear.
pub(super) fn is_of_event(called: &str, key: &str) -> bool {
    match called {
        "gen_ai.evaluation.result" => key.starts_with("gen_ai.evaluation."),
        "gen_ai.client.operation.exception" => key.starts_with("exception."),
        "gen_ai.content.prompt" | "gen_ai.content.completion" => {
            matches!(key, "gen_ai.prompt" | "gen_ai.completion" | "gen_ai.event.content")
        }
        // Bare keys: the role, the text, the calls.
        _ => !key.contains('.'),
    }
}

/// Reads an event of the conventions. `false` when it is none that is known.
pub(super) fn event(draft: &mut Draft, called: &str, attributes: Vec<KeyValue>) -> bool {
    match called {
        "gen_ai.system.message" => message(draft, attributes, Role::System),
        "gen_ai.user.message" => message(draft, attributes, Role::User),
        "gen_ai.assistant.message" => message(draft, attributes, Role::Assistant),
        "gen_ai.tool.message" => message(draft, attributes, Role::Tool),
        "gen_ai.choice" => choice(draft, attributes),
        "gen_ai.content.prompt" => {
            for KeyValue { key, value, .. } in attributes {
                if let ("gen_ai.prompt" | "gen_ai.event.content", Some(value)) = (key.as_str(), value) {
                    draft.event_input.append(&mut messages::from_any(value, Role::User));
                }
            }
        }
        "gen_ai.content.completion" => {
            for KeyValue { key, value, .. } in attributes {
                if let ("gen_ai.completion" | "gen_ai.event.content", Some(value)) = (key.as_str(), value) {
                    draft.event_output.append(&mut messages::from_any(value, Role::Assistant));
                }
            }
        }
        "gen_ai.evaluation.result" => {
            draft.rules.fired(RANK_OF_EVENTS, Part::Score);
            let value = any::find(&attributes, "gen_ai.evaluation.score.value").and_then(any::number);
            draft.score(DraftScore {
                name: any::find_text(&attributes, "gen_ai.evaluation.name"),
                value,
                label: any::find_text(&attributes, "gen_ai.evaluation.score.label"),
                explanation: any::find_text(&attributes, "gen_ai.evaluation.explanation"),
                by_human: false,
            });
        }
        _ => return false,
    }
    true
}

/// An event's attributes as the JSON object of a message. Values that are JSON texts are opened.
fn object_of(attributes: Vec<KeyValue>, role: Role) -> Map<String, Value> {
    let mut object = Map::new();
    for KeyValue { key, value, .. } in attributes {
        let Some(value) = value else { continue };
        let mut json = any::into_json(value, 0);
        let opened = matches!(key.as_str(), "tool_calls" | "message" | "function_call")
            || (key == "content" && json.as_str().is_some_and(|text| text.starts_with("[{")));
        if let (true, Some(text)) = (opened, json.as_str())
            && let Ok(read) = serde_json::from_str(text)
        {
            json = read;
        }
        object.insert(key, json);
    }
    if !object.get("role").is_some_and(Value::is_string) {
        let word = match role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        object.insert("role".to_owned(), Value::from(word));
    }
    if role == Role::Tool
        && let Some(id) = object.remove("id")
    {
        object.entry("tool_call_id").or_insert(id);
    }
    object
}

fn message(draft: &mut Draft, attributes: Vec<KeyValue>, role: Role) {
    draft.event_input.append(&mut messages::from_json(Value::Object(object_of(attributes, role)), role));
}

fn choice(draft: &mut Draft, attributes: Vec<KeyValue>) {
    let mut object = object_of(attributes, Role::Assistant);
    if let Some(Value::String(reason)) = object.remove("finish_reason") {
        if reason == "error" {
            mark_error(draft);
        }
        draft.finish_reason.offer(draft.base + 2, reason);
    }
    let said = match object.remove("message") {
        Some(Value::Object(mut inner)) => {
            inner.entry("role").or_insert_with(|| Value::from("assistant"));
            if let Some(calls) = object.remove("tool_calls") {
                inner.entry("tool_calls").or_insert(calls);
            }
            Value::Object(inner)
        }
        Some(Value::String(text)) => {
            object.insert("content".to_owned(), Value::String(text));
            Value::Object(object)
        }
        Some(list @ Value::Array(_)) => {
            object.insert("content".to_owned(), list);
            Value::Object(object)
        }
        _ => Value::Object(object),
    };
    draft.event_output.append(&mut messages::from_json(said, Role::Assistant));
}
