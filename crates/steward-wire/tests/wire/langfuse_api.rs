//! Batches of events and judgements, as Langfuse's older libraries send them.

use serde_json::{Value, json};
use steward_core::derive::merge;
use steward_core::money::Nanos;
use steward_core::parts::UNKNOWN_PARENT;
use steward_core::step::{Role, Step, StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_wire::langfuse_api::{Batch, ReadScore, ScoreError, Scores, TRACE, read_batch, read_score, read_scores};

use crate::support::{facts, said, span, step_of};

fn event(second: u32, kind: &str, body: Value) -> Value {
    json!({"id": format!("e-{second}-{kind}"), "timestamp": format!("2025-10-09T08:53:{second:02}.000Z"), "type": kind, "body": body})
}

fn batch(events: Vec<Value>) -> Batch {
    read_batch(json!({"batch": events, "metadata": {"sdk_name": "python"}}).to_string().as_bytes()).unwrap()
}

fn steps(events: Vec<Value>) -> Vec<Step> {
    let batch = batch(events);
    assert_eq!(batch.decoded.rejection, None);
    batch.decoded.steps
}

fn at(second: u32) -> Timestamp {
    Timestamp::parse(&format!("2025-10-09T08:53:{second:02}Z")).unwrap()
}

/// A run as an older library tells it, in its order.
fn run() -> Vec<Value> {
    vec![
        event(
            10,
            "trace-create",
            json!({"id": "t-1", "timestamp": "2025-10-09T08:53:10Z", "name": "front desk", "userId": "u-1", "sessionId": "s-1",
            "release": "r-1", "tags": ["a"], "metadata": {"plan": "gold"}, "input": {"question": "Hi"}, "public": false}),
        ),
        event(
            11,
            "span-create",
            json!({"id": "s-1", "traceId": "t-1", "name": "plan", "startTime": "2025-10-09T08:53:11Z", "environment": "production"}),
        ),
        event(
            12,
            "generation-create",
            json!({"id": "g-1", "traceId": "t-1", "parentObservationId": "s-1", "name": "answer", "startTime": "2025-10-09T08:53:12Z",
            "model": "gpt-4o-mini", "modelParameters": {"temperature": 0}, "input": [{"role": "user", "content": "Hi"}]}),
        ),
        event(
            15,
            "generation-update",
            json!({"id": "g-1", "traceId": "t-1", "completionStartTime": "2025-10-09T08:53:13Z", "endTime": "2025-10-09T08:53:15Z",
            "output": {"role": "assistant", "content": "Hello"}, "usage": {"input": 7, "output": 3, "total": 10, "unit": "TOKENS", "totalCost": 0.5}}),
        ),
        event(
            16,
            "span-update",
            json!({"id": "s-1", "traceId": "t-1", "endTime": "2025-10-09T08:53:16Z", "level": "ERROR", "statusMessage": "timed out"}),
        ),
        event(
            17,
            "event-create",
            json!({"id": "v-1", "traceId": "t-1", "name": "handed over", "startTime": "2025-10-09T08:53:17Z"}),
        ),
        event(
            18,
            "score-create",
            json!({"id": "c-1", "traceId": "t-1", "name": "task_success", "value": 1, "dataType": "BOOLEAN", "comment": "fine"}),
        ),
        event(
            19,
            "score-create",
            json!({"id": "c-2", "traceId": "t-1", "observationId": "g-1", "name": "tone", "value": "warm"}),
        ),
        event(20, "sdk-log", json!({"log": "a note"})),
    ]
}

fn find<'a>(steps: &'a [Step], id: &str) -> &'a Step {
    steps.iter().find(|step| step.span_id == id).unwrap()
}

