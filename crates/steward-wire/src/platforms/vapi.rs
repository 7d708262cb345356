//! Vapi: server messages, and calls as its API lists them.
//!
//! `status-update` tells that a call goes on or ended, `end-of-call-report` what happened, and the same call asked of
//! the API later what its analysis came to. Each makes the same run. Money is in dollars; `cost` is the whole and
//! `costs` its parts. `successEvaluation` is always a text: "true" and "false" decide an outcome; grades
//! (numbers, shares, words) are kept as a judgement named `success_grade`, because nothing says which of them passes.

use serde_json::{Map, Value};
use steward_core::step::{Message, Role, Score, Step, StepKind, StepStatus, ToolCall};
use steward_core::time::Timestamp;
use steward_core::usage::{Basis, ReportedUsage, Usage};

use super::Context;
use super::lean::Lean;
use super::report::{ANALYSED, ENDED, REPORTED, Report, attributes, count, of_dollars, turns_of_text};
use crate::conversation::Turn;
use crate::fields::{Fields, instant, number};
use crate::messages;
use crate::text::{content, name};

/// Whole configurations and second copies of the transcript stand beside what happened.
pub(super) const LEAN: Lean = Lean {
    without: &[
        ("*", "messagesOpenAIFormatted"),
        ("artifact", "nodes"),
        ("artifact", "pcapUrl"),
        ("artifact", "logUrl"),
        ("performanceMetrics", "turnLatencies"),
        ("messages", "duration"),
        ("messages", "source"),
        ("messages", "isFiltered"),
        ("messages", "detectedThreats"),
        ("messages", "originalMessage"),
        ("messages", "speakerLabel"),
        ("messages", "metadata"),
        ("messages", "warnings"),
        ("messages", "assistantName"),
        ("messages", "assistantId"),
        ("assistant", "voice"),
        ("assistant", "transcriber"),
        ("assistant", "artifactPlan"),
        ("assistant", "server"),
        ("assistant", "analysisPlan"),
        ("assistant", "hooks"),
        ("assistant", "monitorPlan"),
        ("call", "assistant"),
        ("call", "assistantOverrides"),
        ("call", "squad"),
        ("call", "monitor"),
        ("", "assistantOverrides"),
        ("", "squad"),
        ("", "monitor"),
        ("model", "messages"),
        ("model", "tools"),
        ("model", "functions"),
        ("model", "systemPrompt"),
    ],
    last_of: &[],
};

/// Messages that tell of moments inside a call, which its report tells again, or ask for an answer.
const MOMENTS: [&str; 22] = [
    "assistant.started",
    "assistant.speechStarted",
    "conversation-update",
    "function-call",
    "language-changed",
    "language-change-detected",
    "model-output",
    "phone-call-control",
    "speech-update",
    "transcript",
    "tool-calls",
    "tool-calls-result",
    "transfer-destination-request",
    "handoff-destination-request",
    "transfer-update",
    "user-interrupted",
    "voice-input",
    "voice-request",
    "assistant-request",
    "knowledge-base-request",
    "call.endpointing.request",
    "call.artifact.upload",
];

pub(super) fn read(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let message = match object.remove("message") {
        Some(Value::Object(message)) => message,
        Some(_) => return Err("its message is not an object".to_owned()),
        // A call as the API gives it.
        None if object.contains_key("id") => return call(Fields::new(object), None, context),
        None => return Err("it has neither a message nor the id of a call".to_owned()),
    };
    let mut message = message;
    let kind = match message.remove("type") {
        Some(Value::String(kind)) => kind,
        _ => return Err("its message has no type".to_owned()),
    };
    let base = kind.split('[').next().unwrap_or(&kind);
    let of_chats = ["chat.", "session.", "call.delete"].iter().any(|start| base.starts_with(start));
    if MOMENTS.contains(&base) || of_chats {
        return Ok(Vec::new());
    }
    // What the message says of the call is newer than what the call says of itself.
    let mut told = match message.remove("call") {
        Some(Value::Object(call)) => call,
        _ => Map::new(),
    };
    told.extend(message.into_iter().filter(|(_, value)| !value.is_null()));
    call(Fields::new(told), Some(base), context)
}

