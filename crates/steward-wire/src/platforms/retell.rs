//! Retell: events of calls and chats, and both as its API lists them.
//!
//! `call_ended` tells everything but the analysis, `call_analyzed` the same and the analysis; either may come first,
//! and the analysis is the later phase. Money is in cents of a dollar. Tokens are told as one total for each request
//! and stand as input.

use serde_json::{Map, Value};
use steward_core::outcome::Outcome;
use steward_core::step::{Message, Role, Step, StepStatus, ToolCall};
use steward_core::time::Timestamp;
use steward_core::usage::{Basis, ReportedUsage, Usage};

use super::Context;
use super::lean::Lean;
use super::report::{ANALYSED, REPORTED, Report, attributes, of_cents, turns_of_text};
use super::vapi::title;
use crate::conversation::Turn;
use crate::fields::{Fields, number};
use crate::messages;
use crate::text::{content, name};

/// Every word has its times; of them the last is enough.
pub(super) const LEAN: Lean = Lean {
    without: &[
        ("*", "scrubbed_transcript_with_tool_calls"),
        ("e2e", "values"),
        ("asr", "values"),
        ("llm", "values"),
        ("llm_websocket_network_rtt", "values"),
        ("tts", "values"),
        ("knowledge_base", "values"),
        ("s2s", "values"),
    ],
    last_of: &[("transcript_with_tool_calls", "words", "end"), ("transcript_object", "words", "end")],
};

pub(super) fn read(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let event = match object.remove("event") {
        Some(Value::String(event)) => event,
        Some(_) => return Err("its event is no text".to_owned()),
        None if object.contains_key("call_id") || object.contains_key("chat_id") => {
            return conversation(Fields::new(object), None, context);
        }
        None => return Err("it has neither an event nor the id of a call".to_owned()),
    };
    let told = match object.remove("call").or_else(|| object.remove("chat")).or_else(|| object.remove("data")) {
        Some(Value::Object(told)) => told,
        _ => return Err("its call is not an object".to_owned()),
    };
    match event.as_str() {
        "transcript_updated" => Ok(Vec::new()),
        "call_started" | "chat_started" | "call_ended" | "chat_ended" | "call_analyzed" | "chat_analyzed" => {
            conversation(Fields::new(told), Some(&event), context)
        }
        _ if event.starts_with("transfer_") => Ok(Vec::new()),
        _ => Err(format!("the event “{}” is none that is known", name(event))),
    }
}

fn conversation(mut told: Fields, event: Option<&str>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let key = told.key(&["call_id", "chat_id"]).ok_or("its call has no id")?;
    let mut report = Report::new(context, &key, REPORTED);
    report.started_at = report.instant(&mut told, &["start_timestamp"]);
    report.ended_at = report.instant(&mut told, &["end_timestamp"]);
    report.duration_ms = report.duration(&mut told, "duration_ms", 1.0);
    let status = told.name(&["call_status", "chat_status"]);
    let ended = event.is_some_and(|event| !event.ends_with("_started"))
        || (event.is_none() && matches!(status.as_deref(), Some("ended" | "error" | "not_connected")));
    whose(&mut report, &mut told);
    if !ended {
        return match status.as_deref() {
            Some("registered") => Ok(Vec::new()),
            _ => report.into_sign_of_life("ongoing"),
        };
    }
    if status.as_deref() == Some("error") {
        report.status = StepStatus::Error;
    }
    let reason = told.name(&["disconnection_reason"]);
    report.ended_by(reason);
    if status.as_deref() == Some("not_connected") && report.ending.outcome.is_none() && !report.ending.is_fault {
        report.outcome = Some(Outcome::Abandoned);
    }
    analysis(&mut report, &mut told);
    costs(&mut report, &mut told);
    said(&mut report, &mut told);
    for key in ["recording_url", "recording_multi_channel_url", "scrubbed_recording_url"] {
        let link = told.take(&[key]);
        if !report.attributes.contains_key(attributes::RECORDING) {
            report.keep_link(attributes::RECORDING, link);
        }
    }
    let link = told.take(&["public_log_url"]);
    report.keep_link(attributes::LINK, link);
    let mut latency = Fields::new(told.object("latency"));
    for part in ["e2e", "llm", "tts", "asr"] {
        let mut values = Fields::new(latency.object(part));
        for share in ["p50", "p95"] {
            if let Some(value) = values.take(&[share]) {
                report.keep(format!("latency.{part}_{share}_ms"), value);
            }
        }
    }
    report.unmapped.extend(told.rest_of(""));
    report.into_steps()
}

fn whose(report: &mut Report, told: &mut Fields) {
    report.workflow = told.name(&["agent_id"]);
    if let Some(id) = &report.workflow {
        report.keep(attributes::AGENT_ID, id.clone());
    }
    report.name = told.name(&["agent_name"]);
    report.release = told.name(&["agent_version", "version"]);
    let (from, to) = (told.name(&["from_number"]), told.name(&["to_number"]));
    let direction = told.name(&["direction"]);
    report.user_id = if direction.as_deref() == Some("outbound") { to.clone() } else { from.clone() };
    for (key, value) in [
        (attributes::DIRECTION, direction),
        (attributes::FROM, from),
        (attributes::TO, to),
        ("call.type", told.name(&["call_type", "chat_type"])),
        ("agent.tag", told.name(&["agent_tag"])),
        ("call.destination", told.name(&["transfer_destination"])),
    ] {
        report.keep(key, value);
    }
    let mut telephony = Fields::new(told.object("telephony_identifier"));
    let sid = telephony.name(&["twilio_call_sid"]);
    report.keep("call.twilio_sid", sid);
    for key in ["metadata", "retell_llm_dynamic_variables", "collected_dynamic_variables", "custom_attributes"] {
        let object = told.object(key);
        report.metadata(object);
    }
    told.take(&["data_storage_setting"]);
    told.take(&["opt_in_signed_url"]);
    told.take(&["knowledge_base_retrieved_contents_url"]);
    told.take(&["transfer_end_timestamp"]);
}

