//! An event of Steward's own form, for everything that is no platform of its own: a module "HTTP" of Make, a workflow
//! of GoHighLevel, a script, a cron job.
//!
//! It is a run of `POST /v1/runs` (see [`crate::native`]) with less to know and more ways to say it, and makes the
//! same run: an event and a native call of one `id` are merged. The least is an id and a word on how it went:
//!
//! ```json
//! { "id": "2026-10-08/17", "workflow": "Nightly import", "status": "failed", "error": "no credits left" }
//! ```
//!
//! And the most:
//!
//! ```json
//! {
//!   "id": "2026-10-08/17", "workflow": "Nightly import", "status": "ok", "outcome": "completed",
//!   "started_at": "2026-10-08T02:00:00Z", "ended_at": "2026-10-08T02:03:10Z", "duration_ms": 190000,
//!   "error": null, "end_reason": "agent-ended-call", "cost_usd": 0.02, "cost_estimated": false,
//!   "url": "https://example.com/runs/17", "test": false, "metadata": { "client_id": "acme" }
//! }
//! ```
//!
//! Beside these stands whatever a native run may hold: steps, messages, results, scores, usage. Without times it
//! stands where it was received. `status` is `ok`, `failed`, `running`, or a word of the kind; a running one is a sign of
//! life and no end. `error` or `end_reason` about money (no balance, quota) is marked as such. Several events
//! come as an array, as `{"events": […]}`, or as JSON lines.

use serde_json::{Map, Value};
use steward_core::step::{Step, StepStatus};

use super::lean::Lean;
use super::report::{Report, attributes, error};
use super::{Context, ends, read_reason};
use crate::fields::{Fields, instant, number};
use crate::native;
use crate::{Decoded, WireError};

/// Reads one event, several, or JSON lines of them.
pub(super) fn read(body: &[u8], context: Context<'_>) -> Result<Decoded, WireError> {
    Ok(super::read_events(context, events_of(body)?))
}

/// One event, several, or JSON lines of them.
pub(super) fn events_of(body: &[u8]) -> Result<Vec<Value>, WireError> {
    let error = match Lean::default().read(body) {
        Ok(Value::Array(events)) => return Ok(events),
        Ok(Value::Object(mut object)) => {
            return match object.remove("events") {
                Some(Value::Array(events)) => Ok(events),
                Some(_) => Err(WireError::Shape("“events” is not an array")),
                None => Ok(vec![Value::Object(object)]),
            };
        }
        Ok(_) => return Err(WireError::Shape(super::NO_EVENT)),
        Err(error) => error,
    };
    let text = std::str::from_utf8(body).map_err(|_| WireError::NotText)?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok()).filter(Value::is_object);
    let Some(first) = first else { return Err(error) };
    // A line that is no JSON is refused as what it is not: an object.
    let rest = lines.map(|line| serde_json::from_str(line).unwrap_or_default());
    Ok(std::iter::once(first).chain(rest).collect())
}

