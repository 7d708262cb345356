use serde_json::{Value, json};
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{ErrorClass, StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_wire::native::read_runs;
use steward_wire::platforms::{Delivery, Platform, attributes, read};

use super::{NOW, delivery, facts, one_run, received, refusal, steps};

fn n8n_error() -> Value {
    json!([{"execution": {"id": "231", "url": "https://n8n.example.com/workflow/1/executions/231", "retryOf": "34",
        "error": {"message": "The service refused it", "stack": "…", "name": "NodeApiError", "node": {"name": "CRM", "type": "n8n-nodes-base.hubspot"}, "httpCode": "429"},
        "lastNodeExecuted": "CRM", "mode": "trigger"}, "workflow": {"id": "1", "name": "Example Workflow"}}])
}

fn n8n_execution(data: bool) -> Value {
    let mut execution = json!({"id": 231, "finished": false, "mode": "trigger", "retryOf": null, "startedAt": "2026-10-08T02:00:00.000Z",
        "stoppedAt": "2026-10-08T02:00:09.000Z", "workflowId": "1", "waitTill": null, "status": "error"});
    if data {
        execution["data"] = json!({"resultData": {"lastNodeExecuted": "CRM",
        "error": {"message": "The service refused it", "httpCode": "429", "name": "NodeApiError"},
        "runData": {
            "Schedule": [{"startTime": 1_791_424_800_000_i64, "executionTime": 5, "executionStatus": "success", "source": [], "data": {"main": [[{"json": {"secret": 1}}]]}}],
            "Model": [{"startTime": 1_791_424_801_000_i64, "executionTime": 4_000, "executionStatus": "success", "source": [{"previousNode": "Agent"}],
                "inputOverride": {"ai_languageModel": [[{"json": {"options": {"model": "gpt-4o-mini"}}}]]},
                "data": {"ai_languageModel": [[{"json": {"response": {"generations": []}, "tokenUsage": {"completionTokens": 20, "promptTokens": 100, "totalTokens": 120}}}]]}}],
            "CRM": [{"startTime": 1_791_424_806_000_i64, "executionTime": 2_000, "executionStatus": "error", "source": [{"previousNode": "Agent"}],
                "error": {"message": "The service refused it", "httpCode": "429", "name": "NodeApiError"}}],
        }}});
    }
    execution
}

#[test]
fn an_error_of_n8n_and_its_execution_are_one_run_in_any_order() {
    let (error, bare, whole) = (
        steps(Platform::N8n, &n8n_error()),
        steps(Platform::N8n, &n8n_execution(false)),
        steps(Platform::N8n, &n8n_execution(true)),
    );
    assert_eq!(error[0].trace_id, "n8n:con_1/231", "ids of n8n are its own inside one connection");
    let (_, alone) = one_run(std::slice::from_ref(&error));
    assert_eq!((alone.outcome(), alone.n_exceptions), (Outcome::Failed, 1));
    assert_eq!(alone.first_error, "CRM: The service refused it");
    let (run, facts) = one_run(&[error.clone(), bare.clone(), whole]);
    assert_eq!((facts.outcome(), facts.cycle_ms), (Outcome::Failed, 9_000));
    assert_eq!(facts.first_error, "CRM: The service refused it");
    assert_eq!(
        (facts.n_exceptions, facts.n_tool_calls, facts.n_model_calls),
        (1, 1, 1),
        "one error: the failed end says no more"
    );
    let failed = run.iter().find(|step| step.span_id == "error").unwrap();
    assert_eq!((failed.error.as_ref().unwrap().class, failed.duration_ms()), (ErrorClass::RateLimit, 2_000));
    let model = run.iter().find(|step| step.kind == StepKind::Model).unwrap();
    assert_eq!(
        (model.model.as_deref(), model.usage.unwrap().total(), model.estimated),
        (Some("gpt-4o-mini"), 120, false)
    );
    // Without its data the execution tells the times, and the error workflow what went wrong.
    let (run, facts) = one_run(&[error, bare]);
    assert_eq!((facts.outcome(), facts.first_error.as_str()), (Outcome::Failed, "CRM: The service refused it"));
    let root = run.iter().find(|step| step.span_id == "root").unwrap();
    assert_eq!(Some(root.started_at), Timestamp::parse("2026-10-08T02:00:00Z"));
    let failed = run.iter().find(|step| step.span_id == "error").unwrap();
    assert_eq!(failed.attributes[attributes::LINK], "https://n8n.example.com/workflow/1/executions/231");
}

#[test]
fn executions_of_two_installations_are_two_runs() {
    let body = n8n_error().to_string();
    let of = |scope| {
        read(Platform::N8n, &Delivery { scope, ..delivery(body.as_bytes()) }).unwrap().steps[0].trace_id.clone()
    };
    assert_ne!(of("con_1"), of("con_2"));
    assert_eq!(of(""), "n8n:231");
}

#[test]
fn a_trigger_of_n8n_that_failed_is_a_run_of_its_own() {
    let body = json!([{"trigger": {"error": {"name": "WorkflowActivationError", "message": "no credentials: unauthorized", "cause": {}, "node": {},
        "timestamp": 1_790_609_328_787_i64}, "mode": "trigger"}, "workflow": {"id": "1", "name": "Example"}}]);
    let run = steps(Platform::N8n, &body);
    assert_eq!((run[0].started_at, run[0].status), (Timestamp(1_790_609_328_787_000), StepStatus::Error));
    assert_eq!(run[1].error.as_ref().unwrap().class, ErrorClass::Auth);
    let (_, again) = one_run(&[run.clone(), run]);
    assert_eq!(again.outcome(), Outcome::Failed);
}

#[test]
fn executions_of_n8n_end_as_their_status_says() {
    let with = |status: &str, mode: &str| {
        let mut body = n8n_execution(false);
        body["status"] = json!(status);
        body["mode"] = json!(mode);
        steps(Platform::N8n, &body)
    };
    let success = with("success", "manual");
    assert_eq!((success[0].status, facts(&success).test), (StepStatus::Ok, true), "by hand is a test");
    assert!(!facts(&with("success", "webhook")).test);
    assert_eq!(facts(&with("crashed", "trigger")).first_error, "unknown node: the execution crashed");
    assert_eq!(facts(&with("canceled", "trigger")).outcome(), Outcome::Abandoned);
    assert_eq!(with("running", "trigger")[0].span_id, "status-running");
    assert_eq!(with("new", "trigger"), []);
    let mut guessed = n8n_execution(true);
    let usage = guessed["data"]["resultData"]["runData"]["Model"][0]["data"]["ai_languageModel"][0][0]["json"]
        .as_object_mut()
        .unwrap();
    let tokens = usage.remove("tokenUsage").unwrap();
    usage.insert("tokenUsageEstimate".to_owned(), tokens);
    assert!(facts(&steps(Platform::N8n, &guessed)).cost_estimated, "guessed tokens make a guessed price");
    let broke = json!([{"execution": {"id": "5", "error": {"message": "You exceeded your current quota, please check your plan"}, "lastNodeExecuted": "OpenAI"}, "workflow": {"id": "1"}}]);
    let run = steps(Platform::N8n, &broke);
    assert!(run[1].error.as_ref().unwrap().is_money_fault());
    assert_eq!(run[0].attributes[attributes::MONEY_FAULT], "true");
    insta::assert_snapshot!(refusal(Platform::N8n, &json!({"hello": 1})), @"event 0: it has neither an execution nor the id of one");
}

#[test]
fn executions_of_make_cost_an_estimate_and_their_detail_tells_the_error() {
    let log = json!({"imtId": "e1", "id": "e1", "scenarioId": 17, "status": 3, "duration": 1_500, "operations": 4, "centicredits": 250,
        "transfer": 1_000, "timestamp": "2026-10-08T02:00:00.000Z", "teamId": 1, "type": "auto"});
    let detail = json!({"executionId": "e1", "scenarioId": 17, "status": "ERROR", "outputs": null, "timestamp": "2026-10-08T02:00:00.000Z", "duration": 1_500, "centicredits": 250,
        "error": {"name": "RateLimitError", "message": "slow down", "causeModule": {"name": "Search rows", "appName": "google-sheets"}}});
    let (run, facts) = one_run(&[steps(Platform::Make, &log), steps(Platform::Make, &detail)]);
    assert_eq!((facts.outcome(), facts.cycle_ms), (Outcome::Failed, 1_500));
    assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(2_647_500)), true), "2.5 credits");
    assert_eq!(facts.tools[0].name, "Search rows");
    assert_eq!(facts.tools[0].errors, [(ErrorClass::RateLimit, 1)]);
    assert_eq!(run[0].trace_id, "make:con_1/e1");
    let well = json!({"imtId": "e2", "status": 1, "timestamp": "2026-10-08T02:00:00.000Z"});
    assert_eq!(steps(Platform::Make, &well)[0].status, StepStatus::Ok);
    insta::assert_snapshot!(refusal(Platform::Make, &json!({"id": "e"})), @"event 0: its execution has no status");
}

