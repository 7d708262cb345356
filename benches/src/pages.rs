//! Pages, a monthly report's figures and PDF, and readiness, over a folder of many runs in one workflow.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::json;
use steward_app::App;
use steward_app::figures::Scope;
use steward_core::clients::{Client, ClientSettings};
use steward_core::ids::{ClientId, WorkflowId};
use steward_core::outcome::Outcome;
use steward_core::rules::{Condition, OutcomeRule};
use steward_core::time::{DAY_MICROS, Month, Timestamp};
use steward_core::workflow::{Workflow, WorkflowSettings};
use steward_store::system::InboxKind;
use steward_store::tenant::RunFilter;

use crate::batch::{Batch, SPANS_A_TRACE, request};
use crate::http::Connection;
use crate::server::{self, Server};
use crate::{say, write_json};

/// Pages, reports and readiness over a folder of many runs.
#[derive(Debug, Args)]
pub struct Pages {
    /// How many runs in one workflow, over 90 days.
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
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

/// Runs in one payload.
const RUNS_A_PAYLOAD: u64 = 10;
/// Steps of a run: pages and reports read runs and tallies, and steps only of the run that is looked at.
const STEPS_A_RUN: usize = 3;

impl Pages {
    pub fn run(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let url =
            self.postgres.clone().unwrap_or_else(|| format!("sqlite:{}", self.folder.join("steward.db").display()));
        let runtime = tokio::runtime::Runtime::new()?;
        let (cookie, workflow_id, runs, report) = runtime.block_on(async {
            let app = server::open(&url).await?;
            let agencies = app.store().list_agencies().await?;
            let (actor, workflow) = match agencies.first() {
                Some(agency) => {
                    let person =
                        app.agency(agency.id).list_people().await?.into_iter().next().context("nobody is there")?;
                    let actor = steward_app::Actor {
                        person_id: person.id,
                        name: person.name,
                        role: person.role,
                        agency_id: agency.id,
                        clients: None,
                    };
                    let workflow =
                        app.agency(agency.id).list_workflows().await?.into_iter().next().context("no workflow")?;
                    (actor, workflow)
                }
                None => fill(&app, self.runs).await?,
            };
            let client_id = workflow.client_id.context("the workflow has a client")?;
            let zone = app.agency(actor.agency_id).find_agency().await?.context("agency")?.zone();
            let month = Month::of(app.clock().now(), &zone).before();
            let report = measure_report(&app, &actor, client_id, month).await?;
            let runs = app.agency(actor.agency_id).count_runs(&RunFilter::default(), u32::MAX).await?;
            let link = app.make_link(actor.agency_id, actor.person_id, 60).await?;
            let session = app.use_link(&link).await?.secret;
            app.store().clone().close().await?;
            anyhow::Ok((session.reveal().to_owned(), workflow.id, runs, report))
        })?;
        let server = Server::start(&url)?;
        let ready_ms = server.ready_after.as_secs_f64() * 1e3;
        say(format!("runs                          {runs}"));
        say(format!("ready after                   {ready_ms:.0} ms"));
        let mut connection = Connection::open(server.address)?;
        let headers = format!("Cookie: steward_session={cookie}\r\n");
        let pages = [
            ("Today", "/".to_owned()),
            ("workflow", format!("/workflows/{workflow_id}")),
            ("runs", "/runs".to_owned()),
            ("runs, failed ones", "/runs?outcome=failed".to_owned()),
        ];
        let mut measured = Vec::new();
        for (name, path) in pages {
            let mut took = Vec::new();
            for _ in 0..self.times {
                let started = Instant::now();
                let answer = connection.get(&path, &headers)?;
                took.push(started.elapsed());
                ensure!(answer.status == 200, "{path} answered {}", answer.status);
            }
            took.sort_unstable();
            let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
            let (p50_ms, p95_ms) = (at(0.5), at(0.95));
            say(format!("{name:<29} p50 {p50_ms:.1} ms, p95 {p95_ms:.1} ms"));
            measured.push(json!({ "page": name, "p50_ms": p50_ms, "p95_ms": p95_ms }));
        }
        let (figures, pdf) = report;
        let (figures_ms, pdf_ms) = (figures.as_secs_f64() * 1e3, pdf.as_secs_f64() * 1e3);
        let peak = server.peak_megabytes()?;
        say(format!("monthly report, figures       {figures_ms:.0} ms"));
        say(format!("monthly report, PDF           {pdf_ms:.0} ms"));
        say(format!("peak memory                   {peak:.0} MB"));
        let figures = json!({
            "runs": runs,
            "ready_ms": ready_ms,
            "pages": measured,
            "report_figures_ms": figures_ms,
            "report_pdf_ms": pdf_ms,
            "peak_megabytes": peak,
        });
        write_json(self.json.as_deref(), &figures)
    }
}

async fn measure_report(
    app: &App,
    actor: &steward_app::Actor,
    client: ClientId,
    month: Month,
) -> anyhow::Result<(Duration, Duration)> {
    let mut figures = Vec::new();
    for _ in 0..5 {
        let started = Instant::now();
        app.report_json(actor, client, month).await?;
        figures.push(started.elapsed());
    }
    figures.sort_unstable();
    let id = app.draft_report(actor, client, month).await?;
    let mut pdfs = Vec::new();
    for _ in 0..3 {
        let started = Instant::now();
        app.report_pdf(actor, id).await?;
        pdfs.push(started.elapsed());
    }
    pdfs.sort_unstable();
    app.delete_draft(actor, id).await?;
    Ok((figures[2], pdfs[1]))
}

/// The first steps of each trace.
fn shortened(mut request: ExportTraceServiceRequest) -> ExportTraceServiceRequest {
    for scope in request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        let mut n = 0;
        scope.spans.retain(|_| {
            n += 1;
            (n - 1) % SPANS_A_TRACE < STEPS_A_RUN
        });
    }
    request
}

