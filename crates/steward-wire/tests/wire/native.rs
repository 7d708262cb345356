use serde_json::json;
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{ErrorClass, Role, StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_wire::WireError;
use steward_wire::native::read_runs;

use crate::support::said;

fn run() -> serde_json::Value {
    json!({
        "id": "call-17", "workflow": "Front desk", "started_at": "2026-10-08T15:04:05Z", "ended_at": 1_791_471_901_000_i64,
        "status": "ok", "outcome": "completed", "outcome_reason": "confirmed", "model": "gpt-4.1-mini", "provider": "openai",
        "usage": {"input_tokens": 100, "output_tokens": 10, "cache_read_tokens": 60}, "cost_usd": 0.25, "user_id": "caller-88",
        "conversation_id": "c-17", "release": "2026-10-01", "environment": "production", "test": false, "waiting_ms": 20, "title": "An appointment",
        "input": "On Thursday, please", "output": "Booked",
        "results": [{"name": "booking_made", "value": 120.0}, "lead_captured"],
        "scores": [{"name": "politeness", "value": 0.9}, {"name": "tone", "label": "warm"}],
        "steps": [
            {"id": "s1", "kind": "model", "model": "gpt-4.1-mini", "started_at": "2026-10-08T15:04:06Z", "ended_at": "2026-10-08T15:04:08Z",
             "usage": {"input_tokens": 100, "output_tokens": 10}, "cost_usd": 0.25},
            {"id": "s2", "parent_id": "s1", "tool": "book", "started_at": "2026-10-08T15:04:09Z", "input": {"day": "Thursday"},
             "output": "Error: no seats", "metadata": {"attempt": 2}},
        ],
        "metadata": {"channel": "phone", "nested": {"a": 1}}, "unheard_of": 1,
    })
}

#[test]
fn a_run_and_its_steps_are_read_whole() {
    let decoded = read_runs(run().to_string().as_bytes()).unwrap();
    assert_eq!((decoded.steps.len(), decoded.rejected), (3, 0));
    let [root, model, tool] = &decoded.steps[..] else { panic!("three steps") };
    assert_eq!((root.trace_id.as_str(), root.span_id.as_str(), root.kind), ("native:call-17", "root", StepKind::Agent));
    assert_eq!((root.name.as_str(), root.status, root.parent_span_id.as_deref()), ("Front desk", StepStatus::Ok, None));
    assert_eq!(Some(root.started_at), Timestamp::parse("2026-10-08T15:04:05Z"));
    assert_eq!(root.ended_at, Timestamp(1_791_471_901_000_000));
    let usage = root.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output), (40, 60, 10));
    assert_eq!(
        (said(&root.input), said(&root.output)),
        (vec![(Role::User, "On Thursday, please")], vec![(Role::Assistant, "Booked")])
    );
    let declared = root.declared.as_ref().unwrap();
    assert!(declared.ended && !declared.test);
    assert_eq!(
        (declared.outcome, declared.cost_nanos, declared.waiting_ms),
        (Some(Outcome::Completed), Some(Nanos(250_000_000)), Some(20))
    );
    assert_eq!(declared.results[0].value_nanos, Some(Nanos(120_000_000_000)));
    assert_eq!((declared.results[1].name.as_str(), declared.results[1].value_nanos), ("lead_captured", None));
    assert_eq!((root.scores.len(), root.scores[1].label.as_deref()), (2, Some("warm")));
    assert_eq!((root.attributes["channel"].as_str(), root.attributes["nested"].as_str()), ("phone", r#"{"a":1}"#));
    assert_eq!(
        (root.reading.dialect.as_str(), root.reading.unmapped.as_slice()),
        ("native", &["unheard_of".to_owned()][..])
    );
    assert_eq!(
        (model.parent_span_id.as_deref(), model.kind, model.cost_nanos),
        (Some("root"), StepKind::Model, Some(Nanos(250_000_000)))
    );
    assert_eq!(
        (tool.parent_span_id.as_deref(), tool.kind, tool.tool.as_deref()),
        (Some("s1"), StepKind::Tool, Some("book"))
    );
    assert_eq!(said(&tool.input), [(Role::Assistant, r#"{"day":"Thursday"}"#)]);
    assert_eq!(tool.error.as_ref().unwrap().message, "Error: no seats");
}

#[test]
fn the_example_in_the_documentation_is_read_without_a_note() {
    let source = include_str!("../../src/native.rs");
    let example: String = source
        .lines()
        .skip_while(|line| !line.contains("```json"))
        .skip(1)
        .take_while(|line| !line.contains("```"))
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    let decoded = read_runs(example.as_bytes()).unwrap();
    assert_eq!((decoded.steps.len(), decoded.rejected), (3, 0));
    for step in decoded.steps {
        assert_eq!((step.reading.unmapped, step.reading.notes), (Vec::new(), Vec::new()));
    }
}

#[test]
fn runs_come_alone_in_arrays_in_an_envelope_and_as_lines() {
    let one = run();
    for body in [
        one.to_string(),
        json!([one, one]).to_string(),
        json!({"runs": [one, one]}).to_string(),
        format!("{one}\n\n{one}\n"),
    ] {
        let decoded = read_runs(body.as_bytes()).unwrap();
        assert_eq!((decoded.steps.len() % 3, decoded.rejected), (0, 0));
        assert!(decoded.steps.len() >= 3);
    }
}

#[test]
fn a_bad_run_is_named_by_its_place_and_the_others_go_on() {
    let body = json!([run(), 7, {"id": "x"}, {"id": "y", "started_at": 5}, run()]);
    let decoded = read_runs(body.to_string().as_bytes()).unwrap();
    assert_eq!((decoded.steps.len(), decoded.rejected), (6, 3));
    insta::assert_snapshot!(decoded.rejection.unwrap(), @"run 1: it is not an object; run 2: it has no started_at; run 3: started_at, 1970-01-01T00:00:05Z, is not between 2000 and 2100");
    let lines = read_runs(format!("{}\n{{broken\n", run()).as_bytes()).unwrap();
    assert_eq!((lines.steps.len(), lines.rejected), (3, 1));
    assert!(lines.rejection.unwrap().starts_with("run 1: it is not valid JSON"));
}

#[test]
fn what_holds_no_runs_is_an_error() {
    assert!(matches!(read_runs(b"hello"), Err(WireError::Json(_))));
    assert!(matches!(read_runs(b""), Err(WireError::Json(_))));
    assert!(matches!(read_runs(b"7"), Err(WireError::Shape(_))));
    assert!(matches!(read_runs(b"\xff\xfe"), Err(WireError::NotText)));
    assert!(matches!(read_runs(br#"{"runs": 3}"#), Err(WireError::Shape(_))));
    assert_eq!(read_runs(b"[]").unwrap().steps.len(), 0);
}

#[test]
fn a_run_without_an_id_has_always_the_same_one() {
    let id = |body: &str| read_runs(body.as_bytes()).unwrap().steps[0].trace_id.clone();
    let one = id(r#"{"started_at": "2026-10-08T15:04:05Z", "title": "x"}"#);
    assert_eq!(one, id(r#"{"title": "x", "started_at": "2026-10-08T15:04:05Z"}"#));
    assert_ne!(one, id(r#"{"title": "y", "started_at": "2026-10-08T15:04:05Z"}"#));
    let long = "x".repeat(500);
    assert!(id(&json!({"id": long, "started_at": 1_760_000_000}).to_string()).len() <= 128);
    assert_ne!(
        id(&json!({"id": long, "started_at": 1_760_000_000}).to_string()),
        id(&json!({"id": long + "y", "started_at": 1_760_000_000}).to_string())
    );
}

#[test]
fn messages_make_the_steps_where_there_are_none() {
    let body = json!({"id": "m", "started_at": "2026-10-08T15:04:05Z", "model": "m-1", "messages": [
        {"role": "user", "content": "Book Thursday"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "type": "function", "function": {"name": "book", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "{\"error\": \"timed out\"}"},
        {"role": "assistant", "content": "It did not work."},
    ]});
    let steps = read_runs(body.to_string().as_bytes()).unwrap().steps;
    let kinds: Vec<_> = steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [StepKind::Agent, StepKind::Model, StepKind::Tool, StepKind::Model]);
    assert_eq!(steps[2].error.as_ref().unwrap().class, ErrorClass::Timeout);
    assert_eq!(
        (said(&steps[0].input), said(&steps[0].output)),
        (vec![(Role::User, "Book Thursday")], vec![(Role::Assistant, "It did not work.")])
    );
    assert_eq!(steps[3].model.as_deref(), Some("m-1"));
    assert!(!steps[0].declared.as_ref().unwrap().ended, "nobody said that it is over");
}

#[test]
fn a_run_that_failed_says_so() {
    let body = json!({"id": "e", "started_at": 1_760_000_000, "error": {"code": 429, "message": "slow down"}, "outcome": "splendid", "cost_usd": -3});
    let root = read_runs(body.to_string().as_bytes()).unwrap().steps.remove(0);
    assert_eq!((root.error.unwrap().class, root.status), (ErrorClass::RateLimit, StepStatus::Error));
    assert_eq!(root.reading.notes.len(), 2);
}

#[test]
fn steps_with_one_id_are_told_apart() {
    let body = json!({"id": "d", "started_at": 1_760_000_000, "steps": [{"id": "root"}, {"id": "a"}, {"id": "a"}]});
    let steps = read_runs(body.to_string().as_bytes()).unwrap().steps;
    let ids: Vec<_> = steps.iter().map(|step| step.span_id.as_str()).collect();
    assert_eq!(ids, ["root", "root#0", "a", "a#2"]);
}
