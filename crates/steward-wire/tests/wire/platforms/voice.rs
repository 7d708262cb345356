use serde_json::{Value, json};
use steward_core::money::Nanos;
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::step::{ErrorClass, Role, StepKind, StepStatus};
use steward_core::time::Timestamp;
use steward_wire::platforms::{Platform, attributes};

use super::{facts, one_run, refusal, steps};
use crate::support::said;

fn vapi_call() -> Value {
    json!({
        "id": "call-1", "orgId": "org", "type": "inboundPhoneCall", "assistantId": "asst-1", "phoneNumberId": "pn-1",
        "status": "ended", "createdAt": "2026-03-09T13:59:58.000Z",
    })
}

/// The documented report, with a conversation and a tool in it.
fn vapi_report() -> Value {
    json!({ "message": {
        "type": "end-of-call-report", "timestamp": 1_773_064_952_000_i64, "endedReason": "customer-ended-call", "cost": 0.125,
        "costs": [
            {"type": "transport", "provider": "twilio", "minutes": 2.5, "cost": 0.02},
            {"type": "transcriber", "transcriber": {"provider": "deepgram"}, "minutes": 2.5, "cost": 0.025},
            {"type": "model", "model": {"provider": "openai", "model": "gpt-4o"}, "promptTokens": 1200,
             "completionTokens": 180, "cachedPromptTokens": 200, "cost": 0.03},
            {"type": "voice", "voice": {"provider": "11labs"}, "characters": 900, "cost": 0.025},
            {"type": "vapi", "subType": "normal", "minutes": 2.5, "cost": 0.025}],
        "startedAt": "2026-03-09T14:00:00.000Z", "endedAt": "2026-03-09T14:02:30.000Z",
        "analysis": {"summary": "Booked cleaning.", "successEvaluation": "true", "structuredData": {"booked": true}},
        "artifact": {"transcript": "AI: …", "recordingUrl": "https://storage.example/rec.wav", "messages": [
            {"role": "system", "message": "You book.", "time": 1_773_064_800_000_i64, "secondsFromStart": 0},
            {"role": "bot", "message": "Hi", "time": 1_773_064_801_000_i64, "endTime": 1_773_064_802_000_i64},
            {"role": "user", "message": "A cleaning, please", "time": 1_773_064_805_000_i64, "endTime": 1_773_064_807_000_i64},
            {"role": "tool_calls", "time": 1_773_064_808_000_i64, "toolCalls": [
                {"id": "t1", "type": "function", "function": {"name": "book", "arguments": "{\"day\":\"Thursday\"}"}}]},
            {"role": "tool_call_result", "toolCallId": "t1", "name": "book", "result": "Error: no seats", "time": 1_773_064_809_000_i64},
            {"role": "bot", "message": "Thursday is full.", "time": 1_773_064_811_000_i64}]},
        "assistant": {"name": "Front desk", "model": {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": "long"}]}},
        "call": vapi_call(), "customer": {"number": "+15550100"}, "somethingNew": 1,
    }})
}

fn vapi_status(status: &str, at_ms: i64, reason: Option<&str>) -> Value {
    json!({"message": {"type": "status-update", "status": status, "timestamp": at_ms, "endedReason": reason, "call": vapi_call()}})
}

#[test]
fn a_report_of_vapi_is_read_whole() {
    let run = steps(Platform::Vapi, &vapi_report());
    let root = &run[0];
    assert_eq!(
        (root.trace_id.as_str(), root.span_id.as_str(), root.name.as_str()),
        ("vapi:call-1", "root", "Front desk")
    );
    assert_eq!(Some(root.started_at), Timestamp::parse("2026-03-09T14:00:00Z"));
    assert_eq!(root.duration_ms(), 150_000);
    assert_eq!((root.status, &root.error), (StepStatus::Ok, &None));
    assert_eq!((root.model.as_deref(), root.provider.as_deref()), (Some("gpt-4o"), Some("openai")));
    let usage = root.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read, usage.output), (1_000, 200, 180));
    let declared = root.declared.as_ref().unwrap();
    assert!(declared.ended && !declared.test && !declared.cost_estimated);
    assert_eq!((declared.cost_nanos, declared.outcome), (Some(Nanos(125_000_000)), None));
    assert_eq!((declared.workflow.as_deref(), declared.user_id.as_deref()), (Some("asst-1"), Some("+15550100")));
    assert_eq!(declared.title.as_deref(), Some("Booked cleaning."));
    for (key, value) in [
        (attributes::END_REASON, "customer-ended-call"),
        (attributes::END_CLASS, "caller"),
        (attributes::RECORDING, "https://storage.example/rec.wav"),
        (attributes::DIRECTION, "inbound"),
        ("cost_nanos.voice", "25000000"),
        ("field.booked", "true"),
    ] {
        assert_eq!(root.attributes.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert_eq!(root.reading.unmapped, ["somethingNew"]);
    assert_eq!(said(&root.input), [(Role::User, "A cleaning, please")]);
    let kinds: Vec<_> = run.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [StepKind::Agent, StepKind::Model, StepKind::Model, StepKind::Tool, StepKind::Model]);
    let tool = &run[3];
    assert_eq!((tool.tool.as_deref(), tool.duration_ms()), (Some("book"), 1_000));
    assert_eq!(tool.error.as_ref().unwrap().message, "Error: no seats");
    let facts = facts(&run);
    assert_eq!((facts.outcome(), facts.evidence_kind()), (Outcome::Completed, EvidenceKind::Score));
    assert_eq!((facts.cost_nanos, facts.n_tool_calls, facts.usage.total()), (Some(Nanos(125_000_000)), 1, 1_380));
    assert_eq!(facts.cycle_ms, 150_000);
}

#[test]
fn all_that_vapi_tells_of_a_call_is_one_run_in_any_order() {
    let mut later = vapi_call();
    for (key, value) in vapi_report()["message"].as_object().unwrap() {
        if !["type", "timestamp", "call"].contains(&key.as_str()) {
            later[key] = value.clone();
        }
    }
    later["analysis"]["summary"] = json!("Booked a cleaning for Thursday.");
    later["costBreakdown"] = json!({"total": 0.125, "llm": 0.03, "stt": 0.025});
    let mut early = vapi_report();
    early["message"].as_object_mut().unwrap().remove("analysis");
    // The notice of the end comes later than the end that the report tells.
    let reports = [
        steps(Platform::Vapi, &vapi_status("in-progress", 1_773_064_800_100, None)),
        steps(Platform::Vapi, &vapi_status("ended", 1_773_064_960_000, Some("customer-ended-call"))),
        steps(Platform::Vapi, &early),
        steps(Platform::Vapi, &later),
    ];
    let (run, facts) = one_run(&reports);
    assert_eq!((facts.outcome(), facts.title.as_str()), (Outcome::Completed, "Booked a cleaning for Thursday."));
    assert_eq!((facts.cycle_ms, facts.cost_nanos), (150_000, Some(Nanos(125_000_000))));
    assert_eq!(run.iter().filter(|step| step.parent_span_id.is_none()).count(), 1);
    let (_, only_notice) = one_run(&reports[..2]);
    assert_eq!(
        (only_notice.finished, only_notice.outcome(), only_notice.cost_nanos),
        (true, Outcome::Unverified, None)
    );
    let goes_on = facts_of(&reports[0]);
    assert!(!goes_on.finished || goes_on.outcome() == Outcome::Unverified);
}

fn facts_of(steps: &[steward_core::step::Step]) -> steward_core::run::RunFacts {
    facts(steps)
}

#[test]
fn an_end_without_money_is_marked_on_the_root() {
    for reason in ["call.start.error-subscription-insufficient-credits", "pipeline-error-eleven-labs-quota-exceeded"] {
        let body = json!({"message": {"type": "end-of-call-report", "timestamp": 1_773_064_952_000_i64, "endedReason": reason, "call": {"id": "c"}}});
        let run = steps(Platform::Vapi, &body);
        let error = run[0].error.as_ref().unwrap();
        assert!(error.is_money_fault(), "{reason}");
        assert_eq!(error.code.as_deref(), Some(reason));
        assert_eq!(run[0].attributes[attributes::MONEY_FAULT], "true");
        assert_eq!(facts(&run).outcome(), Outcome::Failed);
    }
    let body = json!({"message": {"type": "end-of-call-report", "timestamp": 1_773_064_952_000_i64,
        "endedReason": "pipeline-error-openai-401-unauthorized", "call": {"id": "c"}}});
    let run = steps(Platform::Vapi, &body);
    assert_eq!(run[0].error.as_ref().unwrap().class, ErrorClass::Auth);
    assert!(!run[0].attributes.contains_key(attributes::MONEY_FAULT));
}

#[test]
fn grades_of_vapi_are_kept_and_only_verdicts_decide() {
    let judged = |text: Value| {
        let mut body = vapi_report();
        body["message"]["analysis"]["successEvaluation"] = text;
        let run = steps(Platform::Vapi, &body);
        let score = run[0].scores.first().map(|score| (score.name.clone(), score.value));
        (score, facts(&run).outcome())
    };
    let some = |name: &str, value: Option<f64>| Some((name.to_owned(), value));
    assert_eq!(judged(json!("true")), (some("success", Some(1.0)), Outcome::Completed));
    assert_eq!(judged(json!(false)), (some("success", Some(0.0)), Outcome::Failed));
    assert_eq!(judged(json!("8")), (some("success_grade", Some(0.8)), Outcome::Unverified));
    assert_eq!(judged(json!("85%")), (some("success_grade", Some(0.85)), Outcome::Unverified));
    assert_eq!(judged(json!("Good")), (some("success_grade", Some(0.75)), Outcome::Unverified));
    assert_eq!(judged(json!("NaN")), (some("success_grade", None), Outcome::Unverified));
    assert_eq!(judged(json!("The caller was happy")), (some("success_grade", None), Outcome::Unverified));
    assert_eq!(judged(json!("")), (None, Outcome::Unverified));
}

#[test]
fn what_vapi_documents_with_other_words_is_read_too() {
    // The documentation's own sample: a reason of no list, roles of another vocabulary, no times.
    let body = json!({"message": {"type": "end-of-call-report", "endedReason": "hangup", "call": {"id": "c"}, "artifact": {
        "recording": {"stereoUrl": "https://s"}, "transcript": "AI: How can I help? …",
        "messages": [{"role": "assistant", "message": "How can I help?"}, {"role": "user", "message": "What's the weather?"}]}}});
    let run = steps(Platform::Vapi, &body);
    assert_eq!((run[0].attributes[attributes::END_REASON].as_str(), run.len()), ("hangup", 2));
    assert_eq!(run[0].started_at, super::NOW);
    assert_eq!(run[0].reading.notes, ["it tells no time of its own, so it stands where it was received"]);
    let text = json!({"message": {"type": "end-of-call-report", "call": {"id": "c"}, "startedAt": "2026-03-09T14:00:00Z",
        "transcript": "AI: Hello\nUser: A table\nfor two\nAI: Done"}});
    let run = steps(Platform::Vapi, &text);
    assert_eq!(said(&run[0].input), [(Role::User, "A table\nfor two")]);
}

#[test]
fn moments_inside_a_call_make_no_steps_and_a_hang_is_an_error() {
    for kind in [
        "transcript[transcriptType=\"final\"]",
        "speech-update",
        "conversation-update",
        "chat.created",
        "call.deleted",
        "tool-calls",
    ] {
        assert_eq!(steps(Platform::Vapi, &json!({"message": {"type": kind, "call": {"id": "c"}}})), []);
    }
    assert_eq!(steps(Platform::Vapi, &vapi_status("ringing", 1_773_064_800_000, None)), []);
    let hang = steps(
        Platform::Vapi,
        &json!({"message": {"type": "hang", "timestamp": 1_773_064_800_000_i64, "call": vapi_call()}}),
    );
    assert_eq!(hang[0].error.as_ref().unwrap().class, ErrorClass::Timeout);
    let (_, facts) = one_run(&[hang, steps(Platform::Vapi, &vapi_report())]);
    assert_eq!((facts.outcome(), facts.n_exceptions), (Outcome::Completed, 2));
    insta::assert_snapshot!(refusal(Platform::Vapi, &json!({"message": {"type": "end-of-call", "call": {"id": "c"}}})), @"event 0: a message of the type “end-of-call” is none that is known");
    insta::assert_snapshot!(refusal(Platform::Vapi, &json!({"message": {"type": "status-update"}})), @"event 0: its call has no id");
    insta::assert_snapshot!(refusal(Platform::Vapi, &json!({"a": 1})), @"event 0: it has neither a message nor the id of a call");
}

fn retell(event: &str, analysed: bool) -> Value {
    let mut body = json!({"event": event, "call": {
        "call_id": "Jabr9TXYYJHfvl6Syypi88rdAHYHmcq6", "agent_id": "agent_1", "agent_version": 3, "agent_name": "Desk",
        "call_type": "phone_call", "direction": "inbound", "from_number": "+12137771234", "to_number": "+12137771235",
        "call_status": "ended", "start_timestamp": 1_714_608_475_945_i64, "end_timestamp": 1_714_608_491_736_i64, "duration_ms": 15_791,
        "disconnection_reason": "user_hangup", "metadata": {"client_id": "acme"},
        "recording_url": "https://rec.example/a.wav",
        "transcript_object": [{"role": "agent", "content": "Hi"}],
        "transcript_with_tool_calls": [
            {"role": "agent", "content": "Hi", "words": [{"word": "Hi", "start": 0.5, "end": 0.9}]},
            {"role": "user", "content": "Thursday?", "words": [{"word": "Thurs", "start": 2.0, "end": 2.4}, {"word": "day?", "start": 2.4, "end": 3.0}]},
            {"role": "tool_call_invocation", "tool_call_id": "t", "name": "find_slots", "arguments": "{}"},
            {"role": "tool_call_result", "tool_call_id": "t", "content": "none", "successful": false},
            {"role": "agent", "content": "No.", "words": [{"word": "No.", "start": 6.0, "end": 6.5}]}],
        "call_cost": {"combined_cost": 2.4, "product_costs": [
            {"product": "elevenlabs_tts", "unit_price": 0.1166, "cost": 1.8}, {"product": "gpt_4_1", "unit_price": 0.075, "cost": 0.6}],
            "total_duration_seconds": 16, "total_duration_unit_price": 0.1916},
        "llm_token_usage": {"average": 100.0, "num_requests": 3, "values": [90, 100, 110]},
        "latency": {"e2e": {"p50": 800, "p95": 1200, "values": [800, 1200]}},
    }});
    if analysed {
        body["call"]["call_analysis"] = json!({"call_summary": "Wanted Thursday.", "in_voicemail": false, "user_sentiment": "Positive",
            "call_successful": true, "custom_analysis_data": {"booked": false}});
    }
    body
}

#[test]
fn both_phases_of_retell_are_one_run_in_any_order() {
    let reports = [
        steps(Platform::Retell, &retell("call_ended", false)),
        steps(Platform::Retell, &retell("call_analyzed", true)),
        steps(
            Platform::Retell,
            &json!({"event": "call_started", "call": {"call_id": "Jabr9TXYYJHfvl6Syypi88rdAHYHmcq6",
            "agent_id": "agent_1", "call_status": "ongoing", "start_timestamp": 1_714_608_475_945_i64}}),
        ),
        // The same call, asked of the API.
        steps(Platform::Retell, &retell("call_ended", true)["call"]),
    ];
    let (run, facts) = one_run(&reports);
    assert_eq!((facts.outcome(), facts.evidence_kind()), (Outcome::Completed, EvidenceKind::Score));
    assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(24_000_000)), false), "2.4 cents");
    assert_eq!((facts.cycle_ms, facts.release.as_str(), facts.title.as_str()), (15_791, "3", "Wanted Thursday."));
    assert_eq!((facts.usage.total(), facts.n_tool_calls), (300, 1));
    let root = run.iter().find(|step| step.span_id == "root").unwrap();
    for (key, value) in [
        (attributes::CLIENT_ID, "acme"),
        ("cost_nanos.elevenlabs_tts", "18000000"),
        ("latency.e2e_p95_ms", "1200"),
        (attributes::END_CLASS, "caller"),
        ("field.booked", "false"),
    ] {
        assert_eq!(root.attributes.get(key).map(String::as_str), Some(value), "{key}");
    }
    let tool = run.iter().find(|step| step.kind == StepKind::Tool).unwrap();
    assert_eq!((tool.tool.as_deref(), tool.status), (Some("find_slots"), StepStatus::Error));
    assert_eq!(run.last().unwrap().ended_at, Timestamp(1_714_608_475_945_000).plus_ms(6_500));
    let (_, unanalysed) = one_run(&reports[..1]);
    assert_eq!(unanalysed.outcome(), Outcome::Unverified);
}

