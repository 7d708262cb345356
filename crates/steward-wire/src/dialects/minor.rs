//! The smaller dialects, whose keys cost a rule each. Most of them stand beside the standard's keys, which say more
//! and win; a span that has nothing but them is named after its family.
//!
//! | name | keys |
//! |---|---|
//! | `laminar` | `lmnr.*` |
//! | `langwatch` | `langwatch.*`; what went in and out is wrapped with its form |
//! | `langsmith` | `langsmith.*` |
//! | `livekit` | `lk.*`; the span's name tells what it is |
//! | `mlflow` | `mlflow.*`; every value is JSON |
//! | `mastra` | `mastra.*` |
//! | `genkit` | `genkit:*` |
//! | `google_adk` | `gcp.vertex.agent.*` |
//! | `claude_code` | bare keys on spans that are called `claude_code.*`; tokens stand beside the cached ones |
//! | – | Pydantic AI, Logfire, CrewAI, LiteLLM, OpenRouter, Spring AI, Strands: single keys beside the standard's |

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue};
use serde_json::{Map, Value};
use steward_core::step::StepKind;
use steward_core::usage::Basis;

use super::offer;
use super::otel_genai::provider_word;
use crate::draft::{Content, Draft, UsageSlot};
use crate::{any, messages};

/// Uses up a key of a family, or gives its value back; the third argument is the key without the family's mark.
type Take = fn(&mut Draft, &str, &str, AnyValue) -> Option<AnyValue>;

/// The marks of the families, each with the name of its dialect. Their first letters stand in [`is_candidate`] too.
const FAMILIES: [(&str, &str, Take); 8] = [
    ("lmnr.", "laminar", laminar),
    ("langwatch.", "langwatch", langwatch),
    ("langsmith.", "langsmith", langsmith),
    ("lk.", "livekit", livekit),
    ("mlflow.", "mlflow", mlflow),
    ("mastra.", "mastra", mastra),
    ("genkit:", "genkit", genkit),
    ("gcp.vertex.agent.", "google_adk", google_adk),
];

fn is_candidate(key: &str) -> bool {
    matches!(key.as_bytes().first(), Some(b'g' | b'l' | b'm'))
}

/// The dialect that a key is a mark of.
pub(super) fn of_key(key: &str) -> Option<&'static str> {
    FAMILIES.iter().find(|(mark, ..)| key.starts_with(mark)).map(|(_, name, _)| *name)
}

/// The dialect that a span's name is a mark of.
pub(super) fn of_name(called: &str) -> Option<&'static str> {
    called.starts_with("claude_code.").then_some("claude_code")
}

pub(super) fn take(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    if is_candidate(key) {
        for (mark, _, take) in FAMILIES {
            if let Some(rest) = key.strip_prefix(mark) {
                return take(draft, key, rest, value);
            }
        }
    }
    if of_name(&draft.step.name).is_some() {
        return claude_code(draft, key, value);
    }
    single(draft, key, value)
}

/// One word for what a span is, as most of these dialects use it.
fn kind_of(word: &str) -> Option<StepKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "llm" | "chat_model" | "model" | "generation" | "model_generation" | "model_step" | "model_inference" => {
            StepKind::Model
        }
        "tool" | "tool_call" | "mcp_tool_call" | "function" => StepKind::Tool,
        "agent" | "agent_run" => StepKind::Agent,
        "chain" | "workflow" | "workflow_run" | "workflow_step" | "task" | "flow" | "executor" | "component"
        | "module" | "processor_run" => StepKind::Chain,
        "retriever" | "retrieval" | "rag" | "reranker" | "memory" => StepKind::Retrieval,
        "embedding" | "embedder" => StepKind::Embedding,
        "guardrail" | "evaluator" | "evaluation" | "human_evaluator" => StepKind::Guardrail,
        _ => return None,
    })
}

fn offer_kind(draft: &mut Draft, rank: u8, value: AnyValue) {
    let word = any::into_text(value).unwrap_or_default();
    if let Some(kind) = kind_of(word.trim_matches('"')) {
        draft.kind.offer(rank, kind);
    }
}

fn offer_session(draft: &mut Draft, value: AnyValue) {
    draft.declared.conversation_id.offer_some(draft.base + 2, any::into_text(unquoted(value)));
}

