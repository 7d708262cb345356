use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::json;
use steward_core::step::MAX_CONTENT_CHARS;
use steward_core::time::Timestamp;
use steward_wire::WireError;
use steward_wire::otlp::{Encoding, decode, decode_request};

use crate::support::{START, TRACE, read_json, request, span, step, step_of, with};

#[test]
fn one_bad_span_does_not_take_the_others_along() {
    let spans = vec![
        span(json!({})),
        with(span(json!({})), json!({"traceId": "00000000000000000000000000000000"})),
        with(span(json!({})), json!({"traceId": ""})),
        with(span(json!({})), json!({"spanId": "abcd"})),
        with(span(json!({})), json!({"startTimeUnixNano": "0"})),
        with(span(json!({})), json!({"startTimeUnixNano": "1760000000"})),
    ];
    let decoded = read_json(&request(json!({}), spans));
    assert_eq!((decoded.steps.len(), decoded.rejected), (1, 5));
    insta::assert_snapshot!(decoded.rejection.unwrap(), @"a span's trace id is all zeros; a span's trace id is missing; a span's id is 2 bytes long and not 8");
}

#[test]
fn a_start_in_the_wrong_unit_is_refused_with_its_date() {
    let decoded =
        read_json(&request(json!({}), vec![with(span(json!({})), json!({"startTimeUnixNano": "1760000000"}))]));
    insta::assert_snapshot!(decoded.rejection.unwrap(), @"a span's start time, 1970-01-01T00:00:01.76Z, is not between 2000 and 2100: is it in nanoseconds?");
}

#[test]
fn an_end_before_the_start_is_mended_and_noted() {
    let started = Timestamp::from_nanos(START);
    for (end, note) in [
        ((START - 1).to_string(), "it ended before it started"),
        ("0".to_owned(), "it has no end time"),
        (u64::MAX.to_string(), "its end time is not plausible"),
    ] {
        let step = step_of(with(span(json!({})), json!({"endTimeUnixNano": end})));
        assert_eq!((step.started_at, step.ended_at), (started, started));
        assert_eq!(step.reading.notes, [note]);
    }
}

#[test]
fn a_root_has_no_parent_however_that_is_written() {
    for parent in [json!(null), json!(""), json!("0000000000000000")] {
        assert_eq!(step_of(with(span(json!({})), json!({"parentSpanId": parent}))).parent_span_id, None);
    }
    assert_eq!(
        step_of(with(span(json!({})), json!({"parentSpanId": "b7ad6b7169203331"}))).parent_span_id,
        None,
        "its own parent"
    );
}

#[test]
fn json_is_read_in_all_its_spellings() {
    let camel = json!({"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s"}}]}, "scopeSpans": [{"spans": [{
        "traceId": TRACE, "spanId": "b7ad6b7169203331", "name": "n", "kind": 3,
        "startTimeUnixNano": START.to_string(), "endTimeUnixNano": (START + 1_000).to_string(),
        "attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": "4294967297"}}, {"key": "flag", "value": {"boolValue": true}}],
        "status": {"code": 2, "message": "no"}, "unheard_of": [1, {"a": null}],
    }]}]}]});
    let snake = json!({"resource_spans": [{"resource": {"attributes": [{"key": "service.name", "value": {"string_value": "s"}}]}, "scope_spans": [{"spans": [{
        "trace_id": TRACE.to_uppercase(), "span_id": "t61rcWkgMzE=", "name": "n", "kind": "SPAN_KIND_CLIENT",
        "start_time_unix_nano": START, "end_time_unix_nano": START + 1_000,
        "attributes": [{"key": "gen_ai.usage.input_tokens", "value": {"int_value": {"low": 1, "high": 1}}}, {"key": "flag", "value": {"bool_value": "true"}}],
        "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
    }]}]}]});
    let read = read_json(&camel);
    assert_eq!(read.steps.len(), 1);
    assert_eq!(read, read_json(&snake));
}

