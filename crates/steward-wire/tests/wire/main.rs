//! What the readers make of bytes, from outside.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod import;
mod langfuse;
mod mask;
mod native;
mod openinference;
mod openllmetry;
mod otel_genai;
mod otlp;
mod plain;
mod properties;
mod real_payloads;
mod steward;
mod support;
mod vercel_ai;
