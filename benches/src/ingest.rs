//! Spans a second, acknowledged after commit, from four connections of one sender on the same machine.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;
use steward_store::tenant::RunFilter;

use crate::batch::{Batch, SPANS};
use crate::http::Connection;
use crate::server::{self, Server};
use crate::{say, write_json};

/// Spans a second, acknowledged after commit and assembled into runs and tallies.
#[derive(Debug, Args)]
pub struct Ingest {
    /// For how long to send.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Over how many connections.
    #[arg(long, default_value_t = 4)]
    connections: u64,
    /// A PostgreSQL database, which must be empty; without it a new SQLite folder.
    #[arg(long)]
    postgres: Option<String>,
    /// The instant at which spans end, in nanoseconds since the epoch; now, unless given. With the same instant the
    /// first batches are, byte for byte, those that `batches` writes.
    #[arg(long)]
    now_nanos: Option<u64>,
    /// A file to write the figures to as well, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

impl Ingest {
    pub fn run(&self) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let url =
            self.postgres.clone().unwrap_or_else(|| format!("sqlite:{}", folder.path().join("steward.db").display()));
        let runtime = tokio::runtime::Runtime::new()?;
        let (actor, key) = runtime.block_on(async {
            let app = server::open(&url).await?;
            let actor = server::set_up(&app).await?;
            let key = server::make_key(&app, &actor).await?;
            app.store().clone().close().await?;
            anyhow::Ok((actor, key))
        })?;
        let server = Server::start(&url)?;
        let headers = format!("Content-Type: application/x-protobuf\r\nAuthorization: Bearer {}\r\n", key.reveal());
        let now_nanos = match self.now_nanos {
            Some(nanos) => nanos,
            None => u64::try_from(std::time::UNIX_EPOCH.elapsed().context("the clock is before 1970")?.as_nanos())?,
        };
        let batch = Batch::new(now_nanos);
        let sent = AtomicU64::new(0);
        let stop = AtomicBool::new(false);
        let acknowledged = AtomicU64::new(0);
        let refused = AtomicU64::new(0);
        let started = Instant::now();
        let elapsed = std::thread::scope(|scope| -> anyhow::Result<Duration> {
            let senders: Vec<_> = (0..self.connections)
                .map(|_| {
                    let (mut batch, headers, stop, sent, acknowledged, refused) =
                        (batch.clone(), &headers, &stop, &sent, &acknowledged, &refused);
                    let address = server.address;
                    scope.spawn(move || -> anyhow::Result<()> {
                        let mut connection = Connection::open(address)?;
                        while !stop.load(Ordering::Relaxed) {
                            let number = sent.fetch_add(1, Ordering::Relaxed) + 1;
                            let answer = connection.post("/v1/traces", headers, batch.numbered(number))?;
                            let counter = if answer.status == 200 { acknowledged } else { refused };
                            counter.fetch_add(SPANS as u64, Ordering::Relaxed);
                        }
                        Ok(())
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_secs(self.seconds));
            stop.store(true, Ordering::Relaxed);
            for sender in senders {
                sender.join().ok().context("a sender panicked")??;
            }
            Ok(started.elapsed())
        })?;
        let mut connection = Connection::open(server.address)?;
        let stopped = Instant::now();
        while server.metric(&mut connection, "steward_steps_waiting")? > 0.0 {
            ensure!(stopped.elapsed() < Duration::from_secs(120), "assembly did not finish");
            std::thread::sleep(Duration::from_millis(10));
        }
        let lag = stopped.elapsed();
        let (peak, cpu) = (server.peak_megabytes()?, server.cpu_seconds()?);
        drop(server);
        let spans = acknowledged.load(Ordering::Relaxed);
        let runs = runtime.block_on(async {
            let app = server::open(&url).await?;
            let store = app.agency(actor.agency_id);
            anyhow::Ok(store.count_runs(&RunFilter::default(), u32::MAX).await?)
        })?;
        ensure!(runs * 10 == spans, "{spans} spans were acknowledged, and {runs} runs of ten spans are there");
        let database = if self.postgres.is_some() { "PostgreSQL" } else { "SQLite" };
        let refused = refused.load(Ordering::Relaxed);
        let (seconds, lag_seconds) = (elapsed.as_secs_f64(), lag.as_secs_f64());
        let rate = spans as f64 / seconds;
        let cpu_micros_a_span = cpu * 1e6 / spans as f64;
        say(format!("database              {database}"));
        say(format!("acknowledged          {spans} spans in {seconds:.1} s, {refused} refused"));
        say(format!("rate                  {rate:.0} spans/s"));
        say(format!("lag after the load    {lag_seconds:.2} s"));
        say(format!("peak memory           {peak:.0} MB"));
        say(format!("server processor      {cpu_micros_a_span:.1} µs a span"));
        say(format!("runs assembled        {runs}, every acknowledged span in exactly one"));
        let figures = json!({
            "database": database,
            "spans": spans,
            "refused": refused,
            "seconds": seconds,
            "spans_per_second": rate,
            // Stored and counted, as others are measured: what waited at the end of the load is waited for.
            "stored_per_second": spans as f64 / (seconds + lag_seconds),
            "lag_seconds": lag_seconds,
            "peak_megabytes": peak,
            "cpu_micros_a_span": cpu_micros_a_span,
        });
        write_json(self.json.as_deref(), &figures)
    }
}
