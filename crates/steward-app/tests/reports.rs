//! What a monthly report promises: figures that are counted, receipts that open exactly the runs behind them, words
//! that say only what is known, and a publication that never changes.

#![expect(clippy::expect_used, reason = "in a test a panic is the report")]

use std::collections::HashSet;

use serde_json::json;
use steward_app::reports::{Edits, Issue};
use steward_app::{Actor, App, AppError, Clock, IdSource};
use steward_core::clients::{Agency, Brand, Client, ClientSettings};
use steward_core::ids::{AgencyId, ClientId, PersonId, ReportId, WorkflowId};
use steward_core::money::{Currency, Nanos};
use steward_core::outcome::Outcome;
use steward_core::people::Role;
use steward_core::queue::ItemKind;
use steward_core::report::{ReportDocument, ReportFigure};
use steward_core::reviews::{AgentWas, Judgement};
use steward_core::sampling::{SamplingRule, Strata};
use steward_core::time::{Month, Timestamp};
use steward_core::workflow::{ValueBasis, Workflow, WorkflowSettings};
use steward_store::system::InboxKind;
use steward_store::tenant::{QueueFilter, QueueSort, ReportState};
use steward_testkit::{TestDb, db_tests};

const OCTOBER: Month = Month { year: 2026, month: 10 };

/// An agency with one client, on a database of its own.
struct Desk {
    app: App,
    actor: Actor,
    client: Client,
    // Last, so that everything that uses it is gone before it.
    _db: TestDb,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

async fn desk(db: TestDb, zone: &str) -> Desk {
    let clock = Clock::fixed(at("2026-11-02T09:00:00Z"));
    let app = App::new(db.open().await, clock, IdSource::counted(), "https://steward.example/");
    let agency = Agency {
        id: AgencyId::from_uuid(app.ids().make()),
        name: "Northlight Automation".to_owned(),
        time_zone: zone.to_owned(),
        reviewer_rate_nanos: Nanos(0),
        currency: Currency::USD,
        brand: Brand::default(),
        privacy: Default::default(),
        created_at: at("2026-01-01T00:00:00Z"),
    };
    app.store().create_agency(&agency).await.expect("an agency");
    let actor = Actor {
        person_id: PersonId::from_uuid(app.ids().make()),
        name: "Ada".to_owned(),
        role: Role::Owner,
        agency_id: agency.id,
        clients: None,
    };
    let client = new_client(&app, &actor, "Harbour Lane Dental").await;
    Desk { app, actor, client, _db: db }
}

async fn new_client(app: &App, actor: &Actor, name: &str) -> Client {
    let client = Client {
        id: ClientId::from_uuid(app.ids().make()),
        name: name.to_owned(),
        settings: ClientSettings {
            currency: Currency::parse("EUR").expect("a currency"),
            units_per_usd: 0.5,
            retainer_nanos: Nanos::from_units(400.0),
            ..ClientSettings::default()
        },
        created_at: at("2026-01-01T00:00:00Z"),
        archived_at: None,
    };
    app.store_of(actor).create_client(&client).await.expect("a client");
    client
}

impl Desk {
    async fn workflow(&self, source: &str, name: &str, value: ValueBasis) -> WorkflowId {
        let workflow = Workflow {
            id: WorkflowId::from_uuid(self.app.ids().make()),
            client_id: Some(self.client.id),
            name: name.to_owned(),
            source_name: source.to_owned(),
            settings: WorkflowSettings { value, baseline_minutes: Some(6.0), ..WorkflowSettings::default() },
            settings_version: 1,
            created_at: at("2026-01-01T00:00:00Z"),
            archived_at: None,
        };
        assert!(self.app.store_of(&self.actor).record_workflow(&workflow).await.expect("stored"));
        workflow.id
    }

    async fn send(&self, runs: Vec<serde_json::Value>) {
        let payloads = runs
            .chunks(50)
            .map(|runs| {
                let received = runs.iter().filter_map(|run| run["ended_at"].as_str()).map(at).max().expect("an end");
                (received, InboxKind::Native, serde_json::to_vec(&json!({ "runs": runs })).expect("JSON"))
            })
            .collect();
        self.app.accept_past(self.actor.agency_id, payloads).await.expect("kept");
        self.app.assemble_waiting().await.expect("assembled");
    }