#[test]
fn ends_of_retell_say_what_came_of_a_call() {
    let end = |reason: &str, status: &str| {
        let body = json!({"event": "call_ended", "call": {"call_id": "c", "call_status": status, "start_timestamp": 1_714_608_475_945_i64, "disconnection_reason": reason}});
        let run = steps(Platform::Retell, &body);
        (facts(&run).outcome(), run[0].error.as_ref().map(|error| error.class))
    };
    assert_eq!(end("no_valid_payment", "error"), (Outcome::Failed, Some(ErrorClass::Money)));
    assert_eq!(end("dial_no_answer", "not_connected"), (Outcome::Abandoned, None));
    assert_eq!(end("call_transfer", "ended"), (Outcome::Escalated, None));
    assert_eq!(end("error_asr", "error"), (Outcome::Failed, Some(ErrorClass::Server)));
    assert_eq!(end("user_hangup", "ended"), (Outcome::Unverified, None));
    assert_eq!(end("something_new", "ended"), (Outcome::Unverified, None));
    // A voicemail that was left as it should be is a success.
    let body = json!({"event": "call_analyzed", "call": {"call_id": "c", "start_timestamp": 1_714_608_475_945_i64,
        "disconnection_reason": "voicemail_reached", "call_analysis": {"call_successful": true, "in_voicemail": true}}});
    assert_eq!(facts(&steps(Platform::Retell, &body)).outcome(), Outcome::Completed);
}

