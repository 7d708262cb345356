//! Nothing here yet: what will appear, and the one thing to do for it.

use askama::Template;

use super::button::Action;
use super::html_safe;
use super::icon::Icon;
use super::snippet::Snippet;

/// A place with nothing in it.
#[derive(Debug, Clone, Template)]
#[template(path = "components/empty.html")]
pub struct Empty {
    /// What kind of thing will appear.
    pub icon: Icon,
    /// What is the case: "No runs in these 30 days".
    pub title: String,
    /// What will appear here and when.
    pub text: String,
    /// The one thing to do.
    pub action: Option<Action>,
    /// The command that does it.
    pub command: Option<Snippet>,
}

impl Empty {
    /// An empty state in words only.
    #[must_use]
    pub fn new(icon: Icon, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { icon, title: title.into(), text: text.into(), action: None, command: None }
    }

    /// The same with the one thing to do.
    #[must_use]
    pub fn with_action(self, action: Action) -> Self {
        Self { action: Some(action), ..self }
    }
}

html_safe!(Empty);
