//! Connections: taken, answered, bounded in how slowly they may ask, and finished when the program stops.

use std::future::{Future, pending};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::WebConfig;

/// Requests that one HTTP/2 connection may have under way.
const STREAMS: u32 = 64;
/// How often a silent HTTP/2 connection is asked whether it is still there, and how long it may take to say so.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(20);
/// How long no connection is taken after the system had no room for one.
const NO_ROOM: Duration = Duration::from_secs(1);

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// HTTP/1.1, and HTTP/2 to those who begin with it.
    Http,
    /// HTTP/2 alone, as gRPC does.
    Grpc,
}

/// Answers whoever connects until `shutdown` is done, then finishes what is under way.
pub(crate) async fn listen(
    listener: TcpListener,
    speaks: Speaks,
    router: Router,
    config: &WebConfig,
    shutdown: impl Future<Output = ()>,
) {
    let builder = Arc::new(builder(speaks, config));
    let first_head = Duration::from_secs(config.head_seconds);
    let connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let taken = tokio::select! {
            () = &mut shutdown => break,
            taken = listener.accept() => taken,
        };
        match taken {
            Ok((stream, from)) => {
                // Answers are small and written whole.
                let _ = stream.set_nodelay(true);
                let (builder, router, watcher) = (Arc::clone(&builder), router.clone(), connections.watcher());
                tokio::spawn(serve_connection(stream, from, builder, router, watcher, first_head));
            }
            // It was gone again before it was taken.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no connection could be taken");
                tokio::time::sleep(NO_ROOM).await;
            }
        }
    }
    drop(listener);
    connections.shutdown().await;
}

fn builder(speaks: Speaks, config: &WebConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(config.idle_seconds));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER);
    match speaks {
        Speaks::Http => builder,
        Speaks::Grpc => builder.http2_only(),
    }
}

async fn serve_connection(
    stream: TcpStream,
    from: SocketAddr,
    builder: Arc<Builder<TokioExecutor>>,
    router: Router,
    watcher: Watcher,
    first_head: Duration,
) {
    let has_asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&has_asked);
    let service = router.map_request(move |request: axum::http::Request<hyper::body::Incoming>| -> Request {
        asks.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        request
    });
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    // Before its first request a connection is in nobody's timeouts: not even its version is known.
    let too_slow = async {
        tokio::time::sleep(first_head).await;
        if has_asked.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    };
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(error = &*error, "a connection broke off");
            }
        }
        () = too_slow => tracing::debug!("a connection that asked for nothing was closed"),
    }
}
