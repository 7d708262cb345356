use serde_json::{Value, json};
use steward_core::step::{Role, Step, StepKind};
use steward_core::usage::Basis;

use crate::support::{said, span, step, step_of, with};

#[test]
fn the_inner_span_is_the_model_s_and_the_outer_one_the_agent_s() {
    let attributes = |operation: &str| {
        json!({
            "operation.name": operation, "ai.operationId": operation, "ai.telemetry.functionId": "front-desk",
            "ai.model.provider": "openai.responses", "ai.model.id": "gpt-4o-mini",
            "ai.prompt.messages": r#"[{"role":"user","content":[{"type":"text","text":"Hi"}]}]"#,
            "ai.response.text": "Hello", "ai.response.toolCalls": r#"[{"toolCallId":"1","toolName":"book","input":{"day":"Mo"}}]"#,
            "ai.response.finishReason": "tool-calls", "ai.response.msToFirstChunk": 426.85,
            "ai.usage.inputTokens": 15, "ai.usage.outputTokens": 112, "ai.usage.cachedInputTokens": 5,
            "ai.telemetry.metadata.userId": "u-1",
        })
    };
    let inner = step(attributes("ai.streamText.doStream"));
    assert_eq!((inner.reading.dialect.as_str(), inner.kind), ("vercel_ai", StepKind::Model));
    assert_eq!((inner.provider.as_deref(), inner.model.as_deref()), (Some("openai"), Some("gpt-4o-mini")));
    assert_eq!(said(&inner.input), [(Role::User, "Hi")]);
    assert_eq!(said(&inner.output), [(Role::Assistant, "Hello")]);
    assert_eq!(inner.output[0].tool_calls[0].arguments, r#"{"day":"Mo"}"#);
    assert_eq!((inner.finish_reason.as_deref(), inner.first_token_ms), (Some("tool_calls"), Some(427)));
    let usage = inner.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output), (10, 5, 112));
    assert_eq!(inner.declared.unwrap().user_id.as_deref(), Some("u-1"));

    let outer = step(attributes("ai.streamText"));
    assert_eq!((outer.kind, outer.agent.as_deref()), (StepKind::Agent, Some("front-desk")));
    let tool = step(
        json!({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "book", "ai.toolCall.args": "{}", "ai.toolCall.result": "Error: no"}),
    );
    assert_eq!((tool.kind, tool.tool.as_deref(), tool.error.is_some()), (StepKind::Tool, Some("book"), true));
}

#[test]
fn every_operation_of_the_sdk_has_its_kind() {
    for (operation, kind) in [
        ("ai.generateText", StepKind::Agent),
        ("ai.generateText.doGenerate", StepKind::Model),
        ("ai.streamObject", StepKind::Agent),
        ("ai.streamObject.doStream", StepKind::Model),
        ("ai.embedMany", StepKind::Chain),
        ("ai.embedMany.doEmbed", StepKind::Embedding),
        ("ai.rerank", StepKind::Chain),
        ("ai.rerank.doRerank", StepKind::Retrieval),
        ("ai.toolCall", StepKind::Tool),
    ] {
        assert_eq!(step(json!({"ai.operationId": operation})).kind, kind, "{operation}");
        let named = json!({"operation.name": format!("{operation} my-function"), "gen_ai.system": "openai"});
        assert_eq!(step(named).kind, kind, "{operation} by its name");
    }
}

#[test]
fn version_4_s_words_are_read() {
    let step = step(json!({
        "ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 9, "ai.usage.completionTokens": 4,
        "ai.result.text": "Hello", "ai.result.toolCalls": r#"[{"toolCallId":"1","toolName":"book","args":{}}]"#,
        "ai.telemetry.metadata.sessionId": "s-1", "ai.telemetry.metadata.plan": "gold", "ai.settings.maxRetries": 2,
        "ai.unheard.of": "x",
    }));
    assert_eq!(step.usage.map(|usage| (usage.input, usage.output)), Some((9, 4)));
    assert_eq!((step.output_text(), step.output[0].tool_calls[0].name.as_str()), ("Hello", "book"));
    assert_eq!(step.declared.unwrap().conversation_id.as_deref(), Some("s-1"));
    assert_eq!(step.attributes["ai.telemetry.metadata.plan"], "gold");
    assert_eq!(step.reading.unmapped, ["ai.unheard.of"], "what is not known is kept and named");
    assert_eq!(step.attributes["ai.unheard.of"], "x");
}

/// A model's step of Anthropic with so many input tokens by the SDK, and what Anthropic said itself.
fn of_anthropic(input: u64) -> Step {
    let said = json!({"anthropic": {"usage": {
        "input_tokens": 10, "output_tokens": 7, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
    }}});
    step(json!({
        "ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": "anthropic.messages",
        "ai.usage.inputTokens": input, "ai.usage.outputTokens": 7, "ai.usage.cachedInputTokens": 5,
        "ai.response.providerMetadata": said.to_string(),
    }))
}

