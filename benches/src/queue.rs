//! The queue under a full load: 100,000 open exceptions in 5,000 patterns. How long its pages take in every order and
//! with every filter, and how long one judgement on 10,000 items.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::{Value, json};
use steward_app::tenant::{PatternFilter, PatternListed, PatternSort, QueueFilter, QueueSort};
use steward_app::workflows::NewWorkflow;
use steward_app::{Actor, App};
use steward_core::ids::WorkflowId;
use steward_core::money::Nanos;
use steward_core::time::DAY_MICROS;
use steward_core::workflow::{ValueBasis, WorkflowSettings};
use steward_store::system::InboxKind;

use crate::http::Connection;
use crate::server::{self, Server};
use crate::{say, write_json};

/// Pages of the queue and bulk reviews over many open exceptions.
#[derive(Debug, Args)]
pub struct Queue {
    /// How many open exceptions, over 29 days.
    #[arg(long, default_value_t = 100_000)]
    items: u64,
    /// In how many patterns, beside the one that the bulk review is about.
    #[arg(long, default_value_t = 5_000)]
    patterns: u64,
    /// How many of the exceptions are of the pattern of the bulk review.
    #[arg(long, default_value_t = 10_000)]
    bulk: u64,
    /// The folder to fill, or to use again when it is filled.
    #[arg(long)]
    folder: PathBuf,
    /// A PostgreSQL database instead of the folder; used again when it is filled.
    #[arg(long)]
    postgres: Option<String>,
    /// How often each page is asked for.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// A file to write the figures to as well, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Workflows that share the exceptions, the first of which has the pattern of the bulk review.
const WORKFLOWS: u64 = 10;
/// PostgreSQL looks after new rows once a minute, so that indexes alone answer. A queue of this size has grown for weeks.
const POSTGRES_LOOKS_AFTER: Duration = Duration::from_secs(90);
/// Runs that one transaction of filling takes in.
const RUNS_AT_ONCE: usize = 2_000;
/// What the pattern of the bulk review says.
const BULK_TEMPLATE: &str = "the calendar of the practice did not answer";

impl Queue {
    pub fn run(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let url =
            self.postgres.clone().unwrap_or_else(|| format!("sqlite:{}", self.folder.join("steward.db").display()));
        let runtime = tokio::runtime::Runtime::new()?;
        let prepared = runtime.block_on(self.prepare(&url))?;
        let server = Server::start(&url)?;
        let mut connection = Connection::open(server.address)?;
        let headers = format!(
            "Cookie: steward_session={}\r\nX-CSRF-Token: {}\r\nContent-Type: application/json\r\n",
            prepared.cookie, prepared.csrf
        );
        say(format!("open exceptions               {} in {} patterns", prepared.open, prepared.n_patterns));
        let mut measured = Vec::new();
        for (name, path) in prepared.pages() {
            let mut took = Vec::new();
            for _ in 0..self.times {
                let started = Instant::now();
                let answer = connection.get(&path, &headers)?;
                took.push(started.elapsed());
                ensure!(answer.status == 200, "{path} answered {}", answer.status);
            }
            let (p50_ms, p95_ms) = (at(&mut took, 0.5), at(&mut took, 0.95));
            say(format!("{name:<29} p50 {p50_ms:.1} ms, p95 {p95_ms:.1} ms"));
            measured.push(json!({ "page": name, "p50_ms": p50_ms, "p95_ms": p95_ms }));
        }
        let mut bulks = Vec::new();
        for _ in 0..3 {
            bulks.push(bulk(&mut connection, &headers, &prepared)?);
        }
        bulks.sort_by(|a, b| a.closed_ms.total_cmp(&b.closed_ms));
        let Bulk { n, closed_ms, opened_ms } = bulks.swap_remove(1);
        say(format!("bulk review of {n:<14} {closed_ms:.0} ms, taken back in {opened_ms:.0} ms"));
        let figures = json!({
            "open": prepared.open,
            "patterns": prepared.n_patterns,
            "pages": measured,
            "bulk_items": n,
            "bulk_ms": closed_ms,
            "bulk_undo_ms": opened_ms,
        });
        write_json(self.json.as_deref(), &figures)
    }

