//! Whole payloads with what may not be kept taken out, in a form that is read to the same steps ever after.
//!
//! One payload may hold runs of several workflows, each with its own settings. What is masked is written back in the
//! payload's own form, with the counts of what was masked, so that reading the raw payload again counts the same. Of
//! runs without content nothing stays in the payload: their steps, stripped, are what is kept of it.

use std::borrow::Cow;
use std::collections::HashMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Map, Value, json};
use steward_core::privacy::{Content, Masked, add_masked};
use steward_core::step::Step;

use super::{Masker, without_content};
use crate::fields::{MASKED, masked_of};
use crate::import::{Format, read_line};
use crate::otlp::{Encoding, decode_request, request};
use crate::text::hex;
use crate::{WireError, any, native};

/// How deep structured values stand in a payload that is written anew; what lies deeper becomes JSON in a text.
/// Protobuf's reader takes 100 messages inside of each other, and a level is three.
const MAX_WRITTEN_DEPTH: usize = 24;

/// Attributes and fields that name the workflow: with a word masked in them, a run would be another workflow's.
const WORKFLOW_KEYS: [&str; 6] =
    ["service.name", "steward.workflow", "steward.workflow.name", "workflow", "domain", "agent_model"];

/// What is kept of the steps of one run.
#[derive(Debug, Clone, Copy)]
pub struct Treatment<'m> {
    /// How much.
    pub content: Content,
    /// What masks it, or what masks the names that stay of it.
    pub masker: &'m Masker,
}

/// Chooses what is kept of the steps of one run, all that a payload holds of it.
pub type Choose<'c, 'm> = &'c dyn Fn(&[&Step]) -> Treatment<'m>;

/// A payload sorted by what is kept of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorted {
    /// The payload without what may not be kept.
    pub rest: Rest,
    /// Steps of which only structure is kept.
    pub stripped: Vec<Step>,
}

/// What is left of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// All of it, as it came.
    AsItCame,
    /// These bytes: OTLP always as protobuf, everything else in its own form.
    Rewritten(Vec<u8>),
    /// Nothing.
    Nothing,
}

/// Takes out of an OTLP request what may not be kept. Spans that cannot be read are gone where anything is.
///
/// # Errors
///
/// When the bytes are not OTLP at all.
pub fn keep_of_otlp(body: &[u8], encoding: Encoding, choose: Choose<'_, '_>) -> Result<Sorted, WireError> {
    let mut request = request(body, encoding)?;
    let steps = decode_request(request.clone()).steps;
    let treatments: HashMap<String, Treatment<'_>> =
        by_trace(steps.iter()).into_iter().map(|(trace, steps)| (trace.to_owned(), choose(&steps))).collect();
    if treatments.values().all(|treatment| treatment.content == Content::Full) {
        return Ok(Sorted { rest: Rest::AsItCame, stripped: Vec::new() });
    }
    let mut n_left = 0_usize;
    for spans in &mut request.resource_spans {
        let mut masker = None;
        for scope in &mut spans.scope_spans {
            scope.scope = None;
            scope.schema_url.clear();
            scope.spans.retain_mut(|span| match treatments.get(&hex(&span.trace_id)) {
                None => false,
                Some(treatment) => {
                    match treatment.content {
                        Content::Full => flatten_span(span),
                        Content::Masked => {
                            mask_span(treatment.masker, span);
                            masker = Some(treatment.masker);
                        }
                        Content::None => return false,
                    }
                    n_left += 1;
                    true
                }
            });
        }
        spans.scope_spans.retain(|scope| !scope.spans.is_empty());
        spans.schema_url.clear();
        if let (Some(masker), Some(resource)) = (masker, &mut spans.resource) {
            mask_resource(masker, resource);
        }
    }
    request.resource_spans.retain(|spans| !spans.scope_spans.is_empty());
    let is_stripped = |step: &Step| treatments.get(&step.trace_id).filter(|t| t.content == Content::None).copied();
    let stripped = steps.into_iter().filter_map(|step| {
        let treatment = is_stripped(&step)?;
        Some(without_content(step, treatment.masker))
    });
    let stripped = stripped.collect();
    let rest = if n_left == 0 { Rest::Nothing } else { Rest::Rewritten(request.encode_to_vec()) };
    Ok(Sorted { rest, stripped })
}

