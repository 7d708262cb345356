//! LangGraph Platform: the webhook at the end of a run.
//!
//! The body is the run with its status and its final state. The state is the conversation where it has messages;
//! the rest of it stays in the inbox. A run that was interrupted waits for a person, and goes on as another run.

use serde_json::{Map, Value};
use steward_core::outcome::Outcome;
use steward_core::step::{ErrorClass, Role, Step, StepStatus};

use super::Context;
use super::report::{ENDED, REPORTED, Report, attributes, error};
use crate::conversation::Turn;
use crate::fields::Fields;
use crate::messages;

pub(super) fn read(object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    let mut told = Fields::new(object);
    let key = told.key(&["run_id"]).ok_or("it has no run_id")?;
    let mut report = Report::new(context, &key, REPORTED);
    report.started_at =
        report.instant(&mut told, &["run_started_at"]).or_else(|| report.instant(&mut told, &["created_at"]));
    let updated_at = report.instant(&mut told, &["updated_at"]);
    report.ended_at = report.instant(&mut told, &["run_ended_at"]);
    report.said_at = report.instant(&mut told, &["webhook_sent_at"]);
    report.workflow = told.name(&["assistant_id"]);
    if let Some(id) = &report.workflow {
        report.keep(attributes::AGENT_ID, id.clone());
    }
    report.conversation_id = told.name(&["thread_id"]);
    let metadata = told.object("metadata");
    // The studio is where one tries a graph out.
    report.test = metadata.get("from_studio").and_then(Value::as_bool) == Some(true);
    report.name = metadata.get("graph_id").and_then(Value::as_str).map(str::to_owned);
    report.metadata(metadata);
    let status = told.name(&["status"]).unwrap_or_default();
    let failure = told.take(&["error"]);
    report.keep("langgraph.status", status.clone());
    match status.as_str() {
        "pending" => return Ok(Vec::new()),
        "running" => return report.into_sign_of_life("running"),
        "success" => report.status = StepStatus::Ok,
        "interrupted" => {
            report.outcome = Some(Outcome::Escalated);
            report.reason = Some("interrupted: it waits for a person".to_owned());
        }
        "timeout" => {
            let mut timed_out = error(Some("timeout".to_owned()), "the run took longer than it may".to_owned());
            timed_out.class = ErrorClass::Timeout;
            report.error = Some(timed_out);
        }
        "error" => report.error = Some(error(None, "the run ended with an error".to_owned())),
        _ if failure.is_some() => {}
        "" => return Err("its run has no status".to_owned()),
        _ => report.note("its status is none that is known"),
    }
    if let Some(failure) = failure {
        report.error = Some(match failure {
            Value::Object(failure) => {
                let mut failure = Fields::new(failure);
                let code = failure.name(&["error", "name", "type", "code"]);
                error(code, failure.take(&["message", "detail"]).map(messages::json_text).unwrap_or_default())
            }
            other => {
                let text = messages::json_text(other);
                error(crate::errors::leading_name(&text).map(str::to_owned), text)
            }
        });
    }
    if report.ended_at.is_none() {
        report.ended_at = updated_at;
        report.phase = ENDED;
    }
    let mut values = Fields::new(told.object("values"));
    report.turns = values
        .list("messages")
        .into_iter()
        .flat_map(|message| messages::from_json(message, Role::User))
        .map(Turn::from)
        .collect();
    for key in ["kwargs", "multitask_strategy"] {
        told.take(&[key]);
    }
    report.unmapped.extend(told.rest_of(""));
    report.into_steps()
}
