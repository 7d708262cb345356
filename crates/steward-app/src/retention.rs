//! Retention: raw payloads go first, then steps, then runs; tallies, reports, audit entries and money stay.

use steward_core::time::Timestamp;

use crate::{App, AppError};

/// How long things are kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Raw payloads.
    pub raw_days: u32,
    /// Steps of runs.
    pub steps_days: u32,
    /// Runs.
    pub runs_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { raw_days: 30, steps_days: 180, runs_days: 730 }
    }
}

/// What was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Raw payloads.
    pub raw: u64,
    /// Runs whose steps were dropped.
    pub steps: u64,
    /// Runs.
    pub runs: u64,
}

/// Rows that one transaction drops, so that writers never wait long.
const ROWS_AT_ONCE: u32 = 500;

impl App {
    /// Drops what is older than its time, in all agencies.
    ///
    /// # Errors
    ///
    /// An [`AppError`] when the database does not answer. What is dropped stays dropped.
    pub async fn apply_retention(&self, retention: Retention) -> Result<Dropped, AppError> {
        let now = self.clock().now();
        let before = |days: u32| Timestamp(now.0 - i64::from(days) * steward_core::time::DAY_MICROS);
        let mut dropped = Dropped::default();
        for agency in self.store().list_agencies().await? {
            let store = self.agency(agency.id);
            self.drop_old_mistakes(agency.id).await?;
            self.drop_old_answers(agency.id).await?;
            loop {
                let n = store.drop_inbox(before(retention.raw_days), ROWS_AT_ONCE).await?;
                dropped.raw += n;
                if n < u64::from(ROWS_AT_ONCE) {
                    break;
                }
            }
            loop {
                let n = store.drop_steps(before(retention.steps_days), ROWS_AT_ONCE).await?;
                dropped.steps += n;
                if n < u64::from(ROWS_AT_ONCE) {
                    break;
                }
            }
            loop {
                let n = store.drop_runs(before(retention.runs_days), ROWS_AT_ONCE).await?;
                dropped.runs += n;
                if n < u64::from(ROWS_AT_ONCE) {
                    break;
                }
            }
        }
        Ok(dropped)
    }
}
