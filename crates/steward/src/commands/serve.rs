//! `steward serve`: pages, the API and intake, and the work behind them.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use steward_app::App;
use steward_web::WebConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Config;
use crate::{open, terminal};

/// Serves pages, the API and intake.
#[derive(Debug, Args)]
pub struct Serve {
    /// Where pages, the API and intake over HTTP listen. Overrides the configuration.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where intake over OTLP/gRPC listens; `off` turns it off. Overrides the configuration.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_grpc: Option<String>,
}

impl Serve {
    pub async fn run(self, mut config: Config) -> anyhow::Result<()> {
        override_listeners(&mut config, self.listen, self.listen_grpc);
        open::start_log(&config)?;
        let listeners = Listeners::bind(&config).await?;
        let app = open::open(&config).await?;
        if app.is_set_up().await? {
            terminal::say(format!("Steward is ready at {}", config.public_url()));
        } else {
            terminal::say(format!("Steward is ready. Set it up at {}/setup", config.public_url()));
        }
        serve(app, &config, listeners).await
    }
}

/// What the command line says of listeners goes over the configuration.
pub fn override_listeners(config: &mut Config, listen: Option<SocketAddr>, listen_grpc: Option<String>) {
    if let Some(listen) = listen {
        config.listen = listen;
    }
    match listen_grpc.as_deref() {
        Some("off") => config.listen_grpc.clear(),
        Some(listen) => listen.clone_into(&mut config.listen_grpc),
        None => {}
    }
}

/// The sockets, bound before anything else so that a port in use is said at once.
pub struct Listeners {
    http: TcpListener,
    grpc: Option<TcpListener>,
}

impl Listeners {
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let bind = |address: String, key: &'static str| async move {
            TcpListener::bind(&address).await.with_context(|| {
                format!("{address} cannot be listened on: choose another with --{}", key.replace('_', "-"))
            })
        };
        let http = bind(config.listen.to_string(), "listen").await?;
        let grpc = if config.listen_grpc.is_empty() {
            None
        } else {
            Some(bind(config.listen_grpc.clone(), "listen_grpc").await?)
        };
        Ok(Self { http, grpc })
    }
}

/// Serves until asked to stop; then finishes what is under way.
pub async fn serve(app: App, config: &Config, listeners: Listeners) -> anyhow::Result<()> {
    if app.store().is_sqlite() {
        // One process owns a SQLite database: whatever another one held, it holds no more.
        app.store().release_inbox().await.context("the inbox cannot be read")?;
    }
    app.start();
    let (stop, stopped) = watch::channel(false);
    let polling = tokio::spawn(steward_jobs::poll(app.clone(), config.allow_link_local, stopped.clone()));
    let allows_private = config.handoff.allow_private_addresses;
    let sending =
        tokio::spawn(steward_jobs::hand_over(app.clone(), config.mail_server()?, allows_private, stopped.clone()));
    let jobs = tokio::spawn(steward_jobs::run(app.clone(), config.retention(), stopped));
    let web = WebConfig { trust_forwarded_for: config.trust_forwarded_for, ..WebConfig::default() };
    steward_web::serve(app, web, listeners.http, listeners.grpc, asked_to_stop()).await;
    let _ = stop.send(true);
    // A job that takes longer is claimed again when its lease is over.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), jobs).await;
    // A look that is cut off goes on when its hold is over.
    polling.abort();
    // What is cut off while it is sent is sent again when its hold is over.
    sending.abort();
    Ok(())
}

async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            let _ = interrupt.await;
            return;
        };
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
}