#[test]
fn events_become_one_run_in_whatever_order_and_batches_they_come() {
    let told = steps(run());
    assert_eq!(told.len(), 8, "the library's note is none");
    let whole = merge(Vec::new(), told.clone());
    for cut in 0..told.len() {
        let mut turned = told.clone();
        turned.rotate_left(cut);
        turned.reverse();
        let (late, early) = turned.split_at(cut);
        assert_eq!(merge(merge(Vec::new(), early.to_vec()), [late, early].concat()), whole, "{cut}");
    }
    let trace = find(&whole, TRACE);
    assert_eq!(
        (trace.kind, trace.name.as_str(), trace.trace_id.as_str()),
        (StepKind::Agent, "front desk", "langfuse:t-1")
    );
    assert_eq!(trace.parent_span_id.as_deref(), Some(UNKNOWN_PARENT), "nothing says that a trace has ended");
    assert_eq!(said(&trace.input), [(Role::User, "Hi")]);
    assert_eq!((trace.attributes["langfuse.trace.metadata.plan"].as_str(), trace.scores[0].value), ("gold", Some(1.0)));
    let declared = trace.declared.as_ref().unwrap();
    assert_eq!(
        (declared.user_id.as_deref(), declared.conversation_id.as_deref(), declared.release.as_deref()),
        (Some("u-1"), Some("s-1"), Some("r-1"))
    );
    let answer = find(&whole, "g-1");
    assert_eq!(
        (answer.kind, answer.name.as_str(), answer.parent_span_id.as_deref()),
        (StepKind::Model, "answer", Some("s-1"))
    );
    assert_eq!((answer.started_at, answer.ended_at, answer.first_token_ms), (at(12), at(15), Some(1_000)));
    assert_eq!((answer.model.as_deref(), answer.cost_nanos), (Some("gpt-4o-mini"), Some(Nanos(500_000_000))));
    assert_eq!(answer.usage.map(|usage| (usage.input, usage.output)), Some((7, 3)));
    assert_eq!((said(&answer.input), answer.output_text()), (vec![(Role::User, "Hi")], "Hello"));
    assert_eq!(answer.scores[0].label.as_deref(), Some("warm"));
    let plan = find(&whole, "s-1");
    assert_eq!((plan.status, plan.ended_at, plan.parent_span_id.as_deref()), (StepStatus::Error, at(16), Some(TRACE)));
    assert_eq!(plan.error.as_ref().unwrap().message, "timed out");
    let handed = find(&whole, "v-1");
    assert_eq!((handed.started_at, handed.ended_at), (at(17), at(17)));
    let facts = facts(whole);
    assert_eq!((facts.usage.total(), facts.n_model_calls, facts.cycle_ms), (10, 1, 7_000));
    assert_eq!(facts.outcome().as_str(), "completed");
}

