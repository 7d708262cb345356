//! `steward demo`: an invented agency with 90 days of runs, in a folder of its own.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use steward_app::agencies::{AgencyChanges, NewAgency};
use steward_app::demo::Payload;
use steward_app::people::NewPerson;
use steward_app::{Actor, App, Clock, demo};
use steward_core::clients::Client;
use steward_core::exceptions::ExceptionKind;
use steward_core::ids::{AgencyId, ClientId};
use steward_core::money::Nanos;
use steward_core::patterns::PatternState;
use steward_core::people::Role;
use steward_core::queue::{QueueRule, RuleWhen};
use steward_core::time::Period;
use steward_core::workflow::Workflow;
use steward_store::system::InboxKind;
use steward_store::tenant::{
    ExceptionFilter, PatternChange, PatternFilter, PatternSort, Person, QueueFilter, QueueSort,
};

use super::serve::{Listeners, override_listeners, serve};
use crate::config::Config;
use crate::{open, terminal};

/// Fills a folder of its own with an invented agency and 90 days of runs, and serves it.
#[derive(Debug, Args)]
pub struct Demo {
    /// Where pages, the API and intake over HTTP listen.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where intake over OTLP/gRPC listens; `off` turns it off.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_grpc: Option<String>,
    /// The same seed gives the same runs.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many days of runs.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Fills the folder and stops.
    #[arg(long)]
    only_fill: bool,
}

/// The address of the demo's owner, who has no password and signs in by link.
const OWNER: &str = "owner@demo.invalid";
/// How long the demo's sign-in link holds.
const LINK_MINUTES: i64 = 24 * 60;
/// Items of the queue that are looked at together.
const QUEUE_PAGE: u32 = 500;
/// Payloads that are kept in one transaction.
const PAYLOADS_AT_ONCE: usize = 100;

impl Demo {
    pub async fn run(self, mut config: Config) -> anyhow::Result<()> {
        if config.data == Config::default().data && config.database.is_none() {
            config.data = "steward-demo".into();
        }
        override_listeners(&mut config, self.listen, self.listen_grpc.clone());
        if !config.log.contains('=') && config.log == "info" {
            "warn".clone_into(&mut config.log);
        }
        open::start_log(&config)?;
        let listeners = if self.only_fill { None } else { Some(Listeners::bind(&config).await?) };
        let app = open::open(&config).await?;
        let agency_id = match app.store().find_person_by_email(OWNER).await? {
            Some((agency_id, ..)) => agency_id,
            None => self.fill(&app).await?,
        };
        let Some(listeners) = listeners else { return Ok(()) };
        let (_, owner, _) = app.store().find_person_by_email(OWNER).await?.context("the demo's owner is gone")?;
        let link = app.make_link(agency_id, owner.id, LINK_MINUTES).await?;
        terminal::say(format!(
            "\nThe demo is ready. Open this link to sign in; it works once:\n\n  {}/sign-in/link/{}\n",
            config.public_url(),
            link.reveal()
        ));
        serve(app, &config, listeners).await
    }