    async fn draft(&self) -> ReportId {
        self.app.draft_report(&self.actor, self.client.id, OCTOBER).await.expect("a draft")
    }

    async fn document(&self, id: ReportId) -> ReportDocument {
        self.app.get_report(&self.actor, id).await.expect("a report").document
    }

    /// Opens every receipt of a report and counts the runs that it lists.
    async fn assert_receipts_open_what_they_say(&self, id: ReportId) -> usize {
        let report = self.app.get_report(&self.actor, id).await.expect("a report");
        let receipts = receipts_of(&report.document);
        assert_eq!(receipts.len(), report.receipts.iter().count(), "every receipt stands beside a figure");
        for (name, receipt) in &receipts {
            assert_eq!(receipt.url, format!("https://steward.example/r/{id}/{}", receipt.code));
            let (filter, figure) = self.app.open_receipt(&self.actor, id, &receipt.code).await.expect("a receipt");
            assert!(name.ends_with(&figure.name), "{name} {figure:?}");
            assert_eq!(filter, self.app.receipt_filter(&self.actor, id, &receipt.code).await.expect("a filter"));
            let n_runs = self.app.count_runs(&self.actor, &filter).await.expect("a count");
            assert_eq!(n_runs, receipt.n_runs, "{name}");
        }
        receipts.len()
    }
}

fn receipts_of(document: &ReportDocument) -> Vec<(String, steward_core::report::Receipt)> {
    let key = document.key_figures.iter().map(|f| (f.name.clone(), f.receipt.clone()));
    let pages = document.workflows.iter().flat_map(|w| {
        let figures = w.figures.iter().map(move |f| (format!("{} {}", w.name, f.name), f.receipt.clone()));
        figures.chain(w.results.iter().map(move |r| (format!("{} {}", w.name, r.name), r.receipt.clone())))
    });
    key.chain(pages).filter_map(|(name, receipt)| Some((name, receipt?))).collect()
}

fn figure<'a>(figures: &'a [ReportFigure], name: &str) -> &'a ReportFigure {
    figures.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("{name} in {figures:?}"))
}

/// A run of `source` that ended at an instant; `n` decides what came of it.
fn run(source: &str, n: usize, ended: Timestamp) -> serde_json::Value {
    let outcome = match n % 10 {
        0 => Some("escalated"),
        1 => Some("failed"),
        2 => None,
        3 if n % 20 == 3 => Some("abandoned"),
        _ => Some("completed"),
    };
    let started = ended.plus_ms(-60_000 - (n as i64 % 7) * 10_000);
    let error = (n % 25 == 1).then(|| json!({ "message": "401 unauthorized" }));
    let mut results = Vec::new();
    if outcome == Some("completed") && n.is_multiple_of(2) {
        results.push(json!({ "name": "booking_made", "value": 60.0 }));
    }
    if n % 30 == 4 {
        // One run may bring the same result twice.
        results.push(json!({ "name": "booking_made", "value": 60.0 }));
    }
    json!({
        "id": format!("{source}-{n}-{}", ended.0),
        "workflow": source,
        "started_at": started.rfc3339(),
        "ended_at": ended.rfc3339(),
        "status": "ok",
        "outcome": outcome,
        "release": if ended < at("2026-10-12T00:00:00Z") { "v1" } else { "v2" },
        "test": n % 33 == 32,
        "results": results,
        "steps": [
            {
                "id": "m", "kind": "model", "model": "some-model",
                "started_at": started.rfc3339(), "ended_at": started.plus_ms(1_000).rfc3339(),
                "usage": { "input_tokens": 100, "output_tokens": 10 },
                "cost_usd": if n % 40 == 39 { serde_json::Value::Null } else { json!(0.02) },
            },
            {
                "id": "t", "kind": "tool", "tool": "book_appointment", "error": error,
                "started_at": started.plus_ms(2_000).rfc3339(), "ended_at": started.plus_ms(3_000).rfc3339(),
            },
        ],
    })
}

/// So many runs, spread evenly over a stretch of time.
fn runs(source: &str, n: usize, from: &str, to: &str) -> Vec<serde_json::Value> {
    let (from, to) = (at(from), at(to));
    let gap = (to.0 - from.0) / n as i64;
    (0..n).map(|i| run(source, i, from.plus_micros(gap * i as i64))).collect()
}

