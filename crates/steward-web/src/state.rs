//! What every handler may use.

use std::sync::Arc;

use steward_app::App;
use tokio::sync::{Semaphore, watch};

use crate::WebConfig;
use crate::meters::Meters;
use crate::request_ids::RequestIds;

/// Payloads above this size are decoded one after the other.
const LARGE_BODY_BYTES: usize = 4 * 1024 * 1024;

/// What every handler may use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WebState {
    /// The use cases.
    pub app: App,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: WebConfig,
    meters: Meters,
    request_ids: RequestIds,
    /// Kibibytes of bodies that may still come into memory.
    body_room: Arc<Semaphore>,
    live_room: Arc<Semaphore>,
    /// Decoding takes several times a payload's size: large ones go one after the other.
    large_bodies: Semaphore,
    stopping: watch::Sender<bool>,
}

impl WebState {
    /// Puts handlers over an application.
    #[must_use]
    pub fn new(app: App, config: WebConfig) -> Self {
        let inner = Inner {
            meters: Meters::default(),
            request_ids: RequestIds::new(app.ids().make()),
            body_room: Arc::new(Semaphore::new(config.max_bytes_in_flight / 1024)),
            live_room: Arc::new(Semaphore::new(config.max_live)),
            large_bodies: Semaphore::new(1),
            stopping: watch::Sender::new(false),
            config,
        };
        Self { app, inner: Arc::new(inner) }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &WebConfig {
        &self.inner.config
    }

    /// Whether people reach the program over HTTPS, so that cookies may say so.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.app.public_url().starts_with("https://")
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.inner.meters
    }

    pub(crate) fn request_ids(&self) -> &RequestIds {
        &self.inner.request_ids
    }

    pub(crate) fn body_room(&self) -> &Arc<Semaphore> {
        &self.inner.body_room
    }

    /// Where a payload of so many bytes waits for its turn. `None` when it need not.
    pub(crate) fn large_body_turn(&self, n_bytes: usize) -> Option<&Semaphore> {
        (n_bytes > LARGE_BODY_BYTES).then_some(&self.inner.large_bodies)
    }

    pub(crate) fn live_room(&self) -> &Arc<Semaphore> {
        &self.inner.live_room
    }

    /// Tells streams to end, because the program stops.
    pub(crate) fn stop(&self) {
        self.inner.stopping.send_replace(true);
    }

    /// Whether the program stops, and a way to wait for it.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }
}
