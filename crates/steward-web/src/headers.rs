//! Headers that every answer carries, so that a browser does nothing with it that was not meant.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::meters::RouteClass;
use crate::view::page;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What is not a page has no reason to load anything.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Adds what the handler has not set itself.
pub(crate) fn harden(headers: &mut HeaderMap, class: RouteClass, https: bool) {
    let mut fill = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    fill(X_CONTENT_TYPE_OPTIONS, "nosniff");
    match class {
        RouteClass::Ingest | RouteClass::Health => {
            fill(CACHE_CONTROL, "no-store");
            return;
        }
        RouteClass::Page => fill(CONTENT_SECURITY_POLICY, page::CONTENT_SECURITY_POLICY),
        RouteClass::Api | RouteClass::Asset | RouteClass::Live => fill(CONTENT_SECURITY_POLICY, NOTHING),
    }
    fill(CACHE_CONTROL, "private, no-store");
    // With `no-referrer` browsers would send `Origin: null` with our own forms.
    fill(REFERRER_POLICY, "same-origin");
    fill(X_FRAME_OPTIONS, "SAMEORIGIN");
    fill(OPENER_POLICY, "same-origin");
    fill(RESOURCE_POLICY, "same-origin");
    fill(PERMISSIONS_POLICY, "camera=(), microphone=(), geolocation=()");
    if https {
        fill(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
