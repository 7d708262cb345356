//! What runs outside a request: the engine that claims jobs and the housekeeping that comes round by itself.
//!
//! Each job is a call into the use cases; any number of processes may run this over one database, and none does
//! what another does, because a job is claimed with a lease.

mod fetch;
mod handoff;
mod poll;

use std::time::Duration;

use steward_app::App;
use steward_app::retention::Retention;
use tokio::sync::watch;

pub use handoff::{MailSecurity, MailServer, hand_over};
pub use poll::poll;

/// How often the queue is looked at when it was empty, for what other processes put into it.
const PAUSE: Duration = Duration::from_millis(1_000);
/// How often retention and tidying come round.
const HOUSEKEEPING: Duration = Duration::from_secs(900);

/// Runs jobs and housekeeping until told to stop; a job that is under way is finished first.
pub async fn run(app: App, retention: Retention, mut stop: watch::Receiver<bool>) {
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    housekeeping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The first tick comes at once; a program that just started has better things to do.
    housekeeping.tick().await;
    loop {
        let worked = match app.do_next_job().await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the job queue could not be read");
                false
            }
        };
        if *stop.borrow() {
            return;
        }
        if worked {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = app.job_queued() => {}
            _ = housekeeping.tick() => keep_house(&app, retention).await,
            _ = stop.changed() => return,
        }
    }
}

async fn keep_house(app: &App, retention: Retention) {
    match app.apply_retention(retention).await {
        Ok(dropped) if dropped != steward_app::retention::Dropped::default() => {
            tracing::info!(dropped.raw, dropped.steps, dropped.runs, "retention dropped what was due");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "retention could not finish"),
    }
    let now = app.clock().now();
    for result in [app.store().tidy_sign_in(now).await, app.store().tidy_handoff(now).await, app.store().tidy().await] {
        if let Err(error) = result {
            tracing::warn!(error = &error as &dyn std::error::Error, "housekeeping could not finish");
        }
    }
}
