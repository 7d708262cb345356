//! What of a pattern waits, and what reviews say of it, for the pattern's page.

use std::collections::BTreeMap;

use steward_app::queue::COUNT_UP_TO;
use steward_app::tenant::PatternRow;
use steward_app::tenant::{QueueFilter, ReviewFilter};
use steward_core::patterns::PatternState;
use steward_core::reviews::{AgentWas, Cause, PreventedBy, Review};

use crate::WebState;
use crate::problem::PageError;
use crate::view::components::button::Action;
use crate::view::components::facts::{Fact, FactValue, Facts};
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::format;

use super::super::around::Visit;
use super::super::exceptions::pattern_path;
use super::words;

/// How many of the latest reviews are looked at.
const LOOKED_AT: u32 = 500;

/// What a pattern's page says of the queue.
#[derive(Debug, Default)]
pub(in crate::pages) struct OfPattern {
    /// What waits, and what handling it came to; empty where nothing of it was ever in the queue.
    pub facts: Facts,
    /// What can be done about what waits.
    pub actions: Vec<Action>,
    /// Causes that reviews say.
    pub causes: Table,
}

impl OfPattern {
    /// Loads it.
    pub(in crate::pages) async fn load(
        state: &WebState,
        visit: &Visit,
        pattern: &PatternRow,
    ) -> Result<Self, PageError> {
        let (app, actor) = (&state.app, &visit.who.actor);
        let filter = QueueFilter { pattern: Some(pattern.id), ..QueueFilter::default() };
        let n_open = app.count_queue(actor, &filter, None).await?;
        let reviews = ReviewFilter { pattern: Some(pattern.id), ..ReviewFilter::default() };
        let reviews = app.list_reviews(actor, &reviews, None, None, LOOKED_AT).await?.reviews;
        if n_open == 0 && reviews.is_empty() {
            return Ok(Self::default());
        }
        let mut actions = Vec::new();
        if n_open > 0 {
            actions.push(Action::open("See what waits", format!("/queue?pattern={}", pattern.id)));
            if visit.operates() && pattern.state != PatternState::Muted {
                let all = format!("{}/review", pattern_path(pattern.id));
                actions.push(Action::open("Review all open of this pattern", all));
            }
        }
        Ok(Self { facts: facts(n_open, &reviews), actions, causes: causes(&reviews) })
    }
}

fn facts(n_open: u64, reviews: &[Review]) -> Facts {
    let n = reviews.len() as u64;
    let wrong = reviews.iter().filter(|review| review.judgement.agent == Some(AgentWas::Wrong)).count() as u64;
    let judged = reviews.iter().filter(|review| review.judgement.agent.is_some()).count() as u64;
    let cleanup: i64 = reviews.iter().map(|review| i64::from(review.judgement.cleanup_minutes)).sum();
    let timed: Vec<i64> = reviews.iter().filter_map(|review| review.active_ms).collect();
    let mut facts = vec![Fact::text("Wait now", format::count_up_to(n_open, COUNT_UP_TO))];
    if n == 0 {
        return Facts { facts, across: true };
    }
    let whole = if n == u64::from(LOOKED_AT) { format!("the latest {}", format::count(n)) } else { format::count(n) };
    facts.push(Fact::text("Reviewed", whole));
    facts.push(match judged {
        0 => Fact::new("The agent was wrong", FactValue::Unknown("no review says".to_owned())),
        _ => Fact::text(
            "The agent was wrong",
            format!("{}, {}", format::of(wrong, judged), format::percent(wrong as f64 / judged as f64)),
        ),
    });
    facts.push(if timed.is_empty() {
        Fact::new("Review time each", FactValue::Unknown("nothing was measured".to_owned()))
    } else {
        let mean = timed.iter().sum::<i64>() / timed.len() as i64;
        Fact::text("Review time each", format::duration_ms(mean))
    });
    facts.push(Fact::text("Cleanup in all", format::duration_ms(cleanup * 60_000)));
    Facts { facts, across: true }
}

fn causes(reviews: &[Review]) -> Table {
    let mut by_cause: BTreeMap<Option<Cause>, (u64, BTreeMap<PreventedBy, u64>)> = BTreeMap::new();
    for review in reviews {
        let (n, prevented) = by_cause.entry(review.judgement.cause).or_default();
        *n += 1;
        if let Some(by) = review.judgement.prevented_by {
            *prevented.entry(by).or_default() += 1;
        }
    }
    if by_cause.keys().all(Option::is_none) {
        return Table::default();
    }
    let mut by_cause: Vec<_> = by_cause.into_iter().collect();
    by_cause.sort_by_key(|(cause, (n, _))| (std::cmp::Reverse(*n), *cause));
    let rows = by_cause.into_iter().map(|(cause, (n, prevented))| {
        let name = cause.map_or("not said", words::cause_label).to_owned();
        let mut prevented: Vec<_> = prevented.into_iter().collect();
        prevented.sort_by_key(|(by, n)| (std::cmp::Reverse(*n), *by));
        let by: Vec<String> =
            prevented.iter().map(|(by, n)| format!("{} ({n})", words::prevented_label(*by).to_lowercase())).collect();
        Row::plain(vec![Cell::name(name), Cell::number(format::count(n)), Cell::text(by.join(", "))])
    });
    let columns = vec![Column::new("Cause"), Column::number("Reviews"), Column::new("What would have prevented it")];
    Table::new("What reviews say it comes from", columns, rows.collect())
}
