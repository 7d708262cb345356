//! What was said in a run, and the tools that were called in between.

use askama::Template;
use steward_core::step::Role;

use super::empty::Empty;
use super::html_safe;
use super::icon::Icon;

/// A conversation.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "components/conversation.html")]
pub struct Conversation {
    /// The turns in order.
    pub turns: Vec<Turn>,
    /// What stands there when nothing was said or nothing was kept.
    pub empty: Option<Empty>,
}

/// Something that was said.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Its id on the page: the steps over time lead to it.
    pub id: String,
    /// Who said it.
    pub role: Role,
    /// Who that is: the agent's or the tool's name; empty takes the role's word.
    pub name: String,
    /// When, since the run began: "+4.2 s".
    pub at: String,
    /// The model, how long it took, what it cost: in a few words.
    pub note: String,
    /// What was said.
    pub text: String,
    /// The tools that it called.
    pub calls: Vec<CalledTool>,
}

/// A tool that was called.
#[derive(Debug, Clone)]
pub struct CalledTool {
    /// Its id on the page.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments, made readable.
    pub arguments: String,
    /// What it answered; `None` when no answer came.
    pub result: Option<String>,
    /// Whether it went wrong.
    pub failed: bool,
    /// How long it took, in words.
    pub duration: String,
    /// Shown open from the start: the step on which the outcome rests.
    pub open: bool,
}

impl Turn {
    fn icon(&self) -> Icon {
        match self.role {
            Role::System => Icon::Settings,
            Role::User => Icon::Person,
            Role::Assistant => Icon::Agent,
            Role::Tool => Icon::Tool,
        }
    }

    fn class(&self) -> &'static str {
        match self.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    fn who(&self) -> &str {
        match (self.name.as_str(), self.role) {
            ("", Role::System) => "Instructions",
            ("", Role::User) => "User",
            ("", Role::Assistant) => "Agent",
            ("", Role::Tool) => "Tool",
            (name, _) => name,
        }
    }

    /// Whether it is so long that it is folded: instructions always, other texts beyond a screen.
    fn is_folded(&self) -> bool {
        self.role == Role::System || self.text.len() > 6_000
    }

    fn n_characters(&self) -> String {
        crate::view::format::count(self.text.chars().count() as u64)
    }
}

impl CalledTool {
    /// The arguments in a line.
    fn arguments_in_line(&self) -> String {
        self.arguments.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
    }
}

html_safe!(Conversation);
