//! First-run set-up: who are you, how does an agent connect, and there is the first run.

use askama::Template;

use super::settings::{Connect, connect};
use crate::view::components::button::Action;
use crate::view::components::form::{Choice, Field, Form};
use crate::view::components::icon::Icon;
use crate::view::samples::{Samples, Words, csrf};

/// A step of set-up.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/set_up.html")]
pub struct SetUp {
    /// The steps.
    pub steps: Vec<SetUpStep>,
    /// The heading: "Welcome to Steward".
    pub title: String,
    /// What this step is for.
    pub text: String,
    /// A form: the agency and its owner.
    pub form: Option<Form>,
    /// How to connect: the key, the lines, the live check.
    pub connect: Option<Connect>,
    /// What to do instead or next.
    pub actions: Vec<Action>,
}

/// A step in the row of steps.
#[derive(Debug, Clone)]
pub struct SetUpStep {
    /// Its name.
    pub name: String,
    /// Whether it is done.
    pub is_done: bool,
    /// Whether it is this one.
    pub is_current: bool,
}

/// The row of steps, at the first, second or third.
#[must_use]
pub fn set_up_steps(at: usize) -> Vec<SetUpStep> {
    ["Your agency", "Connect an agent", "First run"]
        .into_iter()
        .enumerate()
        .map(|(i, name)| SetUpStep { name: name.to_owned(), is_done: i < at, is_current: i == at })
        .collect()
}

impl Samples for SetUp {
    fn empty() -> Self {
        Self {
            steps: set_up_steps(0),
            title: "Welcome to Steward".to_owned(),
            text: "In a few minutes you see whether your agents work, what they cost and what they are worth. Everything stays on this machine.".to_owned(),
            form: Some(Form::new(
                "/set-up",
                csrf(),
                "Go on",
                vec![
                    Field::text("agency", "Your agency or team", "").with_hint("As your clients know it.").focused(),
                    Field::text("name", "Your name", "").with_autocomplete("name"),
                    Field::line("email", "email", "Your address", "").with_autocomplete("username"),
                    Field::line("password", "password", "A password", "").with_autocomplete("new-password").with_hint("At least 10 characters."),
                    Field::text("time_zone", "Time zone", "Europe/Berlin").with_hint("Days of reports are days of this zone."),
                    Field::select("currency", "Currency", Choice::list(&[("USD", "US dollar"), ("EUR", "Euro"), ("GBP", "Pound")], "USD")),
                ],
            )),
            connect: None,
            actions: Vec::new(),
        }
    }

    fn full(words: &Words) -> Self {
        Self {
            steps: set_up_steps(1),
            title: "Connect an agent".to_owned(),
            text: "Copy the lines for your platform. The first run appears by itself.".to_owned(),
            form: None,
            connect: Some(connect(*words, true)),
            actions: vec![
                Action::open("Import a file of runs instead", "/set-up/import").with_icon(Icon::Upload),
                Action::open("Later", "/"),
            ],
        }
    }
}
