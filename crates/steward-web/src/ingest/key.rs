//! Whose payload it is: an API key, in any of the headers in which exporters can be made to send one.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use steward_app::keys::KEY;
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
    let refused = |why: &str| Err(Problem::new(Kind::Unauthorized).titled("No such key").because(why));
    let Some(secret) = key_in(headers) else {
        return refused(
            "send an API key as “Authorization: Bearer stk_…” or “x-api-key: stk_…”; keys are made under Settings",
        );
    };
    match state.app.find_key_scope(&secret).await? {
        Some(scope) => Ok(scope),
        None => refused("this API key is unknown or was revoked; keys are made under Settings"),
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
    let key = [password, user].into_iter().find(|part| part.starts_with(KEY))?;
    Some(Secret::sent(key))
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
        assert_eq!(key_of("authorization", &basic("stk_1")).as_deref(), Some("stk_1"));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for value in ["Basic ???", "Basic", "Digest a", "stk_1", ""] {
            assert_eq!(key_of("authorization", value), None, "{value}");
        }
    }
}
