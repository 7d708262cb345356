//! How much memory a payload takes once it is read, told before it is read.
//!
//! A few kilobytes of gzip can hold millions of empty messages, each of which becomes hundreds of bytes: what bounds
//! memory is not a body's size but what is in it. The weights are what the standard's structures and our steps take,
//! rounded up.

use crate::otlp::Encoding;
use crate::protobuf::{BYTES, fields};

/// What one object or array of JSON takes as a tree.
const JSON_CONTAINER: usize = 700;
/// What one value of JSON takes beside its text.
const JSON_VALUE: usize = 40;
/// Values nest no deeper: the decoders refuse what lies below.
const MAX_DEPTH: u32 = 100;

/// How many bytes of memory an OTLP request for traces takes once it is read, and at least `most` when it is more.
#[must_use]
pub fn of_traces(body: &[u8], encoding: Encoding, most: usize) -> usize {
    of(Message::Request, body, encoding, most)
}

/// The same of an OTLP request for logs.
#[must_use]
pub fn of_logs(body: &[u8], encoding: Encoding, most: usize) -> usize {
    of(Message::LogsRequest, body, encoding, most)
}

fn of(request: Message, body: &[u8], encoding: Encoding, most: usize) -> usize {
    if encoding == Encoding::Json {
        return of_json(body, most);
    }
    let mut weight = body.len();
    message(request, body, 0, &mut weight, most);
    weight
}

/// The messages of OTLP that repeat, or hold such.
#[derive(Clone, Copy)]
enum Message {
    Request,
    ResourceSpans,
    /// A resource or an instrumentation scope: attributes alone matter.
    Source(u64),
    ScopeSpans,
    Span,
    Event,
    Link,
    LogsRequest,
    ResourceLogs,
    ScopeLogs,
    LogRecord,
    KeyValue,
    AnyValue,
    List,
    Map,
}

impl Message {
    /// What one takes in memory, its own vectors at their smallest included.
    const fn weight(self) -> usize {
        match self {
            Self::Request | Self::LogsRequest | Self::Source(_) => 0,
            Self::ResourceSpans | Self::ScopeSpans | Self::ResourceLogs | Self::ScopeLogs => 800,
            // The span or record itself, and the step that it becomes.
            Self::Span | Self::LogRecord => 2_000,
            Self::Event | Self::Link => 400,
            Self::KeyValue => 120,
            Self::AnyValue => 60,
            Self::List | Self::Map => 40,
        }
    }

    /// The message that a field holds. `None` for fields that hold no message that matters.
    const fn inside(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Request, 1) => Self::ResourceSpans,
            (Self::LogsRequest, 1) => Self::ResourceLogs,
            (Self::ResourceSpans | Self::ResourceLogs, 1) => Self::Source(1),
            (Self::ResourceSpans, 2) => Self::ScopeSpans,
            (Self::ResourceLogs, 2) => Self::ScopeLogs,
            (Self::ScopeSpans | Self::ScopeLogs, 1) => Self::Source(3),
            (Self::ScopeSpans, 2) => Self::Span,
            (Self::ScopeLogs, 2) => Self::LogRecord,
            (Self::LogRecord, 5) => Self::AnyValue,
            (Self::Span, 9) | (Self::Event, 3) | (Self::Link, 4) | (Self::Map, 1) | (Self::LogRecord, 6) => {
                Self::KeyValue
            }
            (Self::Source(attributes), found) if attributes == found => Self::KeyValue,
            (Self::Span, 11) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::KeyValue, 2) | (Self::List, 1) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::List,
            (Self::AnyValue, 6) => Self::Map,
            _ => return None,
        })
    }
}

fn message(of: Message, bytes: &[u8], depth: u32, weight: &mut usize, most: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for (number, wire, bytes) in fields(bytes) {
        if *weight > most {
            return;
        }
        if let Some(inside) = of.inside(number).filter(|_| wire == BYTES) {
            *weight += inside.weight();
            message(inside, bytes, depth + 1, weight, most);
        }
    }
}

/// The same of JSON. Counts what is outside of strings; whether it is JSON at all is not looked at.
#[must_use]
pub fn of_json(body: &[u8], most: usize) -> usize {
    let mut weight = body.len();
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => weight += JSON_CONTAINER,
            b',' | b':' if !in_string => weight += JSON_VALUE,
            _ => continue,
        }
        if weight > most {
            break;
        }
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 10_000_000;

    #[test]
    fn empty_messages_weigh_what_they_become() {
        let spans = [0x0a, 0x04, 0x12, 0x02, 0x12, 0x00].repeat(1_000);
        assert_eq!(of_traces(&spans, Encoding::Protobuf, MOST), 6_000 + 1_000 * 3_600);
        let resources = [0x0a, 0x00].repeat(100_000);
        assert!(of_traces(&resources, Encoding::Protobuf, MOST) > MOST);
        assert!(of_json("{},".repeat(100_000).as_bytes(), MOST) > MOST);
    }

    #[test]
    fn records_of_logs_weigh_what_they_become() {
        let records = [0x0a, 0x04, 0x12, 0x02, 0x12, 0x00].repeat(1_000);
        assert_eq!(of_logs(&records, Encoding::Protobuf, MOST), 6_000 + 1_000 * 3_600);
        let body = [0x0a, 0x06, 0x12, 0x04, 0x12, 0x02, 0x2a, 0x00];
        assert_eq!(of_logs(&body, Encoding::Protobuf, MOST), 8 + 3_600 + 60);
        let attribute = [0x0a, 0x06, 0x12, 0x04, 0x12, 0x02, 0x32, 0x00];
        assert_eq!(of_logs(&attribute, Encoding::Protobuf, MOST), 8 + 3_600 + 120);
    }

    #[test]
    fn long_texts_weigh_what_they_are() {
        let text = r#""{[,:\"{[,:\\""#.repeat(1_000);
        assert_eq!(of_json(text.as_bytes(), MOST), text.len());
        let mut name = vec![0x0a, 0x00];
        name[1] = 100;
        name.extend([b'x'; 100]);
        assert!(of_traces(&name, Encoding::Protobuf, MOST) < 2_000);
    }

    #[test]
    fn values_may_nest_as_deep_as_they_like() {
        let json = "[".repeat(1_000_000);
        assert!(of_json(json.as_bytes(), usize::MAX) > 700_000_000);
        // Each list holds one value that holds one list.
        let mut value = Vec::new();
        for _ in 0..20 {
            let length = u8::try_from(value.len()).expect("short");
            value = [&[0x2a, length + 2, 0x0a, length], value.as_slice()].concat();
        }
        assert!(of_traces(&value, Encoding::Protobuf, MOST) < 2_000);
    }
}
