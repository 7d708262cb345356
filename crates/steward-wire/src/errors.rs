//! What kind of mend an error needs, read from its code and its words.
//!
//! Rules, in order: a number that is an HTTP or JSON-RPC code; the name of an exception class or of a gRPC status;
//! a code inside the message; the words of the message. The first that says anything decides, except that a mere
//! "bad request" gives way to words about authorization or limits: some providers answer 400 for a wrong key.

pub use steward_core::errors::MAX_MESSAGE_CHARS;
use steward_core::errors::class_of_text;
use steward_core::step::{ErrorClass, StepError};

use crate::text::{MAX_NAME_CHARS, bounded};

/// Finds the class of an error. `Other` when neither code nor message says anything.
#[must_use]
pub fn classify(code: Option<&str>, message: &str) -> ErrorClass {
    let by_code = code.and_then(|code| of_number(code).or_else(|| of_name(code)));
    match by_code {
        Some(ErrorClass::BadRequest) => match of_words(message) {
            class @ (ErrorClass::Auth | ErrorClass::RateLimit) => class,
            _ => ErrorClass::BadRequest,
        },
        Some(class) => class,
        None => of_leading_name(message).or_else(|| of_number_inside(message)).unwrap_or_else(|| of_words(message)),
    }
}

/// Makes an error of a code and a message, both bounded.
#[must_use]
pub fn error(code: Option<String>, message: String) -> StepError {
    let class = classify(code.as_deref(), &message);
    StepError {
        class,
        code: code.map(|code| bounded(code, MAX_NAME_CHARS)),
        message: bounded(message, MAX_MESSAGE_CHARS),
    }
}

/// The name that an error text leads with: `RateLimitError` of `RateLimitError: slow down`.
#[must_use]
pub fn leading_name(message: &str) -> Option<&str> {
    let (name, _) = message.split_once(':')?;
    let name = name.trim();
    let named = name.ends_with("Error") || name.ends_with("Exception") || name.ends_with("Timeout");
    let plain = name.len() <= 100 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    // "Error: …" alone names nothing.
    (named && plain && name.len() > "Error".len()).then_some(name)
}

fn of_leading_name(message: &str) -> Option<ErrorClass> {
    of_name(leading_name(message)?)
}

/// The class of an HTTP status or a JSON-RPC code.
fn of_number(code: &str) -> Option<ErrorClass> {
    let code = code.trim();
    let digits = code.rsplit([' ', '_']).next().unwrap_or(code);
    match digits.parse::<i64>().ok()? {
        401 | 403 | 407 => Some(ErrorClass::Auth),
        429 => Some(ErrorClass::RateLimit),
        // -32001 is the time-out of the Model Context Protocol's own libraries.
        408 | 504 | 524 | -32001 => Some(ErrorClass::Timeout),
        422 | -32700 | -32602 => Some(ErrorClass::Validation),
        500..=599 | -32603 | -32099..=-32000 => Some(ErrorClass::Server),
        400..=499 | -32600 | -32601 => Some(ErrorClass::BadRequest),
        _ => None,
    }
}

/// The class of an exception or status by its name: `openai.RateLimitError`, `DEADLINE_EXCEEDED`.
fn of_name(code: &str) -> Option<ErrorClass> {
    let last = code.rsplit(['.', ':', '/']).next().unwrap_or(code);
    let name: String =
        last.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(120).collect();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["ratelimit", "toomanyrequests", "quota", "throttl", "resourceexhausted"]) {
        Some(ErrorClass::RateLimit)
    } else if has(&[
        "authenticat",
        "authoriz",
        "authoris",
        "authoriz",
        "permissiondenied",
        "permissionerror",
        "forbidden",
        "accessdenied",
        "apikey",
        "tokenexpired",
        "expiredtoken",
        "credential",
        "invalidgrant",
    ]) {
        Some(ErrorClass::Auth)
    } else if has(&["timeout", "timedout", "deadline", "etimedout"]) {
        Some(ErrorClass::Timeout)
    } else if has(&[
        "validation",
        "jsondecode",
        "jsonparse",
        "schema",
        "parseerror",
        "parserexception",
        "parsererror",
        "unprocessable",
        "invalidparam",
        "toolinput",
        "nosuchtool",
        "invalidtool",
        "outputparser",
        "invalidresponse",
    ]) {
        Some(ErrorClass::Validation)
    } else if has(&[
        "internalserver",
        "internalerror",
        "serviceunavailable",
        "servererror",
        "unavailable",
        "badgateway",
        "overloaded",
        "connecterror",
        "connection",
        "econn",
        "remoteprotocol",
        "socket",
        "network",
        "brokenpipe",
        "enotfound",
        "apierror",
    ]) || name == "internal"
    {
        Some(ErrorClass::Server)
    } else if has(&[
        "badrequest",
        "notfound",
        "invalidrequest",
        "invalidargument",
        "conflict",
        "failedprecondition",
        "contextwindow",
        "contextlength",
    ]) {
        Some(ErrorClass::BadRequest)
    } else {
        None
    }
}

