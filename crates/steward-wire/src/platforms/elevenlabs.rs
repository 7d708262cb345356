//! ElevenLabs Agents: post-call webhooks, and conversations as its API gives them.
//!
//! `post_call_transcription` tells everything, `call_initiation_failure` that nobody was reached, and
//! `post_call_audio` only the audio, which no run is made of. Money is `cost_fiat` in dollars; older conversations
//! have `cost` in credits only, which is reckoned at [`NANOS_PER_CREDIT`] and marked as an estimate.

use serde_json::{Map, Value};
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{Message, Role, Score, Step, StepStatus, ToolCall};
use steward_core::time::Timestamp;
use steward_core::usage::{Basis, ReportedUsage, Usage};

use super::Context;
use super::lean::Lean;
use super::report::{ANALYSED, ENDED, REPORTED, Report, attributes, count, error, of_dollars};
use super::vapi::title;
use crate::conversation::Turn;
use crate::fields::{Fields, number};
use crate::messages;
use crate::text::{content, name};

/// What a credit is reckoned at, in nano-US-dollars: $99 for 600,000, as the Pro plan was listed in September 2026;
/// larger plans paid the same to within a hundredth, the Creator plan a tenth more.
pub(super) const NANOS_PER_CREDIT: i64 = 165_000;

pub(super) const LEAN: Lean = Lean {
    without: &[
        ("data", "full_audio"),
        ("*", "conversation_config_override"),
        ("*", "custom_llm_extra_body"),
        ("*", "conversation_turn_metrics"),
        ("*", "rag_retrieval_info"),
        ("metadata", "features_usage"),
        ("metadata", "rag_usage"),
        ("analysis", "evaluation_criteria_results_list"),
        ("analysis", "data_collection_results_list"),
        ("analysis", "scoped"),
        ("*", "json_schema"),
        ("*", "tool_details"),
    ],
    last_of: &[],
};

pub(super) fn read(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    if object.contains_key("conversation_id") {
        // A conversation, or a line of the list of them.
        let phase = if object.contains_key("transcript") { REPORTED } else { ENDED };
        return conversation(Fields::new(object), None, phase, context);
    }
    let kind = match object.remove("type") {
        Some(Value::String(kind)) => kind,
        _ => return Err("it has neither a type nor the id of a conversation".to_owned()),
    };
    let data = match object.remove("data") {
        Some(Value::Object(data)) => Fields::new(data),
        _ => return Err("its data is not an object".to_owned()),
    };
    let said_at = object.remove("event_timestamp");
    match kind.as_str() {
        "post_call_transcription" => conversation(data, said_at, REPORTED, context),
        "call_initiation_failure" => never_reached(data, said_at, context),
        "post_call_audio" => Ok(Vec::new()),
        _ if kind.starts_with("voice_remov") => Ok(Vec::new()),
        _ => Err(format!("an event of the type “{}” is none that is known", name(kind))),
    }
}

fn start(told: &mut Fields, said_at: Option<Value>, phase: u8, context: Context<'_>) -> Result<Report, String> {
    let key = told.key(&["conversation_id"]).ok_or("its conversation has no id")?;
    let mut report = Report::new(context, &key, phase);
    let mut event = Fields::new(said_at.into_iter().map(|at| ("event_timestamp".to_owned(), at)).collect());
    report.said_at = report.instant(&mut event, &["event_timestamp"]);
    report.workflow = told.name(&["agent_id"]);
    if let Some(id) = &report.workflow {
        report.keep(attributes::AGENT_ID, id.clone());
    }
    report.name = told.name(&["agent_name"]);
    report.user_id = told.name(&["user_id"]);
    report.release = told.name(&["version_id"]);
    report.environment = told.name(&["environment"]);
    Ok(report)
}

