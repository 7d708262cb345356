//! Parts of one thing, each with an address of its own.

use askama::Template;

use super::html_safe;
use super::icon::Icon;

/// Tabs across, or a list at the side.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/tabs.html")]
pub struct Tabs {
    /// What they are parts of, for screen readers.
    pub label: String,
    /// The tabs.
    pub tabs: Vec<Tab>,
    /// At the side rather than across.
    pub at_side: bool,
}

/// A tab.
#[derive(Debug, Clone)]
pub struct Tab {
    /// Its name.
    pub name: String,
    /// Its address.
    pub href: String,
    /// Whether it is open.
    pub current: bool,
    /// How many things are in it; empty shows nothing.
    pub count: String,
    /// Its icon, in lists at the side.
    pub icon: Option<Icon>,
}

impl Tab {
    /// A tab.
    #[must_use]
    pub fn new(name: &str, href: impl Into<String>, current: bool) -> Self {
        Self { name: name.to_owned(), href: href.into(), current, count: String::new(), icon: None }
    }
}

html_safe!(Tabs);
