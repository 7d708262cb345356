//! What was sent to the wrong address, or is not what its headers say: common mistakes, told as what they are.
//!
//! The three requests of OTLP have the same shape on the wire down to their records, so protobuf of the one can be
//! read as the other in part; only the records tell them apart.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use steward_app::mistakes::Mistake;
use steward_app::protobuf::{BYTES, FIXED64, field, fields};
use steward_app::system::InboxKind;

use super::status::PROTOBUF;

/// Names what a body is, when it is not what its headers say, with the mend. For a body that could not be read.
pub(super) fn form(kind: InboxKind, body: &[u8]) -> Option<(Mistake, &'static str)> {
    let first = body.trim_ascii_start().first().copied();
    let told = match (kind, first) {
        _ if body.starts_with(&[0x1f, 0x8b]) => {
            let words = "the body is gzip and no header says so: send “Content-Encoding: gzip”";
            return Some((Mistake::Encoding, words));
        }
        (InboxKind::OtlpProtobuf, Some(b'{' | b'[')) => {
            "the body is JSON and the Content-Type says protobuf: send “Content-Type: application/json”"
        }
        // A request of OTLP begins with its first field, which is of bytes.
        (InboxKind::OtlpJson | InboxKind::Native, _) if body.first() == Some(&0x0a) && field(body, 1).is_some() => {
            "the body is protobuf and the Content-Type says JSON: send “Content-Type: application/x-protobuf” to /v1/traces"
        }
        _ => return None,
    };
    Some((Mistake::ContentType, told))
}

/// The kind of mistake that a refusal in words is.
pub(super) fn of_rejection(words: &str) -> Mistake {
    if words.contains("is not between 2000 and 2100") { Mistake::Clock } else { Mistake::Unreadable }
}

/// Names the address that was meant, with the mend, for a path or method that is not answered. `None` when it is like
/// none of ours, or somebody looks at it in a browser.
pub(crate) fn address(method: &Method, path: &str, headers: &HeaderMap) -> Option<(Mistake, String)> {
    let names = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if matches!(*method, Method::GET | Method::HEAD) && names(ACCEPT).contains("text/html") {
        return None;
    }
    if path.starts_with("/opentelemetry.proto.collector") {
        let words = "this is OTLP over gRPC, sent to the port of HTTP: gRPC listens on a port of its own, usually 4317; \
                     or set the protocol to http/protobuf";
        return Some((Mistake::Path, words.to_owned()));
    }
    let lower = path.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split('/').filter(|part| !part.is_empty()).collect();
    let first = parts.iter().find(|part| **part != "v1" && **part != "api");
    let meant = match (parts.last().copied().unwrap_or_default(), first.copied().unwrap_or_default()) {
        (_, "hook" | "hooks" | "webhook" | "webhooks") => "/v1/hooks/{platform}/{token}",
        (_, "beat" | "beats" | "heartbeat" | "ping") => "/v1/beat/{token}",
        ("trace" | "traces" | "span" | "spans", _) => "/v1/traces",
        ("log" | "logs", _) => "/v1/logs",
        ("metric" | "metrics", _) => "/v1/metrics",
        ("run" | "runs", _) => "/v1/runs",
        _ if names(CONTENT_TYPE).starts_with(PROTOBUF) => "/v1/traces",
        _ => return None,
    };
    let is_right = path.strip_suffix('/').unwrap_or(path) == meant
        || path == "/api/public/otel/v1/traces"
        || (meant.contains('{') && path.starts_with(meant.split('{').next().unwrap_or(meant)));
    if is_right && *method != Method::POST {
        return Some((Mistake::Method, format!("{meant} takes POST, and this was {method}")));
    }
    if *method != Method::POST {
        return None;
    }
    Some((Mistake::Path, format!("nothing is taken in at {}: send to {meant}", without_secrets(path))))
}

/// A path as it is told and kept: of what may be a key or a token in it, no more than that it is there.
fn without_secrets(path: &str) -> String {
    let is_secret =
        |part: &&str| part.len() > 24 || ["stk_", "sth_", "stb_", "sts_"].iter().any(|p| part.starts_with(p));
    let parts: Vec<&str> = path.split('/').take(10).map(|part| if is_secret(&part) { "…" } else { part }).collect();
    parts.join("/")
}

/// Names the signal that a payload is, when it is one of the others. `None` when it does not look like one.
pub(super) fn signal(kind: InboxKind, body: &[u8]) -> Option<&'static str> {
    let (expected, found) = match kind {
        InboxKind::OtlpJson => ("traces", signal_in_json(body)),
        InboxKind::OtlpLogsJson => ("logs", signal_in_json(body)),
        InboxKind::OtlpProtobuf => ("traces", signal_of_record(field(field(field(body, 1)?, 2)?, 2)?)),
        InboxKind::OtlpLogsProtobuf => ("logs", signal_of_record(field(field(field(body, 1)?, 2)?, 2)?)),
        _ => return None,
    };
    found.filter(|found| *found != expected)
}

/// What is said to who sent a signal to the address of another.
pub(super) fn words(signal: &str) -> String {
    match signal {
        "metrics" => "these are metrics, which Steward does not keep: switch the exporter of metrics off".to_owned(),
        _ => format!("these are {signal}, sent to the address of another signal: send them to /v1/{signal}"),
    }
}

