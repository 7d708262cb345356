use serde_json::json;
use steward_core::step::{Role, StepKind};
use steward_core::usage::Basis;

use crate::support::{said, step};

#[test]
fn a_model_call_is_the_standard_s_with_traceloop_s_keys_around_it() {
    let step = step(json!({
        "traceloop.workflow.name": "booking",
        "traceloop.association.properties.user_id": "u-1",
        "traceloop.association.properties.session_id": "s-1",
        "traceloop.association.properties.plan": "gold",
        "llm.request.type": "chat",
        "llm.usage.total_tokens": 12,
        "llm.headers": "{'authorization': 'secret'}",
        "gen_ai.system": "Anthropic",
        "gen_ai.request.model": "claude",
        "gen_ai.usage.prompt_tokens": 10,
        "gen_ai.usage.completion_tokens": 2,
        "gen_ai.usage.cache_read_input_tokens": 4,
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": r#"[{"type": "text", "text": "Hi"}]"#,
        "gen_ai.completion.0.content": "Hello",
        "gen_ai.completion.0.role": "assistant",
    }));
    assert_eq!(
        (step.reading.dialect.as_str(), step.kind, step.provider.as_deref()),
        ("openllmetry", StepKind::Model, Some("anthropic"))
    );
    let usage = step.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.basis), (6, 4, 2, Basis::Unknown));
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
    assert_eq!(said(&step.output), [(Role::Assistant, "Hello")]);
    let declared = step.declared.unwrap();
    assert_eq!((declared.user_id.as_deref(), declared.conversation_id.as_deref()), (Some("u-1"), Some("s-1")));
    assert_eq!(step.attributes["traceloop.association.properties.plan"], "gold");
    assert!(!step.attributes.contains_key("llm.headers"), "headers may hold secrets");
    assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
}

#[test]
fn entities_have_their_kinds_names_and_texts() {
    let tool = step(json!({
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "search",
        "traceloop.entity.input": r#"{"input_str": "{'q': 1}", "tags": [], "inputs": {"q": 1}, "kwargs": {}}"#,
        "traceloop.entity.output": r#"{"output": "found", "kwargs": {}}"#,
    }));
    assert_eq!((tool.kind, tool.name.as_str(), tool.tool.as_deref()), (StepKind::Tool, "search", Some("search")));
    assert_eq!(said(&tool.input), [(Role::Assistant, r#"{"q":1}"#)]);
    assert_eq!(said(&tool.output), [(Role::Tool, "found")]);
    let workflow = step(json!({
        "traceloop.span.kind": "workflow",
        "traceloop.entity.name": "graph",
        "traceloop.entity.input": r#"{"inputs": {"counter": 0}, "tags": [], "kwargs": {}}"#,
    }));
    assert_eq!((workflow.kind, workflow.name.as_str()), (StepKind::Chain, "graph"));
    assert_eq!(
        said(&workflow.input),
        [(Role::Assistant, r#"{"counter":0}"#)],
        "a program's state is nothing that a user said"
    );
    let agent = step(
        json!({"traceloop.span.kind": "agent", "traceloop.entity.name": "planner", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 3}),
    );
    assert_eq!((agent.kind, agent.agent.as_deref()), (StepKind::Agent, Some("planner")));
    assert_eq!(step(json!({"traceloop.span.kind": "task"})).kind, StepKind::Chain);
    assert_eq!(step(json!({"db.system": "chroma", "db.vector.query.top_k": 3})).kind, StepKind::Retrieval);
}
