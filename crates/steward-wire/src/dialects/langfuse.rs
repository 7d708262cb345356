//! Langfuse's own keys, as its libraries send them over OTLP.
//!
//! Usage details are disjoint: `input` does not hold the cached tokens. Those in OpenAI's own shape, with
//! `prompt_tokens` or nested details, come with OpenAI's meaning: there it does.

use opentelemetry_proto::tonic::common::v1::AnyValue;
use serde_json::{Map, Value};
use steward_core::money::Nanos;
use steward_core::step::{StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_core::usage::Basis;

use super::offer;
use crate::any;
use crate::draft::{Draft, Ranked, UsageSlot};
use crate::rules::RANK_OF_NOTHING;

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
        // The parent that it names is of another system, or of nobody.
        "internal.as_root" => {
            if any::truth(&value) == Some(true) {
                draft.step.parent_span_id = None;
            }
        }
        _ if rest.starts_with("internal.") => {}
        _ if rest.starts_with("trace.metadata") || rest.starts_with("metadata") || rest.starts_with("experiment.") => {
            draft.keep(key.to_owned(), value);
        }
        _ => return Some(value),
    }
    None
}

fn of_observation(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "type" => {
            let kind = kind_of(&any::into_text(value)?)?;
            // A plain span may be more by another dialect's word.
            draft.kind.offer(if kind == StepKind::Other { RANK_OF_NOTHING } else { b }, kind);
        }
        "input" => offer(&mut draft.input, b, value),
        "output" => offer(&mut draft.output, b, value),
        "model.name" => draft.model.offer_some(b, any::into_text(value)),
        "level" => {
            level(draft, &any::into_text(value).unwrap_or_default());
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

/// The kind of an observation by the name of its type, in any case. `None` for one that is not known.
pub(crate) fn kind_of(word: &str) -> Option<StepKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "generation" => StepKind::Model,
        "embedding" => StepKind::Embedding,
        "agent" => StepKind::Agent,
        "tool" => StepKind::Tool,
        "chain" => StepKind::Chain,
        "retriever" => StepKind::Retrieval,
        "guardrail" | "evaluator" => StepKind::Guardrail,
        "span" | "event" => StepKind::Other,
        _ => return None,
    })
}

/// Reads a level; one that is out of the ordinary is kept.
pub(crate) fn level(draft: &mut Draft, word: &str) {
    let word = word.to_ascii_uppercase();
    match word.as_str() {
        "ERROR" | "FATAL" | "CRITICAL" => draft.step.status = StepStatus::Error,
        "WARNING" | "WARN" => draft.keep_text("langfuse.observation.level".to_owned(), "WARNING".to_owned()),
        _ => {}
    }
}

fn usage(draft: &mut Draft, value: AnyValue) {
    match opened(value) {
        Value::Object(details) => usage_details(draft, details),
        _ => draft.note("usage details that are no JSON object were left out"),
    }
}

/// Reads counts of tokens by their names: Langfuse's own, OpenAI's, Anthropic's, or those of its older interface.
pub(crate) fn usage_details(draft: &mut Draft, details: Map<String, Value>) {
    let b = draft.base;
    // OpenAI's own names come with OpenAI's own meaning.
    let inclusive = ["prompt_tokens", "promptTokens", "input_tokens_details", "prompt_tokens_details"]
        .iter()
        .any(|key| details.contains_key(*key));
    for (key, value) in details {
        match (key.as_str(), &value) {
            ("prompt_tokens_details" | "input_tokens_details", Value::Object(parts)) => {
                let usage = &mut draft.usage;
                usage.cache_read.offer_some(b, parts.get("cached_tokens").and_then(whole));
                usage.input_audio.offer_some(b, parts.get("audio_tokens").and_then(whole));
            }
            ("completion_tokens_details" | "output_tokens_details", Value::Object(parts)) => {
                let usage = &mut draft.usage;
                usage.reasoning.offer_some(b, parts.get("reasoning_tokens").and_then(whole));
                usage.output_audio.offer_some(b, parts.get("audio_tokens").and_then(whole));
            }
            _ => count(draft, &key, &value),
        }
    }
    draft.basis.offer(b, if inclusive { Basis::Inclusive } else { Basis::Exclusive });
    if !inclusive {
        // On this basis the parts stand beside the wholes; Steward's reader takes details out of them again.
        add(&mut draft.usage.output, draft.usage.reasoning.get().copied(), draft.usage.output_audio.get().copied(), b);
        add(&mut draft.usage.input, draft.usage.input_audio.get().copied(), None, b);
    }
}

fn count(draft: &mut Draft, key: &str, value: &Value) {
    let b = draft.base;
    let slot: UsageSlot = match key {
        "input" | "prompt_tokens" | "input_tokens" | "promptTokens" => |u| &mut u.input,
        "output" | "completion_tokens" | "output_tokens" | "completionTokens" => |u| &mut u.output,
        "total" | "total_tokens" | "totalTokens" => |u| &mut u.total,
        "input_cached_tokens" | "cache_read_input_tokens" | "input_cache_read" | "cached_tokens" => {
            |u| &mut u.cache_read
        }
        "input_cache_creation" | "cache_creation_input_tokens" | "input_cache_write" => |u| &mut u.cache_write,
        "input_cache_creation_5m" => |u| &mut u.cache_write_5m,
        "input_cache_creation_1h" => |u| &mut u.cache_write_1h,
        "output_reasoning_tokens" | "output_reasoning" | "reasoning_tokens" => |u| &mut u.reasoning,
        "input_audio_tokens" | "input_audio" => |u| &mut u.input_audio,
        "output_audio_tokens" | "output_audio" => |u| &mut u.output_audio,
        _ => return,
    };
    if value.is_null() {
        return;
    }
    match whole(value) {
        Some(n) => slot(&mut draft.usage).offer(b, n),
        None => draft.note("a number of tokens that is negative or no number was left out"),
    }
}

/// A count, also when it was written as a fraction.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))
}

fn add(whole: &mut Ranked<u64>, one: Option<u64>, other: Option<u64>, rank: u8) {
    let more = one.unwrap_or(0).saturating_add(other.unwrap_or(0));
    if more > 0 {
        let sum = whole.take().unwrap_or(0).saturating_add(more);
        whole.offer(rank, sum);
    }
}

fn cost(draft: &mut Draft, value: AnyValue) {
    match opened(value) {
        Value::Object(details) => cost_details(draft, &details),
        _ => draft.note("cost details that are no JSON object were left out"),
    }
}

/// Reads money: the total, or the sum of the parts where there is none.
pub(crate) fn cost_details(draft: &mut Draft, details: &Map<String, Value>) {
    let b = draft.base;
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
