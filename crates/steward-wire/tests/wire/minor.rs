use serde_json::json;
use steward_core::money::Nanos;
use steward_core::step::{Role, StepKind, StepStatus};
use steward_core::usage::Basis;

use crate::support::{said, span, step, step_of, with};

#[test]
fn a_span_with_nothing_but_a_family_s_keys_bears_its_name() {
    for (attributes, dialect, kind) in [
        (json!({"lmnr.span.type": "LLM"}), "laminar", StepKind::Model),
        (json!({"langwatch.span.type": "rag"}), "langwatch", StepKind::Retrieval),
        (json!({"langsmith.span.kind": "tool"}), "langsmith", StepKind::Tool),
        (json!({"mlflow.spanType": "\"CHAT_MODEL\""}), "mlflow", StepKind::Model),
        (json!({"mastra.span.type": "agent_run"}), "mastra", StepKind::Agent),
        (json!({"genkit:metadata:subtype": "embedder"}), "genkit", StepKind::Embedding),
        (json!({"gcp.vertex.agent.event_id": "e"}), "google_adk", StepKind::Other),
        (json!({"lk.room_name": "r"}), "livekit", StepKind::Other),
    ] {
        let step = step(attributes);
        assert_eq!((step.reading.dialect.as_str(), step.kind), (dialect, kind));
        assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
    }
    let both = step(json!({"lmnr.span.type": "LLM", "gen_ai.operation.name": "execute_tool"}));
    assert_eq!((both.reading.dialect.as_str(), both.kind), ("otel_genai", StepKind::Tool), "the standard says more");
}

#[test]
fn langwatch_s_wrapping_is_opened() {
    let step = step(json!({
        "langwatch.span.type": "llm", "langwatch.thread.id": "t-1", "langwatch.user.id": "u-1", "langwatch.span.cost": 0.5,
        "langwatch.input": r#"{"type":"chat_messages","value":[{"role":"user","content":"Hi"}]}"#,
        "langwatch.output": r#"{"type":"text","value":"Hello"}"#,
        "langwatch.metrics": r#"{"type":"json","value":{"promptTokens":4,"completionTokens":2}}"#,
    }));
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
    assert_eq!(said(&step.output), [(Role::Assistant, "Hello")]);
    assert_eq!(step.cost_nanos, Some(Nanos(500_000_000)));
    assert_eq!(step.usage.map(|usage| (usage.input, usage.output, usage.basis)), Some((4, 2, Basis::Exclusive)));
    let declared = step.declared.unwrap();
    assert_eq!((declared.user_id.as_deref(), declared.conversation_id.as_deref()), (Some("u-1"), Some("t-1")));
}

#[test]
fn genkit_s_answer_holds_its_tokens() {
    let step = step(json!({
        "genkit:metadata:subtype": "model", "genkit:name": "googleai/gemini-2.5-flash", "genkit:state": "error",
        "genkit:input": r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#,
        "genkit:output": r#"{"message":{"role":"model","content":[{"text":"Hello"}]},"usage":{"inputTokens":3,"outputTokens":2,"thoughtsTokens":1}}"#,
    }));
    assert_eq!((step.name.as_str(), step.status), ("googleai/gemini-2.5-flash", StepStatus::Error));
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
    assert_eq!(said(&step.output), [(Role::Assistant, "Hello")]);
    assert_eq!(step.usage.map(|usage| (usage.input, usage.output, usage.reasoning)), Some((3, 1, 1)));
}

#[test]
fn google_s_agents_say_what_went_in_and_out_unless_it_is_withheld() {
    let told = step(json!({
        "gen_ai.operation.name": "generate_content", "gcp.vertex.agent.session_id": "s-1",
        "gcp.vertex.agent.llm_request": r#"{"model":"gemini","contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
        "gcp.vertex.agent.llm_response": r#"{"content":{"role":"model","parts":[{"text":"Hello"}]}}"#,
    }));
    assert_eq!(said(&told.input), [(Role::User, "Hi")]);
    assert_eq!(said(&told.output), [(Role::Assistant, "Hello")]);
    assert_eq!(told.declared.unwrap().conversation_id.as_deref(), Some("s-1"));
    let withheld = step(json!({"gcp.vertex.agent.llm_request": "{}", "gcp.vertex.agent.llm_response": "{}"}));
    assert!(withheld.input.is_empty() && withheld.output.is_empty());
}

#[test]
fn bare_keys_count_only_on_spans_of_claude_code() {
    let attributes = json!({"model": "claude-sonnet-5", "input_tokens": 4, "output_tokens": 9, "cache_read_tokens": 90, "cache_creation_tokens": 5});
    let request = step_of(with(span(attributes.clone()), json!({"name": "claude_code.llm_request"})));
    assert_eq!((request.reading.dialect.as_str(), request.kind), ("claude_code", StepKind::Model));
    assert_eq!((request.model.as_deref(), request.provider.as_deref()), (Some("claude-sonnet-5"), Some("anthropic")));
    let usage = request.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.cache_write, usage.inconsistent), (4, 90, 5, false));
    assert_eq!(step(attributes).usage, None);
}

#[test]
fn a_voice_agent_s_spans_are_told_by_their_names() {
    let named = |name: &str, attributes| step_of(with(span(attributes), json!({"name": name})));
    let tool = named(
        "function_tool",
        json!({"lk.function_tool.name": "book", "lk.function_tool.arguments": "{}", "lk.function_tool.output": "no", "lk.function_tool.is_error": true}),
    );
    assert_eq!((tool.kind, tool.tool.as_deref(), tool.error.is_some()), (StepKind::Tool, Some("book"), true));
    let turn = named("agent_turn", json!({"lk.user_input": "Hi", "lk.response.text": "Hello"}));
    assert_eq!((turn.kind, turn.output_text()), (StepKind::Agent, "Hello"));
}

#[test]
fn single_keys_beside_the_standard_s_fill_what_it_leaves_out() {
    let step = step(json!({
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "book", "tool_arguments": "{\"day\":1}",
        "tool_response": "booked", "logfire.msg": "running tool", "crew_key": "k",
    }));
    assert_eq!((step.input[0].text.as_str(), step.output_text()), ("{\"day\":1}", "booked"));
    assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
    assert_eq!(step.attributes["crew_key"], "k");
    let costs = crate::support::step(json!({"gen_ai.request.model": "m", "gen_ai.cost.total_cost": 0.25}));
    assert_eq!(costs.cost_nanos, Some(Nanos(250_000_000)));
}