/// Fills a database with runs of one workflow, spread over 90 days.
async fn fill(app: &App, runs: u64) -> anyhow::Result<(steward_app::Actor, Workflow)> {
    let actor = server::set_up(app).await?;
    let store = app.agency(actor.agency_id);
    let now = app.clock().now();
    let client = Client {
        id: ClientId::from_uuid(app.ids().make()),
        name: "Bench client".to_owned(),
        settings: ClientSettings::default(),
        created_at: now,
        archived_at: None,
    };
    store.create_client(&client).await?;
    let failed = OutcomeRule {
        outcome: Outcome::Failed,
        when: vec![
            Condition::ToolSucceeded { tool: "refund_order".to_owned() },
            Condition::AttributeIs { key: "app.context.1".to_owned(), value: "value 1 of order 33".to_owned() },
        ],
    };
    let completed = OutcomeRule {
        outcome: Outcome::Completed,
        when: vec![Condition::ToolSucceeded { tool: "look_up_order".to_owned() }],
    };
    let workflow = Workflow {
        id: WorkflowId::from_uuid(app.ids().make()),
        client_id: Some(client.id),
        name: "Bench agent".to_owned(),
        source_name: "bench-agent".to_owned(),
        settings: WorkflowSettings { outcome_rules: vec![failed, completed], ..WorkflowSettings::default() },
        settings_version: 1,
        created_at: now,
        archived_at: None,
    };
    store.record_workflow(&workflow).await?;
    let n_payloads = runs / RUNS_A_PAYLOAD;
    let step_micros = 90 * DAY_MICROS / i64::try_from(n_payloads.max(1))?;
    let started = Instant::now();
    let mut payloads = Vec::new();
    for n in 0..n_payloads {
        let at = Timestamp(now.0 - 90 * DAY_MICROS + step_micros * i64::try_from(n)?);
        let mut batch = Batch::of(shortened(request(u64::try_from(at.0)? * 1_000)));
        payloads.push((at, InboxKind::OtlpProtobuf, batch.numbered(n).to_vec()));
        if payloads.len() == 200 || n + 1 == n_payloads {
            app.accept_past(actor.agency_id, std::mem::take(&mut payloads)).await?;
            app.assemble_waiting().await?;
            if n % 20_000 < 200 {
                say(format!(
                    "filling: {} of {runs} runs, {:.0} s",
                    (n + 1) * RUNS_A_PAYLOAD,
                    started.elapsed().as_secs_f64()
                ));
            }
        }
    }
    app.store().tidy().await?;
    let _ = app.figures(&actor, &Scope::default(), app.last_days(&actor, 30).await?).await?;
    Ok((actor, workflow))
}
