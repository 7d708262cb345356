use serde_json::json;
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::DeclaredResult;

use crate::support::{read_json, request, span, step, with};

#[test]
fn what_is_declared_stands_on_top_of_every_dialect() {
    let step = step(json!({
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.conversation.id": "other",
        "steward.conversation.id": "c-1",
        "steward.workflow": "Front desk",
        "steward.outcome": "escalated",
        "steward.outcome.reason": "wanted a person",
        "steward.run.end": true,
        "steward.release": "r-7",
        "steward.test": true,
        "steward.user.id": "u-1",
        "steward.cost_usd": 0.5,
        "steward.waiting_ms": 1200,
        "steward.title": "A booking",
        "steward.result.booking_made": 120.5,
        "steward.result.lead_captured": true,
        "steward.result.not_this_one": false,
    }));
    let declared = step.declared.unwrap();
    assert_eq!(declared.outcome, Some(Outcome::Escalated));
    assert_eq!(declared.outcome_reason.as_deref(), Some("wanted a person"));
    assert!(declared.ended && declared.test);
    assert_eq!((declared.workflow.as_deref(), declared.release.as_deref()), (Some("Front desk"), Some("r-7")));
    assert_eq!((declared.conversation_id.as_deref(), declared.user_id.as_deref()), (Some("c-1"), Some("u-1")));
    assert_eq!((declared.cost_nanos, declared.waiting_ms), (Some(Nanos(500_000_000)), Some(1_200)));
    assert_eq!(declared.title.as_deref(), Some("A booking"));
    assert_eq!(
        declared.results,
        [
            DeclaredResult { name: "booking_made".to_owned(), value_nanos: Some(Nanos(120_500_000_000)) },
            DeclaredResult { name: "lead_captured".to_owned(), value_nanos: None },
        ]
    );
    assert!(step.reading.unmapped.is_empty());
}

#[test]
fn an_outcome_that_is_none_is_noted() {
    let step = step(
        json!({"steward.outcome": "splendid", "steward.cost_usd": -1, "steward.waiting_ms": "soon", "steward.unheard_of": 1}),
    );
    assert_eq!(step.declared, None);
    assert_eq!(step.reading.notes.len(), 3);
    assert_eq!(step.reading.unmapped, ["steward.unheard_of"]);
}

#[test]
fn a_resource_declares_on_roots_and_on_the_first_span_of_a_trace() {
    let id = |n: u64| format!("{n:016x}");
    let spans = vec![
        with(span(json!({})), json!({"spanId": id(2), "parentSpanId": id(1)})),
        with(span(json!({})), json!({"spanId": id(3), "parentSpanId": id(1)})),
        with(span(json!({"steward.release": "own"})), json!({"spanId": id(1), "parentSpanId": ""})),
    ];
    let resource = json!({"service.name": "front-desk", "service.version": "1.2", "deployment.environment": "staging", "telemetry.sdk.name": "x", "team": "blue"});
    let steps = read_json(&request(resource, spans)).steps;
    let declared = steps[0].declared.as_ref().unwrap();
    assert_eq!(
        (declared.workflow.as_deref(), declared.release.as_deref(), declared.environment.as_deref()),
        (Some("front-desk"), Some("1.2"), Some("staging"))
    );
    assert_eq!(steps[1].declared, None);
    let root = steps[2].declared.as_ref().unwrap();
    assert_eq!((root.workflow.as_deref(), root.release.as_deref()), (Some("front-desk"), Some("own")));
    assert_eq!(
        (steps[0].attributes["team"].as_str(), steps[0].reading.unmapped.as_slice()),
        ("blue", &["resource team".to_owned()][..])
    );
}

#[test]
fn the_workflow_that_is_named_wins_over_the_service() {
    for (resource, workflow) in [
        (json!({"service.name": "svc", "steward.workflow": "Front desk"}), Some("Front desk")),
        (json!({"service.name": "svc"}), Some("svc")),
        (json!({"service.name": "unknown_service:python"}), None),
        (json!({"service.name": "unknown_service", "openinference.project.name": "desk"}), Some("desk")),
    ] {
        let step = read_json(&request(resource, vec![span(json!({}))])).steps.remove(0);
        assert_eq!(step.declared.and_then(|declared| declared.workflow).as_deref(), workflow);
    }
}