pub(super) fn by_trace<'s>(steps: impl Iterator<Item = &'s Step>) -> HashMap<&'s str, Vec<&'s Step>> {
    let mut traces: HashMap<&str, Vec<&Step>> = HashMap::new();
    for step in steps {
        traces.entry(&step.trace_id).or_default().push(step);
    }
    traces
}

/// Takes out of native runs what may not be kept. Runs that cannot be read are gone where anything is.
///
/// # Errors
///
/// When the bytes are neither JSON nor JSON lines, or hold no runs.
pub fn keep_of_native(body: &[u8], choose: Choose<'_, '_>) -> Result<Sorted, WireError> {
    let mut kept = Vec::new();
    let mut stripped = Vec::new();
    let mut is_changed = false;
    for run in native::values(body)? {
        let Ok(read) = native::read_run(run.clone()) else { continue };
        let treatment = choose(&read.steps.iter().collect::<Vec<_>>());
        match treatment.content {
            Content::Full => kept.push(run),
            Content::Masked => {
                is_changed = true;
                kept.extend(masked_run(treatment.masker, run));
            }
            Content::None => {
                is_changed = true;
                stripped.extend(read.steps.into_iter().map(|mut step| {
                    crate::nul::replace_in(&mut step);
                    without_content(step, treatment.masker)
                }));
            }
        }
    }
    if !is_changed {
        return Ok(Sorted { rest: Rest::AsItCame, stripped });
    }
    let rest = if kept.is_empty() { Rest::Nothing } else { Rest::Rewritten(runs_of(kept)) };
    Ok(Sorted { rest, stripped })
}

fn runs_of(runs: Vec<Value>) -> Vec<u8> {
    json!({ "runs": runs }).to_string().into_bytes()
}

/// Takes out of an imported line what may not be kept.
///
/// # Errors
///
/// The reason, in words for a person, why the line is no run of the format.
pub fn keep_of_line(format: Format, line: &str, choose: Choose<'_, '_>) -> Result<Sorted, String> {
    let steps = read_line(format, line)?.steps;
    let treatment = choose(&steps.iter().collect::<Vec<_>>());
    Ok(match treatment.content {
        Content::Full => Sorted { rest: Rest::AsItCame, stripped: Vec::new() },
        Content::None => {
            let stripped = steps.into_iter().map(|step| without_content(step, treatment.masker)).collect();
            Sorted { rest: Rest::Nothing, stripped }
        }
        Content::Masked => {
            let line = line.trim_start_matches('\u{feff}').trim();
            let value = serde_json::from_str(line).map_err(|error| format!("the line is not valid JSON: {error}"))?;
            let rest = match masked_run(treatment.masker, value) {
                Some(run) => Rest::Rewritten(run.to_string().into_bytes()),
                None => Rest::Nothing,
            };
            Sorted { rest, stripped: Vec::new() }
        }
    })
}

/// A run as JSON, masked. One without an id gets one of its own, since two runs may become alike.
fn masked_run(masker: &Masker, run: Value) -> Option<Value> {
    let mut object = match run {
        Value::Object(object) => object,
        list @ Value::Array(_) => Map::from_iter([("messages".to_owned(), list)]),
        _ => return None,
    };
    let has_id = ["id", "run_id"].iter().any(|key| match object.get(*key) {
        Some(Value::String(id)) => !id.trim().is_empty(),
        Some(Value::Number(_)) => true,
        _ => false,
    });
    let own = (!has_id).then(|| masker.hide_id(&Value::Object(object.clone()).to_string()));
    let mut counts = Masked::new();
    let named: Vec<(String, Value)> =
        WORKFLOW_KEYS.iter().filter_map(|key| Some(((*key).to_owned(), object.remove(*key)?))).collect();
    mask_counting(masker, &mut object, &mut counts);
    object.extend(named);
    if let Some(id) = own {
        object.insert("id".to_owned(), Value::String(id));
    }
    Some(Value::Object(object))
}