#[test]
fn cached_tokens_are_beside_the_input_where_the_provider_s_own_count_says_so() {
    for (input, basis) in [(10, Basis::Exclusive), (18, Basis::Inclusive)] {
        let usage = of_anthropic(input).usage.unwrap();
        assert_eq!(
            (usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h, usage.cache_write),
            (10, 5, 1, 2, 0),
            "{input}"
        );
        assert_eq!((usage.total(), usage.basis, usage.inconsistent), (25, basis, false), "{input}");
    }
}

#[test]
fn what_only_the_provider_said_of_tokens_is_found() {
    let step = step(json!({
        "ai.operationId": "ai.generateText.doGenerate", "ai.usage.promptTokens": 100, "ai.usage.completionTokens": 50,
        "ai.response.providerMetadata": r#"{"openai":{"cachedPromptTokens":40,"reasoningTokens":30}}"#,
    }));
    let usage = step.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (60, 40, 20, 30));
    let broken =
        json!({"ai.operationId": "ai.generateText.doGenerate", "ai.response.providerMetadata": "{\"x_tokens\": "});
    assert_eq!(crate::support::step(broken).usage, None);
}

#[test]
fn prompts_and_tool_answers_of_the_sdk_are_conversations() {
    let outer = step(json!({
        "ai.operationId": "ai.generateText", "ai.prompt": r#"{"system":"Be brief","prompt":"Hi"}"#, "ai.response.text": "Hello",
    }));
    assert_eq!(said(&outer.input), [(Role::System, "Be brief"), (Role::User, "Hi")]);
    let listed = step(json!({
        "ai.operationId": "ai.generateText", "ai.prompt": r#"{"system":"Be brief","prompt":[{"role":"user","content":"Hi"}]}"#,
    }));
    assert_eq!(said(&listed.input), [(Role::System, "Be brief"), (Role::User, "Hi")]);
    let messages = json!([
        {"role": "assistant", "content": [{"type": "reasoning", "text": "hm"}, {"type": "tool-call", "toolCallId": "1", "toolName": "book", "input": {"day": "Mo"}}]},
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "1", "toolName": "book", "output": {"type": "json", "value": {"ok": true}}}]},
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "2", "toolName": "book", "output": {"type": "error-text", "value": "full"}}]},
    ]);
    let inner =
        step(json!({"ai.operationId": "ai.generateText.doGenerate", "ai.prompt.messages": messages.to_string()}));
    assert_eq!(
        said(&inner.input),
        [(Role::Assistant, "[reasoning]"), (Role::Tool, r#"{"ok":true}"#), (Role::Tool, "full")]
    );
    assert_eq!(inner.input[0].tool_calls[0].arguments, r#"{"day":"Mo"}"#);
    assert_eq!(inner.input[1].tool_call_id.as_deref(), Some("1"));
}

fn version_7(name: &str, parent: &str, id: &str, attributes: Value) -> Step {
    let span = span(attributes);
    step_of(with(span, json!({"name": name, "parentSpanId": parent, "spanId": id})))
}

#[test]
fn version_7_speaks_the_standard_and_counts_once() {
    let root = version_7(
        "invoke_agent gpt-5",
        "",
        "00000000000000a1",
        json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "front-desk", "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 9}),
    );
    // With its older keys too, the step of the loop looks like a call of a model.
    let loop_step = version_7(
        "step 1",
        "00000000000000a1",
        "00000000000000a2",
        json!({"gen_ai.operation.name": "agent_step", "ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "gpt-5",
            "gen_ai.request.model": "gpt-5", "ai.usage.inputTokens": 30, "ai.usage.outputTokens": 9}),
    );
    let chat = version_7(
        "chat gpt-5",
        "00000000000000a2",
        "00000000000000a3",
        json!({"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 9, "gen_ai.usage.cache_creation.input_tokens": 4,
            "gen_ai.response.finish_reasons": ["tool-calls"], "ai.usage.inputTokenDetails.noCacheTokens": 26,
            "gen_ai.output.messages": r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"book","arguments":{}}],"finish_reason":"tool-calls"}]"#}),
    );
    let tool = version_7(
        "execute_tool book",
        "00000000000000a2",
        "00000000000000a4",
        json!({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "book", "gen_ai.tool.call.id": "c",
            "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "\"booked\""}),
    );
    let kinds: Vec<StepKind> = [&root, &loop_step, &chat, &tool].map(|step| step.kind).to_vec();
    assert_eq!(kinds, [StepKind::Agent, StepKind::Chain, StepKind::Model, StepKind::Tool]);
    assert_eq!(chat.finish_reason.as_deref(), Some("tool_calls"));
    assert!(chat.reading.unmapped.is_empty(), "{:?}", chat.reading.unmapped);
    let facts = crate::support::facts(vec![root, loop_step, chat, tool]);
    assert_eq!((facts.usage.total(), facts.n_model_calls, facts.n_tool_calls), (39, 1, 1));
}
