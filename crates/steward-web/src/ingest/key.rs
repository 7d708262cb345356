//! Whose payload it is: an API key, in any of the headers in which exporters can be made to send one.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use steward_app::keys::KEY;
use steward_app::mistakes::{Mistake, Sender};
use steward_app::secrets::Secret;
use steward_app::system::KeyScope;

use crate::problem::Kind;
use crate::{Problem, WebState};

/// Finds what the key in a request's headers is for.
///
/// # Errors
///
/// 401 when there is no key, or it is unknown or revoked.
pub(crate) async fn find_scope(state: &WebState, headers: &HeaderMap) -> Result<KeyScope, Problem> {
    let refused =
        |mistake, why: &str| Err(Problem::new(Kind::Unauthorized).titled("No such key").because(why).mistaken(mistake));
    let Some(secret) = key_in(headers) else {
        return match mistaken_form(headers) {
            Some(why) => refused(Mistake::KeyForm, why),
            None => refused(
                Mistake::NoKey,
                "send an API key as “Authorization: Bearer stk_…” or “x-api-key: stk_…”; keys are made under Settings",
            ),
        };
    };
    match state.app.find_key_scope(&secret).await? {
        Some(scope) => Ok(scope),
        None => match mistaken_form(headers) {
            Some(why) => refused(Mistake::KeyForm, why),
            None => {
                refused(Mistake::UnknownKey, "this API key is unknown or was revoked; keys are made under Settings")
            }
        },
    }
}

/// Names what is wrong with the form of a key, with the mend. `None` when it is not the form.
fn mistaken_form(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(value) = text(AUTHORIZATION.as_str()).filter(|value| !value.is_empty()) else {
        let other = ["api-key", "x-auth-token", "x-honeycomb-team", "x-steward-token", "dd-api-key"];
        let has_other = other.iter().any(|name| text(name).is_some_and(|value| value.contains(KEY)));
        return has_other
            .then_some("the key is in a header that is not read: send it as “Authorization: Bearer stk_…”");
    };
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    let rest = rest.trim();
    if value.contains("%20") {
        return Some(
            "the Authorization header holds “%20”, which this exporter sends as it is: write a space, “Bearer stk_…”",
        );
    }
    if scheme.is_empty() && rest.starts_with(KEY) {
        return Some("the Authorization header has no “Bearer ” before the key: send “Authorization: Bearer stk_…”");
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(
            "the Authorization header is Basic and holds no Steward key: give the key as user or as password, or send \
             “Authorization: Bearer stk_…”",
        );
    }
    if rest.starts_with(['"', '\'', '<', '{', '$']) {
        return Some(
            "the key stands in quotes or brackets, or is a variable that was not filled in: send the key alone",
        );
    }
    if scheme.eq_ignore_ascii_case("bearer") && rest.to_ascii_lowercase().starts_with("bearer") {
        return Some("the Authorization header says “Bearer” twice: send “Authorization: Bearer stk_…”");
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Some("the Authorization header is of a form that is not read: send “Authorization: Bearer stk_…”");
    }
    (!rest.starts_with(KEY))
        .then_some("what is sent as the key is none of Steward's, which begin with stk_: keys are made under Settings")
}

/// Who sends, as far as its key tells.
pub(crate) async fn find_sender(state: &WebState, headers: &HeaderMap) -> Sender {
    let Some(secret) = key_in(headers) else { return Sender::Nobody };
    match state.app.find_key_scope(&secret).await {
        Ok(Some(scope)) => Sender::Key(scope.agency_id, scope.key_id),
        _ => Sender::Nobody,
    }
}

/// The key in a request's headers: `Authorization: Bearer`, `x-api-key`, or `Authorization: Basic` with the key as
/// user or as password. `None` when there is none.
pub(crate) fn key_in(headers: &HeaderMap) -> Option<Secret> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(key) = text("x-api-key").filter(|key| !key.is_empty()) {
        return Some(Secret::sent(key));
    }
    let (scheme, value) = text(AUTHORIZATION.as_str())?.split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Secret::sent(value));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
    let key = [password, user].into_iter().map(without_prefix).find(|part| part.starts_with(KEY))?;
    Some(Secret::sent(key))
}

/// Some programs take a secret key of Langfuse only when it begins as theirs do.
fn without_prefix(part: &str) -> &str {
    part.strip_prefix("sk-lf-").unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn key_of(name: &'static str, value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"));
        key_in(&headers).map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn a_key_is_found_wherever_exporters_put_it() {
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert_eq!(key_of("authorization", "Bearer stk_1").as_deref(), Some("stk_1"));
        assert_eq!(key_of("authorization", "bearer  stk_1").as_deref(), Some("stk_1"));
        assert_eq!(key_of("x-api-key", "stk_1").as_deref(), Some("stk_1"));
        assert_eq!(key_of("authorization", &basic("stk_1:anything")).as_deref(), Some("stk_1"));
        assert_eq!(key_of("authorization", &basic("pk-lf:stk_1")).as_deref(), Some("stk_1"));
        assert_eq!(key_of("authorization", &basic("pk-lf-steward:sk-lf-stk_1")).as_deref(), Some("stk_1"));
        assert_eq!(key_of("authorization", &basic("stk_1")).as_deref(), Some("stk_1"));
    }

    #[test]
    fn forms_that_are_not_read_are_named() {
        let named = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("a header"));
            mistaken_form(&headers).unwrap_or("")
        };
        assert!(named("stk_1").contains("no “Bearer ”"));
        assert!(named("Bearer%20stk_1").contains("%20"));
        assert!(named("Basic cGs6c2s=").contains("Basic"));
        assert!(named("Bearer \"stk_1\"").contains("quotes"));
        assert!(named("Bearer ${STEWARD_KEY}").contains("not filled in"));
        assert!(named("Bearer Bearer stk_1").contains("twice"));
        assert!(named("Digest a").contains("not read"));
        assert!(named("Bearer sk-proj-1").contains("stk_"));
        assert_eq!(named("Bearer stk_1"), "");
        assert_eq!(mistaken_form(&HeaderMap::new()), None);
    }

    #[test]
    fn what_is_no_key_is_none() {
        let of_langfuse = format!("Basic {}", STANDARD.encode("pk-lf-1:sk-lf-1"));
        for value in ["Basic ???", "Basic", "Digest a", "stk_1", "", &of_langfuse] {
            assert_eq!(key_of("authorization", value), None, "{value}");
        }
    }
}
