//! Langfuse's own keys, as its libraries send them over OTLP.
//!
//! Usage details are disjoint: `input` does not hold the cached tokens.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::Value;
use steward_core::money::Nanos;
use steward_core::step::{StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_core::usage::Basis;

use super::is_empty;
use crate::any;
use crate::draft::{Content, Draft, Ranked};

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let Some(rest) = key.strip_prefix("langfuse.") else { return Some(value) };
    let b = draft.base;
    if let Some(rest) = rest.strip_prefix("observation.") {
        return of_observation(draft, key, rest, value);
    }
    match rest {
        "user.id" => draft.declared.user_id.offer_some(b, any::into_text(value)),
        "session.id" => draft.declared.conversation_id.offer_some(b, any::into_text(value)),
        "environment" => draft.declared.environment.offer_some(b, any::into_text(value)),
        "release" => draft.declared.release.offer_some(b + 1, any::into_text(value)),
        "version" => draft.declared.release.offer_some(b, any::into_text(value)),
        "trace.input" => offer(&mut draft.input, b + 11, value),
        "trace.output" => offer(&mut draft.output, b + 11, value),
        "trace.name" | "trace.tags" | "tags" | "prompt.name" | "prompt.version" | "experiment.id"
        | "experiment.name" => {
            draft.keep(key.to_owned(), value);
        }
        "public" | "trace.public" => {}
        _ if rest.starts_with("internal.") => {}
        _ if rest.starts_with("trace.metadata") || rest.starts_with("metadata") || rest.starts_with("experiment.") => {
            draft.keep(key.to_owned(), value);
        }
        _ => return Some(value),
    }
    None
}

fn offer(slot: &mut Ranked<Content>, rank: u8, value: AnyValue) {
    if !is_empty(&value) {
        slot.offer(rank, Content::Value(value));
    }
}

fn of_observation(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "type" => {
            let kind = match any::into_text(value)?.to_ascii_lowercase().as_str() {
                "generation" => StepKind::Model,
                "embedding" => StepKind::Embedding,
                "agent" => StepKind::Agent,
                "tool" => StepKind::Tool,
                "chain" => StepKind::Chain,
                "retriever" => StepKind::Retrieval,
                "guardrail" | "evaluator" => StepKind::Guardrail,
                "span" | "event" => StepKind::Other,
                _ => return None,
            };
            // A plain span may be more by another dialect's word.
            draft.kind.offer(if kind == StepKind::Other { 200 } else { b }, kind);
        }
        "input" => offer(&mut draft.input, b, value),
        "output" => offer(&mut draft.output, b, value),
        "model.name" => draft.model.offer_some(b, any::into_text(value)),
        "level" => {
            let word = any::into_text(value).unwrap_or_default().to_ascii_uppercase();
            if matches!(word.as_str(), "ERROR" | "FATAL" | "CRITICAL") {
                draft.step.status = StepStatus::Error;
            }
        }
        "status_message" => {
            if let Some(text) = any::into_text(value) {
                draft.status_message = text;
            }
        }
        "usage_details" => usage(draft, value),
        "cost_details" => cost(draft, value),
        "completion_start_time" => {
            let text = any::into_text(value).unwrap_or_default();
            if let Some(at) = Timestamp::parse(text.trim_matches('"'))
                && at >= draft.step.started_at
                && at <= draft.step.ended_at
            {
                draft.first_token_ms.offer(b, at.ms_since(draft.step.started_at));
            }
        }
        "model.parameters" | "prompt.name" | "prompt.version" => draft.keep(key.to_owned(), value),
        _ if rest.starts_with("metadata") => draft.keep(key.to_owned(), value),
        _ => return Some(value),
    }
    None
}

fn usage(draft: &mut Draft, value: AnyValue) {
    let b = draft.base;
    let Value::Object(details) = opened(value) else {
        return draft.note("usage details that are no JSON object were left out");
    };
    // OpenAI's own names come with OpenAI's own meaning.
    let inclusive = details.contains_key("prompt_tokens") || details.contains_key("input_tokens_details");
    for (key, value) in details {
        let Some(n) = value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64)) else {
            continue;
        };
        let usage = &mut draft.usage;
        match key.as_str() {
            "input" | "prompt_tokens" | "input_tokens" => usage.input.offer(b, n),
            "output" | "completion_tokens" | "output_tokens" => usage.output.offer(b, n),
            "total" | "total_tokens" => usage.total.offer(b, n),
            "input_cached_tokens" | "cache_read_input_tokens" | "input_cache_read" => usage.cache_read.offer(b, n),
            "input_cache_creation" | "cache_creation_input_tokens" | "input_cache_write" => {
                usage.cache_write.offer(b, n)
            }
            "output_reasoning_tokens" | "output_reasoning" => {
                usage.reasoning.offer(b, n);
            }
            "input_audio_tokens" => usage.input_audio.offer(b, n),
            "output_audio_tokens" => usage.output_audio.offer(b, n),
            _ => {}
        }
    }
    draft.basis.offer(b, if inclusive { Basis::Inclusive } else { Basis::Exclusive });
    if !inclusive {
        // On this basis the parts stand beside the wholes; Steward's reader takes details out of them again.
        add(&mut draft.usage.output, draft.usage.reasoning.get().copied(), draft.usage.output_audio.get().copied(), b);
        add(&mut draft.usage.input, draft.usage.input_audio.get().copied(), None, b);
    }
}

fn add(whole: &mut Ranked<u64>, one: Option<u64>, other: Option<u64>, rank: u8) {
    let more = one.unwrap_or(0).saturating_add(other.unwrap_or(0));
    if more > 0 {
        let sum = whole.take().unwrap_or(0).saturating_add(more);
        whole.offer(rank, sum);
    }
}

fn cost(draft: &mut Draft, value: AnyValue) {
    let b = draft.base;
    let Value::Object(details) = opened(value) else {
        return draft.note("cost details that are no JSON object were left out");
    };
    let amount = |value: &Value| value.as_f64().and_then(Nanos::from_units).filter(|nanos| nanos.0 >= 0);
    match details.get("total").and_then(amount) {
        Some(total) => draft.cost.offer(b, total),
        None => {
            let parts: Vec<Nanos> = details.values().filter_map(amount).collect();
            if !parts.is_empty() {
                draft.cost.offer(b, parts.into_iter().fold(Nanos::default(), Nanos::plus));
            }
        }
    }
}

fn opened(value: AnyValue) -> Value {
    match any::into_json(value, 0) {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
        other => other,
    }
}