    async fn prepare(&self, url: &str) -> anyhow::Result<Prepared> {
        let app = server::open(url).await?;
        let actor = match app.store().list_agencies().await?.first() {
            Some(agency) => {
                let person = app.agency(agency.id).list_people().await?.into_iter().next().context("nobody")?;
                Actor {
                    person_id: person.id,
                    name: person.name,
                    role: person.role,
                    agency_id: agency.id,
                    clients: None,
                }
            }
            None => {
                let actor = self.fill(&app).await?;
                if self.postgres.is_some() {
                    say("waiting until PostgreSQL has looked after the new rows");
                    tokio::time::sleep(POSTGRES_LOOKS_AFTER).await;
                }
                actor
            }
        };
        let workflow = app.visible_workflows(&actor, false).await?.first().context("no workflow")?.id;
        let all = PatternFilter::default();
        let mut patterns: Vec<PatternListed> = Vec::new();
        let mut behind = None;
        loop {
            let page = app.list_patterns(&actor, &all, None, PatternSort::Count, behind, 200).await?;
            patterns.extend(page.patterns);
            behind = page.next;
            if behind.is_none() {
                break;
            }
        }
        let bulk = patterns.iter().find(|listed| listed.pattern.template == BULK_TEMPLATE);
        let bulk = bulk.context("the pattern of the bulk review is not there")?.pattern.id;
        let small = patterns.last().context("no pattern")?.pattern.id;
        let open = app.agency(actor.agency_id).count_queue(&QueueFilter::default(), u32::MAX).await?;
        let first = app.list_queue(&actor, &QueueFilter::default(), None, QueueSort::Rank, None, 100).await?;
        let ids: Vec<_> = first.items.iter().map(|item| item.id).collect();
        app.assign_items(&actor, &ids, Some(actor.person_id)).await?;
        let client = app.visible_clients(&actor, false).await?.first().context("no client")?.id;
        let link = app.make_link(actor.agency_id, actor.person_id, 60).await?;
        let session = app.use_link(&link).await?.secret;
        let csrf = app.find_actor(&session).await?.context("a session")?.csrf;
        app.store().tidy().await?;
        app.store().clone().close().await?;
        Ok(Prepared {
            cookie: session.reveal().to_owned(),
            csrf,
            open,
            n_patterns: patterns.len(),
            client: client.to_string(),
            workflow: workflow.to_string(),
            bulk: bulk.to_string(),
            small: small.to_string(),
        })
    }

    /// Takes runs in that each fail once, as their agents would send them, and lets the exceptions enter the queue.
    async fn fill(&self, app: &App) -> anyhow::Result<Actor> {
        let actor = server::set_up(app).await?;
        let mut workflows: Vec<WorkflowId> = Vec::new();
        for n in 0..WORKFLOWS {
            let client = app.create_client(&actor, &format!("Client {n}"), Default::default()).await?;
            let units = 1_i64 << n;
            let settings = WorkflowSettings {
                value: ValueBasis::PerCompletedRun { nanos: Nanos(units * 1_000_000_000) },
                ..WorkflowSettings::default()
            };
            let new =
                NewWorkflow { name: format!("agent-{n}"), client_id: Some(client.id), source_name: None, settings };
            workflows.push(app.create_workflow(&actor, new).await?.id);
        }
        let now = app.clock().now();
        let step_micros = 29 * DAY_MICROS / i64::try_from(self.items.max(1))?;
        let started = Instant::now();
        let mut payloads = Vec::new();
        for n in 0..self.items {
            let at = now.plus_micros(-step_micros * i64::try_from(n + 1)?);
            payloads.push((at, InboxKind::Native, self.failing(n, at.0 / 1_000_000).to_string().into_bytes()));
            if payloads.len() == RUNS_AT_ONCE || n + 1 == self.items {
                app.accept_past(actor.agency_id, std::mem::take(&mut payloads)).await?;
                app.assemble_waiting().await?;
                say(format!("filling: {} of {} runs, {:.0} s", n + 1, self.items, started.elapsed().as_secs_f64()));
            }
        }
        let started = Instant::now();
        app.mine_patterns().await?;
        let mined = started.elapsed();
        app.fill_queue().await?;
        let filled = started.elapsed() - mined;
        say(format!("mined in {:.1} s, in the queue in {:.1} s", mined.as_secs_f64(), filled.as_secs_f64()));
        Ok(actor)
    }

