//! Asks platforms for what their webhooks lost, two connections at a time, beside the queue of jobs: a platform that
//! answers slowly holds up no job, and not the rest.

use std::time::Duration;

use steward_app::App;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fetch::{Fetcher, Reach};

/// How often connections that are due are looked for.
const PAUSE: Duration = Duration::from_secs(2);
/// Connections that one process asks at once.
const AT_ONCE: usize = 2;

/// Asks platforms until told to stop. `allows_link_local` also lets it ask at link-local addresses.
pub async fn poll(app: App, allows_link_local: bool, stop: watch::Receiver<bool>) {
    let reach = if allows_link_local { Reach::All } else { Reach::Private };
    let fetcher = match Fetcher::new(reach) {
        Ok(fetcher) => fetcher,
        Err(error) => {
            tracing::error!(%error, "platforms are not asked for their runs");
            return;
        }
    };
    let mut pollers = JoinSet::new();
    for _ in 0..AT_ONCE {
        pollers.spawn(poll_in_turn(app.clone(), fetcher.clone(), stop.clone()));
    }
    while pollers.join_next().await.is_some() {}
}

async fn poll_in_turn(app: App, fetcher: Fetcher, mut stop: watch::Receiver<bool>) {
    loop {
        let asked = match app.poll_next(|request| fetcher.fetch(request)).await {
            Ok(asked) => asked,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "connections could not be looked through");
                false
            }
        };
        if *stop.borrow() {
            return;
        }
        if asked {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.changed() => return,
        }
    }
}

#[cfg(test)]
mod tests;