async fn busy_month(db: TestDb, zone: &str) -> Desk {
    let desk = desk(db, zone).await;
    desk.workflow("front-desk", "Front desk", ValueBasis::Results).await;
    desk.workflow("leads", "Lead qualifier", ValueBasis::PerCompletedRun { nanos: Nanos(2_000_000_000) }).await;
    desk.workflow("quiet", "Never used", ValueBasis::None).await;
    desk.send(runs("front-desk", 300, "2026-09-01T00:10:00Z", "2026-10-01T03:00:00Z")).await;
    desk.send(runs("front-desk", 420, "2026-10-01T03:01:00Z", "2026-11-01T08:00:00Z")).await;
    desk.send(runs("leads", 90, "2026-10-10T10:00:00Z", "2026-10-30T10:00:00Z")).await;
    desk
}

db_tests! {
    async fn every_receipt_opens_exactly_the_runs_that_were_counted(db: TestDb) {
        // One zone has half hours, and one changes its clocks on the day after the month.
        for zone in ["America/New_York", "Asia/Kolkata", "UTC"] {
            let desk = busy_month(db.another().await, zone).await;
            let id = desk.draft().await;
            let n_receipts = desk.assert_receipts_open_what_they_say(id).await;
            assert!(n_receipts >= 24, "{n_receipts}");
            desk.app.publish_report(&desk.actor, id).await.expect("published");
            assert_eq!(desk.assert_receipts_open_what_they_say(id).await, n_receipts);
            let gaps = desk.document(id).await.data_gaps;
            assert_eq!(gaps.iter().any(|gap| gap.contains("whole hours")), zone == "Asia/Kolkata", "{gaps:?}");
        }
    }

    async fn figures_are_what_was_counted_with_what_they_are_out_of(db: TestDb) {
        let desk = busy_month(db, "UTC").await;
        let document = desk.document(desk.draft().await).await;
        assert_eq!((document.period_words.as_str(), document.revision, document.draft), ("October 2026", 1, true));
        let names: Vec<_> = document.key_figures.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["Runs", "Completion rate", "Booking made", "Value delivered", "Total cost", "Return"]);
        // Counted by hand from what was sent: runs of October, tests left out.
        let in_october = |run: &&serde_json::Value| {
            let ended = at(run["ended_at"].as_str().expect("an end"));
            run["test"] == false && ended >= at("2026-10-01T00:00:00Z") && ended < at("2026-11-01T00:00:00Z")
        };
        let mut sent = runs("front-desk", 300, "2026-09-01T00:10:00Z", "2026-10-01T03:00:00Z");
        sent.extend(runs("front-desk", 420, "2026-10-01T03:01:00Z", "2026-11-01T08:00:00Z"));
        sent.extend(runs("leads", 90, "2026-10-10T10:00:00Z", "2026-10-30T10:00:00Z"));
        let sent: Vec<_> = sent.iter().filter(in_october).collect();
        let of = |outcome: &str| sent.iter().filter(|run| run["outcome"] == outcome).count();
        let verified = sent.iter().filter(|run| !run["outcome"].is_null()).count();
        let runs = figure(&document.key_figures, "Runs");
        assert_eq!(runs.value, sent.len().to_string());
        let completion = figure(&document.key_figures, "Completion rate");
        assert_eq!(completion.value, format!("{:.1} %", 100.0 * of("completed") as f64 / verified as f64));
        assert!(completion.basis.starts_with(&format!("{} of {verified}; ", of("completed"))), "{completion:?}");
        assert!(completion.interval.is_some() && completion.before.as_deref().is_some_and(|b| b.ends_with("in September")));
        let bookings: usize = sent.iter().map(|run| run["results"].as_array().expect("results").len()).sum();
        assert_eq!(figure(&document.key_figures, "Booking made").value, bookings.to_string());
        let value: f64 = sent
            .iter()
            .filter(|r| r["workflow"] == "front-desk")
            .map(|r| 60.0 * r["results"].as_array().expect("results").len() as f64)
            .sum();
        let leads = sent.iter().filter(|r| r["workflow"] == "leads" && r["outcome"] == "completed").count();
        assert_eq!(
            figure(&document.key_figures, "Value delivered").value,
            format!("€{}", thousands(value + 2.0 * leads as f64))
        );
        let front_desk = &document.workflows[0];
        assert_eq!((front_desk.name.as_str(), document.workflows.len()), ("Front desk", 2));
        assert_eq!(figure(&front_desk.figures, "Run cost").value.chars().next(), Some('€'));
        assert_eq!(front_desk.charts.len(), 3);
        for chart in &front_desk.charts {
            assert!(chart.series.iter().all(|series| series.values.len() == chart.labels.len()), "{chart:?}");
        }
        assert_eq!(front_desk.charts[0].labels.len(), 31);
        assert_eq!(front_desk.charts[0].marks, [(11, "v2".to_owned())]);
        assert!(
            front_desk.failures.iter().any(|line| line.starts_with("book_appointment: auth, ")),
            "{:?}",
            front_desk.failures
        );
    }
}

