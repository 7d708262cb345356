//! OTLP's answer to what went wrong: a `google.rpc.Status` in the encoding of the request.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde::Serialize;

use crate::Problem;
use crate::problem::Kind;

/// The encodings of OTLP over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

pub(crate) const PROTOBUF: &str = "application/x-protobuf";
pub(crate) const JSON: &str = "application/json";

impl Encoding {
    /// The encoding that a request names. `None` when it names none, or another.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let named = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let named = named.split(';').next().unwrap_or(named).trim();
        if named.eq_ignore_ascii_case(PROTOBUF) || named.eq_ignore_ascii_case("application/protobuf") {
            Some(Self::Protobuf)
        } else if named.eq_ignore_ascii_case(JSON) {
            Some(Self::Json)
        } else {
            None
        }
    }
}

/// `google.rpc.Status`; its details stay empty.
#[derive(Clone, PartialEq, Eq, Message, Serialize)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

/// Writes a problem as OTLP does.
pub(crate) fn status(problem: &Problem, encoding: Encoding) -> Response {
    let status = RpcStatus { code: code(problem.kind()), message: words(problem) };
    let http = problem.kind().status();
    match encoding {
        Encoding::Protobuf => (http, [(CONTENT_TYPE, PROTOBUF)], status.encode_to_vec()).into_response(),
        Encoding::Json => (http, crate::extract::Json(status)).into_response(),
    }
}

/// A problem in one line.
pub(crate) fn words(problem: &Problem) -> String {
    match problem.detail() {
        "" => problem.title().to_owned(),
        detail => format!("{}: {detail}", problem.title()),
    }
}

/// The canonical code of gRPC for a kind of problem.
pub(crate) const fn code(kind: Kind) -> i32 {
    match kind {
        Kind::BadRequest | Kind::Invalid | Kind::UnsupportedMediaType => 3,
        Kind::TimedOut => 4,
        Kind::NotFound => 5,
        Kind::Conflict => 6,
        Kind::Forbidden | Kind::CrossSite => 7,
        Kind::TooLarge | Kind::TooMany => 8,
        Kind::MethodNotAllowed => 12,
        Kind::Internal => 13,
        Kind::Busy => 14,
        Kind::Unauthorized => 16,
    }
}
