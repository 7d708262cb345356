//! Zapier: runs of Zaps, as its API lists them and as a Zap of one's own sends them on ("New Zap Error", "Zap turned
//! off" of Zapier Manager, by Webhooks):
//!
//! ```json
//! { "source": "zapier", "run_id": "…", "zap_id": 18, "zap_title": "Leads", "status": "errored",
//!   "error": "…", "run_url": "https://zapier.com/…", "ts": "2026-10-08T15:04:05Z" }
//! ```
//!
//! Both vocabularies of statuses are known by their words. A held run waits for somebody: it goes on, with an error
//! that says why.

use serde_json::{Map, Value};
use steward_core::outcome::Outcome;
use steward_core::step::{Step, StepKind, StepStatus};

use super::report::{REPORTED, Report, attributes, error};
use super::{Context, lean, read_reason};
use crate::fields::Fields;
use crate::messages;
use crate::text::sha256;

pub(super) fn read(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    if let Some(Value::Array(runs)) = object.remove("data") {
        // A page of the API.
        let mut steps = Vec::new();
        for (place, run) in runs.into_iter().take(super::MAX_EVENTS).enumerate() {
            let n_members = lean::n_members(&run);
            let Value::Object(run) = run else { return Err(format!("run {place} is not an object")) };
            let mut read = one(run, context).map_err(|reason| format!("run {place}: {reason}"))?;
            read.iter_mut().for_each(|step| step.reading.n_attributes = n_members);
            steps.append(&mut read);
        }
        return Ok(steps);
    }
    one(object, context)
}

fn one(object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let whole = sha256(&Value::Object(object.clone()).to_string());
    let mut told = Fields::new(object);
    let id = told.key(&["run_id", "id"]);
    let url = told.take(&["run_url", "url"]);
    // The address of a run is its own, too; without either, what it says is.
    let key = id.or_else(|| url.as_ref().and_then(Value::as_str).map(str::to_owned)).unwrap_or(whole);
    let mut report = Report::new(context, &key, REPORTED);
    report.kind = StepKind::Chain;
    report.name = told.name(&["zap_title", "title"]);
    let zap = told.name(&["zap_id"]);
    if let Some(id) = &zap {
        report.keep(attributes::AGENT_ID, id.clone());
    }
    report.workflow = zap.or_else(|| report.name.clone());
    if report.workflow.is_none() && report.name.is_none() {
        return Err("it names no Zap".to_owned());
    }
    report.keep_link(attributes::LINK, url);
    report.started_at = report.instant(&mut told, &["start_time", "started_at"]);
    report.ended_at = report.instant(&mut told, &["end_time", "ended_at"]);
    report.said_at = report.instant(&mut told, &["ts", "timestamp"]);
    let metadata = told.object("metadata");
    report.metadata(metadata);
    let status = told.name(&["status", "event"]).unwrap_or_default();
    let failure = told.take(&["error", "message", "reason"]).map(messages::json_text).filter(|text| !text.is_empty());
    report.keep("zapier.status", status.clone());
    let word = status.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|said| word.contains(said));
    for key in ["source", "steps", "data_in", "data_out"] {
        told.take(&[key]);
    }
    report.unmapped.extend(told.rest_of(""));
    if says(&["handled"]) || says(&["success"]) {
        report.status = StepStatus::Ok;
    } else if says(&["filter", "halt", "skip"]) {
        // A filter that lets nothing through did its work.
        report.status = StepStatus::Ok;
        report.keep("zapier.stopped_early", true);
    } else if says(&["held", "hold", "review", "throttl"]) {
        let message = failure.unwrap_or_else(|| "the run is held until somebody looks at it".to_owned());
        report.error = Some(error(Some(status), message));
        return report.into_sign_of_life("held");
    } else if says(&["playing", "running", "waiting", "delayed", "scheduled", "queued"]) {
        return report.into_sign_of_life("running");
    } else if says(&["error", "fail", "stopped", "turned off", "turned_off", "paused"]) || failure.is_some() {
        report.status = StepStatus::Error;
        let message = failure.unwrap_or_else(|| format!("the Zap ended with “{status}”"));
        if read_reason(&message).is_money_fault() {
            report.ended_by(Some(message.clone()));
        }
        report.error = Some(error(None, message));
    } else if says(&["cancel"]) {
        report.outcome = Some(Outcome::Abandoned);
    } else {
        report.note("its status is none that is known");
    }
    report.into_steps()
}
