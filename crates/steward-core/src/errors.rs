//! Errors of tools that are only text: many tools answer "Error: …" or `{"error": …}` and end well.

use crate::step::{ErrorClass, Step, StepError, StepKind, cut_text};

/// The most characters of an error's message that are kept.
pub const MAX_MESSAGE_CHARS: usize = 2_000;

/// The error in what a tool answered, where its text says so though its status does not. `None` when it does not.
#[must_use]
pub fn of_tool_text(step: &Step) -> Option<StepError> {
    if step.kind != StepKind::Tool || step.error.is_some() {
        return None;
    }
    let text = step.output_text().trim_start();
    let message = if starts_as_error(text) {
        text.to_owned()
    } else if text.starts_with('{') && text.contains("rror") {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let error = value.get("error").or_else(|| value.get("isError").filter(|v| v.as_bool() == Some(true)))?;
        match error {
            serde_json::Value::Null | serde_json::Value::Bool(false) => return None,
            serde_json::Value::String(message) if message.is_empty() => return None,
            serde_json::Value::String(message) => message.clone(),
            other => other.get("message").and_then(|m| m.as_str()).map_or_else(|| text.to_owned(), str::to_owned),
        }
    } else {
        return None;
    };
    Some(StepError { class: class_of_text(&message), code: None, message: cut_text(&message, MAX_MESSAGE_CHARS) })
}

fn starts_as_error(text: &str) -> bool {
    ["Error:", "error:", "ERROR:", "Error ", "Traceback (most recent call last)"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// The class that a message's words point to; `Other` when they point nowhere.
#[must_use]
pub fn class_of_text(message: &str) -> ErrorClass {
    let text = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "unauthorized",
        "unauthorised",
        "forbidden",
        "authenticat",
        "token expired",
        "invalid_grant",
        "api key",
        "permission denied",
        "access denied",
    ]) {
        ErrorClass::Auth
    } else if has(&["rate limit", "ratelimit", "too many requests", "quota", "throttl"]) {
        ErrorClass::RateLimit
    } else if has(&["timed out", "timeout", "deadline exceeded"]) {
        ErrorClass::Timeout
    } else if has(&[
        "internal server error",
        "bad gateway",
        "service unavailable",
        "connection refused",
        "connection reset",
        "overloaded",
    ]) {
        ErrorClass::Server
    } else if has(&["validation", "invalid json", "does not match schema", "required field", "missing required"]) {
        ErrorClass::Validation
    } else if has(&["not found", "bad request", "invalid request", "invalid argument"]) {
        ErrorClass::BadRequest
    } else {
        ErrorClass::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Message, Role};

    fn answer(text: &str) -> Step {
        Step {
            kind: StepKind::Tool,
            output: vec![Message {
                role: Role::Tool,
                text: text.to_owned(),
                tool_calls: Vec::new(),
                tool_call_id: None,
                name: None,
            }],
            ..Step::default()
        }
    }

    #[test]
    fn a_text_that_begins_with_error_is_one() {
        let error = of_tool_text(&answer("Error: reservation not found")).expect("an error");
        assert_eq!(error.class, ErrorClass::BadRequest);
        assert!(of_tool_text(&answer("No errors were found")).is_none());
        assert!(of_tool_text(&answer("Errors in your bill were mended")).is_none());
    }

    #[test]
    fn an_error_member_counts_only_when_it_says_something() {
        assert!(of_tool_text(&answer(r#"{"error": null, "n": 1}"#)).is_none());
        assert!(of_tool_text(&answer(r#"{"error": "", "n": 1}"#)).is_none());
        assert_eq!(
            of_tool_text(&answer(r#"{"error": {"message": "quota used up"}}"#)).expect("an error").class,
            ErrorClass::RateLimit
        );
    }
}