fn never_reached(mut told: Fields, said_at: Option<Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let mut report = start(&mut told, said_at, ENDED, context)?;
    let reason = told.name(&["failure_reason"]).unwrap_or_else(|| "unknown".to_owned());
    report.ended_by(Some(reason));
    if report.ending.class.is_none() {
        report.status = StepStatus::Error;
        report.error =
            Some(error(Some("call_initiation_failure".to_owned()), "the call could not be started".to_owned()));
    }
    report.keep(attributes::DIRECTION, "outbound");
    let mut metadata = Fields::new(told.object("metadata"));
    let mut body = Fields::new(metadata.object("body"));
    for (keys, kept) in [(["CallSid", "call_sid"], "call.twilio_sid"), (["To", "to_number"], attributes::TO)] {
        let value = body.name(&keys);
        report.keep(kept, value);
    }
    report.unmapped.extend(told.rest_of(""));
    report.into_steps()
}

fn conversation(
    mut told: Fields,
    said_at: Option<Value>,
    phase: u8,
    context: Context<'_>,
) -> Result<Vec<Step>, String> {
    let mut report = start(&mut told, said_at, phase, context)?;
    let mut metadata = Fields::new(told.object("metadata"));
    report.started_at = report
        .instant(&mut metadata, &["start_time_unix_secs"])
        .or_else(|| report.instant(&mut told, &["start_time_unix_secs"]));
    report.duration_ms = report
        .duration(&mut metadata, "call_duration_secs", 1_000.0)
        .or_else(|| report.duration(&mut told, "call_duration_secs", 1_000.0));
    let status = told.name(&["status"]);
    let mut client = Fields::new(told.object("conversation_initiation_client_data"));
    let variables = client.object("dynamic_variables");
    report.metadata(variables);
    match status.as_deref() {
        Some("initiated") => return Ok(Vec::new()),
        // The end is known, and what it came to is not yet.
        Some("in-progress" | "processing") => return report.into_sign_of_life("in-progress"),
        _ => {}
    }
    // When it was told says nothing of when it was.
    if report.started_at.is_some() {
        report.said_at = None;
    }
    phone(&mut report, &mut metadata);
    let reason = metadata.name(&["termination_reason"]);
    report.ended_by(reason);
    let mut failure = Fields::new(metadata.object("error"));
    let (code, words) = (failure.name(&["code"]), failure.name(&["reason", "message"]));
    if status.as_deref() == Some("failed") {
        report.status = StepStatus::Error;
    }
    if words.is_some() || code.is_some() {
        let words = words.unwrap_or_default();
        if report.reason.is_none() || super::says_money(&words) {
            report.ended_by(Some(words.clone()).filter(|words| !words.is_empty()));
        }
        report.error = Some(error(code, words));
        report.status = StepStatus::Error;
    }
    analysis(&mut report, &mut told);
    costs(&mut report, &mut metadata);
    let started_at = report.started_at;
    let said = told.list("transcript");
    report.turns = said.into_iter().flat_map(|entry| turns(entry, started_at)).collect();
    let mut feedback = Fields::new(metadata.object("feedback"));
    if let Some(value) = feedback.take(&["overall_score"]).and_then(|value| number(&value)) {
        report.score(Score {
            name: "user_feedback".to_owned(),
            value: Some(value),
            label: None,
            explanation: None,
            by_human: true,
        });
    }
    for (key, kept) in [
        ("main_language", "call.language"),
        ("conversation_initiation_source", "call.source"),
        ("authorization_method", "call.authorization"),
        ("queue_wait_secs", "call.queue_wait_seconds"),
    ] {
        let value = metadata.name(&[key]);
        report.keep(kept, value);
    }
    // The same things once more, or of no use here.
    for key in
        ["has_audio", "has_user_audio", "has_response_audio", "has_auxiliary_audio", "branch_id", "message_count"]
    {
        told.take(&[key]);
    }
    metadata.take(&["accepted_time_unix_secs"]);
    metadata.take(&["timezone"]);
    let rest: Vec<String> = metadata.rest_of("metadata").collect();
    report.unmapped.extend(rest);
    report.unmapped.extend(told.rest_of(""));
    report.into_steps()
}

