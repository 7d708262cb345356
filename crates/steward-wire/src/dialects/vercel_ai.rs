//! The Vercel AI SDK's own keys (`ai.*`), in the generations that are on the wire together:
//!
//! | version | marks |
//! |---|---|
//! | 3, 4 | `ai.result.*`, `ai.usage.promptTokens` |
//! | 5 | `ai.response.*`, `ai.usage.inputTokens`, `ai.usage.cachedInputTokens` |
//! | 6 | `ai.usage.inputTokenDetails.*`, beside `gen_ai.*` of the standard |
//! | 7 | the standard's `invoke_agent`, `agent_step`, `chat` and `execute_tool`, with these keys beside them if asked for |
//!
//! An outer span, `ai.generateText`, repeats what the inner ones, `ai.generateText.doGenerate`, report. So the
//! outer is an agent's step and the inner a model's, and only the inner one's tokens count in the end.
//!
//! Input tokens include cached ones, except those of Anthropic before version 6, which stand as the provider counts
//! them. What the provider itself said stands in `ai.response.providerMetadata` and tells the two apart.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::Value;
use steward_core::step::{StepKind, ToolCall};
use steward_core::usage::Basis;

use super::offer;
use super::otel_genai::provider_word;
use crate::draft::{Draft, UsageSlot};
use crate::{any, messages, text};

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let Some(rest) = key.strip_prefix("ai.") else {
        return match key {
            // The operation's name, and after it the function's.
            "operation.name" => {
                let words = any::into_text(value).unwrap_or_default();
                let word = words.split(' ').next().unwrap_or_default();
                if let Some(kind) = kind_of(word) {
                    draft.kind.offer(draft.base + 2, kind);
                }
                None
            }
            "resource.name" => None,
            _ => Some(value),
        };
    };
    let b = draft.base;
    if let Some(rest) = rest.strip_prefix("usage.") {
        return count(draft, rest, value);
    }
    match rest {
        "operationId" => {
            let word = any::into_text(value)?;
            if let Some(kind) = kind_of(&word) {
                draft.kind.offer(b + 1, kind);
            }
            draft.keep_text(key.to_owned(), word);
        }
        "telemetry.functionId" => {
            draft.agent.offer_some(b + 3, any::into_text(value));
        }
        "model.id" => draft.model.offer_some(b + 2, any::into_text(value)),
        "response.model" => draft.model.offer_some(b, any::into_text(value)),
        "model.provider" => draft.provider.offer_some(b, any::into_text(value).map(provider_word)),
        "response.id" => draft.response_id.offer_some(b, any::into_text(value)),
        "response.finishReason" | "finishReason" | "result.finishReason" => {
            draft.finish_reason.offer_some(b, any::into_text(value));
        }
        "response.msToFirstChunk" | "stream.msToFirstChunk" => {
            let ms = any::number(&value).filter(|ms| ms.is_finite() && *ms >= 0.0).map(|ms| ms.round() as i64);
            draft.first_token_ms.offer_some(b, ms);
        }
        "response.providerMetadata" | "result.providerMetadata" => provider_metadata(draft, key, value),
        "prompt.messages" => offer(&mut draft.input, b, value),
        "prompt" | "value" | "values" | "documents" => offer(&mut draft.input, b + 1, value),
        "ranking" => offer(&mut draft.output, b + 1, value),
        "response.text" | "response.object" | "result.text" | "result.object" => {
            if let Some(said) = any::into_text(value)
                && let Some(message) = draft.message_out(b, 0)
            {
                message.role = Some("assistant".to_owned());
                message.content = Some(any::of_text(said));
            }
        }
        "response.toolCalls" | "result.toolCalls" => tool_calls(draft, value),
        "toolCall.name" => draft.tool.offer_some(b, any::into_text(value)),
        "toolCall.id" => draft.tool_call_id = any::into_text(value).or(draft.tool_call_id.take()),
        "toolCall.args" | "toolCall.input" => offer(&mut draft.input, b, value),
        "toolCall.result" | "toolCall.output" => offer(&mut draft.output, b, value),
        "response.timestamp"
        | "response.msToFinish"
        | "response.avgCompletionTokensPerSecond"
        | "response.avgOutputTokensPerSecond"
        | "response.reasoning"
        | "response.files"
        | "prompt.toolChoice"
        | "prompt.format"
        | "embedding"
        | "embeddings"
        | "ranking.type"
        | "schema" => {}
        "prompt.tools" | "schema.name" | "schema.description" => draft.keep(key.to_owned(), value),
        _ => return families(draft, key, rest, value),
    }
    None
}

/// Families of keys, of which any member is known.
fn families(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    if let Some(called) = rest.strip_prefix("telemetry.metadata.").or_else(|| rest.strip_prefix("settings.context.")) {
        match called {
            "userId" | "user_id" | "user.id" => draft.declared.user_id.offer_some(b, any::into_text(value)),
            "sessionId" | "session_id" | "threadId" | "thread_id" | "conversationId" | "conversation_id" | "chatId" => {
                draft.declared.conversation_id.offer_some(b, any::into_text(value));
            }
            _ => draft.keep(key.to_owned(), value),
        }
    } else if rest.starts_with("settings.") || rest.starts_with("telemetry.") {
        draft.keep(key.to_owned(), value);
    } else if !rest.starts_with("request.") {
        // Requests hold headers, and those hold keys of interfaces.
        return Some(value);
    }
    None
}

