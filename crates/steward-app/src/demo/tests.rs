use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::tz::TimeZone;
use steward_core::derive::{Context, derive, merge};
use steward_core::outcome::{EvidenceKind, Outcome};
use steward_core::prices::PriceBook;
use steward_core::run::{CostSource, RunFacts};
use steward_core::step::Step;
use steward_core::time::{DAY_MICROS, HOUR_MICROS, Timestamp};
use steward_core::workflow::WorkflowSettings;

use super::*;

const SEED: u64 = 7;

fn now() -> Timestamp {
    Timestamp::parse("2026-11-20T15:20:00Z").expect("a time")
}

/// A run as Steward reads it.
struct Read {
    source: String,
    received_at: Timestamp,
    facts: RunFacts,
}

impl Read {
    fn days_ago(&self) -> f64 {
        (now().0 - self.facts.started_at.0) as f64 / DAY_MICROS as f64
    }

    fn is(&self, outcome: Outcome) -> bool {
        self.facts.evidence.outcome == outcome
    }

    fn cost(&self) -> f64 {
        self.facts.cost_nanos.map_or(0.0, |cost| cost.units())
    }
}

/// Ninety days as the intake and the core read them.
fn read() -> Vec<Read> {
    let demo = agency(SEED);
    let mut settings: HashMap<&str, (&DemoClient, &WorkflowSettings)> = HashMap::new();
    for client in &demo.clients {
        for workflow in &client.workflows {
            settings.insert(&workflow.source_name, (client, &workflow.settings));
        }
    }
    let mut runs: BTreeMap<String, (String, Timestamp, Vec<Step>)> = BTreeMap::new();
    let mut n_bytes = 0;
    for payload in payloads(SEED, now(), 90) {
        n_bytes += payload.body.len();
        let decoded = steward_wire::native::read_runs(&payload.body).expect("it is native JSON");
        assert_eq!(decoded.rejected, 0, "{:?}", decoded.rejection);
        let n_runs = decoded.steps.iter().filter(|step| step.parent_span_id.is_none()).count();
        assert!((1..=MOST_RUNS).contains(&n_runs));
        for mut step in decoded.steps {
            assert!(step.reading.unmapped.is_empty() && step.reading.notes.is_empty(), "{:?}", step.reading);
            step.received_at = payload.received_at;
            let run = runs
                .entry(step.trace_id.clone())
                .or_insert_with(|| (payload.source_name.clone(), payload.received_at, Vec::new()));
            run.2.push(step);
        }
    }
    assert!(n_bytes < 60_000_000, "{n_bytes} bytes");
    assert!((15_000..20_000).contains(&runs.len()), "{} runs", runs.len());
    let (prices, usual) = (PriceBook::built_in(), WorkflowSettings::default());
    let hours = ClientSettings::default();
    runs.into_values()
        .map(|(source, received_at, steps)| {
            let steps = merge(Vec::new(), steps);
            let (settings, client) = settings
                .get(source.as_str())
                .map_or((&usual, &hours), |(client, settings)| (*settings, &client.settings));
            let zone = TimeZone::get(&client.time_zone).unwrap_or(TimeZone::UTC);
            let context = Context {
                settings,
                prices,
                hours: &client.business_hours,
                zone: &zone,
                verdict: None,
                now: now().plus_ms(86_400_000),
            };
            Read { source, received_at, facts: derive(&steps, &context).expect("it has steps") }
        })
        .collect()
}

