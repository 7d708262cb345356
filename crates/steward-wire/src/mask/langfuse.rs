//! Langfuse's batches of events, and judgements, with what may not be kept taken out.
//!
//! Events that make no step stay only where everything does. A judgement's own id is always hidden: it is often made
//! of what is judged, and only has to be the same again.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use steward_core::privacy::{Content, Masked};
use steward_core::step::Step;
use steward_core::time::Timestamp;

use super::payload::{Choose, Rest, Sorted, Treatment, by_trace, tell_counts};
use super::{Masker, without_content};
use crate::WireError;
use crate::fields::MASKED;
use crate::langfuse_api;

/// Fields that are times, which were read as such: masking could only take them for something else.
const TIMES: [&str; 4] = ["timestamp", "startTime", "endTime", "completionStartTime"];

/// Something that was sent, and the step that it makes.
type Sent = (Value, Option<Step>);

/// Puts together what stays of what was sent.
type Write = fn(Vec<Value>) -> Value;

/// Takes out of a batch of events what may not be kept.
///
/// # Errors
///
/// When the bytes are no JSON object with a `batch`.
pub fn keep_of_batch(body: &[u8], choose: Choose<'_, '_>) -> Result<Sorted, WireError> {
    Ok(keep_of(events(body)?, choose, masked_event, |events| json!({ "batch": events })))
}

/// Takes out of one judgement, or of a list of them, what may not be kept.
///
/// # Errors
///
/// When the bytes are neither a JSON object nor a list.
pub fn keep_of_scores(body: &[u8], received_at: Timestamp, choose: Choose<'_, '_>) -> Result<Sorted, WireError> {
    let (scores, write) = scores(body, received_at)?;
    Ok(keep_of(scores, choose, masked_score, write))
}

fn keep_of(sent: Vec<Sent>, choose: Choose<'_, '_>, mask: fn(&Masker, Value) -> Value, write: Write) -> Sorted {
    let treatments: HashMap<String, Treatment<'_>> = by_trace(sent.iter().filter_map(|(_, step)| step.as_ref()))
        .into_iter()
        .map(|(trace, steps)| (trace.to_owned(), choose(&steps)))
        .collect();
    let reads_all = sent.iter().all(|(_, step)| step.is_some());
    if reads_all && treatments.values().all(|treatment| treatment.content == Content::Full) {
        return Sorted { rest: Rest::AsItCame, stripped: Vec::new() };
    }
    let (mut kept, mut stripped) = (Vec::new(), Vec::new());
    for (value, step) in sent {
        let Some(step) = step else { continue };
        let Some(treatment) = treatments.get(&step.trace_id) else { continue };
        match treatment.content {
            Content::Full => kept.push(value),
            Content::Masked => kept.push(mask(treatment.masker, value)),
            Content::None => stripped.push(without_content(step, treatment.masker)),
        }
    }
    let rest = if kept.is_empty() { Rest::Nothing } else { Rest::Rewritten(write(kept).to_string().into_bytes()) };
    Sorted { rest, stripped }
}

/// The events of a batch, each with its step.
fn events(body: &[u8]) -> Result<Vec<Sent>, WireError> {
    let events = (0u32..).zip(langfuse_api::events(body)?);
    Ok(events.map(|(place, event)| (event.clone(), langfuse_api::step_of_event(event, place))).collect())
}

/// The judgements of a request, each with its step, and how they are written again.
fn scores(body: &[u8], received_at: Timestamp) -> Result<(Vec<Sent>, Write), WireError> {
    let (scores, is_list) = langfuse_api::scores(body)?;
    let scores = (0u32..).zip(scores).map(|(place, score)| {
        let step = langfuse_api::step_of_score(score.clone(), is_list, received_at, place);
        (score, step)
    });
    let write: Write = if is_list { Value::Array } else { the_one };
    Ok((scores.collect(), write))
}

fn the_one(mut scores: Vec<Value>) -> Value {
    scores.pop().unwrap_or_default()
}

/// An event with its body masked. Only what reading needs stays beside the body.
fn masked_event(masker: &Masker, event: Value) -> Value {
    let Value::Object(mut event) = event else { return Value::Null };
    let kind = event.remove("type").unwrap_or_default();
    let kind_is = |what: &str| kind.as_str().is_some_and(|kind| kind.starts_with(what));
    let body = match event.remove("body") {
        Some(Value::Object(mut body)) if kind_is("score-") => {
            if let Some(id) = langfuse_api::sent_id(&body) {
                body.insert("id".to_owned(), Value::String(masker.hide_id(&id)));
            }
            masked_object(masker, body)
        }
        // Two that are known by what is said of them could become alike.
        Some(Value::Object(mut body)) if !kind_is("trace-") && body.get("id").is_none_or(Value::is_null) => {
            let id = masker.hide_id(&Value::Object(body.clone()).to_string());
            body.insert("id".to_owned(), Value::String(id));
            masked_object(masker, body)
        }
        Some(Value::Object(body)) => masked_object(masker, body),
        _ => Map::new(),
    };
    let mut id = event.remove("id").unwrap_or_default();
    masker.mask_value("id", &mut id, &mut Masked::new(), 0);
    json!({ "id": id, "timestamp": event.remove("timestamp"), "type": kind, "body": body })
}

fn masked_score(masker: &Masker, score: Value) -> Value {
    let Value::Object(mut score) = score else { return Value::Null };
    let id = masker.hide_id(&langfuse_api::id_of_score(&score));
    score.insert("id".to_owned(), Value::String(id));
    Value::Object(masked_object(masker, score))
}

fn masked_object(masker: &Masker, mut object: Map<String, Value>) -> Map<String, Value> {
    let before = object.remove(MASKED);
    let times: Vec<(String, Value)> =
        TIMES.iter().filter_map(|key| Some(((*key).to_owned(), object.remove(*key)?))).collect();
    let mut counts = Masked::new();
    masker.mask_object(&mut object, &mut counts, 0);
    object.extend(times);
    tell_counts(&mut object, before, &mut counts);
    object
}

/// Takes whole traces out of a batch of events, and with them the events that make no step.
///
/// # Errors
///
/// When the bytes are no JSON object with a `batch`.
pub fn without_traces_batch(body: &[u8], is_gone: &dyn Fn(&str) -> bool) -> Result<Rest, WireError> {
    Ok(without_traces(events(body)?, is_gone, |events| json!({ "batch": events })))
}

/// Takes the judgements of whole traces out of a request of them, and with them those that cannot be read.
///
/// # Errors
///
/// When the bytes are neither a JSON object nor a list.
pub fn without_traces_scores(
    body: &[u8],
    received_at: Timestamp,
    is_gone: &dyn Fn(&str) -> bool,
) -> Result<Rest, WireError> {
    let (scores, write) = scores(body, received_at)?;
    Ok(without_traces(scores, is_gone, write))
}

fn without_traces(sent: Vec<Sent>, is_gone: &dyn Fn(&str) -> bool, write: Write) -> Rest {
    let n_sent = sent.len();
    let stays = |step: &Option<Step>| step.as_ref().is_some_and(|step| !is_gone(&step.trace_id));
    let kept: Vec<Value> = sent.into_iter().filter(|(_, step)| stays(step)).map(|(value, _)| value).collect();
    match kept.len() {
        left if left == n_sent => Rest::AsItCame,
        0 => Rest::Nothing,
        _ => Rest::Rewritten(write(kept).to_string().into_bytes()),
    }
}
