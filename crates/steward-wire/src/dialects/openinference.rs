//! OpenInference, as Arize's instrumentations and Phoenix speak it.
//!
//! Prompt tokens include cached ones and completion tokens include reasoning.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::Value;
use steward_core::step::StepKind;
use steward_core::usage::Basis;

use super::offer;
use super::otel_genai::provider_word;
use crate::draft::{Draft, IndexedMessage, UsageSlot, index};
use crate::rules::Part;
use crate::{any, messages, text};

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    if let Some(rest) = key.strip_prefix("llm.") {
        return of_llm(draft, key, rest, value);
    }
    match key {
        "openinference.span.kind" => {
            let word = any::into_text(value)?;
            match kind_of(&word) {
                Some(kind) => draft.kind.offer(b, kind),
                None => draft.keep_text(key.to_owned(), word),
            }
        }
        "input.value" => offer(&mut draft.input, b + 5, value),
        "output.value" => offer(&mut draft.output, b + 5, value),
        "input.mime_type" | "output.mime_type" | "tool.description" | "tool.parameters" | "tool.json_schema" => {}
        "tool.name" => {
            draft.tool.offer_some(b, any::into_text(value));
            draft.kind.offer(b + 6, StepKind::Tool);
        }
        "tool.id" | "tool_call.id" => draft.tool_call_id = any::into_text(value).or(draft.tool_call_id.take()),
        "tool_call.function.name" => draft.tool.offer_some(b + 1, any::into_text(value)),
        "tool_call.function.arguments" => offer(&mut draft.input, b + 4, value),
        "session.id" => draft.declared.conversation_id.offer_some(b, any::into_text(value)),
        "user.id" => draft.declared.user_id.offer_some(b, any::into_text(value)),
        "agent.name" => draft.agent.offer_some(b, any::into_text(value)),
        "embedding.model_name" => {
            draft.model.offer_some(b + 1, any::into_text(value));
            draft.kind.offer(b + 7, StepKind::Embedding);
        }
        "embedding.invocation_parameters" => draft.keep(key.to_owned(), value),
        "reranker.query" => offer(&mut draft.input, b + 3, value),
        "reranker.model_name" => {
            draft.model.offer_some(b + 1, any::into_text(value));
            draft.kind.offer(b + 7, StepKind::Retrieval);
        }
        "reranker.top_k"
        | "tag.tags"
        | "graph.node.id"
        | "graph.node.name"
        | "graph.node.parent_id"
        | "prompt.id"
        | "prompt.vendor"
        | "prompt.url"
        | "audio.transcript" => draft.keep(key.to_owned(), value),
        "metadata" => metadata(draft, value),
        "image.url" | "audio.url" | "audio.mime_type" => {}
        _ => return indexed(draft, key, value),
    }
    None
}

fn kind_of(word: &str) -> Option<StepKind> {
    Some(match word.to_ascii_uppercase().as_str() {
        "LLM" => StepKind::Model,
        "CHAIN" => StepKind::Chain,
        "TOOL" => StepKind::Tool,
        "AGENT" => StepKind::Agent,
        "RETRIEVER" | "RERANKER" => StepKind::Retrieval,
        "EMBEDDING" => StepKind::Embedding,
        "GUARDRAIL" | "EVALUATOR" => StepKind::Guardrail,
        "PROMPT" => StepKind::Other,
        _ => return None,
    })
}

fn of_llm(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    if let Some(rest) = rest.strip_prefix("token_count.") {
        return count(draft, rest, value);
    }
    if let Some((at, field)) = rest.strip_prefix("input_messages.").and_then(index) {
        return match draft.message_in(b + 1, at) {
            Some(message) => message_field(message, field, value),
            None => None,
        };
    }
    if let Some((at, field)) = rest.strip_prefix("output_messages.").and_then(index) {
        return match draft.message_out(b + 1, at) {
            Some(message) => message_field(message, field, value),
            None => None,
        };
    }
    match rest {
        "model_name" => {
            draft.model.offer_some(b + 1, any::into_text(value));
            draft.kind.offer(b + 7, StepKind::Model);
        }
        "response.model_name" => draft.model.offer_some(b, any::into_text(value)),
        "request.model_name" => draft.model.offer_some(b + 2, any::into_text(value)),
        "provider" => draft.provider.offer_some(b, any::into_text(value).map(provider_word)),
        "system" => draft.provider.offer_some(b + 1, any::into_text(value).map(provider_word)),
        "finish_reason" => draft.finish_reason.offer_some(b, any::into_first_text(value)),
        "cost.total" => {
            let cost = draft.money(&value);
            draft.cost.offer_some(b, cost);
        }
        "cost.prompt" | "cost.completion" => draft.cost_part(&value),
        "invocation_parameters"
        | "prompt_template.template"
        | "prompt_template.variables"
        | "prompt_template.version" => {
            draft.keep(key.to_owned(), value);
        }
        "function_call" => offer(&mut draft.output, b + 4, value),
        _ if rest.starts_with("cost.") => {}
        _ if rest.starts_with("tools.") => {
            // The first tool's schema is kept: it tells a change of the tools apart.
            if rest.starts_with("tools.0.") {
                draft.keep(key.to_owned(), value);
            }
        }
        _ => {
            if let Some((at, "prompt.text")) = rest.strip_prefix("prompts.").and_then(index) {
                if let Some(message) = draft.message_in(b + 2, at) {
                    message.content = Some(value);
                }
                return None;
            }
            if let Some((at, "completion.text")) = rest.strip_prefix("choices.").and_then(index) {
                if let Some(message) = draft.message_out(b + 2, at) {
                    message.content = Some(value);
                }
                return None;
            }
            return Some(value);
        }
    }
    None
}

