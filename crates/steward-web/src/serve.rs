//! Listening, and stopping without losing what is under way.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use steward_app::App;
use tokio::net::TcpListener;

use crate::live::stopped;
use crate::routes::routes;
use crate::{WebConfig, WebState, edge};

/// Answers requests until `shutdown` is done, then finishes those that are under way, for as long as the
/// configuration allows.
///
/// # Errors
///
/// When a listener fails.
pub async fn serve(
    app: App,
    config: WebConfig,
    http: TcpListener,
    grpc: Option<TcpListener>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
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
    let http = axum::serve(http, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stop(state.stopping()));
    let grpc = crate::ingest::grpc::serve(state.clone(), grpc, stop(state.stopping()));
    let both = async { tokio::try_join!(async { http.await }, grpc).map(|_| ()) };
    let too_long = async {
        stopped(&mut stopping).await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        result = both => result,
        () = too_long => {
            tracing::warn!("stopped before every request was finished");
            Ok(())
        }
    }
}
