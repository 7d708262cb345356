use serde_json::json;
use steward_core::step::{ErrorClass, StepKind};

use crate::support::{span, step, step_of, with};

#[test]
fn a_call_over_http_is_another_step_and_its_status_is_its_error() {
    let step = step(json!({
        "http.request.method": "POST", "http.response.status_code": 503, "url.full": "https://user:secret@api.example.com/v1/book?key=secret",
        "http.request.header.authorization": "secret", "network.protocol.version": "1.1", "team": "blue",
    }));
    assert_eq!((step.reading.dialect.as_str(), step.kind), ("plain", StepKind::Other));
    let error = step.error.unwrap();
    assert_eq!((error.class, error.code.as_deref()), (ErrorClass::Server, Some("503")));
    assert_eq!(step.attributes["url.full"], "https://api.example.com/v1/book");
    assert_eq!(step.attributes["team"], "blue");
    assert!(!step.attributes.values().any(|value| value.contains("secret")));
    assert_eq!(step.reading.unmapped, ["team"]);
}

#[test]
fn a_404_is_the_error_of_who_asked_and_not_of_who_answered() {
    let attributes = json!({"http.response.status_code": 404});
    assert!(step_of(with(span(attributes.clone()), json!({"kind": "SPAN_KIND_SERVER"}))).error.is_none());
    assert_eq!(step_of(with(span(attributes), json!({"kind": 3}))).error.unwrap().class, ErrorClass::BadRequest);
}

#[test]
fn what_a_step_keeps_is_bounded() {
    let mut attributes = serde_json::Map::new();
    for n in 0..1_500 {
        attributes.insert(format!("key.{n:04}"), json!("x".repeat(600)));
    }
    let step = step(json!(attributes));
    assert_eq!((step.attributes.len(), step.reading.unmapped.len(), step.reading.n_attributes), (64, 50, 1_500));
    assert!(
        step.attributes
            .values()
            .all(|value| value.ends_with("… [cut]") && value.chars().count() == 512 + "… [cut]".chars().count())
    );
    assert_eq!(step.reading.notes, ["only the first 1,000 attributes were read"]);
}
