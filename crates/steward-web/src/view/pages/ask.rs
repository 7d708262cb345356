//! A question on a page of its own, before something that cannot be taken back, and before acts on many things.

use askama::Template;

use crate::view::components::confirm::Confirm;
use crate::view::components::table::Table;
use crate::view::samples::{Samples, Words, csrf};

/// A question.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/ask.html")]
pub struct Ask {
    /// The question.
    pub confirm: Confirm,
    /// What it is about, when it is about many: the first of them.
    pub about: Table,
}

impl Samples for Ask {
    fn empty() -> Self {
        let confirm = Confirm { title: "Go on?".to_owned(), button: "Go on".to_owned(), ..Confirm::default() };
        Self { confirm, about: Table::default() }
    }

    fn full(words: &Words) -> Self {
        let words = *words;
        let mut about = super::runs::table(words);
        about.bulk = None;
        about.picker = None;
        about.pager = None;
        Self {
            confirm: Confirm {
                title: "Say “completed” of 7 runs?".to_owned(),
                text: words.say("Your verdict is stronger than any other evidence. Figures change at once; published reports do not."),
                lines: vec![words.say("2 of them have another verdict already, which yours replaces.")],
                button: "Say completed".to_owned(),
                action: "/runs/verdicts".to_owned(),
                fields: vec![("key".to_owned(), words.say("run_1")), ("sure".to_owned(), "1".to_owned())],
                csrf: csrf(),
                back: "/runs".to_owned(),
                is_danger: false,
            },
            about,
        }
    }
}