#[test]
fn statuses_of_zapier_are_known_by_their_words() {
    let run = |status: &str, error: Value| {
        let body = json!({"source": "zapier", "run_id": "r", "zap_id": 18, "zap_title": "Leads", "status": status, "error": error,
            "run_url": "https://zapier.com/r", "ts": "2026-10-08T15:04:05Z"});
        steps(Platform::Zapier, &body)
    };
    for good in ["success", "Successful", "Filtered", "Safely halted", "Skipped", "Handled error", "Stopped (Handled)"]
    {
        assert_eq!(run(good, Value::Null)[0].status, StepStatus::Ok, "{good}");
    }
    for bad in ["Errored", "error", "Stopped (Errored)", "turned off"] {
        assert_eq!(facts(&run(bad, json!("401 Unauthorized"))).outcome(), Outcome::Failed, "{bad}");
    }
    for goes_on in ["Playing", "Waiting", "Delayed", "Scheduled"] {
        assert_eq!(run(goes_on, Value::Null)[0].span_id, "status-running", "{goes_on}");
    }
    let held = run("Held", json!("Your account reached its task limit"));
    assert!(held[0].error.as_ref().unwrap().is_money_fault());
    let page = json!({"links": {}, "data": [{"id": "a", "zap_id": 1, "status": "success", "start_time": "2026-10-08T15:04:05Z", "end_time": "2026-10-08T15:04:06Z"},
        {"id": "b", "zap_id": 1, "status": "error", "start_time": "2026-10-08T15:04:05Z"}]});
    assert_eq!(steps(Platform::Zapier, &page).len(), 2);
    insta::assert_snapshot!(refusal(Platform::Zapier, &json!({"status": "error"})), @"event 0: it names no Zap");
}

