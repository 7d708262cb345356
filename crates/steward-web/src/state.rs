//! What every handler may use.

use std::sync::Arc;

use steward_app::App;
use tokio::sync::{Semaphore, watch};

use crate::WebConfig;
use crate::meters::Meters;
use crate::request_ids::RequestIds;

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
    /// Kibibytes that bodies, and what they become, may still take in memory.
    body_room: Arc<Semaphore>,
    live_room: Arc<Semaphore>,
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
