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
