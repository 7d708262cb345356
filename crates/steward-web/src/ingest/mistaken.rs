//! Logs and metrics that were sent to the address of traces: a common mistake, told as what it is.
//!
//! The three requests of OTLP have the same shape on the wire down to their records, so protobuf of the one can be
//! read as the other in part; only the records tell them apart.

use steward_app::system::InboxKind;

use super::protobuf::{BYTES, FIXED64, field, fields};

/// Names the signal that a payload is, when it is one of the others. `None` when it does not look like one.
pub(super) fn signal(kind: InboxKind, body: &[u8]) -> Option<&'static str> {
    match kind {
        InboxKind::OtlpJson => {
            let has = |key: &str| body.windows(key.len()).take(4_096).any(|window| window == key.as_bytes());
            if has("\"resourceLogs\"") {
                Some("logs")
            } else if has("\"resourceMetrics\"") {
                Some("metrics")
            } else {
                None
            }
        }
        InboxKind::OtlpProtobuf => signal_of_record(field(field(field(body, 1)?, 2)?, 2)?),
        _ => None,
    }
}

/// A `LogRecord` has fixed64 times in fields 1 and 11; a `Metric` has a name in field 1 and data in 5, 7, 9, 10 or 11;
/// a `Span` has fixed64 times in fields 7 and 8.
fn signal_of_record(record: &[u8]) -> Option<&'static str> {
    let (mut log, mut metric) = (false, false);
    for (number, wire, _) in fields(record) {
        match (number, wire) {
            (7 | 8, FIXED64) => return None,
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
    }
}