fn analysis(report: &mut Report, told: &mut Fields) {
    let mut analysis = Fields::new(told.object("call_analysis"));
    let of_chat = told.object("chat_analysis");
    if !of_chat.is_empty() {
        analysis = Fields::new(of_chat);
    }
    let summary = analysis.name(&["call_summary", "chat_summary"]);
    let success = analysis.take(&["call_successful", "chat_successful"]).and_then(|value| value.as_bool());
    let in_voicemail = analysis.truth("in_voicemail");
    let fields = analysis.object("custom_analysis_data");
    if summary.is_some() || success.is_some() || !fields.is_empty() {
        report.phase = ANALYSED;
    }
    if let Some(success) = success {
        report.judged(success, summary.clone());
    }
    if in_voicemail {
        report.keep("call.in_voicemail", true);
    }
    if let Some(summary) = summary {
        report.title = Some(title(&summary));
        report.keep(attributes::SUMMARY, summary);
    }
    let sentiment = analysis.name(&["user_sentiment"]);
    report.keep("call.user_sentiment", sentiment);
    report.keep_all(attributes::FIELD, fields);
    let rest: Vec<String> = analysis.rest_of("analysis").collect();
    report.unmapped.extend(rest);
}

fn costs(report: &mut Report, told: &mut Fields) {
    let mut cost = Fields::new(told.object("call_cost"));
    let of_chat = told.object("chat_cost");
    if !of_chat.is_empty() {
        cost = Fields::new(of_chat);
    }
    report.cost_nanos = cost.take(&["combined_cost"]).and_then(|value| of_cents(&value));
    for part in cost.list("product_costs").into_iter().take(64) {
        let Value::Object(part) = part else { continue };
        let mut part = Fields::new(part);
        if let (Some(product), Some(nanos)) =
            (part.name(&["product"]), part.take(&["cost"]).and_then(|value| of_cents(&value)))
        {
            report.keep_cost(&product, nanos);
        }
    }
    let mut tokens = Fields::new(told.object("llm_token_usage"));
    let values = tokens.list("values");
    let average = tokens.take(&["average"]).and_then(|value| number(&value));
    let n_requests = tokens.take(&["num_requests"]).and_then(|value| number(&value));
    let total = if values.is_empty() {
        average.zip(n_requests).map(|(average, n)| average * n)
    } else {
        Some(values.iter().filter_map(number).sum())
    };
    let total = total.filter(|n: &f64| *n >= 0.0 && n.is_finite()).map(|n| n.round() as u64);
    report.usage = Usage::normalise(ReportedUsage { total, ..ReportedUsage::default() }, Basis::Inclusive);
    if report.usage.is_some() {
        report.note("only a total of tokens is told, which stands as input");
    }
}

fn said(report: &mut Report, told: &mut Fields) {
    let started_at = report.started_at;
    let lists = ["transcript_with_tool_calls", "message_with_tool_calls", "transcript_object"];
    for list in lists.map(|key| told.list(key)) {
        if report.turns.is_empty() {
            report.turns = list.into_iter().filter_map(|entry| turn(entry, started_at)).collect();
        }
    }
    if let Some(Value::String(text)) = told.take(&["transcript"])
        && report.turns.is_empty()
    {
        report.turns = turns_of_text(&text);
    }
}

fn turn(entry: Value, started_at: Option<Timestamp>) -> Option<Turn> {
    let Value::Object(entry) = entry else { return None };
    let mut fields = Fields::new(entry);
    let role = fields.name(&["role"])?;
    let text = fields.take(&["content"]).map(messages::json_text).unwrap_or_default();
    let mut failed = false;
    let said = match role.as_str() {
        "agent" | "assistant" => messages::plain(Role::Assistant, text),
        "user" => messages::plain(Role::User, text),
        // Whoever it was handed to speaks neither for the agent nor for the caller; the words stay the other side's.
        "transfer_target" => messages::plain(Role::User, format!("[transfer target] {text}")),
        "dtmf" => messages::plain(Role::User, format!("[keys] {}", fields.name(&["digit"])?)),
        "tool_call_invocation" => {
            let call = ToolCall {
                id: fields.name(&["tool_call_id"]),
                name: fields.name(&["name"])?,
                arguments: content(fields.take(&["arguments"]).map(messages::json_text).unwrap_or_default()),
            };
            Message { tool_calls: vec![call], ..messages::plain(Role::Assistant, text) }
        }
        "tool_call_result" => {
            failed = fields.take(&["successful"]).and_then(|value| value.as_bool()) == Some(false);
            Message { tool_call_id: fields.name(&["tool_call_id"]), ..messages::plain(Role::Tool, text) }
        }
        _ => return None,
    };
    // Of the words only the end of the last was read.
    let seconds = fields
        .take(&["time_sec"])
        .or_else(|| fields.take(&["words"]))
        .and_then(|value| number(&value))
        .filter(|seconds| (0.0..1e6).contains(seconds));
    let at = seconds.and_then(|seconds| Some(started_at?.plus_ms((seconds * 1_000.0) as i64)));
    let at = at.or_else(|| {
        let created = fields.take(&["created_timestamp"])?;
        crate::fields::instant(&created).filter(|at| at.is_plausible())
    });
    Some(Turn { at, failed, ..Turn::from(said) })
}