fn phone(report: &mut Report, metadata: &mut Fields) {
    let mut call = Fields::new(metadata.object("phone_call"));
    let direction = call.name(&["direction"]);
    let (own, other) = (call.name(&["agent_number"]), call.name(&["external_number"]));
    let (from, to) = if direction.as_deref() == Some("outbound") { (own, other.clone()) } else { (other.clone(), own) };
    if report.user_id.is_none() {
        report.user_id = other;
    }
    for (key, value) in [
        (attributes::DIRECTION, direction),
        (attributes::FROM, from),
        (attributes::TO, to),
        ("call.twilio_sid", call.name(&["call_sid"])),
        ("call.phone_number_id", call.name(&["phone_number_id"])),
    ] {
        report.keep(key, value);
    }
    if let Some(result) = call.name(&["call_result"]).filter(|result| result != "answered") {
        report.ended_by(Some(result));
    }
}

fn analysis(report: &mut Report, told: &mut Fields) {
    let mut analysis = Fields::new(told.object("analysis"));
    let success = analysis.name(&["call_successful"]).or_else(|| told.name(&["call_successful"]));
    let summary = analysis.name(&["transcript_summary"]).or_else(|| told.name(&["transcript_summary"]));
    let short = analysis.name(&["call_summary_title"]).or_else(|| told.name(&["call_summary_title"]));
    if (success.is_some() || summary.is_some()) && report.phase == REPORTED {
        report.phase = ANALYSED;
    }
    match success.as_deref() {
        Some("success") => report.judged(true, summary.clone()),
        Some("failure") => report.judged(false, summary.clone()),
        _ => {}
    }
    report.title = short.or_else(|| summary.as_deref().map(title));
    report.keep(attributes::SUMMARY, summary);
    for (id, result) in analysis.object("evaluation_criteria_results").into_iter().take(50) {
        let Value::Object(result) = result else { continue };
        let mut result = Fields::new(result);
        let label = result.name(&["result"]);
        let share = result.take(&["score"]).and_then(|value| number(&value));
        let most = result.take(&["max_score"]).and_then(|value| number(&value)).filter(|most| *most > 0.0);
        let value = match label.as_deref() {
            Some("success") => Some(1.0),
            Some("failure") => Some(0.0),
            _ => None,
        };
        report.score(Score {
            // A criterion of the same name as the verdict is another thing.
            name: format!("criterion.{}", name(id)),
            value: share.zip(most).map(|(share, most)| share / most).or(value),
            label,
            explanation: result.name(&["rationale"]),
            by_human: false,
        });
    }
    for (id, result) in analysis.object("data_collection_results").into_iter().take(24) {
        let value = match result {
            Value::Object(mut result) => result.remove("value").unwrap_or_default(),
            bare => bare,
        };
        report.keep(format!("{}{id}", attributes::FIELD), value);
    }
    if matches!(report.ending.outcome, Some(Outcome::Abandoned)) && success.as_deref() == Some("unknown") {
        report.note("the platform could not say whether it did its job");
    }
    let rest: Vec<String> = analysis.rest_of("analysis").collect();
    report.unmapped.extend(rest);
}

