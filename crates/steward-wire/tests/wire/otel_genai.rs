use serde_json::json;
use steward_core::money::Nanos;
use steward_core::step::{ErrorClass, Role, StepKind};
use steward_core::usage::Basis;

use crate::support::{said, span, step, step_of, with};

#[test]
fn a_model_call_of_the_newest_generation_is_read_whole() {
    let step = step(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.response.model": "gpt-4.1-2025-04-14",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.conversation.id": "c-1",
        "gen_ai.agent.name": "front desk",
        "gen_ai.agent.version": "7",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_write.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 20,
        "gen_ai.usage.cost": 0.0125,
        "gen_ai.system_instructions": r#"[{"type":"text","content":"Be brief"}]"#,
        "gen_ai.input.messages": r#"[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]"#,
        "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"text","content":"Hello"}],"finish_reason":"stop"}]"#,
    }));
    assert_eq!((step.reading.dialect.as_str(), step.kind), ("otel_genai", StepKind::Model));
    assert_eq!((step.model.as_deref(), step.provider.as_deref()), (Some("gpt-4.1-2025-04-14"), Some("openai")));
    assert_eq!((step.response_id.as_deref(), step.finish_reason.as_deref()), (Some("chatcmpl-1"), Some("stop")));
    assert_eq!((step.first_token_ms, step.agent.as_deref()), (Some(250), Some("front desk")));
    assert_eq!(step.cost_nanos, Some(Nanos(12_500_000)));
    let usage = step.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning), (30, 60, 10, 30, 20));
    assert_eq!(usage.basis, Basis::Inclusive);
    assert_eq!(said(&step.input), [(Role::System, "Be brief"), (Role::User, "Hi")]);
    assert_eq!(said(&step.output), [(Role::Assistant, "Hello")]);
    let declared = step.declared.unwrap();
    assert_eq!((declared.conversation_id.as_deref(), declared.release.as_deref()), (Some("c-1"), Some("7")));
    assert_eq!(step.attributes["gen_ai.request.temperature"], "0.5");
    assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
    assert_eq!(step.error, None);
}

#[test]
fn messages_are_read_alike_as_text_and_as_structure() {
    let text = step(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"weather","arguments":{"city":"Paris"}}]}]"#,
    }));
    let structure = step(json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages": [{"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"weather","arguments":{"city":"Paris"}}]}],
    }));
    assert_eq!(text.output, structure.output);
    assert_eq!(text.output[0].tool_calls[0].arguments, r#"{"city":"Paris"}"#);
}

#[test]
fn the_oldest_generation_is_read_too() {
    let step = step(json!({
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4",
        "gen_ai.usage.prompt_tokens": 7,
        "gen_ai.usage.completion_tokens": "3",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "Hi",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.id": "call_1",
        "gen_ai.completion.0.tool_calls.0.name": "weather",
        "gen_ai.completion.0.tool_calls.0.arguments": "{}",
    }));
    assert_eq!((step.kind, step.provider.as_deref()), (StepKind::Model, Some("openai")));
    let usage = step.usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.basis), (7, 3, Basis::Unknown));
    assert_eq!(said(&step.input), [(Role::System, "Be brief"), (Role::User, "Hi")]);
    assert_eq!(step.output[0].tool_calls[0].name, "weather");
    assert_eq!(step.finish_reason.as_deref(), Some("tool_calls"));
    assert!(step.reading.unmapped.is_empty());
}

#[test]
fn a_newer_spelling_wins_over_an_older_one_whatever_came_first() {
    for order in [
        ["gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"],
        ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"],
    ] {
        let count = |key: &str| if key.ends_with("input_tokens") { 10 } else { 99 };
        let attributes: Vec<_> =
            order.iter().map(|key| json!({"key": key, "value": {"intValue": count(key)}})).collect();
        assert_eq!(step(json!(attributes)).usage.unwrap().input, 10, "{order:?}");
    }
}

#[test]
fn every_spelling_of_cached_tokens_is_known() {
    for key in ["cache_write.input_tokens", "cache_creation.input_tokens", "cache_creation_input_tokens"] {
        let step = step(
            json!({ "gen_ai.usage.input_tokens": 100, format!("gen_ai.usage.{key}"): 40, "gen_ai.usage.cache_read_input_tokens": 50 }),
        );
        let usage = step.usage.unwrap();
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (10, 50, 40), "{key}");
    }
}

