//! How a span was read is told by the rules that filled its step.

use serde_json::json;

use crate::support::{read_json, request, span, step, step_of, with};

#[test]
fn the_rules_that_won_are_named_and_those_that_lost_are_not() {
    let step = step(json!({
        "langfuse.observation.type": "generation", "gen_ai.operation.name": "chat", "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 3, "langfuse.observation.input": "Hi", "steward.test": true, "error.type": "429",
    }));
    assert_eq!(
        step.reading.rules,
        ["steward.run", "langfuse.kind", "langfuse.input", "otel_genai.model", "otel_genai.usage", "error.type"]
    );
}

#[test]
fn events_and_resources_are_named_too() {
    let events = json!([
        {"name": "gen_ai.user.message", "attributes": {"content": "Hi"}},
        {"name": "gen_ai.evaluation.result", "attributes": {"gen_ai.evaluation.name": "tone", "gen_ai.evaluation.score.value": 1.0}},
    ]);
    let one = with(span(json!({"gen_ai.operation.name": "chat"})), json!({"events": events}));
    let decoded = read_json(&request(json!({"service.name": "front desk"}), vec![one]));
    assert_eq!(decoded.steps[0].reading.rules, ["otel_genai.kind", "events.input", "events.score", "resource.run"]);
}

#[test]
fn a_plain_span_needs_no_rules() {
    assert!(step(json!({"http.route": "/"})).reading.rules.is_empty());
    let failed = step_of(with(span(json!({})), json!({"status": {"code": 2}})));
    assert_eq!(failed.reading.rules, ["error.status"]);
}
