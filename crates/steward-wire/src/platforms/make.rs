//! Make: executions of scenarios, as its API logs them and as a scenario may send them on.
//!
//! A log line tells times, size and credits, and of an error only that there was one; the detail of an execution
//! tells the error. Credits are reckoned at [`NANOS_PER_CREDIT`] and marked as an estimate.

use serde_json::{Map, Value};
use steward_core::money::Nanos;
use steward_core::step::{Step, StepKind, StepStatus};

use super::Context;
use super::report::{ANALYSED, REPORTED, Report, attributes, error};
use crate::fields::{Fields, number};
use crate::messages;
use crate::text::bounded;

/// What a credit is reckoned at, in nano-US-dollars: $10.59 for 10,000, as the Core plan is listed by the month.
pub(super) const NANOS_PER_CREDIT: i64 = 1_059_000;

pub(super) fn read(object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let mut told = Fields::new(object);
    let key = told.key(&["executionId", "execution_id", "imtId", "id"]).ok_or("its execution has no id")?;
    let mut report = Report::new(context, &key, REPORTED);
    report.kind = StepKind::Chain;
    report.workflow = told.name(&["scenarioId", "scenario_id"]);
    report.name = told.name(&["scenarioName", "scenario_name", "scenario"]);
    if let Some(id) = &report.workflow {
        report.keep(attributes::AGENT_ID, id.clone());
    } else {
        report.workflow.clone_from(&report.name);
    }
    report.started_at = report.instant(&mut told, &["timestamp", "startedAt", "started_at"]);
    report.ended_at = report.instant(&mut told, &["endedAt", "ended_at"]);
    report.duration_ms = report.duration(&mut told, "duration", 1.0);
    for (keys, kept) in [("operations", "make.operations"), ("transfer", "make.transfer_bytes"), ("type", "make.type")]
    {
        let value = told.name(&[keys]);
        report.keep(kept, value);
    }
    costs(&mut report, &mut told);
    let link = told.take(&["url", "link"]);
    report.keep_link(attributes::LINK, link);
    let status = told.name(&["status"]).unwrap_or_default();
    let failure = told.take(&["error"]);
    match status.to_ascii_lowercase().as_str() {
        "0" | "pending" | "running" => return report.into_sign_of_life("running"),
        "1" | "success" => report.status = StepStatus::Ok,
        "2" | "warning" => {
            report.status = StepStatus::Ok;
            report.keep("make.warning", true);
        }
        "3" | "error" => report.status = StepStatus::Error,
        _ if failure.is_some() => report.status = StepStatus::Error,
        "" => return Err("its execution has no status".to_owned()),
        other => {
            report.note(format!("its status “{}” is none that is known", bounded(other.to_owned(), 60)));
        }
    }
    if let Some(failure) = failure {
        report.phase = ANALYSED;
        failed(&mut report, failure)?;
    } else if report.status == StepStatus::Error {
        report.error = Some(error(None, "the scenario ended with an error".to_owned()));
    }
    for key in ["organizationId", "teamId", "authorId", "instant", "imtId", "id", "outputs"] {
        told.take(&[key]);
    }
    report.unmapped.extend(told.rest_of(""));
    report.into_steps()
}

/// The error with the module that caused it, as a step of its own.
fn failed(report: &mut Report, failure: Value) -> Result<(), String> {
    let mut fields = match failure {
        Value::Object(failure) => Fields::new(failure),
        other => Fields::new([("message".to_owned(), other)].into_iter().collect()),
    };
    let code = fields.name(&["name", "type", "code"]);
    let message = fields.take(&["message"]).map(messages::json_text).unwrap_or_default();
    let message = if message.is_empty() { "the scenario ended with an error".to_owned() } else { message };
    let mut module = Fields::new(fields.object("causeModule"));
    let app = module.name(&["appName"]);
    let (_, at) = report.times()?;
    let mut step = report.bare("error".to_owned(), at, at);
    step.kind = StepKind::Tool;
    step.name = module.name(&["name"]).or(app).unwrap_or_else(|| "unknown module".to_owned());
    step.tool = Some(step.name.clone());
    step.status = StepStatus::Error;
    step.error = Some(error(code, message));
    report.steps.push(step);
    Ok(())
}

fn costs(report: &mut Report, told: &mut Fields) {
    let centicredits = told.take(&["centicredits"]).and_then(|value| number(&value));
    let credits = centicredits.map(|centi| centi / 100.0).filter(|credits| (0.0..1e9).contains(credits));
    if let Some(credits) = credits {
        report.keep(attributes::CREDITS, credits);
        report.cost_nanos = Some(Nanos(NANOS_PER_CREDIT).times(credits));
        report.estimated = true;
    }
}