fn offer_user(draft: &mut Draft, value: AnyValue) {
    draft.declared.user_id.offer_some(draft.base + 2, any::into_text(unquoted(value)));
}

/// A text without the quotation marks of JSON.
fn unquoted(value: AnyValue) -> AnyValue {
    match value.value {
        Some(Any::StringValue(text)) if text.starts_with('"') => {
            let text = serde_json::from_str(&text).unwrap_or(text);
            AnyValue { value: Some(Any::StringValue(text)) }
        }
        other => AnyValue { value: other },
    }
}

fn laminar(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "span.type" => offer_kind(draft, b + 1, value),
        "span.input" => offer(&mut draft.input, b + 8, value),
        "span.output" => offer(&mut draft.output, b + 8, value),
        "association.properties.session_id" => offer_session(draft, value),
        "association.properties.user_id" => offer_user(draft, value),
        _ if rest.starts_with("association.properties.") => draft.keep(key.to_owned(), value),
        _ if rest.starts_with("span.") || rest.starts_with("internal.") => {}
        _ => return Some(value),
    }
    None
}

fn langwatch(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "span.type" => offer_kind(draft, b + 1, value),
        "thread.id" => offer_session(draft, value),
        "user.id" => offer_user(draft, value),
        "input" => draft.input.offer(b + 8, without_form(value)),
        "output" => draft.output.offer(b + 8, without_form(value)),
        "span.cost" => {
            let cost = draft.money(&value);
            draft.cost.offer_some(b + 1, cost);
        }
        "metrics" => {
            if let Some(Value::Object(mut counts)) =
                any::into_text(value).and_then(|text| serde_json::from_str(&text).ok())
            {
                // The form in which everything is wrapped.
                if let Some(Value::Object(inner)) = counts.remove("value") {
                    counts = inner;
                }
                counts_of(draft, &counts, Basis::Exclusive);
            }
        }
        "timestamps" | "tokens.estimated" | "cost.non_billable" => {}
        "customer.id" | "labels" | "tags" | "params" => draft.keep(key.to_owned(), value),
        _ => return Some(value),
    }
    None
}

/// What stands inside LangWatch's wrapping: `{"type": "chat_messages", "value": …}`.
fn without_form(value: AnyValue) -> Content {
    if let Some(Any::StringValue(text)) = &value.value
        && text.starts_with("{\"type\":")
        && let Ok(Value::Object(mut object)) = serde_json::from_str::<Value>(text)
        && let Some(inner) = object.remove("value")
    {
        return Content::Value(AnyValue { value: Some(Any::StringValue(messages::json_text(inner))) });
    }
    Content::Value(value)
}

fn langsmith(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    match rest {
        "span.kind" => offer_kind(draft, draft.base + 1, value),
        "trace.session_id" | "metadata.session_id" | "metadata.thread_id" | "metadata.conversation_id" => {
            offer_session(draft, value);
        }
        "metadata.user_id" => offer_user(draft, value),
        _ if rest.starts_with("metadata.") || matches!(rest, "span.tags" | "trace.name") => {
            draft.keep(key.to_owned(), value);
        }
        _ if rest.starts_with("span.") || rest.starts_with("trace.") => {}
        _ => return Some(value),
    }
    None
}

fn livekit(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    let kind = match draft.step.name.as_str() {
        "llm_node" | "llm_request" | "llm_request_run" => Some(StepKind::Model),
        "function_tool" => Some(StepKind::Tool),
        "agent_turn" => Some(StepKind::Agent),
        "agent_session" => Some(StepKind::Chain),
        _ => None,
    };
    if let Some(kind) = kind {
        draft.kind.offer(b + 3, kind);
    }
    match rest {
        "input_text" | "user_transcript" | "user_input" => offer(&mut draft.input, b + 8, value),
        "chat_ctx" => offer(&mut draft.input, b + 7, value),
        "function_tool.name" => draft.tool.offer_some(b, any::into_text(value)),
        "function_tool.id" => draft.tool_call_id = any::into_text(value).or(draft.tool_call_id.take()),
        "function_tool.arguments" => offer(&mut draft.input, b + 6, value),
        "function_tool.output" => offer(&mut draft.output, b + 6, value),
        "function_tool.is_error" => {
            if any::truth(&value) == Some(true) {
                super::mark_error(draft);
            }
        }
        "response.text" => offer(&mut draft.output, b + 8, value),
        "agent_name" => draft.agent.offer_some(b, any::into_text(value)),
        "room_name" | "job_id" | "agent_label" | "interrupted" => draft.keep(key.to_owned(), value),
        // Durations and metrics of the parts of a voice turn.
        _ if rest.ends_with("_metrics") || rest.ends_with("_delay") || rest.starts_with("response.") => {}
        _ => draft.keep(key.to_owned(), value),
    }
    None
}

