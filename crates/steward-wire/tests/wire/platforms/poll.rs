use serde_json::{Value, json};
use steward_core::outcome::Outcome;
use steward_core::time::Timestamp;
use steward_wire::platforms::{Account, Method, Page, Platform, list_request, read_detail, read_page};

use super::{NOW, facts, one_run, received, steps};

fn account<'a>(base_url: &'a str, subject: &'a str) -> Account<'a> {
    Account { base_url, token: "s3cret", subject, scope: "con_1", since: Timestamp::from_seconds(1_790_000_000) }
}

fn page(platform: Platform, account: &Account<'_>, cursor: Option<&str>, body: &Value) -> Page {
    read_page(platform, account, cursor, body.to_string().as_bytes(), NOW).unwrap()
}

#[test]
fn each_platform_is_asked_in_its_own_way() {
    let ask = |platform, base, subject, cursor| {
        let request = list_request(platform, &account(base, subject), cursor).unwrap();
        format!("{:?} {} {}", request.method, request.url, request.headers[1].0)
    };
    insta::assert_snapshot!(ask(Platform::Vapi, "", "", None), @"Get https://api.vapi.ai/call?limit=100&updatedAtGe=2026-09-21T14%3A13%3A20Z authorization");
    insta::assert_snapshot!(ask(Platform::Vapi, "", "asst 1", Some("2026-10-08T00:00:00Z")), @"Get https://api.vapi.ai/call?limit=100&updatedAtGe=2026-09-21T14%3A13%3A20Z&createdAtLe=2026-10-08T00%3A00%3A00Z&assistantId=asst+1 authorization");
    insta::assert_snapshot!(ask(Platform::Retell, "", "", None), @"Post https://api.retellai.com/v2/list-calls authorization");
    insta::assert_snapshot!(ask(Platform::ElevenLabs, "https://api.eu.example/", "a", Some("c")), @"Get https://api.eu.example/v1/convai/conversations?page_size=100&call_start_after_unix=1790000000&cursor=c&agent_id=a xi-api-key");
    insta::assert_snapshot!(ask(Platform::N8n, "https://n8n.example", "", None), @"Get https://n8n.example/api/v1/executions?includeData=true&limit=50 x-n8n-api-key");
    insta::assert_snapshot!(ask(Platform::Make, "https://eu1.make.com/api/v2", "17", Some("100")), @"Get https://eu1.make.com/api/v2/scenarios/17/logs?from=1790000000000&pg%5Blimit%5D=100&pg%5Boffset%5D=100 authorization");
    let retell = list_request(Platform::Retell, &account("", "agent_1"), Some("c9")).unwrap();
    let body: Value = serde_json::from_str(&retell.body.unwrap()).unwrap();
    assert_eq!(
        (retell.method, &body["pagination_key"], &body["filter_criteria"]["agent_id"]),
        (Method::Post, &json!("c9"), &json!(["agent_1"]))
    );
    // What is not known is not guessed.
    assert_eq!(list_request(Platform::N8n, &account("", ""), None), None);
    assert_eq!(list_request(Platform::Make, &account("https://eu1.make.com/api/v2", ""), None), None);
    assert_eq!(list_request(Platform::Twilio, &account("", ""), None), None);
}

#[test]
fn a_token_is_not_shown() {
    let account = account("", "");
    let request = list_request(Platform::Vapi, &account, None).unwrap();
    assert!(request.headers.iter().any(|(_, value)| value.contains("s3cret")));
    assert!(!format!("{request:?} {account:?}").contains("s3cret"));
}

