//! Listening, and stopping without losing what is under way.

use std::future::Future;
use std::time::Duration;

use steward_app::App;
use tokio::net::TcpListener;

use crate::ingest::grpc::grpc_router;
use crate::listen::{Speaks, listen};
use crate::live::stopped;
use crate::routes::routes;
use crate::{WebConfig, WebState, edge};

/// Answers requests until `shutdown` is done, then finishes those that are under way, for as long as the
/// configuration allows. A sender that is too slow to ask, or pauses for too long, is not waited for.
pub async fn serve(
    app: App,
    config: WebConfig,
    http: TcpListener,
    grpc: Option<TcpListener>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let drain = Duration::from_secs(config.drain_seconds);
    let state = WebState::new(app, config);
    let router = edge::around(routes().into_router(), &state).with_state(state.clone());
    let mut stopping = state.stopping();
    let stop = |mut stopping| async move { stopped(&mut stopping).await };
    let until = state.clone();
    tokio::spawn(async move {
        shutdown.await;
        until.stop();
    });
    let http = listen(http, Speaks::Http, router, state.config(), stop(state.stopping()));
    let grpc = async {
        let Some(grpc) = grpc else { return };
        let router = grpc_router(&state).with_state(state.clone());
        listen(grpc, Speaks::Grpc, router, state.config(), stop(state.stopping())).await;
    };
    let too_long = async {
        stopped(&mut stopping).await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        _ = async { tokio::join!(http, grpc) } => {}
        () = too_long => tracing::warn!("stopped before every request was finished"),
    }
}
