//! One OTLP span into one step: what every span has, whatever its dialect.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use steward_core::step::{Step, StepStatus};
use steward_core::time::Timestamp;

use crate::dialects;
use crate::draft::Draft;
use crate::text::{hex, name};

/// Reads a span.
///
/// # Errors
///
/// The reason in words why the span cannot be a step.
pub(super) fn read(span: Span) -> Result<Step, String> {
    let trace_id = id(&span.trace_id, 16).map_err(|why| format!("a span's trace id {why}"))?;
    let span_id = id(&span.span_id, 8).map_err(|why| format!("a span's id {why}"))?;
    let started_at = Timestamp::from_nanos(span.start_time_unix_nano);
    if span.start_time_unix_nano == 0 {
        return Err("a span has no start time".to_owned());
    }
    if !started_at.is_plausible() {
        return Err(format!(
            "a span's start time, {}, is not between 2000 and 2100: is it in nanoseconds?",
            started_at.rfc3339()
        ));
    }
    let mut draft = Draft::default();
    let ended_at = Timestamp::from_nanos(span.end_time_unix_nano);
    draft.step.ended_at = if span.end_time_unix_nano == 0 {
        draft.note("it has no end time");
        started_at
    } else if ended_at < started_at {
        draft.note("it ended before it started");
        started_at
    } else if !ended_at.is_plausible() {
        draft.note("its end time is not plausible");
        started_at
    } else {
        ended_at
    };
    draft.step.started_at = started_at;
    draft.step.parent_span_id = match id(&span.parent_span_id, 8) {
        Ok(parent) if parent == span_id => {
            draft.note("it names itself as its parent");
            None
        }
        Ok(parent) => Some(parent),
        Err(_) if span.parent_span_id.iter().all(|byte| *byte == 0) => None,
        Err(_) => {
            draft.note("the id of its parent is not 8 bytes long");
            Some(hex(span.parent_span_id.get(..16).unwrap_or(&span.parent_span_id)))
        }
    };
    draft.step.trace_id = trace_id;
    draft.step.span_id = span_id;
    draft.step.name = name(span.name);
    draft.is_server = span.kind == SpanKind::Server as i32;
    if let Some(status) = span.status {
        draft.step.status = match StatusCode::try_from(status.code) {
            Ok(StatusCode::Ok) => StepStatus::Ok,
            Ok(StatusCode::Error) => StepStatus::Error,
            _ => StepStatus::Unset,
        };
        draft.status_message = status.message;
    }
    dialects::read(&mut draft, span.attributes, span.events);
    Ok(draft.finish())
}

pub(super) fn id(bytes: &[u8], length: usize) -> Result<String, String> {
    if bytes.is_empty() {
        Err("is missing".to_owned())
    } else if bytes.len() != length {
        Err(format!("is {} bytes long and not {length}", bytes.len()))
    } else if bytes.iter().all(|byte| *byte == 0) {
        Err("is all zeros".to_owned())
    } else {
        Ok(hex(bytes))
    }
}
