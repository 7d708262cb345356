//! n8n: what an error workflow sends on, and executions as the API lists them.
//!
//! The error tells its message and no time; the execution tells times and, without its data, no message. Both make
//! the same run: the error is the step `error` in it, whichever told it, and the root is the execution's. An error of
//! a trigger has no execution and is a run of its own. Executions by hand and evaluations are tests.
//!
//! Tokens that n8n itself guessed (`tokenUsageEstimate`) are marked as estimates.

use serde_json::{Map, Value};
use steward_core::outcome::Outcome;
use steward_core::step::{Step, StepError, StepKind, StepStatus};
use steward_core::usage::{Basis, ReportedUsage, Usage};

use super::Context;
use super::lean::Lean;
use super::report::{ENDED, REPORTED, Report, attributes, count, error};
use crate::conversation::ROOT;
use crate::fields::{Fields, instant, number};
use crate::messages;
use crate::text::{bounded, name, sha256};

/// What flowed through an execution is its owner's data, and large.
pub(super) const LEAN: Lean = Lean {
    without: &[
        ("data", "main"),
        ("inputOverride", "main"),
        ("json", "response"),
        ("json", "messages"),
        ("*", "pinData"),
        ("*", "executionData"),
        ("*", "startData"),
        ("workflowData", "connections"),
        ("nodes", "parameters"),
        ("nodes", "credentials"),
        ("error", "context"),
        ("cause", "stack"),
        ("workflowData", "staticData"),
    ],
    last_of: &[],
};

/// The most runs of nodes that one execution is read with.
const MAX_NODE_RUNS: usize = 1_000;
/// The id of the step that went wrong, whichever report told it.
const ERROR: &str = "error";

pub(super) fn read(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    // n8n's HTTP node wraps an item in `json` or `body` where it is told to send all of it.
    for wrapper in ["json", "body"] {
        if let Some(Value::Object(inner)) = object.get_mut(wrapper)
            && (inner.contains_key("execution") || inner.contains_key("trigger"))
        {
            object = std::mem::take(inner);
        }
    }
    let mut told = Fields::new(object);
    let mut workflow = Fields::new(told.object("workflow"));
    let (id, called) = (workflow.name(&["id"]), workflow.name(&["name"]));
    if let Some(Value::Object(execution)) = told.take(&["execution"]) {
        return failed(Fields::new(execution), id, called, context);
    }
    if let Some(Value::Object(trigger)) = told.take(&["trigger"]) {
        return never_started(Fields::new(trigger), id, called, context);
    }
    execution(told, id, called, context)
}

/// What the error workflow was told of an execution.
fn failed(
    mut told: Fields,
    workflow: Option<String>,
    called: Option<String>,
    context: Context<'_>,
) -> Result<Vec<Step>, String> {
    let failure = told.take(&["error"]);
    let node = told.name(&["lastNodeExecuted"]);
    // An execution that was not saved has no id: what it says is all that tells it from others.
    let key = told.key(&["id"]);
    let key = key.unwrap_or_else(|| sha256(&format!("{workflow:?} {failure:?} {}", context.received_at.0)));
    let mut report = Report::new(context, &key, ENDED);
    about(&mut report, workflow, called);
    let link = told.take(&["url"]);
    report.keep_link(attributes::LINK, link);
    mode(&mut report, &mut told);
    let retry_of = told.name(&["retryOf"]);
    report.keep("n8n.retry_of", retry_of);
    report.status = StepStatus::Error;
    let (at, _) = report.times()?;
    let mut step = report.bare(ERROR.to_owned(), at, at);
    // The root of the execution itself, which stays in the end, has no address.
    step.attributes = report.attributes.clone();
    describe_failure(&mut step, failure, node);
    report.steps.push(step);
    report.unmapped.extend(told.rest_of("execution"));
    report.into_steps()
}