    /// A run whose only call fails. The first ones are of the pattern of the bulk review.
    fn failing(&self, n: u64, at: i64) -> Value {
        let (workflow, tool, message) = if n < self.bulk {
            (0, 0, BULK_TEMPLATE.to_owned())
        } else {
            // What differs in its words alone may be one pattern; what fails in another tool never is.
            let of = n % self.patterns.max(1);
            (of % WORKFLOWS, of / WORKFLOWS + 1, "the order was refused".to_owned())
        };
        json!({
            "id": format!("r{n}"), "workflow": format!("agent-{workflow}"), "outcome": "failed", "ended_at": at,
            "started_at": at - 20,
            "steps": [{
                "id": "s", "kind": "tool", "tool": format!("tool_{tool}"), "started_at": at - 19, "ended_at": at - 18,
                "error": message,
            }],
        })
    }
}

struct Prepared {
    cookie: String,
    csrf: String,
    open: u64,
    n_patterns: usize,
    client: String,
    workflow: String,
    bulk: String,
    small: String,
}

impl Prepared {
    /// Every order, and every filter that the page offers.
    fn pages(&self) -> Vec<(String, String)> {
        let mut pages = vec![
            ("queue page".to_owned(), "/queue".to_owned()),
            ("queue summary".to_owned(), "/api/v1/queue/summary".to_owned()),
        ];
        let filters = [
            ("all", String::new()),
            ("client", format!("&client={}", self.client)),
            ("workflow", format!("&workflow={}", self.workflow)),
            ("large pattern", format!("&pattern={}", self.bulk)),
            ("small pattern", format!("&pattern={}", self.small)),
            ("age", "&waiting_minutes=20160".to_owned()),
            ("value", "&least_value_nanos=400000000000".to_owned()),
            ("mine", "&assignee=mine".to_owned()),
            ("nobody's", "&assignee=nobody".to_owned()),
        ];
        for sort in ["rank", "due", "arrived"] {
            for (name, filter) in &filters {
                pages.push((format!("by {sort}, {name}"), format!("/api/v1/queue?sort={sort}{filter}")));
            }
        }
        pages
    }
}

struct Bulk {
    n: i64,
    closed_ms: f64,
    opened_ms: f64,
}

/// Judges all of the large pattern and takes it back, each timed from the request to the last item.
fn bulk(connection: &mut Connection, headers: &str, prepared: &Prepared) -> anyhow::Result<Bulk> {
    let judgement = json!({ "judgement": { "agent": "right", "cause": "tool", "resolution": "called back" } });
    let path = format!("/api/v1/patterns/{}/review", prepared.bulk);
    let started = Instant::now();
    let answer = connection.post(&path, headers, judgement.to_string().as_bytes())?;
    ensure!(answer.status == 200, "{path} answered {}", answer.status);
    let begun: Value = serde_json::from_slice(&answer.body)?;
    let id = begun["id"].as_str().context("no id")?.to_owned();
    let done = until(connection, headers, &id, "done")?;
    let closed_ms = started.elapsed().as_secs_f64() * 1e3;
    let started = Instant::now();
    let answer = connection.post(&format!("/api/v1/bulk-reviews/{id}/undo"), headers, b"")?;
    ensure!(answer.status == 200, "taking it back answered {}", answer.status);
    until(connection, headers, &id, "undone")?;
    let opened_ms = started.elapsed().as_secs_f64() * 1e3;
    Ok(Bulk { n: done["done"].as_i64().context("no number")?, closed_ms, opened_ms })
}

fn until(connection: &mut Connection, headers: &str, id: &str, state: &str) -> anyhow::Result<Value> {
    let started = Instant::now();
    loop {
        let answer = connection.get(&format!("/api/v1/bulk-reviews/{id}"), headers)?;
        ensure!(answer.status == 200, "its progress answered {}", answer.status);
        let bulk: Value = serde_json::from_slice(&answer.body)?;
        if bulk["state"] == state {
            return Ok(bulk);
        }
        ensure!(started.elapsed() < Duration::from_secs(300), "it is {} and not {state}", bulk["state"]);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A quantile in milliseconds.
fn at(took: &mut [Duration], share: f64) -> f64 {
    took.sort_unstable();
    took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
}