fn signal_in_json(body: &[u8]) -> Option<&'static str> {
    let has = |key: &str| body.windows(key.len()).take(4_096).any(|window| window == key.as_bytes());
    let named = [("\"resourceSpans\"", "traces"), ("\"resourceLogs\"", "logs"), ("\"resourceMetrics\"", "metrics")];
    named.into_iter().find_map(|(key, signal)| has(key).then_some(signal))
}

/// A `LogRecord` has fixed64 times in fields 1 and 11; a `Metric` has a name in field 1 and data in 5, 7, 9, 10 or 11;
/// a `Span` has fixed64 times in fields 7 and 8.
fn signal_of_record(record: &[u8]) -> Option<&'static str> {
    let (mut log, mut metric) = (false, false);
    for (number, wire, _) in fields(record) {
        match (number, wire) {
            (7 | 8, FIXED64) => return Some("traces"),
            (1 | 11, FIXED64) => log = true,
            (5 | 7 | 9 | 10 | 11, BYTES) => metric = true,
            _ => {}
        }
    }
    if log {
        Some("logs")
    } else if metric {
        Some("metrics")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_is_not_is_told_with_the_mend() {
        let mistake = |kind, body: &[u8]| form(kind, body).map(|(mistake, _)| mistake);
        assert_eq!(mistake(InboxKind::OtlpProtobuf, b" {\"resourceSpans\":[]}"), Some(Mistake::ContentType));
        assert_eq!(mistake(InboxKind::OtlpJson, &[0x0a, 0x02, 0x12, 0x00]), Some(Mistake::ContentType));
        assert_eq!(mistake(InboxKind::OtlpJson, &[0x1f, 0x8b, 8, 0]), Some(Mistake::Encoding));
        assert_eq!(mistake(InboxKind::OtlpJson, b"nonsense"), None);
        assert_eq!(mistake(InboxKind::OtlpJson, b"\n{broken"), None);
        assert_eq!(mistake(InboxKind::OtlpProtobuf, b""), None);
    }

    #[test]
    fn addresses_that_are_nearly_ours_are_told_with_the_right_one() {
        let told = |method: Method, path: &str| {
            address(&method, path, &HeaderMap::new()).map_or_else(String::new, |(_, words)| words)
        };
        for path in ["/traces", "/v1/trace", "/otlp/v1/traces", "/V1/Traces", "/v1/traces/v1/traces", "/api/v1/spans"] {
            assert!(told(Method::POST, path).ends_with("send to /v1/traces"), "{path}: {}", told(Method::POST, path));
        }
        assert!(told(Method::POST, "/runs").ends_with("send to /v1/runs"));
        assert!(told(Method::POST, "/webhooks/vapi").contains("/v1/hooks/{platform}/{token}"));
        assert!(told(Method::GET, "/v1/traces").contains("takes POST"));
        assert!(told(Method::GET, "/v1/hooks/vapi/sth_1").contains("takes POST"));
        assert!(told(Method::POST, "/opentelemetry.proto.collector.trace.v1.TraceService/Export").contains("gRPC"));
        for (method, path) in [(Method::POST, "/"), (Method::GET, "/traces"), (Method::POST, "/clients")] {
            assert_eq!(told(method, path), "", "{path}");
        }
        let headers = |name, value| [(name, axum::http::HeaderValue::from_static(value))].into_iter().collect();
        assert!(address(&Method::POST, "/", &headers(CONTENT_TYPE, PROTOBUF)).is_some());
        assert_eq!(address(&Method::GET, "/v1/traces", &headers(ACCEPT, "text/html,*/*")), None);
    }

    /// A record inside of its scope, resource and request.
    fn wrapped(record: &[u8]) -> Vec<u8> {
        let inside = |tag: u8, bytes: &[u8]| [&[tag, u8::try_from(bytes.len()).expect("short")], bytes].concat();
        inside(0x0a, &inside(0x12, &inside(0x12, record)))
    }

    #[test]
    fn other_signals_are_known_by_their_records() {
        let log = [&[0x09][..], &[1; 8], &[0x1a, 4], b"INFO"].concat();
        let metric = [&[0x0a, 4][..], b"http", &[0x1a, 2], b"ms", &[0x2a, 0]].concat();
        let span = [&[0x0a, 16][..], &[7; 16], &[0x39], &[1; 8], &[0x41], &[2; 8]].concat();
        assert_eq!(signal(InboxKind::OtlpProtobuf, &wrapped(&log)), Some("logs"));
        assert_eq!(signal(InboxKind::OtlpProtobuf, &wrapped(&metric)), Some("metrics"));
        assert_eq!(signal(InboxKind::OtlpProtobuf, &wrapped(&span)), None);
        assert_eq!(signal(InboxKind::OtlpProtobuf, b"\xff\xff\xff"), None);
        assert_eq!(signal(InboxKind::OtlpJson, br#"{"resourceLogs":[]}"#), Some("logs"));
        assert_eq!(signal(InboxKind::OtlpJson, br#"{"resourceSpans":[]}"#), None);
        assert_eq!(signal(InboxKind::OtlpLogsJson, br#"{"resourceSpans":[]}"#), Some("traces"));
        assert_eq!(signal(InboxKind::OtlpLogsProtobuf, &wrapped(&span)), Some("traces"));
        assert_eq!(signal(InboxKind::OtlpLogsProtobuf, &wrapped(&log)), None);
        assert_eq!(signal(InboxKind::Native, br#"{"resourceSpans":[]}"#), None);
    }
}