/// A trigger that failed, so that nothing was executed.
fn never_started(
    mut told: Fields,
    workflow: Option<String>,
    called: Option<String>,
    context: Context<'_>,
) -> Result<Vec<Step>, String> {
    let failure = told.take(&["error"]);
    let timestamp = failure.as_ref().and_then(|failure| failure.get("timestamp")).and_then(instant);
    let timestamp = timestamp.filter(|at| at.is_plausible());
    let when = timestamp.unwrap_or(context.received_at);
    let key = format!("trigger-{}-{}", workflow.as_deref().unwrap_or("unknown"), when.0);
    let mut report = Report::new(context, &key, ENDED);
    about(&mut report, workflow, called);
    mode(&mut report, &mut told);
    report.started_at = timestamp;
    report.status = StepStatus::Error;
    let (at, _) = report.times()?;
    let mut step = report.bare(ERROR.to_owned(), at, at);
    describe_failure(&mut step, failure, Some("trigger".to_owned()));
    report.steps.push(step);
    report.unmapped.extend(told.rest_of("trigger"));
    report.into_steps()
}

fn about(report: &mut Report, workflow: Option<String>, called: Option<String>) {
    report.kind = StepKind::Chain;
    report.name = called;
    if let Some(id) = &workflow {
        report.keep(attributes::AGENT_ID, id.clone());
    }
    report.workflow = workflow.or_else(|| report.name.clone());
}

fn mode(report: &mut Report, told: &mut Fields) {
    if let Some(mode) = told.name(&["mode"]) {
        report.test |= matches!(mode.as_str(), "manual" | "evaluation");
        report.keep("n8n.mode", mode);
    }
}

/// Makes a step the one that went wrong.
fn describe_failure(step: &mut Step, failure: Option<Value>, node: Option<String>) {
    let mut fields = match failure {
        Some(Value::Object(failure)) => Fields::new(failure),
        Some(Value::String(message)) => {
            Fields::new([("message".to_owned(), Value::String(message))].into_iter().collect())
        }
        _ => Fields::default(),
    };
    let of_failure = Fields::new(fields.object("node")).name(&["name"]);
    let node = node.or(of_failure).unwrap_or_else(|| "unknown node".to_owned());
    step.kind = StepKind::Tool;
    step.parent_span_id = Some(ROOT.to_owned());
    step.status = StepStatus::Error;
    step.name.clone_from(&node);
    step.tool = Some(node);
    step.error = Some(error_of(&mut fields));
}

fn error_of(fields: &mut Fields) -> StepError {
    let called = fields.name(&["name"]);
    let code = fields.name(&["httpCode"]).or(called);
    let message = fields.take(&["message"]).map(messages::json_text).unwrap_or_default();
    let more =
        fields.take(&["description"]).map(messages::json_text).filter(|more| !more.is_empty() && *more != message);
    let message = match more {
        Some(more) if message.is_empty() => more,
        Some(more) => format!("{message}: {more}"),
        None => message,
    };
    error(code, if message.is_empty() { "the execution ended with an error".to_owned() } else { message })
}

