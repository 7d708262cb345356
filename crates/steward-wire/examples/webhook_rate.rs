//! How fast deliveries of platforms become steps: a call of ordinary length, over and over, on one core.
//!
//! `cargo run --release -p steward-wire --example webhook_rate`

use std::io::Write as _;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use steward_core::time::Timestamp;
use steward_wire::platforms::signature::verify;
use steward_wire::platforms::{Delivery, Platform, read};

/// The program's own allocator: most of the time goes into small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The turns of the sample conversations: some two minutes of talk.
const N_TURNS: i64 = 12;
const NOW: Timestamp = Timestamp(1_773_065_000_000_000);

fn main() -> std::io::Result<()> {
    for (platform, body) in samples() {
        let body = body.into_bytes();
        let told = Delivery { method: "POST", url: "", headers: &[], body: &body, received_at: NOW, scope: "con_1" };
        let steps = read(platform, &told).map_or(0, |decoded| decoded.steps.len());
        let per_second = rate(|| read(platform, &told).map_or(0, |decoded| u64::from(!decoded.steps.is_empty())));
        writeln!(
            std::io::stdout(),
            "{:10} {per_second:>9.0} events/s ({} bytes, {steps} steps)",
            platform.as_str(),
            body.len()
        )?;
    }
    let body = vapi().to_string();
    let stamp = (NOW.0 / 1_000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret").map_err(std::io::Error::other)?;
    mac.update(body.as_bytes());
    mac.update(stamp.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let signed = format!("v={stamp},d={hex}");
    let headers = [("x-retell-signature", signed.as_str())];
    let told =
        Delivery { method: "POST", url: "", headers: &headers, body: body.as_bytes(), received_at: NOW, scope: "" };
    let per_second = rate(|| u64::from(verify(Platform::Retell, &["secret"], &told).is_ok()));
    writeln!(std::io::stdout(), "verified   {per_second:>9.0} deliveries/s ({} bytes)", body.len())
}

/// How many events a second of a core some reading gets through, at the best of several short trials.
fn rate(read: impl Fn() -> u64) -> f64 {
    let trial = || {
        let (started, from, mut n_events) = (Instant::now(), on_core(), 0);
        while started.elapsed() < Duration::from_millis(200) {
            n_events += read();
        }
        let busy = on_core().zip(from).map(|(to, from)| to.saturating_sub(from)).filter(|busy| !busy.is_zero());
        n_events as f64 / busy.unwrap_or(started.elapsed()).as_secs_f64()
    };
    (0..10).map(|_| trial()).fold(0.0, f64::max)
}

/// How long this thread had a core, where the system tells: on a shared machine the rest is other people's time.
fn on_core() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn samples() -> Vec<(Platform, String)> {
    vec![
        (Platform::Vapi, vapi().to_string()),
        (Platform::Retell, retell().to_string()),
        (Platform::ElevenLabs, elevenlabs().to_string()),
        (Platform::N8n, n8n_error().to_string()),
        (Platform::N8n, n8n_execution().to_string()),
        (Platform::Make, make().to_string()),
        (Platform::Zapier, zapier().to_string()),
        (Platform::LangGraph, langgraph().to_string()),
        (Platform::Twilio, TWILIO.to_owned()),
        (Platform::Event, event().to_string()),
    ]
}

const WORDS: &str = "I'd like to come in on Thursday afternoon, is there anything free after three?";

fn vapi() -> Value {
    let message = |n: i64| {
        let at = 1_773_064_800_000 + n * 9_000;
        let role = if n % 2 == 0 { "bot" } else { "user" };
        json!({"role": role, "message": WORDS, "time": at, "endTime": at + 4_000, "secondsFromStart": n * 9, "duration": 4_000})
    };
    let mut messages: Vec<Value> = (0..N_TURNS).map(message).collect();
    messages.insert(
        4,
        json!({"role": "tool_calls", "time": 1_773_064_830_000_i64, "toolCalls": [
        {"id": "t1", "type": "function", "function": {"name": "book", "arguments": "{\"day\":\"Thursday\"}"}}]}),
    );
    messages.insert(5, json!({"role": "tool_call_result", "toolCallId": "t1", "name": "book", "result": "booked", "time": 1_773_064_831_000_i64}));
    json!({"message": {
        "type": "end-of-call-report", "timestamp": 1_773_064_952_000_i64, "endedReason": "customer-ended-call", "cost": 0.125,
        "costs": [
            {"type": "transport", "provider": "twilio", "minutes": 2.5, "cost": 0.02},
            {"type": "transcriber", "transcriber": {"provider": "deepgram"}, "minutes": 2.5, "cost": 0.025},
            {"type": "model", "model": {"provider": "openai", "model": "gpt-4o"}, "promptTokens": 1200, "completionTokens": 180, "cost": 0.03},
            {"type": "voice", "voice": {"provider": "11labs"}, "characters": 900, "cost": 0.025},
            {"type": "vapi", "subType": "normal", "minutes": 2.5, "cost": 0.025}],
        "startedAt": "2026-03-09T14:00:00.000Z", "endedAt": "2026-03-09T14:02:30.000Z",
        "analysis": {"summary": "Booked a cleaning for Thursday.", "successEvaluation": "true", "structuredData": {"booked": true}},
        "artifact": {"transcript": WORDS.repeat(12), "messages": messages, "messagesOpenAIFormatted": [{"role": "assistant", "content": WORDS}],
            "recordingUrl": "https://storage.example/rec.wav"},
        "assistant": {"name": "Front desk", "model": {"provider": "openai", "model": "gpt-4o", "messages": [{"role": "system", "content": WORDS.repeat(10)}]}},
        "call": {"id": "6e0f5a3c-2f7e-4f46-9a61-0c5d6d2b7d11", "orgId": "org", "type": "inboundPhoneCall", "assistantId": "asst-1", "status": "ended"},
        "customer": {"number": "+15550100"}}})
}

fn retell() -> Value {
    let turns: Vec<Value> = (0..N_TURNS)
        .map(|n| {
            let word = |k: i64| json!({"word": "Thursday", "start": (n * 9 + k) as f64 / 2.0, "end": (n * 9 + k + 1) as f64 / 2.0});
            let role = if n % 2 == 0 { "agent" } else { "user" };
            json!({"role": role, "content": WORDS, "words": (0..14).map(word).collect::<Vec<_>>()})
        })
        .collect();
    json!({"event": "call_analyzed", "call": {
        "call_id": "Jabr9TXYYJHfvl6Syypi88rdAHYHmcq6", "agent_id": "agent_1", "agent_version": 3, "call_type": "phone_call", "direction": "inbound",
        "from_number": "+12137771234", "to_number": "+12137771235", "call_status": "ended", "start_timestamp": 1_714_608_475_945_i64,
        "end_timestamp": 1_714_608_591_736_i64, "duration_ms": 115_791, "disconnection_reason": "user_hangup", "metadata": {"client_id": "acme"},
        "transcript": WORDS.repeat(12), "transcript_with_tool_calls": turns, "recording_url": "https://rec.example/a.wav",
        "call_cost": {"combined_cost": 2.4, "product_costs": [{"product": "elevenlabs_tts", "cost": 1.8}, {"product": "gpt_4_1", "cost": 0.6}]},
        "call_analysis": {"call_summary": "Wanted Thursday.", "in_voicemail": false, "user_sentiment": "Positive", "call_successful": true,
            "custom_analysis_data": {"booked": true}}}})
}

fn elevenlabs() -> Value {
    let turns: Vec<Value> = (0..N_TURNS)
        .map(|n| json!({"role": if n % 2 == 0 { "agent" } else { "user" }, "message": WORDS, "time_in_call_secs": n * 9, "interrupted": false,
            "tool_calls": [], "tool_results": [], "conversation_turn_metrics": {"metrics": {"tts": {"elapsed_time": 0.2}}}}))
        .collect();
    json!({"type": "post_call_transcription", "event_timestamp": 1_739_537_397, "data": {
        "agent_id": "agent_x", "conversation_id": "conv_1", "status": "done", "transcript": turns,
        "metadata": {"start_time_unix_secs": 1_739_537_297, "call_duration_secs": 110, "cost": 296, "cost_fiat": 0.05, "termination_reason": "Call ended by remote party",
            "charging": {"llm_usage": {"irreversible_generation": {"model_usage": {"gemini-2.0-flash": {"input": {"tokens": 500, "price": 0.001}, "output_total": {"tokens": 60, "price": 0.001}}}}}}},
        "analysis": {"call_successful": "success", "transcript_summary": "Booked.", "evaluation_criteria_results": {"polite": {"result": "success", "rationale": "It was."}}},
        "conversation_initiation_client_data": {"dynamic_variables": {"client_id": "acme"}}}})
}

fn n8n_error() -> Value {
    json!([{"execution": {"id": "231", "url": "https://n8n.example.com/workflow/1/executions/231", "error": {"message": "The service refused it",
        "stack": WORDS.repeat(8), "name": "NodeApiError", "node": {"name": "CRM"}, "httpCode": "429"}, "lastNodeExecuted": "CRM", "mode": "trigger"},
        "workflow": {"id": "1", "name": "Example Workflow"}}])
}

fn n8n_execution() -> Value {
    let nodes: serde_json::Map<String, Value> = (0..8)
        .map(|n| {
            let run = json!({"startTime": 1_791_424_800_000_i64 + n * 500, "executionTime": 400, "executionStatus": "success", "source": [{"previousNode": "x"}],
                "data": {"main": [[{"json": {"text": WORDS}}]]}});
            (format!("Node {n}"), json!([run]))
        })
        .collect();
    json!({"id": "231", "finished": true, "mode": "trigger", "startedAt": "2026-10-08T02:00:00.000Z", "stoppedAt": "2026-10-08T02:00:09.000Z",
        "workflowId": "1", "status": "success", "data": {"resultData": {"lastNodeExecuted": "Node 7", "runData": nodes}}})
}

fn make() -> Value {
    json!({"imtId": "e1", "id": "e1", "scenarioId": 17, "status": 1, "duration": 1_500, "operations": 4, "centicredits": 250, "transfer": 1_000,
        "timestamp": "2026-10-08T02:00:00.000Z", "teamId": 1, "type": "auto"})
}

fn zapier() -> Value {
    json!({"source": "zapier", "run_id": "r", "zap_id": 18, "zap_title": "Leads", "status": "errored", "error": "401 Unauthorized",
        "run_url": "https://zapier.com/r", "ts": "2026-10-08T15:04:05Z"})
}

fn langgraph() -> Value {
    let messages: Vec<Value> =
        (0..N_TURNS).map(|n| json!({"type": if n % 2 == 0 { "human" } else { "ai" }, "content": WORDS})).collect();
    json!({"run_id": "r1", "thread_id": "t1", "assistant_id": "a1", "created_at": "2026-10-08T15:04:05Z", "metadata": {"graph_id": "support"},
        "kwargs": {"input": {}}, "status": "success", "run_started_at": "2026-10-08T15:04:06Z", "run_ended_at": "2026-10-08T15:04:10Z",
        "values": {"messages": messages}})
}

const TWILIO: &str = "CallSid=CA1&AccountSid=AC1&From=%2B15550100&To=%2B15550199&CallStatus=completed&Direction=inbound&CallDuration=65&Duration=2&Timestamp=Thu%2C+08+Oct+2026+15%3A04%3A05+%2B0000&SequenceNumber=3&CallbackSource=call-progress-events";

fn event() -> Value {
    json!({"id": "18", "workflow": "Nightly import", "outcome": "completed", "started_at": "2026-10-08T02:00:00Z", "ended_at": "2026-10-08T02:03:10Z",
        "cost_usd": 0.02, "end_reason": "agent-ended-call", "url": "https://example.com/runs/18", "metadata": {"client_id": "acme"}})
}