#[test]
fn chats_of_retell_are_read_as_calls_are() {
    let body = json!({"event": "chat_analyzed", "chat": {"chat_id": "chat_1", "agent_id": "a", "chat_status": "ended",
        "start_timestamp": 1_714_608_475_945_i64, "end_timestamp": 1_714_608_495_945_i64,
        "message_with_tool_calls": [{"role": "user", "content": "Hello", "created_timestamp": 1_714_608_476_945_i64},
            {"role": "agent", "content": "Hi", "created_timestamp": 1_714_608_477_945_i64}],
        "chat_cost": {"combined_cost": 10}, "chat_analysis": {"chat_successful": false, "chat_summary": "No."}}});
    let run = steps(Platform::Retell, &body);
    let facts = facts(&run);
    assert_eq!(
        (facts.outcome(), facts.cost_nanos, facts.n_model_calls),
        (Outcome::Failed, Some(Nanos(100_000_000)), 1)
    );
    assert_eq!(run[0].trace_id, "retell:chat_1");
    for event in ["transcript_updated", "transfer_started"] {
        assert_eq!(steps(Platform::Retell, &json!({"event": event, "call": {"call_id": "c"}})), []);
    }
    insta::assert_snapshot!(refusal(Platform::Retell, &json!({"event": "call_sang", "call": {}})), @"event 0: the event “call_sang” is none that is known");
}