/// An execution as the API gives it, with its data or without.
fn execution(
    mut told: Fields,
    workflow: Option<String>,
    called: Option<String>,
    context: Context<'_>,
) -> Result<Vec<Step>, String> {
    let key = told.key(&["id"]).ok_or("it has neither an execution nor the id of one")?;
    let finished = told.truth("finished");
    let status = told.name(&["status"]);
    if status.is_none() && !finished && told.name(&["stoppedAt"]).is_none() && told.name(&["startedAt"]).is_none() {
        return Err("it is no execution: it has no status and no times".to_owned());
    }
    let mut report = Report::new(context, &key, REPORTED);
    let mut definition = Fields::new(told.object("workflowData"));
    let id = workflow.or_else(|| told.name(&["workflowId"])).or_else(|| definition.name(&["id"]));
    about(&mut report, id, called.or_else(|| definition.name(&["name"])));
    report.started_at = report.instant(&mut told, &["startedAt", "createdAt"]);
    report.ended_at = report.instant(&mut told, &["stoppedAt"]);
    mode(&mut report, &mut told);
    for (key, kept) in [("retryOf", "n8n.retry_of"), ("retrySuccessId", "n8n.retry_success_id")] {
        let value = told.name(&[key]);
        report.keep(kept, value);
    }
    let custom = told.object("customData");
    report.metadata(custom);
    let status = status.unwrap_or_else(|| if finished { "success" } else { "error" }.to_owned());
    match status.as_str() {
        "new" => return Ok(Vec::new()),
        "running" | "waiting" | "unknown" => return report.into_sign_of_life(&status),
        "success" => report.status = StepStatus::Ok,
        "canceled" | "cancelled" => {
            report.ended_by(Some(status.clone()));
            report.outcome = Some(Outcome::Abandoned);
        }
        "crashed" | "error" => report.status = StepStatus::Error,
        other => {
            report.keep("n8n.status", other);
            report.note("its status is none that is known");
        }
    }
    let (started_at, ended_at) = report.times()?;
    let mut data = Fields::new(told.object("data"));
    let mut result = Fields::new(data.object("resultData"));
    let last = result.name(&["lastNodeExecuted"]);
    let failure = result.take(&["error"]);
    let runs = result.object("runData");
    if !runs.is_empty() || failure.is_some() {
        report.phase = super::report::ANALYSED;
    }
    let nodes = nodes(&mut report, runs, last.as_deref(), &definition_types(&mut definition));
    let mut error_is_known = true;
    let has_error = nodes.iter().any(|step| step.span_id == ERROR);
    report.steps.extend(nodes);
    if report.status == StepStatus::Error && !has_error {
        let mut step = report.bare(ERROR.to_owned(), ended_at.max(started_at), ended_at);
        let said = failure.is_some();
        let crashed = status == "crashed";
        let failure = failure.or_else(|| crashed.then(|| Value::String("the execution crashed".to_owned())));
        describe_failure(&mut step, failure, last);
        report.steps.push(step);
        error_is_known = said;
    }
    told.take(&["waitTill"]);
    report.unmapped.extend(told.rest_of(""));
    let mut steps = report.into_steps()?;
    // An execution that only has a status knows less of its error than the error workflow does.
    for step in steps.iter_mut().filter(|step| step.span_id == ERROR && !error_is_known) {
        step.reading.phase = super::report::GOES_ON;
    }
    Ok(steps)
}

/// The types of the workflow's nodes by name, where they were sent.
fn definition_types(definition: &mut Fields) -> Vec<(String, String)> {
    let nodes = definition.list("nodes").into_iter().take(MAX_NODE_RUNS);
    nodes
        .filter_map(|node| {
            let text = |key: &str| node.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((text("name")?, text("type")?))
        })
        .collect()
}

/// Each run of each node.
fn nodes(report: &mut Report, runs: Map<String, Value>, last: Option<&str>, types: &[(String, String)]) -> Vec<Step> {
    let mut steps = Vec::new();
    for (node, runs) in runs {
        let Value::Array(runs) = runs else { continue };
        let n_runs = runs.len();
        let of_type = types.iter().find(|(called, _)| *called == node).map(|(_, of_type)| of_type.as_str());
        for (nth, run) in runs.into_iter().enumerate() {
            if steps.len() >= MAX_NODE_RUNS {
                report.note("only the first 1,000 runs of nodes were read");
                return steps;
            }
            let Value::Object(run) = run else { continue };
            let mut step = node_run(report, &node, nth, Fields::new(run), of_type);
            if step.error.is_some() && last == Some(node.as_str()) && nth + 1 == n_runs {
                step.span_id = ERROR.to_owned();
                step.kind = if step.kind == StepKind::Other { StepKind::Tool } else { step.kind };
                step.tool.get_or_insert_with(|| name(node.clone()));
            }
            steps.push(step);
        }
    }
    steps
}