/// The kind of a step by the SDK's name of the operation. `None` for what is none of the SDK's.
fn kind_of(operation: &str) -> Option<StepKind> {
    let rest = operation.strip_prefix("ai.")?;
    let is_inner = rest.contains(".do");
    Some(if rest == "toolCall" {
        StepKind::Tool
    } else if rest.starts_with("embed") {
        if is_inner { StepKind::Embedding } else { StepKind::Chain }
    } else if rest.starts_with("rerank") {
        if is_inner { StepKind::Retrieval } else { StepKind::Chain }
    } else if is_inner {
        StepKind::Model
    } else {
        StepKind::Agent
    })
}

fn tool_calls(draft: &mut Draft, value: AnyValue) {
    let b = draft.base;
    let Some(Value::Array(calls)) = any::into_text(value).and_then(|text| serde_json::from_str(&text).ok()) else {
        return;
    };
    let Some(message) = draft.message_out(b, 0) else { return };
    message.role.get_or_insert_with(|| "assistant".to_owned());
    for (at, mut call) in (0u16..400).zip(calls) {
        let mut take = |keys: [&str; 2]| {
            keys.into_iter().find_map(|key| call.get_mut(key).map(Value::take)).map(messages::json_text)
        };
        let (id, name, arguments) = (take(["toolCallId", "id"]), take(["toolName", "name"]), take(["input", "args"]));
        if let Some(name) = name {
            message.calls.insert(at, ToolCall { id, name, arguments: text::content(arguments.unwrap_or_default()) });
        }
    }
}

fn count(draft: &mut Draft, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    let (slot, rank): (UsageSlot, u8) = match rest {
        "inputTokens" => (|u| &mut u.input, 0),
        "promptTokens" | "tokens" => (|u| &mut u.input, 1),
        "outputTokens" => (|u| &mut u.output, 0),
        "completionTokens" => (|u| &mut u.output, 1),
        "totalTokens" => (|u| &mut u.total, 0),
        "cachedInputTokens" => (|u| &mut u.cache_read, 1),
        "inputTokenDetails.cacheReadTokens" => (|u| &mut u.cache_read, 0),
        "inputTokenDetails.cacheWriteTokens" => (|u| &mut u.cache_write, 0),
        "reasoningTokens" => (|u| &mut u.reasoning, 0),
        "outputTokenDetails.reasoningTokens" => (|u| &mut u.reasoning, 1),
        _ if rest.starts_with("inputTokenDetails.") || rest.starts_with("outputTokenDetails.") => return None,
        _ => return Some(value),
    };
    let count = draft.count(&value);
    slot(&mut draft.usage).offer_some(b + rank, count);
    // The embeddings of version 7 report their tokens in the standard's keys only.
    draft.basis.offer(b, Basis::Inclusive);
    None
}

/// What the provider itself said, as JSON: details of usage that the SDK's own keys lack.
fn provider_metadata(draft: &mut Draft, key: &str, value: AnyValue) {
    let rank = draft.base + 5;
    let Some(text) = any::into_text(value) else { return };
    let telling = ["Tokens\"", "_tokens\""].iter().any(|word| text.contains(word));
    let said = if telling { serde_json::from_str(&text).unwrap_or(Value::Null) } else { Value::Null };
    draft.keep_text(key.to_owned(), text);
    let count = |path: &[&str]| path.iter().try_fold(&said, |value, key| value.get(key))?.as_u64();
    let usage = &mut draft.usage;
    for vendor in ["openai", "azure"] {
        usage.cache_read.offer_some(rank, count(&[vendor, "cachedPromptTokens"]));
        usage.reasoning.offer_some(rank, count(&[vendor, "reasoningTokens"]));
    }
    usage.cache_read.offer_some(rank, count(&["anthropic", "usage", "cache_read_input_tokens"]));
    let lifetimes = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];
    let [short, long] = lifetimes.map(|key| count(&["anthropic", "usage", "cache_creation", key]));
    usage.cache_write_5m.offer_some(rank, short);
    usage.cache_write_1h.offer_some(rank, long);
    let written = count(&["anthropic", "usage", "cache_creation_input_tokens"])
        .or_else(|| count(&["anthropic", "cacheCreationInputTokens"]));
    usage.cache_write.offer_some(rank, written);
    usage.cache_read.offer_some(rank, count(&["bedrock", "usage", "cacheReadInputTokens"]));
    usage.cache_write.offer_some(rank, count(&["bedrock", "usage", "cacheWriteInputTokens"]));
    let cached = usage.cache_read.get().copied().unwrap_or(0) + usage.cache_write.get().copied().unwrap_or(0);
    if let Some(n) = count(&["anthropic", "usage", "input_tokens"])
        && cached > 0
    {
        usage.uncached_input = Some(n);
    }
}
