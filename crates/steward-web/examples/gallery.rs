//! Serves the gallery and every page with invented data, under the real content security policy.
//!
//! `cargo run -p steward-web --example gallery`, then open the printed address. `?words=long` shows very
//! long words, `rtl` right-to-left ones, `hostile` ones that must come out as text.

#![expect(clippy::disallowed_types, reason = "a gallery for designers answers no problems")]

use std::convert::Infallible;

use axum::Router;
use axum::extract::{Path, Query, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt as _;
use steward_web::assets;
use steward_web::view::gallery::render_sample;
use steward_web::view::page::{self, Wanted};
use steward_web::view::samples::Words;
use steward_web::view::shell::Theme;

#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    words: String,
    #[serde(default)]
    theme: String,
}

#[tokio::main]
async fn main() -> Result<(), std::io::Error> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4600".to_owned());
    let router = Router::new()
        .route("/", get(|asked, wanted, headers| show(Path("gallery".to_owned()), asked, wanted, headers)))
        .route("/sample/{name}", get(show))
        .route("/assets/{*path}", get(asset))
        .route("/live", get(live))
        .layer(middleware::from_fn(with_policy))
        .route(
            "/paper",
            get(|| async {
                Html("<!doctype html><title>Report</title><h1>October 2026</h1><p>The report's own page stands here.")
            }),
        );
    let listener = tokio::net::TcpListener::bind(&address).await?;
    axum::serve(listener, router).await
}

async fn show(Path(name): Path<String>, Query(asked): Query<Asked>, wanted: Wanted, headers: HeaderMap) -> Response {
    let words = match asked.words.as_str() {
        "long" => Some(Words::Long),
        "rtl" => Some(Words::RightToLeft),
        "hostile" => Some(Words::Hostile),
        "empty" => None,
        _ => Some(Words::Plain),
    };
    let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let theme = if asked.theme.is_empty() { Theme::of_cookies(cookies) } else { Theme::parse(&asked.theme) };
    match render_sample(&name, words, theme, wanted) {
        Some(Ok(text)) => Html(text).into_response(),
        Some(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn asset(Path(path): Path<String>) -> Response {
    match assets::find(&path) {
        Some(asset) => (
            [(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, asset.cache_control), (ETAG, &asset.etag)],
            asset.bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Says once that something changed, then stays open.
async fn live() -> Sse<impl futures::Stream<Item = Result<Event, Infallible>>> {
    let once = futures::stream::iter([Ok(Event::default().event("change").data("1"))]);
    Sse::new(once.chain(futures::stream::pending()))
}

async fn with_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::CONTENT_SECURITY_POLICY));
    response
}