fn node_run(report: &Report, node: &str, nth: usize, mut run: Fields, of_type: Option<&str>) -> Step {
    let fallback = report.started_at.unwrap_or_default();
    let at = run.take(&["startTime"]).and_then(|value| instant(&value)).filter(|at| at.is_plausible());
    let started_at = at.unwrap_or(fallback);
    let ms = run.take(&["executionTime"]).and_then(|value| number(&value)).filter(|ms| (0.0..1e12).contains(ms));
    let ended_at = started_at.plus_ms(ms.unwrap_or(0.0) as i64);
    let mut step = report.bare(format!("node-{}-{nth}", bounded(node.to_owned(), 200)), started_at, ended_at);
    step.name = name(node.to_owned());
    step.parent_span_id = Some(ROOT.to_owned());
    let data = run.object("data");
    let is_source = run.list("source").iter().all(Value::is_null);
    let has = |key: &str| data.contains_key(key);
    step.kind = if has("ai_languageModel") {
        StepKind::Model
    } else if has("ai_embedding") {
        StepKind::Embedding
    } else if has("ai_retriever") || has("ai_vectorStore") || has("ai_memory") {
        StepKind::Retrieval
    } else if has("ai_tool") {
        StepKind::Tool
    } else {
        kind_of_type(of_type, is_source)
    };
    match run.name(&["executionStatus"]).as_deref() {
        Some("success") => step.status = StepStatus::Ok,
        Some("error" | "crashed") => step.status = StepStatus::Error,
        _ => {}
    }
    if let Some(Value::Object(failure)) = run.take(&["error", "redactedError"]) {
        step.error = Some(error_of(&mut Fields::new(failure)));
        step.status = StepStatus::Error;
    }
    if step.kind == StepKind::Tool {
        step.tool = Some(step.name.clone());
    }
    if step.kind == StepKind::Model {
        model_run(&mut step, data, &mut run);
    }
    step
}

/// What a node of some type is: what only moves data inside the workflow is no tool.
fn kind_of_type(of_type: Option<&str>, is_source: bool) -> StepKind {
    const MOVES_DATA: [&str; 17] = [
        "set",
        "if",
        "merge",
        "switch",
        "noop",
        "code",
        "filter",
        "wait",
        "splitinbatches",
        "splitout",
        "aggregate",
        "sort",
        "limit",
        "stickynote",
        "stopanderror",
        "executionData",
        "respondtowebhook",
    ];
    let Some(of_type) = of_type else { return if is_source { StepKind::Other } else { StepKind::Tool } };
    let last = of_type.rsplit('.').next().unwrap_or(of_type).to_ascii_lowercase();
    if last == "agent" || last.starts_with("chain") {
        StepKind::Chain
    } else if last.ends_with("trigger") || last == "webhook" || MOVES_DATA.contains(&last.as_str()) {
        StepKind::Other
    } else {
        StepKind::Tool
    }
}

/// Tokens and model of a language model's run.
fn model_run(step: &mut Step, data: Map<String, Value>, run: &mut Fields) {
    let data = Value::Object(data);
    let answer = data.pointer("/ai_languageModel/0/0/json");
    let (usage, estimated) = match answer {
        Some(answer) if answer.get("tokenUsage").is_some() => (answer.get("tokenUsage"), false),
        Some(answer) => (answer.get("tokenUsageEstimate"), true),
        None => (None, false),
    };
    if let Some(usage) = usage {
        let n = |key: &str| count(usage.get(key).cloned());
        let reported = ReportedUsage {
            input: n("promptTokens"),
            output: n("completionTokens"),
            total: n("totalTokens"),
            ..ReportedUsage::default()
        };
        step.usage = Usage::normalise(reported, Basis::Inclusive);
        step.estimated = estimated && step.usage.is_some();
    }
    let asked = Value::Object(run.object("inputOverride"));
    let options = asked.pointer("/ai_languageModel/0/0/json/options");
    let model = options.and_then(|options| options.get("model").or_else(|| options.get("model_name")));
    step.model = model.and_then(Value::as_str).map(|model| name(model.to_owned()));
}
