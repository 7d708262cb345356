//! Runs as Steward itself likes to be told them: `POST /v1/runs`.
//!
//! One run as an object, many as an array, as `{"runs": […]}`, or as JSON lines. Only `started_at` is needed, or a
//! step that has one; everything else may stay unsaid.
//!
//! ```json
//! {
//!   "id": "call-2026-10-08-0017",
//!   "workflow": "Front desk",
//!   "started_at": "2026-10-08T15:04:05Z",
//!   "ended_at": "2026-10-08T15:06:41Z",
//!   "status": "ok",
//!   "outcome": "completed",
//!   "outcome_reason": "the caller confirmed the appointment",
//!   "error": null,
//!   "model": "gpt-4.1-mini",
//!   "provider": "openai",
//!   "usage": { "input_tokens": 4120, "output_tokens": 310, "cache_read_tokens": 2048, "reasoning_tokens": 0 },
//!   "cost_usd": 0.0041,
//!   "user_id": "caller-88",
//!   "conversation_id": "call-0017",
//!   "release": "2026-10-01",
//!   "environment": "production",
//!   "test": false,
//!   "waiting_ms": 0,
//!   "title": "Wants an appointment on Thursday",
//!   "input": "I'd like to come in on Thursday.",
//!   "output": "You are booked for Thursday at 15:30.",
//!   "results": [ { "name": "booking_made", "value": 120.0 } ],
//!   "scores": [ { "name": "politeness", "value": 0.9 } ],
//!   "steps": [
//!     {
//!       "id": "s1", "kind": "model", "name": "chat", "model": "gpt-4.1-mini",
//!       "started_at": "2026-10-08T15:04:06Z", "ended_at": "2026-10-08T15:04:08Z",
//!       "usage": { "input_tokens": 4120, "output_tokens": 310 }, "cost_usd": 0.0041
//!     },
//!     {
//!       "id": "s2", "parent_id": "s1", "kind": "tool", "tool": "book_appointment",
//!       "started_at": "2026-10-08T15:04:09Z", "ended_at": "2026-10-08T15:04:10Z",
//!       "input": { "day": "2026-10-09" }, "output": { "booked": true }
//!     }
//!   ],
//!   "metadata": { "channel": "phone" }
//! }
//! ```
//!
//! Times are RFC 3339, or numbers since 1970 whose magnitude tells seconds, milli-, micro- or nanoseconds. Input
//! tokens include cached ones, output tokens include reasoning. A value of a result is in whole units of the
//! client's currency; money of runs is in US dollars. Instead of `steps`, `messages` in OpenAI's form make the
//! steps: one for each answer of the assistant and one for each call of a tool.
//!
//! A run with the same `id` sent again, whole or in part, is merged with what is known of it.

use std::collections::HashSet;

use serde_json::{Map, Value};
use steward_core::errors::of_tool_text;
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{DeclaredResult, Message, Role, Step, StepKind, StepStatus};
use steward_core::time::Timestamp;

pub use crate::Decoded;
use crate::WireError;
use crate::conversation::{self, ROOT, Shared, Turn};
use crate::fields::{Fields, number};
use crate::messages;
use crate::nul;
use crate::text::{bounded, name, sha256};

/// The most characters of a trace's id.
const MAX_TRACE_ID_CHARS: usize = 128;
/// The most steps of one run.
const MAX_STEPS: usize = 10_000;
/// The most results of one run.
const MAX_RESULTS: usize = 100;

/// Reads runs. A bad run among others is refused with its place, and the others go on.
///
/// # Errors
///
/// When the bytes are neither JSON nor JSON lines, or hold no runs.
pub fn read_runs(body: &[u8]) -> Result<Decoded, WireError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| WireError::NotText)?;
    let mut decoded = Decoded::default();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(runs)) => read_all(runs, &mut decoded),
        Ok(Value::Object(mut object)) => match object.remove("runs") {
            Some(Value::Array(runs)) => read_all(runs, &mut decoded),
            Some(_) => return Err(WireError::Shape("“runs” is not an array")),
            None => read_all(vec![Value::Object(object)], &mut decoded),
        },
        Ok(_) => return Err(WireError::Shape("a run is an object")),
        Err(error) => read_lines(text, error, &mut decoded)?,
    }
    decoded.steps.iter_mut().for_each(nul::replace_in);
    Ok(decoded)
}