/// The class of a code that stands in the text: `Error code: 429 - …`, `HTTP 503`, `status code 401`.
fn of_number_inside(message: &str) -> Option<ErrorClass> {
    // Codes stand near the beginning; what follows is somebody's document.
    let head: String = message.chars().take(300).collect::<String>().to_ascii_lowercase();
    for mark in
        ["error code: ", "error code ", "status code: ", "status code ", "status: ", "http/1.1 ", "http ", "code: "]
    {
        for (at, _) in head.match_indices(mark) {
            let digits: String =
                head[at + mark.len()..].chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
            if let Some(class) = of_number(&digits) {
                return Some(class);
            }
        }
    }
    None
}

/// The class that the words point to.
fn of_words(message: &str) -> ErrorClass {
    let text: String = message.chars().take(MAX_MESSAGE_CHARS).collect::<String>().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "token expired",
        "token has expired",
        "expired token",
        "token is expired",
        "invalid token",
        "not logged in",
        "login required",
        "api_key",
        "credentials",
    ]) {
        ErrorClass::Auth
    } else if has(&["rate_limit", "too many requests", "quota", "usage limit", "insufficient_quota"]) {
        ErrorClass::RateLimit
    } else if has(&["timed out", "timed-out", "time-out", "took too long", "etimedout"]) {
        ErrorClass::Timeout
    } else if has(&[
        "connection error",
        "connection refused",
        "connection reset",
        "connection closed",
        "connection aborted",
        "econnrefused",
        "econnreset",
        "could not connect",
        "failed to connect",
        "network error",
        "server error",
        "temporarily unavailable",
        "name or service not known",
    ]) {
        ErrorClass::Server
    } else if has(&[
        "schema",
        "jsondecodeerror",
        "expecting value",
        "unexpected token",
        "failed to parse",
        "could not parse",
    ]) {
        ErrorClass::Validation
    } else {
        class_of_text(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_names_and_words_point_to_the_same_classes() {
        let cases = [
            (Some("429"), "", ErrorClass::RateLimit),
            (Some("HTTP 503"), "", ErrorClass::Server),
            (Some("-32602"), "", ErrorClass::Validation),
            (Some("-32603"), "", ErrorClass::Server),
            (Some("openai.RateLimitError"), "", ErrorClass::RateLimit),
            (Some("AuthenticationError"), "", ErrorClass::Auth),
            (Some("anthropic.APITimeoutError"), "", ErrorClass::Timeout),
            (Some("pydantic_core._pydantic_core.ValidationError"), "", ErrorClass::Validation),
            (Some("json.decoder.JSONDecodeError"), "Expecting value", ErrorClass::Validation),
            (Some("APIConnectionError"), "Connection error.", ErrorClass::Server),
            (Some("DEADLINE_EXCEEDED"), "", ErrorClass::Timeout),
            (Some("_OTHER"), "the token expired", ErrorClass::Auth),
            (Some("400"), "API key not valid. Please pass a valid API key.", ErrorClass::Auth),
            (Some("openai.BadRequestError"), "Error code: 400 - {'error': …}", ErrorClass::BadRequest),
            (None, "RateLimitError: slow down", ErrorClass::RateLimit),
            (None, "Error code: 401 - no", ErrorClass::Auth),
            (None, "You exceeded your current quota", ErrorClass::RateLimit),
            (None, "the request timed out", ErrorClass::Timeout),
            (None, "connection refused", ErrorClass::Server),
            (None, "Error: payment amount does not add up", ErrorClass::Other),
            (Some("content_filter"), "", ErrorClass::Other),
            (Some("ValueError"), "", ErrorClass::Other),
        ];
        for (code, message, class) in cases {
            assert_eq!(classify(code, message), class, "{code:?} {message}");
        }
    }

    #[test]
    fn a_leading_name_is_an_exception_and_not_a_sentence() {
        assert_eq!(leading_name("openai.RateLimitError: slow"), Some("openai.RateLimitError"));
        assert_eq!(leading_name("Error: no seats"), None);
        assert_eq!(leading_name("There was an Error: no"), None);
    }
}