    /// Makes the agency with its clients and workflows, and sends it its runs.
    async fn fill(&self, app: &App) -> anyhow::Result<AgencyId> {
        let now = app.clock().now();
        let demo = demo::agency(self.seed);
        let agency_id = app.create_agency_with_owner(NewAgency {
            agency_name: demo.agency_name,
            time_zone: demo.time_zone,
            currency: "USD".to_owned(),
            person_name: "Demo owner".to_owned(),
            email: OWNER.to_owned(),
            password: None,
        });
        let (agency_id, _) = agency_id.await?;
        let store = app.agency(agency_id);
        let long_ago = now.plus_ms(-i64::from(self.days) * 86_400_000);
        for client in demo.clients {
            let id = ClientId::from_uuid(app.ids().make());
            store
                .create_client(&Client {
                    id,
                    name: client.name,
                    settings: client.settings,
                    created_at: long_ago,
                    archived_at: None,
                })
                .await?;
            for workflow in client.workflows {
                let workflow = Workflow {
                    id: demo::workflow_id(self.seed, &workflow.source_name),
                    client_id: Some(id),
                    name: workflow.name,
                    source_name: workflow.source_name,
                    settings: workflow.settings,
                    settings_version: 1,
                    created_at: long_ago,
                    archived_at: None,
                };
                store.record_workflow(&workflow).await?;
            }
        }
        let bar = terminal::progress(u64::from(self.days), "filling the demo, days");
        let mut batch: Vec<Payload> = Vec::new();
        for payload in demo::payloads(self.seed, now, self.days) {
            let day = (payload.received_at.0 - long_ago.0).max(0) / steward_core::time::DAY_MICROS;
            bar.set_position(day.unsigned_abs());
            batch.push(payload);
            if batch.len() == PAYLOADS_AT_ONCE {
                send(app, agency_id, std::mem::take(&mut batch)).await?;
            }
        }
        send(app, agency_id, batch).await?;
        bar.finish_and_clear();
        app.mine_patterns().await?;
        look_at_patterns(app, agency_id).await?;
        self.review_queue(app, agency_id).await?;
        app.store().tidy().await?;
        Ok(agency_id)
    }
}

/// What an hour of the demo's reviewers costs, in dollars.
const REVIEWER_RATE: f64 = 32.0;
/// Whom the demo's owner works with.
const COLLEAGUE: (&str, &str) = ("Demo colleague", "colleague@demo.invalid");