fn read_all(runs: Vec<Value>, decoded: &mut Decoded) {
    for (place, run) in runs.into_iter().enumerate() {
        match read_run(run) {
            Ok(mut read) => decoded.steps.append(&mut read.steps),
            Err(reason) => decoded.reject(&format!("run {place}: {reason}")),
        }
    }
}

/// Reads JSON lines; a text of which not even the first line is an object is no such thing.
fn read_lines(text: &str, error: serde_json::Error, decoded: &mut Decoded) -> Result<(), WireError> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let is_object = |line: &&str| line.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok();
    if !lines.peek().is_some_and(is_object) {
        return Err(WireError::Json(error));
    }
    for (place, line) in lines.enumerate() {
        let run = serde_json::from_str(line).map_err(|error| format!("it is not valid JSON ({error})"));
        match run.and_then(read_run) {
            Ok(mut read) => decoded.steps.append(&mut read.steps),
            Err(reason) => decoded.reject(&format!("run {place}: {reason}")),
        }
    }
    Ok(())
}

/// The runs of a payload as JSON, each as it was sent; lines that are no JSON are left out.
pub(crate) fn values(body: &[u8]) -> Result<Vec<Value>, WireError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| WireError::NotText)?;
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Array(runs)) => Ok(runs),
        Ok(Value::Object(mut object)) => match object.remove("runs") {
            Some(Value::Array(runs)) => Ok(runs),
            Some(_) => Err(WireError::Shape("“runs” is not an array")),
            None => Ok(vec![Value::Object(object)]),
        },
        Ok(_) => Err(WireError::Shape("a run is an object")),
        Err(_) => Ok(text.lines().filter_map(|line| serde_json::from_str(line.trim()).ok()).collect()),
    }
}

/// A run with its key.
pub(crate) struct Run {
    pub(crate) key: String,
    pub(crate) steps: Vec<Step>,
}

/// Reads one run.
///
/// # Errors
///
/// The reason in words why it is none.
pub(crate) fn read_run(value: Value) -> Result<Run, String> {
    // The text is made only where there is no id; keys are in order, so equal runs have equal texts.
    let hash = |value: &Value| sha256(&value.to_string());
    let Value::Object(object) = &value else { return Err("it is not an object".to_owned()) };
    let has_id = ["id", "run_id"].iter().any(|key| object.get(*key).is_some_and(|id| id.is_string() || id.is_number()));
    let derived = (!has_id).then(|| hash(&value));
    let Value::Object(object) = value else { return Err("it is not an object".to_owned()) };
    let mut run = Fields::new(object);
    let key = match run.key(&["id", "run_id"]).or(derived) {
        Some(key) => key,
        None => return Err("its id is empty".to_owned()),
    };
    let trace_id = trace_id("native", &key);

    let mut inner: Vec<(Fields, Times)> = Vec::new();
    for (place, step) in run.list("steps").into_iter().enumerate() {
        if place >= MAX_STEPS {
            run.note("only the first 10,000 steps were read");
            break;
        }
        let Value::Object(object) = step else { return Err(format!("step {place} is not an object")) };
        let mut step = Fields::new(object);
        let times = times(&mut step).map_err(|reason| format!("step {place}: {reason}"))?;
        inner.push((step, times));
    }
    let mut turns: Vec<Turn> = Vec::new();
    for message in run.list("messages") {
        let at = message
            .get("timestamp")
            .or_else(|| message.get("created_at"))
            .and_then(crate::fields::instant)
            .filter(|at| at.is_plausible());
        turns.extend(
            messages::from_json(message, Role::User).into_iter().map(|message| Turn { at, ..Turn::from(message) }),
        );
    }

    let own = times(&mut run)?;
    let started_at = own
        .started
        .or_else(|| inner.iter().filter_map(|(_, times)| times.started.or(times.ended)).min())
        .or_else(|| turns.iter().filter_map(|turn| turn.at).min())
        .or(own.ended)
        .ok_or("it has no started_at")?;
    let latest = inner
        .iter()
        .filter_map(|(_, times)| times.ended.or(times.started))
        .chain(turns.iter().filter_map(|turn| turn.at))
        .max();
    let mut ended_at = own.ended.or(latest).unwrap_or(started_at);
    if ended_at < started_at {
        run.note("it ended before it started");
        ended_at = started_at;
    }

    let mut root = Step {
        trace_id: trace_id.clone(),
        span_id: ROOT.to_owned(),
        kind: StepKind::Agent,
        started_at,
        ended_at,
        status: run.status(),
        error: run.error("error"),
        model: run.name(&["model"]),
        provider: run.name(&["provider"]),
        agent: run.name(&["agent"]),
        usage: run.usage(),
        input: run.said("input", Role::User),
        output: run.said("output", Role::Assistant),
        scores: run.scores(),
        ..Step::default()
    };
    root.reading.dialect = "native".to_owned();
    declare(&mut run, &mut root, own.ended.is_some());
    if root.error.is_some() && root.status == StepStatus::Unset {
        root.status = StepStatus::Error;
    }
    Fields::attributes(&mut root, run.object("metadata"));

    let made = if inner.is_empty() {
        say(&mut root, turns.iter().map(|turn| &turn.message));
        let shared = Shared {
            trace_id: &trace_id,
            dialect: "native",
            model: root.model.as_deref(),
            provider: root.provider.as_deref(),
            started_at,
        };
        conversation::steps(turns, &shared)
    } else {
        say(&mut root, turns.iter().map(|turn| &turn.message));
        inner_steps(inner, &root)
    };
    if let Some(last) = made.iter().map(|step| step.ended_at).max().filter(|_| own.ended.is_none()) {
        root.ended_at = root.ended_at.max(last);
    }
    run.close(&mut root);
    let mut steps = Vec::with_capacity(made.len() + 1);
    steps.push(root);
    steps.extend(made);
    Ok(Run { key, steps })
}