/// Reads what is known of a call, from a message of some kind or from the API.
fn call(mut told: Fields, kind: Option<&str>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let key = told.key(&["id", "callId"]).ok_or("its call has no id")?;
    let status = told.name(&["status"]);
    let mut report = Report::new(context, &key, REPORTED);
    report.said_at = report.instant(&mut told, &["timestamp"]);
    report.started_at = report.instant(&mut told, &["startedAt"]);
    report.ended_at = report.instant(&mut told, &["endedAt"]);
    let created_at = report.instant(&mut told, &["createdAt"]);
    let reason = told.name(&["endedReason"]);
    let over = match kind {
        Some("end-of-call-report") => true,
        Some("hang") => false,
        _ => reason.is_some() || matches!(status.as_deref(), Some("ended" | "not-found" | "deletion-failed")),
    };
    whose(&mut report, &mut told);
    match kind {
        Some("hang") => return hang(report),
        Some("status-update") => report.phase = ENDED,
        Some("end-of-call-report") | None => {}
        Some(other) => return Err(format!("a message of the type “{}” is none that is known", name(other.to_owned()))),
    }
    if !over {
        // Before anybody is connected there is nothing to count.
        return match status.as_deref() {
            Some("in-progress" | "forwarding") => report.into_sign_of_life(status.as_deref().unwrap_or_default()),
            _ => Ok(Vec::new()),
        };
    }
    // A call that never connected has no start; it lasted no time.
    if report.started_at.is_none() {
        report.started_at = report.ended_at.or(report.said_at).or(created_at);
    }
    if report.ended_at.is_none() {
        report.duration_ms = report
            .duration(&mut told, "durationMs", 1.0)
            .or_else(|| report.duration(&mut told, "durationSeconds", 1_000.0));
        if report.duration_ms.is_none() {
            report.ended_at = report.said_at;
        }
    }
    report.ended_by(reason);
    if let Some(message) = told.name(&["endedMessage"]) {
        report.keep("end.message", message);
    }
    let mut artifact = Fields::new(told.object("artifact"));
    analysis(&mut report, Fields::new(told.object("analysis")), &mut artifact);
    if report.attributes.contains_key(attributes::SUMMARY) || !report.scores.is_empty() {
        report.phase = report.phase.max(ANALYSED);
    }
    costs(&mut report, &mut told);
    said(&mut report, &mut artifact, &mut told);
    kept(&mut report, &mut artifact, &mut told);
    let artifact_rest: Vec<String> = artifact.rest_of("artifact").collect();
    report.unmapped.extend(artifact_rest);
    report.unmapped.extend(told.rest_of(""));
    report.into_steps()
}

/// The assistant did not answer in time.
fn hang(mut report: Report) -> Result<Vec<Step>, String> {
    let (at, _) = report.times()?;
    let mut step = report.bare(format!("hang-{}", at.0), at, at);
    step.parent_span_id = Some(crate::conversation::ROOT.to_owned());
    step.kind = StepKind::Model;
    step.name = "answer".to_owned();
    step.status = StepStatus::Error;
    step.error = Some(steward_core::step::StepError {
        class: steward_core::step::ErrorClass::Timeout,
        code: Some("hang".to_owned()),
        message: "the assistant did not answer in time".to_owned(),
    });
    step.reading.phase = super::report::GOES_ON;
    step.declare().workflow = report.workflow.take();
    Ok(vec![step])
}

