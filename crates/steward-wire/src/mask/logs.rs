//! Requests of OTLP logs with what may not be kept taken out.
//!
//! Records that are of no concern here, or that cannot be read, tell nobody whose they are: they stay only where
//! everything does.

use std::collections::HashMap;

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message as _;
use steward_core::privacy::{Content, Masked};
use steward_core::step::Step;

use super::payload::{
    Choose, Rest, Sorted, Treatment, by_trace, flatten_attributes, flatten_deep, mask_any, mask_attributes,
    mask_resource, mask_string, push_counts,
};
use super::{Masker, without_content};
use crate::WireError;
use crate::otlp::{Encoding, logs};

/// Takes out of an OTLP request of logs what may not be kept.
///
/// # Errors
///
/// When the bytes are not OTLP at all.
pub fn keep_of_logs(body: &[u8], encoding: Encoding, choose: Choose<'_, '_>) -> Result<Sorted, WireError> {
    let mut request = logs::request(body, encoding)?;
    let read = read_records(&request);
    let treatments: HashMap<String, Treatment<'_>> =
        by_trace(read.iter().flatten()).into_iter().map(|(trace, steps)| (trace.to_owned(), choose(&steps))).collect();
    if read.iter().all(Option::is_some) && treatments.values().all(|treatment| treatment.content == Content::Full) {
        return Ok(Sorted { rest: Rest::AsItCame, stripped: Vec::new() });
    }
    let mut read = read.into_iter();
    let mut stripped = Vec::new();
    let mut n_left = 0_usize;
    for records in &mut request.resource_logs {
        let mut masker = None;
        for scope in &mut records.scope_logs {
            scope.scope = None;
            scope.schema_url.clear();
            scope.log_records.retain_mut(|record| {
                let Some(step) = read.next().flatten() else { return false };
                let Some(treatment) = treatments.get(&step.trace_id) else { return false };
                match treatment.content {
                    Content::Full => flatten_record(record),
                    Content::Masked => {
                        mask_record(treatment.masker, record);
                        masker = Some(treatment.masker);
                    }
                    Content::None => {
                        stripped.push(without_content(step, treatment.masker));
                        return false;
                    }
                }
                n_left += 1;
                true
            });
        }
        records.scope_logs.retain(|scope| !scope.log_records.is_empty());
        records.schema_url.clear();
        if let (Some(masker), Some(resource)) = (masker, &mut records.resource) {
            mask_resource(masker, resource);
        }
    }
    request.resource_logs.retain(|records| !records.scope_logs.is_empty());
    let rest = if n_left == 0 { Rest::Nothing } else { Rest::Rewritten(request.encode_to_vec()) };
    Ok(Sorted { rest, stripped })
}

/// The step of each record, in their order. `None` for one that makes none.
fn read_records(request: &logs::ExportLogsServiceRequest) -> Vec<Option<Step>> {
    let mut read = Vec::new();
    logs::read_each(request.clone(), |record| read.push(record.ok().flatten()));
    read
}

fn mask_record(masker: &Masker, record: &mut LogRecord) {
    let mut counts = Masked::new();
    // Nothing reads it, so nothing of it is kept.
    record.severity_text.clear();
    mask_string(masker, "", &mut record.event_name, &mut counts);
    if let Some(body) = &mut record.body {
        mask_any(masker, "", body, &mut counts, 0);
    }
    mask_attributes(masker, &mut record.attributes, &mut counts);
    push_counts(&mut record.attributes, &counts);
}

fn flatten_record(record: &mut LogRecord) {
    record.body.iter_mut().for_each(|body| flatten_deep(body, 0));
    flatten_attributes(&mut record.attributes);
}

/// Takes whole traces out of an OTLP request of logs, and with them the records that make no step.
///
/// # Errors
///
/// When the bytes are not OTLP at all.
pub fn without_traces_logs(body: &[u8], encoding: Encoding, is_gone: &dyn Fn(&str) -> bool) -> Result<Rest, WireError> {
    let mut request = logs::request(body, encoding)?;
    let mut read = read_records(&request).into_iter();
    let (mut n_gone, mut n_left) = (0_usize, 0_usize);
    for records in &mut request.resource_logs {
        for scope in &mut records.scope_logs {
            scope.log_records.retain_mut(|record| {
                let goes = read.next().flatten().is_none_or(|step| is_gone(&step.trace_id));
                flatten_record(record);
                *(if goes { &mut n_gone } else { &mut n_left }) += 1;
                !goes
            });
        }
        records.scope_logs.retain(|scope| !scope.log_records.is_empty());
    }
    request.resource_logs.retain(|records| !records.scope_logs.is_empty());
    Ok(match (n_gone, n_left) {
        (0, _) => Rest::AsItCame,
        (_, 0) => Rest::Nothing,
        _ => Rest::Rewritten(request.encode_to_vec()),
    })
}