fn mlflow(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "spanType" => offer_kind(draft, b + 1, value),
        "spanInputs" => offer(&mut draft.input, b + 8, unquoted(value)),
        "spanOutputs" => offer(&mut draft.output, b + 8, unquoted(value)),
        "chat.tokenUsage" => {
            if let Some(Value::Object(counts)) = any::into_text(value).and_then(|text| serde_json::from_str(&text).ok())
            {
                counts_of(draft, &counts, Basis::Unknown);
            }
        }
        "llm.model" => draft.model.offer_some(b + 2, any::into_text(unquoted(value))),
        "llm.provider" => {
            draft.provider.offer_some(b + 2, any::into_text(unquoted(value)).map(provider_word));
        }
        "trace.session" => offer_session(draft, value),
        "trace.user" => offer_user(draft, value),
        "traceRequestId" | "spanFunctionName" | "spanLogLevel" | "message.format" | "experimentId" => {}
        _ => draft.keep(key.to_owned(), value),
    }
    None
}

fn mastra(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    match rest {
        "span.type" => offer_kind(draft, draft.base + 1, value),
        "metadata.threadId" | "metadata.sessionId" => offer_session(draft, value),
        "metadata.userId" | "metadata.resourceId" => offer_user(draft, value),
        _ if rest.ends_with(".input") => offer(&mut draft.input, draft.base + 9, value),
        _ if rest.ends_with(".output") => offer(&mut draft.output, draft.base + 9, value),
        _ => draft.keep(key.to_owned(), value),
    }
    None
}

fn genkit(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match rest {
        "metadata:subtype" => offer_kind(draft, b + 1, value),
        "type" => offer_kind(draft, b + 2, value),
        "name" => draft.shown_name.offer_some(b, any::into_text(value)),
        "input" => offer(&mut draft.input, b + 8, value),
        "output" => {
            let counts = match &value.value {
                Some(Any::StringValue(text)) if text.contains("\"usage\"") => {
                    serde_json::from_str::<Value>(text).ok().and_then(|mut read| read.get_mut("usage").map(Value::take))
                }
                _ => None,
            };
            if let Some(Value::Object(counts)) = counts {
                counts_of(draft, &counts, Basis::Inclusive);
            }
            offer(&mut draft.output, b + 8, value);
        }
        "state" => {
            if any::into_text(value).as_deref() == Some("error") {
                super::mark_error(draft);
            }
        }
        "path" | "isRoot" | "rootState" => {}
        _ if rest.starts_with("metadata:context") => {}
        _ => draft.keep(key.to_owned(), value),
    }
    None
}

fn google_adk(draft: &mut Draft, key: &str, rest: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    // What the program was told not to send stands there as an empty object.
    let is_withheld = matches!(&value.value, Some(Any::StringValue(text)) if text.trim() == "{}");
    match rest {
        "llm_request" | "tool_call_args" | "llm_response" | "tool_response" if is_withheld => {}
        "llm_request" | "tool_call_args" => offer(&mut draft.input, b + 8, value),
        "llm_response" | "tool_response" => offer(&mut draft.output, b + 8, value),
        "session_id" => offer_session(draft, value),
        "invocation_id" | "event_id" => draft.keep(key.to_owned(), value),
        "data" => {}
        _ => return Some(value),
    }
    None
}

