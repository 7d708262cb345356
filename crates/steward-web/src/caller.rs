//! Where a request comes from on the network.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use crate::WebState;

/// The network address that a request comes from; empty when it is not known.
///
/// Behind a proxy of one's own it is the last address that the proxy added to `X-Forwarded-For`, and only when the
/// configuration says that there is such a proxy: anybody can send the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerAddress(pub String);

impl FromRequestParts<WebState> for CallerAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        if state.config().trust_forwarded_for {
            let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
            let last = forwarded.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
            if let Some(last) = last.map(str::trim).filter(|last| !last.is_empty()) {
                return Ok(Self(last.to_owned()));
            }
        }
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(from.map(|ConnectInfo(address)| address.ip().to_string()).unwrap_or_default()))
    }
}
