//! The Vercel AI SDK's own keys (`ai.*`, versions 4 to 6; later versions speak the standard).
//!
//! An outer span, `ai.generateText`, repeats what the inner ones, `ai.generateText.doGenerate`, report. So the
//! outer is an agent's step and the inner a model's, and only the inner one's tokens count in the end.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::Value;
use steward_core::step::{StepKind, ToolCall};
use steward_core::usage::Basis;

use super::is_empty;
use super::otel_genai::provider_word;
use crate::draft::{Content, Draft, Ranked, UsageSlot};
use crate::{any, messages, text};

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let Some(rest) = key.strip_prefix("ai.") else {
        return match key {
            "operation.name" | "resource.name" => None,
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
            let kind = if word == "ai.toolCall" {
                StepKind::Tool
            } else if word.contains("mbed") {
                if word.ends_with("doEmbed") { StepKind::Embedding } else { StepKind::Chain }
            } else if word.contains(".do") {
                StepKind::Model
            } else {
                StepKind::Agent
            };
            draft.kind.offer(b, kind);
            draft.keep_text(key.to_owned(), word);
        }
        "telemetry.functionId" => {
            draft.agent.offer_some(b + 3, any::into_text(value));
        }
        "model.id" => draft.model.offer_some(b + 2, any::into_text(value)),
        "response.model" => draft.model.offer_some(b, any::into_text(value)),
        "model.provider" => draft.provider.offer_some(b, any::into_text(value).map(provider_word)),
        "response.id" => draft.response_id.offer_some(b, any::into_text(value)),
        "response.finishReason" => draft.finish_reason.offer_some(b, any::into_text(value)),
        "response.msToFirstChunk" | "stream.msToFirstChunk" => {
            let ms = any::number(&value).filter(|ms| ms.is_finite() && *ms >= 0.0).map(|ms| ms.round() as i64);
            draft.first_token_ms.offer_some(b, ms);
        }
        "prompt.messages" => offer(&mut draft.input, b, value),
        "prompt" | "value" | "values" => offer(&mut draft.input, b + 1, value),
        "response.text" | "response.object" | "result.text" | "result.object" => {
            if let Some(said) = any::into_text(value)
                && let Some(message) = draft.message_out(b, 0)
            {
                message.role = Some("assistant".to_owned());
                message.content = Some(text_value(said));
            }
        }
        "response.toolCalls" | "result.toolCalls" => tool_calls(draft, value),
        "toolCall.name" => draft.tool.offer_some(b, any::into_text(value)),
        "toolCall.id" => draft.tool_call_id = any::into_text(value),
        "toolCall.args" | "toolCall.input" => offer(&mut draft.input, b, value),
        "toolCall.result" | "toolCall.output" => offer(&mut draft.output, b, value),
        "telemetry.metadata.userId" => draft.declared.user_id.offer_some(b, any::into_text(value)),
        "telemetry.metadata.sessionId" | "telemetry.metadata.threadId" | "telemetry.metadata.conversationId" => {
            draft.declared.conversation_id.offer_some(b, any::into_text(value));
        }
        "response.timestamp"
        | "response.msToFinish"
        | "response.avgCompletionTokensPerSecond"
        | "response.avgOutputTokensPerSecond" => {}
        "prompt.tools" | "prompt.toolChoice" | "schema" | "embedding" | "embeddings" => {}
        _ if rest.starts_with("request.headers.") => {}
        _ => draft.keep(key.to_owned(), value),
    }
    None
}

fn offer(slot: &mut Ranked<Content>, rank: u8, value: AnyValue) {
    if !is_empty(&value) {
        slot.offer(rank, Content::Value(value));
    }
}

fn text_value(text: String) -> AnyValue {
    AnyValue { value: Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text)) }
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
    draft.basis.offer(b, Basis::Inclusive);
    None
}