#[test]
fn runs_of_langgraph_are_read_with_their_state() {
    let body = |status: &str| {
        json!({"run_id": "r1", "thread_id": "t1", "assistant_id": "a1", "created_at": "2026-10-08T15:04:05.123456+00:00", "updated_at": "2026-10-08T15:04:09+00:00",
            "metadata": {"graph_id": "support", "client_id": "acme"}, "kwargs": {"input": {}}, "multitask_strategy": "reject", "status": status,
            "run_started_at": "2026-10-08T15:04:06+00:00", "run_ended_at": "2026-10-08T15:04:10+00:00", "webhook_sent_at": "2026-10-08T15:04:11+00:00",
            "values": {"messages": [{"type": "human", "content": "Where is it?"}, {"type": "ai", "content": "Here."}]}})
    };
    let run = steps(Platform::LangGraph, &body("success"));
    let read = facts(&run);
    assert_eq!((read.cycle_ms, read.conversation_id.as_str(), read.title.as_str()), (4_000, "t1", "Where is it?"));
    assert_eq!((run[0].name.as_str(), run[0].output_text()), ("support", "Here."));
    assert_eq!(facts(&steps(Platform::LangGraph, &body("interrupted"))).outcome(), Outcome::Escalated);
    let timed_out = steps(Platform::LangGraph, &body("timeout"));
    assert_eq!(timed_out[0].error.as_ref().unwrap().class, ErrorClass::Timeout);
    let mut failed = body("error");
    failed["error"] = json!("RateLimitError: slow down");
    failed["metadata"]["from_studio"] = json!(true);
    let run = steps(Platform::LangGraph, &failed);
    assert_eq!(
        (run[0].error.as_ref().unwrap().class, facts(&run).outcome(), facts(&run).test),
        (ErrorClass::RateLimit, Outcome::Failed, true)
    );
    insta::assert_snapshot!(refusal(Platform::LangGraph, &json!({"run_id": "r"})), @"event 0: its run has no status");
}

