//! What is counted for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// What kind of thing a request asks for: how it is counted, and in which form it learns what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RouteClass {
    /// What agents send.
    Ingest,
    /// The API for programs.
    Api,
    /// Pages for people.
    Page,
    /// Files that pages need.
    Asset,
    /// Streams of what changes.
    Live,
    /// Questions about the program itself.
    Health,
}

impl RouteClass {
    const ALL: [Self; 6] = [Self::Ingest, Self::Api, Self::Page, Self::Asset, Self::Live, Self::Health];

    /// The class of a path.
    #[must_use]
    pub(crate) fn of(path: &str) -> Self {
        let under = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if under("/v1") || under("/api/public") {
            Self::Ingest
        } else if under("/api") {
            Self::Api
        } else if under("/assets") || path == "/favicon.ico" {
            Self::Asset
        } else if under("/live") {
            Self::Live
        } else if matches!(path, "/healthz" | "/readyz" | "/metrics") {
            Self::Health
        } else {
            Self::Page
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Api => "api",
            Self::Page => "page",
            Self::Asset => "asset",
            Self::Live => "live",
            Self::Health => "health",
        }
    }
}

/// Counters of one process, since it started.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    /// By class, and by the first digit of the status.
    requests: [[AtomicU64; 5]; RouteClass::ALL.len()],
    pub(crate) accepted: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) body_bytes: AtomicU64,
}

impl Meters {
    /// Counts an answer.
    pub(crate) fn count(&self, class: RouteClass, status: u16) {
        let digit = usize::from(status / 100).clamp(1, 5) - 1;
        if let Some(counter) = self.requests.get(class as usize).and_then(|digits| digits.get(digit)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Everything in Prometheus's text format.
    pub(crate) fn text(&self, n_steps_waiting: usize) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(String, u64)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut requests = Vec::new();
        for class in RouteClass::ALL {
            for (digit, counter) in (1..).zip(&self.requests[class as usize]) {
                let n = read(counter);
                if n > 0 {
                    requests.push((format!("{{class=\"{}\",status=\"{digit}xx\"}}", class.as_str()), n));
                }
            }
        }
        metric("steward_requests_total", "counter", "Requests answered, by class and status.", &requests);
        let one = |value| [(String::new(), value)];
        metric("steward_steps_accepted_total", "counter", "Spans and steps taken in.", &one(read(&self.accepted)));
        metric("steward_steps_rejected_total", "counter", "Spans and runs refused.", &one(read(&self.rejected)));
        metric(
            "steward_ingest_bytes_total",
            "counter",
            "Bytes of telemetry after decompression.",
            &one(read(&self.body_bytes)),
        );
        let waiting = u64::try_from(n_steps_waiting).unwrap_or(u64::MAX);
        metric("steward_steps_waiting", "gauge", "Steps on disk that are not yet part of a run.", &one(waiting));
        text
    }
}
