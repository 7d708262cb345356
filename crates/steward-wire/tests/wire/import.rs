use serde_json::json;
use steward_core::step::{Role, StepKind};
use steward_core::time::Timestamp;
use steward_wire::import::{Format, INVENTED_TIMES_NOTE, detect, read_line};

use crate::support::said;

#[test]
fn formats_are_told_by_what_is_in_a_line() {
    let cases = [
        (json!({"id": "a", "started_at": 1, "messages": []}), Some(Format::Native)),
        (json!({"id": "a", "steps": []}), Some(Format::Native)),
        (json!({"messages": [{"role": "user", "content": "Hi"}]}), Some(Format::Transcript)),
        (json!([{"role": "user", "content": "Hi"}]), Some(Format::Transcript)),
        (json!({"task_id": 0, "reward": 0.0, "trial": 0, "messages": []}), Some(Format::TauBench)),
        (json!({"task_id": 0, "reward": 0.0, "trial": 0, "traj": []}), Some(Format::TauBench)),
        (
            json!({"task_id": "0", "reward": 0.0, "termination_reason": "user_stop", "messages": []}),
            Some(Format::Tau2Bench),
        ),
        (json!({"a": 1}), None),
        (json!([]), None),
        (json!(7), None),
    ];
    for (line, format) in cases {
        assert_eq!(detect(&line.to_string()), format, "{line}");
    }
    assert_eq!(detect("not json"), None);
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
    }
}

#[test]
fn a_transcript_becomes_models_and_tools() {
    let line = json!({
        "id": "chat-1", "model": "m-1", "created": 1_760_000_000, "outcome": "handed_off", "user_id": "u-1", "metadata": {"channel": "chat"},
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "Book\nThursday"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "find", "arguments": "{\"day\":1}"}},
                {"id": "b", "type": "function", "function": {"name": "book", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "b", "content": "Error: no seats"},
            {"role": "tool", "tool_call_id": "a", "content": "15:30"},
            {"role": "assistant", "content": "A colleague will call you."},
        ],
    });
    let imported = read_line(Format::Transcript, &line.to_string()).unwrap();
    assert_eq!(imported.key, "chat-1");
    let steps = imported.steps;
    let told: Vec<_> = steps.iter().map(|step| (step.kind, step.name.as_str(), step.error.is_some())).collect();
    assert_eq!(
        told,
        [
            (StepKind::Agent, "conversation", false),
            (StepKind::Model, "chat m-1", false),
            (StepKind::Tool, "find", false),
            (StepKind::Tool, "book", true),
            (StepKind::Model, "chat m-1", false),
        ]
    );
    assert_eq!(said(&steps[1].input), [(Role::System, "Be brief"), (Role::User, "Book\nThursday")]);
    assert_eq!(said(&steps[2].output), [(Role::Tool, "15:30")], "paired by id and not by order");
    let declared = steps[0].declared.as_ref().unwrap();
    assert_eq!((declared.title.as_deref(), declared.ended), (Some("Book Thursday"), true));
    assert_eq!(declared.outcome, Some(steward_core::outcome::Outcome::Escalated));
    assert_eq!(steps[0].started_at, Timestamp::from_seconds(1_760_000_000));
    assert!(steps.windows(2).all(|pair| pair[0].started_at <= pair[1].started_at));
    assert!(steps[0].reading.notes.is_empty());
}

#[test]
fn times_that_no_one_recorded_are_said_to_be_invented() {
    let line = r#"{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}"#;
    let first = read_line(Format::Transcript, line).unwrap();
    assert_eq!(first, read_line(Format::Transcript, line).unwrap());
    assert_eq!(first.key.len(), 64);
    assert!(
        first.steps.iter().all(|step| step.reading.notes == [INVENTED_TIMES_NOTE] && step.started_at.is_plausible())
    );
}

#[test]
fn what_is_no_run_is_refused_in_words() {
    let refused = |format, line: &str| read_line(format, line).unwrap_err();
    insta::assert_snapshot!(refused(Format::Transcript, "{}"), @"the transcript has no messages");
    insta::assert_snapshot!(refused(Format::Transcript, r#"{"messages":[{"content":"who?"}]}"#), @"none of the messages says who said what");
    insta::assert_snapshot!(refused(Format::TauBench, r#"{"reward":1}"#), @"the run has no messages");
    insta::assert_snapshot!(refused(Format::Tau2Bench, r#"{"reward":1}"#), @"the run has no start_time");
    insta::assert_snapshot!(refused(Format::Native, "7"), @"it is not an object");
    assert!(refused(Format::Native, "{").starts_with("the line is not valid JSON"));
}

#[test]
fn only_the_agent_s_own_calls_cost_the_run() {
    let line = json!({
        "run_id": "r", "domain": "retail", "agent_model": "gpt-4.1", "task_id": "1", "termination_reason": "user_stop", "reward": 1.0,
        "start_time": "2025-08-01T16:16:37.053887", "end_time": "2025-08-01T16:16:50.700788", "agent_cost_usd": 0.002, "user_cost_usd": 9.0,
        "messages": [
            {"role": "assistant", "content": "Hi!", "timestamp": "2025-08-01T16:16:38"},
            {"role": "user", "content": "Help", "cost": 9.0, "usage": {"prompt_tokens": 999, "completion_tokens": 9}, "timestamp": "2025-08-01T16:16:39"},
            {"role": "assistant", "cost": 0.002, "usage": {"prompt_tokens": 30, "completion_tokens": 2}, "timestamp": "2025-08-01T16:16:40",
             "tool_calls": [{"id": "c", "name": "look", "arguments": {"a": 1}, "requestor": "assistant"}]},
            {"role": "tool", "id": "c", "content": "no such order", "error": true, "timestamp": "2025-08-01T16:16:41"},
        ],
    });
    let steps = read_line(Format::Tau2Bench, &line.to_string()).unwrap().steps;
    let tokens: u64 = steps.iter().filter_map(|step| step.usage).map(|usage| usage.total()).sum();
    assert_eq!(tokens, 32);
    assert_eq!(steps[0].declared.as_ref().unwrap().cost_nanos.unwrap().0, 2_000_000);
    assert_eq!(steps[0].attributes["termination_reason"], "user_stop");
    assert_eq!((steps[0].scores[0].name.as_str(), steps[0].scores[0].value), ("reward", Some(1.0)));
    assert_eq!(steps[3].error.as_ref().unwrap().message, "no such order");
    assert_eq!(steps[3].duration_ms(), 1_000);
}
