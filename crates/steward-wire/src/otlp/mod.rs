//! OTLP traces, as protobuf or as JSON, into steps; and what OTLP [`logs`] say of them.
//!
//! The bytes become the standard's own structs, whichever encoding they came in, and the structs become steps; so
//! both encodings of one payload give equal steps. Strings are moved out of the structs, not copied.

mod json;
pub mod logs;
mod span;

use std::borrow::Cow;
use std::collections::HashSet;

pub use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use steward_core::parts::fill_declared;
use steward_core::privacy::{Masked, add_masked};
use steward_core::step::{Declared, Step};

pub use crate::Decoded;
use crate::WireError;
use crate::dialects;
use crate::nul;

/// The encodings of OTLP over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Reads an export request.
///
/// # Errors
///
/// When the bytes are not OTLP at all. A bad span is no error: it is counted and the others go on.
pub fn decode(body: &[u8], encoding: Encoding) -> Result<Decoded, WireError> {
    Ok(decode_request(request(body, encoding)?))
}

/// Reads the bytes into the standard's own structs.
pub(crate) fn request(body: &[u8], encoding: Encoding) -> Result<ExportTraceServiceRequest, WireError> {
    match encoding {
        Encoding::Protobuf => ExportTraceServiceRequest::decode(body).map_err(WireError::Protobuf),
        Encoding::Json => json::request(body),
    }
}

/// Reads an export request that was decoded already, as gRPC does it.
#[must_use]
pub fn decode_request(request: ExportTraceServiceRequest) -> Decoded {
    let n_spans = request.resource_spans.iter().flat_map(|r| &r.scope_spans).map(|s| s.spans.len()).sum();
    let mut decoded = Decoded { steps: Vec::with_capacity(n_spans), ..Decoded::default() };
    for spans in request.resource_spans {
        let mut resource = of_resource(spans.resource);
        for span in spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            match span::read(span) {
                Ok(mut step) => {
                    resource.declare(&mut step);
                    nul::replace_in(&mut step);
                    decoded.steps.push(step);
                }
                Err(reason) => decoded.reject(&reason),
            }
        }
    }
    decoded
}

/// What a resource says of the runs in it.
///
/// It stands on the root of each trace, and on the first span of each trace in a batch, so that a run whose root
/// never arrives still knows its workflow.
struct OfResource {
    declared: Option<Box<Declared>>,
    attributes: Vec<(String, String)>,
    unmapped: Vec<String>,
    notes: Vec<String>,
    masked: Masked,
    seen: HashSet<String>,
}

fn of_resource(resource: Option<Resource>) -> OfResource {
    let mut draft = dialects::read_resource(resource.map(|resource| resource.attributes).unwrap_or_default());
    OfResource {
        declared: draft.declared.settle(&mut draft.rules),
        attributes: draft.step.attributes.into_iter().collect(),
        unmapped: draft.step.reading.unmapped,
        notes: draft.step.reading.notes,
        masked: draft.step.reading.masked,
        seen: HashSet::new(),
    }
}

impl OfResource {
    /// Puts what the resource says on the spans that bear it.
    fn declare(&mut self, step: &mut Step) {
        if self.declared.is_none()
            && self.attributes.is_empty()
            && self.unmapped.is_empty()
            && self.notes.is_empty()
            && self.masked.is_empty()
        {
            return;
        }
        let first = !self.seen.contains(&step.trace_id) && self.seen.insert(step.trace_id.clone());
        if first || step.parent_span_id.is_none() {
            self.declare_on(step);
        }
    }

    /// Puts what the resource says on a step, whatever came before it.
    fn declare_on(&self, step: &mut Step) {
        if let Some(declared) = &self.declared {
            fill_declared(step.declare(), declared);
            step.reading.rules.push(Cow::Borrowed("resource.run"));
        }
        for (key, value) in &self.attributes {
            if step.attributes.len() >= 64 {
                break;
            }
            step.attributes.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let room = 50usize.saturating_sub(step.reading.unmapped.len());
        step.reading.unmapped.extend(self.unmapped.iter().take(room).map(|key| format!("resource {key}")));
        step.reading.notes.extend(self.notes.iter().cloned());
        add_masked(&mut step.reading.masked, &self.masked);
    }
}
