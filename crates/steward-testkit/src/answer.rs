//! An answer, read to its end.

use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// Reads a response to its end.
    ///
    /// # Panics
    ///
    /// When its body breaks off.
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub async fn of(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// When it is not UTF-8.
    #[must_use]
    #[expect(clippy::expect_used, reason = "in tests a panic is the report")]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[must_use]
    #[expect(clippy::panic, reason = "in tests a panic is the report")]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// A header's first value; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The status and the body, for snapshots.
    #[must_use]
    pub fn in_short(&self) -> String {
        let body = String::from_utf8_lossy(&self.body);
        let location = self.header("location");
        let location = if location.is_empty() { String::new() } else { format!(" → {location}") };
        if body.is_empty() {
            format!("{}{location}", self.status)
        } else {
            format!("{}{location}\n{body}", self.status)
        }
    }
}
