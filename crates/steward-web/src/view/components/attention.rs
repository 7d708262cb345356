//! What needs somebody now, for Today: one line each, with the one thing to do.

use askama::Template;

use super::badge::Tone;
use super::button::Action;
use super::html_safe;
use super::icon::Icon;

/// One thing that needs somebody.
#[derive(Debug, Clone, Template)]
#[template(path = "components/attention.html")]
pub struct Attention {
    /// How urgent it is.
    pub tone: Tone,
    /// What kind of thing.
    pub icon: Icon,
    /// What is the case: "No runs for 19 h".
    pub title: String,
    /// Where: "Northwind Clinic › Receptionist". Empty when it is nowhere in particular.
    pub place: String,
    /// Where to look.
    pub href: String,
    /// Why it matters, with the figures: "It runs 40 times a day; the last was on Saturday at 09:12."
    pub why: String,
    /// The one thing to do.
    pub action: Option<Action>,
}

html_safe!(Attention);