/// Masks an object, with what was counted before, and writes into it how often.
pub(super) fn mask_counting(masker: &Masker, object: &mut Map<String, Value>, counts: &mut Masked) {
    let before = object.remove(MASKED);
    masker.mask_object(object, counts, 0);
    tell_counts(object, before, counts);
}

/// Writes what was masked into an object, together with what its sender had masked.
pub(super) fn tell_counts(object: &mut Map<String, Value>, before: Option<Value>, counts: &mut Masked) {
    add_masked(counts, &masked_of(before.unwrap_or_default()));
    if !counts.is_empty() {
        let counts = counts.iter().map(|(kind, n)| (kind.as_str().to_owned(), Value::from(*n))).collect();
        object.insert(MASKED.to_owned(), Value::Object(counts));
    }
}

fn mask_span(masker: &Masker, span: &mut Span) {
    let mut counts = Masked::new();
    mask_string(masker, "", &mut span.name, &mut counts);
    if let Some(status) = &mut span.status {
        mask_string(masker, "", &mut status.message, &mut counts);
    }
    // Nothing reads these, so nothing of them is kept.
    span.trace_state.clear();
    span.links.clear();
    for event in &mut span.events {
        mask_string(masker, "", &mut event.name, &mut counts);
        mask_attributes(masker, &mut event.attributes, &mut counts);
    }
    mask_attributes(masker, &mut span.attributes, &mut counts);
    push_counts(&mut span.attributes, &counts);
}

pub(super) fn mask_resource(masker: &Masker, resource: &mut Resource) {
    let mut counts = Masked::new();
    resource.entity_refs.clear();
    mask_attributes(masker, &mut resource.attributes, &mut counts);
    push_counts(&mut resource.attributes, &counts);
}

pub(super) fn push_counts(attributes: &mut Vec<KeyValue>, counts: &Masked) {
    // In front, where they are read whatever the number of attributes.
    let told = counts.iter().map(|(kind, n)| KeyValue {
        key: format!("steward.masked.{}", kind.as_str()),
        value: Some(AnyValue { value: Some(Any::IntValue(i64::from(*n))) }),
        ..KeyValue::default()
    });
    attributes.splice(0..0, told);
}

pub(super) fn mask_attributes(masker: &Masker, attributes: &mut [KeyValue], counts: &mut Masked) {
    for pair in attributes.iter_mut().filter(|pair| !WORKFLOW_KEYS.contains(&pair.key.as_str())) {
        if let Some(value) = &mut pair.value {
            mask_any(masker, &pair.key, value, counts, 0);
        }
        if let Cow::Owned(masked) = masker.mask_id(&pair.key, counts) {
            pair.key = masked;
        }
    }
}

pub(super) fn mask_string(masker: &Masker, key: &str, text: &mut String, counts: &mut Masked) {
    if let Cow::Owned(masked) = masker.mask_field(key, text, counts, 0) {
        *text = masked;
    }
}

pub(super) fn mask_any(masker: &Masker, key: &str, value: &mut AnyValue, counts: &mut Masked, depth: usize) {
    flatten(value, depth);
    match &mut value.value {
        Some(Any::StringValue(text)) => mask_string(masker, key, text, counts),
        Some(Any::IntValue(n)) => {
            if let Some(kind) = masker.kind_of_number(key, &n.to_string()) {
                *counts.entry(kind).or_default() += 1;
                value.value = Some(Any::StringValue(format!("[{}]", kind.shown())));
            }
        }
        Some(Any::ArrayValue(list)) => {
            list.values.iter_mut().for_each(|item| mask_any(masker, key, item, counts, depth + 1));
        }
        Some(Any::KvlistValue(list)) => {
            for pair in &mut list.values {
                if let Some(value) = &mut pair.value {
                    mask_any(masker, &pair.key, value, counts, depth + 1);
                }
                if let Cow::Owned(masked) = masker.mask_id(&pair.key, counts) {
                    pair.key = masked;
                }
            }
        }
        // Nobody can look into bytes, and nobody reads them: a step only tells how many there were.
        Some(Any::BytesValue(bytes)) => {
            value.value = Some(Any::StringValue(format!("[{} bytes]", bytes.len())));
        }
        Some(Any::StringValueStrindex(_)) => value.value = None,
        Some(Any::BoolValue(_) | Any::DoubleValue(_)) | None => {}
    }
}

