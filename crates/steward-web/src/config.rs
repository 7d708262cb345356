//! What of answering requests can be set.

/// Settings of what answers requests.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The most bytes of a body as it is sent.
    pub max_body_bytes: usize,
    /// The most bytes of a body after decompression.
    pub max_inflated_bytes: usize,
    /// Bytes of memory that payloads may take at once, read ones with what they become; one alone may take half of it.
    pub max_bytes_in_flight: usize,
    /// Whether `X-Forwarded-For` is believed. Only behind a proxy of one's own that sets it.
    pub trust_forwarded_for: bool,
    /// The most pages that may listen at once for what changes.
    pub max_live: usize,
    /// How long a connection may take to ask its first question, in seconds.
    pub head_seconds: u64,
    /// How long a connection may wait with its next question, in seconds. Proxies keep theirs open for a minute.
    pub idle_seconds: u64,
    /// How long a sender may pause in the middle of a body, in seconds.
    pub body_pause_seconds: u64,
    /// How long requests that are under way may take to finish when the program stops, in seconds.
    pub drain_seconds: u64,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            max_body_bytes: 20 * 1024 * 1024,
            max_inflated_bytes: 64 * 1024 * 1024,
            max_bytes_in_flight: 256 * 1024 * 1024,
            trust_forwarded_for: false,
            max_live: 1_000,
            head_seconds: 20,
            idle_seconds: 75,
            body_pause_seconds: 20,
            drain_seconds: 20,
        }
    }
}