fn costs(report: &mut Report, metadata: &mut Fields) {
    let fiat = metadata.take(&["cost_fiat"]).and_then(|value| of_dollars(&value));
    let credits =
        metadata.take(&["cost"]).and_then(|value| number(&value)).filter(|credits| (0.0..1e12).contains(credits));
    let mut charging = Fields::new(metadata.object("charging"));
    for (key, part) in [("llm_price", "llm"), ("platform_price", "platform")] {
        if let Some(nanos) = charging.take(&[key]).and_then(|value| of_dollars(&value)) {
            report.keep_cost(part, nanos);
        }
    }
    if let Some(credits) = credits {
        report.keep(attributes::CREDITS, credits);
    }
    report.cost_nanos = fiat;
    if let (None, Some(credits)) = (fiat, credits) {
        report.cost_nanos = Some(Nanos(NANOS_PER_CREDIT).times(credits));
        report.estimated = true;
    }
    let mut used = Fields::new(charging.object("llm_usage"));
    let mut tokens = ReportedUsage::default();
    for key in ["irreversible_generation", "initiated_generation"] {
        let mut generation = Fields::new(used.object(key));
        for (model, usage) in generation.object("model_usage").into_iter().take(32) {
            let Value::Object(usage) = usage else { continue };
            let mut usage = Fields::new(usage);
            let mut tokens_of = |key: &str| count(Fields::new(usage.object(key)).take(&["tokens"]));
            for (sum, n) in [
                (&mut tokens.input, tokens_of("input")),
                (&mut tokens.cache_read, tokens_of("input_cache_read")),
                (&mut tokens.cache_write, tokens_of("input_cache_write")),
                (&mut tokens.output, tokens_of("output_total")),
            ] {
                if let Some(n) = n {
                    *sum = Some(sum.unwrap_or(0).saturating_add(n));
                }
            }
            report.model.get_or_insert_with(|| name(model));
        }
    }
    report.usage = Usage::normalise(tokens, Basis::Exclusive);
}

/// One entry of the transcript: what was said, the tools that were called, and what they answered.
fn turns(entry: Value, started_at: Option<Timestamp>) -> Vec<Turn> {
    let Value::Object(entry) = entry else { return Vec::new() };
    let mut fields = Fields::new(entry);
    let role = if fields.name(&["role"]).as_deref() == Some("user") { Role::User } else { Role::Assistant };
    let text = fields.take(&["message", "original_message"]).map(messages::json_text).unwrap_or_default();
    let seconds = fields.take(&["time_in_call_secs"]).and_then(|value| number(&value));
    let at = seconds
        .filter(|seconds| (0.0..1e6).contains(seconds))
        .and_then(|seconds| Some(started_at?.plus_ms((seconds * 1_000.0) as i64)));
    let mut said = messages::plain(role, text);
    said.tool_calls = fields.list("tool_calls").into_iter().filter_map(tool_call).collect();
    let results = fields.list("tool_results");
    let model = fields.name(&["producing_llm"]);
    let mut turns = Vec::new();
    if !said.text.is_empty() || !said.tool_calls.is_empty() {
        turns.push(Turn { at, model, ..Turn::from(said) });
    }
    turns.extend(results.into_iter().filter_map(|result| tool_result(result, at)));
    turns
}

fn tool_call(value: Value) -> Option<ToolCall> {
    let Value::Object(call) = value else { return None };
    let mut call = Fields::new(call);
    Some(ToolCall {
        id: call.name(&["request_id"]),
        name: call.name(&["tool_name"])?,
        arguments: content(call.take(&["params_as_json"]).map(messages::json_text).unwrap_or_default()),
    })
}

fn tool_result(value: Value, at: Option<Timestamp>) -> Option<Turn> {
    let Value::Object(result) = value else { return None };
    let mut result = Fields::new(result);
    let failed = result.truth("is_error") || result.truth("is_blocked");
    let seconds =
        result.take(&["tool_latency_secs"]).and_then(|value| number(&value)).filter(|s| (0.0..1e6).contains(s));
    let text = result.take(&["result_value"]).map(messages::json_text).filter(|text| !text.is_empty());
    let raw = result.name(&["raw_error_message"]);
    let said = Message {
        tool_call_id: result.name(&["request_id"]),
        name: result.name(&["tool_name"]),
        ..messages::plain(Role::Tool, text.or(raw).unwrap_or_default())
    };
    let at = at.map(|at| at.plus_ms((seconds.unwrap_or(0.0) * 1_000.0) as i64));
    Some(Turn { at, failed, ..Turn::from(said) })
}