/// Who called whom, and for which assistant.
fn whose(report: &mut Report, told: &mut Fields) {
    let mut assistant = Fields::new(told.object("assistant"));
    let squad = told.name(&["squadId"]);
    let id = squad.or_else(|| told.name(&["assistantId"])).or_else(|| assistant.name(&["id"]));
    report.workflow = id.or_else(|| told.name(&["workflowId"])).or_else(|| told.name(&["phoneNumberId"]));
    if let Some(id) = &report.workflow {
        report.keep(attributes::AGENT_ID, id.clone());
    }
    report.name = assistant.name(&["name"]);
    let mut model = Fields::new(assistant.object("model"));
    (report.provider, report.model) = (model.name(&["provider"]), model.name(&["model"]));
    report.release = told.name(&["assistantVersion"]);
    let metadata = assistant.object("metadata");
    report.metadata(metadata);
    let metadata = told.object("metadata");
    report.metadata(metadata);
    let mut customer = Fields::new(told.object("customer"));
    let number = customer.name(&["number", "sipUri"]);
    report.user_id = customer.name(&["externalId"]).or_else(|| number.clone());
    let mut phone = Fields::new(told.object("phoneNumber"));
    let own = phone.name(&["number"]);
    let (from, to) = match told.name(&["type"]).as_deref() {
        Some("inboundPhoneCall") => {
            report.keep(attributes::DIRECTION, "inbound");
            (number, own)
        }
        Some("outboundPhoneCall") => {
            report.keep(attributes::DIRECTION, "outbound");
            (own, number)
        }
        Some(other) => {
            report.keep("call.type", other);
            (None, None)
        }
        None => (None, None),
    };
    report.keep(attributes::FROM, from);
    report.keep(attributes::TO, to);
    for (key, kept) in [("phoneNumberId", "call.phone_number_id"), ("campaignId", "call.campaign_id")] {
        let value = told.name(&[key]);
        report.keep(kept, value);
    }
    // These say nothing of the run.
    told.take(&["orgId"]);
    told.take(&["updatedAt"]);
    told.take(&["customerId"]);
    told.take(&["phoneCallProviderId"]);
}

/// What the platform's own judge and extractor found.
fn analysis(report: &mut Report, mut analysis: Fields, artifact: &mut Fields) {
    let summary = analysis.take(&["summary"]).map(messages::json_text).filter(|text| !text.is_empty());
    if let Some(summary) = summary {
        report.title = Some(title(&summary));
        report.keep(attributes::SUMMARY, summary);
    }
    match analysis.take(&["successEvaluation"]) {
        Some(Value::Bool(success)) => report.judged(success, None),
        Some(value) => grade(report, &messages::json_text(value)),
        None => {}
    }
    let data = analysis.object("structuredData");
    report.keep_all(attributes::FIELD, data);
    for (_, output) in artifact.object("structuredOutputs") {
        if let Value::Object(output) = output {
            let mut output = Fields::new(output);
            if let (Some(called), Some(result)) = (output.name(&["name"]), output.take(&["result"])) {
                report.keep(format!("{}{called}", attributes::FIELD), result);
            }
        }
    }
    analysis.take(&["structuredDataMulti"]);
    let rest: Vec<String> = analysis.rest_of("analysis").collect();
    report.unmapped.extend(rest);
}

/// A line of a summary.
pub(super) fn title(summary: &str) -> String {
    let line: Vec<&str> = summary.split_whitespace().take(40).collect();
    steward_core::step::cut_text(&line.join(" "), 120)
}

