//! What the readers make of bytes, from outside.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod import;
mod langfuse;
mod langfuse_api;
mod logs;
mod mask;
mod mcp;
mod minor;
mod native;
mod openinference;
mod openllmetry;
mod otel_genai;
mod otlp;
mod plain;
mod platforms;
mod properties;
mod readings;
mod real_payloads;
mod steward;
mod support;
mod vercel_ai;