#[test]
fn each_event_has_its_own_answer() {
    let events = vec![
        event(1, "trace-create", json!({"id": "t"})),
        event(2, "span-delete", json!({"id": "t"})),
        event(3, "span-update", json!({"traceId": "t", "endTime": "2025-10-09T08:53:16Z"})),
        json!({"id": "no body", "type": "trace-create"}),
        json!({"type": "trace-create", "body": {}}),
        json!(7),
        event(4, "generation-create", json!({"id": "g", "startTime": "soon"})),
        event(5, "generation-create", json!({"id": "g", "startTime": 1})),
        event(6, "score-create", json!({"traceId": "t", "name": "tone", "value": 1})),
        event(7, "score-create", json!({"sessionId": "s", "name": "tone", "value": 1})),
        event(8, "sdk-log", json!({})),
    ];
    let batch = batch(events);
    assert_eq!((batch.decoded.steps.len(), batch.decoded.rejected), (2, 8));
    insta::assert_snapshot!(serde_json::to_string_pretty(&batch.answer()).unwrap(), @r#"
    {
      "errors": [
        {
          "error": "“span-delete” is no type of event that is known",
          "id": "e-2-span-delete",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "the observation has no id",
          "id": "e-3-span-update",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "the event has no body",
          "id": "no body",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "the event has no id",
          "id": "unknown",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "the event is not an object",
          "id": "unknown",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "startTime is no time: RFC 3339 and seconds, milli-, micro- or nanoseconds since 1970 are",
          "id": "e-4-generation-create",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "startTime, 1970-01-01T00:00:01Z, is not between 2000 and 2100",
          "id": "e-5-generation-create",
          "message": "Invalid request data",
          "status": 400
        },
        {
          "error": "the score has no traceId: scores of sessions and of runs over data sets are not taken",
          "id": "e-7-score-create",
          "message": "Invalid request data",
          "status": 400
        }
      ],
      "successes": [
        {
          "id": "e-1-trace-create",
          "status": 201
        },
        {
          "id": "e-6-score-create",
          "status": 201
        },
        {
          "id": "e-8-sdk-log",
          "status": 201
        }
      ]
    }
    "#);
}

#[test]
fn an_observation_s_kind_is_in_its_event_or_in_its_body() {
    let kind = |event_type: &str, body: Value| steps(vec![event(1, event_type, body)])[0].kind;
    for (event_type, expected) in [
        ("agent-create", StepKind::Agent),
        ("tool-create", StepKind::Tool),
        ("chain-create", StepKind::Chain),
        ("retriever-create", StepKind::Retrieval),
        ("evaluator-create", StepKind::Guardrail),
        ("embedding-create", StepKind::Embedding),
        ("guardrail-create", StepKind::Guardrail),
        ("span-create", StepKind::Other),
    ] {
        assert_eq!(kind(event_type, json!({"id": "o", "traceId": "t"})), expected, "{event_type}");
    }
    let body = json!({"id": "o", "traceId": "t", "type": "GENERATION"});
    assert_eq!(kind("observation-create", body.clone()), StepKind::Model);
    assert_eq!(kind("observation-update", body), StepKind::Model);
}

#[test]
fn usage_is_read_in_all_its_forms() {
    let usage = |body: Value| {
        let mut whole = json!({"id": "g", "traceId": "t"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let step = steps(vec![event(1, "generation-create", whole)]).remove(0);
        (step.usage.map(|usage| (usage.input, usage.cache_read, usage.output)), step.cost_nanos)
    };
    assert_eq!(
        usage(json!({"usage": {"promptTokens": 5, "completionTokens": 2, "totalTokens": 7}})),
        (Some((5, 0, 2)), None)
    );
    assert_eq!(usage(json!({"usage": {"input": 5, "output": null, "unit": "CHARACTERS"}})), (None, None));
    let details = json!({"usageDetails": {"input": 5, "input_cached_tokens": 9, "output": 2}, "costDetails": {"input": 0.25, "output": 0.25},
        "usage": {"input": 999, "totalCost": 9.0}});
    assert_eq!(usage(details), (Some((5, 9, 2)), Some(Nanos(500_000_000))));
    let openai = json!({"usageDetails": {"prompt_tokens": 14, "completion_tokens": 2, "total_tokens": 16, "prompt_tokens_details": {"cached_tokens": 9}}});
    assert_eq!(usage(openai), (Some((5, 9, 2)), None));
}

#[test]
fn a_judgement_finds_the_span_that_came_over_otlp() {
    let chat =
        step_of(span(json!({"langfuse.observation.type": "generation", "langfuse.observation.model.name": "m"})));
    let body = json!({"traceId": chat.trace_id.to_uppercase(), "observationId": chat.span_id, "name": "tone", "value": 0.5, "source": "ANNOTATION"});
    let judged = steps(vec![event(1, "score-create", body)]);
    for steps in [merge(vec![chat.clone()], judged.clone()), merge(judged, vec![chat])] {
        assert_eq!((steps.len(), steps[0].model.as_deref()), (1, Some("m")));
        assert!(steps[0].scores[0].by_human && steps[0].scores[0].value == Some(0.5));
    }
}

fn score(body: &Value) -> Result<ReadScore, ScoreError> {
    read_score(body.to_string().as_bytes(), at(30))
}

#[test]
fn a_single_judgement_is_read_and_given_again_it_takes_its_own_place() {
    let first = score(&json!({"traceId": "t-1", "name": "tone", "value": 0.25, "id": "c-9"})).unwrap();
    assert_eq!(
        (first.id.as_str(), first.step.span_id.as_str(), first.step.trace_id.as_str()),
        ("c-9", TRACE, "langfuse:t-1")
    );
    let body = json!({"traceId": "t-1", "name": "tone", "value": 0.75, "id": "c-9"});
    let second = read_score(body.to_string().as_bytes(), at(31)).unwrap();
    let merged = merge(vec![second.step], vec![first.step]);
    assert_eq!(merged[0].scores.iter().map(|score| score.value).collect::<Vec<_>>(), [Some(0.75)]);
    let unnamed = json!({"traceId": "t-1", "name": "tone", "value": "warm", "dataType": "CATEGORICAL"});
    assert_eq!(score(&unnamed).unwrap().id, score(&unnamed).unwrap().id);
    assert_eq!(score(&unnamed).unwrap().id.len(), 32);
}

#[test]
fn what_is_no_judgement_is_refused_with_its_reason() {
    let why = |body: Value| score(&body).unwrap_err().to_string();
    insta::assert_snapshot!(why(json!([])), @"the body is JSON, but a score is an object");
    insta::assert_snapshot!(why(json!({"traceId": "t", "value": 1})), @"the score has no name");
    insta::assert_snapshot!(why(json!({"traceId": "t", "name": "n"})), @"the score has no value");
    insta::assert_snapshot!(why(json!({"traceId": "t", "name": "n", "value": {}})), @"the value of a score is a number or a text");
    insta::assert_snapshot!(why(json!({"traceId": "t", "name": "n", "value": ""})), @"the value of a score is a number or a text");
    insta::assert_snapshot!(why(json!({"traceId": "t", "name": "n", "value": "x", "dataType": "NUMERIC"})), @"the score's value is not NUMERIC");
    insta::assert_snapshot!(why(json!({"sessionId": "s", "name": "n", "value": 1})), @"the score has no traceId: scores of sessions and of runs over data sets are not taken");
    assert!(matches!(read_score(b"{", at(1)), Err(ScoreError::Wire(_))));
}

#[test]
fn what_is_no_batch_is_an_error_in_words() {
    let why = |body: &str| read_batch(body.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(why("{"), @"the body is not valid JSON");
    insta::assert_snapshot!(why("[]"), @"the body is JSON, but a batch of events is an object");
    insta::assert_snapshot!(why(r#"{"batch": {}}"#), @"the body is JSON, but it has no “batch”, so it is not a batch of Langfuse's events");
    assert!(read_batch(format!("{{\"batch\":{}", "[".repeat(100_000)).as_bytes()).is_err());
    assert_eq!(read_batch(br#"{"batch":[]}"#).unwrap(), Batch::default());
}

#[test]
fn judgements_in_a_list_are_taken_one_by_one() {
    let list = json!([
        {"id": "s1", "traceId": "t-1", "name": "helpful", "value": 0.9, "timestamp": "2025-10-09T08:53:20Z"},
        {"traceId": "t-1", "name": "polite", "value": "very"},
        {"name": "nowhere", "value": 1},
        {"traceId": "t-1", "name": "late", "value": 1, "timestamp": "soon"},
        "no score",
    ]);
    let Scores::List { decoded, refusals } = read_scores(list.to_string().as_bytes(), at(30)).unwrap() else {
        panic!("it is a list");
    };
    let said: Vec<_> = decoded.steps.iter().map(|step| (step.scores[0].name.as_str(), step.started_at)).collect();
    assert_eq!(said, [("helpful", at(20)), ("polite", at(30))]);
    assert_eq!((decoded.rejected, refusals.len()), (3, 3));
    for (refusal, why) in refusals.iter().zip(["traceId", "timestamp", "object"]) {
        assert!(refusal.contains(why), "{refusal}");
    }
    let one = json!({"id": "s1", "traceId": "t-1", "name": "helpful", "value": 0.9});
    let Scores::One(one) = read_scores(one.to_string().as_bytes(), at(30)).unwrap() else { panic!("it is one") };
    assert_eq!((one.id.as_str(), one.step.scores[0].value), ("s1", Some(0.9)));
    let Scores::List { decoded, refusals } = read_scores(b"[]", at(30)).unwrap() else { panic!("it is a list") };
    assert_eq!((decoded.steps.len(), refusals.len()), (0, 0));
    for bad in ["", "1", "null", "[1", "{}"] {
        assert!(read_scores(bad.as_bytes(), at(30)).is_err(), "{bad}");
    }
}