/// The id of a trace of an importer; a key too long to stand in it stands there as its hash.
pub(crate) fn trace_id(importer: &str, key: &str) -> String {
    let id = format!("{importer}:{key}");
    if id.len() <= MAX_TRACE_ID_CHARS { id } else { format!("{importer}:{}", sha256(key)) }
}

/// What a root without words of its own was asked and answered, by the conversation in it.
fn say<'a>(root: &mut Step, messages: impl DoubleEndedIterator<Item = &'a Message> + Clone) {
    if root.input.is_empty() {
        root.input.extend(messages.clone().find(|message| message.role == Role::User).cloned());
    }
    if root.output.is_empty() {
        root.output.extend(
            messages.rev().find(|message| message.role == Role::Assistant && !message.text.is_empty()).cloned(),
        );
    }
}

#[derive(Clone, Copy)]
struct Times {
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
}

fn times(fields: &mut Fields) -> Result<Times, String> {
    Ok(Times {
        started: fields.instant(&["started_at", "start_time", "created_at"])?,
        ended: fields.instant(&["ended_at", "end_time", "finished_at"])?,
    })
}

fn declare(run: &mut Fields, root: &mut Step, ended: bool) {
    let declared = root.declare();
    declared.ended = ended;
    declared.workflow = run.name(&["workflow"]);
    declared.outcome = run.name(&["outcome"]).and_then(|word| {
        let outcome = Outcome::parse(&word);
        if outcome.is_none() {
            run.note(format!("the outcome “{}” is none that is known", bounded(word, 60)));
        }
        outcome
    });
    declared.outcome_reason = run
        .take(&["outcome_reason"])
        .map(|reason| bounded(messages::json_text(reason), crate::errors::MAX_MESSAGE_CHARS));
    declared.conversation_id = run.name(&["conversation_id", "session_id"]);
    declared.user_id = run.name(&["user_id"]);
    declared.release = run.name(&["release", "version"]);
    declared.environment = run.name(&["environment"]);
    declared.test = run.truth("test");
    declared.cost_nanos = run.money(&["cost_usd"]);
    declared.waiting_ms = run.milliseconds("waiting_ms");
    declared.title = run.name(&["title"]);
    declared.results = results(run);
    root.name = declared.workflow.clone().unwrap_or_else(|| "run".to_owned());
}

/// Results: a list of objects or of names, or an object of names and values.
fn results(run: &mut Fields) -> Vec<DeclaredResult> {
    let pairs: Vec<(Option<String>, Option<Value>)> = match run.take(&["results"]) {
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| match item {
                Value::String(text) => (Some(name(text)), None),
                Value::Object(object) => {
                    let mut fields = Fields::new(object);
                    (fields.name(&["name"]), fields.take(&["value"]))
                }
                _ => (None, None),
            })
            .collect(),
        Some(Value::Object(object)) => object.into_iter().map(|(key, value)| (Some(name(key)), Some(value))).collect(),
        _ => Vec::new(),
    };
    let mut results = Vec::new();
    for (called, value) in pairs.into_iter().take(MAX_RESULTS) {
        let Some(called) = called.filter(|called| !called.is_empty()) else {
            run.note("a result without a name was left out");
            continue;
        };
        let value_nanos = match value {
            None | Some(Value::Null | Value::Bool(true)) => None,
            Some(Value::Bool(false)) => continue,
            Some(value) => {
                let nanos = number(&value).and_then(Nanos::from_units);
                if nanos.is_none() {
                    run.note("the value of a result is no amount of money");
                }
                nanos
            }
        };
        results.push(DeclaredResult { name: called, value_nanos });
    }
    results
}