fn count(draft: &mut Draft, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    let (slot, rank): (UsageSlot, u8) = match rest {
        "prompt" => (|u| &mut u.input, 0),
        "completion" => (|u| &mut u.output, 0),
        "total" => (|u| &mut u.total, 0),
        "prompt_details.cache_read" => (|u| &mut u.cache_read, 0),
        "prompt_details.cache_write" => (|u| &mut u.cache_write, 0),
        "prompt_details.cache_input" => (|u| &mut u.cache_read, 1),
        "prompt_details.audio" => (|u| &mut u.input_audio, 0),
        "completion_details.reasoning" => (|u| &mut u.reasoning, 0),
        "completion_details.audio" => (|u| &mut u.output_audio, 0),
        _ => return Some(value),
    };
    let count = draft.count(&value);
    slot(&mut draft.usage).offer_some(b + rank, count);
    draft.basis.offer(b, Basis::Inclusive);
    None
}

fn message_field(message: &mut IndexedMessage, field: &str, value: AnyValue) -> Option<AnyValue> {
    let Some(field) = field.strip_prefix("message.") else { return Some(value) };
    match field {
        "role" => message.role = any::into_text(value),
        "content" => message.content = Some(value),
        "name" => message.name = any::into_text(value),
        "tool_call_id" => message.tool_call_id = any::into_text(value),
        "function_call_name" => message.call(0).name = any::into_text(value).unwrap_or_default(),
        "function_call_arguments_json" => {
            message.call(0).arguments = text::content(any::into_text(value).unwrap_or_default())
        }
        _ => {
            if let Some((at, field)) = field.strip_prefix("contents.").and_then(index) {
                let part = message.parts.entry(at).or_default();
                match field {
                    "message_content.type" => part.kind = any::into_text(value),
                    "message_content.text" => part.text = any::into_text(value).map(text::content),
                    _ => {
                        if part.kind.is_none() && field.contains("image") {
                            part.kind = Some("image".to_owned());
                        }
                    }
                }
                return None;
            }
            let Some((at, field)) = field.strip_prefix("tool_calls.").and_then(index) else { return Some(value) };
            let call = message.call(at);
            match field {
                "tool_call.id" => call.id = any::into_text(value),
                "tool_call.function.name" => call.name = any::into_text(value).unwrap_or_default(),
                "tool_call.function.arguments" => {
                    call.arguments = text::content(any::into_text(value).unwrap_or_default())
                }
                "tool_call.reasoning_signature" => {}
                _ => return Some(value),
            }
        }
    }
    None
}

/// Documents, embeddings and judgements, which are counted in dotted keys.
fn indexed(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    if let Some((at, field)) = key
        .strip_prefix("retrieval.documents.")
        .or_else(|| key.strip_prefix("reranker.output_documents."))
        .and_then(index)
    {
        draft.kind.offer(b + 7, StepKind::Retrieval);
        draft.rules.fired(b, Part::Output);
        let document = draft.documents.entry(at).or_default();
        match field {
            "document.id" => document.id = any::into_text(value),
            "document.content" => document.text = any::into_text(value),
            _ => {}
        }
        return None;
    }
    if let Some((at, field)) = key.strip_prefix("embedding.embeddings.").and_then(index) {
        draft.kind.offer(b + 7, StepKind::Embedding);
        if field == "embedding.text"
            && let Some(message) = draft.message_in(b + 3, at)
        {
            message.role = Some("assistant".to_owned());
            message.content = Some(value);
        }
        return None;
    }
    if key.starts_with("reranker.input_documents.") {
        return None;
    }
    judgement(draft, key, value)
}

fn judgement(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    const FAMILIES: [&str; 6] = [
        "annotations.",
        "evaluations.",
        "trace.annotations.",
        "trace.evaluations.",
        "session.annotations.",
        "session.evaluations.",
    ];
    let Some((family, (at, field))) =
        FAMILIES.iter().find_map(|family| Some((*family, key.strip_prefix(family).and_then(index)?)))
    else {
        return Some(value);
    };
    let Some(field) = field.strip_prefix("annotation.").or_else(|| field.strip_prefix("evaluation.")) else {
        return Some(value);
    };
    draft.rules.fired(draft.base, Part::Score);
    let score = draft.annotations.entry((family, at)).or_default();
    match field {
        "name" => score.name = any::into_text(value),
        "score" => score.value = any::number(&value),
        "label" => score.label = any::into_text(value),
        "explanation" => score.explanation = any::into_text(value),
        "annotator_kind" => {
            score.by_human = any::into_text(value).is_some_and(|kind| kind.eq_ignore_ascii_case("human"))
        }
        _ => {}
    }
    None
}

/// Opens the metadata, a JSON text: what names a user or a conversation is used, other scalars are kept.
fn metadata(draft: &mut Draft, value: AnyValue) {
    let b = draft.base;
    let Some(text) = any::into_text(value) else { return };
    let Ok(Value::Object(object)) = serde_json::from_str(&text) else {
        return draft.keep_text("metadata".to_owned(), text);
    };
    for (key, value) in object {
        match key.as_str() {
            "langfuse_user_id" | "user_id" | "userId" => {
                draft.declared.user_id.offer(b + 6, messages::json_text(value))
            }
            "langfuse_session_id" | "session_id" | "sessionId" | "conversation_id" | "thread_id" => {
                draft.declared.conversation_id.offer(b + 6, messages::json_text(value));
            }
            _ if value.is_null() => {}
            _ => draft.keep_text(format!("metadata.{key}"), messages::json_text(value)),
        }
    }
}
