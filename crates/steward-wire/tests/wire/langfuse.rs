use serde_json::json;
use steward_core::money::Nanos;
use steward_core::step::{Role, StepKind, StepStatus};

use crate::support::{said, span, step, step_of, with};

#[test]
fn a_generation_s_usage_stands_beside_its_details() {
    let step = step(json!({
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "claude",
        "langfuse.observation.input": r#"[{"role":"user","content":"Hi"}]"#,
        "langfuse.observation.output": r#"{"role":"assistant","content":"Hello"}"#,
        "langfuse.observation.usage_details": r#"{"input":10,"output":5,"input_cached_tokens":90,"output_reasoning_tokens":7,"total":112}"#,
        "langfuse.observation.cost_details": r#"{"input":0.25,"output":0.5}"#,
        "langfuse.release": "r-1",
        "user.id": "u-1",
        "session.id": "s-1",
        "langfuse.observation.metadata.plan": "gold",
    }));
    assert_eq!(
        (step.reading.dialect.as_str(), step.kind, step.model.as_deref()),
        ("langfuse", StepKind::Model, Some("claude"))
    );
    let usage = step.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (10, 90, 5, 7));
    assert_eq!(step.cost_nanos, Some(Nanos(750_000_000)));
    assert_eq!(said(&step.input), [(Role::User, "Hi")]);
    assert_eq!(said(&step.output), [(Role::Assistant, "Hello")]);
    let declared = step.declared.unwrap();
    assert_eq!(
        (declared.user_id.as_deref(), declared.conversation_id.as_deref(), declared.release.as_deref()),
        (Some("u-1"), Some("s-1"), Some("r-1"))
    );
    assert!(step.reading.unmapped.is_empty(), "{:?}", step.reading.unmapped);
}

#[test]
fn the_level_says_that_a_step_went_wrong() {
    let step = step(
        json!({"langfuse.observation.type": "tool", "langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "timed out"}),
    );
    assert_eq!((step.kind, step.status), (StepKind::Tool, StepStatus::Error));
    assert_eq!(step.error.unwrap().message, "timed out");
}

#[test]
fn the_first_piece_of_an_answer_has_its_time() {
    let step = step_of(with(
        span(
            json!({"langfuse.observation.type": "generation", "langfuse.observation.completion_start_time": "\"2025-10-09T08:53:20.400Z\""}),
        ),
        json!({}),
    ));
    assert_eq!(step.first_token_ms, Some(400));
}

#[test]
fn every_type_of_observation_has_its_kind() {
    for (word, kind) in [
        ("generation", StepKind::Model),
        ("embedding", StepKind::Embedding),
        ("agent", StepKind::Agent),
        ("tool", StepKind::Tool),
        ("chain", StepKind::Chain),
        ("retriever", StepKind::Retrieval),
        ("guardrail", StepKind::Guardrail),
        ("evaluator", StepKind::Guardrail),
        ("span", StepKind::Other),
        ("event", StepKind::Other),
    ] {
        assert_eq!(step(json!({"langfuse.observation.type": word})).kind, kind, "{word}");
    }
    let more = step(json!({"langfuse.observation.type": "span", "gen_ai.operation.name": "execute_tool"}));
    assert_eq!(more.kind, StepKind::Tool, "a plain span may be more by another dialect's word");
}

#[test]
fn usage_in_openai_s_shape_has_openai_s_meaning() {
    let usage = |details: &str| {
        let step =
            step(json!({"langfuse.observation.type": "generation", "langfuse.observation.usage_details": details}));
        step.usage.map(|usage| (usage.input, usage.cache_read, usage.output, usage.reasoning))
    };
    let chat = r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":20}}"#;
    assert_eq!(usage(chat), Some((60, 40, 30, 20)));
    let responses = r#"{"input_tokens":100,"output_tokens":50,"input_tokens_details":{"cached_tokens":40},"output_tokens_details":{"reasoning_tokens":20}}"#;
    assert_eq!(usage(responses), Some((60, 40, 30, 20)));
    let anthropic = r#"{"input_tokens":100,"output_tokens":50,"cache_read_input_tokens":40}"#;
    assert_eq!(usage(anthropic), Some((100, 40, 50, 0)));
    assert_eq!(usage(r#"{"input":"many","output":-1,"input_cached_tokens":null}"#), None);
    assert_eq!(usage("[]"), None);
}

#[test]
fn what_is_a_root_to_its_sender_is_one() {
    let attributes = json!({"langfuse.observation.type": "agent", "langfuse.internal.as_root": true});
    assert_eq!(step(attributes).parent_span_id, None);
    assert!(step(json!({"langfuse.observation.type": "agent"})).parent_span_id.is_some());
}

#[test]
fn a_warning_is_kept_and_is_no_error() {
    let step = step(json!({"langfuse.observation.type": "tool", "langfuse.observation.level": "WARNING"}));
    assert_eq!((step.status, step.error), (StepStatus::Unset, None));
    assert_eq!(step.attributes["langfuse.observation.level"], "WARNING");
}