/// Reads one event: fills in what a native run needs, and adds what the end says.
pub(super) fn read_one(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let id = ["id", "run_id", "execution_id", "event_id"].iter().find_map(|key| object.remove(*key));
    let Some(id) = id.filter(|id| id.is_number() || id.as_str().is_some_and(|id| !id.trim().is_empty())) else {
        return Err("it has no id, so that the same event sent twice would be two runs".to_owned());
    };
    object.insert("id".to_owned(), id.clone());
    let mut report = Report::new(context, "", super::report::GOES_ON);
    times(&mut object, &mut report)?;
    let mut told = Fields::new(Map::new());
    for key in ["end_reason", "ended_reason", "cost_estimated", "url", "link"] {
        if let Some(value) = object.remove(key) {
            told = told.with(key, value);
        }
    }
    let status = object.get("status").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let goes_on = ["running", "started", "in_progress", "in-progress", "ongoing", "waiting", "queued", "pending"]
        .contains(&status.as_str());
    let failed = ["error", "fail", "crash", "timeout", "timed"].iter().any(|word| status.contains(word));
    let said_outcome = object.contains_key("outcome");
    let run = native::read_run(Value::Object(object))?;
    let mut steps = run.steps;
    let Some(root) = steps.first_mut() else { return Err("it tells nothing".to_owned()) };
    if goes_on {
        // A root would end the run.
        report.trace_id.clone_from(&root.trace_id);
        report.workflow = root.declared.as_ref().and_then(|declared| declared.workflow.clone());
        report.started_at = Some(root.started_at);
        report.attributes = std::mem::take(&mut root.attributes);
        return report.into_sign_of_life(&status);
    }
    if failed && root.status == StepStatus::Unset {
        root.status = StepStatus::Error;
    }
    let reason = told.name(&["end_reason", "ended_reason"]);
    if let Some(reason) = reason {
        let ending = read_reason(&reason);
        if let Some(class) = ending.class {
            root.attributes.insert(attributes::END_CLASS.to_owned(), class.as_str().to_owned());
        }
        if ending.is_fault {
            root.status = StepStatus::Error;
            root.error.get_or_insert_with(|| error(Some(reason.clone()), format!("it ended by “{reason}”")));
            if let (Some(class), Some(error)) = (ends::error_class(&ending, &reason), &mut root.error) {
                error.class = class;
            }
        }
        if let (Some(outcome), false) = (ending.outcome, said_outcome || root.status == StepStatus::Error) {
            root.declare().outcome = Some(outcome);
            root.declare().outcome_reason = Some(reason.clone());
        }
        root.attributes.insert(attributes::END_REASON.to_owned(), reason);
    }
    if let Some(said) = &mut root.error
        && (ends::says_money(&said.message) || said.code.as_deref().is_some_and(ends::says_money))
    {
        said.class = steward_core::step::ErrorClass::Money;
    }
    if root.error.as_ref().is_some_and(steward_core::step::StepError::is_money_fault) {
        root.attributes.insert(attributes::MONEY_FAULT.to_owned(), "true".to_owned());
        root.attributes.insert(attributes::END_CLASS.to_owned(), ends::EndClass::Money.as_str().to_owned());
    }
    let link = told.take(&["url", "link"]);
    report.keep_link(attributes::LINK, link);
    root.attributes.append(&mut report.attributes);
    root.reading.notes.append(&mut report.notes);
    let estimated = told.truth("cost_estimated");
    let declared = root.declare();
    declared.cost_estimated = estimated && declared.cost_nanos.is_some();
    declared.ended = true;
    for step in &mut steps {
        step.reading.dialect = context.platform.as_str().to_owned();
    }
    Ok(steps)
}

/// Makes sure that there is a start, from what is told of times and of the duration.
fn times(object: &mut Map<String, Value>, report: &mut Report) -> Result<(), String> {
    const STARTS: [&str; 3] = ["started_at", "start_time", "created_at"];
    const ENDS: [&str; 3] = ["ended_at", "end_time", "finished_at"];
    let find = |object: &Map<String, Value>, keys: &[&str]| {
        keys.iter().find_map(|key| object.get(*key)).filter(|value| !value.is_null()).and_then(instant)
    };
    let said = ["timestamp", "ts", "at", "time"].iter().find_map(|key| object.remove(*key)).as_ref().and_then(instant);
    let ms = object.remove("duration_ms").as_ref().and_then(number).filter(|ms| (0.0..1e12).contains(ms));
    let ms = ms.map(|ms| ms.round() as i64);
    let (start, end) = (find(object, &STARTS), find(object, &ENDS).or(said));
    let has_start = STARTS.iter().any(|key| object.get(*key).is_some_and(|value| !value.is_null()));
    let mut set =
        |key: &str, at: steward_core::time::Timestamp| object.insert(key.to_owned(), Value::from(at.rfc3339()));
    match (start, end) {
        (None, Some(end)) if !has_start => {
            set("started_at", end.plus_ms(-ms.unwrap_or(0)));
            set("ended_at", end);
        }
        (Some(start), None) => {
            set("ended_at", start.plus_ms(ms.unwrap_or(0)));
        }
        (Some(_), Some(end)) => {
            set("ended_at", end);
        }
        // What is there and is no time is refused by the reader of runs, in its own words.
        (None, _) if has_start => {}
        _ => {
            let (at, _) = report.times()?;
            set("started_at", at);
            set("ended_at", at.plus_ms(ms.unwrap_or(0)));
        }
    }
    Ok(())
}
