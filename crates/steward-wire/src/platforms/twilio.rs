//! Twilio: callbacks on the status of a call, as forms or as JSON, and events of its event stream.
//!
//! `completed` includes calls that a voicemail took; nothing tells them apart. Twilio tells the price of a call later,
//! in its API, as a negative amount.

use serde_json::{Map, Value};
use steward_core::money::Nanos;
use steward_core::outcome::Outcome;
use steward_core::step::{Step, StepStatus};
use steward_core::time::Timestamp;

use super::ends::{EndClass, Ending, read_reason};
use super::report::{REPORTED, Report, attributes, error};
use super::{Context, lean};
use crate::WireError;
use crate::fields::{Fields, number};

/// The most fields of a form.
const MAX_FIELDS: usize = 1_000;

/// Reads a form, or JSON.
pub(super) fn parse(body: &[u8]) -> Result<Value, WireError> {
    if body.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'[')) {
        return lean::Lean::default().read(body);
    }
    if std::str::from_utf8(body).is_err() {
        return Err(WireError::NotText);
    }
    let fields: Map<String, Value> = form_urlencoded::parse(body)
        .take(MAX_FIELDS)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .filter(|(_, value)| value.as_str().is_some_and(|text| !text.is_empty()))
        .collect();
    if fields.is_empty() {
        return Err(WireError::Shape("it is neither a form nor JSON"));
    }
    Ok(Value::Object(fields))
}

pub(super) fn read(mut object: Map<String, Value>, context: Context<'_>) -> Result<Vec<Step>, String> {
    // An event of the event stream holds the call in `data`; a call of the API spells its fields otherwise.
    if let Some(Value::Object(data)) = object.get_mut("data")
        && !data.is_empty()
    {
        object = std::mem::take(data);
    }
    let mut told = Fields::new(object);
    let key = told.key(&["CallSid", "callSid", "call_sid", "sid"]).ok_or("its call has no CallSid")?;
    let mut report = Report::new(context, &key, REPORTED);
    let status = told.name(&["CallStatus", "callStatus", "call_status", "status"]).unwrap_or_default();
    report.said_at = told
        .take(&["Timestamp", "timestamp"])
        .and_then(|value| value.as_str().and_then(instant))
        .filter(|at| at.is_plausible());
    report.started_at = told.take(&["start_time", "startTime"]).and_then(|value| value.as_str().and_then(instant));
    report.ended_at = told.take(&["end_time", "endTime"]).and_then(|value| value.as_str().and_then(instant));
    report.duration_ms = report
        .duration(&mut told, "CallDuration", 1_000.0)
        .or_else(|| report.duration(&mut told, "callDuration", 1_000.0))
        .or_else(|| report.duration(&mut told, "duration", 1_000.0));
    let (from, to) = (told.name(&["From", "from"]), told.name(&["To", "to"]));
    let direction = told.name(&["Direction", "direction"]);
    let outbound = direction.as_deref().is_some_and(|direction| direction.starts_with("outbound"));
    report.user_id = if outbound { to.clone() } else { from.clone() };
    // The number that belongs to the agent tells its workflow.
    report.workflow = if outbound { from.clone() } else { to.clone() };
    report.name.clone_from(&report.workflow);
    for (key, value) in [
        (attributes::DIRECTION, direction.map(|direction| if outbound { "outbound".to_owned() } else { direction })),
        (attributes::FROM, from),
        (attributes::TO, to),
        ("call.parent_sid", told.name(&["ParentCallSid", "parent_call_sid"])),
        ("call.answered_by", told.name(&["AnsweredBy", "answered_by"])),
        ("call.sip_code", told.name(&["SipResponseCode"])),
        ("call.account_sid", told.name(&["AccountSid", "account_sid"])),
    ] {
        report.keep(key, value);
    }
    let link = told.take(&["RecordingUrl"]);
    report.keep_link(attributes::RECORDING, link);
    price(&mut report, &mut told);
    let failure = told.name(&["ErrorCode", "error_code"]);
    let words = told.name(&["ErrorMessage", "error_message"]);
    told.take(&["Duration"]);
    told.take(&["SequenceNumber"]);
    told.take(&["CallbackSource"]);
    told.take(&["ApiVersion"]);
    report.unmapped.extend(told.rest_of(""));
    match status.as_str() {
        "queued" | "initiated" | "ringing" => return Ok(Vec::new()),
        "in-progress" | "answered" => return report.into_sign_of_life("in-progress"),
        "completed" => report.status = StepStatus::Ok,
        "busy" | "no-answer" | "failed" | "canceled" => {}
        "" => return Err("its call has no status".to_owned()),
        _ => report.note("its status is none that is known"),
    }
    // What is told at the end is told when it ended.
    if report.ended_at.is_none() && report.started_at.is_none() {
        report.ended_at = report.said_at;
    }
    settle(&mut report, status, failure, words);
    report.into_steps()
}

fn settle(report: &mut Report, status: String, failure: Option<String>, words: Option<String>) {
    let sip = report.attributes.get("call.sip_code").cloned();
    report.ending = match (status.as_str(), &sip) {
        ("failed", Some(code)) => read_reason(&format!("sip-{code}")),
        ("failed", None) => Ending { is_fault: true, class: Some(EndClass::Provider), outcome: None },
        ("canceled", _) => Ending { class: Some(EndClass::Config), is_fault: false, outcome: Some(Outcome::Abandoned) },
        ("completed", _) => Ending::default(),
        (word, _) => read_reason(word),
    };
    report.reason = Some(status);
    if let Some(answered_by) = report.attributes.get("call.answered_by")
        && answered_by.starts_with("machine")
    {
        report.ending = read_reason("voicemail");
    }
    if failure.is_some() || words.is_some() {
        report.error = Some(error(failure, words.unwrap_or_default()));
    }
}

/// A price is negative, and in a currency that need not be dollars.
fn price(report: &mut Report, told: &mut Fields) {
    let amount = told.take(&["Price", "price"]).and_then(|value| number(&value));
    let unit = told.name(&["PriceUnit", "price_unit"]);
    if let Some(amount) = amount {
        if unit.as_deref().is_none_or(|unit| unit.eq_ignore_ascii_case("usd")) {
            report.cost_nanos = Nanos::from_units(amount.abs());
        } else {
            report.note("its price is not in dollars and was left out");
        }
    }
}

/// An instant in RFC 2822, as Twilio writes them, or in RFC 3339.
fn instant(text: &str) -> Option<Timestamp> {
    let rfc2822 = jiff::fmt::rfc2822::parse(text).ok().map(|zoned| Timestamp::from_jiff(zoned.timestamp()));
    rfc2822.or_else(|| Timestamp::parse(text)).filter(|at| at.is_plausible())
}