#[test]
fn what_is_not_otlp_is_an_error_in_words() {
    let json = |body: &str| decode(body.as_bytes(), Encoding::Json).unwrap_err().to_string();
    insta::assert_snapshot!(json("{"), @"the body is not valid JSON");
    insta::assert_snapshot!(json("[]"), @"the body is JSON, but an OTLP request is an object");
    insta::assert_snapshot!(json(r#"{"runs":[]}"#), @"the body is JSON, but it has no resourceSpans, so it is not an OTLP trace request");
    assert!(matches!(decode(b"{\"resourceSpans\":[]}", Encoding::Protobuf), Err(WireError::Protobuf(_))));
    assert!(matches!(decode(&[0xff; 40], Encoding::Json), Err(WireError::Json(_))));
    assert_eq!(decode(b"{}", Encoding::Json).unwrap().steps.len(), 0, "an empty request is one");
    assert_eq!(decode(b"", Encoding::Protobuf).unwrap().steps.len(), 0);
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    // Field 1 of field 2 of field 2 of field 1: a span whose name is not UTF-8.
    let mut name = vec![0x2a, 2, 0xff, 0xfe];
    for tag in [0x12, 0x12, 0x0a] {
        let mut outer = vec![tag, u8::try_from(name.len()).unwrap()];
        outer.append(&mut name);
        name = outer;
    }
    assert!(decode(&name, Encoding::Protobuf).is_err());
}

#[test]
fn of_several_spellings_the_better_counts_wherever_it_stands() {
    let span = |name: &str| {
        format!(
            r#"{{"traceId":"{TRACE}","spanId":"00f067aa0ba902b7","name":"{name}","startTimeUnixNano":"{START}","endTimeUnixNano":{START},
            "attributes":[{{"key":"a","value":{{"other":1,"int_value":3,"stringValue":"x","intValue":2}}}},{{"key":"b","value":{{"d":[1.5],"c":null}}}},7,{{"value":1}}],
            "unknown":{{"deep":[[{{"a":1e999}}]]}}}}"#
        )
    };
    let (new, old) = (span("new"), span("old"));
    for body in [
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{new}]}}],"instrumentationLibrarySpans":[{{"spans":[{old}]}}]}}]}}"#
        ),
        format!(
            r#"{{"resource_spans":7,"resourceSpans":[3,{{"scope_spans":[{{"spans":[{old}]}}],"scopeSpans":[{{"spans":[{new}]}}]}}]}}"#
        ),
        format!(
            r#"{{"resourceSpans":[{{"instrumentation_library_spans":[{{"spans":[{old}],"sp\u0061ns":[{new}]}}]}}],"resource_spans":[]}}"#
        ),
    ] {
        let steps = decode(body.as_bytes(), Encoding::Json).unwrap().steps;
        assert_eq!(steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(), ["new"], "{body}");
        assert_eq!(steps[0].attributes["a"], "x");
        assert_eq!(steps[0].attributes["b"], r#"{"c":null,"d":[1.5]}"#);
        assert_eq!(steps[0].reading.n_attributes, 2);
    }
}

#[test]
fn deep_nesting_ends_without_harm() {
    let mut value = json!({"stringValue": "deep"});
    for _ in 0..30 {
        value = json!({"arrayValue": {"values": [value]}});
    }
    assert!(!step(json!([{"key": "deep", "value": value}])).attributes["deep"].is_empty());
    let body = format!("{}{}", "{\"resourceSpans\":".repeat(5_000), "[".repeat(100_000));
    assert!(decode(body.as_bytes(), Encoding::Json).is_err());
    // 3,000 nested values as protobuf: each is an AnyValue that holds a list of one.
    let mut nested: Vec<u8> = Vec::new();
    for _ in 0..3_000 {
        for tag in [0x0a, 0x2a] {
            let mut outer = vec![tag];
            prost::encoding::encode_varint(nested.len() as u64, &mut outer);
            outer.append(&mut nested);
            nested = outer;
        }
    }
    for tag in [0x12, 0x4a, 0x12, 0x12, 0x0a] {
        let mut outer = vec![tag];
        prost::encoding::encode_varint(nested.len() as u64, &mut outer);
        outer.append(&mut nested);
        nested = outer;
    }
    assert!(decode(&nested, Encoding::Protobuf).is_err());
}

#[test]
fn a_long_text_is_cut_and_the_cut_is_marked() {
    let step = step(json!({"gen_ai.operation.name": "chat", "gen_ai.prompt": "ä".repeat(MAX_CONTENT_CHARS + 1)}));
    assert!(step.input[0].text.ends_with("ä… [cut]"));
}

#[test]
fn a_decoded_request_gives_the_same_as_its_bytes() {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "n".to_owned(),
        start_time_unix_nano: START,
        end_time_unix_nano: START + 5,
        ..Span::default()
    };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    };
    let bytes = request.encode_to_vec();
    assert_eq!(decode(&bytes, Encoding::Protobuf).unwrap(), decode_request(request));
}
