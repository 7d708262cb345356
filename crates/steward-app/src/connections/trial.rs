//! Trying a connection out: an event as its source sends it, through everything that a real one goes through, marked as
//! a test so that it counts nowhere.

use serde_json::{Value, json};
use steward_core::ids::ConnectionId;
use steward_core::time::Timestamp;
use steward_store::system::InboxKind;
use steward_wire::platforms::Platform;
use steward_wire::platforms::signature::sign;

use super::{HookError, HookRequest, How, source_of};
use crate::intake::{Accepted, IntakeError, Origin};
use crate::{Actor, App, AppError};

impl App {
    /// Sends a test event by a connection. Gives what intake said of it.
    ///
    /// # Errors
    ///
    /// As [`App::get_connection`](crate::App::get_connection); [`AppError::Invalid`] when the connection has no secret
    /// yet, or refused the event.
    pub async fn send_test_event(&self, actor: &Actor, id: ConnectionId) -> Result<Accepted, AppError> {
        let connection = self.get_connection(actor, id).await?;
        let now = self.clock().now();
        let run = format!("steward-test-{}", self.ids().make().simple());
        let result = match source_of(&connection)?.how {
            How::Beat => {
                let words = "a sign of life has no test event: call its address, and see it here";
                return Err(AppError::Invalid(words.to_owned()));
            }
            How::Key => {
                let origin = Origin {
                    agency_id: actor.agency_id,
                    workflow_id: Some(connection.workflow_id),
                    connection_id: Some(id),
                    is_test: true,
                    received_at: now,
                };
                let body = span(&run, self.ids().secret(), now).to_string().into_bytes();
                let accepted = self.accept_from(origin, InboxKind::OtlpJson, body.into()).await;
                if accepted.is_ok() {
                    self.note_event(actor.agency_id, id).await;
                }
                accepted
            }
            How::Hook(platform) => {
                let address = self.connection_address(actor, &connection)?.unwrap_or_default();
                let Some(hook) = self.open_hook(actor.agency_id, connection)? else {
                    return Err(AppError::Fault("opening a connection"));
                };
                let Some(secret) = hook.secrets.first() else {
                    let words = format!("enter the secret that {} signs with, then try again", platform.name());
                    return Err(AppError::Invalid(words));
                };
                let body = event(platform, &run, now).into_bytes();
                let headers = sign(platform, secret, &address, &body, now);
                let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let request = HookRequest { method: "POST", url: &address, headers: &headers, body: body.into() };
                match self.take_hook(&hook, request, true).await {
                    Ok(accepted) => Ok(accepted),
                    Err(HookError::NotVerified(error)) => return Err(AppError::Invalid(error.to_string())),
                    Err(HookError::Intake(error)) => Err(error),
                }
            }
        };
        result.map_err(|error: IntakeError| error.into())
    }
}

/// A span of a minute, as OTLP's JSON writes it.
fn span(run: &str, random: [u8; 32], now: Timestamp) -> Value {
    let hex: String = random.iter().take(24).map(|byte| format!("{byte:02x}")).collect();
    let nanos = |at: Timestamp| at.0.saturating_mul(1_000).to_string();
    // An id of zeros alone is none.
    let (trace, span) = (format!("01{}", &hex[2..32]), format!("01{}", &hex[34..48]));
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", "steward-test")]},
        "scopeSpans": [{"spans": [{
            "traceId": trace, "spanId": span, "name": "A test event of Steward",
            "startTimeUnixNano": nanos(now.plus_ms(-60_000)), "endTimeUnixNano": nanos(now),
            "attributes": [text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.agent.name", run)],
        }]}],
    }]})
}

/// The event at the end of a short run, as a platform tells it.
fn event(platform: Platform, run: &str, now: Timestamp) -> String {
    let began = now.plus_ms(-60_000);
    let (from, to) = (began.rfc3339(), now.rfc3339());
    let ms = |at: Timestamp| at.0.div_euclid(1_000);
    let name = "A test event of Steward";
    match platform {
        Platform::Vapi => json!({"message": {
            "type": "end-of-call-report", "timestamp": ms(now), "startedAt": from, "endedAt": to,
            "endedReason": "customer-ended-call", "call": {"id": run, "type": "webCall"},
            "artifact": {"messages": [{"role": "bot", "message": name, "time": ms(began), "secondsFromStart": 0}]},
        }}),
        Platform::Retell => json!({"event": "call_ended", "call": {
            "call_id": run, "call_type": "web_call", "agent_id": "steward-test", "agent_name": name,
            "call_status": "ended", "start_timestamp": ms(began), "end_timestamp": ms(now),
            "disconnection_reason": "user_hangup", "transcript": format!("Agent: {name}"),
        }}),
        Platform::ElevenLabs => json!({"type": "post_call_transcription", "event_timestamp": ms(now) / 1_000, "data": {
            "agent_id": "steward-test", "conversation_id": run, "status": "done",
            "transcript": [{"role": "agent", "message": name, "time_in_call_secs": 0}],
            "metadata": {"start_time_unix_secs": ms(began) / 1_000, "call_duration_secs": 60},
        }}),
        Platform::N8n => json!({
            "id": run, "finished": true, "mode": "webhook", "status": "success", "startedAt": from, "stoppedAt": to,
            "workflowId": "steward-test", "workflowData": {"id": "steward-test", "name": name},
        }),
        Platform::Make => json!({
            "executionId": run, "scenarioId": "steward-test", "scenarioName": name, "status": 1,
            "timestamp": from, "duration": 60_000, "operations": 1,
        }),
        Platform::Zapier => json!({
            "source": "zapier", "run_id": run, "zap_id": "steward-test", "zap_title": name, "status": "success",
            "start_time": from, "end_time": to,
        }),
        Platform::LangGraph => json!({
            "run_id": run, "thread_id": run, "assistant_id": "steward-test", "status": "success",
            "run_started_at": from, "run_ended_at": to, "webhook_sent_at": to,
        }),
        Platform::Twilio => {
            return format!(
                "CallSid={run}&CallStatus=completed&CallDuration=60&Direction=inbound&From=%2B15550100&To=%2B15550101"
            );
        }
        Platform::Event => json!({
            "id": run, "workflow": "steward-test", "status": "ok", "title": name, "started_at": from, "ended_at": to,
        }),
    }
    .to_string()
}