fn thousands(value: f64) -> String {
    let text = format!("{value:.0}");
    if text.len() > 3 { format!("{},{}", &text[..text.len() - 3], &text[text.len() - 3..]) } else { text }
}

db_tests! {
    async fn the_words_say_what_the_figures_bear(db: TestDb) {
        let desk = busy_month(db, "UTC").await;
        let document = desk.document(desk.draft().await).await;
        let has =
            |lines: &[String], part: &str| assert!(lines.iter().any(|line| line.contains(part)), "{part} in {lines:#?}");
        assert!(document.headline.starts_with("In October 2026 your agents handled "), "{}", document.headline);
        has(std::slice::from_ref(&document.headline), "× booking made, and was worth €");
        has(&document.narrative, "passed to your team");
        has(&document.narrative, "began outside your business hours");
        has(&document.narrative, "For each €1 spent, €");
        has(&document.changes, "Front desk handled ");
        has(&document.changes, "Lead qualifier is new: it handled ");
        has(&document.changes, "version v2 came into use on 12 October");
        has(&document.problems, "“book appointment” refused our sign-in");
        has(&document.asks, "Tell us your business hours");
        has(&document.data_gaps, "nothing says whether they did their job");
        has(&document.data_gaps, "the cost is not known in full");
        let text = serde_json::to_string(&document).expect("JSON");
        for word in ["NaN", "inf ", "span", "trace", "token"] {
            assert!(!text.contains(word), "{word}");
        }
        let names: HashSet<_> = document.definitions.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), document.definitions.len());
        for shown in document.workflows.iter().flat_map(|w| &w.figures) {
            assert!(names.contains(&shown.name), "{} is defined", shown.name);
        }
    }

    async fn what_people_reviewed_and_what_samples_say_stands_in_the_report(db: TestDb) {
        let desk = desk(db, "UTC").await;
        let (app, ada) = (&desk.app, &desk.actor);
        let id = desk.workflow("front-desk", "Front desk", ValueBasis::None).await;
        app.clock().set(at("2026-10-19T00:00:00Z"));
        let rule = SamplingRule { share: 1.0, strata: Strata::None, at_least: 0, at_most: 100 };
        app.update_sampling(ada, id, rule).await.expect("a rule");
        app.clock().set(at("2026-10-20T00:00:00Z"));
        desk.send(runs("front-desk", 20, "2026-10-19T01:00:00Z", "2026-10-19T21:00:00Z")).await;
        app.clock().set(at("2026-10-21T12:00:00Z"));
        assert_eq!(app.sample_runs().await.expect("sampled"), 13, "as many as say that they completed");
        app.mine_patterns().await.expect("mined");
        app.fill_queue().await.expect("filled");
        let waiting = app.list_queue(ada, &QueueFilter::default(), None, QueueSort::Due, None, 100).await.expect("items");
        let (samples, exceptions): (Vec<_>, Vec<_>) =
            waiting.items.iter().partition(|item| item.kind == ItemKind::Sample);
        assert_eq!((samples.len(), exceptions.is_empty()), (13, false));
        for (n, item) in samples.iter().enumerate() {
            let (agent, outcome) = if n == 0 { (AgentWas::Wrong, Some(Outcome::Failed)) } else { (AgentWas::Right, None) };
            app.claim_item(ada, item.id).await.expect("claimed");
            let judgement = Judgement { agent: Some(agent), outcome, ..Judgement::default() };
            app.review_item(ada, item.id, judgement, 0, None).await.expect("reviewed");
        }
        for item in &exceptions {
            app.claim_item(ada, item.id).await.expect("claimed");
            app.clock().advance_ms(120_000);
            app.review_item(ada, item.id, Judgement::default(), 120_000, None).await.expect("reviewed");
        }
        app.clock().set(at("2026-11-02T09:00:00Z"));
        let document = desk.document(desk.draft().await).await;
        let figures = &document.workflows[0].figures;
        let audited = figure(figures, "Audited completion");
        assert_eq!(audited.value, "66.7 %", "13 of 18 were claimed, and 12 of 13 claims stand");
        assert_eq!(audited.basis, "people looked at 13 of 13 completed runs that were chosen by chance");
        assert_eq!(audited.interval.as_deref(), Some("48.2 – 71.2 %"));
        let time = figure(figures, "Review time per exception");
        let n = exceptions.len();
        assert!(time.basis.starts_with(&format!("{n} reviews closed in the month")), "{time:?}");
        assert_eq!(time.value, "2 m");
    }

    async fn days_without_a_run_are_told_where_some_are_usual(db: TestDb) {
        let desk = desk(db, "UTC").await;
        desk.workflow("front-desk", "Front desk", ValueBasis::None).await;
        desk.send(runs("front-desk", 300, "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z")).await;
        desk.send(runs("front-desk", 200, "2026-10-01T00:00:00Z", "2026-10-20T23:00:00Z")).await;
        desk.send(runs("front-desk", 60, "2026-10-26T01:00:00Z", "2026-10-31T23:00:00Z")).await;
        let document = desk.document(desk.draft().await).await;
        let line = "Front desk: on 21 to 25 October no case came in, where about 10 a day are usual";
        assert!(document.problems.iter().any(|problem| problem.starts_with(line)), "{:#?}", document.problems);
        assert!(
            document.data_gaps.iter().any(|gap| gap.contains("nothing is on record for 21 to 25 October")),
            "{:#?}",
            document.data_gaps
        );
    }

    async fn a_month_without_runs_is_an_honest_document(db: TestDb) {
        let desk = desk(db, "UTC").await;
        desk.workflow("front-desk", "Front desk", ValueBasis::None).await;
        let id = desk.draft().await;
        let document = desk.document(id).await;
        assert_eq!(document.headline, "No case was recorded in October 2026.");
        assert_eq!(figure(&document.key_figures, "Runs").value, "0");
        assert_eq!(figure(&document.key_figures, "Completion rate").value, "no data");
        assert!(receipts_of(&document).is_empty());
        assert!(!document.problems.is_empty() && document.data_gaps.iter().any(|gap| gap.contains("no data")));
        assert!(!serde_json::to_string(&document).expect("JSON").contains("NaN"));
        assert!(desk.app.report_pdf(&desk.actor, id).await.expect("a PDF").starts_with(b"%PDF"));
        let json = desk.app.report_json(&desk.actor, desk.client.id, OCTOBER).await.expect("figures");
        assert_eq!((&json["figures"][0]["id"], &json["figures"][0]["value"]), (&json!("runs"), &json!(0.0)));
        assert_eq!(json["figures"][2]["value"], json!(null));
    }

    async fn a_month_that_has_not_begun_is_refused_and_one_that_is_not_over_says_so(db: TestDb) {
        let desk = busy_month(db, "UTC").await;
        let december = Month { year: 2026, month: 12 };
        let refused = desk.app.draft_report(&desk.actor, desk.client.id, december).await;
        assert!(matches!(refused, Err(AppError::Invalid(_))), "{refused:?}");
        let november = Month { year: 2026, month: 11 };
        let id = desk.app.draft_report(&desk.actor, desk.client.id, november).await.expect("a draft");
        let document = desk.document(id).await;
        assert!(
            document.data_gaps[0].starts_with("November 2026 is not over: the figures reach up to 2 November, 09:00"),
            "{:?}",
            document.data_gaps
        );
        // Made before the end of its month, it is not published after it without another look.
        desk.app.clock().set(at("2026-12-03T00:00:00Z"));
        let refused = desk.app.publish_report(&desk.actor, id).await;
        assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
        desk.app.refresh_report(&desk.actor, id).await.expect("refreshed");
        desk.app.publish_report(&desk.actor, id).await.expect("published");
    }

    async fn the_operators_words_stay_when_figures_are_refreshed(db: TestDb) {
        let desk = busy_month(db, "UTC").await;
        let id = desk.draft().await;
        assert_eq!(desk.draft().await, id, "a second draft is the first");
        let edits = Edits {
            headline: Some("  A good month.  ".to_owned()),
            asks: Some(vec!["Confirm the holiday hours.".to_owned(), " ".to_owned()]),
            hidden_figures: vec!["run_cost".to_owned(), "total_cost".to_owned(), "return".to_owned()],
            ..Edits::default()
        };
        desk.app.update_report(&desk.actor, id, edits).await.expect("kept");
        desk.send(runs("front-desk", 21, "2026-10-20T10:00:30Z", "2026-10-21T10:00:00Z")).await;
        let before = desk.document(id).await;
        desk.app.refresh_report(&desk.actor, id).await.expect("refreshed");
        let after = desk.document(id).await;
        assert_ne!(figure(&before.key_figures, "Runs").value, figure(&after.key_figures, "Runs").value);
        assert_eq!(
            (after.headline.as_str(), after.asks.as_slice()),
            ("A good month.", ["Confirm the holiday hours.".to_owned()].as_slice())
        );
        let shown = serde_json::to_string(&(&after.key_figures, &after.workflows, &after.narrative)).expect("JSON");
        for hidden in ["Run cost", "Total cost", "\"Return\"", "It cost", "came back"] {
            assert!(!shown.contains(hidden), "{hidden}");
        }
        desk.assert_receipts_open_what_they_say(id).await;
        let drafted = desk.app.get_report(&desk.actor, id).await.expect("a report").drafted;
        assert!(drafted.headline.starts_with("In October 2026"));
        let wrong = [
            Edits { problems: Some(vec![" ".to_owned()]), ..Edits::default() },
            Edits { headline: Some("x".repeat(601)), ..Edits::default() },
            Edits { narrative: Some(vec!["x".to_owned(); 13]), ..Edits::default() },
            Edits { hidden_figures: vec!["coverage".to_owned()], ..Edits::default() },
        ];
        for edits in wrong {
            let refused = desk.app.update_report(&desk.actor, id, edits).await;
            assert!(matches!(refused, Err(AppError::Invalid(_))), "{refused:?}");
        }
    }

    async fn a_published_report_never_changes_and_a_correction_says_what_did(db: TestDb) {
        let desk = busy_month(db, "UTC").await;
        let id = desk.draft().await;
        desk.app
            .update_report(&desk.actor, id, Edits { headline: Some("Ours.".to_owned()), ..Edits::default() })
            .await
            .expect("kept");
        desk.app.clock().advance_ms(60_000);
        desk.app.publish_report(&desk.actor, id).await.expect("published");
        let published = desk.document(id).await;
        assert_eq!(
            (published.draft, published.headline.as_str(), published.made_at),
            (false, "Ours.", at("2026-11-02T09:01:00Z"))
        );
        desk.send(runs("front-desk", 8, "2026-10-20T10:00:30Z", "2026-10-21T10:00:00Z")).await;
        for refused in [
            desk.app.update_report(&desk.actor, id, Edits::default()).await,
            desk.app.refresh_report(&desk.actor, id).await,
            desk.app.publish_report(&desk.actor, id).await,
            desk.app.delete_draft(&desk.actor, id).await,
        ] {
            assert!(matches!(&refused, Err(AppError::Conflict(words)) if words.contains("never changes")), "{refused:?}");
        }
        assert_eq!(desk.document(id).await, published);

        let silent = desk.app.correct_report(&desk.actor, id, "  ").await;
        assert!(matches!(silent, Err(AppError::Invalid(_))), "{silent:?}");
        let next = desk.draft().await;
        assert_ne!(next, id);
        let unsaid = desk.app.publish_report(&desk.actor, next).await;
        assert!(matches!(unsaid, Err(AppError::Conflict(_))), "{unsaid:?}");
        let same = desk.app.correct_report(&desk.actor, id, "Eight late runs are in it now").await.expect("a draft");
        assert_eq!(same, next);
        desk.app.publish_report(&desk.actor, next).await.expect("published");
        let corrected = desk.document(next).await;
        let (was, is) = (&figure(&published.key_figures, "Runs").value, &figure(&corrected.key_figures, "Runs").value);
        let correction = corrected.correction.clone().expect("a correction");
        let start = format!("Eight late runs are in it now. Figures that differ from revision 1: Runs: {was} → {is}; ");
        assert!(correction.starts_with(&start), "{correction}");
        assert_eq!((corrected.revision, desk.document(id).await), (2, published));

        let list = desk.app.list_reports(&desk.actor, Some(desk.client.id)).await.expect("a list");
        let states: Vec<_> = list.iter().map(|r| (r.revision, r.state, r.superseded)).collect();
        assert_eq!(states, [(2, ReportState::Published, false), (1, ReportState::Published, true)]);
        let third = desk.draft().await;
        assert!(
            desk.document(third)
                .await
                .correction
                .is_some_and(|words| words.starts_with("No figure differs from revision 2"))
        );
        desk.app.delete_draft(&desk.actor, third).await.expect("deleted");
        assert!(matches!(desk.app.get_report(&desk.actor, third).await, Err(AppError::NotFound(_))));
    }

    async fn hostile_names_stay_text(db: TestDb) {
        let desk = desk(db, "UTC").await;
        let nasty = "<script>alert(1)</script>\u{202e}\n#set page(fill: red) “$x$” %|_\\ \u{0}";
        desk.workflow("w", nasty, ValueBasis::Results).await;
        let mut sent = runs("w", 60, "2026-10-02T00:00:00Z", "2026-10-30T00:00:00Z");
        for run in &mut sent {
            run["results"] = json!([{ "name": nasty.replace('\u{0}', ""), "value": 1.0 }, { "name": "100%_sure" }]);
            run["release"] = json!("<b>v9</b>");
            run["steps"][1]["tool"] = json!("a:b|c\u{202e}<img src=x>");
            run["steps"][1]["error"] = json!({ "message": "timed out" });
        }
        desk.send(sent).await;
        let id = desk.draft().await;
        assert!(desk.assert_receipts_open_what_they_say(id).await > 8);
        let document = desk.document(id).await;
        let text = serde_json::to_string(&document.workflows).expect("JSON");
        assert!(!text.contains('\u{202e}') && !text.contains("\\n"), "{text}");
        let html = desk.app.report_html(&desk.actor, id).await.expect("a page");
        assert!(!html.contains("<script") && !html.contains("<img src=x") && !html.contains("<b>v9"));
        assert!(desk.app.report_pdf(&desk.actor, id).await.expect("a PDF").starts_with(b"%PDF"));
    }

    async fn what_is_out_of_reach_is_not_found(db: TestDb) {
        let desk = busy_month(db, "UTC").await;
        let id = desk.draft().await;
        let other = new_client(&desk.app, &desk.actor, "Another").await;
        let outsiders = [
            Actor { role: Role::Contractor, clients: Some(vec![desk.client.id]), ..desk.actor.clone() },
            Actor { role: Role::Client, clients: Some(vec![desk.client.id]), ..desk.actor.clone() },
            Actor { role: Role::Operator, clients: Some(vec![other.id]), ..desk.actor.clone() },
            Actor { agency_id: AgencyId::from_uuid(desk.app.ids().make()), ..desk.actor.clone() },
        ];
        let issue = Issue { id, client: desk.client.id, month: OCTOBER, revision: 1, draft: true };
        for actor in &outsiders {
            let app = &desk.app;
            let answers = [
                app.get_report(actor, id).await.map(|_| ()),
                app.report_pdf(actor, id).await.map(|_| ()),
                app.report_html(actor, id).await.map(|_| ()),
                app.report_json(actor, desk.client.id, OCTOBER).await.map(|_| ()),
                app.draft_report(actor, desk.client.id, OCTOBER).await.map(|_| ()),
                app.compute_document(actor, &issue, &Edits::default()).await.map(|_| ()),
                app.update_report(actor, id, Edits::default()).await,
                app.refresh_report(actor, id).await,
                app.publish_report(actor, id).await,
                app.correct_report(actor, id, "mine").await.map(|_| ()),
                app.delete_draft(actor, id).await,
                app.open_receipt(actor, id, "R1").await.map(|_| ()),
                app.receipt_filter(actor, id, "R1").await.map(|_| ()),
                app.list_reports(actor, Some(desk.client.id)).await.map(|_| ()),
            ];
            for answer in answers {
                assert!(matches!(answer, Err(AppError::NotFound(_))), "{answer:?} for {actor:?}");
            }
            assert!(app.list_reports(actor, None).await.expect("a list").is_empty());
        }
        let owner = desk.app.open_receipt(&desk.actor, id, "R999").await;
        assert!(matches!(owner, Err(AppError::NotFound(_))));
    }
}
