//! Ids of requests: in the answer's `X-Request-Id`, in problem documents and in the log, so that one finds the other.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// An id of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestId {
    process: u32,
    count: u64,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req_{:08x}{:08x}", self.process, self.count)
    }
}

/// Counts requests of one process.
#[derive(Debug)]
pub(crate) struct RequestIds {
    process: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// Counts under the last digits of an id that was made for this process.
    pub(crate) fn new(id: Uuid) -> Self {
        // The low bits are the random ones, so the cut is meant.
        Self { process: (id.as_u128() & 0xffff_ffff) as u32, next: AtomicU64::new(1) }
    }

    /// The next id.
    pub(crate) fn make(&self) -> RequestId {
        RequestId { process: self.process, count: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}