#[test]
fn legacy_events_are_a_conversation() {
    let step = step_of(with(
        span(json!({"gen_ai.operation.name": "chat", "gen_ai.system": "openai"})),
        json!({"events": [
            {"name": "gen_ai.system.message", "attributes": {"content": "Be brief"}},
            {"name": "gen_ai.user.message", "attributes": {"content": "Weather?"}},
            {"name": "gen_ai.assistant.message", "attributes": {"tool_calls": r#"[{"id":"1","type":"function","function":{"name":"weather","arguments":"{}"}}]"#}},
            {"name": "gen_ai.tool.message", "attributes": {"id": "1", "content": "rainy"}},
            {"name": "gen_ai.choice", "attributes": {"index": 0, "finish_reason": "stop", "message": r#"{"role":"assistant","content":"It rains."}"#}},
            {"name": "something else", "attributes": {}},
        ]}),
    ));
    assert_eq!(
        said(&step.input),
        [(Role::System, "Be brief"), (Role::User, "Weather?"), (Role::Assistant, ""), (Role::Tool, "rainy")]
    );
    assert_eq!(step.input[2].tool_calls[0].name, "weather");
    assert_eq!(step.input[3].tool_call_id.as_deref(), Some("1"));
    assert_eq!(said(&step.output), [(Role::Assistant, "It rains.")]);
    assert_eq!(step.finish_reason.as_deref(), Some("stop"));
    assert_eq!(step.reading.unmapped, ["event something else"]);
}

#[test]
fn the_event_with_the_details_is_as_good_as_attributes() {
    let step = step_of(with(
        span(json!({"gen_ai.operation.name": "chat"})),
        json!({"events": [{"name": "gen_ai.client.inference.operation.details", "attributes": {
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        }}]}),
    ));
    assert_eq!(step.usage.unwrap().input, 5);
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
}

#[test]
fn an_evaluation_becomes_a_score_and_a_broken_number_is_left_out() {
    let step = step_of(with(
        span(json!({"gen_ai.operation.name": "chat"})),
        json!({"events": [
            {"name": "gen_ai.evaluation.result", "attributes": {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.75, "gen_ai.evaluation.score.label": "pass", "gen_ai.evaluation.explanation": "fits"}},
            {"name": "gen_ai.evaluation.result", "attributes": [
                {"key": "gen_ai.evaluation.name", "value": {"stringValue": "broken"}},
                {"key": "gen_ai.evaluation.score.value", "value": {"doubleValue": "NaN"}},
            ]},
        ]}),
    ));
    assert_eq!(step.scores.len(), 1);
    assert_eq!(
        (step.scores[0].name.as_str(), step.scores[0].value, step.scores[0].label.as_deref()),
        ("relevance", Some(0.75), Some("pass"))
    );
    assert_eq!(step.reading.notes, ["a score that is no number was left out"]);
}

#[test]
fn a_tool_s_arguments_and_answer_are_kept_as_they_were_sent() {
    let step = step(json!({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "book",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.arguments": r#"{"messages": [{"role": "user", "content": "not a conversation"}]}"#,
        "gen_ai.tool.call.result": r#"{"booked": true}"#,
    }));
    assert_eq!((step.kind, step.tool.as_deref()), (StepKind::Tool, Some("book")));
    assert_eq!(
        said(&step.input),
        [(Role::Assistant, r#"{"messages": [{"role": "user", "content": "not a conversation"}]}"#)]
    );
    assert_eq!(said(&step.output), [(Role::Tool, r#"{"booked": true}"#)]);
    assert_eq!(step.output[0].tool_call_id.as_deref(), Some("call_1"));
    assert_eq!(step.error, None);
}

#[test]
fn a_tool_that_only_says_that_it_failed_has_failed() {
    let failed = |result: &str| {
        step(json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", "gen_ai.tool.call.result": result})).error
    };
    assert_eq!(failed("Error: token expired").unwrap().class, ErrorClass::Auth);
    assert_eq!(failed(r#"{"error": "quota used up"}"#).unwrap().class, ErrorClass::RateLimit);
    assert_eq!(failed(r#"{"error": null}"#), None);
    assert_eq!(failed("No errors"), None);
}

#[test]
fn every_operation_has_its_kind() {
    let cases = [
        ("chat", StepKind::Model),
        ("generate_content", StepKind::Model),
        ("text_completion", StepKind::Model),
        ("embeddings", StepKind::Embedding),
        ("retrieval", StepKind::Retrieval),
        ("execute_tool", StepKind::Tool),
        ("invoke_agent", StepKind::Agent),
        ("create_agent", StepKind::Agent),
        ("invoke_workflow", StepKind::Chain),
        ("plan", StepKind::Chain),
        ("search_memory", StepKind::Retrieval),
        ("create_memory", StepKind::Other),
    ];
    for (operation, kind) in cases {
        let step =
            step(json!({"gen_ai.operation.name": operation, "gen_ai.agent.name": "a", "gen_ai.request.model": "m"}));
        assert_eq!(step.kind, kind, "{operation}");
    }
    assert_eq!(step(json!({"gen_ai.tool.name": "t"})).kind, StepKind::Tool);
    assert_eq!(step(json!({"gen_ai.request.model": "m"})).kind, StepKind::Model);
    assert_eq!(step(json!({"mcp.method.name": "tools/call", "gen_ai.tool.name": "t"})).kind, StepKind::Tool);
    assert_eq!(step(json!({"mcp.method.name": "tools/list"})).kind, StepKind::Other);
}

#[test]
fn errors_are_found_in_their_order() {
    let failed = |attributes, fields| {
        step_of(with(span(attributes), fields))
            .error
            .map(|error| (error.class, error.code.unwrap_or_default(), error.message))
    };
    let exception = json!({"name": "exception", "attributes": {"exception.type": "openai.RateLimitError", "exception.message": "slow down"}});
    assert_eq!(
        failed(
            json!({"gen_ai.operation.name": "chat", "error.type": "429"}),
            json!({"events": [exception], "status": {"code": 2, "message": "status"}})
        ),
        Some((ErrorClass::RateLimit, "429".to_owned(), "slow down".to_owned()))
    );
    assert_eq!(
        failed(json!({"gen_ai.operation.name": "chat"}), json!({"events": [exception]})),
        Some((ErrorClass::RateLimit, "openai.RateLimitError".to_owned(), "slow down".to_owned()))
    );
    assert_eq!(
        failed(
            json!({"gen_ai.operation.name": "chat"}),
            json!({"events": [exception], "status": {"code": "STATUS_CODE_OK"}})
        ),
        None
    );
    assert_eq!(
        failed(
            json!({"gen_ai.operation.name": "chat"}),
            json!({"status": {"code": 2, "message": "AuthenticationError: no"}})
        ),
        Some((ErrorClass::Auth, "AuthenticationError".to_owned(), "AuthenticationError: no".to_owned()))
    );
    assert_eq!(
        failed(json!({"mcp.method.name": "tools/call", "rpc.response.status_code": "-32602"}), json!({}))
            .map(|error| error.0),
        Some(ErrorClass::Validation)
    );
    assert_eq!(
        failed(json!({"gen_ai.operation.name": "chat", "gen_ai.response.finish_reasons": ["max_tokens"]}), json!({}))
            .map(|error| error.1),
        Some("length".to_owned())
    );
}

#[test]
fn absurd_numbers_are_left_out_with_a_note() {
    let step = step(json!([
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "-5"}},
        {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "7"}},
        {"key": "gen_ai.usage.cost", "value": {"doubleValue": "NaN"}},
        {"key": "gen_ai.response.time_to_first_chunk", "value": {"doubleValue": "Infinity"}},
    ]));
    assert_eq!((step.usage.unwrap().input, step.usage.unwrap().output), (0, 7));
    assert_eq!((step.cost_nanos, step.first_token_ms), (None, None));
    assert_eq!(
        step.reading.notes,
        ["a negative number of tokens was left out", "a cost that is negative or no number was left out"]
    );
}

#[test]
fn an_index_beyond_all_bounds_is_no_index() {
    let step = step(
        json!({"gen_ai.prompt.0.content": "Hi", "gen_ai.prompt.99999.content": "no", "gen_ai.prompt.18446744073709551616.content": "no"}),
    );
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
}