fn elevenlabs() -> Value {
    json!({"type": "post_call_transcription", "event_timestamp": 1_739_537_397, "data": {
        "agent_id": "agent_x", "agent_name": "Desk", "conversation_id": "conv_1", "status": "done", "user_id": "u-1", "version_id": "v7",
        "transcript": [
            {"role": "agent", "message": "Hello", "time_in_call_secs": 0, "producing_llm": "gemini-2.0-flash"},
            {"role": "user", "message": "Where is my order?", "time_in_call_secs": 3},
            {"role": "agent", "message": null, "time_in_call_secs": 5,
             "tool_calls": [{"request_id": "r1", "tool_name": "find_order", "params_as_json": "{\"id\":1}", "tool_has_been_called": true}],
             "tool_results": [{"request_id": "r1", "tool_name": "find_order", "result_value": "timed out", "is_error": true, "tool_latency_secs": 1.5}]},
            {"role": "agent", "message": "I cannot find it.", "time_in_call_secs": 9}],
        "metadata": {"start_time_unix_secs": 1_739_537_297, "call_duration_secs": 22, "cost": 296, "termination_reason": "Call ended by remote party",
            "phone_call": {"type": "twilio", "direction": "inbound", "external_number": "+15550100", "agent_number": "+15550199", "call_sid": "CA1"},
            "feedback": {"overall_score": null, "likes": 0, "dislikes": 0},
            "charging": {"llm_price": 0.002, "llm_usage": {"irreversible_generation": {"model_usage": {"gemini-2.0-flash": {
                "input": {"tokens": 500, "price": 0.001}, "input_cache_read": {"tokens": 100, "price": 0.0}, "output_total": {"tokens": 60, "price": 0.001}}}}}}},
        "analysis": {"call_successful": "failure", "transcript_summary": "The order was not found.",
            "evaluation_criteria_results": {"polite": {"criteria_id": "polite", "result": "success", "rationale": "It was."}},
            "data_collection_results": {"order": {"data_collection_id": "order", "value": 1, "rationale": "said"}, "bare": "x"}},
        "conversation_initiation_client_data": {"dynamic_variables": {"client_id": "acme", "test": true}},
    }})
}

