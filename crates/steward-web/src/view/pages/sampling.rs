//! Which completed runs of a workflow go to review, and what that would come to.

use askama::Template;

use crate::view::components::empty::Empty;
use crate::view::components::form::{Choice, Field};
use crate::view::components::icon::Icon;
use crate::view::components::table::{Cell, Column, Row, Table};
use crate::view::components::tabs::Tabs;
use crate::view::html::Csrf;
use crate::view::samples::{Samples, Words, csrf};

/// Which completed runs of a workflow go to review.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/sampling.html")]
pub struct SamplingPage {
    /// Figures, runs, rules, expectations, sampling, settings.
    pub tabs: Tabs,
    /// Where the form posts to.
    pub action: String,
    /// The token.
    pub csrf: Csrf,
    /// What holds now, in words.
    pub standing: String,
    /// Whether anything is sampled.
    pub is_on: bool,
    /// The rule.
    pub fields: Vec<Field>,
    /// What is wrong with all of it; empty when nothing is.
    pub error: String,
    /// What it would come to. `None` where the fields make no rule.
    pub preview: Option<SamplingForecast>,
}

/// What a rule would have taken on the last days.
#[derive(Debug, Clone, Default)]
pub struct SamplingForecast {
    /// In words: "Of 21 completed runs a day, 3 would go to review."
    pub words: String,
    /// What could be said after a month; empty where nothing could.
    pub precision: String,
    /// The parts: name, completed runs a day, to review a day.
    pub parts: Table,
}

impl Samples for SamplingPage {
    fn empty() -> Self {
        Self {
            tabs: super::workflow::workflow_tabs("wf_1", "sampling"),
            action: "/workflows/wf_1/sampling".to_owned(),
            csrf: csrf(),
            standing: "Nothing of this workflow is sampled.".to_owned(),
            is_on: false,
            fields: fields("5", ""),
            error: String::new(),
            preview: None,
        }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let row = |name: &str, n: &str, taken: &str| {
            Row::plain(vec![Cell::name(words.say(name)), Cell::number(n), Cell::number(taken)])
        };
        Self {
            standing: words.say("5 % of the completed runs go to review, at most 20 a day. Ada set that 3 days ago."),
            is_on: true,
            fields: fields("500", &words.say("the share of completed runs lies between 0.1 % and 100 %")),
            error: words.say("Nothing was saved: a field needs a change."),
            preview: Some(SamplingForecast {
                words: "Of 21 completed runs a day, 3 would go to review: 90 a month.".to_owned(),
                precision: "Were 9 of 10 claims right, a month of reviews would put that at 82.7 – 94.5 %.".to_owned(),
                parts: Table::new(
                    "Runs a day by part",
                    vec![Column::new("Part"), Column::number("Completed a day"), Column::number("To review a day")],
                    vec![row("release 2026-11-03", "20", "2"), row("release 2026-11-21", "1", "1")],
                )
                .or_empty(Empty::new(
                    Icon::Target,
                    "No run completed",
                    "Parts show with the first one.",
                )),
            }),
            ..Self::empty()
        }
    }
}

fn fields(share: &str, error: &str) -> Vec<Field> {
    let strata = Choice::list(&[("none", "by chance alone"), ("release", "some of each release")], "release");
    vec![
        Field::number("share", "Share of the completed runs", share).with_unit("%").with_error(error),
        Field::number("at_most", "At most a day", "20").with_unit("runs"),
        Field::select("strata", "How they are chosen", strata),
        Field::number("at_least", "At least of each part and day", "1").optional().with_unit("runs"),
    ]
}