/// The bare keys of Claude Code's own spans.
fn claude_code(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    let kind = match draft.step.name.as_str() {
        "claude_code.llm_request" => StepKind::Model,
        "claude_code.tool" | "claude_code.tool.execution" => StepKind::Tool,
        "claude_code.interaction" => StepKind::Agent,
        _ => StepKind::Other,
    };
    draft.kind.offer(b + 3, kind);
    let slot: UsageSlot = match key {
        "model" => {
            draft.model.offer_some(b + 2, any::into_text(value));
            draft.provider.offer(b + 9, "anthropic".to_owned());
            return None;
        }
        "input_tokens" => |u| &mut u.input,
        "output_tokens" => |u| &mut u.output,
        "cache_read_tokens" => |u| &mut u.cache_read,
        "cache_creation_tokens" => |u| &mut u.cache_write,
        "tool_name" => {
            draft.tool.offer_some(b, any::into_text(value));
            return None;
        }
        "cost_usd" => {
            let cost = draft.money(&value);
            draft.cost.offer_some(b + 1, cost);
            return None;
        }
        "ttft_ms" => {
            draft.first_token_ms.offer_some(b, any::integer(&value).filter(|ms| *ms >= 0));
            return None;
        }
        "user_prompt" => {
            offer(&mut draft.input, b + 8, value);
            return None;
        }
        "success" => {
            if any::truth(&value) == Some(false) {
                super::mark_error(draft);
            }
            return None;
        }
        "error" => {
            draft.exception_message = draft.exception_message.take().or(any::into_text(value));
            return None;
        }
        "duration_ms" | "attempt" | "request_id" | "span.type" | "speed" | "llm_request.context" => {
            draft.keep(key.to_owned(), value);
            return None;
        }
        _ => return single(draft, key, value),
    };
    let count = draft.count(&value);
    slot(&mut draft.usage).offer_some(b + 2, count);
    draft.basis.offer(b, Basis::Exclusive);
    None
}

/// Single keys beside the standard's.
fn single(draft: &mut Draft, key: &str, value: AnyValue) -> Option<AnyValue> {
    let b = draft.base;
    match key {
        // Pydantic AI, and Logfire around it.
        "all_messages_events" | "pydantic_ai.all_messages" => offer(&mut draft.input, b + 10, value),
        "final_result" => offer(&mut draft.output, b + 10, value),
        "tool_arguments" => offer(&mut draft.input, b + 9, value),
        "tool_response" => offer(&mut draft.output, b + 9, value),
        "model_name" => draft.model.offer_some(b + 9, any::into_text(value)),
        "agent_name" => draft.agent.offer_some(b + 9, any::into_text(value)),
        "events" if is_list(&value) => offer(&mut draft.input, b + 12, value),
        "logfire.msg" | "hidden_params" | "crew_key" | "crew_id" | "task_key" | "task_id" | "event_loop.cycle_id" => {
            draft.keep(key.to_owned(), value);
        }
        "logfire.json_schema" | "model_request_parameters" => {}
        _ if ["logfire.", "pydantic_ai.", "openrouter.", "trace.metadata.openrouter.", "spring.ai.", "crewai."]
            .iter()
            .any(|family| key.starts_with(family)) =>
        {
            draft.keep(key.to_owned(), value);
        }
        _ => return Some(value),
    }
    None
}

fn is_list(value: &AnyValue) -> bool {
    match &value.value {
        Some(Any::ArrayValue(ArrayValue { values })) => !values.is_empty(),
        Some(Any::StringValue(text)) => text.starts_with("[{"),
        _ => false,
    }
}

/// Counts of tokens in an object, in camel or snake case.
fn counts_of(draft: &mut Draft, counts: &Map<String, Value>, basis: Basis) {
    let rank = draft.base + 3;
    let mut any_count = false;
    for (key, value) in counts {
        let slot: UsageSlot = match key.as_str() {
            "inputTokens" | "input_tokens" | "promptTokens" | "prompt_tokens" => |u| &mut u.input,
            "outputTokens" | "output_tokens" | "completionTokens" | "completion_tokens" => |u| &mut u.output,
            "totalTokens" | "total_tokens" => |u| &mut u.total,
            "cachedContentTokens" | "cache_read_input_tokens" | "cacheReadInputTokens" => |u| &mut u.cache_read,
            "cache_creation_input_tokens" | "cacheCreationInputTokens" => |u| &mut u.cache_write,
            "thoughtsTokens" | "reasoningTokens" | "reasoning_tokens" => |u| &mut u.reasoning,
            "cost" => {
                let amount = value.as_f64().and_then(steward_core::money::Nanos::from_units);
                draft.cost.offer_some(rank, amount.filter(|nanos| nanos.0 >= 0));
                continue;
            }
            _ => continue,
        };
        let n = value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64));
        slot(&mut draft.usage).offer_some(rank, n);
        any_count |= n.is_some();
    }
    if any_count {
        draft.basis.offer(rank, basis);
    }
}