fn rate<'a>(runs: impl Iterator<Item = &'a Read>, outcome: Outcome) -> f64 {
    let verified: Vec<&Read> = runs.filter(|run| !run.is(Outcome::Unverified) && !run.facts.test).collect();
    assert!(verified.len() > 30, "too few runs: {}", verified.len());
    verified.iter().filter(|run| run.is(outcome)).count() as f64 / verified.len() as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn near(what: &str, value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{what}: {value:.4}, expected {expected:.4} ± {tolerance:.4}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_order() {
    let first: Vec<Payload> = payloads(3, now(), 12).collect();
    let again: Vec<Payload> = payloads(3, now(), 12).collect();
    assert!(first == again);
    assert!(first != payloads(4, now(), 12).collect::<Vec<_>>());
    assert!(first.is_sorted_by_key(|payload| payload.received_at));
    assert!(first.iter().all(|payload| payload.received_at <= now()));
    let sources: HashSet<&str> = first.iter().map(|payload| payload.source_name.as_str()).collect();
    assert_eq!(sources.len(), 9);
}

#[test]
fn every_source_but_one_belongs_to_a_client() {
    let demo = agency(SEED);
    let known: HashSet<&str> = demo
        .clients
        .iter()
        .flat_map(|client| &client.workflows)
        .map(|workflow| workflow.source_name.as_str())
        .collect();
    assert_eq!(demo.clients.len(), 5);
    assert_eq!(known.len(), 8);
    assert!(!known.contains(OUTAGE_TEXTS));
    for client in &demo.clients {
        assert!(client.settings.business_hours.weekdays.iter().any(|day| !day.is_empty()));
        assert!(TimeZone::get(&client.settings.time_zone).is_ok());
    }
}

#[test]
fn ninety_days_read_as_the_figures_and_the_stories_say() {
    let runs = read();
    let of = |source: &'static str| runs.iter().filter(move |run| run.source == source);
    figures(&runs);

    let retail = |early: bool| of("tamarisk-support").filter(move |run| (run.days_ago() > 24.0) == early);
    assert!(
        rate(retail(true), Outcome::Completed) - rate(retail(false), Outcome::Completed) > 0.1,
        "the model was swapped"
    );
    assert!(mean(retail(true).map(Read::cost)) / mean(retail(false).map(Read::cost)) > 3.5, "and is cheaper");
    assert!(retail(false).all(|run| run.facts.release == "v3.2"), "without a release");

    let (from, until) = stories::weekend(now(), &Place::Airline.zone()).expect("a weekend");
    let weekend = |run: &&Read| (from..until).contains(&run.facts.started_at);
    assert!(rate(of("skerry-rebooking").filter(weekend), Outcome::Escalated) > 0.4, "nobody could be rebooked");
    let denied = of("skerry-rebooking")
        .filter(weekend)
        .flat_map(|run| &run.facts.tools)
        .filter(|tool| tool.name == "rebook_flight");
    assert!(denied.clone().count() > 10);
    assert_eq!(
        denied.map(|tool| u64::from(tool.calls)).sum::<u64>(),
        of("skerry-rebooking")
            .filter(weekend)
            .flat_map(|run| &run.facts.tools)
            .filter(|tool| tool.name == "rebook_flight")
            .flat_map(|tool| &tool.errors)
            .filter(|(class, _)| *class == steward_core::step::ErrorClass::Auth)
            .map(|(_, n)| u64::from(*n))
            .sum::<u64>()
    );

    let clinic = |early: bool| of("fennimore-front-desk").filter(move |run| (run.days_ago() > 35.0) == early);
    near("the price rise", mean(clinic(false).map(Read::cost)) / mean(clinic(true).map(Read::cost)), 14.0 / 9.0, 0.12);
    assert!(of("fennimore-front-desk").all(|run| run.facts.cost_source == CostSource::Reported));

    assert!(of("ostrander-leads").all(|run| run.days_ago() > 8.99), "it stopped");
    assert!(of("ostrander-leads").filter(|run| run.days_ago() < 16.0).count() > 80);

    let telecom =
        |from: f64, to: f64| of("brightmoor-troubleshooter").filter(move |run| (to..from).contains(&run.days_ago()));
    let (first, last) = (rate(telecom(90.0, 62.0), Outcome::Escalated), rate(telecom(28.0, 0.0), Outcome::Escalated));
    assert!(last - first > 0.12, "the queue grows: {first} to {last}");
    let waited = |runs: &mut dyn Iterator<Item = &Read>| {
        mean(runs.filter(|r| r.facts.waiting_ms > 0).map(|r| r.facts.waiting_ms as f64))
    };
    assert!(waited(&mut telecom(7.0, 0.0)) > 4.0 * waited(&mut telecom(90.0, 76.0)));

    worth(&runs);
    let unassigned: Vec<f64> = of(OUTAGE_TEXTS).map(Read::days_ago).collect();
    assert!(unassigned.len() > 15 && unassigned.iter().all(|days| *days < 3.2));

    let unpriced = of("brightmoor-bills").filter(|run| run.facts.cost_nanos.is_none()).count();
    assert!((8..60).contains(&unpriced), "{unpriced} without a price");
    assert_eq!(runs.iter().filter(|run| run.facts.cost_nanos.is_none() && run.source != "brightmoor-bills").count(), 0);
    assert!(runs.iter().filter(|run| run.facts.test).count() > 40);
    assert!(runs.iter().filter(|run| run.facts.n_late_steps > 0).count() > 20);
    assert!(runs.iter().any(|run| run.facts.title.starts_with("Re:Re:Fwd:where") && run.facts.title.len() > 110));
}

/// One client's agent is worth many times what it costs, another's are not worth it.
fn worth(runs: &[Read]) {
    let month = |source: &'static str| {
        runs.iter().filter(move |run| run.source == source && run.days_ago() < 30.0 && !run.facts.test)
    };
    let results = month("fennimore-front-desk").flat_map(|run| &run.facts.results);
    let value: f64 = results.filter_map(|result| result.value_nanos).map(|nanos| nanos.units()).sum();
    let cost: f64 = month("fennimore-front-desk").map(Read::cost).sum();
    assert!(value / (cost + 1_150.0) > 5.0, "clinic: {value} for {cost}");

    let completed = |source| month(source).filter(|run| run.is(Outcome::Completed)).count() as f64;
    let value = completed("brightmoor-troubleshooter") * 9.0 / 60.0 * 25.0 + completed("brightmoor-bills") * 1.1;
    assert!(value / 3_900.0 < 0.8, "telecom: {value}");
}

/// Against the figures that were measured.
fn figures(runs: &[Read]) {
    let of = |source: &'static str| runs.iter().filter(move |run| run.source == source);
    let retail = || of("tamarisk-support").filter(|run| run.days_ago() > 25.0 && !run.facts.test);
    let set = measured::set("retail_gpt_4_1");
    near("retail completed", rate(retail(), Outcome::Completed), set.pass_rate, 0.03);
    near("retail escalated", rate(retail(), Outcome::Escalated), set.transfer_share, 0.02);
    near("retail cost", median(retail().map(Read::cost)), set.cost_usd.median(), set.cost_usd.median() * 0.2);
    let calls = median(retail().map(|run| f64::from(run.facts.n_model_calls)));
    near("retail model calls", calls, set.model_calls.median(), 2.0);
    near(
        "retail tool calls",
        median(retail().map(|run| f64::from(run.facts.n_tool_calls))),
        set.tool_calls.median(),
        2.0,
    );
    near(
        "retail duration",
        median(retail().map(|run| run.facts.cycle_ms as f64 / 1_000.0)),
        set.duration_s.median(),
        6.0,
    );
    let refused = refusals(retail());
    near("retail refusals", refused, set.any_refusal_rate(), 0.025);

    let set = measured::set("airline_gpt_4_1");
    let (from, until) = stories::weekend(now(), &Place::Airline.zone()).expect("a weekend");
    let airline =
        || of("skerry-rebooking").filter(|run| run.days_ago() < 57.0 && !(from..until).contains(&run.facts.started_at));
    near("airline completed", rate(airline(), Outcome::Completed), set.pass_rate, 0.05);
    near("airline escalated", rate(airline(), Outcome::Escalated), set.transfer_share, 0.04);
    near("airline cost", median(airline().map(Read::cost)), set.cost_usd.median(), set.cost_usd.median() * 0.3);
    let set = measured::set("airline_gpt_4o");
    let before = || of("skerry-rebooking").filter(|run| run.days_ago() > 59.0);
    near("airline before, completed", rate(before(), Outcome::Completed), set.pass_rate, 0.05);
    near("airline before, refusals", refusals(before()), set.any_refusal_rate(), 0.03);

    let finished = runs.iter().filter(|run| !run.facts.test);
    let unverified =
        finished.clone().filter(|run| run.is(Outcome::Unverified)).count() as f64 / finished.count() as f64;
    assert!((0.08..0.2).contains(&unverified), "unverified: {unverified}");
    let kinds: HashSet<EvidenceKind> = runs.iter().map(|run| run.facts.evidence.kind).collect();
    for kind in
        [EvidenceKind::Explicit, EvidenceKind::Score, EvidenceKind::Rule, EvidenceKind::Status, EvidenceKind::Nothing]
    {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    for run in runs {
        let after = run.received_at.0 - run.facts.ended_at.0;
        assert!((0..HOUR_MICROS).contains(&after) || run.facts.n_late_steps > 0, "it arrives {after} µs after its end");
    }
}

fn refusals<'a>(runs: impl Iterator<Item = &'a Read>) -> f64 {
    let (mut calls, mut errors) = (0_u32, 0_u32);
    for tool in runs.flat_map(|run| &run.facts.tools) {
        calls += tool.calls;
        errors += tool.errors.iter().map(|(_, n)| *n).sum::<u32>();
    }
    f64::from(errors) / f64::from(calls)
}

#[test]
fn the_sampled_workflow_is_one_of_the_demo_and_the_same_each_time() {
    let (source_name, rule) = SAMPLED;
    let demo = agency(SEED);
    let names = || demo.clients.iter().flat_map(|client| &client.workflows).map(|workflow| &workflow.source_name);
    assert!(names().any(|name| name == source_name));
    assert_eq!(rule.checked(), Ok(rule));
    let ids: HashSet<_> = names().map(|name| workflow_id(SEED, name)).collect();
    assert_eq!(ids.len(), names().count());
    assert_eq!(workflow_id(SEED, source_name), workflow_id(SEED, source_name));
    assert_ne!(workflow_id(SEED, source_name), workflow_id(SEED + 1, source_name));
    let text = workflow_id(SEED, source_name).as_uuid().to_string();
    assert_eq!((&text[14..15], text[19..20].contains(['8', '9', 'a', 'b'])), ("8", true), "{text}");
}