/// Makes JSON in a text of what lies too deep to be written.
fn flatten(value: &mut AnyValue, depth: usize) {
    if depth >= MAX_WRITTEN_DEPTH && matches!(value.value, Some(Any::ArrayValue(_) | Any::KvlistValue(_))) {
        let text = any::into_json(std::mem::take(value), 0).to_string();
        value.value = Some(Any::StringValue(text));
    }
}

pub(super) fn flatten_deep(value: &mut AnyValue, depth: usize) {
    flatten(value, depth);
    match &mut value.value {
        Some(Any::ArrayValue(list)) => list.values.iter_mut().for_each(|item| flatten_deep(item, depth + 1)),
        Some(Any::KvlistValue(list)) => {
            list.values
                .iter_mut()
                .filter_map(|pair| pair.value.as_mut())
                .for_each(|item| flatten_deep(item, depth + 1));
        }
        _ => {}
    }
}

fn flatten_span(span: &mut Span) {
    flatten_attributes(&mut span.attributes);
    span.events.iter_mut().for_each(|event| flatten_attributes(&mut event.attributes));
}

pub(super) fn flatten_attributes(attributes: &mut [KeyValue]) {
    attributes.iter_mut().filter_map(|pair| pair.value.as_mut()).for_each(|value| flatten_deep(value, 0));
}

/// Takes whole traces out of an OTLP request, and with them the spans that cannot be read.
///
/// # Errors
///
/// When the bytes are not OTLP at all.
pub fn without_traces_otlp(body: &[u8], encoding: Encoding, is_gone: &dyn Fn(&str) -> bool) -> Result<Rest, WireError> {
    let mut request = request(body, encoding)?;
    let (mut n_gone, mut n_left) = (0_usize, 0_usize);
    for spans in &mut request.resource_spans {
        for scope in &mut spans.scope_spans {
            scope.spans.retain_mut(|span| {
                let trace = hex(&span.trace_id);
                let goes = trace.is_empty() || is_gone(&trace);
                flatten_span(span);
                *(if goes { &mut n_gone } else { &mut n_left }) += 1;
                !goes
            });
        }
        spans.scope_spans.retain(|scope| !scope.spans.is_empty());
    }
    request.resource_spans.retain(|spans| !spans.scope_spans.is_empty());
    Ok(match (n_gone, n_left) {
        (0, _) => Rest::AsItCame,
        (_, 0) => Rest::Nothing,
        _ => Rest::Rewritten(request.encode_to_vec()),
    })
}

/// Takes native runs out of a payload by their traces, and with them what cannot be read.
///
/// # Errors
///
/// When the bytes are neither JSON nor JSON lines, or hold no runs.
pub fn without_traces_native(body: &[u8], is_gone: &dyn Fn(&str) -> bool) -> Result<Rest, WireError> {
    let mut kept = Vec::new();
    let mut n_gone = 0_usize;
    for run in native::values(body)? {
        let stays = match native::read_run(run.clone()) {
            Ok(read) => !read.steps.first().is_some_and(|step| is_gone(&step.trace_id.replace('\0', "\u{fffd}"))),
            Err(_) => false,
        };
        if stays {
            kept.push(run);
        } else {
            n_gone += 1;
        }
    }
    Ok(match n_gone {
        0 => Rest::AsItCame,
        _ if kept.is_empty() => Rest::Nothing,
        _ => Rest::Rewritten(runs_of(kept)),
    })
}

/// An imported line, unless its run is one of those that go.
#[must_use]
pub fn without_traces_line(format: Format, line: &str, is_gone: &dyn Fn(&str) -> bool) -> Rest {
    match read_line(format, line) {
        Ok(imported) if !imported.steps.iter().any(|step| is_gone(&step.trace_id)) => Rest::AsItCame,
        _ => Rest::Nothing,
    }
}