#[test]
fn a_conversation_of_elevenlabs_is_read_whole() {
    let run = steps(Platform::ElevenLabs, &elevenlabs());
    let root = &run[0];
    assert_eq!((root.trace_id.as_str(), root.duration_ms()), ("elevenlabs:conv_1", 22_000));
    assert_eq!(root.started_at, Timestamp::from_seconds(1_739_537_297));
    for (key, value) in [
        (attributes::CLIENT_ID, "acme"),
        (attributes::CREDITS, "296.0"),
        (attributes::END_CLASS, "caller"),
        ("field.order", "1"),
        ("field.bare", "x"),
        (attributes::FROM, "+15550100"),
    ] {
        assert_eq!(root.attributes.get(key).map(String::as_str), Some(value), "{key}");
    }
    let scores: Vec<_> = root.scores.iter().map(|score| (score.name.as_str(), score.value)).collect();
    assert_eq!(scores, [("success", Some(0.0)), ("criterion.polite", Some(1.0))]);
    let tool = run.iter().find(|step| step.kind == StepKind::Tool).unwrap();
    assert_eq!((tool.duration_ms(), tool.error.as_ref().unwrap().class), (1_500, ErrorClass::Timeout));
    let facts = facts(&run);
    assert!(facts.test);
    assert_eq!((facts.outcome(), facts.user_id.as_str(), facts.release.as_str()), (Outcome::Failed, "u-1", "v7"));
    let usage = facts.usage;
    assert_eq!((usage.input, usage.cache_read, usage.output), (500, 100, 60));
    // Credits are reckoned at a list price, and say so.
    assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(296 * 165_000)), true));
    let mut billed = elevenlabs();
    billed["data"]["metadata"]["cost_fiat"] = json!(0.05);
    let (_, facts) = one_run(&[steps(Platform::ElevenLabs, &billed)]);
    assert_eq!((facts.cost_nanos, facts.cost_estimated), (Some(Nanos(50_000_000)), false));
}