/// Reads the judge's text: a verdict, or a grade on some scale between 0 and 1.
fn grade(report: &mut Report, text: &str) {
    let word = text.trim().trim_end_matches('.').to_lowercase();
    let value = match word.as_str() {
        "" => return,
        "true" | "pass" | "passed" | "yes" | "success" | "successful" => return report.judged(true, None),
        "false" | "fail" | "failed" | "no" | "failure" | "unsuccessful" => return report.judged(false, None),
        "excellent" | "strongly agree" => Some(1.0),
        "good" | "agree" => Some(0.75),
        "neutral" => Some(0.5),
        "fair" | "disagree" => Some(0.25),
        "poor" | "strongly disagree" => Some(0.0),
        share if share.ends_with('%') => share
            .trim_end_matches('%')
            .trim()
            .parse()
            .ok()
            .filter(|n| (0.0..=100.0).contains(n))
            .map(|n: f64| n / 100.0),
        n => n.parse().ok().filter(|n| (1.0..=10.0).contains(n)).map(|n: f64| n / 10.0),
    };
    report.score(Score {
        name: "success_grade".to_owned(),
        value,
        label: Some(name(text.trim().to_owned())),
        explanation: None,
        by_human: false,
    });
}

/// What it cost, the whole and the parts, and the tokens in it.
fn costs(report: &mut Report, told: &mut Fields) {
    let whole = told.take(&["cost"]).and_then(|value| of_dollars(&value));
    let mut sum = steward_core::money::Nanos(0);
    let mut tokens = ReportedUsage::default();
    let parts = told.list("costs");
    let n_parts = parts.len();
    for part in parts.into_iter().take(64) {
        let Value::Object(part) = part else { continue };
        let mut part = Fields::new(part);
        let kind = part.name(&["type"]).unwrap_or_else(|| "other".to_owned());
        if let Some(nanos) = part.take(&["cost"]).and_then(|value| of_dollars(&value)) {
            sum = sum.plus(nanos);
            report.keep_cost(&kind, nanos);
        }
        add(&mut tokens.input, count(part.take(&["promptTokens"])));
        add(&mut tokens.output, count(part.take(&["completionTokens"])));
        add(&mut tokens.cache_read, count(part.take(&["cachedPromptTokens"])));
        add(&mut tokens.reasoning, count(part.take(&["reasoningTokens"])));
        if kind == "model" {
            let mut model = Fields::new(part.object("model"));
            if let Some(called) = model.name(&["model"]) {
                (report.model, report.provider) = (Some(called), model.name(&["provider"]));
            }
        }
    }
    let mut breakdown = Fields::new(told.object("costBreakdown"));
    let total = breakdown.take(&["total"]).and_then(|value| of_dollars(&value));
    if n_parts == 0 {
        for part in ["transport", "stt", "llm", "tts", "vapi", "chat"] {
            if let Some(nanos) = breakdown.take(&[part]).and_then(|value| of_dollars(&value)) {
                report.keep_cost(part, nanos);
            }
        }
        add(&mut tokens.input, count(breakdown.take(&["llmPromptTokens"])));
        add(&mut tokens.output, count(breakdown.take(&["llmCompletionTokens"])));
        add(&mut tokens.cache_read, count(breakdown.take(&["llmCachedPromptTokens"])));
    }
    report.cost_nanos = whole.or(total).or((n_parts > 0).then_some(sum));
    if let (Some(whole), true) = (whole, n_parts > 0)
        && whole.0.abs_diff(sum.0) > 10_000_000
    {
        report.note("the parts of the cost do not add up to the whole");
    }
    report.usage = Usage::normalise(tokens, Basis::Inclusive);
}

fn add(sum: &mut Option<u64>, n: Option<u64>) {
    if let Some(n) = n {
        *sum = Some(sum.unwrap_or(0).saturating_add(n));
    }
}

/// The conversation: its messages, else the transcript as text.
fn said(report: &mut Report, artifact: &mut Fields, told: &mut Fields) {
    let (inner, outer) = (artifact.list("messages"), told.list("messages"));
    let said = if inner.is_empty() { outer } else { inner };
    let started_at = report.started_at;
    report.turns = said.into_iter().flat_map(|message| turn(message, started_at)).collect();
    let (inner, outer) = (artifact.take(&["transcript"]), told.take(&["transcript"]));
    if report.turns.is_empty()
        && let Some(Value::String(text)) = inner.or(outer)
    {
        report.turns = turns_of_text(&text);
    }
}

