//! Rules over the words of a reason, held against what the vendors document.
//!
//! The first table is Vapi's documentation in patterns: who is at fault by the prefix, then by the status code and the
//! words. It is not what the rules are made of: they know no pattern and no whole reason. The second table holds
//! reasons that stand in no list: older ones, other platforms', and such as may come.

use std::path::PathBuf;

use steward_core::outcome::Outcome;
use steward_wire::platforms::EndClass::{self, Agent, Caller, Config, Money, Platform, Provider};
use steward_wire::platforms::{read_reason, says_money};

/// What Vapi documents, the first pattern that fits; `*` is anything.
const DOCUMENTED: &[(&str, EndClass)] = &[
    ("*-vapifault-*", Platform),
    ("*-outbound-sip-408-*", Caller),
    ("*-outbound-sip-480-*", Caller),
    ("*-outbound-sip-403-*", Config),
    ("*-outbound-sip-407-*", Config),
    ("*-providerfault-*", Provider),
    ("call.start.error-subscription-*", Money),
    ("call.start.error-fraud-check-failed", Money),
    ("call.start.error-vapi-number-*", Money),
    ("*-exceeded-quota", Money),
    ("*-quota-exceeded", Money),
    ("*-out-of-credits", Money),
    ("*-out-of-characters", Money),
    ("*-insufficent-funds", Money),
    ("*-paid-only-feature", Money),
    ("*-requested-payment", Money),
    ("*-only-for-creator-plus", Money),
    ("*-not-allowed-for-free-users", Money),
    ("*-system-busy-and-requested-upgrade", Provider),
    ("*-and-requested-upgrade", Money),
    ("*-429-rate-limit-reached", Provider),
    ("*-rate-limited", Provider),
    ("pipeline-error-*-500-*", Provider),
    ("pipeline-error-*-502-*", Provider),
    ("pipeline-error-*-503-*", Provider),
    ("pipeline-error-*-504-*", Provider),
    ("pipeline-error-*-522-*", Provider),
    ("pipeline-error-*-4??-*", Config),
    ("*-unauthorized*", Config),
    ("*-auth-failed", Config),
    ("*-invalid-*", Config),
    ("*-api-key-missing", Config),
    ("pipeline-error-*-voice-not-*", Config),
    ("pipeline-error-*-disabled-by-owner", Config),
    ("pipeline-error-*-blocked-*", Config),
    ("pipeline-error-*-missing-samples-*", Config),
    ("pipeline-error-*-limit-exceeded", Config),
    ("pipeline-error-*-must-be-*", Config),
    ("pipeline-error-*", Provider),
    ("*-no-available-llm-model", Config),
    ("*-ws-model-connection-failed", Config),
    ("call.start.*", Config),
    ("call-start-*", Config),
    ("assistant-request-*", Config),
    ("assistant-not-*", Config),
    ("*-feature-not-available-*", Config),
    ("call.ringing.sip-inbound-caller-hungup-*", Caller),
    ("*-completed-call", Caller),
    ("vonage-completed", Caller),
    ("vonage-rejected", Caller),
    ("twilio-reported-customer-misdialed", Caller),
    ("customer-*", Caller),
    ("*-did-not-receive-customer-audio", Caller),
    ("silence-timed-out", Caller),
    ("voicemail", Caller),
    ("call.*.error-sip-*", Provider),
    ("vonage-*", Provider),
    ("twilio-failed-*", Provider),
    ("phone-call-provider-closed-*", Provider),
    ("phone-call-provider-bypass-*", Config),
    ("worker-shutdown", Platform),
    ("assistant-join-timed-out", Platform),
    ("*-warm-transfer-assistant-cancelled", Agent),
    ("*-warm-transfer-*", Config),
    ("*-transfer-failed", Config),
    ("call.forwarding.*", Config),
    ("*hook-executed-*", Agent),
    ("assistant-*", Agent),
    ("exceeded-max-duration", Config),
    ("manually-canceled", Config),
    ("*call-deleted", Config),
];

