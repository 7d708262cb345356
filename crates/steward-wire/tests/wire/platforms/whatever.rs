//! Whatever is sent: no panic, nothing unbounded, and one run whatever the order.

use proptest::prelude::*;
use serde_json::{Value, json};
use steward_core::step::Step;
use steward_core::time::Timestamp;
use steward_wire::platforms::signature::{Scheme, verify, verify_by};
use steward_wire::platforms::{Account, Delivery, Platform, read, read_detail, read_page, read_reason};

use super::{NOW, delivery};

fn check(steps: &[Step]) {
    for step in steps {
        assert!(step.started_at.is_plausible() && step.ended_at >= step.started_at, "{step:?}");
        assert!(!step.trace_id.is_empty() && !step.span_id.is_empty() && !step.name.is_empty(), "{step:?}");
        assert!(step.attributes.len() <= 72 && step.scores.len() <= 64 && step.reading.unmapped.len() <= 50);
        assert!(step.scores.iter().all(|score| score.value.is_none_or(f64::is_finite)));
        assert!(step.declared.as_ref().and_then(|declared| declared.cost_nanos).is_none_or(|nanos| nanos.0 >= 0));
        let text = serde_json::to_string(step).unwrap();
        // A NUL inside of JSON inside of a text is written out there, and is none.
        assert!(!text.replace("\\\\", "").contains("\\u0000"));
        assert_eq!(&serde_json::from_str::<Step>(&text).unwrap(), step);
    }
}

/// Members that readers look for, with values of every shape.
fn any_value() -> impl Strategy<Value = Value> {
    const KEYS: &[&str] = &[
        "id",
        "message",
        "type",
        "call",
        "status",
        "timestamp",
        "startedAt",
        "endedAt",
        "endedReason",
        "cost",
        "costs",
        "analysis",
        "successEvaluation",
        "artifact",
        "messages",
        "role",
        "toolCalls",
        "function",
        "time",
        "event",
        "call_id",
        "call_status",
        "start_timestamp",
        "duration_ms",
        "transcript_with_tool_calls",
        "words",
        "call_cost",
        "combined_cost",
        "call_analysis",
        "data",
        "conversation_id",
        "metadata",
        "start_time_unix_secs",
        "call_duration_secs",
        "transcript",
        "charging",
        "execution",
        "workflow",
        "error",
        "trigger",
        "resultData",
        "runData",
        "ai_languageModel",
        "json",
        "tokenUsage",
        "imtId",
        "duration",
        "centicredits",
        "zap_id",
        "run_id",
        "values",
        "CallSid",
        "CallStatus",
        "started_at",
        "outcome",
        "cost_usd",
        "steps",
        "end_reason",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        (1_700_000_000_i64..1_900_000_000).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(
            &[
                "end-of-call-report",
                "status-update",
                "hang",
                "ended",
                "in-progress",
                "call_ended",
                "call_analyzed",
                "post_call_transcription",
                "error",
                "success",
                "no_valid_payment",
                "user",
                "bot",
                "tool_calls",
                "2026-10-08T15:04:05Z",
                "-1",
                "1e308",
                "completed",
                "a\u{0}b",
            ][..]
        )
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(KEYS), inner, 0..10)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// One delivery to one platform, and the same asked for.
fn one(platform: Platform, body: &[u8], received_at: Timestamp) {
    let account = Account { base_url: "https://x.example", token: "t", subject: "17", scope: "s", since: Timestamp(0) };
    if let Ok(decoded) = read(platform, &Delivery { received_at, ..delivery(body) }) {
        check(&decoded.steps);
    }
    if let Ok(page) = read_page(platform, &account, None, body, received_at) {
        check(&page.decoded.steps);
    }
    if let Ok(decoded) = read_detail(platform, &account, "d", body, received_at) {
        check(&decoded.steps);
    }
}

fn everything(body: &[u8]) {
    for platform in Platform::ALL {
        for received_at in [NOW, Timestamp(0), Timestamp(i64::MAX), Timestamp(i64::MIN)] {
            one(platform, body, received_at);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_bytes_make_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&body);
    }

    #[test]
    fn no_json_makes_a_reader_panic(value in any_value()) {
        everything(value.to_string().as_bytes());
        // As what every platform wraps it in, so that it gets past the door.
        for (platform, wrapped) in [
            (Platform::Vapi, json!({"message": {"type": "end-of-call-report", "call": {"id": "c"}, "artifact": value, "analysis": value, "costs": value}})),
            (Platform::Retell, json!({"event": "call_analyzed", "call": {"call_id": "c", "call_analysis": value, "transcript_with_tool_calls": value, "call_cost": value}})),
            (Platform::ElevenLabs, json!({"type": "post_call_transcription", "data": {"conversation_id": "c", "metadata": value, "analysis": value, "transcript": value}})),
            (Platform::N8n, json!({"id": "1", "status": "error", "startedAt": value, "data": {"resultData": {"runData": value, "error": value}}})),
            (Platform::N8n, json!({"execution": {"id": value, "error": value}, "workflow": value})),
            (Platform::Make, json!({"imtId": "1", "status": value, "error": value, "centicredits": value})),
            (Platform::Zapier, json!({"zap_id": 1, "status": value, "error": value, "ts": value})),
            (Platform::LangGraph, json!({"run_id": "1", "status": "error", "values": value, "error": value, "metadata": value})),
            (Platform::Twilio, json!({"CallSid": "1", "CallStatus": "completed", "CallDuration": value, "Timestamp": value, "Price": value})),
            (Platform::Event, json!({"id": "1", "status": value, "started_at": value, "duration_ms": value, "error": value, "end_reason": value})),
        ] {
            one(platform, wrapped.to_string().as_bytes(), NOW);
        }
    }

    #[test]
    fn no_header_makes_a_signature_panic(value in "\\PC{0,80}", body in prop::collection::vec(any::<u8>(), 0..50), url in "\\PC{0,40}", at in any::<i64>()) {
        let names = ["authorization", "x-signature", "x-timestamp", "x-retell-signature", "elevenlabs-signature", "x-twilio-signature", "webhook-id", "webhook-timestamp", "webhook-signature", "stripe-signature", "synthflow-signature"];
        let headers: Vec<(&str, &str)> = names.iter().map(|name| (*name, value.as_str())).collect();
        let told = Delivery { method: "POST", url: &url, headers: &headers, body: &body, received_at: Timestamp(at), scope: "" };
        for platform in Platform::ALL {
            prop_assert!(verify(platform, &["a secret that nobody guesses"], &told).is_err());
        }
        for scheme in [Scheme::StandardWebhooks, Scheme::Stripe, Scheme::Synthflow] {
            prop_assert!(verify_by(&scheme, &["a secret that nobody guesses"], &told).is_err());
        }
    }

    #[test]
    fn no_reason_makes_the_rules_panic(reason in "\\PC{0,300}") {
        let _ = read_reason(&reason);
    }
}
