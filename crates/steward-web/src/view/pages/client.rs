//! A client: do its agents work, and are they worth their money?

use askama::Template;

use crate::view::components::attention::Attention;
use crate::view::components::button::Action;
use crate::view::components::chart::ChartBlock;
use crate::view::components::empty::Empty;
use crate::view::components::facts::{Fact, Facts};
use crate::view::components::figure::Figure;
use crate::view::components::icon::Icon;
use crate::view::components::table::Table;
use crate::view::gallery;
use crate::view::samples::{self, Samples, Words};

/// A client.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/client.html")]
pub struct ClientPage {
    /// The stream that says when to look again; empty is not live.
    pub live: String,
    /// What needs somebody at this client.
    pub attention: Vec<Attention>,
    /// Its figures over all workflows.
    pub figures: Vec<Figure>,
    /// Charts over all workflows, at most two.
    pub charts: Vec<ChartBlock>,
    /// Its workflows: name, needs, runs, completion, escalation, cost, value, trend.
    pub workflows: Table,
    /// What it counts: result, count, in hours and outside, value, change.
    pub results: Table,
    /// Its reports: month, state, revision, published.
    pub reports: Table,
    /// What is agreed: currency, retainer, zone, hours.
    pub facts: Facts,
}

impl Samples for ClientPage {
    fn empty() -> Self {
        Self {
            live: String::new(),
            attention: Vec::new(),
            figures: Vec::new(),
            charts: Vec::new(),
            workflows: Table::default().or_empty(
                Empty::new(
                    Icon::Workflow,
                    "No workflow yet",
                    "A workflow appears with its first run, or when you make a key for it.",
                )
                .with_action(Action::open("Make a key", "/settings/keys/new?client=cl_1").primary()),
            ),
            results: Table::default(),
            reports: Table::default(),
            facts: Facts::default(),
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        Self {
            live: "/live?client=cl_1".to_owned(),
            attention: gallery::attention(words).into_iter().take(1).collect(),
            figures: samples::figures(words),
            charts: samples::charts().into_iter().take(2).collect(),
            workflows: super::workflow::workflows(words),
            results: super::workflow::results(words),
            reports: super::reports::table(words),
            facts: Facts {
                across: false,
                facts: vec![
                    Fact::text("Currency", "EUR, 0.92 for a US dollar"),
                    Fact::text("Retainer", "€1,500.00 a month"),
                    Fact::text("Zone", words.say("Europe/Berlin")),
                    Fact::text("Hours", "Mon-Fri 09:00-17:00"),
                ],
            },
        }
    }
}