/// Reasons of Retell by what its documentation says of them, and reasons of nobody's list.
const OTHERS: &[(&str, EndClass)] = &[
    ("user_hangup", Caller),
    ("agent_hangup", Agent),
    ("call_transfer", Agent),
    ("transfer_bridged", Agent),
    ("transfer_cancelled", Agent),
    ("call_take_over", Agent),
    ("voicemail_reached", Caller),
    ("ivr_reached", Caller),
    ("inactivity", Caller),
    ("dial_busy", Caller),
    ("dial_no_answer", Caller),
    ("user_declined", Caller),
    ("error_user_not_joined", Caller),
    ("registered_call_timeout", Caller),
    ("max_duration_reached", Config),
    ("manual_stopped", Config),
    ("invalid_destination", Config),
    ("telephony_provider_permission_denied", Config),
    ("sip_routing_error", Config),
    ("scam_detected", Config),
    ("marked_as_spam", Config),
    ("error_llm_websocket_open", Config),
    ("error_llm_websocket_lost_connection", Config),
    ("error_llm_websocket_runtime", Config),
    ("error_llm_websocket_corrupt_payload", Config),
    ("concurrency_limit_reached", Money),
    ("no_concurrency_fallback", Money),
    ("no_valid_payment", Money),
    ("telephony_provider_unavailable", Provider),
    ("dial_failed", Provider),
    ("error_no_audio_received", Provider),
    ("error_asr", Provider),
    ("error_retell", Provider),
    ("error_unknown", Provider),
    // Older ones.
    ("machine_detected", Caller),
    ("error_twilio", Provider),
    ("error_inbound_webhook", Config),
    ("error_frontend_corrupted_payload", Config),
    ("db-error", Platform),
    ("no-server-available", Platform),
    ("license-check-failed", Config),
    ("pipeline-error-first-message-failed", Provider),
    // Other platforms'.
    ("Call ended by remote party", Caller),
    ("Client disconnected: 1000", Caller),
    ("end_call tool was called.", Agent),
    ("Conversation exceeded maximum duration", Config),
    ("This request exceeds your quota limit", Money),
    ("no-answer", Caller),
    ("busy", Caller),
    // Such as may come.
    ("pipeline-error-fish-audio-quota-exceeded", Money),
    ("pipeline-error-newco-402-payment-required", Money),
    ("call.start.error-subscription-past-due", Money),
    ("call.start.error-trial-expired", Money),
    ("account_balance_too_low", Money),
    ("monthly-minutes-exhausted", Money),
    ("spend_cap_reached", Money),
    ("call.in-progress.error-vapifault-fish-audio-voice-failed", Platform),
    ("call.in-progress.error-vapifault-worker-restarted", Platform),
    ("worker-crashed", Platform),
    ("internal-server-error", Platform),
    ("call.in-progress.error-providerfault-outbound-sip-486-busy-here", Caller),
    ("call.in-progress.error-providerfault-outbound-sip-603-decline", Caller),
    ("call.in-progress.error-providerfault-outbound-sip-500-server-internal-error", Provider),
    ("pipeline-error-newvoice-401-unauthorized", Config),
    ("pipeline-error-newvoice-404-voice-not-found", Config),
    ("pipeline-error-newllm-529-overloaded", Provider),
    ("pipeline-error-newllm-llm-failed", Provider),
    ("telnyx-failed-to-connect-call", Provider),
    ("call.start.error-get-squad", Config),
    ("squad-not-found", Config),
    ("customer-hung-up-during-hold", Caller),
    ("caller-hung-up", Caller),
    ("callee-busy", Caller),
    ("user_not_reachable", Caller),
    ("user_silence", Caller),
    ("assistant-ended-call-after-silence", Agent),
    ("escalated_to_human", Agent),
    ("agent_handoff", Agent),
];

