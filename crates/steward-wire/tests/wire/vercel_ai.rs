use serde_json::json;
use steward_core::step::{Role, StepKind};

use crate::support::{said, step};

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
