//! Logs and metrics that were sent to the address of traces: a common mistake, told as what it is.
//!
//! The three requests of OTLP have the same shape on the wire down to their records, so protobuf of the one can be
//! read as the other in part; only the records tell them apart.

use steward_app::system::InboxKind;

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

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

/// The bytes of the first field of a number that has bytes.
fn field(message: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(message).find_map(|(number, wire, bytes)| (number == wanted && wire == BYTES).then_some(bytes))
}

/// The fields of a message, up to the first that cannot be read.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, u8, &[u8])> {
    std::iter::from_fn(move || {
        let key = varint(&mut rest)?;
        let (number, wire) = (key >> 3, (key & 7) as u8);
        let n_bytes = match wire {
            VARINT => {
                varint(&mut rest)?;
                0
            }
            FIXED64 => 8,
            FIXED32 => 4,
            BYTES => usize::try_from(varint(&mut rest)?).ok()?,
            _ => return None,
        };
        let (bytes, behind) = rest.split_at_checked(n_bytes)?;
        rest = behind;
        Some((number, wire, bytes))
    })
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
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