fn inner_steps(inner: Vec<(Fields, Times)>, root: &Step) -> Vec<Step> {
    let mut seen: HashSet<String> = HashSet::from([ROOT.to_owned()]);
    let mut steps = Vec::with_capacity(inner.len());
    for (place, (fields, times)) in inner.into_iter().enumerate() {
        let mut step = inner_step(fields, times, place, root);
        if !seen.insert(step.span_id.clone()) {
            step.reading.notes.push("its id is another step's too, so it was given one of its own".to_owned());
            step.span_id = format!("{}#{place}", step.span_id);
            seen.insert(step.span_id.clone());
        }
        steps.push(step);
    }
    steps
}

fn inner_step(mut fields: Fields, times: Times, place: usize, root: &Step) -> Step {
    let started_at = times.started.or(times.ended).unwrap_or(root.started_at);
    let mut ended_at = times.ended.unwrap_or(started_at);
    if ended_at < started_at {
        fields.note("it ended before it started");
        ended_at = started_at;
    }
    let tool = fields.name(&["tool", "tool_name"]);
    let model = fields.name(&["model"]);
    let said = fields.name(&["kind", "type"]);
    let kind = said.as_deref().and_then(kind_of).unwrap_or(match (&tool, &model) {
        (Some(_), _) => StepKind::Tool,
        (None, Some(_)) => StepKind::Model,
        (None, None) => StepKind::Other,
    });
    let called = fields.name(&["name"]);
    let is_tool = kind == StepKind::Tool;
    let mut step = Step {
        trace_id: root.trace_id.clone(),
        span_id: fields.name(&["id"]).unwrap_or_else(|| format!("step-{place}")),
        parent_span_id: Some(fields.name(&["parent_id"]).unwrap_or_else(|| ROOT.to_owned())),
        kind,
        started_at,
        ended_at,
        status: fields.status(),
        error: fields.error("error"),
        provider: fields.name(&["provider"]),
        agent: fields.name(&["agent"]),
        usage: fields.usage(),
        cost_nanos: fields.money(&["cost_usd"]),
        response_id: fields.name(&["response_id"]),
        finish_reason: fields.name(&["finish_reason"]).map(crate::draft::finish_word),
        first_token_ms: fields.milliseconds("first_token_ms"),
        input: if is_tool { fields.verbatim("input", Role::Assistant) } else { fields.said("input", Role::User) },
        output: if is_tool { fields.verbatim("output", Role::Tool) } else { fields.said("output", Role::Assistant) },
        scores: fields.scores(),
        ..Step::default()
    };
    step.tool = tool.or_else(|| called.clone().filter(|_| is_tool));
    step.name =
        called.or_else(|| step.tool.clone()).or_else(|| model.clone()).unwrap_or_else(|| kind.as_str().to_owned());
    step.model = model;
    step.reading.dialect = "native".to_owned();
    if step.error.is_none() {
        step.error = of_tool_text(&step);
    }
    if step.error.is_none() && step.status == StepStatus::Error {
        step.error = Some(crate::errors::error(None, String::new()));
    }
    let metadata: Map<String, Value> = fields.object("metadata");
    Fields::attributes(&mut step, metadata);
    fields.close(&mut step);
    step
}

/// The kind by its word, or by one that is commonly used for the same.
fn kind_of(word: &str) -> Option<StepKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "model" | "llm" | "generation" | "chat" => StepKind::Model,
        "tool" | "function" | "tool_call" => StepKind::Tool,
        "embedding" => StepKind::Embedding,
        "retrieval" | "retriever" | "search" => StepKind::Retrieval,
        "agent" => StepKind::Agent,
        "chain" | "workflow" | "task" => StepKind::Chain,
        "guardrail" | "evaluator" => StepKind::Guardrail,
        "other" | "span" => StepKind::Other,
        _ => return None,
    })
}