#[test]
fn a_conversation_its_audio_and_a_line_of_the_list_are_one_run() {
    let audio = json!({"type": "post_call_audio", "event_timestamp": 1_739_537_400, "data": {"agent_id": "agent_x", "conversation_id": "conv_1", "full_audio": "AAAA".repeat(10_000)}});
    let line = json!({"agent_id": "agent_x", "conversation_id": "conv_1", "start_time_unix_secs": 1_739_537_297, "call_duration_secs": 22, "status": "done", "call_successful": "failure"});
    let detail = elevenlabs()["data"].clone();
    let reports = [
        steps(Platform::ElevenLabs, &audio),
        steps(Platform::ElevenLabs, &line),
        steps(Platform::ElevenLabs, &elevenlabs()),
        steps(Platform::ElevenLabs, &detail),
    ];
    let (_, facts) = one_run(&reports);
    assert_eq!((facts.outcome(), facts.cycle_ms, facts.n_tool_calls), (Outcome::Failed, 22_000, 1));
    assert_eq!((facts.title.as_str(), facts.test), ("The order was not found.", true));
    let goes_on = json!({"agent_id": "a", "conversation_id": "c", "start_time_unix_secs": 1_739_537_297, "status": "in-progress"});
    assert_eq!(steps(Platform::ElevenLabs, &goes_on)[0].parent_span_id.as_deref(), Some("root"));
}

#[test]
fn conversations_that_failed_say_why() {
    let failure = |reason: &str| {
        let body = json!({"type": "call_initiation_failure", "event_timestamp": 1_739_537_297, "data": {"agent_id": "a", "conversation_id": "c",
            "failure_reason": reason, "metadata": {"type": "twilio", "body": {"CallSid": "CA1", "To": "+1"}}}});
        facts(&steps(Platform::ElevenLabs, &body)).outcome()
    };
    assert_eq!(
        (failure("busy"), failure("no-answer"), failure("unknown")),
        (Outcome::Abandoned, Outcome::Abandoned, Outcome::Failed)
    );
    let mut body = elevenlabs();
    body["data"]["status"] = json!("failed");
    body["data"]["metadata"]["error"] = json!({"code": 1002, "reason": "This request exceeds your quota limit."});
    let run = steps(Platform::ElevenLabs, &body);
    assert!(run[0].error.as_ref().unwrap().is_money_fault());
    assert_eq!(run[0].attributes[attributes::END_CLASS], "money");
}
