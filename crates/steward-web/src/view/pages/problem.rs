//! A page that could not be shown: what happened, what is safe, what to do.

use askama::Template;

use crate::view::components::button::Action;
use crate::view::samples::{Samples, Words};

/// A page that could not be shown.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/problem.html")]
pub struct Problem {
    /// The status in numbers and words: "404 Not found". The heading stands in the shell.
    pub status: String,
    /// What happened and what is safe.
    pub text: String,
    /// The request's id, to tell somebody; empty shows none.
    pub request: String,
    /// The ways out.
    pub actions: Vec<Action>,
}

impl Samples for Problem {
    fn empty() -> Self {
        Self { status: "500".to_owned(), text: String::new(), request: String::new(), actions: Vec::new() }
    }

    fn full(words: &Words) -> Self {
        Self {
            status: "404 Not found".to_owned(),
            text: words.say("There is no such run, or it is not yours to see. Nothing was changed."),
            request: "01JBX2N7Q6".to_owned(),
            actions: vec![Action::open("All runs", "/runs").primary(), Action::open("Today", "/")],
        }
    }
}
