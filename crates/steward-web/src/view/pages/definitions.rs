//! What each figure means: where the name of a figure leads.

use askama::Template;

use crate::view::samples::{Samples, Words};

/// The definitions of all figures.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/definitions.html")]
pub struct Definitions {
    /// The definitions in the order in which they are shown.
    pub definitions: Vec<Definition>,
    /// What holds for all: intervals, what is left out, zones.
    pub notes: Vec<String>,
}

/// A definition.
#[derive(Debug, Clone, Default)]
pub struct Definition {
    /// Its anchor: `completion-rate`.
    pub id: String,
    /// The name.
    pub name: String,
    /// How it is reckoned.
    pub formula: String,
    /// The unit.
    pub unit: String,
    /// What more there is to say; may be empty.
    pub note: String,
}

impl Samples for Definitions {
    fn empty() -> Self {
        Self { definitions: Vec::new(), notes: Vec::new() }
    }

    fn full(words: &Words) -> Self {
        let definition = |id: &str, name: &str, formula: &str, unit: &str, note: &str| Definition {
            id: id.to_owned(),
            name: words.say(name),
            formula: words.say(formula),
            unit: unit.to_owned(),
            note: words.say(note),
        };
        Self {
            definitions: vec![
                definition(
                    "coverage",
                    "Coverage",
                    "finished runs whose outcome is not unverified / finished runs",
                    "share",
                    "A run that merely ended says nothing of whether it did its job.",
                ),
                definition(
                    "completion-rate",
                    "Completion rate",
                    "outcome completed / finished runs with a verified outcome",
                    "share",
                    "Beside it the two bounds, as if every unverified run had failed and as if every one had completed.",
                ),
            ],
            notes: vec!["Rates carry a 95 % Wilson interval. A rate of nothing is no data, never 0 %.".to_owned()],
        }
    }
}