impl Demo {
    /// Fills the queue, and has the demo's people review what they would have by now, each at its time.
    async fn review_queue(&self, app: &App, agency_id: AgencyId) -> anyhow::Result<()> {
        let now = app.clock().now();
        let (_, owner, _) = app.store().find_person_by_email(OWNER).await?.context("the demo's owner is gone")?;
        let owner = actor_of(agency_id, &owner);
        let rate = AgencyChanges { reviewer_rate_nanos: Nanos::from_units(REVIEWER_RATE), ..AgencyChanges::default() };
        app.update_agency(&owner, rate).await?;
        let new = NewPerson {
            name: COLLEAGUE.0.to_owned(),
            email: COLLEAGUE.1.to_owned(),
            role: Role::Operator,
            clients: Vec::new(),
        };
        let (colleague, _) = app.invite_person(&owner, new).await?;
        let colleague = actor_of(agency_id, &colleague.person);
        let rules = [
            (ExceptionKind::Escalation, Some(owner.person_id), Some(2 * 60)),
            (ExceptionKind::Failure, Some(colleague.person_id), None),
        ];
        let rules = rules.map(|(kind, assign_to, due_minutes)| QueueRule {
            name: format!("Every {}", kind.as_str()),
            when: RuleWhen { kind: Some(kind), ..RuleWhen::default() },
            assign_to,
            due_minutes,
        });
        app.update_queue_rules(&owner, rules.to_vec()).await?;
        app.fill_queue().await?;
        self.sample_runs(app, &owner).await?;
        let mut reviews = Vec::new();
        let mut behind = None;
        loop {
            let sort = QueueSort::Arrived;
            let page = app.list_queue(&owner, &QueueFilter::default(), None, sort, behind, QUEUE_PAGE).await?;
            reviews.extend(page.items.iter().filter_map(|item| Some((demo::review(self.seed, item, now)?, item.id))));
            behind = page.next;
            if behind.is_none() {
                break;
            }
        }
        reviews.sort_by_key(|(review, id)| (review.closed_at, *id));
        // The same use cases over the same database, at the time at which each was done.
        let clock = Clock::fixed(now);
        let then = App::new(app.store().clone(), clock.clone(), app.ids().clone(), app.public_url());
        let bar = terminal::progress(reviews.len() as u64, "reviewing what waits");
        for (at, (review, id)) in reviews.into_iter().enumerate() {
            let who = if at % 3 == 0 { &owner } else { &colleague };
            clock.set(review.closed_at.plus_ms(-review.active_ms));
            then.claim_item(who, id).await?;
            clock.set(review.closed_at);
            then.review_item(who, id, review.judgement, review.active_ms, None).await?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        app.assemble_waiting().await?;
        Ok(())
    }
}

impl Demo {
    /// Samples completed runs of one workflow, each day when it was over.
    async fn sample_runs(&self, app: &App, owner: &Actor) -> anyhow::Result<()> {
        let now = app.clock().now();
        let clock = Clock::fixed(now);
        let then = App::new(app.store().clone(), clock.clone(), app.ids().clone(), app.public_url());
        let days = demo::SAMPLED_DAYS.min(i64::from(self.days));
        let (source_name, rule) = demo::SAMPLED;
        clock.set(now.plus_ms(-days * 86_400_000));
        then.update_sampling(owner, demo::workflow_id(self.seed, source_name), rule).await?;
        while clock.now() < now {
            clock.set(clock.now().plus_ms(86_400_000).min(now));
            then.sample_runs().await?;
        }
        Ok(())
    }
}

fn actor_of(agency_id: AgencyId, person: &Person) -> Actor {
    Actor { person_id: person.id, name: person.name.clone(), role: person.role, agency_id, clients: None }
}

/// What the demo's people have made of some of the patterns that were found: how they are told, their names, and what
/// came of them.
const LOOKED_AT: [(&str, &str, &str, PatternState); 6] = [
    ("rebook_flight", "access token", "The authorization of rebook_flight ran out", PatternState::Resolved),
    ("", "upstream is restarting", "The shop's service restarts while agents use it", PatternState::Regressed),
    ("get_order", "order <*> not found", "A shopper gives a wrong order number", PatternState::Known),
    ("", "payment amount does not add up", "The agent adds fares up wrongly", PatternState::Known),
    ("", "no longer free", "Somebody else took the slot", PatternState::Known),
    ("", "not an expression", "The calculator is asked in words", PatternState::Muted),
];
/// How long ago what came back was called resolved.
const RESOLVED_DAYS_AGO: i64 = 21;

/// Names some patterns and says what state they are in, as somebody would have who looked at them in the ninety days.
async fn look_at_patterns(app: &App, agency_id: AgencyId) -> anyhow::Result<()> {
    let store = app.agency(agency_id);
    let now = app.clock().now();
    let patterns = store.list_patterns(&PatternFilter::default(), PatternSort::Count, None, None, 1_000).await?;
    for (tool, words, name, state) in LOOKED_AT {
        let found = patterns
            .iter()
            .map(|listed| &listed.pattern)
            .find(|pattern| pattern.template.contains(words) && (tool.is_empty() || pattern.head.tool == tool));
        let Some(pattern) = found else { continue };
        let mut change = PatternChange { name: Some(name.to_owned()), state: Some(state), ..PatternChange::default() };
        match state {
            PatternState::Resolved => change.resolved_at = Some(pattern.last_seen.plus_ms(3_600_000)),
            PatternState::Regressed => {
                let resolved_at = now.plus_ms(-RESOLVED_DAYS_AGO * 86_400_000);
                let filter = ExceptionFilter {
                    pattern: Some(pattern.id),
                    period: Some(Period { start: resolved_at, end: now }),
                    ..ExceptionFilter::default()
                };
                // The first of them is the last of the list.
                let later = store.list_exceptions(&filter, None, 10_000).await?;
                let Some(first) = later.last() else { continue };
                (change.resolved_at, change.regressed_at) = (Some(resolved_at), Some(first.at));
            }
            _ => {}
        }
        store.update_pattern(pattern.id, &change, "Demo owner", now).await?;
    }
    Ok(())
}

async fn send(app: &App, agency_id: AgencyId, batch: Vec<Payload>) -> anyhow::Result<()> {
    let payloads = batch.into_iter().map(|p| (p.received_at, InboxKind::Native, p.body)).collect();
    app.accept_past(agency_id, payloads).await?;
    app.assemble_waiting().await?;
    Ok(())
}
