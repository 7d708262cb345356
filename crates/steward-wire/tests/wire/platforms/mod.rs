//! What platforms send: each reader, each signature, each order of arrival.

mod automations;
mod ends;
mod poll;
mod signatures;
mod voice;
mod whatever;

use jiff::tz::TimeZone;
use serde_json::Value;
use steward_core::calendar::BusinessHours;
use steward_core::derive::{Context, derive, merge};
use steward_core::prices::PriceBook;
use steward_core::run::RunFacts;
use steward_core::step::Step;
use steward_core::time::Timestamp;
use steward_core::workflow::WorkflowSettings;
use steward_wire::platforms::{Delivery, Platform, read};

/// When everything is received: some time after the samples happened.
pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

pub(crate) fn delivery(body: &[u8]) -> Delivery<'_> {
    Delivery {
        method: "POST",
        url: "https://steward.example/hooks",
        headers: &[],
        body,
        received_at: NOW,
        scope: "con_1",
    }
}

/// The steps of a body that is read without a refusal.
pub(crate) fn steps(platform: Platform, body: &Value) -> Vec<Step> {
    let decoded = read(platform, &delivery(body.to_string().as_bytes())).unwrap();
    assert_eq!((decoded.rejected, &decoded.rejection), (0, &None), "{body}");
    received(decoded.steps)
}

/// As intake leaves them.
pub(crate) fn received(mut steps: Vec<Step>) -> Vec<Step> {
    steps.iter_mut().for_each(|step| step.received_at = NOW);
    steps
}

/// Why a body is refused.
pub(crate) fn refusal(platform: Platform, body: &Value) -> String {
    let decoded = read(platform, &delivery(body.to_string().as_bytes())).unwrap();
    assert_eq!(decoded.steps, []);
    decoded.rejection.unwrap()
}

pub(crate) fn facts(steps: &[Step]) -> RunFacts {
    let settings = WorkflowSettings::default();
    let hours = BusinessHours::default();
    let context = Context {
        settings: &settings,
        prices: PriceBook::built_in(),
        hours: &hours,
        zone: &TimeZone::UTC,
        verdict: None,
        now: NOW,
    };
    derive(steps, &context).unwrap()
}

/// The one run that several reports make in every order, each of them twice.
///
/// Orders are all permutations, and in each the repeats come at the end, in the order reversed.
pub(crate) fn one_run(reports: &[Vec<Step>]) -> (Vec<Step>, RunFacts) {
    let mut runs: Vec<Vec<Step>> = permutations(reports.len())
        .into_iter()
        .map(|order| {
            let all = order.iter().chain(order.iter().rev());
            all.fold(Vec::new(), |known, place| merge(known, reports[*place].clone()))
        })
        .collect();
    let run = runs.pop().unwrap();
    assert!(runs.iter().all(|other| *other == run), "the order of arrival changed the run");
    assert!(run.iter().all(|step| step.trace_id == run[0].trace_id), "one call made several runs");
    let facts = facts(&run);
    (run, facts)
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let shorter = permutations(last);
    let insert = |order: &Vec<usize>, place: usize| {
        let mut longer = order.clone();
        longer.insert(place, last);
        longer
    };
    shorter.iter().flat_map(|order| (0..n).map(move |place| insert(order, place))).collect()
}