#[test]
fn pages_lead_to_the_next_until_there_is_none() {
    let call = |n: usize| json!({"id": format!("c{n}"), "createdAt": format!("2026-10-08T00:{:02}:{:02}Z", n / 60, n % 60), "startedAt": "2026-10-08T00:00:00Z", "endedAt": "2026-10-08T00:01:00Z", "status": "ended", "endedReason": "voicemail"});
    let full: Vec<Value> = (0..100).map(call).collect();
    let vapi = account("", "");
    let first = page(Platform::Vapi, &vapi, None, &json!(full));
    assert_eq!(
        (first.n_items, first.next.as_deref(), first.decoded.steps.len()),
        (100, Some("2026-10-08T00:00:00Z"), 100)
    );
    assert_eq!(page(Platform::Vapi, &vapi, first.next.as_deref(), &json!(full)).next, None, "no page leads to itself");
    assert_eq!(page(Platform::Vapi, &vapi, None, &json!(full[..99])).next, None);
    assert_eq!(page(Platform::Vapi, &vapi, None, &json!([])), Page::default());

    let retell: Vec<Value> = (0..100)
        .map(|n| json!({"call_id": format!("c{n}"), "call_status": "ended", "start_timestamp": 1_791_000_000_000_i64}))
        .collect();
    assert_eq!(page(Platform::Retell, &account("", ""), None, &json!(retell)).next.as_deref(), Some("c99"));
    let envelope = json!({"items": retell[..5], "has_more": true, "pagination_key": "k"});
    assert_eq!(page(Platform::Retell, &account("", ""), None, &envelope).next.as_deref(), Some("k"));

    let n8n = account("https://n8n.example", "");
    let execution = |at: &str| json!({"id": "1", "status": "success", "startedAt": at, "stoppedAt": at, "workflowId": "w", "mode": "trigger"});
    let newer = json!({"data": [execution("2026-10-08T00:00:00Z")], "nextCursor": "n"});
    assert_eq!(page(Platform::N8n, &n8n, None, &newer).next.as_deref(), Some("n"));
    let older =
        json!({"data": [execution("2026-10-08T00:00:00Z"), execution("2026-01-01T00:00:00Z")], "nextCursor": "n"});
    assert_eq!(page(Platform::N8n, &n8n, None, &older).next, None, "what lies before is known");
    assert!(read_page(Platform::N8n, &n8n, None, br#"{"message": "unauthorized"}"#, NOW).is_err());
    assert!(read_page(Platform::N8n, &n8n, None, b"<html>", NOW).is_err());
    assert!(read_page(Platform::Zapier, &n8n, None, b"[]", NOW).is_err());
}

#[test]
fn what_the_list_does_not_tell_is_asked_for_one_by_one() {
    let elevenlabs = account("", "");
    let list = json!({"conversations": [
        {"conversation_id": "conv/1", "agent_id": "a", "status": "done", "start_time_unix_secs": 1_791_000_000, "call_duration_secs": 5, "call_successful": "success"},
        {"conversation_id": "conv2", "agent_id": "a", "status": "in-progress", "start_time_unix_secs": 1_791_000_000}], "next_cursor": null, "has_more": false});
    let read = page(Platform::ElevenLabs, &elevenlabs, None, &list);
    assert_eq!((read.n_items, read.next, read.details.len()), (2, None, 1));
    assert_eq!(read.details[0].request.url, "https://api.elevenlabs.io/v1/convai/conversations/conv%2F1");
    let line: Vec<_> =
        received(read.decoded.steps).into_iter().filter(|step| step.trace_id == "elevenlabs:conv/1").collect();
    let detail = json!({"conversation_id": "conv/1", "agent_id": "a", "status": "done", "transcript": [{"role": "user", "message": "Hi", "time_in_call_secs": 1}],
        "metadata": {"start_time_unix_secs": 1_791_000_000, "call_duration_secs": 5, "cost_fiat": 0.01}, "analysis": {"call_successful": "success"}});
    let detail = read_detail(Platform::ElevenLabs, &elevenlabs, "conv/1", detail.to_string().as_bytes(), NOW).unwrap();
    let (_, run) = one_run(&[line, received(detail.steps)]);
    assert_eq!((run.outcome(), run.cost_nanos.map(|nanos| nanos.0)), (Outcome::Completed, Some(10_000_000)));

    let make = account("https://eu1.make.com/api/v2", "17");
    let logs = json!({"scenarioLogs": [{"imtId": "e1", "id": "e1", "status": 3, "duration": 10, "timestamp": "2026-10-08T02:00:00Z"}, {"imtId": "e2", "status": 1, "timestamp": "2026-10-08T02:00:00Z"}]});
    let read = page(Platform::Make, &make, None, &logs);
    assert_eq!(
        (read.details.len(), read.details[0].request.url.as_str()),
        (1, "https://eu1.make.com/api/v2/scenarios/17/executions/e1")
    );
    let body = json!({"status": "ERROR", "error": {"name": "DataError", "message": "missing required field", "causeModule": {"name": "Add row"}}});
    let detail = read_detail(Platform::Make, &make, "e1", body.to_string().as_bytes(), NOW).unwrap();
    let log: Vec<_> =
        received(read.decoded.steps).into_iter().filter(|step| step.trace_id == "make:con_1/e1").collect();
    let (_, run) = one_run(&[log, received(detail.steps)]);
    assert_eq!((run.outcome(), run.first_error.as_str()), (Outcome::Failed, "Add row: missing required field"));
}

#[test]
fn a_polled_call_and_its_webhook_are_one_run() {
    let call = json!({"call_id": "c1", "agent_id": "a", "call_status": "ended", "start_timestamp": 1_791_000_000_000_i64, "end_timestamp": 1_791_000_005_000_i64, "disconnection_reason": "agent_hangup"});
    let webhook = steps(Platform::Retell, &json!({"event": "call_ended", "call": call}));
    let polled = page(Platform::Retell, &account("", ""), None, &json!([call]));
    let polled = received(polled.decoded.steps);
    let (_, run) = one_run(&[webhook.clone(), polled.clone()]);
    assert_eq!((run.cycle_ms, run.n_steps), (5_000, 1));
    // They differ in how much was around them, and in nothing that counts.
    let counted = |steps: &[_]| steward_core::run::RunFacts { n_attributes: 0, ..facts(steps) };
    assert_eq!(counted(&webhook), counted(&polled));
}