#[test]
fn the_status_of_a_call_of_twilio_is_read_from_forms_and_json() {
    let form = |status: &str, more: &str| {
        let body = format!(
            "CallSid=CA1&AccountSid=AC1&From=%2B15550100&To=%2B15550199&CallStatus={status}&Direction=inbound&Timestamp=Thu%2C+08+Oct+2026+15%3A04%3A05+%2B0000&SequenceNumber=0&CallbackSource=call-progress-events{more}"
        );
        let decoded = read(Platform::Twilio, &delivery(body.as_bytes())).unwrap();
        assert_eq!(decoded.rejection, None);
        received(decoded.steps)
    };
    let done = form("completed", "&CallDuration=65&Duration=2");
    assert_eq!((Some(done[0].ended_at), done[0].duration_ms()), (Timestamp::parse("2026-10-08T15:04:05Z"), 65_000));
    let (_, run) = one_run(&[
        form("in-progress", ""),
        done.clone(),
        form("completed", "&CallDuration=65&RecordingUrl=https%3A%2F%2Frec"),
    ]);
    assert_eq!((run.finished, run.outcome(), run.user_id.as_str()), (true, Outcome::Unverified, "+15550100"));
    assert_eq!(form("ringing", ""), []);
    assert_eq!(facts(&form("busy", "")).outcome(), Outcome::Abandoned);
    assert_eq!(facts(&form("failed", "")).outcome(), Outcome::Failed);
    assert_eq!(form("failed", "&SipResponseCode=486")[0].attributes[attributes::END_CLASS], "caller");
    let json = json!({"sid": "CA2", "status": "completed", "start_time": "Thu, 08 Oct 2026 15:00:00 +0000", "end_time": "Thu, 08 Oct 2026 15:01:00 +0000", "price": "-0.0085", "price_unit": "USD", "direction": "outbound-api"});
    let run = steps(Platform::Twilio, &json);
    assert_eq!((facts(&run).cost_nanos, facts(&run).cycle_ms), (Some(Nanos(8_500_000)), 60_000));
    let euros = json!({"sid": "CA2", "status": "completed", "price": "-0.0085", "price_unit": "EUR"});
    assert_eq!(facts(&steps(Platform::Twilio, &euros)).cost_nanos, None);
    assert!(read(Platform::Twilio, &delivery(b"")).is_err());
    assert!(read(Platform::Twilio, &delivery(b"\xff=1")).is_err());
}

