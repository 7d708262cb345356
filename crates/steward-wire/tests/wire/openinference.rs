use serde_json::json;
use steward_core::money::Nanos;
use steward_core::step::{Role, StepKind};

use crate::support::{said, step};

#[test]
fn a_model_call_is_read_whole() {
    let step = step(json!({
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4-0613",
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.contents.0.message_content.type": "text",
        "llm.input_messages.0.message.contents.0.message_content.text": "Weather in Paris?",
        "llm.input_messages.0.message.contents.1.message_content.type": "image",
        "llm.input_messages.0.message.contents.1.message_content.image.image.url": "data:image/png;base64,AAAA",
        "llm.input_messages.2.message.role": "tool",
        "llm.input_messages.2.message.content": "rainy, 57°F",
        "llm.input_messages.2.message.tool_call_id": "1234",
        "llm.input_messages.1.message.role": "assistant",
        "llm.input_messages.1.message.tool_calls.0.tool_call.id": "1234",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "get_weather",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": r#"{"location":"Paris"}"#,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "It rains.",
        "input.value": "{}",
        "output.value": "{}",
        "llm.token_count.prompt": 97,
        "llm.token_count.completion": 52,
        "llm.token_count.total": 149,
        "llm.token_count.prompt_details.cache_read": 90,
        "llm.token_count.completion_details.reasoning": 12,
        "llm.cost.total": 0.5,
        "session.id": "s-1",
        "user.id": "u-1",
        "metadata": r#"{"channel":"phone","thread_id":"other"}"#,
    }));
    assert_eq!((step.reading.dialect.as_str(), step.kind), ("openinference", StepKind::Model));
    assert_eq!(
        said(&step.input),
        [(Role::User, "Weather in Paris?\n[image]"), (Role::Assistant, ""), (Role::Tool, "rainy, 57°F")]
    );
    assert_eq!(step.input[1].tool_calls[0].arguments, r#"{"location":"Paris"}"#);
    assert_eq!(step.input[2].tool_call_id.as_deref(), Some("1234"));
    assert_eq!(said(&step.output), [(Role::Assistant, "It rains.")]);
    let usage = step.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (7, 90, 40, 12));
    assert_eq!(step.cost_nanos, Some(Nanos(500_000_000)));
    let declared = step.declared.unwrap();
    assert_eq!((declared.conversation_id.as_deref(), declared.user_id.as_deref()), (Some("s-1"), Some("u-1")));
    assert_eq!(step.attributes["metadata.channel"], "phone");
    assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
}

#[test]
fn a_request_that_stands_only_in_the_input_is_opened() {
    let step = step(json!({
        "openinference.span.kind": "LLM",
        "input.value": r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#,
        "output.value": r#"{"text":"Hello","finish_reason":"stop"}"#,
    }));
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
    assert_eq!(said(&step.output), [(Role::Assistant, "Hello")]);
}

#[test]
fn every_kind_is_known() {
    let cases = [
        ("LLM", StepKind::Model),
        ("CHAIN", StepKind::Chain),
        ("TOOL", StepKind::Tool),
        ("AGENT", StepKind::Agent),
        ("RETRIEVER", StepKind::Retrieval),
        ("RERANKER", StepKind::Retrieval),
        ("EMBEDDING", StepKind::Embedding),
        ("GUARDRAIL", StepKind::Guardrail),
        ("EVALUATOR", StepKind::Guardrail),
        ("UNKNOWN", StepKind::Other),
    ];
    for (word, kind) in cases {
        assert_eq!(step(json!({"openinference.span.kind": word})).kind, kind, "{word}");
    }
}

#[test]
fn the_documents_that_were_found_are_what_came_out() {
    let step = step(json!({
        "openinference.span.kind": "RETRIEVER",
        "input.value": "opening hours",
        "retrieval.documents.1.document.content": "Closed on Sundays",
        "retrieval.documents.0.document.id": "d0",
        "retrieval.documents.0.document.content": "Open from nine",
        "retrieval.documents.0.document.score": 0.9,
    }));
    assert_eq!(said(&step.output), [(Role::Tool, "Open from nine"), (Role::Tool, "Closed on Sundays")]);
    assert_eq!(step.output[0].name.as_deref(), Some("d0"));
    assert_eq!(said(&step.input), [(Role::Assistant, "opening hours")]);
}

#[test]
fn annotations_are_scores_and_a_person_s_are_told_apart() {
    let step = step(json!({
        "openinference.span.kind": "CHAIN",
        "annotations.0.annotation.name": "helpful",
        "annotations.0.annotation.score": 1,
        "annotations.0.annotation.annotator_kind": "HUMAN",
        "trace.evaluations.0.evaluation.name": "toxic",
        "trace.evaluations.0.evaluation.label": "no",
    }));
    assert_eq!(step.scores.len(), 2);
    assert_eq!(
        (step.scores[0].name.as_str(), step.scores[0].value, step.scores[0].by_human),
        ("helpful", Some(1.0), true)
    );
    assert_eq!((step.scores[1].label.as_deref(), step.scores[1].by_human), (Some("no"), false));
}

#[test]
fn parts_of_the_cost_add_up_where_there_is_no_total() {
    let step = step(json!({"openinference.span.kind": "LLM", "llm.cost.prompt": 0.25, "llm.cost.completion": 0.5}));
    assert_eq!(step.cost_nanos, Some(Nanos(750_000_000)));
}

#[test]
fn a_span_without_the_kind_is_told_by_its_keys() {
    let model = step(json!({"llm.model_name": "m", "llm.token_count.prompt": 3}));
    assert_eq!((model.reading.dialect.as_str(), model.kind), ("openinference", StepKind::Model));
    let both = step(
        json!({"openinference.span.kind": "TOOL", "tool.name": "book", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}),
    );
    assert_eq!((both.kind, both.tool.as_deref(), both.model.as_deref()), (StepKind::Tool, Some("book"), Some("m")));
}
