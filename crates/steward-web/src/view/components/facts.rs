//! A thing's facts: names and values.

use askama::Template;

use super::badge::Badge;
use super::html_safe;
use super::snippet::IdCopy;
use crate::view::format::Time;
use crate::view::html::Html;

/// A list of names and values.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/facts.html")]
pub struct Facts {
    /// The facts.
    pub facts: Vec<Fact>,
    /// Beside each other in a head rather than below each other.
    pub across: bool,
}

/// A name and a value.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// The value.
    pub value: FactValue,
}

/// A fact's value.
#[derive(Debug, Clone)]
pub enum FactValue {
    /// Text, and more of it on hover.
    Text(String, String),
    /// Text that opens something.
    Link(String, String),
    /// A time.
    Time(Time),
    /// A badge.
    Badge(Badge),
    /// An id to copy.
    Id(IdCopy),
    /// Markup.
    Html(Html),
    /// Nobody said: shown as such, never as zero.
    Unknown(String),
}

impl Fact {
    /// A fact of any value.
    #[must_use]
    pub fn new(name: &str, value: FactValue) -> Self {
        Self { name: name.to_owned(), value }
    }

    /// A fact in words.
    #[must_use]
    pub fn text(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, FactValue::Text(text.into(), String::new()))
    }

    /// A fact that opens something.
    #[must_use]
    pub fn link(name: &str, text: impl Into<String>, href: impl Into<String>) -> Self {
        Self::new(name, FactValue::Link(text.into(), href.into()))
    }
}

html_safe!(Facts);