fn fits(pattern: &str, reason: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern.len() == reason.len() && pattern.chars().zip(reason.chars()).all(|(p, c)| p == '?' || p == c),
        Some((head, rest)) => {
            let head_fits = reason.len() >= head.len()
                && reason.is_char_boundary(head.len())
                && head.chars().zip(reason.chars()).all(|(p, c)| if p == '?' { c.is_ascii_digit() } else { p == c });
            head_fits && (head.len()..=reason.len()).any(|at| reason.is_char_boundary(at) && fits(rest, &reason[at..]))
        }
    }
}

fn accuracy<'a>(cases: impl Iterator<Item = (&'a str, EndClass)>) -> (usize, usize) {
    let (mut right, mut all) = (0, 0);
    for (reason, expected) in cases {
        all += 1;
        let read = read_reason(reason).class;
        if read == Some(expected) {
            right += 1;
        } else {
            println!("{reason}: expected {}, read {read:?}", expected.as_str());
        }
    }
    (right, all)
}

#[test]
fn the_reasons_that_vapi_lists_are_classed_as_it_documents_them() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/vectors/vapi-ended-reasons.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("left out: {} is not there", path.display());
        return;
    };
    let expected = |reason: &'static str| {
        DOCUMENTED.iter().find(|(pattern, _)| fits(pattern, reason)).map(|(_, class)| (reason, *class))
    };
    let reasons: Vec<&'static str> = text.leak().split_whitespace().collect();
    let cases: Vec<_> = reasons.iter().filter_map(|reason| expected(reason)).collect();
    assert_eq!(cases.len(), reasons.len(), "every reason has a documented class");
    let (right, all) = accuracy(cases.into_iter());
    println!("{right} of {all} reasons of Vapi are classed as documented");
    assert!(all >= 590 && right * 1_000 >= all * 995, "{right} of {all}");
}

#[test]
fn reasons_that_stand_in_no_list_are_classed_by_their_words() {
    let (right, all) = accuracy(OTHERS.iter().copied());
    println!("{right} of {all} other reasons are classed as expected");
    assert_eq!(right, all);
}

#[test]
fn ends_of_people_are_no_faults_and_money_is_one() {
    for reason in
        ["customer-ended-call", "assistant-ended-call", "voicemail", "exceeded-max-duration", "manually-canceled"]
    {
        assert!(!read_reason(reason).is_fault, "{reason}");
    }
    for reason in
        ["call.start.error-subscription-frozen", "no_valid_payment", "pipeline-error-openai-429-exceeded-quota"]
    {
        assert!(read_reason(reason).is_money_fault(), "{reason}");
    }
    // A quota of the platform's own account is the platform's to mend.
    assert!(!read_reason("call.in-progress.error-vapifault-openai-429-exceeded-quota").is_money_fault());
    assert_eq!(read_reason("assistant-forwarded-call").outcome, Some(Outcome::Escalated));
    assert_eq!(read_reason("dial_no_answer").outcome, Some(Outcome::Abandoned));
    assert_eq!(read_reason("customer-ended-call").outcome, None);
}

#[test]
fn a_reason_that_no_rule_knows_has_no_class() {
    for reason in ["", "   ", "xyzzy", "unknown", "ended", "🙂", "\u{0}"] {
        assert_eq!((read_reason(reason).class, read_reason(reason).is_fault), (None, false), "{reason}");
    }
    assert_eq!((read_reason("it failed").class, read_reason("it failed").is_fault), (None, true));
    assert!(read_reason(&"no_valid_payment ".repeat(100_000)).is_money_fault());
}

#[test]
fn only_the_account_s_own_money_is_money_in_the_text_of_an_error() {
    for text in [
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "Your credit balance is too low to access the API.",
        "402",
        "Payment required - perhaps check your payment details?",
    ] {
        assert!(says_money(text), "{text}");
    }
    for text in [
        "Error: payment amount does not add up",
        "Your card has insufficient funds.",
        "The load balancer is out of order",
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user'",
        "No such subscription: sub_123",
        "the budget sheet was not found",
        "There are 402 rows",
        "",
    ] {
        assert!(!says_money(text), "{text}");
    }
}
