//! OpenLLMetry, as Traceloop's instrumentations speak it: its own keys around those of the standard.
//!
//! Its counts of tokens come in the standard's keys, but each instrumentation fills them in its own way.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use steward_core::step::StepKind;
use steward_core::usage::Basis;

use super::is_empty;
use crate::any;
use crate::draft::{Content, Draft};

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    if let Some(rest) = key.strip_prefix("traceloop.") {
        return of_traceloop(draft, key, rest, value);
    }
    if let Some(rest) = key.strip_prefix("llm.") {
        return of_llm(draft, key, rest, value);
    }
    if key.starts_with("db.vector.") || key.starts_with("db.query.result.") {
        draft.kind.offer(draft.base + 6, StepKind::Retrieval);
        draft.keep(key.to_owned(), value);
        return None;
    }
    Some(value)
}

fn of_traceloop(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "span.kind" => {
            let kind = match any::into_text(value)?.as_str() {
                "workflow" | "task" => StepKind::Chain,
                "agent" => StepKind::Agent,
                "tool" => StepKind::Tool,
                _ => return None,
            };
            draft.kind.offer(b, kind);
            draft.basis.offer(b, Basis::Unknown);
        }
        "entity.name" => draft.shown_name.offer_some(b, any::into_text(value)),
        "entity.input" if !is_empty(&value) => draft.input.offer(b + 8, Content::Value(any::unwrapped(value))),
        "entity.output" if !is_empty(&value) => draft.output.offer(b + 8, Content::Value(any::unwrapped(value))),
        "entity.input" | "entity.output" | "entity.path" => {}
        "workflow.name" | "entity.version" => draft.keep(key.to_owned(), value),
        _ => {
            if let Some(called) = rest.strip_prefix("association.properties.") {
                association(draft, key, called, value);
            } else if rest.starts_with("prompt.") && !rest.starts_with("prompt.template") {
                draft.keep(key.to_owned(), value);
            } else if rest != "correlation.id" && !rest.starts_with("prompt.") {
                return Some(value);
            }
        }
    }
    None
}

/// What a program says of the user and the session, and anything else that it wants to find again.
fn association(draft: &mut Draft, key: &str, called: &str, value: AnyValue) {
    let b = draft.base;
    match called {
        "user_id" | "userId" | "user.id" | "user" | "customer_id" | "customerId" => {
            let rank = if called.starts_with("user") { b } else { b + 1 };
            draft.declared.user_id.offer_some(rank, any::into_text(value));
        }
        "session_id" | "sessionId" | "session.id" | "conversation_id" | "conversationId" | "chat_id" | "chatId"
        | "thread_id" | "threadId" => {
            let rank = if called.starts_with("conversation") { b } else { b + 1 };
            draft.declared.conversation_id.offer_some(rank, any::into_text(value));
        }
        _ => draft.keep(key.to_owned(), value),
    }
}

fn of_llm(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "request.type" => {
            let kind = match any::into_text(value)?.as_str() {
                "chat" | "completion" => StepKind::Model,
                "embedding" => StepKind::Embedding,
                "rerank" => StepKind::Retrieval,
                _ => return None,
            };
            draft.kind.offer(b + 1, kind);
            draft.basis.offer(b, Basis::Unknown);
        }
        "usage.total_tokens" => {
            let count = draft.count(&value);
            draft.usage.total.offer_some(b, count);
            draft.basis.offer(b, Basis::Unknown);
        }
        "user" => draft.declared.user_id.offer_some(b + 2, any::into_text(value)),
        "response.finish_reason" | "response.stop_reason" => {
            draft.finish_reason.offer_some(b + 3, any::into_first_text(value))
        }
        // May hold keys of interfaces.
        "headers" => {}
        "prompts" => draft.input.offer(b + 7, Content::Value(value)),
        "completions" => draft.output.offer(b + 7, Content::Value(value)),
        "top_k"
        | "is_streaming"
        | "frequency_penalty"
        | "presence_penalty"
        | "chat.stop_sequences"
        | "request.repetition_penalty"
        | "temperature"
        | "top_p" => draft.keep(key.to_owned(), value),
        _ if rest.starts_with("request.functions.") || rest.starts_with("usage.") => {
            if rest.starts_with("request.functions.0.") {
                draft.keep(key.to_owned(), value);
            }
        }
        _ => return Some(value),
    }
    None
}
