//! Other people's bytes into steps: OTLP and its dialects, native JSON, JSON lines of recorded runs, and what
//! voice and automation platforms send.
//!
//! Invariant: every reader is a pure function of its bytes. No clock, no random numbers, no I/O, no SQL; the same
//! bytes give the same steps on every machine and on every replay. No input makes a reader panic, and no input
//! makes it use much more memory than the input itself.
//!
//! One bad span, run or message never takes the good ones beside it along: it is counted in
//! [`Decoded::rejected`] and described in [`Decoded::rejection`].

#![warn(missing_docs)]

mod any;
mod conversation;
mod dialects;
mod draft;
pub mod errors;
mod fields;
pub mod import;
pub mod langfuse_api;
pub mod mask;
mod messages;
pub mod native;
mod nul;
pub mod otlp;
pub mod platforms;
pub mod protobuf;
mod rules;
mod text;
pub mod weight;

use steward_core::step::Step;

/// What a body of telemetry held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoded {
    /// The steps, in the order in which they were sent.
    pub steps: Vec<Step>,
    /// How many spans or runs were refused.
    pub rejected: u64,
    /// Why the first of them were refused, in words; fit for OTLP's `partial_success.error_message`.
    pub rejection: Option<String>,
}

/// The most reasons for refusals that one answer names.
const MAX_REASONS: usize = 3;

impl Decoded {
    /// Counts a refusal and keeps its reason when it is one of the first.
    fn reject(&mut self, reason: &str) {
        self.rejected += 1;
        let text = self.rejection.get_or_insert_default();
        let n_reasons = if text.is_empty() { 0 } else { text.matches("; ").count() + 1 };
        if n_reasons < MAX_REASONS && !text.split("; ").any(|known| known == reason) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(reason);
        }
    }
}

/// Bytes that are not at all what they were said to be.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The body is no protobuf `ExportTraceServiceRequest`.
    #[error("the body is not an OTLP trace request in protobuf")]
    Protobuf(#[source] prost::DecodeError),
    /// The body is no protobuf `ExportLogsServiceRequest`.
    #[error("the body is not an OTLP logs request in protobuf")]
    ProtobufLogs(#[source] prost::DecodeError),
    /// The body is no JSON.
    #[error("the body is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// The body is JSON of another shape.
    #[error("the body is JSON, but {0}")]
    Shape(&'static str),
    /// The body is no UTF-8.
    #[error("the body is not UTF-8 text")]
    NotText,
}