fn turn(message: Value, started_at: Option<Timestamp>) -> Option<Turn> {
    let Value::Object(message) = message else { return None };
    let mut fields = Fields::new(message);
    let role = fields.name(&["role"])?;
    let text = fields.take(&["message", "content", "result"]).map(messages::json_text).unwrap_or_default();
    let mut said = match role.as_str() {
        "bot" | "assistant" | "tool_calls" => messages::plain(Role::Assistant, text),
        "user" | "customer" => messages::plain(Role::User, text),
        "system" => messages::plain(Role::System, text),
        "tool_call_result" | "tool" | "function" => Message {
            tool_call_id: fields.name(&["toolCallId", "tool_call_id"]),
            name: fields.name(&["name"]),
            ..messages::plain(Role::Tool, text)
        },
        _ => return None,
    };
    said.tool_calls =
        ["toolCalls", "tool_calls"].iter().flat_map(|key| fields.list(key)).filter_map(tool_call).collect();
    let since_start = fields.take(&["secondsFromStart"]).and_then(|value| number(&value));
    let at = fields.take(&["endTime", "time"]).and_then(|value| instant(&value)).filter(|at| at.is_plausible());
    let at = at.or_else(|| {
        let ms = since_start.filter(|seconds| (0.0..1e6).contains(seconds)).map(|seconds| (seconds * 1_000.0) as i64);
        Some(started_at?.plus_ms(ms?))
    });
    Some(Turn { at, ..Turn::from(said) })
}

fn tool_call(value: Value) -> Option<ToolCall> {
    let Value::Object(call) = value else { return None };
    let mut call = Fields::new(call);
    let mut function = Fields::new(call.object("function"));
    Some(ToolCall {
        id: call.name(&["id"]),
        name: function.name(&["name"]).or_else(|| call.name(&["name"]))?,
        arguments: content(
            function
                .take(&["arguments"])
                .or_else(|| call.take(&["arguments", "parameters"]))
                .map(messages::json_text)
                .unwrap_or_default(),
        ),
    })
}

/// Recordings, latencies, and the rest that is worth keeping.
fn kept(report: &mut Report, artifact: &mut Fields, told: &mut Fields) {
    let mut recording = Fields::new(artifact.object("recording"));
    let mono = Fields::new(recording.object("mono")).take(&["combinedUrl"]);
    let links = [
        artifact.take(&["recordingUrl"]),
        told.take(&["recordingUrl"]),
        recording.take(&["stereoUrl"]),
        mono,
        artifact.take(&["stereoRecordingUrl"]),
        told.take(&["stereoRecordingUrl"]),
    ];
    report.keep_link(attributes::RECORDING, links.into_iter().flatten().next());
    let mut metrics = Fields::new(artifact.object("performanceMetrics"));
    for (key, kept) in [
        ("turnLatencyAverage", "latency.turn_mean_ms"),
        ("modelLatencyAverage", "latency.model_mean_ms"),
        ("voiceLatencyAverage", "latency.voice_mean_ms"),
        ("transcriberLatencyAverage", "latency.transcriber_mean_ms"),
        ("numUserInterrupted", "call.n_user_interrupted"),
        ("numAssistantInterrupted", "call.n_assistant_interrupted"),
    ] {
        if let Some(value) = metrics.take(&[key]) {
            report.keep(kept, value);
        }
    }
    let variables = artifact.object("variableValues");
    report.keep_all(attributes::METADATA, variables);
    let transfers = artifact.list("transfers");
    if !transfers.is_empty() {
        report.keep("call.n_transfers", transfers.len());
    }
    if let Some(destination) = told.take(&["destination"]) {
        report.keep("call.destination", destination);
    }
    // The same things once more, or of no use here.
    for key in
        ["durationMs", "durationSeconds", "durationMinutes", "summary", "phoneCallProvider", "phoneCallTransport"]
    {
        told.take(&[key]);
    }
}
