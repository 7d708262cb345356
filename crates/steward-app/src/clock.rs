//! The one place that reads the wall clock and draws random numbers.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use steward_core::time::Timestamp;
use uuid::Uuid;

/// Tells the time: the machine's, or a test's.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    fixed: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still until it is moved.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self { fixed: Some(Arc::new(AtomicI64::new(at.0))) }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.fixed {
            Some(at) => Timestamp(at.load(Ordering::Relaxed)),
            None => system_now(),
        }
    }

    /// Moves a fixed clock; does nothing to the machine's.
    pub fn advance_ms(&self, ms: i64) {
        if let Some(at) = &self.fixed {
            at.fetch_add(ms.saturating_mul(1_000), Ordering::Relaxed);
        }
    }

    /// Sets a fixed clock; does nothing to the machine's.
    pub fn set(&self, now: Timestamp) {
        if let Some(at) = &self.fixed {
            at.store(now.0, Ordering::Relaxed);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn system_now() -> Timestamp {
    Timestamp::from_jiff(jiff::Timestamp::now())
}

/// Makes ids and secrets: random ones, or a test's.
#[derive(Debug, Clone, Default)]
pub struct IdSource {
    counted: Option<Arc<AtomicU64>>,
}

/// The last id that was made, so that ids of one process always rise.
static LAST: Mutex<u128> = Mutex::new(0);

impl IdSource {
    /// Random UUIDv7 ids.
    #[must_use]
    pub fn random() -> Self {
        Self::default()
    }

    /// Ids that count up from one, and secrets that follow from them.
    #[must_use]
    pub fn counted() -> Self {
        Self { counted: Some(Arc::new(AtomicU64::new(1))) }
    }

    /// Makes an id; ids that one process makes rise in order.
    #[must_use]
    pub fn make(&self) -> Uuid {
        match &self.counted {
            Some(next) => Uuid::from_u128(u128::from(next.fetch_add(1, Ordering::Relaxed))),
            None => rising(),
        }
    }

    /// Makes 32 bytes that nobody can guess.
    ///
    /// # Panics
    ///
    /// When the operating system gives no random bytes: nothing can be kept secret then.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        match &self.counted {
            Some(next) => bytes[..8].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_be_bytes()),
            #[expect(
                clippy::expect_used,
                reason = "without randomness no secret can be made, and going on would be worse"
            )]
            None => getrandom::fill(&mut bytes).expect("the operating system gives random bytes"),
        }
        bytes
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that draws random ids")]
fn rising() -> Uuid {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let id = Uuid::now_v7().as_u128().max(*last + 1);
    *last = id;
    Uuid::from_u128(id)
}