#[test]
fn an_event_is_a_native_run_with_less_to_say() {
    let least = steps(
        Platform::Event,
        &json!({"id": "17", "workflow": "Nightly import", "status": "failed", "error": "no credits left"}),
    );
    assert_eq!((least[0].trace_id.as_str(), least[0].started_at), ("native:17", NOW));
    assert!(least[0].error.as_ref().unwrap().is_money_fault());
    assert_eq!(facts(&least).outcome(), Outcome::Failed);
    let told = json!({"id": "18", "workflow": "Nightly import", "outcome": "completed", "ts": "2026-10-08T02:03:10Z", "duration_ms": 190_000,
        "cost_usd": 0.02, "cost_estimated": true, "end_reason": "agent-ended-call", "url": "https://example.com/runs/18", "metadata": {"client_id": "acme"}});
    let run = steps(Platform::Event, &told);
    let read_facts = facts(&run);
    assert_eq!((read_facts.cycle_ms, read_facts.outcome()), (190_000, Outcome::Completed));
    assert_eq!((read_facts.cost_nanos, read_facts.cost_estimated), (Some(Nanos(20_000_000)), true));
    assert_eq!(
        (run[0].attributes[attributes::LINK].as_str(), run[0].attributes[attributes::END_CLASS].as_str()),
        ("https://example.com/runs/18", "agent")
    );
    assert_eq!(run[0].reading.unmapped, Vec::<String>::new());
    // The same id told natively is the same run, and the one that says more stays.
    let native = json!({"id": "18", "workflow": "Nightly import", "started_at": "2026-10-08T02:00:00Z", "ended_at": "2026-10-08T02:03:10Z", "outcome": "completed",
        "input": "a", "output": "b", "title": "Imported 3 rows", "metadata": {"a": 1, "b": 2, "c": 3}});
    let native = received(read_runs(native.to_string().as_bytes()).unwrap().steps);
    let (_, merged) = one_run(&[run, native]);
    assert_eq!(merged.title, "Imported 3 rows");
    let running = steps(
        Platform::Event,
        &json!({"id": "18", "workflow": "Nightly import", "status": "running", "started_at": "2026-10-08T02:00:00Z"}),
    );
    assert_eq!((running.len(), running[0].parent_span_id.as_deref()), (1, Some("root")));
}

#[test]
fn events_come_alone_in_lists_in_an_envelope_and_as_lines() {
    let one = json!({"id": 1, "status": "ok"});
    let two = json!({"id": 2, "status": "ok"});
    for body in [json!([one, two]).to_string(), json!({"events": [one, two]}).to_string(), format!("{one}\n{two}\n")] {
        assert_eq!(read(Platform::Event, &delivery(body.as_bytes())).unwrap().steps.len(), 2, "{body}");
    }
    let mixed = read(Platform::Event, &delivery(format!("{one}\nnonsense\n{{}}\n").as_bytes())).unwrap();
    assert_eq!((mixed.steps.len(), mixed.rejected), (1, 2));
    insta::assert_snapshot!(mixed.rejection.unwrap(), @"event 1: it is not an object; event 2: it has no id, so that the same event sent twice would be two runs");
    insta::assert_snapshot!(refusal(Platform::Event, &json!({"id": "x", "started_at": "soon"})), @"event 0: started_at is no time: RFC 3339 and seconds, milli-, micro- or nanoseconds since 1970 are");
    assert!(read(Platform::Event, &delivery(b"hello")).is_err());
    assert!(read(Platform::Event, &delivery(b"7")).is_err());
    let undated = Delivery { received_at: Timestamp(0), ..delivery(b"{\"id\": 1}") };
    let refused = read(Platform::Event, &undated).unwrap();
    insta::assert_snapshot!(refused.rejection.unwrap(), @"event 0: it tells no time, and the time at which it was received is not known");
}

#[test]
fn the_examples_in_the_documentation_are_read() {
    for (platform, source) in [
        (Platform::Event, include_str!("../../../src/platforms/event.rs")),
        (Platform::Zapier, include_str!("../../../src/platforms/zapier.rs")),
    ] {
        let text: Vec<&str> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let text = text.join("\n");
        let examples: Vec<&str> =
            text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("json")).collect();
        assert!(!examples.is_empty());
        for example in examples {
            let run = steps(platform, &serde_json::from_str(&example.replace('…', "x")).unwrap());
            assert_eq!(run[0].reading.unmapped, Vec::<String>::new(), "{example}");
        }
    }
}
